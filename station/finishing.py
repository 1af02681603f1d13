"""An upload whose bytes are all here becomes a stored file: verified as a whole, then published like any other.

Runs once per upload, whatever becomes of the request that brought the last byte; after a restart it runs again.
"""

from __future__ import annotations

import asyncio

from station.berth import Berth
from station.channel import Channel
from station.digest import Digests, storage_digests
from station.dock import problem_of
from station.errors import Problem, Refused
from station.file import Attempt
from station.formats import SNIFF
from station.joining import join, partials
from station.journal import JournalFailed
from station.partfile import PartLost, SyncFailed
from station.publishing import publish
from station.resumption import Kind
from station.shelf import Shelf
from station.tasks import Tasks

_FULL = "INSUFFICIENT_STORAGE"
FIRST_WAIT, LONGEST_WAIT = 2.5, 600.0  # seconds between two tries to store what could not be
_ASKED_AGAIN = 1.0  # seconds; each try is told


class Finishing:
    """What `publish` needs of an upload. `problem`: why it was not stored; `dead`: nobody wants it any more."""

    def __init__(self, shelf: Shelf, berth: Berth) -> None:
        self.name = berth.upload.name if berth.file is None else berth.file.name
        self.checksum: dict[str, str] | None = None
        self.problem: Problem | None = None
        self.channel: Channel | None = berth.channel
        self.attempt: Attempt | None = None
        self.dead = False
        self._shelf, self._dock, self._berth = shelf, shelf.dock, berth
        self._parts: list[Berth] = []
        self._unchecked = False

    @property
    def part_name(self) -> str:
        return self._berth.upload.id

    async def run(self) -> None:
        berth = self._berth
        self._dock.enter(self)
        try:
            await self._run()
            if self.problem is not None:
                self._end(self.problem, passing=self._unchecked or self.problem.code == _FULL)
        except OSError as error:
            self._end(problem_of(error), passing=not isinstance(error, SyncFailed | PartLost))
        except JournalFailed as failure:
            if self.problem is not None:
                self._end(self.problem, passing=True)  # the intent could not be recorded, so nothing was done
            else:
                self._put_off(failure.problem)
        except Refused as refused:
            self._end(refused.problem, passing=refused.problem.code == _FULL)
        finally:
            self._dock.depart(self)
            berth.problem = self.problem
        if not self.dead and self.problem is None:
            # Waited for, not awaited: if the station stops meanwhile, what is being recorded is not undone.
            await asyncio.wait([self._shelf.complete(berth)])

    async def _run(self) -> None:
        berth, upload = self._berth, self._berth.upload
        self._begin()
        if upload.kind is Kind.FINAL and not upload.closed and not self.dead:
            await self._gather()
        if self.dead:
            return
        digests = berth.digests = await self._dock.run(self._read)
        if not digests.agree(upload.checks.whole):
            raise Refused("CHECKSUM_MISMATCH")
        if not berth.judged and (found := self._dock.judge_head(self.name, bytes(berth.head))) is not None:
            raise found.refusal()
        upload.digests = digests.values()
        self.checksum = digests.checksum(self._dock.config.checksum)
        self._begin()
        await publish(self._dock, self)

    def _begin(self) -> None:
        """The attempt that runs goes on, or one begins: the last of them may have ended before the bytes were all."""
        berth, upload = self._berth, self._berth.upload
        if berth.channel is None or berth.file is None or berth.forsaken is not None:
            self.dead = True
            return
        self.attempt = berth.channel.session.go_on(berth.file, upload.offset, upload.length, self._dock.clock())
        berth.channel.flush()

    async def _gather(self) -> None:
        berth, upload = self._berth, self._berth.upload
        self._parts = await partials(self._shelf, upload.parts)
        self._dock.admit(upload.id, upload.length)
        for part in self._parts:
            part.upload.expires_at = upload.expires_at = self._dock.clock().mono + self._dock.config.upload_expiry
        try:
            size = await join(self._shelf, berth, self._parts, lambda: berth.forsaken is None)
        except OSError:
            await self._dock.run(self._dock.storage.fit_part, upload.id, 0, 0)  # others need the room
            raise
        if berth.forsaken is not None or self.attempt is None or berth.channel is None:
            self.dead = True
            return
        await self._dock.run(self._read)  # synced, before the offset says so
        upload.closed = True
        try:
            await self._shelf.save(upload, offset=size)
        except JournalFailed:
            upload.closed = False
            raise
        upload.offset = size
        berth.channel.session.advance(self.attempt, size, self._dock.clock())

    # -- what publishing tells

    def check(self) -> None:
        """A cancel that came in time is noticed when it is sealed."""

    def fail(self, problem: Problem) -> None:
        """It could not be published."""
        self.problem = problem

    def put_off(self, problem: Problem) -> None:
        """The check said nothing of it: its bytes stay, and it is tried again by itself."""
        self.problem, self._unchecked = problem, True

    def discard(self) -> None:
        self.dead = True

    def _put_off(self, problem: Problem) -> None:
        berth = self._berth
        self.problem = problem
        berth.tries += 1
        now = self._dock.clock().mono
        berth.again_at = now + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(berth.tries, 10))
        # Somebody may have made room; a check that says nothing costs a run each time, and whoever waits asks often.
        berth.asked_from = berth.again_at if self._unchecked else now + _ASKED_AGAIN

    def _end(self, problem: Problem, *, passing: bool) -> None:
        berth = self._berth
        self._put_off(problem)
        if berth.channel is None or berth.file is None or berth.forsaken is not None:
            return
        if not passing:
            berth.file.upload = None
        elif berth.channel.session.terms.closing:
            berth.file.intent = None  # what was sent when no more could come still goes on, when there is room
            return
        if berth.file.in_flight:
            berth.channel.session.fail(berth.file.token, problem, self._dock.clock())
        berth.channel.flush()
        if not passing:
            self._shelf.retire(berth, "failed")

    # -- in a thread

    def _read(self) -> Digests:
        """The digests of the whole: computed while it came, or from the part, after a restart and of joined ones."""
        berth, upload = self._berth, self._berth.upload
        if berth.digests is not None:
            return berth.digests
        size = sum(part.upload.offset for part in self._parts) if self._parts else upload.offset
        digests = storage_digests(self._dock.config.checksum, upload.further)
        part = self._dock.storage.reopen_part(upload.id, size, digests)
        try:
            part.read_through()
            if not berth.judged:
                berth.head[:] = part.head(SNIFF)
        except OSError:
            part.close()
            raise
        part.finish()
        berth.digests = digests
        return digests


def finish_with(shelf: Shelf, tasks: Tasks) -> None:
    """Have the shelf's closed uploads finished, each in a task of its own."""

    def finish(berth: Berth) -> None:
        if berth.unfinished and berth.finishing is None:
            berth.finishing = tasks.start(Finishing(shelf, berth).run(), "finishing of an upload")
            berth.finishing.add_done_callback(lambda done: setattr(berth, "finishing", None))

    shelf.on_closed = finish
