"""Draining a body whose fate is decided: up to a size and a time, so that the client can read the answer.

An answer sent while the client still sends is lost in a reset one time in eight (measured); after draining, or with
the sending side shut and reading going on for a moment, curl and Chromium read it every time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LAST_READ = 5.0  # seconds in which the client may still read the answer after the station has stopped sending


class Linger:
    """Counts from its making. `give_up` is called once, when more than `size` bytes or `time` seconds have passed.

    The time is up also when no byte comes at all: the client may be waiting for the answer.
    """

    def __init__(self, size: int, time: float, give_up: Callable[[], object]) -> None:
        self._left = size
        self._give_up = give_up
        self._over = False
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(time, self._end)

    def drained(self, count: int) -> None:
        """So many bytes more were dropped."""
        self._left -= count
        if self._left < 0:
            self._end()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._timer.cancel()
            self._give_up()

    def close_later(self, close: Callable[[], None]) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(LAST_READ, close)

    def stop(self) -> None:
        self._over = True
        self._timer.cancel()
