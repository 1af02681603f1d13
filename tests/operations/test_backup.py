"""Backups by the documented script, moving to another folder, and what is left when only files were kept."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import tool
from tests.handlers.site import TUS, Json, Line, at_offset, lifecycle, metadata, movie, on_the_loop
from tests.operations.fronts import OPERATIONS
from tests.station.places import events_in
from tests.test_server import Program

BODY = movie(1_000_000)
HALF = 500_000


@contextmanager
def running(folder: Path) -> Iterator[Program]:
    program = Program(folder, "--min-free-space=0")
    try:
        yield program
        assert program.stop() == 0
        assert " ERROR " not in program.log.read_text()
    finally:
        program.close()


async def ask(program: Program, method: str, target: str, body: bytes | None = None, fields: Any = None) -> Any:
    line: Line = await program.connect()
    answer = await line.ask(method, target, body, fields)
    await line.close()
    return answer


async def lived_in(program: Program) -> tuple[str, str]:
    """A session with one stored file and an unfinished upload of another; its id, and the upload's path."""
    answer = await ask(program, "POST", "/api/upload/session", b'{"autoComplete": false}')
    session_id = str(answer.json()["sessionId"])
    assert (await ask(program, "PUT", f"/api/upload/session/{session_id}/files/a.mp4", BODY)).status == 201
    told = metadata(filename="b.mp4", sessionId=session_id)
    fields = {**TUS, "Upload-Length": str(len(BODY)), "Upload-Metadata": told}
    made = await ask(program, "POST", "/files/", b"", fields)
    path = str(made.headers["Location"])
    assert (await ask(program, "PATCH", path, BODY[:HALF], at_offset(0))).status == 204
    return session_id, path


async def story(program: Program, session_id: str) -> tuple[Json, list[Json]]:
    """What a watcher who begins anew is told: the snapshot, and the events."""
    recorded = len(events_in(program.folder, session_id))
    watcher = await program.watch(session_id, "&lastSeq=0")
    joined = await watcher.until("session-joined")
    while len(lifecycle(watcher.heard)) < recorded:
        await watcher.next()
    await watcher.close()
    return joined, lifecycle(watcher.heard)


async def gone_on_with(program: Program, path: str) -> None:
    """The unfinished upload ends well."""
    offset = int((await ask(program, "HEAD", path, None, TUS)).headers["Upload-Offset"])
    assert offset == HALF
    assert (await ask(program, "PATCH", path, BODY[offset:], at_offset(offset))).status == 204


def stored(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((folder / "personal").iterdir())]


