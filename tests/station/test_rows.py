"""Records in a real database, by the schema of a station."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from station import schema
from station.rows import (
    EventRow,
    FileRow,
    Record,
    SessionRow,
    UploadRow,
    move_offset,
    write_record,
    write_upload,
)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    schema.prepare(opened, synchronous="FULL")
    yield opened
    opened.close()


def session(*, settled_at: float | None = None, kept: str = "{}") -> SessionRow:
    return SessionRow("s", 1.0, settled_at, kept)


def file(status: str, *, position: int = 0, name: str = "a.txt", size: int | None = 5) -> FileRow:
    return FileRow("f", "s", position, status, name, size, None, "{}")


def event(
    seq: int,
    name: str = "upload-failed",
    *,
    file_id: str | None = "f",
    attempt: int | None = 1,
    ending: bool = False,
    session_id: str = "s",
) -> EventRow:
    return EventRow(session_id, seq, name, file_id, attempt, ending, 2.0, f'{{"seq":{seq}}}')


def test_a_record_is_a_session_its_changed_files_and_its_events(connection: sqlite3.Connection) -> None:
    write_record(connection, Record(session(), [file("pending")], [event(1, "upload-started"), event(2, ending=True)]))
    assert connection.execute("SELECT * FROM sessions").fetchall() == [("s", 1.0, None, "{}")]
    assert connection.execute("SELECT * FROM files").fetchall() == [
        ("f", "s", 0, "pending", "a.txt", 5, None, "{}", None),
    ]
    assert connection.execute("SELECT number, seq, name, ending, text FROM events").fetchall() == [
        (1, 1, "upload-started", 0, '{"seq":1}'),
        (2, 2, "upload-failed", 1, '{"seq":2}'),
    ]


def test_a_later_record_changes_what_may_change(connection: sqlite3.Connection) -> None:
    write_record(connection, Record(session(), [file("pending")]))
    later = FileRow("f", "other", 7, "completed", "b.txt", 6, "/upload/x", "{1}", 8.0)
    write_record(connection, Record(SessionRow("s", 9.0, 3.0, "{2}"), [later]))
    assert connection.execute("SELECT * FROM sessions").fetchall() == [("s", 1.0, 3.0, "{2}")]
    assert connection.execute("SELECT * FROM files").fetchall() == [
        ("f", "s", 0, "completed", "b.txt", 6, "/upload/x", "{1}", 8.0),
    ]


def test_the_time_of_a_files_newest_ending_stays_while_another_attempt_runs(connection: sqlite3.Connection) -> None:
    for ended_at, wanted in ((None, None), (5.0, 5.0), (None, 5.0), (7.0, 7.0)):
        write_record(connection, Record(session(), [replace(file("pending"), ended_at=ended_at)]))
        assert connection.execute("SELECT ended_at FROM files").fetchall() == [(wanted,)]


@pytest.mark.parametrize(
    "second",
    [
        event(2, "upload-completed", ending=True),
        event(1, "upload-started", attempt=2),
        event(2, "session-completed", file_id=None, attempt=None),
    ],
    ids=["a second ending of the attempt", "a number twice", "a second end of the session"],
)
def test_the_schema_refuses_what_the_contract_forbids(connection: sqlite3.Connection, second: EventRow) -> None:
    first = event(1, ending=True)
    if second.name == "session-completed":
        first = event(1, "session-completed", file_id=None, attempt=None)
    write_record(connection, Record(session(), events=[first]))
    with pytest.raises(sqlite3.IntegrityError):
        write_record(connection, Record(session(), events=[second]))


def test_the_schema_takes_all_that_the_contract_allows(connection: sqlite3.Connection) -> None:
    events = [
        event(1, "upload-started"),
        event(2, ending=True),
        event(3, "upload-started", attempt=2),
        event(4, "upload-cancelled", attempt=2, ending=True),
        event(5, "upload-cancelled", file_id=None, attempt=0, ending=True),
        event(6, "session-completed", file_id=None, attempt=None),
        event(1, "upload-cancelled", file_id=None, attempt=0, ending=True, session_id="t"),
        event(2, "session-completed", file_id=None, attempt=None, session_id="t"),
    ]
    write_record(connection, Record(session(), events=events))
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (8,)


def uploads(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT id, offset, expires_at, ended_at, kept FROM uploads ORDER BY id").fetchall()


def test_an_upload_is_written_and_written_over(connection: sqlite3.Connection) -> None:
    write_upload(connection, UploadRow("u", 0, 5.0, None, "{}"))
    assert uploads(connection) == [("u", 0, 5.0, None, "{}")]
    write_upload(connection, UploadRow("u", 2**40, None, 7.0, "{1}"))
    assert uploads(connection) == [("u", 2**40, None, 7.0, "{1}")]


def test_an_offset_moves_alone(connection: sqlite3.Connection) -> None:
    write_upload(connection, UploadRow("t", 1, 5.0, None, "{t}"))
    write_upload(connection, UploadRow("u", 1, 5.0, 6.0, "{u}"))
    move_offset(connection, "u", 9, 8.0)
    assert uploads(connection) == [("t", 1, 5.0, None, "{t}"), ("u", 9, 8.0, 6.0, "{u}")]


def test_the_offset_of_an_upload_that_is_not_there_moves_nothing(connection: sqlite3.Connection) -> None:
    move_offset(connection, "u", 9, 8.0)
    assert uploads(connection) == []
