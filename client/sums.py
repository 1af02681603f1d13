"""The checksum of a file, computed while it is sent, and compared with what the station has. Knows no network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from blake3 import blake3


class _Hasher(Protocol):
    def update(self, block: bytes, /) -> object: ...

    def hexdigest(self) -> str: ...


KNOWN: Mapping[str, Callable[[], _Hasher]] = MappingProxyType({"blake3": blake3, "sha256": hashlib.sha256})
_BLOCK = 1024**2


class Sum:
    """What passes in order is hashed as it passes; gaps (a file that goes on from its middle) are read once."""

    def __init__(self, algorithm: str, read: Callable[[int, int], bytes]) -> None:
        """`read(offset, count)`, of the file. An unknown algorithm compares nothing."""
        make = KNOWN.get(algorithm)
        self.algorithm = algorithm
        self._hasher = make() if make else None
        self._read = read
        self._upto = 0

    def passed(self, offset: int, block: bytes) -> None:
        """A block of the file; what was hashed already is left out."""
        if self._hasher is None or offset + len(block) <= self._upto:
            return
        if offset <= self._upto:
            self._take(block[self._upto - offset :])

    def digest(self, size: int) -> str | None:
        """Of the file, as hexadecimal digits."""
        if self._hasher is None:
            return None
        while self._upto < size:
            block = self._read(self._upto, min(_BLOCK, size - self._upto))
            self._take(block)
        return self._hasher.hexdigest()

    def _take(self, block: bytes) -> None:
        assert self._hasher is not None
        self._hasher.update(block)
        self._upto += len(block)


def blake3_of(block: bytes) -> bytes:
    return blake3(block).digest()
