"""What goes wrong while files are sent, in a real browser against a real station: said, and mended where it can be.

Waits of half a minute are not waited for: the page's clock is turned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request as Call
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Running, Visitors
from tests.e2e.doing import choose, ended, film, phases, program, row, send, slow_down, stand_still, turn

MIB = 1024**2
CANCEL = "**/api/upload/cancel/**"
UPLOADS = re.compile(r"/files/")
LYING_WORKER = """
self.onmessage = ({ data }) => self.postMessage({ id: data.id, value: 'f00d'.repeat(16) })
"""
# The film that keeps the screen on is never part of the page.
FILMS = """
window.films = []
const create = Document.prototype.createElement
Document.prototype.createElement = function (name, ...more) {
  const made = create.call(this, name, ...more)
  if (String(name).toLowerCase() === 'video') window.films.push(made)
  return made
}
"""
LONGEST_WAITS = "Math.random = () => 0.99"
PLAYING = "window.films.filter((film) => !film.paused).length"
# What old or strict browsers lack, beyond what every browser lacks on plain http.
POOR = """
for (const name of ['Worker', 'WebAssembly', 'EventSource']) delete window[name]
Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })
"""
ORDER = """
([order, data]) => new Promise((resolve) => {
  const socket = new WebSocket(`ws://${location.host}/ws?sessionId=${data.sessionId}`)
  socket.onopen = () => { socket.send(JSON.stringify({ event: order, data })); resolve() }
})
"""


@pytest.fixture
def station(run: Callable[..., Running], request: pytest.FixtureRequest) -> Running:
    """With the options that the test is given."""
    return run(*getattr(request, "param", ()))


def with_options(*options: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("station", [options], indirect=True, ids=["".join(options)])


class Held:
    """Requests for uploads that come to nobody until they are answered here."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.routes: list[Route] = []
        page.route(UPLOADS, self._hold)

    def _hold(self, route: Route) -> None:
        self.routes.append(route)

    def wait_for(self, count: int) -> None:
        """Until so many are held. Asked of the page: the event of a request may be over before it is held."""
        for _ in range(100_000):
            if len(self.routes) >= count:
                return
            self.page.evaluate("0")
        raise AssertionError(f"only {len(self.routes)} of {count} came")

    def answer(self, status: int, **headers: str) -> None:
        routes, self.routes = self.routes, []
        for route in routes:
            route.fulfill(status=status, headers=headers)

    def let_go(self) -> None:
        self.page.unroute(UPLOADS)  # those that are held go on


def get(station: Running, path: str) -> Any:
    with urlopen(station.url.replace("station.local", "127.0.0.1") + path, timeout=60) as answer:
        return json.load(answer)


def post(station: Running, path: str, value: object) -> Any:
    address = station.url.replace("station.local", "127.0.0.1") + path
    with urlopen(Call(address, json.dumps(value).encode(), method="POST"), timeout=60) as answer:
        return json.load(answer)


def session(page: Page) -> str:
    return page.url.rpartition("/")[2]


def told(station: Running, page: Page) -> list[str]:
    """The names of all events of this page's session, so far."""
    answer = get(station, f"/api/upload/progress/{session(page)}?since=0")
    return [message["event"] for message in answer["events"]]


