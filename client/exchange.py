"""One request and its answer over a connection of their own, the answer being read while the body is still sent.

By Tornado's own connection, and not by its client (docs/decisions/client.md). Knows nothing of stations.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient

from client.faults import Broken, GaveUp, Hopeless

CONNECT_TIME = 15.0  # seconds
_OTHER_NAME, _OUT_OF_DATE = {62, 64}, {9, 10}  # OpenSSL's X509_V_ERR_…
_LONGEST_HEAD = 64 * 1024
_LONGEST_ANSWER = 16 * 1024**2  # a snapshot of a thousand files is half a MiB

Write = Callable[[bytes], Awaitable[None]]
Body = Callable[[Write], Awaitable[None]]
"""Writes a request's body, piece by piece, as long as its Content-Length says."""


@dataclass(frozen=True)
class Host:
    name: str
    port: int
    trust: ssl.SSLContext | None
    """None: without TLS."""


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: HTTPHeaders
    body: Body | None = None


@dataclass(frozen=True)
class Reply:
    status: int
    headers: HTTPHeaders
    body: bytes


async def exchange(host: Host, request: Request, *, within: float, stall: float) -> Reply:
    """Raises Broken: no whole answer within so many seconds, or a body that stands still for `stall`; GaveUp.

    What the body's writer raises comes out as it is.
    """
    try:
        async with asyncio.timeout(within):
            stream = await TCPClient().connect(host.name, host.port, ssl_options=host.trust, timeout=CONNECT_TIME)
            try:
                parameters = HTTP1ConnectionParameters(
                    no_keep_alive=True, max_header_size=_LONGEST_HEAD, max_body_size=_LONGEST_ANSWER, decompress=True
                )
                return await _talk(HTTP1Connection(stream, True, parameters), request, stall)
            finally:
                stream.close()
    except (OSError, StreamClosedError) as error:
        raise broken(error) from None


async def _talk(connection: HTTP1Connection, request: Request, stall: float) -> Reply:
    answer = _Answer()
    try:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_read(connection, answer))
            writing = group.create_task(_write(connection, request, stall))
            # Whole, or never: the connection itself waits for the end of the body before it says so.
            await answer.over.wait()
            reading.cancel()
            writing.cancel()
    except BaseExceptionGroup as group_of_faults:
        raise group_of_faults.exceptions[0] from None
    if not answer.is_whole:
        raise answer.fault or StreamClosedError()
    return Reply(answer.status, answer.headers, bytes(answer.body))


async def _read(connection: HTTP1Connection, answer: _Answer) -> None:
    try:
        await connection.read_response(answer)
    except StreamClosedError as error:
        answer.fault = error
    finally:
        answer.over.set()


async def _write(connection: HTTP1Connection, request: Request, stall: float) -> None:
    async def write(block: bytes) -> None:
        try:
            # Not `wait_for`, which until Python 3.12 swallows a cancellation when the block has just gone.
            async with asyncio.timeout(stall):
                await connection.write(block)
        except TimeoutError:
            raise Broken("the connection stands still") from None
        await asyncio.sleep(0)  # what is written at once holds up nobody else

    # Where it is closed there may be an answer yet to be read, which says why.
    with suppress(StreamClosedError):
        connection.write_headers(RequestStartLine(request.method, request.target, ""), request.headers)
        if request.body is not None:
            await request.body(write)
        connection.finish()


class _Answer(HTTPMessageDelegate):
    """What came so far; interim answers are overwritten by what follows them."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 0, HTTPHeaders(), bytearray()
        self.is_whole = False
        self.over = asyncio.Event()
        self.fault: StreamClosedError | None = None

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        assert isinstance(start_line, ResponseStartLine)
        self.status, self.headers = start_line.code, headers

    def data_received(self, chunk: bytes) -> None:
        self.body += chunk

    def finish(self) -> None:
        self.is_whole = True
        self.over.set()

    def on_connection_close(self) -> None:
        self.over.set()


def broken(error: BaseException) -> Broken:
    """In some words, for people. Raises GaveUp for a certificate that is not trusted: no waiting helps."""
    if isinstance(error, StreamClosedError):
        error = error.real_error or OSError("the connection was closed")
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        key = "other_name" if code in _OTHER_NAME else "out_of_date" if code in _OUT_OF_DATE else "untrusted"
        raise GaveUp from Hopeless(key, error.verify_message)
    return Broken(_reason(error))


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or "no answer"
