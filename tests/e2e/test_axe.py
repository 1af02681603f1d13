"""Every state of every page, light and dark, in both languages: axe-core finds nothing wrong with any of them.

States are walked through within few pages, and held while they are looked at: a load costs more than a look.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, WebSocketRoute, expect

from tests.e2e.axe import findings
from tests.e2e.conftest import Visitors
from tests.e2e.doing import (
    MIB,
    PROGRAM,
    camera,
    choose,
    ended,
    film,
    payload,
    program,
    put_into,
    row,
    send_here,
    slow_down,
    stand_still,
    turn,
)

if TYPE_CHECKING:
    from tests.e2e.conftest import Running

OTHER_LANGUAGE = "document.querySelector('header button').click()"
DRAG = """
(name) => {
  const dataTransfer = new DataTransfer()
  dataTransfer.items.add(new File(['x'], 'a.mp4'))
  dispatchEvent(new DragEvent(name, { dataTransfer }))
}
"""
# Where the debugger may run scripts the browser hides what is for those who have none.
SHOW_NOSCRIPT = "document.querySelectorAll('noscript').forEach((it) => it.replaceWith(...it.childNodes))"


class Look:
    """Looks at what a page shows, in the light and in one language, in the dark and in the other."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.looks = 0

    def at(self, page: Page, state: str) -> None:
        """In a page that draws itself the language changes in place, and back again."""
        self._one(page, state, "light")
        page.evaluate(OTHER_LANGUAGE)
        self._one(page, state, "dark")
        page.evaluate(OTHER_LANGUAGE)

    def both(self, page: Page, state: str, render: Callable[[Page, str], None]) -> None:
        """`render` brings the page there, in the language it is given."""
        for scheme, language in (("light", "en"), ("dark", "zh-CN")):
            render(page, language)
            self._one(page, state, scheme)

    def _one(self, page: Page, state: str, scheme: str) -> None:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        self.looks += 1
        self.found += [f"{state}, {scheme}: {finding}" for finding in findings(page)]


class Held:
    """Requests that get no answer until they are let go."""

    def __init__(self, page: Page, address: str) -> None:
        self._page, self._address = page, address
        self._routes: list[Route] = []
        page.route(address, self._keep)

    def let_go(self) -> None:
        for route in self._routes:
            route.continue_()
        self._page.unroute(self._address)

    def break_off(self) -> None:
        for route in self._routes:
            route.abort()
        self._page.unroute(self._address)
        self._page.route(self._address, lambda route: route.abort())

    def _keep(self, route: Route) -> None:
        self._routes.append(route)


