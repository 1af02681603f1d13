"""What an upload costs in memory: nothing that grows with the file. A real station gets 1 GiB in each of the ways."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_MEMORY = Path("/dev/shm")
MIB = 1024**2
SIZE = 1024 * MIB
MOST = 24 * MIB  # what the peak resident set may grow by
BLOCK = bytes(MIB)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak resident set is read from /proc")


class Running:
    def __init__(self, upload_dir: Path) -> None:
        command = [sys.executable, str(ROOT / "server.py"), "--port=0", "--address=127.0.0.1", "--durability=process"]
        command += [f"--upload_dir={upload_dir}", "--min_free_space=0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        match = re.search(r":(\d+)/", self._process.stdout.readline())
        assert match
        self.port = int(match[1])
        self._proc = Path(f"/proc/{self._process.pid}")

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=60)

    def resident(self, what: str) -> int:
        """Bytes: `VmRSS` now, `VmHWM` at most since the start or `forget_peak`."""
        match = re.search(rf"{what}:\s+(\d+) kB", (self._proc / "status").read_text())
        assert match
        return int(match[1]) * 1024

    def forget_peak(self) -> None:
        (self._proc / "clear_refs").write_text("5")


@pytest.fixture
def upload_dir(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is room, so that the disk does not decide how long this takes; tmpfs is not resident."""
    roomy = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > 2 * SIZE
    folder = Path(tempfile.mkdtemp(dir=SHARED_MEMORY if roomy else tmp_path))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def station(upload_dir: Path) -> Iterator[Running]:
    running = Running(upload_dir)
    yield running
    running.stop()


def send(port: int, path: str, kind: str, before: bytes, size: int, after: bytes) -> bytes:
    """A request with a body made on the way; returns the first line of the answer."""
    method = "POST" if before else "PUT"
    length = len(before) + size + len(after)
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head.encode() + before)
        for at in range(0, size, len(BLOCK)):
            connection.sendall(BLOCK[: size - at])
        connection.sendall(after)
        return connection.recv(65536).partition(b"\r\n")[0]


def send_raw(port: int, size: int) -> bytes:
    return send(port, "/u/film.mp4", "application/octet-stream", b"", size, b"")


def send_form(port: int, size: int) -> bytes:
    part = b'--boundary\r\nContent-Disposition: form-data; name="files"; filename="film.mp4"\r\n\r\n'
    kind = "multipart/form-data; boundary=boundary"
    return send(port, "/api/upload/batch", kind, part, size, b"\r\n--boundary--\r\n")


@pytest.mark.parametrize(("way", "status"), [(send_raw, b"201"), (send_form, b"200")])
def test_a_gibibyte_raises_the_peak_resident_set_by_less_than_24_mib(
    way: Callable[[int, int], bytes], status: bytes, station: Running, upload_dir: Path
) -> None:
    assert status in way(station.port, MIB)  # what is made once, threads say, is there
    before = station.resident("VmRSS")
    station.forget_peak()
    assert status in way(station.port, SIZE)
    assert max(path.stat().st_size for path in (upload_dir / "personal").iterdir()) == SIZE
    assert station.resident("VmHWM") - before < MOST
