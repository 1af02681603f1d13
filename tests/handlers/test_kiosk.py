"""Handing a session over to a phone: code and link, what uses a code up and what does not, who may guess how often."""

from __future__ import annotations

import re
from html import unescape

import pytest

from handlers import lan
from station.codes import LIFE
from station.tries import BY_ALL, BY_ONE, MOST, WINDOW
from tests.handlers.site import OUR_NAME, TOKEN, UNKNOWN, Answer, Box, Json, movie, on_the_loop
from tests.handlers.test_qr import matrix_of, matrix_of_picture

IN_THE_NETWORK = {"Host": "192.168.1.5:8005"}


async def hand_over(box: Box, session_id: str, host: dict[str, str] | None = None) -> Json:
    answer = await box.post(f"/api/upload/handover/{session_id}", {}, host)
    assert answer.status == 200, answer.body
    handed: Json = answer.json()
    return handed


def heading(answer: Answer) -> str:
    found = re.search(r"<h1[^>]*>([^<]+)</h1>", answer.body.decode())
    assert found is not None, answer.body
    return unescape(found[1])


def says_why(answer: Answer) -> bool:
    return 'role="alert"' in answer.body.decode()


# ---- the kiosk's page ----


@pytest.mark.parametrize("options", [["--categories=school,museum", "--contact=Ms Li"]])
@on_the_loop
async def test_the_kiosk_page_opens_in_a_category_that_there_is(box: Box) -> None:
    for path, category in [("/kiosk", "school"), ("/kiosk?category=museum", "museum"), ("/kiosk?category=x", "school")]:
        answer = await box.get(path)
        assert answer.status == 200
        assert f'"{category}"' in answer.body.decode()
        assert answer.headers["Cache-Control"] == "no-cache"
    assert b"/static/js/kiosk.js" in answer.body


@pytest.mark.parametrize("options", [['--wifi-name=Hall" <b>7</b>']])
@on_the_loop
async def test_the_kiosk_page_knows_the_name_of_the_wifi(box: Box) -> None:
    page = (await box.get("/kiosk")).body.decode()
    assert 'data-wifi="Hall&quot; &lt;b&gt;7&lt;/b&gt;"' in page


# ---- handing over ----


@on_the_loop
async def test_a_screen_is_told_all_that_it_shows(box: Box) -> None:
    box.clock.stop()
    session_id = await box.open(autoComplete=False)
    handed = await hand_over(box, session_id, IN_THE_NETWORK)
    assert list(handed) == ["sessionId", "url", "codeUrl", "code", "expiresIn", "watchers", "timestamp"]
    assert handed["sessionId"] == session_id
    assert handed["url"] == f"http://192.168.1.5:8005/s/{session_id}"
    assert handed["codeUrl"] == "http://192.168.1.5:8005/j"
    assert re.fullmatch(r"\d{6}", handed["code"])
    assert handed["expiresIn"] == LIFE
    assert (await box.post(f"/api/upload/handover/{session_id}", {})).headers["Cache-Control"] == "no-store"


