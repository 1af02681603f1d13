"""What every answer has in common: security headers, the error's fields, the language, and nothing of the inside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from handlers.answers import HEADERS, INERT_POLICY, SECURE_HEADERS, language_of
from handlers.base import Base, verb
from handlers.static import Copies, Static
from station.errors import ERRORS
from station.lines import fields_of
from tests.handlers.site import (
    HANDSHAKE,
    UNKNOWN,
    Answer,
    Box,
    Goodbye,
    Json,
    Line,
    addresses,
    file_part,
    movie,
    on_the_loop,
    until,
)

FIELDS = ["error", "message", "details", "solution", "timestamp", "requestId"]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW", "PROPFIND")


INERT = {"X-Content-Type-Options": "nosniff"}
DOOR = {**HEADERS, "Referrer-Policy": "strict-origin"}


def has_all_headers(answer: Answer, expected: Mapping[str, str] = HEADERS) -> bool:
    return "Server" not in answer.headers and all(
        answer.headers.get_list(name) == [value] for name, value in expected.items()
    )


@on_the_loop
async def test_every_answer_carries_the_security_headers_and_tells_nothing_of_the_inside(box: Box) -> None:
    inside = re.compile(rf"Traceback|File \"|{re.escape(str(box.station.storage.root.parent))}|site-packages|tornado")
    for address in addresses(box):
        for method in METHODS:
            answer = await box.ask(method, address, None if method in {"GET", "HEAD"} else b"")
            inert = address.startswith("/static/") and answer.status == 200
            # The operator's form tells its own page where it came from, and nobody else.
            form = DOOR if address.startswith("/monitor") and answer.status in {401, 429} else HEADERS
            assert has_all_headers(answer, INERT if inert else form), (method, address)
            assert inert or "X-Request-Id" in answer.headers
            assert answer.status < 500, (method, address)
            assert not inside.search(answer.body.decode()), (method, address)


@on_the_loop
async def test_what_browsers_complain_about_on_plain_http_is_not_sent(box: Box) -> None:
    assert SECURE_HEADERS.keys().isdisjoint((await box.get("/")).headers)


@on_the_loop
async def test_a_handshake_that_succeeds_or_fails_carries_the_security_headers(box: Box) -> None:
    for headers, expected in [
        (HANDSHAKE, 101),
        ({**HANDSHAKE, "Origin": "http://evil.example"}, 403),
        ({**HANDSHAKE, "Host": "evil.example"}, 421),
        ({**HANDSHAKE, "Sec-WebSocket-Version": "7"}, 426),
        ({**HANDSHAKE, "Connection": "keep-alive"}, 400),
        ({key: value for key, value in HANDSHAKE.items() if key != "Sec-WebSocket-Key"}, 400),
    ]:
        line = await box.connect()
        line.begin("GET", "/ws", headers)
        status, got = await line.head()
        assert status == expected
        assert has_all_headers(Answer(status, got, b"")), expected
        await line.close()


def test_the_content_policy_allows_no_inline_code() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "*" not in policy
    for part in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy


@on_the_loop
async def test_a_copy_that_is_still_good_is_answered_304_with_the_security_headers(box: Box) -> None:
    first = await box.get("/static/js/events.js")
    assert first.status == 200
    again = await box.get("/static/js/events.js", {"If-None-Match": first.headers["Etag"]})
    assert again.status == 304
    assert has_all_headers(again, INERT)


def problems(box: Box) -> list[tuple[str, str, bytes | None, int, str]]:
    return [
        ("GET", f"/api/upload/progress/{UNKNOWN}", None, 404, "SESSION_NOT_FOUND"),
        ("GET", f"/api/upload/events/{UNKNOWN}", None, 404, "SESSION_NOT_FOUND"),
        ("POST", f"/api/upload/cancel/{UNKNOWN}", b"", 404, "SESSION_NOT_FOUND"),
        ("POST", f"/api/upload/complete/{UNKNOWN}", b"", 404, "SESSION_NOT_FOUND"),
        ("PUT", f"/api/upload/session/{UNKNOWN}/files/a.mp4", b"x", 404, "SESSION_NOT_FOUND"),
        ("PUT", "/u/a.exe", b"x", 415, "UNSUPPORTED_FORMAT"),
        ("PUT", "/u/", b"x", 400, "VALIDATION_ERROR"),
        ("POST", "/api/upload/validate", b"{}", 400, "NO_FILES"),
        ("POST", "/api/upload/session", b"[]", 400, "VALIDATION_ERROR"),
        ("POST", "/api/upload/batch", b"{}", 400, "VALIDATION_ERROR"),
        ("DELETE", f"/api/upload/file/{UNKNOWN}", None, 401, "UNAUTHORIZED"),
        ("GET", "/api/upload/batch", None, 405, "METHOD_NOT_ALLOWED"),
        ("BREW", "/health", None, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/ws", None, 400, "VALIDATION_ERROR"),
        ("PUT", "/ws", b"", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/nowhere", None, 404, "NOT_FOUND"),
        ("GET", "/static/nothing.js", None, 404, "NOT_FOUND"),
        ("GET", "/static/..%2f..%2fserver.py", None, 400, "VALIDATION_ERROR"),
    ]


@on_the_loop
async def test_every_error_has_exactly_the_fields_of_the_contract(box: Box) -> None:
    for method, address, body, status, code in problems(box):
        answer = await box.ask(method, address, body)
        error = answer.json()
        assert (answer.status, error["error"]) == (status, code), (method, address)
        assert list(error) == FIELDS
        assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert error["requestId"] == answer.headers["X-Request-Id"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", error["timestamp"])
        assert error["details"] is None or isinstance(error["details"], str)


@pytest.mark.parametrize(
    ("query", "accepted", "chinese"),
    [
        ("", "", True),
        ("", "en", False),
        ("", "en-GB,en;q=0.9", False),
        ("", "fr, en;q=0.5, zh;q=0.1", False),
        ("", "zh-TW", True),
        ("", "ja", False),
        ("", "*", True),
        ("?lang=en", "zh-CN", False),
        ("?lang=zh", "en", True),
        ("?lang=zh-CN", "en", True),
        ("?lang=xx", "en", False),
    ],
)
@on_the_loop
async def test_an_error_speaks_the_language_of_the_client(box: Box, query: str, accepted: str, chinese: bool) -> None:
    answer = await box.get(f"/api/upload/progress/{UNKNOWN}{query}", {"Accept-Language": accepted} if accepted else {})
    row = ERRORS["SESSION_NOT_FOUND"]
    assert answer.json()["message"] == (row.zh if chinese else row.en)[0]
    assert answer.json()["solution"] == row.solution("zh-CN" if chinese else "en")


@pytest.mark.parametrize("options", [["--language=en", "--contact=Ana in room 3"]])
@on_the_loop
async def test_the_station_names_its_language_and_whom_to_ask(box: Box) -> None:
    error = (await box.ask("DELETE", f"/api/upload/file/{UNKNOWN}")).json()
    assert error["solution"] == "Ask Ana in room 3."


def test_a_language_is_chosen_by_wish_then_as_it_is_kept_then_by_what_the_client_accepts() -> None:
    assert language_of("en", "zh-CN", "zh", "zh-CN") == "en"
    assert language_of("xx", "en", "zh", "zh-CN") == "en"
    assert language_of(None, "klingon", "", "en") == "en"
    assert language_of("", None, "de, ZH-hk", "en") == "zh-CN"


@pytest.mark.parametrize(
    ("query", "cookie", "language"),
    [
        ("", "lang=en", "en"),
        ("", "lang=zh-CN; upload_pin=x", "zh-CN"),
        ("?lang=en", "lang=zh-CN", "en"),
        ("", "lang=xx", "en"),
        ("", "lang", "en"),
        ("", "lang=\xff", "en"),
        ("", '=";lang=,', "en"),
    ],
)
@on_the_loop
async def test_a_language_that_a_page_keeps_goes_before_what_the_browser_says(
    box: Box, query: str, cookie: str, language: str
) -> None:
    headers = {"Cookie": cookie, "Accept-Language": "en"}
    answer = await box.get(f"/api/upload/progress/{UNKNOWN}{query}", headers)
    assert answer.json()["message"] == ERRORS["SESSION_NOT_FOUND"].message(language)
    assert "Set-Cookie" not in answer.headers, "only pages keep it"


@on_the_loop
async def test_only_what_lies_in_the_folder_of_workers_may_compile_webassembly(box: Box, tmp_path: Path) -> None:
    """And it has no policy for trusted types: a worker draws nothing."""
    for name in ("js/worker/a.js", "js/worker.js", "js/workers/a.js", "worker/a.js"):
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / name).write_text("1;")
    given = {"station": box.station, "path": str(tmp_path / "own"), "copies": Copies()}
    box.site.add_handlers(".*", [("/own/(.*)", Static, given)])
    worker = await box.get("/own/js/worker/a.js")
    again = await box.get("/own/js/worker/a.js", {"If-None-Match": worker.headers["Etag"]})
    assert (worker.status, again.status) == (200, 304)
    for answer in (worker, again):
        (policy,) = answer.headers.get_list("Content-Security-Policy")
        assert "script-src 'self' 'wasm-unsafe-eval'" in policy
        assert "trusted-types" not in policy
    for name in ("js/worker.js", "js/workers/a.js", "worker/a.js", "js/worker/../worker.js"):
        answer = await box.get(f"/own/{name}")
        assert answer.status == 200
        assert has_all_headers(answer, INERT), name
        assert "Content-Security-Policy" not in answer.headers, "a script is no page"
    picture = await box.get("/static/css/icon.svg")
    assert picture.headers["Content-Security-Policy"] == INERT_POLICY
    assert has_all_headers(await box.get("/own/js/worker/missing.js"))


def without_moment(answer: Answer) -> tuple[int, Json, list[str]]:
    error = {name: value for name, value in answer.json().items() if name not in {"timestamp", "requestId"}}
    return answer.status, error, sorted(answer.headers.keys())


IMPOSSIBLE = ["x", "%00", "..%2f..", "%F0%9F%98%80", UNKNOWN.upper(), UNKNOWN[:-1], f"{UNKNOWN}%20", "a" * 5000]


@on_the_loop
async def test_an_unknown_and_an_impossible_id_get_the_same_answer(box: Box) -> None:
    calls = [
        ("GET", "/api/upload/progress/{}", None),
        ("GET", "/api/upload/events/{}", None),
        ("POST", "/api/upload/cancel/{}", b"{}"),
        ("POST", "/api/upload/complete/{}", b""),
        ("PUT", "/api/upload/session/{}/files/a.mp4", b"abc"),
    ]
    for method, address, body in calls:
        known = without_moment(await box.ask(method, address.format(UNKNOWN), body))
        for id in IMPOSSIBLE:
            assert without_moment(await box.ask(method, address.format(id), body)) == known, (address, id)


@on_the_loop
async def test_a_file_of_another_session_and_an_unknown_file_get_the_same_answer(box: Box) -> None:
    mine = await box.open(files=[{"name": "a.mp4", "size": 5}])
    theirs = (await box.post("/api/upload/session", {"files": [{"name": "b.mp4", "size": 5}]})).json()
    foreign = theirs["files"][0]["fileId"]
    for id in (foreign, "x", "\u0000", "a" * 500):
        by_cancel = [
            without_moment(await box.post(f"/api/upload/cancel/{mine}", {"fileId": each})) for each in (id, UNKNOWN)
        ]
        assert by_cancel[0] == by_cancel[1]
        assert by_cancel[0][1]["error"] == "FILE_NOT_FOUND"
    by_put = [
        without_moment(await box.put(mine, "b.mp4", movie(5), f"?fileId={each}")) for each in (foreign, UNKNOWN, "x")
    ]
    assert by_put[0] == by_put[1] == by_put[2]
    assert by_put[0][0] == 404
    assert box.session(theirs["sessionId"]).files[foreign].status == "pending"


class Broken(Base):
    """A route with a fault of ours in it."""

    @verb
    async def get(self) -> None:
        raise RuntimeError("/secret/place")


@pytest.mark.expects_errors
@on_the_loop
async def test_a_fault_of_ours_is_a_server_error_that_leaks_nothing(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    box.site.add_handlers(".*", [("/broken/(?:.*)", Broken, {"station": box.station})])
    answer = await box.get(f"/broken/{UNKNOWN}")
    assert (answer.status, answer.code) == (500, "SERVER_ERROR")
    assert list(answer.json()) == FIELDS
    assert has_all_headers(answer)
    assert b"secret" not in answer.body
    # The log has the whole story, and the id under which the client was told of it, but not the address.
    assert "/secret/place" in caplog.text
    (record,) = [record for record in caplog.records if record.exc_info]
    assert fields_of(record)["request"] == answer.headers["X-Request-Id"]
    assert UNKNOWN not in caplog.text


class Slow(Base):
    """A route that answers, in one piece or in several, to a client that has hung up meanwhile."""

    @verb
    async def get(self, begun: str) -> None:
        if begun:
            self.write("one")
            await self.flush()
        stream = self.request.connection.stream  # type: ignore[union-attr]
        await until(stream.closed, "the client has hung up")
        self.write("two")
        await self.flush()


@pytest.mark.parametrize("begun", ["", "begun"])
@pytest.mark.parametrize("go", [Line.close, Line.reset])
@on_the_loop
async def test_a_client_that_hangs_up_before_its_answer_is_no_fault_of_ours(
    box: Box, caplog: pytest.LogCaptureFixture, begun: str, go: Goodbye
) -> None:
    box.site.add_handlers(".*", [("/slow/(.*)", Slow, {"station": box.station})])
    line = await box.connect()
    line.begin("GET", f"/slow/{begun}")
    await until(lambda: box.door.count == 1, "it is connected")
    await go(line)
    await until(lambda: box.door.count == 0, "it is gone")
    assert "Traceback" not in caplog.text  # and what is logged as an error fails the test by itself


@on_the_loop
async def test_a_handshake_that_is_wrong_gets_an_error_row(box: Box) -> None:
    for name, value, status in [
        ("Upgrade", None, 400),
        ("Connection", "keep-alive", 400),
        ("Connection", None, 400),
        ("Sec-WebSocket-Key", None, 400),
        ("Sec-WebSocket-Key", "", 400),
        ("Sec-WebSocket-Version", None, 400),
        ("Sec-WebSocket-Version", "8", 426),
        ("Sec-WebSocket-Version", "x", 426),
    ]:
        changed = {key: each for key, each in HANDSHAKE.items() if key != name}
        answer = await box.get("/ws", changed if value is None else {**changed, name: value})
        assert (answer.status, answer.code) == (status, "VALIDATION_ERROR"), (name, value)
        assert list(answer.json()) == FIELDS
        assert answer.headers.get("Sec-WebSocket-Version") == ("13" if status == 426 else None)


@on_the_loop
async def test_a_query_or_header_that_is_no_text_breaks_nothing(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    for address in (
        "/nowhere?lang=%ff",
        "/?lang=%ff%fe",
        "/api/upload/config?lang=%ff",
        f"/api/upload/progress/{session_id}?since=%ff",
        f"/api/upload/progress/{session_id}?epoch=%ff&since=0",
        f"/api/upload/events/{session_id}?lastEventId=%ff",
        f"/api/upload/events/{UNKNOWN}?lang=%ff&lang=en",
        "/s/%ff",
        "/api/upload/progress/%ff",
        "/static/%ff",
        "/health?%",
    ):
        line = await box.connect()
        line.begin("GET", address, {"Accept-Language": "\xff;q=x,,;=,en"})
        status, headers = await line.head()
        assert status in {200, 400, 404}, (address, status)
        assert has_all_headers(Answer(status, headers, b"")), address
        await line.close()
    for method, address in [
        ("PUT", "/u/a.mp4?category=%ff"),
        ("PUT", "/u/%ff.mp4?lang=%ff"),
        ("PUT", f"/api/upload/session/{session_id}/files/a.mp4?fileId=%ff"),
        ("POST", "/api/upload/batch?sessionId=%ff"),
        ("POST", f"/api/upload/cancel/{session_id}?lang=%ff"),
    ]:
        answer = await box.ask(method, address, b"{}")
        assert answer.status in {200, 201, 400, 404}, (address, answer.status, answer.body)
    for query in ("&" * 20_000, "a=b&" * 5_000):  # Tornado may answer these by itself
        assert (await box.get(f"/health?{query}")).status in {200, 400}
    line = await box.connect()
    line.begin("GET", "/ws?sessionId=%ff&lastSeq=%ff", HANDSHAKE)
    assert (await line.answer()).code == "VALIDATION_ERROR"
    await line.close()


@on_the_loop
async def test_pages_and_json_are_compressed_for_who_asks(box: Box) -> None:
    zipped = {"Accept-Encoding": "gzip"}
    for address in ("/", "/static/js/events.js"):
        assert (await box.get(address, zipped)).headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in (await box.get(address)).headers


@on_the_loop
async def test_nothing_a_client_sends_comes_back_in_a_header(box: Box) -> None:
    answer = await box.put(UNKNOWN, "a%0d%0aX-Evil:%201.mp4", b"x")
    assert "X-Evil" not in answer.headers
    answer = await box.ask("PUT", "/u/a%0d%0aX-Evil:%201.mp4", movie(5))
    assert answer.status == 201
    assert "X-Evil" not in answer.headers
    answer = await box.send_form([file_part("a.mp4", movie(5))], headers={"X-Request-Id": "mine"})
    assert answer.headers["X-Request-Id"] != "mine"
