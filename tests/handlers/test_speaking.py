"""Which protocol a request speaks, and how it is answered: preflights, interim answers, problems, for both at once."""

from __future__ import annotations

import re

import pytest

from station.dialect import DIALECTS
from tests.handlers.site import (
    FRIEND,
    OCTETS,
    PATIENCE,
    RESUMABLE,
    TUS,
    UNKNOWN,
    Answer,
    Box,
    Line,
    at_offset,
    draft,
    metadata,
    movie,
    on_the_loop,
    until,
)

MIB = 1024**2
SYNCED = 16 * MIB  # bytes after which an upload is made safe
VERSIONS = sorted(version for version in DIALECTS if version is not None)
NAMED = {"Content-Disposition": 'attachment; filename="a.mp4"'}
PROBLEM_TYPES = "https://iana.org/assignments/http-problem-types#"


def items(answer: Answer, name: str) -> set[str]:
    return {item.strip().lower() for item in answer.headers.get(name, "").split(",")}


# ---- OPTIONS ----


@pytest.mark.parametrize("path", ["/files/", "/files", f"/files/{UNKNOWN}"])
@on_the_loop
async def test_what_can_be_done_is_said_in_both_protocols_at_once(box: Box, path: str) -> None:
    answer = await box.ask("OPTIONS", path)
    assert answer.status == 200  # neither some browsers nor Apple's background uploads take a 204
    assert answer.body == b""
    assert answer.headers["Tus-Resumable"] == answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Max-Size"] == str(8 * MIB)
    assert items(answer, "Tus-Extension") == {
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "expiration",
        "checksum",
        "termination",
        "concatenation",
    }
    assert items(answer, "Tus-Checksum-Algorithm") >= {"sha1", "sha256", "md5", "crc32", "blake3"}
    assert answer.headers["Upload-Limit"] == "max-size=8388608, min-size=0, max-age=86400"
    assert answer.headers["Accept-Patch"] == "application/partial-upload"
    assert items(answer, "Allow") >= {"post", "head", "patch", "options", "get", "delete"}
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("version", ["0.2.2", "2.0.0", "nonsense", ""])
@on_the_loop
async def test_no_version_of_tus_is_looked_at_when_only_asking(box: Box, version: str) -> None:
    answer = await box.ask("OPTIONS", "/files/", headers={"Tus-Resumable": version})
    assert (answer.status, answer.headers["Tus-Version"]) == (200, "1.0.0")


@pytest.mark.parametrize(
    ("version", "limit"),
    [
        ("6", "max-size=8388608, min-size=0, expires=86400"),
        *((str(each), "max-size=8388608, min-size=0, max-age=86400") for each in (7, 8, 9, 10)),
        ("11", "max-size=8388608, min-size=0, max-age=86400"),
    ],
)
@on_the_loop
async def test_the_limits_are_said_in_the_dialect_of_who_asks(box: Box, version: str, limit: str) -> None:
    for _ in range(5):  # whichever language speaks last
        answer = await box.ask("OPTIONS", "/files/", headers={"Upload-Draft-Interop-Version": version})
        assert (answer.status, answer.headers["Upload-Limit"]) == (200, limit)


@pytest.mark.parametrize("path", ["/files/", f"/files/{UNKNOWN}"])
@on_the_loop
async def test_only_pages_of_configured_origins_may_speak_it(box: Box, path: str) -> None:
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "tus-resumable,upload-offset"}
    friend = await box.ask("OPTIONS", path, headers={"Origin": FRIEND, **asked})
    assert (friend.status, friend.headers["Access-Control-Allow-Origin"]) == (200, FRIEND)
    assert items(friend, "Access-Control-Allow-Methods") >= {"post", "head", "patch", "options", "get", "delete"}
    assert items(friend, "Access-Control-Allow-Headers") >= {
        "authorization",
        "origin",
        "x-requested-with",
        "x-request-id",
        "x-http-method-override",
        "x-session-id",
        "content-type",
        "upload-length",
        "upload-offset",
        "tus-resumable",
        "upload-metadata",
        "upload-defer-length",
        "upload-concat",
        "upload-checksum",
        "upload-complete",
        "upload-draft-interop-version",
        "content-digest",
        "repr-digest",
    }
    for origin in ("http://evil.example", "null", f"{FRIEND}.evil"):
        other = await box.ask("OPTIONS", path, headers={"Origin": origin, **asked})
        assert [name for name in other.headers if name.lower().startswith("access-control")] == []


