"""What a first visit costs on the network, how soon a slow phone can choose files, and that the rest comes too."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.doing import busy

if TYPE_CHECKING:
    from tests.e2e.conftest import Running, Visitors

MOST_BYTES = 150 * 1024
# Of the first page, which everybody loads who only wants to choose files.
FIRST_BYTES = 110 * 1024
SOON = 1.0  # seconds

# A phone of the cheaper kind on a Wi-Fi that others use, too.
SLOWER = 4  # times as long for the same work as this machine
ROUND_TRIP, BANDWIDTH = 0.02, 10e6 / 8  # seconds, bytes a second
CONNECTIONS = 6  # that a browser opens to one host

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "locale": "zh-CN",
    "is_mobile": True,
    "has_touch": True,
}
USABLE = """() => new Promise((resolve) =>
  new PerformanceObserver((list) => list.getEntriesByName('usable').forEach(({ startTime }) => resolve(startTime)))
    .observe({ type: 'mark', buffered: true }))"""


class Wire:
    """What one page fetches, as its browser counts it: heads and bodies, compressed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bytes = 0
        self.addresses: list[str] = []
        self.cdp = page.context.new_cdp_session(page)
        self.cdp.on("Network.loadingFinished", self._count)
        self.cdp.on("Network.requestWillBeSent", lambda event: self.addresses.append(event["request"]["url"]))
        self.cdp.send("Network.enable")

    def _count(self, event: dict[str, float]) -> None:
        self.bytes += int(event["encodedDataLength"])

    def load(self, path: str) -> None:
        self.page.goto(path)
        self.page.wait_for_load_state("networkidle")


def opened(station: Running) -> str:
    """The path of a session that nobody has sent anything to, as a kiosk hands it over."""
    url = f"{station.url.replace('station.local', '127.0.0.1')}/api/upload/session"
    body = json.dumps({"category": "personal", "autoComplete": False}).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"})) as answer:
        return f"/s/{json.load(answer)['sessionId']}"


@pytest.mark.parametrize("which", ["/", "/s/", "/kiosk"])
def test_a_first_visit_is_small_and_fetches_nothing_twice_or_from_elsewhere(
    visitors: Visitors, station: Running, which: str
) -> None:
    page = visitors.context().new_page()
    wire = Wire(page)
    wire.load(opened(station) if which == "/s/" else which)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert wire.bytes < (FIRST_BYTES if which == "/" else MOST_BYTES)
    assert [address for address in wire.addresses if not address.startswith((station.url, "data:"))] == []
    # A kiosk asks again and again what it may show.
    once = [address for address in wire.addresses if "/handover/" not in address]
    assert sorted(once) == sorted(set(once))


def test_all_of_the_page_is_small(visitors: Visitors) -> None:
    """With what comes once somebody begins, but for the library that sends, which comes with the first file."""
    page = visitors.context().new_page()
    wire = Wire(page)
    wire.load("/")
    first = wire.bytes
    assert "rest.js" not in " ".join(wire.addresses)
    page.get_by_text("Choose files", exact=True).dispatch_event("pointerdown")
    expect(page.get_by_role("alert")).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert first < wire.bytes < MOST_BYTES


def test_a_slow_phone_can_choose_within_a_second(visitors: Visitors) -> None:
    """Reckoned, as Lighthouse does it: how long it takes here says more of what else this machine is doing.

    What the page costs its main thread is counted in the thread's own time, which other work does not change.
    """
    page = visitors.context(**PHONE).new_page()
    wire = Wire(page)
    page.goto("about:blank")
    before = busy(wire.cdp)
    page.goto("/")
    page.evaluate(USABLE)
    work = busy(wire.cdp) - before
    page.wait_for_load_state("networkidle")
    # Connect and ask for the page, connect for what it needs, then one request after the other on each connection.
    trips = 3 + math.ceil(len(wire.addresses) / CONNECTIONS)
    assert SLOWER * work + trips * ROUND_TRIP + wire.bytes / BANDWIDTH < SOON


class Hole:
    """A module that does not get through, under whatever address, until the network is mended."""

    def __init__(self, page: Page, name: str) -> None:
        """The first two requests are lost in any case."""
        self.asked: list[str] = []
        self.open = True
        page.route(f"**/static/**/{name}.js", self._answer)

    def _answer(self, route: Route) -> None:
        self.asked.append(route.request.url)
        if self.open or len(self.asked) <= 2:
            route.abort()
        else:
            route.continue_()

    def mend(self) -> None:
        self.open = False


@pytest.mark.parametrize("module", ["rest", "rows"])
def test_files_that_are_chosen_while_the_network_fails_are_not_lost(
    visitors: Visitors, station: Running, tmp_path: Path, module: str
) -> None:
    note = tmp_path / "a.txt"
    note.write_bytes(b"hello")
    page = visitors.page()
    hole = Hole(page, module)
    page.locator("input[type=file]").first.set_input_files(note)
    expect(page.get_by_role("alert")).to_contain_text("The network connection was lost.")
    hole.mend()
    expect(page.get_by_text("1 file chosen")).to_be_visible()
    expect(page.get_by_text("The network connection was lost.")).to_have_count(0)
    assert len(hole.asked) == len(set(hole.asked)) >= 3, "a browser never asks for the same address again"
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("h1[data-ending=doneTitle]")).to_be_visible()
    assert [path.read_bytes() for path in station.stored()] == [b"hello"]


def test_a_session_that_cannot_be_drawn_yet_says_so_and_comes(visitors: Visitors, station: Running) -> None:
    page = visitors.context().new_page()
    hole = Hole(page, "sending")
    page.goto(opened(station))
    expect(page.get_by_role("heading", name="The station cannot be reached right now")).to_be_visible()
    hole.mend()
    # Unless it has come by itself.
    page.evaluate("[...document.querySelectorAll('button')].find((it) => it.innerText === 'Try again')?.click()")
    expect(page.get_by_text("Choose files", exact=True)).to_be_visible()


def test_the_other_language_is_fetched_when_it_is_wanted_and_until_it_comes(visitors: Visitors) -> None:
    page = visitors.page()
    hole = Hole(page, "zh")
    expect(page.get_by_text("Choose files", exact=True)).to_be_visible()
    assert hole.asked == []
    hole.mend()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("上传文件")
    assert len(hole.asked) == 3
