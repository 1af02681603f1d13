"""The lives of attempts, by example: starts, progress, rests and ends. Over long random lives: test_session.py."""

from __future__ import annotations

from itertools import pairwise

import pytest

from station.attempts import Attempts
from station.clock import Moment
from station.errors import ERRORS, Problem, Refused
from station.events import Progress, UploadFailed, UploadStarted
from station.file import Attempt, File, Status
from station.resting import GRACE
from station.session import Session
from station.settling import Terms
from tests.station.core import CATEGORY, CONFIG, SESSION, a_file, a_session, at, intent_for, names, sending, store

LOST = Problem("NETWORK_ERROR")


def failures(session: Session) -> list[UploadFailed]:
    return [each for each in session.take_news() if isinstance(each, UploadFailed)]


def fail_again(session: Session, file: File, seconds: float, *, timed_out: bool = False) -> None:
    problem = Problem("REQUEST_TIMEOUT") if timed_out else LOST
    session.fail(session.start(file, 100, at(seconds)), problem, at(seconds + 1), timed_out=timed_out)


def test_the_story_of_one_file() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0)
    session.advance(attempt, 40, at(1))
    session.advance(attempt, 60, at(2))
    store(session, attempt, 2.5)
    assert names(session.take_news()) == [
        "upload-started",
        "progress",
        "progress",
        "upload-completed",
        "session-completed",
        "lastword",
    ]


def test_an_empty_file_is_all_there_once_it_is_sealed() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0, size=0)
    store(session, attempt, 0)
    news = session.take_news()
    assert names(news)[:3] == ["upload-started", "progress", "upload-completed"]
    assert isinstance(news[1], Progress)
    assert (news[1].progress, news[1].speed) == (100, 0)


def test_an_upper_bound_gives_way_to_the_real_size_once_all_is_here() -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session, size=None)
    attempt = session.start(file, 5000, at(0), estimated=True)
    session.advance(attempt, 4999, at(1))
    session.seal(attempt, intent_for(file), at(1))
    told = [each for each in session.take_news() if isinstance(each, Progress)]
    assert [(each.progress, each.total, each.estimated) for each in told] == [(99.0, 5000, True), (100.0, 4999, False)]


def test_an_older_request_cannot_end_the_attempt_of_a_newer_one() -> None:
    session = a_session(Terms(expected=1))
    old = sending(session, 0)
    session.fail(old, LOST, at(1))
    new = session.start(session.files[old.file_id], 100, at(2))
    session.take_news()
    session.fail(old, LOST, at(3))
    session.complete(old, "/upload/personal/x", None, at(3))
    assert session.take_news() == []
    assert session.advance(new, 1, at(4))


# ---- retries ----


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_file_may_be_tried_again_max_retries_times(most: int) -> None:
    session = a_session(Terms(expected=1), max_retries=most)
    file = a_file(session)
    for number in range(most + 1):
        fail_again(session, file, 2.0 * number)
    told = failures(session)
    assert [each.retry_count for each in told] == list(range(most + 1))
    assert [each.can_retry for each in told] == [True] * most + [False]
    assert [each.max_retries for each in told] == [most] * (most + 1)
    assert session.settled
    assert file.status is Status.FAILED


def test_time_outs_that_use_up_all_tries_cancel_the_file() -> None:
    session = a_session(Terms(expected=1), max_retries=1)
    file = a_file(session)
    fail_again(session, file, 0, timed_out=True)
    session.take_news()
    fail_again(session, file, 10, timed_out=True)
    _, cancelled, *rest = session.take_news()
    assert names([cancelled, *rest]) == ["upload-cancelled", "session-completed", "lastword"]
    assert getattr(cancelled, "reason", None) == "retry-limit"
    assert file.status is Status.CANCELLED


