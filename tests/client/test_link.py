"""Requests to a real station."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from client.faults import Broken, Refusal
from client.link import Link, number
from tests.handlers.site import UNKNOWN, Box, on_the_loop


@on_the_loop
async def test_json_for_json(box: Box, link: Link) -> None:
    assert (await link.call("GET", "/api/upload/config"))["categories"] == ["personal", "scenic"]
    opened = await link.call("POST", "/api/upload/session", {"category": "scenic"})
    assert opened["category"] == "scenic"


@pytest.mark.parametrize(("language", "words"), [("en", "There is no such upload session."), ("zh", "找不到这次上传")])
@on_the_loop
async def test_a_refusal_has_the_stations_words_in_the_language_asked_for(box: Box, language: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        await Link(box.url, language=language).call("GET", f"/api/upload/progress/{UNKNOWN}")
    assert (refused.value.code, refused.value.status, refused.value.message) == ("SESSION_NOT_FOUND", 404, words)


@on_the_loop
async def test_what_is_no_station_is_a_break(box: Box, link: Link) -> None:
    with pytest.raises(Broken, match="not a station's"):
        await link.call("GET", "/")


@on_the_loop
async def test_a_request_that_is_not_right_is_no_sign_of_https(box: Box, link: Link) -> None:
    with pytest.raises(Refusal) as refused:
        await link.call("POST", "/api/upload/validate", {"files": 5})
    assert (refused.value.status, refused.value.is_mute) == (400, False)


@on_the_loop
async def test_a_socket_is_opened_and_closed(box: Box, link: Link) -> None:
    session_id = await box.open()
    socket = await link.socket(f"/ws?sessionId={session_id}")
    assert "session-joined" in str(await socket.read_message())
    socket.close()
    assert await socket.read_message() is None


@on_the_loop
async def test_a_socket_that_cannot_be_opened_is_a_break(box: Box, link: Link) -> None:
    for wrong in (link.socket("/nowhere"), Link("http://127.0.0.1:1", language="en").socket("/ws")):
        with pytest.raises(Broken):
            await wrong


def test_an_https_station_is_trusted_by_the_system_unless_told_otherwise() -> None:
    assert Link("https://files.example", language="en")._host.trust is not None
    assert Link("http://files.example", language="en")._host == Link("http://files.example:80", language="en")._host


@pytest.mark.parametrize(
    ("text", "count"), [("5", 5), ("", None), ("-1", None), ("x", None), ("9" * 30, None), ("٣", None)]
)
def test_only_a_count_is_a_number(text: str, count: int | None) -> None:
    assert number(HTTPHeaders({"Upload-Offset": text}), "Upload-Offset") == count
    assert number(HTTPHeaders(), "Upload-Offset") is None
