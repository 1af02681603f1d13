"""Making an upload: whose file it is, what is refused before the first byte, and what is recorded when it is told."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

from station.channel import Channel
from station.creation import name_of
from station.errors import Problem, Refused
from station.file import Status
from station.resumption import Checks, Kind
from station.storage import Space
from tests.station.places import Place, file_of, new_id, open_place, rows, statuses, until
from tests.station.resuming import (
    BODY,
    begin,
    create,
    final_of,
    finished,
    gone,
    partial_of,
    refused,
    send,
    send_part,
    tick,
    upload,
)


def nothing_left(place: Place) -> bool:
    """No upload resource, no part and no room taken."""
    return (
        not len(place.station.shelf)
        and not place.parts
        and place.station.dock.space.reserved(place.clock.mono) == 0
        and not rows(place.root, "SELECT id FROM uploads WHERE ended_at IS NULL")
    )


def kept_offsets(place: Place) -> list[tuple[str, int]]:
    return [(row[0], row[1]) for row in rows(place.root, "SELECT id, offset FROM uploads")]


# ---- sessions ----


@pytest.mark.gen_test
async def test_an_upload_of_an_open_session_is_a_pending_file_of_it(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        berth = await create(place, channel, 5, metadata="filename YQ==")
        [file] = channel.session.files.values()
        assert (file.status, file.upload, file.name) == (Status.PENDING, berth.upload.id, "a.txt")
        assert (berth.file, berth.channel) == (file, channel)
        assert (berth.upload.session_id, berth.upload.file_id) == (channel.session.id, file.id)
        assert berth.upload.id != file.id
        assert file.expires_at == berth.upload.expires_at == place.clock.mono + place.station.config.upload_expiry
        assert not file.claimed
        assert berth.upload.metadata == "filename YQ=="
        assert place.parts == [berth.upload.id]
        assert kept_offsets(place) == [(berth.upload.id, 0)]
        assert rows(tmp_path, "SELECT id, json_extract(kept, '$.upload') FROM files") == [(file.id, berth.upload.id)]
        assert place.listener.messages == [], "a creation tells nothing: bytes do"


@pytest.mark.gen_test
async def test_an_upload_is_answered_once_it_is_recorded_and_its_part_is_there(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open()
        place.watch_commits()
        for point in ("commit", "folder"):
            hold = place.points.hold(point)
            making = asyncio.create_task(create(place, channel))
            await hold.reached()
            assert not making.done()
            before = len(rows(place.root, "SELECT id FROM files"))
            hold.release()
            await making
            if point == "commit":
                assert before == 0
            assert place.points.passed.count("folder") >= 1, "the part's name must survive a power cut"


@pytest.mark.gen_test
@pytest.mark.parametrize("session_id", ["f0e1d2c3-b4a5-4697-8879-6a5b4c3d2e1f", "", "nonsense", "../../etc"])
async def test_an_unknown_session_takes_nothing(tmp_path: Path, session_id: str) -> None:
    async with open_place(tmp_path) as place:
        assert (await refused(place, session_id)).code == "SESSION_NOT_FOUND"
        assert nothing_left(place)


@pytest.mark.gen_test
@pytest.mark.parametrize("settled", [False, True], ids=["closing", "settled"])
async def test_a_closed_session_takes_nothing(tmp_path: Path, settled: bool) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(*([] if settled else [("b.txt", 5)]))
        intake = None if settled else await place.raw_open(channel, "b.txt")
        await place.station.orders.complete(channel.session.id)
        assert (await refused(place, channel)).code == "SESSION_CLOSED"
        assert len(channel.session.files) == (0 if settled else 1)
        if intake is not None:
            intake.abort(Problem("NETWORK_ERROR"))
            await intake.close()
        assert nothing_left(place)


@pytest.mark.gen_test
async def test_without_a_session_one_is_opened_and_ends_with_the_upload(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await create(place, None, len(BODY), category="scenic")
        assert berth.channel is not None
        place.heard(berth.channel)
        assert berth.channel.session.terms.implicit
        tick(place, 3600)
        assert not berth.channel.session.settled, "its upload may still come"
        await send(place, berth, BODY)
        await place.listener.hears_the_last()
        assert list(place.stored("scenic").values()) == [BODY]


@pytest.mark.gen_test
async def test_without_a_session_what_is_refused_opens_none(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_file_size=1000) as place:
        for wish in ({"name": "a.exe"}, {"length": 1001}, {"category": "nowhere"}):
            problem = await refused(place, None, **{"length": 5, **wish})
            assert problem.code in {"UNSUPPORTED_FORMAT", "FILE_SIZE_EXCEEDED", "VALIDATION_ERROR"}
        assert place.station.channels == {}
        assert nothing_left(place)


# ---- which file ----


@pytest.mark.gen_test
async def test_a_file_id_names_an_announced_file(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        berth = await create(place, channel, 5, "other name.txt", told={"fileId": file_of(channel, 1).id})
        assert berth.file is file_of(channel, 1)
        assert berth.upload.name == "b.txt", "what was announced stays so"
        assert len(channel.session.files) == 2


@pytest.mark.gen_test
async def test_an_unknown_file_id_is_not_found(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel, other = await place.open(auto_complete=False), await place.open(("a.txt", 5))
        for file_id in ("nonsense", new_id(), file_of(other).id):
            assert (await refused(place, channel, 5, told={"fileId": file_id})).code == "FILE_NOT_FOUND"
        assert nothing_left(place)
        assert channel.session.files == {}


@pytest.mark.gen_test
async def test_an_announced_size_is_kept_to(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        named = {"fileId": file_of(channel).id}
        problem = await refused(place, channel, 6, told=named)
        assert problem == Problem("CHECKSUM_MISMATCH", "5 bytes were announced, 6 are being sent")
        assert statuses(channel.session.files) == ["pending"]
        assert nothing_left(place)
        berth = await create(place, channel, None, told=named)
        assert (berth.upload.length, file_of(channel).size) == (None, 5), "the length follows, the promise stands"


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("end", "code"), [("completed", "UPLOAD_ALREADY_COMPLETED"), ("cancelled", "UPLOAD_CANCELLED")]
)
async def test_a_file_that_is_over_is_not_sent_again(tmp_path: Path, end: str, code: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        file = file_of(channel)
        if end == "completed":
            await upload(place, channel, b"hello")
        else:
            await place.station.orders.cancel(channel.session.id, file.id, "why")
        assert (await refused(place, channel, 5, told={"fileId": file.id})).code == code
        assert str(file.status) == end
        await until(lambda: nothing_left(place))


@pytest.mark.gen_test
async def test_the_same_name_and_size_adopts_an_announced_file(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("a.txt", 6), ("b.txt", 5))
        made = [(await create(place, channel, 6)).file, (await create(place, channel, 5, "b.txt")).file]
        assert made == [file_of(channel, 1), file_of(channel, 2)]
        assert len(channel.session.files) == 3


@pytest.mark.gen_test
async def test_the_same_name_and_size_adopts_one_that_waits_for_a_retry(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        intake = await place.raw_open(channel, "a.txt", len(BODY))
        await intake.feed(BODY[:5000])
        intake.abort(Problem("NETWORK_ERROR"))
        await intake.close()
        berth = await create(place, channel)
        assert berth.file is file_of(channel)
        await send(place, berth, BODY)
        await finished(berth)
        assert statuses(channel.session.files) == ["completed"]
        assert [each["attempt"] for each in place.listener.data("upload-started")] == [1, 2]
        assert "resumedFrom" not in place.listener.data("upload-started")[1]


@pytest.mark.gen_test
async def test_a_failed_resumable_file_is_adopted_and_its_old_upload_is_gone(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        old = await create(place, channel)
        await send_part(place, old, BODY[:5000])
        tick(place, 3.5)
        assert statuses(channel.session.files) == ["failed"]
        new = await create(place, channel)
        assert new.file is old.file
        assert new.upload.id != old.upload.id
        assert await gone(place, old.upload.id) == "replaced"
        await until(lambda: place.parts == [new.upload.id])


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["pending", "uploading", "broken", "paused"])
async def test_a_live_resumable_file_is_never_adopted_by_its_name(tmp_path: Path, state: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        first = await create(place, channel)
        append = None
        if state == "uploading":
            append = await begin(place, first, BODY[:5000])
        elif state != "pending":
            await send_part(place, first, BODY[:5000])
        if state == "paused":
            await place.station.orders.pause(channel.session.id, file_of(channel).id)
        second = await create(place, channel)
        assert second.file is not first.file
        assert await gone(place, first.upload.id) is None
        assert len(channel.session.files) == 2
        if append is not None:
            await append.end(whole=True)
            assert append.problem is None


@pytest.mark.gen_test
async def test_a_file_id_takes_over_what_is_being_sent(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        old = await create(place, channel)
        append = await begin(place, old, BODY[:5000])
        ended: list[bool] = []
        append.on_over = lambda: ended.append(True)
        new = await create(place, channel, told={"fileId": file_of(channel).id})
        assert new.file is old.file
        assert ended == [True], "the older request is ended"
        await append.released.wait()
        assert append.problem is not None
        assert append.problem.code == "UPLOAD_GONE"
        assert await gone(place, old.upload.id) == "replaced"
        await send(place, new, BODY)
        await finished(new)
        assert list(place.stored().values()) == [BODY]
        assert place.listener.lifecycle == ["upload-started", "upload-failed", "upload-started", "upload-completed"]
        [failure] = place.listener.data("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("NETWORK_ERROR", True)
        assert "resumedFrom" not in place.listener.data("upload-started")[1]


KEYED: dict[str, Any] = {"told": {"idempotencyKey": "k"}, "metadata": "filename YS50eHQ=,idempotencyKey aw=="}


@pytest.mark.gen_test
async def test_the_same_request_with_a_key_makes_no_second_file(tmp_path: Path) -> None:
    """It names a file that no answer has told of."""
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        lost = await create(place, channel, **KEYED)
        again = await create(place, channel, **KEYED)
        assert again.file is lost.file
        assert await gone(place, lost.upload.id) == "replaced"
        await send(place, again, BODY)
        await finished(again)
        assert len(channel.session.files) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"told": {}},
        {"told": {"idempotencyKey": ""}, "metadata": "filename YS50eHQ=,idempotencyKey"},
        {"told": {"idempotencyKey": "l"}, "metadata": "filename YS50eHQ=,idempotencyKey bA=="},
        {"told": {"idempotencyKey": "k"}, "metadata": "filename Yi50eHQ=,idempotencyKey aw==", "name": "b.txt"},
    ],
)
@pytest.mark.gen_test
async def test_another_request_makes_a_file_of_its_own(tmp_path: Path, other: dict[str, Any]) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        first = await create(place, channel, **KEYED)
        second = await create(place, channel, **other)
        third = await create(place, channel, **other)
        assert len({id(berth.file) for berth in (first, second, third)}) == (
            2 if other["told"].get("idempotencyKey") else 3
        )
        assert await gone(place, first.upload.id) is None


@pytest.mark.gen_test
async def test_a_key_is_of_one_session_and_of_one_length(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        one, two = await place.open(auto_complete=False), await place.open(auto_complete=False)
        first = await create(place, one, **KEYED)
        assert (await create(place, two, **KEYED)).channel is two
        assert (await refused(place, one, len(BODY) + 1, **KEYED)).code == "CHECKSUM_MISMATCH"
        assert await gone(place, first.upload.id) is None


@pytest.mark.gen_test
async def test_a_file_id_takes_over_an_upload_of_another_kind(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)))
        intake = await place.raw_open(channel, "a.txt", len(BODY))
        await intake.feed(BODY[:5000])
        berth = await create(place, channel, told={"fileId": file_of(channel).id})
        assert place.station.dock.deliveries == set(), "the older one is ended at once"
        await intake.feed(BODY[5000:])
        assert (await intake.finish()).stored == 0
        await send(place, berth, BODY)
        await finished(berth)
        assert list(place.stored().values()) == [BODY]
        await place.no_parts()


# ---- what is refused is told ----


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"name": "a.exe"}, "UNSUPPORTED_FORMAT"),
        ({"length": 1001}, "FILE_SIZE_EXCEEDED"),
        ({"name": "a.exe", "length": 1001}, "UNSUPPORTED_FORMAT"),
    ],
)
async def test_a_refused_file_fails_for_good_and_counts(tmp_path: Path, wish: dict[str, Any], code: str) -> None:
    async with open_place(tmp_path, max_file_size=1000) as place:
        channel = await place.open(expected=1)
        problem = await refused(place, channel, **{"length": 5, **wish})
        assert problem.code == code
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-failed", "session-completed"], "no start"
        [failure] = place.listener.data("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == (code, False)
        assert failure["fileName"] == wish.get("name", "a.txt")
        assert nothing_left(place)


@pytest.mark.gen_test
async def test_a_refusal_leaves_alone_what_runs_under_the_same_id(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_file_size=2 * len(BODY)) as place:
        channel = await place.open(auto_complete=False)
        running = await create(place, channel, None)
        append = await begin(place, running, BODY)
        problem = await refused(place, channel, 3 * len(BODY), told={"fileId": file_of(channel).id})
        assert problem.code == "FILE_SIZE_EXCEEDED"
        await append.end(whole=True)
        assert append.problem is None
        assert place.listener.lifecycle == ["upload-started"]
        assert statuses(channel.session.files) == ["uploading"]
        assert await gone(place, running.upload.id) is None


# ---- room ----


def free_space(place: Place, patch: pytest.MonkeyPatch, count: int) -> None:
    patch.setattr(place.disk, "space", lambda: Space(count, 1 << 40))


@pytest.mark.gen_test
async def test_without_room_it_is_refused_before_a_byte_and_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_place(tmp_path, min_free_space=1000) as place:
        channel = await place.open(expected=1)
        free_space(place, monkeypatch, 1000 + len(BODY) - 1)
        assert (await refused(place, channel)).code == "INSUFFICIENT_STORAGE"
        await place.listener.hears("upload-failed")
        [failure] = place.listener.data("upload-failed")
        assert (failure["error"]["code"], failure["canRetry"]) == ("INSUFFICIENT_STORAGE", True)
        assert not channel.session.settled
        assert nothing_left(place)
        assert (await refused(place, None)).code == "INSUFFICIENT_STORAGE"
        assert list(place.station.channels) == [channel.session.id], "no implicit one for what is refused"
        assert (await refused(place, None, kind=Kind.PARTIAL)).code == "INSUFFICIENT_STORAGE"
        assert nothing_left(place)
        free_space(place, monkeypatch, 1000 + len(BODY))
        berth = await create(place, channel)
        assert berth.file is file_of(channel)


@pytest.mark.gen_test
async def test_what_is_announced_is_reserved_until_it_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        free_space(place, monkeypatch, len(BODY) + 100)
        first = await create(place, channel)
        assert (await refused(place, channel, 101, "b.txt")).code == "INSUFFICIENT_STORAGE"
        await create(place, channel, 100, "c.txt")
        await place.station.orders.cancel(channel.session.id, file_of(channel).id, "why")
        assert await gone(place, first.upload.id) == "cancelled"
        await create(place, channel, 101, "b.txt")


@pytest.mark.gen_test
async def test_a_reservation_lasts_as_long_as_its_upload_is_active(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        free_space(place, monkeypatch, len(BODY))
        await create(place, channel)
        assert (await refused(place, channel, 1, "b.txt")).code == "INSUFFICIENT_STORAGE"
        place.clock.pass_by(601)
        await create(place, channel, len(BODY), "b.txt")


@pytest.mark.gen_test
@pytest.mark.parametrize("why", ["session", "closed", "file", "journal", "category"])
async def test_what_is_not_made_reserves_nothing(tmp_path: Path, why: str) -> None:
    async with open_place(tmp_path, max_files=1) as place:
        channel = await place.open(("z.txt", 5))
        told = {"fileId": new_id()} if why == "file" else {}
        if why == "closed":
            await place.station.orders.complete(channel.session.id)
        if why == "journal":
            place.journal.break_down()
        where = {"session": new_id(), "journal": None, "category": None}.get(why, channel.session.id)
        await refused(place, where, told=told, category="nowhere" if why == "category" else None)
        assert place.station.dock.space.reserved(place.clock.mono) == 0
        place.journal.mend()


# ---- limits ----


@pytest.mark.gen_test
async def test_a_session_takes_no_more_files_than_it_may(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_files=1) as place:
        channel = await place.open(auto_complete=False)
        await create(place, channel)
        assert (await refused(place, channel, 5, "b.txt")).code == "TOO_MANY_FILES"
        assert len(channel.session.files) == 1
        assert place.listener.messages == [], "that is no file"


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", [Kind.WHOLE, Kind.PARTIAL])
async def test_there_are_not_more_uploads_than_there_is_room_for(tmp_path: Path, kind: Kind) -> None:
    async with open_place(tmp_path, max_sessions=2) as place:
        channel = await place.open(auto_complete=False)
        made = [await create(place, channel if kind is Kind.WHOLE else None, kind=kind) for _ in range(2)]
        problem = await refused(place, channel if kind is Kind.WHOLE else None, kind=kind)
        assert problem.code == "TOO_MANY_CONNECTIONS"
        await place.station.orders.remove(made[0], stored_too=False)
        await until(lambda: len(place.station.shelf) == 1)
        await create(place, channel if kind is Kind.WHOLE else None, kind=kind)


# ---- what fails ----


async def assert_it_failed_and_can_be_sent_again(place: Place, channel: Channel, code: str) -> None:
    failure = await place.listener.hears("upload-failed")
    assert (failure["error"]["code"], failure["canRetry"]) == (code, True)
    await until(lambda: nothing_left(place))
    berth = await create(place, channel)
    assert berth.file is file_of(channel)
    await send(place, berth, BODY)
    await finished(berth)
    assert list(place.stored().values()) == [BODY]


@pytest.mark.gen_test
@pytest.mark.parametrize(("full", "code"), [(True, "INSUFFICIENT_STORAGE"), (False, "SERVER_ERROR")])
async def test_an_upload_that_cannot_be_recorded_is_not_made(tmp_path: Path, full: bool, code: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        place.journal.break_down(full=full)
        assert (await refused(place, channel)).code == code
        assert (await refused(place, None)).code == code
        assert (await refused(place, None, kind=Kind.PARTIAL)).code == code
        assert place.listener.messages == [], "nor can its failure be recorded, and so told"
        assert list(place.station.channels) == [channel.session.id]
        place.journal.mend()
        channel.flush()
        await assert_it_failed_and_can_be_sent_again(place, channel, code)


@pytest.mark.gen_test
async def test_an_upload_that_was_not_made_holds_its_session_only_for_the_grace_of_a_retry(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        place.points.fail("folder", errno.EIO)
        await refused(place, channel)
        tick(place, 29)
        assert not channel.session.settled
        tick(place, 2)
        await place.listener.hears_the_last()


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "INSUFFICIENT_STORAGE"), (errno.EIO, "SERVER_ERROR")], ids=["full", "broken"]
)
async def test_an_upload_whose_part_cannot_be_made_is_not_made(tmp_path: Path, number: int, code: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        place.points.fail("folder", number)
        assert (await refused(place, channel)).code == code
        await assert_it_failed_and_can_be_sent_again(place, channel, code)


@pytest.mark.gen_test
@pytest.mark.parametrize("order", ["cancel", "complete"])
async def test_an_order_that_comes_while_it_is_being_made_ends_it(tmp_path: Path, order: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)), ("b.txt", 5))
        hold = place.points.hold("folder")
        making = asyncio.create_task(create(place, channel))
        await hold.reached()
        if order == "cancel":
            await place.station.orders.cancel(channel.session.id, None, "why")
        else:
            await place.station.orders.complete(channel.session.id)
        hold.release()
        await asyncio.wait([making])
        making.exception()
        await place.listener.hears_the_last()
        assert statuses(channel.session.files) == ["cancelled"] * 2
        tick(place, 1)
        await until(lambda: nothing_left(place))


# ---- final uploads ----


@pytest.mark.gen_test
async def test_a_final_upload_is_a_file_like_any_other(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_file_size=len(BODY) - 1) as place:
        channel = await place.open(expected=1)
        parts = [await partial_of(place, piece) for piece in (BODY[:5000], BODY[5000:])]
        with pytest.raises(Refused) as refusal:
            await final_of(place, channel, *parts)
        assert refusal.value.problem.code == "FILE_SIZE_EXCEEDED"
        await place.listener.hears_the_last()
        assert place.listener.lifecycle == ["upload-failed", "session-completed"]
        assert len(place.parts) == 2, "the partials are as they were"


@pytest.mark.gen_test
async def test_a_final_upload_adopts_what_was_announced(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)), ("b.txt", 5))
        parts = [await partial_of(place, piece) for piece in (BODY[:5000], BODY[5000:])]
        berth = await final_of(place, channel, *parts)
        assert berth.file is file_of(channel)
        assert berth.upload.length == len(BODY)
        await finished(berth)
        assert statuses(channel.session.files) == ["completed", "pending"]


@pytest.mark.gen_test
async def test_a_partial_belongs_to_no_session_and_is_silent(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        berth = await partial_of(place, BODY)
        assert (berth.channel, berth.file, berth.upload.session_id, berth.upload.file_id) == (None, None, None, None)
        assert place.station.channels == {}
        assert rows(tmp_path, "SELECT count(*) FROM sessions") == [(0,)]
        assert rows(tmp_path, "SELECT count(*) FROM events") == [(0,)]
        assert place.stored() == {}
        assert (berth.upload.closed, berth.upload.complete, berth.upload.offset) == (True, False, len(BODY))
        assert berth.upload.standing(place.clock()).complete


@pytest.mark.gen_test
async def test_what_was_promised_of_the_whole_is_kept(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        checks = Checks(whole={"sha256": bytes(32)}, wanted=("md5",))
        berth = await create(place, channel, checks=checks)
        assert berth.upload.checks == checks
        [kept] = rows(tmp_path, "SELECT json_extract(kept, '$.whole.sha256'), kept FROM uploads")
        assert kept[0] is not None


# ---- names ----


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"filename": "a.jpg", "filetype": "image/png"}, "a.jpg"),
        ({"name": "b.txt"}, "b.txt"),
        ({"filename": "c.txt", "name": "d.txt"}, "c.txt"),
        ({"filename": "holiday", "filetype": "image/jpeg"}, "holiday.jpg"),
        ({"name": "clip", "type": "video/mp4"}, "clip.mp4"),
        ({"filename": "thing", "filetype": "x/unheard-of"}, "thing"),
        ({"filename": "../../etc/passwd.txt"}, "passwd.txt"),
    ],
)
def test_the_name_is_what_the_client_told_or_what_its_media_type_suggests(told: dict[str, str], name: str) -> None:
    assert name_of(told) == name


def test_a_file_without_a_name_gets_one() -> None:
    assert name_of({})
    assert name_of({"filetype": "text/plain"}).endswith(".txt")


# ---- what happens while it is made ----


@pytest.mark.gen_test
@pytest.mark.parametrize("point", ["make", "commit"])
async def test_a_file_that_is_cancelled_while_its_upload_is_made_leaves_nothing(tmp_path: Path, point: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        if point == "commit":
            place.watch_commits()
        hold = place.points.hold(point)
        making = asyncio.ensure_future(refused(place, channel))
        await hold.reached()
        cancelling = asyncio.ensure_future(place.station.orders.cancel(channel.session.id, None, "user"))
        await until(lambda: statuses(channel.session.files) == ["cancelled"])
        hold.release()
        await cancelling
        assert await making == Problem("UPLOAD_GONE", "cancelled")
        await until(lambda: not place.station.channels)
        await place.no_parts()
        assert len(place.station.shelf) == 0


@pytest.mark.gen_test
async def test_an_older_creation_does_no_harm_to_a_newer_one_of_the_same_file(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", len(BODY)), expected=1)
        told = {"fileId": file_of(channel).id}
        hold = place.points.hold("make")
        older = asyncio.ensure_future(refused(place, channel, told=told))
        await hold.reached()
        newer = await create(place, channel, told=told)
        hold.release()
        assert await older == Problem("UPLOAD_GONE", "replaced")
        assert newer.forsaken is None
        await send(place, newer, BODY)
        await until(lambda: newer.upload.complete)
        await place.no_parts()
        assert statuses(channel.session.files) == ["completed"]


@pytest.mark.gen_test
async def test_a_part_and_a_record_that_both_fail_are_one_problem(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        place.points.fail("make", errno.ENOSPC)
        place.journal.break_down(full=True)
        making = asyncio.ensure_future(refused(place, channel))
        await until(lambda: place.points.passed.count("make") == 1)
        place.journal.mend()
        assert (await making).code == "INSUFFICIENT_STORAGE"
        await place.no_parts()
