"""How uploads did in the time just gone: speed and success in the last hour, bytes stored in the last day. Pure.

Fed with what is told, and with what the journal holds of earlier runs, so that a restart changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from operator import add
from typing import NamedTuple

from station.events import Event, UploadCancelled, UploadCompleted, UploadFailed, UploadStarted
from station.indicators import Measured
from station.series import Window

HOUR, DAY = 3600.0, 86_400.0
_STEP, _COARSE = 10.0, 300.0
_MANY = 20_000  # failed files that are told apart; whoever fails oftener is judged by the newest of them


class Ending(NamedTuple):
    """A file as it stood at its newest ending. `at`: monotonic seconds, before the start of this run perhaps."""

    file_id: str
    session_id: str
    at: float
    completed: bool
    size: int = 0
    spent: float = 0.0


class Stored(NamedTuple):
    """Files that were stored together, for the day's sum. `at`: as of an `Ending`."""

    at: float
    files: int
    size: int


class _Sums:
    """What is known of one part of the time: this run, or all before it."""

    def __init__(self) -> None:
        self.hour, self.day = Window(HOUR, _STEP, 3), Window(DAY, _COARSE, 2)
        self.failed: dict[str, Ending] = {}
        """By file; the oldest first."""

    def add(self, ending: Ending) -> None:
        """For the hour only."""
        if ending.completed:
            self.hour.add(ending.at, 1, ending.size, max(ending.spent, 0.001))
            return
        self.failed[ending.file_id] = ending
        if len(self.failed) > _MANY:
            del self.failed[next(iter(self.failed))]

    def failures(self, now: float) -> Iterable[Ending]:
        while self.failed and (oldest := next(iter(self.failed.values()))).at <= now - HOUR:
            del self.failed[oldest.file_id]
        return self.failed.values()


class Rates:
    """`waits`: whether a failed file may still be tried again, by the ids of its session and itself."""

    def __init__(self, waits: Callable[[str, str], bool]) -> None:
        self._waits = waits
        self._parts = self._own, self._earlier = _Sums(), _Sums()

    def recall(self, endings: Iterable[Ending], stored: Iterable[Stored]) -> None:
        """What earlier runs did, oldest first, in the place of what was known of them."""
        self._earlier = _Sums()
        self._parts = self._own, self._earlier
        for ending in endings:
            self._earlier.add(ending)
        for each in stored:
            self._earlier.day.add(*each)

    def began(self, file_id: str) -> None:
        """Another attempt runs: its last ending says nothing any more."""
        for part in self._parts:
            part.failed.pop(file_id, None)

    def ended(self, ending: Ending) -> None:
        self.began(ending.file_id)
        self._own.add(ending)
        if ending.completed:
            self._own.day.add(ending.at, 1, ending.size)

    def told(self, event: Event, now: float) -> None:
        match event:
            case UploadStarted():
                self.began(event.file_id)
            case UploadCompleted():
                self.ended(Ending(event.file_id, event.session_id, now, True, event.file_size, event.duration))
            case UploadFailed():
                self.ended(Ending(event.file_id, event.session_id, now, False))
            case UploadCancelled() if event.file_id is not None:
                self.began(event.file_id)

    def speed(self, now: float, least: float = 0.0) -> Measured:
        """Bytes a second in the attempts of files that were stored in the last hour, if they have so many bytes."""
        files, size, spent = self._sums(now)
        return Measured(size / spent if files and size >= least else None, round(files))

    def success(self, now: float) -> Measured:
        """Percent of the files that ended in the last hour; neither cancelled ones nor those that may come yet."""
        stored = round(self._sums(now)[0])
        failures = chain.from_iterable(part.failures(now) for part in self._parts)
        failed = sum(not self._waits(each.session_id, each.file_id) for each in failures)
        both = stored + failed
        return Measured(100 * stored / both if both else None, both)

    def _sums(self, now: float) -> list[float]:
        """Of the hour: files that were stored, their bytes, the seconds they took."""
        return list(map(add, *(part.hour.over(now) for part in self._parts)))

    def per_day(self, now: float) -> tuple[int, int]:
        """Files and bytes that were stored in the last 24 hours."""
        files, size = map(add, *(part.day.over(now) for part in self._parts))
        return round(files), round(size)
