"""The real process: what it prints, how it refuses to start, what it keeps in memory, and how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.request import urlopen

import pytest

import server
from handlers import VERSION
from tests.handlers import certificates
from tests.handlers.site import HANDSHAKE, Line, Watcher, lifecycle, movie, names, on_the_loop, until
from tests.handlers.test_mdns import SILENT, who_is
from tests.handlers.test_qr import matrix_of, matrix_of_terminal

ROOT = Path(__file__).resolve().parent.parent
STOPPED_WITHIN = 60.0  # seconds
MIB = 1024**2
PUBLIC = "http://192.168.1.5:8005"


def spoken(pipe: IO[bytes] | None) -> bytes:
    assert pipe is not None
    return pipe.readline()


class Program:
    """The station as a process of its own, listening at `port`."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, str(ROOT / "server.py"), "--port=0", f"--upload-dir={folder}", *options]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("UPLOAD_STATION_")}
        self.folder = folder
        self.log = folder.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=folder.parent, env=clean)
        self.first_line = spoken(self.process.stdout).decode()
        self.second_line = spoken(self.process.stdout).decode()
        found = re.search(r"https?://([^/\s:]+):(\d+)/", self.first_line)
        assert found is not None, (self.first_line, self.log.read_text())
        self.port = int(found[2])

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def connect(self) -> Line:
        return Line(*await asyncio.open_connection("127.0.0.1", self.port), self.host)

    async def watch(self, session_id: str, query: str = "") -> Watcher:
        line = await self.connect()
        line.begin("GET", f"/ws?sessionId={session_id}{query}", HANDSHAKE)
        assert (await line.head())[0] == 101
        return Watcher(line)

    def memory(self) -> int:
        """Bytes of the largest resident set so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal, wait, and give the exit status."""
        self.process.send_signal(number)
        return self.process.wait(STOPPED_WITHIN)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def options() -> list[str]:
    return []


@pytest.fixture
def program(tmp_path: Path, options: list[str]) -> Iterator[Program]:
    started = Program(tmp_path / "upload", "--min-free-space=0", *options)
    yield started
    started.close()


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "server.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60, check=False)


# ---- starting ----


def test_a_variable_that_is_no_option_is_warned_of_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPLOAD_STATION_UPLOADPIN", "246810")
    done = run("--tls-key=nowhere.pem", cwd=tmp_path)  # it ends by itself
    assert re.search(r"WARNING .*UPLOAD_STATION_UPLOADPIN is in the environment", done.stderr)
    assert "246810" not in done.stderr


@on_the_loop
async def test_the_first_line_on_standard_output_holds_an_address_that_answers(program: Program) -> None:
    assert re.fullmatch(r"[^\n]*http://localhost:\d+/\n", program.first_line)
    line = await program.connect()
    health = (await line.ask("GET", "/health")).json()
    assert health["status"] == "ok"
    assert health["version"] == VERSION
    assert (await line.ask("GET", "/")).status == 200
    await line.close()
    assert program.stop() == 0
    assert program.process.stdout is not None
    rest = program.process.stdout.read().decode()
    assert re.fullmatch(r"(On this network: http://[^/\n]+/\n)?", rest), "everything else goes to the log"


@pytest.mark.parametrize("options", [["--address=127.0.0.1"]])
def test_the_address_that_is_shown_is_the_one_it_listens_on(program: Program) -> None:
    assert f"http://127.0.0.1:{program.port}/" in program.first_line
    assert program.stop(signal.SIGINT) == 0


@pytest.mark.parametrize("options", [["--kiosk-url=http://192.168.1.5:8005"]])
@on_the_loop
async def test_the_configured_address_is_told_and_answered_to(program: Program) -> None:
    assert program.process.stdout is not None
    assert program.process.stdout.readline() == b"On this network: http://192.168.1.5:8005/\n"
    line = await program.connect()
    assert (await line.ask("GET", "/health", headers={"Host": "192.168.1.5:8005"})).status == 200
    await line.close()
    assert program.stop() == 0


@pytest.mark.parametrize("options", [["--kiosk-url=http://files.example"]])
@on_the_loop
async def test_a_public_name_need_not_be_allowed_besides(program: Program) -> None:
    line = await program.connect()
    assert (await line.ask("GET", "/health", headers={"Host": "files.example"})).status == 200
    assert (await line.ask("GET", "/health", headers={"Host": "file.example"})).status == 421
    await line.close()
    assert program.stop() == 0


@pytest.mark.parametrize("options", [["--kiosk-url=http://192.168.1.5:8005"]])
def test_whoever_reads_what_it_says_may_go(program: Program) -> None:
    """As in `server.py | head -2`; the pipe may break under the third line."""
    assert program.process.stdout is not None
    program.process.stdout.close()
    assert program.stop() == 0


