"""How many connections are served: up to the limit all, above it a proper answer, far above it none."""

from __future__ import annotations

import resource
import socket

import pytest

from handlers.door import connection_limit, listening, open_files
from tests.handlers.site import HANDSHAKE, Box, on_the_loop, until


@on_the_loop
async def test_above_the_limit_a_client_is_told_when_to_come_back(box: Box) -> None:
    box.door.limit = 2
    first, second = await box.connect(), await box.connect()
    assert (await first.ask("GET", "/health")).status == 200
    assert (await second.ask("GET", "/health")).status == 200
    for method, address, headers in [
        ("GET", "/health", {}),
        ("PUT", "/u/a.mp4", {}),
        ("GET", "/ws", HANDSHAKE),
        ("GET", "/nowhere", {}),
    ]:
        answer = await box.ask(method, address, b"" if method == "PUT" else None, headers)
        assert (answer.status, answer.code) == (503, "TOO_MANY_CONNECTIONS")
        assert int(answer.headers["Retry-After"]) > 0
        await until(lambda: box.door.count == 2, "the third connection is gone")
    await second.close()
    await until(lambda: box.door.count == 1, "the second connection is gone")
    assert (await box.get("/health")).status == 200


@on_the_loop
async def test_who_came_before_the_house_was_full_is_served_on(box: Box) -> None:
    box.door.limit = 1
    first = await box.connect()
    assert (await first.ask("GET", "/health")).status == 200
    late = await box.connect()
    assert (await late.ask("GET", "/health")).status == 503
    assert (await first.ask("GET", "/health")).status == 200
    await late.close()
    await until(lambda: box.door.count == 1, "the late one is gone")


@on_the_loop
async def test_far_above_the_limit_connections_are_closed_unread(box: Box) -> None:
    box.door.limit = 0
    kept = [await box.connect() for _ in range(64)]
    await until(lambda: box.door.count == 64, "all within the overrun are held")
    beyond = await box.connect()
    assert await beyond.rest() == b""
    assert box.door.count == 64
    assert (await kept[0].ask("GET", "/health")).status == 503


@on_the_loop
async def test_the_count_returns_to_nothing_however_a_connection_ends(box: Box) -> None:
    for _ in range(20):
        idle, reset, half, served = [await box.connect() for _ in range(4)]
        await served.ask("GET", "/health")
        half.send(b"GET / HT")
        reset.begin("PUT", "/u/a.mp4", {"Content-Length": "100"})
        await reset.reset()
        for line in (idle, half, served):
            await line.close()
    await until(lambda: box.door.count == 0, "no connection is counted any more")


@on_the_loop
async def test_sockets_and_streams_are_counted_until_they_close(box: Box) -> None:
    session_id = await box.open()
    await until(lambda: box.door.count == 0, "nobody is connected")
    sockets = [await box.watch() for _ in range(4)]
    streams = [await box.listen(session_id) for _ in range(2)]
    served = await box.connect()
    for _ in range(3):
        assert (await served.ask("GET", "/health")).status == 200
    assert box.door.count == 7
    broken = await box.ask("GET", "/ws", headers={**HANDSHAKE, "Sec-WebSocket-Version": "7"})
    assert broken.status == 426
    await until(lambda: box.door.count == 7, "a handshake that failed is no socket")
    await sockets[0].line.reset()
    await sockets[1].close()
    sockets[2].send_frame(8, b"\x03\xe8")
    assert await sockets[2].next() is None
    await sockets[2].close()
    sockets[3].line.send(b"\xff" * 20)
    assert await sockets[3].next() is None
    await until(lambda: box.door.count == 3, "the sockets are gone")
    await streams[0].line.reset()
    await streams[1].line.close()
    await served.close()
    await until(lambda: box.door.count == 0, "all are gone")


@on_the_loop
async def test_sockets_use_up_the_limit(box: Box) -> None:
    box.door.limit = 3
    for _ in range(3):
        await box.watch()
    for address, headers in [("/health", {}), ("/ws", HANDSHAKE)]:
        answer = await box.get(address, headers)
        assert (answer.status, answer.code) == (503, "TOO_MANY_CONNECTIONS")
        assert int(answer.headers["Retry-After"]) > 0
        await until(lambda: box.door.count == 3, "the fourth is gone")


@on_the_loop
async def test_a_head_that_does_not_end_in_time_is_hung_up_on(box: Box) -> None:
    box.door.conn_params.header_timeout = 1.0
    silent, dripping = await box.connect(), await box.connect()
    dripping.send(b"GET /health HTTP/1.1\r\nHost: ")
    assert await silent.rest() == b""
    assert await dripping.rest() == b""
    served = await box.connect()
    assert (await served.ask("GET", "/health")).status == 200
    assert await served.rest() == b"", "a connection that rests too long is given back too"


# ---- when the system has no descriptor left ----


@on_the_loop
async def test_without_a_descriptor_the_door_rests_and_opens_again(
    box: Box, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.door._REST", 0.05)
    (own,) = listening(0, "127.0.0.1")
    box.door.add_sockets([own])
    address = own.getsockname()
    knocking = [socket.socket() for _ in range(3)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # those that are open stay so
    try:
        for each in knocking:
            each.connect(address)
        await until(lambda: "no connection can be accepted" in caplog.text, "the door rests")
        assert box.door.count == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await until(lambda: box.door.count == 3, "all are let in")
    for each in knocking:
        each.close()
    await until(lambda: box.door.count == 0, "all are gone")


@on_the_loop
async def test_a_door_that_is_closed_while_it_rests_stays_closed(
    box: Box, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.door._REST", 0.0)
    (own,) = listening(0, "127.0.0.1")
    box.door.add_sockets([own])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as knocking:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            knocking.connect(own.getsockname())
            await until(lambda: "no connection can be accepted" in caplog.text, "the door rests")
            box.door.stop()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert box.door.count == 0


def test_each_connection_may_need_a_second_descriptor_and_those_turned_away_one() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert 2 * connection_limit(10**6) + 64 + 128 <= open_files()
        assert connection_limit(10) == 10
        assert connection_limit(1) == 8
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
