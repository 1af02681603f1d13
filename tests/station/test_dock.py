"""What every delivery needs: judging early, room, threads, and knowing when nothing comes in any more."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from station.delivery import Delivery
from station.dock import FEW, LARGE, SMALL, problem_of
from station.errors import Problem, Refused
from station.resumption import Kind
from tests.station.places import Place, file_of, file_part, form, open_place, small_disk


def arriving(place: Place, count: int) -> list[Delivery]:
    return [Delivery(place.station.dock, "a.txt", None) for _ in range(count)]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "INSUFFICIENT_STORAGE"),
        (errno.EDQUOT, "INSUFFICIENT_STORAGE"),
        (errno.EFBIG, "INSUFFICIENT_STORAGE"),
        (errno.EIO, "SERVER_ERROR"),
        (errno.EROFS, "SERVER_ERROR"),
        (errno.EMFILE, "SERVER_ERROR"),
    ],
)
def test_a_fault_of_the_disk_is_a_row_of_the_table_and_says_no_path(number: int, code: str) -> None:
    assert problem_of(OSError(number, "why", "/secret/path")) == Problem(code)


def test_a_refusal_keeps_its_problem() -> None:
    assert problem_of(Refused("TOO_MANY_FILES", "at most 3")) == Problem("TOO_MANY_FILES", "at most 3")


@pytest.mark.gen_test
async def test_a_file_is_judged_by_name_and_size_before_its_first_byte(tmp_path: Path) -> None:
    async with open_place(tmp_path, allowed_types=("txt", "jpg"), max_file_size=100) as place:
        dock = place.station.dock
        assert dock.judge("a.TXT", 100) is None
        assert dock.judge("a.txt", None) is None
        assert dock.judge("a.exe", 1) == Problem("UNSUPPORTED_FORMAT", "allowed: txt, jpg")
        assert dock.judge("a", 1) == Problem("UNSUPPORTED_FORMAT", "allowed: txt, jpg")
        assert dock.judge("a.txt", 101) == Problem("FILE_SIZE_EXCEEDED", "at most 100 bytes")


@pytest.mark.gen_test
async def test_a_file_is_judged_by_its_first_bytes(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        dock = place.station.dock
        assert dock.judge_head("a.jpg", b"\xff\xd8\xff\xe0" + bytes(100)) is None
        found = dock.judge_head("a.jpg", b"%PDF-1.7\n" + bytes(100))
        assert found == Problem("UNSUPPORTED_FORMAT", "the content looks like application/pdf")


@pytest.mark.gen_test
async def test_room_is_refused_when_it_would_eat_into_what_must_stay_free(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        free = place.station.storage.space().free
    async with open_place(tmp_path, min_free_space=free // 2) as place:
        place.station.dock.admit("one", 1000)
        with pytest.raises(Refused) as refused:
            place.station.dock.admit("two", free)
        assert refused.value.problem.code == "INSUFFICIENT_STORAGE"


@pytest.mark.gen_test
async def test_many_deliveries_have_less_room_each(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        coming = arriving(place, FEW)
        assert place.station.dock.room == LARGE
        coming += arriving(place, 1)
        assert place.station.dock.room == SMALL
        coming[0].discard()
        assert place.station.dock.room == LARGE


@pytest.mark.gen_test
async def test_it_is_empty_when_the_last_delivery_has_gone(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        dock = place.station.dock
        await dock.emptied()
        first, second = arriving(place, 2)
        waiting = asyncio.ensure_future(dock.emptied())
        first.discard()
        first.discard()
        await asyncio.sleep(0)
        assert not waiting.done()
        second.fail(Problem("NETWORK_ERROR"))
        await waiting
        assert dock.deliveries == set()
        arriving(place, 1)
        waiting = asyncio.ensure_future(dock.emptied())
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()


@pytest.mark.gen_test
async def test_whoever_has_been_stored_or_refused_has_left(tmp_path: Path) -> None:
    async with open_place(tmp_path, allowed_types=("txt",), max_file_size=100) as place:
        channel = await place.open(auto_complete=False)
        await place.raw(channel)
        assert place.station.dock.deliveries == set(), "stored"
        for name, length in (("a.exe", 5), ("a.txt", 101)):
            with pytest.raises(Refused):
                await place.raw_open(channel, name, length)
            assert place.station.dock.deliveries == set(), "refused"
        body = form(file_part("a.exe", b"MZ"), file_part("b.txt", b"good"), file_part("c.txt", bytes(101)))
        await place.batch(body, channel.session.id)
        assert place.station.dock.deliveries == set(), "refused among others"
        await place.batch(form(file_part("a.exe", b"MZ"), file_part("b.exe", b"MZ")))
        assert place.station.dock.deliveries == set(), "refused, without a session"
        with pytest.raises(Refused):
            await place.raw_open(channel, file_id=file_of(channel).id)
        assert place.station.dock.deliveries == set(), "completed already"


@pytest.mark.gen_test
async def test_blocking_work_keeps_the_loop_free_and_gives_back_what_it_raises(tmp_path: Path) -> None:
    def broken() -> None:
        raise OSError(errno.EIO, "why")

    async with open_place(tmp_path) as place:
        hold = place.points.hold("create")
        part = place.station.dock.run(place.disk.create_part, "p", "none")
        await hold.reached()
        assert not part.done()
        hold.release()
        (await part).close()
        with pytest.raises(OSError, match="why"):
            await place.station.dock.run(broken)


@pytest.mark.gen_test
async def test_closing_waits_for_the_work_that_runs_and_for_what_it_leads_to(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        dock = place.station.dock
        hold = place.points.hold("make")
        making = dock.run(place.disk.make_part, "p")
        making.add_done_callback(lambda done: dock.run(place.disk.drop_part, "p"))
        await hold.reached()
        closing = asyncio.ensure_future(dock.close())
        await asyncio.sleep(0)
        assert (closing.done(), dock.closed) == (False, False)
        hold.release()
        await closing
        assert dock.closed
        assert place.parts == []
        with pytest.raises(RuntimeError):
            dock.run(place.disk.make_part, "q")


@pytest.mark.gen_test
async def test_whoever_is_admitted_again_is_not_in_its_own_way(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as small:
        async with open_place(small) as place:
            dock = place.station.dock
            size = place.disk.space().free // 3 * 2
            for _ in range(3):
                dock.admit("one", size)
            with pytest.raises(Refused):
                dock.admit("two", size)


@pytest.mark.gen_test
async def test_requests_that_go_on_with_uploads_are_deliveries_too(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        dock = place.station.dock
        berth = await place.upload(length=10, kind=Kind.PARTIAL)
        assert dock.deliveries == set(), "an upload that nobody sends is none"
        append = await place.append(berth, 10)
        assert dock.deliveries == {append}
        await append.feed(b"hello")
        emptied = asyncio.ensure_future(dock.emptied())
        append.cut(None)
        await emptied
        assert append.released.is_set()
