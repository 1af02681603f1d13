"""Whose journal it is, which version, and how it gets to the newest: on real files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from station import schema
from station.errors import Refused


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_new_file_becomes_ours_at_the_newest_version(tmp_path: Path) -> None:
    with connected(tmp_path / "j") as connection:
        schema.prepare(connection, synchronous="FULL")
        assert {"meta", "sessions", "files", "events"} <= tables(connection)
        assert version(connection) == len(schema.MIGRATIONS)
        assert connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(("asked", "number"), [("FULL", 2), ("NORMAL", 1)])
def test_synchronous_is_set_at_each_opening(tmp_path: Path, asked: str, number: int) -> None:
    for _ in range(2):
        with connected(tmp_path / "j") as connection:
            schema.prepare(connection, synchronous=asked)
            assert connection.execute("PRAGMA synchronous").fetchone() == (number,)


def test_preparing_again_changes_nothing(tmp_path: Path) -> None:
    with connected(tmp_path / "j") as connection:
        schema.prepare(connection, synchronous="FULL")
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")
        before = connection.execute("SELECT sql FROM sqlite_master").fetchall()
        schema.prepare(connection, synchronous="FULL")
        assert connection.execute("SELECT sql FROM sqlite_master").fetchall() == before
        assert connection.execute("SELECT * FROM meta").fetchall() == [("a", "b")]


def test_a_journal_of_a_newer_station_is_refused_and_left_alone(tmp_path: Path) -> None:
    with connected(tmp_path / "j") as connection:
        schema.prepare(connection, synchronous="FULL")
        newer = len(schema.MIGRATIONS) + 1
        connection.execute(f"PRAGMA user_version={newer}")
        with pytest.raises(Refused) as refused:
            schema.prepare(connection, synchronous="FULL")
        assert "newer version" in str(refused.value.problem.details)
        assert version(connection) == newer


@pytest.mark.parametrize(
    "owning",
    ["PRAGMA application_id=7", "PRAGMA user_version=1", "PRAGMA application_id=7; PRAGMA user_version=1"],
)
def test_a_journal_of_another_program_is_refused_and_left_alone(tmp_path: Path, owning: str) -> None:
    with connected(tmp_path / "j") as connection:
        connection.executescript(f"CREATE TABLE theirs (a); {owning};")
        with pytest.raises(Refused) as refused:
            schema.prepare(connection, synchronous="FULL")
        assert "not one of an upload station" in str(refused.value.problem.details)
        assert tables(connection) == {"theirs"}
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_migration_is_done_once_and_keeps_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with connected(tmp_path / "j") as connection:
        schema.prepare(connection, synchronous="FULL")
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")
        following = "ALTER TABLE meta ADD COLUMN note TEXT;\nCREATE TABLE more (a);\n"
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, following))
        for _ in range(2):
            schema.prepare(connection, synchronous="FULL")
        assert version(connection) == len(schema.MIGRATIONS)
        assert connection.execute("SELECT * FROM meta").fetchall() == [("a", "b", None)]


@pytest.mark.parametrize("fresh", [True, False])
def test_a_migration_that_breaks_off_leaves_the_old_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: bool
) -> None:
    with connected(tmp_path / "j") as connection:
        if not fresh:
            schema.prepare(connection, synchronous="FULL")
        before = tables(connection), version(connection)
        broken = (*schema.MIGRATIONS, "CREATE TABLE more (a);\nCREATE TABLE more (a);\n")
        monkeypatch.setattr(schema, "MIGRATIONS", broken)
        with pytest.raises(Refused):
            schema.prepare(connection, synchronous="FULL")
        assert not connection.in_transaction
        assert (tables(connection), version(connection)) == before
        monkeypatch.undo()
        schema.prepare(connection, synchronous="FULL")
        assert version(connection) == len(schema.MIGRATIONS)


# As the first version that was in use made it, word for word.
VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    opened_at REAL NOT NULL,
    settled_at REAL,
    kept TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (settled_at);
CREATE TABLE files (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    status TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER,
    path TEXT,
    kept TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX files_by_session ON files (session_id, position);
CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    file_id TEXT,
    attempt INTEGER,
    ending INTEGER NOT NULL,
    at REAL NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (session_id, seq)
);
CREATE UNIQUE INDEX one_ending_per_attempt ON events (file_id, attempt) WHERE ending AND file_id IS NOT NULL;
CREATE UNIQUE INDEX one_end_per_session ON events (session_id) WHERE name = 'session-completed';
PRAGMA application_id=1431325764;
PRAGMA user_version=1;
"""
CONTENTS = """
INSERT INTO meta VALUES ('epoch', 'e');
INSERT INTO sessions VALUES ('s', 1.0, 9.0, '{"a":1}');
INSERT INTO files VALUES ('f', 's', 0, 'completed', 'a.txt', 5, '/upload/personal/a', '{}');
INSERT INTO events VALUES (41, 's', 1, 'upload-completed', 'f', 1, 1, 2.0, '{}');
INSERT INTO events VALUES (42, 's', 2, 'session-completed', NULL, NULL, 0, 3.0, '{}');
"""


