"""The rows of what has still to be told: added with their events, found in order, kept when they are dead."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from station import deliveries, schema
from station.deliveries import Letter
from station.journal import Journal, JournalFailed
from station.rows import DeedRow, EventRow, Record, SessionRow
from tests.station.places import new_id

WANTED = {"webhook": {"upload-started", "upload-completed"}, "on_completed": {"upload-completed"}}
NAMES = ("upload-started", "upload-completed", "session-completed")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    schema.prepare(connection, synchronous="OFF")
    yield connection
    connection.close()


def record(session: str, *events: str, first: int = 1) -> Record:
    rows = [
        EventRow(session, seq, name, None, None, False, 5.0, f"{name} {seq}") for seq, name in enumerate(events, first)
    ]
    return Record(SessionRow(session, 1.0, None, "{}"), events=rows)


def waiting(connection: sqlite3.Connection, session: str, hook: str = "webhook") -> list[Letter]:
    return deliveries.waiting(connection, hook, session, 1000)


def test_each_hook_gets_what_it_wants_in_order(connection: sqlite3.Connection) -> None:
    deliveries.add_events(connection, record("s", *NAMES), WANTED)
    deliveries.add_events(connection, record("t", *NAMES), WANTED)
    assert [(letter.seq, letter.name, letter.text) for letter in waiting(connection, "s")] == [
        (1, "upload-started", "upload-started 1"),
        (2, "upload-completed", "upload-completed 2"),
    ]
    assert [letter.name for letter in waiting(connection, "t", "on_completed")] == ["upload-completed"]
    assert deliveries.counts(connection) == {"webhook": (4, 0), "on_completed": (2, 0)}


@pytest.mark.gen_test
async def test_a_row_is_there_if_and_only_if_its_event_is(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", tmp_path / "witness", durable=False, new_epoch=new_id)
    try:
        journal.also.append(partial(deliveries.add_events, wanted=WANTED))
        await journal.write(record("s", *NAMES))
        with pytest.raises(JournalFailed):
            await journal.write(record("s", *NAMES))  # the same numbers again
        both = await journal.read(
            lambda c: [c.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("events", "deliveries")]
        )
        assert both == [3, 3]

        def refuse(connection: sqlite3.Connection, record: Record) -> None:
            raise sqlite3.IntegrityError("no")

        journal.also.append(refuse)
        with pytest.raises(JournalFailed):
            await journal.write(record("t", *NAMES))
        assert await journal.read(lambda c: c.execute("SELECT count(*) FROM events").fetchone()[0]) == 3
    finally:
        journal.close()


def test_the_id_is_the_same_at_each_try_and_no_other_has_it(connection: sqlite3.Connection) -> None:
    deliveries.add_events(connection, record("s", *NAMES), WANTED)
    deliveries.add_deed(connection, DeedRow(5.0, "file-deleted", "s", "f", "{}"), {"webhook": {"file-deleted"}})
    before = [letter.id for letter in waiting(connection, "s")]
    for letter in waiting(connection, "s"):
        deliveries.put_off(connection, letter.number, 3, 99.0, "no")
    assert [letter.id for letter in waiting(connection, "s")] == before
    assert len(set(before)) == 3
    assert not any("." in id for id in before), "a dot would make what is signed ambiguous"


def test_the_session_that_waits_longest_comes_first(connection: sqlite3.Connection) -> None:
    for session in ("a", "b", "c"):
        deliveries.add_events(connection, record(session, *NAMES), WANTED)
    first = waiting(connection, "a")[0]
    deliveries.put_off(connection, first.number, 1, 80.0, "no")
    assert deliveries.due(connection, "webhook", 10) == [("b", 0.0), ("c", 0.0), ("a", 80.0)]
    assert deliveries.due(connection, "webhook", 1) == [("b", 0.0)]
    # Newer ones do not keep one waiting that failed before they were made.
    deliveries.put_off(connection, first.number, 1, 2.0, "no")
    assert deliveries.due(connection, "webhook", 10)[0] == ("a", 2.0)


def test_what_is_given_up_holds_up_nothing_and_can_come_back(connection: sqlite3.Connection) -> None:
    deliveries.add_events(connection, record("s", *NAMES), WANTED)
    first, second = waiting(connection, "s")
    deliveries.give_up(connection, first.number, 7, 50.0, "it answered 500")
    assert waiting(connection, "s") == [second]
    [dead] = deliveries.dead(connection, WANTED, 0, 10)
    assert (dead.number, dead.tries, dead.dead_at, dead.error) == (first.number, 7, 50.0, "it answered 500")
    for change in (deliveries.revive, deliveries.drop):
        for number in (second.number, 10**18):
            assert change(connection, WANTED, number) == {}
    assert deliveries.counts(connection)["webhook"] == (1, 1)
    assert deliveries.revive(connection, WANTED, first.number) == {"webhook": 1}
    assert [(letter.number, letter.tries) for letter in waiting(connection, "s")] == [
        (first.number, 0),
        (second.number, 0),
    ]
    deliveries.delete(connection, first.number)
    assert [letter.number for letter in waiting(connection, "s")] == [second.number]


def test_all_that_is_dead_comes_back_in_order_or_is_dropped(connection: sqlite3.Connection) -> None:
    deliveries.add_events(connection, record("s", *NAMES), WANTED)
    deliveries.add_events(connection, record("t", *NAMES), WANTED)
    everything = [*waiting(connection, "s"), *waiting(connection, "t"), *waiting(connection, "t", "on_completed")]
    for letter in reversed(everything):
        deliveries.give_up(connection, letter.number, 7, 50.0, "no")
    numbers = sorted(letter.number for letter in everything)
    assert [letter.number for letter in deliveries.dead(connection, WANTED, 0, 3)] == numbers[:3]
    assert [letter.number for letter in deliveries.dead(connection, WANTED, numbers[2], 9)] == numbers[3:]
    assert deliveries.revive(connection, WANTED, None) == {"webhook": 4, "on_completed": 1}
    assert [letter.name for letter in waiting(connection, "s")] == ["upload-started", "upload-completed"]
    assert deliveries.dead(connection, WANTED, 0, 9) == []
    for letter in everything[1:]:
        deliveries.give_up(connection, letter.number, 7, 50.0, "no")
    assert deliveries.drop(connection, WANTED, None) == {"webhook": 3, "on_completed": 1}
    assert [letter.number for letter in waiting(connection, "s")] == numbers[:1], "what waits is not dropped"
    assert deliveries.revive(connection, WANTED, None) == deliveries.drop(connection, WANTED, None) == {}


def test_dead_letters_are_bounded(connection: sqlite3.Connection) -> None:
    for at in range(10):
        deliveries.add(connection, "webhook", "s", "upload-started", "{}", float(at))
    deliveries.add(connection, "webhook", "s", "upload-started", "{}", 0.0)
    alive = waiting(connection, "s")[-1]
    for letter in waiting(connection, "s")[:-1]:
        deliveries.give_up(connection, letter.number, 1, letter.made_at, "no")
    deliveries.forget_dead(connection, kept=3)
    assert [letter.made_at for letter in deliveries.dead(connection, WANTED, 0, 100)] == [7.0, 8.0, 9.0]
    assert waiting(connection, "s") == [alive]


def test_what_waits_for_hooks_that_are_off_is_dead_until_they_are_back(connection: sqlite3.Connection) -> None:
    deliveries.add_events(connection, record("s", *NAMES), WANTED)
    deliveries.bury_others(connection, ("webhook",), 50.0)
    assert deliveries.counts(connection) == {"webhook": (2, 0), "on_completed": (0, 1)}
    deliveries.bury_others(connection, (), 60.0)
    assert deliveries.counts(connection) == {"webhook": (0, 2), "on_completed": (0, 1)}
    for hooks in ((), ("webhook",)):
        assert len(deliveries.dead(connection, hooks, 0, 9)) == 2 * len(hooks)
    [letter] = deliveries.dead(connection, ("on_completed",), 0, 9)
    assert (letter.dead_at, letter.error) == (50.0, "its hook was off")
    for change in (deliveries.drop, deliveries.revive):
        assert change(connection, ("webhook",), letter.number) == {}
    assert deliveries.drop(connection, ("webhook",), None) == {"webhook": 2}
    assert deliveries.revive(connection, ("on_completed",), None) == {"on_completed": 1}
    assert deliveries.counts(connection) == {"on_completed": (1, 0)}


def test_it_finds_its_rows_by_an_index(connection: sqlite3.Connection) -> None:
    """However many wait, one session's first is found at once."""
    where = "hook=? AND session_id=? AND dead_at IS NULL ORDER BY number LIMIT 1"
    plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM deliveries WHERE {where}", ("a", "b")).fetchall()
    assert ["deliveries_by_hook" in row[3] for row in plan] == [True]
    plan = connection.execute(f"EXPLAIN QUERY PLAN {deliveries._DUE}", ("a", 1)).fetchall()
    assert any("COVERING INDEX deliveries_by_hook" in row[3] for row in plan), plan
