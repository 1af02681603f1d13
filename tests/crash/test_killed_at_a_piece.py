"""kill -9 at each step of a resumable upload, from its creation to the answer to its last piece.

Whatever was told before is true after the next start: the offset, the events; and the station finishes by itself what
has all its bytes. What has not is gone on with. Either way it is completed exactly once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
from pathlib import Path

import pytest

from tests.crash import killer
from tests.crash.account import Account, Watched, call_off
from tests.crash.process import KILLED, SERVER, Process
from tests.crash.senders import Draft, Ears, Tus, Upload, content_of, join, send_partial
from tests.crash.witness import Told, journal, open_session, restarted
from tests.scenarios.clients import GONE, ask
from tests.scenarios.stage import Stage, until

KILLER = str(Path(killer.__file__))
MOST = 60  # calls, far more than an upload makes
LENGTH = 3000
FIRST_OF_JOINING = 9  # the calls before belong to the partials, which are uploads like others


def sender(port: int, upload: Upload) -> Tus | Draft:
    """Sends it in the same pieces each time."""
    return (Tus if upload.way == "tus" else Draft)(port, upload, random.Random(3), 0)


async def begin(port: int, way: str, account: Account) -> None:
    """Send until it is stored, or the station has died."""
    session = Watched("", Ears())
    account.sessions.append(session)
    with contextlib.suppress(*GONE):
        session.id = await open_session(port, Told(), 1)
        upload = Upload(f"1-{LENGTH}.txt", way, session.id, session.ears)
        session.uploads[upload.name] = upload
        watching = asyncio.get_running_loop().create_task(session.watch(port))
        try:
            await sender(port, upload).go()
            await until(lambda: session.closed or watching.done())  # it may die as soon as it has answered
        finally:
            await call_off(watching)


async def assert_ends_well(upload_dir: Path, account: Account) -> None:
    """Start again and go on to the end; another start changes nothing."""
    stage = restarted(upload_dir)
    await stage.start()
    try:
        account.look_at(upload_dir)
        for session in account.sessions:
            if session.uploads:
                await _assert_session_ends_well(stage, upload_dir, account, session)
        account.look_at(upload_dir)
        assert account.findings == []
        assert account.lost == 0
    finally:
        await stage.stop()
    first = journal(upload_dir)
    await stage.start()
    assert stage.parts() == []
    await stage.stop()
    assert journal(upload_dir) == first


async def _assert_session_ends_well(stage: Stage, upload_dir: Path, account: Account, session: Watched) -> None:
    [upload] = session.uploads.values()
    watching = asyncio.get_running_loop().create_task(session.watch(stage.port))
    try:
        if upload.url is None:  # nobody knows where to go on
            assert (await ask(stage.port, "POST", f"/api/upload/cancel/{session.id}")).status in {200, 409}
        elif not _is_whole(upload_dir, upload.way):
            await account.ask(stage.port)
            await sender(stage.port, upload).go()
        await until(lambda: session.closed)
        await account.ask(stage.port)
        completed = [message["event"] for message in session.told].count("upload-completed")
        assert completed == (1 if upload.url else 0)
        assert upload.promised == (LENGTH if upload.url else 0)
    finally:
        await call_off(watching)


def _is_whole(upload_dir: Path, way: str) -> bool:
    """Whether all its bytes are safe: then the station needs nobody to finish it. The draft's client says it is all."""
    with contextlib.closing(sqlite3.connect(upload_dir / ".station/journal.db")) as connection:
        [(offset, kept)] = connection.execute("SELECT offset, kept FROM uploads").fetchall()
    return offset == LENGTH and (way == "tus" or json.loads(kept)["closed"])


def kill_at_each(place: Path, way: str, least: int, strace: str | None = None) -> None:
    """At each call to the disk; with strace, at each writing of the journal's witness, which follows a commit."""
    kills = 0
    for number in range(1, MOST):
        folder, account = place / str(number), Account()
        station = Process(folder, launcher=SERVER if strace else (KILLER, str(number)))
        assert station.port
        if strace:
            inject = f"inject=pwrite64:signal=SIGKILL:when={number}"
            station.attach(strace, "-e", "trace=pwrite64", "-e", inject, "-P", str(folder / ".station/witness"))
        asyncio.run(begin(station.port, way, account))
        over = all(session.closed for session in account.sessions)
        killed = (station.terminate() if over else station.kill()) == KILLED
        asyncio.run(assert_ends_well(folder, account))
        if not killed:
            break
        kills += 1
    assert kills >= least


# ---- partial uploads, made one file


async def begin_to_join(port: int, account: Account) -> None:
    session = Watched("", Ears())
    account.sessions.append(session)
    with contextlib.suppress(*GONE):
        session.id = await open_session(port, Told(), 1)
        upload = Upload(f"1-{LENGTH}.txt", "joined", session.id, session.ears)
        session.uploads[upload.name] = upload
        watching = asyncio.get_running_loop().create_task(session.watch(port))
        try:
            content = content_of(upload.name)
            places = [await send_partial(port, piece) for piece in (content[:1000], content[1000:])]
            await join(port, upload, places)
            await until(lambda: session.closed or watching.done())  # it may die as soon as it has answered
        finally:
            await call_off(watching)


async def assert_joined(upload_dir: Path, account: Account) -> None:
    """What was to be joined is, once, with nobody asking for it: its bytes are all here."""
    stage, [session] = restarted(upload_dir), account.sessions
    known = _is_to_be_joined(upload_dir)
    await stage.start()
    watching = asyncio.get_running_loop().create_task(session.watch(stage.port))
    try:
        if not known and not session.closed:
            assert (await ask(stage.port, "POST", f"/api/upload/cancel/{session.id}")).status == 200
        await until(lambda: session.closed)
        assert [message["event"] for message in session.told].count("upload-completed") == int(known)
        account.look_at(upload_dir)
        assert account.findings == []
    finally:
        await call_off(watching)
        await stage.stop()


def _is_to_be_joined(upload_dir: Path) -> bool:
    """Whether it has become a file of the session: before that nobody was told of it."""
    with contextlib.closing(sqlite3.connect(upload_dir / ".station/journal.db")) as connection:
        return connection.execute("SELECT id FROM files").fetchone() is not None


def test_a_concatenation_killed_at_each_call_to_the_disk(tmp_path: Path) -> None:
    kills = 0
    for number in range(FIRST_OF_JOINING, MOST):
        folder, account = tmp_path / str(number), Account()
        station = Process(folder, launcher=(KILLER, str(number)))
        asyncio.run(begin_to_join(station.port, account))
        killed = (station.terminate() if account.sessions[0].closed else station.kill()) == KILLED
        asyncio.run(assert_joined(folder, account))
        if not killed:
            break
        kills += 1
    assert kills >= 8


@pytest.mark.parametrize("way", ["tus", "draft"])
def test_an_upload_killed_at_each_call_to_the_disk(way: str, tmp_path: Path) -> None:
    kill_at_each(tmp_path, way, 10)


def test_an_upload_killed_after_each_commit(strace: str, tmp_path: Path) -> None:
    """Before anybody hears of it. (A commit that was written outlives a kill before its sync, which only power cuts
    and the order of the calls tell apart.)"""
    kill_at_each(tmp_path, "tus", 6, strace)
