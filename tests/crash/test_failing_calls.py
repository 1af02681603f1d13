"""A call to the disk that fails when the file is stored already makes nothing of it a failure."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.crash.process import Process
from tests.crash.witness import Told, assert_kept, open_session, put, watch

NAME = "a-3000.txt"


async def one_upload(port: int, told: Told) -> None:
    session_id = await open_session(port, told, 1)
    watching = asyncio.get_running_loop().create_task(watch(port, session_id, told))
    await put(port, session_id, NAME, told)
    await watching


def test_a_part_that_cannot_be_removed_is_left_to_the_next_start(strace: str, tmp_path: Path) -> None:
    upload_dir, told = tmp_path / "upload", Told()
    station = Process(upload_dir)
    station.attach(strace, "-e", "trace=unlinkat", "-e", "inject=unlinkat:error=EIO")
    asyncio.run(one_upload(station.port, told))
    station.terminate()
    assert len(told.stored) == 1
    assert len(list((upload_dir / ".station/parts").iterdir())) == 1
    asyncio.run(assert_kept(upload_dir, told))
