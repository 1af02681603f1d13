"""The end of an upload: the order of its steps, and what a cancel, a clash or a fault at each of them makes of it."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from station.channel import Channel
from station.errors import Problem, Refused
from station.intake import RawIntake
from station.publishing import public_path
from tests.station.places import (
    Place,
    assert_rules_hold,
    crash_image,
    events_in,
    file_of,
    open_place,
    rows,
    until,
)

REPOSITORY = Path(__file__).resolve().parents[2]
BODY = bytes(range(256)) * 8
POINTS = ("create", "write", "fsync", "link", "folder")


def stored(place: Place) -> list[bytes]:
    return list(place.stored().values())


async def sending(place: Place, channel: Channel) -> tuple[RawIntake, asyncio.Task[bool]]:
    """An upload of BODY that runs by itself; its result is whether a file was stored."""
    intake = await place.raw_open(channel, length=len(BODY))

    async def send() -> bool:
        await intake.feed(BODY)
        return (await intake.finish()).stored == 1

    return intake, asyncio.create_task(send())


def test_the_public_path_is_the_category_and_the_stored_name() -> None:
    assert public_path("scenic", "a b.txt") == "/upload/scenic/a b.txt"


# ---- the order ----


@pytest.mark.gen_test
async def test_the_steps_come_in_the_only_order_that_survives_a_power_cut(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        fsync = place.points.hold("fsync")
        _, task = await sending(place, channel)
        await fsync.reached()
        await channel.committed()
        place.watch_commits()
        fsync.release()
        assert await task
        assert place.points.passed == ["create", "write", "fsync", "commit", "link", "folder", "commit", "drop"]


@pytest.mark.gen_test
async def test_nothing_is_visible_before_it_is_synced_and_intended_and_nothing_told_before_it_is_recorded(
    tmp_path: Path,
) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        place.watch_commits()
        fsync = place.points.hold("fsync")
        _, task = await sending(place, channel)
        await fsync.reached()
        await until(lambda: "upload-started" in events_in(tmp_path, channel.session.id))
        assert stored(place) == []
        intent = place.points.hold("commit")
        fsync.release()
        await intent.reached()
        assert stored(place) == []
        link = place.points.hold("link")
        intent.release()
        await link.reached()
        [kept] = rows(tmp_path, "SELECT kept FROM files")
        assert '"intent":[' in kept[0]
        assert stored(place) == []
        folder = place.points.hold("folder")
        link.release()
        await folder.reached()
        assert stored(place) == [BODY]
        completion = place.points.hold("commit")
        folder.release()
        await completion.reached()
        assert place.listener.lifecycle == ["upload-started"]
        assert channel.picture.overall_status == "uploading"
        assert not task.done()
        completion.release()
        assert await task
        await place.listener.hears("upload-completed")
        assert events_in(tmp_path, channel.session.id) == ["upload-started", "upload-completed"]


UPLOAD = """
import asyncio, sys
from pathlib import Path
from tests.station.places import open_place, config, new_id, FakeClock
from station.intake import RawIntake
from station.station import Station

async def main():
    root = Path(sys.argv[1])
    station = Station(config(root), FakeClock(), new_id)
    intake = RawIntake(station.dock, station.sessions, None, "a.txt")
    await intake.open(None, None, None)
    await intake.feed(bytes(2048))
    receipt = await intake.finish()
    assert receipt.stored == 1
    await station.stop()

