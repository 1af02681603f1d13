"""Makes the bytes of one request safe, and moves the upload's offset over them.

What was told to a client must be there after a power cut, so an offset moves in this order: write, sync, journal,
tell. The journal's offset is the truth; what lies behind it in the part file is cut off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from station.berth import Berth
from station.digest import Digests, storage_digests
from station.dock import problem_of
from station.errors import Problem
from station.journal import JournalFailed
from station.partfile import PartFile, PartLost, SyncFailed
from station.promise import Fate
from station.shelf import Shelf
from station.writer import PartWriter

log = logging.getLogger("upload_station")
BROKEN_DOWN = Problem("SERVER_ERROR")
SYNC_AFTER = 1.0  # seconds that written bytes may wait for a sync while more of them come


class Securing:
    """`on_moved` hears by how many bytes the offset moved, `on_error` why it cannot move any more.

    With `content` digests it is all or nothing: the offset moves at the end, if they agree.
    """

    def __init__(
        self,
        shelf: Shelf,
        berth: Berth,
        content: Digests | None,
        on_moved: Callable[[int], None],
        on_error: Callable[[Problem, Fate], None],
    ) -> None:
        self._shelf, self._dock, self._berth = shelf, shelf.dock, berth
        self._content = content
        self._on_moved, self._on_error = on_moved, on_error
        self._start = self._asked = berth.upload.offset
        self._ending = False
        self._before: Digests | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._recording: asyncio.Future[None] | None = None
        self._writer = PartWriter(self._dock, self._wrote, self._disk_failed, open_part=self._open_part)

    def open(self) -> None:
        self._writer.open()

    async def put(self, block: bytes) -> None:
        await self._writer.put(block)

    def _wrote(self, count: int) -> None:
        self._dock.space.wrote(self._berth.upload.id, count, self._dock.clock().mono)
        part = self._writer.part
        if part is None or self._content is not None or self._ending:
            return
        if self._sure(part.synced) > self._asked:
            self._record(self._sure(part.synced))
        if part.written > part.synced and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SYNC_AFTER, self._sync)

    def _sync(self) -> None:
        self._timer = None
        self._writer.sync()

    def _sure(self, offset: int) -> int:
        """As much as may be told before the request has ended well. Never all of it: that says that it is stored, and
        a tus client sends nothing more; and without a Content-Length more may come than was announced."""
        length = self._berth.upload.length
        return max(self._start, min(offset, length - 1)) if length else offset

    def _record(self, offset: int, *, closed: bool = False) -> None:
        upload, berth = self._berth.upload, self._berth
        whole_row, berth.changed, self._asked, upload.closed = berth.changed or closed, False, offset, closed
        recording = self._shelf.save(upload, offset=offset) if whole_row else self._shelf.move(upload, offset)
        recording.add_done_callback(partial(self._recorded, offset, whole_row, closed))
        self._recording = recording

    def _recorded(self, offset: int, whole_row: bool, closed: bool, done: asyncio.Future[None]) -> None:
        upload = self._berth.upload
        if (error := done.exception()) is not None:
            self._berth.changed, upload.closed = self._berth.changed or whole_row, False
            self._on_error(error.problem if isinstance(error, JournalFailed) else BROKEN_DOWN, Fate.FAIL)
            return
        if closed:
            upload.closed = True  # an earlier record, that failed, may have said otherwise
        grown, upload.offset = offset - upload.offset, offset
        upload.expires_at = self._dock.clock().mono + self._dock.config.upload_expiry
        self._on_moved(grown)

    def _disk_failed(self, error: BaseException) -> None:
        if not isinstance(error, OSError):
            log.error("writing failed", exc_info=error)
            self._on_error(BROKEN_DOWN, Fate.LOSE)
            return
        log.warning("disk: %s", error.strerror)
        lost = isinstance(error, (SyncFailed, PartLost))
        self._on_error(problem_of(error), Fate.LOSE if lost else Fate.FAIL)

    # -- the end

    async def settle(self) -> None:
        """Write and sync all that was put; nothing moves any more before `keep`, which records it all at once."""
        self._ending = True
        self._stop_timer()
        await self._writer.settle()

    async def keep(self, *, whole: bool, closed: bool) -> None:
        """Move the offset over what is safe. `whole`: the request's content came to its proper end."""
        part = self._writer.part
        safe = self._start if part is None else part.synced
        offset = safe if whole else self._sure(safe)
        if (whole or self._content is None) and (offset > self._asked or self._berth.changed or closed):
            self._record(offset, closed=closed)

    async def close(self) -> None:
        """Wait for what is on its way, then let the part go, without what was not taken."""
        self._ending = True
        self._stop_timer()
        await self._writer.drain()
        if self._recording is not None:
            await asyncio.wait([self._recording])
        try:
            await self._dock.run(self._let_go, self._berth.upload.offset)
        except OSError as error:
            log.warning("disk: %s", error.strerror)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- in a thread

    def _open_part(self) -> PartFile:
        berth, known = self._berth, self._berth.digests
        digests = known or storage_digests(self._dock.config.checksum, berth.upload.further)
        part = self._dock.storage.reopen_part(berth.upload.id, self._start, digests)
        try:
            if known is None:
                part.read_through()
        except OSError:
            part.close()
            raise
        self._before, berth.digests = digests.copy(), None
        part.content = self._content
        return part

    def _let_go(self, offset: int) -> None:
        part = self._writer.part
        if part is None:
            return
        spoiled = self._writer.failed or part.written != offset
        if not spoiled:
            self._berth.digests = part.digests
        elif offset == self._start:
            self._berth.digests = self._before
        try:
            if spoiled:
                part.cut(offset)
        finally:
            part.close()
