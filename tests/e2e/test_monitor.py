"""The operator's page in a real browser, beside people who send files: getting in, seeing, finding, deleting."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.axe import findings
from tests.e2e.conftest import Visitors
from tests.e2e.doing import MIB, PROGRAM, TOO_WIDE, ended, film, film_bytes, row, slow_down
from tests.e2e.doing import send as send_by_page

if TYPE_CHECKING:
    from tests.e2e.conftest import Running

DESK = {"width": 1280, "height": 800}
MOST_BYTES = 250 * 1024
# How many pixels of the first canvas have the colour of a curve in the present theme. Of a copy: a canvas that is read
# again and again is slower, and the browser says so.
CURVE = """
() => {
  const canvas = document.querySelector('canvas')
  const copy = document.createElement('canvas')
  Object.assign(copy, { width: canvas.width, height: canvas.height + 1 })
  const pen = copy.getContext('2d', { willReadFrequently: true })
  pen.fillStyle = getComputedStyle(canvas).getPropertyValue('--main').trim()
  pen.fillRect(0, canvas.height, 1, 1)
  const wanted = pen.getImageData(0, canvas.height, 1, 1).data
  pen.drawImage(canvas, 0, 0)
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height)
  let found = 0
  for (let at = 0; at < data.length; at += 4)
    found += data[at + 3] > 64 && [0, 1, 2].every((part) => Math.abs(data[at + part] - wanted[part]) < 12)
  return found
}
"""

# When each of the messages that are given up was given up.
ABOVE_AND_BELOW = """() => {
  const word = document.createRange()
  word.selectNodeContents(document.querySelector('nav .count').parentElement.firstChild)
  const above = [...document.querySelectorAll('header button')].map((it) => it.getBoundingClientRect().bottom)
  return [Math.max(...above), word.getBoundingClientRect().top]
}"""
LETTERS = "async () => (await (await fetch('/api/monitor/letters')).json()).letters.map((it) => it.deadAt).join()"

Enter = Callable[..., Page]


def token(station: Running) -> str:
    return (station.folder / ".station" / "token").read_text(encoding="utf-8").strip()


@pytest.fixture
def enter(browser: Browser) -> Iterator[Enter]:
    """Opens the operator's page of a station. Fails the test when a page logged an error, threw or asked elsewhere."""
    opened: list[Visitors] = []

    def go(station: Running, part: str = "", **options: Any) -> Page:
        visitors = Visitors(browser, station)
        opened.append(visitors)
        page = visitors.page(f"/monitor?token={token(station)}", **{"viewport": DESK, **options})
        page.locator("[data-status=live]").wait_for()
        if part:
            show(page, part)
        return page

    yield go
    for visitors in opened:
        visitors.close()
    assert [fault for visitors in opened for fault in visitors.faults] == []


def show(page: Page, part: str) -> None:
    page.locator(f"nav a[href='#/{'' if part == 'overview' else part}']").click()
    page.locator(f"[data-part={part}] h1").wait_for()


def address(station: Running) -> str:
    """For those that are no browser."""
    return station.url.replace("station.local", "127.0.0.1")


def put(station: Running, name: str, content: bytes, category: str = "personal") -> None:
    """As `curl -T` sends a file."""
    with urlopen(Request(f"{address(station)}/u/{name}?category={category}", content, method="PUT")) as answer:
        assert answer.status == 201


def names(station: Running) -> list[str]:
    """Of the files in the folder, as they were sent: the station puts an id and the time in front."""
    return sorted(path.name.rpartition("_")[2] for path in station.stored())


def stored(page: Page, name: str) -> Locator:
    return page.locator(f"li[data-file='{name}']")


# -- getting in


