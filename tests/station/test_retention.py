"""What is forgotten and what is not: real stations, real journals, and clocks that are wrong."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from sqlite3 import Connection

import pytest

from station.errors import Refused
from station.history import write_samples
from station.resumption import Kind
from station.retention import FASTEST, SANE, Retention
from station.series import Sample
from tests.station.places import START, FakeClock, Place, events_in, open_place, rows, until

DAY = 86_400.0
YEAR = 365 * DAY


async def stored(place: Place, name: str = "a.txt") -> str:
    """A session that has settled with one stored file; its id."""
    channel = await place.open((name, 5))
    await place.raw(channel, name)
    await until(lambda: channel.session.id not in place.station.channels)
    return channel.session.id


async def known(place: Place, session_id: str) -> bool:
    """Whether others than the operator can read it."""
    try:
        await place.station.sessions.picture(session_id)
    except Refused:
        return False
    return True


async def looked_up(place: Place, session_id: str) -> bool:
    """Whether the operator can."""
    try:
        await place.station.monitor.chronicle.session(session_id, 0)
    except Refused:
        return False
    return True


async def passes(place: Place, seconds: float, sweeps: int = 1) -> None:
    for _ in range(sweeps):
        place.clock.pass_by(seconds / sweeps)
        await place.station.retention.sweep()


# ---- by age ----


@pytest.mark.gen_test
async def test_an_ended_session_is_for_a_day_everybodys_then_the_operators_then_nobodys(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        session_id = await stored(place)
        await passes(place, DAY - 10)
        assert await known(place, session_id)
        await passes(place, 20)
        assert not await known(place, session_id)
        with pytest.raises(Refused, match="SESSION_NOT_FOUND"):
            await place.station.sessions.live(session_id)
        assert await looked_up(place, session_id)
        assert len(events_in(tmp_path, session_id)) == 3
        await passes(place, 29 * DAY)
        assert not await looked_up(place, session_id)
        assert events_in(tmp_path, session_id) == []
        assert rows(tmp_path, "SELECT name, path IS NOT NULL, kept FROM files") == [("a.txt", 1, "{}")], "it is there"


@pytest.mark.gen_test
async def test_open_sessions_and_newer_ones_stay(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=600.0, session_retention=60.0) as place:
        old = await stored(place)
        running = await place.open(("b.txt", 5))
        await passes(place, 500)
        new = await stored(place, "c.txt")
        await passes(place, 200)
        assert [await looked_up(place, each) for each in (old, running.session.id, new)] == [False, True, True]
        assert await known(place, running.session.id)


@pytest.mark.gen_test
async def test_what_belongs_to_a_session_goes_with_it(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=600.0) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        await place.station.orders.cancel(channel.session.id, None, "user")
        await until(lambda: not place.station.channels)
        await passes(place, 601)
        assert [rows(tmp_path, f"SELECT count(*) FROM {table}") for table in ("sessions", "files", "events")] == (
            [[(0,)]] * 3
        )


@pytest.mark.gen_test
async def test_a_session_with_more_rows_than_a_piece_goes_whole(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=600.0) as place:
        channel = await place.open(*((f"{number}.txt", 5) for number in range(450)))
        await place.station.orders.cancel(channel.session.id, None, "user")
        await until(lambda: not place.station.channels)
        assert len(events_in(tmp_path, channel.session.id)) == 452
        await passes(place, 601)
        assert [rows(tmp_path, f"SELECT count(*) FROM {table}") for table in ("sessions", "files", "events")] == (
            [[(0,)]] * 3
        )


@pytest.mark.gen_test
async def test_uploads_that_ended_are_forgotten_after_their_retention_and_open_ones_never(tmp_path: Path) -> None:
    async with open_place(tmp_path, session_retention=100.0) as place:
        old, new, open_one = [await place.upload(length=5, kind=Kind.PARTIAL) for _ in range(3)]
        await place.station.shelf.retire(old, "expired")
        await passes(place, 90)
        await place.station.shelf.retire(new, "expired")
        await passes(place, 20)
        left = {row[0] for row in rows(tmp_path, "SELECT id FROM uploads")}
        assert left == {new.upload.id, open_one.upload.id}


@pytest.mark.gen_test
async def test_deeds_dead_letters_and_samples_go_with_their_age(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=10 * DAY) as place:
        for at in (START, START + 9 * DAY):
            await place.journal.change(partial(leave, at=at))
        await passes(place, 10 * DAY + 5)
        assert rows(tmp_path, "SELECT at FROM deeds") == [(START + 9 * DAY,)]
        assert rows(tmp_path, "SELECT count(*) FROM deliveries WHERE dead_at IS NULL") == [(2,)], "they are still to go"
        assert rows(tmp_path, "SELECT dead_at FROM deliveries WHERE dead_at IS NOT NULL") == [(START + 9 * DAY,)]
        assert rows(tmp_path, "SELECT count(*) FROM samples") == [(0,)]


def leave(connection: Connection, at: float) -> None:
    """What no session holds: a deed, a letter that is dead and one that is not, a sample."""
    connection.execute("INSERT INTO deeds (at, name, text) VALUES (?, 'n', '{}')", (at,))
    letter = (
        "INSERT INTO deliveries (hook, session_id, name, text, made_at, dead_at) VALUES ('webhook', 's', 'n', '', ?, ?)"
    )
    for dead_at in (at, None):
        connection.execute(letter, (at, dead_at))
    write_samples(connection, [Sample(at, 1, 1, 1, 1)])


# ---- by size ----


@pytest.mark.gen_test
async def test_a_journal_that_grew_too_large_forgets_what_ended_first(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_size=400_000) as place:
        ids = []
        for number in range(8):
            place.clock.pass_by(1)
            channel = await place.open(*((f"{number}-{each}.txt", 5) for each in range(100)))
            await place.station.orders.cancel(channel.session.id, None, "user")
            await until(lambda: not place.station.channels)
            ids.append(channel.session.id)
        await passes(place, 60)
        assert all([await looked_up(place, each) for each in ids]), "what anybody may read stays, however large"
        await passes(place, DAY)
        left = [await looked_up(place, each) for each in ids]
        assert left == sorted(left), "the oldest went first"
        assert False in left
        assert True in left
        pages, free, page = (
            rows(tmp_path, f"PRAGMA {name}")[0][0] for name in ("page_count", "freelist_count", "page_size")
        )
        assert (pages - free) * page <= 400_000


@pytest.mark.gen_test
async def test_a_size_that_cannot_be_reached_ends_the_sweep(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_size=1) as place:
        session_id = await stored(place)
        await passes(place, DAY + 60)
        assert not await looked_up(place, session_id)
        assert len(rows(tmp_path, "SELECT id FROM files WHERE path IS NOT NULL")) == 1


@pytest.mark.gen_test
async def test_others_are_served_between_the_pieces_of_a_large_forgetting(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=600.0) as place:
        for _ in range(3):
            channel = await place.open(*((f"{each}.txt", 5) for each in range(400)))
            await place.station.orders.cancel(channel.session.id, None, "user")
        await until(lambda: not place.station.channels)
        place.clock.pass_by(601)
        sweep = asyncio.create_task(place.station.retention.sweep())
        opened = 0
        while not sweep.done():
            await place.open(("a.txt", 5))
            opened += 1
        assert opened > 5
        assert rows(tmp_path, "SELECT count(*) FROM events") == [(0,)]


# ---- files that are gone ----


@pytest.mark.gen_test
async def test_a_stored_file_is_known_as_long_as_it_is_there_and_one_that_was_taken_for_its_age(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=600.0) as place:
        for name in ("here.txt", "taken.txt", "link.txt"):
            await stored(place, name)
        paths = {path.name.rpartition("_")[2]: path for path in (tmp_path / "personal").iterdir()}
        paths["taken.txt"].unlink()
        paths["link.txt"].unlink()
        paths["link.txt"].symlink_to("/nowhere")
        await passes(place, 500)
        assert len(rows(tmp_path, "SELECT id FROM files")) == 3
        await passes(place, 200, sweeps=3)
        assert {row[0] for row in rows(tmp_path, "SELECT name FROM files")} == {"here.txt", "link.txt"}


@pytest.mark.gen_test
async def test_a_folder_that_is_not_there_proves_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=600.0) as place:
        await stored(place)
        (tmp_path / "personal").rename(tmp_path / "elsewhere")
        await passes(place, 700, sweeps=3)
        assert len(rows(tmp_path, "SELECT id FROM files")) == 1
        (tmp_path / "elsewhere").rename(tmp_path / "personal")


@pytest.mark.gen_test
async def test_a_file_that_was_deleted_after_its_session_was_forgotten_goes_too(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=600.0) as place:
        await stored(place)
        [(file_id,)] = rows(tmp_path, "SELECT id FROM files")
        await passes(place, 500)
        await place.station.orders.delete_stored(file_id)
        await passes(place, 50)
        assert len(rows(tmp_path, "SELECT id FROM files")) == 1, "its session's log still names it"
        await passes(place, 100, sweeps=3)
        assert rows(tmp_path, "SELECT id FROM files") == []


@pytest.mark.gen_test
async def test_all_files_are_looked_after_piece_by_piece(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=600.0) as place:
        for number in range(5):
            await stored(place, f"{number}.txt")
        for path in (tmp_path / "personal").iterdir():
            path.unlink()
        await place.journal.change(
            lambda c: c.executemany(
                "INSERT INTO files VALUES (?, 's', 0, 'completed', 'x', 1, ?, '{}', ?)",
                [(f"{number:05}", f"/upload/personal/gone-{number}", START) for number in range(450)],
            ).close()
        )
        place.clock.pass_by(700)
        await passes(place, 3, sweeps=3)
        assert rows(tmp_path, "SELECT count(*) FROM files") == [(0,)]


# ---- faults ----


@pytest.mark.gen_test
async def test_a_sweep_that_fails_is_done_again(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=10.0) as place:
        session_id = await stored(place)
        place.journal.break_down()
        await passes(place, 61)
        assert len(events_in(tmp_path, session_id)) == 3
        place.journal.mend()
        await passes(place, 61)
        assert events_in(tmp_path, session_id) == []


@pytest.mark.gen_test
async def test_half_a_session_is_shown_to_nobody_and_the_next_start_takes_the_rest(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        session_id = await stored(place)
        await place.journal.change(lambda c: c.execute("UPDATE sessions SET settled_at=0").close())
        await place.journal.change(lambda c: c.execute("DELETE FROM events WHERE seq=1").close())
        assert not await known(place, session_id)
        assert not await looked_up(place, session_id)
    async with open_place(tmp_path, recover=True, clock=place.clock) as place:
        assert place.station.channels == {}
        await place.station.retention.sweep()
        assert rows(tmp_path, "SELECT count(*) FROM events") == [(0,)]
        assert rows(tmp_path, "SELECT count(*) FROM sessions") == [(0,)]


# ---- clocks that are wrong ----


@pytest.mark.gen_test
@pytest.mark.parametrize("wall", [0.0, SANE - YEAR, START + 73 * YEAR], ids=["1970", "2024", "2099"])
async def test_a_board_that_wakes_up_in_another_year_forgets_nothing(tmp_path: Path, wall: float) -> None:
    async with open_place(tmp_path, recover=True) as place:
        session_id = await stored(place)
        await place.station.retention.sweep()
    clock = FakeClock(mono=5.0, wall=wall)
    async with open_place(tmp_path, recover=True, clock=clock) as place:
        await passes(place, 600, sweeps=10)
        assert await looked_up(place, session_id)
        assert await known(place, session_id)
        during = await stored(place, "b.txt")
        place.clock.wall = START + 700  # the network told the time
        await passes(place, 600, sweeps=10)
        assert await looked_up(place, session_id)
        assert await looked_up(place, during)
    async with open_place(tmp_path, recover=True, clock=FakeClock(mono=1.0, wall=START + 2000)) as place:
        await passes(place, 600, sweeps=10)
        assert await looked_up(place, session_id)
        assert await looked_up(place, during)


@pytest.mark.gen_test
async def test_restarts_in_a_wrong_year_add_up_to_little(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        session_id = await stored(place)
    for number in range(20):
        clock = FakeClock(mono=5.0, wall=START + 73 * YEAR + number * 700)
        async with open_place(tmp_path, recover=True, clock=clock) as place:
            await passes(place, 600, sweeps=10)
            assert place.station.retention._ours < START + 20 * 600 * FASTEST + 7200
            assert await looked_up(place, session_id)


@pytest.mark.gen_test
async def test_a_box_that_was_off_for_months_catches_up_in_days(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        session_id = await stored(place)
        await place.station.retention.sweep()
    clock = FakeClock(mono=5.0, wall=START + 90 * DAY)
    async with open_place(tmp_path, recover=True, clock=clock) as place:
        await passes(place, 3600)
        assert not await known(place, session_id), "a day is caught up within the hour"
        assert await looked_up(place, session_id)
        await passes(place, 4 * DAY, sweeps=10)
        assert place.station.retention.now == pytest.approx(clock.wall)
        assert not await looked_up(place, session_id)


@pytest.mark.gen_test
async def test_what_ended_by_a_clock_that_was_ahead_is_forgotten_in_its_turn(tmp_path: Path) -> None:
    async with open_place(tmp_path, history_age=10 * DAY) as place:
        place.clock.wall += 73 * YEAR
        session_id = await stored(place)
        await place.journal.change(lambda c: write_samples(c, [Sample(place.clock.wall, 1, 1, 1, 1)]))
        place.clock.wall -= 73 * YEAR
        await passes(place, 60)
        assert await looked_up(place, session_id)
        assert rows(tmp_path, "SELECT count(*) FROM samples") == [(0,)]
        await passes(place, 9 * DAY)
        assert await looked_up(place, session_id)
        await passes(place, 2 * DAY)
        assert not await looked_up(place, session_id)


@pytest.mark.gen_test
async def test_its_time_is_never_later_than_the_wall_clocks_and_never_runs_too_fast(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        retention, furthest = place.station.retention, START
        for step in (0, 3600, -7200, 10 * YEAR, -10 * YEAR, 5, 30 * YEAR, -31 * YEAR, 2 * YEAR):
            place.clock.wall += step
            place.clock.pass_by(60)
            now = retention.now
            assert now <= furthest + 60 * FASTEST
            if place.clock.wall >= SANE:
                assert now <= place.clock.wall
            furthest = max(furthest, now)


@pytest.mark.gen_test
async def test_a_clock_that_was_never_set_holds_up_nothing_once_it_is(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True, clock=FakeClock(mono=5.0, wall=100.0)) as place:
        assert place.station.retention.now == 100.0
        await stored(place)
        place.clock.wall = START
        assert place.station.retention.now == START
        session_id = await stored(place, "b.txt")
        await passes(place, DAY + 1)
        assert not await known(place, session_id)


@pytest.mark.gen_test
async def test_a_clock_that_is_behind_takes_from_nobody_what_just_ended(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        before = await stored(place)
        await place.station.retention.sweep()
    async with open_place(tmp_path, recover=True, clock=FakeClock(mono=5.0, wall=START - 100 * DAY)) as place:
        session_id = await stored(place, "b.txt")
        await passes(place, 600, sweeps=10)
        assert [await known(place, each) for each in (before, session_id)] == [True, True]
        assert [await looked_up(place, each) for each in (before, session_id)] == [True, True]


@pytest.mark.gen_test
async def test_it_sweeps_by_itself_until_the_station_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swept = asyncio.Event()

    async def sweep(self: Retention) -> None:
        swept.set()

    monkeypatch.setattr("station.retention.PERIOD", 0.01)
    monkeypatch.setattr(Retention, "sweep", sweep)
    async with open_place(tmp_path, recover=True):
        await asyncio.wait_for(swept.wait(), 10)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "retention"]
