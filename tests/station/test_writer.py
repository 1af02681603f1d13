"""The way of bytes into one part file, with a disk that can be held or broken."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from blake3 import blake3

from station.writer import PartWriter
from tests.station.places import Place, open_place, until


class Heard:
    """What a writer tells."""

    def __init__(self, place: Place) -> None:
        self.counts: list[int] = []
        self.errors: list[BaseException] = []
        self.writer = PartWriter(place.station.dock, self.counts.append, self.errors.append)


@pytest.mark.gen_test
async def test_nothing_is_written_before_it_is_opened(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        heard = Heard(place)
        await heard.writer.put(b"abc")
        assert bytes(heard.writer.waiting) == b"abc"
        assert place.points.passed.count("write") == 0
        heard.writer.open()
        await heard.writer.drain()
        assert (heard.counts, bytes(heard.writer.waiting)) == ([3], b"")
        assert await heard.writer.seal() == {"algorithm": "blake3", "value": blake3(b"abc").hexdigest()}
        heard.writer.discard()
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_part_without_bytes_is_a_part_too(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        heard = Heard(place)
        heard.writer.open()
        await heard.writer.drain()
        await heard.writer.seal()
        assert place.parts == [heard.writer.part_name]
        heard.writer.discard()
        await place.no_parts()


@pytest.mark.gen_test
async def test_what_comes_during_a_write_goes_with_the_next_one(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        heard = Heard(place)
        heard.writer.open()
        hold = place.points.hold("write")
        await heard.writer.put(b"first")
        await hold.reached()
        await heard.writer.put(b"second")
        await heard.writer.put(b"third")
        hold.release()
        await heard.writer.drain()
        assert heard.counts == [5, 11]
        heard.writer.discard()
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_failed_write_is_told_and_counts_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        heard = Heard(place)
        place.points.fail("write", errno.EIO)
        heard.writer.open()
        await heard.writer.put(b"abc")
        await until(lambda: bool(heard.errors))
        assert isinstance(heard.errors[0], OSError)
        assert heard.counts == []
        heard.writer.discard()
        await place.no_parts()


@pytest.mark.gen_test
async def test_discarding_during_a_write_waits_for_it_and_leaves_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        heard = Heard(place)
        heard.writer.open()
        hold = place.points.hold("write")
        await heard.writer.put(b"abc")
        await hold.reached()
        heard.writer.discard()
        heard.writer.discard()
        hold.release()
        await place.no_parts()
