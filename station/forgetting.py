"""How things are deleted from the journal: at most PIECE rows at a time. Decides nothing about when.

A session is first hidden, then taken apart, so that nobody ever sees half of one, also after a crash in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

PIECE = 200  # rows; measured: 4 ms, some 30 ms on a board
_CLOCK = "history_clock"


def kept_clock(connection: Connection) -> float | None:
    row = connection.execute("SELECT value FROM meta WHERE key=?", (_CLOCK,)).fetchone()
    return None if row is None else float(row[0])


def keep_clock(connection: Connection, now: float) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_CLOCK, repr(now)))


def redate(connection: Connection, limit: float, now: float) -> None:
    """What seems to have ended in the future, by a clock that was wrong then, ended now: or it would stay for ever."""
    connection.execute("UPDATE sessions SET settled_at=? WHERE settled_at>?", (now, limit))
    connection.execute("UPDATE files SET ended_at=? WHERE ended_at>?", (now, limit))
    connection.execute("DELETE FROM samples WHERE at>?", (limit,))


def size(connection: Connection) -> int:
    """Bytes of the journal that hold anything."""
    count, free, page = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((count - free) * page)


def sessions(connection: Connection, before: float) -> bool:
    """Forget a piece of what ended before, oldest first; whether there is no more. Stored files stay known."""
    left = PIECE
    while left > 0:
        oldest = connection.execute(
            "SELECT id FROM sessions WHERE settled_at<? ORDER BY settled_at LIMIT 1", (before,)
        ).fetchone()
        if oldest is None:
            return True
        left -= _part_of(connection, oldest[0], left)
    return False


def _part_of(connection: Connection, session_id: str, limit: int) -> int:
    """Take at most so many rows of a session, and itself when it has no more; returns how many."""
    connection.execute("UPDATE sessions SET settled_at=0 WHERE id=? AND settled_at!=0", (session_id,))
    events = "SELECT number FROM events WHERE session_id=? LIMIT ?"
    files = "SELECT id FROM files WHERE session_id=? AND path IS NULL LIMIT ?"
    stored = "SELECT id FROM files WHERE session_id=? AND kept!='{}' LIMIT ?"
    done = connection.execute(f"DELETE FROM events WHERE number IN ({events})", (session_id, limit)).rowcount
    if done < limit:
        left = limit - done
        done += connection.execute(f"DELETE FROM files WHERE id IN ({files})", (session_id, left)).rowcount
    if done < limit:  # of the stored ones, what only their session needed
        done += connection.execute(
            f"UPDATE files SET kept='{{}}' WHERE id IN ({stored})", (session_id, limit - done)
        ).rowcount
    if done < limit:
        connection.execute("DELETE FROM sessions WHERE id=?", (session_id,))
        done += 1
    return done


def uploads(connection: Connection, before: float) -> bool:
    """Forget a piece of the upload resources that ended before; whether there is no more."""
    return _piece(connection, "uploads", "id", "ended_at<?", before)


def leavings(connection: Connection, before: float, samples_before: float) -> bool:
    """Forget a piece of what no session holds: samples, deeds, what could not be told; whether there is no more."""
    done = _piece(connection, "samples", "at", "at<?", samples_before)
    done &= _piece(connection, "deeds", "number", "at<?", before)
    return _piece(connection, "deliveries", "number", "dead_at<?", before) and done


def _piece(connection: Connection, table: str, key: str, condition: str, value: float) -> bool:
    chosen = f"SELECT {key} FROM {table} WHERE {condition} LIMIT {PIECE}"
    return connection.execute(f"DELETE FROM {table} WHERE {key} IN ({chosen})", (value,)).rowcount < PIECE


def old_files(connection: Connection, before: float, after: str) -> tuple[list[tuple[str, str | None]], str]:
    """Of the next piece of all files, by id, those that ended before and outlived their session: `(id, path)`.

    Then where the piece ends: empty, if that is the end. One without a path was deleted.
    """
    rows = connection.execute(
        "SELECT id, path, ended_at<? AND (path IS NOT NULL OR NOT EXISTS "
        "(SELECT 1 FROM sessions WHERE sessions.id=files.session_id)) FROM files WHERE id>? ORDER BY id LIMIT ?",
        (before, after, PIECE),
    ).fetchall()
    return [(file_id, path) for file_id, path, is_old in rows if is_old], rows[-1][0] if len(rows) == PIECE else ""


def taken(connection: Connection, file_ids: Sequence[str]) -> None:
    """Forget files that are not there any more."""
    connection.executemany("DELETE FROM files WHERE id=?", ((file_id,) for file_id in file_ids))
