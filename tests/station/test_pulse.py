"""What is made of counters that are looked at every other second."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.indicators import Measured
from station.pulse import BEAT, Gauges, Pulse
from station.series import STEP, Sample

START = 5000.0


@dataclass
class World:
    """Counters to turn, and the time."""

    received: int = 0
    reconnects: int = 0
    uploads: int = 0
    watchers: int = 0
    now: float = START
    samples: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        gauges = Gauges(lambda: self.received, lambda: self.reconnects, lambda: self.uploads, lambda: self.watchers)
        self.pulse = Pulse(gauges, self.now, self.samples.append)

    def beat(self, times: int = 1, *, rate: int = 0, seconds: float = BEAT) -> None:
        for _ in range(times):
            self.now += seconds
            self.received += round(rate * seconds)
            self.pulse.beat(self.now)


def test_a_sample_is_the_mean_of_what_came_in_its_ten_seconds_and_the_most_of_all_else() -> None:
    world = World(uploads=4, watchers=10)
    world.beat(2, rate=1000)
    world.pulse.lagged(0.5)
    world.pulse.lagged(0.1)
    world.beat(1, rate=500)
    world.uploads = 2
    world.beat(2, rate=0)
    assert world.samples == []
    world.beat()
    [sample] = world.samples
    assert sample == pytest.approx((START, 500.0, 4, 10, 0.5))


def test_now_is_the_time_since_the_look_before() -> None:
    world = World()
    world.pulse.lagged(0.3)
    world.beat(rate=800)
    assert (world.pulse.throughput, world.pulse.delay) == (800.0, 0.3)
    world.beat()
    assert (world.pulse.throughput, world.pulse.delay) == (0.0, 0.0)


def test_a_look_that_comes_late_tells_of_all_the_time_before_it() -> None:
    world = World()
    world.received = 60_000
    world.beat(seconds=60.0)
    assert world.pulse.throughput == 1000.0
    world.beat(6)
    assert [sample.at for sample in world.samples] == [START + 30, START + 60], "what nobody looked at is a gap"


@given(st.lists(st.tuples(st.floats(0.01, 30), st.integers(0, 10**9)), min_size=1, max_size=80))
def test_samples_lie_on_the_grid_in_order_and_once_each(looks: list[tuple[float, int]]) -> None:
    world = World()
    for seconds, rate in looks:
        world.beat(rate=rate, seconds=seconds)
    times = [sample.at for sample in world.samples]
    assert times == sorted(set(times))
    assert all(at % STEP == 0 for at in times)
    highest = max(rate for _, rate in looks)
    assert all(0 <= sample.throughput <= highest + 100 for sample in world.samples)


def test_a_clock_that_stands_still_divides_by_nothing() -> None:
    world = World(received=5)
    world.beat(seconds=0.0)
    assert world.pulse.throughput == 0.0


def test_reconnects_are_told_for_each_of_those_who_watched_at_once() -> None:
    world = World()
    assert world.pulse.reconnects(world.now) == Measured()
    world.watchers = 4
    world.beat()
    world.watchers = 1
    world.reconnects = 6
    world.beat()
    assert world.pulse.reconnects(world.now) == Measured(1.5, 4)
    world.beat(3590 // 2)
    assert world.pulse.reconnects(world.now) == Measured(1.5, 4)
    world.beat(10)
    assert world.pulse.reconnects(world.now) == Measured(0.0, 1), "an hour ago is over"


def test_nobody_who_watches_reconnects_not_at_all() -> None:
    world = World(watchers=3)
    world.beat()
    assert world.pulse.reconnects(world.now) == Measured(0.0, 3)
