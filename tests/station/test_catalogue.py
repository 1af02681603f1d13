"""Pages of stored files as the journal has them: each file once, in order, whatever is asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station import catalogue, schema
from station.catalogue import ORDERS, Wish
from station.errors import Refused

INSERT = "INSERT INTO files VALUES (?, 's', 0, ?, ?, ?, ?, '{}', ?)"


@pytest.fixture
def journal() -> Iterator[sqlite3.Connection]:
    yield from new_journal()


def new_journal() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.prepare(connection, synchronous="OFF")
    yield connection
    connection.close()


def keep(
    journal: sqlite3.Connection, id: str, name: str, size: int = 5, at: float = 0.0, category: str = "personal"
) -> None:
    journal.execute(INSERT, (id, "completed", name, size, f"/upload/{category}/x_{id}", at))


def ids(journal: sqlite3.Connection, wish: Wish) -> list[str]:
    """Of all pages, one after the other."""
    found: list[str] = []
    while True:
        page = catalogue.page(journal, wish)
        found += [entry.id for entry in page[: wish.limit]]
        if len(page) <= wish.limit:
            return found
        wish = replace(wish, before=found[-1])


def test_only_stored_files_are_listed_and_found(journal: sqlite3.Connection) -> None:
    keep(journal, "a", "a.txt", 7, 3.0)
    journal.execute(INSERT, ("b", "failed", "b.txt", 5, None, 2.0))
    journal.execute(INSERT, ("c", "completed", "c.txt", 5, None, 2.0))
    assert ids(journal, Wish()) == ["a"]
    assert catalogue.find(journal, "a") == catalogue.Entry("a", "s", "a.txt", 7, "/upload/personal/x_a", 3.0)
    assert [catalogue.find(journal, id) for id in ("b", "c", "d", "")] == [None] * 4


def test_each_order_goes_by_what_it_says_and_then_by_the_id(journal: sqlite3.Connection) -> None:
    keep(journal, "a", "Zoo.txt", 1, 30.0)
    keep(journal, "b", "apple.txt", 9, 10.0)
    keep(journal, "c", "Apple.txt", 9, 20.0)
    keep(journal, "d", "视频.mp4", 5, 20.0)
    for limit in (1, 2, 3, 100):
        assert ids(journal, Wish("newest", limit=limit)) == ["a", "d", "c", "b"]
        assert ids(journal, Wish("largest", limit=limit)) == ["c", "b", "d", "a"]
        assert ids(journal, Wish("name", limit=limit)) == ["b", "c", "a", "d"]


def test_a_category_is_its_own_files_only(journal: sqlite3.Connection) -> None:
    for category in ("personal", "personal-2", "person", "访客", "per_onal"):
        keep(journal, category, "a.txt", category=category)
    for category in ("personal", "person", "访客", "per_onal"):
        assert ids(journal, Wish(category=category)) == [category]
    for category in ("per%", "nobody", "%", "../..", "PERSONAL"):
        assert ids(journal, Wish(category=category)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("HOLIDAY", ["a"]),
        ("50%", ["b"]),
        ("50_", []),
        ("_x", ["c"]),
        ("\\", ["d"]),
        ("ÉTÉ", ["e"]),
        ("e\u0301te\u0301", ["e"]),
        ("привет", ["f"]),
        ("视频", ["g"]),
        ("STRASSE", []),
        ("straße", ["h"]),
        ("' OR 1=1 --", []),
        ("\x00", []),
        ("%" * 200, []),
        ("\U0001f3a5", ["i"]),
    ],
)
def test_words_are_looked_for_in_names_whatever_their_case(
    journal: sqlite3.Connection, text: str, found: list[str]
) -> None:
    names = [
        "Holiday.mp4",
        "50% off",
        "a_x.txt",
        "back\\slash",
        "Été.txt",
        "ПРИВЕТ",
        "我的视频.mp4",
        "Straße",
        "\U0001f3a5",
    ]
    for id, name in zip("abcdefghi", names, strict=True):
        keep(journal, id, name)
    assert ids(journal, Wish(text=text)) == found


@given(st.text(max_size=20), st.text(max_size=4))
def test_who_looks_for_a_part_of_a_name_finds_it(around: str, part: str) -> None:
    name = normalize("NFC", f"{around}{part}{around}").encode(errors="ignore").decode().replace("\0", "")
    part = normalize("NFC", part).encode(errors="ignore").decode().replace("\0", "")
    for journal in new_journal():
        keep(journal, "a", name)
        expected = ["a"] if part.casefold() in name.casefold() and part in name else []
        assert ids(journal, Wish(text=part))[: len(expected)] == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("aAbé视")), max_size=12), st.data())
def test_pages_hold_each_file_once_and_in_order(files: list[tuple[int, int, str]], data: st.DataObject) -> None:
    wish = Wish(data.draw(st.sampled_from(list(ORDERS))), limit=data.draw(st.integers(1, 5)))
    wish = replace(wish, text=data.draw(st.sampled_from(["", "A", "É"])))
    for journal in new_journal():
        for number, (size, at, name) in enumerate(files):
            keep(journal, f"{number:02}", name, size, float(at))
        whole = [entry.id for entry in catalogue.page(journal, replace(wish, limit=100))]
        assert ids(journal, wish) == whole
        assert len(set(whole)) == len(whole)
        assert wish.text or len(whole) == len(files)


def test_a_file_that_goes_between_two_pages_leaves_no_gap(journal: sqlite3.Connection) -> None:
    for number in range(5):
        keep(journal, f"{number}", "a.txt", at=float(number))
    first = catalogue.page(journal, Wish(limit=2))
    assert [entry.id for entry in first] == ["4", "3", "2"]
    journal.execute("UPDATE files SET path = NULL WHERE id = '3'")
    assert ids(journal, Wish(before="3", limit=2)) == ["2", "1", "0"]


@pytest.mark.parametrize("before", ["x", "' OR 1", "9" * 5000, "\x00"])
def test_a_page_that_begins_nowhere_is_refused(journal: sqlite3.Connection, before: str) -> None:
    with pytest.raises(Refused) as refused:
        catalogue.page(journal, Wish(before=before))
    assert refused.value.problem.code == "VALIDATION_ERROR"


@pytest.mark.parametrize("sort", list(ORDERS))
@pytest.mark.parametrize("category", ["", "personal"])
@pytest.mark.parametrize("text", ["", "a", "É"])
def test_a_page_costs_no_look_at_whole_rows(journal: sqlite3.Connection, sort: str, category: str, text: str) -> None:
    seen: list[str] = []
    journal.set_trace_callback(seen.append)
    catalogue.page(journal, Wish(sort, category, text))
    journal.set_trace_callback(None)
    plan = str(journal.execute(f"EXPLAIN QUERY PLAN {seen[-1]}").fetchall())
    assert "COVERING INDEX files_in_stock" in plan
    assert ("TEMP B-TREE" in plan) == (sort != "newest")


def test_it_works_on_a_journal_in_a_file(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "j", isolation_level=None)
    schema.prepare(connection, synchronous="FULL")
    connection.execute("PRAGMA query_only=1")
    assert catalogue.page(connection, Wish(text="É")) == []
    connection.close()
