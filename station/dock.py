"""Where bytes come in: what every delivery needs, passed in once. Blocking work goes to a few threads from here."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar

from station.clock import Clock
from station.config import Config
from station.errors import Problem, Refused
from station.formats import Formats
from station.inspection import Inspection
from station.meters import Meters
from station.space import Space
from station.storage import Storage

P = ParamSpec("P")
T = TypeVar("T")
WORKERS = 8
"""Threads that write: enough for one stuck disk not to hold up all, few enough for a small board."""


class Delivery(Protocol):
    """What the dock may ask of a delivery."""

    def check(self) -> None: ...


FEW = 4
LARGE, SMALL = 1024**2, 256 * 1024


@dataclass
class Dock:
    config: Config
    clock: Clock
    storage: Storage
    formats: Formats
    new_id: Callable[[], str]
    space: Space
    meters: Meters = field(default_factory=Meters)
    deliveries: set[Delivery] = field(default_factory=set)
    """What is coming in now; a delivery leaves when it is stored or dead."""
    _empty: asyncio.Event = field(default_factory=asyncio.Event)
    _working: set[asyncio.Future[Any]] = field(default_factory=set)
    closed: bool = False
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(WORKERS, "writer"))
    inspection: Inspection = field(init=False)

    def __post_init__(self) -> None:
        self.inspection = Inspection(self.config, self.storage.own / "parts")

    def enter(self, delivery: Delivery) -> None:
        self.deliveries.add(delivery)
        self._empty.clear()

    def depart(self, delivery: Delivery) -> None:
        self.deliveries.discard(delivery)
        if not self.deliveries:
            self._empty.set()

    async def emptied(self) -> None:
        """Wait until nothing is coming in."""
        if self.deliveries:
            await self._empty.wait()

    async def emptied_within(self, patience: float) -> bool:
        """The same, but not for ever; checks of files that take longer are ended. Whether nothing is coming in."""
        for last in (False, True):
            try:
                await asyncio.wait_for(self.emptied(), 1.0 if last else patience)
                return True
            except TimeoutError:
                await self.inspection.stop()
        return False

    @property
    def room(self) -> int:
        """Bytes a delivery gathers for one write, and as many behind it. Large writes cost less CPU, but memory."""
        return LARGE if len(self.deliveries) <= FEW else SMALL

    def check(self) -> None:
        """Have every delivery notice whether its attempt still runs."""
        for delivery in tuple(self.deliveries):
            delivery.check()

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Do blocking work in a thread. Closing the loop's side of it does not stop it: fence what follows."""
        future = asyncio.get_running_loop().run_in_executor(self.workers, lambda: work(*args, **kwargs))
        self._working.add(future)
        future.add_done_callback(self._working.discard)
        return future

    async def close(self) -> None:
        """End checks, wait for the work that runs and what it leads to (a part file must go), then end the threads."""
        await self.inspection.stop()
        while self._working:
            await asyncio.wait(self._working)
        self.closed = True
        self.workers.shutdown()

    def admit(self, key: str, size: int | None) -> None:
        """Raises INSUFFICIENT_STORAGE if `size` more bytes would eat into what must stay free."""
        self.space.admit(key, size, self.storage.space().free, self.clock().mono)

    def shortage(self, key: str, size: int | None) -> Problem | None:
        """The same, told instead of raised."""
        try:
            self.admit(key, size)
        except Refused as refused:
            return refused.problem
        return None

    def judge(self, name: str, size: int | None) -> Problem | None:
        """What can be said of a file before its first byte."""
        if not self.formats.allows(name):
            return Problem("UNSUPPORTED_FORMAT", f"allowed: {', '.join(self.formats.allowed)}")
        if size is not None and size > self.config.max_file_size:
            return Problem("FILE_SIZE_EXCEEDED", f"at most {self.config.max_file_size} bytes")
        return None

    def judge_head(self, name: str, head: bytes) -> Problem | None:
        """What its first bytes say."""
        found = self.formats.contradicts(name, head)
        return None if found is None else Problem("UNSUPPORTED_FORMAT", f"the content looks like {found}")


def problem_of(error: OSError | Refused) -> Problem:
    """The row of the table for a fault of the disk; says nothing of paths."""
    if isinstance(error, Refused):
        return error.problem
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    return Problem("INSUFFICIENT_STORAGE" if full else "SERVER_ERROR")
