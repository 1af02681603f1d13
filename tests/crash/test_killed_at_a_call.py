"""kill -9 at each system call that finishing an upload, or recovering from a crash, consists of.

strace kills before the call is made: so each point between two of them is met, the one between commit and push too.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from pathlib import Path

import pytest

from tests.crash.process import CRASHES, KILLED, Process
from tests.crash.witness import Told, assert_kept, open_session, put, watch
from tests.scenarios.clients import GONE

NAME = "a-3000.txt"
MOST = 60  # calls of one kind, far more than an upload makes
MOST_IN_RECOVERY = MOST if CRASHES else 5


async def one_upload(port: int, told: Told) -> None:
    with contextlib.suppress(*GONE):
        session_id = await open_session(port, told, 1)
        watching = asyncio.get_running_loop().create_task(watch(port, session_id, told))
        try:
            await put(port, session_id, NAME, told)
        finally:
            await watching


def upload_killed_at(strace: str, upload_dir: Path, call: str, number: int, path: Path | None) -> tuple[bool, Told]:
    """Whether it was killed (or made fewer such calls), and what was told by then."""
    told = Told()
    station = Process(upload_dir)
    assert station.port
    only = () if path is None else ("-P", str(path))
    station.attach(strace, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}", *only)
    asyncio.run(one_upload(station.port, told))
    survived = bool(told.stored) and "session-completed" in {message["event"] for message in told.all}
    return (station.terminate() if survived else station.kill()) == KILLED, told


@pytest.mark.parametrize(
    ("call", "below", "least"),
    [
        ("fdatasync", ".station/journal.db-wal", 4),  # opened, started, intent, completed
        ("pwrite64", ".station/witness", 4),  # after each commit, before anybody hears of it
        ("fsync", "personal", 1),
        ("fsync", None, 1),
        ("linkat", None, 1),
        ("unlinkat", None, 1),
        ("sendto", None, 8),  # answers and messages
    ],
)
def test_an_upload_killed_at_each(call: str, below: str | None, least: int, strace: str, tmp_path: Path) -> None:
    kills = 0
    for number in range(1, MOST):
        upload_dir = tmp_path / f"upload-{number}"
        killed, told = upload_killed_at(strace, upload_dir, call, number, upload_dir / below if below else None)
        asyncio.run(assert_kept(upload_dir, told))
        if not killed:
            break
        kills += 1
    assert kills >= least


@pytest.mark.parametrize("call", ["fdatasync", "pwrite64", "fsync", "unlinkat", "sendto"])
def test_a_recovery_killed_at_each(call: str, strace: str, tmp_path: Path) -> None:
    """A recovery that was killed is recovered from like the crash before it."""
    crashed, told = crash_with_all_to_do(strace, tmp_path)
    kills = 0
    for number in range(1, MOST_IN_RECOVERY):
        upload_dir = tmp_path / f"again-{number}"
        subprocess.run(["cp", "-a", crashed, upload_dir], check=True)  # with its hard links
        inject = ("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
        before = (strace, "-D", "-f", "-qq", "-o", "/dev/null", *inject)
        station = Process(upload_dir, before=before)
        if station.port:
            station.kill()
            break
        assert station.wait() == KILLED
        kills += 1
        asyncio.run(assert_kept(upload_dir, told))
    assert kills >= 1


def crash_with_all_to_do(strace: str, tmp_path: Path) -> tuple[Path, Told]:
    """A folder with a published file whose completion is not recorded, and a part file that nobody will finish."""
    upload_dir = tmp_path / "crashed"
    killed, told = upload_killed_at(strace, upload_dir, "fsync", 1, upload_dir / "personal")
    assert killed
    assert len(list((upload_dir / "personal").iterdir())) == 1
    assert told.completed == set()
    (upload_dir / ".station/parts/left-by-another-crash").write_bytes(b"half a film")
    return upload_dir, told