class Messages:
    """What the station pushes to a page, held back from the first message on that holds a certain word."""

    def __init__(self, page: Page) -> None:
        self._until = ""
        self._waiting: list[str | bytes] = []
        self._changes: dict[str, str] = {}
        self._socket: WebSocketRoute | None = None
        page.route_web_socket(re.compile("/ws"), self._opened)

    def hold(self, word: str) -> None:
        self._until = word

    def let_go(self) -> None:
        self._until = ""
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self._pass(message)

    def falsify(self, old: str, new: str) -> None:
        """By a regular expression."""
        self._changes[old] = new

    def say(self, event: str, data: dict[str, object]) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps({"event": event, "data": data}))

    def _opened(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.connect_to_server().on_message(self._take)

    def _take(self, message: str | bytes) -> None:
        if self._waiting or (self._until and self._until in str(message)):
            self._waiting.append(message)
        else:
            self._pass(message)

    def _pass(self, message: str | bytes) -> None:
        assert self._socket is not None
        text = str(message)
        for old, new in self._changes.items():
            text = re.sub(old, new, text)
        self._socket.send(text)


def busy(page: Page, *names: str) -> None:
    """For these files the station says that it has too much to do."""
    told = [base64.b64encode(name.encode()).decode() for name in names]

    def answer(route: Route) -> None:
        metadata = route.request.headers.get("upload-metadata", "")
        if any(name in metadata for name in told):
            route.fulfill(status=503, headers={"Retry-After": "300"}, json={"error": "TOO_MANY_CONNECTIONS"})
        else:
            route.continue_()

    page.route("**/files/", answer)


@pytest.fixture
def look() -> Iterator[Look]:
    look = Look()
    yield look
    assert look.looks > 0
    assert look.found == []


@pytest.fixture
def visit(browser: Browser, run: Callable[..., Running]) -> Iterator[Callable[..., Visitors]]:
    """Visitors of a station with options of its own."""
    all_visitors: list[Visitors] = []

    def start(*options: str) -> Visitors:
        all_visitors.append(Visitors(browser, run(*options)))
        return all_visitors[-1]

    yield start
    for visitors in all_visitors:
        visitors.close()
    assert [fault for visitors in all_visitors for fault in visitors.faults] == []


def test_the_page_until_something_is_sent(visit: Callable[..., Visitors], look: Look) -> None:
    page = visit("--upload-pin=2468", "--contact=Ms Li, room 3").context().new_page()
    config = Held(page, "**/api/upload/config")
    page.goto("/")
    expect(page.get_by_text("Opening…")).to_be_visible()
    look.at(page, "loading")
    config.break_off()
    expect(page.get_by_role("alert").first).to_be_visible()
    look.at(page, "unreachable")
    page.unroute("**/api/upload/config")
    # Unless it has tried again by itself.
    page.evaluate("document.querySelector('main button')?.click()")
    pin = page.get_by_label("PIN", exact=True)
    expect(pin).to_be_visible()
    look.at(page, "PIN")
    pin.fill("1357")
    pin.press("Enter")
    expect(pin).to_have_attribute("aria-invalid", "true")
    look.at(page, "wrong PIN")
    pin.fill("2468")
    pin.press("Enter")
    expect(page.get_by_text("Choose files", exact=True)).to_be_visible()
    look.at(page, "nothing chosen")
    page.get_by_text("Accepted formats").click()
    look.at(page, "formats")
    page.evaluate(DRAG, "dragenter")
    expect(page.locator(".drop-here")).to_be_visible()
    look.at(page, "files over the page")
    page.evaluate(DRAG, "dragleave")
    verdict = Held(page, "**/api/upload/validate")
    choose(page, payload("tool.exe", b"MZ"), payload("empty.mp4", b""), payload("good.mp4", b"x" * 1000))
    expect(page.get_by_text("Looking at 3 files…")).to_be_visible()
    look.at(page, "files being looked at")
    verdict.let_go()
    expect(page.locator(".refused")).to_contain_text("tool.exe")
    look.at(page, "some refused")
    page.get_by_role("button", name="OK").click()
    look.at(page, "chosen")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look.at(page, "which category")


def test_the_page_while_files_are_on_their_way(visit: Callable[..., Visitors], look: Look, tmp_path: Path) -> None:
    visitors = visit()
    page = visitors.context().new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    messages = Messages(page)
    messages.hold("upload-completed")
    busy(page, "busy.mp4")
    page.goto("/")
    slow_down(page, MIB // 4)
    game = program(tmp_path, "game.mp4")
    long = [film(tmp_path, name, 20 * MIB) for name in ("1.mp4", "2.mp4", "paused.mp4")]
    short = [film(tmp_path, name, 1000) for name in ("saved.mp4", "busy.mp4", "3.mp4", "4.mp4")]
    choose(page, *long[:2], game, *long[2:], *short)
    page.get_by_role("button", name="Send").click()
    put_into(page, "Personal videos")
    expect(row(page, "paused.mp4", "uploading")).to_be_visible()
    watcher = visitors.page(page.url)
    expect(row(watcher, "paused.mp4", "uploading")).to_be_visible()
    look.at(watcher, "watching")
    watcher.close()
    page.get_by_role("button", name="Pause paused.mp4").click()
    for name, phase in (("game.mp4", "failed"), ("saved.mp4", "saving"), ("1.mp4", "uploading"), ("4.mp4", "queued")):
        expect(row(page, name, phase)).to_be_visible()
    expect(row(page, "busy.mp4", "waiting")).to_contain_text("trying again in")
    expect(row(page, "paused.mp4", "paused")).to_be_visible()
    look.at(page, "sending")
    messages.let_go()
    page.get_by_role("button", name="Cancel all").click()
    look.at(page, "whether to cancel everything")
    page.get_by_role("button", name="Keep sending").click()
    page.context.set_offline(True)
    expect(page.locator(".connection")).to_have_text("No network")
    look.at(page, "no network")
    page.context.set_offline(False)
    page.reload()
    expect(page.get_by_text("Choose these files again")).to_be_visible()
    look.at(page, "files to be picked again")
    page.goto("/")
    expect(page.get_by_text("An upload is not finished")).to_be_visible()
    look.at(page, "unfinished")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Cancel all").click()
    page.get_by_role("button", name="Yes, cancel").click()
    assert ended(page) == "cancelledTitle"
    look.at(page, "cancelled")


def test_the_page_at_the_end(visit: Callable[..., Visitors], look: Look, tmp_path: Path) -> None:
    page = visit("--categories=only").context().new_page()
    messages = Messages(page)
    page.goto("/")
    send_here(page, camera("good.mp4"))
    assert ended(page) == "doneTitle"
    expect(page.get_by_text("Checked: the same")).to_be_visible()
    look.at(page, "done")
    page.get_by_role("button", name="Send more").click()
    messages.falsify(r'(blake3", *"value": *)"....', r'\1"0000')
    send_here(page, payload("game.mp4", PROGRAM), camera("other.mp4"))
    assert ended(page) == "doneSomeTitle"
    expect(page.get_by_text("A file is not the same")).to_be_visible()
    look.at(page, "some done, one different")
    page.get_by_role("button", name="Send more").click()
    send_here(page, payload("game.mp4", PROGRAM))
    assert ended(page) == "failedTitle"
    look.at(page, "failed")
    page.get_by_role("button", name="Try again").click()
    slow_down(page, MIB // 4)
    send_here(page, film(tmp_path, "long.mp4", 20 * MIB))
    expect(row(page, "long.mp4", "uploading")).to_be_visible()
    messages.say("error", {"event": "join-session", "error": {"code": "SESSION_NOT_FOUND"}})
    expect(page.get_by_text("There is no such upload")).to_be_visible()
    look.at(page, "gone")


def test_the_pages_without_javascript(visit: Callable[..., Visitors], look: Look) -> None:
    visitors = visit("--upload-pin=2468")
    page = visitors.context().new_page()
    scripts = page.context.new_cdp_session(page)

    def walk(state: str, go: Callable[[str], object]) -> None:
        def render(_: Page, language: str) -> None:
            scripts.send("Emulation.setScriptExecutionDisabled", {"value": True})
            go(language)
            assert page.locator("html").get_attribute("lang") == language
            scripts.send("Emulation.setScriptExecutionDisabled", {"value": False})
            page.evaluate(SHOW_NOSCRIPT)

        look.both(page, state, render)

    def at(path: str) -> Callable[[str], object]:
        return lambda language: page.goto(f"{path}?lang={language}")

    def give_pin(language: str, pin: str) -> None:
        page.goto(f"/?lang={language}")
        page.locator("[name=pin]").fill(pin)
        page.locator("[name=pin]").press("Enter")
        page.locator("[aria-invalid], [name=files]").wait_for()

    def sending(*files: FilePayload) -> Callable[[str], None]:
        def go(language: str) -> None:
            page.goto(f"/?lang={language}")
            page.set_input_files("[name=files]", list(files))
            page.locator("button").click()
            page.locator(".foot").wait_for()

        return go

    walk("PIN form", at("/"))
    walk("wrong PIN", lambda language: give_pin(language, "1357"))
    walk("form", lambda language: give_pin(language, "2468") if language == "en" else at("/")(language))
    walk("all stored", sending(camera("good.mp4")))
    walk("some stored", sending(camera("good.mp4"), payload("game.mp4", PROGRAM)))
    walk("nothing stored", sending(payload("game.mp4", PROGRAM)))
    for path in ("/j", "/j/123456", "/j/none", "/s/none", "/kiosk"):
        walk(path, at(path))


def test_the_kiosk_from_one_visitor_to_the_next(visit: Callable[..., Visitors], look: Look, tmp_path: Path) -> None:
    visitors = visit("--upload-pin=2468", "--wifi-name=Hall", "--wifi-password=open sesame", "--kiosk-idle=8s")
    kiosk = visitors.context(viewport={"width": 1280, "height": 800}).new_page()
    kiosk.clock.install()
    opening, handover = Held(kiosk, "**/api/upload/session"), Held(kiosk, "**/api/upload/handover/*")
    kiosk.goto("/kiosk")
    pin = kiosk.get_by_label("PIN", exact=True)
    expect(pin).to_be_visible()
    look.at(kiosk, "PIN")
    pin.fill("1357")
    pin.press("Enter")
    expect(pin).to_have_attribute("aria-invalid", "true")
    look.at(kiosk, "wrong PIN")
    pin.fill("2468")
    pin.press("Enter")
    stage(kiosk, "opening")
    look.at(kiosk, "opening")
    opening.let_go()
    stage(kiosk, "ready")
    look.at(kiosk, "ready, no code yet")
    handover.let_go()
    expect(kiosk.locator("[data-code]")).to_be_visible()
    look.at(kiosk, "ready")
    phone = visitors.page(f"/s/{(kiosk.locator('.scan img').get_attribute('data-url') or '').rpartition('/')[2]}")
    stage(kiosk, "connected")
    look.at(kiosk, "connected")
    expect(phone.get_by_text("You are connected to the screen")).to_be_visible()
    look.at(phone, "handed over")
    slow_down(phone, MIB // 8)
    long, good = film(tmp_path, "long.mp4", 20 * MIB), film(tmp_path, "good.mp4", 1000)
    send_here(phone, long, program(tmp_path, "game.mp4"), good)
    for name, phase in (("long.mp4", "uploading"), ("game.mp4", "failed"), ("good.mp4", "completed")):
        expect(row(kiosk, name, phase)).to_be_visible()
    look.at(kiosk, "receiving")
    phone.get_by_role("button", name="Pause long.mp4").click()
    phone.get_by_role("button", name="Done").click()
    look.at(phone, "whether to finish now")
    phone.get_by_role("button", name="Keep sending").click()
    expect(row(kiosk, "long.mp4", "paused")).to_be_visible()
    kiosk.get_by_role("button", name="Done").click()
    expect(kiosk.get_by_text("1 file not finished")).to_be_visible()
    look.at(kiosk, "whether to end now")
    kiosk.get_by_role("button", name="Wait").click()
    kiosk.context.set_offline(True)
    expect(kiosk.locator(".away")).to_be_visible()
    look.at(kiosk, "away")
    kiosk.context.set_offline(False)
    expect(kiosk.locator(".away")).to_have_count(0)
    stand_still(kiosk)
    phone.get_by_role("button", name="Cancel long.mp4").click()
    expect(row(kiosk, "long.mp4", "cancelled")).to_be_visible()
    turn(kiosk, until=kiosk.locator("[data-stage=idle]"), most=8_000)
    look.at(kiosk, "idle")
    kiosk.get_by_role("button", name="Done").click()
    stage(kiosk, "summary")
    look.at(kiosk, "summary")


def stage(kiosk: Page, name: str) -> None:
    kiosk.locator(f"[data-stage={name}]").wait_for()