asyncio.run(main())
"""
CALLS = "write,pwrite64,fsync,fdatasync,linkat,unlinkat"


def test_the_system_calls_come_in_this_order(tmp_path: Path, strace: str) -> None:
    trace, root = tmp_path / "trace", tmp_path / "up"
    subprocess.run(
        [strace, "-f", "-y", "-e", f"trace={CALLS}", "-o", str(trace), sys.executable, "-c", UPLOAD, str(root)],
        cwd=REPOSITORY,
        check=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    # With -y the descriptor's path stands beside its number.
    interesting = {
        "part written": r"write\(\d+<[^>]*/parts/[0-9a-f-]{36}>",
        "part synced": r"fsync\(\d+<[^>]*/parts/[0-9a-f-]{36}>",
        "journal written": r"pwrite64\(\d+<[^>]*journal\.db-wal>",
        "journal synced": r"f(?:data)?sync\(\d+<[^>]*journal\.db-wal>",
        "linked": r"linkat\(\d+<[^>]*/parts>, \"[0-9a-f-]{36}\".*_a\.txt\"",
        "folder synced": r"fsync\(\d+<[^>]*/personal>",
        "part dropped": r"unlinkat\(\d+<[^>]*/parts>, \"[0-9a-f-]{36}\"",
    }
    steps: list[str] = []
    for line in trace.read_text().splitlines():
        if "resumed" in line:
            continue
        for name, pattern in interesting.items():
            if re.search(pattern, line) and (not steps or steps[-1] != name):
                steps.append(name)
    upload = steps[steps.index("part written") :]
    linked = upload.index("linked")
    assert upload.index("part synced") < linked
    assert "journal synced" in upload[upload.index("part synced") : linked], "the intent"
    after = upload[linked:]
    assert after.index("folder synced") < after.index("journal written") < after.index("journal synced")
    assert after.index("journal synced") < after.index("part dropped")


# ---- a cancel at each step ----


@pytest.mark.gen_test
@pytest.mark.parametrize("by", ["file", "session", "close"])
@pytest.mark.parametrize("point", [*POINTS, "drop"])
async def test_a_cancel_at_a_step_of_the_disk_gives_one_ending(tmp_path: Path, point: str, by: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)))
        hold = place.points.hold(point)
        _, task = await sending(place, channel)
        await hold.reached()
        refused = await cancel(place, channel, by)
        hold.release()
        done = await task
        await assert_one_truth(place, channel, done, cancelled=by != "close" and not refused)
        assert refused == (point == "drop" or (by == "file" and point in {"link", "folder"}))


@pytest.mark.gen_test
@pytest.mark.parametrize("by", ["file", "session", "close"])
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_cancel_during_each_commit_gives_one_ending(tmp_path: Path, nth: int, by: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)))
        place.watch_commits()
        hold = place.points.hold("commit")
        _, task = await sending(place, channel)
        for _ in range(nth - 1):
            await hold.reached()
            following = place.points.hold("commit")
            hold.release()
            hold = following
        await hold.reached()
        cancelling = asyncio.create_task(cancel(place, channel, by))
        await asyncio.sleep(0)
        hold.release()
        refused = await cancelling
        done = await task
        await assert_one_truth(place, channel, done, cancelled=by != "close" and not refused)


async def cancel(place: Place, channel: Channel, by: str) -> bool:
    """Whether it was refused, because it came too late."""
    session_id = channel.session.id
    try:
        if by == "close":
            await place.station.orders.complete(session_id)
        else:
            await place.station.orders.cancel(session_id, file_of(channel).id if by == "file" else None, "enough")
    except Refused as refused:
        if refused.problem.code not in {"UPLOAD_ALREADY_COMPLETED", "SESSION_CLOSED"}:
            raise
        return True
    return False


async def assert_one_truth(place: Place, channel: Channel, done: bool, *, cancelled: bool) -> None:
    """Completed and visible, or cancelled and invisible; told, kept and answered alike."""
    await place.listener.hears_the_last()
    assert_rules_hold(place.listener.messages)
    endings = [each["event"] for each in place.listener.told if "fileId" in each["data"] and "seq" in each]
    endings = [name for name in endings if name in {"upload-completed", "upload-cancelled", "upload-failed"}]
    assert endings == (["upload-completed"] if done else ["upload-cancelled"])
    assert stored(place) == ([BODY] if done else [])
    assert events_in(place.root, channel.session.id) == place.listener.lifecycle
    assert rows(place.root, "SELECT status FROM files") == [("completed" if done else "cancelled",)]
    assert cancelled or done
    await place.no_parts()


# ---- names that clash ----


@pytest.mark.gen_test
async def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        for number in range(4):
            receipt = await place.raw(channel, "a.txt", b"%d" % number)
            assert receipt.stored == 1
        contents = place.stored()
        names = [Path(str(file.path)).name for file in channel.session.files.values()]
        assert [contents[name] for name in names] == [b"0", b"1", b"2", b"3"]
        assert [name.rpartition("_")[2] for name in names] == ["a.txt", "a-1.txt", "a-2.txt", "a-3.txt"]
        assert [each["uploadPath"] for each in place.listener.data("upload-completed")] == [
            f"/upload/personal/{name}" for name in names
        ]


@pytest.mark.gen_test
async def test_many_at_once_with_one_name_are_all_kept(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        bodies = [b"%03d" % number * (number + 1) for number in range(30)]
        receipts = await asyncio.gather(*(place.raw(channel, "a.txt", body) for body in bodies))
        assert [receipt.stored for receipt in receipts] == [1] * 30
        assert sorted(stored(place)) == sorted(bodies)


# ---- a disk that fails ----


@pytest.mark.gen_test
@pytest.mark.expects_errors
@pytest.mark.parametrize("point", ["link", "folder"])
@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "INSUFFICIENT_STORAGE"), (errno.EIO, "SERVER_ERROR"), (errno.EROFS, "SERVER_ERROR")],
)
async def test_a_fault_while_publishing_ends_the_attempt(tmp_path: Path, point: str, number: int, code: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)))
        place.points.fail(point, number)
        intake, task = await sending(place, channel)
        assert not await task
        assert intake.problem == Problem(code)
        failure = await place.listener.hears("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == (code, True)
        # Whoever saw the file may have taken it: a link that was made is not taken back.
        assert stored(place) == ([BODY] if point == "folder" else [])
        await place.no_parts()
        receipt = await place.raw(channel, "a.txt", BODY)
        assert receipt.stored == 1
        await place.listener.hears_the_last()
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
@pytest.mark.parametrize("point", ["create", "write", "fsync"])
async def test_a_fault_before_shows_nothing(tmp_path: Path, point: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)), auto_complete=False)
        place.points.fail(point, errno.EIO)
        _, task = await sending(place, channel)
        assert not await task
        assert stored(place) == []
        assert "link" not in place.points.passed


# ---- a journal that fails ----


@pytest.mark.gen_test
@pytest.mark.parametrize("full", [True, False])
async def test_no_link_is_made_without_the_intent_recorded(tmp_path: Path, full: bool) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)))
        hold = place.points.hold("fsync")
        intake, task = await sending(place, channel)
        await hold.reached()
        await channel.committed()
        place.journal.break_down(full=full)
        hold.release()
        assert not await task
        assert intake.problem == Problem("INSUFFICIENT_STORAGE" if full else "SERVER_ERROR")
        assert stored(place) == []
        assert "link" not in place.points.passed
        assert place.listener.lifecycle == ["upload-started"]
        place.journal.mend()
        channel.flush()
        await place.listener.hears("upload-failed")
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_completion_that_is_not_recorded_is_neither_told_nor_answered_until_it_is(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)))
        hold = place.points.hold("folder")
        intake, task = await sending(place, channel)
        await hold.reached()
        place.journal.break_down()
        hold.release()
        assert not await task, "contract, rule 5: no answer says what is not committed"
        assert intake.problem == Problem("SERVER_ERROR")
        assert place.listener.lifecycle == ["upload-started"]
        assert [file["status"] for file in intake.receipt.snapshots()] == ["uploading"]
        assert stored(place) == [BODY], "and what is visible stays"
        image = crash_image(tmp_path, tmp_path.with_name("image"))
        place.journal.mend()
        channel.flush()
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-started", "upload-completed", "session-completed"]
    async with open_place(image, clock=place.clock, recover=True) as again:
        assert (await again.station.sessions.picture(channel.session.id)).overall_status == "completed"
        assert events_in(image, channel.session.id) == place.listener.lifecycle
        assert stored(again) == [BODY]
        assert again.parts == []


@pytest.mark.gen_test
async def test_an_abort_while_it_is_being_published_comes_too_late(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)))
        hold = place.points.hold("link")
        intake, task = await sending(place, channel)
        await hold.reached()
        intake.abort(Problem("NETWORK_ERROR"))
        hold.release()
        await task
        await assert_one_truth(place, channel, True, cancelled=False)


@pytest.mark.gen_test
async def test_the_stored_name_is_made_of_session_time_and_safe_name(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False, category="scenic")
        await place.raw(channel, '../..\\bad:"name".txt')
        [name] = place.stored("scenic")
        assert re.fullmatch(rf"{channel.session.id}_\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\d_\d{{3}}Z_bad__name_\.txt", name)
