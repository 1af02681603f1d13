"""What earlier runs did, while the wall clock is set again and again, against what truly happened when."""

from __future__ import annotations

from pathlib import Path

import pytest

from station.earlier import Earlier
from station.pulse import BEAT
from station.rates import DAY, HOUR
from tests.station.places import START, FakeClock, Place, open_place

SET_BY = [60 * DAY, 7200.0, 61.0, -61.0, -600.0, -10 * DAY]


async def stored(place: Place, name: str) -> None:
    channel = await place.open((name, 5))
    await place.raw(channel, name)


async def beat(place: Place, seconds: float = BEAT) -> None:
    place.clock.pass_by(seconds)
    await place.station.monitor.beat()


def known(place: Place) -> tuple[int, int]:
    """Files of the last hour and of the last day."""
    monitor = place.station.monitor
    return monitor.measured(10**9)["success"].basis, monitor.measured(10**9)["disk"].basis


@pytest.mark.gen_test
@pytest.mark.parametrize("wrong", SET_BY)
async def test_a_clock_that_was_wrong_at_the_start_is_forgiven_once_it_is_right(tmp_path: Path, wrong: float) -> None:
    async with open_place(tmp_path, recover=True) as place:
        for name in ("a.txt", "b.txt"):
            await stored(place, name)
    clock = FakeClock(mono=7.0, wall=START + 900.0 + wrong)
    async with open_place(tmp_path, recover=True, clock=clock) as place:
        await beat(place)
        await stored(place, "c.txt")
        clock.wall -= wrong
        await beat(place)
        assert known(place) == (3, 3), "two of before and one of this run"
        await stored(place, "d.txt")
        await beat(place, 600.0)
        assert known(place) == (4, 4)
        await beat(place, HOUR - 900.0 - 600.0 + 30.0)
        assert known(place) == (2, 4), "an hour after they came the first are of the day only"


@pytest.mark.gen_test
async def test_a_clock_that_was_never_set_counts_nothing_twice(tmp_path: Path) -> None:
    """The journal's own clock stands still meanwhile, and dates what happens."""
    async with open_place(tmp_path, recover=True) as place:
        for name in ("a.txt", "b.txt"):
            await stored(place, name)
        place.clock.pass_by(60.0)
        await place.station.orders.cancel((await place.open(("never.txt", 5))).session.id, None, "enough")
    clock = FakeClock(mono=7.0, wall=1000.0)
    async with open_place(tmp_path, recover=True, clock=clock) as place:
        await beat(place)
        for name in ("c.txt", "d.txt"):
            await stored(place, name)
        clock.wall = START + 900.0
        await beat(place)
        assert known(place) == (4, 4), "two of before and two of this run"


@pytest.mark.gen_test
async def test_a_clock_that_is_set_under_way_takes_nothing_of_this_run(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        for number, step in enumerate(SET_BY, 1):
            await stored(place, f"{number}.txt")
            await beat(place)
            place.clock.wall += step
            await beat(place)
            assert known(place) == (number, number)


@pytest.mark.gen_test
async def test_a_clock_that_goes_as_it_did_asks_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        earlier = Earlier(place.journal, place.clock)
        await earlier.begin()
        for drift in (0.0, 30.0, -50.0, 20.0):
            place.clock.pass_by(BEAT)
            place.clock.wall += drift
            assert await earlier.anew() is None
        place.clock.wall += 61.0
        assert await earlier.anew() is not None
        place.clock.pass_by(DAY)
        assert await earlier.anew() is None, "it was looked at"
