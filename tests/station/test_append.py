"""One request that adds to an upload, on a real disk: what is kept of it, who ends it, and what is told."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import random
from pathlib import Path

import pytest
from blake3 import blake3

from station import append as room
from station import berth as berths
from station import partfile, securing
from station.append import BROKEN, Append
from station.berth import Berth
from station.channel import Channel
from station.errors import Problem, Refused
from station.file import Status
from station.formats import SNIFF
from station.journal import JournalFailed
from station.promise import Fate
from station.resting import GRACE
from station.resumption import Checks, Kind
from tests.station.places import (
    MIB,
    Place,
    assert_rules_hold,
    crash_image,
    file_of,
    finished,
    lines,
    open_place,
    small_disk,
    until,
)

TEXT = lines(100_000)
SHA1 = "sha1"


def sha1(data: bytes) -> Checks:
    return Checks(content={SHA1: hashlib.sha1(data).digest()})


async def cut_off(append: Append, lull: Problem | None = BROKEN) -> None:
    append.cut(lull)
    await append.released.wait()


async def a_place_to_go_on(place: Place, size: int = len(TEXT)) -> tuple[Channel, Berth]:
    channel = await place.open(expected=1)
    return channel, await place.upload(channel, length=size)


def assert_stands_at(place: Place, berth: Berth, offset: int, text: bytes = TEXT) -> None:
    """What a client is told, what the journal has and what lies on the disk are the same."""
    assert (berth.upload.offset, place.recorded(berth)) == (offset, offset)
    assert place.part(berth) == text[:offset]


def assert_stored(place: Place, text: bytes = TEXT) -> None:
    assert list(place.stored().values()) == [text]
    [completed] = place.listener.data("upload-completed")
    assert completed["fileSize"] == len(text)
    assert completed["checksum"] == {"algorithm": "blake3", "value": blake3(text).hexdigest()}
    assert_rules_hold(place.listener.messages)


def why(append: Append) -> Problem | None:
    """Its problem now: what a test asserted of it before does not hold for ever."""
    return append.problem


def reads(place: Place) -> int:
    return place.points.passed.count("read")


# ---- what is kept ----


@pytest.mark.gen_test
async def test_one_request_with_all_bytes_stores_the_file(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        append = await place.add(berth, TEXT)
        assert (append.problem, berth.upload.complete) == (None, True)
        await place.listener.hears_the_last()
        assert_stored(place)
        assert place.listener.lifecycle == ["upload-started", "upload-completed", "session-completed"]
        assert "resumedFrom" not in place.listener.data("upload-started")[0]
        assert reads(place) == 0
        assert channel.session.activity.requests == 0
        await place.no_parts()


@pytest.mark.gen_test
async def test_what_came_before_the_connection_broke_is_kept(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        append = await place.append(berth, len(TEXT))
        for at in range(0, 70_000, 7000):
            await append.feed(TEXT[at : at + 7000])
        await cut_off(append)
        assert_stands_at(place, berth, 70_000)
        assert file_of(channel).received == 70_000
        await place.add(berth, TEXT[70_000:])
        await place.listener.hears_the_last()
        assert_stored(place)
        assert place.listener.names.count("upload-started") == 1, "one attempt spans both requests"
        assert reads(place) == 0, "the digests went on from where the first request ended"


@pytest.mark.gen_test
async def test_a_break_that_lasts_fails_the_attempt_and_the_next_request_begins_another(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        append = await place.append(berth, len(TEXT))
        await append.feed(TEXT[:50_000])
        await cut_off(append)
        place.clock.pass_by(GRACE)
        channel.session.tick(place.clock())
        channel.flush()
        failed = await place.listener.hears("upload-failed")
        assert (failed["error"]["code"], failed["canRetry"]) == ("NETWORK_ERROR", True)
        await place.add(berth, TEXT[50_000:])
        await place.listener.hears_the_last()
        assert_stored(place)
        assert [each.get("resumedFrom") for each in place.listener.data("upload-started")] == [None, 50_000]


@pytest.mark.gen_test
async def test_a_clean_end_before_the_end_of_the_file_is_a_rest_and_no_failure(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        append = await place.add(berth, TEXT[:50_000])
        assert (append.problem, berth.upload.closed) == (None, False)
        assert_stands_at(place, berth, 50_000)
        place.clock.pass_by(GRACE)
        channel.session.tick(place.clock())
        channel.flush()
        await channel.committed()
        assert file_of(channel).status is Status.PAUSED
        assert place.listener.lifecycle == ["upload-started"]


@pytest.mark.gen_test
@pytest.mark.parametrize("seed", range(4))
async def test_the_checksum_is_right_after_twenty_requests_that_end_in_every_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Whole, cut off, promised digests that agree, that do not, that were cut off; and two starts of the station."""
    monkeypatch.setattr(partfile, "SYNC_EVERY", 3000)
    chance, here = random.Random(seed), tmp_path / "0"
    wanted = Checks(wanted=("sha256", "crc32"))
    async with open_place(here) as place:
        berth = await place.upload(await place.open(expected=1), length=len(TEXT), checks=wanted)
        upload_id = berth.upload.id
    for start in range(3):
        async with open_place(here, recover=True) as place:
            berth = await place.station.shelf.find(upload_id)
            assert berth.channel is not None
            place.heard(berth.channel)
            for _ in range(7):
                await one_request(place, berth, chance)
            if start == 2:
                await place.add(berth, TEXT[berth.upload.offset :])
                await place.listener.hears_the_last()
                assert list(place.stored().values()) == [TEXT]
                checksum = place.listener.data("upload-completed")[0]["checksum"]
                assert checksum["value"] == blake3(TEXT).hexdigest()
                assert berth.upload.digests["sha256"] == hashlib.sha256(TEXT).digest()
                return
            here = crash_image(here, tmp_path / str(start + 1))


