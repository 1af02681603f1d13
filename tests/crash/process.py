"""A station in a process of its own that can be killed at any moment, or at a certain system call of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLED = -signal.SIGKILL
CRASHES = int(os.environ.get("UPLOAD_STATION_CRASHES", "0"))
"""How many crashes at random are wanted; 0: as many as a quick run has time for."""


class Process:
    def __init__(self, upload_dir: Path, *options: str, before: tuple[str, ...] = ()) -> None:
        """`before`: a command that starts the station, `strace …` say. `port` is 0 if it died before it listened."""
        command = [*before, sys.executable, str(ROOT / "server.py"), "--port=0", "--address=127.0.0.1"]
        command += [f"--upload_dir={upload_dir}", "--language=en", *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        match = re.search(r"http://[^:/]+:(\d+)/", self._process.stdout.readline())
        self.port = int(match[1]) if match else 0
        self._strace: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    def attach(self, strace: str, *arguments: str) -> None:
        """Have strace follow all threads from here on; it counts each thread's calls from nought."""
        command = [strace, "-f", "-o", "/dev/null", "-p", str(self.pid), *arguments]
        self._strace = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self._strace.stderr is not None
        line = self._strace.stderr.readline()  # one for all threads
        if "not permitted" in line:
            self.kill()
            pytest.skip("this system lets nobody but root follow a process that is not a child")
        assert "attached" in line, line

    def kill(self) -> int:
        """Returns how it ended, which may have been before."""
        self._process.kill()
        _, said = self._process.communicate(timeout=20)
        if self._strace is not None:
            self._strace.communicate(timeout=20)
        assert "Traceback" not in said, said
        return self._process.returncode

    def terminate(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        _, said = self._process.communicate(timeout=20)
        if self._strace is not None:
            self._strace.communicate(timeout=20)
        assert "Traceback" not in said, said
        return self._process.returncode

    def wait(self) -> int:
        """For one that is to die by itself."""
        self._process.communicate(timeout=20)
        return self._process.returncode
