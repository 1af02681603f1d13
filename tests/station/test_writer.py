"""The way of bytes into one part file, with a disk that can be held or broken."""

from __future__ import annotations

import asyncio
import errno
import threading
from pathlib import Path

import pytest
from blake3 import blake3

from station.digest import Digests
from station.partfile import PartFile, PartLost, SyncFailed
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


# ---- syncing, and parts that are gone on with ----


@pytest.mark.gen_test
async def test_a_sync_goes_with_what_waits_at_once(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        heard = Heard(place)
        heard.writer.open()
        await heard.writer.put(b"abc")
        heard.writer.sync()
        await until(lambda: heard.counts == [3])
        assert heard.writer.part is not None
        assert (heard.writer.part.synced, place.points.passed) == (3, ["create", "write", "fsync"])
        heard.writer.discard()
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_sync_during_a_write_goes_with_the_next_one(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        heard = Heard(place)
        heard.writer.open()
        await heard.writer.put(b"abc")
        hold = place.points.hold("write")
        draining = asyncio.ensure_future(heard.writer.drain())
        await hold.reached()
        heard.writer.sync()
        heard.writer.sync()
        assert "fsync" not in place.points.passed
        hold.release()
        await draining
        assert place.points.passed == ["create", "write", "write", "fsync"]
        assert heard.counts == [3, 0]
        heard.writer.discard()
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_sync_before_it_is_opened_waits_for_that(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        heard = Heard(place)
        await heard.writer.put(b"abc")
        heard.writer.sync()
        assert place.points.passed == []
        heard.writer.open()
        await until(lambda: heard.counts == [3])
        assert place.points.passed == ["create", "write", "fsync"]
        heard.writer.discard()
        await place.no_parts()


@pytest.mark.gen_test
async def test_settling_writes_and_syncs_all_that_waits(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        heard = Heard(place)
        heard.writer.open()
        hold = place.points.hold("write")
        await heard.writer.put(b"abc")
        await hold.reached()
        await heard.writer.put(b"defg")
        settling = asyncio.ensure_future(heard.writer.settle())
        await asyncio.sleep(0)
        hold.release()
        await settling
        part = heard.writer.part
        assert part is not None
        assert (part.written, part.synced, heard.counts) == (7, 7, [3, 4])
        assert place.points.passed.count("fsync") == 1
        heard.writer.discard()
        await place.no_parts()


@pytest.mark.gen_test
@pytest.mark.parametrize("point", ["write", "fsync"])
async def test_after_an_error_nothing_is_written_or_synced_any_more(tmp_path: Path, point: str) -> None:
    async with open_place(tmp_path) as place:
        heard = Heard(place)
        heard.writer.open()
        place.points.fail(point, errno.EIO)
        await heard.writer.put(b"abc")
        await heard.writer.settle()
        assert (len(heard.errors), heard.counts, heard.writer.failed) == (1, [], True)
        assert isinstance(heard.errors[0], SyncFailed) == (point == "fsync")
        passed = list(place.points.passed)
        await heard.writer.put(b"def")
        heard.writer.sync()
        await heard.writer.settle()
        await heard.writer.drain()
        assert place.points.passed == passed
        heard.writer.discard()
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_part_of_somebody_elses_is_opened_in_a_thread_before_the_first_write(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        await place.station.dock.run(place.disk.make_part, "theirs")
        place.points.passed.clear()
        opened: list[int] = []

        def open_part() -> PartFile:
            opened.append(threading.get_ident())
            return place.disk.reopen_part("theirs", 0, Digests())

        counts: list[int] = []
        writer = PartWriter(place.station.dock, counts.append, lambda error: None, open_part=open_part)
        writer.open()
        assert opened == []
        await writer.put(b"abc")
        await writer.settle()
        await writer.put(b"def")
        await writer.drain()
        assert place.points.passed == ["reopen", "write", "fsync", "write"]
        assert len(opened) == 1
        assert opened[0] != threading.get_ident()
        assert (tmp_path / ".station" / "parts" / "theirs").read_bytes() == b"abcdef"
        assert writer.part is not None
        writer.part.close()


@pytest.mark.gen_test
async def test_a_part_that_cannot_be_opened_is_told_like_a_write_that_failed(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        errors: list[BaseException] = []
        writer = PartWriter(
            place.station.dock,
            lambda count: None,
            errors.append,
            open_part=lambda: place.disk.reopen_part("nobody's", 5, Digests()),
        )
        writer.open()
        await writer.put(b"abc")
        await writer.settle()
        assert [type(error) for error in errors] == [PartLost]
        assert writer.part is None
