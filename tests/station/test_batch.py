"""Multipart bodies as clients send them, through intake, disk and journal to what is told and answered."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from station.errors import Problem, Refused
from station.intake import Receipt
from tests.station.places import (
    BOUNDARY,
    Listener,
    Place,
    assert_rules_hold,
    field_part,
    file_of,
    file_part,
    form,
    open_place,
    statuses,
)

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ONE_FILE = ["upload-started", "upload-progress", "upload-completed"]


def codes(receipt: Receipt) -> tuple[int, str | None]:
    return receipt.stored, None if receipt.problem is None else receipt.problem.code


def contents(place: Place, category: str = "personal") -> list[bytes]:
    return sorted(place.stored(category).values())


def everyone(place: Place) -> Listener:
    """Watch also the sessions that a request opens for itself."""
    opened = place.station.sessions.open_implicit
    listener = Listener()

    async def watched(category: str | None) -> object:
        return place.heard(await opened(category), listener)

    place.station.sessions.open_implicit = watched  # type: ignore[method-assign, assignment]
    return listener


# ---- which session ----


@pytest.mark.gen_test
@pytest.mark.parametrize("where", ["query", "before", "after", "between", "query and before", "before and after"])
@pytest.mark.parametrize("block", [1, 7, 65536])
async def test_the_session_may_be_named_anywhere(tmp_path: Path, where: str, block: int) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        named = field_part("sessionId", channel.session.id)
        first, second = file_part("a.txt", b"first"), file_part("b.txt", b"other")
        body = {
            "query": form(first, second),
            "before": form(named, first, second),
            "after": form(first, second, named),
            "between": form(first, named, second),
            "query and before": form(named, first, second),
            "before and after": form(named, first, second, named),
        }[where]
        receipt = await place.batch(body, channel.session.id if "query" in where else None, block=block)
        assert codes(receipt) == (2, None)
        await place.listener.hears_the_last()
        assert [name for name in place.listener.names if name != "upload-progress"] == [
            "upload-started",
            "upload-completed",
            "upload-started",
            "upload-completed",
            "session-completed",
        ]
        assert_rules_hold(place.listener.messages)
        assert contents(place) == [b"first", b"other"]


@pytest.mark.gen_test
@pytest.mark.parametrize("order", ["query", "form"])
async def test_two_sessions_in_one_request_are_refused(tmp_path: Path, order: str) -> None:
    async with open_place(tmp_path) as place:
        one, two = [(await place.open(auto_complete=False)).session.id for _ in range(2)]
        named = [field_part("sessionId", one)] if order == "form" else []
        body = form(*named, field_part("sessionId", two), file_part("a.txt", b"hello"))
        receipt = await place.batch(body, one if order == "query" else None)
        assert codes(receipt) == (0, "VALIDATION_ERROR")
        assert contents(place) == []
        assert place.listener.messages == []


@pytest.mark.gen_test
async def test_a_second_session_after_a_stored_file_leaves_it_stored(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        body = form(file_part("a.txt", b"hello"), field_part("sessionId", UNKNOWN), file_part("b.txt", b"other"))
        receipt = await place.batch(body, channel.session.id)
        assert codes(receipt) == (1, "VALIDATION_ERROR")
        assert contents(place) == [b"hello"]
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
@pytest.mark.parametrize("where", ["query", "before", "after"])
@pytest.mark.parametrize("session_id", [UNKNOWN, "../..", "0" * 300])
async def test_an_unknown_session_stores_and_tells_nothing(tmp_path: Path, where: str, session_id: str) -> None:
    async with open_place(tmp_path) as place:
        if where == "query":
            with pytest.raises(Refused) as refused:
                await place.batch_open(100, session_id)
            assert refused.value.problem.code == "SESSION_NOT_FOUND"
        else:
            named, file = field_part("sessionId", session_id), file_part("a.txt", b"hello")
            receipt = await place.batch(form(named, file) if where == "before" else form(file, named))
            assert codes(receipt) == (0, "SESSION_NOT_FOUND")
        assert contents(place) == []
        await place.no_parts()
        assert place.station.dock.deliveries == set()
        assert place.station.channels == {}


@pytest.mark.gen_test
async def test_a_settled_session_is_closed(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        await place.raw(channel)
        body = form(file_part("b.txt", b"hello"), field_part("sessionId", channel.session.id))
        assert codes(await place.batch(body)) == (0, "SESSION_CLOSED")
        assert len(place.stored()) == 1
        await place.no_parts()


@pytest.mark.gen_test
@pytest.mark.parametrize("named", [(), (field_part("sessionId", ""),)], ids=["no field", "an empty field"])
async def test_without_a_session_one_is_opened_for_the_request(tmp_path: Path, named: tuple[bytes, ...]) -> None:
    async with open_place(tmp_path) as place:
        listener = everyone(place)
        category = field_part("category", "scenic")
        body = form(*named, file_part("a.txt", b"hello"), category, file_part("b.txt", b"other"))
        receipt = await place.batch(body)
        assert codes(receipt) == (2, None)
        assert contents(place, "scenic") == [b"hello", b"other"]
        assert listener.names == [
            *ONE_FILE,
            *ONE_FILE,
            "session-completed",
            "upload-progress",
        ]
        assert_rules_hold(listener.messages)
        assert place.station.channels == {}


@pytest.mark.gen_test
async def test_nothing_is_told_or_visible_until_the_session_is_known(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=20)
        files = [file_part(f"{number}.txt", b"%05d" % number * 2000) for number in range(20)]
        body = form(*files, field_part("sessionId", channel.session.id))
        intake = await place.batch_open(len(body))
        await intake.feed(body[: len(body) - 120])
        assert place.listener.messages == []
        assert contents(place) == []
        assert len(intake.deliveries()) == 20  # type: ignore[arg-type]
        await intake.feed(body[len(body) - 120 :])
        receipt = await intake.finish()
        assert codes(receipt) == (20, None)
        assert [file.name for file in receipt.files] == [f"{number}.txt" for number in range(20)]
        assert_rules_hold(place.listener.messages)
        assert place.listener.messages[-1].last
        await place.no_parts()


@pytest.mark.gen_test
async def test_an_unknown_category_is_refused_when_it_matters(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        category, file = field_part("category", "other"), file_part("a.txt", b"hello")
        assert codes(await place.batch(form(category, file))) == (0, "VALIDATION_ERROR")
        assert contents(place) == []
        channel = await place.open(auto_complete=False)
        assert codes(await place.batch(form(category, file), channel.session.id)) == (1, None)


# ---- which file ----


@pytest.mark.gen_test
async def test_a_file_id_names_the_file_that_follows_it(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        ids = [file_of(channel, at).id for at in (1, 0)]
        body = form(
            field_part("fileId", ids[0]),
            file_part("x.txt", b"for b"),
            field_part("fileId", ids[1]),
            file_part("y.txt", b"for a"),
        )
        receipt = await place.batch(body, channel.session.id)
        assert codes(receipt) == (2, None)
        assert [file.id for file in receipt.files] == ids
        completed = {each["fileId"]: each["uploadPath"] for each in place.listener.data("upload-completed")}
        bodies = {path: (tmp_path / path.removeprefix("/upload/")).read_bytes() for path in completed.values()}
        assert [bodies[completed[id]] for id in ids] == [b"for b", b"for a"]


@pytest.mark.gen_test
async def test_a_file_id_after_its_file_is_refused(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        body = form(
            file_part("a.txt", b"hello"),
            field_part("fileId", file_of(channel).id),
            field_part("sessionId", channel.session.id),
        )
        assert codes(await place.batch(body)) == (0, "VALIDATION_ERROR")
        assert contents(place) == []
        await place.no_parts()


@pytest.mark.gen_test
async def test_an_unknown_file_id_fails_that_part_only(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        body = form(field_part("fileId", UNKNOWN), file_part("a.txt", b"hello"), file_part("b.txt", b"other"))
        receipt = await place.batch(body, channel.session.id)
        assert codes(receipt) == (1, "FILE_NOT_FOUND")
        assert contents(place) == [b"other"]


@pytest.mark.gen_test
async def test_a_failed_file_is_sent_again_by_name_and_size(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        place.points.fail("write", 5)
        first = await place.batch(form(file_part("a.txt", b"hello")), channel.session.id)
        assert codes(first) == (0, "SERVER_ERROR")
        again = await place.batch(form(file_part("a.txt", b"hello")), channel.session.id)
        assert codes(again) == (1, None)
        assert [file.id for file in again.files] == [file.id for file in first.files]
        await place.listener.hears_the_last()
        assert_rules_hold(place.listener.messages)


# ---- parts that are refused ----


@pytest.mark.gen_test
@pytest.mark.parametrize("at", [0, 1, 2])
async def test_a_refused_part_leaves_the_others_alone(tmp_path: Path, at: int) -> None:
    async with open_place(tmp_path, max_file_size=5000) as place:
        refused = {
            "UNSUPPORTED_FORMAT": file_part("bad.exe", b"MZ"),
            "FILE_SIZE_EXCEEDED": file_part("large.txt", bytes(5001)),
        }
        for code, part in refused.items():
            channel = await place.open(expected=3)
            parts = [file_part("a.txt", b"first"), file_part("b.txt", b"other")]
            parts.insert(at, part)
            receipt = await place.batch(form(*parts), channel.session.id)
            assert codes(receipt) == (2, code)
            wanted = ["completed"] * 2
            wanted.insert(at, "failed")
            assert [snapshot["status"] for snapshot in receipt.snapshots()] == wanted
            assert channel.session.settled
        await place.no_parts()
        assert len(place.stored()) == 4


@pytest.mark.gen_test
async def test_a_part_that_contradicts_its_name_is_refused_by_its_first_bytes(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=2)
        body = form(file_part("a.jpg", b"%PDF-1.7\n" + bytes(100_000)), file_part("b.txt", b"other"))
        receipt = await place.batch(body, channel.session.id, block=100)
        assert codes(receipt) == (1, "UNSUPPORTED_FORMAT")
        assert place.listener.lifecycle[0] == "upload-failed"
        assert contents(place) == [b"other"]


@pytest.mark.gen_test
async def test_only_refused_parts_without_a_session_open_none(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        receipt = await place.batch(form(file_part("a.exe", b"MZ"), file_part("b.exe", b"MZ")))
        assert codes(receipt) == (0, "UNSUPPORTED_FORMAT")
        assert receipt.channel is None
        assert place.station.channels == {}
        assert place.station.dock.deliveries == set()


@pytest.mark.gen_test
async def test_files_beyond_the_limit_are_no_files(tmp_path: Path) -> None:
    async with open_place(tmp_path, max_files=2) as place:
        channel = await place.open(auto_complete=False)
        body = form(*(file_part(f"{number}.txt", b"hello") for number in range(3)))
        receipt = await place.batch(body, channel.session.id)
        assert codes(receipt) == (2, "TOO_MANY_FILES")
        assert len(channel.session.files) == 2


# ---- what is no file ----


@pytest.mark.gen_test
@pytest.mark.parametrize("body", [form(), form(file_part("", b"")), form(field_part("a", "b"), file_part("", b""))])
@pytest.mark.parametrize("named", [True, False])
async def test_empty_inputs_are_no_files(tmp_path: Path, body: bytes, named: bool) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        receipt = await place.batch(body, channel.session.id if named else None)
        assert codes(receipt) == (0, "NO_FILES")
        assert statuses(channel.session.files) == []
        assert place.listener.messages == []
        assert len(place.station.channels) == 1


@pytest.mark.gen_test
async def test_an_empty_input_beside_a_file_is_passed_over(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=1)
        body = form(file_part("", b""), file_part("a.txt", b""), file_part("", b""))
        receipt = await place.batch(body, channel.session.id)
        assert codes(receipt) == (1, None)
        assert [each["fileSize"] for each in place.listener.data("upload-completed")] == [0]
        assert place.listener.data("upload-progress")[0]["progress"] == 100
        assert contents(place) == [b""]


# ---- bodies that break off ----


@pytest.mark.gen_test(timeout=240)
@pytest.mark.parametrize("where", ["query", "before", "after"])
async def test_a_truncated_body_gives_each_file_one_outcome(tmp_path: Path, where: str) -> None:
    async with open_place(tmp_path, durability="process", checksum="none") as place:
        first, second = file_part("a.txt", b"first"), file_part("b.txt", b"other")
        length = len(form(first, second))
        first_is_whole = len(first) + len(f"--{BOUNDARY}\r\n")
        for at in range(length - 2):
            listener = place.listener = Listener()
            channel = await place.open(("a.txt", 5), ("b.txt", 5))
            named = field_part("sessionId", channel.session.id)
            body = {
                "query": form(first, second),
                "before": form(named, first, second),
                "after": form(first, second, named),
            }[where]
            cut_at = at + (len(named) if where == "before" else 0)
            intake = await place.batch_open(len(body), channel.session.id if where == "query" else None)
            await intake.feed(body[:cut_at])
            receipt = await intake.finish()
            assert receipt.problem is not None
            assert receipt.problem.code in {"VALIDATION_ERROR", "NO_FILES"}
            with contextlib.suppress(Refused):  # unless the last file has ended it
                await place.station.orders.cancel(channel.session.id, None, "over")
            await listener.hears_the_last()
            assert_rules_hold(listener.messages)
            completed = listener.names.count("upload-completed")
            assert completed == receipt.stored == (where != "after" and at >= first_is_whole)
        await place.no_parts()
        assert place.station.dock.deliveries == set()


@pytest.mark.gen_test
@pytest.mark.parametrize("named", [True, False])
async def test_a_connection_that_breaks_ends_what_was_coming_and_drops_what_was_held(
    tmp_path: Path, named: bool
) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 100_000))
        body = form(file_part("a.txt", b"hello"), file_part("b.txt", bytes(100_000)))
        intake = await place.batch_open(len(body), channel.session.id if named else None)
        await intake.feed(body[:50_000])
        intake.abort(Problem("NETWORK_ERROR"))
        await intake.close()
        await place.no_parts()
        assert place.station.dock.deliveries == set()
        assert channel.session.activity.requests == 0
        assert contents(place) == ([b"hello"] if named else [])
        wanted = ["upload-started", "upload-completed", "upload-started", "upload-failed"] if named else []
        assert place.listener.lifecycle == wanted
        assert_rules_hold(place.listener.messages)


@pytest.mark.gen_test
async def test_a_connection_that_breaks_while_a_part_is_published_leaves_it_stored(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5))
        hold = place.points.hold("link")
        body = form(file_part("a.txt", b"hello"), file_part("b.txt", b"other"))
        intake = await place.batch_open(len(body), channel.session.id)
        feeding = asyncio.create_task(intake.feed(body[:-60]))
        await hold.reached()
        intake.abort(Problem("NETWORK_ERROR"))
        hold.release()
        await feeding
        await intake.close()
        assert place.listener.lifecycle[:2] == ["upload-started", "upload-completed"]
        assert b"hello" in contents(place)
        assert_rules_hold(place.listener.messages)


# ---- a cancel while it comes ----


@pytest.mark.gen_test
@pytest.mark.parametrize("by", ["file", "session"])
async def test_a_cancel_skips_the_part_and_ends_a_request_that_has_nothing_left(tmp_path: Path, by: str) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 200_000), ("b.txt", 5))
        body = form(file_part("a.txt", bytes(200_000)), file_part("b.txt", b"other"))
        intake = await place.batch_open(len(body), channel.session.id)
        await intake.feed(body[:100_000])
        await place.station.orders.cancel(channel.session.id, file_of(channel).id if by == "file" else None, "enough")
        await intake.feed(body[100_000:150_000])
        assert intake.hopeless == (by == "session")
        await intake.feed(body[150_000:])
        receipt = await intake.finish()
        assert receipt.stored == (1 if by == "file" else 0)
        assert receipt.problem is not None
        await place.listener.hears_the_last()
        assert_rules_hold(place.listener.messages)
        await place.no_parts()
        assert contents(place) == ([b"other"] if by == "file" else [])


# ---- sizes ----


@pytest.mark.gen_test
async def test_sizes_are_exact_where_they_can_be_known_and_bounds_elsewhere(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=2)
        data = bytes(100_000)
        body = form(file_part("a.txt", data), file_part("b.txt", data))
        receipt = await place.batch(body, channel.session.id)
        assert codes(receipt) == (2, None)
        first, second = place.listener.data("upload-started")
        assert first["estimated"] is True
        assert first["fileSize"] >= 100_000
        assert (second["fileSize"], second.get("estimated")) == (100_000, None)
        assert all(each["fileSize"] == 100_000 for each in place.listener.data("upload-completed"))


@pytest.mark.gen_test
async def test_a_declared_length_is_exact_and_binds(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(expected=2)
        data = bytes(3000)
        body = form(file_part("a.txt", data, declared=3000), file_part("b.txt", data, declared=3001))
        receipt = await place.batch(body, channel.session.id)
        assert codes(receipt) == (1, "CHECKSUM_MISMATCH")
        assert [each["fileSize"] for each in place.listener.data("upload-started")] == [3000, 3001]


@pytest.mark.gen_test
async def test_without_a_content_length_the_size_is_deferred(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        body = form(file_part("a.txt", bytes(100_000)))
        receipt = await place.batch(body, channel.session.id, chunked=True, block=5000)
        assert codes(receipt) == (1, None)
        assert place.listener.data("upload-started")[0]["fileSize"] is None
        assert place.listener.data("upload-completed")[0]["fileSize"] == 100_000


# ---- bodies that are none ----


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"junk",
        form(file_part("a.txt", b"hello")).replace(b'name="files"; ', b""),
        form(file_part("a.txt", b"hello")) + b"x" * 10_000,
    ],
    ids=["empty", "junk", "a part without a name", "an endless epilogue"],
)
async def test_a_body_that_is_no_form_stores_nothing_more(tmp_path: Path, body: bytes) -> None:
    async with open_place(tmp_path) as place:
        receipt = await place.batch(body)
        assert receipt.stored == 0
        assert receipt.problem is not None
        assert receipt.problem.code == "VALIDATION_ERROR"
        assert contents(place) == []
        await place.no_parts()
        assert place.station.dock.deliveries == set()