@on_the_loop
async def test_a_page_of_a_configured_origin_can_read_all_that_it_needs(box: Box) -> None:
    path = await box.create(10)
    for method, headers in (("HEAD", TUS), ("PATCH", at_offset(3)), ("POST", {**TUS, "Upload-Length": "5"})):
        answer = await box.ask(method, path if method != "POST" else "/files/", b"", {**headers, "Origin": FRIEND})
        assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
        assert "Origin" in items(answer, "Vary") or "origin" in items(answer, "Vary")
        assert items(answer, "Access-Control-Expose-Headers") >= {
            "upload-offset",
            "location",
            "upload-length",
            "tus-version",
            "tus-resumable",
            "tus-max-size",
            "tus-extension",
            "upload-metadata",
            "upload-defer-length",
            "upload-concat",
            "upload-expires",
            "tus-checksum-algorithm",
            "upload-complete",
            "upload-limit",
        }


# ---- which of the two ----


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"Tus-Resumable": "0.2.2", "Upload-Length": "5"}),
        ("POST", {"Tus-Resumable": "1.0.1", "Upload-Length": "5"}),
        ("POST", {"Upload-Length": "5"}),
        ("POST", {"Upload-Defer-Length": "1"}),
        ("POST", {"Upload-Concat": "partial"}),
        ("PATCH", {**OCTETS, "Upload-Offset": "0"}),
        ("PATCH", {**OCTETS, "Upload-Offset": "0", "Tus-Resumable": "0.2.2"}),
        ("DELETE", {"Tus-Resumable": "0.2.2"}),
        ("HEAD", {"Tus-Resumable": "0.2.2"}),
        ("GET", {"Tus-Resumable": "0.2.2"}),
    ],
)
@on_the_loop
async def test_another_version_of_tus_changes_nothing(box: Box, method: str, headers: dict[str, str]) -> None:
    path = await box.create(5)
    known = len(box.station.shelf)
    answer = await box.ask(method, "/files/" if method == "POST" else path, b"" if method == "POST" else None, headers)
    assert (answer.status, answer.headers["Tus-Version"]) == (412, "1.0.0")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    if method != "HEAD":
        assert answer.code == "UNSUPPORTED_VERSION"
    assert len(box.station.shelf) == known
    assert await box.offset(path) == 0


@on_the_loop
async def test_a_person_may_ask_where_an_upload_stands_without_saying_a_version(box: Box) -> None:
    path = await box.create(5)
    for method in ("HEAD", "GET"):
        answer = await box.ask(method, path)
        assert (answer.status, answer.headers["Upload-Offset"], answer.headers["Upload-Length"]) == (200, "0", "5")
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        assert answer.headers["Cache-Control"] == "no-store"


@on_the_loop
async def test_an_upload_can_be_gone_on_with_in_the_other_protocol(box: Box) -> None:
    content = movie(3000)
    path = await box.create(3000)
    assert (await box.add(path, 0, content[:1000])).status == 204
    told = await box.ask("HEAD", path, headers=draft(10))
    assert (told.status, told.headers["Upload-Offset"], told.headers["Upload-Complete"]) == (204, "1000", "?0")
    assert "Tus-Resumable" not in told.headers
    answer = await box.ask("PATCH", path, content[1000:2000], draft(10, complete=False, offset=1000))
    assert (answer.status, answer.headers["Upload-Offset"]) == (204, "2000")
    assert (await box.add(path, 2000, content[2000:])).status == 204
    assert [file.read_bytes() for file in box.visible()] == [content]


@on_the_loop
async def test_a_body_for_the_collection_is_an_upload_like_any_other(box: Box) -> None:
    content = movie(4000)
    for method in ("POST", "PUT"):
        answer = await box.ask(method, "/files/", content, NAMED)
        assert answer.status == 201
        assert answer.json()["status"] == "completed"
        told = {name.lower() for name in answer.headers}
        assert not told & {"upload-offset", "upload-complete", "upload-limit", "location", "tus-resumable"}
    assert [file.read_bytes() for file in box.visible()] == [content, content]


# ---- 104 ----


