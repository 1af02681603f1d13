"""How far an upload is: percentage, when to tell it, how fast it goes and how long it still takes.

Pure numbers: knows nothing of files, sessions, events or clocks. Each `now` is monotonic seconds, never going back.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

FULL = 100.0
ESTIMATE_CEILING = 99.0
SHORTEST_SPAN = 1e-3  # seconds; the speed of a few bytes over less than this would be astronomic
LONGEST_SILENCE = 15.0  # seconds; silence beyond this is a pause and tells nothing about the network
LOOK = 0.35  # seconds; the station looks for what was held back every quarter of a second, and sometimes a little later
ROUNDING = 1e-6  # seconds; ten times 0.1 s is 1 s, not the 2 s that ceil makes of binary fractions


def percent(done: int, total: int | None, *, exact: bool) -> float:
    """Progress from 0 to 100, floored to two decimals, so that 100 means that every byte is there.

    `total` None is unknown: 0. Not `exact`: `total` is only an upper bound, and progress stops at 99.
    """
    if total is None:
        return 0.0
    ceiling = FULL if exact else ESTIMATE_CEILING
    if total <= 0:
        return ceiling
    return min(max(done, 0) * 10_000 // total / 100, ceiling)


def rate(count: float, seconds: float) -> float:
    """Bytes per second; 0 where no time has passed."""
    return count / max(seconds, SHORTEST_SPAN) if seconds > 0 else 0.0


class Throttle:
    """Which progress messages of one attempt go out (contract rule 7).

    `interval` and `max_silence` are seconds, `step` percentage points. After 100 nothing is due any more.
    """

    def __init__(self, interval: float, step: float, max_silence: float) -> None:
        self._interval, self._step, self._max_silence = interval, step, max_silence
        self._told_at: float | None = None
        self._told: float | None = None
        self._held_back = False

    def due(self, now: float, progress: float | None, look: float = 0.0) -> bool:
        """Whether a message goes out now; if so it counts as sent. `progress` None: the total is unknown.

        `look`: seconds until the next look, after which the silence would be too long.
        """
        if self._told is not None and self._told >= FULL:
            return False
        if not self._is_due(now, progress, look):
            self._held_back = True
            return False
        self._told_at, self._told, self._held_back = now, progress, False
        return True

    def stale(self, now: float, look: float = 0.0) -> bool:
        """Whether a message was held back and by the next look nobody was told anything for `max_silence`."""
        return self._held_back and self._told_at is not None and now - self._told_at >= self._patience(look)

    def _patience(self, look: float) -> float:
        """Seconds of silence after which a message goes out whatever it says; `interval` holds nevertheless."""
        return max(self._max_silence - look, min(self._interval, self._max_silence))

    def _is_due(self, now: float, progress: float | None, look: float) -> bool:
        if self._told_at is None or (progress is not None and progress >= FULL):
            return True
        silence = now - self._told_at
        if silence >= self._patience(look):
            return True
        if silence < self._interval:
            return False
        if progress is None or self._told is None:  # a step cannot be judged: the interval alone decides
            return True
        return progress - self._told >= self._step - 1e-9  # 0.14 + 1 is more than 1.14 in binary


@dataclass(slots=True)
class Slice:
    """What arrived within one short slice of time: when the first and the last bytes came, and how many."""

    first: float
    last: float
    count: int


class Speed:
    """Moving average in bytes per second, over four gaps between arrivals, but at least 3 and at most 15 s.

    Arrivals within a quarter of a second count as one: that bounds memory, and the time that `add` takes.
    """

    SLICE = 0.25
    SHORTEST_WINDOW, GAPS = 3.0, 4
    HEAD = 0.01  # seconds after the start: bytes that come at once took their time before it

    def __init__(self, started: float) -> None:
        self._started = started
        self._head = 0
        self._slices = deque([Slice(started, started, 0)], maxlen=int(self.SHORTEST_WINDOW / self.SLICE) + self.GAPS)

    def add(self, now: float, count: int) -> None:
        """`count` more bytes arrived."""
        newest = self._slices[-1]
        if now - self._started < self.HEAD:
            self._head += count
            newest.last = now
        elif newest.count and now - newest.first < self.SLICE:
            newest.count += count
            newest.last = now
        else:
            self._slices.append(Slice(now, now, count))

    def at(self, now: float) -> float:
        """The speed now; sinks to 0 while nothing arrives."""
        if len(self._slices) == 1:
            return rate(self._head, now - self._started) if now - self._started < LONGEST_SILENCE else 0.0
        gap, window = self._pace()
        count, since = 0, now
        for arrived in reversed(self._slices):
            since = max(arrived.last, now - window - gap)
            if arrived.last <= now - window:
                break
            count += arrived.count
        until = max(self._slices[-1].last, now - gap)  # the usual wait for the next bytes is no slowing down
        return rate(count, until - since)

    def _pace(self) -> tuple[float, float]:
        """The usual gap between arrivals and the window that suits it, seconds."""
        if len(self._slices) == 2:  # one arrival: there is no gap to judge by
            return 0.0, LONGEST_SILENCE
        latest = list(self._slices)[-self.GAPS - 1 :]
        gap = min((latest[-1].last - latest[0].last) / (len(latest) - 1), LONGEST_SILENCE)
        return gap, min(max(self.GAPS * gap, self.SHORTEST_WINDOW), LONGEST_SILENCE)


def nearer(mean: float, new: float, share: float) -> float:
    """An exponential average moved on by a time that is `share` of its memory."""
    return new + (mean - new) * math.exp(-share)


class Doubt:
    """How fast history is to be forgotten, told by how much each new step of throughput surprises.

    A trend is Trigg and Leach's tracking signal: surprises that cancel out are noise, but when nearly all point one
    way the line keeps changing. A break is a short run of surprises that is far beyond the usual run.
    """

    MEMORY = 5.0  # seconds over which surprises are compared, at least: else all the time gone by
    CERTAINTY = 0.65  # the tracking signal, from 0 to 1, below which there is no trend
    TRIFLE = 0.003  # a lasting surprise of this size counts half
    TREND = 2.0  # seconds in which a certain trend makes history fade to 1/e
    RUN = 2.0  # seconds
    BEYOND, FLOOR = 5.0, 0.05  # a run of more than so many usual ones, plus the floor, is a break
    BREAK = 1.0  # seconds in which a certain break makes history fade to 1/e

    def __init__(self) -> None:
        self._elapsed = self._drift = self._wavering = self._run = self._usual_run = 0.0

    def weigh(self, usual: float, new: float, span: float) -> float:
        """The share of history to forget per second, after `span` seconds at speed `new` instead of `usual`."""
        surprise = (new - usual) / (new + usual) if new + usual else 0.0  # half weighs as much as double
        self._elapsed += span
        share = span / max(self.MEMORY, self._elapsed)
        self._drift = nearer(self._drift, surprise, share)
        self._wavering = nearer(self._wavering, abs(surprise), share)
        signal = abs(self._drift) / (self._wavering + self.TRIFLE)
        trend = max(0.0, (signal - self.CERTAINTY) / (1 - self.CERTAINTY)) ** 2
        self._run = nearer(self._run, surprise, span / self.RUN)
        excess = abs(self._run) / (self.BEYOND * self._usual_run + self.FLOOR) - 1
        self._usual_run = nearer(self._usual_run, abs(self._run), share)
        # A stall is no break: it says nothing about the speed after it.
        return max(trend / self.TREND, min(excess, 1.0) / self.BREAK if new else 0.0)


class Forecast:
    """The time an upload still takes, by the average throughput of as much of its history as still holds.

    While throughput only wavers, all of history counts: nothing foretells a noisy, sawing or stalling line better.
    bench/eta.py measures how well that does; the figures of `Doubt` did best on its networks with other seeds.
    """

    STEP = 0.5  # seconds

    def __init__(self, started: float) -> None:
        self._looked = self._arrived = started
        self._bytes = self._seconds = 0.0
        self._pending = 0
        self._doubt = Doubt()

    def add(self, now: float, count: int) -> None:
        """`count` more bytes arrived (not those that a resumed upload begins with)."""
        if count <= 0:
            return
        self._look_back(now)
        self._pending += count
        self._arrived = now

    def remaining(self, now: float, left: int | None) -> int | None:
        """Whole seconds until `left` more bytes are here.

        None where that cannot be known: `left` is not, nothing has come yet, or nothing for `LONGEST_SILENCE`.
        """
        if left is None or left <= 0:
            return None if left is None else 0
        speed = rate(self._bytes + self._pending, self._seconds + now - self._looked)
        if speed <= 0 or now - self._arrived >= LONGEST_SILENCE:
            return None
        return max(1, math.ceil(left / speed - ROUNDING))

    def _look_back(self, now: float) -> None:
        """Take in the time up to now, step by step."""
        self._looked = max(self._looked, now - LONGEST_SILENCE)
        for _ in range(int((now - self._looked) / self.STEP)):
            if self._seconds:
                usual, new = self._bytes / self._seconds, self._pending / self.STEP
                fade = math.exp(-self.STEP * self._doubt.weigh(usual, new, self.STEP))
                self._bytes, self._seconds = self._bytes * fade, self._seconds * fade
            self._bytes += self._pending
            self._seconds += self.STEP
            self._looked += self.STEP
            self._pending = 0
