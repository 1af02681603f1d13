"""What the operator looks up: live and past together, and charts over restarts and clocks that step."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from station import census, history
from station.chronicle import Chronicle
from station.errors import Problem, Refused
from station.history import Wish, write_samples
from station.series import STEP, Sample
from tests.station.places import START, FakeClock, Place, file_of, open_place, until

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def chronicle(place: Place) -> Chronicle:
    return place.station.monitor.chronicle


async def page(place: Place, state: str = "", limit: int = 50, **wish: str) -> list[dict[str, Any]]:
    found = await chronicle(place).sessions(Wish(state, **wish), None, limit)
    rows: list[dict[str, Any]] = found["sessions"]
    return rows


async def stored(place: Place, name: str = "a.txt") -> str:
    channel = await place.open((name, 5))
    await place.raw(channel, name)
    await until(lambda: channel.session.id not in place.station.channels)
    return channel.session.id


# ---- sessions ----


@pytest.mark.gen_test
async def test_running_sessions_are_shown_as_they_are_now(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        past = await stored(place)
        place.clock.pass_by(1)
        channel = await place.open(("b.txt", 5), ("c.txt", 5))
        await place.raw(channel, "b.txt")
        rows = await page(place)
        assert [row["sessionId"] for row in rows] == [channel.session.id, past]
        assert [row["overallStatus"] for row in rows] == ["uploading", "completed"]
        assert rows[0] == place.station.monitor.running.row(channel)
        assert [row["sessionId"] for row in await page(place, "running")] == [channel.session.id]
        assert [row["sessionId"] for row in await page(place, "completed")] == [past]
        assert rows[0].keys() == rows[1].keys()


@pytest.mark.gen_test
async def test_next_leads_through_all_pages(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        ids = []
        for number in range(7):
            place.clock.pass_by(0.125)
            ids.append(await stored(place, f"{number}.txt"))
        seen, before = list[str](), None
        while True:
            found = await chronicle(place).sessions(Wish(), before, 3)
            seen += [row["sessionId"] for row in found["sessions"]]
            if found["next"] is None:
                break
            opened_at, _, session_id = found["next"].partition("~")
            before = history.Place(float(opened_at), session_id)
        assert seen == ids[::-1]


@pytest.mark.gen_test
async def test_a_search_through_very_many_lets_others_read_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SCAN", 5)
    async with open_place(tmp_path) as place:
        await place.journal.change(
            lambda c: c.executemany(
                "INSERT INTO sessions VALUES (?, ?, 1.0, '{}')", [(f"{n:08x}", float(n)) for n in range(500)]
            ).close()
        )
        order = []
        search = asyncio.create_task(page(place, words="nothing"))
        search.add_done_callback(lambda done: order.append("search"))
        await asyncio.sleep(0)
        await place.journal.read(lambda c: order.append("read"))
        await search
        assert order == ["read", "search"]


@pytest.mark.gen_test
async def test_one_session_is_told_whole_live_and_past(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        await place.raw(channel)
        session_id, picture = channel.session.id, channel.picture
        for settled in (False, True):
            if settled:
                await place.raw(channel, "b.txt")
                await until(lambda: not place.station.channels)
            told = await chronicle(place).session(session_id, 0)
            assert told["session"] == {**picture.snapshot("now"), "timestamp": place.clock().stamp}
            assert (told["endedAt"] is not None) == settled
            assert told["expectedFiles"] == 2
            assert [each["seq"] for each in told["events"]] == list(range(1, picture.seq + 1))
            assert [each["data"] for each in told["events"]] == [
                each["data"] for each in place.listener.told if each["event"] in {e["event"] for e in told["events"]}
            ][: picture.seq]
            assert (told["deeds"], told["more"]) == ([], False)


@pytest.mark.gen_test
async def test_a_failure_is_told_with_its_reason(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        intake = await place.raw_open(channel)
        intake.abort(Problem("NETWORK_ERROR"))
        await intake.close()
        told = await chronicle(place).session(channel.session.id, 0)
        assert told["events"][-1]["data"]["error"]["code"] == "NETWORK_ERROR"
        assert told["session"]["files"][0]["error"]["code"] == "NETWORK_ERROR"


@pytest.mark.gen_test
async def test_what_was_deleted_is_told_with_its_session(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        await place.raw(channel)
        await place.station.orders.delete_stored(file_of(channel).id)
        [deed] = (await chronicle(place).session(channel.session.id, 0))["deeds"]
        assert (deed["name"], deed["data"]["fileName"], deed["data"]["by"]) == ("file-deleted", "a.txt", "operator")


@pytest.mark.gen_test
async def test_a_very_long_log_is_told_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.chronicle.LONGEST_LOG", 2)
    async with open_place(tmp_path) as place:
        session_id = await stored(place)
        first = await chronicle(place).session(session_id, 0)
        assert ([each["seq"] for each in first["events"]], first["more"]) == ([1, 2], True)
        rest = await chronicle(place).session(session_id, 2)
        assert ([each["seq"] for each in rest["events"]], rest["more"]) == ([3], False)


@pytest.mark.gen_test
@pytest.mark.parametrize("session_id", [UNKNOWN, "", "monitor", "../../etc", "x" * 5000, "\x00", "' OR 1=1 --"])
async def test_an_unknown_session_is_not_found(tmp_path: Path, session_id: str) -> None:
    async with open_place(tmp_path) as place:
        with pytest.raises(Refused, match="SESSION_NOT_FOUND"):
            await chronicle(place).session(session_id, 0)


# ---- what is stored ----


@pytest.mark.gen_test
async def test_the_distribution_is_counted_now_and_then_and_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(census, "PIECE", 2)
    async with open_place(tmp_path) as place:
        for number in range(5):
            await stored(place, f"{number}.txt")
        told = await chronicle(place).distribution()
        assert told["types"] == [{"type": "txt", "files": 5, "bytes": 25}]
        assert told["categories"] == [{"category": "personal", "files": 5, "bytes": 25}]
        await stored(place, "5.pdf")
        assert await chronicle(place).distribution() == told
        place.clock.pass_by(30)
        assert len((await chronicle(place).distribution())["types"]) == 2


# ---- charts ----


def shown(points: dict[str, list[Any]], name: str = "throughput") -> dict[int, Any]:
    return {at: value for at, value in zip(points["at"], points[name], strict=True) if value is not None}


@pytest.mark.gen_test
@pytest.mark.parametrize(("span", "step", "count"), [("hour", 10, 360), ("day", 300, 288)])
async def test_a_chart_has_all_its_points_and_null_where_nothing_was_recorded(
    tmp_path: Path, span: str, step: int, count: int
) -> None:
    async with open_place(tmp_path) as place:
        told = await chronicle(place).series(span)
        assert (told["span"], told["step"], told["timestamp"]) == (span, step, place.clock().stamp)
        assert {len(column) for column in told["points"].values()} == {count}
        assert set(told["points"]) == {"at", "throughput", "uploads", "watchers", "delay"}
        assert {b - a for a, b in zip(told["points"]["at"], told["points"]["at"][1:], strict=False)} == {step}
        assert shown(told["points"]) == {}
        assert told["points"]["at"][-1] <= place.clock.wall < told["points"]["at"][-1] + step


@pytest.mark.gen_test
async def test_a_wall_clock_that_steps_moves_the_chart_and_tears_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path, clock=FakeClock(mono=1000.0, wall=50.0)) as place:
        for number in range(30):
            chronicle(place).add(Sample(place.clock.mono, number + 1, 0, 0, 0))
            place.clock.pass_by(STEP)
            if number == 9:
                place.clock.wall = START
            if number == 19:
                place.clock.wall -= 3600
        points = (await chronicle(place).series("hour"))["points"]
        found = shown(points)
        assert list(found.values()) == [number + 1 for number in range(30)]
        assert max(found) == pytest.approx(place.clock.wall - STEP, abs=1)


@pytest.mark.gen_test
async def test_charts_go_on_where_an_earlier_run_ended(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        samples = [Sample(START - 600 + number * 10, 100, 2, 3, 0.5) for number in range(30)]
        await place.journal.change(lambda c: write_samples(c, samples))
        future = [Sample(START + 10_000, 1, 1, 1, 1), Sample(START + 30 * 365 * 86_400, 1, 1, 1, 1)]
        await place.journal.change(lambda c: write_samples(c, future))
        for _ in range(6):
            chronicle(place).add(Sample(place.clock.mono, 50, 0, 0, 0.1))
            place.clock.pass_by(STEP)
        hour = shown((await chronicle(place).series("hour"))["points"])
        assert list(hour.values()) == [100] * 30 + [50] * 6
        day = (await chronicle(place).series("day"))["points"]
        assert len(shown(day)) <= 4
        assert set(shown(day, "delay").values()) <= {0.5, 0.1}
