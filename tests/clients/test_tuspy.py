"""tuspy, with a checksum of every chunk, through a bad network."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.chaos import Chaos, Fault
from tests.clients.rig import ENDPOINT, HERE, MIB, Item, Station, assert_arrived, film, run


def send(base: str, item: Item, chunk_size: int) -> None:
    arguments = [base + ENDPOINT, str(item.path), str(chunk_size), json.dumps(item.told)]
    run(sys.executable, str(HERE / "send_tuspy.py"), *arguments)


@pytest.mark.parametrize("chunk_size", [300_000, 3 * MIB])
def test_tuspy_gets_a_file_through(
    station: Station, weather: Callable[..., Chaos], tmp_path: Path, chunk_size: int
) -> None:
    chaos = weather(faults=8, reach=250_000)
    (item,) = station.expect(film(tmp_path, "a.mp4", 4 * MIB))
    send(chaos.url, item, chunk_size)
    assert_arrived(station, [item])


def test_tuspy_gets_a_file_unspoilt_through_a_network_that_turns_bits_over(
    station: Station, weather: Callable[..., Chaos], tmp_path: Path
) -> None:
    chaos = weather(faults=4, reach=250_000, kinds=[Fault.SPOIL])
    (item,) = station.expect(film(tmp_path, "a.mp4", 2 * MIB))
    send(chaos.url, item, 300_000)
    assert_arrived(station, [item])


def test_tuspy_that_does_not_hear_that_it_is_done_sends_nothing_twice(
    station: Station, forgetful: Callable[[int], Chaos], tmp_path: Path
) -> None:
    (item,) = station.expect(film(tmp_path, "a.mp4", 2 * MIB))
    send(forgetful(2 * MIB).url, item, 300_000)
    assert_arrived(station, [item])
