"""WebSocket: join, replay, live, leave, and the client's few commands. A bad message gets an `error`, no traceback."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any

from tornado.websocket import WebSocketClosedError, WebSocketHandler

from handlers.base import Base
from handlers.commands import Command, Commands
from handlers.follower import Follower
from handlers.frames import text_frame
from handlers.heartbeat import Heartbeat
from handlers.operator import is_operator, key_of
from station.errors import Problem, Refused
from station.station import Station
from station.wire import Message, loads, text_of

SEND_BUFFER = 64 * 1024
"""Bytes the kernel may hold for one watcher. By default it takes 4 MiB, and slow watchers cannot be told (measured)."""
LONGEST_MESSAGE = 64 * 1024
TRY_AGAIN_LATER = 1013
POLICY = 1008
GOING_AWAY = 1001
_BURST, _RATE = 60.0, 20.0  # client messages: at once, and a second
_PATIENCE = 200  # messages turned away before the socket is closed
_VERSION = "13"


class Push(Base, WebSocketHandler):
    """One socket; it may watch several sessions."""

    transport = "websocket"

    def initialize(self, station: Station) -> None:
        super().initialize(station)
        self.follower = Follower(station, self)
        self._heart = Heartbeat(station.config.heartbeat, station.clock, lambda: self.ping(b"beat"), self._drop)
        self._commands = Commands(station, self.follower, self.tell)
        self._wish: dict[str, Any] = {}
        self._tokens, self._refilled_at, self._turned_away = _BURST, station.clock().mono, 0

    async def prepare(self) -> None:
        """Nothing of Base's: a handshake has no body."""

    def check_origin(self, origin: str) -> bool:
        """The gate has decided already, by the same rule as for every other request."""
        return True

    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self.station.config.ws_compression else None

    async def get(self, *args: str, **kwargs: str) -> None:
        if (wrong := self._wrong_with_handshake()) is not None:
            self.problem = Problem("VALIDATION_ERROR", wrong)
            await self.answer_problem()
            return
        self._wish = self._wished()  # before the handshake: an address that is no text is answered 400
        self._commands.is_operator = is_operator(self)
        self.clear_header("WWW-Authenticate")  # nobody else need be one
        await WebSocketHandler.get(self, *args, **kwargs)

    def _wrong_with_handshake(self) -> str | None:
        """Looked for before Tornado does, which would answer in plain text."""
        headers = self.request.headers
        if headers.get("Upgrade", "").lower() != "websocket":
            return "this address speaks WebSocket"
        if "upgrade" not in {word.strip().lower() for word in headers.get("Connection", "").split(",")}:
            return "Connection must be Upgrade"
        if not headers.get("Sec-WebSocket-Key"):
            return "Sec-WebSocket-Key is missing"
        if "Sec-WebSocket-Version" not in headers:
            return "Sec-WebSocket-Version is missing"
        return None if self._speaks_our_version() else f"Sec-WebSocket-Version must be {_VERSION}"

    def _speaks_our_version(self) -> bool:
        return self.request.headers.get("Sec-WebSocket-Version", _VERSION) == _VERSION

    def answer_to(self, problem: Problem) -> tuple[int, dict[str, Any]]:
        status, body = super().answer_to(problem)
        if self._speaks_our_version():
            return status, body
        self.set_header("Sec-WebSocket-Version", _VERSION)  # RFC 6455, 4.4
        return HTTPStatus.UPGRADE_REQUIRED, body

    async def open(self, *_: str, **__: str) -> None:
        if self.ws_connection is None or self._stream().closed():
            return  # gone again already; `on_close` has been or will be called
        stream = self._stream()
        stream.set_nodelay(True)
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.station.sockets.add(self)
        if self._commands.is_operator:
            key_of(self).on_void.add(self._logged_out)
        self._heart.begin()
        try:
            if self._wish:
                await self._carry_out("join-session", self._wish)
        except BaseException:
            self.on_close()  # Tornado does not call it for a socket that failed to open
            raise

    def _wished(self) -> dict[str, Any]:
        """What is to be joined at once, by the address; empty: nothing."""
        session_id = self.get_query_argument("sessionId", None)
        if session_id is None:
            return {}
        query = {name: self.get_query_argument(name, None) for name in ("lastSeq", "epoch")}
        data = {"sessionId": session_id, "lastSeq": _count(query["lastSeq"]), "epoch": query["epoch"]}
        return {name: value for name, value in data.items() if value is not None}

    # -- what the client says

    async def on_message(self, text: str | bytes) -> None:
        if not self._may_speak():
            return
        name = ""
        try:
            if isinstance(text, bytes):
                raise Refused("VALIDATION_ERROR", "messages must be text")
            if len(text) > LONGEST_MESSAGE:
                raise Refused("REQUEST_TOO_LARGE", f"at most {LONGEST_MESSAGE} characters")
            name, data = _read(text)
        except Refused as refused:
            self.put_error(name, refused.problem)
            return
        await self._carry_out(name, data)

    async def _carry_out(self, name: str, data: Any) -> None:
        self._heart.hold()
        try:
            await Command.named(name)(self._commands, data)
        except Refused as refused:
            self.put_error(name, refused.problem)
        finally:
            self._heart.go_on()

    def _may_speak(self) -> bool:
        """A token bucket: a client that talks too fast is told so, and in the end dropped."""
        now = self.station.clock().mono
        self._tokens = min(_BURST, self._tokens + (now - self._refilled_at) * _RATE)
        self._refilled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return True
        self._turned_away += 1
        if self._turned_away >= _PATIENCE:
            self.close(POLICY, "too many messages")
        elif self._turned_away % 20 == 1:
            self.put_error("", Problem("RATE_LIMIT_EXCEEDED"))
        return False

    # -- what it is told

    def tell(self, name: str, data: Mapping[str, Any], seq: int | None = None) -> None:
        self.follower.put(Message(text_of(name, data, seq), name, seq or 0))

    def put_error(self, event: str, problem: Problem) -> None:
        """Answer a bad message. No `seq`: an error is about that message, not about a session."""
        error = problem.pushed(self.station.config.language)
        self.tell("error", {"event": event, "error": error, "timestamp": self.station.clock().stamp})

    def is_free(self) -> bool:
        # With compression each socket needs frames of its own, which only Tornado can make.
        return not self.station.config.ws_compression and not self._stream().writing()

    def send(self, message: Message) -> Awaitable[Any]:
        if self.ws_connection is None:
            raise OSError("the socket is closed")
        if self.station.config.ws_compression:
            return self._send_compressed(message)
        sent: Awaitable[Any] = self._stream().write(text_frame(message))
        return sent

    async def _send_compressed(self, message: Message) -> None:
        try:
            await self.write_message(message.text)
        except WebSocketClosedError as error:
            raise OSError("the socket is closed") from error

    def overflowed(self) -> None:
        self.close(TRY_AGAIN_LATER, "too slow, come back with lastSeq")

    def _stream(self) -> Any:
        connection = self.ws_connection
        if connection is None:
            raise OSError("the socket is closed")
        return connection.stream

    @property
    def round_trip(self) -> float | None:
        """Seconds that the last ping took."""
        return self._heart.round_trip

    def on_pong(self, data: bytes) -> None:
        if (trip := self._heart.answered()) is not None:
            self.station.meters.pinged(trip)

    def _drop(self) -> None:
        if self.ws_connection is not None:
            self._stream().close()

    def _logged_out(self) -> None:
        """The page comes back by itself, and is asked for the token."""
        self.close(POLICY, "logged out")

    def on_close(self) -> None:
        key_of(self).on_void.discard(self._logged_out)
        self.station.sockets.discard(self)
        self.follower.close()
        self._heart.stop()


def _read(text: str) -> tuple[str, Any]:
    """Event name and data of a client message. Raises VALIDATION_ERROR."""
    try:
        message = loads(text)
    except ValueError:
        raise Refused("VALIDATION_ERROR", "the message is not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("event"), str):
        raise Refused("VALIDATION_ERROR", 'a message looks like {"event": name, "data": {...}}')
    return message["event"], message.get("data")


def _count(text: str | None) -> int | None:
    """A position from a query; what is no number counts as one that cannot be served, so that a resync follows."""
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 2**53