def test_time_outs_and_other_failures_together_end_in_a_failure() -> None:
    session = a_session(Terms(expected=1), max_retries=1)
    file = a_file(session)
    fail_again(session, file, 0)
    fail_again(session, file, 10, timed_out=True)
    assert [each.can_retry for each in failures(session)] == [True, False]


@pytest.mark.parametrize("timed_out", [False, True])
def test_a_resumable_file_is_never_out_of_tries(timed_out: bool) -> None:
    session = a_session(Terms(expected=1), max_retries=0)
    file = a_file(session, resumable=True)
    for number in range(5):
        fail_again(session, file, 2.0 * number, timed_out=timed_out)
    told = failures(session)
    assert [(each.retry_count, each.can_retry) for each in told] == [(number, True) for number in range(5)]
    assert told[0].retry_until == at(1 + 86_400).stamp


@pytest.mark.parametrize("code", sorted(code for code, row in ERRORS.items() if not row.retry))
@pytest.mark.parametrize("begun", [False, True])
def test_what_no_retry_helps_is_final(code: str, begun: bool) -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session)
    if begun:
        session.fail(session.start(file, 100, at(0)), Problem(code), at(1))
    else:
        session.refuse(file, Problem(code), at(1))
    (told,) = failures(session)
    assert (told.can_retry, told.retry_until, told.retry_count) == (False, None, 0)
    assert session.settled


def test_a_refusal_that_a_retry_may_help_counts_as_a_failure() -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session)
    session.refuse(file, Problem("INSUFFICIENT_STORAGE"), at(0))
    fail_again(session, file, 1)
    assert [each.retry_count for each in failures(session)] == [0, 1]


def test_a_retry_that_succeeds_completes_the_file() -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session)
    fail_again(session, file, 0)
    store(session, session.start(file, 100, at(20)), 21)
    assert file.status is Status.COMPLETED
    assert session.settled


# ---- throttled progress ----


def told_at(session: Session) -> list[float]:
    news = [each for each in session.take_news() if isinstance(each, Progress)]
    return [each.progress for each in news]


def test_progress_is_told_at_first_then_by_time_and_step_then_at_a_hundred() -> None:
    session = a_session()
    attempt = sending(session, 0, size=1000)
    for moment, count in ((0.125, 1), (0.25, 399), (0.5, 50), (0.625, 50), (1.0, 100), (1.125, 5), (1.75, 3)):
        session.advance(attempt, count, at(moment))
    assert told_at(session) == [0.1, 50.0, 60.5]
    session.advance(attempt, 392, at(1.875))
    assert told_at(session) == [100.0]


def test_slow_bytes_are_told_of_at_least_every_two_seconds() -> None:
    session = a_session()
    attempt = sending(session, 0, size=10**6)
    told = []
    for eighth in range(1, 81):
        session.advance(attempt, 10, at(eighth / 8))
        told += [eighth / 8] * len(told_at(session))
    assert [later - earlier for earlier, later in pairwise(told)] == [1.75] * 5, "the last that is in time"


def test_progress_that_was_held_back_is_told_when_the_silence_grows_long() -> None:
    session = a_session()
    attempt = sending(session, 0, size=1000)
    session.advance(attempt, 100, at(0.125))
    session.advance(attempt, 5, at(0.25))
    session.tick(at(1.625))
    assert told_at(session) == [10.0]
    session.tick(at(1.875))
    assert told_at(session) == [10.5], "at the next look, at 2.125, it would come just in time or just too late"
    session.tick(at(10))
    assert told_at(session) == []


def test_throttles_are_configurable() -> None:
    session = a_session(progress_interval=0.0, progress_step=10.0)
    attempt = sending(session, 0, size=100)
    for count in range(1, 101):
        session.advance(attempt, 1, at(count / 128))
    assert told_at(session) == [1.0, 11.0, 21.0, 31.0, 41.0, 51.0, 61.0, 71.0, 81.0, 91.0, 100.0]


