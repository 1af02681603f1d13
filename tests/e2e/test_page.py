"""The first page in a real browser against a real station: what people do with it, and what may happen meanwhile."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import ANY

import pytest
from playwright.sync_api import expect

from tests.e2e.doing import (
    MIB,
    block,
    choose,
    ended,
    film,
    phases,
    program,
    put_into,
    row,
    send,
    slow_down,
)

if TYPE_CHECKING:
    from tests.e2e.conftest import Running, Visitors

# In one look: what is on the page may change between two.
SMALL_TARGETS = """
[...document.querySelectorAll('a, button, label.button, label.choice')].filter((target) => {
  if (!target.checkVisibility()) return false
  const { width, height } = target.getBoundingClientRect()
  return Math.min(width, height) < 44
}).map((target) => target.innerText)
"""

# Where each button that cancels a file has been, from now on; a row is laid out in the frames after its first.
WATCH_BUTTONS = """
window.places = new Map()
const look = () => {
  for (const button of document.querySelectorAll('li.file .cancel')) {
    const { x, y } = button.getBoundingClientRect()
    const seen = places.get(button) ?? places.set(button, { frames: 0, at: new Set() }).get(button)
    if ((seen.frames += 1) > 3) seen.at.add(`${Math.round(x)} ${Math.round(y)}`)
  }
  requestAnimationFrame(look)
}
look()
"""


def test_the_page_is_given_what_a_phone_gives_on_plain_http(visitors: Visitors) -> None:
    page = visitors.page()
    assert page.evaluate("isSecureContext") is False
    assert page.evaluate("[crypto.subtle, crypto.randomUUID, navigator.clipboard].every((it) => it === undefined)")
    assert page.evaluate("[navigator.wakeLock, navigator.serviceWorker].every((it) => it === undefined)")


def test_a_film_arrives_byte_for_byte(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    path = film(tmp_path, "birthday party.mp4", 12 * MIB)
    page = visitors.page()
    send(page, path, into="Scenic videos")
    assert ended(page) == "doneTitle"
    expect(page.get_by_role("heading", level=1)).to_have_text("Upload complete")
    [stored] = station.stored("scenic")
    assert stored.read_bytes() == path.read_bytes()
    expect(row(page, "birthday party.mp4")).to_contain_text(f"stored as {stored.name}")
    assert station.stored("personal") == []


def test_bars_follow_the_station_and_say_their_numbers(visitors: Visitors, tmp_path: Path) -> None:
    page = visitors.page()
    brake = slow_down(page, MIB // 8)
    send(page, film(tmp_path, "a.mp4", 6 * MIB))
    bar = row(page, "a.mp4").get_by_role("progressbar", name="Progress of a.mp4")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))
    expect(row(page, "a.mp4")).to_contain_text(re.compile(r"\d%.*MB / 6\sMB.*/s"))
    expect(page.locator(".connection")).to_have_attribute("data-status", "live")
    expect(page.locator(".connection")).to_have_attribute("data-transport", "websocket")
    brake.detach()
    assert ended(page) == "doneTitle"


def test_one_cancelled_one_refused_and_another_browser_sees_the_same(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    good, long = film(tmp_path, "good.mp4", 3 * MIB), film(tmp_path, "long.mp4", 40 * MIB)
    sender = visitors.page()
    brake = slow_down(sender, MIB // 4)
    send(sender, good, long, program(tmp_path, "game.mp4"))
    watcher = visitors.page(sender.url)
    expect(watcher.get_by_role("heading", level=1)).to_have_text("Watching this upload")
    for page in (sender, watcher):
        expect(row(page, "game.mp4", "failed")).to_contain_text("This kind of file is not accepted.")
        expect(row(page, "long.mp4", "uploading")).to_be_visible()
    sender.get_by_role("button", name="Cancel long.mp4").click()
    expect(row(watcher, "long.mp4", "cancelled")).to_be_visible()
    brake.detach()
    for page in (sender, watcher):
        assert ended(page) == "doneSomeTitle"
        expect(row(page, "long.mp4", "cancelled")).to_be_visible()
        expect(page.get_by_role("status")).to_contain_text("1 of 3 files stored")
    assert phases(sender) == phases(watcher)
    assert sorted(phases(sender).values()) == ["cancelled", "completed", "failed"]
    [stored] = station.stored()
    assert stored.read_bytes() == good.read_bytes()


def test_everything_can_be_cancelled_after_a_question(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    page = visitors.page()
    slow_down(page, MIB // 4)
    send(page, *(film(tmp_path, f"{number}.mp4", 20 * MIB) for number in range(5)))
    expect(page.locator("li[data-phase=uploading]")).to_have_count(3)
    page.get_by_role("button", name="Cancel all").click()
    page.get_by_role("button", name="Keep sending").click()
    page.get_by_role("button", name="Cancel all").click()
    page.get_by_role("button", name="Yes, cancel").click()
    assert ended(page) == "cancelledTitle"
    expect(page.locator("li[data-phase=cancelled]")).to_have_count(5)
    assert station.stored() == []


def test_files_that_will_not_go_are_named_and_the_rest_goes(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    strange = tmp_path / "tool.exe"
    strange.write_bytes(b"MZ")
    page = visitors.page()
    choose(page, film(tmp_path, "good.mp4", MIB), strange)
    expect(page.locator(".refused")).to_contain_text("tool.exe")
    expect(page.locator(".refused")).to_contain_text("Convert it to an accepted format.")
    expect(page.get_by_text("1 file chosen")).to_be_visible()
    page.get_by_role("button", name="OK").click()
    expect(page.locator(".refused")).to_have_count(0)
    page.get_by_role("button", name="Send").click()
    put_into(page, "Personal videos")
    assert ended(page) == "doneTitle"
    assert len(station.stored()) == 1


def test_more_can_be_sent_afterwards(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    page = visitors.page()
    send(page, film(tmp_path, "first.mp4", MIB))
    assert ended(page) == "doneTitle"
    first = page.url
    page.get_by_role("button", name="Send more").click()
    expect(page.get_by_text("Choose files", exact=True)).to_be_visible()
    send(page, film(tmp_path, "second.mp4", MIB))
    assert ended(page) == "doneTitle"
    assert page.url != first
    expect(page.locator("li.file")).to_have_count(1)
    assert len(station.stored()) == 2


def test_files_are_added_while_the_session_is_open(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    page = visitors.page()
    brake = slow_down(page, MIB // 8)
    send(page, film(tmp_path, "long.mp4", 9 * MIB))
    expect(row(page, "long.mp4", "uploading")).to_be_visible()
    choose(page, film(tmp_path, "late.mp4", MIB))
    expect(page.locator("li.file")).to_have_count(2)
    brake.detach()
    assert ended(page) == "doneTitle"
    assert sorted(path.name.rpartition("_")[2] for path in station.stored()) == ["late.mp4", "long.mp4"]
    expect(page.locator("li.file")).to_have_count(2)


def test_an_upload_that_does_not_get_through_is_tried_again(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    path = film(tmp_path, "a.mp4", MIB)
    page = visitors.page()
    # By itself it would wait for ten minutes.
    page.route("**/files/**", lambda route: route.fulfill(status=503, headers={"Retry-After": "600"}))
    send(page, path)
    expect(row(page, "a.mp4", "waiting")).to_contain_text(re.compile(r"trying again in (10|9) min"))
    page.unroute("**/files/**")
    page.get_by_role("button", name="Try a.mp4 again").click()
    assert ended(page) == "doneTitle"
    assert station.stored()[0].read_bytes() == path.read_bytes()


def test_a_file_that_is_gone_when_its_turn_comes_is_told(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    path, other = film(tmp_path, "gone.mp4", MIB), film(tmp_path, "here.mp4", MIB)
    page = visitors.page()
    choose(page, path, other)
    expect(page.get_by_text("2 files chosen")).to_be_visible()
    path.unlink()
    page.get_by_role("button", name="Send").click()
    put_into(page, "Personal videos")
    expect(row(page, "gone.mp4", "failed")).to_contain_text("This file was changed or removed on this device.")
    page.get_by_role("button", name="Cancel gone.mp4").click()
    assert ended(page) == "doneSomeTitle"
    assert len(station.stored()) == 1


@pytest.mark.parametrize(
    ("blocked", "transport", "status"),
    [(("websocket",), "sse", "live"), (("websocket", "sse"), "polling", "polling")],
)
def test_where_a_transport_is_blocked_the_next_one_serves(
    visitors: Visitors, station: Running, tmp_path: Path, blocked: tuple[str, ...], transport: str, status: str
) -> None:
    context = visitors.context()
    block(context, *blocked)
    page = context.new_page()
    page.goto("/")
    brake = slow_down(page, MIB // 8)
    send(page, film(tmp_path, "a.mp4", 6 * MIB), program(tmp_path, "game.mp4"))
    connection = page.locator(".connection")
    expect(connection).to_have_attribute("data-transport", transport)
    expect(connection).to_have_attribute("data-status", status)
    expect(row(page, "a.mp4").get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))
    brake.detach()
    assert ended(page) == "doneSomeTitle"
    assert sorted(phases(page).values()) == ["completed", "failed"]
    assert len(station.stored()) == 1


def test_a_transport_that_works_again_takes_over(visitors: Visitors, tmp_path: Path) -> None:
    context = visitors.context()
    context.route("**/api/upload/events/**", lambda route: route.abort())
    context.add_init_script(
        "const real = WebSocket; window.WebSocket = class { constructor(url) {"
        " if (window.open_again) return new real(url); throw new Error('blocked') } }"
    )
    page = context.new_page()
    page.goto("/")
    slow_down(page, MIB // 4)
    send(page, film(tmp_path, "a.mp4", 30 * MIB))
    connection = page.locator(".connection")
    expect(connection).to_have_attribute("data-transport", "polling")
    page.evaluate("window.open_again = true")
    # Tried again after two to eight seconds.
    expect(connection).to_have_attribute("data-transport", "websocket")
    expect(connection).to_have_attribute("data-status", "live")
    page.get_by_role("button", name="Cancel a.mp4").click()
    assert ended(page) == "cancelledTitle"


def test_a_killed_station_is_waited_for_and_the_upload_goes_on(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    done, long = film(tmp_path, "done.mp4", 1000), film(tmp_path, "long.mp4", 12 * MIB)
    sender = visitors.page()
    brake = slow_down(sender, MIB // 8)
    send(sender, done, long)
    watcher = visitors.page(sender.url)
    for page in (sender, watcher):
        expect(row(page, "done.mp4", "completed")).to_be_visible()
        expect(row(page, "long.mp4", "uploading")).to_be_visible()
    station.end(signal.SIGKILL)
    for page in (sender, watcher):
        expect(page.locator(".connection")).to_have_attribute("data-status", "offline")
        expect(row(page, "done.mp4", "completed")).to_be_visible()
    brake.detach()
    station.start()
    for page in (sender, watcher):
        assert ended(page) == "doneTitle"
    assert phases(sender) == phases(watcher)
    assert [path.read_bytes() for path in station.stored()] == [done.read_bytes(), long.read_bytes()]


def test_a_link_opened_after_the_end_shows_what_arrived(visitors: Visitors, tmp_path: Path) -> None:
    page = visitors.page()
    send(page, film(tmp_path, "a.mp4", MIB))
    ended(page)
    late = visitors.page(page.url)
    assert ended(late) == "doneTitle"
    assert phases(late) == phases(page)


@pytest.mark.parametrize("id", ["550e8400-e29b-41d4-a716-446655440000", "nonsense"])
def test_an_unknown_and_an_impossible_link_get_the_same_page(visitors: Visitors, id: str) -> None:
    page = visitors.context().new_page()
    answer = page.goto(f"/s/{id}")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading")).to_have_text("There is no such upload")


def test_without_javascript_a_plain_form_sends(visitors: Visitors, station: Running, tmp_path: Path) -> None:
    first, second = film(tmp_path, "one.mp4", 2 * MIB), film(tmp_path, "two.mp4", MIB)
    page = visitors.page(java_script_enabled=False)
    page.get_by_label("Put them into").select_option("scenic")
    page.get_by_label("Files").set_input_files([first, second, program(tmp_path, "game.mp4")])
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Upload complete, but not every file arrived")
    expect(page.locator("li.completed")).to_have_count(2)
    expect(page.locator("li.failed")).to_contain_text("game.mp4")
    assert [path.read_bytes() for path in station.stored("scenic")] == [first.read_bytes(), second.read_bytes()]


def test_without_javascript_nothing_chosen_gets_a_page_that_says_so(visitors: Visitors) -> None:
    page = visitors.page(java_script_enabled=False)
    page.get_by_role("button", name="Send").click()
    # The browser itself asks for a file first.
    expect(page.get_by_label("Files")).to_be_focused()


@pytest.mark.parametrize(
    ("locale", "query", "language", "heading"),
    [("zh-CN", "", "zh-CN", "上传文件"), ("en-US", "", "en", "Send files"), ("zh-CN", "?lang=en", "en", "Send files"),
     ("fr-FR", "", "en", "Send files")],
)  # fmt: skip
def test_the_page_speaks_the_visitors_language(
    visitors: Visitors, locale: str, query: str, language: str, heading: str
) -> None:
    page = visitors.page(f"/{query}", locale=locale)
    expect(page.locator(".button.big")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == language
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_everything_can_be_done_by_keyboard(visitors: Visitors, tmp_path: Path) -> None:
    page = visitors.page()
    expect(page.get_by_text("Choose files", exact=True)).to_be_visible()
    # Expected before it is time: a browser that is busy still opens its own for a while.
    with page.expect_file_chooser() as opened:
        for _ in range(2):
            page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.type") == "file"
        page.keyboard.press("Space")
    opened.value.set_files([film(tmp_path, "a.mp4", MIB), film(tmp_path, "b.mp4", MIB)])
    expect(page.get_by_text("2 files chosen")).to_be_visible()
    page.get_by_role("button", name="Remove b.mp4").press("Enter")
    expect(page.get_by_text("1 file chosen")).to_be_visible()
    page.get_by_role("button", name="Send").press("Enter")
    expect(page.get_by_label("Personal videos")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Send")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Personal videos").press("ArrowDown")
    expect(page.get_by_label("Scenic videos")).to_be_checked()
    page.keyboard.press("Enter")
    assert ended(page) == "doneTitle"
    expect(page.get_by_role("heading", level=1)).to_be_focused()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen_and_targets_are_large(visitors: Visitors, tmp_path: Path, width: int) -> None:
    page = visitors.page(viewport={"width": width, "height": 640})
    slow_down(page, MIB // 4)

    def check() -> None:
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        assert page.evaluate(SMALL_TARGETS) == []

    choose(page, film(tmp_path, f"{'a-very-long-name-' * 9}.mp4", 20 * MIB), film(tmp_path, "b.mp4", 3 * MIB))
    expect(page.get_by_text("2 files chosen")).to_be_visible()
    check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check()
    page.evaluate(WATCH_BUTTONS)
    put_into(page, "Personal videos")
    expect(row(page, "a-very", "uploading")).to_contain_text(re.compile(r"/s ·.* left"))
    expect(page.locator(".overall > .facts")).to_contain_text(re.compile(r"/s ·.* left"))
    # A press and its release are to meet the same button.
    assert page.evaluate("[...places.values()].map(({ at }) => [...at])") == [[ANY], [ANY]]
    check()
    page.get_by_role("button", name="Cancel a-very").click()
    ended(page)
    check()
