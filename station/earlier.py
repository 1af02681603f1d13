"""What earlier runs did in the last hour and day, by the journal: read at start, and again when the wall clock was set.

A box without a clock of its own starts with a wrong time and is told the right one later: only then the journal's times
say what is an hour ago. Knows nothing of what is made of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import partial

from station import census
from station.census import Within
from station.clock import Clock, Moment
from station.journal import Journal
from station.rates import DAY, HOUR, Ending, Stored

_AHEAD = 60.0  # seconds by which a wall clock may have been set back, or run off
_MOST = 20_000  # files of the last hour that are read
_STEP = 300  # seconds of which the day's files are read as one
_INSTANT = 0.001  # seconds
_SETTINGS = 50  # of the clock that are remembered; one that is set oftener cannot be made sense of


class Earlier:
    """`begin` before anything of this run is to be told apart from it."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal, self._clock = journal, clock
        self._since = self._looked = clock()
        """Since when the wall clock has gone as it does; the newest look at it."""
        self._own: deque[tuple[float, float]] = deque(maxlen=_SETTINGS)
        """Wall times, as they were told then, at which this run wrote: what is dated so was not before it."""
        self._dated = 0.0
        """How the journal dates what happens since then: a wall clock that was never set says nothing to it."""

    async def begin(self) -> tuple[Iterable[Ending], Iterable[Stored]]:
        self._goes_since(self._clock())
        self._looked = self._since
        return await self._read()

    async def anew(self) -> tuple[Iterable[Ending], Iterable[Stored]] | None:
        """Read again if the clock was set since the last look; None: it was not."""
        now, since, looked = self._clock(), self._since, self._looked
        self._looked = now
        if abs((now.wall - now.mono) - (since.wall - since.mono)) <= _AHEAD:
            return None
        stood = self._dated != since.wall
        own = (self._dated - _INSTANT, self._dated) if stood else (since.wall, since.wall + now.mono - since.mono)
        self._own.append(own)
        self._goes_since(Moment(looked.mono, now.wall - (now.mono - looked.mono)))
        return await self._read()

    def _goes_since(self, moment: Moment) -> None:
        self._since, self._dated = moment, self._journal.date(moment.wall)

    async def _read(self) -> tuple[Iterable[Ending], Iterable[Stored]]:
        moment = self._clock()
        shift, upto = moment.mono - moment.wall, moment.wall + _AHEAD
        own = [*self._own, (self._since.wall, moment.wall)]
        of_hour, of_day = (Within(moment.wall - span, upto, own) for span in (HOUR, DAY))
        hour = await self._journal.read(partial(census.endings, time=of_hour, limit=_MOST))
        day = await self._journal.read(partial(census.by_time, time=of_day, step=_STEP))

        def at(wall: float) -> float:
            return min(moment.mono, wall + shift)

        return (
            [
                Ending(id, session, at(wall), how == "completed", size, spent)
                for id, session, wall, how, size, spent in hour
            ],
            [Stored(at(wall), files, size) for wall, files, size in day],
        )
