"""How uploads did in the time just gone: speed and success in the last hour, bytes stored in the last day. Pure.

Fed with what is told, and once at start with what the journal holds, so that a restart changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
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


class Rates:
    """`waits`: whether a failed file may still be tried again, by the ids of its session and itself."""

    def __init__(self, waits: Callable[[str, str], bool]) -> None:
        self._waits = waits
        self._stored = Window(HOUR, _STEP, 3)
        self._day = Window(DAY, _COARSE, 2)
        self._failed: dict[str, Ending] = {}
        """By file; the oldest first."""

    def began(self, file_id: str) -> None:
        """Another attempt runs: its last ending says nothing any more."""
        self._failed.pop(file_id, None)

    def ended(self, ending: Ending, *, day: bool = True) -> None:
        """`day`: it is not in the day's sum yet."""
        self._failed.pop(ending.file_id, None)
        if ending.completed:
            self._stored.add(ending.at, 1, ending.size, max(ending.spent, 0.001))
            if day:
                self.stored(ending.at, 1, ending.size)
            return
        self._failed[ending.file_id] = ending
        if len(self._failed) > _MANY:
            del self._failed[next(iter(self._failed))]

    def stored(self, at: float, files: int, size: int) -> None:
        """Files that were stored, for the day's sum only."""
        self._day.add(at, files, size)

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
        files, size, spent = self._stored.over(now)
        return Measured(size / spent if files and size >= least else None, round(files))

    def success(self, now: float) -> Measured:
        """Percent of the files that ended in the last hour; neither cancelled ones nor those that may come yet."""
        while self._failed and (oldest := next(iter(self._failed.values()))).at <= now - HOUR:
            del self._failed[oldest.file_id]
        stored = round(self._stored.over(now)[0])
        failed = sum(not self._waits(each.session_id, each.file_id) for each in self._failed.values())
        both = stored + failed
        return Measured(100 * stored / both if both else None, both)

    def per_day(self, now: float) -> tuple[int, int]:
        """Files and bytes that were stored in the last 24 hours."""
        files, size = self._day.over(now)
        return round(files), round(size)
