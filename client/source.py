"""The local files: which can be sent, under which names, and whether they stay as they were. No network."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from client.faults import Unfit


@dataclass(frozen=True)
class Source:
    """A file as it was when it was looked at. `name`: what the station is told."""

    path: str
    name: str
    size: int
    changed: int
    """Nanoseconds; only compared."""


@dataclass(frozen=True)
class Unsendable:
    path: str
    fault: Unfit


def gather(paths: Iterable[str], *, recursive: bool) -> list[Source | Unsendable]:
    """Each file once, in the order given; of folders what is in them, by name. Links in folders are not followed."""
    found: dict[str, Source | Unsendable] = {}
    for given in paths:
        for path in _within(given) if recursive and Path(given).is_dir() else [given]:
            absolute = os.path.abspath(path)
            if absolute not in found:
                found[absolute] = _looked_at(absolute)
    return list(found.values())


def _within(folder: str) -> Iterator[str]:
    for here, folders, names in os.walk(folder):
        folders.sort()
        paths = (os.path.join(here, name) for name in sorted(names))
        yield from (path for path in paths if not os.path.islink(path))


def _looked_at(path: str) -> Source | Unsendable:
    try:
        status = os.stat(path)
        _check(status)
        # Before anything is announced: whoever may not read it is told now.
        with Reading(_source(path, status)):
            return _source(path, status)
    except Unfit as fault:
        return Unsendable(path, fault)
    except OSError as error:
        return Unsendable(path, Unfit("unreadable", error.strerror or ""))


def _check(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise Unfit("is_folder")
    if not stat.S_ISREG(status.st_mode):
        raise Unfit("not_regular")


def _source(path: str, status: os.stat_result) -> Source:
    # Names are bytes: what is no UTF-8 is told with marks in its place.
    name = os.fsencode(os.path.basename(path)).decode(errors="replace")
    return Source(path, name, status.st_size, status.st_mtime_ns)


class Reading:
    """The open file. Raises Unfit as soon as it is no longer what was looked at."""

    def __init__(self, source: Source) -> None:
        self.source = source
        try:
            # Without O_NONBLOCK a pipe that took the file's place would hold everything up.
            self._file = os.open(source.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise Unfit("disappeared") from None
        except OSError as error:
            raise Unfit("unreadable", error.strerror or "") from None
        try:
            _check(os.fstat(self._file))
            self.check()
        except Unfit:
            os.close(self._file)
            raise

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def read(self, offset: int, count: int) -> bytes:
        """Exactly so many bytes, all of them from the file that was announced."""
        try:
            block = os.pread(self._file, count, offset)
        except OSError as error:
            raise Unfit("unreadable", error.strerror or "") from None
        if len(block) < count:
            raise Unfit("changed")
        return block

    def check(self) -> None:
        """Whether it was written to, or another has its name now."""
        try:
            opened, named = os.fstat(self._file), os.stat(self.source.path)
        except OSError:
            raise Unfit("disappeared") from None
        same = (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino)
        if not same or (opened.st_size, opened.st_mtime_ns) != (self.source.size, self.source.changed):
            raise Unfit("changed")
