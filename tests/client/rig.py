"""The commands as processes, and a way to the station that stands still after so many bytes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.clients.rig import ROOT, Station
from tests.scenarios.clients import HOST, Connection

PATIENCE = 40.0  # seconds
_BLOCK = 32 * 1024
Json = dict[str, Any]


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def messages(self) -> list[Json]:
        """What `--json` wrote, each line on its own."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self) -> Json:
        last = self.messages[-1]
        assert last["event"] == "summary", last
        found: Json = last["data"]
        return found

    @property
    def link(self) -> str:
        """The session's, from the first line for people."""
        name, _, link = self.out.splitlines()[0].partition(": ")
        assert name == "Session", self
        return link


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Of a user with a home of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UPLOAD_STATION_", "LC_"))}
    return {**kept, "LANG": "C.UTF-8", "PYTHONUTF8": "1", "XDG_STATE_HOME": str(folder / "state"), **more}


def command_line(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "server.py"), *words]


class Command:
    """One that runs; what it writes goes to files."""

    def __init__(self, folder: Path, *words: str, **more: str) -> None:
        self._files = [folder / f"{name}-{time.monotonic_ns()}" for name in ("out", "err")]
        with self._files[0].open("wb") as out, self._files[1].open("wb") as err:
            self.process = subprocess.Popen(
                command_line(*words), stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment(folder, **more)
            )

    @property
    def out(self) -> str:
        return self._files[0].read_text()

    def ended(self) -> Ended:
        try:
            status = self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
        ended = Ended(status, self.out, self._files[1].read_text())
        assert "Traceback" not in ended.err, ended.err
        return ended


def run(folder: Path, *words: str, **more: str) -> Ended:
    return Command(folder, *words, **more).ended()


def send(folder: Path, *words: str, **more: str) -> Ended:
    return run(folder, "send", *words, **more)


def stored_bytes(station: Station, session_id: str, at_least: int = 1) -> int:
    """So many bytes of the session's first file are stored; waits for them."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        page = station.ask(f"/api/upload/progress/{session_id}?since=0&wait=0.2")
        if page["files"] and page["files"][0]["uploadedBytes"] >= at_least:
            return int(page["files"][0]["uploadedBytes"])
    raise AssertionError("the bytes never arrived")


class Weir:
    """A TCP proxy that lets so many bytes up, and then holds all of them, until it is opened. `held`: it holds some."""

    def __init__(self, port: int, lets: int) -> None:
        self._goal, self._left = port, lets
        self._is_open = self._is_shut = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news, self._stop = asyncio.Event(), asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self.held = threading.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def open(self) -> None:
        assert self._loop is not None
        self._is_open = True
        self._loop.call_soon_threadsafe(self._news.set)

    def cut(self) -> None:
        """End the connections that there are now."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._running])

    def shut(self) -> None:
        """Let nobody through from now on."""
        self._is_shut = True

    @contextlib.contextmanager
    def running(self) -> Iterator[Self]:
        listening = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._run(listening)), name="weir")
        thread.start()
        listening.wait()
        try:
            yield self
        finally:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join()

    async def _run(self, listening: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        listening.set()
        await self._stop.wait()
        server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        client = Connection(reader, writer)
        with contextlib.suppress(asyncio.CancelledError, OSError):
            if (first := await self._admit(client)) is not None:
                station = await Connection.open(self._goal)
                try:
                    await station.send(first)
                    await self._join(client, station)
                finally:
                    await station.close()
        await client.close()
        self._running.discard(task)

    async def _admit(self, client: Connection) -> bytes | None:
        """What is read of it already; None: it is turned away."""
        return None if self._is_shut else b""

    async def _join(self, client: Connection, station: Connection) -> None:
        loop = asyncio.get_running_loop()
        ways = [loop.create_task(self._carry(client, station, up=True))]
        ways.append(loop.create_task(self._carry(station, client, up=False)))
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _carry(self, source: Connection, goal: Connection, *, up: bool) -> None:
        with contextlib.suppress(OSError):
            while block := await source.reader.read(_BLOCK):
                if up and not self._is_open:
                    first, block = block[: self._left], block[self._left :]
                    self._left -= len(first)
                    await goal.send(first)
                    if block:
                        self.held.set()
                        await self._news.wait()
                await goal.send(block)


class NoSockets(Weir):
    """A proxy that speaks no WebSocket."""

    refused = 0

    async def _admit(self, client: Connection) -> bytes | None:
        head = await client.reader.readuntil(b"\r\n\r\n")
        if b"Upgrade: websocket" not in head:
            return head
        self.refused += 1
        await client.send(b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return None
