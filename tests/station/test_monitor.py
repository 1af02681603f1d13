"""What the operator is told of a real station: while it works, after restarts, and only while somebody watches."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from station.deletion import MONITOR
from station.errors import Problem
from station.journal import JournalFailed
from station.monitor import Monitor
from station.pulse import BEAT
from tests.station.places import START, FakeClock, Listener, Place, file_of, open_place, rows, until

DAY = 86_400.0


class Socket:
    """A socket whose last ping took so long."""

    def __init__(self, round_trip: float | None) -> None:
        self.round_trip = round_trip

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


def indicators(monitor: Monitor) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in monitor.overview()["indicators"]}


async def beats(place: Place, times: int) -> None:
    for _ in range(times):
        place.clock.pass_by(BEAT)
        await place.station.monitor.beat()


async def stored(place: Place, size: int = 5, seconds: float = 0.0) -> str:
    """A settled session with one stored file that took so long."""
    channel = await place.open(("a.txt", size))
    intake = await place.raw_open(channel, "a.txt", size)
    await intake.feed(b"x" * size)
    place.clock.pass_by(seconds)
    await intake.finish()
    await until(lambda: not place.station.channels)
    return channel.session.id


async def failed(place: Place) -> None:
    channel = await place.open(("a.txt", 5))
    intake = await place.raw_open(channel)
    intake.abort(Problem("NETWORK_ERROR"))
    await intake.close()


# ---- the overview ----


@pytest.mark.gen_test
async def test_a_new_station_tells_what_it_knows_and_owns_what_it_does_not(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        told = place.station.monitor.overview()
        assert set(told) == {
            *("status", "version", "startedAt", "uptime", "timestamp", "indicators", "disk", "now", "process"),
            *("stored", "sessions", "letters", "changes"),
        }
        assert {each["name"]: each["state"] for each in told["indicators"]} == dict.fromkeys(
            ("latency", "reconnects", "speed", "success", "memory", "cpu", "disk"), "unknown"
        )
        assert (told["status"], told["uptime"], told["startedAt"]) == ("ok", 0.0, place.clock().stamp)
        assert (told["disk"]["perDay"], told["disk"]["lasts"]) == (0, None)
        assert told["disk"]["free"] > 0
        assert told["now"] == {
            "throughput": 0,
            "uploads": 0,
            "sessions": 0,
            "sessionsWithFiles": 0,
            "delay": 0.0,
            "watchers": {"websocket": 0, "sse": 0, "polling": 0},
        }
        assert (told["stored"], told["sessions"]) == ({"files": 0, "bytes": 0}, [])
        assert told["letters"] == {"dead": 0, "waiting": 0}


@pytest.mark.gen_test
async def test_uploads_show_in_every_number(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        monitor = place.station.monitor
        await stored(place, 20_000_000, 2.0)
        await failed(place)
        place.station.sockets |= {Socket(0.1), Socket(0.3), Socket(None), Socket(0.4)}
        await beats(place, 6)
        told, found = await monitor.look(), indicators(monitor)
        assert (found["speed"]["value"], found["speed"]["state"], found["speed"]["basis"]) == (10_000_000, "good", 1)
        assert (found["success"]["value"], found["success"]["basis"]) == (100.0, 1), "the other may still be retried"
        assert (found["latency"]["value"], found["latency"]["state"], found["latency"]["basis"]) == (0.3, "warning", 3)
        assert found["memory"]["value"] > 0
        assert found["memory"]["basis"] == 1
        assert found["disk"]["value"] == pytest.approx(told["disk"]["free"] / 20_000_000 * DAY, rel=0.01)
        assert told["disk"]["lasts"] == pytest.approx(found["disk"]["value"], rel=0.01)
        assert told["disk"]["perDay"] == 20_000_000
        assert told["stored"] == {"files": 1, "bytes": 20_000_000}
        assert [row["sessionId"] for row in told["sessions"]] == list(place.station.channels)
        place.clock.pass_by(31)
        place.station.watch.tick()
        assert (indicators(monitor)["success"]["value"], indicators(monitor)["success"]["state"]) == (50.0, "warning")
        place.station.sockets.clear()


@pytest.mark.gen_test
async def test_what_came_is_told_as_bytes_a_second(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        await beats(place, 1)
        await stored(place, 1_000_000)
        await beats(place, 1)
        assert place.station.monitor.overview()["now"]["throughput"] == 500_000
        await beats(place, 1)
        assert place.station.monitor.overview()["now"]["throughput"] == 0


@pytest.mark.gen_test
async def test_a_full_disk_lasts_no_time_at_all(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True, min_free_space=2**60) as place:
        told = place.station.monitor.overview()
        assert (told["status"], told["disk"]["lasts"]) == ("unavailable", 0)
        assert indicators(place.station.monitor)["disk"]["state"] == "bad"


@pytest.mark.gen_test
async def test_the_longest_delay_of_the_loop_is_told_once(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        place.clock.pass_by(0.75)
        place.station.watch.tick()
        await beats(place, 1)
        assert place.station.monitor.overview()["now"]["delay"] == 0.5
        await beats(place, 1)
        assert place.station.monitor.overview()["now"]["delay"] == 0.0


@pytest.mark.gen_test
async def test_changes_grow_with_events_deeds_and_over_restarts(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        monitor, seen = place.station.monitor, [0]
        assert monitor.changes == 0
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        await place.raw(channel)
        seen.append(monitor.changes)
        await place.station.orders.delete_stored(file_of(channel).id)
        seen.append(monitor.changes)
        await place.raw(channel, "b.txt")
        seen.append(monitor.changes)
        assert seen == sorted(set(seen))
    async with open_place(tmp_path, recover=True) as place:
        assert place.station.monitor.changes >= seen[-1]


@pytest.mark.gen_test
async def test_what_is_stored_is_counted_again_only_when_it_may_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_place(tmp_path, recover=True) as place:
        monitor, counted = place.station.monitor, list[int]()
        read = place.journal.read

        async def counting(query: Any) -> Any:
            counted.append(1)
            return await read(query)

        monkeypatch.setattr(place.journal, "read", counting)
        place.clock.pass_by(20)
        await monitor.look()
        for _ in range(10):
            await monitor.look()
        assert len(counted) == 0, "nothing happened"
        await stored(place)
        counted.clear()
        for _ in range(10):
            assert (await monitor.look())["stored"]["files"] == 1
        assert len(counted) == 1


# ---- restarts ----


@pytest.mark.gen_test
async def test_rates_survive_a_restart(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        await stored(place, 4_000_000, 2.0)
        await failed(place)
        place.clock.pass_by(40)
        place.station.watch.tick()
        await until(lambda: not place.station.channels)
        before = place.station.monitor.measured(10**9)
    for passed, known in ((600.0, True), (3600.0, False)):
        clock = FakeClock(mono=7.0, wall=place.clock.wall + passed)
        async with open_place(tmp_path, recover=True, clock=clock) as later:
            after = later.station.monitor.measured(10**9)
            if known:
                assert (after["speed"], after["success"]) == (before["speed"], before["success"])
            else:
                assert (after["speed"].value, after["success"].value) == (None, None)
            assert after["disk"] == before["disk"], "the day is not over"


@pytest.mark.gen_test
async def test_a_file_that_waited_for_a_retry_when_the_station_ended_counts_when_its_time_is_over(
    tmp_path: Path,
) -> None:
    async with open_place(tmp_path, recover=True) as place:
        await failed(place)
    async with open_place(tmp_path, recover=True, clock=place.clock) as place:
        assert place.station.monitor.measured(1)["success"].value is None
        place.clock.pass_by(31)
        place.station.watch.tick()
        assert place.station.monitor.measured(1)["success"].value == 0.0


@pytest.mark.gen_test
async def test_what_ended_in_the_future_is_not_of_the_last_hour(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        place.clock.wall += 73 * 365 * DAY
        await stored(place)
    async with open_place(tmp_path, recover=True, clock=FakeClock(mono=7.0, wall=START)) as place:
        assert place.station.monitor.measured(1)["success"].value is None


# ---- samples ----


@pytest.mark.gen_test
async def test_samples_are_journalled_once_a_minute_and_shown_by_the_next_run(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        await beats(place, 30)
        await place.journal.change(lambda _: None)
        assert rows(tmp_path, "SELECT count(*) FROM samples") == [(0,)]
        await stored(place, 1_000_000)
        await beats(place, 10)
        await place.journal.change(lambda _: None)
        assert rows(tmp_path, "SELECT count(*), min(at) FROM samples") == [(6, START)]
        await beats(place, 10)
    assert rows(tmp_path, "SELECT count(*) FROM samples") == [(9,)], "what was not written yet is, at the end"
    async with open_place(tmp_path, recover=True, clock=FakeClock(mono=3.0, wall=START + 200)) as place:
        points = (await place.station.monitor.chronicle.series("hour"))["points"]
        assert sum(value is not None for value in points["throughput"]) == 9
        assert max(value for value in points["throughput"] if value is not None) == 100_000


@pytest.mark.gen_test
async def test_a_journal_that_cannot_be_written_leaves_a_gap_and_no_fault(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        place.journal.break_down()
        await beats(place, 70)
        with pytest.raises(JournalFailed):  # and with it all that waited before
            await place.journal.change(lambda _: None)
        place.journal.mend()
        await beats(place, 35)
        await place.journal.change(lambda _: None)
        assert rows(tmp_path, "SELECT count(*) FROM samples")[0][0] == 6
        hour = (await place.station.monitor.chronicle.series("hour"))["points"]["uploads"]
        assert sum(value is not None for value in hour) == 20, "this run still knows them"


# ---- telling ----


@pytest.mark.gen_test
async def test_two_who_watch_are_told_the_same_every_other_second(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        one, other = Listener(), Listener()
        place.station.hub.join(MONITOR, one)
        await beats(place, 1)
        place.station.hub.join(MONITOR, other)
        await beats(place, 2)
        assert one.names == ["monitor-update"] * 3
        assert [m.text for m in one.messages[1:]] == [m.text for m in other.messages]
        assert {m.key for m in one.messages} == {MONITOR}, "a newer one takes the place of one that waits"
        assert not any(m.lifecycle or m.last for m in one.messages)
        assert one.told[-1]["data"]["uptime"] == 6.0


@pytest.mark.gen_test
async def test_while_nobody_watches_nothing_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_place(tmp_path, recover=True) as place:
        drawn: list[int] = []

        def overview(self: Monitor) -> dict[str, Any]:
            drawn.append(1)
            return {}

        monkeypatch.setattr(Monitor, "overview", overview)
        await beats(place, 10)
        assert drawn == []
        place.station.hub.join(MONITOR, Listener())
        await beats(place, 1)
        assert drawn == [1]


@pytest.mark.gen_test
async def test_watchers_are_counted_without_the_operators(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        channel = await place.open(("a.txt", 5))
        operator = Listener()
        place.station.hub.join(MONITOR, operator)
        place.station.hub.join(channel.session.id, operator)
        assert place.station.monitor.watchers() == {"websocket": 1, "sse": 0, "polling": 0}
        assert [row["watchers"] for row in place.station.monitor.overview()["sessions"]] == [1]


@pytest.mark.gen_test
async def test_it_beats_by_itself_until_the_station_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beaten = asyncio.Event()

    async def beat(self: Monitor) -> None:
        beaten.set()

    monkeypatch.setattr(Monitor, "beat", beat)
    monkeypatch.setattr("station.monitor.BEAT", 0.01)
    async with open_place(tmp_path, recover=True):
        await asyncio.wait_for(beaten.wait(), 10)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "monitor"]


@pytest.mark.gen_test
async def test_a_letter_that_was_taken_up_and_died_again_is_a_change(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        before = place.station.monitor.overview()["changes"]
        for hear in place.station.hooks.on_letter:
            hear()
        assert place.station.monitor.overview()["changes"] == before + 1


@pytest.mark.gen_test
async def test_a_small_file_says_nothing_of_the_speed(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        await stored(place, 5, 1.0)
        await beats(place, 6)
        speed = indicators(place.station.monitor)["speed"]
        assert (speed["value"], speed["state"]) == (None, "unknown")
