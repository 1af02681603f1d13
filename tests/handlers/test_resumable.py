"""Uploads that are gone on with, over real sockets: what is stored, told and answered, and who wins of two."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import sqlite3
from base64 import b64encode
from urllib.parse import quote

import pytest

from station.berth import Berth
from tests.handlers.site import (
    FRIEND,
    HOSTILE_NAMES,
    OCTETS,
    PARTIAL,
    PATIENCE,
    TUS,
    UNKNOWN,
    Answer,
    Box,
    Line,
    at_offset,
    draft,
    lifecycle,
    metadata,
    movie,
    names,
    on_the_loop,
    until,
)

MIB = 1024**2
NAMED = {"Content-Disposition": 'attachment; filename="a.mp4"'}
WHOLE = ["upload-started", "upload-completed", "session-completed"]


def stored(box: Box) -> list[bytes]:
    return [file.read_bytes() for file in box.visible()]


# ---- tus, from the first byte to the last ----


@on_the_loop
async def test_a_file_in_pieces_is_stored_and_told_as_one_attempt(box: Box) -> None:
    session_id = await box.open(category="scenic", expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(300_000)
    told = metadata(filename="a b.mp4", filetype="video/mp4", sessionId=session_id)
    created = await box.ask("POST", "/files/", b"", {**TUS, "Upload-Length": "300000", "Upload-Metadata": told})
    assert (created.status, created.body) == (201, b"")
    assert created.headers["Tus-Resumable"] == "1.0.0"
    assert created.headers["Upload-Offset"] == "0"
    assert re.fullmatch(
        r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", created.headers["Upload-Expires"]
    )
    path = created.headers["Location"]
    assert re.fullmatch(r"/files/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", path)
    for at in range(0, 300_000, 60_000):
        head = await box.ask("HEAD", path, headers=TUS)
        assert (head.status, head.headers["Upload-Offset"], head.headers["Upload-Length"]) == (200, str(at), "300000")
        assert head.headers["Upload-Metadata"] == told
        assert head.headers["Cache-Control"] == "no-store"
        answer = await box.add(path, at, content[at : at + 60_000])
        assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(at + 60_000))
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        assert ("Upload-Expires" in answer.headers) is (at + 60_000 < 300_000)
    heard = await watcher.to_end()
    assert names(heard) == WHOLE
    started, completed, _ = (each["data"] for each in lifecycle(heard))
    assert started["fileId"] == created.headers["X-File-Id"]
    assert (started["fileName"], started["fileSize"], started["attempt"]) == ("a b.mp4", 300_000, 1)
    assert "resumedFrom" not in started
    assert completed["fileSize"] == 300_000
    assert stored(box) == [content]
    assert box.visible()[0].parent.name == "scenic"
    head = await box.ask("HEAD", path, headers=TUS)
    assert (head.status, head.headers["Upload-Offset"], head.headers["Upload-Length"]) == (200, "300000", "300000")
    assert "Upload-Expires" not in head.headers
    # The client that lost this answer asks again.
    again = await box.add(path, 300_000, b"")
    assert (again.status, again.headers["Upload-Offset"]) == (204, "300000")
    assert names((await box.progress(session_id, "?since=0"))["events"]) == WHOLE


@on_the_loop
async def test_the_first_bytes_may_come_with_the_creation(box: Box) -> None:
    content = movie(5000)
    head = {**TUS, **OCTETS, "Upload-Length": "5000", "Upload-Metadata": metadata(filename="a.mp4")}
    answer = await box.ask("POST", "/files/", content[:2000], head)
    assert (answer.status, answer.headers["Upload-Offset"]) == (201, "2000")
    assert "Upload-Expires" in answer.headers
    assert re.match(rf"<{box.url}/s/[0-9a-f-]+>; rel=", answer.headers["Link"])
    assert (await box.add(answer.headers["Location"], 2000, content[2000:])).status == 204
    whole = await box.ask("POST", "/files/", content, head)
    assert (whole.status, whole.headers["Upload-Offset"]) == (201, "5000")
    assert whole.json()["status"] == "completed"
    assert stored(box) == [content, content]


@on_the_loop
async def test_content_of_another_type_is_not_of_the_upload(box: Box) -> None:
    head = {**TUS, "Content-Type": "video/mp4", "Upload-Length": "5", "Upload-Metadata": metadata(filename="a.mp4")}
    answer = await box.ask("POST", "/files/", movie(5), head)
    assert (answer.status, answer.headers["Upload-Offset"]) == (201, "0")


@on_the_loop
async def test_an_empty_file_is_finished_when_it_is_made(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    path = await box.create(0, session_id)
    assert names((await box.progress(session_id, "?since=0"))["events"]) == WHOLE
    assert stored(box) == [b""]
    assert await box.offset(path) == 0


@on_the_loop
async def test_a_length_may_come_later_and_never_changes(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    content = movie(3000)
    path = await box.create(None, session_id)
    head = await box.ask("HEAD", path, headers=TUS)
    assert (head.headers["Upload-Defer-Length"], "Upload-Length" in head.headers) == ("1", False)
    assert (await box.add(path, 0, content[:1000])).status == 204
    assert (await box.add(path, 1000, content[1000:2000], {"Upload-Length": "3000"})).status == 204
    head = await box.ask("HEAD", path, headers=TUS)
    assert (head.headers["Upload-Length"], "Upload-Defer-Length" in head.headers) == ("3000", False)
    for length in ("3001", "2999", "0"):
        answer = await box.add(path, 2000, content[2000:], {"Upload-Length": length})
        assert (answer.status, answer.code) == (400, "LENGTH_MISMATCH")
    assert await box.offset(path) == 2000
    assert (await box.add(path, 2000, content[2000:], {"Upload-Length": "3000"})).status == 204
    assert stored(box) == [content]
    assert names((await box.progress(session_id, "?since=0"))["events"]) == WHOLE


@on_the_loop
async def test_a_length_that_comes_last_finishes_the_upload(box: Box) -> None:
    content = movie(3000)
    path = await box.create(None)
    assert (await box.add(path, 0, content)).status == 204
    assert stored(box) == []
    assert (await box.add(path, 3000, b"", {"Upload-Length": "3000"})).status == 204
    assert stored(box) == [content]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "1e3"}, 400),
        ({"Upload-Length": "+5"}, 400),
        ({"Upload-Length": ""}, 400),
        ({"Upload-Length": "5", "Upload-Defer-Length": "1"}, 400),
        ({"Upload-Defer-Length": "2"}, 400),
        ({"Upload-Length": str(8 * MIB + 1)}, 413),
        ({"Upload-Length": "9" * 60}, 413),
        ({"Upload-Length": "5", "Upload-Metadata": "filename !!!"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": "filename YQ==,filename YQ=="}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": "x " + "QUFB" * 4000}, 400),
        ({"Upload-Length": "5", "Upload-Concat": "final;/files/x"}, 400),
        ({"Upload-Concat": "final;"}, 400),
        ({"Upload-Concat": "whole"}, 400),
    ],
)
@on_the_loop
async def test_a_creation_that_makes_no_sense_makes_nothing(box: Box, fields: dict[str, str], status: int) -> None:
    named = {"Upload-Metadata": metadata(filename="a.mp4"), **fields}
    answer = await box.ask("POST", "/files/", b"", {**TUS, **named})
    assert answer.status == status
    assert "Location" not in answer.headers
    assert (len(box.station.shelf), box.station.channels, box.unfinished()) == (0, {}, [])


@pytest.mark.parametrize(
    ("offset", "status"),
    [
        *((wrong, 400) for wrong in ("-1", "1e3", "+5", "", "5, 5", "0x5", "٥", None, str(2**63))),
        *((elsewhere, 409) for elsewhere in ("4", "6", str(2**63 - 1))),
    ],
)
@on_the_loop
async def test_only_the_very_offset_is_taken(box: Box, offset: str | None, status: int) -> None:
    path = await box.create(100)
    await box.add(path, 0, b"12345")
    head = {**TUS, **OCTETS} | ({} if offset is None else {"Upload-Offset": offset})
    answer = await box.ask("PATCH", path, b"more", head)
    assert answer.status == status
    assert answer.headers.get("Upload-Offset") == ("5" if status == 409 else None)
    assert await box.offset(path) == 5


@on_the_loop
async def test_an_offset_that_is_told_twice_is_none(box: Box) -> None:
    path = await box.create(100)
    await box.add(path, 0, b"12345")
    for version in (TUS | OCTETS, draft(8, complete=False) | PARTIAL):
        line = await box.connect()
        head = {"Host": box.host, "Upload-Offset": "5", "upload-offset": "5", **version, "Content-Length": "0"}
        line.send("\r\n".join([f"PATCH {path} HTTP/1.1", *(f"{n}: {v}" for n, v in head.items()), "", ""]).encode())
        assert (await line.answer()).status == 400
    assert await box.offset(path) == 5


# ---- more than was announced ----


@on_the_loop
async def test_content_that_is_longer_than_what_is_left_is_refused_early_and_can_be_read(box: Box) -> None:
    path = await box.create(100)
    await box.add(path, 0, b"x" * 60)
    line = await box.connect()
    line.begin("PATCH", path, {**at_offset(60), "Content-Length": "41", "Expect": "100-continue"})
    answer = await line.answer()
    assert (answer.status, answer.code, line.interims) == (413, "FILE_SIZE_EXCEEDED", [])
    answer = await box.add(path, 60, bytes(5 * MIB))
    assert (answer.status, answer.code) == (413, "FILE_SIZE_EXCEEDED")
    exit_status, out = await box.curl(
        "-X", "PATCH", "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Offset: 60", "-H", "Expect:",
        "-H", "Content-Type: application/offset+octet-stream", "--data-binary", "@-", box.url + path,
        given=bytes(20 * MIB),
    )  # fmt: skip
    assert exit_status == 0
    assert b"FILE_SIZE_EXCEEDED" in out
    assert await box.offset(path) == 60
    assert (await box.add(path, 60, b"y" * 40)).status == 204
    assert stored(box) == [b"x" * 60 + b"y" * 40]


@on_the_loop
async def test_chunked_content_that_turns_out_longer_is_refused_and_never_completes(box: Box) -> None:
    path = await box.create(100)
    answer = await chunked(box, path, at_offset(0), b"x" * 100, b"x")
    assert (answer.status, answer.code) == (413, "FILE_SIZE_EXCEEDED")
    offset = await box.offset(path)
    assert offset < 100
    assert stored(box) == []
    assert (await chunked(box, path, at_offset(offset), b"x" * (100 - offset))).status == 204
    assert stored(box) == [b"x" * 100]


async def chunked(box: Box, path: str, headers: dict[str, str], *pieces: bytes, method: str = "PATCH") -> Answer:
    line = await box.connect()
    line.begin(method, path, {**headers, "Transfer-Encoding": "chunked"})
    for piece in pieces:
        line.send(b"%x\r\n" % len(piece) + piece + b"\r\n")
        await line.writer.drain()
    line.send(b"0\r\n\r\n")
    return await line.answer()


@on_the_loop
async def test_a_draft_upload_that_is_longer_than_announced_is_over(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    answer = await box.ask(
        "POST", f"/files/?sessionId={session_id}", b"", {**draft(8, complete=False), **NAMED, "Upload-Length": "9000"}
    )
    path = answer.headers["Location"]
    berth = await box.berth(path)
    line = await box.connect()
    line.begin("PATCH", path, {**draft(8, complete=False, offset=0), "Transfer-Encoding": "chunked"})
    line.send(b"%x\r\n" % 9000 + movie(9000) + b"\r\n")
    await until(lambda: berth.holder is not None and arrived(berth.holder) == 9000, "all has come")
    line.send(b"1\r\nx\r\n0\r\n\r\n")
    answer = await line.answer()
    assert (answer.status, answer.code) == (400, "LENGTH_MISMATCH")
    assert (await box.ask("HEAD", path, headers=draft(8))).status == 410
    events = (await box.progress(session_id, "?since=0"))["events"]
    assert names(events) == ["upload-started", "upload-failed", "session-completed"]
    assert events[1]["data"]["canRetry"] is False
    await until(lambda: not box.unfinished(), "its bytes are freed")


# ---- checksums and digests ----


def checksum(algorithm: str, body: bytes) -> dict[str, str]:
    return {"Upload-Checksum": f"{algorithm} {b64encode(hashlib.new(algorithm, body).digest()).decode()}"}


@on_the_loop
async def test_content_with_a_bad_checksum_is_not_taken(box: Box) -> None:
    content = movie(30_000)
    path = await box.create(30_000)
    for algorithm in ("sha1", "sha256", "md5"):
        at = await box.offset(path)
        piece = content[at : at + 10_000]
        answer = await box.add(path, at, b"!" + piece[1:], checksum(algorithm, piece))
        assert (answer.status, answer.code) == (460, "CHECKSUM_MISMATCH")
        assert await box.offset(path) == at
        assert (await box.add(path, at, piece, checksum(algorithm, piece))).status == 204
    assert stored(box) == [content]
    path = await box.create(100)
    for unknown in ("sha3 YQ==", "SHA1 YQ==", "sha1", "sha1 !!!", "sha1 YQ==", "md5 , sha1"):
        answer = await box.add(path, 0, b"x" * 100, {"Upload-Checksum": unknown})
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), unknown
    assert await box.offset(path) == 0


@on_the_loop
async def test_content_with_a_checksum_that_is_cut_short_is_not_taken(box: Box) -> None:
    content = movie(30_000)
    path = await box.create(30_000)
    berth = await box.berth(path)
    line = await box.begin_add(path, 0, 20_000, content[:15_000], checksum("sha1", content[:20_000]))
    await until(lambda: berth.holder is not None, "it is being written")
    await line.reset()
    assert await box.offset(path) == 0
    assert (await box.add(path, 0, content, checksum("sha256", content))).status == 204
    assert stored(box) == [content]


def digest(name: str, body: bytes, algorithm: str = "sha256") -> dict[str, str]:
    return {name: f"{algorithm[:3]}-{algorithm[3:]}=:{b64encode(hashlib.new(algorithm, body).digest()).decode()}:"}


@on_the_loop
async def test_a_digest_of_the_content_is_held_and_one_of_an_unknown_kind_refused(box: Box) -> None:
    content = movie(3000)
    path = await box.create(3000)
    head = draft(8, complete=False, offset=0)
    for wrong in (digest("Content-Digest", b"else"), digest("Content-Digest", b"else", "sha512")):
        answer = await box.ask("PATCH", path, content[:1000], {**head, **wrong})
        assert (answer.status, answer.code) == (422, "CHECKSUM_MISMATCH")
    for unknown in ("md5=:YQ==:", "sha-256=abc", "crc32c=:YQ==:"):
        answer = await box.ask("PATCH", path, content[:1000], {**head, "Content-Digest": unknown})
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert await box.offset(path) == 0
    for algorithm in ("sha256", "sha512"):
        at = await box.offset(path)
        head = {**draft(8, complete=False, offset=at), **digest("Content-Digest", content[at : at + 1000], algorithm)}
        assert (await box.ask("PATCH", path, content[at : at + 1000], head)).status == 204
    last = {**draft(8, complete=True, offset=2000), "Want-Repr-Digest": "sha-256=1"}
    assert (await box.ask("PATCH", path, content[2000:], last)).status == 200
    assert stored(box) == [content]


@on_the_loop
async def test_a_digest_of_the_whole_is_held_at_the_end(box: Box) -> None:
    content = movie(3000)
    for promised, status in ((content, 200), (b"else", 422)):
        session_id = await box.open(expectedFiles=1)
        head = {**draft(8, complete=False), **NAMED, **digest("Repr-Digest", promised), "Want-Repr-Digest": "sha-256=1"}
        created = await box.ask("POST", f"/files/?sessionId={session_id}", content[:1000], head)
        assert (created.status, created.headers["Upload-Offset"]) == (201, "1000")
        path = created.headers["Location"]
        answer = await box.ask("PATCH", path, content[1000:], draft(8, complete=True, offset=1000))
        assert (answer.status, answer.headers["Upload-Complete"]) == (status, "?1")
        events = names((await box.progress(session_id, "?since=0"))["events"])
        assert events[1] == ("upload-completed" if status == 200 else "upload-failed")
        if status == 200:
            assert digest("Repr-Digest", content).items() <= dict(answer.headers).items()
    assert stored(box) == [content]


# ---- the draft ----


@pytest.mark.parametrize("version", [None, 3, 4, 5, 6, 7, 8, 9, 10])
@on_the_loop
async def test_a_draft_upload_in_pieces_in_every_dialect(box: Box, version: int | None) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(30_000)
    where = f"/files/?sessionId={session_id}"
    created = await box.ask("POST", where, content[:10_000], {**draft(version, complete=False), **NAMED})
    assert (created.status, created.headers["Upload-Offset"]) == (201, "10000")
    path = created.headers["Location"]
    unfinished = draft(version, complete=False).items()
    assert unfinished - draft(version).items() <= dict(created.headers).items()
    answer = await box.ask("PATCH", path, content[10_000:20_000], draft(version, complete=False, offset=10_000))
    assert answer.status == (201 if version in (3, 4, 5, 6) else 204)
    assert answer.headers["Upload-Offset"] == "20000"
    asked = {"Upload-Complete": "?0"} if version is None else draft(version)  # it has to be known for the draft's
    told = await box.ask("HEAD", path, headers=asked)
    assert (told.status, told.headers["Upload-Offset"], told.headers["Cache-Control"]) == (204, "20000", "no-store")
    assert ("Upload-Limit" in told.headers) is (version not in (3, 4, 5))
    answer = await box.ask("PATCH", path, content[20_000:], draft(version, complete=True, offset=20_000))
    assert answer.status == 200
    finished = draft(version, complete=True).items() - draft(version).items()
    assert finished <= dict(answer.headers).items()
    assert answer.json()["status"] == "completed"
    again = await box.ask("PATCH", path, b"", draft(version, complete=True, offset=30_000))
    assert (again.status, again.json()) == (answer.status, answer.json())
    told = await box.ask("HEAD", path, headers=asked)
    assert finished <= dict(told.headers).items()
    assert names(await watcher.to_end()) == WHOLE
    assert stored(box) == [content]


@on_the_loop
async def test_an_offset_at_the_length_does_not_end_a_draft_upload(box: Box) -> None:
    content = movie(3000)
    head = {**draft(8, complete=False), **NAMED, "Upload-Length": "3000"}
    created = await box.ask("POST", "/files/", content, head)
    assert (created.status, created.headers["Upload-Complete"]) == (201, "?0")
    assert stored(box) == []
    path = created.headers["Location"]
    answer = await box.ask("PATCH", path, b"", draft(8, complete=True, offset=3000))
    assert (answer.status, answer.headers["Upload-Complete"]) == (200, "?1")
    assert stored(box) == [content]


@on_the_loop
async def test_a_draft_upload_that_is_cancelled_is_gone(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    created = await box.ask(
        "POST", f"/files/?sessionId={session_id}", movie(100), {**draft(8, complete=False), **NAMED}
    )
    path = created.headers["Location"]
    assert (await box.ask("DELETE", path)).status == 204
    for method, headers in (("HEAD", draft(8)), ("PATCH", draft(8, complete=True, offset=100)), ("DELETE", {})):
        answer = await box.ask(method, path, b"" if method == "PATCH" else None, headers)
        assert answer.status == 410
    events = (await box.progress(session_id, "?since=0"))["events"]
    assert names(events) == ["upload-started", "upload-cancelled", "session-completed"]
    assert events[1]["data"]["reason"] == "user"


# ---- another method than the request's ----


@on_the_loop
async def test_a_method_may_be_overridden_by_those_on_the_list_only(box: Box) -> None:
    content = movie(3000)
    path = await box.create(3000)
    assert (await box.ask("POST", path, content, {**at_offset(0), "X-HTTP-Method-Override": "patch"})).status == 204
    path = await box.create(3000)
    answer = await box.ask("POST", path, b"", {**TUS, "X-HTTP-Method-Override": "HEAD"})
    assert (answer.status, answer.headers["Upload-Offset"]) == (200, "0")
    answer = await box.ask("POST", path, b"", {**TUS, "X-HTTP-Method-Override": "DELETE"})
    assert answer.status == 204
    answer = await box.ask("PUT", "/files/", b"", {**TUS, "Upload-Length": "0", "X-HTTP-Method-Override": "POST"})
    assert answer.code == "UNSUPPORTED_FORMAT", "it has no name"
    assert (await box.ask("POST", "/files/", b"", {"X-HTTP-Method-Override": "OPTIONS"})).status == 200
    path = await box.create(3000)
    for name in ("on_finish", "initialize", "CONNECT", "__class__", "decide", "TRACE", "", "x" * 5000):
        answer = await box.ask("POST", path, b"", {**at_offset(0), "X-HTTP-Method-Override": name})
        assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED"), name
    assert stored(box) == [content]


@on_the_loop
async def test_an_override_is_no_way_around_the_gate(box: Box) -> None:
    path = await box.create(3000)
    for real in ("GET", "HEAD", "OPTIONS", "POST"):
        for override in ("DELETE", "PATCH", "HEAD"):
            evil = {**TUS, "Origin": "http://evil.example", "X-HTTP-Method-Override": override}
            assert (await box.ask(real, path, headers=evil)).status == 403
    assert await box.offset(path) == 0
    friend = {**TUS, "Origin": FRIEND, "X-HTTP-Method-Override": "DELETE"}
    assert (await box.ask("GET", path, headers=friend)).status == 204


# ---- one upload, two requests ----


async def begun(box: Box, session_id: str, size: int, body: bytes) -> tuple[str, Line]:
    """An upload whose first request stands still."""
    path = await box.create(size, session_id)
    line = await box.begin_add(path, 0, size, body)
    berth = await box.berth(path)
    await until(lambda: berth.holder is not None and arrived(berth.holder) == len(body), "it has come")
    return path, line


def arrived(holder: object) -> int:
    return int(getattr(holder, "arrived", 0))


async def hung_up_on(line: Line) -> bool:
    async with asyncio.timeout(PATIENCE):
        return await line.rest() == b""


@pytest.mark.parametrize("how", ["HEAD", "GET", "PATCH", "DELETE"])
@on_the_loop
async def test_a_newer_request_ends_one_that_froze(box: Box, how: str) -> None:
    box.clock.stop()  # nothing but the newer request ends it
    session_id = await box.open(expectedFiles=1)
    content = movie(200_000)
    path, frozen = await begun(box, session_id, 200_000, content[:150_000])
    async with asyncio.timeout(PATIENCE):
        if how == "PATCH":
            answer = await box.add(path, 0, content)
            assert (answer.status, answer.headers["Upload-Offset"]) == (409, "150000")
        elif how == "DELETE":
            assert (await box.ask("DELETE", path, headers=TUS)).status == 204
        else:
            answer = await box.ask(how, path, headers=TUS)
            assert answer.headers["Upload-Offset"] == "150000"
    assert await hung_up_on(frozen)
    if how == "DELETE":
        assert (await box.ask("GET", path, headers=TUS)).status == 410
        events = names((await box.progress(session_id, "?since=0"))["events"])
        assert events == ["upload-started", "upload-cancelled", "session-completed"]
        return
    frozen.send(b"late bytes that nobody wants")
    assert (await box.add(path, 150_000, content[150_000:])).status == 204
    assert stored(box) == [content]
    assert names((await box.progress(session_id, "?since=0"))["events"]) == WHOLE


async def outcome(line: Line) -> int | None:
    """The status of the answer; None if the station hung up instead."""
    try:
        async with asyncio.timeout(PATIENCE):
            return (await line.answer()).status
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


@on_the_loop
async def test_of_two_appends_at_once_one_is_stored_and_never_a_mixture(box: Box) -> None:
    for number in range(20):
        path = await box.create(100_000)
        bodies = [bytes([each]) * 100_000 for each in (1, 2)]
        cut = number * 5000
        lines = [await box.begin_add(path, 0, 100_000, body[:cut]) for body in bodies]
        for line, body in zip(lines, bodies, strict=True):
            line.send(body[cut:])
        ends = await asyncio.gather(*map(outcome, lines))
        assert sorted(ends, key=str) in ([204, 409], [204, None], [409, None]), ends
        offset = await box.offset(path)
        assert (204 in ends) is (offset == 100_000)
        if 204 not in ends:
            kept = (await box.berth(path)).upload.id
            (part,) = [part for part in box.unfinished() if part.name == kept]
            assert part.read_bytes() in {body[:offset] for body in bodies}
            assert (await box.ask("DELETE", path, headers=TUS)).status == 204
    assert set(stored(box)) <= {bytes([each]) * 100_000 for each in (1, 2)}


@on_the_loop
async def test_an_offset_that_was_told_is_taken(box: Box) -> None:
    """However often it is asked for while bytes come: each asking ends the request, and costs nothing that was told."""
    session_id = await box.open(expectedFiles=1)
    content = movie(1_000_000)
    path = await box.create(len(content), session_id)
    told = 0
    for step in (1, 50_000, 300_000, 300_001, 200_000):
        berth = await box.berth(path)
        line = await box.begin_add(path, told, len(content) - told, content[told : told + step])
        await until(lambda berth=berth: berth.holder is not None, "it is being written")  # type: ignore[misc]
        offset = await box.offset(path)
        assert told <= offset <= told + step
        told = offset
        assert await hung_up_on(line)
    assert (await box.add(path, told, content[told:])).status == 204
    assert stored(box) == [content]
    assert names((await box.progress(session_id, "?since=0"))["events"]) == WHOLE


@on_the_loop
async def test_bytes_of_a_connection_that_broke_are_kept(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    content = movie(100_000)
    for ending in (Line.close, Line.reset):
        path, line = await begun(box, session_id, 100_000, content[:70_000])
        await ending(line)
        assert await box.offset(path) == 70_000
        assert (await box.ask("DELETE", path, headers=TUS)).status == 204
        session_id = await box.open(expectedFiles=1)


# ---- silence, pauses, cancels ----


@on_the_loop
async def test_a_connection_that_breaks_is_forgiven_for_three_seconds(box: Box) -> None:
    box.clock.stop()
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(100_000)
    path, line = await begun(box, session_id, 100_000, content[:50_000])
    await line.reset()
    assert (await hands_off(box, path)).upload.offset == 50_000
    box.pass_time(2)
    line = await box.begin_add(path, 50_000, 50_000, content[50_000:80_000])
    berth = await box.berth(path)
    await until(lambda: berth.holder is not None and arrived(berth.holder) == 30_000, "it has come")
    await line.reset()
    await hands_off(box, path)
    box.pass_time(4)
    failed = await watcher.until("upload-failed")
    assert (failed["error"]["code"], failed["canRetry"], failed["uploadedBytes"]) == ("NETWORK_ERROR", True, 80_000)
    assert "retryUntil" in failed
    assert (await box.add(path, 80_000, content[80_000:])).status == 204
    heard = await watcher.to_end()
    events = ["upload-started", "upload-failed", "upload-started", "upload-completed", "session-completed"]
    assert names(heard) == events
    again = lifecycle(heard)[2]["data"]
    assert (again["attempt"], again["resumedFrom"]) == (2, 80_000)
    assert lifecycle(heard)[-1]["data"]["summary"]["uploadedSize"] == 100_000
    assert stored(box) == [content]


async def hands_off(box: Box, path: str) -> Berth:
    """The upload, once no request writes to it."""
    berth = await box.berth(path)
    await until(lambda: berth.holder is None, "the request has ended")
    return berth


@on_the_loop
async def test_an_upload_that_nobody_goes_on_with_rests(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(100_000)
    path = await box.create(100_000, session_id)
    assert (await box.add(path, 0, content[:50_000])).status == 204
    box.pass_time(4)
    paused = await watcher.until("upload-progress", overallStatus="paused")
    assert paused["currentFile"]["status"] == "paused"
    assert paused["uploadedBytes"] == 50_000
    box.pass_time(3600)
    assert (await box.add(path, 50_000, content[50_000:])).status == 204
    assert names(await watcher.to_end()) == WHOLE
    assert stored(box) == [content]


@pytest.mark.parametrize("how", ["tus", "draft"])
@on_the_loop
async def test_a_pause_ends_the_running_request_kindly(box: Box, how: str) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    await watcher.until("session-joined")
    content = movie(100_000)
    path = await box.create(100_000, session_id)
    head = {} if how == "tus" else draft(8, complete=False, offset=0)
    line = await box.connect()
    line.begin("PATCH", path, {**(at_offset(0) if how == "tus" else head), "Content-Length": "100000"})
    line.send(content[:60_000])
    file_id = (await watcher.until("upload-started"))["fileId"]
    berth = await box.berth(path)
    await until(lambda: berth.holder is not None and arrived(berth.holder) == 60_000, "it has come")
    watcher.say("upload-pause", {"sessionId": session_id, "fileId": file_id})
    async with asyncio.timeout(PATIENCE):
        answer = await line.answer()
    assert (answer.status, answer.headers["Upload-Offset"]) == (204, "60000")
    assert answer.headers["Connection"] == "close"
    assert "Content-Length" not in answer.headers  # a 204 has none (RFC 9110, 8.6)
    assert how == "tus" or answer.headers["Upload-Complete"] == "?0"
    assert await hung_up_on(line)
    told = await watcher.until("upload-progress", overallStatus="paused")
    assert (told["fileId"], told["currentFile"]["status"], told["uploadedBytes"]) == (file_id, "paused", 60_000)
    watcher.say("upload-resume", {"sessionId": session_id, "fileId": file_id})
    await watcher.until("upload-progress", overallStatus="uploading")
    assert (await box.add(path, 60_000, content[60_000:])).status == 204
    assert names(await watcher.to_end()) == WHOLE
    assert stored(box) == [content]


@on_the_loop
async def test_a_creation_that_is_paused_says_where_it_is(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.connect()
    told = metadata(filename="a.mp4", sessionId=session_id)
    head = {**TUS, **OCTETS, "Upload-Length": "100000", "Upload-Metadata": told, "Content-Length": "100000"}
    line.begin("POST", "/files/", head)
    line.send(movie(60_000))
    await watcher.until("upload-started")
    (upload_id,) = [part.name for part in box.unfinished()]
    berth = await box.berth(upload_id)
    await until(lambda: berth.holder is not None and arrived(berth.holder) == 60_000, "it has come")
    watcher.say("upload-pause", {"sessionId": session_id})
    answer = await line.answer()
    assert (answer.status, answer.headers["Upload-Offset"]) == (201, "60000")
    assert answer.headers["Location"] == f"/files/{upload_id}"


@on_the_loop
async def test_a_cancel_reaches_a_request_that_stands_still(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    path, line = await begun(box, session_id, 100_000, movie(60_000))
    file_id = (await watcher.until("upload-started"))["fileId"]
    watcher.say("upload-cancel", {"sessionId": session_id, "fileId": file_id, "reason": "changed my mind"})
    assert names(await watcher.to_end()) == ["upload-started", "upload-cancelled", "session-completed"]
    line.send(bytes(40_000))
    answer = await line.answer()
    assert (answer.status, answer.code) == (410, "UPLOAD_GONE")
    assert (await box.ask("GET", path, headers=TUS)).status == 410
    await until(lambda: not box.unfinished(), "its bytes are freed")
    assert stored(box) == []


@pytest.mark.parametrize("options", [["--body-idle-timeout=5", "--body-min-rate=0"]])
@on_the_loop
async def test_a_body_that_stands_still_is_answered_and_can_be_gone_on_with(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(100_000)
    path, line = await begun(box, session_id, 100_000, content[:60_000])
    box.pass_time(6)
    answer = await line.answer()
    assert (answer.status, answer.code, answer.headers["Connection"]) == (408, "REQUEST_TIMEOUT", "close")
    await hands_off(box, path)
    box.pass_time(4)
    failed = await watcher.until("upload-failed")
    assert (failed["error"]["code"], failed["canRetry"]) == ("NETWORK_ERROR", True)
    assert await box.offset(path) == 60_000
    assert (await box.add(path, 60_000, content[60_000:])).status == 204
    assert stored(box) == [content]


@on_the_loop
async def test_a_station_that_stops_keeps_what_came(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    path, line = await begun(box, session_id, 100_000, movie(60_000))
    await box.station.end_attempts(PATIENCE)
    answer = await line.answer()
    assert (answer.status, answer.code, answer.headers["Connection"]) == (503, "TOO_MANY_CONNECTIONS", "close")
    assert "Retry-After" in answer.headers
    berth = await box.berth(path)
    assert berth.upload.offset == 60_000
    assert berth.file is not None
    assert berth.file.lull is not None
    assert berth.file.lull.problem is None  # no connection broke: the next run finds it at rest
    assert names((await box.progress(session_id, "?since=0"))["events"]) == ["upload-started"]
    late = await box.add(path, 60_000, movie(100))
    assert (late.status, late.code) == (503, "TOO_MANY_CONNECTIONS")


# ---- partial and final uploads ----


@pytest.mark.parametrize("where", ["{path}", "http://{host}{path}", "https://proxy.example/behind{path}", "{path}/"])
@on_the_loop
async def test_partial_uploads_become_one_file(box: Box, where: str) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(300_000)
    cuts = [(0, 100_000), (100_000, 250_000), (250_000, 300_000)]
    paths = []
    for start, end in cuts:
        created = await box.ask(
            "POST", "/files/", b"", {**TUS, "Upload-Length": str(end - start), "Upload-Concat": "partial"}
        )
        paths.append(created.headers["Location"])
    await asyncio.gather(*(box.add(path, 0, content[a:b]) for path, (a, b) in zip(paths, cuts, strict=True)))
    head = await box.ask("HEAD", paths[0], headers=TUS)
    assert (head.headers["Upload-Concat"], head.headers["Upload-Offset"]) == ("partial", "100000")
    concat = "final;" + " ".join(where.format(path=path, host=box.host) for path in paths)
    told = metadata(filename="a.mp4", sessionId=session_id)
    answer = await box.ask("POST", "/files/", b"", {**TUS, "Upload-Concat": concat, "Upload-Metadata": told})
    assert answer.status == 201
    final = answer.headers["Location"]
    head = await box.ask("HEAD", final, headers=TUS)
    assert head.headers["Upload-Concat"] == concat
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("300000", "300000")
    heard = await watcher.to_end()
    assert names(heard) == WHOLE
    assert [each["data"]["progress"] for each in heard if each["event"] == "upload-progress"][-1] == 100
    assert stored(box) == [content]
    answer = await box.add(final, 300_000, b"more")
    assert (answer.status, answer.code) == (403, "NOT_APPENDABLE")
    # A client that lost the answer asks for the same again.
    again = await box.ask("POST", "/files/", b"", {**TUS, "Upload-Concat": concat, "Upload-Metadata": told})
    assert (again.status, again.headers["Location"]) == (201, final)
    await until(lambda: not box.unfinished(), "the partials are freed")
    assert stored(box) == [content]
    for path, (start, end) in zip(paths, cuts, strict=True):  # tus-js-client looks there before it asks again
        head = await box.ask("HEAD", path, headers=TUS)
        assert (head.status, head.headers["Upload-Offset"]) == (200, str(end - start))


@on_the_loop
async def test_what_is_not_a_finished_partial_is_not_joined(box: Box) -> None:
    partial = {**TUS, "Upload-Length": "100", "Upload-Concat": "partial"}
    unfinished = (await box.ask("POST", "/files/", b"", partial)).headers["Location"]
    whole = await box.create(0)
    for part in (unfinished, whole, f"/files/{UNKNOWN}", "/files/..", "x"):
        head = {**TUS, "Upload-Concat": f"final;{part}", "Upload-Metadata": metadata(filename="b.mp4")}
        answer = await box.ask("POST", "/files/", b"", head)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), part
    assert await box.offset(unfinished) == 0


# ---- names, hints, sessions ----


@on_the_loop
async def test_hostile_names_do_no_harm_by_either_protocol(box: Box) -> None:
    for name in HOSTILE_NAMES:
        telling = [
            {**TUS, **OCTETS, "Upload-Length": "5", "Upload-Metadata": metadata(filename=name)},
            {**draft(8, complete=True), "Content-Disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}"},
        ]
        for head in telling:
            if sum(map(len, head.values())) > 8000:
                continue
            answer = await box.ask("POST", "/files/", movie(5), head)
            assert answer.status in {201, 415}, (name, answer.body)
    root = box.station.storage.root
    outside = [path for path in root.parent.iterdir() if path != root]
    assert outside == []
    for path in box.visible():
        assert path.is_file()
        assert not path.is_symlink()
        assert re.fullmatch(r"[0-9a-f-]{36}_[0-9TZ_-]+_[^/\x00-\x1f\x7f]+", path.name), path.name
    assert {path.name for path in root.iterdir()} == {".station", *box.station.config.categories}


@pytest.mark.parametrize(
    "told",
    [
        "filename YS5tcDQ=,note" + " DQpYLUV2aWw6IDE=",  # CR LF X-Evil: 1, encoded: harmless
        "filename YS5tcDQ=,evil\tkey YQ==",
        "filename YS5tcDQ=,\x7f YQ==",
        "filename YS5tcDQ=,k\xe9y YQ==",
    ],
)
@on_the_loop
async def test_metadata_cannot_smuggle_a_header(box: Box, told: str) -> None:
    line = await box.connect()
    head = ["POST /files/ HTTP/1.1", f"Host: {box.host}", "Content-Length: 0"]
    head += ["Tus-Resumable: 1.0.0", "Upload-Length: 5", f"Upload-Metadata: {told}", "", ""]
    line.send("\r\n".join(head).encode("latin1"))
    answer = await line.answer()
    if answer.status != 201:
        assert answer.status == 400
        return
    back = await box.ask("HEAD", answer.headers["Location"], headers=TUS)
    assert back.headers["Upload-Metadata"] == told
    assert "X-Evil" not in back.headers


@on_the_loop
async def test_hints_of_the_session_that_differ_are_refused(box: Box) -> None:
    one, other = await box.open(autoComplete=False), await box.open(autoComplete=False)
    told = {**TUS, "Upload-Length": "5", "Upload-Metadata": metadata(filename="a.mp4", sessionId=one)}
    for target, more in ((f"/files/?sessionId={other}", {}), ("/files/", {"X-Session-Id": other})):
        answer = await box.ask("POST", target, b"", {**told, **more})
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    for target, more in ((f"/files/?sessionId={one}", {}), ("/files/", {"X-Session-Id": one})):
        assert (await box.ask("POST", target, b"", {**told, **more})).status == 201
    assert len(box.session(one).files) == 2
    assert len(box.session(other).files) == 0


@on_the_loop
async def test_a_session_is_found_by_query_header_or_metadata(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    tus = {**TUS, "Upload-Length": "5", "Upload-Metadata": metadata(filename="a.mp4")}
    ietf = {**draft(8, complete=False), **NAMED}
    for head in (tus, ietf):
        assert (await box.ask("POST", f"/files/?sessionId={session_id}", b"", head)).status == 201
        assert (await box.ask("POST", "/files/", b"", {**head, "X-Session-Id": session_id})).status == 201
    assert len(box.session(session_id).files) == 4
    for id in (UNKNOWN, "x", "..", "a%00b"):
        for head in (tus, ietf):
            answer = await box.ask("POST", f"/files/?sessionId={id}", b"", head)
            assert (answer.status, answer.code) == (404, "SESSION_NOT_FOUND")
    answer = await box.ask("POST", "/files/?sessionId=%ff", b"", tus)
    assert answer.status == 400


@on_the_loop
async def test_an_upload_without_a_session_makes_one(box: Box) -> None:
    head = {**TUS, **OCTETS, "Upload-Length": "5", "Upload-Metadata": metadata(filename="a.mp4", category="scenic")}
    answer = await box.ask("POST", "/files/", movie(5), head)
    link = re.match(r"<http://[^/]+/s/([0-9a-f-]{36})>; rel=\"related\"", answer.headers["Link"])
    assert link is not None
    snapshot = await box.progress(link[1])
    assert (snapshot["overallStatus"], snapshot["category"]) == ("completed", "scenic")
    bad = {**head, "Upload-Metadata": metadata(filename="a.mp4", category="nowhere")}
    answer = await box.ask("POST", "/files/", movie(5), bad)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


# ---- the end of an upload ----


@on_the_loop
async def test_a_finished_upload_that_is_removed_leaves_its_file(box: Box) -> None:
    content = movie(5)
    path = await box.create(5)
    assert (await box.add(path, 0, content)).status == 204
    assert (await box.ask("DELETE", path, headers=TUS)).status == 204
    for method, head in (("HEAD", TUS), ("PATCH", at_offset(5)), ("DELETE", TUS), ("HEAD", draft(8))):
        assert (await box.ask(method, path, b"" if method == "PATCH" else None, head)).status == 410
    assert stored(box) == [content]


@pytest.mark.parametrize("options", [["--delete-by-uploader=true"]])
@on_the_loop
async def test_a_finished_upload_that_is_removed_takes_its_file_along_where_that_is_allowed(box: Box) -> None:
    path = await box.create(5)
    await box.add(path, 0, movie(5))
    assert (await box.ask("DELETE", path, headers=TUS)).status == 204
    assert stored(box) == []


@pytest.mark.parametrize("options", [["--upload-expiry=100"]])
@on_the_loop
async def test_an_upload_that_nobody_goes_on_with_expires(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    path = await box.create(100_000, session_id)
    assert (await box.add(path, 0, movie(50_000))).status == 204
    done = await box.create(5)
    await box.add(done, 0, movie(5))
    box.pass_time(102)
    answer = await box.ask("GET", path, headers=TUS)
    assert (answer.status, answer.code) == (410, "UPLOAD_GONE")
    events = (await box.progress(session_id, "?since=0"))["events"]
    assert names(events) == ["upload-started", "upload-cancelled", "session-completed"]
    assert events[1]["data"]["reason"] == "expired"
    await until(lambda: not box.unfinished(), "its bytes are freed")
    assert await box.offset(done) == 5
    assert len(stored(box)) == 1


@pytest.mark.parametrize("options", [["--min-free-space=999999TiB"]])
@on_the_loop
async def test_without_room_an_upload_is_refused_before_its_body(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    told = metadata(filename="a.mp4", sessionId=session_id)
    head = {**TUS, **OCTETS, "Upload-Length": "5", "Upload-Metadata": told, "Content-Length": "5"}
    line = await box.connect()
    line.begin("POST", "/files/", {**head, "Expect": "100-continue"})
    answer = await line.answer()
    assert (answer.status, answer.code, line.interims) == (507, "INSUFFICIENT_STORAGE", [])
    (event, *_) = (await box.progress(session_id, "?since=0"))["events"]
    assert (event["event"], event["data"]["error"]["code"]) == ("upload-failed", "INSUFFICIENT_STORAGE")


@pytest.mark.expects_errors
@on_the_loop
async def test_what_could_not_be_stored_for_want_of_room_is_stored_when_it_is_asked_for(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offset equal to the length means to a client that its file is stored: it has to be, or the answer is none."""
    box.clock.stop()
    session_id = await box.open(expectedFiles=1)
    content = movie(5000)
    path = await box.create(5000, session_id)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(box.station.storage, "publish", full)
        answer = await box.add(path, 0, content)
        assert (answer.status, answer.code) == (507, "INSUFFICIENT_STORAGE")
        for _ in range(20):
            assert (await box.ask("GET", path, headers=TUS)).status == 507
        assert stored(box) == []
        events = names((await box.progress(session_id, "?since=0"))["events"])
        assert events.count("upload-failed") == 1, "asking is no reason to try, and to tell, again and again"
    box.pass_time(1)
    assert await box.offset(path) == 5000
    assert stored(box) == [content]
    events = names((await box.progress(session_id, "?since=0"))["events"])
    assert events[-2:] == ["upload-completed", "session-completed"]
    assert events.count("upload-completed") == 1