def test_the_operator_logs_in_by_the_form_and_out_again(visitors: Visitors, station: Running) -> None:
    page = visitors.page("/monitor")
    assert findings(page) == []
    page.get_by_label("Token").fill("not it")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label("Token").get_attribute("aria-invalid") == "true"
    assert findings(page) == []
    page.get_by_label("Token").fill(token(station))
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("[data-status=live]")).to_be_visible()
    assert page.evaluate("document.cookie") in {"", "lang=en"}, "no script can read the pass"
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.goto("/monitor")
    expect(page.get_by_label("Token")).to_be_visible()


def test_the_form_works_without_scripts_in_chinese(visitors: Visitors, station: Running) -> None:
    page = visitors.page("/monitor?lang=zh-CN", java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("管理员登录")
    page.get_by_label("管理员口令").fill(token(station))
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("这个页面需要 JavaScript")


def test_too_many_wrong_tokens_are_told_how_long_to_wait(visitors: Visitors) -> None:
    page = visitors.page("/monitor")
    wait = page.get_by_text(re.compile(r"Wait \d+ minutes?, then try again"))
    for _ in range(30):
        page.get_by_label("Token").fill("not it")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        if wait.count():
            break
    expect(wait).to_be_visible()


def test_the_printed_link_leaves_no_token_in_the_address(enter: Enter, station: Running) -> None:
    page = enter(station)
    assert page.url == f"{station.url}/monitor"
    assert token(station) not in page.content()


def test_who_is_not_the_operator_any_more_gets_the_form(enter: Enter, station: Running) -> None:
    page = enter(station)
    page.context.clear_cookies()
    page.locator("nav a[href='#/files']").click()
    expect(page.get_by_label("Token")).to_be_visible()


# -- seeing


def refused(station: Running, files: int) -> None:
    for number in range(files):
        with pytest.raises(OSError, match="415"):
            put(station, f"{number}bad.mp4", PROGRAM)


def test_all_is_well_until_uploads_fail(enter: Enter, station: Running) -> None:
    page = enter(station)
    # Not "All is well": the machine that runs the tests may be busy, and the page says that too.
    expect(page.locator("[data-level]")).to_be_visible()
    expect(page.get_by_text("Too many uploads fail")).to_have_count(0)
    success = page.locator("[data-indicator=success]")
    expect(success).to_contain_text("No data yet")
    put(station, "good.mp4", film_bytes("a", 1000))
    expect(success).to_contain_text("100%")
    expect(success).to_have_attribute("data-state", "good")
    refused(station, 1)
    expect(success).to_contain_text("50%")
    expect(success).to_have_attribute("data-state", "warning")
    refused(station, 3)
    expect(success).to_contain_text("20%")
    expect(success).to_have_attribute("data-state", "bad")
    expect(success).to_contain_text("Bad")
    expect(page.get_by_role("heading", name="Something is wrong")).to_be_visible()
    expect(page.get_by_text("Too many uploads fail: only 20% succeed.")).to_be_visible()


def test_what_somebody_sends_is_seen_while_it_comes(
    enter: Enter, visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    page = enter(station)
    phone = visitors.page("/")
    slowly = slow_down(phone, MIB // 8)
    send_by_page(phone, film(tmp_path, "holiday.mp4", 12 * MIB))
    live = page.locator(".running li", has_text="holiday.mp4")
    expect(live).to_contain_text("/s")
    bar = live.get_by_role("progressbar")
    expect(bar).not_to_have_attribute("aria-valuenow", "0")
    show(page, "sessions")
    session = page.locator("[data-status=uploading]", has_text="holiday.mp4")
    expect(session).to_be_visible()
    session.get_by_role("link").click()
    expect(stored(page, "holiday.mp4")).to_contain_text("Sending")
    expect(page.get_by_text("holiday.mp4 began (12")).to_be_visible()
    slowly.detach()
    assert ended(phone) == "doneTitle"
    expect(page.locator("[data-number='2']")).to_contain_text("holiday.mp4 arrived")
    expect(page.locator("[data-number='3']")).to_contain_text("The session ended")
    expect(page.get_by_role("button", name="Cancel this session")).to_have_count(0)
    expect(page.locator(".entry")).to_have_count(3)
    numbers = page.locator(".entry").evaluate_all("all => all.map((it) => it.dataset.number)")
    assert numbers == ["3", "2", "1"], "the newest first"


def begin(station: Running, name: str) -> None:
    body = json.dumps({"category": "personal", "files": [{"name": name, "size": 1000, "type": ""}]}).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{address(station)}/api/upload/session", body, headers)) as answer:
        assert answer.status == 201


def test_of_many_running_sessions_the_others_are_behind_a_link(enter: Enter, station: Running) -> None:
    for number in range(10):
        begin(station, f"film-{number}.mp4")
    page = enter(station)
    expect(page.locator(".running li")).to_have_count(8)
    page.get_by_role("link", name="and 2 more").click()
    expect(page.locator("[data-session]")).to_have_count(10)


def test_what_a_list_is_asked_is_there_again_after_going_back_and_a_reload(enter: Enter, station: Running) -> None:
    for name in ("a.mp4", "b.mp4"):
        with pytest.raises(OSError, match="415"):
            put(station, name, PROGRAM)
    put(station, "a-good.mp4", film_bytes("a", 1000))
    page = enter(station, "sessions")
    page.get_by_label("State").select_option("failed")
    page.get_by_label("File name or session id").fill("a.mp")
    rows = page.locator("li.session")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").click()
    page.locator("[data-part=session] .entry").first.wait_for()
    for come_back in (page.go_back, page.reload):
        come_back()
        expect(page.get_by_label("State")).to_have_value("failed")
        expect(page.get_by_label("File name or session id")).to_have_value("a.mp")
        expect(rows).to_have_text([re.compile("a.mp4")])
    page.locator("nav a[href='#/sessions']").click()
    expect(page.get_by_label("State")).to_have_value("all")
    expect(rows).to_have_count(3)


def test_the_log_says_why_a_file_failed_and_keeps_the_data(enter: Enter, station: Running) -> None:
    with pytest.raises(OSError, match="415"):
        put(station, "game.mp4", PROGRAM)
    page = enter(station, "sessions")
    page.get_by_role("link", name="game.mp4").click()
    expect(stored(page, "game.mp4").locator(".problem")).to_contain_text("This kind of file is not accepted.")
    entry = page.locator(".entry", has_text="game.mp4 failed")
    entry.get_by_text("As data").click()
    expect(entry.locator("pre")).to_contain_text('"code": "UNSUPPORTED_FORMAT"')
    page.get_by_role("link", name="All sessions").click()
    expect(page.get_by_role("heading", name="Sessions")).to_be_focused()


def test_the_charts_are_drawn_and_follow_theme_width_and_language(enter: Enter, station: Running) -> None:
    page = enter(station, color_scheme="light")
    chart = page.locator("[data-chart=throughput]")
    canvas = chart.locator("canvas")
    expect(canvas).to_be_visible()
    # It takes a sample, ten seconds long, until there is anything to be drawn.
    page.wait_for_function(CURVE, timeout=60_000)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(CURVE)
    wide = canvas.evaluate("({clientWidth}) => clientWidth")
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("(wide) => document.querySelector('canvas').clientWidth < wide", arg=wide)
    assert page.evaluate(TOO_WIDE) == 0
    page.get_by_role("button", name="Last day").click()
    expect(page.locator("[data-span=day]")).to_be_visible()
    expect(page.get_by_role("button", name="Last day")).to_have_attribute("aria-pressed", "true")
    page.get_by_text("As a table").click()
    expect(page.get_by_role("columnheader", name="Throughput")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(chart.locator("figcaption")).to_contain_text("接收速度（")
    expect(page.get_by_role("heading", name="运行指标")).to_be_visible()


# -- doing


def test_a_running_session_is_cancelled_after_a_question(
    enter: Enter, visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    phone = visitors.page("/")
    slow_down(phone, MIB // 4)
    send_by_page(phone, film(tmp_path, "long.mp4", 30 * MIB))
    expect(row(phone, "long.mp4", "uploading")).to_be_visible()
    page = enter(station, "sessions")
    page.get_by_role("link", name="long.mp4").click()
    page.get_by_role("button", name="Cancel this session").click()
    question = page.get_by_role("dialog", name="Cancel this session?")
    question.get_by_role("button", name="Leave it").click()
    expect(question).to_have_count(0)
    page.get_by_role("button", name="Cancel this session").click()
    question.get_by_role("button", name="Yes, cancel it").click()
    expect(page.get_by_role("status").filter(has_text="The session was cancelled.")).to_be_visible()
    expect(page.get_by_text("The session was cancelled: by the operator.")).to_be_visible()
    assert ended(phone) == "cancelledTitle"


def test_stored_files_are_found_sorted_and_downloaded(enter: Enter, station: Running, tmp_path: Path) -> None:
    small, large = film_bytes("small", 1000), film_bytes("large", 5000)
    put(station, "birthday.mp4", small)
    put(station, "a%20b%20%E7%94%9F%E6%97%A5.mp4", large, "scenic")
    page = enter(station, "files")
    found = page.locator("li[data-file] .name")
    expect(found).to_have_text(["a b 生日.mp4", "birthday.mp4"])
    page.get_by_label("Order").select_option("name")
    expect(found).to_have_text(["a b 生日.mp4", "birthday.mp4"])
    page.get_by_label("Category").select_option("scenic")
    expect(found).to_have_text(["a b 生日.mp4"])
    page.get_by_label("Category").select_option("")
    page.get_by_label("File name").fill("BIRTH")
    expect(found).to_have_text(["birthday.mp4"])
    page.get_by_label("File name").fill("nothing like it")
    expect(page.get_by_text("No files here.")).to_be_visible()
    page.get_by_label("File name").fill("生日")
    expect(found).to_have_text(["a b 生日.mp4"])
    with page.expect_download() as download:
        page.get_by_role("link", name="Download a b 生日.mp4").click()
    assert download.value.suggested_filename == "a b 生日.mp4"
    assert Path(download.value.path()).read_bytes() == large


def test_a_deleted_file_is_gone_and_every_operator_hears_of_it(enter: Enter, station: Running) -> None:
    put(station, "old.mp4", film_bytes("old", 1000))
    put(station, "new.mp4", film_bytes("new", 1000))
    page, other = enter(station, "files"), enter(station, "files")
    expect(stored(other, "old.mp4")).to_be_visible()
    page.get_by_role("button", name="Delete old.mp4").click()
    question = page.get_by_role("dialog", name="Delete this file?")
    expect(question).to_contain_text("“old.mp4” (1\u00a0KB) is deleted")
    assert findings(page) == []
    question.get_by_role("button", name="Cancel").click()
    assert names(station) == ["new.mp4", "old.mp4"]
    expect(page.get_by_role("button", name="Delete old.mp4")).to_be_focused()
    page.get_by_role("button", name="Delete old.mp4").click()
    question.get_by_role("button", name="Yes, delete it").click()
    for each in (page, other):
        # First of all: it is taken away again.
        expect(each.get_by_role("status").filter(has_text="old.mp4 was deleted.")).to_be_visible()
    for each in (page, other):
        expect(stored(each, "old.mp4")).to_have_count(0)
    assert names(station) == ["new.mp4"]
    expect(page.get_by_role("button", name="Delete new.mp4")).to_be_visible()
    page.goto("/monitor#/sessions")
    page.get_by_role("link", name="old.mp4").click()
    expect(page.locator("li.file.deleted")).to_contain_text("Completed · deleted by the operator · 1 KB")
    assert findings(page) == []


def test_a_file_that_another_program_took_away_is_said_to_be_gone(enter: Enter, station: Running) -> None:
    put(station, "taken.mp4", film_bytes("taken", 1000))
    station.stored()[0].unlink()
    page = enter(station, "files")
    expect(stored(page, "taken.mp4")).to_contain_text("no longer in its folder")
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    show(page, "overview")
    expect(page.get_by_text("took out of their folders count until the history forgets them")).to_be_visible()


def test_a_download_has_the_list_looked_after(enter: Enter, station: Running) -> None:
    """A file that is gone is refused to the browser alone; the page learns it from its list."""
    put(station, "a.mp4", film_bytes("a", 1000))
    page = enter(station, "files")
    link = page.get_by_role("link", name="Download a.mp4")
    link.wait_for()
    with page.expect_request(re.compile(r"/api/monitor/files\?")):
        link.click()


def test_a_file_that_cannot_be_deleted_is_named_until_something_else_is_asked(enter: Enter, station: Running) -> None:
    put(station, "gone.mp4", film_bytes("gone", 1000))
    page = enter(station, "files")
    page.get_by_role("button", name="Delete gone.mp4").click()
    station.stored()[0].unlink()
    page.get_by_role("button", name="Yes, delete it").click()
    problem = page.get_by_role("alert")
    expect(problem).to_have_text("Deleting gone.mp4: There is no such file.")
    expect(stored(page, "gone.mp4")).to_contain_text("no longer in its folder")
    page.get_by_label("File name").fill("x")
    expect(problem).to_have_count(0)


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=document.title=1>.mp4", "a\u202egpj.mp4", "😀 'quoted' & \"so\".mp4"]
)
def test_a_hostile_name_is_only_text(enter: Enter, station: Running, name: str) -> None:
    put(station, quote(name, safe=""), film_bytes("a", 1000))
    page = enter(station, "files")
    shown = page.locator("li[data-file] .name").text_content()
    assert shown is not None
    assert shown[-7:] == name[-7:]
    page.locator("li[data-file] button").click()
    expect(page.get_by_role("dialog")).to_contain_text(shown)
    page.keyboard.press("Escape")
    show(page, "sessions")
    page.locator("li.session a").click()
    page.locator(".entry").first.wait_for()
    expect(page).to_have_title(re.compile("^Session [0-9a-f]{8} · Station monitor$"))
    assert page.locator("main img").count() == 0


def test_what_a_webhook_could_not_be_told_is_seen_sent_again_and_forgotten(
    enter: Enter, run: Callable[..., Running]
) -> None:
    # Nobody listens there.
    station = run("--webhook=http://127.0.0.1:9/", "--webhook-events=upload-completed", "--hook-patience=1s")
    put(station, "a.mp4", film_bytes("a", 1000))
    page = enter(station, "letters")
    letter = page.locator("[data-letter]")
    expect(letter).to_contain_text("File arrived: a.mp4")
    expect(letter).to_contain_text("connection refused")
    expect(page.get_by_role("button", name="Send all again")).to_have_count(0)
    expect(page.locator("nav .count")).to_have_text("1")
    assert findings(page) == []
    show(page, "overview")
    expect(page.get_by_text("One message to another program was given up.")).to_be_visible()
    show(page, "letters")
    before = page.evaluate(LETTERS)
    page.get_by_role("button", name=re.compile("Send again: message")).click()
    expect(page.get_by_role("status").filter(has_text="is sent again")).to_be_visible()
    # While it is tried it cannot be forgotten, and the page may still show it as it was.
    page.wait_for_function(f"async (before) => ![before, ''].includes(await ({LETTERS})())", arg=before)
    expect(letter).to_have_count(1)
    page.get_by_role("button", name=re.compile("Forget: message")).click()
    question = page.get_by_role("dialog", name="Forget this message?")
    expect(question).to_contain_text("(File arrived: a.mp4) will never be delivered.")
    assert findings(page) == []
    question.get_by_role("button", name="Yes, forget").click()
    expect(letter).to_have_count(0)
    expect(page.get_by_text("Nothing was given up.")).to_be_visible()


def test_many_messages_come_in_pages_and_are_dealt_with_at_once(enter: Enter, run: Callable[..., Running]) -> None:
    station = run("--webhook=http://127.0.0.1:9/", "--webhook-events=upload-completed", "--hook-patience=1h")
    put(station, "a.mp4", film_bytes("a", 1000))
    many = 60
    station.end()
    with closing(sqlite3.connect(station.folder / ".station" / "journal.db")) as journal, journal:
        [(text, at)] = journal.execute("SELECT text, made_at FROM deliveries").fetchall()
        journal.executemany(
            "INSERT INTO deliveries (hook, session_id, name, text, made_at, dead_at, error, tries) "
            "VALUES ('webhook', 's', 'upload-completed', ?, ?, ?, 'it answered 410', 1)",
            [(text, at, at)] * many,
        )
    station.start()
    page = enter(station, "letters", locale="zh-CN")
    letters = page.locator("[data-letter]")
    expect(letters).to_have_count(50)
    expect(page.get_by_text(f"最早的 50 条，共 {many} 条。")).to_be_visible()
    expect(letters.first).to_contain_text("文件已收到：a.mp4")
    expect(letters.first).to_contain_text("对方回答 410")
    assert findings(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate(TOO_WIDE) == 0
    page.get_by_role("button", name="显示更多").click()
    expect(letters).to_have_count(many)
    page.get_by_role("button", name="全部忘掉").click()
    question = page.get_by_role("dialog", name="忘掉全部通知？")
    expect(question).to_contain_text(f"（{many} 条）")
    question.get_by_role("button", name="取消").click()
    expect(letters).to_have_count(many)
    page.get_by_role("button", name="全部重新发送").click()
    # With an hour's patience none of them dies again.
    expect(letters).to_have_count(0)
    expect(page.get_by_text(f"正在发送或等待重试：{many + 1} 条。")).to_be_visible()


# -- what gets in the way


def test_the_page_heals_after_the_station_was_restarted(enter: Enter, station: Running) -> None:
    put(station, "before.mp4", film_bytes("before", 1000))
    page = enter(station, "files")
    expect(stored(page, "before.mp4")).to_be_visible()
    station.end(signal.SIGKILL)
    expect(page.locator("[data-status=offline]")).to_contain_text("Station out of reach since")
    expect(stored(page, "before.mp4")).to_be_visible()
    station.start()
    expect(page.locator("[data-status=live]")).to_be_visible()
    put(station, "after.mp4", film_bytes("after", 1000))
    expect(stored(page, "after.mp4")).to_be_visible()


def test_without_sockets_the_page_asks_every_few_seconds(enter: Enter, station: Running) -> None:
    page = enter(station)
    page.context.route_web_socket(re.compile("/ws"), lambda socket: socket.close())
    page.reload()
    expect(page.locator("[data-status=polling]")).to_contain_text("Every few seconds, since")
    put(station, "a.mp4", film_bytes("a", 1000))
    expect(page.locator("[data-indicator=success]")).to_contain_text("100%")


# -- for everybody


@pytest.mark.parametrize("width", [320, 390, 1280, 3840])
def test_nothing_scrolls_sideways(enter: Enter, station: Running, width: int) -> None:
    put(station, f"{'x' * 120}.mp4", film_bytes("a", 1000))
    page = enter(station, viewport={"width": width, "height": 800}, locale="zh-CN")
    for part in ("overview", "sessions", "files", "letters"):
        show(page, part)
        assert page.evaluate(TOO_WIDE) == 0, part
    show(page, "sessions")
    page.locator("li.session a").click()
    page.locator("[data-part=session] .entry").first.wait_for()
    assert page.evaluate(TOO_WIDE) == 0


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_a_phone_shows_every_part_and_how_many_messages_were_given_up(
    enter: Enter, run: Callable[..., Running], language: str
) -> None:
    # Nobody listens there.
    station = run("--webhook=http://127.0.0.1:9/", "--webhook-events=upload-completed", "--hook-patience=1s")
    put(station, "a.mp4", film_bytes("a", 1000))
    page = enter(station, locale=language)
    expect(page.locator("nav .count")).to_have_text("1")
    page.locator("nav .count").evaluate("it => { it.textContent = '99+' }")
    for width in (320, 360, 390):
        page.set_viewport_size({"width": width, "height": 700})
        places = page.locator("nav a, nav .count").evaluate_all("all => all.map((it) => it.getBoundingClientRect())")
        assert len(places) == 5
        assert max(place["right"] for place in places) <= width
        assert len({place["top"] for place in places[:4]}) == 1, "there is room for all in one row"
        lowest, words = page.evaluate(ABOVE_AND_BELOW)
        assert lowest <= places[4]["top"], "the number reaches onto no button"
        assert places[4]["bottom"] <= words, "nor onto the word"


def test_forced_colours_leave_what_is_chosen_and_how_far_it_is(enter: Enter, station: Running) -> None:
    begin(station, "film.mp4")
    page = enter(station, forced_colors="active")
    page.locator("canvas").first.wait_for()

    def colours(which: str, part: str) -> list[str]:
        found = page.locator(which).evaluate_all("(all, part) => all.map((it) => getComputedStyle(it)[part])", part)
        return list(found)

    current, *others = colours("nav a", "borderBottomColor")
    assert current not in others
    hour, day = colours(".spans button", "backgroundColor")
    assert (hour, day) == (current, others[0])
    assert colours(".running .bar .fill", "backgroundColor") != colours(".running .bar", "backgroundColor")
    assert colours(".running .bar", "borderTopWidth") == ["1px"]


@pytest.mark.parametrize("width", [1280, 1920, 3840])
def test_the_indicators_fill_their_row(enter: Enter, station: Running, width: int) -> None:
    page = enter(station, viewport={"width": width, "height": 800})
    right = "all => Math.max(...all.map((it) => it.getBoundingClientRect().right))"
    row, last = (page.locator(which).evaluate_all(right) for which in (".indicators", ".indicator"))
    assert last == pytest.approx(row, abs=1)


def test_every_part_is_reached_by_keyboard(enter: Enter, station: Running) -> None:
    page = enter(station)
    page.locator("nav a").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page).to_have_title("Sessions · Station monitor")
    page.go_back()
    expect(page.locator("[data-part=overview]")).to_be_visible()


@pytest.mark.parametrize(("language", "theme"), [("en-GB", "light"), ("zh-CN", "dark")])
def test_axe_finds_nothing_wrong_with_any_part(enter: Enter, station: Running, language: str, theme: str) -> None:
    put(station, "good.mp4", film_bytes("a", 1000))
    refused(station, 4)
    page = enter(station, locale=language, color_scheme=theme)
    page.locator("canvas").first.wait_for()
    page.locator(".as-table summary").click()
    page.locator("[data-level=bad]").wait_for()
    found = {"overview": findings(page)}
    for part in ("sessions", "files", "letters"):
        show(page, part)
        page.locator("main li, main .hint").first.wait_for()
        found[part] = findings(page)
    show(page, "sessions")
    page.get_by_role("link", name="3bad.mp4").click()
    page.locator(".entry summary").first.click()
    found["session"] = findings(page)
    assert {part: wrong for part, wrong in found.items() if wrong} == {}


def test_the_page_is_small_and_no_other_page_loads_any_of_it(visitors: Visitors, station: Running) -> None:
    page = visitors.context().new_page()
    wire = page.context.new_cdp_session(page)
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    wire.send("Network.enable")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    page.wait_for_load_state("networkidle")
    assert [address for address in asked if "monitor" in address or "uPlot" in address] == []
    page.context.clear_cookies()
    sizes.clear()
    wire.send("Network.clearBrowserCache")
    page.goto(f"/monitor?token={token(station)}")
    page.locator("canvas").first.wait_for()
    assert 50_000 < sum(sizes) < MOST_BYTES