# ---- for the operator ----


@on_the_loop
async def test_the_second_line_lets_the_operator_in_once_it_is_opened(program: Program) -> None:
    found = re.fullmatch(r"Operator page: (http://localhost:\d+)(/monitor\?token=[\w-]{43})\n", program.second_line)
    assert found is not None
    line = await program.connect()
    answer = await line.ask("GET", found[2])
    assert (answer.status, answer.headers["Location"]) == (303, "/monitor")
    cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    assert (await line.ask("GET", "/monitor", headers=cookie)).status == 200
    await line.close()
    assert program.stop() == 0
    token = (program.folder / ".station" / "token").read_text().strip()
    assert found[2].endswith(token)
    assert token not in program.log.read_text()


@pytest.mark.parametrize("options", [["--admin-token=open sesame"]])
def test_a_token_that_was_chosen_is_told_to_nobody(program: Program) -> None:
    assert program.second_line == f"Operator page: http://localhost:{program.port}/monitor\n"
    assert program.stop() == 0
    assert "sesame" not in program.log.read_text()


def test_a_token_that_opens_too_easily_is_refused_without_being_repeated(tmp_path: Path) -> None:
    for token in ("short", "x" * 300, "tab\there\u200b", "\u3000" * 10 + "x"):
        done = run("--port=0", "--upload-dir=upload", f"--admin-token={token}", cwd=tmp_path)
        assert done.returncode == 2
        assert "--admin-token" in done.stderr
        assert token not in done.stderr


# ---- in the network ----


class Terminal:
    """The station on a terminal of its own, so wide, and what it writes there."""

    def __init__(self, folder: Path, columns: int, **environment: str) -> None:
        self.reading, writing = pty.openpty()
        termios.tcsetwinsize(writing, (50, columns))
        command = [sys.executable, str(ROOT / "server.py"), "--port=0", "--min-free-space=0"]
        named = [f"--upload-dir={folder / 'upload'}", f"--kiosk-url={PUBLIC}"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("UPLOAD_STATION_", "LC_"))}
        settings = {**clean, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **environment}
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command + named, stdout=writing, stderr=log, cwd=folder, env=settings)
        os.close(writing)

    def stop(self) -> list[str]:
        """All the lines it wrote, once it has told where it is and was stopped."""
        written = b""
        while b"On this network" not in written:
            written += os.read(self.reading, 65536)
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(OSError):  # how a terminal ends
            while block := os.read(self.reading, 65536):
                written += block
        assert self.process.wait(STOPPED_WITHIN) == 0
        os.close(self.reading)
        return written.decode().replace("\r\n", "\n").split("\n")[:-1]


def test_a_terminal_is_shown_the_address_as_a_code(tmp_path: Path) -> None:
    first, operators, second, *drawn = Terminal(tmp_path, 80).stop()
    assert re.fullmatch(r"Upload Station .* listens at http://localhost:\d+/", first)
    assert operators.startswith("Operator page: ")
    assert second == f"On this network: {PUBLIC}/"
    expected = matrix_of(f"{PUBLIC}/")
    assert matrix_of_terminal(drawn)[: len(expected)] == expected


@pytest.mark.parametrize(
    ("columns", "environment"),
    [(80, {"TERM": "dumb"}), (80, {"PYTHONIOENCODING": "ascii"}), (30, {}), (80, {"PYTHONIOENCODING": "gbk:strict"})],
)
def test_a_terminal_that_cannot_show_a_code_is_shown_words(
    tmp_path: Path, columns: int, environment: dict[str, str]
) -> None:
    written = Terminal(tmp_path, columns, **environment).stop()
    assert written[2:] == [f"On this network: {PUBLIC}/"]


@on_the_loop
async def test_a_station_with_a_name_is_found_by_it_until_it_stops(tmp_path: Path) -> None:
    name = f"kiosk-{os.urandom(4).hex()}"
    program = Program(tmp_path / "upload", "--min-free-space=0", "--address=127.0.0.1", f"--mdns={name}")
    try:
        told = await asyncio.to_thread(spoken, program.process.stdout)
        assert told.decode() == f"Announced as http://{name}.local:{program.port}/\n"
        assert await who_is(name) == ["127.0.0.1"]
        line = await program.connect()
        assert (await line.ask("GET", "/health", headers={"Host": f"{name}.local:{program.port}"})).status == 200
        await line.close()
        assert await asyncio.to_thread(program.stop) == 0
        assert await who_is(name, SILENT) == []
    finally:
        program.close()