@on_the_loop
async def test_a_file_that_was_announced_is_meant_by_its_id(box: Box) -> None:
    content = movie(5000)
    answer = await box.post("/api/upload/session", {"files": [{"name": "a.mp4", "size": 5000}]})
    session_id, file_id = answer.json()["sessionId"], answer.json()["files"][0]["fileId"]
    head = {**draft(8, complete=False), **NAMED}
    created = await box.ask("POST", f"/files/?sessionId={session_id}&fileId={file_id}", b"", head)
    assert created.status == 201
    assert (await box.berth(created.headers["Location"])).upload.file_id == file_id
    told = metadata(filename="a.mp4", sessionId=session_id, fileId=file_id)
    head = {**TUS, **OCTETS, "Upload-Length": "5000", "Upload-Metadata": told}
    answer = await box.ask("POST", "/files/", content, head)
    assert (answer.status, answer.json()["id"]) == (201, file_id)
    # Whoever began it anew has it: what was begun before is gone.
    assert (await box.ask("HEAD", created.headers["Location"], headers=draft(8))).status == 410
    assert stored(box) == [content]


@pytest.mark.parametrize(
    "protocol", [{**TUS, "Upload-Defer-Length": "1"}, draft(6, complete=False)], ids=["tus", "draft"]
)
@on_the_loop
async def test_a_file_that_was_not_announced_is_meant_by_the_key_of_its_sender(
    box: Box, protocol: dict[str, str]
) -> None:
    session_id = await box.open(autoComplete=False)
    made = []
    for key in ("one", "two", "two"):
        told = metadata(filename="a.mp4", sessionId=session_id, idempotencyKey=key)
        made.append(await box.ask("POST", "/files/", b"", {**protocol, "Upload-Metadata": told}))
    one, two, again = (answer.headers["X-File-Id"] for answer in made)
    assert one != two == again
    # Whoever asks again has it, and nobody else's is gone.
    heads = [await box.ask("HEAD", answer.headers["Location"], headers=TUS) for answer in made]
    assert [head.status for head in heads] == [200, 410, 200]


