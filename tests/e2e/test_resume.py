"""Uploads that are broken off, in a real browser against a real station: what is stored is never sent again.

A page is opened anew, a browser or the station dies, the network goes and comes back, a bad one loses connections.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request as Call
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, CDPSession, Dialog, Page, Request, expect

from tests.clients.chaos import CUTTING, Chaos
from tests.e2e.conftest import Running, Visitors
from tests.e2e.doing import block, choose, ended, film, phases, row, send, slow_down

if TYPE_CHECKING:
    from playwright.sync_api import StorageState

MIB = 1024**2

# What a page remembers is written a moment after it changed; digests are computed beside the sending.
DIGESTS = """
([count, one]) => Object.values(JSON.parse(localStorage.getItem(one))?.sessions ?? {})
  .flatMap(({ files }) => Object.values(files)).filter(({ digest, url }) => digest && url).length === count
"""
# A lottery of waits would only make a test slow.
NO_WAITING = "Math.random = () => 0"
LONGEST_WAITS = "Math.random = () => 0.99"


class Behind(Running):
    """A station as it is reached through a bad network."""

    def __init__(self, station: Running, port: int) -> None:
        super().__init__(station.folder)
        self._port = port


@pytest.fixture
def behind(browser: Browser, station: Running) -> Iterator[Callable[..., tuple[Visitors, Chaos]]]:
    """Put a network before the station that cuts connections as soon as it is told to."""
    with ExitStack() as open_ones:
        faults: list[str] = []

        def put(reach: int) -> tuple[Visitors, Chaos]:
            chaos = Chaos(int(station.url.rpartition(":")[2]), 20, reach=reach, kinds=CUTTING)
            open_ones.enter_context(chaos.running())
            visitors = Visitors(browser, Behind(station, chaos.port))
            open_ones.callback(visitors.close)
            visitors.faults = faults
            return visitors, chaos

        yield put
    assert faults == []


class Sent:
    """What a page sends of files from now on: for each request the offset at which it starts."""

    def __init__(self, page: Page) -> None:
        self.offsets: list[int] = []
        page.on("request", self._look)

    def _look(self, request: Request) -> None:
        if request.method == "PATCH":
            self.offsets.append(int(request.headers["upload-offset"]))


def post(station: Running, path: str, value: object) -> Any:
    address = station.url.replace("station.local", "127.0.0.1") + path
    with urlopen(Call(address, json.dumps(value).encode(), method="POST"), timeout=60) as answer:
        return json.load(answer)


def get(station: Running, path: str) -> Any:
    with urlopen(station.url.replace("station.local", "127.0.0.1") + path, timeout=60) as answer:
        return json.load(answer)


def leave(page: Page, go: Callable[[], object]) -> list[str]:
    """Go, and say yes to whatever the browser asks; which kinds of question those were."""
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", agree)
    go()
    page.remove_listener("dialog", agree)
    return asked


def there(network: CDPSession, yes: bool) -> None:
    """Whether the browser has a network. The session is the one that slowed it down: another one does not rule it."""
    limits = {"offline": not yes, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", limits)


def under_way(page: Page, *names: str) -> None:
    """Some of each is stored, and some is not."""
    for name in names:
        bar = row(page, name, "uploading").get_by_role("progressbar")
        expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))


def remembered(page: Page, count: int) -> StorageState:
    """What a browser still has after a crash, once it has computed the digests of so many files."""
    page.wait_for_function(DIGESTS, arg=[count, "upload-station"])
    return page.context.storage_state()


def until_failed(station: Running, session_id: str, count: int) -> None:
    """Until the station has given up waiting for the sender of so many files."""
    seq, failed = 0, 0
    while failed < count:
        news = get(station, f"/api/upload/progress/{session_id}?since={seq}&wait=10")
        states = [file["status"] for file in news["files"]]
        seq, failed = news["seq"], states.count("failed")
        assert "completed" not in states, "it got through before its sender was gone"


def contents(station: Running) -> set[bytes]:
    return {path.read_bytes() for path in station.stored()}


def names(station: Running) -> list[str]:
    return sorted(path.name.rpartition("Z_")[2] for path in station.stored())


def test_after_a_reload_the_same_file_goes_on_from_where_it_stopped(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    path = film(tmp_path, "holiday.mp4", 10 * MIB)
    page = visitors.page()
    brake = slow_down(page, MIB // 4)
    send(page, path)
    under_way(page, "holiday.mp4")
    assert leave(page, page.reload) == ["beforeunload"]
    expect(page.get_by_role("heading", level=1)).to_have_text("Some files need you")
    expect(row(page, "holiday.mp4", "paused")).to_contain_text("Choose the same file again to go on")
    assert leave(page, lambda: page.goto("/")) == [], "nothing is being sent"
    card = page.locator(".card", has_text="An upload is not finished")
    expect(card).to_contain_text(re.compile(r"1 file: [\d.]+.[KM]B of 10.MB are safe"))
    expect(card).to_contain_text("holiday.mp4")
    card.get_by_role("button", name="Go on").click()
    brake.detach()
    again = Sent(page)
    page.get_by_label("Choose these files").set_input_files(path)
    assert ended(page) == "doneTitle"
    assert [offset > MIB // 10 for offset in again.offsets] == [True], "one request, and not from the start"
    assert [stored.read_bytes() for stored in station.stored()] == [path.read_bytes()]
    page.goto("/")
    expect(page.get_by_text("Choose files", exact=True)).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)


def test_after_a_crash_the_content_tells_whether_it_is_the_same_file(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    touched, changed = film(tmp_path, "touched.mp4", 8 * MIB), film(tmp_path, "changed.mp4", 8 * MIB)
    page = visitors.page()
    slow_down(page, MIB // 4)
    send(page, touched, changed)
    under_way(page, "touched.mp4", "changed.mp4")
    left, session_id = remembered(page, 2), page.url.rpartition("/")[2]
    # Not closed: then it would not be slowed down any more, and what is left may get through before it is gone (seen).
    leave(page, lambda: page.goto("about:blank"))
    until_failed(station, session_id, 2)
    page.context.close()

    # Phones give another time to the same file with each pick; only the other one has other bytes.
    os.utime(touched, (1_000_000_000, 1_000_000_000))
    changed.write_bytes(changed.read_bytes()[:-1] + b"!")
    page = visitors.page(storage_state=left)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Choose these files again")).to_be_visible()
    again = Sent(page)
    page.get_by_label("Choose these files").set_input_files([touched, changed])
    assert ended(page) == "doneTitle"
    assert sorted(offset > 0 for offset in again.offsets) == [False, True]
    for name in ("touched.mp4", "changed.mp4"):
        expect(row(page, name)).to_contain_text("Checked: the same as on this device")
    assert names(station) == ["changed.mp4", "touched.mp4"]
    assert contents(station) == {touched.read_bytes(), changed.read_bytes()}


def test_without_a_network_it_waits_and_goes_on_by_itself(
    behind: Callable[..., tuple[Visitors, Chaos]], station: Running, tmp_path: Path
) -> None:
    paths = [film(tmp_path, name, 8 * MIB) for name in ("a.mp4", "b.mp4")]
    visitors, chaos = behind(reach=0)
    context = visitors.context()
    context.add_init_script(LONGEST_WAITS)
    page = context.new_page()
    page.goto("/")
    network = slow_down(page, MIB // 4)
    send(page, *paths)
    under_way(page, "a.mp4", "b.mp4")
    # What is under way already this browser would let through: it has to be cut as well.
    chaos.strike(9)
    there(network, False)
    for path in paths:
        expect(row(page, path.name, "waiting")).to_contain_text("goes on when the network is back")
        expect(row(page, path.name)).to_contain_text("This device has no network.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting for the network")
    expect(page.locator(".connection")).to_have_text("No network")
    chaos.calmly()
    again = Sent(page)
    there(network, True)
    assert ended(page) == "doneTitle"
    assert again.offsets
    assert all(offset > 0 for offset in again.offsets)
    assert contents(station) == {path.read_bytes() for path in paths}


@pytest.mark.parametrize("blocked", [("websocket",), ("websocket", "sse")], ids=["sse", "polling"])
def test_a_killed_station_goes_on_whatever_transport_is_left(
    visitors: Visitors, station: Running, tmp_path: Path, blocked: tuple[str, ...]
) -> None:
    path = film(tmp_path, "long.mp4", 10 * MIB)
    context = visitors.context()
    block(context, *blocked)
    page = context.new_page()
    page.goto("/")
    brake = slow_down(page, MIB // 4)
    send(page, path)
    under_way(page, "long.mp4")
    station.end(signal.SIGKILL)
    expect(row(page, "long.mp4", "waiting")).to_be_visible()
    brake.detach()
    again = Sent(page)
    station.start()
    assert ended(page) == "doneTitle"
    assert again.offsets
    assert all(offset > 0 for offset in again.offsets)
    assert [stored.read_bytes() for stored in station.stored()] == [path.read_bytes()]


def test_a_bad_network_costs_little_more_than_the_files(
    behind: Callable[..., tuple[Visitors, Chaos]], station: Running, tmp_path: Path
) -> None:
    paths = [film(tmp_path, f"{number}.mp4", 4 * MIB) for number in range(4)]
    visitors, chaos = behind(reach=MIB)
    context = visitors.context()
    context.add_init_script(NO_WAITING)
    page = context.new_page()
    page.goto("/")
    choose(page, *paths)
    expect(page.get_by_text("4 files chosen")).to_be_visible()
    chaos.strike(20)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Confirm").click()
    assert ended(page) == "doneTitle"
    assert sum(chaos.faults.values()) > 5
    assert chaos.up < 2 * sum(path.stat().st_size for path in paths)
    assert contents(station) == {path.read_bytes() for path in paths}


def test_two_tabs_of_one_browser_do_not_take_each_others_files(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    paths = [film(tmp_path, "left.mp4", 8 * MIB), film(tmp_path, "right.mp4", 8 * MIB)]
    context = visitors.context()
    tabs = [context.new_page() for _ in paths]
    brakes: list[CDPSession] = []
    for tab, path in zip(tabs, paths, strict=True):
        tab.goto("/")
        brakes.append(slow_down(tab, MIB // 8))
        send(tab, path)
        under_way(tab, path.name)
    assert tabs[0].url != tabs[1].url
    for tab in tabs:
        expect(tab.locator("li.file")).to_have_count(1)
        leave(tab, tab.reload)
    for tab, path in zip(tabs, paths, strict=True):
        expect(row(tab, path.name, "paused")).to_be_visible()
        expect(tab.locator("li.file")).to_have_count(1)
    # In the other tab it is a new file; in its own it goes on.
    left, right = tabs
    for brake in brakes:
        brake.detach()
    choose(left, paths[1])
    expect(row(left, "right.mp4", "completed")).to_be_visible()
    expect(row(left, "left.mp4", "paused")).to_be_visible()
    for tab, path in zip(tabs, paths, strict=True):
        again = Sent(tab)
        tab.get_by_label("Choose these files").set_input_files(path)
        assert ended(tab) == "doneTitle"
        assert [offset > 0 for offset in again.offsets] == [True]
    assert len(phases(left)) == 2
    assert len(phases(right)) == 1
    assert names(station) == ["left.mp4", "right.mp4", "right.mp4"]


def test_a_session_opened_elsewhere_is_filled_and_finished_here(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    session_id = post(station, "/api/upload/session", {"category": "scenic", "autoComplete": False})["sessionId"]
    page = visitors.page(f"/s/{session_id}")
    choose(page, film(tmp_path, "a.mp4", MIB))
    page.get_by_role("button", name="Send").click()
    expect(row(page, "a.mp4", "completed")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("All of them have arrived")
    choose(page, film(tmp_path, "b.mp4", MIB))
    expect(row(page, "b.mp4", "completed")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    assert ended(page) == "doneTitle"
    assert len(station.stored("scenic")) == 2
