"""The journal as a process uses it: groups, faults, a full disk, epochs. Real SQLite on real files."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from station import archive, forgetting, schema
from station.errors import Refused
from station.journal import Journal, JournalFailed
from station.rows import EventRow, Record, SessionRow, UploadRow, move_offset, write_upload
from tests.station.places import HeldJournal, Points, crash_image, new_id, small_disk

CONTENT = "x" * 65536


@asynccontextmanager
async def opened(root: Path, *, durable: bool = True) -> AsyncIterator[HeldJournal]:
    journal = HeldJournal(root / "journal.db", root / "witness", durable=durable, new_epoch=new_id)
    try:
        yield journal
    finally:
        if journal.points is not None:
            journal.points.release_all()
        journal.close()


def record(session_id: str, *names: str, first: int = 1, text: str = "{}", settled: bool = False) -> Record:
    events = [
        EventRow(session_id, seq, name, None, None, name == "session-completed", 1.0, text)
        for seq, name in enumerate(names, first)
    ]
    return Record(SessionRow(session_id, 1.0, 2.0 if settled else None, "{}"), (), events)


def ending(session_id: str, seq: int) -> Record:
    event = EventRow(session_id, seq, "upload-failed", f"{session_id}-file", 1, True, 1.0, "{}")
    return Record(SessionRow(session_id, 1.0, None, "{}"), (), (event,))


def seqs(connection: sqlite3.Connection, session_id: str) -> list[int]:
    found = connection.execute("SELECT seq FROM events WHERE session_id=? ORDER BY seq", (session_id,))
    return [row[0] for row in found]


async def seqs_of(journal: Journal, session_id: str) -> list[int]:
    return await journal.read(lambda connection: seqs(connection, session_id))


def note(done: list[int], number: int, _: object) -> None:
    done.append(number)


def is_failing(journal: Journal) -> bool:
    return journal.failing


async def outcomes(*writes: asyncio.Future[None]) -> list[BaseException | None]:
    return await asyncio.gather(*writes, return_exceptions=True)


# ---- writing ----


@pytest.mark.gen_test
async def test_the_writer_syncs_each_commit_in_wal_mode(tmp_path: Path) -> None:
    found = []
    for durable in (True, False):
        async with opened(tmp_path, durable=durable) as journal:

            def look(connection: sqlite3.Connection) -> None:
                found.append([connection.execute(f"PRAGMA {n}").fetchone()[0] for n in ("synchronous", "journal_mode")])

            await journal.change(look)
    assert found == [[2, "wal"], [1, "wal"]]


@pytest.mark.gen_test
async def test_a_write_that_is_done_is_seen_by_everyone(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.write(record("s", "upload-started", "upload-failed"))
        assert await seqs_of(journal, "s") == [1, 2]
        assert await journal.read(archive.unsettled) == ["s"]
        with sqlite3.connect(tmp_path / "journal.db") as other:
            assert seqs(other, "s") == [1, 2]
        other.close()


@pytest.mark.gen_test
async def test_readers_cannot_write(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await journal.read(lambda connection: connection.execute("DELETE FROM sessions"))


@pytest.mark.gen_test
async def test_who_comes_during_a_commit_shares_the_next(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.points = Points()
        held = journal.points.hold("commit")
        first = journal.write(record("s0", "upload-started"))
        await held.reached()
        others = [journal.write(record(f"s{number}", "upload-started")) for number in range(1, 100)]
        assert not first.done()
        held.release()
        await asyncio.gather(first, *others)
        assert journal.points.passed == ["commit", "commit"]
        assert await seqs_of(journal, "s99") == [1]


@pytest.mark.gen_test
async def test_a_group_is_bounded(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.points = Points()
        held = journal.points.hold("commit")
        writes = [journal.write(record("s0"))]
        await held.reached()
        writes += [journal.write(record(f"s{number}")) for number in range(1, 1201)]
        held.release()
        await asyncio.gather(*writes)
        assert journal.points.passed == ["commit"] * 4


@pytest.mark.gen_test
async def test_writes_are_committed_in_the_order_of_their_coming(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        done: list[int] = []
        writes = [journal.write(record("s", "upload-started", first=number)) for number in range(1, 50)]
        for number, write in enumerate(writes):
            write.add_done_callback(partial(note, done, number))
        await asyncio.gather(*writes)
        numbers = "SELECT seq FROM events ORDER BY number"
        in_order = await journal.read(lambda connection: [row[0] for row in connection.execute(numbers)])
        assert in_order == list(range(1, 50))
        assert done == list(range(49))


@pytest.mark.gen_test
@pytest.mark.parametrize("at", [0, 5, 9])
async def test_one_bad_write_in_a_group_fails_alone_and_whole(tmp_path: Path, at: int) -> None:
    async with opened(tmp_path) as journal:
        await journal.write(ending("bad", 1))
        journal.points = Points()
        held = journal.points.hold("commit")
        blocking = journal.change(lambda _: None)
        await held.reached()
        # Its second event breaks a rule: the first must not stay either.
        bad = Record(
            SessionRow("new", 1.0, None, "{}"),
            (),
            (*record("bad", "upload-started", first=2).events, *ending("bad", 3).events),
        )
        writes = [journal.write(bad if n == at else record(f"s{n}", "upload-started")) for n in range(10)]
        held.release()
        await blocking
        found = await outcomes(*writes)
        assert [n for n, outcome in enumerate(found) if outcome is not None] == [at]
        assert isinstance(found[at], JournalFailed)
        assert not found[at].full  # type: ignore[union-attr]
        assert journal.points.passed == ["commit", "commit"]
        assert not journal.failing
        assert await seqs_of(journal, "bad") == [1]
        assert "new" not in await journal.read(archive.unsettled)


@pytest.mark.gen_test
async def test_a_change_with_a_bug_fails_alone_and_the_writer_lives(tmp_path: Path) -> None:
    def bug(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM sessions")
        raise KeyError("bug")

    async with opened(tmp_path) as journal:
        await journal.write(record("s"))
        with pytest.raises(JournalFailed):
            await journal.change(bug)
        assert await journal.read(archive.unsettled) == ["s"]
        await journal.write(record("t"))


@pytest.mark.gen_test
async def test_one_ending_per_attempt_and_one_end_per_session_whoever_writes(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.write(ending("s", 1))
        await journal.write(record("s", "session-completed", first=2, settled=True))
        with pytest.raises(JournalFailed):
            await journal.write(ending("s", 3))
        with pytest.raises(JournalFailed):
            await journal.write(record("s", "session-completed", first=3))
        assert await seqs_of(journal, "s") == [1, 2]


@pytest.mark.gen_test
async def test_a_commit_that_fails_is_tried_again_one_by_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.points = Points()
        held = journal.points.hold("commit")
        first = journal.change(lambda _: None)
        await held.reached()
        writes = [journal.write(record(f"s{number}", "upload-started")) for number in range(3)]
        journal.break_down(full=True)
        held.release()
        found = await outcomes(first, *writes)
        assert [type(outcome) for outcome in found] == [JournalFailed] * 4
        assert all(outcome.full for outcome in found if isinstance(outcome, JournalFailed))
        assert journal.points.passed == ["commit"] * (1 + 1 + 3)
        assert is_failing(journal)
        journal.mend()
        await journal.write(record("s0", "upload-started"))
        assert not is_failing(journal)
        assert await seqs_of(journal, "s0") == [1]


@pytest.mark.gen_test
async def test_closing_commits_what_waits_and_a_second_close_does_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        writes = [journal.write(record(f"s{number}", "upload-started")) for number in range(700)]
        journal.close()
        journal.close()
        await asyncio.gather(*writes)
    async with opened(tmp_path) as journal:
        assert len(await journal.read(archive.unsettled)) == 700


@pytest.mark.gen_test
async def test_who_no_longer_waits_disturbs_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.points = Points()
        held = journal.points.hold("commit")
        gone = journal.write(record("s"))
        await held.reached()
        gone.cancel()
        held.release()
        await journal.write(record("t"))
        assert await journal.read(archive.unsettled) == ["s", "t"]


KILLED = """
import asyncio, os, sys
from pathlib import Path
from station.journal import Journal
from station.rows import Record, SessionRow

