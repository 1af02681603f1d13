"""One file's way, at a real station, where something happens on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from client.carrying import Carrying, Parcel, Terms
from client.exchange import Reply
from client.faults import Broken, GaveUp, Refusal
from client.following import Following
from client.link import Link
from client.patience import Patience, Timing
from client.picture import Picture
from client.source import Source, gather
from client.tus import Upload
from tests.handlers.site import Box, movie, on_the_loop


class Course:
    def __init__(self) -> None:
        self.waited: list[Exception] = []
        self.resumed: list[int] = []

    def placed(self, parcel: Parcel) -> None: ...

    def waits(self, parcel: Parcel, cause: Exception) -> None:
        self.waited.append(cause)

    def paused(self, parcel: Parcel) -> None: ...

    def goes_on(self, parcel: Parcel, offset: int) -> None:
        self.resumed.append(offset)


class Faulty(Link):
    """Does something instead of the request, or after it, whose number is given."""

    faults: dict[int, Callable[[], Awaitable[None]]] = {}  # noqa: RUF012
    asked = 0
    loses = False

    async def ask(self, *words: object, **named: object) -> Reply:
        self.asked += 1
        number = self.asked
        if self.loses:
            answer = await super().ask(*words, **named)  # type: ignore[arg-type]
            if number in self.faults:
                await self.faults[number]()
            return answer
        if number in self.faults:
            await self.faults[number]()
        return await super().ask(*words, **named)  # type: ignore[arg-type]


async def quickly(_: float) -> None:
    await asyncio.sleep(0)


def breaking(fault: Exception) -> Callable[[], Awaitable[None]]:
    async def play() -> None:
        raise fault

    return play


class Way:
    """A file, its session, and what is told of it."""

    def __init__(self, box: Box, path: Path, session_id: str, patience: float = 30) -> None:
        (source,) = gather([str(path)], recursive=False)
        assert isinstance(source, Source)
        self.link, self.course, self.picture = Faulty(box.url, language="en"), Course(), Picture()
        self.parcel, self.session_id = Parcel(source), session_id
        self.upload = Upload(self.link, source, session_id, "")
        self.terms = Terms("blake3", checked=False, patience=patience, timing=Timing(sleep=quickly))

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            following = Following(Link(self.link.base, language="en"), self.session_id, self.picture.take)
            watching = group.create_task(following.run(Patience(30, Timing())))
            await self.picture.until(lambda: self.picture.is_known)
            yield
            watching.cancel()

    async def run(self) -> None:
        async with self.watched():
            await Carrying(self.parcel, self.upload, self.picture, self.course, self.terms).run()


@on_the_loop
async def test_a_file_is_there_once_it_is_told(box: Box, film: Path) -> None:
    way = Way(box, film, await box.open())
    await way.run()
    assert [stored.read_bytes() for stored in box.visible()] == [film.read_bytes()]
    assert way.parcel.file_id == way.upload.file_id
    assert way.parcel.upload.startswith("/files/")


@pytest.mark.parametrize(
    "fault",
    [
        Broken("cut"),
        Refusal("UPLOAD_LOCKED", status=423),
        Refusal("TOO_MANY_CONNECTIONS", status=503),
        Refusal("OFFSET_MISMATCH", status=409),
        Refusal("INSUFFICIENT_STORAGE", status=507),
    ],
    ids=str,
)
@pytest.mark.parametrize("number", [1, 2])
@on_the_loop
async def test_what_passes_is_waited_for(box: Box, film: Path, fault: Exception, number: int) -> None:
    way = Way(box, film, await box.open())
    way.link.faults = {number: breaking(fault), number + 1: breaking(fault)}
    await way.run()
    assert way.course.waited == [fault, fault]
    assert len(box.visible()) == 1


@pytest.mark.parametrize("code", ["SESSION_CLOSED", "UPLOAD_CANCELLED", "FILE_SIZE_EXCEEDED", "REJECTED"])
@on_the_loop
async def test_what_does_not_pass_is_not_tried_again(box: Box, film: Path, code: str) -> None:
    way = Way(box, film, await box.open())
    way.link.faults = {2: breaking(Refusal(code, status=409))}
    with pytest.raises(BaseExceptionGroup) as refused:
        await way.run()
    assert refused.group_contains(Refusal, match=code)
    assert way.course.waited == []


@on_the_loop
async def test_patience_ends(box: Box, film: Path) -> None:
    way = Way(box, film, await box.open(), patience=0)
    way.link.faults = {2: breaking(Broken("cut"))}
    with pytest.raises(BaseExceptionGroup) as end:
        await way.run()
    assert end.group_contains(GaveUp)


@on_the_loop
async def test_an_upload_that_is_gone_is_made_again_but_not_for_ever(box: Box, film: Path) -> None:
    way = Way(box, film, await box.open())
    way.upload.path = "/files/gone"
    await way.run()
    assert len(box.visible()) == 1

    way = Way(box, film, await box.open())
    way.link.faults = {number: breaking(Refusal("UPLOAD_GONE", status=410)) for number in range(2, 20, 2)}
    with pytest.raises(BaseExceptionGroup) as end:
        await way.run()
    assert end.group_contains(Refusal, match="UPLOAD_GONE")


@on_the_loop
async def test_an_answer_that_is_lost_after_the_making_makes_no_second_file(box: Box, film: Path) -> None:
    size = film.stat().st_size
    opened = (await box.post("/api/upload/session", {"files": [{"name": film.name, "size": size}]})).json()
    way = Way(box, film, opened["sessionId"])
    way.upload.file_id = opened["files"][0]["fileId"]
    way.link.loses, way.link.faults = True, {1: breaking(Broken("lost"))}
    await way.run()
    assert [file["status"] for file in (await box.progress(opened["sessionId"]))["files"]] == ["completed"]


@on_the_loop
async def test_an_answer_that_is_lost_after_the_making_holds_nobodys_session_open(box: Box, film: Path) -> None:
    """Into a session that was there before: no file was announced, so none can be named."""
    session_id = await box.open(autoComplete=False)
    way = Way(box, film, session_id)
    way.link.loses, way.link.faults = True, {1: breaking(Broken("lost"))}
    await way.run()
    await box.post(f"/api/upload/complete/{session_id}")
    snapshot = await box.progress(session_id)
    assert (snapshot["overallStatus"], len(snapshot["files"])) == ("completed", 1)


@on_the_loop
async def test_the_last_answer_may_get_lost(box: Box, film: Path) -> None:
    way = Way(box, film, await box.open())
    way.link.loses, way.link.faults = True, {2: breaking(Broken("lost"))}
    await way.run()
    assert len(box.visible()) == 1


@on_the_loop
async def test_a_file_that_was_cancelled_meanwhile_is_not_made_again(box: Box, film: Path) -> None:
    session_id = await box.open(autoComplete=False)
    way = Way(box, film, session_id)

    async def cancel() -> None:
        await box.post(f"/api/upload/cancel/{session_id}", {"fileId": way.upload.file_id, "reason": "no room"})

    way.link.faults = {2: cancel}
    with pytest.raises(BaseExceptionGroup) as end:
        await way.run()
    assert end.group_contains(Refusal, match="UPLOAD_CANCELLED")
    assert box.visible() == []


@on_the_loop
async def test_going_on_begins_where_the_station_stands(box: Box, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(movie(5000))
    session_id = await box.open()
    address = await box.create(5000, session_id)
    await box.add(address, 0, path.read_bytes()[:2000])
    way = Way(box, path, session_id)
    way.upload.path = address
    way.upload.file_id = (await box.progress(session_id))["files"][0]["id"]
    await way.run()
    assert way.course.resumed == [2000]
    assert [stored.read_bytes() for stored in box.visible()] == [path.read_bytes()]
