"""An upload with all its bytes is stored once, whoever asks for it, and by itself after a restart or a full disk."""

from __future__ import annotations

import asyncio
import errno
import hashlib
from pathlib import Path
from typing import Any

import pytest

from station import orders
from station.append import Append as Appending
from station.channel import Channel
from station.errors import Problem, Refused
from station.finishing import FIRST_WAIT, LONGEST_WAIT, Finishing
from station.resumption import Checks, Kind
from tests.station.places import (
    Hold,
    Listener,
    Place,
    assert_rules_hold,
    crash_image,
    events_in,
    file_of,
    open_place,
    rows,
    statuses,
    until,
)
from tests.station.resuming import (
    BODY,
    begin,
    complete,
    create,
    final_of,
    finished,
    gone,
    partial_of,
    refused,
    send,
    send_part,
    stored,
    tick,
    upload,
)

TOLD = ["upload-started", "upload-completed", "session-completed"]


def bytes_of(place: Place) -> list[bytes]:
    return list(place.stored().values())


# ---- once ----


@pytest.mark.gen_test
async def test_an_upload_is_stored_told_and_freed(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        await send(place, berth, BODY)
        await stored(place, berth)
        await place.listener.hears_the_last()
        assert bytes_of(place) == [BODY]
        assert place.listener.lifecycle == TOLD
        assert place.listener.data("upload-progress")[-2]["progress"] == 100
        assert_rules_hold(place.listener.messages)
        assert await gone(place, berth.upload.id) == "complete"
        assert len(place.station.shelf) == 0
        assert place.station.dock.space.reserved(place.clock.mono) == 0
        assert not place.station.dock.deliveries


@pytest.mark.gen_test
async def test_an_empty_upload_is_stored_too(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel, 0)
        await send(place, berth, b"")
        await stored(place, berth)
        assert bytes_of(place) == [b""]
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == TOLD


@pytest.mark.gen_test
async def test_it_is_stored_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        hold = place.points.hold("link")
        await send(place, berth, BODY)
        await hold.reached()
        running = berth.finishing
        assert running is not None
        for _ in range(3):
            tick(place, 60)
            place.station.shelf.on_closed(berth)
        assert berth.finishing is running
        hold.release()
        await stored(place, berth)
        for _ in range(3):
            tick(place, 60)
            place.station.shelf.on_closed(berth)
            await finished(berth)
        assert place.points.passed.count("link") == 1
        assert events_in(tmp_path, channel.session.id) == TOLD


@pytest.mark.gen_test
async def test_it_is_stored_although_its_request_is_gone(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        append = await begin(place, berth, BODY, content_length=len(BODY))
        append.cut(Problem("NETWORK_ERROR"))
        await append.released.wait()
        if not berth.upload.closed:
            await send(place, berth, BODY[berth.upload.offset :])
        await stored(place, berth)
        assert bytes_of(place) == [BODY]
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == TOLD


@pytest.mark.gen_test
async def test_the_attempt_that_runs_goes_on_to_the_end(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        for at in range(0, len(BODY), 1024):
            await send(place, berth, BODY[at : at + 1024])
            place.clock.pass_by(1)
        await stored(place, berth)
        assert bytes_of(place) == [BODY]
        assert place.listener.lifecycle[:2] == ["upload-started", "upload-completed"]
        [completed] = place.listener.data("upload-completed")
        assert completed["fileSize"] == len(BODY)


@pytest.mark.gen_test
async def test_a_partial_is_never_stored(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await create(place, kind=Kind.PARTIAL)
        await send(place, berth, BODY)
        place.station.shelf.on_closed(berth)
        tick(place, 60)
        assert berth.finishing is None
        assert place.stored() == {}
        assert place.parts == [berth.upload.id]


# ---- the whole is verified ----


@pytest.mark.gen_test
@pytest.mark.parametrize("pieces", [1, 5])
async def test_a_whole_that_is_what_was_promised_is_stored(tmp_path: Path, pieces: int) -> None:
    async with open_place(tmp_path, checksum="sha256") as place:
        channel = await place.open(expected=1)
        checks = Checks(whole={"sha512": hashlib.sha512(BODY).digest()}, wanted=("md5", "sha256"))
        berth = await create(place, channel, checks=checks)
        step = len(BODY) // pieces
        for at in range(0, len(BODY), step):
            await send(place, berth, BODY[at : at + step])
        await stored(place, berth)
        wanted = {"md5": hashlib.md5(BODY).digest(), "sha256": hashlib.sha256(BODY).digest()}
        assert berth.upload.standing(place.clock()).digests == wanted
        found = await place.station.shelf.find(berth.upload.id)
        assert found is not berth, "the journal knows them too"
        assert found.upload.standing(place.clock()).digests == wanted
        completed = await place.listener.hears("upload-completed")
        assert completed["checksum"] == {"algorithm": "sha256", "value": hashlib.sha256(BODY).hexdigest()}


@pytest.mark.gen_test
@pytest.mark.parametrize("restart", [False, True])
async def test_a_whole_that_is_not_what_was_promised_is_not_published(tmp_path: Path, restart: bool) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel, checks=Checks(whole={"sha256": bytes(32)}))
        await send(place, berth, BODY[:-1])
        image = crash_image(tmp_path / "live", tmp_path / "image")
        if not restart:
            await assert_it_fails_for_its_digest(place, channel)
    if restart:
        async with open_place(image, clock=place.clock, recover=True) as again:
            channel = again.heard(await again.station.sessions.live(channel.session.id))
            await assert_it_fails_for_its_digest(again, channel)


async def assert_it_fails_for_its_digest(place: Place, channel: Channel) -> None:
    upload_id = file_of(channel).upload
    assert upload_id is not None
    berth = await place.station.shelf.find(upload_id)
    await send(place, berth, BODY[-1:])
    await finished(berth)
    failure = await place.listener.hears("upload-failed")
    assert (failure["error"]["code"], failure["canRetry"]) == ("CHECKSUM_MISMATCH", True)
    assert file_of(channel).retry_until == place.clock.mono + place.station.config.retry_grace
    assert berth.problem is not None
    assert berth.problem.code == "CHECKSUM_MISMATCH"
    assert place.stored() == {}
    await place.no_parts()
    assert await gone(place, upload_id) == "failed"
    tick(place, 10)
    assert statuses(channel.session.files) == ["failed"]
    again = await create(place, channel)
    assert again.file is file_of(channel), "sent again, it begins at nought"
    await send(place, again, BODY)
    await stored(place, again)
    assert bytes_of(place) == [BODY]


@pytest.mark.gen_test
async def test_a_digest_that_is_promised_but_not_known_does_not_pass(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel, checks=Checks(whole={"sha256": b""}))
        await send(place, berth, BODY)
        await finished(berth)
        assert place.stored() == {}


# ---- a restart ----


@pytest.mark.gen_test
@pytest.mark.parametrize("point", ["link", "folder", "drop"])
async def test_a_kill_while_it_is_stored_leaves_that_to_the_next_start(tmp_path: Path, point: str) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        hold = place.points.hold(point)
        await send(place, berth, BODY)
        await hold.reached()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await stored(place, berth)
    for each in (image, crash_image(image, tmp_path / "again"), image):
        async with open_place(each, clock=place.clock, recover=True) as later:
            await settled(later)
            await later.no_parts()
            assert bytes_of(later) == [BODY]
            assert events_in(each, channel.session.id) == TOLD
            await complete(later, berth.upload.id)


async def settled(place: Place) -> None:
    await until(lambda: not place.station.channels)


COMMITS = ("start", "offset", "intent", "completion", "upload")


async def held_at(place: Place, channel: Channel, commit: str) -> tuple[Hold, asyncio.Task[Appending]]:
    """An upload that stands still where this is about to be committed."""
    berth = await create(place, channel)
    place.watch_commits()
    hold = place.points.hold("commit" if commit == "start" else "fsync")
    sending = asyncio.create_task(send(place, berth, BODY))
    await hold.reached()
    if commit != "start":
        await channel.committed()
    for _ in range(COMMITS.index(commit)):  # from the sync on, one comes after the other
        following = place.points.hold("commit")
        hold.release()
        hold = following
        await hold.reached()
    return hold, sending


@pytest.mark.gen_test
@pytest.mark.parametrize("commit", COMMITS)
async def test_a_kill_before_a_commit_leaves_it_whole_or_to_be_gone_on_with(tmp_path: Path, commit: str) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(expected=1)
        hold, sending = await held_at(place, channel, commit)
        upload_id = file_of(channel).upload or ""
        berth = await place.station.shelf.find(upload_id)
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await sending
        await stored(place, berth)
    for each in (crash_image(image, tmp_path / "again"), image):
        async with open_place(each, clock=place.clock, recover=True) as later:
            if commit in {"start", "offset"}:
                found = await later.station.shelf.find(upload_id)
                assert found.upload.offset == 0
                await send(later, found, BODY)
            await settled(later)
            await until(lambda: len(later.station.shelf) == 0)
            assert later.parts == []
            assert bytes_of(later) == [BODY]
            assert events_in(each, channel.session.id) == TOLD
            await complete(later, upload_id)


@pytest.mark.gen_test
async def test_after_a_restart_it_is_told_as_any_other(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live", checksum="sha256") as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel, checks=Checks(wanted=("md5",)))
        hold = place.points.hold("link")
        await send(place, berth, BODY)
        await hold.reached()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await stored(place, berth)
    async with open_place(image, clock=place.clock, checksum="sha256") as later:
        listener = Listener()
        later.station.hub.join(channel.session.id, listener)
        await later.station.start()
        await listener.hears_the_last()
        [completed] = listener.data("upload-completed")
        assert completed["checksum"] == {"algorithm": "sha256", "value": hashlib.sha256(BODY).hexdigest()}
        assert completed["fileSize"] == len(BODY)
        [summary] = [each["summary"] for each in listener.data("session-completed")]
        assert summary["uploadedSize"] == len(BODY)
        await later.no_parts()
        found = await later.station.shelf.find(berth.upload.id)
        assert found.upload.standing(later.clock()).digests == {"md5": hashlib.md5(BODY).digest()}


@pytest.mark.gen_test
async def test_what_was_not_judged_before_a_restart_is_judged_after_it(tmp_path: Path) -> None:
    small = b"%PDF-1.4\n"
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel, len(small), "a.jpg")
        await send_part(place, berth, small[:-1])
        assert berth.upload.offset == len(small) - 1
        image = crash_image(tmp_path / "live", tmp_path / "image")
    async with open_place(image, clock=place.clock, recover=True) as later:
        later.heard(await later.station.sessions.live(channel.session.id))
        found = await later.station.shelf.find(berth.upload.id)
        await send(later, found, small[-1:])
        await finished(found)
        await later.listener.hears_the_last()
        [failure] = later.listener.data("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("UNSUPPORTED_FORMAT", False)
        assert later.stored() == {}
        await later.no_parts()


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", [Kind.WHOLE, Kind.FINAL])
async def test_what_is_stored_after_a_restart_waits_for_no_client(tmp_path: Path, kind: Kind) -> None:
    point = "copy" if kind is Kind.FINAL else "link"
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(expected=1)
        hold = place.points.hold(point)
        if kind is Kind.FINAL:
            berth = await final_of(place, channel, await partial_of(place, BODY))
        else:
            berth = await create(place, channel)
            await send(place, berth, BODY)
        await hold.reached()
        await channel.committed()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await stored(place, berth)
    async with open_place(image, clock=place.clock) as later:
        hold = later.points.hold(point)
        await later.station.start()
        await hold.reached()
        for _ in range(3):
            tick(later, 60)
        await later.station.channels[channel.session.id].committed()
        assert events_in(image, channel.session.id) == ["upload-started"]
        hold.release()
        await settled(later)
        assert events_in(image, channel.session.id) == TOLD
        assert bytes_of(later) == [BODY]


@pytest.mark.gen_test
async def test_what_was_about_to_be_stored_can_be_cancelled_after_a_restart(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        hold = place.points.hold("link")
        await send(place, berth, BODY)
        await hold.reached()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await stored(place, berth)
    async with open_place(image, clock=place.clock) as later:
        hold = later.points.hold("read")
        await later.station.start()
        await hold.reached()
        assert await later.station.orders.cancel(channel.session.id, berth.upload.file_id, "why") == 1
        hold.release()
        await settled(later)
        await later.no_parts()
        assert later.stored() == {}
        assert events_in(image, channel.session.id) == ["upload-started", "upload-cancelled", "session-completed"]


# ---- no room ----


async def out_of_room(place: Place) -> Channel:
    """A whole upload that could not be published for want of space."""
    channel = await place.open(expected=1)
    place.points.fail("link", errno.ENOSPC)
    berth = await create(place, channel)
    await send(place, berth, BODY)
    await finished(berth)
    await place.listener.hears("upload-failed")
    return channel


@pytest.mark.gen_test
@pytest.mark.expects_errors
@pytest.mark.parametrize("by", ["tick", "look"])
async def test_what_there_was_no_room_for_is_stored_when_there_is(tmp_path: Path, by: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await out_of_room(place)
        [failure] = place.listener.data("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("INSUFFICIENT_STORAGE", True)
        assert failure["uploadedBytes"] == len(BODY)
        berth = await place.station.shelf.find(file_of(channel).upload or "")
        assert not berth.upload.over
        assert berth.problem == Problem("INSUFFICIENT_STORAGE")
        assert place.stored() == {}
        if by == "tick":
            tick(place, LONGEST_WAIT)
        else:
            await berth.free()
            place.station.shelf.on_closed(berth)
        await stored(place, berth)
        assert bytes_of(place) == [BODY]
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-started", "upload-failed", *TOLD]
        assert place.listener.data("upload-started")[1]["resumedFrom"] == len(BODY)
        [summary] = [each["summary"] for each in place.listener.data("session-completed")]
        assert summary["uploadedSize"] == len(BODY), "no byte is counted twice"
        assert_rules_hold(place.listener.messages)
        assert berth.problem is None


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_it_is_tried_again_at_growing_intervals(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        for at in range(2, 14):
            place.points.fail("link", errno.ENOSPC, at=at)
        channel = await out_of_room(place)
        berth = await place.station.shelf.find(file_of(channel).upload or "")
        waits = []
        for count in range(2, 13):
            waits.append(berth.again_at - place.clock.mono)
            tick(place, waits[-1] - 0.001)
            assert place.points.passed.count("link") == count - 1, "not before its time"
            tick(place, 0.001)
            await finished(berth)
            assert place.points.passed.count("link") == count
        assert waits[0] == 2 * FIRST_WAIT
        assert waits == sorted(waits)
        assert waits[-1] == LONGEST_WAIT
        assert not berth.upload.over
        assert statuses(channel.session.files) == ["failed"]


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_what_there_was_no_room_for_is_stored_after_a_restart(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await out_of_room(place)
        image = crash_image(tmp_path / "live", tmp_path / "image")
    async with open_place(image, clock=place.clock, recover=True) as later:
        await settled(later)
        await later.no_parts()
        assert bytes_of(later) == [BODY]
        assert events_in(image, channel.session.id) == ["upload-started", "upload-failed", *TOLD]


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_what_waits_for_room_can_be_cancelled(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await out_of_room(place)
        upload_id = file_of(channel).upload or ""
        await place.station.orders.cancel(channel.session.id, file_of(channel).id, "why")
        await place.listener.hears_the_last()
        tick(place, LONGEST_WAIT)
        await place.no_parts()
        assert place.stored() == {}
        assert await gone(place, upload_id) == "cancelled"


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_a_folder_that_is_broken_fails_it(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        place.points.fail("link", errno.EIO)
        berth = await create(place, channel)
        await send(place, berth, BODY)
        await finished(berth)
        failure = await place.listener.hears("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("SERVER_ERROR", True)
        assert place.stored() == {}
        tick(place, 1)
        assert statuses(channel.session.files) == ["failed"]


@pytest.mark.gen_test
async def test_a_sync_that_fails_is_not_tried_again(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        hold = place.points.hold("link")
        await send(place, berth, BODY)
        await hold.reached()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await stored(place, berth)
    async with open_place(image, clock=place.clock) as later:
        later.points.fail("fsync", errno.EIO)  # that of the whole, once it has been read again
        listener = Listener()
        later.station.hub.join(channel.session.id, listener)
        await later.station.start()
        failure = await listener.hears("upload-failed")
        assert failure["error"]["code"] == "SERVER_ERROR"
        found = later.points.passed.count("fsync")
        for _ in range(3):
            tick(later, 9)
        assert later.points.passed.count("fsync") == found == 1
        assert await gone(later, berth.upload.id) == "failed"
        assert later.stored() == {}
        await later.no_parts()


# ---- a journal that fails ----


@pytest.mark.gen_test
@pytest.mark.parametrize("commit", COMMITS[:-1])
async def test_nothing_is_told_while_nothing_is_recorded_and_all_is_well_later(tmp_path: Path, commit: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        hold, sending = await held_at(place, channel, commit)
        upload_id = file_of(channel).upload or ""
        place.journal.break_down()
        hold.release()
        await sending
        await finished(await place.station.shelf.find(upload_id))
        before = list(place.listener.lifecycle)
        tick(place, 3)
        await asyncio.sleep(0)
        assert place.listener.lifecycle == before
        assert "upload-completed" not in before
        place.journal.mend()
        berth = await place.station.shelf.find(upload_id)
        if commit in {"start", "offset"}:
            assert (berth.upload.offset, berth.upload.closed) == (0, False)
            await send(place, berth, BODY)

        def heard_the_last() -> bool:
            tick(place, 1)
            return place.listener.messages[-1:] != [] and place.listener.messages[-1].last

        await until(heard_the_last)
        assert bytes_of(place) == [BODY]
        assert place.listener.data("upload-completed")[0]["fileId"] == file_of(channel).id
        assert_rules_hold(place.listener.messages)
        await place.no_parts()
        await until(lambda: len(place.station.shelf) == 0)
        assert await gone(place, upload_id) == "complete"
        assert [row[0] for row in rows(tmp_path, "SELECT offset FROM uploads")] == [len(BODY)]


# ---- a cancel ----


@pytest.mark.gen_test
async def test_a_cancel_before_it_is_sealed_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "PATIENCE", 0.05)
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        await send(place, berth, BODY[:-1])
        hold = place.points.hold("fsync")
        sending = asyncio.create_task(send(place, berth, BODY[-1:]))
        await hold.reached()
        assert await place.station.orders.cancel(channel.session.id, file_of(channel).id, "why") == 1
        hold.release()
        await sending
        await finished(berth)
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-started", "upload-cancelled", "session-completed"]
        assert place.stored() == {}
        await place.no_parts()
        assert await gone(place, berth.upload.id) == "cancelled"


@pytest.mark.gen_test
async def test_a_cancel_after_it_is_sealed_comes_too_late(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        hold = place.points.hold("link")
        await send(place, berth, BODY)
        await hold.reached()
        with pytest.raises(Refused) as refusal:
            await place.station.orders.cancel(channel.session.id, file_of(channel).id, "why")
        assert refusal.value.problem.code == "UPLOAD_ALREADY_COMPLETED"
        assert (await refused(place, channel, told={"fileId": file_of(channel).id})).code == "UPLOAD_ALREADY_COMPLETED"
        hold.release()
        await stored(place, berth)
        assert bytes_of(place) == [BODY]


@pytest.mark.gen_test
async def test_the_station_waits_for_what_is_being_stored_when_it_stops(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await create(place, channel)
        hold = place.points.hold("link")
        await send(place, berth, BODY)
        await hold.reached()
        stopping = asyncio.create_task(place.station.end_attempts(10))
        await asyncio.sleep(0)
        assert not stopping.done()
        hold.release()
        await stopping
        assert place.listener.lifecycle == TOLD


@pytest.mark.gen_test
async def test_many_uploads_are_stored_side_by_side(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=20)
        await asyncio.gather(*(upload(place, channel, BODY + bytes([n]), name=f"{n}.txt") for n in range(20)))
        await place.listener.hears_the_last()
        assert sorted(bytes_of(place)) == sorted(BODY + bytes([n]) for n in range(20))
        assert_rules_hold(place.listener.messages)


# ---- a journal or a disk that fails for a moment ----


@pytest.mark.gen_test
async def test_an_intent_that_could_not_be_recorded_loses_nothing(tmp_path: Path) -> None:
    """It is no fault of the upload's, whatever the journal says of itself by the time that somebody looks."""
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        berth = await create(place, channel)
        real = channel.session.seal

        def sealed(*given: Any) -> bool:
            place.journal.break_down()
            channel.session.seal = real  # type: ignore[method-assign]
            return real(*given)

        channel.session.seal = sealed  # type: ignore[method-assign, assignment]
        await send(place, berth, BODY)
        await finished(berth)
        assert (berth.upload.gone, berth.problem) == (None, Problem("SERVER_ERROR"))
        place.journal.mend()
        tick(place, LONGEST_WAIT)
        await stored(place, berth)


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_a_closing_session_waits_for_room_for_what_is_whole(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        berth = await create(place, channel)
        append = await begin(place, berth, BODY, content_length=len(BODY))
        await place.station.orders.complete(channel.session.id)
        place.points.fail("link", errno.ENOSPC)
        await append.end(whole=True)
        await finished(berth)
        assert statuses(channel.session.files) == ["uploading"]
        tick(place, LONGEST_WAIT)
        await stored(place, berth)
        assert statuses(channel.session.files) == ["completed"]


@pytest.mark.gen_test
async def test_a_thousand_failures_are_no_fault(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await create(place, await place.open(auto_complete=False))
        berth.tries = 5000
        Finishing(place.station.shelf, berth)._put_off(Problem("INSUFFICIENT_STORAGE"))
        assert berth.again_at == place.clock.mono + LONGEST_WAIT