def interims(line: Line) -> list[dict[str, str]]:
    return [dict(headers) for status, headers in line.interims if status == RESUMABLE]


@pytest.mark.parametrize("version", VERSIONS)
@on_the_loop
async def test_the_address_of_an_upload_is_told_before_its_body_has_come(box: Box, version: int) -> None:
    line = await box.connect()
    content = movie(5000)
    line.begin("POST", "/files/", {**draft(version, complete=True), **NAMED, "Content-Length": "5000"})
    status, headers = await line.head()
    assert status == RESUMABLE
    assert headers["Upload-Draft-Interop-Version"] == str(version)
    assert re.fullmatch(r"/files/[0-9a-f-]{36}", headers["Location"])
    assert "Upload-Offset" not in headers
    assert ("Upload-Limit" in headers) is (version >= 6)
    line.send(content)
    answer = await line.answer()
    assert answer.status == 201
    assert answer.headers["Location"] == headers["Location"]
    assert [each for each in interims(line) if "Location" in each] == []
    assert [file.read_bytes() for file in box.visible()] == [content]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload-Complete": "?1"},
        {"Upload-Complete": "?0"},
        {**draft(8, complete=True), "Upload-Draft-Interop-Version": "2"},
        {**draft(8, complete=True), "Upload-Draft-Interop-Version": "11"},
        {**draft(8, complete=True), "Upload-Draft-Interop-Version": "8.0"},
        {**draft(8, complete=True), "Upload-Draft-Interop-Version": "eight"},
        {**draft(8, complete=True), "Upload-Draft-Interop-Version": "8, 8"},
        {"Upload-Draft-Interop-Version": "8"},
        {**TUS, **OCTETS, "Upload-Length": "5000", "Upload-Metadata": metadata(filename="a.mp4")},
    ],
)
@on_the_loop
async def test_nobody_else_is_sent_an_interim_answer(box: Box, headers: dict[str, str]) -> None:
    line = await box.connect()
    line.begin("POST", "/files/", {**NAMED, **headers, "Content-Length": "5000"})
    content = movie(5000)
    line.send(content[:4000])
    await until(lambda: len(box.station.shelf) == 1, "the upload is there")
    line.send(content[4000:])
    answer = await line.answer()
    assert (answer.status, line.interims) == (201, [])


