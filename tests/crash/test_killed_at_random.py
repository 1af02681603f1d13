"""kill -9 at any moment while several clients send and watch; UPLOAD_STATION_CRASHES=1000 does it a thousand times."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from tests.crash.process import CRASHES, KILLED, Process
from tests.crash.witness import PIECE, Told, assert_kept, open_session, put, send_form, watch
from tests.scenarios.clients import GONE, poll
from tests.scenarios.lines import lifecycle

FILES = ("a-700000.txt", "b-1200000.txt", "c-5.txt", "d-300000.txt", "e-90000.txt")
PIECES = sum(int(name[2:].removesuffix(".txt")) // PIECE + 1 for name in FILES)
ROUNDS = CRASHES or 12


async def three_uploads(port: int, told: Told, stop_after: int, moments: int) -> None:
    """Send until so many pieces are on their way, and then for some more turns of the loop."""
    session_id = await open_session(port, told, len(FILES))
    loop = asyncio.get_running_loop()
    watching = loop.create_task(watch(port, session_id, told))
    sending = [
        loop.create_task(put(port, session_id, FILES[0], told)),
        loop.create_task(put(port, session_id, FILES[1], told)),
        loop.create_task(send_form(port, session_id, list(FILES[2:]), told)),
    ]
    try:
        while told.pieces < stop_after and not all(task.done() for task in sending):
            await asyncio.sleep(0)
        for _ in range(moments):
            await asyncio.sleep(0)
    finally:
        for task in (watching, *sending):
            task.cancel()
        for task in (watching, *sending):
            with contextlib.suppress(asyncio.CancelledError, *GONE):
                await task


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_whatever_was_told_before_a_kill_is_true_after_it(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    told = Told()
    station = Process(tmp_path / "upload")
    assert station.port
    asyncio.run(three_uploads(station.port, told, chance.randint(1, PIECES), chance.choice((0, 10, 100, 1000))))
    assert station.kill() == KILLED
    asyncio.run(assert_kept(tmp_path / "upload", told))


def test_a_watcher_and_an_uploader_go_on_after_the_station_was_killed(tmp_path: Path) -> None:
    """The same folder, a new process: the session is still there, and what had not arrived is sent again."""
    told = Told()
    station = Process(tmp_path / "upload")
    assert station.port
    asyncio.run(three_uploads(station.port, told, PIECES // 3, 50))
    assert station.kill() == KILLED
    again = Process(tmp_path / "upload")
    (session_id,) = told.messages
    asyncio.run(send_again(again.port, session_id, told))
    assert again.terminate() == 0
    assert len(told.completed) == len(FILES)
    asyncio.run(assert_kept(tmp_path / "upload", told))


async def send_again(port: int, session_id: str, told: Told) -> None:
    """Whatever the station does not have. It may have stored more than it could tell: what was sent arrives."""
    files = (await poll(port, session_id, 0, "", 0))["files"]
    done = {file["fileName"] for file in files if file["status"] == "completed"}
    position = f"&lastSeq={len(lifecycle(told.messages[session_id]))}"
    watching = asyncio.get_running_loop().create_task(watch(port, session_id, told, position))
    for name in FILES:
        if name not in done:
            await put(port, session_id, name, told)
    await watching
