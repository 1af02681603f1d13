"""Whoever watches a session: over a WebSocket, an event stream, or by polling. Each keeps what it was told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Coroutine
from typing import Any

from tests.scenarios.clients import Socket, ask, event_stream, poll
from tests.scenarios.lines import LIFECYCLE


class Position:
    """What a client has to remember: the number of the last lifecycle event, and the epoch."""

    def __init__(self, last_seq: int | None = None, epoch: str | None = None) -> None:
        self.seq = last_seq
        self.epoch = epoch
        self.told: list[dict[str, Any]] = []
        self.over = False

    def take(self, message: dict[str, Any]) -> None:
        self.told.append(message)
        if message["event"] in LIFECYCLE:
            self.seq = message["seq"]
        elif message["event"] == "session-joined":
            self.epoch = message["data"]["epoch"]
            self.seq = message["seq"]

    @property
    def query(self) -> str:
        given = {"lastSeq": self.seq, "epoch": self.epoch}
        return "&".join(f"{name}={value}" for name, value in given.items() if value is not None)


class Screen:
    """Watches over a WebSocket, and reads only in `read_all`."""

    def __init__(self, session_id: str, position: Position) -> None:
        self.session_id = session_id
        self.position = position
        self.socket: Socket | None = None
        self.code: int | None = None
        """How the station closed, if it did."""
        self._fences = itertools.count(1)

    async def join(self, port: int) -> None:
        self.socket = await Socket.open(port, f"/ws?sessionId={self.session_id}&{self.position.query}")

    async def read_all(self) -> list[dict[str, Any]]:
        """Everything that was sent by now. The answer to a question of our own comes after all of it."""
        told: list[dict[str, Any]] = []
        if self.socket is None:
            return told
        fence = f"fence {next(self._fences)}"
        with contextlib.suppress(OSError):  # it hung up; what it said before that can still be read
            await self.socket.say("leave-session", fence)
        while (message := await self.socket.read()) is not None:
            if message["event"] == "session-left" and message["data"]["sessionId"] == fence:
                return told
            self.position.take(message)
            told.append(message)
        self.code = self.socket.code
        await self.cut()
        return told

    async def cut(self) -> None:
        if self.socket is not None:
            await self.socket.close()
            self.socket = None


class Background:
    """Watches in a task of its own; cut and come back, it goes on from where it was."""

    def __init__(self, session_id: str, position: Position) -> None:
        self.session_id = session_id
        self.position = position
        self._task: asyncio.Task[None] | None = None

    def join(self, port: int) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch(port))

    def _watch(self, port: int) -> Coroutine[Any, Any, None]:
        raise NotImplementedError

    async def cut(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


class Stream(Background):
    async def _watch(self, port: int) -> None:
        path = f"/api/upload/events/{self.session_id}?{self.position.query}"
        async for id, text in event_stream(port, path):
            message = json.loads(text)
            self.position.take(message)
            named = f"{self.position.epoch}:{message['seq']}" if message["event"] in LIFECYCLE else ""
            assert id == named
        self.position.over = True


class Poller(Background):
    async def _watch(self, port: int) -> None:
        position = self.position
        if position.seq is None:
            snapshot = (await ask(port, "GET", f"/api/upload/progress/{self.session_id}")).json()
            position.seq, position.epoch = snapshot["seq"], snapshot["epoch"]
        while not position.over:
            answer = await poll(port, self.session_id, position.seq, position.epoch or "", 20)
            for message in answer["events"]:
                position.take(message)
            position.over = "summary" in answer and position.seq == answer["seq"]
