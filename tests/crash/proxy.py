"""A TCP proxy that cuts connections: after so many bytes, with a FIN or a RST."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from tests.scenarios.clients import HOST, Connection


class Proxy:
    """`allowance`: asked at each new connection for the bytes it may bring down (None: all) and whether to reset it."""

    def __init__(self, port: int, allowance: Callable[[], tuple[int | None, bool]]) -> None:
        self._goal = port
        self._allowance = allowance
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._down: set[asyncio.Task[None]] = set()
        self.port = 0
        self.cuts = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.sever()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._server.wait_closed()

    def sever(self) -> None:
        """Cut what is connected now."""
        for down in tuple(self._down):
            down.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        client, station = Connection(reader, writer), await Connection.open(self._goal)
        allowed, resets = self._allowance()
        loop = asyncio.get_running_loop()
        up = loop.create_task(_carry(client, station, None))
        down = loop.create_task(_carry(station, client, allowed))
        self._down.add(down)
        try:
            await asyncio.wait([down])
            self.cuts += 1
            if resets:
                client.reset()
                station.reset()
        finally:
            self._down.discard(down)
            for way in (up, down):
                way.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            await client.close()
            await station.close()
            self._running.discard(task)


async def _carry(source: Connection, goal: Connection, allowed: int | None) -> None:
    """Until the source ends, or `allowed` bytes have passed."""
    with contextlib.suppress(OSError):
        while allowed is None or allowed > 0:
            block = await source.reader.read(min(4096, allowed or 4096))
            if not block:
                return
            await goal.send(block)
            allowed = None if allowed is None else allowed - len(block)
