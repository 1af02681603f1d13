"""What the journal knows of stored files: one of them, pages of them by order, category and words. Queries only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from unicodedata import normalize

from station.errors import Refused

Row = tuple[str, str, str, int, str, float]


@dataclass(frozen=True)
class Entry:
    """A stored file. `path`: its public name; `ended_at`: the wall time at which it was stored."""

    id: str
    session_id: str
    name: str
    size: int
    path: str
    ended_at: float


@dataclass(frozen=True)
class Wish:
    """Which page. `text`: to be found in the name; `before`: the id with which the page before ended."""

    sort: str = "newest"
    category: str = ""
    text: str = ""
    before: str = ""
    limit: int = 100


_COLUMNS = "SELECT id, session_id, name, coalesce(size, 0), path, coalesce(ended_at, 0) FROM files"
_STORED = "path IS NOT NULL AND status = 'completed'"
# Name of an order: what it goes by, and which way. The id decides between equals.
ORDERS = {
    "newest": ("ended_at", "<", "DESC"),
    "largest": ("size", "<", "DESC"),
    "name": ("name COLLATE NOCASE", ">", "ASC"),
}


def find(connection: sqlite3.Connection, file_id: str) -> Entry | None:
    row = connection.execute(f"{_COLUMNS} WHERE id = ? AND {_STORED}", (file_id,)).fetchone()
    return None if row is None else Entry(*row)


def page(connection: sqlite3.Connection, wish: Wish) -> list[Entry]:
    """Up to one more than wished for, which tells that there are more. Raises VALIDATION_ERROR."""
    key, beyond, way = ORDERS[wish.sort]
    terms, values = [_STORED], list[object]()
    if wish.category:
        # `0` comes after `/`. The plus keeps SQLite from the index by path: with that it would have to sort a folder.
        terms.append("+path > ? AND +path < ?")
        values += [f"/upload/{wish.category}/", f"/upload/{wish.category}0"]
    if wish.text:
        terms.append("name LIKE ? ESCAPE '\\'")
        values.append(_pattern(wish.text))
    if wish.before:
        if connection.execute("SELECT 1 FROM files WHERE id = ?", (wish.before,)).fetchone() is None:
            raise Refused("VALIDATION_ERROR", "before must be the next of a page")
        terms.append(f"({key}, id) {beyond} (SELECT {key}, id FROM files WHERE id = ?)")
        values.append(wish.before)
    query = f"{_COLUMNS} WHERE {' AND '.join(terms)} ORDER BY {key} {way}, id {way}"
    if _is_exact(wish.text):
        query += f" LIMIT {wish.limit + 1:d}"
    found = _with(wish.text, connection.execute(query, values))
    return [Entry(*row) for row in islice(found, wish.limit + 1)]


def _is_exact(text: str) -> bool:
    """Whether SQLite finds what it is to find: to it, only ASCII has letters that are large or small."""
    return all(char.isascii() or char.lower() == char.upper() for char in text)


def _pattern(text: str) -> str:
    """What LIKE is given: letters that it does not know to be one stand for anything, and are looked at afterwards."""
    chars = normalize("NFC", text)
    return "%" + "".join(_escaped(char) if _is_exact(char) else "%" for char in chars) + "%"


def _escaped(char: str) -> str:
    return f"\\{char}" if char in "%_\\" else char


def _with(text: str, rows: Iterator[Row]) -> Iterator[Row]:
    wanted = normalize("NFC", text).casefold()
    return (row for row in rows if wanted in row[2].casefold())
