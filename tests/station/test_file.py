"""One file's life, held against the table of transitions as one would draw it."""

from __future__ import annotations

from itertools import product

import pytest

from station.errors import Problem
from station.file import TRANSITIONS, Attempt, File, IllegalMove, Intent, Lull, Pace, Status
from station.progress import Forecast, Speed, Throttle

# For each state, what each verb makes of it. A verb that is missing is not allowed.
DRAWN = {
    "pending": {"start": "uploading", "refuse": "failed", "cancel": "cancelled"},
    "uploading": {
        "advance": "uploading",
        "pause": "paused",
        "complete": "completed",
        "fail": "failed",
        "cancel": "cancelled",
    },
    "paused": {"resume": "uploading", "fail": "failed", "cancel": "cancelled"},
    "failed": {"start": "uploading", "refuse": "failed", "cancel": "cancelled"},
    "completed": {},
    "cancelled": {},
}
INTENT = Intent("part", "stored", None)
LULL = Lull(Problem("NETWORK_ERROR"), 3.0)


def pace() -> Pace:
    return Pace(Throttle(0.5, 1, 2), Speed(0), Forecast(0))


def begun(
    file: File, now: float = 0.0, size: int | None = 100, *, estimated: bool = False, resumed_from: int = 0
) -> Attempt:
    return file.begin(size, estimated=estimated, pace=pace(), now=now, resumed_from=resumed_from)


def kept(file: File, *names: str) -> list[object]:
    return [getattr(file, name) for name in names]


@pytest.mark.parametrize(("status", "verb"), [*product(Status, TRANSITIONS)])
def test_a_move_leads_where_the_table_says_or_is_illegal(status: Status, verb: str) -> None:
    file, target = File("f", "a.jpg", status=status), DRAWN[status].get(verb)
    if target is not None:
        file.move(verb)
        assert file.status == target
    else:
        with pytest.raises(IllegalMove):
            file.move(verb)
        assert file.status is status


def test_states_are_those_of_the_contract() -> None:
    assert list(Status) == ["pending", "uploading", "paused", "completed", "failed", "cancelled"]


def test_each_try_has_a_token_of_its_own() -> None:
    file = File("f", "a.jpg")
    assert begun(file) == file.token == Attempt("f", 1)
    assert file.end("fail", 1) == 1
    assert begun(file) == Attempt("f", 2)


def test_an_ending_without_a_start_is_an_attempt_of_its_own() -> None:
    file = File("f", "a.jpg")
    assert file.end("refuse", 0) == 1
    assert file.end("refuse", 0) == 2
    assert begun(file) == Attempt("f", 3)
    assert file.end("fail", 0) == 3
    assert file.end("cancel", 0) == 4


def test_bytes_of_earlier_attempts_stay_in_the_sums() -> None:
    file = File("f", "a.jpg")
    begun(file)
    file.received = 60
    file.end("fail", 1)
    assert (file.received, file.received_total) == (60, 60)
    begun(file)
    file.received = 30
    assert file.received_total == 90


def test_time_counts_in_attempts_only() -> None:
    file = File("f", "a.jpg")
    begun(file, 10)
    file.end("fail", 12.5)
    begun(file, 100)
    file.end("complete", 101)
    assert file.spent == 3.5


def test_a_clock_that_stands_still_or_goes_back_takes_no_time_away() -> None:
    file = File("f", "a.jpg")
    begun(file, 10)
    file.end("complete", 9)
    assert file.spent == 0


def test_a_new_attempt_starts_clean() -> None:
    file = File("f", "a.jpg")
    begun(file, 0)
    file.end("fail", 1)
    file.can_retry, file.retry_until, file.claimed, file.intent, file.lull = True, 31.0, True, INTENT, LULL
    begun(file, 2, 200, estimated=True)
    assert (file.size, file.estimated, file.received) == (200, True, 0)
    assert kept(file, "can_retry", "retry_until", "claimed", "intent", "lull") == [False, None, False, None, None]


def test_an_ending_leaves_nothing_of_the_attempt() -> None:
    file = File("f", "a.jpg")
    begun(file)
    file.intent, file.lull, file.claimed = INTENT, LULL, True
    assert file.sealed
    file.end("complete", 1)
    assert kept(file, "intent", "pace", "started_at", "lull") == [None] * 4
    assert not file.claimed


def test_an_ending_leaves_the_upload_and_when_it_expires() -> None:
    file = File("f", "a.jpg", upload="u", expires_at=100.0)
    begun(file)
    file.end("fail", 1)
    assert kept(file, "upload", "expires_at") == ["u", 100.0]


# ---- resumable files ----


