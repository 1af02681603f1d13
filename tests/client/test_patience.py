"""How long is waited, and when it is enough; with a clock that only moves by waiting."""

from __future__ import annotations

import asyncio

import pytest

from client.faults import Broken, GaveUp
from client.patience import Patience, Timing


class Time:
    def __init__(self, chance: float = 1.0) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self.timing = Timing(lambda: self.now, self.sleep, lambda: chance)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def test_waits_double_up_to_a_quarter_of_a_minute() -> None:
    time = Time()
    patience = Patience(1000, time.timing)
    for _ in range(7):
        asyncio.run(patience.wait(Broken()))
    assert time.waits == [0.5, 1, 2, 4, 8, 15, 15]


def test_chance_shortens_them() -> None:
    time = Time(chance=0.25)
    asyncio.run(Patience(1000, time.timing).wait(Broken()))
    assert time.waits == [0.125]


def test_what_the_station_asks_for_is_the_least() -> None:
    time = Time(chance=0.5)
    asyncio.run(Patience(1000, time.timing).wait(Broken(), 30))
    assert time.waits == [30.25]


def test_it_is_at_its_end_after_the_limit_and_names_the_last_cause() -> None:
    time, last = Time(), Broken("the last one")
    patience = Patience(10, time.timing)

    async def wait_for_ever() -> None:
        while True:
            await patience.wait(last)

    with pytest.raises(GaveUp) as end:
        asyncio.run(wait_for_ever())
    assert end.value.__cause__ is last
    assert time.now == 10, "no wait goes beyond it"


def test_progress_makes_it_new() -> None:
    time = Time()
    patience = Patience(10, time.timing)
    for _ in range(20):
        asyncio.run(patience.wait(Broken()))
        patience.renew()
    assert set(time.waits) == {0.5}
