"""One file on its way in: written in order, hashed while written, synced now and then. Blocking: for a thread."""

from __future__ import annotations

import hashlib
import os
from typing import Protocol

from blake3 import blake3

SYNC_EVERY = 16 * 1024**2
"""An upload that never syncs makes other writers' commits wait up to 58 ms (measured); this bounds it."""


class Hasher(Protocol):
    def update(self, block: bytes | bytearray, /) -> object: ...

    def hexdigest(self) -> str: ...


def _hasher(algorithm: str) -> Hasher | None:
    if algorithm == "none":
        return None
    return blake3() if algorithm == "blake3" else hashlib.new(algorithm)


class PartFile:
    """`written` counts what the kernel has taken. After an error the part is spoiled: it must be dropped, never retried
    (a second fsync would succeed although the bytes are lost)."""

    def __init__(self, fd: int, algorithm: str, *, durable: bool) -> None:
        self._fd = fd
        self._algorithm = algorithm
        self._hasher = _hasher(algorithm)
        self._durable = durable
        self._unsynced = 0
        self.written = 0

    def write(self, block: bytes | bytearray) -> None:
        view = memoryview(block)
        while view:
            done = os.write(self._fd, view)
            view = view[done:]
            self.written += done
        view.release()
        if self._hasher is not None:
            self._hasher.update(block)
        self._unsynced += len(block)
        if self._durable and self._unsynced >= SYNC_EVERY:
            os.fdatasync(self._fd)
            self._unsynced = 0

    def finish(self) -> dict[str, str] | None:
        """Sync and close; returns the checksum as events carry it."""
        try:
            if self._durable:
                os.fsync(self._fd)
        finally:
            self.close()
        if self._hasher is None:
            return None
        return {"algorithm": self._algorithm, "value": self._hasher.hexdigest()}

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
