"""Where bytes lie: part files, publishing without overwriting, free space. Blocking calls only; knows no sessions.

Folders are held open and names are used relative to them, so that a folder swapped for a link is not followed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from station.digest import Digests, storage_digests
from station.partfile import PartFile, PartLost, timed, unheard

OWN = ".station"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Unusable(Exception):
    """The folder cannot serve; the sentence says why, for the person who starts the station."""


@dataclass(frozen=True)
class Space:
    """Bytes, for this process: what the file system keeps for root does not count."""

    free: int
    total: int


class Storage:
    """Opens (and makes) the folder, and locks it against a second station. Raises Unusable."""

    def __init__(self, root: Path, categories: Iterable[str], *, durable: bool) -> None:
        self._durable, self.on_sync = durable, unheard
        self._open: set[int] = set()
        self.root = root.resolve()
        try:
            self._take_folder(categories)
        except OSError as error:
            self.close()
            raise Unusable(f"cannot use {self.root} for uploads: {error.strerror}") from error
        except Unusable:
            self.close()
            raise

    def _take_folder(self, categories: Iterable[str]) -> None:
        self._make_root()
        self._root = self._kept(os.open(self.root, _FOLDER))
        self._own = self._folder(self._root, OWN, 0o700)
        self._take_lock()
        self._parts = self._folder(self._own, "parts", 0o700)
        self._categories = {name: self._folder(self._root, name, 0o750) for name in categories}
        for name, folder in self._categories.items():
            self._try_link(name, folder)

    def _make_root(self) -> None:
        """With what is missing above it; all of it will still be there after a power cut."""
        missing = [folder for folder in (self.root, *self.root.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o750 if folder == self.root else 0o777, exist_ok=True)
            above = os.open(folder.parent, _FOLDER)
            try:
                self._sync(above)
            finally:
                os.close(above)

    def _kept(self, fd: int) -> int:
        self._open.add(fd)
        return fd

    @property
    def own(self) -> Path:
        """The station's own folder: journal, token."""
        return self.root / OWN

    def _folder(self, parent: int, name: str, mode: int) -> int:
        try:
            os.mkdir(name, mode, dir_fd=parent)
            self._sync(parent)
        except FileExistsError:
            pass
        return self._kept(os.open(name, _FOLDER, dir_fd=parent))

    def _take_lock(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = self._kept(os.open("lock", flags, 0o600, dir_fd=self._own))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unusable(f"another station is already using {self.root}") from None

    def _try_link(self, category: str, folder: int) -> None:
        """Publishing needs hard links, which FAT and exFAT lack, and which do not reach other file systems."""
        probe = ".upload-station-probe"
        try:
            self._unlink(probe, folder)  # a start that was killed here left it
            self._unlink(probe, self._parts)
            os.close(os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600, dir_fd=self._parts))
            os.link(probe, probe, src_dir_fd=self._parts, dst_dir_fd=folder)
            os.unlink(probe, dir_fd=folder)
        except OSError as error:
            why = "is on another file system" if error.errno == errno.EXDEV else f"failed ({error.strerror})"
            raise Unusable(
                f"cannot publish into {self.root / category}: linking into it {why}. Use a folder on a file system "
                "with hard links, such as ext4, XFS, Btrfs or NTFS, with all categories on it"
            ) from error
        finally:
            self._unlink(probe, self._parts)

    # -- part files

    def create_part(self, name: str, algorithm: str) -> PartFile:
        return PartFile(self._new_part(name), storage_digests(algorithm), durable=self._durable, on_sync=self.on_sync)

    def _new_part(self, name: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, 0o600, dir_fd=self._parts)

    def make_part(self, name: str) -> None:
        """Make an empty part that will still be there after a power cut."""
        os.close(self._new_part(name))
        self._sync(self._parts)

    def reopen_part(self, name: str, offset: int, digests: Digests) -> PartFile:
        """Go on with a part at `offset`, whatever follows there. Raises PartLost if it holds less."""
        try:
            fd = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._parts)
        except FileNotFoundError as error:
            raise PartLost(error.errno, error.strerror) from error
        part = PartFile(fd, digests, durable=self._durable, at=offset, on_sync=self.on_sync)
        try:
            size = os.fstat(fd).st_size
            if size < offset:
                raise PartLost(errno.EIO, "the part file is shorter than recorded")
            if size > offset:
                part.cut(offset)
            os.lseek(fd, offset, os.SEEK_SET)
        except OSError:
            part.close()
            raise
        return part

    def copy_part(self, source: str, offset: int, target: str, position: int, count: int) -> None:
        """Copy bytes of one part into another, by the kernel (which on some file systems copies nothing at all)."""
        reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._parts)
        try:
            writing = os.open(target, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._parts)
            try:
                while count and (done := os.copy_file_range(reading, writing, count, offset, position)):
                    count, offset, position = count - done, offset + done, position + done
            finally:
                os.close(writing)
        finally:
            os.close(reading)
        if count:
            raise PartLost(errno.EIO, "a partial upload is shorter than recorded")

    def fit_part(self, name: str, offset: int, head: int) -> bytes | None:
        """Cut a part back to what was recorded as safe; returns its first bytes. None: it holds less than that."""
        try:
            part = self.reopen_part(name, offset, Digests())
        except PartLost:
            return None
        try:
            return part.head(min(offset, head))
        finally:
            part.close()

    def drop_part(self, name: str) -> None:
        self._unlink(name, self._parts)

    def parts(self) -> Iterator[str]:
        return iter(os.listdir(self._parts))

    # -- finished files

    def publish(self, part: str, category: str, stored_name: str) -> None:
        """Give a finished part its final name, for good. Raises FileExistsError rather than overwrite anything."""
        folder = self._open_category(category)
        os.chmod(part, 0o640, dir_fd=self._parts)
        os.link(part, stored_name, src_dir_fd=self._parts, dst_dir_fd=folder, follow_symlinks=False)
        self._sync(folder)

    def _open_category(self, category: str) -> int:
        folder = self._categories[category]
        if os.fstat(folder).st_nlink == 0:
            # Somebody removed the folder while we run: the next file makes it anew.
            self._categories[category] = self._folder(self._root, category, 0o750)
            self._open.discard(folder)
            os.close(folder)
        return self._categories[category]

    def is_published(self, part: str, category: str, stored_name: str) -> bool:
        """Whether a crash came after the link: the final name is the part itself, or the part is gone already."""
        final = self._stat(stored_name, self._categories.get(category))
        if final is None or not stat.S_ISREG(final.st_mode):
            return False
        source = self._stat(part, self._parts)
        return source is None or source.st_ino == final.st_ino

    def sync_category(self, category: str) -> None:
        self._sync(self._categories[category])

    def open_folder(self, category: str) -> int:
        """To be closed. Also one that is configured no longer."""
        return os.open(category, _FOLDER, dir_fd=self._root)

    def sync_folder(self, folder: int) -> None:
        self._sync(folder)

    # -- the folder as a whole

    def space(self) -> Space:
        found = os.fstatvfs(self._root)
        # No inode left is as full as no block left (ENOSPC either way); some file systems count none at all.
        full = found.f_files > 0 and found.f_favail == 0
        return Space(0 if full else found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)

    def close(self) -> None:
        """A second call does nothing."""
        while self._open:
            os.close(self._open.pop())

    def _sync(self, folder: int) -> None:
        if self._durable:
            timed(os.fsync, folder, "folder", self.on_sync)

    @staticmethod
    def _stat(name: str, folder: int | None) -> os.stat_result | None:
        if folder is None:
            return None
        try:
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    @staticmethod
    def _unlink(name: str, folder: int) -> bool:
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return False
        return True
