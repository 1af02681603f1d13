"""Posts to the webhook's address. Wants the answer's status, and at most when to come again; reads no more than that.

Not Tornado's ready client: its time limits follow the wall clock, and to it an answer whose body breaks off is none,
so that what was taken would be sent again.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient

from handlers import VERSION
from station.hooks import Answer, Unreachable

_HEAD, _BODY = 16 * 1024, 64 * 1024  # bytes of an answer that are read
_REST = 1.0  # seconds for what follows the head: to hang up at once would be an error to many receivers
_NO_HTTP = "its answer is no HTTP"


class Poster:
    """`address`: http or https, perhaps with a name and a password, which are sent as Basic authentication.

    Certificates are checked, redirections are not followed, the environment's proxies are not used.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        secure = parts.scheme.lower() == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if secure else 80)
        self._context = ssl.create_default_context() if secure else None
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._fields = {
            "Host": parts.netloc.rpartition("@")[2],
            "Content-Type": "application/json",
            "User-Agent": f"Upload-Station/{VERSION}",
            "Connection": "close",
        }
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._fields["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"

    async def __call__(self, body: bytes, headers: Mapping[str, str], limit: float) -> Answer:
        """Raises Unreachable."""
        why = "it hung up without an answer"
        try:
            async with asyncio.timeout(limit) as deadline:
                head = _Head(deadline)
                await self._exchange(body, headers, head, limit)
                why = _NO_HTTP
        except TimeoutError:
            why = f"it did not answer within {limit:g} s"
        except (OSError, StreamClosedError, HTTPInputError, HTTPOutputError, UnicodeError) as error:
            why = _words(error) or why
        if head.answer is None:
            raise Unreachable(why)
        return head.answer

    async def _exchange(self, body: bytes, headers: Mapping[str, str], head: _Head, limit: float) -> None:
        stream = await TCPClient().connect(self._host, self._port, ssl_options=self._context, timeout=limit)
        try:
            parameters = HTTP1ConnectionParameters(no_keep_alive=True, max_header_size=_HEAD, max_body_size=_BODY)
            connection = HTTP1Connection(stream, True, parameters)
            fields = HTTPHeaders({**self._fields, **headers, "Content-Length": str(len(body))})
            sent: Any = connection.write_headers(RequestStartLine("POST", self._target, ""), fields, body)
            connection.finish()
            with suppress(StreamClosedError):  # it may have answered without reading all
                await sent
            await connection.read_response(head)
        finally:
            stream.close()


class _Head(HTTPMessageDelegate):
    """Hears an answer; whatever comes after its head changes nothing, and is not waited for until the deadline."""

    def __init__(self, deadline: asyncio.Timeout) -> None:
        self.answer: Answer | None = None
        self._deadline = deadline

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        if isinstance(start_line, ResponseStartLine) and start_line.code >= 200:
            wait = headers.get("Retry-After", "").strip()
            self.answer = Answer(start_line.code, float(wait) if wait.isascii() and wait.isdigit() else 0.0)
            soon, latest = asyncio.get_running_loop().time() + _REST, self._deadline.when()
            self._deadline.reschedule(soon if latest is None else min(soon, latest))


def _words(error: Exception) -> str:
    """Why, without the address."""
    cause = error.real_error if isinstance(error, StreamClosedError) else error
    match cause:
        case None:
            return ""
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {cause.verify_message}"
        case ssl.SSLError():
            return f"no secure connection: {(cause.reason or 'refused').replace('_', ' ').lower()}"
        case socket.gaierror() | UnicodeError():  # it cannot even be asked for
            return "its name is not known"
        case OSError() if cause.strerror:
            return cause.strerror[0].lower() + cause.strerror[1:]
        case OSError():
            return "no connection"
        case _:
            return _NO_HTTP
