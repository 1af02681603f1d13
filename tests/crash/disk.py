"""A disk that can be unplugged: ext4 in a file, mounted through a loop device. Root only."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN: the file system stops where it is, as if the power had gone
NO_LOG_FLUSH = 2  # not even what waits for the file system's own journal is written
# Nothing becomes safe by itself while a cycle runs, and no rename or truncation is rescued by a guess of ext4's.
_PATIENT = "loop,commit=600,noauto_da_alloc,nodiscard"
MODES = ("ordered", "writeback")
"""How ext4 treats data: `ordered` writes what belongs to its journal's commit first, `writeback` does not."""


class Disk:
    """`folder` is where it is mounted. Whoever has a file open on it must let go before `replug`."""

    def __init__(self, place: Path, size: int) -> None:
        """`place`: a folder for the image and the mount point. The image takes only the space that is used."""
        self._image = place / "disk.img"
        self.folder = place / "disk"
        self.folder.mkdir()
        with self._image.open("wb") as image:
            image.truncate(size)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", str(self._image))
        self._plug(MODES[0])

    def cut(self) -> None:
        """From here on nothing reaches the disk; what was not synced is lost."""
        folder = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def replug(self, mode: str) -> None:
        """Mount what the disk holds; ext4 plays its journal back."""
        self.unplug()
        self._plug(mode)

    def _plug(self, mode: str) -> None:
        _run("mount", "-t", "ext4", "-o", f"{_PATIENT},data={mode}", str(self._image), str(self.folder))

    def unplug(self) -> None:
        if os.path.ismount(self.folder):
            _run("umount", str(self.folder))

    def throw_away(self) -> None:
        """Never fails for somebody who still looks at it."""
        if os.path.ismount(self.folder):
            subprocess.run(["umount", "-l", str(self.folder)], check=False)
        self._image.unlink(missing_ok=True)


def why_not(place: Path) -> str | None:
    """Why no disk can be unplugged here, in a sentence; None if one can. Tries it out."""
    if sys.platform != "linux" or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "Cutting the power needs root on Linux."
    for program in ("mkfs.ext4", "mount", "umount"):
        if shutil.which(program, path=_path()) is None:
            return f"Cutting the power needs {program}, which is not installed."
    place.mkdir()
    try:
        disk = Disk(place, 8 * 1024**2)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(place)
        why = error.stderr.partition("\n")[0].rpartition(": ")[2].rstrip(".")
        return f"Cutting the power needs a file mounted through a loop device, which this system does not allow: {why}."
    try:
        disk.cut()
    except OSError as error:
        return f"This system's ext4 cannot be shut down: {error.strerror}."
    finally:
        disk.throw_away()
        shutil.rmtree(place, ignore_errors=True)
    return None


def _path() -> str:
    """Where the programs of an administrator lie too, which not every PATH names."""
    return os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def _run(*command: str) -> None:
    environment = {**os.environ, "PATH": _path(), "LC_ALL": "C"}
    subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