def everything(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in sorted(tables(connection))}


def shapes(connection: sqlite3.Connection) -> set[tuple[str, str | None]]:
    """Tables and indexes, however their texts are spaced."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
    return {(name, None if sql is None else " ".join(sql.split())) for name, sql in rows}


@pytest.mark.parametrize("contents", ["", CONTENTS], ids=["empty", "with contents"])
def test_a_journal_of_version_1_gets_uploads_and_loses_nothing(tmp_path: Path, contents: str) -> None:
    with connected(tmp_path / "j") as connection, connected(tmp_path / "new") as new:
        connection.executescript(VERSION_1 + contents)
        before = everything(connection)
        schema.prepare(connection, synchronous="FULL")
        after = everything(connection)
        assert [after.pop(name) for name in ("uploads", "samples", "deliveries", "deletions", "deeds")] == [[]] * 5
        assert [row[:-1] for row in after["files"]] == before["files"]
        assert {**after, "files": 0} == {**before, "files": 0}
        assert version(connection) == len(schema.MIGRATIONS) >= 3
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        schema.prepare(new, synchronous="FULL")
        assert shapes(connection) == shapes(new), "a new journal is the same"


def test_a_file_gets_the_time_of_its_newest_ending(tmp_path: Path) -> None:
    with connected(tmp_path / "j") as connection:
        connection.executescript(
            VERSION_1
            + CONTENTS
            + """
            INSERT INTO files VALUES ('g', 's', 1, 'failed', 'b.txt', 5, NULL, '{}');
            INSERT INTO events VALUES (43, 's', 3, 'upload-failed', 'g', 1, 1, 4.0, '{}');
            INSERT INTO events VALUES (44, 's', 4, 'upload-failed', 'g', 2, 1, 6.0, '{}');
            INSERT INTO files VALUES ('h', 's', 2, 'pending', 'c.txt', 5, NULL, '{}');
            INSERT INTO events VALUES (45, 's', 5, 'upload-failed', 'h', 1, 1, 7.0, '{}');
            INSERT INTO files VALUES ('i', 's', 3, 'cancelled', 'd.txt', 5, NULL, '{}');
            """
        )
        schema.prepare(connection, synchronous="FULL")
        ended = connection.execute("SELECT id, ended_at FROM files ORDER BY id").fetchall()
        assert ended == [("f", 2.0), ("g", 6.0), ("h", None), ("i", None)]


@pytest.mark.parametrize(
    ("path", "ended_at"),
    [
        ("/upload/personal/1f0c8d2e-6f5b-4a51-9a37-0d1d4e2b7c11_2024-01-15T10-28-30_000Z_a.txt", 1705314510.0),
        ("/upload/访客/1f0c8d2e-6f5b-4a51-9a37-0d1d4e2b7c11_2024-01-15T10-28-30_000Z_片.mp4", 1705314510.0),
        ("/upload/personal/something-else", 0.0),
    ],
)
def test_a_stored_file_whose_events_are_forgotten_gets_the_time_in_its_name(
    tmp_path: Path, path: str, ended_at: float
) -> None:
    with connected(tmp_path / "j") as connection:
        connection.executescript(f"{VERSION_1}{CONTENTS}DELETE FROM events; UPDATE files SET path = '{path}'")
        schema.prepare(connection, synchronous="FULL")
        assert connection.execute("SELECT ended_at, path FROM files").fetchall() == [(ended_at, path)]


def test_numbers_go_on_after_a_migration(tmp_path: Path) -> None:
    with connected(tmp_path / "j") as connection:
        connection.executescript(VERSION_1 + CONTENTS + "DELETE FROM events;")
        schema.prepare(connection, synchronous="FULL")
        connection.execute("INSERT INTO events VALUES (NULL, 's', 3, 'x', NULL, NULL, 0, 2.0, '{}')")
        assert connection.execute("SELECT number FROM events").fetchone() == (43,)


def test_open_uploads_are_found_without_reading_all_of_them(tmp_path: Path) -> None:
    with connected(tmp_path / "j") as connection:
        schema.prepare(connection, synchronous="FULL")
        for query in ("SELECT id FROM uploads WHERE ended_at IS NULL", "DELETE FROM uploads WHERE ended_at < 5"):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
            assert "uploads_by_end" in plan[0][3]
