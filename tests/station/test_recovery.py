"""What a start makes of a folder that a kill left: images of a running station's folder, taken at each point."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from station.berth import Berth
from station.channel import Channel
from station.errors import Problem, Refused
from station.events import Event
from station.file import Intent
from station.recovery import recover, sweep
from station.resting import GRACE
from station.resumption import Kind
from station.upload import Upload
from tests.station.places import (
    FakeClock,
    Listener,
    Place,
    crash_image,
    events_in,
    file_of,
    lines,
    new_id,
    open_place,
    rows,
    statuses,
    until,
)
from tests.station.resuming import begin, create, final_of, finished, gone, partial_of, send, send_part, tick

REPOSITORY = Path(__file__).resolve().parents[2]
BODY = bytes(range(256)) * 8
TEXT = lines(12_345)


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
        picture = await place.station.sessions.picture(session_id)
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
        messages = await place.station.sessions.missed(session_id, 0, 100)
        picture = await place.station.sessions.picture(session_id)
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
        picture = await again.station.sessions.picture(channel.session.id)
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
        live = again.heard(await again.station.sessions.live(channel.session.id))
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
        await place.station.orders.cancel(channel.session.id, None, "enough")
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
        channel = await place.station.sessions.open_implicit(None)
        hold = place.points.hold("write")
        sending = asyncio.create_task(place.raw(channel, "a.txt", BODY))
        await hold.reached()
        await channel.committed()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await sending
    async with open_place(image, clock=place.clock, recover=True) as again:
        live = again.heard(await again.station.sessions.live(channel.session.id))
        assert [file.status for file in live.picture.files.values()] == ["failed"]
        again.clock.pass_by(31)
        again.station.watch.tick()
        await again.listener.hears_the_last()
        assert again.listener.told[-1]["data"]["overallStatus"] == "failed"


@pytest.mark.gen_test
async def test_an_implicit_session_whose_request_never_started_a_file_ends_with_the_restart(tmp_path: Path) -> None:
    async def implicit(place: Place) -> Channel:
        return await place.station.sessions.open_implicit(None)

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
        live = again.heard(await again.station.sessions.live(channel.session.id))
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
        picture = await again.station.sessions.picture(channel.session.id)
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


async def channel_with(place: Place, intent: Intent | None) -> Channel:
    """A session whose one file was being sent, or published, when the station ended."""
    channel = await place.open(("a.txt", 5))
    session, moment = channel.session, place.clock()
    attempt = session.start(file_of(channel), 5, moment)
    session.advance(attempt, 5, moment)
    if intent is not None:
        session.seal(attempt, intent, moment)
    session.take_news()
    return channel


@pytest.mark.gen_test
@pytest.mark.parametrize("linked", [None, False, True])
async def test_recovering_ends_what_was_in_flight_once(tmp_path: Path, linked: bool | None) -> None:
    async with open_place(tmp_path) as place:
        part = place.disk.create_part("p", "none")
        part.write(b"hello")
        part.finish()
        channel = await channel_with(place, None if linked is None else Intent("p", "a.txt", None))
        if linked:
            place.disk.publish("p", "personal", "a.txt")
        assert recover(channel, place.disk, {}, place.clock()) == []
        names = [each.name for each in channel.session.take_news() if isinstance(each, Event)]
        assert names == (["upload-completed", "session-completed"] if linked else ["upload-failed"])
        assert recover(channel, place.disk, {}, place.clock()) == []
        assert channel.session.take_news() == []


@pytest.mark.gen_test
async def test_sweeping_spares_the_parts_that_unfinished_files_own(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        for name in ("owned", "of an upload", "orphan"):
            place.disk.create_part(name, "none").close()
        channel = await channel_with(place, Intent("owned", "a.txt", None))
        upload = Berth(Upload("of an upload"))
        sweep(place.disk, [channel.session], [upload])
        assert place.parts == ["of an upload", "owned"]
        sweep(place.disk, [], [upload])
        assert place.parts == ["of an upload"]
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
        await place.station.orders.complete(channel.session.id)
        return channel

    _, events, files = await open_kill_and_restart(tmp_path, claimed_then_closed, 1)
    assert events == ["upload-cancelled", "session-completed"]
    assert files == [("cancelled", 0)]


# ---- resumable uploads ----

SENT = 5000


async def interrupted(root: Path, state: str = "running", **options: Any) -> tuple[Path, str, str, FakeClock]:
    """The folder that a kill leaves when SENT bytes of an upload are safe; its session, its upload, the time.

    `state`: `running`, in a request; `resting`, between two; `paused`, `failed`; `pending`, without bytes.
    """
    async with open_place(root / "live", **options) as place:
        channel = await place.open(("a.txt", len(TEXT)))
        berth = await create(place, channel, len(TEXT))
        if state != "pending":
            await (send_part if state == "failed" else send)(place, berth, TEXT[:SENT])
        if state == "running":
            hold = place.points.hold("write")
            append = await begin(place, berth, TEXT[SENT : SENT + 100])
            ending = asyncio.create_task(append.end(whole=False, lull=Problem("NETWORK_ERROR")))
            await hold.reached()
        if state == "paused":
            await place.station.orders.pause(channel.session.id, None)
        if state == "failed":
            tick(place, GRACE)
        await channel.committed()
        image = crash_image(root / "live", root / "image")
        if state == "running":
            hold.release()
            await ending
    return image, channel.session.id, berth.upload.id, place.clock


def part_of(image: Path, upload_id: str) -> Path:
    return image / ".station" / "parts" / upload_id


@contextlib.asynccontextmanager
async def started_on(
    image: Path, clock: FakeClock, session_id: str, **options: Any
) -> AsyncIterator[tuple[Place, Channel]]:
    """A station that starts on the image, and is listened to from before that."""
    async with open_place(image, clock=clock, **options) as place:
        place.station.hub.join(session_id, place.listener)
        await place.station.start()
        yield place, place.station.channels[session_id]


async def completes(place: Place, upload_id: str) -> None:
    """What is missing is sent, and the file is what it should be."""
    berth = await place.station.shelf.find(upload_id)
    await send(place, berth, TEXT[berth.upload.offset :])
    await finished(berth)
    await place.listener.hears_the_last()
    assert list(place.stored().values()) == [TEXT]
    [completed] = place.listener.data("upload-completed")
    assert completed["fileSize"] == len(TEXT)
    assert completed["checksum"] == {"algorithm": "blake3", "value": blake3(TEXT).hexdigest()}
    [summary] = [each["summary"] for each in place.listener.data("session-completed")]
    assert summary["uploadedSize"] == len(TEXT), "every byte is counted once"
    await place.no_parts()


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["running", "resting"])
async def test_an_upload_goes_on_within_three_seconds_in_the_same_attempt(tmp_path: Path, state: str) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, state)
    async with started_on(image, clock, session_id) as (place, channel):
        assert place.listener.messages == [], "a restart by itself is no news"
        [shown] = (await place.station.sessions.picture(session_id)).files.values()
        assert (shown.status, shown.uploaded) == ("uploading", SENT)
        tick(place, GRACE - 0.01)
        assert statuses(channel.session.files) == ["uploading"]
        await completes(place, upload_id)
        assert place.listener.lifecycle == ["upload-completed", "session-completed"]
        assert min(each["uploadedBytes"] for each in place.listener.data("upload-progress")) >= SENT
    assert events_in(image, session_id) == ["upload-started", "upload-completed", "session-completed"]


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["running", "resting"])
async def test_an_upload_that_nobody_comes_back_for_fails_after_three_seconds(tmp_path: Path, state: str) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, state)
    async with started_on(image, clock, session_id) as (place, channel):
        tick(place, GRACE)
        failure = await place.listener.hears("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("NETWORK_ERROR", True)
        assert (failure["uploadedBytes"], failure["retryCount"]) == (SENT, 0)
        assert "retryUntil" in failure
        tick(place, 3600)
        assert not channel.session.settled
        await completes(place, upload_id)
        [started] = place.listener.data("upload-started")
        assert (started["attempt"], started["resumedFrom"]) == (2, SENT)
    wanted = ["upload-started", "upload-failed", "upload-started", "upload-completed", "session-completed"]
    assert events_in(image, session_id) == wanted


@pytest.mark.gen_test
async def test_what_was_paused_stays_so_and_says_so(tmp_path: Path) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, "paused")
    async with started_on(image, clock, session_id) as (place, channel):
        [told] = place.listener.told
        assert (told["event"], told["data"]["overallStatus"]) == ("upload-progress", "paused")
        assert (told["data"]["uploadedBytes"], told["data"]["currentFile"]["status"]) == (SENT, "paused")
        [shown] = (await place.station.sessions.picture(session_id)).files.values()
        assert (shown.status, shown.uploaded) == ("paused", SENT)
        tick(place, 3600)
        assert statuses(channel.session.files) == ["paused"]
        await completes(place, upload_id)
        assert place.listener.lifecycle == ["upload-completed", "session-completed"]


@pytest.mark.gen_test
async def test_what_was_resumed_before_the_kill_is_not_paused_after_it(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(("a.txt", len(TEXT)))
        berth = await create(place, channel, len(TEXT))
        await send(place, berth, TEXT[:SENT])
        await place.station.orders.pause(channel.session.id, None)
        await place.station.orders.resume(channel.session.id, None)
        image = crash_image(tmp_path / "live", tmp_path / "image")
    async with started_on(image, place.clock, channel.session.id) as (later, live):
        assert statuses(live.session.files) == ["uploading"]
        assert later.listener.messages == []


@pytest.mark.gen_test
async def test_what_had_failed_can_be_gone_on_with(tmp_path: Path) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, "failed")
    async with started_on(image, clock, session_id) as (place, _):
        tick(place, 3600)
        assert place.listener.messages == []
        [shown] = (await place.station.sessions.picture(session_id)).files.values()
        assert (shown.status, shown.uploaded, shown.can_retry) == ("failed", SENT, True)
        await completes(place, upload_id)
        assert place.listener.data("upload-started")[0]["resumedFrom"] == SENT


@pytest.mark.gen_test
async def test_what_had_not_begun_waits_on(tmp_path: Path) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, "pending")
    async with started_on(image, clock, session_id) as (place, channel):
        tick(place, 3600)
        assert place.listener.messages == []
        assert statuses(channel.session.files) == ["pending"]
        await completes(place, upload_id)
        assert place.listener.lifecycle == ["upload-started", "upload-completed", "session-completed"]


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["running", "resting", "paused", "failed", "pending"])
async def test_a_start_after_a_start_gives_the_same(tmp_path: Path, state: str) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, state)
    found = []
    for _ in range(3):
        async with started_on(image, clock, session_id) as (place, channel):
            berth = await place.station.shelf.find(upload_id)
            file = file_of(channel)
            told = [(each["event"], each["data"]["uploadedBytes"]) for each in place.listener.told]
            kept = (berth.upload.offset, berth.upload.expires_at, berth.upload.length)
            found.append((told, kept, str(file.status), file.received, file.attempt, events_in(image, session_id)))
            assert place.parts == [upload_id]
            assert part_of(image, upload_id).stat().st_size == berth.upload.offset
    assert found[1:] == found[:1] * 2
    async with started_on(image, clock, session_id) as (place, channel):
        await completes(place, upload_id)


@pytest.mark.gen_test
async def test_a_kill_while_it_starts_gives_the_same(tmp_path: Path) -> None:
    image, _, upload_id, clock = await interrupted(tmp_path, "failed")
    part_of(image, upload_id).unlink()
    images = [image]
    async with open_place(image, clock=clock) as place:
        place.watch_commits()
        hold = place.points.hold("commit")
        starting = asyncio.create_task(place.station.start())
        await hold.reached()
        images.append(crash_image(image, tmp_path / "middle"))
        hold.release()
        await starting
    for each in images:
        async with open_place(each, clock=clock, recover=True) as place:
            assert await gone(place, upload_id) == "lost"


# -- part files of theirs


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["running", "resting", "paused", "failed"])
async def test_a_part_that_is_longer_than_recorded_is_cut(tmp_path: Path, state: str) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, state)
    with part_of(image, upload_id).open("ab") as part:
        part.write(b"never acknowledged")
    async with started_on(image, clock, session_id) as (place, _):
        assert part_of(image, upload_id).read_bytes() == TEXT[:SENT]
        assert (await place.station.shelf.find(upload_id)).upload.offset == SENT
        await completes(place, upload_id)


@pytest.mark.gen_test
@pytest.mark.parametrize("lost", ["shorter", "missing"])
@pytest.mark.parametrize("state", ["running", "resting", "paused"])
async def test_a_part_that_lacks_what_was_recorded_is_gone_and_its_attempt_failed(
    tmp_path: Path, state: str, lost: str
) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, state)
    lose(part_of(image, upload_id), lost)
    async with started_on(image, clock, session_id) as (place, channel):
        failure = await place.listener.hears("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("SERVER_ERROR", True)
        await is_gone(place, channel, upload_id)


def lose(part: Path, how: str) -> None:
    if how == "missing":
        part.unlink()
    else:
        os.truncate(part, SENT - 1)


async def is_gone(place: Place, channel: Channel, upload_id: str) -> None:
    """The upload cannot be gone on with, its bytes are freed, and the file can be sent from the beginning."""
    assert await gone(place, upload_id) == "lost"
    found = await place.station.shelf.find(upload_id)
    with pytest.raises(Refused) as refusal:
        await found.free()
    assert refusal.value.problem.code == "UPLOAD_GONE"
    assert place.parts == []
    tick(place, 1)
    assert statuses(channel.session.files) == ["failed"]
    again = await create(place, channel, len(TEXT))
    assert again.file is file_of(channel)
    await send(place, again, TEXT)
    await finished(again)
    assert "resumedFrom" not in place.listener.data("upload-started")[-1]
    assert list(place.stored().values()) == [TEXT]


@pytest.mark.gen_test
@pytest.mark.parametrize("lost", ["shorter", "missing"])
async def test_a_failed_file_whose_part_is_lost_waits_only_for_the_grace_of_a_retry(tmp_path: Path, lost: str) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, "failed")
    lose(part_of(image, upload_id), lost)
    async with started_on(image, clock, session_id) as (place, channel):
        assert place.listener.messages == []
        await is_gone(place, channel, upload_id)


@pytest.mark.gen_test
async def test_a_failed_file_whose_part_is_lost_does_not_hold_its_session(tmp_path: Path) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, "failed")
    part_of(image, upload_id).unlink()
    async with started_on(image, clock, session_id) as (place, channel):
        tick(place, 29)
        assert not channel.session.settled
        tick(place, 2)
        await place.listener.hears_the_last()
        assert place.listener.told[-1]["data"]["overallStatus"] == "failed"


@pytest.mark.gen_test
async def test_a_pending_file_whose_part_is_lost_says_so(tmp_path: Path) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, "pending")
    part_of(image, upload_id).unlink()
    async with started_on(image, clock, session_id) as (place, channel):
        failure = await place.listener.hears("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("SERVER_ERROR", True)
        await is_gone(place, channel, upload_id)


@pytest.mark.gen_test
async def test_partials_are_kept_cut_and_lost_like_others(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        kept, longer, shorter, missing = [await partial_of(place, TEXT) for _ in range(4)]
        half = await create(place, None, len(TEXT), kind=Kind.PARTIAL)
        await send(place, half, TEXT[:SENT])
        image = crash_image(tmp_path / "live", tmp_path / "image")
    with part_of(image, longer.upload.id).open("ab") as part:
        part.write(b"more")
    os.truncate(part_of(image, shorter.upload.id), len(TEXT) - 1)
    part_of(image, missing.upload.id).unlink()
    async with open_place(image, clock=place.clock, recover=True) as later:
        for berth, fate in ((kept, None), (longer, None), (half, None), (shorter, "lost"), (missing, "lost")):
            assert await gone(later, berth.upload.id) == fate
        assert later.parts == sorted(berth.upload.id for berth in (kept, longer, half))
        found = await later.station.shelf.find(half.upload.id)
        await send(later, found, TEXT[SENT:])
        assert found.upload.closed
        whole = await final_of(later, None, kept, longer, half)
        await finished(whole)
        assert list(later.stored().values()) == [TEXT * 3]


# -- time


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["running", "paused", "failed", "pending"])
async def test_an_upload_expires_by_wall_time_over_restarts(tmp_path: Path, state: str) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, state)
    later = FakeClock(mono=5.0, wall=clock.wall + 12 * 3600)
    async with started_on(image, later, session_id) as (place, channel):
        tick(place, 0)
        assert await gone(place, upload_id) is None
        left = 12 * 3600 - (GRACE if state == "failed" else 0)
        assert file_of(channel).expires_at == pytest.approx(later.mono + left)
    later = FakeClock(mono=7000.0, wall=clock.wall + 24 * 3600 - (GRACE if state == "failed" else 0) - 1)
    async with started_on(image, later, session_id) as (place, channel):
        assert await gone(place, upload_id) is None
        assert not channel.session.settled
        tick(place, 1)
        await place.listener.hears_the_last()
        assert place.listener.lifecycle[-2:] == ["upload-cancelled", "session-completed"]
        assert place.listener.data("upload-cancelled")[0]["reason"] == "expired"
        assert await gone(place, upload_id) == "expired"
        await place.no_parts()


@pytest.mark.gen_test
async def test_what_expired_while_the_station_was_off_is_cancelled_by_the_start(tmp_path: Path) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, "paused")
    clock.pass_by(24 * 3600)
    for _ in range(2):
        async with open_place(image, clock=clock, recover=True) as place:
            assert events_in(image, session_id) == ["upload-started", "upload-cancelled", "session-completed"]
            assert place.station.channels == {}
            tick(place)
            await place.no_parts()
            assert await gone(place, upload_id) in {"expired", "cancelled"}


@pytest.mark.gen_test
async def test_what_has_all_its_bytes_is_stored_however_long_the_station_was_off(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(("a.txt", len(TEXT)))
        berth = await create(place, channel, len(TEXT))
        hold = place.points.hold("link")
        await send(place, berth, TEXT)
        await hold.reached()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await finished(berth)
    place.clock.pass_by(100 * 3600)
    async with open_place(image, clock=place.clock, recover=True) as later:
        await until(lambda: not later.station.channels)
        assert list(later.stored().values()) == [TEXT]


@pytest.mark.gen_test
async def test_a_wall_clock_set_back_keeps_an_upload(tmp_path: Path) -> None:
    image, session_id, upload_id, clock = await interrupted(tmp_path, "paused")
    early = FakeClock(mono=5.0, wall=clock.wall - 10_000_000)
    async with started_on(image, early, session_id) as (place, channel):
        assert file_of(channel).expires_at == pytest.approx(5.0 + 24 * 3600)
        await completes(place, upload_id)


# -- journals of the first version


def as_first_version(image: Path) -> None:
    """What the first version of the station would have left: no uploads, and files that know nothing of them."""
    first = {"meta", "sessions", "files", "events", "sqlite_sequence"}
    old = {"sessions_by_end", "files_by_session", "one_ending_per_attempt", "one_end_per_session"}
    connection = sqlite3.connect(image / ".station" / "journal.db")
    shapes = connection.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type").fetchall()
    for kind, name in shapes:
        if name not in (first if kind == "table" else old):
            connection.execute(f"DROP {kind} IF EXISTS {name}")
    connection.execute("ALTER TABLE files DROP COLUMN ended_at")
    connection.execute("UPDATE files SET kept=json_remove(kept, '$.upload')")
    connection.execute("UPDATE events SET text=json_remove(text, '$.data.uploadedBytes') WHERE name='upload-failed'")
    connection.execute("PRAGMA user_version=1")
    connection.commit()
    connection.close()


@pytest.mark.gen_test
async def test_a_journal_of_the_first_version_is_gone_on_with(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        failed = await one_failed(place)
        settled = await place.open(("b.txt", 5))
        await place.raw(settled, "b.txt")
        running = await place.open(("c.txt", len(BODY)))
        hold = place.points.hold("write")
        sending = asyncio.create_task(place.raw(running, "c.txt", BODY))
        await hold.reached()
        await running.committed()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await sending
    as_first_version(image)
    async with open_place(image, clock=place.clock, recover=True) as later:
        assert later.parts == []
        assert events_in(image, running.session.id) == ["upload-started", "upload-failed"]
        assert (await later.station.sessions.picture(settled.session.id)).overall_status == "completed"
        for channel, body in ((failed, b"hello"), (running, BODY)):
            live = await later.station.sessions.live(channel.session.id)
            [file] = live.session.files.values()
            berth = await create(later, live, len(body), file.name)
            assert berth.file is file, "and what waits for a retry can be sent resumably now"
            await send(later, berth, body)
            await finished(berth)
        assert sorted(later.stored().values()) == sorted([b"hello", b"hello", BODY])


# -- sessions that end


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["running", "paused"])
async def test_a_session_that_was_closing_ends_with_what_runs(tmp_path: Path, state: str) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(("a.txt", len(TEXT)))
        berth = await create(place, channel, len(TEXT))
        await send(place, berth, TEXT[:SENT])
        if state == "running":
            await place.station.orders.complete(channel.session.id)
        else:
            await place.station.orders.pause(channel.session.id, None)
            channel.session.terms.closing = True  # as if the kill had come in the middle of the order
            channel.save()
        await channel.committed()
        image = crash_image(tmp_path / "live", tmp_path / "image")
    async with open_place(image, clock=place.clock, recover=True) as later:
        if state == "running":
            tick(later, GRACE)
        await until(lambda: not later.station.channels)
        wanted = "upload-failed" if state == "running" else "upload-cancelled"
        assert events_in(image, channel.session.id) == ["upload-started", wanted, "session-completed"]
        tick(later)
        await later.no_parts()


@pytest.mark.gen_test
async def test_what_was_cancelled_but_not_yet_freed_is_freed_by_the_start(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(("a.txt", len(TEXT)))
        berth = await create(place, channel, len(TEXT))
        await send(place, berth, TEXT[:SENT])
        hold = place.points.hold("drop")
        await place.station.orders.cancel(channel.session.id, None, "why")
        await hold.reached()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
    async with open_place(image, clock=place.clock, recover=True) as later:
        assert later.parts == []
        assert await gone(later, berth.upload.id) == "cancelled"


@pytest.mark.gen_test
async def test_many_uploads_are_recovered_in_one_start(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(*((f"{n}.txt", len(TEXT)) for n in range(30)))
        for n in range(30):
            berth = await create(place, channel, len(TEXT), f"{n}.txt")
            await send(place, berth, TEXT[: n * 100])
        image = crash_image(tmp_path / "live", tmp_path / "image")
    async with started_on(image, place.clock, channel.session.id) as (later, live):
        for n, file in enumerate(live.session.files.values()):
            found = await later.station.shelf.find(file.upload or "")
            assert found.upload.offset == n * 100
            await send(later, found, TEXT[n * 100 :])
        await later.listener.hears_the_last()
        assert list(later.stored().values()) == [TEXT] * 30
