"""The station behind a real nginx and a real Caddy, set up word for word as the documentation tells."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.handlers.site import (
    HANDSHAKE,
    TUS,
    EventSource,
    Line,
    Watcher,
    at_offset,
    metadata,
    movie,
    names,
    on_the_loop,
)
from tests.operations.fronts import NAME, Front
from tests.test_server import Program

MIB = 1024**2
LARGE = 200 * MIB
BLOCK = movie(MIB)


@pytest.fixture(params=["nginx", "caddy"])
def front(request: pytest.FixtureRequest, tmp_path: Path, program: Program) -> Iterator[Front]:
    (tmp_path / "front").mkdir()
    made = Front(request.param, tmp_path / "front", program.port)
    yield made
    made.close()


@pytest.fixture
def options() -> list[str]:
    return []


@pytest.fixture
def program(tmp_path: Path, options: list[str]) -> Iterator[Program]:
    told = ["--address=127.0.0.1", "--trusted-proxies=127.0.0.1", f"--allowed-hosts={NAME}"]
    started = Program(tmp_path / "upload", "--min-free-space=0", *told, *options)
    yield started
    assert started.stop() == 0
    assert "Traceback" not in started.log.read_text()
    started.close()


async def opened(front: Front, **fields: object) -> str:
    line = await front.connect()
    answer = await line.ask("POST", "/api/upload/session", json.dumps(fields).encode())
    assert answer.status == 201, answer.body
    await close(line)
    return str(answer.json()["sessionId"])


async def watching(front: Front, session_id: str) -> Watcher:
    line = await front.connect()
    line.begin("GET", f"/ws?sessionId={session_id}", {**HANDSHAKE, "Origin": f"https://{front.host}"})
    assert (await line.head())[0] == 101
    watcher = Watcher(line)
    await watcher.until("session-joined")
    return watcher


async def listening(front: Front, session_id: str) -> EventSource:
    line = await front.connect()
    line.begin("GET", f"/api/upload/events/{session_id}")
    status, headers = await line.head()
    assert status == 200
    return EventSource(line, headers)


async def heard(stream: EventSource, name: str) -> None:
    while (message := await stream.next()) is not None:
        if message["event"] == name:
            return
    raise AssertionError(f"the stream ended before {name}")


async def close(*lines: Line) -> None:
    """Without TLS's farewell: what still comes would be an error after it."""
    for line in lines:
        line.writer.transport.abort()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await line.writer.wait_closed()


@on_the_loop
async def test_the_pages_come_by_their_name(front: Front) -> None:
    line = await front.connect()
    page = await line.ask("GET", "/")
    assert page.status == 200
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin", "the station knows that it is https"
    for address, status in (("/kiosk", 200), ("/health", 200), ("/static/js/errors.js", 200), ("/nowhere", 404)):
        assert (await line.ask("GET", address)).status == status, address
    await close(line)


@on_the_loop
async def test_who_watches_hears_of_an_upload_while_it_comes(front: Front) -> None:
    session_id = await opened(front, autoComplete=False)
    watcher, stream = await watching(front, session_id), await listening(front, session_id)
    line = await front.connect()
    line.begin("PUT", f"/api/upload/session/{session_id}/files/a.mp4", {"Content-Length": str(4 * MIB)})
    line.send(BLOCK * 2)
    await watcher.until("upload-started")
    while (await watcher.until("upload-progress"))["uploadedBytes"] < MIB:
        pass  # half of it has come, and was told, before the other half is sent
    await heard(stream, "upload-progress")
    assert front.kept() == []
    line.send(BLOCK * 2)
    assert (await line.answer()).status == 201
    await watcher.until("upload-completed")
    await heard(stream, "upload-completed")
    await close(line, stream.line, watcher.line)


