"""Counts over files, against plain Python over the same rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from station import census, schema
from station.census import LIMITS, Census, Ended, Within, kind_of


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    schema.prepare(opened, synchronous="FULL")
    yield opened
    opened.close()


def add(
    connection: sqlite3.Connection,
    name: str,
    size: int | None = 10,
    *,
    status: str = "completed",
    ended_at: float | None = 100.0,
    category: str = "personal",
    kept: str = "{}",
    stored: bool = True,
) -> None:
    path = f"/upload/{category}/{name}" if stored and status == "completed" else None
    row = (f"{category}-{name}", "s", 0, status, name, size, path, kept, ended_at)
    connection.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def counted(connection: sqlite3.Connection) -> Census:
    whole = Census()
    while not whole.take(connection):
        continue
    return whole


def test_nothing_stored_is_drawn_as_nothing(connection: sqlite3.Connection) -> None:
    drawn = counted(connection).drawn()
    assert [each["upTo"] for each in drawn["sizes"]] == [*LIMITS, None]
    assert {each["files"] for each in drawn["sizes"]} == {0}
    assert (drawn["types"], drawn["categories"]) == ([], [])
    assert census.stored(connection) == (0, 0)


def test_a_size_just_at_a_limit_is_within_it(connection: sqlite3.Connection) -> None:
    for number, size in enumerate([0, 1, LIMITS[0], LIMITS[0] + 1, 10**6, LIMITS[-1], LIMITS[-1] + 1]):
        add(connection, str(number), size)
    sizes = {each["upTo"]: each["files"] for each in counted(connection).drawn()["sizes"]}
    assert sizes == {LIMITS[0]: 3, LIMITS[1]: 2, LIMITS[2]: 0, LIMITS[3]: 0, LIMITS[4]: 0, LIMITS[5]: 1, None: 1}


def test_only_what_is_stored_counts(connection: sqlite3.Connection) -> None:
    add(connection, "a.jpg", 100)
    add(connection, "b.jpg", None)
    add(connection, "deleted.jpg", 100, stored=False)
    add(connection, "failed.jpg", 100, status="failed")
    drawn = counted(connection).drawn()
    assert drawn["types"] == [{"type": "jpg", "files": 2, "bytes": 100}]
    assert census.stored(connection) == (2, 100)


def test_the_types_that_take_most_are_named_and_the_rest_is_one(connection: sqlite3.Connection) -> None:
    for number in range(15):
        add(connection, f"a.t{number:02}", 100 - number)
        add(connection, f"b.T{number:02}", 100 - number)
    types = counted(connection).drawn()["types"]
    assert [each["type"] for each in types] == [*(f"t{number:02}" for number in range(12)), None]
    assert types[0] == {"type": "t00", "files": 2, "bytes": 200}
    assert types[-1] == {"type": None, "files": 6, "bytes": 2 * (88 + 87 + 86)}


def test_categories_are_counted_also_those_that_are_configured_no_more(connection: sqlite3.Connection) -> None:
    add(connection, "a.jpg", 5, category="scenic")
    add(connection, "b.jpg", 7, category="风景 1")
    assert counted(connection).drawn()["categories"] == [
        {"category": "scenic", "files": 1, "bytes": 5},
        {"category": "风景 1", "files": 1, "bytes": 7},
    ]


def test_very_many_are_counted_in_pieces(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "PIECE", 7)
    for number in range(50):
        add(connection, f"{number}.jpg", number)
    whole, pieces = Census(), 1
    while not whole.take(connection):
        pieces += 1
    assert pieces == 8
    assert whole.drawn()["types"] == [{"type": "jpg", "files": 50, "bytes": sum(range(50))}]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.JPG", "jpg"),
        ("s_2024_movie.tar.gz", "gz"),
        ("noextension", ""),
        (".hidden", ""),
        ("dot.", ""),
        ("", ""),
        ("a." + "x" * 17, ""),
        ("图.图片", "图片"),
    ],
)
def test_the_kind_is_what_the_name_ends_with(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_endings_are_the_newest_in_the_order_of_their_time(connection: sqlite3.Connection) -> None:
    add(connection, "a", ended_at=100.0, kept='{"spent":2.5}')
    add(connection, "b", ended_at=101.0, status="failed", size=None)
    add(connection, "c", ended_at=102.0, status="cancelled")
    add(connection, "d", ended_at=None, status="uploading")
    add(connection, "e", ended_at=200.0)
    add(connection, "f", ended_at=50.0)
    assert census.endings(connection, Within(50.0, 150.0), 10) == [
        Ended("personal-a", "s", 100.0, "completed", 10, 2.5),
        Ended("personal-b", "s", 101.0, "failed", 0, 0),
    ]
    assert [each.file_id for each in census.endings(connection, Within(0.0, 300.0), 1)] == ["personal-e"]


def test_what_was_stored_is_summed_by_time(connection: sqlite3.Connection) -> None:
    for name, at in (("a", 100.0), ("b", 150.0), ("c", 299.9), ("d", 300.0), ("e", 900.0)):
        add(connection, name, 10, ended_at=at)
    add(connection, "x", 10, ended_at=120.0, status="failed")
    assert census.by_time(connection, Within(99.0, 800.0), 300) == [(100.0, 3, 30), (300.0, 1, 10)]


def test_spans_of_time_may_be_left_out(connection: sqlite3.Connection) -> None:
    for name, at in (("a", 100.0), ("b", 150.0), ("c", 200.0), ("d", 300.0), ("e", 301.0)):
        add(connection, name, 10, ended_at=at)
    time = Within(50.0, 900.0, [(100.0, 150.0), (200.0, 300.0), (1000.0, 2000.0)])
    assert [each.ended_at for each in census.endings(connection, time, 10)] == [100.0, 200.0, 301.0]
    assert census.by_time(connection, time, 300) == [(100.0, 2, 20), (301.0, 1, 10)]


@pytest.mark.parametrize("count", ["stored", "by_time"])
def test_sums_are_read_off_an_index(connection: sqlite3.Connection, count: str) -> None:
    read: list[str] = []
    connection.set_trace_callback(read.append)
    if count == "stored":
        census.stored(connection)
    else:
        census.by_time(connection, Within(0.0, 1.0, [(0.2, 0.3), (0.4, 0.5)]), 300)
    connection.set_trace_callback(None)
    [plan] = connection.execute(f"EXPLAIN QUERY PLAN {read[0]}").fetchall()[:1]
    assert "COVERING INDEX" in plan[3]
