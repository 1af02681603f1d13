"""The pictures of docs/, made by walking through the pages as people do, on phone, desktop and kiosk.

Every run makes the Chinese ones; with RENEW=1 in the environment (`make screenshots`) all replace those in the docs.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.conftest import Visitors
from tests.e2e.doing import MIB, PROGRAM, choose, ended, film, film_bytes, program, row, slow_down
from tests.e2e.test_monitor import put, show, token

if TYPE_CHECKING:
    from tests.e2e.conftest import Running

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
DESKTOP, SCREEN = {"width": 1280, "height": 800}, {"width": 1280, "height": 720}
PIN = "2468"
CATEGORIES = ("personal", "scenic", "personal", "personal")
WORDS = {
    "zh-CN": {"send": "开始上传", "confirm": "确定", "pause": "暂停 假期.mp4", "done": "传完了"},
    "en-GB": {"send": "Send", "confirm": "Confirm", "pause": "Pause holiday.mp4", "done": "Done"},
}
NAMES = {
    "zh-CN": ("生日聚会.mp4", "假期.mp4", "合影.mp4", "游戏.mp4", "说明.exe"),
    "en-GB": ("birthday party.mp4", "holiday.mp4", "group.mp4", "game.mp4", "manual.exe"),
}


class Camera:
    def __init__(self, folder: Path, language: str) -> None:
        self.folder, self.language = folder, language
        self.taken: set[str] = set()

    def take(self, page: Page, name: str) -> None:
        full = f"{name}-{self.language[:2]}.png"
        page.mouse.move(0, 0)
        (self.folder / full).write_bytes(page.screenshot(animations="disabled", caret="hide"))
        self.taken.add(full)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = PICTURES if os.environ.get("RENEW") == "1" else tmp_path / "pictures"
    made.mkdir(exist_ok=True)
    return made


@pytest.fixture
def meet(browser: Browser, run: Callable[..., Running]) -> Iterator[Callable[..., Visitors]]:
    """Opens a station for visitors of one language."""
    met: list[Visitors] = []

    def start(*options: str) -> Visitors:
        met.append(Visitors(browser, run("--contact=Ms Li, room 12", *options)))
        return met[-1]

    yield start
    for visitors in met:
        visitors.close()
    assert [fault for visitors in met for fault in visitors.faults] == []


# One walk shows that it can be walked; both make the pictures.
WALKS = [("en-GB", "dark"), ("zh-CN", "light")] if os.environ.get("RENEW") == "1" else [("zh-CN", "light")]


@pytest.mark.parametrize(("language", "theme"), WALKS)
def test_a_walk_through_the_pages_makes_the_pictures(
    meet: Callable[..., Visitors], folder: Path, tmp_path: Path, language: str, theme: str
) -> None:
    camera = Camera(folder, language)
    visitors = meet("--kiosk-url=http://192.168.1.5:8005", "--wifi-name=Museum", "--kiosk-idle=1h")
    locked = meet(f"--upload-pin={PIN}")
    settings: dict[str, Any] = {"locale": language, "color_scheme": theme}
    touch: dict[str, Any] = {**settings, "has_touch": True, "is_mobile": True}
    enter(locked.page(**touch), camera)
    phone = visitors.page(**touch)
    send_by_phone(phone, camera, tmp_path)
    look_on_desktop(visitors.page(viewport=DESKTOP, **settings), camera)
    stand_at_the_kiosk(visitors, camera, tmp_path, settings, touch)
    without_scripts(visitors.page(java_script_enabled=False, **touch), camera)
    assert camera.taken == {name for name in of(language) if not name.startswith("monitor-")}


@pytest.mark.parametrize(("language", "theme"), WALKS)
def test_a_walk_through_the_operators_page_makes_its_pictures(
    meet: Callable[..., Visitors], folder: Path, tmp_path: Path, language: str, theme: str
) -> None:
    camera = Camera(folder, language)
    visitors = meet("--webhook=http://127.0.0.1:9/", "--webhook-events=session-completed", "--hook-patience=1s")
    names = NAMES[language]
    for name, size, category in zip(names, (3 * MIB, 900_000, 40_000, 9 * MIB), CATEGORIES, strict=False):
        put(visitors.station, quote(name), film_bytes(name, size), category)
    with pytest.raises(OSError, match="415"):
        put(visitors.station, quote(names[3]), PROGRAM)
    settings: dict[str, Any] = {"locale": language, "color_scheme": theme}
    phone = visitors.page(**settings)
    slow_down(phone, MIB // 4)
    choose(phone, film(tmp_path, names[1], 60 * MIB))
    phone.get_by_role("button", name=WORDS[language]["send"]).click()
    phone.get_by_role("dialog").get_by_role("button", name=WORDS[language]["confirm"]).click()
    row(phone, names[1], "uploading").wait_for()
    look_at_the_station(visitors, camera, settings)
    assert camera.taken == {name for name in of(language) if name.startswith("monitor-")}


def of(language: str) -> set[str]:
    return {name for name in shown() if name.endswith(f"-{language[:2]}.png")}


def test_the_docs_show_each_picture_and_no_other() -> None:
    assert {path.name for path in PICTURES.glob("*.png")} == shown(), "make screenshots"


def shown() -> set[str]:
    pages = [page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").rglob("*.md"))]
    return {name for page in pages for name in re.findall(r"\((?:\.\./)*pictures/([\w-]+\.png)\)", page)}


def enter(page: Page, camera: Camera) -> None:
    page.locator("input:not([type=file])").first.wait_for()
    camera.take(page, "phone-pin")


def send_by_phone(page: Page, camera: Camera, folder: Path) -> None:
    words, names = WORDS[camera.language], NAMES[camera.language]
    page.locator("input[type=file]").first.wait_for(state="attached")
    camera.take(page, "phone-choose")
    strange = folder / names[4]
    strange.write_bytes(b"MZ")
    slowly = slow_down(page, MIB // 4)
    sizes = (3 * MIB, 12 * MIB, MIB // 2)
    choose(page, *(film(folder, name, size) for name, size in zip(names, sizes, strict=False)), strange)
    expect(page.locator(".refused")).to_contain_text(names[4])
    camera.take(page, "phone-refused")
    page.locator(".refused button").click()
    choose(page, program(folder, names[3]))
    expect(page.locator("li.file")).to_have_count(4)
    camera.take(page, "phone-chosen")
    page.get_by_role("button", name=words["send"]).click()
    page.get_by_role("dialog").wait_for()
    camera.take(page, "phone-category")
    page.get_by_role("dialog").get_by_role("button", name=words["confirm"]).click()
    row(page, names[3], "failed").wait_for()
    row(page, names[2], "completed").wait_for()
    page.get_by_role("button", name=words["pause"]).click()
    row(page, names[1], "paused").wait_for()
    page.route("**/files/**", lambda route: route.abort())
    camera.take(page, "phone-sending")
    link = page.url
    page.goto("about:blank")
    page.unroute("**/files/**")
    page.goto("/")
    page.locator(".card").first.wait_for()
    camera.take(page, "phone-left")
    page.goto(link)
    page.locator(".card").first.wait_for()
    camera.take(page, "phone-wanted")
    slowly.detach()
    choose(page, *(folder / name for name in names[:2]))
    ended(page)
    page.locator(".checked.same").first.wait_for()
    camera.take(page, "phone-done")


def look_on_desktop(page: Page, camera: Camera) -> None:
    page.locator("input[type=file]").first.wait_for(state="attached")
    camera.take(page, "desktop-choose")


def stand_at_the_kiosk(
    visitors: Visitors, camera: Camera, folder: Path, settings: dict[str, Any], touch: dict[str, Any]
) -> None:
    words, names = WORDS[camera.language], NAMES[camera.language]
    kiosk = visitors.page("/kiosk", viewport=SCREEN, **settings)
    kiosk.locator("[data-stage=ready]").wait_for()
    kiosk.locator("[data-code]").wait_for()
    camera.take(kiosk, "kiosk-ready")
    link = kiosk.locator(".scan img").get_attribute("data-url") or ""
    phone = visitors.page(f"/s/{link.rpartition('/')[2]}", **touch)
    slowly = slow_down(phone, MIB // 4)
    choose(phone, *(film(folder, name, size) for name, size in zip(names, (MIB // 2, 9 * MIB, 3 * MIB), strict=False)))
    camera.take(phone, "phone-handed")
    phone.get_by_role("button", name=words["send"]).click()
    row(kiosk, names[0], "completed").wait_for()
    row(kiosk, names[1], "uploading").wait_for()
    camera.take(kiosk, "kiosk-receiving")
    slowly.detach()
    expect(kiosk.locator("li.file[data-phase=completed]")).to_have_count(3)
    kiosk.get_by_role("button", name=words["done"]).click()
    kiosk.locator("[data-stage=summary]").wait_for()
    camera.take(kiosk, "kiosk-summary")
    join = visitors.page("/j", **touch)
    camera.take(join, "phone-join")


def without_scripts(page: Page, camera: Camera) -> None:
    camera.take(page, "phone-plain")


def an_hour(route: Route) -> None:
    """What the charts would show had the station run for an hour: no test has that long."""
    at = [round(time.time()) - 10 * back for back in range(360, 0, -1)]
    wave = [max(0.0, math.sin(n / 25) + 0.4 * math.sin(n / 7)) for n in range(360)]
    points = {
        "at": at,
        "throughput": [round(9 * MIB * height) for height in wave],
        "uploads": [math.ceil(3 * height) for height in wave],
        "watchers": [2 + math.ceil(2 * height) for height in wave],
        "delay": [0.001 + 0.003 * height for height in wave],
    }
    route.fulfill(json={"span": "hour", "step": 10, "timestamp": "", "points": points})


def look_at_the_station(visitors: Visitors, camera: Camera, settings: dict[str, Any]) -> None:
    entered = f"/monitor?token={token(visitors.station)}"
    for device, size in (("phone", {"width": 390, "height": 844}), ("desktop", DESKTOP)):
        context = visitors.context(**settings, viewport=size)
        context.route("**/api/monitor/series*", an_hour)
        page = context.new_page()
        page.goto("/monitor")
        if device == "phone":
            camera.take(page, "monitor-login")
        page.goto(entered)
        page.locator("[data-level]:not([data-level=good])").wait_for()
        page.locator(".running li").wait_for()
        page.locator("nav .count").wait_for()
        # Measured every few seconds, and counted no more often than it has to be.
        page.locator("[data-indicator=memory]:not([data-state=unknown])").wait_for()
        expect(page.locator(".facts-of div").nth(4).locator("dd")).to_contain_text("4")
        camera.take(page, f"monitor-{device}-overview")
        page.locator(".charts").scroll_into_view_if_needed()
        page.locator(".charts").evaluate("(charts) => charts.scrollIntoView()")
        page.locator("canvas").last.wait_for()
        camera.take(page, f"monitor-{device}-charts")
        show(page, "sessions")
        page.locator("li.session").nth(4).wait_for()
        camera.take(page, f"monitor-{device}-sessions")
        page.locator("li.session[data-status=failed] a").click()
        page.locator(".entry").first.wait_for()
        camera.take(page, f"monitor-{device}-session")
        show(page, "files")
        page.locator("li.stored-file").first.wait_for()
        if device == "desktop":
            camera.take(page, "monitor-desktop-files")
            continue
        page.locator("li.stored-file button").first.click()
        page.get_by_role("dialog").wait_for()
        camera.take(page, "monitor-phone-delete")
        page.keyboard.press("Escape")
        show(page, "letters")
        page.locator("[data-letter]").first.wait_for()
        camera.take(page, "monitor-phone-letters")