@on_the_loop
async def test_a_compressed_body_is_not_taken(box: Box) -> None:
    path = await box.create(50)
    answer = await box.add(path, 0, b"abc", {"Content-Encoding": "gzip"})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert await box.offset(path) == 0


@on_the_loop
async def test_one_connection_serves_request_after_request(box: Box) -> None:
    content = movie(3000)
    path = await box.create(3000)
    line = await box.connect()
    for at in range(0, 3000, 1000):
        head = await line.ask("HEAD", path, headers=TUS)
        assert head.headers["Upload-Offset"] == str(at)
        wrong = await line.ask("PATCH", path, content[at : at + 1000], at_offset(at + 1))
        assert wrong.status == 409
        answer = await line.ask("PATCH", path, content[at : at + 1000], at_offset(at))
        assert answer.status == 204
    assert stored(box) == [content]


# ---- unknown, gone, over ----


@pytest.mark.parametrize(
    "id",
    [
        UNKNOWN,
        UNKNOWN.upper(),
        "..",
        "%2e%2e",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%5c..",
        "%00",
        "a%2fb",
        "x",
        "'%20or%201=1--",
        "%F0%9F%92%A9",
        "-1",
        "a" * 8000,
    ],
)
@on_the_loop
async def test_an_id_that_nobody_has_is_not_found(box: Box, id: str) -> None:
    for method, headers in (
        ("HEAD", TUS),
        ("GET", TUS),
        ("PATCH", at_offset(0)),
        ("DELETE", TUS),
        ("HEAD", draft(8)),
        ("PATCH", draft(8, complete=True, offset=0)),
        ("DELETE", {}),
    ):
        answer = await box.ask(method, f"/files/{id}", b"abc" if method == "PATCH" else None, headers)
        assert answer.status == 404, (method, headers)
        assert "Upload-Offset" not in answer.headers
        assert method == "HEAD" or answer.code == "FILE_NOT_FOUND"


