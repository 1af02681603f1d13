"""The log of the real program: parsed whole, searched for what must not be in it, flooded, and blocked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.site import BOUNDARY, Line, file_part, form, movie, on_the_loop, until
from tests.test_server import ROOT, STOPPED_WITHIN, Program

PIN, TOKEN = "13572468", "an-operator-token-of-ours"
HOOK_SECRET, HOOK_PASSWORD = "whsec_" + b64encode(bytes(range(24))).decode(), "open-sesame"
SECRET_NAME = "My-diary-of-May"


@pytest.fixture
def options() -> list[str]:
    nobody = f"http://ann:{HOOK_PASSWORD}@127.0.0.1:9/told?token={HOOK_PASSWORD}"
    tells_all = "sh -c 'echo done: $UPLOAD_STATION_SESSION_ID $UPLOAD_STATION_FILE_ID'"
    hooks = [f"--webhook={nobody}", f"--webhook-secret={HOOK_SECRET}", f"--on-completed={tells_all}"]
    return ["--log-format=json", f"--upload-pin={PIN}", f"--admin-token={TOKEN}", *hooks]


@pytest.fixture
def program(tmp_path: Path, options: list[str]) -> Any:
    started = Program(tmp_path / "upload", "--min-free-space=0", *options)
    yield started
    started.close()


def lines(program: Program) -> list[dict[str, Any]]:
    """Every line of the log; each must be an object."""
    return [json.loads(line) for line in program.log.read_text().splitlines()]


async def rich_run(line: Line) -> set[str]:
    """All ways of sending, and the doors; returns all that opens something."""
    pin = {"X-Upload-Pin": PIN}
    raw = (await line.ask("PUT", f"/u/{SECRET_NAME}.mp4", movie(5000), pin)).json()
    session = (await line.ask("POST", "/api/upload/session", b'{"autoComplete": false}', pin)).json()["sessionId"]
    secrets = {raw["sessionId"], raw["id"], session, PIN, TOKEN, SECRET_NAME}
    body = form([file_part(f"{SECRET_NAME}.mp4", movie(5000))])
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    batch = await line.ask("POST", f"/api/upload/batch?sessionId={session}", body, {"Content-Type": kind})
    secrets |= {file["id"] for file in batch.json()["files"]}
    name = b64encode(f"{SECRET_NAME}.mp4".encode()).decode()
    tus = {"Tus-Resumable": "1.0.0", "Upload-Metadata": f"filename {name}", "Upload-Length": "5000", **pin}
    made = await line.ask("POST", f"/files/?sessionId={session}", b"", tus)
    secrets |= {made.headers["Location"].rpartition("/")[2], made.headers["X-File-Id"]}
    bytes_of = {"Content-Type": "application/offset+octet-stream", "Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    assert (await line.ask("PATCH", made.headers["Location"], movie(5000), bytes_of)).status == 204
    secrets.add((await line.ask("POST", f"/api/upload/handover/{session}")).json()["code"])
    passed = await line.ask("POST", "/api/upload/pin", json.dumps({"pin": PIN}).encode())
    secrets.add(passed.headers["Set-Cookie"].partition("=")[2].partition(";")[0])
    await line.ask("GET", f"/j/{'9' * 6}")
    await line.ask("GET", f"/s/{session}?token={TOKEN}")
    await line.ask("POST", "/api/upload/pin", b'{"pin": "not-the-pin"}')
    form_of = {"Content-Type": "application/x-www-form-urlencoded"}
    await line.ask("POST", "/monitor/login", b"token=not-the-token", form_of)
    await line.ask("GET", "/monitor?token=not-the-token")
    entered = await line.ask("POST", "/monitor/login", f"token={TOKEN}".encode(), form_of)
    cookie = entered.headers["Set-Cookie"].partition(";")[0]
    secrets |= set(cookie.split("=", 1)) | {HOOK_SECRET, HOOK_PASSWORD, "not-the-token"}
    assert (await line.ask("GET", "/api/monitor/overview", headers={"Cookie": cookie})).status == 200
    assert (await line.ask("GET", f"/monitor?token={TOKEN}")).status == 303
    await line.ask("GET", f"/api/monitor/sessions/{session}?q={SECRET_NAME}", headers={"Cookie": cookie})
    await line.ask("DELETE", f"/api/upload/file/{raw['id']}", headers={"Authorization": f"Bearer {TOKEN}"})
    await line.ask("POST", f"/api/upload/cancel/{session}", json.dumps({"reason": SECRET_NAME}).encode())
    return secrets


@on_the_loop
async def test_every_line_parses_and_none_holds_what_opens_anything(program: Program) -> None:
    line = await program.connect()
    secrets = await rich_run(line)
    await line.close()
    told = ("done: ", "webhook: ")
    await until(lambda: all(words in program.log.read_text() for words in told), "the hooks had something to say")
    assert program.stop() == 0
    said = lines(program)
    events = [each["event"] for each in said]
    assert events[0] == "started"
    assert {"stopping", "stopped"} <= set(events)
    assert events.count("upload-completed") == 3
    assert events.count("session-opened") == events.count("session-completed") == 2
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each["time"]) for each in said)
    text = program.log.read_text()
    assert {secret for secret in secrets if secret in text} == set()
    assert "upload_pin" not in text


@pytest.mark.parametrize("options", [["--log-format=json"]])
@on_the_loop
async def test_a_flood_of_bad_requests_is_some_lines_and_the_rest_is_served(program: Program) -> None:
    async def attack(request: bytes, count: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
        for _ in range(count // 50):
            writer.write(request * 50)
            for _ in range(50):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
                (length,) = re.findall(r"(?i)content-length: (\d+)", head)
                await reader.readexactly(int(length))
        writer.close()
        await writer.wait_closed()

    host = f"Host: {program.host}\r\n".encode()
    bad = [
        b"GET /nothing HTTP/1.1\r\n" + host + b"\r\n",
        b"DELETE /api/upload/file/x HTTP/1.1\r\nAuthorization: Bearer wrong\r\n" + host + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"POST /api/upload/session HTTP/1.1\r\nContent-Length: 1\r\n" + host + b"\r\n{",
    ]
    async with asyncio.TaskGroup() as group:
        for request in bad:
            group.create_task(attack(request, 5000))
    line = await program.connect()
    assert (await line.ask("PUT", "/u/a.mp4", movie(100))).status == 201
    await line.close()
    assert program.stop() == 0
    said = lines(program)
    assert len(said) < 2000, "thirty a minute of each kind, however long it takes"
    assert sum(each.get("more", 0) for each in said) + sum(each["event"] == "request" for each in said) >= 20_000
    assert [each["size"] for each in said if each["event"] == "upload-completed"] == [100]


@on_the_loop
async def test_a_log_that_nobody_reads_does_not_stop_uploads(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    command = [sys.executable, str(ROOT / "server.py"), "--port=0", f"--upload-dir={tmp_path / 'upload'}"]
    options = ["--min-free-space=0", "--durability=process"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=writing, cwd=tmp_path)
    try:
        assert process.stdout is not None
        found = re.search(rb":(\d+)/", process.stdout.readline())
        assert found is not None
        # Full to the brim: whoever writes to it now waits.
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"\n" * 4096)
        os.set_blocking(writing, True)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
        line = Line(reader, writer, f"127.0.0.1:{int(found[1])}")
        for number in range(100):
            assert (await line.ask("PUT", f"/u/{number}.mp4", movie(1000))).status == 201
        await line.close()
        process.terminate()
        assert process.wait(STOPPED_WITHIN) == 0
    finally:
        process.kill()
        process.wait()
        os.close(reading)
        os.close(writing)
        if process.stdout is not None:
            process.stdout.close()
