"""Names of files that would like to be something else: shown as text on every page, in every state, and never run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from station.wire import loads
from tests.e2e.conftest import Visitors
from tests.e2e.doing import MIB, PROGRAM, TOO_WIDE, camera, choose, ended, film, payload, send, slow_down
from tests.handlers.site import HOSTILE_NAMES

if TYPE_CHECKING:
    from tests.e2e.conftest import Running

SCRIPTS = [
    "<img src=x onerror=hacked()>.mp4",
    '"><script>hacked()</script>.mp4',
    "'><svg onload=hacked()>.mp4",
    "javascript:hacked().mp4",
    "{{hacked()}}.mp4",
    "{% raw hacked() %}.mp4",
    "${hacked()}.mp4",
    "`;hacked();`.mp4",
    "</title></textarea></noscript><script>hacked()</script>.mp4",
    "&lt;script&gt;hacked()&lt;/script&gt;.mp4",
    "\u202e4pm.\u2066hacked\u2069.mp4",
    "__proto__.mp4",
    "constructor.mp4",
    "%3Cscript%3Ehacked()%3C%2Fscript%3E.mp4",
    "a" * 300 + "<script>hacked()</script>.mp4",
    "👩‍👩‍👧‍👦🏳️‍🌈" * 9 + ".mp4",
    "عربي <b>hacked()</b> עברית.mp4",
]
SENT = [camera(name, 500) for name in SCRIPTS + HOSTILE_NAMES]
NARROW = {"width": 320, "height": 640}
NAMES = "all => all.map(({textContent}) => textContent)"
STRANGERS = "[...document.querySelectorAll('main :is(script, iframe, textarea, img[src=x], .name *, .names *)')].length"
"""Elements that only a name could have brought."""


@pytest.fixture
def ran() -> list[str]:
    """What ran that should not have."""
    return []


@pytest.fixture
def guests(browser: Browser, run: Callable[..., Running], ran: list[str]) -> Iterator[Visitors]:
    """In each of their pages `hacked()` tells on whoever calls it."""
    visitors = Hooked(browser, run("--durability=process"), ran)
    yield visitors
    visitors.close()
    assert (ran, visitors.faults) == ([], [])


class Hooked(Visitors):
    def __init__(self, browser: Browser, station: Running, ran: list[str]) -> None:
        super().__init__(browser, station)
        self.station, self._ran = station, ran

    def context(self, **options: Any) -> Any:
        context = super().context(**options)
        context.expose_function("hacked", lambda: self._ran.append("hacked"))
        return context

    def shown(self, session_id: str) -> dict[str, str]:
        """The names as the station gives them to everybody."""
        address = f"{self.station.url}/api/upload/progress/{session_id}".replace("station.local", "127.0.0.1")
        with urlopen(address, timeout=60) as answer:
            return {file["id"]: file["originalName"] for file in loads(answer.read())["files"]}


def check(page: Page) -> None:
    page.wait_for_load_state()  # without its styles everything is wide
    assert page.evaluate(STRANGERS) == 0
    assert page.evaluate(TOO_WIDE) == 0


def names(page: Page) -> dict[str, str]:
    rows = "all => Object.fromEntries(all.map((it) => [it.dataset.file, it.querySelector('.name').textContent]))"
    found: dict[str, str] = page.eval_on_selector_all("li.file[data-file]", rows)
    return found


def invited(kiosk: Page) -> str:
    """The session that the screen offers."""
    kiosk.locator("[data-stage=ready]").wait_for()
    return (kiosk.locator(".scan img").get_attribute("data-url") or "").rpartition("/")[2]


def test_names_are_text_on_every_screen(guests: Hooked, tmp_path: Path) -> None:
    kiosk = guests.page("/kiosk", viewport={"width": 1280, "height": 800})
    session_id = invited(kiosk)
    sender, watcher = (guests.page(f"/s/{session_id}", viewport=NARROW) for _ in range(2))
    refused = refuse_some(sender)
    sender.get_by_role("button", name="Send").click()
    for page in (sender, watcher, kiosk):
        expect(page.locator("li[data-phase=completed]")).to_have_count(len(SENT) - refused)
        expect(page.locator("li[data-phase=failed]")).to_have_count(len(SCRIPTS))
    slow_down(sender, MIB // 4)
    choose(sender, film(tmp_path, SCRIPTS[0], 20 * MIB))
    for page in (sender, watcher, kiosk):
        expect(page.locator("li[data-phase=uploading]")).to_have_count(1)
    agree(guests, session_id, sender, watcher, kiosk)
    sender.locator("li[data-phase=uploading] button.cancel").click()
    expect(watcher.locator("li[data-phase=cancelled]")).to_have_count(1)
    kiosk.get_by_role("button", name="Done").click()
    for page in (kiosk, sender, watcher):
        assert ended(page) == "doneSomeTitle"
    agree(guests, session_id, sender, watcher, kiosk)


def refuse_some(page: Page) -> int:
    """Choose all. Those that are no films are listed, and all names are there. How many of `SENT` are no films."""
    strange = [payload(f"{name}.exe", b"MZ") for name in SCRIPTS]
    choose(page, *SENT, *(payload(name, PROGRAM) for name in SCRIPTS), *strange)
    expect(page.locator(".refused")).to_be_visible()
    told = page.eval_on_selector_all(".name", NAMES)
    assert [name for name in SCRIPTS if told.count(name) != 2 or told.count(f"{name}.exe") != 1] == []
    check(page)
    return page.locator(".refused li").count() - len(SCRIPTS)


def test_names_are_text_in_what_waits_and_after_a_reload(guests: Hooked) -> None:
    context = guests.context(viewport=NARROW)
    context.route("**/files/", lambda route: route.fulfill(status=503, headers={"Retry-After": "300"}))
    sender = context.new_page()
    sender.on("dialog", lambda dialog: dialog.accept())
    sender.goto("/")
    send(sender, *(camera(name) for name in SCRIPTS))
    # A network that loses files holds the queue: three were tried, the others wait for their turn.
    expect(sender.locator("li[data-phase=waiting]")).to_have_count(3)
    expect(sender.locator("li[data-phase=queued]")).to_have_count(len(SCRIPTS) - 3)
    session_id = sender.url.rpartition("/")[2]
    watcher = guests.page(sender.url, viewport=NARROW)
    expect(watcher.locator("li[data-phase=queued]")).to_have_count(len(SCRIPTS))
    agree(guests, session_id, sender, watcher)
    sender.goto("/")
    expect(sender.locator(".card .names")).to_contain_text(SCRIPTS[0])
    check(sender)
    sender.get_by_role("button", name="Go on").click()
    expect(sender.get_by_text("Choose these files again")).to_be_visible()
    agree(guests, session_id, sender)
    sender.get_by_role("button", name="Cancel all").click()
    sender.get_by_role("button", name="Yes, cancel").click()
    for page in (sender, watcher):
        assert ended(page) == "cancelledTitle"
    agree(guests, session_id, sender, watcher)


def agree(guests: Hooked, session_id: str, *pages: Page) -> None:
    """All show the names that the station gives, letter for letter."""
    shown = guests.shown(session_id)
    for page in pages:
        assert {id: name for id, name in names(page).items() if shown[id] != name} == {}
        check(page)


def test_names_are_text_where_the_page_is_a_plain_form(guests: Hooked) -> None:
    context = guests.context(viewport=NARROW)
    # Scripts may run, but ours do not come: what runs is a name's.
    context.route("**/static/js/**", lambda route: route.abort())
    page = context.new_page()
    page.goto("/")
    # A browser puts a NUL into the head of a part as it is, and then it is no head: the station refuses all of it.
    sent = [camera(name) for name in SCRIPTS + HOSTILE_NAMES if "\0" not in name]
    sent += [payload(name, PROGRAM) for name in SCRIPTS]
    page.get_by_label("Files").set_input_files(sent)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", level=1).wait_for()
    expect(page.locator("li.failed .name").first).to_be_visible()
    check(page)
    session_id = (page.get_by_role("link", name="See this upload").get_attribute("href") or "").split("/")[2][:36]
    assert sorted(page.eval_on_selector_all(".name", NAMES)) == sorted(guests.shown(session_id).values())
