"""Running sessions as lines: what was told of them, drawn again only when there is more."""

from __future__ import annotations

from pathlib import Path

import pytest

from station.errors import Problem
from station.running import MOST
from tests.station.places import MIB, Listener, file_of, open_place, until


@pytest.mark.gen_test
async def test_a_line_tells_how_a_session_stands(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(*((f"{number}.txt", 4 * MIB) for number in range(5)))
        await place.raw(channel, "0.txt", b"x" * 4 * MIB)
        intake = await place.raw_open(channel, "1.txt", 4 * MIB)
        await intake.feed(b"x" * 2 * MIB)
        await until(lambda: file_of(channel, 1).received == 2 * MIB)
        await channel.committed()
        channel.refresh()
        [row] = place.station.monitor.running.rows()
        assert row["sessionId"] == channel.session.id
        assert (row["overallStatus"], row["category"], row["endedAt"]) == ("uploading", "personal", None)
        assert (row["totalFiles"], row["completedFiles"], row["failedFiles"]) == (5, 1, 0)
        assert (row["totalBytes"], row["uploadedBytes"], row["totalProgress"]) == (20 * MIB, 6 * MIB, 30.0)
        assert row["uploadingFiles"] == 1
        assert row["names"] == ["0.txt", "1.txt", "2.txt", "3.txt"], "the last one says that there are more"
        assert row["watchers"] == 1
        assert place.station.monitor.running.uploads() == 1
        intake.abort(Problem("NETWORK_ERROR"))
        await intake.close()


@pytest.mark.gen_test
async def test_a_line_is_drawn_anew_only_when_more_was_told(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        running = place.station.monitor.running
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        [first] = running.rows()
        drawn = running._drawn[channel.session.id][1]
        place.heard(channel, Listener())
        [again] = running.rows()
        assert running._drawn[channel.session.id][1] is drawn
        assert again == {**first, "watchers": 2}, "who watches is told all the same"
        place.clock.pass_by(1)
        await place.raw(channel, "a.txt")
        [later] = running.rows()
        assert later["completedFiles"] == 1


@pytest.mark.gen_test
async def test_the_newest_are_shown_and_those_that_ended_are_let_go(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        running = place.station.monitor.running
        ids = [(await place.open(auto_complete=False)).session.id for _ in range(MOST + 5)]
        assert [row["sessionId"] for row in running.rows()] == ids[:4:-1]
        for session_id in ids:
            await place.station.orders.complete(session_id)
        assert running.rows() == []
        assert running._drawn == {}


@pytest.mark.gen_test
async def test_however_many_are_newer_what_moves_is_shown_first_then_what_has_files(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        running = place.station.monitor.running
        arrived = await place.open(auto_complete=False)
        await place.raw(arrived, "arrived.txt")
        waits = await place.open(("waits.txt", 5))
        moves = await place.open(("moves.txt", 4 * MIB))
        intake = await place.raw_open(moves, "moves.txt", 4 * MIB)
        await intake.feed(b"x" * 2 * MIB)
        await until(lambda: file_of(moves).received == 2 * MIB)
        await moves.committed()
        later = await place.open(("later.txt", 5))
        partly = await place.open(("partly.txt", 5), expected=2)
        await place.raw(partly, "partly.txt")
        empty = [await place.open(expected=3) for _ in range(MOST)]
        rows = running.rows()
        assert len(rows) == MOST
        shown = [row["sessionId"] for row in rows]
        assert shown[:5] == [channel.session.id for channel in (moves, partly, later, waits, arrived)]
        assert shown[5] == empty[-1].session.id
        assert [row["uploadingFiles"] for row in rows[:3]] == [1, 0, 0]
        assert running.with_files() == 5
        intake.abort(Problem("NETWORK_ERROR"))
        await intake.close()


@pytest.mark.gen_test
async def test_a_failed_file_waits_until_its_grace_is_over(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        running = place.station.monitor.running
        channel = await place.open(("a.txt", 5))
        intake = await place.raw_open(channel)
        intake.abort(Problem("NETWORK_ERROR"))
        await intake.close()
        session_id, file_id = channel.session.id, file_of(channel).id
        assert running.waits(session_id, file_id)
        place.clock.pass_by(31)
        assert not running.waits(session_id, file_id)
        assert not running.waits(session_id, "unknown")
        assert not running.waits("unknown", file_id)
