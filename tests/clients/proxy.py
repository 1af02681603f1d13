"""A TCP proxy in a thread with a loop of its own, beside clients that block. Its kinds say what it does."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Self

from tests.scenarios.clients import HOST, Connection


class Proxy:
    def __init__(self, goal: int) -> None:
        """`goal`: the port of the station."""
        self._goal = goal
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @contextlib.contextmanager
    def running(self) -> Iterator[Self]:
        listening = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._run(listening)), name="proxy")
        thread.start()
        listening.wait()
        try:
            yield self
        finally:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join()

    async def serve(self, client: Connection) -> None:
        """A connection of a client; it is closed afterwards."""
        raise NotImplementedError

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
        # A cancel is the end, also of closing; asyncio's streams would take it for a fault.
        with contextlib.suppress(asyncio.CancelledError, OSError):
            try:
                await self.serve(client)
            finally:
                await client.close()
        self._running.discard(task)