@on_the_loop
async def test_an_id_that_no_head_can_hold_does_no_harm(box: Box) -> None:
    line = await box.connect()
    line.begin("HEAD", f"/files/{'a' * 1024**2}", TUS)
    assert b" 200 " not in await line.rest()
    assert (await box.get("/health")).status == 200


@on_the_loop
async def test_one_who_does_not_know_an_upload_cannot_find_it(box: Box) -> None:
    path = await box.create(100)
    id = path.rpartition("/")[2]
    for twin in (id.upper(), id[:-1], f"{id}0", f"%20{id}", f"{id}%00", f"{id}/", f"./{id}", f"..%2f{id}", f"x%2f{id}"):
        assert (await box.ask("HEAD", f"/files/{twin}", headers=TUS)).status == 404, twin


# ---- what nobody can go on with ----


@pytest.mark.parametrize("how", ["cut", "checksum", "too much"])
@on_the_loop
async def test_a_creation_whose_address_was_never_told_leaves_nothing_behind(box: Box, how: str) -> None:
    """tus has no interim answer: after a POST with content that goes wrong nobody knows where the upload is."""
    session_id = await box.open(expectedFiles=1)
    content = movie(100_000)
    told = metadata(filename="a.mp4", sessionId=session_id)
    head = {**TUS, **OCTETS, "Upload-Length": "100000", "Upload-Metadata": told}
    if how == "checksum":
        wrong = b64encode(hashlib.sha1(b"other").digest()).decode()
        answer = await box.ask("POST", "/files/", content[:5000], {**head, "Upload-Checksum": f"sha1 {wrong}"})
        assert (answer.status, "Location" in answer.headers) == (460, False)
    else:
        line = await box.connect()
        line.begin("POST", "/files/", head | {"Transfer-Encoding": "chunked"})
        body = content + b"and more" if how == "too much" else content[:50_000]
        line.send(b"%x\r\n%s\r\n" % (len(body), body))
        if how == "too much":
            line.send(b"0\r\n\r\n")
            assert (await line.answer()).status == 413
        else:
            (berth,) = await until_held(box)
            await until(lambda: berth.holder is not None and arrived(berth.holder) == 50_000, "it has come")
            await line.reset()
    await until(lambda: not box.unfinished(), "its bytes are freed")
    (file,) = (await box.progress(session_id))["files"]
    assert file["status"] == "failed"
    if how != "too much":
        again = await box.create(100_000, session_id)  # the same file, which waits for a retry
        assert (await box.add(again, 0, content)).status == 204
        assert stored(box) == [content]
        assert len((await box.progress(session_id))["files"]) == 1


