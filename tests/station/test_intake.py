"""A request with files in it, from its opening to its receipt: the raw kind here, the multipart kind in test_batch."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from station.errors import Problem, Refused
from station.intake import RawIntake
from tests.station.places import (
    Place,
    assert_rules_hold,
    ended_on_refusal,
    file_of,
    open_place,
    small_disk,
    statuses,
    until,
)

UNKNOWN = "00000000-0000-4000-8000-000000000000"
MIB = 1024**2


async def implicit(place: Place, name: str, length: int | None, category: str | None = None) -> RawIntake:
    intake = RawIntake(place.station.dock, place.station.sessions, length, name)
    with ended_on_refusal(intake):
        await intake.open(None, None, category)
    assert intake.receipt.channel is not None
    place.heard(intake.receipt.channel)
    return intake


# ---- a body that is a file ----


@pytest.mark.gen_test
@pytest.mark.parametrize("size", [0, 5, 2 * MIB])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_becomes_a_stored_file_and_a_receipt(tmp_path: Path, size: int, chunked: bool) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        receipt = await place.raw(channel, "a.txt", bytes(size), length=None if chunked else size)
        assert (receipt.stored, receipt.problem) == (1, None)
        [snapshot] = receipt.snapshots()
        assert (snapshot["status"], snapshot["progress"], snapshot["totalBytes"]) == ("completed", 100, size)
        assert snapshot["uploadPath"] == f"/upload/personal/{next(iter(place.stored()))}"
        assert receipt.summary()["uploadedSize"] == size
        assert list(place.stored().values()) == [bytes(size)]
        started = place.listener.data("upload-started")[0]
        assert started["fileSize"] == (None if chunked and size > 65536 else size)
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_a_session_of_one_file_has_settled_when_the_receipt_is_given(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        await place.raw(channel)
        assert place.listener.names == [
            "upload-started",
            "upload-progress",
            "upload-completed",
            "session-completed",
            "upload-progress",
        ]
        assert place.listener.data("upload-progress")[0]["progress"] == 100


@pytest.mark.gen_test
async def test_without_a_session_one_is_opened_and_settles_with_the_request(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        intake = await implicit(place, "a.txt", 5, "scenic")
        await intake.feed(b"hello")
        receipt = await intake.finish()
        assert receipt.stored == 1
        assert list(place.stored("scenic").values()) == [b"hello"]
        assert place.listener.messages[-1].last
        assert place.station.channels == {}


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("name", "length", "category", "code"),
    [
        ("a.exe", 5, None, "UNSUPPORTED_FORMAT"),
        ("a.txt", 101, None, "FILE_SIZE_EXCEEDED"),
        ("a.txt", 5, "other", "VALIDATION_ERROR"),
    ],
)
async def test_what_is_refused_early_opens_no_session(
    tmp_path: Path, name: str, length: int, category: str | None, code: str
) -> None:
    async with open_place(tmp_path, max_file_size=100) as place:
        with pytest.raises(Refused) as refused:
            await implicit(place, name, length, category)
        assert refused.value.problem.code == code
        assert place.station.channels == {}
        assert place.station.dock.deliveries == set()


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("name", "length", "code"),
    [("a.exe", 5, "UNSUPPORTED_FORMAT"), ("a.txt", 101, "FILE_SIZE_EXCEEDED")],
)
async def test_what_is_refused_in_a_session_becomes_a_file_and_is_told(
    tmp_path: Path, name: str, length: int, code: str
) -> None:
    async with open_place(tmp_path, max_file_size=100) as place:
        channel = await place.open(expected=1)
        with pytest.raises(Refused) as refused:
            await place.raw_open(channel, name, length)
        assert refused.value.problem.code == code
        await place.listener.hears_the_last()
        failure = place.listener.data("upload-failed")[0]
        assert (failure["error"]["code"], failure["canRetry"], failure["retryCount"]) == (code, False, 0)
        assert place.listener.lifecycle == ["upload-failed", "session-completed"]


@pytest.mark.gen_test
async def test_no_room_is_told_and_can_be_tried_again(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_file_size=2**62) as place:
        channel = await place.open(expected=1)
        with pytest.raises(Refused) as refused:
            await place.raw_open(channel, "a.txt", 2**60)
        assert refused.value.problem.code == "INSUFFICIENT_STORAGE"
        assert (await place.listener.hears("upload-failed"))["canRetry"] is True
        assert place.station.dock.space.reserved(place.clock.mono) == 0


@pytest.mark.gen_test
async def test_announced_sizes_are_reserved_while_they_come(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        reserved = place.station.dock.space.reserved
        first = await place.raw_open(channel, "a.txt", 3 * MIB)
        second = await place.raw_open(channel, "b.txt", 2 * MIB)
        assert reserved(place.clock.mono) == 5 * MIB
        await first.feed(bytes(MIB))
        assert reserved(place.clock.mono) == 4 * MIB
        second.abort(Problem("NETWORK_ERROR"))
        assert reserved(place.clock.mono) == 2 * MIB
        await first.feed(bytes(2 * MIB))
        await first.finish()
        assert reserved(place.clock.mono) == 0


# ---- sessions and files that cannot be ----


@pytest.mark.gen_test
@pytest.mark.parametrize("session_id", [UNKNOWN, "", "x", "../../etc", UNKNOWN.upper(), "0" * 10_000])
async def test_unknown_and_impossible_sessions_are_the_same(tmp_path: Path, session_id: str) -> None:
    async with open_place(tmp_path) as place:
        intake = RawIntake(place.station.dock, place.station.sessions, 5, "a.txt")
        with pytest.raises(Refused) as refused, ended_on_refusal(intake):
            await intake.open(session_id, None, None)
        assert refused.value.problem == Problem("SESSION_NOT_FOUND")
        assert place.station.dock.deliveries == set()


@pytest.mark.gen_test
async def test_a_settled_session_takes_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        await place.raw(channel)
        with pytest.raises(Refused) as refused:
            await place.raw_open(channel)
        assert refused.value.problem == Problem("SESSION_CLOSED")


@pytest.mark.gen_test
async def test_a_file_id_must_be_one_of_the_session(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        one, other = [await place.open(("a.txt", 5)) for _ in range(2)]
        for foreign in (UNKNOWN, file_of(other).id):
            with pytest.raises(Refused) as refused:
                await place.raw_open(one, file_id=foreign)
            assert refused.value.problem == Problem("FILE_NOT_FOUND")
        assert place.listener.messages == []


@pytest.mark.gen_test
async def test_a_file_that_ended_is_not_sent_again(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5), ("c.txt", 5))
        await place.raw(channel, "a.txt")
        await place.station.orders.cancel(channel.session.id, file_of(channel, 1).id, "enough")
        for at, code in ((0, "UPLOAD_ALREADY_COMPLETED"), (1, "UPLOAD_CANCELLED")):
            with pytest.raises(Refused) as refused:
                await place.raw_open(channel, file_id=file_of(channel, at).id)
            assert refused.value.problem.code == code
        assert statuses(channel.session.files) == ["completed", "cancelled", "pending"]


@pytest.mark.gen_test
async def test_an_announced_size_binds(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        receipt = await place.raw(channel, "a.txt", b"other", file_id=file_of(channel).id, length=None)
        assert receipt.stored == 1
        channel = await place.open(("a.txt", 5))
        receipt = await place.raw(channel, "a.txt", b"four", file_id=file_of(channel).id, length=None)
        assert receipt.stored == 0
        assert receipt.problem is not None
        assert receipt.problem.code == "CHECKSUM_MISMATCH"


# ---- a connection that breaks ----


@pytest.mark.gen_test
@pytest.mark.parametrize("sent", [0, 5, 2 * MIB])
async def test_a_broken_connection_fails_the_file_which_can_be_sent_again(tmp_path: Path, sent: int) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 3 * MIB))
        intake = await place.raw_open(channel, "a.txt", 3 * MIB)
        await intake.feed(bytes(sent))
        intake.abort(Problem("NETWORK_ERROR"))
        intake.abort(Problem("SERVER_ERROR"))
        await intake.close()
        assert intake.problem == Problem("NETWORK_ERROR")
        failure = await place.listener.hears("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("NETWORK_ERROR", True)
        await place.no_parts()
        receipt = await place.raw(channel, "a.txt", bytes(3 * MIB), file_id=failure["fileId"])
        assert receipt.stored == 1
        await place.listener.hears_the_last()
        assert_rules_hold(place.listener.messages)
        assert channel.session.activity.requests == 0


@pytest.mark.gen_test
async def test_time_outs_that_use_up_all_tries_cancel_the_file(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_retries=2) as place:
        channel = await place.open(("a.txt", MIB))
        for _ in range(3):
            intake = await place.raw_open(channel, "a.txt", MIB, file_of(channel).id)
            await intake.feed(bytes(2048))
            intake.abort(Problem("NETWORK_ERROR"), timed_out=True)
        await place.listener.hears_the_last()
        assert place.listener.data("upload-cancelled")[0]["reason"] == "retry-limit"
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_a_newer_request_for_a_file_takes_it_over(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 3 * MIB))
        older = await place.raw_open(channel, "a.txt", 3 * MIB, file_of(channel).id)
        await older.feed(bytes(2 * MIB))
        receipt = await place.raw(channel, "a.txt", b"x" * 3 * MIB, file_id=file_of(channel).id)
        assert receipt.stored == 1
        await older.feed(bytes(MIB))
        late = await older.finish()
        assert late.problem is not None
        assert late.stored == 0, "those were not its bytes"
        assert list(place.stored().values()) == [b"x" * 3 * MIB]
        await place.no_parts()
        await place.listener.hears_the_last()
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_two_requests_at_once_with_one_name_and_size_are_two_files(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("a.txt", 5), auto_complete=False)
        first, second = [await place.raw_open(channel, "a.txt", 5) for _ in range(2)]
        await first.feed(b"first")
        await second.feed(b"other")
        receipts = await asyncio.gather(first.finish(), second.finish())
        assert [receipt.stored for receipt in receipts] == [1, 1]
        assert sorted(place.stored().values()) == [b"first", b"other"]


@pytest.mark.gen_test
async def test_requests_at_once_in_a_session_without_announced_files_are_a_file_each(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        intakes = [await place.raw_open(channel, "photo.txt", 5) for _ in range(5)]
        for number, intake in enumerate(intakes):
            await intake.feed(b"%05d" % number)
        receipts = await asyncio.gather(*(intake.finish() for intake in intakes))
        assert [receipt.stored for receipt in receipts] == [1] * 5
        assert len(place.stored()) == 5


# ---- the receipt ----


@pytest.mark.gen_test
async def test_a_receipt_of_nothing_is_empty(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        receipt = RawIntake(place.station.dock, place.station.sessions, 5, "a.txt").receipt
        assert (receipt.stored, receipt.snapshots(), receipt.summary()["totalFiles"]) == (0, [], 0)


@pytest.mark.gen_test
async def test_closing_and_aborting_end_a_request_once(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        intake = await place.raw_open(channel)
        assert channel.session.activity.requests == 1
        await intake.feed(b"hello")
        await intake.finish()
        await intake.close()
        intake.abort(Problem("NETWORK_ERROR"))
        assert channel.session.activity.requests == 0
        assert intake.problem is None
        await channel.committed()
        assert "upload-failed" not in place.listener.names


@pytest.mark.gen_test
async def test_a_client_that_leaves_while_its_session_is_looked_up_leaves_nothing(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), auto_complete=False)
        intake = RawIntake(place.station.dock, place.station.sessions, 5, "a.txt")
        place.watch_commits()
        hold = place.points.hold("commit")
        opening = asyncio.create_task(intake.open(None, None, None))
        await hold.reached()
        intake.abort(Problem("NETWORK_ERROR"))
        hold.release()
        with pytest.raises(Refused):
            await opening
        await intake.close()
        assert place.station.dock.deliveries == set()
        assert channel.session.activity.requests == 0
        await place.no_parts()


# ---- a disk of 8 MB ----


@pytest.mark.gen_test
async def test_a_disk_that_fills_up_fails_the_file_in_words_and_serves_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as small:
        async with open_place(small) as place:
            channel = await place.open(("a.txt", None), ("b.txt", MIB))
            receipt = await place.raw(channel, "a.txt", bytes(20 * MIB), length=None)
            assert receipt.stored == 0
            assert receipt.problem == Problem("INSUFFICIENT_STORAGE")
            await place.no_parts()

            def told_with_a_tick() -> bool:
                place.station.watch.tick()
                return "upload-failed" in place.listener.names

            await until(told_with_a_tick)
            failure = place.listener.data("upload-failed")[0]
            assert (failure["error"]["code"], failure["canRetry"]) == ("INSUFFICIENT_STORAGE", True)
            assert place.listener.data("session-error")[0]["action"] == "continue"
            assert (await place.raw(channel, "b.txt", bytes(MIB))).stored == 1
            assert place.station.health()["status"] == "ok"
            assert_rules_hold(place.listener.messages)
