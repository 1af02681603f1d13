"""A real Station in a folder of its own, with a clock that stands still and a disk and a journal that can be held or
made to fail. Shared by the tests of the rooms that touch disk and loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest

from station import station as house
from station.append import Append as Appending
from station.batch import BatchIntake
from station.berth import Berth
from station.channel import Channel
from station.clock import Moment
from station.config import Config
from station.delivery import Delivery
from station.digest import Digests
from station.errors import Problem, Refused
from station.file import File
from station.intake import Intake, RawIntake, Receipt
from station.journal import Journal
from station.multipart import Decoder
from station.partfile import PartFile
from station.promise import Fate
from station.resumption import Append, Checks, Create
from station.settling import Terms
from station.station import Station
from station.storage import Storage
from station.wire import Message, loads

DEADLINE = 30.0  # seconds that anything awaited may take; far beyond what it does take
START = 1_750_000_000.0  # wall clock at which a fake clock begins
BOUNDARY = "----placesBoundary7MA4YWxkTrZu0gW"
ENDINGS = ("upload-completed", "upload-failed", "upload-cancelled")
MIB = 1024**2
UNKNOWN = "00000000-0000-4000-8000-000000000000"
IMPOSSIBLE = ["", "x", "../../etc/passwd", UNKNOWN.upper(), UNKNOWN + " ", "0" * 100_000, "\0", "1;DROP TABLE", "你好"]


def new_id() -> str:
    return str(uuid4())


class FakeClock:
    """Both clocks, moved by hand only."""

    def __init__(self, mono: float = 1000.0, wall: float = START) -> None:
        self.mono, self.wall = mono, wall

    def __call__(self) -> Moment:
        return Moment(self.mono, self.wall)

    def pass_by(self, seconds: float) -> None:
        self.mono += seconds
        self.wall += seconds


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what no event tells, looking again after every turn of the loop. Fails after DEADLINE."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.001)


class Hold:
    """A place in a thread where work stops until it is released."""

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self._go = threading.Event()

    def pass_through(self) -> None:
        """For the thread that is held."""
        self._arrived.set()
        assert self._go.wait(DEADLINE), "held and never released"

    async def reached(self) -> None:
        with ThreadPoolExecutor(1) as waiter:
            assert await asyncio.get_running_loop().run_in_executor(waiter, self._arrived.wait, DEADLINE)

    def release(self) -> None:
        self._go.set()


class Points:
    """Named points that blocking work passes; each can be held once, or made to fail at its nth passing.

    Points: create, make, reopen, read (through), write, fsync, cut, copy (of parts), link, folder (its fsync), commit,
    drop.
    """

    def __init__(self) -> None:
        self.passed: list[str] = []
        self._holds: dict[str, Hold] = {}
        self._every_hold: list[Hold] = []
        self._faults: dict[tuple[str, int], int] = {}

    def hold(self, point: str) -> Hold:
        self._holds[point] = hold = Hold()
        self._every_hold.append(hold)
        return hold

    def fail(self, point: str, number: int, *, at: int = 1) -> None:
        """Give OSError `number` (an errno) at the `at`th passing from now on, and at no other."""
        self._faults[point, self.passed.count(point) + at] = number

    def release_all(self) -> None:
        for hold in self._every_hold:
            hold.release()

    def reach(self, point: str) -> None:
        self.passed.append(point)
        if (hold := self._holds.pop(point, None)) is not None:
            hold.pass_through()
        if (number := self._faults.get((point, self.passed.count(point)))) is not None:
            raise OSError(number, os.strerror(number))


class WatchedPart(PartFile):
    points: Points

    def write(self, block: bytes | bytearray, *, sync: bool = False) -> None:
        self.points.reach("write")
        super().write(block, sync=sync)

    def read_through(self) -> None:
        if self.written:
            self.points.reach("read")
        super().read_through()

    def cut(self, length: int) -> None:
        self.points.reach("cut")
        super().cut(length)

    def _make_safe(self, sync: Callable[[int], None]) -> None:
        def watched(fd: int) -> None:
            self.points.reach("fsync")
            sync(fd)

        super()._make_safe(watched)


class Disk(Storage):
    """A Storage whose calls can be held and made to fail."""

    def __init__(self, root: Path, categories: Iterable[str], *, durable: bool) -> None:
        self.points = Points()
        super().__init__(root, categories, durable=durable)
        self.points.passed.clear()

    def create_part(self, name: str, algorithm: str) -> PartFile:
        self.points.reach("create")
        return self._watched(super().create_part(name, algorithm))

    def make_part(self, name: str) -> None:
        self.points.reach("make")
        super().make_part(name)

    def copy_part(self, source: str, offset: int, target: str, position: int, count: int) -> None:
        self.points.reach("copy")
        super().copy_part(source, offset, target, position, count)

    def reopen_part(self, name: str, offset: int, digests: Digests) -> PartFile:
        self.points.reach("reopen")
        return self._watched(super().reopen_part(name, offset, digests))

    def _watched(self, part: PartFile) -> PartFile:
        part.__class__ = WatchedPart
        watched = cast(WatchedPart, part)
        watched.points = self.points
        return watched

    def publish(self, part: str, category: str, stored_name: str) -> None:
        self.points.reach("link")
        super().publish(part, category, stored_name)

    def drop_part(self, name: str) -> None:
        self.points.reach("drop")
        super().drop_part(name)

    def _sync(self, folder: int) -> None:
        self.points.reach("folder")
        super()._sync(folder)


class HeldJournal(Journal):
    """A Journal whose commits can be held (point `commit`) and made to fail."""

    points: Points | None = None
    fault: sqlite3.Error | None = None

    def break_down(self, *, full: bool = False) -> None:
        """From now on no commit succeeds, as on a broken or a full disk."""
        error = sqlite3.OperationalError("database or disk is full" if full else "disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL if full else sqlite3.SQLITE_IOERR
        self.fault = error

    def mend(self) -> None:
        self.fault = None

    def _try(self, group: Any) -> list[Exception | None] | None:
        if self.points is not None:
            self.points.reach("commit")
        if self.fault is not None:
            return None if len(group) > 1 else [self.fault]
        return super()._try(group)


class Listener:
    """A subscriber that keeps all it is told."""

    transport = "websocket"

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._news = asyncio.Event()

    def deliver(self, session_id: str, message: Message) -> None:
        self.messages.append(message)
        self._news.set()

    @property
    def told(self) -> list[dict[str, Any]]:
        return [loads(message.text) for message in self.messages]

    @property
    def names(self) -> list[str]:
        return [message.event for message in self.messages]

    @property
    def lifecycle(self) -> list[str]:
        return [message.event for message in self.messages if message.lifecycle]

    def data(self, event: str) -> list[dict[str, Any]]:
        return [each["data"] for each in self.told if each["event"] == event]

    async def hears(self, event: str) -> dict[str, Any]:
        """Wait for the first message of this name; its data."""
        async with asyncio.timeout(DEADLINE):
            while not (found := self.data(event)):
                self._news.clear()
                await self._news.wait()
        return found[0]

    async def hears_the_last(self) -> None:
        async with asyncio.timeout(DEADLINE):
            while not (self.messages and self.messages[-1].last):
                self._news.clear()
                await self._news.wait()


def assert_rules_hold(told: Sequence[Message]) -> None:
    """Contract, rules 1 to 4, over all that a watcher heard since the session was opened."""
    numbers = [message.seq for message in told if message.lifecycle]
    assert numbers == list(range(1, len(numbers) + 1))
    running: set[str] = set()
    over: set[str] = set()
    last = 0
    for message in told:
        data = loads(message.text)["data"]
        last = message.seq if message.lifecycle else last
        assert message.seq == last
        file_id = data.get("fileId")
        if message.event == "upload-started":
            assert file_id not in running | over
            running.add(file_id)
        elif message.event in ENDINGS and file_id is not None:
            assert file_id not in over
            running.discard(file_id)
            if not data.get("canRetry"):
                over.add(file_id)
    ends = [at for at, message in enumerate(told) if message.event == "session-completed"]
    assert len(ends) <= 1
    if ends:
        assert [message.last for message in told[ends[0] + 1 :]] in ([], [True])
        assert not running


@dataclass
class Place:
    """A Station, its folder and its clock."""

    station: Station
    clock: FakeClock
    root: Path
    listener: Listener = field(default_factory=Listener)

    @property
    def disk(self) -> Disk:
        return cast(Disk, self.station.storage)

    @property
    def journal(self) -> HeldJournal:
        return cast(HeldJournal, self.station.journal)

    @property
    def points(self) -> Points:
        return self.disk.points

    def watch_commits(self) -> None:
        self.journal.points = self.points

    @property
    def parts(self) -> list[str]:
        return sorted(os.listdir(self.root / ".station" / "parts"))

    def stored(self, category: str = "personal") -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.root / category).iterdir()}

    async def no_parts(self) -> None:
        await until(lambda: not self.parts)

    async def open(
        self,
        *files: tuple[str, int | None],
        expected: int | None = None,
        auto_complete: bool = True,
        category: str | None = None,
    ) -> Channel:
        """A session that is watched from its beginning by `listener`."""
        expected = len(files) if files and expected is None else expected
        terms = Terms(expected=expected, auto_complete=auto_complete)
        return self.heard(await self.station.sessions.open(category, terms, files))

    def heard(self, channel: Channel, listener: Listener | None = None) -> Channel:
        self.station.hub.join(channel.session.id, listener or self.listener)
        return channel

    # -- sending

    async def raw(
        self,
        channel: Channel,
        name: str = "a.txt",
        body: bytes = b"hello",
        *,
        file_id: str | None = None,
        length: int | None = -1,
        block: int = 65536,
    ) -> Receipt:
        """Send a body as the handler of a raw upload does; `length`: another Content-Length, None for chunked."""
        intake = await self.raw_open(channel, name, len(body) if length == -1 else length, file_id)
        for piece in cut(body, block):
            await intake.feed(piece)
        return await intake.finish()

    async def raw_open(
        self, channel: Channel, name: str = "a.txt", length: int | None = 5, file_id: str | None = None
    ) -> RawIntake:
        """Raises Refused, and ends the intake then, as the handler does."""
        intake = RawIntake(self.station.dock, self.station.sessions, length, name)
        with ended_on_refusal(intake):
            await intake.open(channel.session.id, file_id, None)
        return intake

    async def upload(
        self,
        channel: Channel | None = None,
        name: str = "a.txt",
        length: int | None = 5,
        *,
        file_id: str | None = None,
        **wish: Any,
    ) -> Berth:
        """Make an upload resource, in the session or, without one, in an implicit one."""
        told = {"filename": name} if file_id is None else {"filename": name, "fileId": file_id}
        session_id = None if channel is None else channel.session.id
        return await self.station.creation.create(Create(length, told=told, **wish), session_id, None)

    async def append(
        self,
        berth: Berth,
        content_length: int | None = None,
        *,
        length: int | None = None,
        last: bool | None = None,
        checks: Checks | None = None,
    ) -> Appending:
        """A request that adds to an upload, at the offset where it stands; `length`, `last`: as it tells them.

        It ends an older one first, as the handler does.
        """
        await berth.free()
        wish = Append(berth.upload.offset, length=length, last=last, checks=checks or Checks())
        append = self.station.append(berth, wish)
        append.open(content_length)
        return append

    async def add(
        self, berth: Berth, body: bytes, *, chunked: bool = False, block: int = 65536, **asked: Any
    ) -> Appending:
        """Such a request, whole; and if nothing is missing then, the upload is finished."""
        append = await self.append(berth, None if chunked else len(body), **asked)
        for piece in cut(body, block):
            await append.feed(piece)
        await append.end(whole=True)
        await finished(berth)
        return append

    def part(self, berth: Berth) -> bytes:
        return (self.root / ".station" / "parts" / berth.upload.id).read_bytes()

    def recorded(self, berth: Berth) -> int:
        """The offset as the journal has it."""
        found: int = rows(self.root, "SELECT offset FROM uploads WHERE id=?", berth.upload.id)[0][0]
        return found

    async def batch_open(
        self, length: int | None, session_id: str | None = None, content_type: str | None = None
    ) -> BatchIntake:
        """Raises Refused, and ends the intake then, as the handler does."""
        kind = content_type or f"multipart/form-data; boundary={BOUNDARY}"
        decoder = Decoder(kind, max_parts=self.station.config.max_files + 64)
        intake = BatchIntake(self.station.dock, self.station.sessions, length, decoder, session_id)
        with ended_on_refusal(intake):
            await intake.open()
        return intake

    async def batch(
        self, body: bytes, session_id: str | None = None, *, chunked: bool = False, block: int = 65536
    ) -> Receipt:
        intake = await self.batch_open(None if chunked else len(body), session_id)
        for piece in cut(body, block):
            await intake.feed(piece)
        return await intake.finish()


@contextlib.contextmanager
def ended_on_refusal(intake: Intake) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        intake.abort(refused.problem)
        raise


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def lines(size: int) -> bytes:
    """A text of this size in which no two places look alike."""
    return b"".join(b"%07d\n" % number for number in range(size // 8 + 1))[:size]


async def finished(berth: Berth) -> None:
    """Wait until the upload is stored, or could not be, if that is under way."""
    if berth.finishing is not None:
        async with asyncio.timeout(DEADLINE):
            await asyncio.wait([berth.finishing])


def field_part(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def file_part(filename: str, data: bytes, *, declared: int | None = None) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{filename}"\r\n'
    head += "" if declared is None else f"Content-Length: {declared}\r\n"
    return head.encode() + b"\r\n" + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def config(root: Path, **options: Any) -> Config:
    return Config(**{"upload_dir": root, "min_free_space": 0, "language": "en", **options})


@contextlib.asynccontextmanager
async def open_place(
    root: Path, *, clock: FakeClock | None = None, recover: bool = False, **options: Any
) -> AsyncIterator[Place]:
    """A Station with a Disk and a HeldJournal. Time is not watched, unless it is to `recover` (`Station.start`)."""
    clock = clock or FakeClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house, "Storage", Disk)
        patch.setattr(house, "Journal", HeldJournal)
        station = Station(config(root, **options), clock, new_id)
    place = Place(station, clock, root)
    try:
        if recover:
            await station.start()
        yield place
    finally:
        await close(place)


async def close(place: Place) -> None:
    place.points.release_all()
    for delivery in tuple(place.station.dock.deliveries):
        if isinstance(delivery, Appending):
            delivery._fail(Problem("SERVER_ERROR"), Fate.FAIL)
        else:
            cast(Delivery, delivery).fail(Problem("SERVER_ERROR"))
    async with asyncio.timeout(DEADLINE):
        await place.station.dock.emptied()
    await place.station.stop()


def crash_image(root: Path, target: Path) -> Path:
    """The folder as a kill at this moment would leave it, to start another station on. Links stay links."""
    subprocess.run(["cp", "-a", str(root), str(target)], check=True)
    return target


def rows(root: Path, query: str, *values: Any) -> list[Any]:
    """Ask the journal of a station, also of a running one, over a connection of one's own."""
    connection = sqlite3.connect(root / ".station" / "journal.db")
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def events_in(root: Path, session_id: str) -> list[str]:
    return [row[0] for row in rows(root, "SELECT name FROM events WHERE session_id=? ORDER BY seq", session_id)]


def file_of(channel: Channel, at: int = 0) -> File:
    return list(channel.session.files.values())[at]


def statuses(files: Mapping[str, Any]) -> list[str]:
    return [str(file.status) for file in files.values()]


@contextlib.contextmanager
def small_disk(folder: Path, options: str = "size=8m") -> Iterator[Path]:
    """A file system of its own, in memory, which can be filled."""
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("mounting needs root on Linux")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