async def until_held(box: Box) -> list[Berth]:
    def held() -> list[Berth]:
        return [berth for berth in box.station.shelf._berths.values() if berth.holder is not None]

    await until(lambda: bool(held()), "a request writes")
    return held()


@on_the_loop
async def test_a_draft_client_that_was_told_where_it_is_goes_on_after_a_cut(box: Box) -> None:
    content = movie(100_000)
    line = await box.connect()
    line.begin("POST", "/files/", {**draft(8, complete=True), **NAMED, "Content-Length": "100000"})
    line.send(content[:50_000])
    (berth,) = await until_held(box)
    await until(lambda: berth.holder is not None and arrived(berth.holder) == 50_000, "it has come")
    await line.reset()
    await until(lambda: berth.holder is None, "it is safe")
    answer = await box.ask("HEAD", f"/files/{berth.upload.id}", headers=draft(8))
    assert (answer.status, answer.headers["Upload-Offset"]) == (204, "50000")


@on_the_loop
async def test_an_attempt_starts_with_its_first_byte(box: Box) -> None:
    """Also one that trickles in: it is not to be told later that bytes were here before."""
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(3000)
    path = await box.create(3000, session_id)
    line = await box.begin_add(path, 0, 3000, content[:40])
    started = await watcher.until("upload-started")
    assert "resumedFrom" not in started
    line.send(content[40:])
    assert (await line.answer()).status == 204
    assert names(await watcher.to_end())[-2:] == ["upload-completed", "session-completed"]


