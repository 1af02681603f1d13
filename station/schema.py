"""The journal's tables, version by version. A migration is never edited once released; the next one is appended."""

from __future__ import annotations

import sqlite3

from station.errors import Refused

APPLICATION_ID = 0x55504C44  # "UPLD": tells our file from any other SQLite file

_FIRST = """
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
"""

# Upload resources. `offset` is the truth about how much of a part file is safe; times are wall time.
_UPLOADS = """
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    offset INTEGER NOT NULL,
    expires_at REAL,
    ended_at REAL,
    kept TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX uploads_by_end ON uploads (ended_at);
"""

# For the operator. `samples`: what charts are drawn from, one row for each span of time. `deliveries`: what has still
# to be told to another program, with its text, so that it outlives the session. `deeds`: what the operator did.
# `deletions`: stored files that are to go, and are not recorded as gone yet.
_OPERATING = """
CREATE TABLE samples (
    at INTEGER PRIMARY KEY,
    throughput REAL NOT NULL,
    uploads REAL NOT NULL,
    watchers REAL NOT NULL,
    delay REAL NOT NULL
);
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    hook TEXT NOT NULL,
    session_id TEXT NOT NULL,
    seq INTEGER,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    made_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL DEFAULT 0,
    dead_at REAL,
    error TEXT
);
CREATE INDEX deliveries_by_hook ON deliveries (hook, session_id, number, dead_at) WHERE dead_at IS NULL;
CREATE INDEX deliveries_by_death ON deliveries (dead_at) WHERE dead_at IS NOT NULL;
CREATE TABLE deletions (file_id TEXT PRIMARY KEY, wanted_by TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE deeds (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    name TEXT NOT NULL,
    session_id TEXT,
    file_id TEXT,
    text TEXT NOT NULL
);
ALTER TABLE files ADD COLUMN ended_at REAL;
UPDATE files SET ended_at = (SELECT max(at) FROM events WHERE file_id = files.id AND ending)
    WHERE status IN ('completed', 'failed', 'cancelled');
-- Of a file whose events are forgotten, its stored name tells the time: <session>_2024-01-15T10-28-30_000Z_<name>.
UPDATE files SET ended_at = coalesce(strftime('%s', substr(stored, 38, 10) || ' ' ||
        replace(substr(stored, 49, 8), '-', ':')), 0) + 0.0
    FROM (SELECT id AS known, substr(path, 9 + instr(substr(path, 9), '/')) AS stored FROM files)
    WHERE id = known AND status = 'completed' AND ended_at IS NULL;
CREATE INDEX files_in_stock ON files (ended_at, id, name, size, path, session_id, status) WHERE path IS NOT NULL;
CREATE INDEX files_by_end ON files (ended_at, status, size);
CREATE INDEX files_stored ON files (path, size) WHERE path IS NOT NULL;
CREATE INDEX sessions_by_opening ON sessions (opened_at);
CREATE INDEX deeds_by_session ON deeds (session_id);
CREATE INDEX events_by_time ON events (at);
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _UPLOADS, _OPERATING)


def prepare(connection: sqlite3.Connection, *, synchronous: str) -> None:
    """Set the connection up and bring the tables to the newest version, in one transaction.

    Raises Refused for a file that is not ours, that a newer station wrote, or that cannot be written.
    """
    version = _known_version(connection)
    try:
        _set_up(connection, synchronous)
        if version < len(MIGRATIONS):
            _migrate(connection, version)
    except sqlite3.OperationalError as error:
        raise Refused("SERVER_ERROR", f"the journal cannot be written: {error}") from error


def _set_up(connection: sqlite3.Connection, synchronous: str) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    # Per connection, and the default of NORMAL builds loses commits in a power cut (measured: 20 of 20).
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA journal_size_limit=67108864")


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in MIGRATIONS[version:]:
            for statement in _statements(migration):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have ended it already
            connection.execute("ROLLBACK")
        raise


def _known_version(connection: sqlite3.Connection) -> int:
    """The file's version, read before anything in it is changed."""
    foreign = Refused("SERVER_ERROR", "the journal is not one of an upload station")
    try:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise foreign from error
        raise
    if owner != (APPLICATION_ID if version else 0):
        raise foreign
    if version > len(MIGRATIONS):
        raise Refused("SERVER_ERROR", "the journal was written by a newer version of the station")
    return version


def _statements(script: str) -> list[str]:
    # executescript would commit the open transaction first.
    return [statement for statement in script.split(";\n") if statement.strip()]
