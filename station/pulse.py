"""What happens right now: looked at every other second, kept as samples for the charts. Pure: it is told the time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from station.indicators import Measured
from station.series import STEP, Fold, Sample, Window

BEAT = 2.0  # seconds between two looks
_HOUR = 3600.0


@dataclass(frozen=True)
class Gauges:
    """What is looked at. The first two count up: bytes that came, and joins that gave a position beyond 0."""

    received: Callable[[], int]
    reconnects: Callable[[], int]
    uploads: Callable[[], int]
    watchers: Callable[[], int]


class Pulse:
    """`on_sample` gets each sample when it is complete; its time is monotonic, and a whole number of steps."""

    def __init__(self, gauges: Gauges, now: float, on_sample: Callable[[Sample], None]) -> None:
        self._gauges, self._on_sample = gauges, on_sample
        self.throughput = 0.0
        """Bytes a second between the last two looks."""
        self.delay = 0.0
        """Seconds: the event loop's longest delay between the last two looks."""
        self.uploads = 0
        self._worst = 0.0
        self._looked, self._received, self._joined = now, gauges.received(), gauges.reconnects()
        self._slot, self._fold = math.floor(now / STEP), Fold()
        self._reconnects = Window(_HOUR, STEP, 1)
        self._crowd = Window(_HOUR, STEP, 1, max)

    def lagged(self, seconds: float) -> None:
        """The event loop came so late."""
        self._worst = max(self._worst, seconds)

    def beat(self, now: float) -> None:
        passed = now - self._looked
        if passed <= 0:
            return
        received, joined = self._gauges.received(), self._gauges.reconnects()
        watchers = self._gauges.watchers()
        self.uploads = self._gauges.uploads()
        self.throughput = (received - self._received) / passed
        self.delay, self._worst = self._worst, 0.0
        self._reconnects.add(now, joined - self._joined)
        self._crowd.add(now, watchers)
        self._looked, self._received, self._joined = now, received, joined
        # A look tells of the time before it, so it belongs to the slot in which that time began.
        slot = math.floor((now - passed / 2) / STEP)
        if slot != self._slot:
            self._complete(slot)
        self._fold.add(Sample(now, self.throughput, self.uploads, watchers, self.delay))

    def _complete(self, slot: int) -> None:
        if self._fold.weight:
            self._on_sample(self._fold.sample(self._slot * STEP))
        self._slot, self._fold = slot, Fold()

    def reconnects(self, now: float) -> Measured:
        """Such joins within the last hour, for each of those who watched at once; of how many."""
        [most] = self._crowd.over(now)
        [joins] = self._reconnects.over(now)
        known = most or joins
        return Measured(joins / max(1.0, most) if known else None, round(max(1.0, most) if known else 0))
