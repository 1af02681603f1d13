"""Stored files on the disk: whether they are there, reading and deleting them. Blocking calls only.

Also those of categories that are configured no longer. Other programs may move, replace or remove any of them at any
moment, so nothing but a plain file at its own place counts, and a link is never followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from station.storage import Storage

# A pipe that lies at a file's name would hold up whoever opens it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Spot:
    """Where a stored file lies: the name of its folder, and its own."""

    category: str
    name: str


def spot_of(path: str) -> Spot:
    """`path`: the public name, `/upload/<category>/<storedName>`."""
    _, _, category, name = path.split("/", 3)
    return Spot(category, name)


@dataclass(frozen=True)
class Opened:
    """A stored file to read from, as it was when it was opened. To be closed."""

    fd: int
    size: int
    modified: int
    """Nanoseconds, by the wall clock."""

    def read(self, offset: int, count: int) -> bytes:
        """Up to so many bytes; none at the end."""
        return os.pread(self.fd, count, offset)

    def close(self) -> None:
        os.close(self.fd)


class Stored:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def present(self, spots: Sequence[Spot]) -> list[bool]:
        """Which of them are there."""
        folders = {category: self._folder(category) for category in {spot.category for spot in spots}}
        try:
            return [_is_there(spot.name, folders[spot.category]) for spot in spots]
        finally:
            for folder in folders.values():
                if folder is not None:
                    os.close(folder)

    def _folder(self, category: str) -> int | None:
        """None, if there is none; to be closed."""
        try:
            return self._storage.open_folder(category)
        except OSError:
            return None

    def open(self, spot: Spot) -> Opened | None:
        """None, if it is not there. Raises OSError."""
        if (folder := self._folder(spot.category)) is None:
            return None
        try:
            if not _is_there(spot.name, folder):  # not opened at all: what is no file may do things when it is
                return None
            fd = os.open(spot.name, _FILE, dir_fd=folder)
        except FileNotFoundError:
            return None
        finally:
            os.close(folder)
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(fd)
            return None
        return Opened(fd, found.st_size, found.st_mtime_ns)

    def unlink(self, spot: Spot) -> bool:
        """Delete it; False if it was not there. Raises OSError, and then it is still there."""
        if (folder := self._folder(spot.category)) is None:
            return False
        try:
            os.unlink(spot.name, dir_fd=folder)
        except (FileNotFoundError, IsADirectoryError):
            return False
        finally:
            os.close(folder)
        return True

    def sync(self, category: str) -> None:
        """What was deleted stays deleted, whatever happens to the power. Raises OSError."""
        with suppress(FileNotFoundError):
            folder = self._storage.open_folder(category)
            try:
                self._storage.sync_folder(folder)
            finally:
                os.close(folder)


def _is_there(name: str, folder: int | None) -> bool:
    if folder is None:
        return False
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False