def test_each_attempt_and_each_file_is_throttled_by_itself() -> None:
    session = a_session()
    one, other = sending(session, 0), sending(session, 0)
    session.advance(one, 10, at(0.125))
    session.advance(other, 20, at(0.125))
    session.fail(one, LOST, at(0.125))
    session.advance(session.start(session.files[one.file_id], 100, at(0.25)), 5, at(0.25))
    assert told_at(session) == [10.0, 20.0, 5.0]


# ---- requests that follow each other ----


def resumable(session: Session, size: int | None = 100) -> tuple[File, Attempt]:
    """A resumable file that began at nought, its news taken."""
    attempt = sending(session, 0, size=size, resumable=True)
    session.take_news()
    return session.files[attempt.file_id], attempt


def follow(session: Session, file: File, seconds: float, *, offset: int | None = None) -> Attempt:
    """The next request brings bytes."""
    return session.go_on(file, file.received if offset is None else offset, file.size, at(seconds))


def test_the_first_request_starts_an_attempt() -> None:
    session = a_session()
    file = a_file(session, resumable=True)
    assert session.go_on(file, 0, 100, at(1)) == Attempt(file.id, 1)
    (started,) = session.take_news()
    assert isinstance(started, UploadStarted)
    assert (started.attempt, started.file_size, started.resumed_from) == (1, 100, None)


@pytest.mark.parametrize("problem", [None, LOST])
def test_a_request_within_three_seconds_goes_on_in_silence(problem: Problem | None) -> None:
    session = a_session()
    file, attempt = resumable(session)
    session.rest(attempt, problem, at(1))
    session.tick(at(1 + GRACE - 0.125))
    assert follow(session, file, 1 + GRACE - 0.125) == attempt
    session.tick(at(60))
    assert session.take_news() == []
    assert session.advance(attempt, 1, at(61))


def test_a_hundred_requests_are_one_attempt() -> None:
    session = a_session(Terms(expected=1))
    file, attempt = resumable(session, size=1000)
    for number in range(100):
        assert follow(session, file, 2.875 * number) == attempt
        session.advance(attempt, 10, at(2.875 * number))
        if number < 99:
            session.rest(attempt, None, at(2.875 * number))
        session.tick(at(2.875 * number + 2.75))
    store(session, attempt, 300)
    said = names(session.take_news())
    assert [name for name in said if name != "progress"] == ["upload-completed", "session-completed", "lastword"]


def test_a_clean_end_that_nobody_continues_is_a_pause_and_no_failure() -> None:
    session = a_session()
    file, attempt = resumable(session)
    session.advance(attempt, 30, at(1))
    session.rest(attempt, None, at(1))
    session.take_news()
    session.tick(at(1 + GRACE))
    session.tick(at(600))
    (told,) = session.take_news()
    assert isinstance(told, Progress)
    assert (told.status, told.uploaded, told.progress, told.speed) == ("paused", 30, 30.0, 0)
    assert (file.failures, file.token) == (0, attempt)


def test_a_broken_connection_that_nobody_comes_back_from_is_a_failure_that_can_be_tried_again() -> None:
    session = a_session()
    _, attempt = resumable(session)
    session.advance(attempt, 30, at(1))
    session.rest(attempt, Problem("NETWORK_ERROR", "reset"), at(1))
    session.take_news()
    session.tick(at(1 + GRACE - 0.125))
    assert session.take_news() == []
    session.tick(at(1 + GRACE))
    session.tick(at(600))
    (failed,) = session.take_news()
    assert isinstance(failed, UploadFailed)
    assert (failed.error["code"], failed.error["details"]) == ("NETWORK_ERROR", "reset")
    assert (failed.can_retry, failed.uploaded_bytes, failed.attempt) == (True, 30, attempt.number)
    assert failed.retry_until == at(1 + GRACE + CONFIG.upload_expiry).stamp


