"""What is measured against what, and in which order: who competes takes turns, beginning with another each round."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import server, uploads
from bench.sender import Connection
from bench.table import Row, large_table, small_table
from bench.uploads import Sample

MIB = 1024**2
AT_ONCE = 8
# The station looks at the first bytes: the content is to be what the name says.
_VIDEO = bytes.fromhex("0000001866747970") + b"mp42\0\0\0\0mp42isom"


@dataclass
class Contest:
    """`rows[0]` is the bare loop; `ways` measures a sample for the row at the same place."""

    title: str
    rows: list[Row]
    ways: list[Callable[[], Sample]]
    draw: Callable[[str, Sequence[Row]], str]

    def take_turns(self, turn: int) -> None:
        places = list(range(len(self.rows)))
        first = turn % len(places)
        for place in places[first:] + places[:first]:
            self.rows[place].samples.append(self.ways[place]())

    def table(self) -> str:
        return self.draw(self.title, self.rows)


@dataclass(frozen=True)
class Terms:
    """`size`: bytes of the large file; `files`: how many small ones; `options`: for the station."""

    disk: Path
    size: int
    files: int
    options: Sequence[str]

    @property
    def bare(self) -> uploads.Start:
        return partial(server.bare, self.disk)

    @property
    def station(self) -> uploads.Start:
        return partial(server.station, self.disk, self.options)


def contests(terms: Terms, file: int) -> list[Contest]:
    """`file`: an open one with at least `terms.size` bytes."""
    return [
        large(terms, file, terms.size, 1),
        large(terms, file, terms.size // 4, AT_ONCE),
        small(terms, file, 1),
        small(terms, file, AT_ONCE),
    ]


def large(terms: Terms, file: int, size: int, at_once: int) -> Contest:
    send = partial(uploads.large, file=file, size=size, at_once=at_once)
    return Contest(
        f"{at_once} x {shown(size)}",
        [Row(name, size * at_once, at_once) for name in ("bare loop", "raw PUT", "multipart POST", "tus PATCH")],
        [
            partial(send, terms.bare, how=Connection.put_file),
            partial(send, terms.station, how=Connection.put_file),
            partial(send, terms.station, how=Connection.post_file),
            partial(send, terms.station, how=Connection.patch_file),
        ],
        large_table,
    )


def small(terms: Terms, file: int, at_once: int) -> Contest:
    body = os.pread(file, uploads.SMALL, 0)
    ways = "1 connection" if at_once == 1 else f"{at_once} connections"
    return Contest(
        f"{terms.files} x 64 KiB, {ways}",
        [Row(name, len(body) * terms.files, terms.files) for name in ("bare loop", "raw PUT")],
        [partial(uploads.small, start, body, terms.files, at_once) for start in (terms.bare, terms.station)],
        small_table,
    )


def shown(size: int) -> str:
    return f"{size // 1024**3} GiB" if size % 1024**3 == 0 else f"{size / MIB:g} MiB"


@contextmanager
def source(size: int) -> Iterator[int]:
    """An open file of random bytes, in memory where there is /dev/shm, so that the client reads no disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryFile(dir=memory if memory.is_dir() else None) as file:
        file.write(_VIDEO)
        for _ in range(size // MIB + 1):
            file.write(os.urandom(MIB))
        file.flush()
        yield file.fileno()
