"""The programs of docs/operations/hooks.md do what the page says, with a real station."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.clients.rig import PATIENCE, Station
from tests.docs.page import DOCS, blocks

PAGE = (DOCS / "operations" / "hooks.md").read_text(encoding="utf-8")
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(2000)
ANY_FREE_PORT = 'HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Receiver).serve_forever()'


def put(station: Station, name: str) -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{station.port}/u/{name}", data=MOVIE, method="PUT")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return bytes(answer.read())


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_receiver_hears_each_event_once_and_in_order(tmp_path: Path) -> None:
    (source,) = [text for kind, text in blocks(PAGE) if kind == "python"]
    assert ANY_FREE_PORT in source
    announced = 'server = HTTPServer(("127.0.0.1", 0), Receiver)\nprint(server.server_port, flush=True)\n'
    source = source.replace(ANY_FREE_PORT, f"{announced}server.serve_forever()")
    command = [sys.executable, "-I", str(program(tmp_path, "receiver.py", source))]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "WEBHOOK_SECRET": SECRET}
    ) as receiver:
        assert receiver.stdout is not None
        port = int(receiver.stdout.readline())
        events = "--webhook-events=upload-started,upload-completed,session-completed"
        station = Station(tmp_path, f"--webhook=http://127.0.0.1:{port}/", f"--webhook-secret={SECRET}", events)
        try:
            put(station, "movie.mp4")
            said = [receiver.stdout.readline().split() for _ in range(3)]
        finally:
            station.end()
            receiver.terminate()
    assert said == [["upload-started", "movie.mp4"], ["upload-completed", "movie.mp4"], ["session-completed"]]


def check(name: str) -> str:
    (found,) = [text for kind, text in blocks(PAGE) if kind == "sh" and f"# /usr/local/bin/{name}:" in text]
    return found


CLAMDSCAN = {
    0: 'echo "$3: OK"',
    1: 'echo "$3: Eicar-Test-Signature FOUND"',
    2: 'echo "ERROR: Could not connect to clamd on LocalSocket /run/clamd.ctl: No such file or directory"',
}


@pytest.mark.parametrize("status", CLAMDSCAN)
def test_the_scanner_decides_by_its_exit_status(tmp_path: Path, status: int) -> None:
    looks = 'test "$(wc -c < "$3")" = 2024 || exit 3'
    program(tmp_path, "clamdscan", f"#!/bin/sh\n{looks}\n{CLAMDSCAN[status]}\nexit {status}\n")
    scan = program(tmp_path, "scan", check("scan").replace("exec clamdscan", f"exec {tmp_path}/clamdscan"))
    station = Station(tmp_path, f"--before-publish={scan}")
    try:
        if status == 0:
            assert b'"completed"' in put(station, "movie.mp4")
            return
        with pytest.raises(urllib.error.HTTPError) as refused:
            put(station, "movie.mp4")
        body = refused.value.read().decode()
    finally:
        station.end()
    if status == 1:
        assert '"error":"REJECTED"' in body
        assert "Eicar-Test-Signature" in body
    else:
        assert '"error":"SERVER_ERROR"' in body
        assert '"details":"the file could not be checked: exit status 2"' in body
    assert str(tmp_path) not in body
    assert list((tmp_path / "upload" / "personal").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "status", "said"), [(b"ftyp moov", 0, ""), (b"ftyp mdat", 1, "The film"), (None, 2, "")]
)
def test_the_check_of_an_index_tells_a_bad_film_from_one_that_it_cannot_read(
    tmp_path: Path, content: bytes | None, status: int, said: str
) -> None:
    film = tmp_path / "film"
    if content is not None:
        film.write_bytes(content)
    whole_film = program(tmp_path, "whole-film", check("whole-film"))
    environment = {**os.environ, "UPLOAD_STATION_FILE_PATH": str(film)}
    ended = subprocess.run([whole_film], env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout[:8]) == (status, said)


def test_the_variables_are_those_that_a_program_gets(tmp_path: Path) -> None:
    names = {f"UPLOAD_STATION{name}" for name in re.findall(r"`(?:UPLOAD_STATION)?(_[A-Z_]+)`", PAGE)}
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    station = Station(tmp_path, f"--on-completed={program(tmp_path, 'done', f'#!/bin/sh{chr(10)}env > {pipe}')}")
    try:
        put(station, "movie.mp4")
        told = pipe.read_text(encoding="utf-8")  # waits for the program
    finally:
        station.end()
    assert {line.partition("=")[0] for line in told.splitlines() if line.startswith("UPLOAD_STATION_")} == names
