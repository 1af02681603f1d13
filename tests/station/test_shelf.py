"""All uploads: found in memory or in the journal, retired once that is recorded, and looked after as time passes."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from station import archive
from station.archive import KeptUpload
from station.berth import Berth
from station.errors import Problem, Refused
from station.file import Status
from station.resumption import Checks, Kind
from station.upload import Upload, upload_from
from tests.station.places import Place, crash_image, file_of, finished, lines, new_id, open_place, rows, until

TEXT = lines(1000)


async def kept(place: Place, upload_id: str) -> KeptUpload:
    found = await place.journal.read(lambda journal: archive.upload(journal, upload_id))
    assert found is not None
    return found


def ended(root: Path, upload_id: str) -> float | None:
    found: float | None = rows(root, "SELECT ended_at FROM uploads WHERE id=?", upload_id)[0][0]
    return found


def gone(berth: Berth) -> str | None:
    return berth.upload.gone


async def refusal(place: Place, upload_id: str) -> Problem:
    with pytest.raises(Refused) as refused:
        await place.station.shelf.find(upload_id)
    return refused.value.problem


async def forgotten(place: Place) -> None:
    await until(lambda: len(place.station.shelf) == 0)


# ---- finding ----


@pytest.mark.gen_test
async def test_an_upload_that_never_was_is_not_found(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        for upload_id in (new_id(), "", "../x", "a" * 10_000):
            assert await refusal(place, upload_id) == Problem("FILE_NOT_FOUND")


@pytest.mark.gen_test
async def test_an_upload_that_can_be_gone_on_with_is_found_in_memory(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, length=1000)
        assert await place.station.shelf.find(berth.upload.id) is berth
        assert place.station.shelf.of_file(file_of(channel)) is berth
        assert len(place.station.shelf) == 1


@pytest.mark.gen_test
async def test_a_stored_one_is_known_from_the_journal(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, length=1000, checks=Checks(wanted=("sha1",)), metadata="filename YQ==")
        upload = berth.upload
        await place.add(berth, TEXT)
        await forgotten(place)
        again = (await place.station.shelf.find(upload.id)).upload
        assert (again.complete, again.gone, again.offset, again.length) == (True, None, 1000, 1000)
        assert (again.digests["sha1"], again.metadata) == (upload.digests["sha1"], "filename YQ==")
        assert (again.session_id, again.file_id) == (channel.session.id, file_of(channel).id)
        assert ended(tmp_path, upload.id) == place.clock.wall
        assert again.standing(place.clock()).complete
        await (Berth(again)).free()


@pytest.mark.gen_test
async def test_what_is_gone_stays_gone_also_when_only_the_journal_knows(tmp_path: Path) -> None:
    async with open_place(tmp_path / "a") as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, length=1000)
        upload_id = berth.upload.id
        await place.station.orders.cancel(channel.session.id, file_of(channel).id, "user")
        await forgotten(place)
        for _ in range(2):
            found = await place.station.shelf.find(upload_id)
            assert found.upload.gone == "cancelled"
            with pytest.raises(Refused) as refused:
                await found.free()
            assert refused.value.problem == Problem("UPLOAD_GONE", "cancelled")
        image = crash_image(tmp_path / "a", tmp_path / "b")
    async with open_place(image, recover=True) as place:
        assert (await place.station.shelf.find(upload_id)).upload.gone == "cancelled"


@pytest.mark.gen_test
async def test_what_could_not_be_recorded_as_gone_is_gone_all_the_same(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await place.upload(length=1000, kind=Kind.PARTIAL)
        place.journal.break_down()
        retired = place.station.shelf.retire(berth, "terminated")
        await asyncio.wait([retired])
        assert retired.exception() is not None
        await forgotten(place)
        place.journal.mend()
        assert ended(tmp_path, berth.upload.id) is None
        assert await refusal(place, berth.upload.id) == Problem("UPLOAD_GONE")
        await place.no_parts()


# ---- retiring ----


@pytest.mark.gen_test
async def test_bytes_are_freed_once_it_is_recorded_that_nobody_wants_them(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await place.upload(length=1000, kind=Kind.PARTIAL)
        await place.add(berth, TEXT[:500])
        place.watch_commits()
        place.points.passed.clear()
        commit = place.points.hold("commit")
        retired = place.station.shelf.retire(berth, "expired")
        await commit.reached()
        assert (berth.upload.gone, ended(tmp_path, berth.upload.id)) == ("expired", None)
        assert place.parts == [berth.upload.id]
        assert await place.station.shelf.find(berth.upload.id) is berth, "nobody is told 404 in between"
        commit.release()
        await retired
        await place.no_parts()
        assert place.points.passed == ["commit", "drop"]
        assert len(place.station.shelf) == 0
        assert ended(tmp_path, berth.upload.id) == place.clock.wall
        assert (await kept(place, berth.upload.id)).kept["gone"] == "expired"


@pytest.mark.gen_test
async def test_a_retired_upload_reserves_nothing_and_its_file_begins_at_nought(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, length=1000)
        space = place.station.dock.space
        assert space.reserved(place.clock.mono) == 1000
        await place.station.shelf.retire(berth, "lost")
        assert space.reserved(place.clock.mono) == 0
        assert file_of(channel).upload is None
        assert place.station.shelf.of_file(file_of(channel)) is None


@pytest.mark.gen_test
async def test_a_file_that_has_another_upload_by_now_keeps_it(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        older = await place.upload(channel, length=1000)
        file_of(channel).upload = "another"
        await place.station.shelf.retire(older, "replaced")
        assert file_of(channel).upload == "another"


@pytest.mark.gen_test
async def test_whoever_writes_notices_that_the_upload_is_gone(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await place.upload(length=1000, kind=Kind.PARTIAL)
        append = await place.append(berth, 1000)
        await append.feed(TEXT[:500])
        await place.station.shelf.retire(berth, "terminated")
        await append.released.wait()
        assert append.problem == Problem("UPLOAD_GONE", "terminated")
        await place.no_parts()
        assert gone(berth) == "terminated"


@pytest.mark.gen_test
async def test_a_complete_upload_is_not_gone(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, length=1000)
        upload_of_file = file_of(channel).upload
        await place.station.shelf.complete(berth)
        assert (berth.upload.complete, berth.upload.gone) == (True, None)
        assert file_of(channel).upload == upload_of_file
        assert (await kept(place, berth.upload.id)).kept["complete"]


@pytest.mark.gen_test
async def test_the_partials_that_a_stored_file_was_made_of_are_freed_and_lead_to_it(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        first, other = [await place.upload(length=10, kind=Kind.PARTIAL) for _ in range(2)]
        await place.add(first, TEXT[:10])
        ids = (first.upload.id, first.upload.id)
        final = await place.upload(await place.open(expected=1), length=None, kind=Kind.FINAL, parts=ids)
        await finished(final)
        await place.listener.hears_the_last()
        assert list(place.stored().values()) == [TEXT[:10] * 2]
        await until(lambda: place.parts == [other.upload.id])
        part = await place.station.shelf.find(first.upload.id)
        assert (gone(part), part.upload.final) == ("joined", final.upload.id)
        assert (gone(other), other.upload.final) == (None, None)


@pytest.mark.gen_test
async def test_a_file_that_was_stored_another_way_replaces_its_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        berth = await place.upload(channel, length=1000)
        await place.raw(channel, "a.txt", TEXT, file_id=file_of(channel).id)
        place.station.shelf.tick()
        assert (gone(berth), berth.upload.complete) == ("replaced", False)
        await place.no_parts()


@pytest.mark.gen_test
async def test_after_the_station_was_closed_nothing_is_dropped(tmp_path: Path) -> None:
    """The journal closes last: what it records then leads to no more work, which would find no threads."""
    async with open_place(tmp_path) as place:
        berth = await place.upload(length=1000, kind=Kind.PARTIAL)
        place.watch_commits()
        commit = place.points.hold("commit")
        retired = place.station.shelf.retire(berth, "terminated")
        await commit.reached()
        await place.station.dock.close()
        commit.release()
        await retired
        assert place.parts == [berth.upload.id], "the next start sweeps it"


# ---- recording ----


@pytest.mark.gen_test
async def test_an_upload_is_recorded_as_it_is_or_as_it_will_be(tmp_path: Path) -> None:
    async with open_place(tmp_path, upload_expiry=100.0) as place:
        shelf, clock = place.station.shelf, place.clock
        upload = Upload("u", length=10, offset=3, expires_at=clock.mono + 50, parts=("a", "b"), concat="final;a b")
        await shelf.save(upload)
        found = await kept(place, "u")
        assert (found.offset, found.expires_at) == (3, clock.wall + 50)
        assert upload_from("u", found.offset, found.expires_at, found.kept, clock()) == upload
        await shelf.save(upload, offset=7)
        assert ((await kept(place, "u")).offset, upload.offset) == (7, 3)
        clock.pass_by(10)
        await shelf.move(upload, 9)
        found = await kept(place, "u")
        assert (found.offset, found.expires_at) == (9, clock.wall + 100)
        assert ended(tmp_path, "u") is None


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("status", "closed", "complete", "gone"),
    [
        ("completed", True, True, None),
        ("completed", False, False, "replaced"),
        ("cancelled", True, False, "cancelled"),
        ("failed", True, False, "lost"),
        (None, True, False, "lost"),
    ],
)
async def test_after_a_restart_it_is_recorded_what_became_of_an_upload(
    tmp_path: Path, status: str | None, closed: bool, complete: bool, gone: str | None
) -> None:
    async with open_place(tmp_path) as place:
        upload = Upload("u", length=10, file_id="f", closed=closed)
        await place.station.shelf.save(upload)
        if status is not None:
            row = ("f", "s", 0, status, "a.txt", 10, None, "{}", None)
            await place.journal.change(lambda c: c.execute("INSERT INTO files VALUES (?,?,?,?,?,?,?,?,?)", row).close())
        await place.station.shelf.bury(upload)
        found = (await place.station.shelf.find("u")).upload
        assert (found.complete, found.gone) == (complete, gone)
        assert ended(tmp_path, "u") == place.clock.wall
        assert await place.journal.read(archive.open_uploads) == []


# ---- time ----


@pytest.mark.gen_test
async def test_a_partial_that_nobody_touches_expires(tmp_path: Path) -> None:
    async with open_place(tmp_path, upload_expiry=100.0) as place:
        shelf = place.station.shelf
        berth = await place.upload(length=1000, kind=Kind.PARTIAL)
        place.clock.pass_by(60)
        await place.add(berth, TEXT[:500])
        place.clock.pass_by(99)
        shelf.tick()
        assert gone(berth) is None, "each byte renews it"
        append = await place.append(berth, 500)
        place.clock.pass_by(2)
        shelf.tick()
        assert gone(berth) is None, "somebody is at it"
        await append.end(whole=True)
        shelf.tick()
        assert gone(berth) == "expired"
        await place.no_parts()
        assert (await kept(place, berth.upload.id)).kept["gone"] == "expired"


@pytest.mark.gen_test
async def test_an_expired_partial_is_gone_before_the_next_tick(tmp_path: Path) -> None:
    async with open_place(tmp_path, upload_expiry=100.0) as place:
        berth = await place.upload(length=1000, kind=Kind.PARTIAL)
        place.clock.pass_by(100)
        found = await place.station.shelf.find(berth.upload.id)
        with pytest.raises(Refused) as refused:
            await found.free()
        assert refused.value.problem == Problem("UPLOAD_GONE", "expired")


@pytest.mark.gen_test
async def test_an_unfinished_file_expires_with_its_upload_and_its_bytes_are_freed(tmp_path: Path) -> None:
    async with open_place(tmp_path, upload_expiry=4000.0) as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, length=1000)
        await place.add(berth, TEXT[:500])
        place.clock.pass_by(3999)
        place.station.watch.tick()
        assert gone(berth) is None
        place.clock.pass_by(2)
        place.station.watch.tick()
        assert gone(berth) == "expired"
        cancelled = await place.listener.hears("upload-cancelled")
        assert cancelled["reason"] == "expired"
        await place.listener.hears_the_last()
        await place.no_parts()
        assert place.listener.names.count("upload-cancelled") == 1


@pytest.mark.gen_test
async def test_a_finished_file_never_expires(tmp_path: Path) -> None:
    async with open_place(tmp_path, upload_expiry=100.0) as place:
        berth = await place.upload(await place.open(auto_complete=False), length=1000)
        await place.add(berth, TEXT)
        place.clock.pass_by(1000)
        place.station.watch.tick()
        assert list(place.stored().values()) == [TEXT]
        found = await place.station.shelf.find(berth.upload.id)
        assert (found.upload.complete, found.upload.gone) == (True, None)
        assert "upload-cancelled" not in place.listener.names


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("status", "reason"), [(Status.CANCELLED, "cancelled"), (Status.FAILED, "failed"), (Status.PENDING, "replaced")]
)
async def test_what_has_nobody_any_more_is_retired_at_the_next_look(
    tmp_path: Path, status: Status, reason: str
) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, length=1000)
        file = file_of(channel)
        file.status = status
        if reason == "replaced":
            file.upload = None
        place.station.shelf.check(channel)
        assert gone(berth) == reason
        await place.no_parts()


@pytest.mark.gen_test
async def test_what_was_published_and_recorded_late_is_complete(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        berth = await place.upload(channel, length=1000)
        link = place.points.hold("link")
        ending = asyncio.ensure_future(place.add(berth, TEXT))
        await link.reached()
        place.journal.break_down()
        link.release()
        await ending
        assert len(place.stored()) == 1
        assert gone(berth) is None
        place.journal.mend()
        channel.flush()
        await place.listener.hears("upload-completed")
        place.station.shelf.tick()
        assert berth.upload.complete
        await forgotten(place)
        assert (await kept(place, berth.upload.id)).kept["complete"]
        assert len(place.stored()) == 1


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_what_found_no_room_is_stored_when_it_is_tried_again(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await place.upload(await place.open(expected=1), length=1000)
        place.points.fail("link", errno.ENOSPC)
        await place.add(berth, TEXT)
        assert (berth.upload.closed, berth.upload.complete) == (True, False)
        failed = await place.listener.hears("upload-failed")
        assert (failed["error"]["code"], failed["canRetry"]) == ("INSUFFICIENT_STORAGE", True)
        assert berth.again_at > place.clock.mono
        place.station.shelf.tick()
        assert berth.finishing is None, "not yet"
        place.clock.mono = berth.again_at
        place.station.shelf.tick()
        await finished(berth)
        await place.listener.hears_the_last()
        assert list(place.stored().values()) == [TEXT]
        assert place.listener.lifecycle.count("upload-completed") == 1


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_what_is_lost_before_it_was_stored_is_not_tried_again_for_ever(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await place.upload(await place.open(expected=1), length=1000)
        place.points.fail("link", errno.ENOSPC)
        await place.add(berth, TEXT)
        berth.digests = None  # as after a restart: it is read again
        (tmp_path / ".station" / "parts" / berth.upload.id).write_bytes(TEXT[:999])
        place.clock.mono = berth.again_at
        place.station.shelf.tick()
        await finished(berth)
        assert gone(berth) == "failed"
        await until(lambda: len(place.listener.data("upload-failed")) == 2)
        assert place.listener.data("upload-failed")[-1]["error"]["code"] == "SERVER_ERROR"
        assert place.stored() == {}
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_joining_that_could_not_be_recorded_is_done_again_and_told_rightly(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        part = await place.upload(length=1000, kind=Kind.PARTIAL)
        await place.add(part, TEXT)
        channel = await place.open(expected=1)
        hold = place.points.hold("copy")
        final = await place.upload(channel, length=None, kind=Kind.FINAL, parts=(part.upload.id,))
        await hold.reached()
        place.journal.break_down()
        hold.release()
        await finished(final)
        assert (final.upload.closed, final.upload.offset, place.stored()) == (False, 0, {})
        place.station.shelf.tick()
        assert final.finishing is None, "copying so much again and again would not help"
        place.journal.mend()
        place.clock.mono = final.again_at
        place.station.watch.tick()
        await finished(final)
        await place.listener.hears_the_last()
        assert list(place.stored().values()) == [TEXT]
        assert place.listener.data("upload-completed")[0]["fileSize"] == 1000
        found = await place.station.shelf.find(final.upload.id)
        assert (found.upload.complete, found.upload.offset) == (True, 1000)


@pytest.mark.gen_test
async def test_nobody_finishes_what_somebody_writes_to(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await place.upload(await place.open(expected=1), length=1000)
        closed: list[Berth] = []
        place.station.shelf.on_closed = closed.append
        berth.upload.closed = True
        append = await place.append(berth, 0, last=False)
        place.station.shelf.tick()
        assert closed == []
        berth.holder = None
        place.station.shelf.tick()
        assert closed == [berth]
        await append.end(whole=True)


@pytest.mark.gen_test
async def test_what_the_last_run_left_is_taken_over_and_what_was_closed_is_finished(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        closed: list[Berth] = []
        shelf = place.station.shelf
        shelf.on_closed = closed.append
        left = [
            Berth(Upload("open")),
            Berth(Upload("closed", closed=True)),
            Berth(Upload("partial", closed=True, kind=Kind.PARTIAL)),
            Berth(Upload("final", kind=Kind.FINAL)),
        ]
        shelf.restore(left)
        assert closed == [left[1], left[3]]
        assert len(shelf) == 4
        assert shelf.finals() == [left[3]]
        left[3].upload.gone = "cancelled"
        assert shelf.finals() == []
