"""One connection's side of pushing: joins sessions without gap or repeat, and sends what waits, one at a time.

Knows what is sent in which order; how it is sent is the sink's business (a WebSocket, an event stream).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol

from station.channel import last_word
from station.outbox import Outbox
from station.picture import Picture
from station.station import Station
from station.wire import Message, text_of

_PATIENCE = 2  # heartbeats in which a client must take at least one message of a replay


class Sink(Protocol):
    """Where messages go. `transport`: what the meters call it."""

    transport: str

    def is_free(self) -> bool:
        """Whether a message written now goes out at once."""

    def send(self, message: Message) -> Awaitable[Any]:
        """Send; what is returned is done when it has left. Raises OSError when the connection is gone."""

    def overflowed(self) -> None:
        """The subscriber stayed too far behind: disconnect it."""


class Follower:
    """Holds at most two snapshots and twice `outbox_size` for a connection, however long the replay is."""

    def __init__(self, station: Station, sink: Sink) -> None:
        self._station = station
        self._sink = sink
        self._outbox = Outbox(station.config.outbox_size)
        self._joining: dict[str, Outbox] = {}
        self._sender: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        """Set whenever a message has left, and at the end."""
        self._closed = False
        self.joined: set[str] = set()

    @property
    def transport(self) -> str:
        return self._sink.transport

    # -- joining

    async def join(self, session_id: str, last_seq: int | None = None, epoch: str | None = None) -> Picture:
        """Answer with the snapshot, then what was missed after `last_seq`, then live. Raises SESSION_NOT_FOUND."""
        await self._room()  # snapshots may be long and are not to pile up
        held = self._joining[session_id] = Outbox(self._station.config.outbox_size)
        self._station.hub.join(session_id, self)
        try:
            picture = await self._station.sessions.picture(session_id)
            self.joined.add(session_id)
            # No await between the picture and this: what comes later is held until the replay is through.
            current, settled = picture.seq, picture.settled
            since = self._position(picture, last_seq, epoch)
            resync = last_seq is not None and since is None
            # Who begins at 0 comes for the first time: a client that opened the session itself, say.
            self._station.meters.joined(self._sink.transport, position=bool(last_seq), resync=resync)
            self.put(self._joined(picture, current if since is None else since, resync=resync), exempt=True)
            if since is not None:
                await self._replay(session_id, since, current)
            if settled:
                self.put(last_word(picture, self._station.clock().stamp))
            await self._catch_up(held)
        except BaseException:
            self.leave(session_id)
            raise
        finally:
            if self._joining.get(session_id) is held:
                del self._joining[session_id]
        return picture

    @staticmethod
    def _position(picture: Picture, last_seq: int | None, epoch: str | None) -> int | None:
        """Where a replay begins; None: there is none."""
        if last_seq is None or last_seq > picture.seq or epoch not in (None, picture.epoch):
            return None
        return last_seq

    def _joined(self, picture: Picture, seq: int, *, resync: bool) -> Message:
        data = picture.snapshot(self._station.clock().stamp)
        data["currentSeq"], data["seq"] = data["seq"], seq
        if resync:
            data["resync"] = True
        return Message(text_of("session-joined", data, seq), "session-joined", seq)

    def watch(self, topic: str, greeting: Message) -> None:
        """Follow what is no session and has no history."""
        self.put(greeting, exempt=True)
        self._station.hub.join(topic, self)
        self.joined.add(topic)

    async def _replay(self, session_id: str, since: int, upto: int) -> None:
        while since < upto and not self._closed:
            page = await self._station.sessions.missed(session_id, since, upto)
            if not page:
                return
            for message in page:
                self.put(message)
                await self._room()
            self._station.meters.replayed += len(page)
            since = page[-1].seq

    async def _catch_up(self, held: Outbox) -> None:
        """Send what came during the join. More may come meanwhile; who cannot keep up with that is too slow."""
        while (message := held.take()) is not None:
            self.put(message)
            await self._room()
        if held.overflowed:
            self._overflow()

    async def _room(self) -> None:
        """Wait until half the outbox is free, for what comes live meanwhile. Who takes nothing is let go."""
        while not self._closed and self._outbox.size > self._station.config.outbox_size // 2:
            self._moved.clear()
            try:
                async with asyncio.timeout(_PATIENCE * self._station.config.heartbeat):
                    await self._moved.wait()
            except TimeoutError:
                self._overflow()

    def leave(self, session_id: str) -> None:
        self.joined.discard(session_id)
        self._station.hub.leave(session_id, self)

    def close(self) -> None:
        """The connection is over. May be called twice."""
        self._closed = True
        for session_id in (*self.joined, *self._joining):
            self._station.hub.leave(session_id, self)
        self.joined.clear()
        self._outbox.clear()
        self._moved.set()  # the sender ends by itself: with its last message, or when the connection is gone

    # -- sending

    def deliver(self, session_id: str, message: Message) -> None:
        """Called by the hub. Never blocks, never raises."""
        held = self._joining.get(session_id)
        if held is not None:
            held.put(message)
        else:
            self.put(message)
        if message.last:
            self.joined.discard(session_id)

    def put(self, message: Message, *, exempt: bool = False) -> None:
        """Send at once if the connection keeps up, else queue. `exempt`: whatever its size (see `Outbox`)."""
        if self._closed:
            return
        try:
            if self._sender is None and self._sink.is_free():
                self._sink.send(message)
                return
        except OSError:
            self.close()
            return
        self._station.meters.waited += 1
        self._station.meters.replaced += self._outbox.put(message, exempt=exempt)
        if self._outbox.overflowed:
            self._overflow()
        elif self._sender is None:
            self._sender = self._station.tasks.start(self._send_waiting(), "sender")

    async def _send_waiting(self) -> None:
        try:
            while (message := self._outbox.take()) is not None:
                await asyncio.shield(self._sink.send(message))  # Tornado logs an error if its own future is cancelled
                self._moved.set()
        except OSError:
            self._closed = True
        finally:
            self._sender = None
            self._moved.set()

    def _overflow(self) -> None:
        if not self._closed:
            self.close()
            self._station.meters.dropped(self._sink.transport)
            self._sink.overflowed()
