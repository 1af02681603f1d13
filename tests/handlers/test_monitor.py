"""The operator's page as the server writes it: for whom, in which language, and never from a cache."""

from __future__ import annotations

from tests.handlers.site import TOKEN, Box, on_the_loop
from tests.handlers.test_login import passed, submit

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@on_the_loop
async def test_a_stranger_gets_the_form(box: Box) -> None:
    for language in ("zh-CN", "en"):
        answer = await box.get(f"/monitor?lang={language}")
        page = answer.body.decode()
        assert answer.status == 401
        assert f'<html lang="{language}">' in page
        assert 'action="/monitor/login' in page
        assert 'role="alert"' not in page, "nothing was wrong yet"
        assert f"lang={language}" in answer.headers["Set-Cookie"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert "js/monitor" not in page


@on_the_loop
async def test_the_operator_gets_the_page(box: Box) -> None:
    cookie = passed(await submit(box, TOKEN))
    for headers in (cookie, BEARER):
        answer = await box.get("/monitor?lang=en", headers)
        page = answer.body.decode()
        assert answer.status == 200
        assert '<html lang="en">' in page
        assert '<script type="module" src="/static/js/monitor/main.js">' in page
        assert 'rel="modulepreload"' in page
        assert "/monitor/login" not in page
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Content-Security-Policy" in answer.headers
        assert TOKEN not in page


@on_the_loop
async def test_a_program_may_ask_for_the_head_alone(box: Box) -> None:
    for headers, status in (({}, 401), (BEARER, 200)):
        answer = await box.ask("HEAD", "/monitor", headers=headers)
        assert (answer.status, answer.body) == (status, b"")


@on_the_loop
async def test_the_first_page_loads_nothing_of_the_operator_s(box: Box) -> None:
    assert "monitor" not in (await box.get("/")).body.decode()


@on_the_loop
async def test_other_methods_are_refused(box: Box) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert (await box.ask(method, "/monitor", b"", BEARER)).status == 405
