"""What has still to be told to other programs, as rows of the journal. Knows SQL, and nothing of how it is told.

A row is added in the transaction that records its event or deed, so that neither is without the other. One that could
not be told in time stays as a dead letter, for the operator to decide.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from station.reporting import short_names
from station.rows import DeedRow, Record
from station.wire import dumps, loads, text_of


@dataclass(frozen=True, slots=True)
class Letter:
    """One event for one hook. Times are wall time; `text`: the message as watchers see it; `dead_at`: given up."""

    number: int
    hook: str
    session_id: str
    seq: int | None
    name: str
    text: str
    made_at: float
    tries: int
    due_at: float
    dead_at: float | None
    error: str | None

    @property
    def id(self) -> str:
        """The same at each try. With the time in it, as numbers come again when an old journal is put back."""
        return f"msg_{self.session_id}_{self.number}_{round(self.made_at * 1000)}"

    @property
    def names(self) -> dict[str, Any]:
        """What the log calls the session and the file that it tells of."""
        return short_names(self.session_id, loads(self.text)["data"].get("fileId"))


_COLUMNS = "number, hook, session_id, seq, name, text, made_at, tries, due_at, dead_at, error"
_ADD = "INSERT INTO deliveries (hook, session_id, seq, name, text, made_at) VALUES (?,?,?,?,?,?)"


def add_events(connection: sqlite3.Connection, record: Record, wanted: Mapping[str, Collection[str]]) -> None:
    """Add a row for each event and each hook that wants it. `wanted`: names of events, by hook."""
    for event in record.events:
        for hook, names in wanted.items():
            if event.name in names:
                connection.execute(_ADD, (hook, event.session_id, event.seq, event.name, event.text, event.at))


def add_deed(connection: sqlite3.Connection, deed: DeedRow, wanted: Mapping[str, Collection[str]]) -> None:
    """The same of what was done to a stored file."""
    for hook, names in wanted.items():
        if deed.name in names:
            add(connection, hook, deed.session_id, deed.name, text_of(deed.name, loads(deed.text)), deed.at)


def add(connection: sqlite3.Connection, hook: str, session_id: str, name: str, text: str, at: float) -> None:
    """Add a row for what is no event of a session."""
    connection.execute(_ADD, (hook, session_id, None, name, text, at))


# -- those that wait

_DUE = """
WITH firsts AS (
    SELECT min(number) AS number FROM deliveries WHERE hook=? AND dead_at IS NULL GROUP BY session_id
)
SELECT session_id, due_at FROM firsts JOIN deliveries USING (number) ORDER BY max(due_at, made_at), number LIMIT ?
"""


def due(connection: sqlite3.Connection, hook: str, limit: int) -> list[tuple[str, float]]:
    """Sessions for which something waits, and when the first of it is due, the longest overdue first."""
    return connection.execute(_DUE, (hook, limit)).fetchall()


def waiting(connection: sqlite3.Connection, hook: str, session_id: str, limit: int) -> list[Letter]:
    """The oldest that wait for this session."""
    where = "WHERE hook=? AND session_id=? AND dead_at IS NULL ORDER BY number LIMIT ?"
    rows = connection.execute(f"SELECT {_COLUMNS} FROM deliveries {where}", (hook, session_id, limit))
    return [Letter(*row) for row in rows]


def delete(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("DELETE FROM deliveries WHERE number=?", (number,))


def put_off(connection: sqlite3.Connection, number: int, tries: int, due_at: float, error: str) -> None:
    connection.execute(
        "UPDATE deliveries SET tries=?, due_at=?, error=? WHERE number=?", (tries, due_at, error, number)
    )


def give_up(connection: sqlite3.Connection, number: int, tries: int, at: float, error: str) -> None:
    connection.execute("UPDATE deliveries SET tries=?, dead_at=?, error=? WHERE number=?", (tries, at, error, number))


# -- dead letters


OfDead = Callable[[sqlite3.Connection, Collection[str], int | None], dict[str, int]]
"""What is done to the one of this number, or, without one, to each, of these hooks; how many of each that were."""
_OF_HOOKS = "hook IN (SELECT value FROM json_each(:hooks))"
_DEAD = f"dead_at IS NOT NULL AND {_OF_HOOKS} AND (:number IS NULL OR number=:number)"


def dead(connection: sqlite3.Connection, hooks: Collection[str], after: int, limit: int) -> list[Letter]:
    """The oldest first, as they are to be told; only those with numbers above `after`."""
    query = f"SELECT {_COLUMNS} FROM deliveries WHERE {_DEAD} AND number>:after ORDER BY number LIMIT :limit"
    given = {**_given(hooks, None), "after": after, "limit": limit}
    return [Letter(*row) for row in connection.execute(query, given)]


def revive(connection: sqlite3.Connection, hooks: Collection[str], number: int | None) -> dict[str, int]:
    """What is dead waits again, before what is newer of its session, with all its tries."""
    found = _count_dead(connection, hooks, number)
    query = f"UPDATE deliveries SET dead_at=NULL, tries=0, due_at=0 WHERE {_DEAD}"
    connection.execute(query, _given(hooks, number))
    return found


def drop(connection: sqlite3.Connection, hooks: Collection[str], number: int | None) -> dict[str, int]:
    """Forget what is dead."""
    found = _count_dead(connection, hooks, number)
    connection.execute(f"DELETE FROM deliveries WHERE {_DEAD}", _given(hooks, number))
    return found


def _count_dead(connection: sqlite3.Connection, hooks: Collection[str], number: int | None) -> dict[str, int]:
    query = f"SELECT hook, count(*) FROM deliveries WHERE {_DEAD} GROUP BY hook"
    return dict(connection.execute(query, _given(hooks, number)).fetchall())


def _given(hooks: Collection[str], number: int | None) -> dict[str, str | int | None]:
    return {"hooks": dumps(list(hooks)), "number": number}


def forget_dead(connection: sqlite3.Connection, kept: int) -> None:
    """Drop all but the newest `kept`."""
    beyond = "SELECT number FROM deliveries WHERE dead_at IS NOT NULL ORDER BY number DESC LIMIT -1 OFFSET ?"
    connection.execute(f"DELETE FROM deliveries WHERE number IN ({beyond})", (kept,))


# -- all of them


def bury_others(connection: sqlite3.Connection, hooks: Collection[str], at: float) -> None:
    """What waits for hooks that are not among these is dead."""
    query = f"UPDATE deliveries SET dead_at=:at, error='its hook was off' WHERE dead_at IS NULL AND NOT {_OF_HOOKS}"
    connection.execute(query, {**_given(hooks, None), "at": at})


def counts(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """For each hook: how many wait, and how many are dead."""
    query = "SELECT hook, sum(dead_at IS NULL), sum(dead_at IS NOT NULL) FROM deliveries GROUP BY hook"
    return {hook: (alive, dead) for hook, alive, dead in connection.execute(query)}
