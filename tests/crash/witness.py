"""What clients of a station that may die at any moment were told, and whether the next start keeps all of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from station.clock import system_clock
from tests.scenarios.clients import GONE, Connection, Socket, ask, content, form, head_of, poll
from tests.scenarios.lines import lifecycle
from tests.scenarios.stage import Stage, until
from tests.scenarios.watchers import Position, Screen

PIECE = 64 * 1024


@cache
def bytes_of(name: str) -> bytes:
    """The content of a file, told by its name: `a-3000.txt` has 3,000 bytes."""
    return content(int(name.partition("-")[2].removesuffix(".txt")))


@dataclass
class Told:
    """Everything that clients were told before the station died. `stored`: public paths that an answer named."""

    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    pieces: int = 0

    @property
    def all(self) -> list[dict[str, Any]]:
        return [message for messages in self.messages.values() for message in messages]

    @property
    def completed(self) -> set[str]:
        pushed = [message["data"]["uploadPath"] for message in self.all if message["event"] == "upload-completed"]
        return {*pushed, *self.stored}


# ---- clients ----


async def open_session(port: int, told: Told, count: int) -> str:
    body = json.dumps({"expectedFiles": count}).encode()
    answer = await ask(port, "POST", "/api/upload/session", body)
    session_id: str = answer.json()["sessionId"]
    told.messages[session_id] = []
    return session_id


async def watch(port: int, session_id: str, told: Told, position: str = "&lastSeq=0") -> None:
    """Until the last message, or until the station is gone."""
    with contextlib.suppress(*GONE):
        socket = await Socket.open(port, f"/ws?sessionId={session_id}{position}")
        try:
            while (message := await socket.read()) is not None:
                told.messages[session_id].append(message)
                if message["data"].get("overallStatus") == "completed":
                    break
        finally:
            await socket.close()


async def put(port: int, session_id: str, name: str, told: Told) -> None:
    block = bytes_of(name)
    head = head_of("PUT", f"/api/upload/session/{session_id}/files/{name}", len(block))
    answer = await _send(port, head, block, told)
    if answer is not None:
        told.stored.append(answer["uploadPath"])


async def send_form(port: int, session_id: str, names: list[str], told: Told) -> None:
    headers, block = form(*((name, bytes_of(name)) for name in names), ("sessionId", session_id))
    answer = await _send(port, head_of("POST", "/api/upload/batch", len(block), headers), block, told)
    if answer is not None:
        told.stored += [file["uploadPath"] for file in answer["files"]]


async def _send(port: int, head: bytes, block: bytes, told: Told) -> Any:
    """The answer to a body that is sent piece by piece; None if the station died on the way."""
    with contextlib.suppress(*GONE):
        connection = await Connection.open(port)
        try:
            await connection.send(head)
            for at in range(0, len(block), PIECE):
                await connection.send(block[at : at + PIECE])
                told.pieces += 1
                await asyncio.sleep(0)
            answer = await connection.answer()
            assert answer.status in {200, 201}, answer
            return answer.json()
        finally:
            await connection.close()
    return None


# ---- what the next start makes of it ----


def restarted(upload_dir: Path) -> Stage:
    return Stage(upload_dir, system_clock, lambda: str(uuid.uuid4()), durability="full")


async def assert_kept(upload_dir: Path, told: Told) -> None:
    """Start again on the folder, twice: nothing that was told is untrue, and the second start changes nothing."""
    stage = restarted(upload_dir)
    await stage.start()
    try:
        for session_id, messages in told.messages.items():
            await _assert_told_is_true(stage, session_id, messages)
        await until(lambda: not stage.parts())
        assert_folder_is_true(upload_dir, told.completed)
    finally:
        await stage.stop()
    first = journal(upload_dir)
    await stage.start()
    await stage.stop()
    assert journal(upload_dir) == first


async def _assert_told_is_true(stage: Stage, session_id: str, messages: list[dict[str, Any]]) -> None:
    answer = await poll(stage.port, session_id, 0, "", 0)
    events, before = answer["events"], lifecycle(messages)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[: len(before)] == before
    screen = Screen(session_id, Position(len(before), answer["epoch"]))
    await screen.join(stage.port)
    assert lifecycle(await screen.read_all()) == events[len(before) :]
    await screen.cut()
    if "summary" not in answer:
        await _assert_it_can_go_on(stage, session_id, events)


async def _assert_it_can_go_on(stage: Stage, session_id: str, events: list[dict[str, Any]]) -> None:
    """The watcher stays to the end of the session, and knows it as the journal does."""
    screen = Screen(session_id, Position(len(events)))
    await screen.join(stage.port)
    assert (await ask(stage.port, "POST", f"/api/upload/complete/{session_id}")).status == 200
    rest = lifecycle(await screen.read_all())
    await screen.cut()
    answer = await poll(stage.port, session_id, 0, "", 0)
    assert answer["events"] == events + rest
    assert [event["event"] for event in answer["events"]].index("session-completed") == len(answer["events"]) - 1


def assert_folder_is_true(upload_dir: Path, completed: set[str]) -> None:
    """`completed`: public paths of all files that somebody was told are stored."""
    with _open(upload_dir) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        journalled = {row[0] for row in connection.execute("SELECT path FROM files WHERE status='completed'")}
        endings = connection.execute("SELECT file_id, attempt FROM events WHERE ending AND file_id IS NOT NULL")
        per_attempt = Counter(endings.fetchall())
    assert all(count == 1 for count in per_attempt.values())
    assert completed <= journalled
    visible = {f"/upload/{path.parent.name}/{path.name}": path for path in upload_dir.glob("[!.]*/*")}
    assert visible.keys() == journalled
    for public, path in visible.items():
        assert path.read_bytes() == bytes_of(PurePosixPath(public).name.rpartition("_")[2])


def journal(upload_dir: Path) -> list[Any]:
    """All that the journal holds of what was told and where files stand."""
    with _open(upload_dir) as connection:
        events = connection.execute("SELECT session_id, seq, text FROM events ORDER BY number").fetchall()
        return events + connection.execute("SELECT id, status, path FROM files ORDER BY id").fetchall()


@contextlib.contextmanager
def _open(upload_dir: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(upload_dir / ".station" / "journal.db")
    try:
        yield connection
    finally:
        connection.close()
