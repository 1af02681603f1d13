"""Rules that hold for every test: nothing leaks, nothing logs an error unseen, nothing is skipped in CI.

Also finds the real tools (Chromium, Node, strace) for those tests that need them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from tornado.ioloop import IOLoop

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
DESCRIPTORS = Path("/proc/self/fd")
PATIENCE = 30.0  # seconds that something on its way out may take before it counts as leaked
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
    # Unlike localhost, a name gets what a phone gets on plain http: no subtle crypto, wake lock, clipboard and so on.
    "--host-resolver-rules=MAP station.local 127.0.0.1",
)

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if IN_CI else "local")


# ---- nothing is skipped in CI ----


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing may be: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing may be: {report.longrepr}"
    return report


# ---- nothing leaks ----


def pytest_configure() -> None:
    # Told that there is no loop, asyncio makes none by itself when pytest-tornado asks for the current one.
    asyncio.set_event_loop(None)


def pytest_collection_finish() -> None:
    # What is here now stays to the end; freezing it makes collecting after each test cheap (90 ms before).
    gc.collect()
    gc.freeze()


def open_descriptors() -> dict[str, str]:
    """Every open descriptor of this process and what it leads to; empty where the system does not tell."""
    found = {}
    for entry in DESCRIPTORS.iterdir() if DESCRIPTORS.is_dir() else ():
        try:
            found[entry.name] = os.readlink(entry)
        except FileNotFoundError:  # the one that listed the folder
            continue
    return found


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail a test that leaves descriptors open or threads running."""
    descriptors = open_descriptors()
    threads = set(threading.enumerate())
    yield
    gc.collect()  # handlers sit in reference cycles
    started = [thread for thread in threading.enumerate() if thread not in threads]
    for thread in started:
        thread.join(PATIENCE)
    alive = [thread.name for thread in started if thread.is_alive()]
    opened = [goal for number, goal in open_descriptors().items() if descriptors.get(number) != goal]
    assert not alive, f"threads still running: {alive}"
    assert not opened, f"descriptors still open: {opened}"


async def leftovers(io_loop: IOLoop) -> list[str]:
    """Wait a little for what is on its way out, then name and cancel the tasks that stay."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    if not tasks:
        return []
    _, pending = await asyncio.wait(tasks, timeout=PATIENCE)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return [repr(task) for task in pending]


@pytest.fixture
def io_loop(io_loop: IOLoop) -> Iterator[IOLoop]:
    """pytest-tornado's loop, which must be empty when the test's servers and clients are gone.

    The plugin closes the loop with every descriptor registered on it, so a leak would go unseen after that.
    """
    yield io_loop
    tasks = io_loop.run_sync(lambda: leftovers(io_loop))
    handlers = getattr(io_loop, "handlers", {})
    watched = [repr(source) for source, _ in handlers.values()]
    assert not tasks, f"tasks still running: {tasks}"
    assert not watched, f"sockets still open: {watched}"


# ---- nothing logs an error unseen ----


@pytest.fixture(autouse=True)
def no_logged_errors(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test that logs an ERROR, in any logger, unless it is marked `expects_errors`."""
    yield
    if request.node.get_closest_marker("expects_errors"):
        return
    phases = ("setup", "call", "teardown")
    records = [record for phase in phases for record in caplog.get_records(phase)]  # type: ignore[arg-type]
    errors = [f"{r.name}: {r.getMessage()}" for r in records if r.levelno >= logging.ERROR]
    assert not errors, f"logged as errors: {errors}"


# ---- the real tools ----


def tool(*names: str, purpose: str) -> str:
    """The path of the first of these programs that is installed; skips the test when none is."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"{names[0]} is not installed, and {purpose} needs it")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    return tool("chromium", "chromium-browser", "google-chrome", purpose="the page in a real browser")


@pytest.fixture(scope="session")
def strace() -> str:
    """The path of strace."""
    return tool("strace", purpose="watching or failing system calls")


@pytest.fixture(scope="session")
def node() -> str:
    """The path of a Node; playwright carries one."""
    from playwright._impl._driver import compute_driver_executable

    own = Path(compute_driver_executable()[0])
    return str(own) if own.exists() else tool("node", purpose="the page's modules")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium with an empty profile, driven by Playwright's synchronous API.

    One a module, not one a session: while Playwright runs, this thread counts as inside a running event loop,
    and no other test could start one.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS), timeout=120_000)
        yield browser
        browser.close()
