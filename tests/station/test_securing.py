"""The order in which an offset moves (write, sync, journal, tell), how often, and what a fault does to it."""

from __future__ import annotations

import asyncio
import errno
import hashlib
from pathlib import Path

import pytest
from blake3 import blake3

from station import archive, partfile, securing
from station.berth import Berth
from station.digest import Digests
from station.errors import Problem
from station.promise import Fate
from station.resumption import Checks
from station.securing import SYNC_AFTER, Securing
from tests.station.places import MIB, Place, lines, open_place, until

TEXT = lines(100_000)


class Request:
    """What `Append` is to a `Securing`: it puts bytes, and hears how far they are safe."""

    def __init__(self, place: Place, berth: Berth, *, promised: bool = False) -> None:
        self.moves: list[int] = []
        self.problems: list[tuple[Problem, Fate]] = []
        self.content = Digests(["sha1"]) if promised else None
        self.safe = Securing(place.station.shelf, berth, self.content, self.moves.append, self._failed)
        self.safe.open()

    def _failed(self, problem: Problem, fate: Fate) -> None:
        self.problems.append((problem, fate))

    async def end(self, *, whole: bool = True, closed: bool = False, kept: bool = True) -> None:
        await self.safe.settle()
        if kept:
            await self.safe.keep(whole=whole, closed=closed)
        await self.safe.close()


async def a_berth(place: Place, length: int | None = len(TEXT)) -> Berth:
    return await place.upload(await place.open(expected=1), length=length)


def told(place: Place, berth: Berth) -> int:
    """What a client is told that asks."""
    return berth.upload.standing(place.clock()).offset


def known(berth: Berth) -> dict[str, bytes] | None:
    """The digests of what is here, if they need not be computed again."""
    return None if berth.digests is None else berth.digests.values()


def forget_digests(berth: Berth) -> None:
    """As a restart does."""
    berth.digests = None


async def written(place: Place, count: int = 1) -> None:
    await until(lambda: place.points.passed.count("write") >= count)


# ---- the order ----


