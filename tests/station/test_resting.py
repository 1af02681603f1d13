"""Rests between requests: what happens to the file, what is told, and when a lull has lasted too long."""

from __future__ import annotations

import pytest

from station import resting
from station.errors import Problem, Refused
from station.events import Progress
from station.file import File, IllegalMove, Lull, Pace, Status
from station.resting import GRACE
from tests.station.core import CONFIG, at, config

LOST = Problem("NETWORK_ERROR")


def running(received: int = 30, size: int | None = 100, *, upload: str | None = "u") -> File:
    """A file whose attempt runs since `at(0)`."""
    file = File("f", "a.jpg", upload=upload)
    file.begin(size, estimated=False, pace=Pace.at_start(CONFIG, at(0).mono), now=at(0).mono)
    file.received = received
    return file


def paused(received: int = 30) -> File:
    file = running(received)
    resting.pause(file, at(1))
    return file


def test_a_break_is_forgiven_for_three_seconds() -> None:
    assert GRACE == 3


# ---- lulls ----


@pytest.mark.parametrize("problem", [None, LOST])
def test_a_lull_is_over_after_the_grace_and_says_what_was_wrong(problem: Problem | None) -> None:
    file = running()
    resting.lull(file, problem, at(5).mono)
    assert file.lull == Lull(problem, at(5 + GRACE).mono)
    assert resting.over([file], at(5 + GRACE - 0.125).mono) == []
    assert resting.over([file], at(5 + GRACE).mono) == [(file, problem)]
    assert file.status is Status.UPLOADING, "who asks decides what becomes of it"


def test_only_those_whose_lull_is_over_are_found() -> None:
    busy, early, late, rested = running(), running(), running(), paused()
    resting.lull(early, LOST, at(1).mono)
    resting.lull(late, None, at(2).mono)
    assert resting.over([busy, early, late, rested], at(1 + GRACE).mono) == [(early, LOST)]
    assert resting.over([late, busy, early], at(2 + GRACE).mono) == [(late, None), (early, LOST)], "in their order"


def test_the_end_of_another_request_begins_another_lull() -> None:
    file = running()
    resting.lull(file, LOST, at(1).mono)
    resting.lull(file, None, at(2).mono)
    assert resting.over([file], at(1 + GRACE).mono) == []
    assert resting.over([file], at(2 + GRACE).mono) == [(file, None)]


# ---- expiry ----


@pytest.mark.parametrize("expiry", [60.0, 86_400.0])
def test_an_unfinished_upload_expires_some_time_after_something_was_done_for_it(expiry: float) -> None:
    file = running()
    resting.renew(file, config(upload_expiry=expiry), at(7).mono)
    assert file.expires_at == at(7 + expiry).mono


def test_what_cannot_be_resumed_does_not_expire() -> None:
    file = running(upload=None)
    resting.renew(file, CONFIG, at(7).mono)
    assert file.expires_at is None


# ---- going on ----


def test_going_on_in_a_lull_ends_it_and_says_nothing() -> None:
    file = running()
    pace = file.pace
    resting.lull(file, LOST, at(1).mono)
    assert resting.carry_on(file, 30, None, CONFIG, at(2)) is None
    assert (file.lull, file.status, file.size) == (None, Status.UPLOADING, 100)
    assert file.pace is pace, "its speed is still known"
    assert file.expires_at == at(2 + CONFIG.upload_expiry).mono


def test_going_on_after_a_pause_is_told() -> None:
    file = paused()
    told = resting.carry_on(file, 30, None, CONFIG, at(60))
    assert isinstance(told, Progress)
    assert (told.status, told.uploaded, told.speed) == ("uploading", 30, 0)
    assert file.expires_at == at(60 + CONFIG.upload_expiry).mono


@pytest.mark.parametrize(("offset", "received"), [(30, 30), (50, 50), (0, 30)])
def test_bytes_that_are_safe_are_counted_but_never_less_than_was_told(offset: int, received: int) -> None:
    file = running(30)
    resting.carry_on(file, offset, None, CONFIG, at(2))
    assert file.received == received


def test_a_length_that_is_told_late_is_no_estimate() -> None:
    file = running(size=None)
    file.estimated = True
    resting.carry_on(file, 30, 0, CONFIG, at(2))
    assert (file.size, file.estimated) == (0, False)


# ---- pause and resume ----


def test_a_pause_is_told_with_what_is_here() -> None:
    file = running()
    resting.lull(file, LOST, at(1).mono)
    told = resting.pause(file, at(2))
    assert (told.status, told.uploaded, told.total, told.progress) == ("paused", 30, 100, 30.0)
    assert (told.speed, told.remaining, told.timestamp) == (0, None, at(2).stamp)
    assert (file.lull, file.spent) == (None, 2)


def test_a_resume_is_told_and_waits_for_bytes_no_longer_than_a_lull() -> None:
    file = paused()
    told = resting.resume(file, CONFIG, at(60))
    assert told is not None
    assert (told.status, told.uploaded) == ("uploading", 30)
    assert file.lull == Lull(None, at(60 + GRACE).mono)
    assert file.expires_at == at(60 + CONFIG.upload_expiry).mono


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PAUSED])
def test_what_does_not_rest_is_not_resumed(status: Status) -> None:
    file = File("f", "a.jpg", upload="u", status=status)
    assert resting.resume(file, CONFIG, at(1)) is None
    assert file == File("f", "a.jpg", upload="u", status=status)


@pytest.mark.parametrize("status", Status)
def test_what_begins_at_nought_each_time_neither_rests_nor_is_resumed(status: Status) -> None:
    file = File("f", "a.jpg", status=status)
    with pytest.raises(Refused, match="NOT_RESUMABLE"):
        resting.pause(file, at(1))
    with pytest.raises(Refused, match="NOT_RESUMABLE"):
        resting.resume(file, CONFIG, at(1))
    assert file == File("f", "a.jpg", status=status)


def test_what_rests_already_is_not_to_be_paused() -> None:
    file = paused()
    with pytest.raises(IllegalMove):
        resting.pause(file, at(2))
