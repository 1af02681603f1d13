"""What charts are drawn from: samples of a run, folded into spans of time, and sums over the time just gone. Pure.

Within a run all times are monotonic, so that a wall clock that steps moves a whole chart and tears none apart.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import add
from types import MappingProxyType
from typing import Any, NamedTuple

STEP = 10  # seconds that one sample tells of


class Sample(NamedTuple):
    """The `STEP` seconds from `at` on: bytes a second, and the most of uploads and watchers, and of seconds' delay."""

    at: float
    throughput: float
    uploads: float
    watchers: float
    delay: float


@dataclass(frozen=True, slots=True)
class Span:
    """What a chart shows: so many points, each `step` seconds long."""

    step: int
    count: int


SPANS: Mapping[str, Span] = MappingProxyType({"hour": Span(STEP, 360), "day": Span(300, 288)})


@dataclass
class Fold:
    """Samples as one: the mean of what flows, the most of all else."""

    weight: int = 0
    throughput: float = 0.0
    uploads: float = 0.0
    watchers: float = 0.0
    delay: float = 0.0

    def add(self, sample: Sample, weight: int = 1) -> None:
        """`weight`: of how many samples this one was made already."""
        self.weight += weight
        self.throughput += (sample.throughput - self.throughput) * weight / self.weight
        self.uploads = max(self.uploads, sample.uploads)
        self.watchers = max(self.watchers, sample.watchers)
        self.delay = max(self.delay, sample.delay)

    def sample(self, at: float) -> Sample:
        return Sample(at, self.throughput, self.uploads, self.watchers, self.delay)


class Ring:
    """The samples of this run, as many as a chart of this span has points for."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._slots: deque[tuple[int, Fold]] = deque(maxlen=span.count)

    def add(self, sample: Sample) -> None:
        slot = math.floor(sample.at / self._span.step)
        if not self._slots or self._slots[-1][0] != slot:
            self._slots.append((slot, Fold()))
        self._slots[-1][1].add(sample)

    def weighed(self) -> Iterable[tuple[Sample, int]]:
        return ((fold.sample(slot * self._span.step), fold.weight) for slot, fold in self._slots)


def first_of(span: Span, now: float) -> float:
    """Where a chart begins that ends with the span that now runs. Of one clock, for that clock."""
    return (math.floor(now / span.step) + 1 - span.count) * span.step


def chart(span: Span, first: float, samples: Iterable[tuple[Sample, int]], shown: Callable[[float], float]) -> Any:
    """Lists of equal length; None where nothing was recorded. `shown`: the wall time of a time of the samples'."""
    folds = [Fold() for _ in range(span.count)]
    for sample, weight in samples:
        # The journal's times are whole seconds: a little early is still the slot that begins there.
        slot = math.floor((sample.at - first) / span.step + 0.5 / STEP)
        if 0 <= slot < span.count:
            folds[slot].add(sample, weight)
    points: dict[str, list[float | None]] = {"at": [round(shown(first + n * span.step)) for n in range(span.count)]}
    for name in ("throughput", "uploads", "watchers", "delay"):
        points[name] = [round(getattr(fold, name), 4) if fold.weight else None for fold in folds]
    return points


class Window:
    """What came within the last `span` seconds, to one step: its sums, or with `fold=max` its largest."""

    def __init__(self, span: float, step: float, width: int, fold: Callable[[float, float], float] = add) -> None:
        self._span, self._step, self._fold = span, step, fold
        self._slots: deque[tuple[int, list[float]]] = deque()
        self._none = [0.0] * width

    def add(self, at: float, *values: float) -> None:
        """In any order; quick where it is not far from the newest."""
        slot = math.floor(at / self._step)
        place = len(self._slots)
        while place and self._slots[place - 1][0] > slot:
            place -= 1
        if place and self._slots[place - 1][0] == slot:
            found = self._slots[place - 1][1]
            found[:] = map(self._fold, found, values)
        else:
            self._slots.insert(place, (slot, list(values)))
        self._forget(self._slots[-1][0] * self._step)

    def over(self, now: float) -> list[float]:
        """Each value of the whole window; 0 where nothing came."""
        self._forget(now)
        whole = list(self._none)
        for _, values in self._slots:
            whole[:] = map(self._fold, whole, values)
        return whole

    def _forget(self, now: float) -> None:
        while self._slots and (self._slots[0][0] + 1) * self._step <= now - self._span:
            self._slots.popleft()
