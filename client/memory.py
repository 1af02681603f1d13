"""What is remembered of uploads between two runs: where each stands, in the user's state folder, for the owner only.

One small file for each upload, so that two runs at once are in nobody's way. Without a folder nothing is remembered.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from client import wire
from client.source import Source

_KEPT = 8 * 86400.0  # seconds; a station keeps unfinished uploads for a day, or as long as it is told to


@dataclass
class Remembered:
    path: str
    size: int
    changed: int
    file_id: str
    upload: str = ""
    """Path of the upload at the station; empty: none was made yet."""
    done: bool = False

    def is_of(self, source: Source) -> bool:
        """Whether the file is still the one that was sent."""
        return (self.size, self.changed) == (source.size, source.changed)


def state_folder(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_STATE_HOME") or ""
    home = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return home / "upload-station"


class Memory:
    """Of one session. The names of its files tell nothing: a session's id opens it."""

    def __init__(self, folder: Path, session_id: str) -> None:
        self._folder = folder / _hidden(session_id)

    def entries(self) -> dict[str, Remembered]:
        """By the path of the local file. What cannot be read is forgotten."""
        found = {}
        for file in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            with contextlib.suppress(OSError, ValueError, KeyError):
                entry = _read(wire.loads(file.read_bytes()))
                found[entry.path] = entry
        return found

    def keep(self, entry: Remembered) -> None:
        """A disk that is full costs the memory, not the upload."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._folder.parent.chmod(0o700)
            name = self._folder / f"{_hidden(entry.path)}.json"
            new = name.with_suffix(f".{os.getpid()}")
            text = wire.dumps({**asdict(entry), "path": os.fsencode(entry.path).decode("latin-1")})
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(text.encode())
            new.replace(name)
            _forget_old(self._folder)


def _read(kept: dict[str, Any]) -> Remembered:
    """Raises ValueError, KeyError for what was not written by `keep`."""
    values = {item.name: kept[item.name] for item in fields(Remembered)}
    if any(type(values[item.name]).__name__ != item.type for item in fields(Remembered)):
        raise ValueError("not an entry")
    # Names are bytes, which JSON does not hold.
    return Remembered(**{**values, "path": os.fsdecode(values["path"].encode("latin-1"))})


def _hidden(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:32]


def _forget_old(newest: Path) -> None:
    """The other sessions, by how much older they are than this one: whatever the clock says, it is the same one."""
    now = newest.stat().st_mtime
    for folder in newest.parent.iterdir():
        if folder.is_dir() and now - folder.stat().st_mtime > _KEPT:
            shutil.rmtree(folder, ignore_errors=True)
