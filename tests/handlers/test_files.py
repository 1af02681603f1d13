"""The stored files over real sockets: found, paged, taken away whole or in part, and deleted; for the operator only."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import files as room
from handlers.files import PIECE, attachment
from station.stored import Opened
from tests.handlers.site import (
    HOSTILE_NAMES,
    TOKEN,
    UNKNOWN,
    Answer,
    Box,
    Json,
    Watcher,
    build,
    movie,
    on_the_loop,
    take_down,
    until,
)
from tests.handlers.test_login import passed, submit

BEARER = {"Authorization": f"Bearer {TOKEN}"}
GIB = 1024**3


async def store(box: Box, name: str, size: int = 500, category: str = "personal") -> Json:
    session_id = await box.open(category=category, expectedFiles=1)
    answer = await box.put(session_id, quote(name), movie(size))
    assert answer.status == 201, answer.body
    stored: Json = answer.json()
    return stored


async def listed(box: Box, query: str = "") -> Json:
    answer = await box.get(f"/api/monitor/files{query}", BEARER)
    assert answer.status == 200, answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    found: Json = answer.json()
    return found


async def names(box: Box, query: str = "") -> list[str]:
    return [file["fileName"] for file in (await listed(box, query))["files"]]


async def take(box: Box, file_id: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
    return await box.ask(method, f"/api/monitor/files/{file_id}", headers={**BEARER, **(headers or {})})


def lying(box: Box, stored: Json) -> Path:
    return box.station.storage.root / str(stored["uploadPath"]).removeprefix("/upload/")


# ---- who ----


@on_the_loop
async def test_nobody_else_sees_or_takes_anything(box: Box) -> None:
    stored = await store(box, "a.mp4")
    for target in ("/api/monitor/files", f"/api/monitor/files/{stored['id']}", f"/api/monitor/files/{UNKNOWN}"):
        for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": "upload_operator=1"}):
            answer = await box.get(target, headers)
            assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
        assert (await box.ask("OPTIONS", target)).status == 204
        assert (await box.post(target, {}, BEARER)).status == 405
    cookie = passed(await submit(box, TOKEN))
    assert (await box.get("/api/monitor/files", cookie)).status == 200
    assert (await box.get(f"/api/monitor/files/{stored['id']}", cookie)).status == 200


# ---- the list ----


@on_the_loop
async def test_the_list_tells_what_there_is_to_know(box: Box) -> None:
    stored = await store(box, "Holiday 2.MP4", 700)
    answer = await listed(box)
    (file,) = answer["files"]
    assert answer["next"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", file.pop("endedAt"))
    assert file == {
        "fileId": stored["id"],
        "sessionId": stored["sessionId"],
        "fileName": "Holiday 2.MP4",
        "size": 700,
        "category": "personal",
        "type": "mp4",
        "uploadPath": stored["uploadPath"],
        "present": True,
    }


@on_the_loop
async def test_a_file_that_another_program_took_is_listed_as_gone(box: Box) -> None:
    first, second = await store(box, "a.mp4"), await store(box, "b.mp4")
    lying(box, first).unlink()
    lying(box, second).unlink()
    lying(box, second).symlink_to("/etc/passwd")
    await store(box, "c.mp4", category="scenic")
    assert {file["fileName"]: file["present"] for file in (await listed(box))["files"]} == {
        "a.mp4": False,
        "b.mp4": False,
        "c.mp4": True,
    }


@on_the_loop
async def test_files_are_filtered_sorted_and_paged(box: Box) -> None:
    for name, size, category in (
        ("b.mp4", 300, "personal"),
        ("假期.mp4", 500, "scenic"),
        ("A.mp4", 400, "personal"),
        ("Été.mp4", 200, "scenic"),
    ):
        await store(box, name, size, category)
        box.clock.ahead += 1
    assert await names(box) == ["Été.mp4", "A.mp4", "假期.mp4", "b.mp4"]
    assert await names(box, "?sort=largest") == ["假期.mp4", "A.mp4", "b.mp4", "Été.mp4"]
    assert await names(box, "?sort=name&category=personal") == ["A.mp4", "b.mp4"]
    assert await names(box, f"?q={quote('ÉTÉ')}") == ["Été.mp4"]
    assert await names(box, f"?q={quote('假期')}&category=scenic") == ["假期.mp4"]
    assert await names(box, "?category=never") == []
    seen, place = list[str](), ""
    while True:
        page = await listed(box, f"?limit=1&before={place}")
        seen += [file["fileName"] for file in page["files"]]
        if page["next"] is None:
            break
        place = page["next"]
    assert seen == ["Été.mp4", "A.mp4", "假期.mp4", "b.mp4"]


@pytest.mark.parametrize(
    "query",
    [
        "sort=worst",
        "sort=size;drop",
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=1e2",
        "limit=%EF%BC%91",
        "limit=99999999999999999999",
        "before=x",
        "before=%00",
        "before=%FF",
        f"before={UNKNOWN}",
        "before=" + "x" * 5000,
        "q=" + "x" * 201,
    ],
)
@on_the_loop
async def test_a_hostile_query_is_told_so(box: Box, query: str) -> None:
    answer = await box.get(f"/api/monitor/files?{query}", BEARER)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("query", ["q=%FF%00", "q=%25_%5C'", "q=" + "%25" * 200, "category=../..", "category=%00&q=[*"])
@on_the_loop
async def test_a_strange_query_finds_nothing(box: Box, query: str) -> None:
    await store(box, "a.mp4")
    assert await names(box, f"?{query}") == []


@on_the_loop
async def test_files_of_a_category_that_is_configured_no_longer_are_kept(tmp_path: Path) -> None:
    first = await build(tmp_path / "upload", ["--categories=former"])
    stored = await store(first, "a.mp4", category="former")
    await take_down(first)
    box = await build(tmp_path / "upload", ["--categories=personal"])
    (file,) = (await listed(box, "?category=former"))["files"]
    assert (file["category"], file["present"]) == ("former", True)
    assert len((await take(box, stored["id"])).body) == 500
    assert (await box.ask("DELETE", f"/api/upload/file/{stored['id']}", headers=BEARER)).status == 204
    assert not lying(box, stored).exists()
    await take_down(box)


# ---- taking one away ----


@on_the_loop
async def test_a_file_is_taken_away_as_it_came_and_opens_nowhere(box: Box) -> None:
    stored = await store(box, "a.mp4", 3 * PIECE + 17)
    content = lying(box, stored).read_bytes()
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        answer = await take(box, stored["id"], headers)
        assert (answer.status, answer.body) == (200, content)
        assert answer.headers["Content-Length"] == str(len(content))
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="a.mp4"')
        assert "Content-Encoding" not in answer.headers
    head = await take(box, stored["id"], method="HEAD")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(content)))
    assert head.headers["ETag"] == answer.headers["ETag"]


@on_the_loop
async def test_one_range_is_enough_to_go_on_with(box: Box) -> None:
    stored = await store(box, "a.mp4", 1000)
    content = lying(box, stored).read_bytes()
    tag = (await take(box, stored["id"], method="HEAD")).headers["ETag"]
    for field, part, told in (
        ("bytes=0-9", content[:10], "bytes 0-9/1000"),
        ("bytes=990-", content[990:], "bytes 990-999/1000"),
        ("bytes=-5", content[-5:], "bytes 995-999/1000"),
        ("bytes=0-99999", content, "bytes 0-999/1000"),
    ):
        for headers in ({}, {"If-Range": tag}):
            answer = await take(box, stored["id"], {"Range": field, **headers})
            assert (answer.status, answer.body, answer.headers["Content-Range"]) == (206, part, told)
    for headers in (
        {"Range": "bytes=0-1,5-6"},
        {"Range": "bytes=9-1"},
        {"Range": "nonsense"},
        {"Range": "bytes=0-9", "If-Range": '"another"'},
        {"Range": "bytes=0-9", "If-Range": f"W/{tag}"},
    ):
        answer = await take(box, stored["id"], headers)
        assert (answer.status, answer.body) == (200, content)
    beyond = await take(box, stored["id"], {"Range": "bytes=1000-"})
    assert (beyond.status, beyond.body, beyond.headers["Content-Range"]) == (416, b"", "bytes */1000")
    assert (await take(box, stored["id"], {"Range": "bytes=0-9"}, "HEAD")).status == 200


@on_the_loop
async def test_an_empty_file_is_taken_away_too(box: Box) -> None:
    stored = await store(box, "a.mp4")
    lying(box, stored).write_bytes(b"")
    assert ((answer := await take(box, stored["id"])).status, answer.body) == (200, b"")
    assert (await take(box, stored["id"], {"Range": "bytes=-5"})).status == 200
    assert (await take(box, stored["id"], {"Range": "bytes=0-"})).status == 416


@on_the_loop
async def test_a_file_that_was_changed_has_another_tag(box: Box) -> None:
    stored = await store(box, "a.mp4")
    tag = (await take(box, stored["id"])).headers["ETag"]
    lying(box, stored).write_bytes(b"other")
    answer = await take(box, stored["id"], {"Range": "bytes=1-", "If-Range": tag})
    assert (answer.status, answer.body) == (200, b"other")


@pytest.mark.parametrize("kind", ["gone", "link", "folder", "pipe", "no folder"])
@on_the_loop
async def test_what_is_no_file_any_more_is_not_found(box: Box, kind: str, tmp_path: Path) -> None:
    stored = await store(box, "a.mp4")
    place = lying(box, stored)
    place.unlink()
    if kind == "link":
        place.symlink_to("/etc/passwd")
    elif kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "no folder":
        place.parent.rmdir()
    for method in ("GET", "HEAD"):
        answer = await take(box, stored["id"], method=method)
        assert answer.status == 404
    answer = await take(box, stored["id"])
    assert answer.code == "FILE_NOT_FOUND"
    assert str(tmp_path).encode() not in answer.body
    assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize("id", [UNKNOWN, "x", "..%2f..%2fjournal.db", "%00", "%FF", "'", "x" * 5000])
@on_the_loop
async def test_an_unknown_file_is_not_found(box: Box, id: str) -> None:
    answer = await take(box, id)
    assert answer.status in {400, 404}
    assert answer.code in {"FILE_NOT_FOUND", "VALIDATION_ERROR"}


@on_the_loop
async def test_each_hostile_name_comes_back_as_it_is_shown(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    stored = []
    for name in HOSTILE_NAMES:
        answer = await box.put(session_id, quote(name.encode(errors="replace"), safe=""), movie(100))
        if answer.status == 201:  # not every one has an extension that is allowed
            stored.append(answer.json())
    assert len(stored) > 30
    for file in stored:
        answer = await take(box, file["id"])
        assert answer.status == 200
        assert shown_by(answer.headers["Content-Disposition"]) == file["originalName"]


def shown_by(field: str) -> str:
    """The name that a browser takes from the field, which must be of the plainest form."""
    found = re.fullmatch(r"attachment; filename=\"([ -~]*)\"; filename\*=UTF-8''([!#$&+.^_`|~%0-9A-Za-z-]*)", field)
    assert found is not None, field
    assert not set('"\\%/') & set(found[1])
    return unquote(found[2])


@given(st.text())
def test_whatever_a_file_is_called_the_field_is_one_plain_line(name: str) -> None:
    assert shown_by(attachment(name)) == name.encode(errors="replace").decode()


@pytest.mark.parametrize(
    "name", ['a".mp4', "a\r\nSet-Cookie: x=1", "\u202egnp.exe", "a;b='c'", "👩‍👩‍👧.mp4", "..", "a%22b", ""]
)
def test_a_name_breaks_out_of_nothing(name: str) -> None:
    assert shown_by(attachment(name)) == name


# ---- large, slow, cut off ----


@on_the_loop
async def test_ten_gigabytes_are_not_read_before_somebody_takes_them(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = await store(box, "a.mp4")
    os.truncate(lying(box, stored), 10 * GIB)
    read = Opened.read
    taken: list[int] = []

    def counted(file: Opened, offset: int, count: int) -> bytes:
        taken.append(count)
        return read(file, offset, count)

    monkeypatch.setattr(Opened, "read", counted)
    line = await box.connect(receive_buffer=4096)
    line.begin("GET", f"/api/monitor/files/{stored['id']}", BEARER)
    _, headers = await line.head()
    assert headers["Content-Length"] == str(10 * GIB)
    await line.reader.readexactly(1024**2)
    assert sum(taken) < 16 * 1024**2, "what was not taken waits on the disk, but for the socket's buffer"
    await line.close()
    end = await take(box, stored["id"], {"Range": f"bytes={10 * GIB - 3}-"})
    assert (end.status, end.body) == (206, b"\0\0\0")


@on_the_loop
async def test_a_file_that_gets_shorter_meanwhile_does_not_end_as_if_it_were_whole(box: Box) -> None:
    stored = await store(box, "a.mp4")
    os.truncate(lying(box, stored), GIB)
    line = await box.connect(receive_buffer=4096)
    line.begin("GET", f"/api/monitor/files/{stored['id']}", BEARER)
    await line.head()
    await line.reader.readexactly(1000)
    os.truncate(lying(box, stored), 1000)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await line.reader.readexactly(GIB - 1000)


@on_the_loop
async def test_who_takes_nothing_is_left(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = await store(box, "a.mp4")
    os.truncate(lying(box, stored), GIB)
    monkeypatch.setattr(room, "PATIENCE", 0.05)
    line = await box.connect(receive_buffer=4096)
    line.begin("GET", f"/api/monitor/files/{stored['id']}", BEARER)
    await line.head()
    await until(lambda: box.door.count == 0, "the station hung up")


@on_the_loop
async def test_a_deleted_file_that_is_being_taken_away_arrives_whole(box: Box) -> None:
    stored = await store(box, "a.mp4")
    os.truncate(lying(box, stored), 64 * 1024**2)
    line = await box.connect(receive_buffer=4096)
    line.begin("GET", f"/api/monitor/files/{stored['id']}", BEARER)
    await line.head()
    assert (await box.ask("DELETE", f"/api/upload/file/{stored['id']}", headers=BEARER)).status == 204
    assert len(await line.reader.readexactly(64 * 1024**2)) == 64 * 1024**2


@on_the_loop
async def test_curl_goes_on_with_a_download(box: Box, tmp_path: Path) -> None:
    stored = await store(box, "a.mp4", 5000)
    content = lying(box, stored).read_bytes()
    (tmp_path / "got").write_bytes(content[:1234])
    address = f"{box.url}/api/monitor/files/{stored['id']}"
    target = str(tmp_path / "got")
    status, said = await box.curl("--oauth2-bearer", TOKEN, "--continue-at", "-", "--output", target, address)
    assert (status, said) == (0, b"")
    assert (tmp_path / "got").read_bytes() == content


# ---- deleting ----


@on_the_loop
async def test_a_deletion_is_told_to_those_who_watch_the_session(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    stored = (await box.put(session_id, "a.mp4", movie(5))).json()
    watcher = await box.watch(f"?sessionId={session_id}")
    stream = await box.listen(session_id)
    joined = await watcher.next()
    assert joined is not None
    await stream.next()
    cookie = passed(await submit(box, TOKEN))
    gone = await box.ask("DELETE", f"/api/upload/file/{stored['id']}", headers={**cookie, "Origin": box.url})
    assert gone.status == 204
    for message in (await watcher.next(), await stream.next()):
        assert message is not None
        assert message["event"] == "file-deleted"
        assert message["seq"] == joined["data"]["seq"]
        data = message["data"]
        assert (data["fileId"], data["fileName"], data["by"]) == (stored["id"], "a.mp4", "operator")
        assert data["uploadPath"] == stored["uploadPath"]
    assert stream.ids[-1] is None
    assert await names(box) == []
    assert (await take(box, stored["id"])).status == 404
    assert (await box.progress(session_id))["files"][0]["status"] == "completed"


async def hears(watcher: Watcher, event: str) -> Json:
    while (message := await watcher.next()) is not None:
        if message["event"] == event:
            return message
    raise AssertionError(f"never heard: {event}")


@on_the_loop
async def test_every_operator_s_page_hears_of_a_deletion(box: Box) -> None:
    stored = await store(box, "a.mp4")
    cookie = passed(await submit(box, TOKEN))
    watcher = await box.watch(headers={**cookie, "Origin": box.url})
    watcher.say("join-monitor", {})
    joined = await hears(watcher, "monitor-joined")
    assert (await box.ask("DELETE", f"/api/upload/file/{stored['id']}", headers=BEARER)).status == 204
    told = await hears(watcher, "file-deleted")
    assert told["data"] == {
        "fileId": stored["id"],
        "sessionId": stored["sessionId"],
        "fileName": "a.mp4",
        "uploadPath": stored["uploadPath"],
        "deletedAt": told["data"]["deletedAt"],
        "by": "operator",
    }
    overview = (await box.get("/api/monitor/overview", BEARER)).json()
    assert overview["changes"] > joined["data"]["changes"]