@pytest.mark.parametrize("last", [False, True])
@on_the_loop
async def test_by_the_draft_an_append_past_the_length_ends_the_upload(box: Box, last: bool) -> None:
    created = await box.ask("POST", "/files/", b"", {**draft(8, complete=False), **NAMED, "Upload-Length": "10"})
    path = created.headers["Location"]
    answer = await box.ask("PATCH", path, bytes(11), draft(8, complete=last, offset=0))
    assert (answer.status, answer.code, answer.headers["Upload-Complete"]) == (400, "LENGTH_MISMATCH", "?1")
    assert (await box.ask("HEAD", path, headers=draft(8))).status == 410
    await until(lambda: not box.unfinished(), "its bytes are freed")


@on_the_loop
async def test_who_names_no_protocol_is_told_in_both(box: Box) -> None:
    created = await box.ask("POST", "/files/", b"", {"Upload-Complete": "?0", **NAMED})
    answer = await box.ask("HEAD", created.headers["Location"])
    assert (answer.headers["Upload-Offset"], answer.headers["Upload-Complete"]) == ("0", "?0")
    assert {"Tus-Resumable", "Upload-Limit", "Upload-Defer-Length"} <= set(answer.headers)


@pytest.mark.parametrize("field", [{"Upload-Complete": "?0"}, {"Upload-Incomplete": "?1"}])
@on_the_loop
async def test_a_part_sent_to_an_ordinary_address_is_no_file(box: Box, field: dict[str, str]) -> None:
    session_id = await box.open(expectedFiles=1)
    for address in ("/u/a.mp4", f"/api/upload/session/{session_id}/files/a.mp4"):
        answer = await box.ask("PUT", address, movie(2000), field)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert stored(box) == []


