"""What a start makes of a folder that a kill left: images of a running station's folder, taken at each point."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from station.channel import Channel
from station.clock import Moment
from station.errors import Problem
from station.events import Event
from station.file import Intent
from station.recovery import recover, sweep
from station.session import Session
from station.settling import Terms
from tests.station.places import (
    FakeClock,
    Listener,
    Place,
    config,
    crash_image,
    events_in,
    file_of,
    new_id,
    open_place,
    rows,
)

REPOSITORY = Path(__file__).resolve().parents[2]
BODY = bytes(range(256)) * 8


async def image_at(root: Path, point: str, nth: int = 1, *, commits: bool = False) -> tuple[Path, str, FakeClock]:
    """Kill a station when an upload of one announced file reaches `point` for the nth time; the folder it leaves."""
    async with open_place(root / "live") as place:
        channel = await place.open(("a.txt", len(BODY)))
        if commits:
            place.watch_commits()
        hold = place.points.hold(point)
        sending = asyncio.create_task(place.raw(channel, "a.txt", BODY))
        for _ in range(nth - 1):
            await hold.reached()
            following = place.points.hold(point)
            hold.release()
            hold = following
        await hold.reached()
        image = crash_image(root / "live", root / "image")
        hold.release()
        await sending
        return image, channel.session.id, place.clock


async def restarted(image: Path, clock: FakeClock, session_id: str) -> dict[str, object]:
    """What a station says of the session after a start: its snapshot's lifecycle, its events, what is on disk."""
    async with open_place(image, clock=clock, recover=True) as place:
        picture = await place.station.picture(session_id)
        return {
            "status": picture.overall_status,
            "files": [(file.status, file.attempt, file.retries) for file in picture.files.values()],
            "events": events_in(image, session_id),
            "seq": picture.seq,
            "stored": list(place.stored().values()),
            "parts": place.parts,
            "epoch": picture.epoch,
        }


FAILED = {
    "status": "uploading",
    "files": [("failed", 1, 0)],
    "events": ["upload-started", "upload-failed"],
    "seq": 2,
    "stored": [],
    "parts": [],
}
COMPLETED = {
    "status": "completed",
    "files": [("completed", 1, 0)],
    "events": ["upload-started", "upload-completed", "session-completed"],
    "seq": 3,
    "stored": [BODY],
    "parts": [],
}


def without_epoch(found: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in found.items() if name != "epoch"}


# ---- a kill at each step ----


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("point", "nth", "commits", "wanted"),
    [
        ("fsync", 1, False, FAILED),
        ("link", 1, False, FAILED),
        ("folder", 1, False, COMPLETED),
        ("drop", 1, False, COMPLETED),
        ("commit", 2, True, FAILED),
        ("commit", 3, True, COMPLETED),
    ],
    ids=["before sync", "before link", "linked", "before the part goes", "before intent", "before completion"],
)
async def test_a_kill_at_a_step_gives_the_contracts_outcome_each_time(
    tmp_path: Path, point: str, nth: int, commits: bool, wanted: dict[str, object]
) -> None:
    image, session_id, clock = await image_at(tmp_path, point, nth, commits=commits)
    if wanted["events"] == FAILED["events"] and events_in(image, session_id) == []:
        pytest.fail("the start was not recorded yet: the image is of another moment")
    again = crash_image(image, tmp_path / "again")
    first = await restarted(image, clock, session_id)
    assert without_epoch(first) == wanted
    assert await restarted(image, clock, session_id) == first, "recovered twice is recovered once"
    assert await restarted(again, clock, session_id) == first, "and so is another copy"


@pytest.mark.gen_test
async def test_a_kill_in_the_middle_of_recovery_gives_the_same(tmp_path: Path) -> None:
    image, session_id, clock = await image_at(tmp_path, "folder")
    async with open_place(image, clock=clock) as place:
        place.watch_commits()
        hold = place.points.hold("commit")
        starting = asyncio.create_task(place.station.start())
        await hold.reached()
        middle = crash_image(image, tmp_path / "middle")
        hold.release()
        await starting
        late = crash_image(image, tmp_path / "late")
    for each in (middle, late):
        assert without_epoch(await restarted(each, clock, session_id)) == COMPLETED


