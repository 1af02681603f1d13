"""The Station as handlers use it: commands, stored files, and stopping."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from station.errors import Problem, Refused
from station.settling import Terms
from station.stall import BodyPace
from station.station import Station
from station.storage import Unusable
from tests.station.places import (
    IMPOSSIBLE,
    UNKNOWN,
    FakeClock,
    assert_rules_hold,
    config,
    events_in,
    file_of,
    new_id,
    open_place,
    statuses,
    until,
)

# ---- commands ----


@pytest.mark.gen_test
async def test_a_cancel_is_recorded_and_told_before_it_is_answered(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5), ("c.txt", 5))
        await place.raw(channel, "a.txt")
        ids = [file_of(channel, at).id for at in range(3)]
        assert await place.station.orders.cancel(channel.session.id, ids[1], "one") == 1
        assert place.listener.lifecycle[-1] == "upload-cancelled"
        assert await place.station.orders.cancel(channel.session.id, ids[1], "again") == 0
        assert await place.station.orders.cancel(channel.session.id, None, "all") == 1
        assert place.listener.lifecycle == [
            "upload-started",
            "upload-completed",
            "upload-cancelled",
            "upload-cancelled",
            "upload-cancelled",
            "session-completed",
        ]
        assert place.listener.told[-1]["data"]["overallStatus"] == "cancelled"
        assert events_in(tmp_path, channel.session.id) == place.listener.lifecycle
        assert len(place.stored()) == 1, "stored files stay"


@pytest.mark.gen_test
async def test_a_file_that_is_not_of_the_session_is_not_found(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        one, other = [await place.open(("a.txt", 5)) for _ in range(2)]
        for file_id in (UNKNOWN, file_of(other).id, "", "x" * 1000):
            with pytest.raises(Refused) as refused:
                await place.station.orders.cancel(one.session.id, file_id, "why")
            assert refused.value.problem == Problem("FILE_NOT_FOUND")


@pytest.mark.gen_test
async def test_a_stored_file_cannot_be_cancelled(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        await place.raw(channel, "a.txt")
        with pytest.raises(Refused) as refused:
            await place.station.orders.cancel(channel.session.id, file_of(channel).id, "why")
        assert refused.value.problem == Problem("UPLOAD_ALREADY_COMPLETED")


@pytest.mark.gen_test
async def test_completing_lets_what_is_being_sent_go_on_and_cancels_what_waits(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5000), ("b.txt", 5), expected=5)
        intake = await place.raw_open(channel, "a.txt", 5000)
        await intake.feed(bytes(2500))
        assert await place.station.orders.complete(channel.session.id) == 1
        assert statuses(channel.session.files) == ["uploading", "cancelled"]
        assert place.listener.data("upload-cancelled")[0]["reason"] == "session-completed"
        with pytest.raises(Refused) as refused:
            await place.raw_open(channel, "c.txt")
        assert refused.value.problem == Problem("SESSION_CLOSED")
        await intake.feed(bytes(2500))
        assert (await intake.finish()).stored == 1
        assert place.listener.told[-1]["data"]["overallStatus"] == "completed"
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
@pytest.mark.parametrize(("full", "code"), [(True, "INSUFFICIENT_STORAGE"), (False, "SERVER_ERROR")])
async def test_a_command_that_cannot_be_recorded_is_not_answered_as_done(tmp_path: Path, full: bool, code: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        place.journal.break_down(full=full)
        with pytest.raises(Refused) as refused:
            await place.station.orders.cancel(channel.session.id, None, "why")
        assert refused.value.problem.code == code
        assert place.listener.messages == []
        place.journal.mend()
        channel.flush()
        await place.listener.hears_the_last()


@pytest.mark.gen_test
async def test_what_is_not_resumable_does_not_pause(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5000))
        intake = await place.raw_open(channel, "a.txt", 5000)
        await intake.feed(bytes(2500))
        for file_id in (None, file_of(channel).id):
            for command in (place.station.orders.pause, place.station.orders.resume):
                with pytest.raises(Refused) as refused:
                    await command(channel.session.id, file_id)
                assert refused.value.problem == Problem("NOT_RESUMABLE")
        assert statuses(channel.session.files) == ["uploading"]


# ---- stored files ----


@pytest.mark.gen_test
async def test_a_stored_file_is_deleted_once(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        await place.raw(channel, "a.txt")
        await place.raw(channel, "b.txt", b"other")
        file_id = file_of(channel).id
        await place.station.orders.delete_stored(file_id)
        assert list(place.stored().values()) == [b"other"]
        with pytest.raises(Refused) as refused:
            await place.station.orders.delete_stored(file_id)
        assert refused.value.problem == Problem("FILE_NOT_FOUND")


@pytest.mark.gen_test
async def test_only_stored_files_can_be_deleted_and_all_others_get_one_answer(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5), ("c.txt", 5))
        await place.raw(channel, "a.txt")
        await place.station.orders.cancel(channel.session.id, file_of(channel, 1).id, "why")
        next((tmp_path / "personal").iterdir()).unlink()
        others = [UNKNOWN, *IMPOSSIBLE, *(file_of(channel, at).id for at in range(3))]
        for file_id in others:
            with pytest.raises(Refused) as refused:
                await place.station.orders.delete_stored(file_id)
            assert refused.value.problem == Problem("FILE_NOT_FOUND")


# ---- the whole ----


@pytest.mark.gen_test
async def test_health_tells_of_room_and_of_stopping(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        place.clock.pass_by(12.5)
        health = place.station.health()
        assert (health["status"], health["uptime"]) == ("ok", 12.5)
        assert 0 < health["disk"]["free"] <= health["disk"]["total"]
        await place.station.end_attempts(1.0)
        assert place.station.health()["status"] == "unavailable"
        with pytest.raises(Refused) as refused:
            await place.station.sessions.open(None, Terms())
        assert refused.value.problem.code == "TOO_MANY_CONNECTIONS"
    async with open_place(tmp_path, min_free_space=2**62) as place:
        assert place.station.health()["status"] == "unavailable"


@pytest.mark.gen_test
async def test_a_second_station_on_the_folder_is_refused(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        with pytest.raises(Unusable, match="another station"):
            Station(config(tmp_path), FakeClock(), new_id)
        channel = await place.open(("a.txt", 5))
        assert (await place.raw(channel)).stored == 1


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("spoil", "words"),
    [("PRAGMA user_version=99", "newer version"), ("PRAGMA application_id=7", "not one of an upload station")],
)
async def test_a_folder_with_a_journal_that_is_not_for_us_is_refused_in_words(
    tmp_path: Path, spoil: str, words: str
) -> None:
    async with open_place(tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / ".station" / "journal.db")
    connection.execute(spoil)
    connection.close()
    with pytest.raises(Unusable, match=words):
        Station(config(tmp_path), FakeClock(), new_id)


@pytest.mark.gen_test
async def test_a_secret_that_cannot_be_kept_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / ".station" / "secret").mkdir(parents=True)
    async with open_place(tmp_path):
        pass  # without a PIN nothing is signed
    with pytest.raises(Unusable, match=r"cannot use .*: Is a directory"):
        Station(config(tmp_path, upload_pin="2468"), FakeClock(), new_id)


@pytest.mark.gen_test
async def test_stopping_records_and_tells_what_is_left_to_say(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5000))
        intake = await place.raw_open(channel, "a.txt", 5000)
        await intake.feed(bytes(2500))
        intake.abort(Problem("SERVER_ERROR", "the station is shutting down"))
    assert place.listener.lifecycle == ["upload-started", "upload-failed"]
    assert events_in(tmp_path, channel.session.id) == place.listener.lifecycle
    assert place.parts == []


@pytest.mark.gen_test
async def test_stopping_with_a_write_in_flight_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 3_000_000))
        hold = place.points.hold("write")
        intake = await place.raw_open(channel, "a.txt", 3_000_000)
        await intake.feed(bytes(1_100_000))
        await hold.reached()
        intake.abort(Problem("SERVER_ERROR", "the station is shutting down"))
        await place.station.end_attempts(1.0)
        stopping = asyncio.create_task(place.station.stop())
        for _ in range(50):
            await asyncio.sleep(0)
        assert not stopping.done()
        hold.release()
        await stopping
        assert place.parts == []


@pytest.mark.gen_test
async def test_what_is_being_published_may_finish_before_the_stop(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        hold = place.points.hold("link")
        sending = asyncio.create_task(place.raw(channel))
        await hold.reached()
        ending = asyncio.create_task(place.station.end_attempts(5.0))
        await asyncio.sleep(0)
        assert not ending.done()
        hold.release()
        await ending
        assert (await sending).stored == 1
    assert place.listener.messages[-1].last


@pytest.mark.gen_test
async def test_the_stop_does_not_wait_for_ever_for_what_is_being_published(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        hold = place.points.hold("link")
        sending = asyncio.create_task(place.raw(channel))
        await hold.reached()
        await place.station.end_attempts(0.01)
        assert "the next start completes them" in caplog.text
        hold.release()
        await sending


@pytest.mark.gen_test
async def test_bodies_that_come_in_are_interrupted_by_the_stop(tmp_path: Path) -> None:
    async with open_place(tmp_path, recover=True) as place:
        channel = await place.open(("a.txt", 5000))
        intake = await place.raw_open(channel, "a.txt", 5000)
        place.station.watch.bodies[BodyPace(60.0, 0, place.clock.mono)] = intake.abort
        await intake.feed(bytes(2500))
        await place.station.end_attempts(5.0)
        failure = await place.listener.hears("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("SERVER_ERROR", True)
        await until(lambda: not place.parts)
