"""A watcher whose connection is cut again and again anywhere misses nothing and hears nothing twice."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop

from tests.crash.proxy import Proxy
from tests.crash.witness import restarted
from tests.scenarios.clients import GONE, Socket, ask, content, poll
from tests.scenarios.lines import lifecycle
from tests.scenarios.stage import Stage, until
from tests.scenarios.watchers import Position

CUTS = 100


async def watch_to_the_end(port: int, session_id: str, position: Position) -> None:
    """As a client should: remember the number of the last lifecycle event, and come back with it."""
    while not position.over:
        try:
            socket = await Socket.open(port, f"/ws?sessionId={session_id}&{position.query}")
        except GONE:
            continue
        try:
            while not position.over and (message := await socket.read()) is not None:
                position.take(message)
                ended = message["data"].get("overallStatus") == "completed"
                position.over = ended and message["event"] == "upload-progress"
        finally:
            await socket.close()


async def keep_sending(stage: Stage, session_id: str, proxy: Proxy, chance: random.Random) -> None:
    """Files that arrive and files that are refused, and a cut after each, if none came by itself."""
    for number in range(CUTS):
        name = f"{number}.{chance.choice(('txt', 'txt', 'exe'))}"
        await ask(stage.port, "PUT", f"/api/upload/session/{session_id}/files/{name}", content(2000))
        for _ in range(chance.randint(0, 20)):
            await asyncio.sleep(0)
        await until(lambda wanted=number: is_cut_off(proxy, wanted))  # type: ignore[misc]


def is_cut_off(proxy: Proxy, times: int) -> bool:
    """Cuts again until it is: the watcher may just be on its way back."""
    proxy.sever()
    return proxy.cuts > times


async def cut_a_hundred_times(upload_dir: Path) -> tuple[Proxy, Position, Any]:
    stage, chance = restarted(upload_dir), random.Random(1)
    await stage.start()
    calm = False

    def allowance() -> tuple[int | None, bool]:
        return (None if calm else chance.randint(1, 1000 + 600 * proxy.cuts)), chance.random() < 0.5

    opened = await ask(stage.port, "POST", "/api/upload/session", json.dumps({"autoComplete": False}).encode())
    session_id = opened.json()["sessionId"]
    proxy, position = Proxy(stage.port, allowance), Position(0)
    await proxy.start()
    try:
        watching = asyncio.get_running_loop().create_task(watch_to_the_end(proxy.port, session_id, position))
        await keep_sending(stage, session_id, proxy, chance)
        calm = True
        proxy.sever()
        await ask(stage.port, "POST", f"/api/upload/complete/{session_id}")
        await watching
        answer = await poll(stage.port, session_id, 0, "", 0)
    finally:
        await proxy.stop()
        await stage.stop()
    return proxy, position, answer


def test_a_watcher_that_is_cut_off_a_hundred_times_knows_what_the_journal_knows(
    tmp_path: Path, io_loop: IOLoop
) -> None:
    proxy, position, answer = io_loop.run_sync(lambda: cut_a_hundred_times(tmp_path / "upload"))
    assert proxy.cuts >= CUTS
    assert lifecycle(position.told) == answer["events"]
    assert len(answer["events"]) > CUTS
