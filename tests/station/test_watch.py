"""What happens because time passes: each tick is made by hand, with a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from station import shelf, watch
from station.berth import Berth
from station.channel import Channel
from station.errors import Problem
from station.resting import GRACE
from station.resumption import Kind
from station.stall import BodyPace
from station.watch import TICK
from tests.station.places import (
    Place,
    assert_rules_hold,
    file_of,
    open_place,
    statuses,
    until,
)
from tests.station.resuming import BODY, create, finished, gone, send, send_part, tick


class Body:
    """A request body that is coming in, and what became of it."""

    def __init__(self, place: Place, *, idle: float = 60.0, rate: int = 0) -> None:
        self.place = place
        self.pace = BodyPace(idle, rate, place.clock.mono)
        self.problems: list[Problem] = []
        place.station.watch.bodies[self.pace] = self.problems.append


def pass_time(place: Place, seconds: float) -> None:
    """Tick by tick, as it passes while all is well."""
    for _ in range(round(seconds / TICK)):
        place.clock.pass_by(TICK)
        place.station.watch.tick()


async def failed(place: Place) -> Channel:
    channel = await place.open(("a.txt", 5))
    intake = await place.raw_open(channel)
    intake.abort(Problem("NETWORK_ERROR"))
    await intake.close()
    return channel


# ---- bodies that stand still ----


@pytest.mark.gen_test
async def test_a_body_that_stands_still_is_ended_once(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        body = Body(place)
        pass_time(place, 59)
        assert body.problems == []
        pass_time(place, 2)
        assert body.problems == [Problem("REQUEST_TIMEOUT")]
        assert place.station.watch.bodies == {}
        pass_time(place, 120)
        assert len(body.problems) == 1


@pytest.mark.gen_test
async def test_a_body_that_moves_now_and_then_goes_on(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        body = Body(place)
        for _ in range(5):
            pass_time(place, 50)
            body.pace.arrived(1, place.clock.mono)
            body.pace.ready(place.clock.mono)
        assert body.problems == []


@pytest.mark.gen_test
async def test_a_body_that_the_station_works_on_is_not_blamed(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        body = Body(place)
        body.pace.arrived(1, place.clock.mono)
        pass_time(place, 600)
        assert body.problems == []


@pytest.mark.gen_test
@pytest.mark.parametrize("rate", [1024, 0])
async def test_a_body_that_trickles_is_ended_if_a_rate_is_asked_for(tmp_path: Path, rate: int) -> None:
    async with open_place(tmp_path) as place:
        body = Body(place, rate=rate)
        for _ in range(120):
            pass_time(place, 1)
            body.pace.arrived(100, place.clock.mono)
            body.pace.ready(place.clock.mono)
        assert body.problems == ([Problem("REQUEST_TIMEOUT")] if rate else [])


@pytest.mark.gen_test
async def test_a_standstill_of_the_station_is_forgiven(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        bodies = [Body(place) for _ in range(3)]
        pass_time(place, 30)
        place.clock.pass_by(600)
        place.station.watch.tick()
        assert [body.problems for body in bodies] == [[], [], []]
        pass_time(place, 29)
        assert [body.problems for body in bodies] == [[], [], []]
        pass_time(place, 2)
        assert [len(body.problems) for body in bodies] == [1, 1, 1]


@pytest.mark.gen_test
async def test_a_wall_clock_that_steps_ends_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        body, channel = Body(place), await place.open(("a.txt", 5))
        for step in (10_000_000, -20_000_000):
            place.clock.wall += step
            place.station.watch.tick()
        assert body.problems == []
        assert not channel.session.settled


@pytest.mark.gen_test
async def test_interrupting_all_ends_each_once(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        bodies = [Body(place) for _ in range(3)]
        for _ in range(2):
            place.station.watch.interrupt_all(Problem("SERVER_ERROR"))
        pass_time(place, 120)
        assert [body.problems for body in bodies] == [[Problem("SERVER_ERROR")]] * 3


@pytest.mark.gen_test
async def test_an_interrupted_body_may_take_others_with_it(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        watch = place.station.watch
        other = BodyPace(60.0, 0, place.clock.mono)
        calls: list[str] = []

        def takes_the_other(_: Problem) -> None:
            calls.append("first")
            watch.bodies.pop(other, None)

        watch.bodies[BodyPace(60.0, 0, place.clock.mono)] = takes_the_other
        watch.bodies[other] = lambda _: calls.append("other")
        pass_time(place, 61)
        assert calls[0] == "first"
        assert watch.bodies == {}


# ---- sessions ----


@pytest.mark.gen_test
async def test_a_retry_that_does_not_come_settles_the_session(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        await failed(place)
        pass_time(place, 29)
        assert place.listener.lifecycle == ["upload-failed"]
        pass_time(place, 2)
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-failed", "session-completed"]
        assert place.station.channels == {}


@pytest.mark.gen_test
async def test_an_open_ended_session_settles_when_it_has_rested(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open()
        await place.raw(channel)
        pass_time(place, 1.5)
        await place.raw(channel, "b.txt")
        pass_time(place, 1.75)
        assert not channel.session.settled
        pass_time(place, 0.5)
        await place.listener.hears_the_last()
        assert place.listener.lifecycle.count("upload-completed") == 2


@pytest.mark.gen_test
async def test_a_session_in_which_nothing_happens_is_ended(tmp_path: Path) -> None:
    async with open_place(tmp_path, session_timeout=100.0) as place:
        await place.open(("a.txt", 5), ("b.txt", 5))
        pass_time(place, 99)
        assert place.listener.messages == []
        pass_time(place, 2)
        await place.listener.hears_the_last()
        assert [each["reason"] for each in place.listener.data("upload-cancelled")] == ["session-timeout"] * 2
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_progress_that_was_held_back_is_told_before_the_silence_is_too_long(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 1_000_000_000))
        attempt = channel.session.start(file_of(channel), 1_000_000_000, place.clock())
        await channel.committed()
        for _ in range(40):
            pass_time(place, TICK)
            channel.session.advance(attempt, 1000, place.clock())
            channel.flush()
        told = [each["uploadedBytes"] for each in place.listener.data("upload-progress")]
        assert len(told) >= 4
        channel.session.cancel("over", place.clock())


@pytest.mark.gen_test
@pytest.mark.parametrize("between", [0.1, 0.37, 0.6, 1.3])
async def test_while_bytes_flow_no_silence_is_longer_than_two_seconds(tmp_path: Path, between: float) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 1_000_000_000))
        attempt = channel.session.start(file_of(channel), 1_000_000_000, place.clock())
        await channel.committed()
        began, told, came = place.clock.mono, [0.0], 0.0
        while (now := place.clock.mono - began) < 30:
            heard = place.listener.names.count("upload-progress")
            if now - came >= between:
                came = now
                channel.session.advance(attempt, 1000, place.clock())
                channel.flush()
            if round(now / 0.01) % 27 == 0:  # a tick is never early, and a little late
                place.station.watch.tick()
            told += [now] * (place.listener.names.count("upload-progress") > heard)
            place.clock.pass_by(0.01)
        gaps = [later - earlier for earlier, later in pairwise(told)]
        assert max(gaps) <= 2.0, gaps
        assert min(gaps[1:]) >= 0.5
        channel.session.cancel("over", place.clock())


# ---- commits that are due again ----


@pytest.mark.gen_test
async def test_a_commit_that_failed_is_tried_again_by_the_tick(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        place.journal.break_down(full=True)
        channel.session.cancel("enough", place.clock())
        channel.flush()
        await until(lambda: place.journal.failing)
        assert place.listener.messages == []
        place.journal.mend()
        pass_time(place, TICK)
        await place.listener.hears_the_last()
        assert_rules_hold(place.listener.messages)
        assert place.station.health()["status"] == "ok"


# ---- by itself ----


@pytest.mark.gen_test
async def test_it_ticks_by_itself_until_the_station_stops(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        body = Body(place)
        place.clock.pass_by(TICK)
        await until(lambda: place.station.watch._last == place.clock.mono)
        place.clock.pass_by(0.5)
        assert body.problems == []
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "watch"]


# ---- resumable files ----


async def unfinished(place: Place, state: str) -> tuple[Channel, Berth]:
    """A session that nothing but one unfinished resumable file holds open."""
    channel = await place.open(*([("a.txt", len(BODY))] if state == "pending" else []))
    berth = await create(place, channel)
    if state != "pending":
        await (send_part if state == "failed" else send)(place, berth, BODY[:5000])
        await channel.committed()
        pass_time(place, GRACE + TICK)
        await channel.committed()
    assert statuses(channel.session.files) == [state]
    return channel, berth


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["pending", "paused", "failed"])
async def test_an_unfinished_resumable_file_holds_its_session_open(tmp_path: Path, state: str) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await unfinished(place, state)
        before = place.listener.lifecycle
        for _ in range(23):
            tick(place, 3600)
        assert statuses(channel.session.files) == [state]
        assert place.listener.lifecycle == before
        await send(place, berth, BODY[berth.upload.offset :])
        await finished(berth)
        tick(place, 3)
        await place.listener.hears_the_last()
        assert list(place.stored().values()) == [BODY]
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["pending", "paused", "failed"])
async def test_an_unfinished_resumable_file_expires_once_and_its_bytes_go(tmp_path: Path, state: str) -> None:
    async with open_place(tmp_path, upload_expiry=7200) as place:
        _, berth = await unfinished(place, state)
        assert berth.file is not None
        left = (berth.file.expires_at or 0) - place.clock.mono
        assert 7200 - left < GRACE + 1
        tick(place, left - 0.125)
        assert await gone(place, berth.upload.id) is None
        tick(place, 0.125)
        tick(place, 2)
        await place.listener.hears_the_last()
        assert place.listener.lifecycle[-2:] == ["upload-cancelled", "session-completed"]
        [cancelled] = place.listener.data("upload-cancelled")
        assert (cancelled["reason"], cancelled["fileId"]) == ("expired", berth.upload.file_id)
        assert cancelled["uploadedBytes"] == berth.upload.offset
        await place.no_parts()
        assert await gone(place, berth.upload.id) == "expired"
        tick(place, 7200)
        assert len(place.listener.data("upload-cancelled")) == 1
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_each_byte_puts_off_the_expiry(tmp_path: Path) -> None:
    async with open_place(tmp_path, upload_expiry=7200) as place:
        channel = await place.open(("a.txt", len(BODY)))
        berth = await create(place, channel)
        for at in range(0, 5000, 1000):
            tick(place, 7000)
            await send(place, berth, BODY[at : at + 1000])
        assert await gone(place, berth.upload.id) is None
        tick(place, 7200)
        assert await gone(place, berth.upload.id) == "expired"


@pytest.mark.gen_test
async def test_a_finished_file_never_expires(tmp_path: Path) -> None:
    async with open_place(tmp_path, upload_expiry=3600) as place:
        channel = await place.open(("a.txt", len(BODY)), ("b.txt", 5))
        berth = await create(place, channel)
        await send(place, berth, BODY)
        await finished(berth)
        tick(place, 1000)
        tick(place, 20_000)
        await place.listener.hears_the_last()
        assert list(place.stored().values()) == [BODY]
        assert await gone(place, berth.upload.id) == "complete"
        assert [each["fileId"] for each in place.listener.data("upload-cancelled")] == [file_of(channel, 1).id]


@pytest.mark.gen_test
@pytest.mark.parametrize("order", ["cancel", "complete", "file"])
async def test_an_order_ends_what_an_unfinished_file_held_open(tmp_path: Path, order: str) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await unfinished(place, "paused")
        session_id = channel.session.id
        if order == "complete":
            await place.station.orders.complete(session_id)
        else:
            await place.station.orders.cancel(session_id, berth.upload.file_id if order == "file" else None, "why")
        tick(place, 2)
        await place.listener.hears_the_last()
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_clean_end_that_nobody_continues_rests_after_three_seconds(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)))
        berth = await create(place, channel)
        await send(place, berth, BODY[:5000])
        await channel.committed()
        pass_time(place, GRACE - TICK)
        assert statuses(channel.session.files) == ["uploading"]
        pass_time(place, TICK)
        assert statuses(channel.session.files) == ["paused"]
        assert place.listener.told[-1]["data"]["overallStatus"] == "paused"
        await send(place, berth, BODY[5000:])
        await finished(berth)
        assert place.listener.lifecycle == ["upload-started", "upload-completed", "session-completed"]


@pytest.mark.gen_test
async def test_a_broken_connection_is_forgiven_for_three_seconds(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)))
        berth = await create(place, channel)
        await send_part(place, berth, BODY[:2000])
        pass_time(place, GRACE - TICK)
        await send_part(place, berth, BODY[2000:5000])
        pass_time(place, GRACE - TICK)
        await channel.committed()
        assert place.listener.lifecycle == ["upload-started"]
        pass_time(place, TICK)
        failure = await place.listener.hears("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("NETWORK_ERROR", True)
        assert failure["uploadedBytes"] == 5000


@pytest.mark.gen_test
async def test_many_short_requests_are_one_attempt(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)))
        berth = await create(place, channel)
        for at in range(0, len(BODY), 512):
            pass_time(place, 1)
            await send(place, berth, BODY[at : at + 512])
        await finished(berth)
        assert place.listener.lifecycle == ["upload-started", "upload-completed", "session-completed"]
        assert "paused" not in {each["overallStatus"] for each in place.listener.data("upload-progress")}
        assert_rules_hold(place.listener.messages)


# ---- very many ----


@pytest.mark.gen_test
async def test_who_has_nothing_due_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_place(tmp_path) as place:
        channels = [await place.open(auto_complete=False) for _ in range(8)]
        place.station.watch.tick()
        ticked: list[int] = []
        for number, channel in enumerate(channels):
            monkeypatch.setattr(channel.session, "tick", lambda moment, number=number: ticked.append(number))
        await create(place, channels[1])
        busy = await create(place, channels[6])
        await send_part(place, busy, BODY[:5000])
        for _ in range(4):
            place.station.watch.tick()
        assert sorted(ticked) == [1, 6, 6, 6, 6], "once after something happened, and each time where bytes flow"


@pytest.mark.gen_test
async def test_what_is_due_at_once_for_very_many_is_done_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST", 2 * watch.COST)
    async with open_place(tmp_path) as place:
        channels = [await place.open(auto_complete=False) for _ in range(8)]
        pass_time(place, place.station.config.session_timeout / 2)
        place.clock.pass_by(place.station.config.session_timeout / 2)
        for turn in range(1, 5):
            place.station.watch.tick()
            assert sum(channel.session.settled for channel in channels) == 2 * turn


@pytest.mark.gen_test
async def test_of_very_many_uploads_each_is_looked_after_in_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "MANY", 2)
    async with open_place(tmp_path) as place:
        uploads = [await create(place, None, kind=Kind.PARTIAL) for _ in range(8)]
        place.clock.pass_by(place.station.config.upload_expiry + 1)
        for turn in range(1, 5):
            place.station.shelf.tick()
            assert sum(each.upload.gone == "expired" for each in uploads) == 2 * turn
