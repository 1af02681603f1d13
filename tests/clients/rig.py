"""What every client's test stands on: a real station, a session in it, and the verdict on what arrived and was told."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blake3 import blake3

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
MIB = 1024**2
PATIENCE = 120.0  # seconds
ENDPOINT = "/files/"


@dataclass(frozen=True)
class Item:
    """A file to be sent. `told` is what its client tells the station of it."""

    path: Path
    session_id: str
    file_id: str

    @property
    def told(self) -> dict[str, str]:
        return {
            "filename": self.path.name,
            "filetype": "video/mp4",
            "sessionId": self.session_id,
            "fileId": self.file_id,
        }


class Station:
    """A station in a process of its own; `log` is what it wrote to standard error."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder / "upload"
        self._log = folder / "log.txt"
        command = [sys.executable, str(ROOT / "server.py"), f"--port={free_port()}", "--address=127.0.0.1"]
        command += ["--language=en", f"--upload_dir={self.folder}", *options]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        match = re.search(r"https?://[^:/]+:(\d+)/", self._process.stdout.readline())
        assert match, self.log
        self.port = int(match[1])

    @property
    def log(self) -> str:
        return self._log.read_text()

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
        _, error, after = self.log.partition(" ERROR ")
        assert not error, after[:4000]
        assert "Traceback" not in self.log, self.log[-4000:]

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def expect(self, *paths: Path) -> list[Item]:
        """Open a session for these files."""
        files = [{"name": path.name, "size": path.stat().st_size, "type": "video/mp4"} for path in paths]
        opened = self.ask("/api/upload/session", {"category": "personal", "files": files})
        return [
            Item(path, opened["sessionId"], file["fileId"]) for path, file in zip(paths, opened["files"], strict=True)
        ]

    def events(self, session_id: str, *, until: str = "session-completed") -> list[dict[str, Any]]:
        """The lifecycle events of a session, once this one is among them; waits as a poller does."""
        events: list[dict[str, Any]] = []
        since, epoch, deadline = 0, "", time.monotonic() + PATIENCE
        while not any(event["event"] == until for event in events):
            page = self.ask(f"/api/upload/progress/{session_id}?since={since}&wait=10{epoch}")
            epoch = f"&epoch={page['epoch']}"
            events += page.get("events", [])
            since = events[-1]["seq"] if events else 0
            assert time.monotonic() < deadline, f"never told: {until}: {page}"
        return events

    def stored(self, session_id: str) -> list[Path]:
        return sorted((self.folder / "personal").glob(f"{session_id}_*"))

    def unfinished(self) -> list[Path]:
        return sorted((self.folder / ".station" / "parts").iterdir())


def run(*command: str, status: int = 0) -> str:
    """What a client wrote to standard output; it must end with this status."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == status, ended.stderr[-8000:]
    return ended.stdout


def film(folder: Path, name: str, size: int) -> Path:
    """Random bytes that begin as an MP4 does, the same on every run."""
    path = folder / name
    head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    path.write_bytes(head + random.Random(name).randbytes(size - len(head)))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_arrived(station: Station, items: Sequence[Item]) -> list[dict[str, Any]]:
    """Every file of the session is stored once, byte for byte, and was told of as it should. Returns the events."""
    session_id = items[0].session_id
    events = station.events(session_id)
    names = Counter(event["event"] for event in events)
    assert names["session-completed"] == 1, names
    assert names["upload-completed"] == len(items), names
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    for item in items:
        _assert_told(item, [event for event in events if event["data"].get("fileId") == item.file_id])
    summary = events[-1]["data"]["summary"]
    assert (summary["totalFiles"], summary["completedFiles"]) == (len(items), len(items)), summary
    wanted, found = sorted(sha256(item.path) for item in items), sorted(map(sha256, station.stored(session_id)))
    assert found == wanted, "what is stored is not what was sent"
    return events


def _assert_told(item: Item, events: list[dict[str, Any]]) -> None:
    """Attempts that failed, each begun and ended, then one that completed."""
    names = [event["event"] for event in events]
    attempts = [(begun["event"], ended["event"]) for begun, ended in zip(events[::2], events[1::2], strict=False)]
    assert len(names) % 2 == 0, names
    assert set(attempts[:-1]) <= {("upload-started", "upload-failed")}, names
    assert attempts[-1] == ("upload-started", "upload-completed"), names
    for failed, begun in itertools.pairwise(events[1:-1]):
        if failed["event"] == "upload-failed":
            assert failed["data"]["error"]["code"] == "NETWORK_ERROR", failed
            assert failed["data"]["canRetry"] is True, failed
            assert begun["data"].get("resumedFrom", 0) >= 0, begun
    told = events[-1]["data"]
    assert told["fileName"] == item.path.name
    assert told["fileSize"] == item.path.stat().st_size
    assert told["checksum"] == {"algorithm": "blake3", "value": blake3(item.path.read_bytes()).hexdigest()}
