"""The pages as the server writes them, and the page's own constants held against the tables they come from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.ioloop import IOLoop
from tornado.template import Loader

from handlers import Site
from handlers.gate import Gate
from handlers.pages import CATEGORIES, label
from server import new_id
from station.clock import system_clock
from station.config import load
from station.errors import ERRORS
from station.events import LIFECYCLE
from station.settling import Terms
from station.station import Station

ROOT = Path(__file__).resolve().parents[2]
ERRORS_HEAD = (
    "// The station's error table as the page needs it. Made from station/errors.py; a test holds both together.\n\n"
    "export const ERRORS = "
)
UNKNOWN = "550e8400-e29b-41d4-a716-446655440000"
Fetch = Callable[..., Awaitable[HTTPResponse]]


def script(name: str) -> str:
    return (ROOT / "static" / "js" / name).read_text(encoding="utf-8")


@pytest.fixture
def options() -> list[str]:
    return []


@pytest.fixture
def station(io_loop: IOLoop, tmp_path: Path, options: list[str]) -> Iterator[Station]:
    config = load([f"--upload-dir={tmp_path}", *options], {})

    async def make() -> Station:
        station = Station(config, system_clock, new_id)
        await station.start()
        return station

    station = io_loop.run_sync(make)
    yield station
    io_loop.run_sync(station.stop)


@pytest.fixture
def app(station: Station) -> Site:
    return Site(station, Gate((), (), ()), admin_token="t", log_function=lambda handler: None)


@pytest.fixture
def fetch(http_client: AsyncHTTPClient, base_url: str) -> Fetch:
    async def ask(path: str, **headers: str) -> HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await http_client.fetch(base_url + path, headers=named, raise_error=False)

    return ask


@pytest.mark.gen_test
async def test_the_first_page_speaks_the_language_that_is_asked_for(fetch: Fetch) -> None:
    for path, accepted, language, title in [
        ("/", "", "zh-CN", "上传文件"),
        ("/", "en-GB,zh;q=0.5", "en", "Send files"),
        ("/?lang=zh", "en", "zh-CN", "上传文件"),
    ]:
        answer = await fetch(path, Accept_Language=accepted)
        page = answer.body.decode()
        assert answer.code == 200
        assert f'<html lang="{language}">' in page
        assert f"<title>{title}</title>" in page
        assert "Accept-Language" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.gen_test
async def test_a_page_keeps_the_language_that_was_asked_for_in_its_address(fetch: Fetch) -> None:
    answer = await fetch("/?lang=en")
    assert re.fullmatch(r"lang=en; Max-Age=\d{8}; Path=/; SameSite=Lax", answer.headers["Set-Cookie"])
    for path in ("/", f"/s/{UNKNOWN}"):
        kept = await fetch(path, Cookie="lang=en", Accept_Language="zh")
        assert '<html lang="en">' in kept.body.decode()
        assert "Cookie" in kept.headers["Vary"]
        assert "Set-Cookie" not in kept.headers
    assert "lang=zh-CN" in (await fetch(f"/s/{UNKNOWN}?lang=zh", Cookie="lang=en")).headers["Set-Cookie"]
    assert "Set-Cookie" not in (await fetch("/?lang=fr")).headers


@pytest.mark.parametrize("options", [["--upload-pin=2468"]])
@pytest.mark.gen_test
async def test_where_a_pin_is_needed_the_form_asks_for_that_first(fetch: Fetch, options: list[str]) -> None:
    page = (await fetch("/?lang=en")).body.decode()
    assert '<form method="post" action="/api/upload/pin?lang=en">' in page
    assert "/api/upload/batch" not in page


@pytest.mark.gen_test
async def test_the_form_without_javascript_offers_the_categories(fetch: Fetch) -> None:
    page = (await fetch("/?lang=en")).body.decode()
    assert '<form method="post" enctype="multipart/form-data" action="/api/upload/batch?lang=en">' in page
    assert re.findall(r'<option value="(\w+)">([^<]+)</option>', page) == [
        ("personal", "Personal videos"),
        ("scenic", "Scenic videos"),
    ]


@pytest.mark.parametrize("options", [["--categories=school"]])
@pytest.mark.gen_test
async def test_a_lone_category_is_not_asked_for(fetch: Fetch, options: list[str]) -> None:
    assert "<select" not in (await fetch("/")).body.decode()


@pytest.mark.gen_test
async def test_the_page_of_a_session_knows_its_session(fetch: Fetch, station: Station) -> None:
    channel = await station.sessions.open(None, Terms(auto_complete=False))
    id = channel.session.id
    answer = await fetch(f"/s/{id}?lang=en")
    assert answer.code == 200
    assert f'data-session="{id}"' in answer.body.decode()
    # Its plain form adds to the session, which has its category already.
    assert f'action="/api/upload/batch?lang=en&amp;sessionId={id}"' in answer.body.decode()
    assert "<select" not in answer.body.decode()


@pytest.mark.gen_test
async def test_an_unknown_and_an_impossible_session_get_the_same_page(fetch: Fetch) -> None:
    unknown, impossible = await fetch(f"/s/{UNKNOWN}"), await fetch("/s/%22%3E%3Cscript%3E")
    assert unknown.code == impossible.code == 404
    assert unknown.body == impossible.body


def test_the_result_page_shows_names_as_text() -> None:
    hostile = "<script>alert(1)\"'&.mp4"
    stored = {
        "originalName": hostile,
        "status": "completed",
        "uploadedBytes": 5,
        "uploadPath": f"/upload/personal/{hostile}",
    }
    missed = {"originalName": hostile, "status": "failed", "why": (hostile, "")}
    for language in ("zh-CN", "en"):
        page = result(files=[stored, missed], lang=language)
        assert "<script>alert" not in page
        assert page.count("&lt;script&gt;alert(1)") == 4


def test_the_result_page_says_no_more_than_is_true() -> None:
    stored = {
        "originalName": "a.mp4",
        "status": "completed",
        "uploadedBytes": 5,
        "uploadPath": "/upload/personal/x_a.mp4",
    }
    missed = {"originalName": "b.mp4", "status": "cancelled"}
    error = {"code": "NO_FILES", "message": "No file was sent.", "solution": "Choose a file first."}
    assert heading(result(files=[stored])) == "Upload complete"
    assert heading(result(files=[stored, missed])) == "Upload complete, but not every file arrived"
    assert heading(result(files=[stored], error=error)) == "Upload complete, but not every file arrived"
    assert heading(result(files=[missed])) == "The upload did not succeed"
    nothing = result(files=[], error=error, session_id=None)
    assert heading(nothing) == "The upload did not succeed"
    assert "Choose a file first." in nothing
    assert "/s/" not in nothing


def result(**values: Any) -> str:
    files = [{"size": "5 B", "why": None, **file} for file in values.pop("files")]
    given = {"error": None, "summary": {}, "lang": "en", "session_id": UNKNOWN, "files": files, **values}
    return Loader(str(ROOT / "templates")).load("result.html").generate(**given).decode()


def heading(page: str) -> str:
    found = re.search(r"<h1[^>]*>([^<]*)</h1>", page)
    assert found is not None
    return found[1]


def test_a_category_without_a_name_for_people_is_shown_as_it_is() -> None:
    assert label("personal", "zh-CN") == "个人视频"
    assert label("school", "en") == "school"


# ---- the page's constants: made from the tables of the station, or the same as they ----


def test_the_page_explains_every_error_as_the_station_does() -> None:
    """With RENEW=1 in the environment this writes the file instead of complaining."""
    path = ROOT / "static" / "js" / "errors.js"
    rows = {
        row.code: {"retry": row.retry, "kind": str(row.kind), "zh": list(row.zh), "en": list(row.en)}
        for row in ERRORS.values()
    }
    if os.environ.get("RENEW") == "1":
        lines = (f"  {json.dumps(code)}: {json.dumps(row, ensure_ascii=False)},\n" for code, row in rows.items())
        path.write_text(f"{ERRORS_HEAD}{{\n{''.join(lines).removesuffix(',' + chr(10))}\n}}\n", encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    assert text.startswith(ERRORS_HEAD)
    assert json.loads(text.removeprefix(ERRORS_HEAD)) == rows, "RENEW=1 python -m pytest tests/handlers/test_pages.py"


def test_the_page_names_who_to_ask_as_the_station_does() -> None:
    row = ERRORS["UNAUTHORIZED"]
    (zh,), (en,) = (re.findall(r"someone: '([^']+)'", script(name)) for name in ("zh.js", "en.js"))
    assert row.solution("zh-CN") == row.zh[1].format(contact=zh)
    assert row.solution("en") == row.en[1].format(contact=en)


def test_the_page_names_the_categories_as_the_station_does() -> None:
    for name, names in CATEGORIES.items():
        assert tuple(re.findall(rf"\b{name}: '([^']+)'", script("zh.js") + script("en.js"))) == names


def test_the_page_numbers_the_events_that_the_station_numbers() -> None:
    found = re.search(r"LIFECYCLE = Object\.freeze\(\[([^\]]+)\]", script("events.js"))
    assert found is not None
    assert re.findall(r"'([a-z-]+)'", found[1]) == [event.name for event in LIFECYCLE]