async def one_request(place: Place, berth: Berth, chance: random.Random) -> None:
    offset = berth.upload.offset
    body = TEXT[offset : offset + chance.randrange(0, 5000)]
    checks = chance.choice([None, sha1(body), sha1(b"something else")])
    append = await place.append(berth, len(body), checks=checks)
    whole, sent = chance.random() < 0.6, chance.randrange(0, len(body) + 1)
    for at in range(0, len(body) if whole else sent, 900):
        await append.feed(body[at : min(at + 900, len(body) if whole else sent)])
    if whole:
        await append.end(whole=True)
    else:
        await cut_off(append)
    taken = len(body) if whole else sent
    if checks is not None and (not whole or checks != sha1(body)):
        taken = 0
    assert_stands_at(place, berth, offset + taken)


@pytest.mark.gen_test
async def test_a_request_in_time_ends_the_lull_though_its_first_byte_takes_long(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        await cut_off(await with_bytes(place, berth, 50_000))
        place.clock.pass_by(GRACE - 1)
        append = await place.append(berth, len(TEXT) - 50_000)
        place.clock.pass_by(GRACE)
        channel.session.tick(place.clock())
        channel.flush()
        await channel.committed()
        assert (file_of(channel).status, place.listener.lifecycle) == (Status.UPLOADING, ["upload-started"])
        await cut_off(append)
        assert file_of(channel).lull is not None, "and begins another when it ends"


@pytest.mark.gen_test
async def test_each_request_lets_the_file_expire_later(tmp_path: Path) -> None:
    async with open_place(tmp_path, upload_expiry=100.0) as place:
        channel, berth = await a_place_to_go_on(place)
        place.clock.pass_by(60)
        append = await place.append(berth, len(TEXT))
        assert file_of(channel).expires_at == place.clock.mono + 100
        await cut_off(append)


async def with_bytes(place: Place, berth: Berth, count: int) -> Append:
    append = await place.append(berth, len(TEXT))
    await append.feed(TEXT[:count])
    return append


# ---- promised digests: all or nothing ----


@pytest.mark.gen_test
async def test_a_body_that_is_not_what_was_promised_leaves_everything_where_it_was(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        await place.add(berth, TEXT[:30_000], checks=sha1(TEXT[:30_000]))
        wrong = await place.add(berth, TEXT[:10_000], checks=sha1(TEXT[30_000:40_000]))
        assert wrong.problem == Problem("CHECKSUM_MISMATCH")
        assert_stands_at(place, berth, 30_000)
        await place.add(berth, TEXT[30_000:], checks=sha1(TEXT[30_000:]))
        await place.listener.hears_the_last()
        assert_stored(place)
        assert reads(place) == 0, "the digests were taken back"
        assert place.listener.names.count("upload-started") == 1


@pytest.mark.gen_test
async def test_a_mismatch_that_nobody_mends_in_time_is_what_the_attempt_fails_with(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        await place.add(berth, TEXT[:10_000], checks=sha1(b"something else"))
        place.clock.pass_by(GRACE)
        channel.session.tick(place.clock())
        channel.flush()
        failed = await place.listener.hears("upload-failed")
        assert (failed["error"]["code"], failed["canRetry"]) == ("CHECKSUM_MISMATCH", True)


@pytest.mark.gen_test
async def test_a_promised_body_that_is_cut_off_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partfile, "SYNC_EVERY", 1000)
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        await place.add(berth, TEXT[:30_000])
        append = await place.append(berth, 50_000, checks=sha1(TEXT[30_000:80_000]))
        for at in range(30_000, 79_000, 7000):
            await append.feed(TEXT[at : at + 7000])
        await cut_off(append)
        assert_stands_at(place, berth, 30_000)


@pytest.mark.gen_test
async def test_nothing_of_a_promised_body_is_kept_whose_last_bytes_found_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although much of it is safe already: it was not verified."""
    monkeypatch.setattr(partfile, "SYNC_EVERY", 1000)
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        append = await place.append(berth, 50_000, checks=sha1(TEXT[:50_000]))
        await append.feed(TEXT[:40_000])
        await until(lambda: "fsync" in place.points.passed)
        place.points.fail("write", errno.ENOSPC)
        await append.feed(TEXT[40_000:50_000])
        await append.end(whole=True)
        assert append.problem == Problem("INSUFFICIENT_STORAGE")
        assert_stands_at(place, berth, 0)


@pytest.mark.gen_test
async def test_several_promises_have_to_be_kept_all(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        body = TEXT[:10]
        right = {"sha1": hashlib.sha1(body).digest(), "md5": hashlib.md5(body).digest()}
        wrong = await place.add(berth, body, checks=Checks(content={**right, "md5": bytes(16)}))
        assert wrong.problem is not None
        assert_stands_at(place, berth, 0)
        good = await place.add(berth, body, checks=Checks(content=right))
        assert good.problem is None
        assert_stands_at(place, berth, 10)


# ---- one writer ----


@pytest.mark.gen_test
async def test_a_newer_request_ends_the_older_whose_later_bytes_never_appear(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        older = await place.append(berth, len(TEXT))
        heard: list[str] = []
        older.on_over = lambda: heard.append("over")
        await older.feed(TEXT[:40_000])
        newer = await place.append(berth, len(TEXT) - 40_000)
        assert (heard, older.over, older.problem) == (["over"], True, None)
        assert berth.upload.offset == 40_000
        await older.feed(b"X" * 5000)
        await newer.feed(TEXT[40_000:60_000])
        await older.feed(b"Y" * 5000)
        await older.end(whole=True)
        await newer.feed(TEXT[60_000:])
        await newer.end(whole=True)
        await finished(berth)
        await place.listener.hears_the_last()
        assert_stored(place)
        assert (heard, why(older)) == (["over"], None), "nothing of it reached the disk any more"
        assert place.listener.names.count("upload-started") == 1
        assert channel.session.activity.requests == 0


@pytest.mark.gen_test
async def test_a_request_that_is_stuck_in_a_write_locks_the_upload_until_the_write_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(berths, "PATIENCE", 0.05)
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        hold = place.points.hold("write")
        older = await place.append(berth, len(TEXT))
        await older.feed(TEXT[:40_000])
        await hold.reached()
        for _ in range(2):
            with pytest.raises(Refused) as locked:
                await place.append(berth, 10)
            assert locked.value.problem.code == "UPLOAD_LOCKED"
        assert berth.upload.offset == 0
        hold.release()
        await older.released.wait()
        assert_stands_at(place, berth, 40_000)
        await place.add(berth, TEXT[40_000:])
        await place.listener.hears_the_last()
        assert_stored(place)


@pytest.mark.gen_test
async def test_a_pause_ends_the_request_kindly(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        append = await place.append(berth, len(TEXT))
        await append.feed(TEXT[:40_000])
        await append.pause()
        assert (append.paused, append.over, append.problem) == (True, True, None)
        assert_stands_at(place, berth, 40_000)
        place.clock.pass_by(GRACE)
        channel.session.tick(place.clock())
        assert file_of(channel).status is Status.PAUSED, "and it rests: no failure"


@pytest.mark.gen_test
async def test_what_has_ended_already_cannot_be_paused(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        append = await place.append(berth, len(TEXT))
        await append.end(whole=True)
        await append.pause()
        assert not append.paused


@pytest.mark.gen_test
async def test_a_cancel_ends_the_request_and_frees_the_bytes(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        append = await place.append(berth, len(TEXT))
        await append.feed(TEXT[:40_000])
        await place.station.orders.cancel(channel.session.id, file_of(channel).id, "user")
        await append.released.wait()
        assert append.problem == Problem("UPLOAD_GONE", "cancelled")
        assert berth.upload.gone == "cancelled"
        await place.no_parts()
        await place.listener.hears_the_last()
        assert "upload-failed" not in place.listener.names


# ---- too many bytes, and lengths ----


@pytest.mark.gen_test
async def test_without_a_content_length_the_last_byte_is_not_taken_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(securing, "SYNC_AFTER", 0)
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        append = await place.append(berth, None)
        await append.feed(TEXT)
        await until(lambda: berth.upload.offset > 0)
        assert berth.upload.offset == len(TEXT) - 1
        await append.feed(b"!")
        assert append.problem == Problem("FILE_SIZE_EXCEEDED", f"{len(TEXT)} bytes were announced")
        await append.end(whole=True)
        assert_stands_at(place, berth, len(TEXT) - 1)
        assert (berth.upload.closed, berth.upload.gone) == (False, None)
        await place.add(berth, TEXT[-1:], chunked=True)
        await place.listener.hears_the_last()
        assert_stored(place)


@pytest.mark.gen_test
async def test_a_chunked_body_that_is_cut_off_after_its_last_byte_lacks_it(tmp_path: Path) -> None:
    """The end of the body was not seen: more might have come."""
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        append = await place.append(berth, None)
        await append.feed(TEXT)
        await cut_off(append)
        assert_stands_at(place, berth, len(TEXT) - 1)
        assert not berth.upload.closed


@pytest.mark.gen_test
async def test_before_a_proper_end_the_last_byte_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(securing, "SYNC_AFTER", 0)
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        append = await place.append(berth, len(TEXT))
        await append.feed(TEXT)
        await until(lambda: berth.upload.offset > 0)
        assert berth.upload.offset == len(TEXT) - 1
        await cut_off(append)
        assert not berth.upload.closed
        await place.add(berth, TEXT[-1:])
        await place.listener.hears_the_last()
        assert_stored(place)


@pytest.mark.gen_test
@pytest.mark.parametrize("chunked", [False, True])
async def test_more_than_was_announced_is_not_taken(tmp_path: Path, chunked: bool) -> None:
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place, 1000)
        await place.add(berth, TEXT[:600])
        append = await place.add(berth, TEXT[600:1001], chunked=chunked)
        assert append.problem == Problem("FILE_SIZE_EXCEEDED", "1000 bytes were announced")
        assert_stands_at(place, berth, 600)
        await place.add(berth, TEXT[600:1000])
        await place.listener.hears_the_last()
        assert_stored(place, TEXT[:1000])


@pytest.mark.gen_test
async def test_whoever_said_that_this_is_the_rest_and_sends_more_loses_the_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place, 1000)
        append = await place.add(berth, TEXT[:1001], last=True)
        assert append.problem == Problem("LENGTH_MISMATCH", "1000 bytes were announced")
        assert berth.upload.gone == "failed"
        failed = await place.listener.hears("upload-failed")
        assert (failed["error"]["code"], failed["canRetry"]) == ("LENGTH_MISMATCH", False)
        assert place.stored() == {}
        await place.no_parts()


@pytest.mark.gen_test
async def test_whoever_said_that_this_is_the_rest_and_sends_less_loses_the_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place, 1000)
        append = await place.add(berth, TEXT[:999], last=True)
        assert append.problem == Problem("LENGTH_MISMATCH", "1000 bytes were announced, 999 came")
        assert (berth.upload.gone, place.stored()) == ("failed", {})


@pytest.mark.gen_test
async def test_without_a_length_the_rest_ends_the_file(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, length=None)
        await place.add(berth, TEXT[:5000], last=False)
        assert berth.upload.length is None
        await place.add(berth, TEXT[5000:9000], chunked=True, last=True)
        await place.listener.hears_the_last()
        assert_stored(place, TEXT[:9000])
        assert berth.upload.length == 9000


@pytest.mark.gen_test
async def test_bytes_that_are_all_here_do_not_end_a_file_whose_client_says_that_more_comes(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place, 1000)
        await place.add(berth, TEXT[:1000], last=False)
        assert (berth.upload.closed, berth.upload.offset) == (False, 1000)
        await place.add(berth, b"", last=True)
        await place.listener.hears_the_last()
        assert_stored(place, TEXT[:1000])


@pytest.mark.gen_test
async def test_a_file_is_held_to_the_size_that_was_announced_with_its_session(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 1000))
        file = file_of(channel)
        berth = await place.upload(channel, length=None, file_id=file.id)
        with pytest.raises(Refused) as refused:
            await place.append(berth, 10, length=999)
        assert refused.value.problem.code == "LENGTH_MISMATCH"
        assert (berth.holder, berth.upload.length) == (None, None), "nothing has happened"
        append = await place.add(berth, TEXT[:999], last=True)
        assert (await place.listener.hears("upload-started"))["fileSize"] == 1000, "its upload has no length yet"
        assert append.problem == Problem("CHECKSUM_MISMATCH", "1000 bytes were announced, 999 came")
        assert berth.upload.gone == "failed"


@pytest.mark.gen_test
async def test_no_upload_grows_over_the_limit(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_file_size=1000) as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, length=None)
        await place.add(berth, TEXT[:600], last=False)
        append = await place.add(berth, TEXT[600:1001], last=False, chunked=True)
        assert append.problem == Problem("FILE_SIZE_EXCEEDED", "at most 1000 bytes")
        failed = await place.listener.hears("upload-failed")
        assert (failed["error"]["code"], failed["canRetry"]) == ("FILE_SIZE_EXCEEDED", False)
        assert berth.upload.gone == "failed"
        await place.no_parts()


@pytest.mark.gen_test
@pytest.mark.parametrize("body", [b"", TEXT[:10]], ids=["without bytes", "with bytes"])
async def test_a_length_that_is_told_later_is_recorded(tmp_path: Path, body: bytes) -> None:
    async with open_place(tmp_path / "a") as place:
        berth = await place.upload(await place.open(expected=1), length=None)
        await place.add(berth, body, length=1000)
        image = crash_image(tmp_path / "a", tmp_path / "b")
        upload_id = berth.upload.id
    async with open_place(image, recover=True) as place:
        berth = await place.station.shelf.find(upload_id)
        assert (berth.upload.length, berth.upload.offset) == (1000, len(body))


@pytest.mark.gen_test
async def test_a_length_whose_recording_failed_is_recorded_with_the_next_request(tmp_path: Path) -> None:
    async with open_place(tmp_path / "a") as place:
        berth = await place.upload(await place.open(expected=1), length=None)
        place.journal.break_down()
        failed = await place.add(berth, TEXT[:10], length=1000)
        assert failed.problem == Problem("SERVER_ERROR")
        place.journal.mend()
        await place.add(berth, TEXT[:10])
        image = crash_image(tmp_path / "a", tmp_path / "b")
        upload_id = berth.upload.id
    async with open_place(image, recover=True) as place:
        berth = await place.station.shelf.find(upload_id)
        assert (berth.upload.length, berth.upload.offset) == (1000, 10)


# ---- the first bytes ----


@pytest.mark.gen_test
async def test_first_bytes_that_contradict_the_name_lose_the_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, "a.jpg", 5000)
        body = b"%PDF-1.7\n" + TEXT[:4991]
        first = await place.add(berth, body[: SNIFF - 1])
        assert first.problem is None, "too few to be judged"
        assert place.listener.names[0] == "upload-started"
        second = await place.append(berth, 100)
        await second.feed(body[SNIFF - 1 : SNIFF])
        assert second.problem == Problem("UNSUPPORTED_FORMAT", "the content looks like application/pdf")
        await second.end(whole=True)
        failed = await place.listener.hears("upload-failed")
        assert (failed["error"]["code"], failed["canRetry"]) == ("UNSUPPORTED_FORMAT", False)
        assert berth.upload.gone == "failed"
        await place.no_parts()


@pytest.mark.gen_test
async def test_a_short_file_is_judged_at_its_end(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await place.upload(await place.open(expected=1), "a.jpg", 100)
        append = await place.add(berth, b"%PDF-1.7\n" + bytes(91))
        assert append.problem is not None
        assert append.problem.code == "UNSUPPORTED_FORMAT"
        assert (place.stored(), berth.upload.gone) == ({}, "failed")
        assert "upload-started" not in place.listener.names, "refused before its first byte counted"


@pytest.mark.gen_test
async def test_first_bytes_that_were_not_taken_are_not_judged(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await place.upload(await place.open(expected=1), "a.jpg", 5000)
        jpeg = b"\xff\xd8\xff\xe0" + TEXT[:4996]
        wrong = await place.add(berth, b"%PDF-1.7\n", checks=sha1(b"no"))
        assert wrong.problem == Problem("CHECKSUM_MISMATCH")
        assert berth.head == b""
        append = await place.add(berth, jpeg)
        assert (append.problem, berth.judged) == (None, True)
        await place.listener.hears_the_last()
        assert_stored(place, jpeg)


# ---- faults ----


@pytest.mark.gen_test
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_disk_that_is_full_fails_the_attempt_and_the_upload_goes_on_later(
    tmp_path: Path, chunked: bool
) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        await place.add(berth, TEXT[:30_000])
        place.points.fail("write", errno.ENOSPC, at=2)
        append = await place.append(berth, None if chunked else len(TEXT) - 30_000)
        await append.feed(TEXT[30_000:50_000])
        await until(lambda: place.points.passed.count("write") == 2)
        await append.feed(TEXT[50_000:80_000])
        await append.end(whole=False, lull=BROKEN)
        assert append.problem == Problem("INSUFFICIENT_STORAGE")
        failed = await place.listener.hears("upload-failed")
        assert (failed["error"]["code"], failed["canRetry"]) == ("INSUFFICIENT_STORAGE", True)
        fault = await place.listener.hears("session-error")
        assert (fault["action"], fault["affectedFiles"]) == ("continue", [file_of(channel).id])
        assert_stands_at(place, berth, 30_000)
        assert berth.upload.gone is None
        await place.add(berth, TEXT[30_000:])
        await place.listener.hears_the_last()
        assert_stored(place)
        assert place.listener.data("upload-started")[-1]["resumedFrom"] == 30_000


@pytest.mark.gen_test
async def test_a_real_disk_that_is_full_gives_back_what_was_not_taken(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as small:
        text = lines(6 * MIB)
        async with open_place(small) as place:
            channel = await place.open(expected=1)
            berth = await place.upload(channel, length=len(text))
            append = await place.append(berth, None, last=True)
            (small / "filler").write_bytes(bytes(place.disk.space().free - 2 * MIB))
            for at in range(0, len(text), MIB):
                await append.feed(text[at : at + MIB])
            await append.end(whole=True)
            assert append.problem == Problem("INSUFFICIENT_STORAGE")
            offset = berth.upload.offset
            assert offset < 2 * MIB
            assert_stands_at(place, berth, offset, text)
            (small / "filler").unlink()
            await place.add(berth, text[offset:], block=MIB)
            await place.listener.hears_the_last()
            assert_stored(place, text)


@pytest.mark.gen_test
async def test_there_has_to_be_room_before_the_first_byte(tmp_path: Path) -> None:
    """On a disk of its own: on that of all tests others take and give back room meanwhile."""
    with small_disk(tmp_path / "small") as small:
        async with open_place(small) as place:
            channel, berth = await a_place_to_go_on(place)
            free = place.disk.space().free
            place.station.dock.space.admit("another", free - MIB, free, place.clock.mono)
            append = await place.append(berth, len(TEXT))
            await cut_off(append, None)
            place.station.dock.space.admit("another", free - 1000, free + MIB, place.clock.mono)
            with pytest.raises(Refused) as refused:
                await place.append(berth, len(TEXT))
            assert refused.value.problem.code == "INSUFFICIENT_STORAGE"
            assert (berth.holder, channel.session.activity.requests) == (None, 0)


@pytest.mark.gen_test
async def test_an_upload_is_not_in_its_own_way(tmp_path: Path) -> None:
    """What it reserved when it was created counts once."""
    with small_disk(tmp_path / "small") as small:
        async with open_place(small) as place:
            size = place.disk.space().free // 3 * 2
            berth = await place.upload(await place.open(expected=1), length=size)
            for _ in range(2):
                append = await place.append(berth, size)
                await cut_off(append, None)


@pytest.mark.gen_test
async def test_a_body_without_a_length_looks_for_room_while_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "CHECK_EVERY", 10_000)
    async with open_place(tmp_path) as place:
        berth = await place.upload(await place.open(expected=1), length=None)
        append = await place.append(berth, None, last=True)
        free = place.disk.space().free
        place.station.dock.space.admit("another", 2 * free, 3 * free, place.clock.mono)
        await append.feed(TEXT[:9900])
        assert why(append) is None, "not before so much has come"
        await append.feed(TEXT[9900:10_000])
        assert why(append) == Problem("INSUFFICIENT_STORAGE")
        await append.end(whole=False)
        assert_stands_at(place, berth, 9900)
        failed = await place.listener.hears("upload-failed")
        assert failed["canRetry"]


@pytest.mark.gen_test
@pytest.mark.parametrize("full", [True, False])
async def test_a_journal_that_cannot_record_leaves_the_offset_and_the_upload_goes_on_later(
    tmp_path: Path, full: bool
) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        await place.add(berth, TEXT[:30_000])
        place.journal.break_down(full=full)
        append = await place.add(berth, TEXT[30_000:80_000])
        assert append.problem == Problem("INSUFFICIENT_STORAGE" if full else "SERVER_ERROR")
        assert_stands_at(place, berth, 30_000)
        place.journal.mend()
        with contextlib.suppress(JournalFailed):
            await channel.committed()
        channel.flush()
        failed = await place.listener.hears("upload-failed")
        assert (failed["error"]["code"], failed["canRetry"]) == (append.problem.code, True)
        await place.add(berth, TEXT[30_000:])
        await place.listener.hears_the_last()
        assert_stored(place)


@pytest.mark.gen_test
async def test_the_last_record_that_fails_leaves_the_file_unfinished_until_somebody_asks_again(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        await place.add(berth, TEXT[:30_000])
        place.journal.break_down()
        append = await place.add(berth, TEXT[30_000:])
        assert append.problem == Problem("SERVER_ERROR")
        assert (berth.upload.closed, berth.finishing) == (False, None)
        assert_stands_at(place, berth, 30_000)
        place.journal.mend()
        await place.add(berth, TEXT[30_000:])
        await place.listener.hears_the_last()
        assert_stored(place)


@pytest.mark.gen_test
async def test_a_sync_that_fails_is_never_tried_again_and_loses_the_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        await place.add(berth, TEXT[:30_000])
        place.points.passed.clear()
        place.points.fail("fsync", errno.EIO)
        append = await place.add(berth, TEXT[30_000:60_000])
        assert append.problem == Problem("SERVER_ERROR")
        assert place.points.passed.count("fsync") == 1
        assert berth.upload.gone == "failed"
        failed = await place.listener.hears("upload-failed")
        assert failed["error"]["code"] == "SERVER_ERROR"
        file = file_of(channel)
        assert file.upload is None, "tried again, it begins at nought"
        assert file.retry_until == place.clock.mono + place.station.config.retry_grace, "as any other file"
        await place.no_parts()
        with pytest.raises(Refused) as gone:
            await berth.free()
        assert gone.value.problem.code == "UPLOAD_GONE"
        assert place.points.passed.count("fsync") == 1
        assert place.stored() == {}


@pytest.mark.gen_test
async def test_a_part_that_is_lost_loses_the_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        await place.add(berth, TEXT[:30_000])
        (tmp_path / ".station" / "parts" / berth.upload.id).unlink()
        append = await place.add(berth, TEXT[30_000:])
        assert append.problem == Problem("SERVER_ERROR")
        assert (berth.upload.gone, place.stored()) == ("failed", {})


@pytest.mark.gen_test
async def test_who_cannot_come_back_loses_what_was_cut_off(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        berth = await place.upload(channel, length=1000)
        append = Append(place.station.shelf, place.station.tasks, berth, 1000, True, Checks(), keeps=False)
        append.open(1000)
        await append.feed(TEXT[:500])
        await cut_off(append)
        assert (append.problem, berth.upload.gone) == (BROKEN, "failed")
        failed = await place.listener.hears("upload-failed")
        assert failed["error"]["code"] == "NETWORK_ERROR"
        await place.no_parts()


@pytest.mark.gen_test
async def test_the_station_stops_a_request_and_keeps_what_is_safe(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        _, berth = await a_place_to_go_on(place)
        append = await place.append(berth, len(TEXT))
        await append.feed(TEXT[:40_000])
        append._fail(Problem("SERVER_ERROR", "stopping"), Fate.FAIL)
        append._fail(Problem("NETWORK_ERROR"), Fate.FAIL)
        await append.released.wait()
        assert append.problem == Problem("SERVER_ERROR", "stopping"), "the first one counts"
        assert_stands_at(place, berth, 40_000)


# ---- partials ----


@pytest.mark.gen_test
async def test_a_partial_tells_nobody_anything_and_is_not_stored(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await place.upload(length=1000, kind=Kind.PARTIAL)
        await place.add(berth, TEXT[:400])
        assert_stands_at(place, berth, 400)
        await place.add(berth, TEXT[400:1000])
        assert (berth.upload.closed, berth.upload.complete) == (True, False)
        assert_stands_at(place, berth, 1000)
        assert (place.stored(), place.station.channels) == ({}, {})


@pytest.mark.gen_test
async def test_the_request_counts_for_the_session_until_it_is_over(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, berth = await a_place_to_go_on(place)
        append = await place.append(berth, len(TEXT))
        assert channel.session.activity.requests == 1
        assert append in place.station.dock.deliveries
        assert file_of(channel).claimed
        await append.end(whole=True)
        assert channel.session.activity.requests == 0
        assert append not in place.station.dock.deliveries
        assert berth.holder is None
        assert not file_of(channel).claimed
        assert file_of(channel).status is Status.PENDING, "no byte came: nothing has begun"
