"""The pictures of docs/pages.md, made by walking through the pages as people do, on phone, desktop and kiosk.

Every run makes the Chinese ones; with RENEW=1 in the environment (`make screenshots`) all replace those in the docs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Visitors
from tests.e2e.doing import MIB, choose, ended, film, program, row, slow_down

if TYPE_CHECKING:
    from tests.e2e.conftest import Running

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
PAGE = ROOT / "docs" / "pages.md"
DESKTOP, SCREEN = {"width": 1280, "height": 800}, {"width": 1280, "height": 720}
PIN = "2468"
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
    assert camera.taken == {name for name in shown() if name.endswith(f"-{language[:2]}.png")}


def test_the_docs_show_each_picture_and_no_other() -> None:
    assert {path.name for path in PICTURES.glob("*.png")} == shown(), "make screenshots"


def shown() -> set[str]:
    return set(re.findall(r"\(pictures/([\w-]+\.png)\)", PAGE.read_text(encoding="utf-8")))


def enter(page: Page, camera: Camera) -> None:
    page.locator("input:not([type=file])").first.wait_for()
    camera.take(page, "phone-pin")


def send_by_phone(page: Page, camera: Camera, folder: Path) -> None:
    words, names = WORDS[camera.language], NAMES[camera.language]
    page.locator("input[type=file]").first.wait_for(state="attached")
    camera.take(page, "phone-choose")
    strange = folder / names[4]
    strange.write_bytes(b"MZ")
    slowly = slow_down(page, MIB)
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
    slowly = slow_down(phone, MIB)
    choose(phone, *(film(folder, name, size) for name, size in zip(names, (MIB // 2, 4 * MIB, 3 * MIB), strict=False)))
    camera.take(phone, "phone-handed")
    phone.get_by_role("button", name=words["send"]).click()
    row(kiosk, names[0], "completed").wait_for()
    row(kiosk, names[1], "uploading").wait_for()
    camera.take(kiosk, "kiosk-receiving")
    slowly.detach()
    expect(kiosk.locator("li.file[data-phase=completed]")).to_have_count(3, timeout=30_000)
    kiosk.get_by_role("button", name=words["done"]).click()
    kiosk.locator("[data-stage=summary]").wait_for()
    camera.take(kiosk, "kiosk-summary")
    join = visitors.page("/j", **touch)
    camera.take(join, "phone-join")


def without_scripts(page: Page, camera: Camera) -> None:
    camera.take(page, "phone-plain")
