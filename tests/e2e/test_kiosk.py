"""The kiosk in a real browser, with phones in other ones: one visitor after another, and what may happen meanwhile."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
import segno
from playwright.sync_api import Browser, Page, expect

from tests.e2e.axe import findings
from tests.e2e.conftest import Visitors
from tests.e2e.doing import MIB, ended, film, phases, row, slow_down, stand_still, turn
from tests.e2e.doing import send_here as send

if TYPE_CHECKING:
    from tests.e2e.conftest import Running

SCREEN = {"width": 1280, "height": 800}
SVG = "{http://www.w3.org/2000/svg}"

# In one look: what is on the screen may change between two.
SMALL_TARGETS = """
[...document.querySelectorAll('a, button')].filter((target) => {
  const { width, height } = target.getBoundingClientRect()
  return Math.min(width, height) < 64
}).map((target) => target.innerText)
"""
BEYOND_THE_EDGE = """
[...document.querySelectorAll('.kiosk *')].filter((part) => {
  const { left, top, right, bottom } = part.getBoundingClientRect()
  const counts = !part.closest('.heard, .receiving li')
  return counts && (left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1)
}).map((part) => part.outerHTML.slice(0, 80))
"""
SCROLLS = "document.querySelector('.files').scrollHeight > document.querySelector('.files').clientHeight"

OpenHall = Callable[..., "Hall"]


class Hall:
    """A station with a kiosk in front of it, and visitors with phones."""

    def __init__(self, browser: Browser, station: Running) -> None:
        self.station = station
        self.visitors = Visitors(browser, station)

    def screen(self, path: str = "/kiosk", **options: object) -> Page:
        return self.visitors.page(path, **{"viewport": SCREEN, **options})

    def phone(self, kiosk: Page) -> Page:
        """A phone that scans the code on the screen; in this test it reaches the station by another address."""
        return self.visitors.page(f"/s/{session(kiosk)}")


@pytest.fixture
def open_hall(browser: Browser, run: Callable[..., Running]) -> Iterator[OpenHall]:
    """Fails the test when a page logged an error, threw, broke its policy or asked elsewhere."""
    halls: list[Hall] = []

    def start(*options: str) -> Hall:
        halls.append(Hall(browser, run(*options)))
        return halls[-1]

    yield start
    for hall in halls:
        hall.visitors.close()
    assert [fault for hall in halls for fault in hall.visitors.faults] == []


@pytest.fixture
def hall(open_hall: OpenHall) -> Hall:
    return open_hall()


def stage(kiosk: Page, name: str) -> None:
    kiosk.locator(f"[data-stage={name}]").wait_for()


def link(kiosk: Page) -> str:
    """What the large code on the screen holds."""
    stage(kiosk, "ready")
    return kiosk.locator(".scan img").get_attribute("data-url") or ""


def session(kiosk: Page) -> str:
    return link(kiosk).rpartition("/")[2]


def code(kiosk: Page) -> str:
    return kiosk.locator("[data-code]").get_attribute("data-code") or ""


def done(kiosk: Page) -> None:
    kiosk.get_by_role("button", name="Done").click()


def modules(svg: bytes) -> list[list[int]]:
    """The dark modules of a drawn code, from its strokes: `M x y h n` draws n modules, small letters are relative."""
    path = ElementTree.fromstring(svg).findall(f"{SVG}path")[-1].get("d") or ""
    size = int((ElementTree.fromstring(svg).get("viewBox") or "").split()[2])
    grid = [[0] * size for _ in range(size)]
    x = y = 0.0
    for verb, numbers in re.findall(r"([MmhH])([^MmhH]*)", path):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if verb == "h":
            for column in range(int(x), int(x + values[0])):
                grid[int(y)][column] = 1
            x += values[0]
        else:
            x, y = (values[0], values[1]) if verb == "M" else (x + values[0], y + values[1])
    return grid


def test_phone_and_kiosk_see_the_same_and_done_on_the_kiosk_ends_it(hall: Hall, tmp_path: Path) -> None:
    kiosk = hall.screen()
    phone = hall.phone(kiosk)
    stage(kiosk, "connected")
    expect(kiosk.get_by_role("heading", level=1)).to_have_text("A phone is here")
    brake = slow_down(phone, MIB // 8)
    good = film(tmp_path, "birthday.mp4", 4 * MIB)
    send(phone, good)
    expect(row(kiosk, "birthday.mp4", "uploading")).to_be_visible()
    expect(kiosk.get_by_role("button", name="Done")).to_be_disabled()
    brake.detach()
    for page in (kiosk, phone):
        expect(row(page, "birthday.mp4", "completed")).to_be_visible()
    assert phases(kiosk) == phases(phone)
    done(kiosk)
    # The screen says it for no longer than it has to.
    assert ended(kiosk) == "doneTitle"
    expect(kiosk.get_by_text("Thank you!").first).to_be_visible()
    seen = phases(kiosk)
    assert ended(phone) == "doneTitle"
    assert seen == phases(phone)
    assert [path.read_bytes() for path in hall.station.stored()] == [good.read_bytes()]


def test_done_on_the_phone_ends_the_visit(hall: Hall, tmp_path: Path) -> None:
    kiosk = hall.screen()
    phone = hall.phone(kiosk)
    send(phone, film(tmp_path, "a.mp4", MIB))
    expect(row(kiosk, "a.mp4", "completed")).to_be_visible()
    phone.get_by_role("button", name="Done").click()
    assert ended(kiosk) == "doneTitle"
    kiosk.get_by_role("button", name="Back to the start").click()
    stage(kiosk, "ready")


def test_when_nothing_comes_for_a_while_the_visit_ends_unless_there_is_more_to_come(
    open_hall: OpenHall, tmp_path: Path
) -> None:
    hall = open_hall("--kiosk-idle=6s")
    kiosk = hall.visitors.context(viewport=SCREEN).new_page()
    kiosk.clock.install()
    kiosk.goto("/kiosk")
    phone = hall.phone(kiosk)
    brake = slow_down(phone, MIB // 8)
    send(phone, film(tmp_path, "a.mp4", 4 * MIB))
    expect(row(kiosk, "a.mp4", "uploading")).to_be_visible()
    stand_still(kiosk)
    brake.detach()
    expect(row(kiosk, "a.mp4", "completed")).to_be_visible()
    turn(kiosk, until=kiosk.locator("[data-stage=idle]"), most=6_000)
    expect(kiosk.get_by_text(re.compile(r"Ends by itself in \d s"))).to_be_visible()
    kiosk.get_by_role("button", name="More time").click()
    stage(kiosk, "receiving")
    kiosk.clock.resume()
    assert ended(kiosk) == "doneTitle"


def test_visitors_follow_each_other_and_each_has_a_session_of_their_own(hall: Hall, tmp_path: Path) -> None:
    kiosk = hall.screen("/kiosk?category=scenic")
    expect(kiosk.get_by_text("Scenic videos")).to_be_visible()
    seen = []
    for visitor in range(3):
        seen.append(session(kiosk))
        phone = hall.phone(kiosk)
        send(phone, film(tmp_path, f"{visitor}.mp4", MIB))
        expect(row(kiosk, f"{visitor}.mp4", "completed")).to_be_visible()
        expect(kiosk.locator("li.file")).to_have_count(1)
        done(kiosk)
        kiosk.locator(".summary").click()
        assert ended(phone) == "doneTitle"
    assert session(kiosk) not in seen
    assert len(set(seen)) == 3
    assert len(hall.station.stored("scenic")) == 3


def test_when_the_phone_leaves_without_a_word_the_start_is_back(hall: Hall) -> None:
    kiosk = hall.screen()
    first = session(kiosk)
    phone = hall.phone(kiosk)
    stage(kiosk, "connected")
    phone.close()
    assert session(kiosk) == first


def test_what_is_unfinished_is_asked_about(hall: Hall, tmp_path: Path) -> None:
    kiosk = hall.screen()
    phone = hall.phone(kiosk)
    slow_down(phone, MIB // 4)
    send(phone, film(tmp_path, "long.mp4", 40 * MIB))
    expect(row(kiosk, "long.mp4", "uploading")).to_be_visible()
    phone.get_by_role("button", name="Pause long.mp4").click()
    expect(row(kiosk, "long.mp4", "paused")).to_be_visible()
    done(kiosk)
    kiosk.get_by_role("button", name="Wait").click()
    done(kiosk)
    expect(kiosk.get_by_text("1 file not finished")).to_be_visible()
    assert findings(kiosk) == []
    kiosk.get_by_role("button", name="End now").click()
    for page in (kiosk, phone):
        assert ended(page) == "cancelledTitle"


def test_a_cut_network_is_told_and_heals_and_nothing_is_lost(hall: Hall, tmp_path: Path) -> None:
    kiosk = hall.screen()
    phone = hall.phone(kiosk)
    stage(kiosk, "connected")
    kiosk.context.set_offline(True)
    expect(kiosk.get_by_text("The station cannot be reached")).to_be_visible()
    assert findings(kiosk) == []
    send(phone, film(tmp_path, "meanwhile.mp4", MIB))
    expect(row(phone, "meanwhile.mp4", "completed")).to_be_visible()
    kiosk.context.set_offline(False)
    expect(row(kiosk, "meanwhile.mp4", "completed")).to_be_visible()
    expect(kiosk.get_by_text("The station cannot be reached")).to_have_count(0)


def test_a_killed_station_is_waited_for_by_the_screen_and_the_phone(hall: Hall, tmp_path: Path) -> None:
    kiosk = hall.screen()
    phone = hall.phone(kiosk)
    brake = slow_down(phone, MIB // 8)
    path = film(tmp_path, "long.mp4", 12 * MIB)
    send(phone, path)
    expect(row(kiosk, "long.mp4", "uploading")).to_be_visible()
    expect(kiosk.get_by_text("Files are on their way")).to_be_visible()
    hall.station.end(signal.SIGKILL)
    expect(kiosk.get_by_text("The station cannot be reached")).to_be_visible()
    # It is said once, and what was true before is not said any more.
    expect(kiosk.locator(".connection")).to_have_count(0)
    expect(kiosk.get_by_text("Files are on their way")).to_have_count(0)
    expect(kiosk.locator("li.file", has_text="long.mp4").locator(".state")).to_have_text("12 MB")
    brake.detach()
    hall.station.start()
    expect(row(kiosk, "long.mp4", "completed")).to_be_visible()
    expect(kiosk.get_by_text("The station cannot be reached")).to_have_count(0)
    done(kiosk)
    assert ended(kiosk) == "doneTitle"
    assert [stored.read_bytes() for stored in hall.station.stored()] == [path.read_bytes()]


def test_a_station_that_forgot_everything_gets_a_new_session(hall: Hall) -> None:
    kiosk = hall.screen()
    first = session(kiosk)
    hall.station.end(signal.SIGKILL)
    for file in (hall.station.folder / ".station").glob("journal*"):
        file.unlink()
    hall.station.start()
    expect(kiosk.locator(".scan img")).not_to_have_attribute("data-url", re.compile(first))
    assert session(kiosk) != first


def test_a_code_works_once_and_is_exchanged_without_drawing_the_screen_anew(hall: Hall) -> None:
    kiosk = hall.screen()
    id, used = session(kiosk), code(kiosk)
    expect(kiosk.locator(".code")).to_have_text(re.compile(r"^\d{3}.\d{3}$"))
    kiosk.evaluate("document.querySelector('.scan img').mine = document.querySelector('.code').mine = true")
    phone = hall.visitors.page("/j")
    phone.locator("input[name=code]").fill(f"{used[:3]} {used[3:]}")
    phone.locator("input[name=code]").press("Enter")
    phone.wait_for_url(f"**/s/{id}")
    expect(kiosk.locator(".code")).not_to_have_attribute("data-code", used)
    assert kiosk.evaluate("document.querySelector('.scan img').mine && document.querySelector('.code').mine")
    late = hall.visitors.context().new_page()
    refused = late.goto(f"/j/{used}")
    assert refused is not None
    assert refused.status == 404
    late.goto(f"/j/{code(kiosk)}")
    late.wait_for_url(f"**/s/{id}")


def test_the_large_code_holds_the_phones_link(open_hall: OpenHall) -> None:
    hall = open_hall("--kiosk-url=http://192.168.1.5:8005", "--wifi-name=Hall; 7", "--wifi-password=open:sesame")
    kiosk = hall.screen()
    address = link(kiosk)
    assert address == f"http://192.168.1.5:8005/s/{session(kiosk)}"
    expect(kiosk.locator(".host")).to_have_text("192.168.1.5:8005/j")
    expect(kiosk.locator(".wifi")).to_contain_text("Hall; 7")
    drawn = kiosk.context.new_page().goto(kiosk.locator(".scan img").get_attribute("src") or "")
    assert drawn is not None
    assert modules(drawn.body()) == [list(line) for line in segno.make_qr(address, error="m").matrix_iter(border=4)]
    for picture in (kiosk.locator(".scan img"), kiosk.get_by_alt_text("QR code that joins the Wi-Fi")):
        assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth > 0)")


def test_where_a_pin_is_needed_the_kiosk_asks_once_and_its_visitors_need_none(
    open_hall: OpenHall, tmp_path: Path
) -> None:
    hall = open_hall("--upload-pin=2468", "--contact=Ms Li, room 3")
    kiosk = hall.screen()
    expect(kiosk.get_by_text("ask Ms Li, room 3")).to_be_visible()
    for pin, heading in (("1111", "Enter the PIN"), ("2468", "Send files here from your phone")):
        kiosk.get_by_label("PIN").fill(pin)
        kiosk.get_by_label("PIN").press("Enter")
        expect(kiosk.get_by_role("heading", level=1)).to_have_text(heading)
        if pin == "1111":
            expect(kiosk.get_by_label("PIN")).to_have_value("")
    send(hall.phone(kiosk), film(tmp_path, "a.mp4", MIB))
    expect(row(kiosk, "a.mp4", "completed")).to_be_visible()
    kiosk.reload()
    stage(kiosk, "ready")


@pytest.mark.parametrize("path", ["/", "/kiosk"])
def test_a_pin_is_seen_only_by_who_asks_to_see_it_and_not_left_on_a_kiosk(open_hall: OpenHall, path: str) -> None:
    page = open_hall("--upload-pin=2468").visitors.context().new_page()
    page.clock.install()
    page.goto(path)
    pin, show = page.get_by_label("PIN"), page.get_by_role("button", name="Show PIN")
    for kind, pressed in (("password", "false"), ("text", "true")):
        expect(pin).to_have_attribute("type", kind)
        expect(show).to_have_attribute("aria-pressed", pressed)
        pin.fill("24")
        show.click()
    show.click()
    expect(pin).to_have_attribute("type", "text")
    assert (page.evaluate("document.querySelector('[aria-pressed]').offsetHeight") >= 44, findings(page)) == (True, [])
    page.clock.fast_forward(61_000)
    left = path == "/kiosk"
    expect(pin).to_have_value("" if left else "24")
    expect(pin).to_have_attribute("type", "password" if left else "text")


def test_the_language_changes_in_place_and_is_remembered(hall: Hall) -> None:
    kiosk = hall.screen(locale="zh-CN")
    expect(kiosk.get_by_role("heading", level=1)).to_have_text("用手机传文件到这里")
    first = session(kiosk)
    kiosk.get_by_role("button", name="Switch to English").click()
    expect(kiosk.get_by_role("heading", level=1)).to_have_text("Send files here from your phone")
    assert session(kiosk) == first
    assert kiosk.title() == "Send files here from your phone"
    kiosk.reload()
    expect(kiosk.get_by_role("heading", level=1)).to_have_text("Send files here from your phone")


LARGE = [(1024, 768, "dark"), (768, 1024, "light"), (1920, 1080, "light"), (1080, 1920, "dark"), (3840, 2160, "dark")]
SMALL = [(800, 480, "light"), (480, 800, "dark"), (1024, 600, "light"), (683, 384, "light"), (320, 568, "dark")]


@pytest.mark.parametrize(("width", "height", "scheme"), LARGE + SMALL)
def test_everything_fits_every_screen_and_can_be_touched(
    open_hall: OpenHall, tmp_path: Path, width: int, height: int, scheme: str
) -> None:
    hall = open_hall("--wifi-name=Museum: Guests & Friends", "--kiosk-url=http://192.168.100.105:8005")
    kiosk = hall.screen(viewport={"width": width, "height": height}, color_scheme=scheme)

    def check(name: str) -> None:
        stage(kiosk, name)
        assert (kiosk.evaluate(BEYOND_THE_EDGE), kiosk.evaluate(SMALL_TARGETS), findings(kiosk)) == ([], [], [])

    check("ready")
    phone = hall.phone(kiosk)
    check("connected")
    send(phone, *(film(tmp_path, f"{number} {'long name ' * 9}.mp4", MIB // 8) for number in range(8)))
    expect(kiosk.locator("li[data-phase=completed]")).to_have_count(8)
    check("receiving")
    assert (width, height, scheme) in SMALL or not kiosk.evaluate(SCROLLS)
    done(kiosk)
    if width > 400:
        check("summary")


def test_a_long_list_goes_to_its_newest_by_itself(hall: Hall, tmp_path: Path) -> None:
    kiosk = hall.screen(reduced_motion="reduce")
    send(hall.phone(kiosk), *(film(tmp_path, f"{number}.mp4", MIB // 8) for number in range(40)))
    expect(kiosk.locator("li[data-phase=completed]")).to_have_count(40)
    expect(kiosk.locator("li.file").last).to_be_in_viewport()
    expect(kiosk.locator("li.file").first).not_to_be_in_viewport()