def test_after_a_failure_another_attempt_goes_on_from_the_bytes_that_are_safe() -> None:
    session = a_session(Terms(expected=1))
    file, attempt = resumable(session)
    session.advance(attempt, 30, at(1))
    session.fail(attempt, LOST, at(1))
    session.take_news()
    again = follow(session, file, 60, offset=30)
    (started,) = session.take_news()
    assert isinstance(started, UploadStarted)
    assert (again.number, started.attempt, started.resumed_from) == (2, 2, 30)
    store(session, again, 61)
    assert session.settled
    assert file.received_total == 100


def test_a_paused_attempt_goes_on_with_the_next_request_and_says_so() -> None:
    session = a_session()
    file, attempt = resumable(session)
    session.pause(attempt, at(1))
    session.take_news()
    assert follow(session, file, 600) == attempt
    (told,) = session.take_news()
    assert isinstance(told, Progress)
    assert told.status == "uploading"


def test_what_became_safe_before_a_restart_is_counted_when_it_goes_on() -> None:
    session = a_session(Terms(expected=1))
    file, attempt = resumable(session)
    session.advance(attempt, 30, at(1))
    follow(session, file, 2, offset=50)
    assert (file.received, file.received_total) == (50, 50)
    store(session, attempt, 3)
    assert file.received_total == 100


def test_a_length_that_is_told_later_is_taken_and_never_forgotten() -> None:
    session = a_session()
    file, attempt = resumable(session, size=None)
    session.go_on(file, 0, 200, at(1))
    session.go_on(file, 0, None, at(2))
    assert (file.size, file.estimated) == (200, False)
    session.advance(attempt, 20, at(3))
    (told,) = session.take_news()
    assert isinstance(told, Progress)
    assert (told.total, told.progress) == (200, 10.0)


def test_a_file_that_has_ended_goes_on_for_nobody() -> None:
    session = a_session(Terms(expected=2))
    file, attempt = resumable(session)
    session.cancel_file(file.id, "user", at(1))
    session.take_news()
    session.rest(attempt, LOST, at(1))
    session.tick(at(60))
    assert session.take_news() == []
    assert file.lull is None


def test_the_end_of_an_older_request_is_nothing_to_a_newer_attempt() -> None:
    session = a_session()
    file, old = resumable(session)
    session.fail(old, LOST, at(1))
    follow(session, file, 2)
    session.take_news()
    session.rest(old, LOST, at(3))
    session.tick(at(60))
    assert session.take_news() == []


def test_a_file_that_is_being_published_needs_no_more_requests() -> None:
    session = a_session()
    file, attempt = resumable(session)
    session.advance(attempt, 100, at(1))
    session.seal(attempt, intent_for(file), at(1))
    session.take_news()
    session.rest(attempt, LOST, at(1))
    session.tick(at(60))
    assert session.take_news() == []


@pytest.mark.parametrize("verb", ["start", "advance", "go on", "resume", "fail"])
def test_what_is_done_for_an_upload_puts_off_its_expiry(verb: str) -> None:
    session = a_session()
    file, attempt = resumable(session)
    match verb:
        case "advance":
            session.advance(attempt, 1, at(50))
        case "go on":
            follow(session, file, 50)
        case "resume":
            session.pause(attempt, at(1))
            session.resume(file, at(50))
        case "fail":
            session.fail(attempt, LOST, at(50))
        case _:
            file = session.files[sending(session, 50, resumable=True).file_id]
    assert file.expires_at == at(50 + CONFIG.upload_expiry).mono


def test_a_pause_does_not_put_off_expiry() -> None:
    session = a_session()
    file, attempt = resumable(session)
    session.pause(attempt, at(50))
    assert file.expires_at == at(CONFIG.upload_expiry).mono


def test_an_upload_that_begins_at_nought_each_time_never_expires() -> None:
    session = a_session()
    attempt = sending(session, 0)
    session.advance(attempt, 1, at(1))
    session.fail(attempt, LOST, at(2))
    assert session.files[attempt.file_id].expires_at is None


