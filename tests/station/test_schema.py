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
        with pytest.raises(sqlite3.OperationalError):
            schema.prepare(connection, synchronous="FULL")
        assert not connection.in_transaction
        assert (tables(connection), version(connection)) == before
        monkeypatch.undo()
        schema.prepare(connection, synchronous="FULL")
        assert version(connection) == len(schema.MIGRATIONS)
