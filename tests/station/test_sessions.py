"""The sessions that are open: opening, finding, handing over."""

from __future__ import annotations

from pathlib import Path

import pytest

from station.errors import Problem, Refused
from station.sessions import PAGE
from station.settling import Terms
from tests.station.places import IMPOSSIBLE, UNKNOWN, FakeClock, Place, events_in, file_of, open_place, rows


async def refusal(place: Place, session_id: str) -> set[Problem]:
    """What each way of asking for a session is answered."""
    found = set()
    station = place.station
    for ask in (
        lambda: station.sessions.live(session_id),
        lambda: station.sessions.picture(session_id),
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
        channel = await place.station.sessions.open("scenic", Terms(expected=2), [("a.txt", 5), ("b.txt", None)])
        assert rows(tmp_path, "SELECT id FROM sessions") == [(channel.session.id,)]
        assert rows(tmp_path, "SELECT name, size, status FROM files ORDER BY position") == [
            ("a.txt", 5, "pending"),
            ("b.txt", None, "pending"),
        ]
        picture = await place.station.sessions.picture(channel.session.id)
        snapshot = picture.snapshot("now")
        assert (snapshot["category"], snapshot["seq"], snapshot["overallStatus"]) == ("scenic", 0, "pending")
        assert [file["originalName"] for file in snapshot["files"]] == ["a.txt", "b.txt"]
        assert events_in(tmp_path, channel.session.id) == []


@pytest.mark.gen_test
async def test_the_first_category_is_the_default_and_others_are_refused(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        assert (await place.station.sessions.open(None, Terms())).session.category == "personal"
        for other in ("other", "", "../personal", "Personal"):
            with pytest.raises(Refused) as refused:
                await place.station.sessions.open(other, Terms())
            assert refused.value.problem == Problem("VALIDATION_ERROR", "category must be one of: personal, scenic")


@pytest.mark.gen_test
async def test_the_files_of_all_sessions_together_have_a_bound(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_open_files=3) as place:
        channel = await place.open(("a.txt", 1), ("b.txt", 1))
        with pytest.raises(Refused) as refused:
            await place.station.sessions.open(None, Terms(), [("c.txt", 1), ("d.txt", 1)])
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
            await place.station.sessions.open(None, Terms(), [("a.txt", 1)] * 3)
        assert refused.value.problem.code == "TOO_MANY_FILES"
        assert place.station.channels == {}
        channel = await place.open(("a.txt", 1))
        with pytest.raises(Refused) as refused:
            await place.station.sessions.open(None, Terms())
        assert refused.value.problem.code == "TOO_MANY_CONNECTIONS"
        assert refused.value.problem.retry_after
        await place.station.orders.cancel(channel.session.id, None, "enough")
        await place.station.sessions.open(None, Terms())


@pytest.mark.gen_test
@pytest.mark.parametrize(("full", "code"), [(True, "INSUFFICIENT_STORAGE"), (False, "SERVER_ERROR")])
async def test_a_session_that_cannot_be_recorded_does_not_exist(tmp_path: Path, full: bool, code: str) -> None:
    async with open_place(tmp_path) as place:
        place.journal.break_down(full=full)
        with pytest.raises(Refused) as refused:
            await place.station.sessions.open(None, Terms())
        assert refused.value.problem.code == code
        assert place.station.channels == {}
        assert place.station.health()["status"] == "unavailable"
        place.journal.mend()
        await place.station.sessions.open(None, Terms())
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
        live = await place.station.sessions.picture(session_id)
        assert live is channel.picture
        await place.raw(channel, "a.txt")
        await place.station.orders.cancel(session_id, file_of(channel, 1).id, "unwanted")
        assert place.station.channels == {}
        assert list(place.station.hub.watchers()) == []
        picture = await place.station.sessions.picture(session_id)
        assert picture is not live
        assert picture.snapshot("now") == live.snapshot("now")
        messages = await place.station.sessions.missed(session_id, 0, PAGE)
        assert [m.text for m in messages] == [m.text for m in place.listener.messages if m.lifecycle]
        for ask in (
            place.station.sessions.live(session_id),
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
        picture = await place.station.sessions.picture(channel.session.id)
        assert picture.files[attempt.file_id].uploaded == 2000


# ---- handing over ----


@pytest.mark.gen_test
async def test_a_session_that_is_handed_over_has_a_code_until_it_is_over(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        station = place.station
        session = (await station.sessions.open(None, Terms(auto_complete=False))).session
        code = await station.sessions.hand_over(session.id)
        assert (await station.sessions.hand_over(session.id)).text == code.text
        assert len(station.codes) == 1
        await station.orders.complete(session.id)
        assert station.codes.redeem(code.text, place.clock().mono) is None
        for session_id, refused in ((session.id, "SESSION_CLOSED"), (UNKNOWN, "SESSION_NOT_FOUND")):
            with pytest.raises(Refused) as refusal:
                await station.sessions.hand_over(session_id)
            assert refusal.value.problem.code == refused


@pytest.mark.gen_test
async def test_a_session_whose_end_is_still_being_recorded_is_not_handed_over(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        session = (await place.station.sessions.open(None, Terms(auto_complete=False))).session
        session.close(place.clock())
        assert session.id in place.station.channels
        with pytest.raises(Refused) as refusal:
            await place.station.sessions.hand_over(session.id)
        assert refusal.value.problem.code == "SESSION_CLOSED"
        assert len(place.station.codes) == 0


@pytest.mark.gen_test
async def test_a_session_that_was_on_a_screen_for_hours_is_open_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_place(tmp_path, clock=clock) as place:
        session = (await place.station.sessions.open(None, Terms(auto_complete=False))).session
        for _ in range(600):
            clock.pass_by(30.0)
            await place.station.sessions.hand_over(session.id)
            place.station.channels[session.id].flush()
    clock.pass_by(60.0)
    async with open_place(tmp_path, clock=clock, recover=True) as place:
        assert not (await place.station.sessions.live(session.id)).session.settled