@pytest.mark.gen_test
async def test_a_file_that_was_visible_and_whose_part_is_gone_is_completed(tmp_path: Path) -> None:
    image, session_id, clock = await image_at(tmp_path, "folder")
    for part in (image / ".station" / "parts").iterdir():
        part.unlink()
    assert without_epoch(await restarted(image, clock, session_id)) == COMPLETED


@pytest.mark.gen_test
async def test_a_stranger_under_the_intended_name_is_not_taken_for_the_file(tmp_path: Path) -> None:
    image, session_id, clock = await image_at(tmp_path, "link")
    [kept] = rows(image, "SELECT json_extract(kept, '$.intent[1]') FROM files")
    (image / "personal" / kept[0]).write_bytes(b"stranger")
    found = await restarted(image, clock, session_id)
    assert without_epoch(found) == {**FAILED, "stored": [b"stranger"]}


@pytest.mark.gen_test
async def test_a_completion_after_a_restart_is_told_as_any_other(tmp_path: Path) -> None:
    image, session_id, clock = await image_at(tmp_path, "folder")
    async with open_place(image, clock=clock, recover=True) as place:
        messages = await place.station.missed(session_id, 0, 100)
        picture = await place.station.picture(session_id)
        [file] = picture.files.values()
        completed = [message.text for message in messages if message.event == "upload-completed"]
        assert len(completed) == 1
        assert file.path == f"/upload/personal/{next(iter(place.stored()))}"
        assert '"checksum":{"algorithm":"blake3"' in completed[0]
        assert picture.summary is not None
        assert picture.summary["uploadedSize"] == len(BODY)


# ---- sessions in other states ----


async def open_kill_and_restart(
    root: Path, before: Callable[[Place], Awaitable[Channel]], after: float = 0.0, **options: Any
) -> tuple[Place, list[str], list[tuple[str, int]]]:
    async with open_place(root / "live", **options) as place:
        channel = await before(place)
        await channel.committed()
        image = crash_image(root / "live", root / "image")
    clock = place.clock
    clock.pass_by(after)
    async with open_place(image, clock=clock, recover=True, **options) as again:
        picture = await again.station.picture(channel.session.id)
        files = [(file.status, file.retries) for file in picture.files.values()]
        return again, events_in(image, channel.session.id), files


@pytest.mark.gen_test
async def test_pending_files_just_wait_on(tmp_path: Path) -> None:
    _, events, files = await open_kill_and_restart(tmp_path, lambda place: place.open(("a.txt", 5), ("b.txt", None)))
    assert (events, files) == ([], [("pending", 0)] * 2)


async def one_failed(place: Place) -> Channel:
    channel = await place.open(("a.txt", 5))
    intake = await place.raw_open(channel)
    await intake.feed(b"h")
    intake.abort(Problem("NETWORK_ERROR"))
    await intake.close()
    return channel


@pytest.mark.gen_test
@pytest.mark.parametrize(("after", "over"), [(0, False), (29, False), (31, True)])
async def test_a_file_that_waits_for_a_retry_waits_for_the_rest_of_its_grace(
    tmp_path: Path, after: float, over: bool
) -> None:
    _, events, files = await open_kill_and_restart(tmp_path, one_failed, after)
    assert files == [("failed", 0)]
    assert events == ["upload-started", "upload-failed", *(["session-completed"] if over else [])]