def test_a_file_with_an_upload_can_be_resumed() -> None:
    assert File("f", "a.jpg", upload="u").resumable
    assert not File("f", "a.jpg").resumable


def test_an_attempt_begins_with_the_bytes_that_are_here_and_they_count_once() -> None:
    file = File("f", "a.jpg", upload="u")
    begun(file)
    file.received = 60
    file.end("fail", 1)
    begun(file, resumed_from=60)
    assert (file.received, file.received_total) == (60, 60)
    file.received += 40
    assert file.received_total == 100


def test_bytes_that_came_and_were_lost_count_nevertheless() -> None:
    file = File("f", "a.jpg", upload="u")
    begun(file)
    file.received = 60
    file.end("fail", 1)
    begun(file, resumed_from=50)
    assert (file.received, file.received_total) == (50, 60)


def test_bytes_that_were_safe_before_an_attempt_began_count_too() -> None:
    file = File("f", "a.jpg", upload="u")
    begun(file, resumed_from=10)
    assert (file.received, file.received_before, file.received_total) == (10, 0, 10)


def test_a_rest_stops_the_clock_but_not_the_attempt() -> None:
    file = File("f", "a.jpg", upload="u")
    attempt = begun(file, 10)
    file.lull = LULL
    file.rest(12)
    assert kept(file, "status", "lull", "token") == ["paused", None, attempt]
    assert file.carry_on(pace(), 50)
    assert kept(file, "status", "token") == ["uploading", attempt]
    assert file.end("complete", 53) == attempt.number
    assert file.spent == 5


@pytest.mark.parametrize("verb", ["fail", "cancel"])
def test_the_wait_of_a_paused_file_that_ends_does_not_count(verb: str) -> None:
    file = File("f", "a.jpg", upload="u")
    begun(file, 10)
    file.rest(12)
    assert file.end(verb, 500) == 1, "the attempt that was paused"
    assert (file.spent, file.started_at) == (2, None)


def test_a_break_does_not_stop_the_clock_and_keeps_the_pace() -> None:
    file = File("f", "a.jpg", upload="u")
    begun(file, 10)
    before, file.lull, file.claimed = file.pace, LULL, True
    assert not file.carry_on(pace(), 12)
    assert file.pace is before
    assert kept(file, "lull", "claimed") == [None, False]
    file.end("complete", 13)
    assert file.spent == 3


def test_after_a_pause_or_a_restart_the_pace_is_a_new_one() -> None:
    file = File("f", "a.jpg", upload="u")
    begun(file, 10)
    file.pace = None  # no journal keeps it
    restarted, resumed = pace(), pace()
    assert not file.carry_on(restarted, 12)
    assert kept(file, "pace") == [restarted]
    file.rest(13)
    assert file.carry_on(resumed, 14)
    assert kept(file, "pace") == [resumed]


@pytest.mark.parametrize("now", [30.0, 10.0**6])
def test_a_failed_resumable_file_waits_for_whoever_comes_back(now: float) -> None:
    file = File("f", "a.jpg", upload="u", status=Status.FAILED, can_retry=True, retry_until=30.0)
    assert file.waits_for_retry(now)
    assert not file.is_final(now)
    file.can_retry = False
    assert file.is_final(now)


@pytest.mark.parametrize(
    ("can_retry", "until", "now", "waits"),
    [(True, 30.0, 29.9, True), (True, 30.0, 30.0, False), (False, None, 0.0, False), (True, None, 0.0, False)],
)
def test_a_failed_file_waits_until_its_grace_is_over(
    can_retry: bool, until: float | None, now: float, waits: bool
) -> None:
    file = File("f", "a.jpg", status=Status.FAILED, can_retry=can_retry, retry_until=until)
    assert file.waits_for_retry(now) == waits
    assert file.is_final(now) != waits


def test_a_failed_file_that_a_request_is_about_to_send_is_not_final() -> None:
    file = File("f", "a.jpg", status=Status.FAILED, can_retry=True, retry_until=30.0, claimed=True)
    assert not file.is_final(31)
    file.claimed = False
    assert file.is_final(31)


@pytest.mark.parametrize("status", Status)
def test_what_is_final_and_what_is_in_flight(status: Status) -> None:
    file = File("f", "a.jpg", status=status)
    assert file.is_final(0) == (status in {Status.COMPLETED, Status.CANCELLED, Status.FAILED})
    assert file.in_flight == (status in {Status.UPLOADING, Status.PAUSED})


@pytest.mark.parametrize(
    ("size", "estimated", "known"), [(100, False, 100), (100, True, 7), (None, False, 7), (0, False, 0)]
)
def test_an_upper_bound_is_no_size(size: int | None, estimated: bool, known: int) -> None:
    assert File("f", "a.jpg", size, estimated, received=7).known_size == known
