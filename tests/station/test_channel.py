"""Nothing is told before it is committed, and then all of it, in order, once: a real session, journal and hub."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from station.channel import Channel
from station.errors import Problem
from station.file import Attempt
from station.journal import JournalFailed
from station.wire import loads
from tests.station.places import (
    Listener,
    Place,
    assert_rules_hold,
    events_in,
    file_of,
    open_place,
    rows,
    until,
)

MIB = 1024**2


def begin(place: Place, channel: Channel, at: int = 0, size: int = 10 * MIB) -> Attempt:
    return channel.session.start(file_of(channel, at), size, place.clock())


def advance(place: Place, channel: Channel, attempt: Attempt, count: int = MIB) -> None:
    """Count bytes late enough after the last that progress is told."""
    place.clock.pass_by(1.0)
    assert channel.session.advance(attempt, count, place.clock())


async def opened(place: Place, *names: str) -> Channel:
    return await place.open(*((name, 10 * MIB) for name in names or ("a.txt",)))


# ---- nothing before it is committed ----


@pytest.mark.gen_test
async def test_nothing_is_told_while_the_journal_is_locked_by_another(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        other = sqlite3.connect(tmp_path / ".station" / "journal.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        before = channel.picture.snapshot("now")
        attempt = begin(place, channel)
        channel.flush()
        advance(place, channel, attempt)
        channel.flush()
        waiting = asyncio.ensure_future(channel.committed())
        # The journal answers others meanwhile, from what is committed.
        assert await place.journal.read(lambda c: c.execute("SELECT count(*) FROM events").fetchone()) == (0,)
        assert not waiting.done()
        assert place.listener.messages == []
        assert channel.picture.snapshot("now") == before
        other.execute("ROLLBACK")
        other.close()
        await waiting
        assert place.listener.names == ["upload-started", "upload-progress"]
        assert channel.picture.seq == 1


@pytest.mark.gen_test
async def test_an_event_is_in_the_journal_when_it_is_told(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        found: list[list[str]] = []

        class Checking(Listener):
            def deliver(self, session_id: str, message: object) -> None:
                found.append(events_in(tmp_path, session_id))

        place.heard(channel, Checking())
        begin(place, channel)
        await channel.committed()
        channel.session.cancel("enough", place.clock())
        await channel.committed()
        assert found == [["upload-started"], *[["upload-started", *["upload-cancelled"] * 2, "session-completed"]] * 4]


@pytest.mark.gen_test
async def test_what_is_told_is_what_is_kept_to_the_letter(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place, '文件 "1".txt', "b.txt")
        begin(place, channel)
        channel.session.cancel("原因 \U0001f600", place.clock())
        await channel.committed()
        kept = rows(tmp_path, "SELECT seq, name, text FROM events ORDER BY seq")
        assert kept == [(m.seq, m.event, m.text) for m in place.listener.messages if m.lifecycle]


# ---- order ----


@pytest.mark.gen_test
async def test_progress_behind_a_commit_is_replaced_and_never_overtakes(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place, "a.txt", "b.txt")
        place.watch_commits()
        held = place.points.hold("commit")
        first = begin(place, channel, 0)
        channel.flush()
        await held.reached()
        for _ in range(5):
            advance(place, channel, first)
            channel.flush()
        second = begin(place, channel, 1)
        channel.flush()
        advance(place, channel, second)
        channel.flush()
        advance(place, channel, first)
        channel.flush()
        assert place.listener.messages == []
        held.release()
        await channel.committed()
        told = place.listener.told
        ids = [file_of(channel, at).id for at in (0, 1)]
        assert [(each["event"], ids.index(each["data"]["fileId"])) for each in told] == [
            ("upload-started", 0),
            ("upload-started", 1),
            ("upload-progress", 1),
            ("upload-progress", 0),
        ]
        assert [each["data"]["uploadedBytes"] for each in told if each["event"] == "upload-progress"] == [MIB, 6 * MIB]
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_progress_with_nothing_before_it_waits_for_no_disk(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        attempt = begin(place, channel)
        await channel.committed()
        place.watch_commits()
        advance(place, channel, attempt)
        channel.flush()
        assert place.listener.names == ["upload-started", "upload-progress"]
        assert place.points.passed == []


@pytest.mark.gen_test
async def test_the_last_message_follows_the_commit_of_the_end_and_is_told_once(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        place.watch_commits()
        held = place.points.hold("commit")
        channel.session.cancel("enough", place.clock())
        channel.flush()
        await held.reached()
        assert channel.session.id in place.station.channels
        held.release()
        await channel.committed()
        channel.flush()
        assert place.listener.names == ["upload-cancelled", "upload-cancelled", "session-completed", "upload-progress"]
        assert place.listener.told[-1]["data"]["overallStatus"] == "cancelled"
        assert place.listener.messages[-1].last
        assert place.station.channels == {}
        assert list(place.station.hub.watchers()) == []


# ---- commits that fail ----


@pytest.mark.gen_test
@pytest.mark.parametrize("full", [True, False])
async def test_after_a_failed_commit_nothing_is_told_and_the_next_flush_tells_all_once(
    tmp_path: Path, full: bool
) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        place.journal.break_down(full=full)
        attempt = begin(place, channel)
        with pytest.raises(JournalFailed) as failed:
            await channel.committed()
        assert failed.value.full == full
        advance(place, channel, attempt)
        with pytest.raises(JournalFailed):
            await channel.committed()
        channel.session.cancel("enough", place.clock())
        with pytest.raises(JournalFailed):
            await channel.committed()
        assert place.listener.messages == []
        assert (channel.picture.seq, channel.picture.overall_status) == (0, "pending")
        place.journal.mend()
        channel.flush()
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == [
            "upload-started",
            "upload-cancelled",
            "upload-cancelled",
            "session-completed",
        ]
        assert events_in(tmp_path, channel.session.id) == place.listener.lifecycle
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_the_state_of_a_failed_commit_is_kept_with_the_next(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place, "a.txt", "b.txt")
        place.journal.break_down()
        begin(place, channel, 0)
        with pytest.raises(JournalFailed):
            await channel.committed()
        place.journal.mend()
        begin(place, channel, 1)
        await channel.committed()
        assert rows(tmp_path, "SELECT status FROM files ORDER BY position") == [("uploading",)] * 2


@pytest.mark.gen_test
async def test_what_was_saved_with_a_failed_commit_is_saved_with_the_next(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        file_of(channel).timeouts = 2
        place.journal.break_down()
        channel.save(file_of(channel).id)
        with pytest.raises(JournalFailed):
            await channel.committed()
        place.journal.mend()
        await channel.committed()
        assert [loads(row[0])["timeouts"] for row in rows(tmp_path, "SELECT kept FROM files")] == [2]


@pytest.mark.gen_test
async def test_nobody_waiting_for_a_failed_commit_is_no_fault(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        place.journal.break_down()
        begin(place, channel)
        channel.flush()
        await until(lambda: place.journal.failing)
        place.journal.mend()
        await channel.committed()
        assert place.listener.names == ["upload-started"]


# ---- waiting ----


@pytest.mark.gen_test
async def test_waiting_is_for_what_was_asked_and_no_more(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        place.watch_commits()
        first, second = place.points.hold("commit"), None
        attempt = begin(place, channel)
        waiting = asyncio.ensure_future(channel.committed())
        await first.reached()
        second = place.points.hold("commit")
        channel.session.fail(attempt, Problem("NETWORK_ERROR"), place.clock())
        later = asyncio.ensure_future(channel.committed())
        await asyncio.sleep(0)
        first.release()
        await waiting
        await second.reached()
        assert place.listener.names == ["upload-started"]
        assert not later.done()
        second.release()
        await later
        assert place.listener.names == ["upload-started", "upload-failed"]


@pytest.mark.gen_test
async def test_who_waits_with_nothing_to_say_does_not_wait(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        place.watch_commits()
        await channel.committed()
        assert place.points.passed == []


@pytest.mark.gen_test
async def test_a_waiter_that_goes_takes_nobody_with_it(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        place.watch_commits()
        held = place.points.hold("commit")
        begin(place, channel)
        gone, staying = (asyncio.ensure_future(channel.committed()) for _ in range(2))
        await held.reached()
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        held.release()
        await staying
        assert place.listener.names == ["upload-started"]


@pytest.mark.gen_test
async def test_saving_records_what_no_event_tells(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place, "a.txt", "b.txt")
        file = file_of(channel, 1)
        file.timeouts = 2
        channel.save(file.id)
        await channel.committed()
        kept = [loads(row[0]).get("timeouts") for row in rows(tmp_path, "SELECT kept FROM files ORDER BY position")]
        assert kept == [None, 2], "none is as usual, and not written down"
        assert place.listener.messages == []


@pytest.mark.gen_test
async def test_each_commit_is_as_many_as_came_meanwhile(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_files=200) as place:
        channel = await opened(place, *(f"{number}.txt" for number in range(100)))
        place.watch_commits()
        held = place.points.hold("commit")
        for at in range(100):
            begin(place, channel, at)
            channel.flush()
            if at == 0:
                await held.reached()
        held.release()
        await channel.committed()
        assert place.points.passed == ["commit", "commit"]
        assert_rules_hold(place.listener.messages)
        assert len(place.listener.messages) == 100


# ---- a look at this moment ----


@pytest.mark.gen_test
async def test_refreshing_shows_bytes_that_were_not_told_yet_but_no_untold_state(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place, "a.txt", "b.txt")
        attempt = begin(place, channel)
        await channel.committed()
        advance(place, channel, attempt)
        channel.flush()
        assert channel.session.advance(attempt, 5, place.clock())
        channel.flush()
        told = channel.picture.files[attempt.file_id]
        assert told.uploaded == MIB
        channel.refresh()
        assert told.uploaded == MIB + 5
        place.journal.break_down()
        begin(place, channel, 1)
        channel.session.fail(attempt, Problem("NETWORK_ERROR"), place.clock())
        channel.refresh()
        assert [file.status for file in channel.picture.files.values()] == ["uploading", "pending"]
        place.journal.mend()


@pytest.mark.gen_test
async def test_a_new_attempt_is_not_seen_before_it_is_told(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        attempt = begin(place, channel)
        advance(place, channel, attempt, 8 * MIB)
        await channel.committed()
        channel.session.fail(attempt, Problem("NETWORK_ERROR"), place.clock())
        place.journal.break_down()
        again = begin(place, channel)
        advance(place, channel, again)
        channel.refresh()
        told = channel.picture.files[attempt.file_id]
        assert (told.attempt, told.uploaded) == (1, 8 * MIB)
        place.journal.mend()
        await channel.committed()
        channel.refresh()
        assert (told.attempt, told.uploaded) == (2, MIB)
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_a_file_first_heard_of_by_its_ending_has_its_name_and_size(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        file = channel.session.announce("f1", "late.mp4", 7)
        channel.session.cancel_file(file.id, "user", place.clock())
        await channel.committed()
        told = channel.picture.files["f1"]
        assert (told.name, told.status, told.total) == ("late.mp4", "cancelled", 7)


# ---- what no event tells of ----


def kept_status(place: Place) -> str:
    [[status]] = rows(place.root, "SELECT status FROM files")
    return str(status)


@pytest.mark.gen_test
async def test_bytes_that_are_only_counted_are_not_recorded(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        place.watch_commits()
        attempt = begin(place, channel)
        for _ in range(5):
            advance(place, channel, attempt)
            channel.flush()
        await channel.committed()
        for _ in range(3):
            advance(place, channel, attempt)
            await channel.committed()
        assert place.points.passed.count("commit") == 1, "that of the start"


@pytest.mark.gen_test
async def test_a_pause_and_its_end_are_recorded_also_before_they_are_told(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await opened(place)
        file = file_of(channel)
        file.upload = "an upload"
        attempt = begin(place, channel)
        place.watch_commits()
        hold = place.points.hold("commit")
        channel.flush()
        await hold.reached()  # nothing is told while this is held
        channel.session.pause(attempt, place.clock())
        channel.flush()
        hold.release()
        await channel.committed()
        assert kept_status(place) == "paused"
        hold = place.points.hold("commit")
        channel.session.resume(file, place.clock())
        channel.flush()
        await hold.reached()
        channel.session.pause(attempt, place.clock())
        channel.flush()
        hold.release()
        await channel.committed()
        assert kept_status(place) == "paused", "the last word counts"
        channel.session.resume(file, place.clock())
        await channel.committed()
        assert kept_status(place) == "uploading"
        assert place.listener.data("upload-progress")[-1]["currentFile"]["status"] == "uploading"
