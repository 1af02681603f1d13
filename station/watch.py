"""What happens because time passes: stalled bodies, settling and expiry, commits that are due again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, MutableMapping

from station.channel import Channel
from station.clock import Clock
from station.errors import Problem
from station.shelf import Shelf
from station.stall import BodyPace
from station.turns import Turns

TICK = 0.25  # seconds
COST, MOST = 10, 10_000
"""A session costs a round as much as that many files; a round looks at no more (about 20 ms, measured).

So fifty sessions in which a thousand files each are under way are looked at every 1.25 s.
"""
_LAG = 1.0  # a tick later than this was the station's own standstill (a stopped process, a sleeping machine)


class Watch:
    """`bodies`: request bodies that are coming in, and how to interrupt each with a problem."""

    def __init__(
        self,
        clock: Clock,
        channels: Callable[[], Iterable[Channel]],
        shelf: Shelf,
    ) -> None:
        self.bodies: MutableMapping[BodyPace, Callable[[Problem], None]] = {}
        self.on_lag: list[Callable[[float], None]] = []
        """Hear at each tick by how many seconds it came late: what everybody else waits, too."""
        self._clock = clock
        self._channels = channels
        self._shelf = shelf
        self._last = clock().mono
        self._turns = Turns(MOST)

    async def run(self) -> None:
        while True:
            # Not PeriodicCallback: it follows the wall clock, which a board without a battery steps by years.
            await asyncio.sleep(TICK)
            self.tick()

    def interrupt_all(self, problem: Problem) -> None:
        for pace, interrupt in tuple(self.bodies.items()):
            self.bodies.pop(pace, None)
            interrupt(problem)

    def tick(self) -> None:
        now = self._clock().mono
        lag, self._last = now - self._last - TICK, now
        for hear in self.on_lag:
            hear(max(0.0, lag))
        if lag > _LAG:
            for pace in self.bodies:
                pace.forgive(lag)
        for pace, interrupt in tuple(self.bodies.items()):
            if pace.is_stalled(now):
                self.bodies.pop(pace, None)
                interrupt(Problem("REQUEST_TIMEOUT"))
        for channel in self._turns.of(tuple(self._channels()), lambda channel: _cost(channel, now)):
            channel.tick()
        self._shelf.tick()


def _cost(channel: Channel, now: float) -> int:
    return COST + len(channel.session.files) if channel.due <= now else 0
