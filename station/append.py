"""One request that adds to an upload: judged, made safe, counted. It ends once, by itself or by somebody else.

What came in one piece until then is kept, unless digests were promised for it and it did not come whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from station import resting
from station.berth import Berth
from station.errors import Problem, Refused
from station.events import Way
from station.file import File
from station.formats import SNIFF
from station.promise import Fate, Promise
from station.resumption import Checks
from station.securing import Securing
from station.session import Session
from station.shelf import Shelf
from station.space import CHECK_EVERY
from station.tasks import Tasks

BROKEN = Problem("NETWORK_ERROR")


class Append:
    """`problem`: why the request cannot go on. `over`: it takes no more bytes. `on_over`: somebody else ended it.

    `length`: of the whole, if this request told it. `last`: its content ends the upload; None: the length tells.
    `keeps`: who sends it was told where the upload is, and can come back for the rest.
    """

    def __init__(
        self,
        shelf: Shelf,
        tasks: Tasks,
        berth: Berth,
        length: int | None,
        last: bool | None,
        checks: Checks,
        *,
        keeps: bool = True,
    ) -> None:
        self.problem: Problem | None = None
        self.over = self.paused = False
        self.released = asyncio.Event()
        self.on_over: Callable[[], None] = lambda: None
        self.on_moved: Callable[[], None] = lambda: None
        self._shelf, self._dock, self._tasks, self._berth = shelf, shelf.dock, tasks, berth
        self._length = length
        self._fate = Fate.REST
        self._begun, self._keeps, self._sized, self._unchecked = False, keeps, True, 0
        self._announced = None if berth.file is None else berth.file.announced
        limit = self._dock.config.max_file_size
        self._promise = Promise(berth.upload, self._announced, last, checks.content, limit)
        self._ending: asyncio.Task[None] | None = None
        self._safe = Securing(shelf, berth, self._promise.digests, self._moved, self._fail)

    @property
    def arrived(self) -> int:
        """Bytes of its content so far."""
        return self._promise.arrived

    def open(self, content_length: int | None) -> None:
        """Take the upload. Not to be called while another request has it. Raises INSUFFICIENT_STORAGE."""
        upload, berth, moment = self._berth.upload, self._berth, self._dock.clock()
        if (why := upload.gone or berth.forsaken) is not None:
            raise Refused("UPLOAD_GONE", why)
        if berth.kept_back or upload.complete:
            raise (berth.problem or Problem("UPLOAD_ALREADY_COMPLETED")).refusal()
        if None not in (self._length, self._announced) and self._length != self._announced:
            raise Refused("LENGTH_MISMATCH", f"{self._announced} bytes were announced")
        left = None if self._length is None else self._length - upload.offset
        self._dock.admit(upload.id, next((n for n in (upload.left, left, content_length) if n is not None), None))
        if upload.length is None and self._length is not None:
            upload.length, berth.changed = self._length, True
        self._sized = content_length is not None or upload.length is not None
        berth.holder = self
        self._dock.enter(self)
        if berth.channel is not None and berth.file is not None:
            berth.channel.session.request_began(moment)
            berth.file.claimed, berth.file.lull = not berth.file.in_flight, None
            resting.renew(berth.file, self._dock.config, moment.mono)
        self._safe.open()

    # -- bytes

    async def feed(self, block: bytes) -> None:
        """Take bytes; waits while the disk is behind. Never raises: problems are latched."""
        if self.over:
            return
        if (broken := self._promise.take(len(block))) is not None:
            self._fail(*broken)
            return
        self._look(block)
        self._look_for_space(len(block))
        if not self.over:
            await self._safe.put(block)

    def _look_for_space(self, count: int) -> None:
        """What has no length was not admitted: free space is looked at again and again."""
        self._unchecked += count
        if not self._sized and self._unchecked >= CHECK_EVERY:
            self._unchecked = 0
            if (problem := self._dock.shortage(self._berth.upload.id, None)) is not None:
                self._fail(problem, Fate.FAIL)

    def _look(self, block: bytes = b"", *, whole: bool = False) -> None:
        """Judge the first bytes once there are enough of them, or all. The attempt runs from the first one on."""
        berth = self._berth
        if not berth.judged:
            berth.head += block[: SNIFF - len(berth.head)]
            if len(berth.head) >= SNIFF or whole or self._promise.all_here:
                if (problem := self._dock.judge_head(berth.upload.name, bytes(berth.head))) is not None:
                    self._fail(problem, Fate.LOSE)
                    return
                berth.judged = True
        self._begin()

    def _begin(self) -> None:
        """Bytes have come: the attempt that runs goes on, or another begins. Once is enough."""
        berth, upload = self._berth, self._berth.upload
        begun, self._begun = self._begun, True
        if not begun and berth.channel is not None and berth.file is not None and berth.forsaken is None:
            size = berth.file.announced if upload.length is None else upload.length
            berth.channel.session.go_on(berth.file, upload.offset, size, self._dock.clock())
            berth.channel.flush()

    def _moved(self, grown: int) -> None:
        berth = self._berth
        # A partial, which is no file yet, is tus's.
        self._dock.meters.took(Way.TUS if berth.file is None else berth.file.way, grown)
        if berth.channel is not None and berth.file is not None and grown and berth.forsaken is None:
            berth.channel.session.advance(berth.file.token, grown, self._dock.clock())
            berth.channel.flush()
        self.on_moved()

    # -- the end

    def check(self) -> None:
        """Notice that the upload is gone, by a cancel say."""
        why = self._berth.upload.gone or self._berth.forsaken
        if not self.over and why is not None:
            self._fail(Problem("UPLOAD_GONE", why), Fate.LOSE)

    def lose(self, problem: Problem) -> None:
        """Nothing can come of the upload any more."""
        self._fail(problem, Fate.LOSE)

    def _fail(self, problem: Problem, fate: Fate) -> None:
        if self.problem is None:
            self.problem, self._fate = problem, fate
        self._end_for(problem)

    def supersede(self) -> None:
        """A newer request wants the upload."""
        self._end_for(BROKEN)

    async def give_way(self) -> None:
        """It is about to be cancelled: what came so far is counted first."""
        if not self.over:
            self._fail(Problem("UPLOAD_GONE", "cancelled"), Fate.YIELD)
        await self.released.wait()

    async def pause(self) -> None:
        """The upload is to rest: what came so far is kept, and who sent it is to be told kindly, and where it is."""
        self.paused, self._keeps = not self.over, True
        self._end_for(None)
        await self.released.wait()

    def _end_for(self, lull: Problem | None) -> None:
        if not self.over:
            self._stop(whole=False, lull=lull)
            self.on_over()

    def cut(self, lull: Problem | None) -> None:
        """The connection is gone."""
        self._stop(whole=False, lull=lull)

    async def end(self, *, whole: bool, lull: Problem | None = None) -> None:
        """The request has ended. `whole`: all its content came; otherwise `lull` says why not."""
        self._stop(whole=whole, lull=lull)
        await self.released.wait()

    def _stop(self, *, whole: bool, lull: Problem | None) -> None:
        self.over = True
        if not whole and not self._keeps and self.problem is None:
            self._latch(lull or BROKEN, Fate.LOSE)
        if self._ending is None:
            self._ending = self._tasks.start(self._end(whole, lull), "end of an append")

    async def _end(self, whole: bool, lull: Problem | None) -> None:
        try:
            await self._store(whole, lull)
        finally:  # whatever happens, nobody waits for this request for ever
            self._berth.holder = None
            self._dock.depart(self)
            self.released.set()

    async def _store(self, whole: bool, lull: Problem | None) -> None:
        closed = whole and self._promise.closes
        if self.problem is None and (self.arrived or closed):
            self._look(whole=closed)
        if self._takes:
            await self._safe.settle()
        if self.problem is None and whole and (broken := self._promise.broken()) is not None:
            self._latch(*broken)
        if self._takes:
            well = self.problem is None  # otherwise nothing was verified, however much is safe
            await self._safe.keep(whole=whole and well, closed=closed and well)
        await self._safe.close()
        self._conclude(lull)

    @property
    def _takes(self) -> bool:
        """Whether what came is kept."""
        return self.problem is None or self._fate in {Fate.FAIL, Fate.YIELD}

    def _latch(self, problem: Problem, fate: Fate) -> None:
        self.problem, self._fate = problem, fate

    def _conclude(self, lull: Problem | None) -> None:
        berth = self._berth
        if self.problem is not None and not self._keeps:
            self._fate = Fate.LOSE  # nobody knows where it is
        lost = self.problem is not None and self._fate is Fate.LOSE
        del berth.head[berth.upload.offset :]
        if berth.channel is not None:
            if berth.forsaken is None and berth.file is not None:
                self._leave(berth.channel.session, berth.file, lull)
            berth.channel.session.request_ended(self._dock.clock())
            berth.channel.flush()
        if lost and berth.upload.gone is None:
            self._shelf.retire(berth, "failed")
        if berth.upload.closed and berth.upload.gone is None:
            self._shelf.on_closed(berth)

    def _leave(self, session: Session, file: File, lull: Problem | None) -> None:
        moment, failed = self._dock.clock(), self.problem if self._fate in {Fate.FAIL, Fate.LOSE} else None
        if failed is not None and failed.code == "INSUFFICIENT_STORAGE":
            session.report_fault(failed, "continue", [file.id], moment)
        if failed is not None and self._fate is Fate.LOSE:
            file.upload = None
        session.leave(file, moment, failed=failed, lull=self.problem or lull, whole=self._berth.upload.closed)
