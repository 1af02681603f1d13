"""When a session is over: each clause of the contract's Settling paragraph; and what it adds up to (rule 9)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from station import resting
from station.claim import claim
from station.errors import Problem
from station.events import SessionCompleted
from station.file import File, Status
from station.session import Session
from station.settling import Terms, summary
from tests.station.core import a_file, a_session, at, config, intent_for, names, sending, store

LOST = Problem("NETWORK_ERROR")
LINGER, GRACE, TIMEOUT = 2.0, 30.0, 1800.0


def settles_at(session: Session, upto: float, since: float = 0.0, step: float = 0.5) -> float | None:
    """The time of the first tick that settles the session; None if none does by `upto`."""
    now = since
    while now <= upto:
        session.tick(at(now))
        if session.settled:
            return now
        now += step
    return None


def test_the_times_are_those_of_the_contract() -> None:
    rules = config()
    assert (rules.settle_linger, rules.retry_grace, rules.session_timeout) == (LINGER, GRACE, TIMEOUT)
    assert (rules.upload_expiry, rules.max_retries) == (86_400, 3)


# ---- expected files ----


def test_it_settles_with_the_last_expected_file() -> None:
    session = a_session(Terms(expected=2))
    store(session, sending(session, 0), 1)
    assert not session.settled
    store(session, sending(session, 2), 3)
    assert session.settled


@pytest.mark.parametrize("end", ["complete", "refuse", "cancel", "fail for good"])
def test_each_way_to_end_counts_towards_the_expected(end: str) -> None:
    session = a_session(Terms(expected=1))
    if end == "refuse":
        session.refuse(a_file(session), Problem("UNSUPPORTED_FORMAT"), at(1))
    else:
        attempt = sending(session, 0)
        match end:
            case "complete":
                store(session, attempt, 1)
            case "cancel":
                session.cancel_file(attempt.file_id, "user", at(1))
            case _:
                session.fail(attempt, Problem("REJECTED"), at(1))
    assert session.settled


def test_it_waits_for_files_that_are_expected_however_long_it_rests() -> None:
    session = a_session(Terms(expected=2))
    session.request_began(at(0))
    store(session, sending(session, 0), 1)
    session.request_ended(at(1))
    assert settles_at(session, 1700) is None


def test_an_announced_file_that_has_not_come_is_waited_for() -> None:
    session = a_session(Terms(expected=1))
    a_file(session)
    store(session, sending(session, 0), 1)  # one more than expected
    assert settles_at(session, 60) is None


def test_a_file_in_flight_is_waited_for_though_the_expected_are_final() -> None:
    session = a_session(Terms(expected=1))
    extra = sending(session, 0)
    store(session, sending(session, 0), 1)
    assert not session.settled
    store(session, extra, 2)
    assert session.settled


@pytest.mark.parametrize("fault", ["fails", "is refused"])
def test_a_failed_file_is_waited_for_until_its_grace_is_over(fault: str) -> None:
    session = a_session(Terms(expected=1))
    if fault == "fails":
        session.fail(sending(session, 0), LOST, at(1))
    else:
        session.refuse(a_file(session), LOST, at(1))
    assert settles_at(session, 60) == 1 + GRACE


def test_a_retry_within_grace_stops_the_waiting() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0)
    session.fail(attempt, LOST, at(1))
    again = session.start(session.files[attempt.file_id], 100, at(30.5))
    assert settles_at(session, 60, since=31) is None
    store(session, again, 61)
    assert session.settled


# ---- open-ended, implicit, and held open ----


@pytest.mark.parametrize(
    ("terms", "linger"), [(Terms(), LINGER), (Terms(implicit=True), 0.0), (Terms(auto_complete=False), None)]
)
def test_an_open_ended_session_settles_after_its_linger(terms: Terms, linger: float | None) -> None:
    session = a_session(terms)
    session.request_began(at(0))
    store(session, sending(session, 0), 1)
    assert settles_at(session, 20) is None  # the request still runs
    session.request_ended(at(20))
    assert settles_at(session, 60, since=20) == (None if linger is None else 20 + linger)


def test_an_implicit_session_settles_with_its_request() -> None:
    session = a_session(Terms(implicit=True))
    session.request_began(at(0))
    store(session, sending(session, 0), 1)
    session.request_ended(at(1))
    assert session.settled


@pytest.mark.parametrize("terms", [Terms(), Terms(implicit=True)])
def test_it_does_not_settle_before_anything_came(terms: Terms) -> None:
    assert settles_at(a_session(terms), 1700, step=10) is None


def test_the_linger_counts_from_the_latest_ending() -> None:
    session = a_session(Terms())
    session.request_began(at(0))
    first, second = sending(session, 0), sending(session, 0)
    store(session, first, 1)
    session.request_ended(at(1))
    store(session, second, 10)
    assert settles_at(session, 60, since=10) == 10 + LINGER


def test_a_new_request_ends_the_linger() -> None:
    session = a_session(Terms())
    session.request_began(at(0))
    store(session, sending(session, 0), 1)
    session.request_ended(at(1))
    session.request_began(at(2.5))
    assert settles_at(session, 60, since=3) is None
    session.request_ended(at(61))
    assert settles_at(session, 80, since=61) == 61 + LINGER


@pytest.mark.parametrize("terms", [Terms(), Terms(implicit=True)])
def test_a_failed_file_in_its_grace_holds_an_open_ended_session(terms: Terms) -> None:
    session = a_session(terms)
    session.request_began(at(0))
    session.fail(sending(session, 0), LOST, at(1))
    session.request_ended(at(1))
    assert settles_at(session, 60, since=1) == 1 + GRACE


# ---- complete ----


def test_complete_settles_at_once_when_nothing_is_being_sent() -> None:
    session = a_session(Terms(expected=3))
    store(session, sending(session, 0), 1)
    assert session.close(at(2)) == 0
    assert session.settled


def test_complete_cancels_what_waits_and_lets_go_on_what_is_sent() -> None:
    session = a_session(Terms(auto_complete=False))
    running, paused, failed = sending(session, 0), sending(session, 0, resumable=True), sending(session, 0)
    session.pause(paused, at(1))
    session.fail(failed, LOST, at(1))
    pending = a_file(session)
    session.take_news()
    assert session.close(at(2)) == 3
    assert session.close(at(2)) == 0
    assert names(session.take_news()) == ["upload-cancelled"] * 3
    assert pending.status is session.files[paused.file_id].status is Status.CANCELLED
    assert not session.settled
    assert not session.takes_files
    store(session, running, 3)
    assert session.settled


def test_complete_with_nothing_ever_sent_settles_empty() -> None:
    session = a_session(Terms(expected=2))
    assert session.close(at(1)) == 0
    assert session.settled
    completed, _ = session.take_news()
    assert isinstance(completed, SessionCompleted)
    assert completed.summary["totalFiles"] == 0
    assert completed.summary["totalTime"] == 0


def test_what_fails_after_complete_is_not_waited_for() -> None:
    session = a_session(Terms())
    attempt = sending(session, 0)
    session.close(at(1))
    session.fail(attempt, LOST, at(2))
    assert session.settled
    assert not session.files[attempt.file_id].can_retry


# ---- cancelled ----


def test_cancelling_settles_at_once() -> None:
    session = a_session(Terms(expected=5))
    sending(session, 0)
    session.take_news()
    assert session.cancel("user", at(1)) == 1
    assert session.settled
    assert names(session.take_news()) == ["upload-cancelled", "upload-cancelled", "session-completed", "lastword"]


def test_cancelling_waits_for_a_file_that_is_being_published() -> None:
    session = a_session(Terms(expected=5))
    attempt = sending(session, 0)
    session.advance(attempt, 100, at(1))
    session.seal(attempt, intent_for(session.files[attempt.file_id]), at(1))
    assert session.cancel("user", at(2)) == 0
    assert not session.settled
    store(session, attempt, 3)
    assert session.files[attempt.file_id].status is Status.COMPLETED
    assert session.settled


# ---- nothing happens ----


def test_an_abandoned_session_is_ended_and_its_files_are_cancelled() -> None:
    session = a_session(Terms(expected=2))
    a_file(session)
    store(session, sending(session, 0), 10)
    session.take_news()
    assert settles_at(session, 4000, since=10, step=10) == 10 + TIMEOUT
    cancelled, *rest = session.take_news()
    assert names([cancelled, *rest]) == ["upload-cancelled", "session-completed", "lastword"]
    assert getattr(cancelled, "reason", None) == "session-timeout"


@pytest.mark.parametrize("terms", [Terms(), Terms(auto_complete=False), Terms(expected=1), Terms(implicit=True)])
def test_a_session_in_which_nothing_ever_happens_ends(terms: Terms) -> None:
    assert settles_at(a_session(terms), 4000, step=10) == TIMEOUT


def test_a_session_that_somebody_looks_after_is_not_abandoned() -> None:
    session = a_session(Terms(auto_complete=False))
    for elapsed in range(0, 9000, 1000):
        session.touch(at(elapsed))
        session.tick(at(elapsed + 999))
    assert settles_at(session, 20_000, since=8999, step=1) == 8000 + TIMEOUT


def test_a_session_with_a_request_is_not_abandoned() -> None:
    session = a_session(Terms(auto_complete=False))
    session.request_began(at(0))
    assert settles_at(session, 4000, step=10) is None
    session.request_ended(at(4000))
    assert settles_at(session, 9000, since=4000, step=10) == 4000 + TIMEOUT


def test_an_unfinished_resumable_file_holds_it_open_until_it_expires() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0, resumable=True)
    session.pause(attempt, at(1))
    session.take_news()
    assert settles_at(session, 90_000, step=100) == 86_400
    cancelled, *_ = session.take_news()
    assert getattr(cancelled, "reason", None) == "expired"


def test_a_failed_resumable_file_may_be_resumed_until_it_expires() -> None:
    session = a_session(Terms(expected=1))
    session.fail(sending(session, 0, resumable=True), LOST, at(100))
    assert settles_at(session, 90_000, since=100, step=100) == 100 + 86_400


@pytest.mark.parametrize("terms", [Terms(), Terms(implicit=True), Terms(auto_complete=False), Terms(expected=1)])
@pytest.mark.parametrize("state", ["pending", "running", "in a lull", "broken", "paused", "failed"])
def test_an_unfinished_resumable_file_holds_any_session_open_until_it_expires(terms: Terms, state: str) -> None:
    session = a_session(replace(terms))
    session.request_began(at(0))
    file = a_file(session, resumable=True)
    file.expires_at = at(86_400).mono
    expires = 86_400.0
    if state != "pending":
        attempt = session.start(file, 100, at(0))
        match state:
            case "in a lull":
                session.rest(attempt, None, at(10))
            case "broken":
                session.rest(attempt, LOST, at(10))
                expires += 10 + resting.GRACE
            case "paused":
                session.pause(attempt, at(10))
            case "failed":
                session.fail(attempt, LOST, at(10))
                expires += 10
    session.request_ended(at(10))
    for seconds in (13, 60, 1811, 1900, 43_000, expires - 0.125):
        session.tick(at(seconds))
    assert "session-completed" not in names(session.take_news())
    session.tick(at(expires))
    (cancelled, *_) = session.take_news()
    assert getattr(cancelled, "reason", None) == "expired"
    assert session.settled == (terms.implicit or terms.expected is not None)
    session.tick(at(expires + LINGER))
    assert session.settled == terms.auto_complete
    session.tick(at(expires + TIMEOUT))
    assert session.settled
    assert "upload-cancelled" not in names(session.take_news()), "once is enough"


def test_what_was_stored_never_expires() -> None:
    session = a_session(Terms(auto_complete=False))
    store(session, sending(session, 0, resumable=True), 1)
    session.request_began(at(1))
    session.take_news()
    session.tick(at(10 * 86_400))
    assert session.take_news() == []
    assert session.files["file-1"].status is Status.COMPLETED


def test_what_is_being_published_does_not_expire_any_more() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0, resumable=True)
    session.advance(attempt, 100, at(1))
    session.seal(attempt, intent_for(session.files[attempt.file_id]), at(1))
    session.tick(at(90_000))
    store(session, attempt, 90_001)
    assert session.files[attempt.file_id].status is Status.COMPLETED


def test_a_resumable_file_that_failed_for_good_holds_nothing() -> None:
    session = a_session(Terms(expected=1))
    session.fail(sending(session, 0, resumable=True), Problem("REJECTED"), at(1))
    assert session.settled


def test_complete_in_a_lull_gives_the_sender_its_three_seconds() -> None:
    session = a_session(Terms(auto_complete=False))
    clean, broken = (sending(session, 0, resumable=True) for _ in range(2))
    session.rest(clean, None, at(1))
    session.rest(broken, LOST, at(1))
    session.take_news()
    assert session.close(at(2)) == 0
    session.tick(at(3.875))
    assert session.take_news() == []
    session.tick(at(4))
    cancelled, failed, *rest = session.take_news()
    assert getattr(cancelled, "reason", None) == "session-completed"
    assert (getattr(failed, "can_retry", None), names(rest)) == (False, ["session-completed", "lastword"])


def test_what_goes_on_in_time_after_complete_is_stored() -> None:
    session = a_session(Terms(auto_complete=False))
    attempt = sending(session, 0, resumable=True)
    session.rest(attempt, None, at(1))
    session.close(at(2))
    assert session.go_on(session.files[attempt.file_id], 0, 100, at(3)) == attempt
    store(session, attempt, 60)
    assert session.settled
    assert session.files[attempt.file_id].status is Status.COMPLETED


# ---- sums ----


def test_the_summary_counts_every_byte_and_every_file() -> None:
    session = a_session(Terms(expected=4))
    store(session, sending(session, 1), 2)
    lost = sending(session, 2)
    session.advance(lost, 30, at(3))
    session.fail(lost, LOST, at(3))
    again = session.start(session.files[lost.file_id], 100, at(4))
    session.advance(again, 50, at(5))
    session.cancel_file(lost.file_id, "user", at(5))
    session.refuse(a_file(session, size=700), Problem("FILE_SIZE_EXCEEDED"), at(6))
    session.refuse(a_file(session, size=None), Problem("UNSUPPORTED_FORMAT"), at(11))
    *_, completed, _ = session.take_news()
    assert isinstance(completed, SessionCompleted)
    assert completed.summary == {
        "totalFiles": 4,
        "completedFiles": 1,
        "failedFiles": 2,
        "cancelledFiles": 1,
        "totalSize": 900,
        "uploadedSize": 180,
        "averageSpeed": 18,
        "totalTime": 10.0,
    }


def test_bytes_that_a_resumed_attempt_begins_with_are_counted_once() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0, resumable=True)
    session.advance(attempt, 60, at(1))
    session.fail(attempt, LOST, at(1))
    again = session.go_on(session.files[attempt.file_id], 60, 100, at(9))
    store(session, again, 10)
    *_, completed, _ = session.take_news()
    assert isinstance(completed, SessionCompleted)
    assert (completed.summary["totalSize"], completed.summary["uploadedSize"]) == (100, 100)
    assert (completed.summary["averageSpeed"], completed.summary["totalTime"]) == (10, 10.0)


@pytest.mark.parametrize(
    ("first", "last", "received", "speed", "time"),
    [
        (None, None, 0, 0, 0.0),
        (None, 5.0, 0, 0, 0.0),
        (5.0, 5.0, 0, 0, 0.0),
        (5.0, 5.0, 10, 10_000, 0.0),
        (5.0, 7.0, 10, 5, 2.0),
        (5.0, 7.00049, 10, 5, 2.0),
        (5.0, 4.0, 10, 10_000, 0.0),
    ],
)
def test_no_sum_is_infinite_or_negative(
    first: float | None, last: float | None, received: int, speed: int, time: float
) -> None:
    sums = summary([File("f", "a.jpg", 10, received=received)], first, last)
    assert (sums["averageSpeed"], sums["totalTime"]) == (speed, time)


def test_a_retry_whose_first_bytes_have_not_come_holds_the_session_beyond_the_grace() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0)
    session.fail(attempt, Problem("NETWORK_ERROR"), at(1))
    file = claim(session, "new", "", None, attempt.file_id, at(20))
    session.tick(at(100))
    assert not session.settled
    session.start(file, 1, at(101))
    assert session.files[attempt.file_id].status == "uploading"


def test_a_claim_that_comes_to_nothing_holds_nothing() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0)
    session.fail(attempt, Problem("NETWORK_ERROR"), at(1))
    claim(session, "new", "", None, attempt.file_id, at(20)).claimed = False
    session.tick(at(100))
    assert session.settled
