"""The PIN over real sockets: what it opens by which way, what it leaves open, and how little guessing helps."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from station.access import STALE, VALID, Access
from station.errors import ERRORS
from station.tries import BY_ALL, BY_ONE, LEFT_TO_ONE, MOST, WINDOW
from tests.handlers.site import (
    FRIEND,
    TUS,
    UNKNOWN,
    Answer,
    Box,
    Line,
    build,
    draft,
    field_part,
    file_part,
    metadata,
    movie,
    on_the_loop,
    take_down,
    until,
)

PIN = "2468"
GIVEN = {"X-Upload-Pin": PIN}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html,*/*;q=0.8"}
A = movie(3000)
NAMED = {"Content-Disposition": 'attachment; filename="a.mp4"'}
PARTIAL = {**TUS, "Upload-Length": "5", "Upload-Concat": "partial"}


@pytest.fixture
def options() -> list[str]:
    return [f"--upload-pin={PIN}"]


async def give(box: Box, pin: object = PIN, headers: dict[str, str] | None = None) -> Answer:
    return await box.post("/api/upload/pin", {"pin": pin}, headers)


async def submit(box: Box, query: str = "", headers: dict[str, str] | None = None, **fields: str) -> Answer:
    return await box.ask("POST", f"/api/upload/pin{query}", urlencode(fields).encode(), {**FORM, **(headers or {})})


def passed(answer: Answer) -> dict[str, str]:
    """The header with which a browser shows the pass again."""
    cookie = SimpleCookie(answer.headers["Set-Cookie"])["upload_pin"]
    return {"Cookie": f"upload_pin={cookie.value}"}


async def from_address(box: Box, address: str, pin: str) -> Answer:
    """A guess by another machine: all of 127.0.0.0/8 is this one."""
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", box.port))
        line = Line(*await asyncio.open_connection(sock=sock), box.host)
        answer = await line.ask("POST", "/api/upload/pin", json.dumps({"pin": pin}).encode())
        await line.close()
    return answer


# ---- giving it ----


@on_the_loop
async def test_the_pin_leaves_a_pass_that_opens_sessions(box: Box) -> None:
    refused = await box.post("/api/upload/session", {})
    assert (refused.status, refused.code) == (401, "PIN_REQUIRED")
    assert (await box.get("/api/upload/config")).json()["pinRequired"] is True
    answer = await give(box)
    assert (answer.status, answer.body) == (204, b"")
    cookie = passed(answer)
    assert (await box.get("/api/upload/config", cookie)).json()["pinRequired"] is False
    assert (await box.post("/api/upload/session", {}, cookie)).status == 201


@on_the_loop
async def test_no_script_reads_the_pass_and_no_other_site_sends_it(box: Box) -> None:
    cookie = SimpleCookie((await give(box)).headers["Set-Cookie"])["upload_pin"]
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == ("Strict", "/", str(int(VALID)))
    assert not cookie["secure"], "on plain http it would never come back"


@pytest.mark.parametrize("pin", [f" {PIN}\n", "２４６８"])
@on_the_loop
async def test_the_pin_is_known_however_the_keyboard_writes_it(box: Box, pin: str) -> None:
    assert (await give(box, pin)).status == 204
    assert (await submit(box, pin=pin)).status == 303
    assert (await box.post("/api/upload/session", {}, {"X-Upload-Pin": pin.strip()})).status == 201


@on_the_loop
async def test_a_wrong_pin_leaves_nothing(box: Box) -> None:
    answer = await give(box, "1357")
    assert (answer.status, answer.code) == (401, "PIN_WRONG")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"2468", b'{"pin": 2468}', b'{"pin": null}', b"{"])
@on_the_loop
async def test_what_is_no_guess_is_a_validation_error(box: Box, body: bytes) -> None:
    answer = await box.ask("POST", "/api/upload/pin", body, {"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert box.station.pin_tries.wait("127.0.0.1", 0.0) == 0


@on_the_loop
async def test_half_a_character_is_a_wrong_guess(box: Box) -> None:
    answer = await box.ask("POST", "/api/upload/pin", b'{"pin": "\\ud800"}')
    assert (answer.status, answer.code) == (401, "PIN_WRONG")


@pytest.mark.parametrize("options", [[]])
@on_the_loop
async def test_without_the_option_nobody_is_asked(box: Box) -> None:
    assert (await box.get("/api/upload/config")).json()["pinRequired"] is False
    assert (await box.post("/api/upload/session", {}, {"X-Upload-Pin": "anything"})).status == 201
    answer = await give(box, "anything")
    assert answer.status == 204
    assert "Set-Cookie" not in answer.headers
    assert not (box.station.storage.own / "secret").exists()


@pytest.mark.parametrize("options", [["--upload-pin=hush-hush"]])
@on_the_loop
async def test_neither_the_pin_nor_a_guess_nor_the_pass_is_logged(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    cookie = passed(await give(box, "hush-hush"))
    await give(box, "who-goes-there")
    await submit(box, pin="who-goes-there")
    await box.post("/api/upload/session", {}, cookie)
    await box.post("/api/upload/session", {}, {"X-Upload-Pin": "who-goes-there"})
    assert "POST Pin 204" in caplog.text
    for secret in ("hush-hush", "who-goes-there", cookie["Cookie"].partition("=")[2]):
        assert secret not in caplog.text


# ---- what it opens ----


@on_the_loop
async def test_a_wrong_pin_in_the_header_is_told_as_such(box: Box) -> None:
    answer = await box.post("/api/upload/session", {}, {"X-Upload-Pin": "1357"})
    assert (answer.status, answer.code) == (401, "PIN_WRONG")
    assert (await box.post("/api/upload/session", {}, {"X-Upload-Pin": " "})).code == "PIN_REQUIRED"


@on_the_loop
async def test_a_raw_file_with_a_session_of_its_own_needs_the_pin(box: Box) -> None:
    answer = await box.ask("PUT", "/u/a.mp4", A)
    assert (answer.status, answer.code) == (401, "PIN_REQUIRED")
    assert box.station.channels == {}
    assert (await box.ask("PUT", "/u/a.mp4", A, GIVEN)).status == 201
    assert (await box.ask("PUT", "/u/a.mp4", A, passed(await give(box)))).status == 201
    assert len(box.visible()) == 2


@on_the_loop
async def test_curl_sends_the_pin_as_the_documentation_says(box: Box, tmp_path: Path) -> None:
    (tmp_path / "movie.mp4").write_bytes(A)
    target = f"http://127.0.0.1:{box.port}/u/"
    status, said = await box.curl("-H", f"X-Upload-Pin: {PIN}", "-T", str(tmp_path / "movie.mp4"), target)
    assert (status, json.loads(said)["status"]) == (0, "completed")
    status, said = await box.curl("-T", str(tmp_path / "movie.mp4"), target)
    assert (status, json.loads(said)["error"]) == (0, "PIN_REQUIRED")


@on_the_loop
async def test_a_form_without_a_session_needs_the_pin(box: Box) -> None:
    answer = await box.send_form([file_part("a.mp4", A), file_part("b.mp4", A)])
    assert (answer.status, answer.code) == (401, "PIN_REQUIRED")
    assert (box.station.channels, box.visible()) == ({}, [])
    for headers in (GIVEN, passed(await give(box))):
        assert (await box.send_form([file_part("a.mp4", A)], headers=headers)).status == 200
    assert len(box.visible()) == 2


@on_the_loop
async def test_a_form_with_a_wrong_pin_is_turned_away_before_its_files_come(box: Box) -> None:
    line = await box.connect()
    length = str(1024**2)
    kind = "multipart/form-data; boundary=xxxxxxxxxxxxxxxx"
    head = {"Content-Type": kind, "Content-Length": length, "Expect": "100-continue", "X-Upload-Pin": "1357"}
    line.begin("POST", "/api/upload/batch", head)
    assert (await line.answer()).code == "PIN_WRONG"
    assert line.interims == []


@on_the_loop
async def test_a_session_that_is_open_is_its_own_key(box: Box) -> None:
    opened = await box.post("/api/upload/session", {"autoComplete": False}, GIVEN)
    session_id = opened.json()["sessionId"]
    assert (await box.put(session_id, "a.mp4", A)).status == 201
    assert (await box.send_form([file_part("b.mp4", A)], f"?sessionId={session_id}")).status == 200
    assert (await box.send_form([file_part("c.mp4", A), field_part("sessionId", session_id)])).status == 200
    path = await box.create(len(A), session_id, "d.mp4")
    assert (await box.add(path, 0, A)).status == 204
    assert (await box.get(f"/s/{session_id}")).status == 200
    assert (await box.progress(session_id))["completedFiles"] == 4
    # Not even a PIN that is wrong is looked at.
    assert (
        await box.send_form([file_part("e.mp4", A)], f"?sessionId={session_id}", {"X-Upload-Pin": "1"})
    ).status == 200
    assert (await box.post(f"/api/upload/complete/{session_id}")).status == 200


@on_the_loop
async def test_a_session_that_is_unknown_or_over_opens_nothing(box: Box) -> None:
    opened = await box.post("/api/upload/session", {}, GIVEN)
    over = opened.json()["sessionId"]
    await box.post(f"/api/upload/complete/{over}")
    for session_id, code in ((UNKNOWN, "SESSION_NOT_FOUND"), (over, "SESSION_CLOSED")):
        assert (await box.put(session_id, "a.mp4", A)).code == code
        assert (await box.send_form([file_part("a.mp4", A), field_part("sessionId", session_id)])).code == code
        for fields in ({"Upload-Length": "5"}, {"Upload-Length": "5", "Upload-Concat": "partial"}):
            named = {**TUS, **fields, "X-Session-Id": session_id, "Upload-Metadata": metadata(filename="a.mp4")}
            assert (await box.ask("POST", "/files/", b"", named)).code == code
    assert box.visible() == []
    await until(lambda: not box.unfinished(), "the part files are gone")


@on_the_loop
async def test_an_empty_name_of_a_session_names_none(box: Box) -> None:
    for query, headers in (("?sessionId=", {}), ("", {"X-Session-Id": ""})):
        assert (await box.send_form([file_part("a.mp4", A)], query, headers)).code == "PIN_REQUIRED"
        answer = await box.ask("POST", f"/files/{query}", b"", {**PARTIAL, **headers})
        assert answer.code == "PIN_REQUIRED"


@on_the_loop
async def test_a_resumable_upload_needs_it_to_be_made_and_not_to_go_on(box: Box) -> None:
    told = {**TUS, "Upload-Length": str(len(A)), "Upload-Metadata": metadata(filename="a.mp4")}
    answer = await box.ask("POST", "/files/", b"", told)
    assert (answer.status, answer.code) == (401, "PIN_REQUIRED")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    by_draft = {**draft(None, True), **NAMED}
    assert (await box.ask("POST", "/files/", A, by_draft)).code == "PIN_REQUIRED"
    assert len(box.station.shelf) == 0
    path = await box.create(len(A), X_Upload_Pin=PIN)
    assert (await box.add(path, 0, A[:1000])).status == 204
    assert await box.offset(path) == 1000
    assert (await box.add(path, 1000, A[1000:])).status == 204
    assert len(box.visible()) == 1
    assert (await box.ask("POST", "/files/", A, {**by_draft, **GIVEN})).status in {200, 201}


@on_the_loop
async def test_parts_need_it_unless_they_are_for_an_open_session(box: Box) -> None:
    assert (await box.ask("POST", "/files/", b"", PARTIAL)).code == "PIN_REQUIRED"
    opened = await box.post("/api/upload/session", {"expectedFiles": 1}, GIVEN)
    named = {"X-Session-Id": opened.json()["sessionId"]}
    paths = []
    for half in (A[:1500], A[1500:]):
        made = await box.ask("POST", "/files/", b"", {**PARTIAL, "Upload-Length": "1500", **named})
        assert made.status == 201
        paths.append(made.headers["Location"])
        assert (await box.add(paths[-1], 0, half)).status == 204
    final = {**TUS, "Upload-Concat": f"final;{' '.join(paths)}", "Upload-Metadata": metadata(filename="a.mp4")}
    assert (await box.ask("POST", "/files/", b"", final)).code == "PIN_REQUIRED"
    assert (await box.ask("POST", "/files/", b"", {**final, **named})).status == 201
    await until(lambda: len(box.visible()) == 1, "the whole is stored")


@on_the_loop
async def test_watching_and_asking_need_none(box: Box) -> None:
    opened = await box.post("/api/upload/session", {"autoComplete": False}, GIVEN)
    session_id = opened.json()["sessionId"]
    watcher = await box.watch(f"?sessionId={session_id}")
    assert (await watcher.until("session-joined"))["sessionId"] == session_id
    await (await box.listen(session_id)).line.close()
    assert (await box.get("/health")).status == 200
    assert (await box.post("/api/upload/validate", {"files": [{"name": "a.mp4", "size": 1}]})).status == 200
    for address in ("/files/", "/u/a.mp4", "/api/upload/session", "/api/upload/batch"):
        assert (await box.ask("OPTIONS", address)).status in {200, 204}


@on_the_loop
async def test_pages_of_configured_origins_may_send_it(box: Box) -> None:
    asked = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}
    for address in ("/api/upload/session", "/u/a.mp4", "/files/", "/api/upload/batch"):
        preflight = await box.ask("OPTIONS", address, headers=asked)
        assert "X-Upload-Pin" in preflight.headers["Access-Control-Allow-Headers"], address
    assert (await box.post("/api/upload/session", {}, {"Origin": FRIEND, **GIVEN})).status == 201


@on_the_loop
async def test_other_sites_cannot_even_guess(box: Box) -> None:
    answer = await give(box, headers={"Origin": "http://evil.example"})
    assert (answer.status, answer.code) == (403, "FORBIDDEN_ORIGIN")


# ---- guessing ----


async def guess_until_told_to_wait(box: Box) -> Answer:
    for _ in range(BY_ONE):
        assert (await give(box, "1357")).code == "PIN_WRONG"
    return await give(box, "1357")


@on_the_loop
async def test_after_ten_wrong_guesses_even_the_right_one_waits(box: Box) -> None:
    box.clock.stop()
    answer = await guess_until_told_to_wait(box)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "TOO_MANY_TRIES", "600")
    assert (await give(box)).status == 429
    assert (await box.post("/api/upload/session", {}, GIVEN)).status == 429
    box.clock.ahead += WINDOW - 1
    assert (await give(box)).headers["Retry-After"] == "1"
    box.clock.ahead += 1
    assert (await give(box)).status == 204


@on_the_loop
async def test_every_way_of_guessing_counts(box: Box) -> None:
    wrong = {"X-Upload-Pin": "1357"}
    told = {**TUS, "Upload-Length": "5", "Upload-Metadata": metadata(filename="a.mp4")}
    answers = [
        await give(box, "1357"),
        await submit(box, pin="1357"),
        await box.post("/api/upload/session", {}, wrong),
        await box.ask("PUT", "/u/a.mp4", A, wrong),
        await box.send_form([file_part("a.mp4", A)], headers=wrong),
        await box.ask("POST", "/files/", b"", {**told, **wrong}),
        await box.ask("POST", "/files/", b"", {**PARTIAL, **wrong}),
    ]
    assert [answer.status for answer in answers] == [401] * len(answers)
    for _ in range(BY_ONE - len(answers)):
        assert (await give(box, "1357")).status == 401
    assert (await give(box)).status == 429


@on_the_loop
async def test_what_only_asks_is_no_oracle(box: Box) -> None:
    """Where a right PIN shows and a wrong one does not count, all of them can be tried."""
    for address in ("/api/upload/config", "/"):
        answers = [await box.get(address, headers) for headers in ({}, GIVEN, {"X-Upload-Pin": "1357"})]
        assert len({re.sub(rb"\s", b"", answer.body) for answer in answers}) == 1


@on_the_loop
async def test_guesses_at_the_same_time_are_counted_each(box: Box) -> None:
    answers = await asyncio.gather(*(give(box, str(1000 + number)) for number in range(40)))
    assert sorted(answer.status for answer in answers) == [401] * BY_ONE + [429] * 30


def guessed_by_many(box: Box, times: int) -> None:
    for number in range(times):
        box.station.pin_tries.failed(f"10.0.{number // 100}.{number % 100}", box.clock().mono)


@on_the_loop
async def test_many_addresses_do_not_help(box: Box) -> None:
    guessed_by_many(box, MOST)
    assert (await from_address(box, "127.0.2.1", PIN)).code == "TOO_MANY_TRIES"


@on_the_loop
async def test_a_guesser_with_many_addresses_does_not_lock_the_house_out(box: Box) -> None:
    guessed_by_many(box, BY_ALL)
    codes = [(await from_address(box, "127.0.2.1", "1357")).code for _ in range(LEFT_TO_ONE + 1)]
    assert codes == ["PIN_WRONG"] * LEFT_TO_ONE + ["TOO_MANY_TRIES"]
    assert (await from_address(box, "127.0.2.2", PIN)).status == 204


@on_the_loop
async def test_one_guesser_keeps_nobody_else_out(box: Box) -> None:
    cookie = passed(await give(box))
    await guess_until_told_to_wait(box)
    assert (await from_address(box, "127.0.2.1", PIN)).status == 204
    # Nor somebody behind the same address who has a pass, or a link.
    opened = await box.post("/api/upload/session", {"autoComplete": False}, cookie)
    assert opened.status == 201
    assert (await box.put(opened.json()["sessionId"], "a.mp4", A)).status == 201


@on_the_loop
async def test_a_right_pin_resets_nothing(box: Box) -> None:
    for _ in range(BY_ONE - 1):
        await give(box, "1357")
    assert (await give(box)).status == 204
    assert (await give(box, "1357")).status == 401
    assert (await give(box, "1357")).status == 429


# ---- passes ----


@on_the_loop
async def test_a_pass_that_is_forged_old_or_of_another_station_is_none(box: Box) -> None:
    wall, own = box.clock().wall, box.station.access
    genuine = own.pass_for(wall)
    since, issued, mark = genuine.split(".")
    bad = [
        "",
        "1",
        issued,
        f"{since}.{issued}.",
        f"{since}.{int(issued) + 1}.{mark}",
        f"{int(since) + 1}.{issued}.{mark}",
        f"{since}.{issued}.{mark[:-1]}",
        f"{since}.{issued}.{mark.upper()}",
        f"{since}.{issued}.{'0' * 64}",
        f"{issued}.{mark}",
        f"{since}.{issued}.{mark}.{mark}",
        PIN,
        "x" * 4000,
        own.pass_for(wall - VALID - 10),
        Access(PIN, "another secret").pass_for(wall),
        Access("1357", "").pass_for(wall),
    ]
    for text in bad:
        answer = await box.post("/api/upload/session", {}, {"Cookie": f"upload_pin={text}"})
        assert (answer.status, answer.code) == (401, "PIN_REQUIRED"), text
    assert (await give(box)).status == 204, "a pass is no guess"
    assert (await box.post("/api/upload/session", {}, {"Cookie": f"upload_pin={genuine}"})).status == 201


@pytest.mark.parametrize(
    "cookie", ["upload_pin", "upload_pin=\xff", '=; upload_pin="', "; ; ;", "upload_pin=a; upload_pin=b"]
)
@on_the_loop
async def test_a_cookie_that_cannot_be_read_is_no_pass(box: Box, cookie: str) -> None:
    assert (await box.post("/api/upload/session", {}, {"Cookie": cookie})).code == "PIN_REQUIRED"


@on_the_loop
async def test_a_pass_in_use_is_renewed_once_a_day(box: Box) -> None:
    cookie = passed(await give(box))
    assert "Set-Cookie" not in (await box.post("/api/upload/session", {}, cookie)).headers
    for _ in range(3):  # a kiosk that opens a session now and then never has to ask
        box.clock.ahead += VALID - STALE
        answer = await box.post("/api/upload/session", {}, cookie)
        assert answer.status == 201
        cookie = passed(answer)
    box.clock.ahead += VALID + 1
    assert (await box.post("/api/upload/session", {}, cookie)).code == "PIN_REQUIRED"


@on_the_loop
async def test_a_pass_outlives_a_restart_but_not_another_pin(tmp_path: Path) -> None:
    cookie: dict[str, str] = {}
    for pin, status in ((PIN, 401), (PIN, 201), ("1357", 401), (PIN, 201)):
        box = await build(tmp_path / "upload", [f"--upload-pin={pin}"])
        try:
            assert (await box.post("/api/upload/session", {}, cookie)).status == status
            cookie = cookie or passed(await give(box))
        finally:
            await take_down(box)


# ---- the plain form ----


@on_the_loop
async def test_the_first_page_asks_for_the_pin_with_a_plain_form(box: Box) -> None:
    page = (await box.get("/?lang=en")).body.decode()
    assert '<form method="post" action="/api/upload/pin?lang=en">' in page
    assert 'type="file"' not in page
    answer = await submit(box, "?lang=en", pin=PIN, next="/")
    assert (answer.status, answer.headers["Location"], answer.body) == (303, "/", b"")
    page = (await box.get("/?lang=en", passed(answer))).body.decode()
    assert 'type="file"' in page
    assert "/api/upload/pin" not in page


@on_the_loop
async def test_the_page_of_a_session_does_not_ask(box: Box) -> None:
    opened = await box.post("/api/upload/session", {"autoComplete": False}, GIVEN)
    page = (await box.get(f"/s/{opened.json()['sessionId']}")).body.decode()
    assert 'type="file"' in page
    assert "/api/upload/pin" not in page


@pytest.mark.parametrize(
    ("query", "language", "heading"), [("?lang=zh", "zh-CN", "输入上传口令"), ("?lang=en", "en", "Enter the PIN")]
)
@on_the_loop
async def test_a_wrong_pin_is_told_beside_the_field(box: Box, query: str, language: str, heading: str) -> None:
    answer = await submit(box, query, pin="1357", next="/?a=1")
    page = answer.body.decode()
    assert answer.status == 401
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    row = ERRORS["PIN_WRONG"]
    for text in (f"<h1>{heading}</h1>", row.message(language), row.solution(language), 'name="pin"', 'value="/?a=1"'):
        assert text in page
    assert "1357" not in page


@on_the_loop
async def test_too_many_guesses_are_told_on_a_page_too(box: Box) -> None:
    box.clock.stop()
    refused = await guess_until_told_to_wait(box)
    assert refused.json()["details"] is None
    for passed_by, language, words in (
        (0, "en", "Wait 10 minutes,"),
        (61, "zh", "请过 9 分钟"),
        (500, "en", "Wait 1 minute,"),
    ):
        box.clock.ahead += passed_by
        answer = await submit(box, f"?lang={language}", pin=PIN)
        assert (answer.status, answer.headers["Retry-After"]) == (429, str(int(WINDOW - box.clock.ahead)))
        for text in (ERRORS["TOO_MANY_TRIES"].message(language), words):
            assert text in answer.body.decode()


ELSEWHERE = [
    "",
    "http://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "s/x",
    "/\r\nSet-Cookie: a=b",
    "/é",
    "/\x00",
]


@pytest.mark.parametrize("address", ELSEWHERE)
@on_the_loop
async def test_the_form_leads_to_no_other_site(box: Box, address: str) -> None:
    answer = await submit(box, pin=PIN, next=address)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    wrong = await submit(box, pin="1357", next=address)
    assert 'name="next" value="/"' in wrong.body.decode()


@on_the_loop
async def test_the_form_leads_back_to_where_it_was(box: Box) -> None:
    for address in ("/", "/kiosk?category=scenic", f"/s/{UNKNOWN}", f"/{quote('页')}"):
        assert (await submit(box, pin=PIN, next=address)).headers["Location"] == address


@on_the_loop
async def test_markup_in_the_form_stays_text(box: Box) -> None:
    page = (await submit(box, pin="1357", next='/"><script>alert(1)</script>')).body.decode()
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "body", [b"", b"pin", b"pin=", b"&".join([b"a=1"] * 50), b"pin=%ff%fe", b"\xff\xfe", b"pin=%00", b"pin=1&" * 11]
)
@on_the_loop
async def test_a_form_that_cannot_be_read_is_a_wrong_guess(box: Box, body: bytes) -> None:
    answer = await box.ask("POST", "/api/upload/pin", body, FORM)
    assert answer.status == 401
    assert 'name="pin"' in answer.body.decode()


@on_the_loop
async def test_a_batch_from_a_plain_form_without_the_pin_gets_a_page(box: Box) -> None:
    answer = await box.send_form([file_part("a.mp4", A)], "?lang=en", {"Accept": "text/html"})
    assert answer.status == 401
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert ERRORS["PIN_REQUIRED"].message("en") in answer.body.decode()
