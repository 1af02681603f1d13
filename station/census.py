"""Counts over the files in the journal: how those of the last day ended, and what is stored, by size and kind.

Queries only; those over all files go by an index that holds all they need, piece by piece.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

PIECE = 5_000  # files counted in one query, so that others who read the journal get their turn
LIMITS: tuple[int, ...] = (100_000, 10**6, 10**7, 10**8, 10**9, 10**10)
_TYPES = 12  # that are named; the others are one
_BY = ("size", "type", "category")
Counted = dict[str, Counter[Any]]


class Ended(NamedTuple):
    """A file that ended. `ended_at`: wall time."""

    file_id: str
    session_id: str
    ended_at: float
    status: str
    size: int
    spent: float


class Within(NamedTuple):
    """Wall times after `since` up to `upto`, and not within such `besides`."""

    since: float
    upto: float
    besides: Sequence[tuple[float, float]] = ()

    @property
    def question(self) -> tuple[str, list[float]]:
        one = "ended_at>? AND ended_at<=?"
        return one + f" AND NOT ({one})" * len(self.besides), [self.since, self.upto, *chain(*self.besides)]


def endings(connection: sqlite3.Connection, time: Within, limit: int) -> list[Ended]:
    """How the files stand that ended within that time, oldest first; the newest `limit` of them."""
    within, times = time.question
    rows = connection.execute(
        "SELECT id, session_id, ended_at, status, ifnull(size, 0), ifnull(json_extract(kept, '$.spent'), 0) FROM files "
        f"WHERE {within} AND status IN ('completed', 'failed') ORDER BY ended_at DESC LIMIT ?",
        (*times, limit),
    )
    return [Ended(*row) for row in rows.fetchall()[::-1]]


def by_time(connection: sqlite3.Connection, time: Within, step: int) -> list[tuple[float, int, int]]:
    """`(wall time, files, bytes)` for each `step` seconds in which files were stored."""
    within, times = time.question
    rows = connection.execute(
        "SELECT min(ended_at), count(*), sum(ifnull(size, 0)) FROM files "
        f"WHERE {within} AND status='completed' GROUP BY CAST(ended_at/? AS INTEGER)",
        (*times, step),
    )
    return rows.fetchall()


def stored(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many files are stored now, and their bytes."""
    found = connection.execute("SELECT count(*), ifnull(sum(size), 0) FROM files WHERE path IS NOT NULL").fetchone()
    return (found[0], found[1])


def kind_of(name: str) -> str:
    """What a name says its file is: `jpg`; empty if it says nothing."""
    stem, dot, kind = name.rpartition(".")
    return kind.lower() if dot and stem and kind and len(kind) <= 16 else ""


@dataclass
class Census:
    """Filled piece by piece; `after`: the path that was counted last."""

    after: str = ""
    files: dict[str, Counter[Any]] = field(
        default_factory=lambda: {"size": Counter(), "type": Counter(), "category": Counter()}
    )
    bytes: dict[str, Counter[Any]] = field(
        default_factory=lambda: {"size": Counter(), "type": Counter(), "category": Counter()}
    )

    def take(self, connection: sqlite3.Connection) -> bool:
        """Count the next piece; whether that was the last."""
        rows = connection.execute(
            "SELECT path, ifnull(size, 0) FROM files WHERE path IS NOT NULL AND path>? ORDER BY path LIMIT ?",
            (self.after, PIECE),
        ).fetchall()
        for path, size in rows:
            category, _, name = path.removeprefix("/upload/").partition("/")
            self._count("size", next((limit for limit in LIMITS if size <= limit), None), size)
            self._count("type", kind_of(name), size)
            self._count("category", category, size)
        if rows:
            self.after = rows[-1][0]
        return len(rows) < PIECE

    def _count(self, by: str, what: object, size: int) -> None:
        self.files[by][what] += 1
        self.bytes[by][what] += size

    def drawn(self) -> dict[str, Any]:
        """As clients see it: all sizes, the types that take most, all categories."""
        types = sorted(self.files["type"], key=lambda kind: (-self.bytes["type"][kind], kind))
        shown = [self._line("type", "type", kind) for kind in types[:_TYPES]]
        if rest := types[_TYPES:]:
            files, size = (sum(counted["type"][kind] for kind in rest) for counted in (self.files, self.bytes))
            shown.append({"type": None, "files": files, "bytes": size})
        return {
            "sizes": [self._line("size", "upTo", limit) for limit in (*LIMITS, None)],
            "types": shown,
            "categories": [self._line("category", "category", name) for name in sorted(self.files["category"])],
        }

    def _line(self, by: str, name: str, what: object) -> dict[str, Any]:
        return {name: what, "files": self.files[by][what], "bytes": self.bytes[by][what]}
