"""Dead letters over HTTP: for the operator only, listed, sent again, forgotten."""

from __future__ import annotations

import pytest

from station import deliveries
from station.hooks import WEBHOOK
from tests.handlers.site import TOKEN, Box, movie, on_the_loop, until

BEARER = {"Authorization": f"Bearer {TOKEN}"}
LETTERS = "/api/monitor/letters"
# Nobody listens there; and with no patience a message is given up at once.
NOBODY = ["--webhook=http://127.0.0.1:9/", "--webhook-events=upload-completed", "--hook-patience=0s"]
with_a_hook = pytest.mark.parametrize("options", [NOBODY])


async def give_one_up(box: Box) -> None:
    before = box.station.hooks.counts()[WEBHOOK, "dead"]
    await box.ask("PUT", "/u/a.mp4", movie(5))
    await until(lambda: box.station.hooks.counts()[WEBHOOK, "dead"] == before + 1, "a letter dies")


@with_a_hook
@on_the_loop
async def test_a_dead_letter_is_shown_with_the_reason(box: Box) -> None:
    await give_one_up(box)
    answer = await box.ask("GET", LETTERS, headers=BEARER)
    told = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert told.keys() == {"letters", "next", "dead", "waiting", "timestamp"}
    assert (told["dead"], told["waiting"]) == (1, 0)
    [letter] = told["letters"]
    assert set(letter) == {
        *("number", "hook", "sessionId", "event", "fileName", "madeAt"),
        *("tries", "deadAt", "error"),
    }
    assert (letter["hook"], letter["event"], letter["tries"]) == ("webhook", "upload-completed", 1)
    assert letter["error"] == "connection refused"
    assert letter["fileName"] == "a.mp4"
    assert letter["madeAt"].endswith("Z")
    assert letter["deadAt"].endswith("Z")


@with_a_hook
@on_the_loop
async def test_it_is_sent_again_and_forgotten(box: Box) -> None:
    await give_one_up(box)
    [letter] = (await box.ask("GET", LETTERS, headers=BEARER)).json()["letters"]
    address = f"{LETTERS}/{letter['number']}"
    assert (await box.ask("POST", address, b"", BEARER)).status == 204
    await until(lambda: box.station.hooks.counts()[WEBHOOK, "dead"] == 1, "it dies again")
    assert (await box.ask("DELETE", address, headers=BEARER)).status == 204
    assert (await box.ask("GET", LETTERS, headers=BEARER)).json()["letters"] == []
    for method in ("POST", "DELETE"):
        gone = await box.ask(method, address, b"" if method == "POST" else None, BEARER)
        assert (gone.status, gone.code) == (404, "NOT_FOUND")


@with_a_hook
@on_the_loop
async def test_the_pass_of_the_page_does_it_too_but_not_for_another_site(box: Box) -> None:
    await give_one_up(box)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    login = await box.ask("POST", "/monitor/login", f"token={TOKEN}".encode(), form)
    cookie = {"Cookie": login.headers["Set-Cookie"].partition(";")[0]}
    [letter] = (await box.ask("GET", LETTERS, headers=cookie)).json()["letters"]
    address = f"{LETTERS}/{letter['number']}"
    for method in ("POST", "DELETE"):
        body = b"" if method == "POST" else None
        answer = await box.ask(method, address, body, {**cookie, "Origin": "https://evil.example"})
        assert (answer.status, answer.code) == (403, "FORBIDDEN_ORIGIN")
    assert (await box.ask("DELETE", address, headers=cookie)).status == 204
    assert (await box.ask("GET", LETTERS, headers=cookie)).json()["letters"] == []


@with_a_hook
@on_the_loop
async def test_all_are_sent_again_and_all_forgotten(box: Box) -> None:
    for _ in range(3):
        await give_one_up(box)
    before = await box.station.hooks.dead_letters()
    assert (await box.ask("POST", LETTERS, b"", BEARER)).status == 204
    await until(lambda: box.station.hooks.counts() == {(WEBHOOK, "waiting"): 0, (WEBHOOK, "dead"): 3}, "they die again")
    after = await box.station.hooks.dead_letters()
    assert [letter.id for letter in after] == [letter.id for letter in before]
    assert all(new.dead_at != old.dead_at for new, old in zip(after, before, strict=True))
    assert (await box.ask("DELETE", LETTERS, headers=BEARER)).status == 204
    assert (await box.ask("GET", LETTERS, headers=BEARER)).json()["letters"] == []
    for method, body in (("POST", b""), ("DELETE", None)):
        assert (await box.ask(method, LETTERS, body, BEARER)).status == 204, "there is nothing to do"


@with_a_hook
@on_the_loop
async def test_they_come_in_pages_the_oldest_first(box: Box) -> None:
    for _ in range(3):
        await give_one_up(box)
    sizes, numbers = [], []
    query = "?limit=2"
    while query:
        told = (await box.ask("GET", f"{LETTERS}{query}", headers=BEARER)).json()
        assert told["dead"] == 3, "of all, not of the page"
        sizes.append(len(told["letters"]))
        numbers += [letter["number"] for letter in told["letters"]]
        query = f"?limit=2&before={told['next']}" if told["next"] else ""
    assert sizes == [2, 1]
    assert numbers == sorted(numbers) == [letter.number for letter in await box.station.hooks.dead_letters()]


@on_the_loop
async def test_a_strange_question_is_refused(box: Box) -> None:
    for query in ("limit=201", "limit=x", "limit=-1", "before=x", "before=-1", f"before={'9' * 16}", "before=%ff"):
        answer = await box.ask("GET", f"{LETTERS}?{query}", headers=BEARER)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), query
    assert (await box.ask("GET", f"{LETTERS}?before={'9' * 15}&limit=0", headers=BEARER)).json()["letters"] == []


@with_a_hook
@pytest.mark.parametrize(
    "number",
    [
        "0",
        "-1",
        "1.5",
        "x",
        "%00",
        "%ff",
        "%FF%FE",
        "9" * 18,
        "9" * 19,
        "9" * 5000,
        "９",
        "%EF%BC%91",
        "1%20OR%201",
        "%2e%2e",
    ],
)
@on_the_loop
async def test_what_is_no_letter_is_not_found(box: Box, number: str) -> None:
    for method in ("POST", "DELETE"):
        answer = await box.ask(method, f"{LETTERS}/{number}", b"" if method == "POST" else None, BEARER)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")


@with_a_hook
@on_the_loop
async def test_nobody_else_sees_or_touches_them(box: Box) -> None:
    await give_one_up(box)
    [letter] = await box.station.hooks.dead_letters()
    for method, address in (
        ("GET", LETTERS),
        ("POST", LETTERS),
        ("DELETE", LETTERS),
        ("POST", f"{LETTERS}/{letter.number}"),
        ("DELETE", f"{LETTERS}/{letter.number}"),
    ):
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Cookie": "operator=1"}):
            answer = await box.ask(method, address, b"" if method == "POST" else None, headers)
            assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    assert await box.station.journal.read(deliveries.counts) == {WEBHOOK: (0, 1)}


@on_the_loop
async def test_without_a_hook_there_are_none(box: Box) -> None:
    told = (await box.ask("GET", LETTERS, headers=BEARER)).json()
    assert (told["letters"], told["dead"], told["waiting"]) == ([], 0, 0)
    assert (await box.ask("OPTIONS", LETTERS)).status == 204
