"""Server-Sent Events: the same messages as over the WebSocket, for where that is blocked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable
from typing import Any

from handlers.base import Base, verb
from handlers.follower import Follower
from handlers.push import SEND_BUFFER
from station.station import Station
from station.wire import Message

_RETRY = 2000  # milliseconds until a browser connects again


class EventStream(Base):
    def initialize(self, station: Station) -> None:
        super().initialize(station)
        self.follower: Follower | None = None
        self._over = asyncio.Event()
        self._epoch = ""

    @verb
    async def get(self, session_id: str) -> None:
        last_seq, epoch = self._position()
        picture = await self.station.sessions.picture(session_id)
        if picture.settled and last_seq == picture.seq and epoch in (None, picture.epoch):
            self.set_status(204)
            return
        stream = self._stream()
        if stream.closed():
            return  # gone again already
        self._epoch = picture.epoch
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")  # nginx would hold events back
        # Tornado's compression would wrap the stream; an encoding that is set already is left alone.
        self.set_header("Content-Encoding", "identity")
        stream.set_nodelay(True)
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        super().write(f"retry: {_RETRY}\n\n")
        await self.flush()
        self.follower = Follower(self.station, Events(self))
        await self.follower.join(session_id, last_seq, epoch)
        await self._until_over()

    async def _until_over(self) -> None:
        """Comments in the silence let a dead client or a broken proxy be noticed on both sides."""
        while not self._over.is_set():
            try:
                await asyncio.wait_for(self._over.wait(), self.station.config.heartbeat)
            except TimeoutError:
                if self._stream().closed() or self.follower is None:
                    return
                self.follower.put(Message(": still here\n\n", "", 0))

    def _position(self) -> tuple[int | None, str | None]:
        """`<epoch>:<seq>` from Last-Event-ID, or `lastSeq` and `epoch` from the query."""
        last = self.request.headers.get("Last-Event-ID") or self.get_query_argument("lastEventId", None)
        if last is not None:
            epoch, _, seq = last.rpartition(":")
        else:
            epoch, seq = self.get_query_argument("epoch", ""), self.get_query_argument("lastSeq", "")
        if not seq:
            return None, None
        known = seq.isascii() and seq.isdigit() and len(seq) < 16
        return (int(seq) if known else 2**53), epoch or None

    def text_of(self, message: Message) -> bytes:
        chunk = message.frames.get(self._epoch)
        if chunk is None:
            head = f"id: {self._epoch}:{message.seq}\n" if message.lifecycle else ""
            chunk = message.encoded if not message.event else f"{head}data: {message.text}\n\n".encode()
            message.frames[self._epoch] = chunk
        return chunk

    def end(self) -> None:
        self._over.set()

    def _stream(self) -> Any:
        return self.request.connection.stream  # type: ignore[union-attr]

    def release(self) -> None:
        if self.follower is not None:
            self.follower.close()
        self._over.set()


class Events:
    """The sink of one event stream."""

    transport = "sse"

    def __init__(self, handler: EventStream) -> None:
        self._handler = handler

    def is_free(self) -> bool:
        return not self._handler._stream().writing()

    def send(self, message: Message) -> Awaitable[Any]:
        handler = self._handler
        if handler._stream().closed():
            raise OSError("the stream is closed")
        handler.write(handler.text_of(message))
        sent = handler.flush()
        sent.add_done_callback(lambda done: done.exception())
        if message.last:
            handler.end()
        return sent

    def overflowed(self) -> None:
        self._handler._stream().close()
