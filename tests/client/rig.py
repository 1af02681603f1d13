"""The commands as processes, and a way to the station that stands still after so many bytes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.proxy import Proxy
from tests.clients.rig import MIB, ROOT, Station
from tests.scenarios.clients import Connection

PATIENCE = 120.0  # seconds
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

    @property
    def session_id(self) -> str:
        """Once it has told it."""
        match = re.search(r"/s/([0-9a-f-]+)", self.out)
        assert match, self.out
        return match[1]

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


class Weir(Proxy):
    """A TCP proxy that lets so many bytes up, and then holds all of them, until it is opened. `held`: it holds some."""

    def __init__(self, port: int, lets: int) -> None:
        super().__init__(port)
        self._left = lets
        self._is_open = self._is_shut = False
        self._news = asyncio.Event()
        self.held = threading.Event()

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

    async def serve(self, client: Connection) -> None:
        if (first := await self.admit(client)) is not None:
            station = await Connection.open(self._goal)
            try:
                await station.send(first)
                await self._join(client, station)
            finally:
                await station.close()

    async def admit(self, client: Connection) -> bytes | None:
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


class Forgetful(Weir):
    """It holds nothing, and loses the answers to the first requests that make an upload."""

    def __init__(self, port: int, times: int) -> None:
        super().__init__(port, sys.maxsize)
        self.left = times

    async def admit(self, client: Connection) -> bytes | None:
        head = await client.reader.readuntil(b"\r\n\r\n")
        if not self.left or not head.startswith(b"POST /files/ "):
            return head
        self.left -= 1
        station = await Connection.open(self._goal)
        await station.send(head)
        await station.reader.readuntil(b"\r\n\r\n")
        await station.close()
        return None


class NoSockets(Weir):
    """A proxy that speaks no WebSocket."""

    refused = 0

    async def admit(self, client: Connection) -> bytes | None:
        head = await client.reader.readuntil(b"\r\n\r\n")
        if b"Upgrade: websocket" not in head:
            return head
        self.refused += 1
        await client.send(b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return None


@dataclass(frozen=True)
class Held:
    """`stored`: bytes of the session's first file that the station has."""

    sending: Command
    weir: Weir
    session_id: str
    stored: int


@contextlib.contextmanager
def held_back(station: Station, folder: Path, *words: str) -> Iterator[Held]:
    """`send` in the middle of a file: a part is stored, the rest waits for the weir to be opened."""
    with Weir(station.port, 3 * MIB).running() as weir:
        sending = Command(folder, "send", *words, "--to", weir.url)
        assert weir.held.wait(PATIENCE)
        yield Held(sending, weir, sending.session_id, stored_bytes(station, sending.session_id, MIB))
