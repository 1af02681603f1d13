"""Simulated uploads over networks of many tempers, and how far a forecast is off on them.

Shared by the tests and by bench/eta.py. The same name, seed and duration give the same upload on every machine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from itertools import count, islice
from statistics import fmean
from typing import NamedTuple, Protocol

TICKS = 10  # a second
TICK = 1 / TICKS
BASE = 2_000_000  # bytes per second where a profile says 1

Levels = Iterator[float]
Profile = Callable[[random.Random, float], Levels]
"""From chance and the duration in seconds to the throughput of each tick, as a multiple of `BASE`."""


class Forecaster(Protocol):
    def add(self, now: float, count: int) -> None: ...
    def remaining(self, now: float, left: int | None) -> float | None: ...


class Linear:
    """The model to beat: elapsed / fraction done - elapsed."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._done = 0

    def add(self, now: float, count: int) -> None:
        self._done += count

    def remaining(self, now: float, left: int | None) -> float | None:
        if not self._done or left is None:
            return None
        return math.ceil(left * (now - self._started) / self._done - 1e-6)


def noise(chance: random.Random, sigma: float) -> float:
    return chance.lognormvariate(0, sigma)


def constant(chance: random.Random, duration: float) -> Levels:
    while True:
        yield 1.0


def noisy(chance: random.Random, duration: float) -> Levels:
    while True:
        yield noise(chance, 0.4)


def step(chance: random.Random, duration: float, before: float, after: float) -> Levels:
    change = chance.uniform(0.15, 0.6) * duration
    for tick in count():
        yield (before if tick * TICK < change else after) * noise(chance, 0.15)


def step_down(chance: random.Random, duration: float) -> Levels:
    return step(chance, duration, 2, 2 / chance.uniform(2, 6))


def step_up(chance: random.Random, duration: float) -> Levels:
    return step(chance, duration, 2 / chance.uniform(2, 6), 2)


def slow_start(chance: random.Random, duration: float) -> Levels:
    """From a twentieth to full throughput, growing exponentially."""
    ramp = chance.uniform(0.1, 0.4) * duration
    for tick in count():
        yield min(1.0, 0.05 * 20 ** (tick * TICK / ramp)) * noise(chance, 0.15)


def sawtooth(chance: random.Random, duration: float) -> Levels:
    """A congestion window: grows to three times its size, collapses, again."""
    period = chance.uniform(6, 25)
    phase = chance.uniform(0, period)
    for tick in count():
        yield (0.5 + (phase + tick * TICK) % period / period) * noise(chance, 0.1)


def stalls(chance: random.Random, duration: float) -> Levels:
    """Nothing at all for a fifth to half of each period."""
    period = chance.uniform(6, 15)
    silent = chance.uniform(0.2, 0.5) * period
    phase = chance.uniform(silent, period)
    for tick in count():
        yield 0.0 if (phase + tick * TICK) % period < silent else noise(chance, 0.2)


def walk(chance: random.Random, duration: float) -> Levels:
    """A log-normal random walk between a twentieth and twenty times."""
    level = 0.0
    while True:
        level = max(-3.0, min(3.0, level + chance.gauss(0, 0.12) * math.sqrt(TICK)))
        yield math.exp(level) * noise(chance, 0.2)


def waves(chance: random.Random, duration: float) -> Levels:
    """Log-normal too, but drawn back to the middle within some 20 s."""
    level = 0.0
    while True:
        level += -level * TICK / 20 + chance.gauss(0, 0.25) * math.sqrt(TICK)
        yield math.exp(level)


def dropouts(chance: random.Random, duration: float) -> Levels:
    """Wi-Fi at its edge: gone for 1 to 7 s about every 20 s, and of another speed afterwards."""
    level = 1.0
    while True:
        for _ in range(1 + int(chance.expovariate(1 / 20) * TICKS)):
            yield level * noise(chance, 0.3)
        for _ in range(int(chance.uniform(1, 7) * TICKS)):
            yield 0.0
        level = chance.choice([0.4, 0.7, 1.0, 1.0, 1.3])


def shared(chance: random.Random, duration: float) -> Levels:
    """Others come and go on the line, each for 10 to 60 s."""
    level = 1.0
    while True:
        for _ in range(int(chance.uniform(10, 60) * TICKS)):
            yield level * noise(chance, 0.15)
        level = chance.choice([0.25, 0.5, 1.0])


STEADY: tuple[Profile, ...] = (constant, noisy)
CHANGING: tuple[Profile, ...] = (
    step_down,
    step_up,
    slow_start,
    sawtooth,
    stalls,
    walk,
    waves,
    dropouts,
    shared,
)


def upload(profile: Profile, seed: int, duration: float) -> list[int]:
    """The bytes of each tick of an upload that ends, at the latest, after `duration` seconds."""
    chance = random.Random(f"{profile.__name__} {seed} {duration}")
    levels = islice(profile(chance, duration), round(duration * TICKS))
    ticks = [int(level * BASE * TICK) for level in levels]
    while ticks and not ticks[-1]:
        ticks.pop()
    return ticks


class Quality(NamedTuple):
    error: float
    """Mean of |predicted - true| / true."""
    jump: float
    """Mean of how far each prediction is from the one before, counted down, over the true time."""


def quality(start: Callable[[float], Forecaster], ticks: list[int]) -> Quality:
    """Ask a fresh forecast each second of the upload for as long as at least one second is left."""
    forecast = start(0.0)
    left = sum(ticks)
    errors: list[float] = []
    jumps: list[float] = []
    before: float | None = None
    for tick, size in enumerate(ticks, 1):
        left -= size
        if size:
            forecast.add(tick * TICK, size)
        true = (len(ticks) - tick) * TICK
        if tick % TICKS or true < 1:
            continue
        predicted = forecast.remaining(tick * TICK, left)
        if predicted is None:
            continue
        errors.append(abs(predicted - true) / true)
        if before is not None:
            jumps.append(abs(predicted - before + 1) / true)
        before = predicted
    return Quality(fmean(errors), fmean(jumps))


def average(
    start: Callable[[float], Forecaster], profile: Profile, seeds: range, durations: tuple[float, ...]
) -> Quality:
    """The mean quality over all seeds and durations."""
    found = [quality(start, upload(profile, seed, duration)) for seed in seeds for duration in durations]
    return Quality(fmean(q.error for q in found), fmean(q.jump for q in found))
