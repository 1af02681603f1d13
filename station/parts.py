"""What the parts of a multipart/form-data body are to the rest of the station: files, told as they come, and fields.

Pure: knows what a part's head, bytes and end mean, not how they were found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from station.grammar import Head, MultipartProblem


@dataclass(frozen=True, slots=True)
class PartStarted:
    """A file begins. `filename` is the client's own, unsafe one; `size` in bytes if the part declares it."""

    name: str
    filename: str
    content_type: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class PartData:
    """The next bytes of the file; never none."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartFinished:
    """The file is whole: the delimiter after it has been seen."""


@dataclass(frozen=True, slots=True)
class FieldRead:
    """A part without a file name, whole."""

    name: str
    value: str


Event = PartStarted | PartData | PartFinished | FieldRead


class File:
    """A part with a file name. An input that was left empty, without name and bytes, is no file and tells nothing."""

    def __init__(self, head: Head, filename: str) -> None:
        self._start = PartStarted(head.name, filename, head.content_type, head.size)
        self._told = False

    def begin(self) -> Iterator[Event]:
        if self._start.filename:
            self._told = True
            yield self._start

    def add(self, piece: bytes) -> Iterator[Event]:
        if not self._told:
            self._told = True
            yield self._start
        yield PartData(piece)

    def end(self) -> Iterator[Event]:
        if self._told:
            yield PartFinished()


class Field:
    """A part without a file name: kept until it is whole, and no longer than `limit` bytes."""

    def __init__(self, head: Head, limit: int) -> None:
        self._name = head.name
        self._limit = limit
        self._value = bytearray()

    def begin(self) -> Iterator[Event]:
        yield from ()

    def add(self, piece: bytes) -> Iterator[Event]:
        self._value += piece
        if len(self._value) > self._limit:
            raise MultipartProblem(f"A field is longer than {self._limit} bytes.")
        yield from ()

    def end(self) -> Iterator[Event]:
        try:
            yield FieldRead(self._name, self._value.decode())
        except UnicodeDecodeError:
            raise MultipartProblem("A field is not valid UTF-8.") from None


def part_of(head: Head, *, max_field: int) -> File | Field:
    """RFC 7578, 4.2: what has a file name is a file, whatever its name or type."""
    return Field(head, max_field) if head.filename is None else File(head, head.filename)
