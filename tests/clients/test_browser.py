"""tus-js-client and Uppy in Chromium, at the station's own origin, through a bad network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.chaos import Chaos
from tests.clients.rig import ENDPOINT, HERE, MIB, Item, Station, assert_arrived, film

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "parallel": {"parallelUploads": 3},
    "length deferred": {"uploadLengthDeferred": True},
    "ietf-draft-03": {"protocol": "ietf-draft-03"},
    "ietf-draft-05": {"protocol": "ietf-draft-05"},
}
BUNDLES = {"tus": "tus-js-client/dist/tus.min.js", "uppy": "uppy/dist/uppy.min.js"}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Its content policy is switched off: the scripts are not the station's."""
    with browser.new_context(bypass_csp=True) as context:
        context.set_default_timeout(60_000)
        yield context.new_page()


def arrive(page: Page, base: str, packages: Path, bundle: str, *items: Item) -> None:
    """Open a page of the station with the client and the chosen files in it."""
    page.goto(f"{base}/health")
    page.evaluate("document.body.innerHTML = '<input type=file multiple>'")
    page.set_input_files("input", [item.path for item in items])
    for script in (packages / BUNDLES[bundle], HERE / "page.js"):
        page.add_script_tag(content=script.read_text())  # Playwright would read a file in a thread that stays


def by_tus(page: Page, base: str, item: Item, **more: Any) -> None:
    page.evaluate("drive.byTus", {"endpoint": base + ENDPOINT, "metadata": item.told, **more})


@pytest.mark.parametrize("way", WAYS)
def test_tus_js_client_gets_a_file_through(
    station: Station, weather: Callable[..., Chaos], page: Page, packages: Path, tmp_path: Path, way: str
) -> None:
    chaos = weather(faults=0, reach=500_000)
    (item,) = station.expect(film(tmp_path, "a.mp4", 4 * MIB))
    arrive(page, chaos.url, packages, "tus", item)
    chaos.strike(8)
    by_tus(page, chaos.url, item, options=WAYS[way])
    assert_arrived(station, [item])


@pytest.mark.parametrize("options", [{}, {"parallelUploads": 3}], ids=["plain", "parallel"])
def test_tus_js_client_goes_on_where_a_page_left_off(
    station: Station, weather: Callable[..., Chaos], page: Page, packages: Path, tmp_path: Path, options: dict[str, int]
) -> None:
    # No answer is cut in its head: Chromium takes that for a whole one, and tus-js-client half an address for one.
    chaos = weather(faults=0, reach=200_000, down=0)
    (item,) = station.expect(film(tmp_path, "a.mp4", 6 * MIB))
    # In small chunks, so that what counts as sent has also arrived.
    options = {**options, "chunkSize": 300_000}
    arrive(page, chaos.url, packages, "tus", item)
    chaos.strike(3)
    by_tus(page, chaos.url, item, options=options, until=4 * MIB)
    page.goto("about:blank")
    sent = chaos.up
    arrive(page, chaos.calmly().url, packages, "tus", item)
    chaos.strike(3)
    by_tus(page, chaos.url, item, options=options, resume=True)
    assert_arrived(station, [item])
    assert chaos.up - sent < 5 * MIB


def test_uppy_gets_three_files_through(
    station: Station, weather: Callable[..., Chaos], page: Page, packages: Path, tmp_path: Path
) -> None:
    chaos = weather(faults=0, reach=600_000)
    items = station.expect(*(film(tmp_path, name, 2 * MIB) for name in ("a.mp4", "b.mp4", "c.mp4")))
    arrive(page, chaos.url, packages, "uppy", *items)
    chaos.strike(8)
    order = {"endpoint": chaos.url + ENDPOINT, "metadata": [item.told for item in items]}
    assert page.evaluate("drive.byUppy", order) == []
    assert_arrived(station, items)
