"""How many connections are served: up to the limit all, above it a proper answer, far above it none."""

from __future__ import annotations

import resource

from handlers.door import connection_limit, open_files
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
async def test_a_head_that_does_not_end_in_time_is_hung_up_on(box: Box) -> None:
    box.door.conn_params.header_timeout = 0.2
    silent, dripping = await box.connect(), await box.connect()
    dripping.send(b"GET /health HTTP/1.1\r\nHost: ")
    assert await silent.rest() == b""
    assert await dripping.rest() == b""
    served = await box.connect()
    assert (await served.ask("GET", "/health")).status == 200
    assert await served.rest() == b"", "a connection that rests too long is given back too"


def test_each_connection_may_need_a_second_descriptor() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert connection_limit(10**6) <= open_files() // 2
        assert connection_limit(10) == 10
        assert connection_limit(1) == 8
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
