"""Passes in cookies over real sockets: whatever is shown or sent, only what was given opens, and nothing breaks."""

from __future__ import annotations

import asyncio
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.access import STALE
from tests.handlers.site import PATIENCE, TOKEN, Answer, Box, on_the_loop

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SERIES = "/api/monitor/series"

fields = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=100)
numbers = st.integers(0, 10**13).map(str)
made_up = st.tuples(numbers, numbers, st.text("0123456789abcdef", min_size=63, max_size=65)).map(".".join)
cookies = st.one_of(fields, st.one_of(fields, made_up).map("upload_operator={0}; upload_pin={0}".format))


def value(answer: Answer, name: str) -> str:
    return SimpleCookie(answer.headers["Set-Cookie"])[name].value


def status(box: Box, method: str, target: str, body: bytes, headers: dict[str, str]) -> int:
    line = HTTPConnection("127.0.0.1", box.port, timeout=PATIENCE)
    try:
        line.request(method, target, body, {"Host": box.host, **headers})
        return line.getresponse().status
    finally:
        line.close()


@pytest.mark.parametrize("options", [["--upload-pin=246810"]])
@on_the_loop
async def test_no_cookie_that_was_made_up_opens_anything_or_throws_anybody_out(box: Box) -> None:
    logged_in = await box.ask("POST", "/monitor/login", urlencode({"token": TOKEN}).encode(), FORM)

    @given(cookies)
    def shown(cookie: str) -> None:
        headers = {"Cookie": cookie}
        assert status(box, "GET", SERIES, b"", headers) in {400, 401}
        assert status(box, "POST", "/api/upload/session", b"{}", headers) in {400, 401}
        assert status(box, "POST", "/monitor/logout", b"", headers) in {303, 400}

    await asyncio.to_thread(shown)
    own = {"Cookie": f"upload_operator={value(logged_in, 'upload_operator')}"}
    assert (await box.get(SERIES, own)).status == 200


@on_the_loop
async def test_no_form_that_was_made_up_logs_anybody_in(box: Box) -> None:
    @given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(b"token=".__add__)))
    def sent(body: bytes) -> None:
        assert status(box, "POST", "/monitor/login", body, FORM) in {401, 429}

    await asyncio.to_thread(sent)


@pytest.mark.parametrize("options", [["--upload-pin=246810"]])
@on_the_loop
async def test_a_pass_is_renewed_once_a_day_and_only_by_whoever_has_it(box: Box) -> None:
    box.clock.stop()
    given_pass = await box.post("/api/upload/pin", {"pin": "246810"})
    cookie = {"Cookie": f"upload_pin={value(given_pass, 'upload_pin')}"}
    for later, renewed in ((STALE - 1, False), (2, True)):
        box.clock.ahead += later
        answer = await box.post("/api/upload/session", {}, cookie)
        assert (answer.status, "Set-Cookie" in answer.headers) == (201, renewed)
    assert "Set-Cookie" not in (await box.post("/api/upload/session", {})).headers