@on_the_loop
async def test_a_screen_is_told_how_many_watch(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    assert (await hand_over(box, session_id))["watchers"] == 0
    screen = await box.watch(f"?sessionId={session_id}")
    await screen.until("session-joined")
    stream = await box.listen(session_id)
    await stream.next()
    operator = await box.watch(headers={"Authorization": f"Bearer {TOKEN}"})
    operator.say("join-monitor", {})
    operator.say("join-session", session_id)
    await operator.until("session-joined")
    assert (await hand_over(box, session_id))["watchers"] == 2, "an operator who looks at it is no phone"


@on_the_loop
async def test_the_code_stays_while_it_is_unused_and_fresh(box: Box) -> None:
    box.clock.stop()
    session_id = await box.open(autoComplete=False)
    code = (await hand_over(box, session_id))["code"]
    box.clock.ahead += LIFE - 65
    again = await hand_over(box, session_id)
    assert again["code"] == code
    assert again["expiresIn"] == 65
    box.clock.ahead += 10
    renewed = await hand_over(box, session_id)
    assert renewed["code"] != code
    assert renewed["expiresIn"] == LIFE
    assert (await box.get(f"/j/{code}")).status == 404


@on_the_loop
async def test_a_session_that_is_not_open_is_not_handed_over(box: Box) -> None:
    for session_id in (UNKNOWN, "x"):
        answer = await box.post(f"/api/upload/handover/{session_id}", {})
        assert (answer.status, answer.code) == (404, "SESSION_NOT_FOUND")
    session_id = await box.open(autoComplete=False)
    await box.post(f"/api/upload/complete/{session_id}")
    answer = await box.post(f"/api/upload/handover/{session_id}", {})
    assert (answer.status, answer.code) == (409, "SESSION_CLOSED")


@pytest.mark.parametrize("options", [["--session-timeout=30min"]])
@on_the_loop
async def test_a_session_on_a_screen_does_not_time_out(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    for _ in range(4):
        box.clock.ahead += 1700
        await hand_over(box, session_id)
        box.pass_time(3)
    assert not box.session(session_id).settled
    box.clock.ahead += 1801
    box.pass_time(3)
    assert (await box.post(f"/api/upload/handover/{session_id}", {})).code == "SESSION_CLOSED"


@on_the_loop
async def test_a_screen_may_not_be_driven_by_another_site(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    answer = await box.post(f"/api/upload/handover/{session_id}", {}, {"Origin": "https://evil.example"})
    assert (answer.status, answer.code) == (403, "FORBIDDEN_ORIGIN")


# ---- addresses ----


@on_the_loop
async def test_links_are_for_the_host_that_the_screen_was_opened_at(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    for host in ("192.168.1.5:8005", "[fd00::5]:8005", "kiosk.local", OUR_NAME):
        assert (await hand_over(box, session_id, {"Host": host}))["codeUrl"] == f"http://{host}/j"


@on_the_loop
async def test_a_screen_on_the_station_itself_shows_its_address_in_the_network(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    expected = f"http://{lan.at(lan.address(), box.port)}/j"
    for host in (f"localhost:{box.port}", "127.0.0.1", "[::1]:8005", "testbox:8005"):
        assert (await hand_over(box, session_id, {"Host": host}))["codeUrl"] == expected


@pytest.mark.parametrize("options", [["--kiosk-url=https://files.example/"]])
@on_the_loop
async def test_the_configured_address_wins(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    assert (await hand_over(box, session_id, IN_THE_NETWORK))["url"] == f"https://files.example/s/{session_id}"
    svg = (await box.get(f"/api/upload/handover/{session_id}/qr.svg")).body.decode()
    assert matrix_of_picture(svg) == matrix_of(f"https://files.example/s/{session_id}")


@on_the_loop
async def test_a_foreign_host_gets_into_no_code(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    for host in ("evil.example", "192.168.1.5.evil", "x@192.168.1.5"):
        evil = {"Host": host, "X-Forwarded-Host": "evil.example"}
        for answer in (
            await box.get(f"/api/upload/handover/{session_id}/qr.svg", evil),
            await box.post(f"/api/upload/handover/{session_id}", {}, evil),
        ):
            assert answer.status in {400, 421}
    forwarded = {**IN_THE_NETWORK, "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    assert (await hand_over(box, session_id, forwarded))["codeUrl"] == "http://192.168.1.5:8005/j"


# ---- pictures ----


@on_the_loop
async def test_the_picture_holds_the_link_of_the_session(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    answer = await box.get(f"/api/upload/handover/{session_id}/qr.svg", IN_THE_NETWORK)
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Cache-Control"] == "private, max-age=3600"
    assert matrix_of_picture(answer.body.decode()) == matrix_of(f"http://192.168.1.5:8005/s/{session_id}")


@on_the_loop
async def test_there_is_no_picture_of_a_session_that_is_unknown(box: Box) -> None:
    answer = await box.get(f"/api/upload/handover/{UNKNOWN}/qr.svg")
    assert (answer.status, answer.code) == (404, "SESSION_NOT_FOUND")


@pytest.mark.parametrize("options", [["--wifi-name=Guests", "--wifi-password=letmein1"]])
@on_the_loop
async def test_the_wifi_is_a_picture_too(box: Box) -> None:
    answer = await box.get("/kiosk/wifi.svg")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert matrix_of_picture(answer.body.decode()) == matrix_of("WIFI:T:WPA;S:Guests;P:letmein1;;")


@on_the_loop
async def test_without_a_wifi_there_is_no_picture_of_it(box: Box) -> None:
    answer = await box.get("/kiosk/wifi.svg")
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


# ---- joining by the code ----


@on_the_loop
async def test_a_code_leads_to_its_session_once(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    for way in ("/j/{}", "/j?code={}", "/j?lang=en&code={}"):
        code = (await hand_over(box, session_id))["code"]
        answer = await box.get(way.format(code))
        assert (answer.status, answer.headers["Location"]) == (303, f"/s/{session_id}")
        assert answer.headers["Cache-Control"] == "no-store"
        again = await box.get(way.format(code))
        assert again.status == 404
        assert says_why(again)


@on_the_loop
async def test_whose_answer_got_lost_may_send_the_code_again_and_nobody_else(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    code = (await hand_over(box, session_id))["code"]
    mine = {"Cookie": (await box.get("/j")).headers["Set-Cookie"].partition(";")[0]}
    other = {"Cookie": (await box.get("/j")).headers["Set-Cookie"].partition(";")[0]}
    assert "Set-Cookie" not in (await box.get("/j", mine)).headers
    for _ in range(2):
        answer = await box.get(f"/j?code={code}", mine)
        assert (answer.status, answer.headers["Location"]) == (303, f"/s/{session_id}")
    for headers in ({}, other):
        assert (await box.get(f"/j?code={code}", headers)).status == 404


@on_the_loop
async def test_a_used_code_is_replaced_on_the_screen(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    code = (await hand_over(box, session_id))["code"]
    await box.get(f"/j/{code}")
    assert (await hand_over(box, session_id))["code"] != code


@on_the_loop
async def test_a_code_may_be_typed_with_spaces_hyphens_and_full_width_digits(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    code = (await hand_over(box, session_id))["code"]
    wide = "".join(f"%EF%BC%{0x90 + int(digit):02X}" for digit in code)
    assert (await box.get(f"/j?code={wide}")).status == 303
    code = (await hand_over(box, session_id))["code"]
    assert (await box.get(f"/j?code=+{code[:3]}-{code[3:]}+")).status == 303


@on_the_loop
async def test_the_form_asks_in_both_languages_and_needs_no_script(box: Box) -> None:
    zh, en = "输入数字码", "Enter the code"
    for path, title in [("/j?lang=zh", zh), ("/j?lang=en", en), ("/j/?lang=en", en)]:
        answer = await box.get(path)
        page = answer.body.decode()
        assert (answer.status, heading(answer)) == (200, title)
        assert not says_why(answer)
        assert "<script" not in page
        assert '<form class="join" method="get" action="/j">' in page
        assert 'inputmode="numeric"' in page
        assert 'autocomplete="one-time-code"' in page


@on_the_loop
async def test_a_wrong_code_gets_the_form_again_with_words(box: Box) -> None:
    for path, words in [("/j/123456?lang=en", "There is no such code"), ("/j/123456?lang=zh", "没有这个数字码")]:
        answer = await box.get(path)
        assert answer.status == 404
        assert words in unescape(answer.body.decode())
        assert heading(answer)


@pytest.mark.parametrize("typed", ["%FF", "%3Cscript%3E", "'%22%3E", "12345", "%00", "9" * 500])
@on_the_loop
async def test_what_is_no_code_is_unknown_and_comes_back_nowhere(box: Box, typed: str) -> None:
    answer = await box.get(f"/j?code={typed}")
    assert answer.status == 404
    assert says_why(answer)
    assert 'value=""' in answer.body.decode()
    assert b"<script" not in answer.body


@on_the_loop
async def test_looking_ahead_uses_no_code_up(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    code = (await hand_over(box, session_id))["code"]
    for ahead in ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}):
        answer = await box.get(f"/j/{code}", ahead)
        assert answer.status == 403, "a browser keeps only what succeeded, and nothing is wrong with the station"
        assert answer.headers["Cache-Control"] == "no-store"
        assert not says_why(answer)
        assert f'value="{code}"' in answer.body.decode()
    assert (await box.ask("HEAD", f"/j/{code}")).status == 405
    assert (await box.ask("OPTIONS", f"/j/{code}")).status == 204
    assert (await box.get(f"/j/{code}")).status == 303


@on_the_loop
async def test_the_code_of_a_session_that_has_settled_is_unknown(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    code = (await hand_over(box, session_id))["code"]
    await box.post(f"/api/upload/complete/{session_id}")
    assert (await box.get(f"/j/{code}")).status == 404


@on_the_loop
async def test_who_joins_may_send(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    link = (await box.get(f"/j/{(await hand_over(box, session_id))['code']}")).headers["Location"]
    assert (await box.get(link)).status == 200
    assert (await box.put(link.rpartition("/")[2], "a.mp4", movie(100))).status == 201


# ---- guessing ----


async def guess_wrong(box: Box, code: str, times: int) -> None:
    for number in range(times):
        wrong = f"{(int(code) + 1 + number) % 10**6:06}"
        assert (await box.get(f"/j/{wrong}")).status == 404


@on_the_loop
async def test_guesses_are_limited_and_then_even_the_right_one_waits(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    code = (await hand_over(box, session_id))["code"]
    await guess_wrong(box, code, BY_ONE)
    answer = await box.get(f"/j/{code}?lang=en")
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= WINDOW + 1
    assert says_why(answer)
    assert "Wait 10 minutes, then try again." in answer.body.decode()
    assert (await box.get("/j")).status == 200, "looking at the form is no guess"
    box.clock.ahead += WINDOW
    code = (await hand_over(box, session_id))["code"]
    assert (await box.get(f"/j/{code}")).status == 303


@on_the_loop
async def test_a_slip_of_the_thumb_is_no_guess(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    for _ in range(BY_ONE + 1):
        assert (await box.get("/j/12345")).status == 404
    code = (await hand_over(box, session_id))["code"]
    assert (await box.get(f"/j/{code}")).status == 303


@on_the_loop
async def test_many_addresses_do_not_help(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    code = (await hand_over(box, session_id))["code"]
    for number in range(MOST):
        box.station.code_tries.failed(f"10.0.{number // 100}.{number % 100}", box.clock().mono)
    assert (await box.get(f"/j/{code}")).status == 429


@on_the_loop
async def test_a_guesser_with_many_addresses_does_not_lock_the_house_out(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    for number in range(BY_ALL):
        box.station.code_tries.failed(f"10.0.0.{number}", box.clock().mono)
    code = (await hand_over(box, session_id))["code"]
    assert (await box.get(f"/j/{code}")).status == 303


@on_the_loop
async def test_guesses_at_codes_are_none_at_the_pin(box: Box) -> None:
    await guess_wrong(box, "0", BY_ONE)
    assert box.station.pin_tries.wait("127.0.0.1", box.clock().mono) == 0
