"""The clients of docs/clients.md do what the page says: its blocks, joined as a reader would, on a real station."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.chaos import Chaos
from tests.clients.rig import HERE, MIB, Station, film, sha256
from tests.conftest import tool
from tests.docs.page import DOCS, blocks

PAGE = (DOCS / "clients.md").read_text(encoding="utf-8")
ADDRESS = "http://localhost:8005"
PATIENCE = 120  # seconds


def code(language: str) -> str:
    return "\n".join(text for kind, text in blocks(PAGE) if kind == language)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    station = Station(tmp_path_factory.mktemp("station"))
    yield station
    station.end()


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    return film(tmp_path, "movie.mp4", 3 * MIB)


@pytest.fixture
def weather(station: Station, request: pytest.FixtureRequest) -> Iterator[Chaos]:
    """A network that breaks six times."""
    seed = zlib.crc32(request.node.name.encode())
    with Chaos(station.port, seed, reach=600_000).running() as chaos:
        yield chaos.strike(6)
        assert chaos.calm, chaos.faults


def run(command: list[str], folder: Path, **environment: str) -> str:
    ended = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, **environment}
    )
    assert ended.returncode == 0, (ended.stdout[-4000:], ended.stderr[-4000:])
    return ended.stdout


def stored(station: Station, said: str) -> list[str]:
    """Digests of what the client said was stored."""
    names = re.findall(r"/upload/personal/([\w.-]+)", said)
    return [sha256(station.folder / "personal" / name) for name in names]


def test_every_block_is_in_a_language_that_is_run() -> None:
    assert {kind for kind, _ in blocks(PAGE)} == {"sh", "python", "js"}


def test_the_lines_for_curl(station: Station, movie: Path, tmp_path: Path) -> None:
    tool("curl", purpose="the documented command lines")
    script = code("sh").replace(ADDRESS, f"http://127.0.0.1:{station.port}")
    said = run(["sh", "-euc", script], tmp_path)
    first, *_ = re.findall(r'"sessionId":"([^"]+)"', said)
    assert [sha256(path) for path in station.stored(first)] == [sha256(movie)]
    (session,) = re.findall(r'"sessionId":"([^"]+)"', (tmp_path / "opened.json").read_text())
    assert [sha256(path) for path in station.stored(session)] == [sha256(movie)]
    upload = (tmp_path / "head.txt").read_text()
    (resumed,) = re.findall(r"/s/([0-9a-f-]{36})", upload)
    assert [sha256(path) for path in station.stored(resumed)] == [sha256(movie)]
    assert '"error":"UNSUPPORTED_FORMAT"' in said
    assert '"solution":' in said


def python_client(folder: Path, address: str) -> list[str]:
    (folder / "client.py").write_text(code("python"), encoding="utf-8")
    return [sys.executable, "-I", "client.py", "movie.mp4", address]


def test_the_python_client(station: Station, movie: Path, tmp_path: Path) -> None:
    said = run(python_client(tmp_path, f"http://127.0.0.1:{station.port}"), tmp_path)
    assert stored(station, said) == [sha256(movie)]
    assert "100 %" in said


def test_the_python_client_gets_a_file_through_a_bad_network(
    station: Station, movie: Path, weather: Chaos, tmp_path: Path
) -> None:
    said = run(python_client(tmp_path, weather.url), tmp_path)
    assert stored(station, said) == [sha256(movie)]


def test_the_python_client_says_what_was_refused(station: Station, tmp_path: Path) -> None:
    (tmp_path / "movie.exe").write_bytes(b"MZ")
    command = python_client(tmp_path, f"http://127.0.0.1:{station.port}")
    ended = subprocess.run(
        [*command[:3], "movie.exe", command[4]], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert ended.returncode == 1
    assert "not accepted" in ended.stdout + ended.stderr


def javascript_client(node: str, folder: Path, address: str) -> list[str]:
    (folder / "client.mjs").write_text(code("js"), encoding="utf-8")
    # A reader would say `npm install tus-js-client` here.
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    return [node, "--experimental-eventsource", "client.mjs", "movie.mp4", address]


@pytest.fixture
def packages() -> None:
    if not (HERE / "node_modules" / "tus-js-client").is_dir():
        pytest.skip("the JavaScript clients are not installed (sh tests/setup/install.sh)")


@pytest.mark.usefixtures("packages")
def test_the_javascript_client(station: Station, movie: Path, node: str, tmp_path: Path) -> None:
    said = run(javascript_client(node, tmp_path, f"http://127.0.0.1:{station.port}"), tmp_path)
    assert stored(station, said) == [sha256(movie)]
    assert "again: upload-completed" in said


@pytest.mark.usefixtures("packages")
def test_the_javascript_client_gets_a_file_through_a_bad_network(
    station: Station, movie: Path, weather: Chaos, node: str, tmp_path: Path
) -> None:
    said = run(javascript_client(node, tmp_path, weather.url), tmp_path)
    assert stored(station, said) == [sha256(movie)]
