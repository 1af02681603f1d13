"""Whether the peer of a socket is still there: pings at an interval, and how long their answers take.

Tornado's own follows the wall clock, which a board without a battery steps by years.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tornado.websocket import WebSocketClosedError

from station.clock import Clock


class Heartbeat:
    """`interval`: seconds between two pings. `ping` sends one; `drop` hangs up on who owes an answer at the next."""

    def __init__(self, interval: float, clock: Clock, ping: Callable[[], None], drop: Callable[[], None]) -> None:
        self.round_trip: float | None = None
        """Seconds that the last ping took, on the monotonic clock."""
        self._interval, self._clock, self._ping, self._drop = interval, clock, ping, drop
        self._timer: asyncio.TimerHandle | None = None
        self._pinged_at: float | None = None
        self._is_held = False

    def begin(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._beat)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def hold(self) -> None:
        """For now nothing is read, pongs neither; the follower lets go who does not take what is sent."""
        self._is_held = True

    def go_on(self) -> None:
        self._is_held, self._pinged_at = False, None

    def answered(self) -> float | None:
        """A pong came; returns the seconds that its ping took, if there was one."""
        if self._pinged_at is None:
            return None
        self.round_trip, self._pinged_at = self._clock().mono - self._pinged_at, None
        return self.round_trip

    def _beat(self) -> None:
        if not self._is_held:
            if self._pinged_at is not None:
                self._drop()
                return
            self._pinged_at = self._clock().mono
            try:
                self._ping()
            except (WebSocketClosedError, OSError):
                return
        self.begin()
