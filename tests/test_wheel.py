"""The wheel: what it carries, that the station in it starts from any folder, and that a newer one takes its place."""

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

from handlers import RELEASE
from tests.conftest import tool

ROOT = Path(__file__).resolve().parent.parent
CARRIED = ("server.py", "client", "handlers", "station", "static", "templates")
NOT_CARRIED = {"__pycache__"}
PIP = ("-m", "pip", "--disable-pip-version-check")


def run(*command: str, cwd: Path, **variables: str) -> str:
    environment = os.environ | variables
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(root: Path) -> set[str]:
    found = [file for place in CARRIED for file in (root / place, *(root / place).rglob("*"))]
    return {file.relative_to(root).as_posix() for file in found if file.is_file() and not NOT_CARRIED & set(file.parts)}


def copied(folder: Path) -> Path:
    """What a wheel is made of, elsewhere: building writes into the folder that it builds from."""
    for name in files(ROOT) | {"Makefile", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def make_wheel(source: Path) -> Path:
    """As the documentation says, with the environment in which the tests run."""
    run("make", "wheel", f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.installed-run", cwd=source)
    (built,) = (source / "dist").iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wheel(copied(tmp_path_factory.mktemp("wheel")))


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
def started(program: Path, elsewhere: Path) -> Iterator[tuple[str, int]]:
    """Its version and port. It runs from an empty folder, and has nothing of this one in its environment."""
    process = subprocess.Popen(
        [program, "--port=0", "--min-free-space=0"],
        cwd=elsewhere,
        env={"PATH": os.defpath},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        found = re.match(r"Upload Station (\S+) listens at http://localhost:(\d+)/", process.stdout.readline().decode())
        assert found is not None
        yield found[1], int(found[2])
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
    with started(installed, tmp_path / "elsewhere") as (_, port):
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


# ---- a new version ----


def commit(source: Path, when: str) -> None:
    moments = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    who = ("-c", "user.name=n", "-c", "user.email=n@n.example", "-c", "commit.gpgsign=false")
    run("git", "add", ".", cwd=source)
    run("git", *who, "commit", "-q", "--allow-empty", "-m", when, cwd=source, **moments)


def test_a_wheel_that_is_made_without_git_bears_the_number_of_the_release(wheel: Path) -> None:
    assert wheel.name == f"upload_station-{RELEASE}-py3-none-any.whl"


def test_a_newer_wheel_takes_the_place_of_an_older_one_and_says_so(installed: Path, tmp_path: Path) -> None:
    tool("git", purpose="a wheel that names its commit")
    source = copied(tmp_path / "source")
    run("git", "init", "-q", cwd=source)
    for when, named in (("2026-11-28T10:52:43+01:00", "20261128095243"), ("2026-12-01T00:00:00Z", "20261201000000")):
        commit(source, when)
        built = make_wheel(source)  # of the second, the first is in `dist` until then
        run(str(installed.parent / "python"), *PIP, "install", "-q", "--upgrade", str(built), cwd=tmp_path)
        (tmp_path / named).mkdir()
        with started(installed, tmp_path / named) as (version, _):
            assert version == f"{RELEASE}.post{named}"
