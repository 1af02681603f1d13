"""Digests that are computed while bytes pass: the storage's own, and those that a client promised or wants."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from blake3 import blake3

Bytes = bytes | bytearray | memoryview


class Hasher(Protocol):
    def update(self, block: Bytes, /) -> object: ...

    def digest(self) -> bytes: ...

    def copy(self) -> Hasher: ...


class _Crc32:
    """Big-endian, as tus clients send it."""

    def __init__(self, value: int = 0) -> None:
        self._value = value

    def update(self, block: Bytes, /) -> None:
        self._value = zlib.crc32(block, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")

    def copy(self) -> _Crc32:
        return _Crc32(self._value)


HASHERS: Mapping[str, Callable[[], Hasher]] = MappingProxyType(
    {
        "sha1": lambda: hashlib.sha1(usedforsecurity=False),
        "sha256": hashlib.sha256,
        "sha512": hashlib.sha512,
        "md5": lambda: hashlib.md5(usedforsecurity=False),
        "crc32": _Crc32,
        "blake3": blake3,
    }
)
ALGORITHMS = ("sha1", "sha256", "md5", "crc32", "blake3")
"""Those a client may send with its content over tus, whose table asks for sha1 first."""


class Digests:
    """Several at once over the same bytes. A copy goes on by itself: for taking bytes back."""

    def __init__(self, algorithms: Iterable[str] = ()) -> None:
        self._hashers: dict[str, Hasher] = {name: HASHERS[name]() for name in algorithms}

    def update(self, block: Bytes) -> None:
        for hasher in self._hashers.values():
            hasher.update(block)

    def copy(self) -> Digests:
        other = Digests()
        other._hashers = {name: hasher.copy() for name, hasher in self._hashers.items()}
        return other

    def values(self) -> dict[str, bytes]:
        return {name: hasher.digest() for name, hasher in self._hashers.items()}

    def agree(self, promised: Mapping[str, bytes]) -> bool:
        """Whether each promised digest is the one computed; those not computed do not agree."""
        computed = self.values()
        return all(computed.get(name) == value for name, value in promised.items())

    def checksum(self, algorithm: str) -> dict[str, str] | None:
        """One of them as events carry it; None if it is not computed."""
        if algorithm not in self._hashers:
            return None
        return {"algorithm": algorithm, "value": self._hashers[algorithm].digest().hex()}


def storage_digests(algorithm: str, further: Iterable[str] = ()) -> Digests:
    """Digests for a new file: the configured one (`none`: none) and those a client asked for."""
    return Digests(dict.fromkeys([*([] if algorithm == "none" else [algorithm]), *further]))