def test_without_its_package_a_name_is_refused_with_a_sentence(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['zeroconf'] = None; import server; server.main(sys.argv[1:])"
    command = [sys.executable, "-c", hidden, "--port=0", f"--upload-dir={tmp_path / 'upload'}", "--mdns=kiosk"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60, check=False
    )
    assert done.returncode == 2
    assert is_a_sentence(done.stderr)
    assert ".venv/bin/pip install zeroconf" in done.stderr
    assert list(tmp_path.iterdir()) == []


# ---- starting and refusing ----


def test_help_lists_the_options_and_starts_nothing(tmp_path: Path) -> None:
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 0
    for option in ("--port", "--upload-dir", "--max-file-size", "--allowed-hosts", "--config", "--durability"):
        assert option in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong", ["--nonsense=1", "--port=x", "--port=70000", "--max-file-size=many", "--durability=none"]
)
def test_an_option_that_is_wrong_is_told_and_starts_nothing(tmp_path: Path, wrong: str) -> None:
    done = run(wrong, cwd=tmp_path)
    assert done.returncode == 2
    assert wrong.partition("=")[0] in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def is_a_sentence(text: str) -> bool:
    return bool(text.strip()) and "Traceback" not in text and len(text.strip().splitlines()) == 1


def test_a_second_station_on_the_same_folder_is_refused_with_a_sentence(program: Program) -> None:
    done = run("--port=0", f"--upload-dir={program.folder}", cwd=program.folder.parent)
    assert done.returncode == 1
    assert is_a_sentence(done.stderr), done.stderr
    assert "another station" in done.stderr
    assert done.stdout == ""
    assert program.stop() == 0


def test_a_port_in_use_is_refused_with_a_sentence(program: Program, tmp_path: Path) -> None:
    done = run(f"--port={program.port}", f"--upload-dir={tmp_path / 'other'}", cwd=tmp_path)
    assert done.returncode == 1
    assert is_a_sentence(done.stderr), done.stderr
    assert str(program.port) in done.stderr
    assert done.stdout == ""
    assert program.stop() == 0


@pytest.mark.parametrize("further", [[], ["--tls-key=/nowhere/key.pem"]])
def test_a_certificate_that_cannot_be_used_is_told_before_anything_is_touched(
    tmp_path: Path, further: list[str]
) -> None:
    done = run("--port=0", "--upload-dir=upload", "--tls-cert=/nowhere/cert.pem", *further, cwd=tmp_path)
    assert done.returncode == 1
    assert is_a_sentence(done.stderr), done.stderr
    assert "/nowhere/" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_with_a_certificate_all_that_is_told_is_https(tmp_path: Path) -> None:
    pair = certificates.make(tmp_path)
    program = Program(tmp_path / "upload", "--min-free-space=0", *pair.options)
    try:
        assert program.first_line.endswith(f"https://localhost:{program.port}/\n")
        with urlopen(f"https://127.0.0.1:{program.port}/health", context=pair.trust()) as answer:
            assert answer.status == 200
        assert program.stop() == 0
        assert program.process.stdout is not None
        rest = program.process.stdout.read().decode()
        assert re.fullmatch(r"(On this network: https://[^/\n]+/\n)?", rest)
    finally:
        program.close()


def test_an_address_that_is_not_ours_is_refused_with_a_sentence(tmp_path: Path) -> None:
    for address in ("192.0.2.1", "no.such.host.invalid"):
        done = run("--port=0", f"--address={address}", f"--upload-dir={tmp_path / 'upload'}", cwd=tmp_path)
        assert done.returncode == 1
        assert is_a_sentence(done.stderr), done.stderr


def test_a_folder_that_cannot_be_used_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run("--port=0", f"--upload-dir={tmp_path / 'file'}", cwd=tmp_path)
    assert done.returncode == 1
    assert is_a_sentence(done.stderr), done.stderr


# ---- memory ----


@on_the_loop
async def test_memory_stays_flat_whatever_is_sent(program: Program) -> None:
    line = await program.connect()
    assert (await line.ask("POST", "/api/upload/validate", b"{}")).status == 400
    await line.close()
    before = program.memory()
    body = bytes(50 * MIB)
    for method, address, status in [
        ("POST", "/api/upload/validate", 413),
        ("POST", "/nowhere", 404),
        ("GET", "/health", 413),
        ("PUT", "/u/a.exe", 415),
        ("PUT", "/u/a.mp4", 201),
    ]:
        line = await program.connect()
        answer = await line.ask(method, address, body)
        assert answer.status == status, (method, address, answer.body)
        await line.close()
    chunked = await program.connect()
    chunked.begin("POST", "/api/upload/session", {"Transfer-Encoding": "chunked"})
    for _ in range(50):
        chunked.send(b"%x\r\n%b\r\n" % (MIB, bytes(MIB)))
        await chunked.writer.drain()
    chunked.send(b"0\r\n\r\n")
    assert (await chunked.answer()).status == 413
    await chunked.close()
    assert program.memory() - before < 16 * MIB
    assert program.stop() == 0


