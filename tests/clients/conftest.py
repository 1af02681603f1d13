"""A station and a bad network in front of it, shared by the tests of one kind of client."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients.chaos import BREAKING, CUTTING, Chaos, Fault
from tests.clients.rig import HERE, Station

SEED = int(os.environ.get("UPLOAD_STATION_SEED", "0"))
"""Another number makes another weather."""


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """Ends with nothing logged that is a fault of its own."""
    station = Station(tmp_path_factory.mktemp("station"))
    yield station
    station.end()


@pytest.fixture
def weather(station: Station, request: pytest.FixtureRequest) -> Iterator[Callable[..., Chaos]]:
    """Make a bad network with so many faults, at most `reach` bytes apart; it must have done them all."""
    with ExitStack() as stack:

        def make(faults: int, reach: int = sys.maxsize, kinds: Sequence[Fault] = BREAKING, down: float = 0.3) -> Chaos:
            chaos = stack.enter_context(Chaos(station.port, seed, reach=reach, kinds=kinds, down=down).running())
            made.append(chaos)
            return chaos.strike(faults)

        seed, made = zlib.crc32(request.node.name.encode()) + SEED, list[Chaos]()
        yield make
        assert all(chaos.calm for chaos in made), [chaos.faults for chaos in made]


@pytest.fixture
def forgetful(weather: Callable[..., Chaos]) -> Callable[[int], Chaos]:
    """Make a network that loses three answers in a row once so many bytes have gone up."""
    return lambda size: weather(faults=0, kinds=CUTTING, down=0).lose_answers(3, after=size)


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the JavaScript clients; tests/setup/install.sh fills it."""
    folder = HERE / "node_modules"
    if not (folder / "tus-js-client").is_dir():
        pytest.skip("the JavaScript clients are not installed (sh tests/setup/install.sh), and their tests need them")
    return folder
