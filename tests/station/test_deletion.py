"""Deleting stored files on a real disk with a real journal, both of which fail at every point that hurts."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from station.deletion import MONITOR
from station.errors import Refused
from station.stored import Spot, Stored
from station.wire import loads
from tests.station.places import Hold, Listener, Place, crash_image, file_of, open_place, rows

KNOWN = "SELECT count(*) FROM files WHERE path IS NOT NULL"


async def a_stored_file(place: Place) -> str:
    channel = await place.open(auto_complete=False)
    await place.raw(channel)
    return file_of(channel).id


async def refused(work: Any) -> str:
    with pytest.raises(Refused) as refusal:
        await work
    return refusal.value.problem.code


def deeds(root: Path) -> list[Any]:
    return [loads(text) for (text,) in rows(root, "SELECT text FROM deeds ORDER BY number")]


def is_known(root: Path) -> bool:
    return bool(rows(root, KNOWN)[0][0])


def is_there(root: Path) -> bool:
    return any((root / "personal").iterdir())


def wanted(root: Path) -> int:
    found: int = rows(root, "SELECT count(*) FROM deletions")[0][0]
    return found


# ---- done, recorded, told ----


@pytest.mark.gen_test
async def test_a_deletion_is_recorded_and_told_to_all_who_ought_to_know(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        file_id = await a_stored_file(place)
        operator, heard = Listener(), list[Any]()
        place.station.hub.join(MONITOR, operator)
        place.station.orders.on_deed.append(lambda name, data: heard.append((name, data, is_known(tmp_path))))
        await place.station.orders.delete_stored(file_id)
        (session_id,) = place.station.channels
        told = operator.data("file-deleted")[0]
        assert told == {
            "fileId": file_id,
            "sessionId": session_id,
            "fileName": "a.txt",
            "uploadPath": told["uploadPath"],
            "deletedAt": place.clock().stamp,
            "by": "operator",
        }
        assert told["uploadPath"].startswith(f"/upload/personal/{session_id}_")
        assert heard == [("file-deleted", told, False)]
        assert deeds(tmp_path) == [told]
        assert rows(tmp_path, "SELECT name, session_id, file_id, at FROM deeds") == [
            ("file-deleted", session_id, file_id, place.clock().wall)
        ]
        # To the session's watchers it is no lifecycle event: it has no number of its own.
        assert place.listener.names[-1] == "file-deleted"
        message = place.listener.messages[-1]
        assert (message.lifecycle, message.seq) == (False, place.station.channels[session_id].picture.seq)
        assert loads(message.text) == {"event": "file-deleted", "data": told, "seq": message.seq}
        assert not is_there(tmp_path)
        assert wanted(tmp_path) == 0


@pytest.mark.gen_test
async def test_of_a_session_that_is_over_the_operator_still_hears(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        await place.raw(channel)
        await place.listener.hears_the_last()
        operator = Listener()
        place.station.hub.join(MONITOR, operator)
        await place.station.orders.delete_stored(file_of(channel).id, by="uploader")
        assert operator.data("file-deleted")[0]["by"] == "uploader"
        assert "file-deleted" not in place.listener.names


@pytest.mark.gen_test
async def test_of_two_who_delete_the_same_file_one_did_and_it_is_told_once(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        file_id = await a_stored_file(place)
        works = [place.station.orders.delete_stored(file_id) for _ in range(5)]
        outcomes = await asyncio.gather(*works, return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", *["Refused"] * 4]
        assert len(deeds(tmp_path)) == 1
        assert place.listener.names.count("file-deleted") == 1
        assert wanted(tmp_path) == 0


@pytest.mark.gen_test
async def test_a_file_that_another_program_took_was_not_deleted_by_us(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        file_id = await a_stored_file(place)
        next((tmp_path / "personal").iterdir()).unlink()
        assert await refused(place.station.orders.delete_stored(file_id)) == "FILE_NOT_FOUND"
        assert deeds(tmp_path) == []
        assert wanted(tmp_path) == 0


@pytest.mark.gen_test
async def test_a_category_that_is_configured_no_longer_can_be_cleared(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        file_id = await a_stored_file(place)
    async with open_place(tmp_path, recover=True, categories=("scenic",)) as place:
        await place.station.orders.delete_stored(file_id)
        assert not is_there(tmp_path)


# ---- what fails ----


@pytest.mark.expects_errors
@pytest.mark.gen_test
async def test_a_disk_that_does_not_delete_leaves_the_file_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_place(tmp_path) as place:
        file_id = await a_stored_file(place)
        with monkeypatch.context() as patch:
            patch.setattr(os, "unlink", failing(errno.EIO))
            assert await refused(place.station.orders.delete_stored(file_id)) == "SERVER_ERROR"
        assert is_there(tmp_path)
        assert is_known(tmp_path)
        assert (deeds(tmp_path), wanted(tmp_path)) == ([], 0)
        await place.station.orders.delete_stored(file_id)
        assert not is_there(tmp_path)


def failing(number: int) -> Any:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.gen_test
async def test_what_cannot_be_recorded_is_not_done(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        file_id = await a_stored_file(place)
        place.journal.break_down()
        assert await refused(place.station.orders.delete_stored(file_id)) == "SERVER_ERROR"
        assert is_there(tmp_path)
        place.journal.mend()
        await place.station.orders.delete_stored(file_id)
        assert not is_there(tmp_path)


@pytest.mark.gen_test
async def test_on_a_full_disk_a_file_can_be_deleted_for_that_is_what_mends_it(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        file_id = await a_stored_file(place)
        place.journal.break_down(full=True)
        hold = place.points.hold("folder")
        deleting = asyncio.create_task(place.station.orders.delete_stored(file_id))
        await hold.reached()
        assert not is_there(tmp_path)
        place.journal.mend()
        hold.release()
        await deleting
        assert len(deeds(tmp_path)) == 1
        assert not is_known(tmp_path)


@pytest.mark.parametrize("again", [True, False], ids=["tried again", "by the next start"])
@pytest.mark.gen_test
async def test_a_file_that_is_gone_but_not_recorded_as_gone_will_be(tmp_path: Path, again: bool) -> None:
    async with open_place(tmp_path) as place:
        file_id = await a_stored_file(place)
        hold = place.points.hold("folder")
        deleting = asyncio.create_task(place.station.orders.delete_stored(file_id))
        await hold.reached()
        place.journal.break_down()
        hold.release()
        assert await refused(deleting) == "SERVER_ERROR"
        assert "file-deleted" not in place.listener.names
        place.journal.mend()
        assert (is_there(tmp_path), is_known(tmp_path), wanted(tmp_path)) == (False, True, 1)
        if again:
            await place.station.orders.delete_stored(file_id)
            assert place.listener.names.count("file-deleted") == 1
    async with open_place(tmp_path, recover=True):
        assert (is_known(tmp_path), wanted(tmp_path), len(deeds(tmp_path))) == (False, 0, 1)


@pytest.mark.expects_errors
@pytest.mark.gen_test
async def test_a_deletion_that_might_not_last_is_not_told(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        file_id = await a_stored_file(place)
        place.points.fail("folder", errno.EIO)
        assert await refused(place.station.orders.delete_stored(file_id)) == "SERVER_ERROR"
        assert deeds(tmp_path) == []
    (tmp_path / "personal" / "reappeared").write_bytes(b"")  # another file is nobody's business
    async with open_place(tmp_path, recover=True):
        assert (is_known(tmp_path), len(deeds(tmp_path))) == (False, 1)
        assert is_there(tmp_path)


# ---- a crash at any point ----


def after(hold: Hold, unlink: Callable[[Stored, Spot], bool]) -> Callable[[Stored, Spot], bool]:
    def held(stored: Stored, spot: Spot) -> bool:
        hold.pass_through()
        return unlink(stored, spot)

    return held


@pytest.mark.parametrize("point", ["before the intent", "before the unlink", "before the sync", "before the record"])
@pytest.mark.gen_test
async def test_after_a_crash_a_file_is_there_and_known_or_gone_and_recorded(
    tmp_path: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "left"
    async with open_place(tmp_path / "up") as place:
        file_id = await a_stored_file(place)
        place.watch_commits()
        hold = Hold()
        if point == "before the intent":
            hold = place.points.hold("commit")
        elif point == "before the unlink":
            monkeypatch.setattr(Stored, "unlink", after(hold, Stored.unlink))
        elif point in {"before the sync", "before the record"}:
            hold = place.points.hold("folder")
        deleting = asyncio.create_task(place.station.orders.delete_stored(file_id))
        await hold.reached()
        if point == "before the record":
            last = place.points.hold("commit")
            hold.release()
            hold = last
            await hold.reached()
        crash_image(tmp_path / "up", left)
        hold.release()
        await deleting
    monkeypatch.undo()
    assert is_known(left)
    async with open_place(left, recover=True):
        there = is_there(left)
        assert there == is_known(left) == (point == "before the intent")
        assert len(deeds(left)) == (0 if there else 1)
        assert wanted(left) == 0


@pytest.mark.expects_errors
@pytest.mark.gen_test
async def test_a_start_that_cannot_finish_a_deletion_serves_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "left"
    async with open_place(tmp_path / "up") as place:
        file_id = await a_stored_file(place)
        hold = place.points.hold("folder")
        deleting = asyncio.create_task(place.station.orders.delete_stored(file_id))
        await hold.reached()
        crash_image(tmp_path / "up", left)
        hold.release()
        await deleting
    with monkeypatch.context() as patch:
        patch.setattr(Stored, "unlink", failing(errno.EROFS))
        async with open_place(left, recover=True):
            assert (wanted(left), is_known(left)) == (1, True)
    async with open_place(left, recover=True):
        assert (wanted(left), is_known(left), len(deeds(left))) == (0, False, 1)
