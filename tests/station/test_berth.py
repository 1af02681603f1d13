"""One upload in memory: a newer request ends the older one, and what became of the file decides of the upload."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from station import berth as room
from station.berth import PATIENCE, Berth
from station.errors import Problem, Refused
from station.file import File, Status
from station.formats import SNIFF
from station.resumption import Kind
from station.upload import Upload
from tests.station.places import open_place


class Writing:
    """A request that writes, which lets go when it is told to, or only when it is made to."""

    def __init__(self, berth: Berth, *, stuck: bool = False) -> None:
        self.released = asyncio.Event()
        self.asked = 0
        self._berth, self._stuck = berth, stuck
        berth.holder = self

    def supersede(self) -> None:
        self.asked += 1
        if not self._stuck:
            asyncio.get_running_loop().call_soon(self.let_go)

    async def pause(self) -> None: ...

    async def give_way(self) -> None: ...

    def check(self) -> None: ...

    def let_go(self) -> None:
        self._berth.holder = None
        self.released.set()


def a_berth(**upload: object) -> Berth:
    return Berth(Upload("u", **upload))  # type: ignore[arg-type]


def refused(work: asyncio.Task[None]) -> Problem:
    error = work.exception()
    assert isinstance(error, Refused)
    return error.problem


# ---- one writer ----


@pytest.mark.gen_test
async def test_a_free_berth_is_free_at_once() -> None:
    await a_berth().free()


@pytest.mark.gen_test
async def test_the_older_request_is_ended_and_waited_for() -> None:
    berth = a_berth()
    older = Writing(berth, stuck=True)
    newer = asyncio.ensure_future(berth.free())
    for _ in range(5):
        await asyncio.sleep(0)
    assert older.asked == 1
    assert not newer.done(), "what came has to be safe first"
    older.let_go()
    await newer
    assert berth.holder is None


@pytest.mark.gen_test
async def test_of_two_that_wait_the_later_one_ends_the_earlier() -> None:
    """As two requests do that come while a third still writes: each takes the berth as soon as it is free."""
    berth, order = a_berth(), []
    Writing(berth)

    async def take(name: str) -> None:
        await berth.free()
        order.append((name, Writing(berth)))

    await asyncio.gather(take("first"), take("second"))
    assert [name for name, _ in order] == ["first", "second"]
    assert order[0][1].released.is_set()
    assert berth.holder is order[1][1]
    assert not order[1][1].asked


@pytest.mark.gen_test
async def test_one_that_does_not_end_soon_locks_the_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PATIENCE == 2, "issue 3"
    monkeypatch.setattr(room, "PATIENCE", 0.01)
    berth = a_berth()
    older = Writing(berth, stuck=True)
    with pytest.raises(Refused) as locked:
        await berth.free()
    assert locked.value.problem == Problem("UPLOAD_LOCKED", retry_after=1)
    assert berth.holder is older, "it still writes"
    older.let_go()
    await berth.free()


@pytest.mark.gen_test
async def test_whoever_wants_the_upload_waits_until_it_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    berth = a_berth()
    berth.finishing = finishing = asyncio.get_running_loop().create_future()
    finishing.add_done_callback(lambda done: setattr(berth, "finishing", None))
    newer = asyncio.ensure_future(berth.free())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not newer.done()
    finishing.set_result(None)
    await newer
    monkeypatch.setattr(room, "PATIENCE", 0.01)
    berth.finishing = asyncio.get_running_loop().create_future()
    with pytest.raises(Refused) as locked:
        await berth.free()
    assert locked.value.problem.code == "UPLOAD_LOCKED"
    assert not berth.finishing.cancelled(), "it goes on"


@pytest.mark.gen_test
async def test_nothing_more_can_be_done_with_what_is_gone() -> None:
    berth = a_berth(gone="expired")
    with pytest.raises(Refused) as gone:
        await berth.free()
    assert gone.value.problem == Problem("UPLOAD_GONE", "expired")


@pytest.mark.gen_test
async def test_what_went_while_the_older_request_ended_is_gone() -> None:
    berth = a_berth()
    older = Writing(berth, stuck=True)
    newer = asyncio.ensure_future(berth.free())
    await asyncio.sleep(0)
    berth.upload.gone = "failed"
    older.let_go()
    await asyncio.wait([newer])
    assert refused(newer) == Problem("UPLOAD_GONE", "failed")


# ---- what it is ----


@pytest.mark.parametrize(
    ("kind", "closed", "complete", "gone", "unfinished"),
    [
        (Kind.WHOLE, False, False, None, False),
        (Kind.WHOLE, True, False, None, True),
        (Kind.WHOLE, True, True, None, False),
        (Kind.WHOLE, True, False, "failed", False),
        (Kind.PARTIAL, True, False, None, False),
        (Kind.FINAL, False, False, None, True),
        (Kind.FINAL, True, False, None, True),
        (Kind.FINAL, True, True, None, False),
        (Kind.FINAL, False, False, "cancelled", False),
    ],
)
def test_it_is_unfinished_while_all_bytes_are_here_and_not_stored(
    kind: Kind, closed: bool, complete: bool, gone: str | None, unfinished: bool
) -> None:
    assert a_berth(kind=kind, closed=closed, complete=complete, gone=gone).unfinished == unfinished


@pytest.mark.parametrize(("offset", "judged"), [(0, False), (SNIFF - 1, False), (SNIFF, True)])
def test_the_first_bytes_are_judged_once(offset: int, judged: bool) -> None:
    assert Berth(Upload("u", offset=offset), None, File("f", "a.txt")).judged == judged
    assert Berth(Upload("u", offset=offset)).judged, "of a partial they say nothing"


def failed(*, can_retry: bool) -> Callable[[File], None]:
    def change(file: File) -> None:
        file.status, file.can_retry = Status.FAILED, can_retry

    return change


def stands(status: Status) -> Callable[[File], None]:
    return lambda file: setattr(file, "status", status)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (stands(Status.PENDING), None),
        (stands(Status.UPLOADING), None),
        (stands(Status.PAUSED), None),
        (stands(Status.COMPLETED), None),
        (stands(Status.CANCELLED), "cancelled"),
        (failed(can_retry=True), None),
        (failed(can_retry=False), "failed"),
        (lambda file: setattr(file, "upload", "another"), "replaced"),
        (lambda file: setattr(file, "upload", None), "replaced"),
    ],
)
def test_what_became_of_the_file_says_whether_anything_can_come_of_the_upload(
    change: Callable[[File], None], why: str | None
) -> None:
    file = File("f", "a.txt", upload="u")
    change(file)
    assert Berth(Upload("u"), None, file).forsaken == why


def test_a_partial_is_never_forsaken_and_a_stored_file_only_by_uploads_that_are_not_its_own() -> None:
    assert a_berth(kind=Kind.PARTIAL).forsaken is None
    for upload, forsaken in (("u", None), (None, "replaced"), ("other", "replaced")):
        stored = File("f", "a.txt", upload=upload, status=Status.COMPLETED)
        assert Berth(Upload("u"), None, stored).forsaken == forsaken, upload


@pytest.mark.gen_test
async def test_a_real_request_is_ended_and_its_bytes_are_safe(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await place.upload(length=10)
        older = await place.append(berth, 10)
        await older.feed(b"first")
        await berth.free()
        assert (older.over, older.released.is_set(), berth.upload.offset) == (True, True, 5)
