"""HTTP and WebSocket to one station: requests, their answers, and the fields that all of them share.

Knows nothing of uploads or sessions. Never tries again by itself.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

from client import wire
from client.exchange import CONNECT_TIME, Body, Host, Reply, Request, broken, exchange
from client.faults import Broken, GaveUp, Hopeless, Refusal

ANSWER_TIME = 60.0  # seconds for a whole request without a file
_LONGEST_MESSAGE = 16 * 1024**2
_HEARTBEAT = 20.0  # seconds between two pings; a station that does not answer within as many is gone


class Link:
    def __init__(self, base: str, *, language: str, trust: ssl.SSLContext | None = None, stall: float = 30.0) -> None:
        """`base`: `http://host:port`. `stall`: seconds after which a body that does not move is given up."""
        parts = urlsplit(base)
        secure = parts.scheme == "https"
        self.base, self._stall = base, stall
        self._trust = (trust or ssl.create_default_context()) if secure else None
        self._host = Host(parts.hostname or "", parts.port or (443 if secure else 80), self._trust)
        self._common = {"Host": parts.netloc, "User-Agent": "upload-station", "Accept-Language": language}

    async def call(
        self, method: str, path: str, value: object = None, headers: Mapping[str, str] | None = None, within: float = 0
    ) -> dict[str, Any]:
        """JSON for JSON. Raises Refusal, Broken, GaveUp. `within`: seconds more that the answer may take."""
        body = None if method == "GET" else wire.dumps({} if value is None else value).encode()
        kind = {"Accept": "application/json"} | ({} if body is None else {"Content-Type": "application/json"})
        try:
            answer = await self.ask(method, path, {**kind, **(headers or {})}, body, within=ANSWER_TIME + within)
        except Refusal as refusal:
            if self._trust is None and refusal.status == 400 and refusal.is_mute:
                # What a station and most servers say to plain http where they speak TLS.
                raise GaveUp from Hopeless("wants_https", f"https{self.base.removeprefix('http')}")
            raise
        try:
            return wire.loads(answer.body)
        except ValueError:
            # Who answers something else is no station, or not for now.
            raise Broken("the answer is not a station's") from None

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Body | None = None,
        *,
        within: float = ANSWER_TIME,
    ) -> Reply:
        """Raises Refusal for a status of 400 and more, Broken when there is no answer within so many seconds.

        GaveUp, as all of these: its certificate is not trusted.
        """
        length = {"Content-Length": str(len(body))} if isinstance(body, bytes) else {}
        fields = HTTPHeaders({**self._common, "Connection": "close", "Accept-Encoding": "gzip", **length, **headers})
        request = Request(method, path, fields, _written(body) if isinstance(body, bytes) else body)
        reply = await exchange(self._host, request, within=within, stall=self._stall)
        if reply.status >= 400:
            raise _refusal(reply)
        return reply

    async def socket(self, path: str) -> WebSocketClientConnection:
        """Raises Broken, also where a proxy in between speaks no WebSocket."""
        request = HTTPRequest(
            f"ws{self.base.removeprefix('http')}{path}",
            headers=self._common,
            connect_timeout=CONNECT_TIME,
            request_timeout=CONNECT_TIME,
            ssl_options=self._trust,
        )
        try:
            return await websocket_connect(
                request, ping_interval=_HEARTBEAT, ping_timeout=_HEARTBEAT, max_message_size=_LONGEST_MESSAGE
            )
        except (OSError, StreamClosedError, HTTPClientError, WebSocketError) as error:
            raise broken(error) from None


def number(headers: HTTPHeaders, field: str) -> int | None:
    """A count in a field of an answer; None: there is none."""
    text = headers.get(field, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _written(block: bytes) -> Body | None:
    async def write_all(write: Any) -> None:
        await write(block)

    return write_all if block else None


def _refusal(reply: Reply) -> Refusal:
    try:
        body = wire.loads(reply.body)
    except ValueError:
        body = {}
    return Refusal.answered(reply.status, body, reply.headers.get("Retry-After", ""))