@on_the_loop
async def test_a_deletion_right_after_the_completion_was_told_is_done(box: Box) -> None:
    for _ in range(10):
        session_id = await box.open(expectedFiles=1)
        watcher = await box.watch(f"?sessionId={session_id}")
        path = await box.create(3000, session_id)
        line = await box.begin_add(path, 0, 3000, movie(3000))
        await watcher.until("upload-completed")
        assert (await box.ask("DELETE", path, headers=TUS)).status == 204
        await line.close()
        await watcher.to_end()


@pytest.mark.expects_errors
@on_the_loop
async def test_what_is_stored_but_not_recorded_is_not_told_and_holds_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await box.open(expectedFiles=1)
    path = await box.create(2000, session_id)
    real_try, real_publish = box.station.journal._try, box.station.storage.publish
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def publish(*given: str) -> None:
        real_publish(*given)
        monkeypatch.setattr(
            box.station.journal, "_try", lambda group: None if len(group) > 1 else [full]
        )  # from here on nothing can be recorded

    monkeypatch.setattr(box.station.storage, "publish", publish)
    assert (await box.add(path, 0, movie(2000))).status == 507
    assert "upload-completed" not in names((await box.progress(session_id, "?since=0"))["events"])
    for method, headers in (("HEAD", TUS), ("HEAD", draft(6)), ("PATCH", draft(6, complete=True, offset=2000))):
        async with asyncio.timeout(PATIENCE):
            assert (await box.ask(method, path, b"" if method == "PATCH" else None, headers)).status == 507
    monkeypatch.setattr(box.station.journal, "_try", real_try)
    await until(lambda: session_id not in box.station.channels, "it is recorded")
    assert await box.offset(path) == 2000
    assert len(stored(box)) == 1
    await until(lambda: not box.unfinished() and not box.station.dock.deliveries, "nothing is held")


@on_the_loop
async def test_an_upload_whose_file_was_sent_whole_another_way_is_over(box: Box) -> None:
    session_id = await box.open(files=[{"name": "a.mp4", "size": 3000}])
    (file_id,) = box.session(session_id).files
    told = metadata(filename="a.mp4", sessionId=session_id, fileId=file_id)
    created = await box.ask("POST", "/files/", b"", {**TUS, "Upload-Length": "3000", "Upload-Metadata": told})
    path = created.headers["Location"]
    frozen = await box.begin_add(path, 0, 3000, movie(3000)[:2000])
    berth = await box.berth(path)
    await until(lambda: berth.holder is not None and arrived(berth.holder) == 2000, "it has come")
    assert (await box.put(session_id, "a.mp4", movie(3000), f"?fileId={file_id}")).status == 201
    assert (await box.ask("HEAD", path, headers=TUS)).status == 410
    await until(lambda: berth.holder is None and not box.unfinished(), "nothing is held")
    await frozen.close()
