"""Getting in and out over real sockets: the form, the printed link, their pass, and how little guessing helps."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import socket
from email.utils import parsedate_to_datetime
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from handlers.operator import LONGEST, VALID
from station.access import STALE
from station.tries import BY_ALL, BY_ONE, LEFT_TO_ONE, WINDOW
from tests.handlers import site
from tests.handlers.site import FRIEND, TOKEN, UNKNOWN, Answer, Box, Line, movie, on_the_loop

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LONG = "a-token-that-nobody-will-guess-4711"
OVERVIEW = f"/api/upload/file/{UNKNOWN}"
"""Behind the guard; to who gets past it there is no such file."""


async def submit(box: Box, token: str, query: str = "", headers: dict[str, str] | None = None) -> Answer:
    body = urlencode({"token": token}, errors="surrogatepass").encode()
    return await box.ask("POST", f"/monitor/login{query}", body, {**FORM, **(headers or {})})


def passed(answer: Answer) -> dict[str, str]:
    """The header with which a browser shows the pass again."""
    return {"Cookie": f"upload_operator={SimpleCookie(answer.headers['Set-Cookie'])['upload_operator'].value}"}


async def gets_past(box: Box, headers: dict[str, str]) -> bool:
    answer = await box.ask("DELETE", OVERVIEW, headers=headers)
    assert answer.status in {401, 404, 429}
    return answer.status == 404


async def from_address(box: Box, address: str, method: str, target: str, **headers: str) -> Answer:
    """A request by another machine: all of 127.0.0.0/8 is this one."""
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", box.port))
        line = Line(*await asyncio.open_connection(sock=sock), box.host)
        answer = await line.ask(method, target, headers=headers)
        await line.close()
    return answer


# ---- the form ----


@on_the_loop
async def test_the_token_leaves_a_pass_that_opens_what_the_operator_has(box: Box) -> None:
    answer = await submit(box, TOKEN)
    assert (answer.status, answer.headers["Location"]) == (303, "/monitor")
    cookie = answer.headers["Set-Cookie"]
    assert re.fullmatch(r"upload_operator=[^;]+; HttpOnly; Max-Age=604800; Path=/; SameSite=Strict", cookie)
    assert TOKEN not in cookie
    assert await gets_past(box, passed(answer))
    assert not await gets_past(box, {})


@on_the_loop
async def test_a_wrong_token_gets_the_form_again_with_words(box: Box) -> None:
    for language, title in (("zh-CN", "管理员登录"), ("en", "Operator")):
        answer = await submit(box, "wrong", f"?lang={language}")
        page = answer.body.decode()
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers
        assert title in page
        assert 'role="alert"' in page
        assert answer.headers["Cache-Control"] == "no-store"
        assert "wrong" not in page


@pytest.mark.parametrize(
    "body",
    [b"", b"token=", b"token=%20%09", b"other=1", b"&".join([b"token=x"] * 50), b"\xff\xfe", b"token=%FF%00", b"{}"],
)
@on_the_loop
async def test_whatever_is_posted_nobody_gets_in(box: Box, body: bytes) -> None:
    for kind in (FORM, {"Content-Type": "application/json"}, {"Content-Type": "multipart/form-data"}, {}):
        answer = await box.ask("POST", "/monitor/login", body, kind)
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers


@on_the_loop
async def test_a_token_of_any_length_is_a_wrong_one(box: Box) -> None:
    assert (await submit(box, "x" * 100_000)).status == 401
    assert (await submit(box, "x" * 2 * 1024**2)).status == 413


@on_the_loop
async def test_a_form_of_another_site_logs_nobody_in(box: Box) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await submit(box, TOKEN, headers=headers)
        assert (answer.status, answer.code) == (403, "FORBIDDEN_ORIGIN")
        assert "Set-Cookie" not in answer.headers
    assert (await submit(box, TOKEN, headers={"Origin": box.url})).status == 303


# ---- the printed link ----


@on_the_loop
async def test_the_link_is_swapped_for_a_pass_and_leaves_the_address(box: Box) -> None:
    answer = await box.get(f"/monitor?token={TOKEN}")
    assert (answer.status, answer.headers["Location"]) == (303, "/monitor")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert await gets_past(box, passed(answer))


@on_the_loop
async def test_a_wrong_token_in_the_address_is_a_guess_and_tells_no_other_site(box: Box) -> None:
    for _ in range(BY_ONE):
        answer = await box.get("/monitor?token=wrong")
        assert answer.status == 401
        assert answer.headers["Referrer-Policy"] == "strict-origin"
        assert b'role="alert"' in answer.body
    answer = await box.get(f"/monitor?token={TOKEN}")
    assert answer.status == 429
    assert "Set-Cookie" not in answer.headers


@on_the_loop
async def test_a_picture_on_another_page_makes_no_guesses(box: Box) -> None:
    for _ in range(BY_ONE + 1):
        answer = await box.get("/monitor?token=wrong", {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"})
        assert answer.status == 401
    assert (await submit(box, TOKEN)).status == 303


@on_the_loop
async def test_a_link_on_another_page_makes_no_guesses_at_a_short_token(box: Box) -> None:
    foreign = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"}
    for token in ["wrong"] * BY_ONE + [TOKEN]:
        assert (await box.get(f"/monitor?token={token}", foreign)).status == 401
    assert (await box.get(f"/monitor?token={TOKEN}", {**foreign, "Sec-Fetch-Site": "none"})).status == 303


@on_the_loop
async def test_the_link_with_a_long_token_opens_from_a_mail(tmp_path: Path) -> None:
    box = await site.build(tmp_path / "upload", [], token=LONG)
    mail = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"}
    assert (await box.get(f"/monitor?token={LONG}", mail)).status == 303
    await site.take_down(box)


@pytest.mark.parametrize("token", ["", "%20", "%FF", "%00", "&token="])
@on_the_loop
async def test_a_hostile_address_gets_the_form(box: Box, token: str) -> None:
    assert (await box.get(f"/monitor?token={token}")).status == 401


# ---- out ----


@on_the_loop
async def test_who_logs_out_is_out_with_every_copy_of_the_pass(box: Box) -> None:
    cookie, elsewhere = passed(await submit(box, TOKEN)), passed(await submit(box, TOKEN))
    answer = await box.ask("POST", "/monitor/logout", b"", cookie)
    assert (answer.status, answer.headers["Location"]) == (303, "/monitor")
    forgotten = SimpleCookie(answer.headers["Set-Cookie"])["upload_operator"]
    assert (forgotten.value, forgotten["path"]) == ("", "/")
    assert parsedate_to_datetime(forgotten["expires"]) < parsedate_to_datetime(answer.headers["Date"])
    assert not await gets_past(box, cookie)
    assert not await gets_past(box, elsewhere)
    assert await gets_past(box, passed(await submit(box, TOKEN)))


@on_the_loop
async def test_what_was_voided_stays_void_after_a_restart(tmp_path: Path) -> None:
    first = await site.build(tmp_path / "upload", [])
    cookie = passed(await submit(first, TOKEN))
    await first.ask("POST", "/monitor/logout", b"", cookie)
    later = passed(await submit(first, TOKEN))
    await site.take_down(first)
    again = await site.build(tmp_path / "upload", [])
    assert not await gets_past(again, cookie)
    assert await gets_past(again, later)
    await site.take_down(again)


@on_the_loop
async def test_a_disk_that_can_only_be_read_keeps_nobody_in(
    box: Box, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cookie = passed(await submit(box, TOKEN))

    def refuses(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("handlers.login.another_operator_secret", refuses)
    assert (await box.ask("POST", "/monitor/logout", b"", cookie)).status == 303
    assert not await gets_past(box, cookie)
    assert "void until the next start only" in caplog.text


@on_the_loop
async def test_a_socket_of_the_operator_is_closed_when_they_log_out_and_no_other(box: Box) -> None:
    cookie = passed(await submit(box, TOKEN))
    operators, anybodys = await box.watch(headers=cookie), await box.watch()
    operators.say("join-monitor", {})
    await operators.until("monitor-joined")
    await box.ask("POST", "/monitor/logout", b"", cookie)
    while await operators.next() is not None:
        pass
    assert operators.close_code == 1008
    again = await box.watch(headers=cookie)
    for each in (again, anybodys):
        each.say("join-monitor", {})
        assert await each.error() == "UNAUTHORIZED"


@on_the_loop
async def test_nobody_else_can_throw_the_operator_out(box: Box) -> None:
    cookie = passed(await submit(box, TOKEN))
    assert (await box.ask("POST", "/monitor/logout", b"")).status == 303
    forged = {"Cookie": "upload_operator=1." + "0" * 64}
    assert (await box.ask("POST", "/monitor/logout", b"", forged)).status == 303
    foreign = await box.ask("POST", "/monitor/logout", b"", {**cookie, "Origin": "https://evil.example"})
    assert foreign.status == 403
    assert (await box.get("/monitor/logout", cookie)).status == 405
    assert await gets_past(box, cookie)


# ---- the pass ----


@on_the_loop
async def test_a_pass_ends_after_a_week_and_is_renewed_in_use(box: Box) -> None:
    box.clock.stop()
    cookie = passed(await submit(box, TOKEN))
    box.clock.ahead += STALE + 1
    renewed = await box.ask("DELETE", OVERVIEW, headers=cookie)
    assert renewed.status == 404
    box.clock.ahead += VALID - STALE
    assert not await gets_past(box, cookie)
    assert await gets_past(box, passed(renewed))


@on_the_loop
async def test_a_pass_cannot_be_renewed_for_ever(box: Box) -> None:
    box.clock.stop()
    cookie = passed(await submit(box, TOKEN))
    for _ in range(0, int(LONGEST / STALE) - 2, 2):
        box.clock.ahead += 2 * STALE
        cookie = passed(await box.ask("DELETE", OVERVIEW, headers=cookie))
    assert await gets_past(box, cookie)
    box.clock.ahead += 2 * STALE + 1
    assert not await gets_past(box, cookie)


@on_the_loop
async def test_a_pass_outlives_the_run_but_not_the_token(tmp_path: Path) -> None:
    first = await site.build(tmp_path / "upload", [])
    cookie = passed(await submit(first, TOKEN))
    await site.take_down(first)
    again = await site.build(tmp_path / "upload", [])
    assert await gets_past(again, cookie)
    await site.take_down(again)
    changed = await site.build(tmp_path / "upload", [], token="another-token")
    assert not await gets_past(changed, cookie)
    await site.take_down(changed)


@pytest.mark.parametrize("options", [[f"--upload-pin={TOKEN}"]])
@on_the_loop
async def test_a_pass_for_the_pin_is_none_for_the_operator_even_if_both_are_one_word(box: Box) -> None:
    given = await box.post("/api/upload/pin", {"pin": TOKEN})
    value = SimpleCookie(given.headers["Set-Cookie"])["upload_pin"].value
    assert not await gets_past(box, {"Cookie": f"upload_operator={value}"})


@pytest.mark.parametrize(
    "value", ["", "1", "1.2", "0." + "0" * 64, "9" * 12 + "." + "f" * 64, '"', "\u00e9", "x" * 9000]
)
@on_the_loop
async def test_what_was_made_up_is_no_pass(box: Box, value: str) -> None:
    assert not await gets_past(box, {"Cookie": f"upload_operator={value}"})


@on_the_loop
async def test_another_site_cannot_use_the_pass(box: Box) -> None:
    """Should a browser send it along all the same: to it, another port of this machine is the same site."""
    stored = (await box.ask("PUT", "/u/a.mp4", movie(5))).json()
    cookie = passed(await submit(box, TOKEN))
    address = f"/api/upload/file/{stored['id']}"
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = await box.ask("DELETE", address, headers={**cookie, **headers})
        assert (answer.status, answer.code) == (403, "FORBIDDEN_ORIGIN")
    # Pages of a configured origin may upload; that does not make them the operator.
    answer = await box.ask("DELETE", address, headers={**cookie, "Origin": FRIEND})
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    assert len(box.visible()) == 1
    own = await box.ask("DELETE", address, headers={**cookie, "Origin": box.url, "Sec-Fetch-Site": "same-origin"})
    assert own.status == 204


# ---- guessing ----


@on_the_loop
async def test_guesses_are_limited_whichever_way_they_are_made(box: Box) -> None:
    """As Bearer, in the form and in the address together."""
    for number in range(BY_ONE):
        if number % 3 == 0:
            answer = await box.ask("DELETE", OVERVIEW, headers={"Authorization": f"Bearer {number}"})
        elif number % 3 == 1:
            answer = await submit(box, str(number))
        else:
            answer = await box.get(f"/monitor?token={number}")
        assert answer.status == 401
    answer = await box.ask("DELETE", OVERVIEW, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status, answer.code) == (429, "TOO_MANY_TRIES")
    assert 0 < int(answer.headers["Retry-After"]) <= WINDOW
    page = await submit(box, TOKEN, "?lang=en")
    assert page.status == 429
    assert b"Wait 10 minutes" in page.body
    box.clock.ahead += WINDOW
    assert (await submit(box, TOKEN)).status == 303


@on_the_loop
async def test_who_is_in_stays_in_while_others_guess(box: Box) -> None:
    cookie = passed(await submit(box, TOKEN))
    for _ in range(BY_ONE + 1):
        await submit(box, "wrong")
    assert await gets_past(box, cookie)


@on_the_loop
async def test_others_guesses_leave_the_operator_some(box: Box) -> None:
    for number in range(BY_ALL):
        guess = await from_address(
            box, f"127.0.1.{number // LEFT_TO_ONE + 1}", "DELETE", OVERVIEW, Authorization="Bearer no"
        )
        assert guess.status == 401
    used_up = await from_address(box, "127.0.1.1", "DELETE", OVERVIEW, Authorization="Bearer no")
    assert used_up.status == 429
    assert await gets_past(box, {"Authorization": f"Bearer {TOKEN}"})


@on_the_loop
async def test_a_token_that_nobody_can_guess_is_taken_while_others_wait(tmp_path: Path) -> None:
    box = await site.build(tmp_path / "upload", [], token=LONG)
    for _ in range(BY_ONE):
        assert (await submit(box, "wrong")).status == 401
    assert (await submit(box, "wrong")).status == 429
    assert await gets_past(box, {"Authorization": f"Bearer {LONG}"})
    assert (await submit(box, LONG)).status == 303
    assert (await submit(box, LONG + "x")).status == 429
    await site.take_down(box)


@on_the_loop
async def test_no_guess_is_taken_for_a_request_without_one(box: Box) -> None:
    for header in ("", "Bearer", "Bearer  ", "Basic eA=="):
        for _ in range(BY_ONE):
            assert not await gets_past(box, {"Authorization": header})
    assert await gets_past(box, {"Authorization": f"Bearer {TOKEN}"})


@on_the_loop
async def test_an_empty_token_lets_nobody_in(tmp_path: Path) -> None:
    for token in ("", " ", "\u3000"):
        box = await site.build(tmp_path / "upload", [], token=token)
        assert not await gets_past(box, {"Authorization": f"Bearer {token}"})
        assert not await gets_past(box, {"Authorization": "Bearer x"})
        assert (await submit(box, "x")).status in {401, 429}
        await site.take_down(box)


@on_the_loop
async def test_a_token_in_chinese_is_taken_by_each_way(tmp_path: Path) -> None:
    box = await site.build(tmp_path / "upload", [], token="芝麻开门芝麻开门")
    assert (await submit(box, "芝麻开门芝麻开门")).status == 303
    assert (await box.get(f"/monitor?token={quote('芝麻开门芝麻开门')}")).status == 303
    assert await gets_past(box, {"Authorization": "Bearer 芝麻开门芝麻开门"})
    await site.take_down(box)


@on_the_loop
async def test_neither_token_nor_guess_nor_pass_is_logged(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    cookie = passed(await submit(box, TOKEN))
    await submit(box, "who-goes-there")
    await box.get(f"/monitor?token={TOKEN}")
    await box.get("/monitor?token=who-goes-there")
    await gets_past(box, cookie)
    await gets_past(box, {"Authorization": "Bearer who-goes-there"})
    assert "POST Login 303" in caplog.text
    for secret in (TOKEN, "who-goes-there", cookie["Cookie"].partition("=")[2]):
        assert secret not in caplog.text
