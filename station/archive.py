"""What the journal can tell: sessions to go on with, sessions that are over, missed events. Queries only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from station.clock import rfc3339
from station.picture import Picture
from station.wire import Message, loads


@dataclass(frozen=True)
class KeptSession:
    """A session as the journal has it: rows still in their kept form, and all its events in order."""

    id: str
    opened_at: float
    settled_at: float | None
    kept: dict[str, Any]
    files: list[tuple[str, dict[str, Any]]]
    events: list[tuple[int, str, str]]


def session(connection: sqlite3.Connection, session_id: str) -> KeptSession | None:
    row = connection.execute("SELECT opened_at, settled_at, kept FROM sessions WHERE id=?", (session_id,)).fetchone()
    if row is None:
        return None
    files = connection.execute("SELECT id, kept FROM files WHERE session_id=? ORDER BY position", (session_id,))
    events = connection.execute("SELECT seq, name, text FROM events WHERE session_id=? ORDER BY seq", (session_id,))
    return KeptSession(
        session_id, row[0], row[1], loads(row[2]), [(id, loads(kept)) for id, kept in files], events.fetchall()
    )


def unsettled(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT id FROM sessions WHERE settled_at IS NULL ORDER BY opened_at")
    return [row[0] for row in rows]


def newest_time(connection: sqlite3.Connection) -> float:
    """The latest wall time in the journal, whatever order a stepped clock wrote it in; 0 if it is empty."""
    told = connection.execute("SELECT max(at) FROM events").fetchone()[0]
    opened = connection.execute("SELECT max(opened_at) FROM sessions").fetchone()[0]
    return max(told or 0.0, opened or 0.0)


def missed(connection: sqlite3.Connection, session_id: str, after: int, upto: int, page: int) -> list[Message]:
    """Lifecycle messages numbered above `after` up to `upto`, at most `page` of them, in order, as they were told."""
    rows = connection.execute(
        "SELECT seq, name, text FROM events WHERE session_id=? AND seq>? AND seq<=? ORDER BY seq LIMIT ?",
        (session_id, after, upto, page),
    )
    return [Message(text, name, seq, lifecycle=True) for seq, name, text in rows]


def stored_file(connection: sqlite3.Connection, file_id: str) -> tuple[str, str, str | None] | None:
    """`(session id, status, public path)` of a file; None if there is no such file."""
    row = connection.execute("SELECT session_id, status, path FROM files WHERE id=?", (file_id,)).fetchone()
    return None if row is None else (row[0], row[1], row[2])


@dataclass(frozen=True)
class KeptUpload:
    """An upload resource as the journal has it."""

    id: str
    offset: int
    expires_at: float | None
    kept: dict[str, Any]


def upload(connection: sqlite3.Connection, upload_id: str) -> KeptUpload | None:
    row = connection.execute(f"{_UPLOADS} WHERE id=?", (upload_id,)).fetchone()
    return None if row is None else _kept_upload(row)


def open_uploads(connection: sqlite3.Connection) -> list[KeptUpload]:
    """Those that a client may still go on with."""
    return [_kept_upload(row) for row in connection.execute(f"{_UPLOADS} WHERE ended_at IS NULL")]


_UPLOADS = "SELECT id, offset, expires_at, kept FROM uploads"


def _kept_upload(row: tuple[str, int, float | None, str]) -> KeptUpload:
    return KeptUpload(row[0], row[1], row[2], loads(row[3]))


def picture_of(kept: KeptSession, language: str, epoch: str) -> Picture:
    """The fold of all that was told of a session."""
    picture = Picture(kept.id, kept.kept["category"], language, epoch, kept.kept["expected"])
    picture.updated = rfc3339(kept.opened_at)
    for file_id, file in kept.files:
        picture.announce(file_id, file["name"], file["size"])
    for seq, name, text in kept.events:
        picture.fold(name, loads(text)["data"], seq)
    return picture