def test_the_time_between_a_pause_and_the_next_bytes_does_not_count() -> None:
    session = a_session(Terms(expected=1))
    file, attempt = resumable(session)
    session.pause(attempt, at(2))
    follow(session, file, 600)
    store(session, attempt, 603)
    assert file.spent == 5


# ---- pause and resume ----


def test_a_pause_in_a_lull_makes_of_a_broken_connection_a_rest() -> None:
    session = a_session()
    file, attempt = resumable(session)
    session.rest(attempt, LOST, at(1))
    session.pause(attempt, at(2))
    session.tick(at(600))
    assert names(session.take_news()) == ["progress"]
    assert file.status is Status.PAUSED


def test_a_resume_that_brings_no_bytes_ends_in_a_pause_again() -> None:
    session = a_session()
    file, attempt = resumable(session)
    session.pause(attempt, at(1))
    session.resume(file, at(10))
    session.tick(at(10 + GRACE - 0.125))
    assert file.status is Status.UPLOADING
    session.tick(at(10 + GRACE))
    told = [each.status for each in session.take_news() if isinstance(each, Progress)]
    assert told == ["paused", "uploading", "paused"]


def test_what_does_not_rest_is_not_resumed() -> None:
    session = a_session()
    file, attempt = resumable(session)
    session.resume(file, at(1))
    session.fail(attempt, LOST, at(2))
    session.take_news()
    session.resume(file, at(3))
    assert session.take_news() == []
    assert (file.status, file.lull) == (Status.FAILED, None)


def test_a_rest_is_told_at_once_and_stops_the_bytes() -> None:
    session = a_session()
    attempt = sending(session, 0, resumable=True)
    session.take_news()
    session.pause(attempt, at(1))
    session.pause(attempt, at(1))
    assert not session.advance(attempt, 1, at(2))
    session.resume(session.files[attempt.file_id], at(3))
    session.resume(session.files[attempt.file_id], at(3))
    assert session.advance(attempt, 1, at(4))
    told = [each.status for each in session.take_news() if isinstance(each, Progress)]
    assert told == ["paused", "uploading", "uploading"]


def test_a_file_that_is_being_published_does_not_rest() -> None:
    session = a_session()
    attempt = sending(session, 0, resumable=True)
    session.seal(attempt, intent_for(session.files[attempt.file_id]), at(1))
    session.take_news()
    session.pause(attempt, at(1))
    assert session.take_news() == []
    assert session.files[attempt.file_id].status is Status.UPLOADING


def test_only_resumable_files_rest() -> None:
    session = a_session()
    attempt = sending(session, 0)
    with pytest.raises(Refused, match="NOT_RESUMABLE"):
        session.pause(attempt, at(1))
    with pytest.raises(Refused, match="NOT_RESUMABLE"):
        session.resume(session.files[attempt.file_id], at(1))


# ---- a request that sends nothing ----


def test_a_file_whose_request_sent_nothing_waits_for_another() -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session, resumable=True)
    file.claimed = True
    session.let_go(file, at(1))
    assert (file.claimed, file.status) == (False, Status.PENDING)
    assert session.take_news() == []


def test_a_file_whose_request_sent_nothing_is_cancelled_once_no_more_will_come() -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session, resumable=True)
    file.claimed = True
    session.close(at(1))
    assert not session.settled
    session.let_go(file, at(2))
    cancelled, *rest = session.take_news()
    assert getattr(cancelled, "reason", None) == "session-completed"
    assert names(rest) == ["session-completed", "lastword"]


def test_a_bare_life_of_attempts_cannot_end_a_session() -> None:
    with pytest.raises(NotImplementedError):
        Attempts(SESSION, CATEGORY, CONFIG, Moment(0, 0), Terms()).settle(Moment(0, 0))
