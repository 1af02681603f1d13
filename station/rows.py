"""The journal's rows, and how a record of them is written. One record is one change of state with its events."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionRow:
    id: str
    opened_at: float
    settled_at: float | None
    kept: str


@dataclass(frozen=True, slots=True)
class FileRow:
    id: str
    session_id: str
    position: int
    status: str
    name: str
    size: int | None
    path: str | None
    kept: str
    ended_at: float | None = None
    """Wall time of its newest ending; None while another attempt may come of itself."""


@dataclass(frozen=True, slots=True)
class EventRow:
    session_id: str
    seq: int
    name: str
    file_id: str | None
    attempt: int | None
    ending: bool
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class UploadRow:
    id: str
    offset: int
    expires_at: float | None
    ended_at: float | None
    kept: str


@dataclass(frozen=True, slots=True)
class DeedRow:
    """What was done to a stored file. It is no event of a session: it may come long after that is over."""

    at: float
    name: str
    session_id: str
    file_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """One change of state with the events that tell it: committed whole or not at all."""

    session: SessionRow
    files: Sequence[FileRow] = ()
    events: Sequence[EventRow] = ()


_SESSION = (
    "INSERT INTO sessions VALUES (?,?,?,?) "
    "ON CONFLICT (id) DO UPDATE SET settled_at=excluded.settled_at, kept=excluded.kept"
)
_FILE = (
    "INSERT INTO files VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET status=excluded.status, "
    "name=excluded.name, size=excluded.size, path=excluded.path, kept=excluded.kept, "
    "ended_at=coalesce(excluded.ended_at, ended_at)"
)
_EVENT = "INSERT INTO events (session_id, seq, name, file_id, attempt, ending, at, text) VALUES (?,?,?,?,?,?,?,?)"


def write_record(connection: sqlite3.Connection, record: Record) -> None:
    row = record.session
    connection.execute(_SESSION, (row.id, row.opened_at, row.settled_at, row.kept))
    connection.executemany(
        _FILE,
        [(f.id, f.session_id, f.position, f.status, f.name, f.size, f.path, f.kept, f.ended_at) for f in record.files],
    )
    connection.executemany(
        _EVENT,
        [(e.session_id, e.seq, e.name, e.file_id, e.attempt, e.ending, e.at, e.text) for e in record.events],
    )


def write_deed(connection: sqlite3.Connection, deed: DeedRow) -> None:
    values = (deed.at, deed.name, deed.session_id, deed.file_id, deed.text)
    connection.execute("INSERT INTO deeds (at, name, session_id, file_id, text) VALUES (?,?,?,?,?)", values)


_UPLOAD = (
    "INSERT INTO uploads VALUES (?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET offset=excluded.offset, "
    "expires_at=excluded.expires_at, ended_at=excluded.ended_at, kept=excluded.kept"
)


def write_upload(connection: sqlite3.Connection, row: UploadRow) -> None:
    connection.execute(_UPLOAD, (row.id, row.offset, row.expires_at, row.ended_at, row.kept))


def move_offset(connection: sqlite3.Connection, upload_id: str, offset: int, expires_at: float | None) -> None:
    connection.execute("UPDATE uploads SET offset=?, expires_at=? WHERE id=?", (offset, expires_at, upload_id))