def test_a_busy_station_is_asked_again_when_it_said_and_by_fewer_files_at_once(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    page = visitors.context().new_page()
    page.clock.install()
    page.goto("/")
    held = Held(page)
    send(page, *(film(tmp_path, f"{number}.mp4", MIB) for number in range(5)))
    held.wait_for(3)
    held.answer(503, **{"Retry-After": "300"})
    waiting = page.locator("li[data-phase=waiting]")
    expect(waiting).to_have_count(3)
    # The clock goes on meanwhile, on a busy machine for many seconds.
    expect(waiting.first).to_contain_text(re.compile(r"trying again in (5|4) min"))
    expect(waiting.first).to_contain_text("The station is busy.")
    page.clock.run_for(10_000)
    expect(waiting.first).to_contain_text("trying again in 4 min")
    assert held.routes == []  # the others would hear the same
    held.let_go()
    page.clock.fast_forward(300_000)
    assert ended(page) == "doneTitle"
    assert len(station.stored()) == 5


def test_a_request_that_stalls_is_noticed_and_sent_anew(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    path = film(tmp_path, "a.mp4", MIB)
    context = visitors.context()
    context.add_init_script(LONGEST_WAITS)
    page = context.new_page()
    page.clock.install()
    page.goto("/")
    held = Held(page)
    send(page, path)
    held.wait_for(1)
    stand_still(page)
    turn(page, until=row(page, "a.mp4", "waiting"), most=25_000)
    expect(row(page, "a.mp4", "waiting")).to_contain_text("The transfer has stalled.")
    expect(row(page, "a.mp4").locator(".problem")).to_have_attribute("data-kind", "network")
    page.unroute(UPLOADS)
    page.clock.run_for(2_000)
    page.clock.resume()
    assert ended(page) == "doneTitle"
    assert [stored.read_bytes() for stored in station.stored()] == [path.read_bytes()]


def test_a_cancel_that_the_network_swallows_is_told_again_and_then_said_to_be_lost(
    visitors: Visitors, tmp_path: Path
) -> None:
    page = visitors.context().new_page()
    page.clock.install()
    page.goto("/")
    slow_down(page, MIB // 4)
    send(page, film(tmp_path, "long.mp4", 20 * MIB))
    expect(row(page, "long.mp4", "uploading")).to_contain_text(" left")
    page.route(CANCEL, lambda _: None)
    stand_still(page)
    button = page.get_by_role("button", name="Cancel long.mp4")
    before = button.bounding_box()
    button.focus()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_request(CANCEL):
        button.press("Enter")
    expect(button).to_have_attribute("aria-busy", "true")
    expect(button).to_be_focused()
    assert button.bounding_box() == before
    button.press("Enter")
    with page.expect_request(CANCEL):
        page.clock.run_for(5_000)
    page.clock.run_for(5_000)
    expect(page.locator(".problem[role=alert]")).to_contain_text("The network connection was lost.")
    assert len([url for url in asked if "/cancel/" in url]) == 2, "pressed while it is under way it tells nothing"
    expect(button).not_to_have_attribute("aria-busy", "true")
    page.unroute(CANCEL)
    page.clock.resume()
    button.click()
    assert ended(page) == "cancelledTitle"


def test_files_are_paused_and_go_on_by_buttons_and_from_another_screen(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    names = ("a.mp4", "b.mp4", "c.mp4")
    page = visitors.page()
    brake = slow_down(page, MIB // 4)
    paths = [film(tmp_path, name, 8 * MIB) for name in names]
    send(page, *paths)
    watcher = visitors.page(page.url)
    for name in names:
        expect(row(page, name, "uploading")).to_be_visible()
    page.get_by_role("button", name="Pause a.mp4").click()
    watcher.get_by_role("button", name="Pause b.mp4").click()
    file_id = row(page, "c.mp4").get_attribute("data-file")
    order = {"sessionId": session(page), "fileId": file_id}
    watcher.evaluate(ORDER, ["upload-pause", order])
    for name in names:
        for screen in (page, watcher):
            expect(row(screen, name, "paused")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Paused")
    statuses = {file["status"] for file in get(station, f"/api/upload/progress/{session(page)}")["files"]}
    assert statuses == {"paused"}

    page.get_by_role("button", name="Resume a.mp4").click()
    expect(row(watcher, "a.mp4", "uploading")).to_be_visible()
    page.get_by_role("button", name="Resume all").click()
    for name in names:
        expect(row(watcher, name, "uploading")).to_be_visible()
    page.get_by_role("button", name="Pause all").click()
    for name in names:
        expect(row(watcher, name, "paused")).to_be_visible()
    page.get_by_role("button", name="Cancel c.mp4").click()
    expect(row(watcher, "c.mp4", "cancelled")).to_be_visible()
    brake.detach()
    page.get_by_role("button", name="Resume all").click()
    for screen in (page, watcher):
        assert ended(screen) == "doneSomeTitle"
    assert phases(page) == phases(watcher)
    assert "upload-failed" not in told(station, page), "a pause is no failure"
    assert {stored.read_bytes() for stored in station.stored()} == {path.read_bytes() for path in paths[:2]}


def test_what_waits_is_tried_again_at_once_when_asked(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    page = visitors.page()
    page.route(UPLOADS, lambda route: route.fulfill(status=503, headers={"Retry-After": "600"}))
    send(page, *(film(tmp_path, f"{number}.mp4", MIB) for number in range(3)))
    expect(page.locator("li[data-phase=waiting]")).to_have_count(3)
    expect(row(page, "0.mp4")).to_contain_text(re.compile(r"trying again in 10 min|trying again in \d+ s"))
    page.unroute(UPLOADS)
    page.get_by_role("button", name="Try 0.mp4 again").click()
    expect(row(page, "0.mp4", "completed")).to_be_visible()
    page.get_by_role("button", name="Retry all").click()
    assert ended(page) == "doneTitle"
    assert len(station.stored()) == 3


@with_options("--max-file-size=2MiB", "--contact=Ms Li")
def test_what_is_wrong_with_a_file_is_said_and_how_to_mend_it(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    page = visitors.page()
    choose(page, film(tmp_path, "good.mp4", MIB), film(tmp_path, "long.mp4", 3 * MIB), program(tmp_path, "game.mp4"))
    refused = page.locator(".refused", has_text="long.mp4")
    expect(refused).to_contain_text("Compress or shorten it, then send it again.")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Confirm").click()
    assert ended(page) == "doneSomeTitle"
    expect(row(page, "game.mp4", "failed")).to_contain_text("This kind of file is not accepted.")
    expect(row(page, "game.mp4", "failed")).not_to_contain_text("Ms Li")
    assert len(station.stored()) == 1


@with_options("--min-free-space=900TiB", "--contact=Ms Li")
def test_a_full_disk_is_the_stations_fault_and_says_who_can_help(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    page = visitors.page()
    send(page, film(tmp_path, "a.mp4", MIB))
    problem = row(page, "a.mp4", "failed").locator("[data-kind=system]")
    expect(problem).to_contain_text("The station's disk is full.")
    expect(problem).to_contain_text(re.compile(r"tell Ms Li this number: [0-9a-f-]{36}"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Some files need you")
    page.get_by_role("button", name="Try a.mp4 again").click()
    expect(problem).to_contain_text("The station's disk is full.")
    page.get_by_role("button", name="Cancel a.mp4").click()
    assert ended(page) == "cancelledTitle"
    assert station.stored() == []


def test_the_screen_stays_on_while_something_is_sent(visitors: Visitors, tmp_path: Path) -> None:
    context = visitors.context()
    context.add_init_script(FILMS)
    page = context.new_page()
    page.goto("/")
    brake = slow_down(page, MIB // 16)
    send(page, film(tmp_path, "a.mp4", 6 * MIB))
    expect(page.get_by_text("The screen stays on meanwhile.")).to_be_visible()
    assert page.evaluate(PLAYING) == 1
    brake.detach()
    assert ended(page) == "doneTitle"
    page.wait_for_function(f"{PLAYING} === 0")


@pytest.mark.parametrize(
    ("station", "note"),
    [
        ((), "Checked: the same as on this device"),
        (("--checksum=sha256",), "Checked: the same as on this device"),
        (("--checksum=none",), None),
    ],
    ids=["blake3", "sha256", "none"],
    indirect=["station"],
)
def test_what_arrived_is_compared_with_what_is_here(
    visitors: Visitors, station: Running, tmp_path: Path, note: str | None
) -> None:
    page = visitors.page()
    send(page, film(tmp_path, "a.mp4", 2 * MIB))
    assert ended(page) == "doneTitle"
    checked = row(page, "a.mp4").locator(".checked")
    if note is None:
        expect(checked).to_have_count(0)
    else:
        expect(checked).to_have_text(note)


@with_options("--contact=Ms Li")
def test_a_file_that_is_not_the_same_is_said_loudly(visitors: Visitors, tmp_path: Path) -> None:
    context = visitors.context()
    context.route(
        "**/worker/checksum.js", lambda route: route.fulfill(content_type="text/javascript", body=LYING_WORKER)
    )
    page = context.new_page()
    page.goto("/")
    send(page, film(tmp_path, "a.mp4", MIB))
    ended(page)
    alarm = page.get_by_role("alert").filter(has_text="A file is not the same as on this device")
    expect(alarm).to_be_visible()
    expect(row(page, "a.mp4")).to_contain_text(
        "Not the same as the file on this device. Send it again, and tell Ms Li."
    )


def test_a_browser_that_lacks_things_sends_all_the_same(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    context = visitors.context()
    context.add_init_script(POOR)
    context.route("**/NoSleep.min.js", lambda route: route.abort())
    page = context.new_page()
    page.goto("/")
    path = film(tmp_path, "a.mp4", 2 * MIB)
    send(page, path)
    assert ended(page) == "doneTitle"
    expect(row(page, "a.mp4").locator(".checked")).to_have_count(0)
    assert [stored.read_bytes() for stored in station.stored()] == [path.read_bytes()]


def test_a_library_that_did_not_come_is_fetched_again(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    page = visitors.page()
    page.route("**/tus.min.js", lambda route: route.abort())
    send(page, film(tmp_path, "a.mp4", MIB))
    expect(row(page, "a.mp4", "waiting")).to_contain_text("trying again")
    page.unroute("**/tus.min.js")
    assert ended(page) == "doneTitle"
    assert len(station.stored()) == 1


def give_pin(page: Page, pin: str) -> None:
    page.get_by_label("PIN").fill(pin)
    page.get_by_role("button", name=re.compile("Continue|Go on")).click()


@with_options("--upload-pin=246810")
def test_the_pin_is_asked_for_once(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    page = visitors.page()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter the PIN")
    give_pin(page, "111111")
    expect(page.get_by_role("alert").filter(has_text="That is not the PIN.")).to_be_visible()
    expect(page.get_by_label("PIN")).to_be_focused()
    give_pin(page, "246810")
    expect(page.get_by_role("heading", level=1)).to_have_text("Send files")
    page.reload()
    choose(page, film(tmp_path, "a.mp4", MIB))
    expect(page.get_by_text("1 file chosen")).to_be_visible()
    # The pass is too old by now, or the PIN was changed.
    page.context.clear_cookies()
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Confirm").click()
    give_pin(page, "246810")
    expect(page.get_by_text("1 file chosen")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Confirm").click()
    assert ended(page) == "doneTitle"
    assert len(station.stored()) == 1


@with_options("--upload-pin=246810")
def test_who_has_the_link_of_a_session_needs_no_pin_for_it(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    owner = visitors.page()
    give_pin(owner, "246810")
    brake = slow_down(owner, MIB // 16)
    send(owner, film(tmp_path, "a.mp4", 6 * MIB))
    expect(row(owner, "a.mp4", "uploading")).to_be_visible()
    guest = visitors.page(owner.url)
    expect(row(guest, "a.mp4", "uploading")).to_be_visible()
    choose(guest, film(tmp_path, "b.mp4", MIB))
    expect(row(owner, "b.mp4", "completed")).to_be_visible()
    brake.detach()
    for page in (owner, guest):
        assert ended(page) == "doneTitle"
    assert len(station.stored()) == 2
    guest.get_by_role("button", name="Send more").click()
    expect(guest.get_by_role("heading", level=1)).to_have_text("Enter the PIN")


@with_options("--upload-pin=246810")
def test_guesses_are_limited(visitors: Visitors) -> None:
    page = visitors.page()
    for guess in range(10):
        with page.expect_response("**/api/upload/pin") as answer:
            give_pin(page, f"00000{guess}")
        assert answer.value.status == 401
    give_pin(page, "246810")
    expect(page.get_by_role("alert").filter(has_text="There were too many wrong tries.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"You can try again in (9|10) min"))).to_be_visible()


@with_options("--upload-pin=246810")
def test_without_javascript_the_pin_is_given_in_a_form(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    page = visitors.page(java_script_enabled=False)
    give_pin(page, "999999")
    expect(page.get_by_role("alert")).to_contain_text("That is not the PIN.")
    give_pin(page, "246810")
    page.get_by_label("Files").set_input_files(film(tmp_path, "a.mp4", MIB))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Upload complete")
    assert len(station.stored()) == 1