async def main():
    root = Path(sys.argv[1])
    journal = Journal(root / "journal.db", root / "witness", durable=True, new_epoch=lambda: "first")
    for number in range(20):
        await journal.write(Record(SessionRow(f"s{number:02}", 1.0, None, "{}")))
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@pytest.mark.gen_test
async def test_what_was_done_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=Path(__file__).resolve().parents[2])
    assert killed.returncode == -9
    async with opened(tmp_path) as journal:
        assert await journal.read(archive.unsettled) == [f"s{number:02}" for number in range(20)]
        assert journal.epoch == "first"
        assert await journal.read(lambda c: c.execute("PRAGMA integrity_check").fetchone()) == ("ok",)


# ---- a full disk ----


@pytest.mark.gen_test
async def test_a_full_disk_fails_those_writes_and_later_ones_succeed_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as small:
        async with opened(small) as journal:
            await journal.write(record("before", "upload-started"))
            ballast = small / "ballast"
            with ballast.open("wb", buffering=0) as filling:
                free = os.statvfs(small).f_bavail * os.statvfs(small).f_frsize
                filling.write(bytes(free - 8 * 4096))
            failures = 0
            for number in range(40):
                [outcome] = await outcomes(journal.write(record(f"s{number}", "upload-started", text=CONTENT)))
                if outcome is not None:
                    assert isinstance(outcome, JournalFailed)
                    assert outcome.full
                    failures += 1
            assert failures > 30
            assert is_failing(journal)
            assert await seqs_of(journal, "before") == [1]
            ballast.unlink()
            await journal.write(record("after", "upload-started", text=CONTENT))
            assert not is_failing(journal)
            assert await seqs_of(journal, "after") == [1]
            assert await journal.read(lambda c: c.execute("PRAGMA integrity_check").fetchone()) == ("ok",)


