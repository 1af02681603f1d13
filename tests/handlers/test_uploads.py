"""What raw bodies and forms have in common: how the session is named, and that every end of a request ends it once."""

from __future__ import annotations

import asyncio

import pytest

from tests.handlers.site import (
    BOUNDARY,
    PATIENCE,
    UNKNOWN,
    Box,
    Line,
    file_part,
    form,
    movie,
    names,
    on_the_loop,
    until,
)

KIND = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@on_the_loop
async def test_many_uploads_at_once_all_arrive_whole(box: Box) -> None:
    session_id = await box.open(expectedFiles=30)
    contents = [movie(100_000 + 1000 * number) for number in range(30)]

    async def send(number: int) -> int:
        content = contents[number]
        if number % 2:
            return (await box.put(session_id, f"{number}.mp4", content)).status - 1
        return (await box.send_form([file_part(f"{number}.mp4", content)], f"?sessionId={session_id}")).status

    assert set(await asyncio.gather(*(send(number) for number in range(30)))) == {200}
    snapshot = await box.progress(session_id, "?since=0")
    assert snapshot["overallStatus"] == "completed"
    assert names(snapshot["events"]).count("upload-completed") == 30
    assert sorted(path.read_bytes() for path in box.visible()) == sorted(contents)


@on_the_loop
async def test_every_moment_at_which_a_client_may_leave_leaves_nothing_behind(box: Box) -> None:
    body = form([file_part("a.mp4", movie(60_000))])
    for ending in (Line.close, Line.reset):
        for cut in (0, 10, 100, 300, 1500, 30_000, len(body) - 60, len(body) - 1, len(body)):
            session_id = await box.open(autoComplete=False)
            line = await box.connect()
            head = {**KIND, "Content-Length": str(len(body))}
            line.begin("POST", f"/api/upload/batch?sessionId={session_id}", head)
            line.send(body[:cut])
            await line.writer.drain()
            await ending(line)
            await until(lambda: box.door.count == 0, "the connection is gone")
            await until(lambda: not box.station.dock.deliveries, "nothing is coming in")
            await box.post(f"/api/upload/cancel/{session_id}")
            snapshot = await box.progress(session_id, "?since=0")
            stored = [file for file in snapshot["files"] if file["status"] == "completed"]
            assert len(stored) <= (cut >= len(body) - 1)
            assert names(snapshot["events"])[-1] == "session-completed"
    await until(lambda: not box.unfinished(), "no part file is left")


@on_the_loop
async def test_a_client_that_leaves_when_all_is_sent_has_stored_its_file(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(500_000)
    line = await box.begin_put(session_id, "a.mp4", len(content), content)
    await watcher.until("upload-started")
    await until(lambda: not box.station.dock.deliveries or all_written(box, session_id, len(content)), "all came")
    await line.close()
    heard = await watcher.to_end()
    assert names(heard) == ["upload-started", "upload-completed", "session-completed"]
    assert [path.read_bytes() for path in box.visible()] == [content]


def all_written(box: Box, session_id: str, size: int) -> bool:
    channel = box.station.channels.get(session_id)
    return channel is None or any(file.received == size for file in channel.session.files.values())


@on_the_loop
async def test_a_station_that_stops_ends_uploads_by_the_rules(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    watcher = await box.watch(f"?sessionId={session_id}")
    raw = await box.begin_put(session_id, "a.mp4", 100_000, movie(50_000))
    await watcher.until("upload-started")
    posted = await box.connect()
    posted.begin("POST", f"/api/upload/batch?sessionId={session_id}", {**KIND, "Content-Length": "100000"})
    posted.send(form([file_part("b.mp4", movie(50_000))], closed=False))
    await watcher.until("upload-started")
    await box.station.end_attempts(PATIENCE)
    for _ in range(2):
        failed = await watcher.until("upload-failed")
        assert (failed["error"]["code"], failed["canRetry"]) == ("SERVER_ERROR", True)
    for line in (raw, posted):
        answer = await line.answer()
        assert (answer.status, answer.code) == (500, "SERVER_ERROR")
        assert answer.headers["Connection"] == "close"
    assert box.visible() == []


@on_the_loop
async def test_room_is_reserved_only_while_an_upload_runs(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    line = await box.begin_put(session_id, "a.mp4", 5_000_000, movie(2000))
    await until(lambda: box.station.dock.space.reserved(box.clock().mono) > 4_900_000, "room is reserved")
    await line.reset()
    await until(lambda: box.station.dock.space.reserved(box.clock().mono) == 0, "room is given back")
    await box.put(session_id, "b.mp4", movie(2000))
    await box.put(session_id, "c.exe", movie(2000))
    await box.put(UNKNOWN, "d.mp4", movie(2000))
    await until(lambda: box.station.dock.space.reserved(box.clock().mono) == 0, "none is kept")


@pytest.mark.parametrize("options", [["--min-free-space=999999TiB"]])
@on_the_loop
async def test_without_room_an_upload_is_refused_before_its_body(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    line = await box.connect()
    target = f"/api/upload/session/{session_id}/files/a.mp4"
    line.begin("PUT", target, {"Content-Length": "1000000", "Expect": "100-continue"})
    answer = await line.answer()
    assert (answer.status, answer.code) == (507, "INSUFFICIENT_STORAGE")
    events = (await box.progress(session_id, "?since=0"))["events"]
    assert events[0]["event"] == "upload-failed"
    assert events[0]["data"]["error"]["code"] == "INSUFFICIENT_STORAGE"