# ---- stopping ----


async def opened(program: Program, **fields: object) -> str:
    line = await program.connect()
    answer = await line.ask("POST", "/api/upload/session", json.dumps(fields).encode())
    await line.close()
    return str(answer.json()["sessionId"])


async def begin(program: Program, session_id: str, name: str) -> Line:
    line = await program.connect()
    line.begin("PUT", f"/api/upload/session/{session_id}/files/{name}", {"Content-Length": "1000000"})
    line.send(movie(500_000))
    return line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@on_the_loop
async def test_a_station_that_is_stopped_tells_everyone_and_goes(program: Program, number: int) -> None:
    session_id = await opened(program, autoComplete=False)
    watcher, idle = await program.watch(session_id), await program.watch(session_id)
    uploads = [await begin(program, session_id, f"{count}.mp4") for count in range(3)]
    for _ in uploads:
        await watcher.until("upload-started")
    stream = await program.connect()
    stream.begin("GET", f"/api/upload/events/{session_id}")
    assert (await stream.head())[0] == 200
    poll = await program.connect()
    poll.begin("GET", f"/api/upload/progress/{session_id}?since=3&wait=30")
    kept = await program.connect()
    assert (await kept.ask("GET", "/health")).status == 200
    stopping = asyncio.ensure_future(asyncio.to_thread(program.stop, number))
    for _ in uploads:
        failed = await watcher.until("upload-failed")
        assert (failed["error"]["code"], failed["canRetry"]) == ("SERVER_ERROR", True)
    for line in uploads:
        answer = await line.answer()
        assert (answer.status, answer.code) == (500, "SERVER_ERROR")
    for each in (watcher, idle):
        while await each.next() is not None:
            pass
        assert each.close_code == 1001
    assert await stopping == 0
    assert b"upload-failed" in await stream.rest()
    for line in (*uploads, stream, poll, kept, watcher.line, idle.line):
        await line.close()
    assert "Traceback" not in program.log.read_text()
    assert " ERROR " not in program.log.read_text()
    assert list((program.folder / ".station" / "parts").iterdir()) == []


@on_the_loop
async def test_what_was_told_is_told_again_after_a_restart(program: Program) -> None:
    session_id = await opened(program, expectedFiles=2)
    watcher = await program.watch(session_id)
    line = await program.connect()
    content = movie(5000)
    answer = await line.ask("PUT", f"/api/upload/session/{session_id}/files/a.mp4", content)
    assert answer.status == 201
    await watcher.until("upload-completed")
    joined, story = watcher.heard[0]["data"], lifecycle(watcher.heard)
    await line.close()
    await watcher.close()
    assert program.stop() == 0
    again = Program(program.folder, "--min-free-space=0")
    try:
        back = await again.watch(session_id, f"&lastSeq=0&epoch={joined['epoch']}")
        await back.until("upload-completed")
        assert lifecycle(back.heard) == story
        line = await again.connect()
        assert (await line.ask("PUT", f"/api/upload/session/{session_id}/files/b.mp4", content)).status == 201
        assert names(await back.to_end())[-1] == "session-completed"
        await line.close()
        await back.close()
        assert len(list((again.folder / "personal").iterdir())) == 2
    finally:
        assert again.stop() == 0
        again.close()


@on_the_loop
async def test_a_second_signal_ends_a_station_that_is_slow_to_stop(program: Program) -> None:
    program.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0)
    await until(lambda: "stopping" in program.log.read_text(), "it stops")
    program.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(program.process.wait, STOPPED_WITHIN) in {0, -signal.SIGTERM}


def test_the_operators_token_is_made_once_and_is_for_the_owner_only(program: Program) -> None:
    assert program.stop() == 0
    made = [path for path in (program.folder / ".station").iterdir() if "token" in path.name]
    assert len(made) == 1
    assert made[0].stat().st_mode & 0o077 == 0
    assert len(made[0].read_text().strip()) >= 22
    assert made[0].read_text().strip() not in program.log.read_text()


def test_ids_are_random() -> None:
    ids = {server.new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", id) for id in ids)


def test_the_machine_s_own_name_is_answered_to() -> None:
    assert socket.gethostname() in asyncio.run(server._own_names())
