"""Sessions page by page: what real stations recorded, and very many rows written by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from station import history, schema
from station.errors import Problem
from station.history import SCAN, Place, Wish
from station.series import Sample
from station.wire import dumps
from tests.station import places
from tests.station.places import file_of, open_place, until


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    schema.prepare(opened, synchronous="FULL")
    yield opened
    opened.close()


def add(connection: sqlite3.Connection, number: int, *names: str, **summary: Any) -> str:
    """A settled session, opened at this second; its id."""
    session_id = f"{number:08x}-0000-4000-8000-000000000000"
    kept = dumps({"category": summary.pop("category", "personal"), "cancelled": summary.pop("cancelled", False)})
    connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", (session_id, number, number + 0.5, kept))
    text = dumps({"data": {"summary": summary}})
    connection.execute(
        "INSERT INTO events (session_id, seq, name, ending, at, text) VALUES (?, 1, 'session-completed', 0, 1.0, ?)",
        (session_id, text),
    )
    for position, name in enumerate(names):
        row = (f"{session_id}-{position}", session_id, position, "completed", name, 1, None, "{}", 1.0)
        connection.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    return session_id


def found(connection: sqlite3.Connection, limit: int = 50, **wish: str) -> list[str]:
    """The ids of all that is wished for, over all pages."""
    ids, before = list[str](), None
    while True:
        page = history.sessions(connection, Wish(**wish), before, limit)
        assert len(page.rows) <= limit
        ids += [row["sessionId"] for row in page.rows]
        before = page.reached
        if before is None:
            return ids


# ---- as stations record it ----


@pytest.mark.gen_test
async def test_each_ending_is_told_as_the_last_message_told_it(tmp_path: Path) -> None:
    async with open_place(tmp_path, retry_grace=0.0) as place:
        wanted = {}
        for how in ("completed", "failed", "cancelled", "partly"):
            place.clock.pass_by(1)
            channel = await place.open((f"{how}.txt", 5), ("b.txt", 5))
            if how in ("completed", "partly"):
                await place.raw(channel, f"{how}.txt")
            if how == "failed":
                for number in (0, 1):
                    intake = await place.raw_open(channel, file_of(channel, number).name)
                    intake.abort(Problem("NETWORK_ERROR"))
                    await intake.close()
                    place.clock.pass_by(1)
                    place.station.watch.tick()
            if how == "completed":
                await place.station.orders.complete(channel.session.id)
            elif how != "failed":
                await place.station.orders.cancel(channel.session.id, None, "user")
            await until(lambda: not place.station.channels)
            wanted[channel.session.id] = channel.picture
        page = await place.journal.read(lambda c: history.sessions(c, Wish(), None, 50))
        assert [row["sessionId"] for row in page.rows] == list(reversed(wanted)), "the newest first"
        assert page.reached is None
        for row in page.rows:
            picture = wanted[row["sessionId"]]
            assert picture.summary is not None
            assert row["overallStatus"] == picture.overall_status
            assert (row["totalFiles"], row["completedFiles"]) == (2, picture.count("completed"))
            assert (row["failedFiles"], row["cancelledFiles"]) == (picture.count("failed"), picture.count("cancelled"))
            assert (row["totalBytes"], row["uploadedBytes"]) == (10, picture.summary["uploadedSize"])
            assert row["names"][1] == "b.txt"
            assert row["endedAt"] >= row["openedAt"]
        for state in ("completed", "failed", "cancelled"):
            page = await place.journal.read(partial(history.sessions, wish=Wish(state), before=None, limit=50))
            assert {row["sessionId"] for row in page.rows} == {
                session_id for session_id, picture in wanted.items() if picture.overall_status == state
            }


@pytest.mark.gen_test
async def test_the_log_is_what_was_told_above_a_number(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        await place.raw(channel)
        told = [(m.seq, m.event, m.text) for m in place.listener.messages if m.lifecycle]
        for after in range(4):
            for limit in (1, 10):
                log = await place.journal.read(
                    partial(history.log_of, session_id=channel.session.id, after=after, limit=limit)
                )
                assert [(each.seq, each.name, each.text) for each in log] == told[after : after + limit]
                assert {each.at for each in log} <= {places.START}


@pytest.mark.gen_test
async def test_a_number_grows_with_all_that_happens_and_over_restarts(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        assert await place.journal.read(history.newest_numbers) == 0
        await place.raw(await place.open(("a.txt", 5)))
        assert (first := await place.journal.read(history.newest_numbers)) == 3
    async with open_place(tmp_path) as place:
        await place.journal.change(lambda c: c.execute("DELETE FROM events").close())
        assert await place.journal.read(history.newest_numbers) == first


# ---- pages ----


@pytest.mark.parametrize("limit", [1, 3, 7, 200])
def test_pages_hold_each_session_once_also_of_one_moment(connection: sqlite3.Connection, limit: int) -> None:
    ids = [add(connection, number) for number in range(20)]
    connection.execute("UPDATE sessions SET opened_at=5 WHERE opened_at BETWEEN 5 AND 14")
    assert found(connection, limit) == sorted(ids, reverse=True)


def test_a_session_that_is_just_being_forgotten_is_not_shown(connection: sqlite3.Connection) -> None:
    ids = [add(connection, number, completedFiles=1) for number in range(3)]
    connection.execute("UPDATE sessions SET settled_at=0 WHERE id=?", (ids[1],))
    for state in ("", "completed"):
        assert found(connection, state=state) == [ids[2], ids[0]]


def test_one_query_looks_through_so_many_and_tells_how_far_it_came(connection: sqlite3.Connection) -> None:
    ids = [add(connection, number, completedFiles=1) for number in range(SCAN + 30)]
    page = history.sessions(connection, Wish("failed"), None, 50)
    assert (page.rows, page.reached) == ([], Place(30.0, ids[30]))
    assert history.sessions(connection, Wish("failed"), page.reached, 50).reached is None
    assert found(connection, state="failed") == []


def test_category_and_words_are_looked_for_together(connection: sqlite3.Connection) -> None:
    one = add(connection, 1, "holiday.jpg", category="scenic")
    add(connection, 2, "holiday.jpg", category="personal")
    add(connection, 3, "work.jpg", category="scenic")
    assert found(connection, category="scenic", words="holi") == [one]
    assert found(connection, category="nowhere") == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Holiday 2024.JPG", "holiday"),
        ("假期.jpg", "假期"),
        ("ÄRGER.txt", "ärger"),
        ("Élan.txt", "élan"),
        ("100%_sure.txt", "100%_"),
        ("back\\slash.txt", "k\\s"),
        ('it\'s "quoted".txt', "it's \"q"),
        ("👩‍👩‍👧‍👦.png", "👩‍👩"),
    ],
)
def test_part_of_a_name_finds_its_session(connection: sqlite3.Connection, name: str, words: str) -> None:
    wanted = add(connection, 1, "first.txt", "second.txt", "third.txt", "fourth.txt", name)
    add(connection, 2, "other.txt")
    assert found(connection, words=words) == [wanted]


@pytest.mark.parametrize("words", ["%", "_", "\\", "100%x", "a_b", "' OR 1=1 --", "\x00", "*", "[a]"])
def test_signs_that_mean_something_to_sql_are_only_signs(connection: sqlite3.Connection, words: str) -> None:
    add(connection, 1, "100 x axb.txt")
    assert found(connection, words=words) == []


def test_three_names_stand_for_a_session_and_a_fourth_says_that_there_are_more(connection: sqlite3.Connection) -> None:
    add(connection, 1, *"abcde")
    assert history.sessions(connection, Wish(), None, 50).rows[0]["names"] == list("abcd")


def test_an_id_is_found_by_how_it_begins(connection: sqlite3.Connection) -> None:
    ids = [add(connection, number, "x") for number in (0xABC, 0xABD)]
    assert found(connection, words="00000ABC") == [ids[0]]
    assert found(connection, words="00000ab") == [ids[1], ids[0]]
    assert found(connection, words="4000-8000") == [], "only how it begins"


def test_a_session_without_anything_is_shown_empty(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO sessions VALUES ('s', 1.0, 2.0, '{}')")
    [row] = history.sessions(connection, Wish(), None, 50).rows
    assert (row["totalFiles"], row["totalProgress"], row["names"]) == (0, 0.0, [])


def test_pages_come_by_an_index(connection: sqlite3.Connection) -> None:
    read: list[str] = []
    connection.set_trace_callback(read.append)
    for wish in (Wish(), Wish("running"), Wish("completed")):
        history.sessions(connection, wish, Place(5.0, "x"), 50)
    connection.set_trace_callback(None)
    for query in read:
        plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}"))
        assert "sessions_by_opening" in plan or "sessions_by_end" in plan, plan


# ---- samples ----


def test_samples_come_back_folded_by_step(connection: sqlite3.Connection) -> None:
    history.write_samples(connection, [Sample(at, at, at % 7, at % 40, at / 100) for at in range(100, 700, 10)])
    assert history.earlier(connection, 100, 300, 600) == [
        (Sample(100, 245.0, 6.0, 30.0, 3.9), 30),
        (Sample(400, 495.0, 6.0, 30.0, 5.9), 20),
    ]
    assert history.earlier(connection, 0, 10, 100) == []


def test_a_sample_of_the_same_second_takes_the_others_place(connection: sqlite3.Connection) -> None:
    history.write_samples(connection, [Sample(100.4, 1, 1, 1, 1), Sample(100.0, 2, 2, 2, 2)])
    assert history.earlier(connection, 100, 10, 200) == [(Sample(100, 2, 2, 2, 2), 1)]
