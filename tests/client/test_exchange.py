"""One request and its answer, whatever the other side does."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable

import pytest
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError

from client.exchange import Body, Host, Reply, Request, Write, broken, exchange
from client.faults import Broken, GaveUp, Hopeless
from tests.handlers.site import on_the_loop
from tests.scenarios.clients import HOST, Connection

Play = Callable[[Connection], Awaitable[None]]
MIB = 1024**2


async def ask(
    play: Play, method: str = "GET", length: int | None = None, body: Body | None = None, stall: float = 60
) -> Reply:
    """Of a server that plays this once the head has come."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await play(connection)
        except OSError:
            pass  # the client has gone
        finally:
            await connection.close()
            over.set()

    over = asyncio.Event()
    async with await asyncio.start_server(serve, HOST, 0) as server:
        host = Host(HOST, server.sockets[0].getsockname()[1], None)
        headers = HTTPHeaders({"Host": HOST} | ({} if length is None else {"Content-Length": str(length)}))
        try:
            return await exchange(host, Request(method, "/x", headers, body), within=120, stall=stall)
        finally:
            await over.wait()


def answering(text: str) -> Play:
    async def play(connection: Connection) -> None:
        await connection.send(text.encode())

    return play


def resetting(text: str) -> Play:
    async def play(connection: Connection) -> None:
        await connection.send(text.encode())
        sock = connection.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.writer.transport.abort()

    return play


@on_the_loop
async def test_an_answer_is_read_with_and_without_a_length() -> None:
    for text in (
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 104 Upload Resumption Supported\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ):
        reply = await ask(answering(text))
        assert (reply.status, reply.body) == (200, b"hello")


@on_the_loop
async def test_an_answer_that_was_compressed_is_read() -> None:
    packed = gzip.compress(b"hello")

    async def play(connection: Connection) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        await connection.send(head.encode() + packed)

    assert (await ask(play)).body == b"hello"


@on_the_loop
async def test_the_answer_to_head_has_no_body() -> None:
    reply = await ask(answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nUpload-Offset: 7\r\n\r\n"), "HEAD")
    assert (reply.headers["Upload-Offset"], reply.body) == ("7", b"")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "SMTP ready\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 104 Again\r\n\r\n" * 20,
    ],
)
@pytest.mark.parametrize("way", [answering, resetting])
@on_the_loop
async def test_half_an_answer_and_nonsense_are_a_break(text: str, way: Callable[[str], Play]) -> None:
    """A reset in the middle of an answer's body is what Tornado's own client never comes back from."""
    with pytest.raises(Broken):
        await ask(way(text))


@on_the_loop
async def test_an_answer_that_comes_while_the_body_is_sent_ends_the_sending() -> None:
    written = 0

    async def body(write: Write) -> None:
        nonlocal written
        while True:
            await write(bytes(64 * 1024))
            written += 64 * 1024

    async def play(connection: Connection) -> None:
        await connection.reader.readexactly(MIB)
        await connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        while await connection.reader.read(64 * 1024):
            pass

    reply = await ask(play, "PATCH", 10_000 * MIB, body)
    assert reply.status == 413
    assert written < 10_000 * MIB


@on_the_loop
async def test_a_body_that_nobody_takes_is_given_up() -> None:
    over = asyncio.Event()

    async def body(write: Write) -> None:
        try:
            while True:
                await write(bytes(MIB))
        finally:
            over.set()

    async def play(connection: Connection) -> None:
        connection.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await over.wait()

    with pytest.raises(Broken, match="stands still"):
        await ask(play, "PATCH", 10_000 * MIB, body, stall=0.2)


@on_the_loop
async def test_what_the_writer_raises_comes_out_as_it_is() -> None:
    async def body(write: Write) -> None:
        await write(b"begin")
        raise KeyError("mine")

    async def play(connection: Connection) -> None:
        await connection.reader.read()

    with pytest.raises(KeyError, match="mine"):
        await ask(play, "PATCH", 100, body)


@on_the_loop
async def test_a_station_that_does_not_answer_in_time_is_a_break() -> None:
    async def play(connection: Connection) -> None:
        await connection.reader.read()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await play(Connection(reader, writer))
        writer.close()
        over.set()

    over = asyncio.Event()
    async with await asyncio.start_server(serve, HOST, 0) as server:
        host = Host(HOST, server.sockets[0].getsockname()[1], None)
        with pytest.raises(Broken, match="in time"):
            await exchange(host, Request("GET", "/", HTTPHeaders()), within=0.2, stall=60)
        await over.wait()


@on_the_loop
async def test_nobody_there_is_a_break_with_the_systems_words() -> None:
    with pytest.raises(Broken, match="Connection refused"):
        await exchange(Host(HOST, 1, None), Request("GET", "/", HTTPHeaders()), within=60, stall=60)


def test_reasons_are_words() -> None:
    assert str(broken(StreamClosedError())) == "the connection was closed"
    assert str(broken(TimeoutError())) == "no answer in time"
    reset = ConnectionResetError(104, "Connection reset by peer")
    assert str(broken(StreamClosedError(reset))) == "Connection reset by peer"


@pytest.mark.parametrize(
    ("code", "key"), [(18, "untrusted"), (20, "untrusted"), (10, "out_of_date"), (62, "other_name"), (64, "other_name")]
)
def test_a_certificate_that_is_not_trusted_is_no_break_that_heals(code: int, key: str) -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "why"
    with pytest.raises(GaveUp) as end:
        broken(StreamClosedError(error))
    assert isinstance(end.value.__cause__, Hopeless)
    assert (end.value.__cause__.key, end.value.__cause__.reason) == (key, "why")
