"""What the operator asks of the past: sessions page by page, the log of one, how files ended, samples. Queries only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from station.clock import rfc3339
from station.series import Sample
from station.wire import loads

SCAN = 500  # sessions looked through in one query, so that others who read the journal get their turn
LONGEST_PAGE = 200
NAMES = 4  # of a session's files: three that stand for them, and one that says that there are more


class Place(NamedTuple):
    """Where a page ends: the session that it ends with."""

    opened_at: float
    session_id: str


@dataclass(frozen=True)
class Wish:
    """Which sessions are asked for; empty: any. `words`: part of a file's name, or how the session's id begins."""

    state: str = ""
    words: str = ""
    category: str = ""


@dataclass(frozen=True)
class Page:
    """`reached`: how far it was looked; None: to the end."""

    rows: list[dict[str, Any]]
    reached: Place | None


def sessions(connection: sqlite3.Connection, wish: Wish, before: Place | None, limit: int) -> Page:
    """The newest sessions opened before `before`, running ones too, at most `limit` and those among the next SCAN."""
    conditions, values = ["settled_at IS NOT 0"], list[Any]()  # 0: it is just being forgotten
    if wish.state:
        conditions.append("settled_at IS NULL" if wish.state == "running" else "settled_at > 0")
    if before is not None:
        conditions.append("(opened_at, id) < (?, ?)")
        values += before
    query = f"SELECT id, opened_at, settled_at, kept FROM sessions WHERE {' AND '.join(conditions)}"
    found = connection.execute(f"{query} ORDER BY opened_at DESC, id DESC LIMIT ?", (*values, SCAN)).fetchall()
    rows: list[dict[str, Any]] = []
    for session_id, opened_at, settled_at, kept in found:
        row = _row(connection, wish, session_id, opened_at, settled_at, loads(kept))
        if row is not None:
            rows.append(row)
        if len(rows) == limit:
            return Page(rows, Place(opened_at, session_id))
    return Page(rows, Place(found[-1][1], found[-1][0]) if len(found) == SCAN else None)


def _row(
    connection: sqlite3.Connection,
    wish: Wish,
    session_id: str,
    opened_at: float,
    settled_at: float | None,
    kept: dict[str, Any],
) -> dict[str, Any] | None:
    """The session as one line, if it is wished for; of one that runs, only what the journal knows."""
    if wish.category and kept.get("category") != wish.category:
        return None
    if wish.words and not (session_id.startswith(wish.words.lower()) or _holds(connection, session_id, wish.words)):
        return None
    ended = connection.execute(
        "SELECT text FROM events WHERE session_id=? AND name='session-completed'", (session_id,)
    ).fetchone()
    summary = loads(ended[0])["data"]["summary"] if ended else {}
    status = _outcome(summary, bool(kept.get("cancelled"))) if settled_at is not None else "running"
    if wish.state and status != wish.state:
        return None
    names = connection.execute(
        "SELECT name FROM files WHERE session_id=? ORDER BY position LIMIT ?", (session_id, NAMES)
    )
    return {
        "sessionId": session_id,
        "category": kept.get("category"),
        "overallStatus": status,
        "openedAt": rfc3339(opened_at),
        "endedAt": None if settled_at is None else rfc3339(settled_at),
        **_sums(summary, status),
        "watchers": 0,
        "names": [name for (name,) in names],
    }


def _sums(summary: dict[str, Any], status: str) -> dict[str, Any]:
    total, completed = summary.get("totalFiles", 0), summary.get("completedFiles", 0)
    return {
        "totalProgress": 100.0 if status == "completed" else round(100 * completed / total, 2) if total else 0.0,
        "totalFiles": total,
        "uploadingFiles": 0,
        "completedFiles": completed,
        "failedFiles": summary.get("failedFiles", 0),
        "cancelledFiles": summary.get("cancelledFiles", 0),
        "totalBytes": summary.get("totalSize", 0),
        "uploadedBytes": summary.get("uploadedSize", 0),
        "speed": summary.get("averageSpeed", 0),
    }


def _outcome(summary: dict[str, Any], cancelled: bool) -> str:
    """As the last message of the session had it (contract, rule 3)."""
    if cancelled:
        return "cancelled"
    return "completed" if summary.get("completedFiles") else "failed" if summary.get("failedFiles") else "cancelled"


def _holds(connection: sqlite3.Connection, session_id: str, words: str) -> bool:
    if "\0" in words:
        return False  # in no name; and to SQLite a pattern ends there
    # SQLite knows upper and lower case of A to Z only; of other letters, the usual spellings are looked for.
    likes = {"%" + word.translate(_LITERAL) + "%" for word in (words, words.lower(), words.upper(), words.title())}
    query = " OR ".join(["name LIKE ? ESCAPE '\\'"] * len(likes))
    found = connection.execute(f"SELECT 1 FROM files WHERE session_id=? AND ({query}) LIMIT 1", (session_id, *likes))
    return found.fetchone() is not None


_LITERAL = str.maketrans({"%": "\\%", "_": "\\_", "\\": "\\\\"})


# -- one session


class Told(NamedTuple):
    seq: int
    name: str
    at: float
    text: str


def log_of(connection: sqlite3.Connection, session_id: str, after: int, limit: int) -> list[Told]:
    """Its lifecycle events numbered above `after`, as they were told."""
    rows = connection.execute(
        "SELECT seq, name, at, text FROM events WHERE session_id=? AND seq>? ORDER BY seq LIMIT ?",
        (session_id, after, limit),
    )
    return [Told(*row) for row in rows]


def deeds_of(connection: sqlite3.Connection, session_id: str) -> list[tuple[int, float, str, str]]:
    """`(number, time, name, text)` of what the operator did to its files."""
    query = "SELECT number, at, name, text FROM deeds WHERE session_id=? ORDER BY number"
    return connection.execute(query, (session_id,)).fetchall()


def newest_numbers(connection: sqlite3.Connection) -> int:
    """A number that grows with every event, deed and delivery there ever was."""
    counted = connection.execute("SELECT sum(seq) FROM sqlite_sequence").fetchone()[0]
    return int(counted or 0)


# -- samples


def earlier(connection: sqlite3.Connection, first: int, step: int, upto: int) -> list[tuple[Sample, int]]:
    """Samples between these wall times, those of each `step` seconds as one with its weight."""
    rows = connection.execute(
        "SELECT min(at), avg(throughput), max(uploads), max(watchers), max(delay), count(*) FROM samples "
        "WHERE at>=? AND at<? GROUP BY (at-?)/?",
        (first, upto, first, step),
    )
    return [(Sample(*row[:5]), row[5]) for row in rows]


def write_samples(connection: sqlite3.Connection, samples: Iterable[Sample]) -> None:
    """Their times are wall times here. One of the same second, of a clock that was set back, gives way."""
    rows = ((round(each.at), *each[1:]) for each in samples)
    connection.executemany("INSERT OR REPLACE INTO samples VALUES (?,?,?,?,?)", rows)