@pytest.mark.gen_test
async def test_an_offset_moves_after_the_sync_and_after_the_journal(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        place.watch_commits()
        place.points.passed.clear()
        sync, commit = place.points.hold("fsync"), place.points.hold("commit")
        request = Request(place, berth)
        await request.safe.put(TEXT[:5000])
        ending = asyncio.ensure_future(request.end())
        await sync.reached()
        assert place.points.passed == ["reopen", "write", "fsync"]
        assert (told(place, berth), place.recorded(berth), request.moves) == (0, 0, [])
        sync.release()
        await commit.reached()
        assert place.points.passed == ["reopen", "write", "fsync", "commit"]
        assert (told(place, berth), place.recorded(berth), request.moves) == (0, 0, [])
        commit.release()
        await ending
        assert (told(place, berth), place.recorded(berth), request.moves) == (5000, 5000, [5000])
        assert place.points.passed == ["reopen", "write", "fsync", "commit"], "one sync, one commit"


@pytest.mark.gen_test
async def test_a_request_is_not_over_before_its_bytes_are_recorded(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        place.watch_commits()
        append = await place.append(berth, 5000)
        await append.feed(TEXT[:5000])
        await until(lambda: berth.channel is not None and berth.channel.picture.seq == 1)
        commit = place.points.hold("commit")
        ending = asyncio.ensure_future(append.end(whole=True))
        await commit.reached()
        assert not append.released.is_set()
        commit.release()
        await ending
        assert append.released.is_set()


@pytest.mark.gen_test
async def test_progress_counts_bytes_that_are_safe(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        sync = place.points.hold("fsync")
        append = await place.append(berth, len(TEXT))
        await append.feed(TEXT[:50_000])
        await written(place)
        assert berth.file is not None
        assert berth.file.received == 0
        ending = asyncio.ensure_future(append.end(whole=True))
        await sync.reached()
        assert berth.file.received == 0
        sync.release()
        await ending
        assert berth.file.received == 50_000


# ---- how often ----


@pytest.mark.gen_test
async def test_it_is_synced_and_told_every_sixteen_mebibytes_while_bytes_flow(tmp_path: Path) -> None:
    async with open_place(tmp_path, checksum="none") as place:
        berth = await a_berth(place, 40 * MIB)
        request = Request(place, berth)
        for _ in range(36):
            await request.safe.put(bytes(MIB))
        await until(lambda: len(request.moves) == 2)
        assert berth.upload.offset == place.recorded(berth)
        assert 32 * MIB <= berth.upload.offset < 34 * MIB
        assert place.points.passed.count("fsync") == 2
        await request.end()
        assert berth.upload.offset == 36 * MIB
        assert place.points.passed.count("fsync") == 3


@pytest.mark.gen_test
async def test_few_bytes_are_synced_after_a_second_though_the_request_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SYNC_AFTER == 1
    monkeypatch.setattr(securing, "SYNC_AFTER", 0.001)
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        request = Request(place, berth)
        for at, end in ((0, 10), (10, 25)):
            await request.safe.put(TEXT[at:end])
            await until(lambda end=end: berth.upload.offset == end)  # type: ignore[misc]
        assert request.moves == [10, 15]
        assert place.points.passed.count("fsync") == 2
        assert place.recorded(berth) == 25
        await request.end()
        assert request.moves == [10, 15], "there was nothing more to record"
        assert place.points.passed.count("fsync") == 2


@pytest.mark.gen_test
async def test_a_request_that_ends_leaves_no_timer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_place(tmp_path) as place:
        asked: list[float] = []
        loop = asyncio.get_running_loop()
        later = loop.call_later
        timers: list[asyncio.TimerHandle] = []

        def call_later(delay: float, *rest: object, **named: object) -> asyncio.TimerHandle:
            handle: asyncio.TimerHandle = later(delay, *rest, **named)  # type: ignore[arg-type]
            if delay == securing.SYNC_AFTER:
                asked.append(delay)
                timers.append(handle)
            return handle

        monkeypatch.setattr(loop, "call_later", call_later)
        berth = await a_berth(place)
        request = Request(place, berth)
        await request.safe.put(TEXT[:10])
        await until(lambda: bool(timers))
        await request.end()
        assert [timer.cancelled() for timer in timers] == [True]


# ---- promised digests ----


@pytest.mark.gen_test
async def test_what_was_promised_moves_at_the_end_only_however_often_it_was_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partfile, "SYNC_EVERY", 1000)
    monkeypatch.setattr(securing, "SYNC_AFTER", 0)
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        request = Request(place, berth, promised=True)
        for at in range(0, 20_000, 4000):
            await request.safe.put(TEXT[at : at + 4000])
            await written(place, at // 4000 + 1)
        assert "fsync" in place.points.passed
        assert (request.moves, place.recorded(berth)) == ([], 0)
        await request.end()
        assert request.content is not None
        assert request.content.agree({"sha1": hashlib.sha1(TEXT[:20_000]).digest()})
        assert (request.moves, place.recorded(berth)) == ([20_000], 20_000)


@pytest.mark.gen_test
async def test_what_was_promised_and_did_not_come_whole_is_cut_off_again(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        first = Request(place, berth)
        await first.safe.put(TEXT[:100])
        await first.end()
        request = Request(place, berth, promised=True)
        await request.safe.put(TEXT[100:5000])
        await request.end(whole=False)
        assert (request.moves, place.recorded(berth), place.part(berth)) == ([], 100, TEXT[:100])
        assert known(berth) == {"blake3": blake3(TEXT[:100]).digest()}


@pytest.mark.gen_test
async def test_only_this_request_is_in_the_digests_of_its_content(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        first = Request(place, berth)
        await first.safe.put(TEXT[:100])
        await first.end()
        second = Request(place, berth, promised=True)
        await second.safe.put(TEXT[100:300])
        await second.end()
        assert second.content is not None
        assert second.content.values() == {"sha1": hashlib.sha1(TEXT[100:300]).digest()}
        assert known(berth) == {"blake3": blake3(TEXT[:300]).digest()}


# ---- the digests of the whole ----


@pytest.mark.gen_test
async def test_what_is_here_is_read_once_if_its_digests_are_not_known(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        first = Request(place, berth)
        await first.safe.put(TEXT[:5000])
        await first.end()
        forget_digests(berth)
        for start in (5000, 6000):
            request = Request(place, berth)
            await request.safe.put(TEXT[start : start + 1000])
            await request.end()
        assert place.points.passed.count("read") == 1
        assert known(berth) == {"blake3": blake3(TEXT[:7000]).digest()}


@pytest.mark.gen_test
async def test_digests_that_were_promised_or_wanted_of_the_whole_are_computed_too(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        berth.upload.checks = Checks(whole={"sha512": b"?"}, wanted=("md5",))
        request = Request(place, berth)
        await request.safe.put(TEXT[:100])
        await request.end()
        assert list(known(berth) or {}) == ["blake3", "sha512", "md5"]


@pytest.mark.gen_test
async def test_digests_are_not_trusted_if_more_was_written_than_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of the request was recorded, more of it was written: no copy was made at that point."""
    monkeypatch.setattr(securing, "SYNC_AFTER", 0)
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        first = Request(place, berth)
        await first.safe.put(TEXT[:50])
        await first.end()
        request = Request(place, berth)
        await request.safe.put(TEXT[50:100])
        await until(lambda: berth.upload.offset == 100)
        await request.safe.put(TEXT[100:200])
        await request.end(kept=False)
        assert (berth.upload.offset, place.part(berth), known(berth)) == (100, TEXT[:100], None)


# ---- the last byte ----


@pytest.mark.gen_test
@pytest.mark.parametrize(("whole", "taken"), [(False, 99), (True, 100)])
async def test_the_last_byte_is_taken_at_the_proper_end(tmp_path: Path, whole: bool, taken: int) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place, 100)
        request = Request(place, berth)
        await request.safe.put(TEXT[:100])
        await request.end(whole=whole)
        assert (berth.upload.offset, place.recorded(berth)) == (taken, taken)
        assert place.part(berth) == TEXT[:taken]


@pytest.mark.gen_test
async def test_a_file_of_one_byte_moves_nowhere_before_its_end(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place, 1)
        request = Request(place, berth)
        await request.safe.put(b"a")
        await request.end(whole=False)
        assert (request.moves, place.part(berth)) == ([], b"")


@pytest.mark.gen_test
async def test_without_a_known_length_every_byte_may_be_taken(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place, None)
        request = Request(place, berth)
        await request.safe.put(TEXT[:100])
        await request.end(whole=False)
        assert berth.upload.offset == 100


# ---- what is recorded ----


@pytest.mark.gen_test
async def test_that_all_bytes_are_here_is_recorded_with_the_offset(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place, 100)
        request = Request(place, berth)
        await request.safe.put(TEXT[:100])
        place.watch_commits()
        await request.end(closed=True)
        assert place.points.passed.count("commit") == 1
        assert (berth.upload.closed, berth.upload.offset) == (True, 100)
        kept = await place.journal.read(lambda journal: archive.upload(journal, berth.upload.id))
        assert kept is not None
        assert (kept.kept["closed"], kept.offset) == (True, 100)


@pytest.mark.gen_test
async def test_an_empty_file_is_closed_without_a_move(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place, 0)
        request = Request(place, berth)
        await request.end(closed=True)
        assert (berth.upload.closed, berth.upload.offset) == (True, 0)
        kept = await place.journal.read(lambda journal: archive.upload(journal, berth.upload.id))
        assert kept is not None
        assert kept.kept["closed"]


@pytest.mark.gen_test
async def test_a_request_without_bytes_records_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        place.watch_commits()
        request = Request(place, berth)
        await request.end()
        assert (request.moves, place.points.passed.count("commit")) == ([], 0)


@pytest.mark.gen_test
async def test_an_upload_that_moves_expires_later(tmp_path: Path) -> None:
    async with open_place(tmp_path, upload_expiry=100.0) as place:
        berth = await a_berth(place)
        place.clock.pass_by(60)
        request = Request(place, berth)
        await request.safe.put(TEXT[:100])
        await request.end()
        assert berth.upload.expires_at == place.clock.mono + 100
        kept = await place.journal.read(lambda journal: archive.upload(journal, berth.upload.id))
        assert kept is not None
        assert kept.expires_at == place.clock.wall + 100


# ---- faults ----


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("point", "number", "problem", "fate"),
    [
        ("write", errno.ENOSPC, "INSUFFICIENT_STORAGE", Fate.FAIL),
        ("write", errno.EIO, "SERVER_ERROR", Fate.FAIL),
        ("reopen", errno.EMFILE, "SERVER_ERROR", Fate.FAIL),
        ("fsync", errno.EIO, "SERVER_ERROR", Fate.LOSE),
        ("fsync", errno.ENOSPC, "INSUFFICIENT_STORAGE", Fate.LOSE),
    ],
)
async def test_a_fault_of_the_disk_is_told_once_and_nothing_moves(
    tmp_path: Path, point: str, number: int, problem: str, fate: Fate
) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        first = Request(place, berth)
        await first.safe.put(TEXT[:100])
        await first.end()
        place.points.passed.clear()
        place.points.fail(point, number)
        request = Request(place, berth)
        await request.safe.put(TEXT[100:5000])
        await until(lambda: point in place.points.passed or bool(place.points.passed))
        await request.end(whole=False)
        assert request.problems == [(Problem(problem), fate)]
        assert place.points.passed.count(point) == 1, "and not tried again"
        assert (berth.upload.offset, place.recorded(berth), request.moves) == (100, 100, [])
        assert place.part(berth) == TEXT[:100]


@pytest.mark.gen_test
async def test_bytes_that_were_safe_before_the_fault_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partfile, "SYNC_EVERY", 1000)
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        request = Request(place, berth)
        await request.safe.put(TEXT[:4000])
        await until(lambda: request.moves == [4000])
        place.points.fail("write", errno.ENOSPC)
        await request.safe.put(TEXT[4000:8000])
        await until(lambda: bool(request.problems))
        await request.end(whole=False)
        assert (berth.upload.offset, place.part(berth)) == (4000, TEXT[:4000])
        again = Request(place, berth)
        await again.safe.put(TEXT[4000:8000])
        await again.end()
        assert known(berth) == {"blake3": blake3(TEXT[:8000]).digest()}


@pytest.mark.gen_test
async def test_a_part_that_is_shorter_than_recorded_is_lost(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        first = Request(place, berth)
        await first.safe.put(TEXT[:100])
        await first.end()
        (tmp_path / ".station" / "parts" / berth.upload.id).write_bytes(TEXT[:99])
        request = Request(place, berth)
        await request.safe.put(TEXT[100:200])
        await request.end()
        assert request.problems == [(Problem("SERVER_ERROR"), Fate.LOSE)]
        assert place.recorded(berth) == 100


@pytest.mark.gen_test
async def test_the_part_is_cut_back_when_the_journal_cannot_record(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        place.journal.break_down(full=True)
        request = Request(place, berth)
        await request.safe.put(TEXT[:5000])
        await request.end()
        assert request.problems == [(Problem("INSUFFICIENT_STORAGE"), Fate.FAIL)]
        assert (request.moves, berth.upload.offset, place.part(berth)) == ([], 0, b"")
        place.journal.mend()
        again = Request(place, berth)
        await again.safe.put(TEXT[:5000])
        await again.end()
        assert (again.problems, again.moves, place.part(berth)) == ([], [5000], TEXT[:5000])
        assert known(berth) == {"blake3": blake3(TEXT[:5000]).digest()}


@pytest.mark.gen_test
async def test_a_close_that_was_recorded_counts_though_an_earlier_record_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partfile, "SYNC_EVERY", 50)
    async with open_place(tmp_path) as place:
        berth = await a_berth(place, 100)
        place.watch_commits()
        first = place.points.hold("commit")
        request = Request(place, berth)
        await request.safe.put(TEXT[:60])
        await first.reached()
        place.journal.break_down()
        await request.safe.put(TEXT[60:100])
        await request.safe.settle()
        await request.safe.keep(whole=True, closed=True)
        second = place.points.hold("commit")
        first.release()
        await second.reached()
        place.journal.mend()
        second.release()
        await request.safe.close()
        assert request.problems == [(Problem("SERVER_ERROR"), Fate.FAIL)]
        assert (berth.upload.closed, berth.upload.offset, place.recorded(berth)) == (True, 100, 100)


@pytest.mark.gen_test
async def test_bytes_that_are_written_are_no_longer_reserved(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await a_berth(place)
        space = place.station.dock.space
        assert space.reserved(place.clock.mono) == len(TEXT)
        request = Request(place, berth)
        await request.safe.put(TEXT[:60_000])
        await request.end()
        assert space.reserved(place.clock.mono) == 40_000
