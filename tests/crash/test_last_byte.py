"""An upload that tells an offset equal to its length is stored, or will be: its client has nothing left to send."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop

from station.berth import Berth
from station.dock import LARGE
from station.partfile import PartFile
from station.storage import Storage
from tests.crash.witness import restarted
from tests.scenarios.clients import Connection, ask, head_of, poll
from tests.scenarios.stage import until

TUS = {"Tus-Resumable": "1.0.0"}
CONTENT = {**TUS, "Content-Type": "application/offset+octet-stream"}
LENGTH = 1 + LARGE
"""While the first byte is being written all the others fill the buffer: with the very last one the request waits."""


class Disk:
    """Writes only once it `may`."""

    def __init__(self) -> None:
        self.may, self.asked = threading.Event(), threading.Event()

    def slow_down(self, storage: Storage) -> None:
        disk = self

        class SlowPart(PartFile):
            def write(self, block: bytes | bytearray, *, sync: bool = False) -> None:
                disk.asked.set()
                disk.may.wait(20)
                super().write(block, sync=sync)

        class SlowStorage(Storage):
            def reopen_part(self, *args: Any) -> PartFile:
                part = super().reopen_part(*args)
                part.__class__ = SlowPart
                return part

        storage.__class__ = SlowStorage


def arrived(berth: Berth) -> int:
    return getattr(berth.holder, "arrived", 0)


async def ask_while_the_last_bytes_wait(upload_dir: Path) -> tuple[int, str]:
    """The offset that is told then, and the status of the file once the client has sent all that it has to send."""
    stage, disk = restarted(upload_dir), Disk()
    await stage.start()
    disk.slow_down(stage.station.storage)
    first = await Connection.open(stage.port)
    try:
        session_id = (await ask(stage.port, "POST", "/api/upload/session", json.dumps({}).encode())).json()["sessionId"]
        metadata = (
            f"filename {base64.b64encode(b'a.txt').decode()},sessionId {base64.b64encode(session_id.encode()).decode()}"
        )
        creation = {**TUS, "Upload-Length": str(LENGTH), "Upload-Metadata": metadata}
        url = (await ask(stage.port, "POST", "/files/", headers=creation)).headers["location"]
        berth = await stage.station.shelf.find(url.rpartition("/")[2])
        await first.send(head_of("PATCH", url, LENGTH, {**CONTENT, "Upload-Offset": "0"}) + b"a")
        await until(disk.asked.is_set)
        await first.send(b"a" * LARGE)
        await until(lambda: arrived(berth) == LENGTH)
        asking = asyncio.get_running_loop().create_task(ask(stage.port, "HEAD", url, headers=TUS))
        await until(lambda: getattr(berth.holder, "over", True))
        disk.may.set()
        offset = int((await asking).headers["upload-offset"])
        if offset < LENGTH:
            rest = {**CONTENT, "Upload-Offset": str(offset)}
            assert (await ask(stage.port, "PATCH", url, b"a" * (LENGTH - offset), rest)).status == 204
        return offset, (await poll(stage.port, session_id, 0, "", 0))["files"][0]["status"]
    finally:
        disk.may.set()
        await first.close()
        await stage.stop()


def test_all_bytes_are_told_to_be_here_only_if_they_become_a_file(tmp_path: Path, io_loop: IOLoop) -> None:
    offset, status = io_loop.run_sync(lambda: ask_while_the_last_bytes_wait(tmp_path / "upload"))
    assert (offset, status) == (LENGTH - 1, "completed")
