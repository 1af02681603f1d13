"""What may be ordered about resumable uploads: pause, resume, remove, cancel, complete; and when that is done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from station import orders as room
from station.errors import Problem, Refused
from station.file import Status
from station.resting import GRACE
from station.resumption import Kind
from tests.station.places import (
    assert_rules_hold,
    crash_image,
    events_in,
    file_of,
    new_id,
    open_place,
    rows,
    statuses,
    until,
)
from tests.station.resuming import (
    BODY,
    begin,
    create,
    finished,
    gone,
    partial_of,
    send,
    send_part,
    stored,
    tick,
    upload,
)


async def problem_of(order: object) -> Problem:
    with pytest.raises(Refused) as refusal:
        await order  # type: ignore[misc]
    return refusal.value.problem


# ---- pause ----


@pytest.mark.gen_test
async def test_a_pause_ends_the_running_request_first_and_counts_what_came(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        append = await begin(place, berth, BODY[:5000], content_length=len(BODY))
        ended: list[bool] = []
        append.on_over = lambda: ended.append(append.paused)
        hold = place.points.hold("fsync")
        pausing = asyncio.create_task(place.station.orders.pause(channel.session.id, file_of(channel).id))
        await hold.reached()
        assert ended == [True], "it hears of it at once"
        assert statuses(channel.session.files) == ["uploading"], "but does not rest before all is counted"
        hold.release()
        await pausing
        assert append.released.is_set()
        assert append.problem is None, "that is no failure"
        assert berth.upload.offset == 5000
        assert statuses(channel.session.files) == ["paused"]
        told = place.listener.told[-1]
        assert told["event"] == "upload-progress"
        assert told["data"]["overallStatus"] == "paused"
        assert told["data"]["currentFile"]["status"] == "paused"
        assert (told["data"]["uploadedBytes"], told["data"]["speed"]) == (5000, 0)
        assert place.listener.lifecycle == ["upload-started"]


@pytest.mark.gen_test
async def test_a_paused_file_stays_so_until_bytes_come_in_the_same_attempt(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        await send_part(place, berth, BODY[:5000])
        await place.station.orders.pause(channel.session.id, file_of(channel).id)
        tick(place, 3600)
        assert statuses(channel.session.files) == ["paused"], "the broken connection is forgotten"
        await send(place, berth, BODY[5000:])
        await stored(place, berth)
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-started", "upload-completed", "session-completed"]
        [completed] = place.listener.data("upload-completed")
        assert completed["duration"] < 3600, "the rest is not counted"
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_a_pause_without_a_file_rests_all_that_run(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        for name in ("a.txt", "b.txt"):
            await begin(place, await create(place, channel, name=name), BODY[:5000])
        pending = await create(place, channel, name="c.txt")
        await place.station.orders.pause(channel.session.id, None)
        assert statuses(channel.session.files) == ["paused", "paused", "pending"]
        assert await gone(place, pending.upload.id) is None
        assert (await problem_of(place.station.orders.pause(channel.session.id, None))).code == "NOT_RESUMABLE"
        await place.station.orders.resume(channel.session.id, None)
        assert statuses(channel.session.files) == ["uploading", "uploading", "pending"]


@pytest.mark.gen_test
async def test_a_pause_of_what_does_not_run_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        pending = await create(place, channel)
        done = await upload(place, channel, name="b.txt")
        failed = await create(place, channel, name="c.txt")
        await send_part(place, failed, BODY[:5000])
        tick(place, GRACE)
        await channel.committed()
        before = place.listener.names
        for berth in (pending, done, failed):
            assert berth.file is not None
            for order in (place.station.orders.pause, place.station.orders.resume):
                problem = await problem_of(order(channel.session.id, berth.file.id))
                assert problem == Problem("NOT_RESUMABLE", "it is not being sent")
        assert statuses(channel.session.files) == ["pending", "completed", "failed"]
        assert place.listener.names == before


@pytest.mark.gen_test
async def test_only_files_of_open_sessions_can_rest(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("raw.txt", 5000), auto_complete=False)
        intake = await place.raw_open(channel, "raw.txt", 5000)
        await intake.feed(bytes(2500))
        orders, session_id = place.station.orders, channel.session.id
        for order in (orders.pause, orders.resume):
            for file_id in (None, file_of(channel).id):
                assert (await problem_of(order(session_id, file_id))).code == "NOT_RESUMABLE"
            assert (await problem_of(order(session_id, new_id()))).code == "FILE_NOT_FOUND"
            assert (await problem_of(order(new_id(), None))).code == "SESSION_NOT_FOUND"
        intake.abort(Problem("NETWORK_ERROR"))
        await intake.close()
        await orders.complete(session_id)
        for order in (orders.pause, orders.resume):
            assert (await problem_of(order(session_id, None))).code == "SESSION_CLOSED"


@pytest.mark.gen_test
async def test_a_pause_is_recorded_when_it_is_done(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        berth = await create(place, channel)
        await begin(place, berth, BODY[:5000])
        kept = "SELECT status FROM files"
        await place.station.orders.pause(channel.session.id, None)
        assert rows(tmp_path, kept) == [("paused",)]
        await place.station.orders.resume(channel.session.id, None)
        assert rows(tmp_path, kept) == [("uploading",)]
        await place.station.orders.pause(channel.session.id, None)
        assert rows(tmp_path, kept) == [("paused",)]
        await send(place, berth, BODY[5000:6000])
        await channel.committed()
        assert rows(tmp_path, kept) == [("uploading",)]


@pytest.mark.gen_test
@pytest.mark.parametrize("order", ["pause", "resume"])
async def test_what_cannot_be_recorded_is_not_answered_as_done(tmp_path: Path, order: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        await send_part(place, await create(place, channel), BODY[:5000])
        if order == "resume":
            await place.station.orders.pause(channel.session.id, None)
        place.journal.break_down(full=True)
        problem = await problem_of(getattr(place.station.orders, order)(channel.session.id, None))
        assert problem.code == "INSUFFICIENT_STORAGE"
        place.journal.mend()


# ---- resume ----


@pytest.mark.gen_test
async def test_what_is_resumed_says_so_and_rests_again_if_no_bytes_come(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        berth = await create(place, channel)
        await send_part(place, berth, BODY[:5000])
        await place.station.orders.pause(channel.session.id, None)
        await place.station.orders.resume(channel.session.id, file_of(channel).id)
        assert place.listener.told[-1]["data"]["currentFile"]["status"] == "uploading"
        tick(place, GRACE - 0.01)
        assert statuses(channel.session.files) == ["uploading"]
        tick(place, 0.01)
        assert statuses(channel.session.files) == ["paused"]
        assert place.listener.told[-1]["data"]["currentFile"]["status"] == "paused"
        assert place.listener.lifecycle == ["upload-started"]


@pytest.mark.gen_test
async def test_a_resume_of_what_does_not_rest_changes_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        berth = await create(place, channel)
        append = await begin(place, berth, BODY[:5000])
        await channel.committed()
        before = place.listener.names
        await place.station.orders.resume(channel.session.id, file_of(channel).id)
        assert place.listener.names == before
        await append.end(whole=True)
        assert (append.problem, berth.upload.offset) == (None, 5000)


# ---- remove ----


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["pending", "resting", "paused", "failed"])
async def test_an_unfinished_upload_is_cancelled_and_its_bytes_go(tmp_path: Path, state: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        if state != "pending":
            await send_part(place, berth, BODY[:5000])
        if state == "paused":
            await place.station.orders.pause(channel.session.id, None)
        if state == "failed":
            tick(place, GRACE)
        await place.station.orders.remove(berth, stored_too=False)
        await place.listener.hears_the_last()
        assert place.listener.lifecycle[-2:] == ["upload-cancelled", "session-completed"]
        [cancelled] = place.listener.data("upload-cancelled")
        assert (cancelled["reason"], cancelled["uploadedBytes"]) == ("user", 0 if state == "pending" else 5000)
        assert cancelled["fileId"] == berth.upload.file_id
        await place.no_parts()
        assert await gone(place, berth.upload.id) in {"cancelled", "terminated"}
        assert place.station.dock.space.reserved(place.clock.mono) == 0


@pytest.mark.gen_test
async def test_removing_ends_the_request_that_writes(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        append = await begin(place, berth, BODY[:5000], content_length=len(BODY))
        ended: list[bool] = []
        append.on_over = lambda: ended.append(True)
        await place.station.orders.remove(berth, stored_too=False)
        assert ended == [True]
        assert append.problem is not None
        assert append.problem.code == "UPLOAD_GONE"
        await append.released.wait()
        await append.feed(BODY[5000:])
        assert events_in(tmp_path, channel.session.id)[-2:] == ["upload-cancelled", "session-completed"]
        await place.no_parts()
        assert place.stored() == {}


@pytest.mark.gen_test
async def test_a_removal_is_answered_once_it_is_recorded_and_told(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        place.watch_commits()
        hold = place.points.hold("commit")
        removing = asyncio.create_task(place.station.orders.remove(berth, stored_too=False))
        await hold.reached()
        assert not removing.done()
        assert place.listener.messages == []
        assert place.parts == [berth.upload.id], "no byte goes before that"
        hold.release()
        await removing
        assert place.listener.lifecycle == ["upload-cancelled", "session-completed"]


@pytest.mark.gen_test
async def test_a_removal_that_cannot_be_recorded_is_not_answered_as_done(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth, partial = await create(place, channel), await partial_of(place, BODY)
        place.journal.break_down()
        for each in (berth, partial):
            problem = await problem_of(place.station.orders.remove(each, stored_too=False))
            assert problem.code == "SERVER_ERROR"
        place.journal.mend()
        tick(place, 1)
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-cancelled", "session-completed"]


@pytest.mark.gen_test
@pytest.mark.parametrize("stored_too", [False, True])
async def test_the_file_of_a_finished_upload_stays_unless_it_may_be_deleted(tmp_path: Path, stored_too: bool) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(expected=1)
        upload_id = (await upload(place, channel)).upload.id
        await place.listener.hears_the_last()
        before = place.listener.names
        found = await place.station.shelf.find(upload_id)
        await place.station.orders.remove(found, stored_too=stored_too)
        assert list(place.stored().values()) == ([] if stored_too else [BODY])
        assert await gone(place, upload_id) == "terminated"
        assert place.listener.names == before, "a finished file has had its last event"
        image = crash_image(tmp_path / "live", tmp_path / "image")
    async with open_place(image, clock=place.clock, recover=True) as later:
        assert await gone(later, upload_id) == "terminated"
        assert list(later.stored().values()) == ([] if stored_too else [BODY])


@pytest.mark.gen_test
async def test_what_is_being_stored_cannot_be_removed_any_more(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        hold = place.points.hold("link")
        await send(place, berth, BODY)
        await hold.reached()
        problem = await problem_of(place.station.orders.remove(berth, stored_too=False))
        assert problem.code == "UPLOAD_ALREADY_COMPLETED"
        hold.release()
        await stored(place, berth)
        assert list(place.stored().values()) == [BODY]
        assert await gone(place, berth.upload.id) == "complete"


@pytest.mark.gen_test
@pytest.mark.parametrize("whole", [False, True])
async def test_a_partial_is_removed_silently(tmp_path: Path, whole: bool) -> None:
    async with open_place(tmp_path) as place:
        berth = await create(place, kind=Kind.PARTIAL)
        await send(place, berth, BODY if whole else BODY[:5000])
        await place.station.orders.remove(berth, stored_too=True)
        await place.no_parts()
        assert await gone(place, berth.upload.id) == "terminated"
        assert rows(tmp_path, "SELECT count(*) FROM events") == [(0,)]


@pytest.mark.gen_test
async def test_a_second_removal_says_nothing_more(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)), ("b.txt", 5))
        berth = await create(place, channel)
        await place.station.orders.remove(berth, stored_too=False)
        await place.station.orders.remove(berth, stored_too=False)
        assert place.listener.lifecycle == ["upload-cancelled"]
        assert statuses(channel.session.files) == ["cancelled", "pending"]


# ---- cancel and complete, of resumable files ----


@pytest.mark.gen_test
@pytest.mark.parametrize("whole", [False, True])
async def test_a_cancel_ends_the_request_and_frees_the_bytes(tmp_path: Path, whole: bool) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=2)
        berth = await create(place, channel)
        append = await begin(place, berth, BODY[:5000])
        file_id = None if whole else file_of(channel).id
        assert await place.station.orders.cancel(channel.session.id, file_id, "why") == 1
        assert append.over
        await append.released.wait()
        assert append.problem == Problem("UPLOAD_GONE", "cancelled")
        await place.no_parts()
        assert await gone(place, berth.upload.id) == "cancelled"
        assert place.listener.lifecycle.count("upload-cancelled") == (2 if whole else 1)


@pytest.mark.gen_test
async def test_complete_cancels_what_waits_and_lets_go_on_what_is_being_sent(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        running = await create(place, channel, name="running.txt")
        append = await begin(place, running, BODY[:5000])
        pending = await create(place, channel, name="pending.txt")
        paused = await create(place, channel, name="paused.txt")
        await send(place, paused, BODY[:5000])
        await place.station.orders.pause(channel.session.id, paused.upload.file_id)
        failed = await create(place, channel, name="failed.txt")
        await send_part(place, failed, BODY[:5000])
        tick(place, GRACE)
        assert statuses(channel.session.files) == ["uploading", "pending", "paused", "failed"]
        assert await place.station.orders.complete(channel.session.id) == 3
        assert statuses(channel.session.files) == ["uploading", "cancelled", "cancelled", "cancelled"]
        assert {each["reason"] for each in place.listener.data("upload-cancelled")} == {"session-completed"}
        await append.end(whole=True)
        await send(place, running, BODY[5000:])
        await finished(running)
        await place.listener.hears_the_last()
        assert place.listener.told[-1]["data"]["overallStatus"] == "completed"
        await place.no_parts()
        for berth in (pending, paused, failed):
            assert await gone(place, berth.upload.id) == "cancelled"
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
@pytest.mark.parametrize("clean", [False, True])
async def test_after_complete_what_nobody_goes_on_with_does_not_hold_the_session(tmp_path: Path, clean: bool) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        berth = await create(place, channel)
        await (send if clean else send_part)(place, berth, BODY[:5000])
        assert await place.station.orders.complete(channel.session.id) == 0
        assert file_of(channel).status is Status.UPLOADING
        tick(place, GRACE)
        await place.listener.hears_the_last()
        assert place.listener.lifecycle[1] == ("upload-cancelled" if clean else "upload-failed")
        await until(lambda: len(place.station.shelf) <= 1)
        tick(place, 1)
        await place.no_parts()


@pytest.mark.gen_test
@pytest.mark.parametrize("whole", [False, True], ids=["the file", "the session"])
async def test_what_came_before_a_cancel_is_counted(tmp_path: Path, whole: bool) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        append = await begin(place, berth, BODY[:5000])
        assert berth.file is not None
        await place.station.orders.cancel(channel.session.id, None if whole else berth.file.id, "user")
        assert append.problem == Problem("UPLOAD_GONE", "cancelled")
        told = place.listener.data("upload-cancelled")
        assert [data["uploadedBytes"] for data in told] == [5000] * (2 if whole else 1)
        assert file_of(channel).received_total == 5000
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_cancel_does_not_wait_for_ever_for_a_disk_that_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PATIENCE", 0.05)
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        hold = place.points.hold("write")
        await begin(place, berth, BODY[:5000])
        await place.station.orders.cancel(channel.session.id, None, "user")
        assert statuses(channel.session.files) == ["cancelled"]
        hold.release()
        await place.no_parts()
