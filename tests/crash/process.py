"""A station in a process of its own that can be killed at any moment, or at a certain system call of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVER = (str(ROOT / "server.py"),)
KILLED = -signal.SIGKILL
PATIENCE = 120.0  # seconds in which a station that was told to end has done so
CRASHES = int(os.environ.get("UPLOAD_STATION_CRASHES", "0"))
"""How many crashes at random are wanted; 0: as many as a quick run has time for."""


class Process:
    def __init__(
        self, upload_dir: Path, *options: str, before: tuple[str, ...] = (), launcher: tuple[str, ...] = SERVER
    ) -> None:
        """`before`: a command that starts the station, `strace …` say. `launcher`: what Python is to run.

        `port` is 0 if it died before it listened.
        """
        command = [*before, sys.executable, *launcher, "--port=0", "--address=127.0.0.1"]
        command += [f"--upload_dir={upload_dir}", "--language=en", *options]
        # Not a pipe: a log that nobody reads while it grows would fill it, and hold the station up.
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log, text=True)
        assert self._process.stdout is not None
        match = re.search(r"http://[^:/]+:(\d+)/", self._process.stdout.readline())
        self.port = int(match[1]) if match else 0
        self._strace: subprocess.Popen[str] | None = None
        self.said = ""
        """Its log, once it has ended."""

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
        return self._ended()

    def stop(self) -> None:
        """Have it stand still, like a machine whose power goes; the system calls that are under way end first."""
        self._process.send_signal(signal.SIGSTOP)
        stats = Path(f"/proc/{self.pid}/task").glob("*/stat")
        for stat in stats:
            while stat.read_text().rpartition(") ")[2][0] != "T":
                time.sleep(0.0002)

    def terminate(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self) -> int:
        self.wait()
        if self._strace is not None:
            self._strace.communicate(timeout=PATIENCE)
        assert "Traceback" not in self.said, self.said
        return self._process.returncode

    def wait(self) -> int:
        """For one that is to die by itself."""
        self._process.communicate(timeout=PATIENCE)
        if not self._log.closed:
            self._log.seek(0)
            self.said = self._log.read()
            self._log.close()
        return self._process.returncode
