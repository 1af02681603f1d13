"""The way of bytes into one part file: gathered, written off the loop one block at a time, removed when not wanted.

Knows no session: `on_written` hears of each block once the kernel has it, `on_error` of what a write or a sync raised.
After an error nothing is written any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from station.dock import Dock
from station.partfile import PartFile

log = logging.getLogger("upload_station")
PAUSE = 0.05
"""Seconds that a small block waits for more: each write costs a way to a thread and back, whatever its size."""


class PartWriter:
    """Nothing is written before `open`. At most one call of the disk is under way; all others wait behind it.

    `open_part` is called in a thread, before the first write; without it the writer makes a part of its own.
    """

    def __init__(
        self,
        dock: Dock,
        on_written: Callable[[int], None],
        on_error: Callable[[BaseException], None],
        *,
        open_part: Callable[[], PartFile] | None = None,
    ) -> None:
        self.part_name = dock.new_id()
        self.failed = False
        self._dock = dock
        self._open_part = open_part or self._new_part
        self._on_written = on_written
        self._on_error = on_error
        self._buffer = bytearray()
        self._part: PartFile | None = None
        self._busy: asyncio.Future[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._open = self._hurry = self._unwanted = self._sync_due = False

    @property
    def part(self) -> PartFile | None:
        """The part, once it is open. Not to be touched while a call is under way, but to read its counts."""
        return self._part

    @property
    def waiting(self) -> bytearray:
        """Bytes that have not been handed to the disk yet."""
        return self._buffer

    def open(self) -> None:
        self._open = True
        self._write_or_wait()

    async def put(self, block: bytes) -> None:
        """Take bytes; waits while the disk is behind."""
        self._buffer += block
        if self._busy is not None and len(self._buffer) >= self._dock.room:
            await asyncio.wait([self._busy])
        self._write_or_wait()

    async def drain(self) -> None:
        """Write all that waits, without waiting for more of it."""
        self._hurry = True
        self._write_or_wait()
        while self._busy is not None:
            await asyncio.wait([self._busy])

    def sync(self) -> None:
        """Have what was put so far made safe: with the next write, or at once if none is due."""
        self._sync_due = True
        if self._open and self._busy is None:
            self._begin_write()

    async def settle(self) -> None:
        """Write and sync all that waits."""
        self._sync_due = True
        await self.drain()

    async def seal(self) -> dict[str, str] | None:
        """Sync and close the part; returns its checksum. Raises OSError. To be called after `drain`, once."""
        self._busy = sealing = self._dock.run(self._seal_part)
        await asyncio.wait([sealing])
        self._busy = None
        if self._unwanted:
            self._dock.run(self._remove)
        return sealing.result()

    def discard(self) -> None:
        """Drop the bytes. A call under way ends first, so that nobody closes the file under it; then the part goes."""
        if self._unwanted:
            return
        self._unwanted = True
        self._buffer.clear()
        self._stop_timer()
        if self._busy is None:
            self._dock.run(self._remove)

    def _write_or_wait(self) -> None:
        if not self._open or self._busy is not None or not (self._buffer or self._sync_due):
            return
        if self._hurry or self._sync_due or len(self._buffer) >= self._dock.room:
            self._begin_write()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._begin_write)

    def _begin_write(self) -> None:
        self._stop_timer()
        if self._busy is not None or self._unwanted or self.failed:
            return
        block, self._buffer = self._buffer, bytearray()
        sync, self._sync_due = self._sync_due, False
        self._busy = self._dock.run(self._write, block, sync=sync)
        self._busy.add_done_callback(lambda done: self._wrote(done, len(block)))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wrote(self, done: asyncio.Future[None], count: int) -> None:
        self._busy = None
        if (error := done.exception()) is not None:
            self.failed = True
            self._buffer.clear()
            self._on_error(error)
        else:
            self._on_written(count)
        if self._unwanted:
            self._dock.run(self._remove)
        else:
            self._write_or_wait()

    # -- in a thread

    def _new_part(self) -> PartFile:
        return self._dock.storage.create_part(self.part_name, self._dock.config.checksum)

    def _write(self, block: bytearray, *, sync: bool = False) -> None:
        if self._part is None:
            self._part = self._open_part()
        self._part.write(block, sync=sync)

    def _seal_part(self) -> dict[str, str] | None:
        if self._part is None:
            self._write(bytearray())
        assert self._part is not None
        self._part.finish()
        return self._part.digests.checksum(self._dock.config.checksum)

    def _remove(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        try:
            part.close()
            self._dock.storage.drop_part(self.part_name)
        except OSError as error:
            log.warning("a part file could not be removed, the next start will: %s", error.strerror)
