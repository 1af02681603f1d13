"""A watcher who believes nothing: checks all that a session says, as it says it, against the contract's rules.

Knows the news only, not the session that made it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from station.errors import ERRORS
from station.events import (
    Event,
    LastWord,
    Progress,
    SessionCompleted,
    SessionError,
    UploadCancelled,
    UploadCompleted,
    UploadFailed,
    UploadStarted,
)
from station.picture import Picture
from station.session import News
from station.wire import dumps, loads
from tests.station.core import CATEGORY, EPOCH, SESSION


@dataclass
class Told:
    """One file as the news tell it."""

    attempt: int = 0
    running: bool = False
    estimated: bool = False
    ended: set[int] = field(default_factory=set)
    over: bool = False
    failures: int = 0
    progress: float = 0.0
    uploaded: int = 0


class Ledger:
    """`picture` is the fold of all that was said, by way of the wire."""

    def __init__(self, max_retries: int, language: str, expected: int | None) -> None:
        self.max_retries = max_retries
        self.files: dict[str, Told] = {}
        self.picture = Picture(SESSION, CATEGORY, language, EPOCH, expected)
        self.cancelled_whole = False
        self.settled: SessionCompleted | None = None
        self.last_word: dict[str, Any] | None = None

    def take(self, news: Iterable[News]) -> None:
        for each in news:
            assert self.last_word is None, f"{each} after the last word"
            if isinstance(each, LastWord):
                assert self.settled is not None
                self.last_word = self.picture.progress_of(None, each.timestamp)
            else:
                assert self.settled is None, f"{each} after session-completed"
                self._take(each)
                self._fold(each)

    def _fold(self, each: Event | Progress) -> None:
        if isinstance(each, Event):
            self.picture.fold(each.name, loads(dumps(each.data())), self.picture.seq + 1)
        else:
            self.picture.advance(each)
            check_numbers(self.picture.progress_of(each.file_id, each.timestamp))
        check_numbers(self.picture.snapshot("now"))

    def _take(self, each: Event | Progress) -> None:
        match each:
            case UploadStarted():
                self._started(each)
            case Progress():
                self._progress(each)
            case UploadCompleted():
                self._completed(each)
            case UploadFailed():
                self._failed(each)
            case UploadCancelled(file_id=None):
                assert not self.cancelled_whole, "the session was cancelled twice"
                self.cancelled_whole = True
            case UploadCancelled():
                self._ended(str(each.file_id), each.attempt).over = True
            case SessionCompleted():
                self.settled = each
            case _:
                assert isinstance(each, SessionError)

    def _started(self, each: UploadStarted) -> None:
        told = self.files.setdefault(each.file_id, Told())
        assert not told.over, "started after the end"
        assert not told.running, "started twice"
        assert each.attempt > told.attempt
        told.attempt, told.running, told.estimated = each.attempt, True, bool(each.estimated)
        told.progress, told.uploaded = 0.0, 0

    def _progress(self, each: Progress) -> None:
        told = self.files[each.file_id]
        assert told.running, "progress without an attempt"
        assert told.progress <= each.progress <= 100
        assert told.uploaded <= each.uploaded
        if each.total is None:
            assert each.progress == 0
        else:
            assert each.uploaded <= each.total
            assert (each.progress == 100) == (each.uploaded == each.total and not each.estimated)
        if each.estimated:
            assert each.progress <= 99
        told.progress, told.uploaded = each.progress, each.uploaded

    def _ended(self, file_id: str, attempt: int) -> Told:
        told = self.files.setdefault(file_id, Told())
        assert not told.over, "ended after the end"
        assert attempt not in told.ended, "one attempt ended twice"
        if told.running:
            assert attempt == told.attempt
        else:
            assert attempt > told.attempt
        told.ended.add(attempt)
        told.attempt, told.running = attempt, False
        return told

    def _completed(self, each: UploadCompleted) -> None:
        told = self.files[each.file_id]
        assert told.running, "completed without a start"
        assert told.progress == 100, "completed before 100 %"
        assert told.uploaded == each.file_size
        self._ended(each.file_id, each.attempt).over = True

    def _failed(self, each: UploadFailed) -> None:
        told = self._ended(each.file_id, each.attempt)
        assert each.retry_count == told.failures
        assert each.max_retries == self.max_retries
        assert (each.retry_until is not None) == each.can_retry
        assert not each.can_retry or ERRORS[each.error["code"]].retry
        told.failures += 1
        told.over = not each.can_retry


def check_numbers(value: Any) -> None:
    """No number is ever NaN, infinite or negative (contract, Conventions)."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            check_numbers(each)
    elif isinstance(value, int | float):
        assert math.isfinite(value)
        assert value >= 0
