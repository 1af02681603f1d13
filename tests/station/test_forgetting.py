"""Deleting in pieces, on a journal in memory; that the whole of it is right is told by test_retention.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station import forgetting, schema

Rows = list[tuple[float, int, int]]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = journal()
    yield opened
    opened.close()


def journal() -> sqlite3.Connection:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    schema.prepare(opened, synchronous="FULL")
    return opened


def fill(connection: sqlite3.Connection, sessions: Rows) -> None:
    """Sessions by the time they ended, each with so many events and files, every other file a stored one."""
    for number, (ended, events, files) in enumerate(sessions):
        connection.execute("INSERT INTO sessions VALUES (?, 1.0, ?, '{}')", (str(number), ended))
        for seq in range(events):
            connection.execute(
                "INSERT INTO events (session_id, seq, name, ending, at, text) VALUES (?, ?, 'x', 0, 1.0, '')",
                (str(number), seq),
            )
        for each in range(files):
            path = f"/upload/a/{number}-{each}" if each % 2 else None
            row = (f"{number}-{each}", str(number), each, "completed", "x", 1, path, '{"a":1}', 1.0)
            connection.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def changed(connection: sqlite3.Connection, before: int) -> int:
    return connection.total_changes - before


def count_of(connection: sqlite3.Connection, table: str, number: int) -> int:
    query = f"SELECT count(*) FROM {table} WHERE session_id=?"
    return int(connection.execute(query, (str(number),)).fetchone()[0])


sessions = st.lists(st.tuples(st.floats(1, 100), st.integers(0, 450), st.integers(0, 250)), max_size=5)


@given(sessions, st.floats(1, 100))
def test_piece_by_piece_all_that_ended_before_goes_and_nothing_else(rows: Rows, before: float) -> None:
    connection = journal()
    fill(connection, rows)
    done, last = False, 0.0
    while not done:
        count = connection.total_changes
        done = forgetting.sessions(connection, before)
        # Hiding a session is a change of one row more.
        assert changed(connection, count) <= 2 * forgetting.PIECE + len(rows)
        hidden = connection.execute("SELECT count(*) FROM sessions WHERE settled_at=0").fetchone()[0]
        assert hidden <= 1, "no more than one is ever half there"
        left = connection.execute("SELECT min(settled_at) FROM sessions WHERE settled_at>0").fetchone()[0]
        assert left is None or left >= last
        last = left or last
    kept = {str(number) for number, (ended, _, _) in enumerate(rows) if ended >= before}
    assert {row[0] for row in connection.execute("SELECT id FROM sessions")} == kept
    for number, (_, events, files) in enumerate(rows):
        whole, stored = str(number) in kept, files // 2
        assert count_of(connection, "events", number) == events * whole
        assert count_of(connection, "files", number) == (files if whole else stored)
    connection.close()


def test_an_open_session_is_none_that_ended(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO sessions VALUES ('s', 1.0, NULL, '{}')")
    assert forgetting.sessions(connection, 1e12)
    assert connection.execute("SELECT id FROM sessions").fetchall() == [("s",)]


def test_the_clock_is_kept(connection: sqlite3.Connection) -> None:
    assert forgetting.kept_clock(connection) is None
    for now in (1.5, 1_790_000_000.123):
        forgetting.keep_clock(connection, now)
        assert forgetting.kept_clock(connection) == now


def test_the_size_is_that_of_what_the_journal_holds(connection: sqlite3.Connection) -> None:
    before = forgetting.size(connection)
    fill(connection, [(1.0, 3000, 300)])
    full = forgetting.size(connection)
    assert full > before + 100_000
    while not forgetting.sessions(connection, 2.0):
        continue
    assert forgetting.size(connection) < full - 100_000, "pages that are free again do not count"


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT id FROM sessions WHERE settled_at<5 ORDER BY settled_at LIMIT 1", "sessions_by_end"),
        ("SELECT number FROM events WHERE session_id='s' LIMIT 5", "INDEX"),
        ("SELECT id FROM files WHERE session_id='s' AND path IS NULL LIMIT 5", "files_by_session"),
        ("UPDATE sessions SET settled_at=1 WHERE settled_at>5", "sessions_by_end"),
        ("UPDATE files SET ended_at=1 WHERE ended_at>5", "files_by_end"),
        ("SELECT id FROM uploads WHERE ended_at<5 LIMIT 5", "uploads_by_end"),
        ("SELECT at FROM samples WHERE at<5 LIMIT 5", "PRIMARY KEY"),
    ],
)
def test_nothing_is_looked_for_from_end_to_end(connection: sqlite3.Connection, query: str, index: str) -> None:
    plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert index in plan
    assert "SCAN" not in plan