@on_the_loop
async def test_http_1_0_has_no_interim_answers(box: Box) -> None:
    line = await box.connect()
    head = {**draft(8, complete=True), **NAMED, "Content-Length": "5", "Host": box.host}
    lines = ["POST /files/ HTTP/1.0", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    line.send("\r\n".join(lines).encode() + movie(5))
    answer = await line.answer()
    assert (answer.status, line.interims) == (201, [])


@on_the_loop
async def test_a_client_that_waits_for_its_invitation_gets_both_interim_answers(box: Box) -> None:
    line = await box.connect()
    line.begin("POST", "/files/", {**draft(8, complete=True), **NAMED, "Content-Length": "5", "Expect": "100-continue"})
    assert [(await line.head())[0] for _ in range(2)] == [RESUMABLE, 100]
    line.send(movie(5))
    assert (await line.answer()).status == 201


@on_the_loop
async def test_a_careful_creation_needs_no_interim_answer(box: Box) -> None:
    line = await box.connect()
    answer = await line.ask("POST", "/files/", b"", {**draft(8, complete=False), **NAMED})
    assert (answer.status, answer.headers["Upload-Complete"], answer.headers["Upload-Offset"]) == (201, "?0", "0")
    assert "Location" in answer.headers
    assert line.interims == []


@pytest.mark.parametrize("options", [["--max-file-size=256MiB", "--durability=full"]])
@pytest.mark.parametrize(("version", "told"), [(3, False), (4, False), (5, True), (6, True), (8, True), (10, True)])
@on_the_loop
async def test_while_data_flows_what_is_safe_is_told_at_most_once_a_second(
    box: Box, monkeypatch: pytest.MonkeyPatch, version: int, told: bool
) -> None:
    monkeypatch.setattr("station.securing.SYNC_AFTER", PATIENCE)  # on a slow disk other bytes would be safe first
    box.clock.stop()
    content = movie(3 * SYNCED + 5)
    line = await box.connect()
    line.begin("POST", "/files/", {**draft(version, complete=True), **NAMED, "Content-Length": str(len(content))})
    _, first = await line.head()
    berth = await box.berth(first["Location"])
    for number in range(3):
        box.clock.ahead += number == 1  # the other two come within the second after a 104
        line.send(content[number * SYNCED : (number + 1) * SYNCED])
        await until(lambda number=number: berth.upload.offset == (number + 1) * SYNCED, "it is safe")  # type: ignore[misc]
    box.clock.ahead += 10
    line.send(content[3 * SYNCED :])
    answer = await line.answer()
    assert answer.status == 201
    assert answer.headers["Upload-Offset"] == str(len(content))
    progress = [{"Upload-Draft-Interop-Version": str(version), "Upload-Offset": str(2 * SYNCED)}]
    assert [each for each in interims(line) if each["Upload-Offset"] != str(len(content))] == (progress if told else [])
    assert box.visible()[0].stat().st_size == len(content)


@pytest.mark.parametrize("options", [["--max-file-size=256MiB", "--durability=full"]])
@on_the_loop
async def test_an_append_is_told_its_progress_but_not_its_address(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.securing.SYNC_AFTER", PATIENCE)
    box.clock.stop()
    path = await box.create(SYNCED + 10)
    line = await box.connect()
    line.begin("PATCH", path, {**draft(8, complete=True, offset=0), "Content-Length": str(SYNCED + 10)})
    content = movie(SYNCED + 10)
    line.send(content[:SYNCED])
    status, told = await line.head()
    assert status == RESUMABLE
    assert dict(told) == {"Upload-Draft-Interop-Version": "8", "Upload-Offset": str(SYNCED)}
    line.send(content[SYNCED:])
    answer = await line.answer()
    assert (answer.status, answer.headers["Upload-Complete"], line.interims) == (200, "?1", [])


@pytest.mark.parametrize("options", [["--max-file-size=256MiB", "--durability=full"]])
@on_the_loop
async def test_nothing_interim_comes_after_a_final_answer(box: Box) -> None:
    """A request that is refused in its middle keeps what came; that this is safe then is nothing to be told."""
    path = await box.create(100)
    line = await box.connect()
    line.begin("PATCH", path, {**draft(8, complete=False, offset=0), "Transfer-Encoding": "chunked"})
    for size in (60, 60):
        line.send(b"%x\r\n" % size + movie(size) + b"\r\n")
    line.send(b"0\r\n\r\n")
    answer = await line.answer()
    assert (answer.status, answer.headers["Upload-Complete"]) == (400, "?1")
    assert (await line.ask("GET", "/health")).status == 200
    assert line.interims == []


# ---- problems ----


def problem_type(answer: Answer) -> str:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return str(answer.json()["type"]).removeprefix(PROBLEM_TYPES)


@pytest.mark.parametrize("version", [None, *VERSIONS])
@on_the_loop
async def test_a_wrong_offset_is_told_with_the_right_one(box: Box, version: int | None) -> None:
    path = await box.create(5000)
    await box.add(path, 0, movie(100))
    incomplete = {"Upload-Incomplete": "?1"} if version == 3 else {"Upload-Complete": "?0"}
    for offset in (0, 99, 101, 10**14):
        answer = await box.ask("PATCH", path, b"more", draft(version, complete=False, offset=offset))
        assert (answer.status, answer.headers["Upload-Offset"]) == (409, "100")
        assert incomplete.items() <= dict(answer.headers).items()
        assert problem_type(answer) == "mismatching-upload-offset"
        told = answer.json()
        assert (told["expected-offset"], told["provided-offset"]) == (100, offset)
        assert told["error"] == "OFFSET_MISMATCH"  # one table of errors, whatever the protocol
        assert {"title", "message", "details", "solution", "timestamp", "requestId"} <= told.keys()
    assert await box.offset(path) == 100


@on_the_loop
async def test_tus_tells_the_right_offset_without_the_drafts_words(box: Box) -> None:
    path = await box.create(5000)
    await box.add(path, 0, movie(100))
    answer = await box.add(path, 99, b"more")
    assert (answer.status, answer.code, answer.headers["Upload-Offset"]) == (409, "OFFSET_MISMATCH", "100")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert answer.headers["Content-Type"].startswith("application/json")
    assert "type" not in answer.json()


@on_the_loop
async def test_a_length_that_does_not_agree_is_told_as_such(box: Box) -> None:
    head = {**draft(8, complete=True), **NAMED, "Upload-Length": "50"}
    answer = await box.ask("POST", "/files/", movie(40), head)
    assert (answer.status, answer.code) == (400, "LENGTH_MISMATCH")
    assert problem_type(answer) == "inconsistent-upload-length"
    assert answer.headers["Upload-Complete"] == "?0"
    path = await box.create(50)
    answer = await box.ask("PATCH", path, movie(40), {**draft(8, complete=True, offset=0), "Upload-Length": "60"})
    assert (answer.status, problem_type(answer)) == (400, "inconsistent-upload-length")
    assert await box.offset(path) == 0


@on_the_loop
async def test_what_is_too_large_is_told_with_the_limits(box: Box) -> None:
    line = await box.connect()
    head = {**draft(8, complete=True), **NAMED, "Content-Length": str(9 * MIB), "Expect": "100-continue"}
    line.begin("POST", "/files/", head)
    answer = await line.answer()
    assert (answer.status, answer.code) == (413, "FILE_SIZE_EXCEEDED")
    assert answer.headers["Upload-Limit"] == "max-size=8388608, min-size=0, max-age=86400"
    assert line.interims == []


@on_the_loop
async def test_a_wrong_media_type_is_told_with_the_right_one(box: Box) -> None:
    path = await box.create(50)
    for kind in ({}, {"Content-Type": "video/mp4"}, {"Content-Type": "application/partial-uploads"}):
        head = {"Upload-Draft-Interop-Version": "8", "Upload-Complete": "?0", "Upload-Offset": "0"}
        answer = await box.ask("PATCH", path, b"abc", {**head, **kind})
        assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
        assert answer.headers["Accept-Patch"] == "application/partial-upload"
        answer = await box.ask("PATCH", path, b"abc", {**TUS, "Upload-Offset": "0", **kind})
        assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert await box.offset(path) == 0
    kind = {"Content-Type": "APPLICATION/offset+octet-stream; charset=binary"}
    assert (await box.ask("PATCH", path, b"abc", {**TUS, "Upload-Offset": "0", **kind})).status == 204
    kind = {"Content-Type": "Application/Partial-Upload;x=y"}
    head = draft(8, complete=False) | {"Upload-Offset": "3"}
    assert (await box.ask("PATCH", path, b"abc", {**head, **kind})).status == 204


@on_the_loop
async def test_early_dialects_need_no_media_type(box: Box) -> None:
    for version in (3, 4, 5):
        path = await box.create(50)
        head = draft(version, complete=False) | {"Upload-Offset": "0"}
        answer = await box.ask("PATCH", path, b"abc", {**head, "Content-Type": "video/mp4"})
        assert (answer.status, answer.headers["Upload-Offset"]) == (201, "3")


@on_the_loop
async def test_a_bad_checksum_has_a_status_and_a_phrase_of_its_own(box: Box) -> None:
    path = await box.create(50)
    line = await box.begin_add(path, 0, 3, b"abc", {"Upload-Checksum": "md5 " + "A" * 22 + "=="})
    head = await line.reader.readuntil(b"\r\n")
    assert head == b"HTTP/1.1 460 Checksum Mismatch\r\n"
    _, _, rest = (await line.reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
    assert b"Tus-Resumable: 1.0.0" in rest
    answer = await box.ask(
        "PATCH", path, b"abc", {**draft(8, complete=False, offset=0), "Content-Digest": f"sha-256=:{'A' * 43}=:"}
    )
    assert (answer.status, answer.code) == (422, "CHECKSUM_MISMATCH")
    assert await box.offset(path) == 0


@on_the_loop
async def test_every_refusal_is_in_the_language_of_who_asks(box: Box) -> None:
    for language, word in (("en", "no longer here"), ("zh-CN", "续传")):
        path = await box.create(50)
        assert (await box.ask("DELETE", path, headers=TUS)).status == 204
        answer = await box.ask("GET", path, headers={**TUS, "Accept-Language": language})
        assert (answer.status, answer.code) == (410, "UPLOAD_GONE")
        assert word in answer.json()["message"]
        assert answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
