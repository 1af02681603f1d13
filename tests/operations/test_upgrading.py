"""A new version on the folder of an old one: journals that older versions really left, and upgrades that are cut off.

Each `tests/station/journals/version-N.sql` is the journal of the last station with tables of version N, dumped after a
kill -9 with one session done, one cancelled, one with a file that failed, and one in the middle of uploads. Every file
holds `content` of its length.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from station import schema
from station.storage import Unusable
from station.wire import loads
from tests.station.places import FakeClock, Place, events_in, open_place, rows, small_disk, until
from tests.station.resuming import send, stored
from tests.test_server import Program, is_a_sentence, run

ROOT = Path(__file__).resolve().parent.parent.parent
JOURNALS = ROOT / "tests" / "station" / "journals"
VERSIONS = range(1, len(schema.MIGRATIONS))
NEWEST = len(schema.MIGRATIONS)
MANY = 20_000


def content(length: int) -> bytes:
    return (b"0123456789abcdef" * (length // 16 + 1))[:length]


def folder_of(root: Path, version: int) -> Path:
    """The folder as that station left it."""
    own = root / ".station"
    (own / "parts").mkdir(parents=True)
    connection = sqlite3.connect(own / "journal.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript((JOURNALS / f"version-{version}.sql").read_text("utf-8"))
    ((newest,),) = connection.execute("SELECT max(number) FROM events")
    for path, size in connection.execute("SELECT path, size FROM files WHERE path IS NOT NULL"):
        place = root / path.removeprefix("/upload/")
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content(size))
    uploads = () if version < 2 else connection.execute("SELECT id, offset FROM uploads WHERE ended_at IS NULL")
    for upload_id, offset in uploads:
        (own / "parts" / upload_id).write_bytes(content(offset))
    connection.close()
    (own / "witness").write_text(f"{newest:020d}\n")
    return root


def version_of(root: Path) -> int:
    return int(rows(root, "PRAGMA user_version")[0][0])


def soon_after(root: Path) -> FakeClock:
    """Five seconds after the kill."""
    return FakeClock(wall=rows(root, "SELECT max(at) FROM events")[0][0] + 5)


async def send_again(place: Place, name: str) -> None:
    """The retry of a file that was sent in one request."""
    ((file_id, session_id, size),) = rows(place.root, "SELECT id, session_id, size FROM files WHERE name=?", name)
    channel = await place.station.sessions.live(session_id)
    await place.raw(channel, name, content(size), file_id=file_id)
    assert channel.session.files[file_id].status == "completed"


def test_there_is_a_journal_of_each_version_that_was_released() -> None:
    assert sorted(path.name for path in JOURNALS.iterdir()) == [f"version-{version}.sql" for version in VERSIONS]


@pytest.mark.gen_test
@pytest.mark.parametrize("version", VERSIONS)
async def test_the_station_tells_what_an_older_one_recorded(tmp_path: Path, version: int) -> None:
    root = folder_of(tmp_path / "upload", version)
    told = rows(root, "SELECT number, session_id, seq, name, file_id, attempt, ending, at, text FROM events")
    epoch = rows(root, "SELECT value FROM meta WHERE key='epoch'")[0][0]
    over = rows(root, "SELECT id, kept FROM sessions WHERE settled_at IS NOT NULL")
    async with open_place(root, clock=soon_after(root), recover=True) as place:
        assert version_of(root) == NEWEST
        assert place.journal.epoch == epoch, "so nobody who comes back has to begin again"
        assert rows(root, "SELECT * FROM events WHERE number <= ?", len(told)) == told
        statuses = set()
        for session_id, _ in over:
            picture = await place.station.sessions.picture(session_id)
            statuses.add(picture.overall_status)
            last = rows(root, "SELECT text FROM events WHERE session_id=? ORDER BY seq DESC LIMIT 1", session_id)
            assert loads(last[0][0])["data"]["summary"]["totalFiles"] == len(picture.files)
        assert statuses == {"completed", "cancelled"}
        assert place.stored(), "and what was stored is where it was"
    ended = rows(root, "SELECT f.ended_at, e.at FROM files f JOIN events e ON e.file_id=f.id AND e.ending")
    assert len(ended) >= 5
    assert all(mine == theirs for mine, theirs in ended)


@pytest.mark.gen_test
@pytest.mark.parametrize("version", VERSIONS)
async def test_what_was_unfinished_is_gone_on_with(tmp_path: Path, version: int) -> None:
    root = folder_of(tmp_path / "upload", version)
    before = len(list((root / "personal").iterdir()))
    async with open_place(root, clock=soon_after(root), recover=True) as place:
        for name in ("broken.txt", "running.txt"):
            await send_again(place, name)
        if version >= 2:
            ((upload_id, offset),) = rows(root, "SELECT id, offset FROM uploads WHERE ended_at IS NULL")
            berth = await place.station.shelf.find(upload_id)
            assert berth.upload.offset == offset > 0, "not one byte has to be sent again"
            whole = content(berth.upload.length or 0)
            await send(place, berth, whole[offset:])
            await stored(place, berth)
        kept = place.stored()
        assert len(kept) == before + (3 if version >= 2 else 2)
        assert all(body == content(len(body)) for body in kept.values())
        unfinished = tuple(place.station.channels.values())
        for channel in unfinished:
            await place.station.orders.complete(channel.session.id)
        await until(lambda: not place.station.channels)
    for channel in unfinished:
        assert events_in(root, channel.session.id)[-1] == "session-completed"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_program_starts_on_the_folder_of_an_older_one(tmp_path: Path, version: int) -> None:
    root = folder_of(tmp_path / "upload", version)
    for _ in range(2):
        program = Program(root, "--min-free-space=0")
        try:
            assert program.stop() == 0
            assert " ERROR " not in program.log.read_text()
        finally:
            program.close()
    assert version_of(root) == NEWEST


def test_the_folder_of_a_newer_version_is_left_alone_with_a_sentence(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "upload", 1)
    connection = sqlite3.connect(root / ".station" / "journal.db")
    connection.execute(f"PRAGMA user_version={NEWEST + 1}")
    connection.close()
    done = run("--port=0", f"--upload-dir={root}", cwd=tmp_path)
    assert done.returncode == 1
    assert is_a_sentence(done.stderr), done.stderr
    assert "newer version" in done.stderr
    assert version_of(root) == NEWEST + 1


# ---- upgrades that are cut off ----


def with_many_events(root: Path) -> Path:
    folder_of(root, 1)
    connection = sqlite3.connect(root / ".station" / "journal.db")
    connection.executemany(
        "INSERT INTO events (session_id, seq, name, file_id, attempt, ending, at, text) VALUES (?,?,?,?,1,1,1.0,?)",
        ((f"s{count}", 1, "upload-failed", f"f{count}", "x" * 400) for count in range(MANY)),
    )
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return root


def everything(root: Path) -> list[Any]:
    tables = [name for (name,) in rows(root, "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")]
    return [(name, rows(root, f"SELECT * FROM {name}")) for name in tables]


# Stops the process for good right before the statement that ends the migration.
KILLED = """
import os, signal, sqlite3, sys
from station import schema
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.set_trace_callback(lambda sql: os.kill(os.getpid(), signal.SIGKILL) if sql == sys.argv[2] else None)
schema.prepare(connection, synchronous="FULL")
"""


@pytest.mark.parametrize(
    "statement", ["CREATE INDEX events_by_time ON events (at)", f"PRAGMA user_version={NEWEST}", "COMMIT"]
)
def test_an_upgrade_that_is_killed_leaves_the_old_version_whole(tmp_path: Path, statement: str) -> None:
    root = with_many_events(tmp_path / "upload")
    before = everything(root)
    journal = root / ".station" / "journal.db"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(journal), statement], cwd=ROOT, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert version_of(root) == 1
    assert everything(root) == before, "an older program goes on with it"
    connection = sqlite3.connect(journal, isolation_level=None)
    schema.prepare(connection, synchronous="FULL")
    connection.close()
    assert version_of(root) == NEWEST
    assert rows(root, "PRAGMA integrity_check") == [("ok",)]
    assert rows(root, "SELECT count(*) FROM events")[0][0] >= MANY


@pytest.mark.gen_test
async def test_an_upgrade_for_which_there_is_no_room_is_told_and_leaves_the_old_version(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=40m") as disk:
        root = with_many_events(disk / "upload")
        before = everything(root)
        filler = disk / "filler"
        space = os.statvfs(disk)
        filler.write_bytes(bytes(space.f_bavail * space.f_frsize - 100 * 1024))
        with pytest.raises(Unusable, match=r"cannot use .*journal.*disk is full"):
            async with open_place(root):
                pass
        filler.unlink()
        assert version_of(root) == 1
        assert everything(root) == before
        async with open_place(root):
            assert version_of(root) == NEWEST
