"""Final uploads: finished partials, joined off the loop, told as one file; lost answers and restarts change nothing."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from station import joining
from station.berth import Berth
from station.errors import Problem, Refused
from station.finishing import LONGEST_WAIT
from station.joining import join, made_of, partials
from station.resumption import Append, Kind
from station.upload import Upload
from tests.station.places import (
    Listener,
    Place,
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
    complete,
    create,
    final_of,
    finished,
    gone,
    partial_of,
    send,
    stored,
    tick,
)

PIECES = (BODY[:5000], BODY[5000:5001], b"", BODY[5001:])


async def parts_of(place: Place, *pieces: bytes) -> list[Berth]:
    return [await partial_of(place, piece) for piece in pieces or PIECES]


# ---- what may be joined ----


async def not_joined(place: Place, *ids: str) -> Problem:
    with pytest.raises(Refused) as refusal:
        await partials(place.station.shelf, ids)
    return refusal.value.problem


@pytest.mark.gen_test
async def test_partials_are_found_in_the_order_of_their_ids(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        made = await parts_of(place)
        ids = [part.upload.id for part in made]
        assert await partials(place.station.shelf, ids) == made
        assert await partials(place.station.shelf, ids[::-1]) == made[::-1]
        assert await partials(place.station.shelf, []) == []


@pytest.mark.gen_test
async def test_only_finished_partials_can_be_joined(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        good = await partial_of(place, BODY)
        removed = await partial_of(place, BODY)
        await place.station.orders.remove(removed, stored_too=False)
        unfinished = await create(place, kind=Kind.PARTIAL)
        await send(place, unfinished, BODY[:-1])
        deferred = await create(place, None, None, kind=Kind.PARTIAL)
        await send(place, deferred, BODY)
        whole = await create(place, channel)
        hold = place.points.hold("link")
        stored_soon = await create(place, channel, name="b.txt")
        await send(place, stored_soon, BODY)
        await hold.reached()
        for bad in (new_id(), "../../etc/passwd", removed.upload.id):
            assert (await not_joined(place, good.upload.id, bad)).details == "one of the partial uploads is not here"
        for part in (unfinished, deferred):
            problem = await not_joined(place, part.upload.id, good.upload.id)
            assert problem.details == "one of the partial uploads is not finished"
        problem = await not_joined(place, whole.upload.id)
        assert problem == Problem("VALIDATION_ERROR", "a final upload is made of partial ones")
        hold.release()
        problem = await not_joined(place, stored_soon.upload.id)
        assert problem == Problem("VALIDATION_ERROR", "a final upload is made of partial ones")


@pytest.mark.gen_test
async def test_what_cannot_be_joined_leaves_nothing_and_tells_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        good = await partial_of(place, BODY)
        unfinished = await create(place, kind=Kind.PARTIAL)
        for where in (channel, None):
            with pytest.raises(Refused) as refusal:
                await final_of(place, where, good, unfinished)
            assert refusal.value.problem.code == "VALIDATION_ERROR"
        assert list(place.station.channels) == [channel.session.id]
        assert (channel.session.files, place.listener.messages) == ({}, [])
        assert place.parts == sorted([good.upload.id, unfinished.upload.id])
        assert await gone(place, good.upload.id) is None


@pytest.mark.gen_test
async def test_a_request_that_still_writes_a_partial_is_ended_first(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        part = await create(place, None, None, kind=Kind.PARTIAL)
        append = await begin(place, part, BODY)
        assert "finished" in str((await not_joined(place, part.upload.id)).details)
        assert append.released.is_set()
        assert part.upload.offset == len(BODY), "and what it sent is kept"


def test_partials_of_one_final_upload_tell_of_it() -> None:
    def part(final: str | None) -> Berth:
        return Berth(Upload(new_id(), kind=Kind.PARTIAL, final=final))

    assert made_of([part("a"), part("a")]) == "a"
    assert made_of([part("a"), part("b")]) is None
    assert made_of([part("a"), part(None)]) is None
    assert made_of([part(None)]) is None
    assert made_of([]) is None


# ---- the bytes ----


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "pieces",
    [
        PIECES,
        (BODY,),
        (b"", b""),
        (b"", BODY),
        (BODY[:1], BODY[1:]),
        tuple(BODY[at : at + 640] for at in range(0, len(BODY), 640)),
    ],
)
async def test_the_final_file_is_its_partials_in_order(tmp_path: Path, pieces: tuple[bytes, ...]) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place, *pieces)
        berth = await final_of(place, channel, *made)
        await stored(place, berth)
        assert list(place.stored().values()) == [b"".join(pieces)]
        assert berth.upload.offset == berth.upload.length == len(b"".join(pieces))


@pytest.mark.gen_test
async def test_one_partial_may_come_twice(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        [part] = await parts_of(place, BODY)
        berth = await final_of(place, channel, part, part)
        await stored(place, berth)
        assert list(place.stored().values()) == [BODY * 2]


@pytest.mark.gen_test
async def test_large_partials_are_copied_slice_by_slice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "SLICE", 4096)
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place, BODY[:8192], BODY[8192:])
        await stored(place, await final_of(place, channel, *made))
        assert list(place.stored().values()) == [BODY]
        assert place.points.passed.count("copy") == 3


@pytest.mark.gen_test
async def test_joining_stops_as_soon_as_nobody_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "SLICE", 1000)
    async with open_place(tmp_path) as place:
        made = await parts_of(place, BODY)
        target = await create(place, None, None, kind=Kind.PARTIAL)
        asked = iter([True, True, False])
        count = await join(place.station.shelf, target, made, lambda: next(asked))
        assert count == 2000


@pytest.mark.gen_test
async def test_the_loop_goes_on_while_bytes_are_joined(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        made = await parts_of(place)
        hold = place.points.hold("copy")
        berth = await final_of(place, channel, *made)
        await hold.reached()
        assert (berth.upload.offset, berth.upload.closed) == (0, False)
        other = await create(place, channel, len(BODY), "b.txt")
        await send(place, other, BODY)
        await finished(other)
        assert statuses(channel.session.files) == ["uploading", "completed"]
        hold.release()
        await stored(place, berth)


# ---- what is told ----


@pytest.mark.gen_test
async def test_a_final_upload_tells_started_a_hundred_percent_completed(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        assert place.listener.messages == [], "partials are silent"
        await final_of(place, channel, *made)
        await place.listener.hears_the_last()
        assert place.listener.names == [
            "upload-started",
            "upload-progress",
            "upload-completed",
            "session-completed",
            "upload-progress",
        ]
        [started] = place.listener.data("upload-started")
        assert (started["fileSize"], started["fileName"]) == (len(BODY), "a.txt")
        assert "resumedFrom" not in started
        assert place.listener.data("upload-progress")[0]["progress"] == 100
        assert place.listener.data("upload-progress")[0]["uploadedBytes"] == len(BODY)
        [summary] = [each["summary"] for each in place.listener.data("session-completed")]
        assert (summary["totalFiles"], summary["uploadedSize"]) == (1, len(BODY))
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_its_checksum_is_that_of_the_whole(tmp_path: Path) -> None:
    async with open_place(tmp_path, checksum="sha256") as place:
        import hashlib

        channel = await place.open(expected=1)
        await final_of(place, channel, *await parts_of(place))
        completed = await place.listener.hears("upload-completed")
        assert completed["checksum"] == {"algorithm": "sha256", "value": hashlib.sha256(BODY).hexdigest()}


@pytest.mark.gen_test
async def test_a_final_upload_whose_content_contradicts_its_name_fails(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place, b"%PDF-1.4\n" + BODY)
        berth = await final_of(place, channel, *made, name="a.jpg")
        await place.listener.hears_the_last()
        [failure] = place.listener.data("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("UNSUPPORTED_FORMAT", False)
        assert place.stored() == {}
        assert await gone(place, berth.upload.id) == "failed"


# ---- partials afterwards ----


@pytest.mark.gen_test
async def test_joined_partials_are_gone_and_their_bytes_are_freed(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        berth = await final_of(place, channel, *made)
        await stored(place, berth)
        assert [await gone(place, part.upload.id) for part in made] == ["joined"] * len(made)
        assert len(place.station.shelf) == 0
        for part in made:
            found = await place.station.shelf.find(part.upload.id)
            with pytest.raises(Refused) as refusal:
                await found.free()
            assert refusal.value.problem.code == "UPLOAD_GONE"


@pytest.mark.gen_test
async def test_partials_that_nobody_joins_expire(tmp_path: Path) -> None:
    async with open_place(tmp_path, upload_expiry=3600) as place:
        part = await partial_of(place, BODY)
        tick(place, 3599)
        assert await gone(place, part.upload.id) is None
        tick(place, 2)
        await place.no_parts()
        assert await gone(place, part.upload.id) == "expired"


# ---- the same request again ----


@pytest.mark.gen_test
async def test_the_same_request_again_gives_the_same_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        made = await parts_of(place)
        hold = place.points.hold("copy")
        first = await final_of(place, channel, *made)
        await hold.reached()
        assert await final_of(place, channel, *made) is first, "while it is being made"
        hold.release()
        await stored(place, first)
        again = await final_of(place, channel, *made)
        assert (again.upload.id, again.upload.complete) == (first.upload.id, True)
        assert len(channel.session.files) == 1
        assert place.listener.lifecycle == ["upload-started", "upload-completed"]
        assert list(place.stored().values()) == [BODY]


@pytest.mark.gen_test
async def test_the_same_request_twice_at_once_makes_one_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        made = await parts_of(place)
        first, second = await asyncio.gather(final_of(place, None, *made), final_of(place, None, *made))
        assert first is second
        await stored(place, first)
        assert len(place.stored()) == 1


@pytest.mark.gen_test
async def test_joined_partials_in_another_order_are_not_the_same_request(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        made = await parts_of(place)
        await stored(place, await final_of(place, None, *made))
        with pytest.raises(Refused) as refusal:
            await final_of(place, None, *made[::-1])
        assert refusal.value.problem.details == "one of the partial uploads is not here"


@pytest.mark.gen_test
async def test_the_same_request_after_a_restart_gives_the_same_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        made = await parts_of(place)
        first = await final_of(place, None, *made)
        await stored(place, first)
        image = crash_image(tmp_path / "live", tmp_path / "image")
    async with open_place(image, clock=place.clock, recover=True) as again:
        assert (await final_of(again, None, *made)).upload.id == first.upload.id
        assert list(again.stored().values()) == [BODY]


@pytest.mark.gen_test
async def test_other_partials_or_another_order_make_another_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        one, two = await parts_of(place, b"one", b"two")
        hold = place.points.hold("copy")
        first = await final_of(place, channel, one, two)
        await hold.reached()
        second = await final_of(place, channel, two, one)
        assert second.upload.id != first.upload.id
        hold.release()
        await finished(first)
        await finished(second)


# ---- restarts ----


async def settled(place: Place) -> None:
    await until(lambda: not place.station.channels)


@pytest.mark.gen_test
@pytest.mark.parametrize("point", ["copy", "fsync", "link", "folder", "drop", "second drop"])
async def test_a_kill_while_it_is_made_leaves_it_to_the_next_start(tmp_path: Path, point: str) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        hold = place.points.hold(point.removeprefix("second "))
        making = asyncio.create_task(final_of(place, channel, *made))
        if point == "folder":  # that of the new part comes first
            await hold.reached()
            following = place.points.hold(point)
            hold.release()
            hold = following
        if point == "second drop":
            await hold.reached()
            following = place.points.hold("drop")
            hold.release()
            hold = following
        await hold.reached()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await stored(place, await making)
    berth = making.result()
    again = crash_image(image, tmp_path / "again")
    for each in (image, again, image):
        async with open_place(each, clock=place.clock, recover=True) as later:
            await settled(later)
            await later.no_parts()
            assert list(later.stored().values()) == [BODY]
            assert events_in(each, channel.session.id) == ["upload-started", "upload-completed", "session-completed"]
            await complete(later, berth.upload.id)
            assert [await gone(later, part.upload.id) for part in made] == ["joined"] * len(made)
            assert (await final_of(later, None, *made)).upload.id == berth.upload.id
            assert len(later.stored()) == 1


@pytest.mark.gen_test
async def test_a_restart_in_the_middle_tells_of_the_same_attempt(tmp_path: Path) -> None:
    async with open_place(tmp_path / "live") as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        hold = place.points.hold("copy")
        berth = await final_of(place, channel, *made)
        await hold.reached()
        await channel.committed()
        image = crash_image(tmp_path / "live", tmp_path / "image")
        hold.release()
        await stored(place, berth)
    async with open_place(image, clock=place.clock) as later:
        listener = Listener()
        later.station.hub.join(channel.session.id, listener)
        await later.station.start()
        await listener.hears_the_last()
        assert listener.lifecycle == ["upload-completed", "session-completed"]
        assert listener.data("upload-progress")[0]["progress"] == 100
    assert rows(image, "SELECT name, attempt FROM events WHERE file_id IS NOT NULL ORDER BY seq") == [
        ("upload-started", 1),
        ("upload-completed", 1),
    ]


# ---- what fails ----


@pytest.mark.gen_test
async def test_a_disk_that_is_full_while_joining_fails_it_for_now(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        place.points.fail("copy", errno.ENOSPC, at=2)
        berth = await final_of(place, channel, *made)
        await finished(berth)
        failure = await place.listener.hears("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("INSUFFICIENT_STORAGE", True)
        assert [await gone(place, part.upload.id) for part in (*made, berth)] == [None] * (len(made) + 1)
        tick(place, 3600)
        await place.listener.hears_the_last()
        await stored(place, berth)
        assert list(place.stored().values()) == [BODY]
        assert [await gone(place, part.upload.id) for part in made] == ["joined"] * len(made)


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_partials_are_freed_also_when_the_storing_took_several_tries(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        place.points.fail("link", errno.ENOSPC)
        berth = await final_of(place, channel, *made)
        await finished(berth)
        tick(place, 3600)
        await stored(place, berth)
        assert [await gone(place, part.upload.id) for part in made] == ["joined"] * len(made)


@pytest.mark.gen_test
@pytest.mark.parametrize("full", [False, True])
async def test_a_journal_that_cannot_record_that_it_is_whole_fails_it_for_now(tmp_path: Path, full: bool) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        hold = place.points.hold("fsync")
        berth = await final_of(place, channel, *made)
        await hold.reached()
        await channel.committed()
        place.journal.break_down(full=full)
        hold.release()
        await finished(berth)
        assert (berth.upload.offset, berth.upload.closed) == (0, False), "what is not recorded is not so"
        assert berth.problem == Problem("INSUFFICIENT_STORAGE" if full else "SERVER_ERROR")
        assert place.stored() == {}
        place.journal.mend()
        tick(place, 3600)
        await stored(place, berth)
        assert list(place.stored().values()) == [BODY]
        await place.listener.hears_the_last()
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_it_is_whole_once_it_is_synced_and_recorded(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        place.watch_commits()
        hold = place.points.hold("fsync")
        berth = await final_of(place, channel, *made)
        await hold.reached()
        await channel.committed()
        assert (berth.upload.offset, berth.upload.closed) == (0, False)
        commit = place.points.hold("commit")
        hold.release()
        await commit.reached()
        assert berth.upload.offset == 0
        assert place.listener.data("upload-progress") == []
        link = place.points.hold("link")
        commit.release()
        await link.reached()
        assert (berth.upload.offset, berth.upload.closed) == (len(BODY), True)
        found = rows(tmp_path, "SELECT offset, json_extract(kept, '$.closed') FROM uploads WHERE id=?", berth.upload.id)
        assert found == [(len(BODY), 1)]
        link.release()
        await stored(place, berth)


@pytest.mark.gen_test
async def test_a_cancel_while_joining_publishes_nothing_and_spares_the_partials(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        hold = place.points.hold("copy")
        berth = await final_of(place, channel, *made)
        await hold.reached()
        await place.station.orders.cancel(channel.session.id, file_of(channel).id, "why")
        hold.release()
        await finished(berth)
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-started", "upload-cancelled", "session-completed"]
        assert place.stored() == {}
        assert await gone(place, berth.upload.id) == "cancelled"
        await until(lambda: place.parts == sorted(part.upload.id for part in made))
        other = await final_of(place, None, *made)
        await stored(place, other)
        assert list(place.stored().values()) == [BODY]


@pytest.mark.gen_test
async def test_a_pause_while_joining_does_not_lose_it(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        hold = place.points.hold("copy")
        berth = await final_of(place, channel, *made)
        await hold.reached()
        await place.station.orders.pause(channel.session.id, None)
        hold.release()
        await stored(place, berth)
        assert list(place.stored().values()) == [BODY]
        assert place.listener.lifecycle == ["upload-started", "upload-completed", "session-completed"]


@pytest.mark.gen_test
async def test_a_partial_that_is_removed_while_joining_fails_the_final(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        hold = place.points.hold("copy")
        berth = await final_of(place, channel, *made)
        await hold.reached()
        await place.station.orders.remove(made[-1], stored_too=False)
        await until(lambda: made[-1].upload.id not in place.parts)
        hold.release()
        await finished(berth)
        tick(place, 3600)
        await finished(berth)
        tick(place)
        await place.listener.hears_the_last()
        assert place.stored() == {}
        assert await gone(place, berth.upload.id) == "failed"
        last = place.listener.data("upload-failed")[-1]
        assert (last["error"]["code"], last["canRetry"]) == ("VALIDATION_ERROR", False)


@pytest.mark.gen_test
async def test_a_final_whose_part_is_still_being_made_is_not_begun_by_the_clock(tmp_path: Path) -> None:
    """On a slow disk a tick came between, found no part to join into, and told of a failure."""
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        made = await parts_of(place)
        hold = place.points.hold("make")
        making = asyncio.create_task(final_of(place, channel, *made))
        await hold.reached()
        tick(place)
        [file] = channel.session.files.values()
        berth = place.station.shelf.of_file(file)
        assert berth is not None
        assert berth.finishing is None
        hold.release()
        assert await making is berth
        await stored(place, berth)
        assert place.listener.lifecycle == ["upload-started", "upload-completed", "session-completed"]


@pytest.mark.gen_test
async def test_a_final_upload_takes_no_bytes_of_its_own(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        made = await parts_of(place)
        berth = await final_of(place, channel, *made)
        await stored(place, berth)
        assert berth.upload.over
        assert berth.upload.standing(place.clock()).kind is Kind.FINAL
        assert Append(0).length is None


@pytest.mark.gen_test
async def test_a_final_that_waits_for_room_gives_back_what_it_copied(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        made = await parts_of(place, BODY[:5000], BODY[5000:])
        place.points.fail("copy", errno.ENOSPC, at=2)
        final = await final_of(place, channel, *made)
        await finished(final)
        assert place.part(final) == b""
        later = place.clock.mono + place.station.config.upload_expiry
        assert [part.upload.expires_at for part in made] == [later, later], "they are needed still"
        tick(place, LONGEST_WAIT)
        await stored(place, final)
        assert list(place.stored().values()) == [BODY]
