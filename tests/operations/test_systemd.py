"""The unit files: what systemd says of them, and that the station needs nothing that they take from it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import tool
from tests.handlers.site import HANDSHAKE, TUS, Line, at_offset, metadata, movie, on_the_loop, until
from tests.operations.fronts import OPERATIONS
from tests.test_server import ROOT, STOPPED_WITHIN

INSTALLED = "/opt/upload-station/bin/upload-station"
SERVICE = (OPERATIONS / "upload-station.service").read_text()


@pytest.fixture
def analyze() -> str:
    return tool("systemd-analyze", purpose="checking unit files")


def told(name: str) -> list[str]:
    """All that the unit says to one directive."""
    return re.findall(rf"^{name}=(.*)$", SERVICE, re.MULTILINE)


def units(folder: Path) -> list[str]:
    """Both files, as on a machine where the station is installed."""
    for name in ("upload-station.service", "upload-station.socket"):
        (folder / name).write_text((OPERATIONS / name).read_text().replace(INSTALLED, sys.executable))
    return [str(folder / "upload-station.service"), str(folder / "upload-station.socket")]


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_finds_nothing_wrong_with_the_units(analyze: str, tmp_path: Path) -> None:
    said = run(analyze, "verify", "--man=no", "--recursive-errors=no", *units(tmp_path))
    assert said.strip() == ""


def test_a_directive_that_does_not_exist_would_be_found(analyze: str, tmp_path: Path) -> None:
    service, _ = units(tmp_path)
    Path(service).write_text(SERVICE.replace("WatchdogSec", "WatchdogSeconds").replace(INSTALLED, sys.executable))
    done = subprocess.run([analyze, "verify", "--man=no", service], capture_output=True, text=True, check=False)
    assert "WatchdogSeconds" in done.stderr


def test_its_exposure_is_rated_ok(analyze: str, tmp_path: Path) -> None:
    service, _ = units(tmp_path)
    said = run(analyze, "security", "--offline=true", "--no-pager", "--threshold=20", service)
    (level,) = re.findall(r"Overall exposure level for upload-station.service: ([0-9.]+)", said)
    assert float(level) <= 2.0


def test_the_options_of_the_unit_are_those_of_the_program(tmp_path: Path) -> None:
    (command,) = told("ExecStart")
    program, *options = command.split()
    assert program == INSTALLED
    config = tmp_path / "station.conf"
    config.write_text("port = 8005\n")
    here = [option.replace("/etc/upload-station.conf", str(config)) for option in options]
    assert "usage: upload-station" in run(sys.executable, str(ROOT / "server.py"), *here, "--help")


# ---- what it takes away ----


def members(analyze: str, group: str) -> set[str]:
    """The system calls of a group."""
    lines = [line.strip() for line in run(analyze, "syscall-filter", "--no-pager", group).splitlines()]
    named = [line for line in lines if line and not line.startswith(("#", group))]
    return {each for name in named for each in (members(analyze, name) if name.startswith("@") else {name})}


async def exercised(port: int) -> None:
    """A page, a file in one request, one by tus, a socket, an address in the network."""
    line = Line(*await asyncio.open_connection("127.0.0.1", port), f"127.0.0.1:{port}")
    for address in ("/", "/kiosk", "/health", "/metrics", "/monitor"):
        assert (await line.ask("GET", address)).status in {200, 401}, address
    assert (await line.ask("PUT", "/u/a.mp4", movie(500_000))).status == 201
    fields = {**TUS, "Upload-Length": "500000", "Upload-Metadata": metadata(filename="b.mp4")}
    path = (await line.ask("POST", "/files/", b"", fields)).headers["Location"]
    assert (await line.ask("PATCH", path, movie(500_000), at_offset(0))).status == 204
    line.begin("GET", "/ws", HANDSHAKE)
    assert (await line.head())[0] == 101
    await line.close()


@on_the_loop
async def test_the_station_uses_no_system_call_that_the_unit_forbids(analyze: str, strace: str, tmp_path: Path) -> None:
    allowed = members(analyze, "@system-service") - members(analyze, "@privileged")
    assert told("SystemCallFilter") == ["@system-service", "~@privileged"]
    log, out = tmp_path / "calls", tmp_path / "out"
    options = [
        "--port=0",
        "--min-free-space=0",
        f"--upload-dir={tmp_path / 'upload'}",
        f"--on-completed={sys.executable} -V",
    ]
    with out.open("wb") as said:
        # With -D the tracer steps aside, and the process that is started is the station itself.
        process = subprocess.Popen(
            [strace, "-D", "-f", "-qq", "-o", str(log), sys.executable, str(ROOT / "server.py"), *options],
            stdout=said,
            stderr=said,
        )
    try:
        await until(lambda: "listens at" in out.read_text(), "it listens")
        (port,) = re.findall(r"listens at http://localhost:(\d+)/", out.read_text())
        await exercised(int(port))
        process.terminate()
        assert await asyncio.to_thread(process.wait, STOPPED_WITHIN) == 0
    finally:
        process.kill()
        process.wait()
    last = re.compile(rf"^{process.pid} +exit_group", re.MULTILINE)
    await until(lambda: last.search(log.read_text()) is not None, "all was written down")
    calls = log.read_text()
    used = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", calls, re.MULTILINE))
    assert {"openat", "fdatasync", "linkat", "accept4", "execve"} & used, used
    # SQLite gives its files to their owner when it runs as root, and only then; the unit does not run it so.
    assert used - allowed - ({"fchown"} if os.geteuid() == 0 else set()) == set()
    both = re.findall(r"^.*(?:mmap|mprotect)\(.*PROT_WRITE\|PROT_EXEC.*$", calls, re.MULTILINE)
    assert both == [], "MemoryDenyWriteExecute"
    families = set(re.findall(r"\bsocket\((AF_\w+)", calls))
    assert families <= set(told("RestrictAddressFamilies")[0].split())
    assert not re.findall(r'openat\(AT_FDCWD, "/(?:home|root)/[^"]*", O_(?:WRONLY|RDWR)', calls)
