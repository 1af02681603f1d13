"""Bytes on their way to disk, with a disk that can be held or broken at each call."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
from blake3 import blake3

from station.channel import Channel
from station.delivery import Delivery
from station.dock import LARGE, SMALL
from station.errors import Problem
from station.formats import SNIFF
from tests.station.places import Place, assert_rules_hold, cut, file_of, open_place, statuses, until

MIB = 1024**2


def bound(
    place: Place, channel: Channel, size: int | None = None, name: str = "a.txt", *, promised: bool = False
) -> Delivery:
    """A delivery into the first file of the session."""
    delivery = Delivery(place.station.dock, name, size, promised=promised)
    delivery.bind(channel, file_of(channel))
    return delivery


async def feed(delivery: Delivery, body: bytes, block: int = 65536) -> None:
    for piece in cut(body, block):
        await delivery.feed(piece)
        delivery.begin()


def part_of(place: Place, delivery: Delivery) -> bytes:
    return (place.root / ".station" / "parts" / delivery.part_name).read_bytes()


# ---- the way to disk ----


@pytest.mark.gen_test
@pytest.mark.parametrize("size", [0, 1, SNIFF - 1, SNIFF, SNIFF + 1, 300_000, 3 * MIB + 7])
@pytest.mark.parametrize("block", [65536, 1000])
async def test_every_byte_arrives_is_counted_and_summed(tmp_path: Path, size: int, block: int) -> None:
    body = bytes(range(251)) * (size // 251) + b"x" * (size % 251)
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", size), auto_complete=False)
        delivery = bound(place, channel, size)
        await feed(delivery, body, block)
        await delivery.finish()
        assert delivery.problem is None
        assert part_of(place, delivery) == body
        assert (delivery.arrived, delivery.written, file_of(channel).received) == (size, size, size)
        assert delivery.checksum == {"algorithm": "blake3", "value": blake3(body).hexdigest()}
        delivery.discard()
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_byte_is_counted_when_it_is_written_and_not_before(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), auto_complete=False)
        hold = place.points.hold("write")
        delivery = bound(place, channel)
        await feed(delivery, bytes(LARGE))
        await hold.reached()
        assert file_of(channel).received == 0
        hold.release()
        await delivery.finish()
        assert file_of(channel).received == LARGE


@pytest.mark.gen_test
async def test_a_small_block_is_written_although_nothing_follows(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), auto_complete=False)
        delivery = bound(place, channel)
        await feed(delivery, bytes(SNIFF))
        await until(lambda: file_of(channel).received == SNIFF)
        await feed(delivery, bytes(10))
        await until(lambda: file_of(channel).received == SNIFF + 10)
        assert place.points.passed.count("write") == 2


@pytest.mark.gen_test
async def test_small_blocks_are_gathered_into_large_writes(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), auto_complete=False)
        delivery = bound(place, channel)
        await feed(delivery, bytes(8 * MIB), 4096)
        await delivery.finish()
        assert place.points.passed.count("write") <= 10


@pytest.mark.gen_test
@pytest.mark.parametrize("others", [0, 8])
async def test_feeding_waits_while_the_disk_is_behind_and_memory_is_bounded(tmp_path: Path, others: int) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), auto_complete=False)
        waiting = [Delivery(place.station.dock, "b.txt", None) for _ in range(others)]
        room = SMALL if others else LARGE
        hold = place.points.hold("write")
        delivery = bound(place, channel)
        feeding = asyncio.ensure_future(feed(delivery, bytes(8 * MIB), 65536))
        await hold.reached()
        await until(lambda: delivery.arrived >= 2 * room)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not feeding.done()
        assert delivery.arrived <= 2 * room + 65536
        hold.release()
        await feeding
        await delivery.finish()
        assert delivery.written == 8 * MIB
        for each in waiting:
            each.discard()


@pytest.mark.gen_test
async def test_one_stuck_write_holds_up_no_other_delivery(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        stuck_in, channel = [await place.open(("a.txt", 5), auto_complete=False) for _ in range(2)]
        hold = place.points.hold("write")
        stuck = bound(place, stuck_in)
        await feed(stuck, bytes(LARGE))
        await hold.reached()
        receipt = await place.raw(channel)
        assert receipt.stored == 1
        hold.release()
        await stuck.finish()


# ---- judging ----


@pytest.mark.gen_test
async def test_the_attempt_starts_when_the_first_bytes_are_judged(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.jpg", None), auto_complete=False)
        delivery = bound(place, channel, name="a.jpg")
        await feed(delivery, bytes(SNIFF - 1), 100)
        assert statuses(channel.session.files) == ["pending"]
        await feed(delivery, b"\0")
        assert statuses(channel.session.files) == ["uploading"]


@pytest.mark.gen_test
async def test_a_file_whose_first_bytes_contradict_its_name_never_starts(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.jpg", None))
        delivery = bound(place, channel, name="a.jpg")
        await feed(delivery, b"%PDF-1.7\n" + bytes(SNIFF))
        assert delivery.problem is not None
        assert delivery.problem.code == "UNSUPPORTED_FORMAT"
        await feed(delivery, bytes(3 * MIB))
        await delivery.finish()
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-failed", "session-completed"]
        assert place.listener.data("upload-failed")[0]["canRetry"] is False
        assert "create" not in place.points.passed


@pytest.mark.gen_test
async def test_more_than_the_largest_file_ends_it_at_once(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_file_size=MIB) as place:
        channel = await place.open(("a.txt", None))
        delivery = bound(place, channel)
        await feed(delivery, bytes(MIB))
        assert not delivery.dead
        await feed(delivery, b"x")
        assert delivery.problem == Problem("FILE_SIZE_EXCEEDED", f"at most {MIB} bytes")
        assert place.station.dock.deliveries == set()
        await place.listener.hears_the_last()
        assert place.listener.data("upload-failed")[0]["canRetry"] is False
        await place.no_parts()


@pytest.mark.gen_test
@pytest.mark.parametrize("sent", [0, 1, 4999, 5001, 100_000])
async def test_other_than_what_was_promised_is_a_mismatch(tmp_path: Path, sent: int) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5000))
        delivery = bound(place, channel, 5000, promised=True)
        await feed(delivery, bytes(sent))
        await delivery.finish()
        assert delivery.problem is not None
        assert delivery.problem.code == "CHECKSUM_MISMATCH"
        assert (await place.listener.hears("upload-failed"))["canRetry"] is True
        await place.no_parts()
        assert_rules_hold(place.listener.messages)


# ---- before the session is known ----


@pytest.mark.gen_test
async def test_what_came_before_the_session_is_told_when_it_is_bound(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        delivery = Delivery(place.station.dock, "a.txt", 2 * MIB)
        await feed(delivery, bytes(2 * MIB))
        await delivery.finish()
        channel = await place.open(("a.txt", 2 * MIB), auto_complete=False)
        delivery.bind(channel, file_of(channel))
        await channel.committed()
        assert place.listener.names == ["upload-started", "upload-progress"]
        assert place.listener.data("upload-progress")[0]["progress"] == 100
        delivery.discard()
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_problem_from_before_the_session_is_told_as_a_refusal(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        delivery = Delivery(place.station.dock, "a.jpg", None)
        await feed(delivery, b"%PDF-1.7\n" + bytes(SNIFF))
        channel = await place.open(("a.jpg", None))
        delivery.bind(channel, file_of(channel))
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-failed", "session-completed"]


# ---- cancelled from elsewhere ----


@pytest.mark.gen_test
@pytest.mark.parametrize("by", ["file", "session"])
async def test_a_cancel_takes_effect_within_one_chunk_and_leaves_no_part(tmp_path: Path, by: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None))
        delivery = bound(place, channel)
        await feed(delivery, bytes(3 * MIB))
        await until(lambda: file_of(channel).received >= MIB)
        await place.station.orders.cancel(channel.session.id, file_of(channel).id if by == "file" else None, "enough")
        assert delivery.dead
        before = delivery.arrived
        await feed(delivery, bytes(MIB))
        await delivery.finish()
        assert delivery.arrived == before
        await place.no_parts()
        await place.listener.hears_the_last()
        assert_rules_hold(place.listener.messages)
        assert "upload-completed" not in place.listener.names


@pytest.mark.gen_test
@pytest.mark.parametrize("point", ["create", "write", "fsync"])
@pytest.mark.parametrize("size", [0, SNIFF, 3 * MIB])
async def test_a_cancel_while_the_disk_works_leaves_no_part(tmp_path: Path, point: str, size: int) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None))
        hold = place.points.hold(point)
        delivery = bound(place, channel)

        async def send() -> None:
            await feed(delivery, bytes(size))
            await delivery.finish()

        sending = asyncio.ensure_future(send())
        await hold.reached()
        await place.station.orders.cancel(channel.session.id, None, "enough")
        assert delivery.dead
        # Whatever the dock begins now, it begins beside the call that is held.
        await asyncio.gather(*(place.station.dock.run(int) for _ in range(8)))
        hold.release()
        await sending
        assert delivery.problem is None
        await until(lambda: "drop" in place.points.passed)
        await place.no_parts()
        assert place.listener.lifecycle[-3:] == ["upload-cancelled", "upload-cancelled", "session-completed"]


@pytest.mark.gen_test
@pytest.mark.parametrize("sent", [0, 1, SNIFF, 2 * MIB])
async def test_a_cancel_while_the_client_stalls_needs_no_further_byte(tmp_path: Path, sent: int) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None))
        delivery = bound(place, channel)
        await feed(delivery, bytes(sent))
        await place.station.orders.cancel(channel.session.id, file_of(channel).id, "enough")
        assert delivery.dead
        assert place.station.dock.deliveries == set()
        await place.no_parts()
        await place.listener.hears_the_last()


@pytest.mark.gen_test
@pytest.mark.parametrize("then", ["feed", "finish", "fail"])
async def test_after_a_cancel_before_the_first_bytes_nothing_starts_and_nothing_breaks(
    tmp_path: Path, then: str
) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), ("b.txt", 5))
        delivery = bound(place, channel)
        await feed(delivery, b"few")
        channel.session.cancel_file(file_of(channel).id, "enough", place.clock())
        channel.flush()
        if then == "feed":
            await feed(delivery, bytes(MIB))
        elif then == "finish":
            await delivery.finish()
        else:
            delivery.fail(Problem("NETWORK_ERROR"))
        await channel.committed()
        assert place.listener.lifecycle == ["upload-cancelled"]
        assert delivery.dead
        await place.no_parts()


@pytest.mark.gen_test
async def test_of_two_deliveries_for_one_file_the_first_to_start_goes_on(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), auto_complete=False)
        first, second = bound(place, channel), bound(place, channel)
        await feed(first, bytes(SNIFF))
        await feed(second, bytes(SNIFF))
        await second.finish()
        assert second.dead
        assert not first.dead
        await first.finish()
        assert first.problem is None
        assert file_of(channel).received == SNIFF
        await channel.committed()
        assert place.listener.lifecycle == ["upload-started"]


# ---- a disk that fails ----


@pytest.mark.gen_test
@pytest.mark.parametrize("point", ["create", "write", "fsync"])
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "INSUFFICIENT_STORAGE"),
        (errno.EDQUOT, "INSUFFICIENT_STORAGE"),
        (errno.EIO, "SERVER_ERROR"),
    ],
)
async def test_a_failing_call_ends_the_attempt_with_the_right_problem(
    tmp_path: Path, point: str, number: int, code: str
) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), auto_complete=False)
        place.points.fail(point, number)
        delivery = bound(place, channel)
        await feed(delivery, bytes(3 * MIB))
        await delivery.finish()
        await delivery.finish()
        assert delivery.problem == Problem(code)
        assert delivery.dead
        await channel.committed()
        failure = place.listener.data("upload-failed")[0]
        assert (failure["error"]["code"], failure["canRetry"]) == (code, True)
        full = code == "INSUFFICIENT_STORAGE"
        errors = place.listener.data("session-error")
        assert [(each["action"], each["affectedFiles"]) for each in errors] == (
            [("continue", [file_of(channel).id])] if full else []
        )
        await place.no_parts()
        assert place.points.passed.count("fsync") <= 1, "a second sync would succeed although bytes are lost"
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_a_disk_that_is_full_is_told_at_once_though_the_file_was_cancelled_meanwhile(tmp_path: Path) -> None:
    """Nothing else is due in its session, perhaps for an hour."""
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), ("b.txt", None))
        place.points.fail("write", errno.ENOSPC)
        hold = place.points.hold("write")
        delivery = bound(place, channel)
        await feed(delivery, bytes(SNIFF))
        await hold.reached()
        await place.station.orders.cancel(channel.session.id, file_of(channel).id, "enough")
        hold.release()
        await delivery.finish()
        assert channel.session.take_news() == []
        await channel.committed()
        assert place.listener.lifecycle == ["upload-started", "upload-cancelled", "session-error"]


@pytest.mark.gen_test
async def test_the_nth_write_failing_is_like_the_first(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), auto_complete=False)
        place.points.fail("write", errno.EIO, at=3)
        delivery = bound(place, channel)
        await feed(delivery, bytes(8 * MIB))
        await delivery.finish()
        assert delivery.problem == Problem("SERVER_ERROR")
        assert 0 < file_of(channel).received < 8 * MIB
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_part_that_cannot_be_removed_is_left_for_the_next_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), auto_complete=False)
        delivery = bound(place, channel)
        await feed(delivery, bytes(3 * MIB))
        await delivery.finish()
        place.points.fail("drop", errno.EROFS)
        delivery.fail(Problem("NETWORK_ERROR"))
        await until(lambda: "the next start will" in caplog.text)
        assert place.parts == [delivery.part_name]
    async with open_place(tmp_path, recover=True) as place:
        assert place.parts == []


# ---- ends ----


@pytest.mark.gen_test
async def test_the_first_end_counts(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", None), auto_complete=False)
        delivery = bound(place, channel)
        await feed(delivery, bytes(SNIFF))
        delivery.fail(Problem("NETWORK_ERROR"))
        delivery.fail(Problem("SERVER_ERROR"))
        delivery.discard()
        await delivery.finish()
        await channel.committed()
        assert place.listener.lifecycle == ["upload-started", "upload-failed"]
        assert place.listener.data("upload-failed")[0]["error"]["code"] == "NETWORK_ERROR"
        await place.no_parts()
