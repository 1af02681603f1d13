"""What the journal forgets, and when: by age, and when it grows too large. Knows no sessions that are open.

Ages are told by a clock of its own, which a wall clock that is wrong for a while cannot run far ahead; see
docs/decisions/history.md. It deletes in small pieces, each a commit of its own, so that nobody waits for it long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from station import forgetting
from station.archive import newest_time
from station.clock import Clock
from station.config import Config
from station.journal import Journal, JournalFailed

T = TypeVar("T")
PERIOD = 60.0  # seconds between two sweeps
SAMPLES = 86_400.0  # seconds that charts show at most
FASTEST = 30.0  # times as fast as the station's own time our clock may catch up with a wall clock
SANE = 1_735_689_600.0  # 2025: no station ran before, so a clock that shows less has never been set
_KEEP = 3600.0  # our clock is recorded when it has moved on so far
_AHEAD = 86_400.0  # what is dated later than that was dated by a clock that was wrong


class Retention:
    """`root`: the folder that stored files lie in. `begin` before the first sweep."""

    def __init__(self, config: Config, clock: Clock, journal: Journal, root: Path) -> None:
        self._config, self._clock, self._journal, self._root = config, clock, journal, root
        self._looked, self._ours = clock()
        self._kept = 0.0
        self._reached = ""

    async def begin(self) -> None:
        """Go on with the clock as it was left; a journal without one has come as far as its newest entry."""
        kept = await self._journal.read(forgetting.kept_clock)
        self._looked, wall = self._clock()
        self._ours = kept or await self._journal.read(newest_time) or wall
        self._kept = kept or 0.0

    @property
    def now(self) -> float:
        """The time by which ages are told: never later than the wall clock says, if that was ever set."""
        ours, wall = self._move(), self._clock().wall
        return min(ours, wall) if wall >= SANE else ours

    def _move(self) -> float:
        """Our clock nears the wall clock's time no faster than it may, and never goes back."""
        mono, wall = self._clock()
        passed, self._looked = max(0.0, mono - self._looked), mono
        if self._ours < SANE:
            self._ours = max(self._ours, wall)
        self._ours = max(self._ours, min(wall, self._ours + FASTEST * passed))
        return self._ours

    def date(self, wall: float) -> float:
        """When something that happens now happened, for the journal."""
        return wall if wall >= SANE else max(wall, self._move())

    def is_over(self, settled_at: float | None) -> bool:
        """Whether a session that ended then can be read no more, but by the operator."""
        return settled_at is not None and self.now - settled_at >= self._config.session_retention

    async def run(self) -> None:
        while True:
            await asyncio.sleep(PERIOD)
            await self.sweep()

    async def sweep(self) -> None:
        """Forget what is due. What cannot be recorded now, a full disk say, is done at the next sweep."""
        try:
            await self._keep_clock()
            await self._forget_old()
            await self._forget_much()
            await self._forget_taken()
        except JournalFailed:
            return

    async def _keep_clock(self) -> None:
        ours, wall = self._move(), self._clock().wall
        if ours - self._kept >= _KEEP:
            await self._do(lambda connection: forgetting.keep_clock(connection, ours))
            self._kept = ours
        limit = max(ours, wall)
        await self._do(lambda connection: forgetting.redate(connection, limit + _AHEAD, limit))

    async def _forget_old(self) -> None:
        now, config = self.now, self._config
        await self._until_done(lambda connection: forgetting.uploads(connection, now - config.session_retention))
        before = now - config.history_age
        await self._until_done(lambda connection: forgetting.sessions(connection, before))
        await self._until_done(lambda connection: forgetting.leavings(connection, before, now - SAMPLES))

    async def _forget_much(self) -> None:
        """Make the journal small enough again; sessions that anybody may still read are kept all the same."""
        before, limit = self.now - self._config.session_retention, self._config.history_size

        def piece(connection: Connection) -> bool:
            return forgetting.size(connection) <= limit or forgetting.sessions(connection, before)

        await self._until_done(piece)

    async def _forget_taken(self) -> None:
        """Look after some of the old files: one that was deleted, or that another program took away, is forgotten."""
        before, after = self.now - self._config.history_age, self._reached
        found, self._reached = await self._journal.read(lambda journal: forgetting.old_files(journal, before, after))
        # The default executor's threads: a folder on a slow disk holds up nobody who writes.
        gone = await asyncio.to_thread(lambda: [each for each, path in found if _is_gone(self._root, path)])
        if gone:
            await self._do(lambda journal: forgetting.taken(journal, gone))

    async def _until_done(self, piece: Callable[[Connection], bool]) -> None:
        while not await self._do(piece):
            continue

    async def _do(self, change: Callable[[Connection], T]) -> T:
        made: list[T] = []
        await self._journal.change(lambda connection: made.append(change(connection)))
        return made[0]


def _is_gone(root: Path, path: str | None) -> bool:
    """Whether a file is missing from a folder that is there; a disk that is not mounted proves nothing."""
    if path is None:
        return True
    category, _, name = path.removeprefix("/upload/").partition("/")
    folder = root / category
    try:
        return folder.is_dir() and not (folder / name).is_symlink() and not (folder / name).exists()
    except OSError:
        return False
