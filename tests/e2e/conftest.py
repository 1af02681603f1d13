"""A running station of one's own and pages in a real browser, watched for anything that should not happen."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90_000
"""Milliseconds: on a machine that does twenty things at once a page takes its time. Who waits in vain has failed."""

# Chromium logs every request that failed or was refused; those are the test's own doing.
REQUESTS = re.compile(r"Failed to load resource|WebSocket connection to|the server responded with a status")
# Said five seconds after the load, where no script has run that wants it: none may, or the machine is busy.
PRELOADED = re.compile(r"api/upload/config was preloaded using link preload but not used within a few seconds")


class Running:
    """One station in a process of its own. Killed, it may be started again on the same port and folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._options = options
        self._port = free_port()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, str(ROOT / "server.py"), f"--port={self._port}", "--address=127.0.0.1"]
        command += [f"--upload_dir={self.folder}", *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        match = re.search(r"http://[^:/]+:(\d+)", line)
        assert match, f"the first line holds no URL: {line!r}"
        self._port = int(match[1])

    def end(self, how: int = signal.SIGKILL) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(timeout=60)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    @property
    def url(self) -> str:
        return f"http://station.local:{self._port}"

    def stored(self, category: str = "personal") -> list[Path]:
        folder = self.folder / category
        return sorted(folder.iterdir()) if folder.is_dir() else []


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Three browsers on two cores: what comes in a second at other times may take more than Playwright's five."""
    expect.set_options(timeout=PATIENCE)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start a station with further options; all are ended with the test."""
    running: list[Running] = []

    def start(*options: str) -> Running:
        station = Running(tmp_path / f"upload-{len(running)}", *options)
        running.append(station)
        station.start()
        return station

    yield start
    for station in running:
        station.end()


@pytest.fixture
def station(run: Callable[..., Running]) -> Running:
    return run()


class Visitors:
    """Opens browser contexts, and keeps what went wrong in any of their pages."""

    def __init__(self, browser: Browser, station: Running) -> None:
        self._browser = browser
        self.station = station
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def context(self, **options: Any) -> BrowserContext:
        """A visitor with a phone, in English unless told otherwise."""
        settings = {"viewport": {"width": 390, "height": 844}, "locale": "en-GB", **options}
        context = self._browser.new_context(base_url=self.station.url, **settings)
        context.set_default_timeout(PATIENCE)
        context.on("console", self._said)
        context.on("weberror", lambda fault: self.faults.append(str(fault.error)))
        context.on("request", self._asked)
        self._contexts.append(context)
        return context

    def page(self, path: str = "/", **options: Any) -> Page:
        page = self.context(**options).new_page()
        page.goto(path)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _said(self, message: ConsoleMessage) -> None:
        known = REQUESTS.search(message.text) or PRELOADED.search(message.text)
        if message.type in {"error", "warning"} and not known:
            self.faults.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.station.url, self.station.url.replace("http", "ws"), "blob:", "data:")):
            self.faults.append(f"left the station: {request.url}")


@pytest.fixture
def visitors(browser: Browser, station: Running) -> Iterator[Visitors]:
    """Fails the test when a page logged an error, threw, broke its policy or asked elsewhere."""
    visitors = Visitors(browser, station)
    yield visitors
    visitors.close()
    assert visitors.faults == []
