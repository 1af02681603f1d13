"""How long to wait before trying again, and when to give up. Knows nothing of what is tried."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from client.faults import GaveUp

_BASE, _CAP = 0.5, 15.0  # seconds
_LONGEST_EXPONENT = 10


@dataclass(frozen=True)
class Timing:
    """Where time and chance come from; tests give others."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class Patience:
    """Waits with a jitter that doubles, and is at its end `limit` seconds after the first failure in a row."""

    def __init__(self, limit: float, timing: Timing) -> None:
        self._limit, self._timing = limit, timing
        self._tries = 0
        self._since: float | None = None

    def renew(self) -> None:
        """It went on: what was before counts no more."""
        self._tries, self._since = 0, None

    async def wait(self, cause: Exception, at_least: float | None = None) -> None:
        """After a failure, before the next try. `at_least`: what the station asked for. Raises GaveUp."""
        now = self._timing.clock()
        self._since = now if self._since is None else self._since
        left = self._since + self._limit - now
        if left <= 0:
            raise GaveUp from cause
        ceiling = min(_CAP, _BASE * 2.0 ** min(self._tries, _LONGEST_EXPONENT))
        self._tries += 1
        chance = self._timing.chance()
        # Full jitter: clients that lost the same station do not come back in step.
        wait = chance * ceiling if at_least is None else at_least + chance * _BASE
        await self._timing.sleep(min(wait, left))
