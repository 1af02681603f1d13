"""Uploads as they are measured: one large file, several at once, many small ones. Knows how to send, not what to make
of the figures."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bench.pulse import pulse
from bench.sender import Connection
from bench.server import Server

SMALL = 64 * 1024
_WARM_UP = 1024**2
_REST = 0.3  # seconds
Start = Callable[[], AbstractContextManager[Server]]


@dataclass
class Sample:
    """One measurement. Seconds; `cpu` is the server's. `memory` is its peak, `rise` how far above its rest, in MiB.
    `delays`: of the event loop while the bytes flowed, and `rest` before it, in milliseconds."""

    seconds: float
    cpu: float
    memory: float
    rise: float
    delays: list[float] = field(default_factory=list)
    rest: list[float] = field(default_factory=list)


class Job:
    """Opens connections and sessions beforehand, so that only the sending is timed."""

    def __init__(self, server: Server, connections: int) -> None:
        self.connections = [Connection(server) for _ in range(connections)]
        self.session_ids: list[str] = []

    def open_sessions(self, files: Sequence[tuple[str, int]]) -> None:
        self.session_ids = [connection.open_session(files)["sessionId"] for connection in self.connections]

    def run(self, send: Callable[[Connection, str], None]) -> float:
        """Send on all connections at once; seconds until the last one has its last answer."""
        barrier = threading.Barrier(len(self.connections) + 1)

        def work(connection: Connection, session_id: str) -> None:
            barrier.wait()
            send(connection, session_id)

        with ThreadPoolExecutor(len(self.connections)) as threads:
            running = [threads.submit(work, *pair) for pair in zip(self.connections, self.session_ids, strict=True)]
            barrier.wait()
            begin = time.perf_counter()
            for each in running:
                each.result()
            return time.perf_counter() - begin

    def close(self) -> None:
        for connection in self.connections:
            connection.socket.close()


How = Callable[[Connection, str, str, int, int], None]


def large(start: Start, file: int, size: int, at_once: int, *, how: How) -> Sample:
    """`at_once` connections send `size` bytes each, of an open file that lies in memory."""

    def send(connection: Connection, session_id: str) -> None:
        how(connection, session_id, "film.mp4", file, size)

    with start() as server:
        warm_up(server, file)
        job = Job(server, at_once)
        job.open_sessions([("film.mp4", size)])
        rest = resting(server)
        touch(server.folder, at_once * size)
        sample = measured(server, lambda: job.run(send))
        sample.rest = rest
        job.close()
        check(server, [_WARM_UP] + at_once * [size])
    return sample


def small(start: Start, body: bytes, count: int, at_once: int) -> Sample:
    """`count` files on `at_once` keep-alive connections, each of which has one session."""
    numbers = iter(range(count))
    lock = threading.Lock()

    def next_number() -> int | None:
        with lock:
            return next(numbers, None)

    def send(connection: Connection, session_id: str) -> None:
        while (number := next_number()) is not None:
            connection.put_bytes(session_id, f"picture-{number}.mp4", body)

    with start() as server:
        job = Job(server, at_once)
        job.open_sessions([])
        sample = measured(server, lambda: job.run(send))
        job.close()
        check(server, count * [len(body)])
    return sample


def warm_up(server: Server, file: int) -> None:
    """What a server does only once is no part of the measurement."""
    with Connection(server) as connection:
        opened = connection.open_session([("first.mp4", _WARM_UP)])
        connection.put_file(opened["sessionId"], "first.mp4", file, _WARM_UP)


def touch(disk: Path, size: int) -> None:
    """Have the memory at hand that the file will be cached in. A virtual machine gives back what is free after seconds,
    and fetching it again may cost more than all else."""
    block = bytes(1024**2)
    with tempfile.TemporaryFile(dir=disk) as file:
        for _ in range(size * 5 // 4 // len(block) + 64):
            file.write(block)


def measured(server: Server, run: Callable[[], float]) -> Sample:
    """What the server spends while `run` runs."""
    cpu, resident = server.cpu(), server.memory("VmRSS")
    with pulsing(server) as delays:
        seconds = run()
    peak = server.memory("VmHWM")
    return Sample(seconds, server.cpu() - cpu, peak, peak - resident, delays)


def pulsing(server: Server) -> AbstractContextManager[list[float]]:
    """A bare loop has no event loop to feel."""
    return pulse(server.port) if server.is_station else nullcontext([])


def resting(server: Server) -> list[float]:
    """Delays while nothing happens: what the measuring itself adds to those under load."""
    with pulsing(server) as delays:
        time.sleep(_REST if server.is_station else 0)
    return delays


def check(server: Server, sizes: list[int]) -> None:
    """Figures of a server that lost something are worth nothing."""
    if sorted(server.stored()) != sorted(sizes):
        raise RuntimeError(f"{len(sizes)} files were sent, and not all of them are there, or not whole")