@on_the_loop
async def test_a_large_file_goes_through_without_being_kept(front: Front, program: Program) -> None:
    line = await front.connect()
    line.begin("PUT", "/u/large.mp4", {"Content-Length": str(LARGE), "Expect": "100-continue"})
    assert (await line.head())[0] == 100
    for _ in range(LARGE // MIB):
        line.send(BLOCK)
        await line.writer.drain()
        assert front.kept() == []
    answer = await line.answer()
    assert answer.status == 201
    assert f"<https://{front.host}/s/" in answer.headers["Link"]
    (stored,) = (program.folder / "personal").iterdir()
    assert stored.stat().st_size == LARGE
    with stored.open("rb") as file:
        assert all(block == BLOCK for block in iter(lambda: file.read(MIB), b""))
    await close(line)


@on_the_loop
async def test_an_upload_that_breaks_off_is_noticed_at_once(front: Front) -> None:
    session_id = await opened(front, autoComplete=False)
    watcher, line = await watching(front, session_id), await front.connect()
    line.begin("PUT", f"/api/upload/session/{session_id}/files/a.mp4", {"Content-Length": str(64 * MIB)})
    line.send(BLOCK)
    await watcher.until("upload-started")
    await close(line)
    failed = await watcher.until("upload-failed")
    assert (failed["error"]["code"], failed["canRetry"]) == ("NETWORK_ERROR", True)
    await close(watcher.line)


@on_the_loop
async def test_tus_goes_on_where_it_stopped(front: Front, program: Program) -> None:
    session_id = await opened(front, autoComplete=False)
    watcher, line, body = await watching(front, session_id), await front.connect(), movie(3 * MIB)
    told = metadata(filename="a.mp4", sessionId=session_id)
    created = await line.ask("POST", "/files/", b"", {**TUS, "Upload-Length": str(len(body)), "Upload-Metadata": told})
    path = created.headers["Location"]
    assert path.startswith("/files/")
    broken = await front.connect()
    broken.begin("PATCH", path, {**at_offset(0), "Content-Length": str(len(body))})
    broken.send(body[:MIB])
    while (await watcher.until("upload-progress"))["uploadedBytes"] < MIB // 2:
        pass  # a HEAD would not do: whoever asks where an upload stands ends the request that is at it
    broken.writer.transport.abort()
    offset = int((await line.ask("HEAD", path, headers=TUS)).headers["Upload-Offset"])
    assert offset >= MIB // 2
    assert (await line.ask("PATCH", path, body[offset:], at_offset(offset))).status == 204
    (stored,) = (program.folder / "personal").iterdir()
    assert stored.read_bytes() == body
    await close(line, watcher.line)


@on_the_loop
async def test_the_draft_of_resumable_uploads_works_with_its_interim_answers(front: Front) -> None:
    line = await front.connect()
    body = movie(3 * MIB)
    fields = {"Upload-Draft-Interop-Version": "8", "Upload-Complete": "?1", "Content-Type": "video/mp4"}
    disposition = {"Content-Disposition": 'attachment; filename="a.mp4"'}
    answer = await line.ask("POST", "/files/", body, {**fields, **disposition})
    assert answer.status in {200, 201, 204}, (answer.status, answer.body)
    assert answer.headers["Upload-Complete"] == "?1"
    (interim, *_) = line.interims
    assert interim[0] == 104
    assert interim[1]["Location"] == answer.headers["Location"]
    assert (await line.ask("GET", "/health")).status == 200, "and the line is good for more"
    await close(line)


@on_the_loop
async def test_a_refusal_is_read_while_the_body_still_comes(front: Front) -> None:
    line = await front.connect()
    answer = await line.ask("PUT", "/u/a.exe", BLOCK * 8)
    assert (answer.status, answer.code) == (415, "UNSUPPORTED_FORMAT")
    await close(line)


@pytest.mark.parametrize("options", [["--upload-pin=246810"]])
@on_the_loop
async def test_guesses_are_counted_for_each_client_whatever_it_says_it_is(front: Front) -> None:
    async def guess(client: str, count: int, pin: str = "9999") -> tuple[int, str]:
        line = await front.connect(client)
        for number in range(count):
            made_up = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"}
            fields = {**made_up, "X-Forwarded-Proto": "http", "Content-Type": "application/json"}
            answer = await line.ask("POST", "/api/upload/pin", json.dumps({"pin": pin}).encode(), fields)
        await close(line)
        return answer.status, answer.headers.get("Set-Cookie", "")

    assert (await guess("127.0.0.2", 30))[0] == 429
    status, cookie = await guess("127.0.0.3", 1, "246810")
    assert status == 204
    assert "; secure" in cookie.lower()


@on_the_loop
async def test_pages_of_others_are_kept_out(front: Front) -> None:
    line = await front.connect()
    foreign = await line.ask("POST", "/api/upload/session", b"{}", {"Origin": "https://evil.example"})
    assert foreign.status == 403
    await close(line)


@on_the_loop
async def test_a_session_is_told_to_its_end(front: Front) -> None:
    session_id = await opened(front, expectedFiles=1)
    watcher, stream = await watching(front, session_id), await listening(front, session_id)
    line = await front.connect()
    assert (await line.ask("PUT", f"/api/upload/session/{session_id}/files/a.mp4", BLOCK)).status == 201
    assert names(await watcher.to_end())[-1] == "session-completed"
    assert names(await stream.to_end())[-1] == "session-completed"
    await close(line, stream.line, watcher.line)


@pytest.mark.parametrize("front", ["nginx"], indirect=True)
@on_the_loop
async def test_plain_http_is_sent_on_to_https(front: Front) -> None:
    line = Line(*await asyncio.open_connection("127.0.0.1", front.plain), NAME)
    answer = await line.ask("GET", "/s/abc?x=1")
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/s/abc?x=1")
    await close(line)
