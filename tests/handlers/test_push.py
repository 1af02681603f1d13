"""The WebSocket itself: joining by address, messages that are none, talkers and sleepers, slow watchers, dead peers."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import struct

import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from handlers.push import LONGEST_MESSAGE, Push
from tests.handlers.site import (
    UNKNOWN,
    Box,
    Json,
    Watcher,
    file_part,
    is_last,
    lifecycle,
    movie,
    names,
    numbers,
    on_the_loop,
    until,
)

MANY = [{"name": f"{number}.mp4", "size": 5} for number in range(1000)]


@on_the_loop
async def test_a_session_is_joined_by_the_address(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    await box.put(session_id, "a.mp4", movie(5000))
    for query, replayed, resync in [
        ("", [], False),
        ("&lastSeq=0", [1, 2, 3], False),
        ("&lastSeq=1", [2, 3], False),
        ("&lastSeq=3", [], False),
        ("&lastSeq=4", [], True),
        ("&lastSeq=-1", [], True),
        ("&lastSeq=x", [], True),
        ("&lastSeq=", [], True),
        ("&lastSeq=" + "9" * 400, [], True),
        ("&lastSeq=0&epoch=another", [], True),
        (f"&lastSeq=0&epoch={box.station.journal.epoch}", [1, 2, 3], False),
        ("&epoch=another", [], False),
    ]:
        watcher = await box.watch(f"?sessionId={session_id}{query}")
        heard = await watcher.to_end()
        assert heard[0]["event"] == "session-joined", query
        assert heard[0]["data"].get("resync", False) is resync, query
        assert numbers(heard) == replayed, query
        assert heard[0]["data"]["currentSeq"] == 3
        assert heard[0]["data"]["seq"] == (replayed[0] - 1 if replayed else 3)
        await watcher.close()


@on_the_loop
async def test_an_unknown_session_in_the_address_gets_an_error_and_an_open_socket(box: Box) -> None:
    for id in (UNKNOWN, "x", "%00", ""):
        watcher = await box.watch(f"?sessionId={id}")
        assert await watcher.error() == "SESSION_NOT_FOUND"
        watcher.say("join-session", await box.open())
        await watcher.until("session-joined")


@on_the_loop
async def test_a_socket_that_is_opened_before_any_session_may_join_later(box: Box) -> None:
    watcher = await box.watch()
    session_id = await box.open(expectedFiles=1)
    watcher.say("join-session", session_id)
    await watcher.until("session-joined")
    await box.put(session_id, "a.mp4", movie(5))
    assert names(await watcher.to_end()) == ["upload-started", "upload-completed", "session-completed"]


PROGRESS = {
    "sessionId", "fileId", "progress", "speed", "uploadedBytes", "totalBytes", "timestamp", "estimatedTimeRemaining",
    "overallStatus", "totalProgress", "completedFiles", "failedFiles", "message", "currentFile",
}  # fmt: skip
FAILED = {
    "sessionId", "fileId", "fileName", "error", "failedAt", "canRetry", "retryCount", "maxRetries", "uploadedBytes",
}  # fmt: skip
FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "upload-started": (
        {"sessionId", "fileId", "fileName", "fileSize", "startTime"},
        {"attempt", "targetDir", "estimated", "resumedFrom"},
    ),
    "upload-progress": (PROGRESS, {"estimated"}),
    "upload-completed": (
        {"sessionId", "fileId", "fileName", "fileSize", "uploadPath", "endTime", "duration", "finalSpeed"},
        {"checksum", "attempt"},
    ),
    "upload-failed": (
        FAILED,
        {"retryUntil", "attempt"},
    ),
    "upload-cancelled": ({"sessionId", "reason", "cancelledAt", "uploadedBytes"}, {"fileId", "attempt"}),
    "session-completed": ({"sessionId", "summary", "endTime", "uploadPaths"}, set()),
}
SUMMARY = {
    "totalFiles", "completedFiles", "failedFiles", "cancelledFiles", "totalSize", "uploadedSize", "averageSpeed",
    "totalTime",
}  # fmt: skip


@on_the_loop
async def test_every_message_has_the_fields_and_the_order_of_the_contract(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    watcher = await box.watch(f"?sessionId={session_id}")
    await box.put(session_id, "a.mp4", movie(300_000))
    await box.put(session_id, "empty.mp4", b"")
    await box.put(session_id, "x.exe", b"12345")
    parts = [file_part("b.mp4", movie(300_000)), file_part("c.mp4", movie(5))]
    await box.send_form(parts, f"?sessionId={session_id}")
    line = await box.begin_put(session_id, "d.mp4", 300_000, movie(100_000))
    moving = (await watcher.until("upload-started", fileName="d.mp4"))["fileId"]
    await watcher.until("upload-progress", fileId=moving)
    await line.reset()
    await watcher.until("upload-failed", fileName="d.mp4")
    await box.post(f"/api/upload/complete/{session_id}")
    heard = await watcher.to_end()
    assert {message["event"] for message in heard} == {*FIELDS, "session-joined"}
    told, position = heard[1:], 0
    for message in told:
        needed, possible = FIELDS[message["event"]]
        assert list(message) == ["event", "data", "seq"]
        assert needed <= message["data"].keys() <= needed | possible, message
        position += message["event"] != "upload-progress"
        assert message["seq"] == position
    assert set(told[-2]["data"]["summary"]) == SUMMARY
    assert not any(is_last(message) for message in told[:-1]), "the seed's clients hang up on it"
    for file_id in {message["data"].get("fileId") for message in told} - {None}:
        of_file = [message for message in told[:-1] if message["data"].get("fileId") == file_id]
        assert shape(of_file) in SHAPES
        progress = [message["data"]["progress"] for message in of_file if message["event"] == "upload-progress"]
        assert progress == sorted(progress)
        if of_file[-1]["event"] == "upload-completed":
            assert progress[-1] == 100


SHAPES = [
    ["upload-started", "upload-progress", "upload-completed"],
    ["upload-failed"],
    ["upload-started", "upload-progress", "upload-failed", "upload-cancelled"],
]


def shape(messages: list[Json]) -> list[str]:
    """The names, with a run of the same one told once."""
    return [name for name, _ in itertools.groupby(message["event"] for message in messages)]


# ---- messages that are none ----


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "{",
        "null",
        "[]",
        "5",
        '"join-session"',
        "{}",
        '{"event":5}',
        '{"event":null,"data":{}}',
        '{"data":{}}',
        "[" * 60_000,
        '{"a":' * 10_000,
        '{"event":"join-session","data":' + "[" * 900 + "]" * 900 + "}",
        '{"event":"join-session","data":{"sessionId":"x","lastSeq":1' + "0" * 5000 + "}}",
        '{"event":"join-session","data":{"sessionId":"x","lastSeq":1e999}}',
        '{"event":"join-session","data":{"sessionId":"x","lastSeq":NaN}}',
        '{"event":"join-session","data":{"sessionId":"x","lastSeq":-0}}',
        "\u0000" * 100,
        "\ufeff{}",
        "x" * (LONGEST_MESSAGE + 1),
        '{"event":"' + "\\u0000" * 1000 + '"}',
    ],
    ids=lambda text: ascii(text)[:40],
)
@on_the_loop
async def test_a_message_that_is_none_gets_an_error_and_the_socket_lives_on(box: Box, text: str) -> None:
    watcher = await box.watch()
    watcher.say_text(text)
    error = await watcher.error()
    assert error in {"VALIDATION_ERROR", "SESSION_NOT_FOUND", "REQUEST_TOO_LARGE"}
    assert (error == "REQUEST_TOO_LARGE") is (len(text) > LONGEST_MESSAGE)
    watcher.say("leave-session", UNKNOWN)
    await watcher.until("session-left")


@on_the_loop
async def test_a_binary_message_gets_an_error(box: Box) -> None:
    watcher = await box.watch()
    for payload in (b"", b"\xff\xfe", b'{"event":"join-session"}', bytes(100_000)):
        watcher.send_frame(2, payload)
        assert await watcher.error() == "VALIDATION_ERROR"


@on_the_loop
async def test_a_message_far_too_long_closes_the_socket(box: Box) -> None:
    watcher = await box.watch()
    watcher.say_text("x" * (4 * LONGEST_MESSAGE + 1))
    assert await watcher.next() is None
    assert watcher.close_code in {1009, None}


@on_the_loop
async def test_frames_that_break_the_protocol_end_the_socket_quietly(box: Box) -> None:
    for broken in (
        b"\x83\x80\x01\x02\x03\x04",  # an opcode that is none
        b"\xf1\x80\x01\x02\x03\x04",  # reserved bits
        b"\x89\xfe\x01\x00\x01\x02\x03\x04" + bytes(256),  # a ping of more than 125 bytes
        b"\x81\xff" + struct.pack("!Q", 2**62) + b"\x01\x02\x03\x04",
        b"\x80\x80\x01\x02\x03\x04",  # a continuation of nothing
    ):
        watcher = await box.watch()
        watcher.line.send(broken)
        assert await watcher.next() is None, broken
    watcher = await box.watch()
    watcher.send_frame(1, b"\xff\xfe")
    assert await watcher.next() is None


@on_the_loop
async def test_a_message_in_pieces_with_a_ping_between_is_one_message(box: Box) -> None:
    watcher = await box.watch()
    whole = json.dumps({"event": "leave-session", "data": UNKNOWN}).encode()
    watcher.send_frame(1, whole[:10], final=False)
    watcher.send_frame(9, b"hello")
    watcher.send_frame(0, whole[10:])
    assert await watcher.frame() == (10, b"hello")
    await watcher.until("session-left")


@on_the_loop
async def test_a_client_that_talks_too_fast_is_told_so_and_in_the_end_dropped(box: Box) -> None:
    box.clock.stop()
    watcher = await box.watch()
    for _ in range(400):
        watcher.say("leave-session", UNKNOWN)
    while await watcher.next() is not None:
        pass
    assert watcher.close_code == 1008
    errors = [message for message in watcher.heard if message["event"] == "error"]
    left = [message for message in watcher.heard if message["event"] == "session-left"]
    assert {error["data"]["error"]["code"] for error in errors} == {"RATE_LIMIT_EXCEEDED"}
    assert len(left) == 60
    assert len(errors) <= 10


@on_the_loop
async def test_a_client_that_talks_in_bursts_and_rests_is_served(box: Box) -> None:
    watcher = await box.watch()
    for _ in range(5):
        for _ in range(40):
            watcher.say("leave-session", UNKNOWN)
        for _ in range(40):
            await watcher.until("session-left")
        box.clock.ahead += 3
    assert all(message["event"] == "session-left" for message in watcher.heard)


# ---- watchers that do not keep up ----


def backlog(socket: Push) -> int:
    """Bytes that the station holds for one watcher, outside the kernel."""
    return socket.follower._outbox.size + len(socket._stream()._write_buffer)


@pytest.mark.parametrize("options", [["--outbox-size=256KiB"]])
@on_the_loop
async def test_a_watcher_that_does_not_read_is_let_go_and_delays_nobody(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    session_id = await box.open(files=MANY)
    quick = await box.watch(f"?sessionId={session_id}")
    await quick.until("session-joined")
    slow = await box.watch(receive_buffer=4096)
    (socket,) = [each for each in box.station.sockets if each.follower is not quick and not each.follower.joined]  # type: ignore[attr-defined]
    assert isinstance(socket, Push)
    slow.say("join-session", session_id)
    await until(lambda: bool(socket.follower.joined), "the slow one has joined")
    held = backlog(socket)
    assert (await box.post(f"/api/upload/cancel/{session_id}")).json()["cancelledFiles"] == 1000
    heard = await quick.to_end()
    assert numbers(heard) == list(range(1, 1003))
    assert socket.follower._closed
    assert not list(box.station.hub.watchers())
    assert socket.ws_connection is None or backlog(socket) <= held + 128 * 1024
    # It reads on in time, learns why, and catches up by number without a gap.
    while await slow.next() is not None:
        pass
    assert slow.close_code == 1013
    seen = numbers(slow.heard)
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) < 1002
    again = await box.watch(f"?sessionId={session_id}&lastSeq={len(seen)}")
    assert seen + numbers(await again.to_end()) == list(range(1, 1003))
    gc.collect()
    assert "never retrieved" not in caplog.text


@on_the_loop
async def test_of_waiting_progress_a_slow_watcher_gets_only_the_newest(box: Box) -> None:
    session_id = await box.open(files=[*MANY[:999], {"name": "a.mp4", "size": 7_000_000}])
    watcher = await box.watch(receive_buffer=4096)
    (socket,) = box.station.sockets
    assert isinstance(socket, Push)
    for _ in range(3):  # three snapshots of a thousand files are more than the kernel takes
        watcher.say("join-session", session_id)
    await until(lambda: socket._stream().writing() and bool(socket.follower.joined), "the socket is full")
    content = movie(7_000_000)
    line = await box.begin_put(session_id, "a.mp4", len(content), content[:2000])
    for at in range(20):
        line.send(content[2000 + at * 300_000 : 2000 + (at + 1) * 300_000])
        await until(lambda least=at: moved(box, session_id) >= (least + 1) * 300_000, "counted")  # type: ignore[misc]
        box.clock.ahead += 0.6
    assert len(socket.follower._outbox) <= 5
    line.send(content[2000 + 20 * 300_000 :])
    assert (await line.answer()).status == 201
    await watcher.until("upload-completed")
    told = [each["data"] for each in watcher.heard if each["event"] == "upload-progress"]
    assert len(told) <= 5
    assert [each["progress"] for each in told] == sorted(each["progress"] for each in told)
    assert names(watcher.heard) == ["upload-started", "upload-completed"]


def moved(box: Box, session_id: str) -> int:
    return max(file.received for file in box.session(session_id).files.values())


# ---- heartbeat ----

# What a busy machine holds up for longer than this has answered too late.
BEATING = pytest.mark.parametrize("options", [["--heartbeat=0.5"]])


@BEATING
@on_the_loop
async def test_a_peer_that_answers_stays_and_its_round_trip_is_known(box: Box) -> None:
    watcher = await box.watch()
    reading = asyncio.ensure_future(watcher.next())
    await until(lambda: watcher.pings >= 3, "two pings were answered")
    (socket,) = box.station.sockets
    await until(lambda: socket.round_trip is not None, "a round trip was measured")
    assert socket.round_trip is not None
    assert 0 <= socket.round_trip < 5
    watchers = (await box.get("/health")).json()["watchers"]
    assert watchers["sockets"] == 1
    assert watchers["roundTrip"] >= 0
    await watcher.close()
    assert await reading is None


@BEATING
@on_the_loop
async def test_a_peer_that_is_dead_is_dropped(box: Box) -> None:
    session_id = await box.open()
    watcher = await box.watch(f"?sessionId={session_id}")
    await watcher.until("session-joined")
    watcher.deaf, answered = True, watcher.pings
    assert await watcher.next() is None
    assert watcher.pings - answered == 1
    await until(lambda: not box.station.sockets and not list(box.station.hub.watchers()), "all is given back")


# ---- the end ----


@on_the_loop
async def test_two_hundred_dropped_sockets_leave_nothing(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    before = len(asyncio.all_tasks())
    for number in range(200):
        watcher = await box.watch(f"?sessionId={session_id}")
        if number % 3 == 0:
            await watcher.line.reset()
        elif number % 3 == 1:
            await watcher.close()
        else:
            await watcher.until("session-joined")
            watcher.send_frame(8, struct.pack("!H", 1000))
            assert await watcher.next() is None
            await watcher.close()
    await until(lambda: not box.station.sockets, "no socket is left")
    await until(lambda: len(asyncio.all_tasks()) <= before, "no task is left")
    assert not list(box.station.hub.watchers())
    await until(lambda: box.door.count == 0, "no connection is left")
    await box.put(session_id, "a.mp4", movie(5))


@on_the_loop
async def test_a_socket_survives_the_end_of_its_session(box: Box) -> None:
    watcher = await box.watch()
    for _ in range(3):
        session_id = await box.open(expectedFiles=1)
        watcher.say("join-session", session_id)
        await watcher.until("session-joined")
        await box.put(session_id, "a.mp4", movie(5))
        await watcher.to_end()
    assert names(watcher.heard) == ["upload-started", "upload-completed", "session-completed"] * 3


@pytest.mark.parametrize("options", [["--ws-compression=on"]])
@on_the_loop
async def test_messages_may_be_compressed(box: Box) -> None:
    session_id = await box.open(files=MANY[:50])
    client = await websocket_connect(f"ws://{box.host}/ws?sessionId={session_id}", compression_options={})
    assert "permessage-deflate" in extensions(client)

    async def next_message() -> Json:
        text = await client.read_message()
        assert text is not None
        found: Json = json.loads(text)
        return found

    heard = [await next_message()]
    assert len(heard[0]["data"]["files"]) == 50
    await box.post(f"/api/upload/cancel/{session_id}")
    while heard[-1]["event"] != "session-completed":
        heard.append(await next_message())
    assert numbers(heard) == list(range(1, 53))
    plain = await box.watch(f"?sessionId={session_id}&lastSeq=0")
    assert lifecycle(await plain.to_end()) == lifecycle(heard), "who does not ask for compression is served plainly"
    assert is_last(await next_message())
    client.close()
    assert await client.read_message() is None


def extensions(client: WebSocketClientConnection) -> str:
    assert client.headers is not None
    return client.headers.get("Sec-WebSocket-Extensions", "")


@on_the_loop
async def test_by_default_nothing_is_compressed(box: Box) -> None:
    client = await websocket_connect(f"ws://{box.host}/ws", compression_options={})
    assert extensions(client) == ""
    client.close()
    assert await client.read_message() is None


@on_the_loop
async def test_each_of_many_watchers_hears_all(box: Box) -> None:
    session_id = await box.open(files=MANY[:3])
    watchers: list[Watcher] = [await box.watch(f"?sessionId={session_id}") for _ in range(50)]
    for watcher in watchers:
        await watcher.until("session-joined")
    await box.put(session_id, "0.mp4", movie(5))
    await box.post(f"/api/upload/complete/{session_id}")
    told = [lifecycle(await watcher.to_end()) for watcher in watchers]
    assert all(each == told[0] for each in told)
    assert names(told[0]) == [
        "upload-started",
        "upload-completed",
        "upload-cancelled",
        "upload-cancelled",
        "session-completed",
    ]
