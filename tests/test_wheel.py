"""The wheel: what it carries, and that the station in it starts from any folder."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CARRIED = ("server.py", "client", "handlers", "station", "static", "templates")
NOT_CARRIED = {"__pycache__"}
PIP = ("-m", "pip", "--disable-pip-version-check")


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(root: Path) -> set[str]:
    found = [file for place in CARRIED for file in (root / place, *(root / place).rglob("*"))]
    return {file.relative_to(root).as_posix() for file in found if file.is_file() and not NOT_CARRIED & set(file.parts)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # From a copy: building writes into the folder that it builds from.
    for name in files(ROOT) | {"setup.cfg", "pyproject.toml", "README.md", "LICENSE"}:
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "source" / name)
    run(sys.executable, *PIP, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", ".", "./source", cwd=folder)
    (built,) = folder.glob("upload_station-*.whl")
    return built


def test_the_wheel_carries_the_whole_station(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    assert files(tmp_path) == files(ROOT)


# ---- installed ----


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, in an environment that has nothing but what the wheel asks for."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=True)
    run(str(place / "bin" / "python"), *PIP, "install", "-q", str(wheel), cwd=place)
    return place / "bin" / "upload-station"


@contextmanager
def started(program: Path, elsewhere: Path) -> Iterator[int]:
    """Its port. It runs from a folder that holds nothing, and has nothing of this one in its environment."""
    process = subprocess.Popen(
        [program, "--port=0", "--min-free-space=0"],
        cwd=elsewhere,
        env={"PATH": os.defpath},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        found = re.search(rb"http://localhost:(\d+)/", process.stdout.readline())
        assert found is not None
        yield int(found[1])
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def get(port: int, address: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", address)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_installed_from_the_wheel_it_serves_from_any_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    photo = tmp_path / "photo.txt"
    photo.write_bytes(b"from the wheel\n" * 1000)
    with started(installed, tmp_path / "elsewhere") as port:
        for address, status in (("/", 200), ("/kiosk", 200), ("/monitor", 401), ("/health", 200), ("/metrics", 200)):
            assert get(port, address)[0] == status, address
        page = get(port, "/")[1].decode()
        linked = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
        assert linked
        for address in linked:
            assert get(port, address)[0] == 200, address
        sent = [str(installed), "send", str(photo), "--to", f"http://127.0.0.1:{port}"]
        run(*sent, cwd=tmp_path)
    (stored,) = (tmp_path / "elsewhere" / "upload" / "personal").iterdir()
    assert stored.read_bytes() == photo.read_bytes()
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["upload"]
