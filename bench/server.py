"""A server under measurement: a process of its own with a folder of its own, and what the system says of it.

Needs Linux: what a process has used is read from /proc.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024**2
_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 20.0  # seconds a server may take to stop


@dataclass(frozen=True)
class Server:
    port: int
    folder: Path
    pid: int
    is_station: bool

    def cpu(self) -> float:
        """Seconds of processor time used so far, all threads, user and system; in steps of a tick (10 ms)."""
        text = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self, name: str) -> float:
        """MiB; `name` is VmRSS (resident now) or VmHWM (its peak)."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        match = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
        assert match is not None
        return int(match[1]) * 1024 / MIB

    def stored(self) -> list[int]:
        """Sizes of the files that arrived."""
        files = (path for path in self.folder.rglob("*") if ".station" not in path.parts and path.is_file())
        return [path.stat().st_size for path in files]


@contextmanager
def station(disk: Path, options: Sequence[str] = ()) -> Iterator[Server]:
    """The real station, as `python server.py` runs it."""
    with _folder(disk) as folder:
        command = [str(ROOT / "server.py"), "--port=0", "--address=127.0.0.1", f"--upload-dir={folder}", *options]
        with _running(command) as (pid, port):
            yield Server(port, folder, pid, is_station=True)


@contextmanager
def bare(disk: Path) -> Iterator[Server]:
    with _folder(disk) as folder, _running(["-m", "bench.bare", str(folder)]) as (pid, port):
        yield Server(port, folder, pid, is_station=False)


@contextmanager
def _folder(disk: Path) -> Iterator[Path]:
    """Gone afterwards, and with it whatever of it was still to be written: the next measurement finds a quiet disk."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=disk) as folder:
        yield Path(folder)
    os.sync()


@contextmanager
def _running(arguments: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Start `python arguments`; gives its process id and the port from its first line."""
    command = [sys.executable, *arguments]
    # The station's log of each request is work that others spare themselves, but it is part of the default.
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://[^/]*:(\d+)/", line)
        try:
            if found is None:
                raise RuntimeError(f"{' '.join(command)} did not start")
            yield process.pid, int(found[1])
        finally:
            process.terminate()
            process.wait(_PATIENCE)
