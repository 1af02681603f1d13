"""The Station as handlers use it: opening, finding, commands, stored files, and stopping."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from station.errors import Problem, Refused
from station.settling import Terms
from station.stall import BodyPace
from station.station import PAGE, Station
from station.storage import Unusable
from tests.station.places import (
    FakeClock,
    Place,
    assert_rules_hold,
    config,
    events_in,
    file_of,
    new_id,
    open_place,
    rows,
    statuses,
    until,
)

UNKNOWN = "00000000-0000-4000-8000-000000000000"
IMPOSSIBLE = ["", "x", "../../etc/passwd", UNKNOWN.upper(), UNKNOWN + " ", "0" * 100_000, "\0", "1;DROP TABLE", "你好"]


async def refusal(place: Place, session_id: str) -> set[Problem]:
    """What each way of asking for a session is answered."""
    found = set()
    station = place.station
    for ask in (
        lambda: station.live(session_id),
        lambda: station.picture(session_id),
        lambda: station.orders.cancel(session_id, None, "why"),
        lambda: station.orders.cancel(session_id, UNKNOWN, "why"),
        lambda: station.orders.complete(session_id),
        lambda: station.orders.pause(session_id, None),
        lambda: station.orders.resume(session_id, None),
    ):
        with pytest.raises(Refused) as refused:
            await ask()
        found.add(refused.value.problem)
    return found


# ---- opening ----


@pytest.mark.gen_test
async def test_an_opened_session_is_recorded_before_it_is_answered(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.station.open_session("scenic", Terms(expected=2), [("a.txt", 5), ("b.txt", None)])
        assert rows(tmp_path, "SELECT id FROM sessions") == [(channel.session.id,)]
        assert rows(tmp_path, "SELECT name, size, status FROM files ORDER BY position") == [
            ("a.txt", 5, "pending"),
            ("b.txt", None, "pending"),
        ]
        picture = await place.station.picture(channel.session.id)
        snapshot = picture.snapshot("now")
        assert (snapshot["category"], snapshot["seq"], snapshot["overallStatus"]) == ("scenic", 0, "pending")
        assert [file["originalName"] for file in snapshot["files"]] == ["a.txt", "b.txt"]
        assert events_in(tmp_path, channel.session.id) == []


@pytest.mark.gen_test
async def test_the_first_category_is_the_default_and_others_are_refused(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        assert (await place.station.open_session(None, Terms())).session.category == "personal"
        for other in ("other", "", "../personal", "Personal"):
            with pytest.raises(Refused) as refused:
                await place.station.open_session(other, Terms())
            assert refused.value.problem == Problem("VALIDATION_ERROR", "category must be one of: personal, scenic")


@pytest.mark.gen_test
async def test_the_files_of_all_sessions_together_have_a_bound(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_open_files=3) as place:
        channel = await place.open(("a.txt", 1), ("b.txt", 1))
        with pytest.raises(Refused) as refused:
            await place.station.open_session(None, Terms(), [("c.txt", 1), ("d.txt", 1)])
        assert refused.value.problem.code == "TOO_MANY_CONNECTIONS"
        assert refused.value.problem.retry_after
        await place.open(("c.txt", 1))
        await place.open()  # whoever names none is not kept out
        await place.station.orders.cancel(channel.session.id, None, "enough")
        await place.open(("d.txt", 1), ("e.txt", 1))


@pytest.mark.gen_test
async def test_too_many_files_or_sessions_open_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_files=2, max_sessions=1) as place:
        with pytest.raises(Refused) as refused:
            await place.station.open_session(None, Terms(), [("a.txt", 1)] * 3)
        assert refused.value.problem.code == "TOO_MANY_FILES"
        assert place.station.channels == {}
        channel = await place.open(("a.txt", 1))
        with pytest.raises(Refused) as refused:
            await place.station.open_session(None, Terms())
        assert refused.value.problem.code == "TOO_MANY_CONNECTIONS"
        assert refused.value.problem.retry_after
        await place.station.orders.cancel(channel.session.id, None, "enough")
        await place.station.open_session(None, Terms())


@pytest.mark.gen_test
@pytest.mark.parametrize(("full", "code"), [(True, "INSUFFICIENT_STORAGE"), (False, "SERVER_ERROR")])
async def test_a_session_that_cannot_be_recorded_does_not_exist(tmp_path: Path, full: bool, code: str) -> None:
    async with open_place(tmp_path) as place:
        place.journal.break_down(full=full)
        with pytest.raises(Refused) as refused:
            await place.station.open_session(None, Terms())
        assert refused.value.problem.code == code
        assert place.station.channels == {}
        assert place.station.health()["status"] == "unavailable"
        place.journal.mend()
        await place.station.open_session(None, Terms())
        assert place.station.health()["status"] == "ok"


# ---- finding ----


@pytest.mark.gen_test
async def test_unknown_and_impossible_ids_get_one_answer(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        await place.open(("a.txt", 5))
        answers = [await refusal(place, session_id) for session_id in (UNKNOWN, *IMPOSSIBLE)]
        assert answers == [{Problem("SESSION_NOT_FOUND")}] * len(answers)


@pytest.mark.gen_test
async def test_a_settled_session_leaves_memory_and_is_served_from_the_journal(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        session_id = channel.session.id
        live = await place.station.picture(session_id)
        assert live is channel.picture
        await place.raw(channel, "a.txt")
        await place.station.orders.cancel(session_id, file_of(channel, 1).id, "unwanted")
        assert place.station.channels == {}
        assert list(place.station.hub.watchers()) == []
        picture = await place.station.picture(session_id)
        assert picture is not live
        assert picture.snapshot("now") == live.snapshot("now")
        messages = await place.station.missed(session_id, 0, PAGE)
        assert [m.text for m in messages] == [m.text for m in place.listener.messages if m.lifecycle]
        for ask in (
            place.station.live(session_id),
            place.station.orders.cancel(session_id, None, "why"),
            place.station.orders.complete(session_id),
        ):
            with pytest.raises(Refused) as refused:
                await ask
            assert refused.value.problem == Problem("SESSION_CLOSED")


@pytest.mark.gen_test
async def test_a_picture_is_of_this_moment(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 1_000_000))
        attempt = channel.session.start(file_of(channel), 1_000_000, place.clock())
        await channel.committed()
        channel.session.advance(attempt, 1000, place.clock())
        channel.session.advance(attempt, 1000, place.clock())
        picture = await place.station.picture(channel.session.id)
        assert picture.files[attempt.file_id].uploaded == 2000


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
            await place.station.open_session(None, Terms())
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


# ---- handing over ----


@pytest.mark.gen_test
async def test_a_session_that_is_handed_over_has_a_code_until_it_is_over(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        station = place.station
        session = (await station.open_session(None, Terms(auto_complete=False))).session
        code = await station.hand_over(session.id)
        assert (await station.hand_over(session.id)).text == code.text
        assert len(station.codes) == 1
        await station.orders.complete(session.id)
        assert station.codes.redeem(code.text, place.clock().mono) is None
        for session_id, refused in ((session.id, "SESSION_CLOSED"), (UNKNOWN, "SESSION_NOT_FOUND")):
            with pytest.raises(Refused) as refusal:
                await station.hand_over(session_id)
            assert refusal.value.problem.code == refused


@pytest.mark.gen_test
async def test_a_session_whose_end_is_still_being_recorded_is_not_handed_over(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        session = (await place.station.open_session(None, Terms(auto_complete=False))).session
        session.close(place.clock())
        assert session.id in place.station.channels
        with pytest.raises(Refused) as refusal:
            await place.station.hand_over(session.id)
        assert refusal.value.problem.code == "SESSION_CLOSED"
        assert len(place.station.codes) == 0


@pytest.mark.gen_test
async def test_a_session_that_was_on_a_screen_for_hours_is_open_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_place(tmp_path, clock=clock) as place:
        session = (await place.station.open_session(None, Terms(auto_complete=False))).session
        for _ in range(600):
            clock.pass_by(30.0)
            await place.station.hand_over(session.id)
            place.station.channels[session.id].flush()
    clock.pass_by(60.0)
    async with open_place(tmp_path, clock=clock, recover=True) as place:
        assert not (await place.station.live(session.id)).session.settled
