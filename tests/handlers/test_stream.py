"""Server-Sent Events as a browser sees them: ids, resuming, the end, silence, and a client that is gone."""

from __future__ import annotations

import pytest

from handlers.push import SEND_BUFFER
from tests.handlers.site import (
    UNKNOWN,
    Box,
    Goodbye,
    Line,
    is_last,
    lifecycle,
    movie,
    names,
    numbers,
    on_the_loop,
    until,
)


async def settled(box: Box) -> str:
    session_id = await box.open(expectedFiles=1)
    assert (await box.put(session_id, "a.mp4", movie(5))).status == 201
    return session_id


@on_the_loop
async def test_the_stream_tells_all_and_ends_after_the_last_message(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    source = await box.listen(session_id)
    await box.put(session_id, "a.mp4", movie(5000))
    heard = await source.to_end()
    assert heard[0]["event"] == "session-joined"
    assert names(heard) == ["upload-started", "upload-completed", "session-completed"]
    assert is_last(heard[-1])
    epoch = box.station.journal.epoch
    expected = [f"{epoch}:{each['seq']}" if each in lifecycle(heard) else None for each in heard]
    assert source.ids == expected, "only lifecycle events move the browser's position"


@on_the_loop
async def test_the_head_says_what_it_is_and_forbids_keeping_and_holding_back(box: Box) -> None:
    source = await box.listen(await box.open(), headers={"Accept-Encoding": "gzip, deflate, br"})
    assert source.headers["Content-Type"] == "text/event-stream; charset=UTF-8"
    assert source.headers["Cache-Control"] == "no-store"
    assert source.headers["X-Accel-Buffering"] == "no"
    assert source.headers.get("Content-Encoding", "identity") == "identity"
    joined = await source.next()
    assert joined is not None, "readable without unpacking"


@on_the_loop
async def test_a_stream_begins_after_the_position_that_is_given(box: Box) -> None:
    session_id = await settled(box)
    epoch = box.station.journal.epoch
    for header, query, replayed, resync in [
        (None, "", [], False),
        (f"{epoch}:0", "", [1, 2, 3], False),
        (f"{epoch}:1", "", [2, 3], False),
        (f"{epoch}:2", "", [3], False),
        (f"{epoch}:4", "", [], True),
        ("another:1", "", [], True),
        ("another:3", "", [], True),
        ("garbage", "", [], True),
        (f"{epoch}:-1", "", [], True),
        (f"{epoch}:{'9' * 100}", "", [], True),
        (None, f"?lastEventId={epoch}:1", [2, 3], False),
        (None, f"?lastSeq=1&epoch={epoch}", [2, 3], False),
        (None, "?lastSeq=1", [2, 3], False),
        (None, "?lastSeq=x", [], True),
        (None, "?lastSeq=1&epoch=another", [], True),
        # The browser's own header is newer than the address that the page once gave.
        (f"{epoch}:2", f"?lastEventId={epoch}:0", [3], False),
    ]:
        source = await box.listen(session_id, query, {} if header is None else {"Last-Event-ID": header})
        heard = await source.to_end()
        assert heard[0]["data"].get("resync", False) is resync, (header, query)
        assert numbers(heard) == replayed, (header, query)
        assert is_last(heard[-1])


@on_the_loop
async def test_who_has_seen_everything_is_told_not_to_come_back(box: Box) -> None:
    session_id = await settled(box)
    epoch = box.station.journal.epoch
    for headers, query in [
        ({"Last-Event-ID": f"{epoch}:3"}, ""),
        ({}, f"?lastSeq=3&epoch={epoch}"),
        ({}, "?lastSeq=3"),
    ]:
        answer = await box.get(f"/api/upload/events/{session_id}{query}", headers)
        assert (answer.status, answer.body) == (204, b"")


@on_the_loop
async def test_an_unknown_session_has_no_stream(box: Box) -> None:
    answer = await box.get(f"/api/upload/events/{UNKNOWN}", {"Accept": "text/event-stream"})
    assert (answer.status, answer.code) == (404, "SESSION_NOT_FOUND")


@pytest.mark.parametrize("options", [["--heartbeat=0.05"]])
@on_the_loop
async def test_silence_is_filled_with_comments(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    source = await box.listen(session_id)
    while source.comments < 3:
        source._buffer += await anext(source._chunks)
        if b": still here\n\n" in source._buffer:
            source.comments += source._buffer.count(b": still here\n\n")
            source._buffer = source._buffer.replace(b": still here\n\n", b"")
    await box.put(session_id, "a.mp4", movie(5))
    assert names(await source.to_end()) == ["upload-started", "upload-completed", "session-completed"]


@pytest.mark.parametrize("go", [Line.close, Line.reset])
@on_the_loop
async def test_a_client_that_is_gone_is_noticed_at_once(box: Box, go: Goodbye) -> None:
    session_id = await box.open()
    source = await box.listen(session_id)
    await source.next()
    assert len(list(box.station.hub.watchers())) == 1
    await go(source.line)
    await until(lambda: not list(box.station.hub.watchers()), "nobody watches any more")
    await until(lambda: box.door.count == 0, "the connection is gone")


@pytest.mark.parametrize("go", [Line.close, Line.reset])
@on_the_loop
async def test_a_client_that_is_gone_before_the_stream_begins_is_no_fault(box: Box, go: Goodbye) -> None:
    session_id = await settled(box)
    for _ in range(20):
        line = await box.connect()
        line.begin("GET", f"/api/upload/events/{session_id}")
        await go(line)
    await until(lambda: box.door.count == 0, "the connections are gone")
    assert not list(box.station.hub.watchers())


@pytest.mark.parametrize("options", [["--outbox-size=256KiB"]])
@on_the_loop
async def test_a_stream_that_does_not_read_is_cut_and_delays_nobody(box: Box) -> None:
    files = [{"name": f"{number}.mp4", "size": 5} for number in range(1000)]
    session_id = await box.open(files=files)
    line = await box.connect(receive_buffer=4096)
    line.begin("GET", f"/api/upload/events/{session_id}")
    await until(lambda: len(list(box.station.hub.watchers())) == 1, "the slow one listens")
    quick = await box.listen(session_id)
    await quick.next()
    await box.post(f"/api/upload/cancel/{session_id}")
    assert numbers(await quick.to_end()) == list(range(1, 1003))
    got = await line.rest()
    assert got.count(b"\nid: ") < 1000, "it was cut before it had all"
    assert SEND_BUFFER <= 64 * 1024


@on_the_loop
async def test_a_stream_listens_in_on_several_sessions_one_by_one_over_one_connection(box: Box) -> None:
    line = await box.connect()
    for _ in range(3):
        session_id = await settled(box)
        line.begin("GET", f"/api/upload/events/{session_id}?lastSeq=0")
        answer = await line.answer()
        assert answer.status == 200
        assert answer.body.count(b"\nid: ") == 3
