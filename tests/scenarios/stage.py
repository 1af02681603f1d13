"""A station in this process on a real port and a real folder, with a clock and ids of the test's own.

It can be stopped as SIGTERM stops it, killed (a new one then starts on a copy of what lay on the disk), and its disk
can be full. Nothing else about it is pretended.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tornado.netutil import bind_sockets

from handlers import Site
from handlers.door import Door
from handlers.gate import Gate
from station.clock import Clock, Moment
from station.config import Config
from station.digest import Digests
from station.file import File
from station.partfile import PartFile
from station.station import Station
from station.storage import Storage
from station.watch import TICK
from tests.scenarios.clients import HOST, PATIENCE

NOON = 1_768_478_400.0  # 2026-01-15T12:00:00Z


class StillClock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> Moment:
        return Moment(1000.0 + self.passed, NOON + self.passed)


def counted_ids() -> Callable[[], str]:
    """UUIDs that count, so that one play is like the other."""
    numbers = itertools.count(1)
    return lambda: f"{next(numbers):08x}-0000-4000-8000-000000000000"


class FullDisk(PartFile):
    """Takes no byte any more."""

    def write(self, block: bytes | bytearray, *, sync: bool = False) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces. Fails after PATIENCE."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "waited in vain"
        await asyncio.sleep(0.002)


class Stage:
    """By default its clock stands still and its ids count; crash tests give it real ones."""

    def __init__(
        self, upload_dir: Path, clock: Clock | None = None, new_id: Callable[[], str] | None = None, **options: Any
    ) -> None:
        self._upload_dir = upload_dir
        self._options = {"durability": "process", "language": "en", "min_free_space": 0, **options}
        self._still = StillClock()
        self._clock = clock or self._still
        self._new_id = new_id or counted_ids()
        self.port = 0
        self.running = False

    async def start(self) -> None:
        config = Config(upload_dir=self._upload_dir, **self._options)
        self.station = Station(config, self._clock, self._new_id)
        await self.station.start()
        self._site = Site(self.station, Gate((), (), ()), admin_token="operator", log_function=lambda _: None)
        self._door = Door(self._site, limit=100, chunk_size=256 * 1024, max_body_size=1024**2)
        sockets = bind_sockets(0, HOST)
        self._door.add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]
        self.running = True

    async def stop(self) -> None:
        """As the server does on SIGTERM."""
        self.running = False
        self._door.stop()
        await self.station.end_attempts(PATIENCE)
        for each in tuple(self.station.sockets):
            each.close(1001, "the station is shutting down")
        await asyncio.sleep(0)
        await self._door.close_all_connections()
        await self.station.stop()

    async def kill(self) -> None:
        """The next start finds what a kill at this moment leaves; what this station still does is not seen any more."""
        here, self._upload_dir = self._upload_dir, self._upload_dir.with_name(self._upload_dir.name + "+")
        await self.settled_down()
        shutil.copytree(here, self._upload_dir)
        await self.stop()

    async def pass_time(self, seconds: float) -> None:
        """In steps of the station's own: a jump would count as a standstill of the machine, and be forgiven."""
        for _ in range(round(seconds / TICK)):
            self._still.passed += TICK
            self.station.watch.tick()
        await self.settled_down()

    async def settled_down(self) -> None:
        """Wait until all that was decided by now is recorded and told."""
        for channel in tuple(self.station.channels.values()):
            await channel.committed()

    def attempt(self, name: str) -> tuple[int, int]:
        """Number of the present or last attempt at this file, and the bytes counted in it."""
        file = self._file(name)
        return (0, 0) if file is None else (file.attempt, file.received)

    def is_sent(self, name: str) -> bool:
        """Whether a request brings bytes of this file."""
        file = self._file(name)
        if file is None or not file.in_flight:
            return False
        berth = self.station.shelf.of_file(file)
        return berth is None or berth.holder is not None

    def _file(self, name: str) -> File | None:
        files = [file for each in self.station.channels.values() for file in each.session.files.values()]
        return next((file for file in files if file.name == name), None)

    def fill_disk(self) -> None:
        class Full(Storage):
            def create_part(self, name: str, algorithm: str) -> PartFile:
                part = super().create_part(name, algorithm)
                part.__class__ = FullDisk
                return part

            def reopen_part(self, name: str, offset: int, digests: Digests) -> PartFile:
                part = super().reopen_part(name, offset, digests)
                part.__class__ = FullDisk
                return part

        self.station.storage.__class__ = Full

    def empty_disk(self) -> None:
        self.station.storage.__class__ = Storage

    def visible(self) -> list[str]:
        folder = self.station.config.upload_dir
        return sorted(path.name for each in self.station.config.categories for path in (folder / each).iterdir())

    def parts(self) -> list[str]:
        return sorted(path.name for path in (self.station.storage.own / "parts").iterdir())