# ---- the epoch ----


def forget_all(connection: sqlite3.Connection) -> None:
    assert forgetting.sessions(connection, 10.0)


@pytest.mark.gen_test
async def test_the_epoch_stays_over_restarts_and_forgotten_sessions(tmp_path: Path) -> None:
    epochs = set()
    for number in range(3):
        async with opened(tmp_path) as journal:
            epochs.add(journal.epoch)
            await journal.write(record(f"s{number}", "upload-started", settled=True))
            await journal.change(forget_all)
    assert len(epochs) == 1


@pytest.mark.gen_test
async def test_the_epoch_stays_when_only_the_witness_is_behind_or_lost(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        epoch = journal.epoch
        await journal.write(record("s", "upload-started"))
        behind = (tmp_path / "witness").read_bytes()
        await journal.write(record("s", "upload-started", first=2))
    for content in (behind, b"", b"\0" * 21, b"garbage"):
        (tmp_path / "witness").write_bytes(content)
        async with opened(tmp_path) as journal:
            assert journal.epoch == epoch
    (tmp_path / "witness").unlink()
    async with opened(tmp_path) as journal:
        assert journal.epoch == epoch


@pytest.mark.gen_test
async def test_a_journal_of_version_1_keeps_its_epoch_and_what_it_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_events = (
        "INSERT INTO events (session_id, seq, name, ending, at, text) "
        "VALUES ('s', 1, 'upload-started', 0, 1.0, '{}'), ('s', 2, 'upload-failed', 1, 1.0, '{}')"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    async with opened(tmp_path) as journal:
        await journal.change(lambda connection: connection.execute(two_events).close())
        epoch = journal.epoch
    monkeypatch.undo()
    async with opened(tmp_path) as journal:
        assert journal.epoch == epoch
        assert await seqs_of(journal, "s") == [1, 2]
        await journal.change(lambda connection: write_upload(connection, UploadRow("u", 5, None, None, "{}")))
        assert await journal.read(lambda connection: connection.execute("SELECT offset FROM uploads").fetchall()) == [
            (5,)
        ]


@pytest.mark.gen_test
async def test_an_offset_that_was_recorded_is_there_after_a_kill_and_one_in_a_failed_commit_is_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").mkdir()
    async with opened(tmp_path / "a") as journal:
        await journal.change(lambda connection: write_upload(connection, UploadRow("u", 0, None, None, "{}")))
        await journal.change(lambda connection: move_offset(connection, "u", 16, 1.0))
        journal.break_down()
        failed = await outcomes(journal.change(lambda connection: move_offset(connection, "u", 32, 1.0)))
        assert isinstance(failed[0], JournalFailed)
        image = crash_image(tmp_path / "a", tmp_path / "b")
    async with opened(image) as journal:
        kept = await journal.read(lambda connection: connection.execute("SELECT offset FROM uploads").fetchall())
        assert kept == [(16,)]


@pytest.mark.gen_test
async def test_a_deleted_journal_gets_a_new_epoch(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        epoch = journal.epoch
        await journal.write(record("s", "upload-started"))
    for path in tmp_path.glob("journal.db*"):
        path.unlink()
    async with opened(tmp_path) as journal:
        assert journal.epoch != epoch
        again = journal.epoch
    async with opened(tmp_path) as journal:
        assert journal.epoch == again, "and keeps it"


@pytest.mark.gen_test
async def test_an_older_copy_put_back_gets_a_new_epoch(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.write(record("s", "upload-started"))
        epoch = journal.epoch
    shutil.copy(tmp_path / "journal.db", tmp_path / "copy")
    async with opened(tmp_path) as journal:
        await journal.write(record("s", "upload-started", first=2))
        assert journal.epoch == epoch
    shutil.copy(tmp_path / "copy", tmp_path / "journal.db")
    async with opened(tmp_path) as journal:
        assert journal.epoch != epoch
        assert await seqs_of(journal, "s") == [1]
        again = journal.epoch
        await journal.write(record("s", "upload-started", first=2))
    async with opened(tmp_path) as journal:
        assert journal.epoch == again


@pytest.mark.gen_test
@pytest.mark.parametrize("cut", ["gone", "half", "one byte flipped at the end"])
async def test_a_journal_whose_wal_lost_commits_gets_a_new_epoch(tmp_path: Path, cut: str) -> None:
    live, image = tmp_path / "live", tmp_path / "image"
    live.mkdir()
    async with opened(live) as journal:
        epoch = journal.epoch
        for seq in range(1, 20):
            await journal.write(record("s", "upload-started", first=seq))
        # What a kill would leave; closing in order would empty the log into the database.
        shutil.copytree(live, image)
    (image / "journal.db-shm").unlink()
    wal = image / "journal.db-wal"
    content = bytearray(wal.read_bytes())
    if cut == "gone":
        wal.unlink()
    elif cut == "half":
        wal.write_bytes(content[: len(content) // 2])
    else:
        content[-1] ^= 1
        wal.write_bytes(content)
    async with opened(image) as journal:
        assert journal.epoch != epoch
        kept = await seqs_of(journal, "s")
        assert kept == list(range(1, len(kept) + 1))
        assert len(kept) < 19


@pytest.mark.gen_test
async def test_a_kill_with_the_wal_whole_keeps_the_epoch(tmp_path: Path) -> None:
    live, image = tmp_path / "live", tmp_path / "image"
    live.mkdir()
    async with opened(live) as journal:
        epoch = journal.epoch
        for seq in range(1, 20):
            await journal.write(record("s", "upload-started", first=seq))
        shutil.copytree(live, image)
    async with opened(image) as journal:
        assert journal.epoch == epoch
        assert len(await seqs_of(journal, "s")) == 19


# ---- what is not ours ----


@pytest.mark.gen_test
@pytest.mark.parametrize("statement", ["PRAGMA user_version=99", "PRAGMA application_id=7"])
async def test_a_journal_that_is_not_for_us_is_refused_with_nothing_left_open(tmp_path: Path, statement: str) -> None:
    async with opened(tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / "journal.db")
    connection.execute(statement)
    connection.close()
    with pytest.raises(Refused):
        Journal(tmp_path / "journal.db", tmp_path / "witness", durable=True, new_epoch=new_id)


@pytest.mark.gen_test
async def test_a_file_that_is_no_database_is_refused_with_nothing_left_open(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"these are notes of mine\n" * 100)
    with pytest.raises(Refused):
        Journal(tmp_path / "journal.db", tmp_path / "witness", durable=True, new_epoch=new_id)
    assert (tmp_path / "journal.db").read_bytes().startswith(b"these are notes")
