"""A station under a supervisor that speaks systemd's protocol: it opens the sockets, listens, and starts it again."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60.0
# Puts the socket where it is expected, and names the process that it is for.
START = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_PID'] = str(os.getpid()); "
START += "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"


class Supervision:
    """`socket`: what it passes on to each station that it starts."""

    def __init__(self, folder: Path, passed: socket.socket) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.passed = passed
        self.heard: list[str] = []
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(folder / "notify"))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, watchdog: float = 0.0) -> subprocess.Popen[bytes]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("UPLOAD_STATION_")}
        told = {"NOTIFY_SOCKET": str(self.folder / "notify"), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"}
        if watchdog:
            told["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
        number = self.passed.fileno()
        command = [sys.executable, "-c", START, str(number), str(ROOT / "server.py"), "--min-free-space=0"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, f"--upload-dir={self.folder / 'upload'}", *options],
                env={**clean, **told},
                pass_fds=[number],
                stdout=log,
                stderr=log,
            )
        return self.process

    def hears(self, word: str) -> None:
        """Wait until it is said."""
        while True:
            ready, _, _ = select.select([self._ear], [], [], PATIENCE)
            assert ready, f"never heard {word}; heard {self.heard}; {self.log.read_text()}"
            said = self._ear.recv(4096).decode()
            self.heard += said.splitlines()
            if word in said.splitlines():
                return

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._ear.close()
        self.passed.close()