def backed_up(
    source: Path, target: Path, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    for program in ("sqlite3", "rsync"):
        tool(program, purpose="the backup script")
    return subprocess.run(
        ["sh", str(OPERATIONS / "backup.sh"), str(source), str(target)],
        capture_output=True, text=True, check=False, timeout=60, cwd=cwd, env=os.environ | variables,
    )  # fmt: skip


def back_up(source: Path, target: Path, cwd: Path | None = None) -> None:
    done = backed_up(source, target, cwd)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@on_the_loop
async def test_a_backup_of_a_running_station_is_started_elsewhere_and_goes_on(tmp_path: Path) -> None:
    copy = tmp_path / "copies" / "upload"
    with running(tmp_path / "upload") as program:
        session_id, path = await lived_in(program)
        told = await story(program, session_id)
        for _ in range(2):  # the second time over the first
            back_up(program.folder, copy)
    with running(copy) as program:
        joined, events = await story(program, session_id)
        assert (joined["epoch"], events) == (told[0]["epoch"], told[1])
        await gone_on_with(program, path)
    assert stored(copy) == [BODY, BODY]


@on_the_loop
async def test_who_heard_more_than_an_old_copy_knows_begins_anew(tmp_path: Path) -> None:
    folder, copy = tmp_path / "upload", tmp_path / "copy"
    with running(folder) as program:
        session_id, _ = await lived_in(program)
        epoch = (await story(program, session_id))[0]["epoch"]
        back_up(folder, copy)
        assert (await ask(program, "PUT", f"/api/upload/session/{session_id}/files/c.mp4", BODY)).status == 201
    for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
        (folder / ".station" / name).unlink(missing_ok=True)
    shutil.copy(copy / ".station" / "journal.db", folder / ".station" / "journal.db")
    with running(folder) as program:
        joined, _ = await story(program, session_id)
        assert joined["epoch"] != epoch
    assert len(stored(folder)) == 2, "no file is lost for that"


@on_the_loop
async def test_a_stopped_station_is_moved_as_a_folder(tmp_path: Path) -> None:
    old, new = tmp_path / "old" / "upload", tmp_path / "new" / "place"
    old.parent.mkdir()
    with running(old) as program:
        session_id, path = await lived_in(program)
        told = await story(program, session_id)
    token = (old / ".station" / "token").read_text()
    new.parent.mkdir()
    subprocess.run(["cp", "-a", str(old), str(new)], check=True)
    shutil.rmtree(old)
    with running(new) as program:
        joined, events = await story(program, session_id)
        assert joined["epoch"] == told[0]["epoch"]
        assert events[: len(told[1])] == told[1]
        await gone_on_with(program, path)
    assert (new / ".station" / "token").read_text() == token
    assert stored(new) == [BODY, BODY]


@on_the_loop
async def test_files_alone_are_kept_but_nothing_is_known_of_them(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    with running(old) as program:
        session_id, path = await lived_in(program)
    shutil.copytree(old, new, ignore=shutil.ignore_patterns(".station"))
    with running(new) as program:
        assert (await ask(program, "GET", f"/api/upload/progress/{session_id}")).status == 404
        assert (await ask(program, "HEAD", path, None, TUS)).status == 404
        answer = await ask(program, "PUT", "/u/d.mp4", BODY)
        assert answer.status == 201, json.loads(answer.body)
    assert stored(new) == [BODY, BODY]


@pytest.mark.parametrize("missing", ["source", "target"])
def test_a_backup_that_cannot_be_made_says_so(tmp_path: Path, missing: str) -> None:
    (tmp_path / "file").write_text("in the way")
    source = tmp_path / "nowhere" if missing == "source" else tmp_path
    target = tmp_path / "file" if missing == "target" else tmp_path / "copy"
    done = backed_up(source, target)
    assert done.returncode != 0
    assert done.stderr
    assert not (tmp_path / "copy").exists()


def a_folder(where: Path) -> Path:
    """What the script takes for a station's."""
    (where / ".station").mkdir(parents=True)
    (where / "photo.jpg").write_bytes(b"photo")
    with closing(sqlite3.connect(where / ".station" / "journal.db")) as journal:
        journal.execute("CREATE TABLE one (one)")
    return where


@pytest.mark.parametrize("name", ["b k's", "'; DROP", 'say "$(exit 1)"', "照片"])
@pytest.mark.parametrize("relative", [False, True])
def test_paths_may_hold_anything(tmp_path: Path, name: str, relative: bool) -> None:
    start = Path() if relative else tmp_path
    a_folder(tmp_path / name / "upload")
    target = tmp_path / "copies" / name / "upload"
    for _ in range(2):
        back_up(start / name / "upload", start / "copies" / name / "upload", tmp_path)
    assert (target / "photo.jpg").read_bytes() == b"photo"
    with closing(sqlite3.connect(target / ".station" / "journal.db")) as journal:
        assert journal.execute("SELECT name FROM sqlite_master").fetchall() == [("one",)]
    assert {path.name for path in (target / ".station").iterdir()} == {"journal.db"}


@pytest.mark.parametrize(("status", "ends"), [(24, 0), (23, 1)])
def test_what_was_taken_away_meanwhile_is_no_error(tmp_path: Path, status: int, ends: int) -> None:
    real = tool("rsync", purpose="the backup script")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rsync").write_text(f'#!/bin/sh\n"{real}" "$@"\nexit {status}\n')
    (tmp_path / "bin" / "rsync").chmod(0o755)
    source, target = a_folder(tmp_path / "upload"), tmp_path / "copy"
    done = backed_up(source, target, PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert (done.returncode, (target / "photo.jpg").exists()) == (ends, True)
