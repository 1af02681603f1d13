"""One file on its way in: held until judged, counted once written, ended once. The writing itself is `writer`'s.

A delivery may begin before its session is known; until it is bound to one, nothing is counted or told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from station.channel import Channel
from station.dock import Dock, problem_of
from station.errors import Problem
from station.events import Way
from station.file import Attempt, File
from station.formats import SNIFF
from station.writer import PartWriter

log = logging.getLogger("upload_station")
_BROKEN = {"NETWORK_ERROR", "SERVER_ERROR", "INSUFFICIENT_STORAGE"}
"""What ends an attempt, rather than turns a file away."""


class Delivery:
    """`size`: as known beforehand. `estimated`: only an upper bound. `promised`: what arrives must be exactly `size`.

    `problem` is latched: once set, further bytes are dropped. `dead`: the attempt is over, whatever the reason.
    """

    def __init__(
        self,
        dock: Dock,
        name: str,
        size: int | None,
        *,
        estimated: bool = False,
        promised: bool = False,
        way: Way = Way.UNKNOWN,
    ) -> None:
        self.name = name
        self.way = way
        self.size = size
        self.estimated = estimated
        self.promised = promised
        self.checksum: dict[str, str] | None = None
        self.problem: Problem | None = None
        self.channel: Channel | None = None
        self.file: File | None = None
        self.attempt: Attempt | None = None
        self.arrived = self.written = 0
        self.dead = self._begun = self._finished = False
        self.on_dead: Callable[[], None] = lambda: None
        self._dock = dock
        self._claim: tuple[Attempt, int] | None = None
        self._writer = PartWriter(dock, self._wrote, self._disk_failed)
        dock.enter(self)

    @property
    def part_name(self) -> str:
        return self._writer.part_name

    @property
    def sure_size(self) -> int | None:
        """The size that the client told or that turned out; never one worked out from Content-Length."""
        return self.size if self.promised or self._finished else None

    # -- the session

    def bind(self, channel: Channel, file: File) -> None:
        """From here on bytes are counted in this file; what came before is told now."""
        self.channel, self.file, self._claim = channel, file, (file.token, file.claims)
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
        return not over and self.file is not None and (self.file.token, self.file.claims) == self._claim

    # -- bytes

    async def feed(self, block: bytes) -> None:
        """Take bytes; waits while the disk is behind. Never raises: problems are latched."""
        if self.dead or self.problem is not None:
            return
        self.arrived += len(block)
        if (problem := self._too_many()) is not None:
            self.fail(problem)
            return
        await self._writer.put(block)

    def _too_many(self) -> Problem | None:
        if self.arrived > self._dock.config.max_file_size:
            return Problem("FILE_SIZE_EXCEEDED", f"at most {self._dock.config.max_file_size} bytes")
        if self.promised and self.size is not None and self.arrived > self.size:
            return Problem("CHECKSUM_MISMATCH", f"{self.size} bytes were announced, more arrived")
        return None

    def begin(self, *, whole: bool = False) -> None:
        """Judge the first bytes and, if enough of them (or all) are here, start the attempt. Later calls do nothing."""
        if self._begun or self.dead or self.problem is not None:
            return
        head = bytes(self._writer.waiting[:SNIFF])
        if len(head) < SNIFF and not whole:
            return
        if (problem := self._dock.judge_head(self.name, head)) is not None:
            self.fail(problem)
            return
        self._begun = True
        self._start()
        self._writer.open()

    def _wrote(self, count: int) -> None:
        self.written += count
        self._dock.meters.took(self.way, count)
        self._count(count)

    def _disk_failed(self, error: BaseException) -> None:
        if not isinstance(error, OSError):
            log.error("writing failed", exc_info=error)
            self.fail(Problem("SERVER_ERROR"))
            return
        log.warning("disk: %s", error.strerror)
        problem = problem_of(error)
        if problem.code == "INSUFFICIENT_STORAGE" and self.channel is not None and self.file is not None:
            self.channel.session.report_fault(problem, "continue", [self.file.id], self._dock.clock())
            self.channel.flush()  # the file may be over already, and then nothing else does
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
        await self._writer.drain()
        if self.promised and self.arrived != self.size:
            self.fail(Problem("CHECKSUM_MISMATCH", f"{self.size} bytes were announced, {self.arrived} arrived"))
        if not self.dead and self.problem is None:
            await self._seal()

    async def _seal(self) -> None:
        try:
            self.checksum = await self._writer.seal()
        except OSError as error:
            self._disk_failed(error)

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
        if self.attempt is None and self.arrived and problem.code in _BROKEN and self._holds_claim:
            self._start()  # bytes have come, too few yet to be judged: that is an attempt
        if self.attempt is not None:
            session.fail(self.attempt, problem, moment, timed_out=timed_out)
        elif self._holds_claim:
            session.refuse(self.file, problem, moment)
        self.channel.flush()

    def put_off(self, problem: Problem) -> None:
        """Who sent it is to send it again: nobody else has all its bytes."""
        self.fail(problem)

    def discard(self) -> None:
        """Drop the bytes. A write in flight ends first; then the part file goes."""
        if self.dead:
            return
        self.dead = True
        if self.attempt is None and self.file is not None and self.channel is not None and self._holds_claim:
            self.channel.session.let_go(self.file, self._dock.clock())
            self.channel.flush()
        self._dock.depart(self)
        self._writer.discard()
        self.on_dead()
