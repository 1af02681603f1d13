"""One file's bytes on their way to disk: held until judged, written off the loop, counted once written.

A delivery may begin before its session is known; until it is bound to one, nothing is counted or told.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from station.channel import Channel
from station.dock import Dock, problem_of
from station.errors import Problem
from station.file import Attempt, File
from station.formats import SNIFF
from station.partfile import PartFile

log = logging.getLogger("upload_station")
PAUSE = 0.05
"""Seconds that a small block waits for more: each write costs a way to a thread and back, whatever its size."""


class Delivery:
    """`size`: as known beforehand. `estimated`: only an upper bound. `promised`: what arrives must be exactly `size`.

    `problem` is latched: once set, further bytes are dropped. `dead`: the attempt is over, whatever the reason.
    """

    def __init__(self, dock: Dock, name: str, size: int | None, *, estimated: bool = False, promised: bool = False):
        self.name = name
        self.size = size
        self.estimated = estimated
        self.promised = promised
        self.part_name = dock.new_id()
        self.checksum: dict[str, str] | None = None
        self.problem: Problem | None = None
        self.channel: Channel | None = None
        self.file: File | None = None
        self.attempt: Attempt | None = None
        self.arrived = self.written = 0
        self.dead = self._begun = self._finished = False
        self._dock = dock
        self._buffer = bytearray()
        self._part: PartFile | None = None
        self._claim: Attempt | None = None
        self._writing: asyncio.Future[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        dock.enter(self)

    @property
    def sure_size(self) -> int | None:
        """The size that the client told or that turned out; never one worked out from Content-Length."""
        return self.size if self.promised or self._finished else None

    # -- the session

    def bind(self, channel: Channel, file: File) -> None:
        """From here on bytes are counted in this file; what came before is told now."""
        self.channel, self.file, self._claim = channel, file, file.token
        if self.problem is not None:
            channel.session.refuse(file, self.problem, self._dock.clock())
            channel.flush()
            self.discard()
        elif self._begun:
            self._start()
            self._count(self.written)

    def _start(self) -> None:
        self.check()
        if self.channel is not None and self.file is not None and not self.dead:
            moment = self._dock.clock()
            self.attempt = self.channel.session.start(self.file, self.size, moment, estimated=self.estimated)
            self.channel.flush()

    def _count(self, count: int) -> None:
        if self.channel is not None and self.attempt is not None and count:
            self.channel.session.advance(self.attempt, count, self._dock.clock())
            self.channel.flush()
        self.check()

    def check(self) -> None:
        """Notice that the attempt has been ended from elsewhere (a cancel): stop, and leave nothing behind."""
        if self.channel is None or self.dead:
            return
        if not self._holds_claim if self.attempt is None else self.channel.session.current(self.attempt) is None:
            self.discard()

    @property
    def _holds_claim(self) -> bool:
        """Whether the file still waits for this delivery: not cancelled, nor begun by another, nor its session over."""
        over = self.channel is not None and self.channel.session.settled
        return not over and self.file is not None and self.file.token == self._claim

    # -- bytes

    async def feed(self, block: bytes) -> None:
        """Take bytes; waits while the disk is behind. Never raises: problems are latched."""
        if self.dead or self.problem is not None:
            return
        self.arrived += len(block)
        if (problem := self._too_many()) is not None:
            self.fail(problem)
            return
        self._buffer += block
        if not self._begun:
            return
        if self._writing is not None and len(self._buffer) >= self._dock.room:
            await asyncio.wait([self._writing])
        self._write_or_wait()

    def _too_many(self) -> Problem | None:
        if self.arrived > self._dock.config.max_file_size:
            return Problem("FILE_SIZE_EXCEEDED", f"at most {self._dock.config.max_file_size} bytes")
        if self.promised and self.size is not None and self.arrived > self.size:
            return Problem("CHECKSUM_MISMATCH", f"{self.size} bytes were announced, more arrived")
        return None

    def begin(self, *, whole: bool = False) -> None:
        """Judge the first bytes and, if enough of them (or all) are here, start the attempt. Later calls do nothing."""
        if self._begun or self.dead or self.problem is not None or (len(self._buffer) < SNIFF and not whole):
            return
        if (problem := self._dock.judge_head(self.name, bytes(self._buffer[:SNIFF]))) is not None:
            self.fail(problem)
            return
        self._begun = True
        self._start()
        self._write_or_wait()

    def _write_or_wait(self) -> None:
        """Write what is here if it is enough, else a moment later; one write at a time."""
        if self._writing is not None or not self._buffer:
            return
        if self._finished or len(self._buffer) >= self._dock.room:
            self._begin_write()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._begin_write)

    def _begin_write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None or self.dead:
            return
        block, self._buffer = self._buffer, bytearray()
        self._writing = self._dock.run(self._write, block)
        self._writing.add_done_callback(lambda done: self._wrote(done, len(block)))

    def _write(self, block: bytearray) -> None:
        if self._part is None:
            self._part = self._dock.storage.create_part(self.part_name, self._dock.config.checksum)
        self._part.write(block)

    def _wrote(self, done: asyncio.Future[None], count: int) -> None:
        self._writing = None
        if isinstance(error := done.exception(), OSError):
            self._disk_failed(error)
        elif error is not None:
            log.error("writing failed", exc_info=error)
            self.fail(Problem("SERVER_ERROR"))
        else:
            self.written += count
            self._count(count)
        if self.dead:
            self._dock.run(self._remove)
        else:
            self._write_or_wait()

    def _disk_failed(self, error: OSError) -> None:
        log.warning("disk: %s", error.strerror)
        problem = problem_of(error)
        if problem.code == "INSUFFICIENT_STORAGE" and self.channel is not None and self.file is not None:
            self.channel.session.report_fault(problem, "continue", [self.file.id], self._dock.clock())
        self.fail(problem)

    # -- the end

    async def finish(self) -> None:
        """All bytes have arrived: write what waits, check the length, sync, and know the checksum. Once is enough."""
        if self._finished:
            return
        self._finished = True
        if not self.promised and self.attempt is None:
            self.size, self.estimated = self.arrived, False
        self.begin(whole=True)
        self._write_or_wait()
        while self._writing is not None:
            await asyncio.wait([self._writing])
        if self.promised and self.arrived != self.size:
            self.fail(Problem("CHECKSUM_MISMATCH", f"{self.size} bytes were announced, {self.arrived} arrived"))
        if not self.dead and self.problem is None:
            await self._seal()

    async def _seal(self) -> None:
        # This is a write like the others: whoever discards meanwhile must not close the file under it.
        self._writing = sealing = self._dock.run(self._seal_part)
        await asyncio.wait([sealing])
        self._writing = None
        if self.dead:
            self._dock.run(self._remove)
        elif isinstance(error := sealing.exception(), OSError):
            self._disk_failed(error)
        else:
            self.checksum = sealing.result()

    def _seal_part(self) -> dict[str, str] | None:
        if self._part is None:
            self._write(bytearray())
        assert self._part is not None
        return self._part.finish()

    def fail(self, problem: Problem, *, timed_out: bool = False) -> None:
        """Latch a problem and end the attempt, or turn the file away if it had not started."""
        if self.dead:
            return
        if self.problem is None:
            self.problem = problem
            self._end_attempt(problem, timed_out=timed_out)
        self.discard()

    def _end_attempt(self, problem: Problem, *, timed_out: bool) -> None:
        if self.channel is None or self.file is None:
            return
        session, moment = self.channel.session, self._dock.clock()
        if self.attempt is not None:
            session.fail(self.attempt, problem, moment, timed_out=timed_out)
        elif self._holds_claim:
            session.refuse(self.file, problem, moment)
        self.channel.flush()

    def discard(self) -> None:
        """Drop the bytes. A write in flight ends first; then the part file goes."""
        if self.dead:
            return
        self.dead = True
        self._dock.depart(self)
        self._buffer.clear()
        if self._writing is None:
            self._dock.run(self._remove)

    def _remove(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        try:
            part.close()
            self._dock.storage.drop_part(self.part_name)
        except OSError as error:
            log.warning("a part file could not be removed, the next start will: %s", error.strerror)
