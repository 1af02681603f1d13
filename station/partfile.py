"""One file on its way in: written in order, hashed while written, synced now and then. Blocking: for a thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import monotonic

from station.digest import Digests

SYNC_EVERY = 16 * 1024**2
"""An upload that never syncs makes other writers' commits wait up to 58 ms (measured); this bounds it."""
READ = 1024**2


class SyncFailed(OSError):
    """The kernel may have dropped what it could not write, and says so once only: the bytes since the last sync
    are lost, and so is the part (reference: fsync errors, ATC'20)."""


Heard = Callable[[str, float], None]
"""Hears what was synced (file, folder) and how many seconds it took, in the thread that did it. May not raise."""


def unheard(what: str, seconds: float) -> None:
    """Nobody wants to know."""


def timed(sync: Callable[[int], None], fd: int, what: str, heard: Heard) -> None:
    """Sync, and tell how long it took."""
    began = monotonic()
    sync(fd)
    heard(what, monotonic() - began)


class PartLost(OSError):
    """The part holds fewer bytes than were recorded as safe."""


class PartFile:
    """`written` counts what the kernel has taken, `synced` what is safe. After an error the part is spoiled: nothing
    more may be written through this object, and a failed sync is never tried again."""

    def __init__(self, fd: int, digests: Digests, *, durable: bool, at: int = 0, on_sync: Heard = unheard) -> None:
        self._fd = fd
        self._durable = durable
        self._on_sync = on_sync
        self.digests = digests
        self.content: Digests | None = None
        """Digests of only what is written through this object."""
        self.written = self.synced = at

    def write(self, block: bytes | bytearray, *, sync: bool = False) -> None:
        """Append; sync if asked to, or if much was written since the last time."""
        with memoryview(block) as view:
            done = 0
            while done < len(view):
                count = os.write(self._fd, view[done:])
                done += count
                self.written += count
        self.digests.update(block)
        if self.content is not None:
            self.content.update(block)
        if sync or (self._durable and self.written - self.synced >= SYNC_EVERY):
            self.sync()

    def sync(self) -> None:
        """Make what is written safe. Raises SyncFailed."""
        if self.synced != self.written:
            self._make_safe(os.fdatasync)

    def finish(self) -> None:
        """Sync all of it, the file's size and times too, and close. Raises SyncFailed."""
        try:
            self._make_safe(os.fsync)
        finally:
            self.close()

    def _make_safe(self, sync: Callable[[int], None]) -> None:
        if self._durable:
            try:
                timed(sync, self._fd, "file", self._on_sync)
            except OSError as error:
                raise SyncFailed(error.errno, error.strerror) from error
        self.synced = self.written

    def cut(self, length: int) -> None:
        """Drop what was written after `length`: it was not wanted, or takes space that others need."""
        os.ftruncate(self._fd, length)
        self.written, self.synced = length, min(self.synced, length)

    def read_through(self) -> None:
        """Compute the digests of what is there already, up to `written`."""
        position = 0
        while position < self.written:
            block = os.pread(self._fd, min(READ, self.written - position), position)
            if not block:
                raise PartLost(5, "the part file is shorter than recorded")
            self.digests.update(block)
            position += len(block)

    def head(self, count: int) -> bytes:
        return os.pread(self._fd, count, 0)

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