@pytest.mark.gen_test
async def test_a_retry_after_the_restart_goes_on_with_the_count(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await one_failed(place)
        image = crash_image(tmp_path / "live", tmp_path / "image")
    async with open_place(image, clock=place.clock, recover=True) as again:
        live = again.heard(await again.station.live(channel.session.id))
        again.points.fail("write", 5)
        assert (await again.raw(live)).stored == 0
        assert (await again.listener.hears("upload-failed"))["retryCount"] == 1
        assert (await again.raw(live)).stored == 1
        await again.listener.hears_the_last()
        numbers = [message.seq for message in again.listener.messages if message.lifecycle]
        assert numbers == list(range(3, 3 + len(numbers)))


@pytest.mark.gen_test
async def test_a_retry_count_that_is_used_up_stays_so(tmp_path: Path) -> None:
    async def used_up(place: Place) -> Channel:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        for _ in range(2):
            place.points.fail("write", 5)
            await place.raw(channel)
        hold = place.points.hold("write")
        task = asyncio.create_task(place.raw(channel))
        await hold.reached()
        task.add_done_callback(lambda _: None)
        return channel

    _, events, files = await open_kill_and_restart(tmp_path, used_up, max_retries=2)
    assert files == [("failed", 2), ("pending", 0)]
    assert events.count("upload-failed") == 3


@pytest.mark.gen_test
async def test_a_cancelled_session_whose_file_was_being_published_completes_it_and_settles(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(("a.txt", len(BODY)), ("b.txt", 5))
        hold = place.points.hold("folder")
        sending = asyncio.create_task(place.raw(channel, "a.txt", BODY))
        await hold.reached()
        await place.station.cancel(channel.session.id, None, "enough")
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await sending
        await place.listener.hears_the_last()
    found = await restarted(image, place.clock, channel.session.id)
    assert found["status"] == "cancelled"
    assert found["files"] == [("completed", 1, 0), ("cancelled", 0, 0)]
    assert found["stored"] == [BODY]
    assert found["events"] == place.listener.lifecycle


@pytest.mark.gen_test
async def test_a_settled_session_is_only_read(tmp_path: Path) -> None:
    async def settled(place: Place) -> Channel:
        channel = await place.open(("a.txt", 5))
        await place.raw(channel)
        return channel

    again, events, files = await open_kill_and_restart(tmp_path, settled)
    assert events == ["upload-started", "upload-completed", "session-completed"]
    assert files == [("completed", 0)]
    assert again.station.channels == {}


@pytest.mark.gen_test
async def test_an_implicit_session_settles_by_the_rules_after_a_restart(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.station.open_implicit(None)
        hold = place.points.hold("write")
        sending = asyncio.create_task(place.raw(channel, "a.txt", BODY))
        await hold.reached()
        await channel.committed()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await sending
    async with open_place(image, clock=place.clock, recover=True) as again:
        live = again.heard(await again.station.live(channel.session.id))
        assert [file.status for file in live.picture.files.values()] == ["failed"]
        again.clock.pass_by(31)
        again.station.watch.tick()
        await again.listener.hears_the_last()
        assert again.listener.told[-1]["data"]["overallStatus"] == "failed"


@pytest.mark.gen_test
async def test_an_implicit_session_whose_request_never_started_a_file_ends_with_the_restart(tmp_path: Path) -> None:
    async def implicit(place: Place) -> Channel:
        return await place.station.open_implicit(None)

    again, events, files = await open_kill_and_restart(tmp_path, implicit)
    assert (events, files) == (["session-completed"], [])
    assert again.station.channels == {}


@pytest.mark.gen_test
async def test_an_open_ended_session_rests_for_its_linger_after_a_restart(tmp_path: Path) -> None:
    async def open_ended(place: Place) -> Channel:
        channel = await place.open()
        await place.raw(channel)
        return channel

    _, events, _ = await open_kill_and_restart(tmp_path / "soon", open_ended, 1.0)
    assert events == ["upload-started", "upload-completed"]
    _, events, _ = await open_kill_and_restart(tmp_path / "late", open_ended, 3.0)
    assert events == ["upload-started", "upload-completed", "session-completed"]


# ---- the clock ----


@pytest.mark.gen_test
async def test_a_wall_clock_set_back_before_the_start_counts_as_no_time_passed(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await one_failed(place)
        image = crash_image(tmp_path / "live", tmp_path / "image")
    clock = FakeClock(mono=5.0, wall=place.clock.wall - 10_000_000)
    async with open_place(image, clock=clock, recover=True) as again:
        live = again.heard(await again.station.live(channel.session.id))
        file = file_of(live)
        assert file.retry_until == pytest.approx(5.0 + 30.0)
        clock.pass_by(29)
        again.station.watch.tick()
        assert not live.session.settled
        clock.pass_by(2)
        again.station.watch.tick()
        await again.listener.hears_the_last()


@pytest.mark.gen_test
async def test_a_long_standstill_counts_from_wall_time(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(("a.txt", 5))
        image = crash_image(tmp_path / "live", tmp_path / "image")
    clock = FakeClock(mono=5.0, wall=place.clock.wall + 3600)
    async with open_place(image, clock=clock, recover=True) as again:
        picture = await again.station.picture(channel.session.id)
        assert picture.overall_status == "cancelled"
        assert events_in(image, channel.session.id) == ["upload-cancelled", "session-completed"]


# ---- part files ----


@pytest.mark.gen_test
async def test_part_files_without_an_owner_go_and_finished_files_never_do(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        await place.raw(channel)
    parts = tmp_path / ".station" / "parts"
    for name in ("orphan", new_id(), "x.part"):
        (parts / name).write_bytes(b"left")
    foreign = tmp_path / "personal" / "from somebody else.txt"
    foreign.write_bytes(b"foreign")
    async with open_place(tmp_path, recover=True) as place:
        assert place.parts == []
        assert sorted(place.stored().values()) == [b"foreign", b"hello"]


@pytest.mark.gen_test
async def test_no_part_goes_before_the_completion_is_recorded(tmp_path: Path) -> None:
    image, _, clock = await image_at(tmp_path, "folder")
    async with open_place(image, clock=clock) as place:
        place.watch_commits()
        hold = place.points.hold("commit")
        starting = asyncio.create_task(place.station.start())
        await hold.reached()
        assert len(place.parts) == 1
        hold.release()
        await starting
        assert place.parts == []


# ---- the verbs by themselves ----


def session_with(moment: Moment, root: Path, intent: Intent | None) -> Session:
    session = Session(new_id(), "personal", config(root), moment, Terms(expected=1))
    attempt = session.start(session.announce(new_id(), "a.txt", 5), 5, moment)
    session.advance(attempt, 5, moment)
    if intent is not None:
        session.seal(attempt, intent, moment)
    session.take_news()
    return session


@pytest.mark.gen_test
@pytest.mark.parametrize("linked", [None, False, True])
async def test_recovering_ends_what_was_in_flight_once(tmp_path: Path, linked: bool | None) -> None:
    async with open_place(tmp_path) as place:
        part = place.disk.create_part("p", "none")
        part.write(b"hello")
        part.finish()
        session = session_with(place.clock(), tmp_path, None if linked is None else Intent("p", "a.txt", None))
        if linked:
            place.disk.publish("p", "personal", "a.txt")
        recover(session, place.disk, place.clock())
        names = [each.name for each in session.take_news() if isinstance(each, Event)]
        assert names == (["upload-completed", "session-completed"] if linked else ["upload-failed"])
        recover(session, place.disk, place.clock())
        assert session.take_news() == []


@pytest.mark.gen_test
async def test_sweeping_spares_the_parts_that_unfinished_files_own(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        for name in ("owned", "orphan"):
            place.disk.create_part(name, "none").close()
        session = session_with(place.clock(), tmp_path, Intent("owned", "a.txt", None))
        sweep(place.disk, [session])
        assert place.parts == ["owned"]
        sweep(place.disk, [])
        assert place.parts == []


@pytest.mark.gen_test
async def test_many_sessions_are_recovered_in_one_start(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channels = [await place.open(("a.txt", 5), ("b.txt", 5)) for _ in range(50)]
        await asyncio.gather(*(place.raw(channel) for channel in channels))
        image = crash_image(tmp_path / "live", tmp_path / "image")
    async with open_place(image, clock=place.clock, recover=True) as again:
        assert len(again.station.channels) == 50
        listener = Listener()
        for channel in list(again.station.channels.values()):
            again.heard(channel, listener)
            assert (await again.raw(channel, "b.txt")).stored == 1
        assert again.station.channels == {}
        assert len(again.stored()) == 100
        assert os.listdir(image / ".station" / "parts") == []


@pytest.mark.gen_test
async def test_a_file_that_a_request_had_claimed_before_complete_is_cancelled_after_the_restart(tmp_path: Path) -> None:
    async def claimed_then_closed(place: Place) -> Channel:
        channel = await place.open(("a.txt", 5))
        await place.raw_open(channel)
        await place.station.complete(channel.session.id)
        return channel

    _, events, files = await open_kill_and_restart(tmp_path, claimed_then_closed, 1)
    assert events == ["upload-cancelled", "session-completed"]
    assert files == [("cancelled", 0)]
