"""How a session is found or opened at a real station."""

from __future__ import annotations

import getpass

import pytest

from client.address import Place
from client.faults import GaveUp, Refusal
from client.link import Link
from client.opening import Opening
from client.patience import Patience, Timing
from client.source import Source
from client.words import Words
from tests.handlers.site import Box, on_the_loop

SOURCES = [Source("/a.mp4", "a.mp4", 5, 0), Source("/b.exe", "b.exe", 6, 0)]


def opening(link: Link, pin: str = "", limit: float = 5) -> Opening:
    return Opening(link, Words("en"), Patience(limit, Timing()), pin)


@on_the_loop
async def test_a_new_session_announces_its_files(box: Box, link: Link) -> None:
    opened = await opening(link).session(Place(box.url), SOURCES[:1], "scenic")
    snapshot = await opening(link).snapshot(opened.session_id)
    assert [file["id"] for file in snapshot["files"]] == opened.file_ids
    assert (snapshot["category"], snapshot["files"][0]["totalBytes"]) == ("scenic", 5)


@on_the_loop
async def test_what_would_be_refused_is_known_before(box: Box, link: Link) -> None:
    refused = await opening(link).refused(SOURCES)
    assert {index: refusal.code for index, refusal in refused.items()} == {1: "UNSUPPORTED_FORMAT"}


@on_the_loop
async def test_a_category_that_is_none_is_refused(box: Box, link: Link) -> None:
    with pytest.raises(Refusal, match="category must be one of"):
        await opening(link).session(Place(box.url), SOURCES[:1], "nowhere")


@on_the_loop
async def test_a_code_leads_to_its_session_once(box: Box, link: Link) -> None:
    session_id = await box.open(autoComplete=False)
    code = (await box.post(f"/api/upload/handover/{session_id}")).json()["code"]
    opened = await opening(link).session(Place(box.url, code=code), SOURCES, "")
    assert (opened.session_id, opened.file_ids) == (session_id, None)
    with pytest.raises(Refusal) as refused:
        await opening(link).session(Place(box.url, code=code), SOURCES, "")
    assert "no such code" in str(refused.value)


class Terminal:
    """Somebody who types these words."""

    def __init__(self, *typed: str) -> None:
        self.typed = list(typed)

    def isatty(self) -> bool:
        return True

    def getpass(self, prompt: str) -> str:
        assert prompt == "PIN of the station: "
        return self.typed.pop(0)


@pytest.mark.parametrize("options", [["--upload-pin=246810"]])
@on_the_loop
async def test_on_a_terminal_the_pin_is_asked_for(
    box: Box, link: Link, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = Terminal("135790", " 246810 ", "never asked")
    monkeypatch.setattr("sys.stdin", person)
    monkeypatch.setattr(getpass, "getpass", person.getpass)
    assert (await opening(link).session(Place(box.url), SOURCES[:1], "")).session_id
    assert person.typed == ["never asked"]
    assert "That is not the PIN." in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--upload-pin=246810"]])
@on_the_loop
async def test_whoever_does_not_know_the_pin_is_asked_three_times(
    box: Box, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Terminal(*["135790"] * 5)
    monkeypatch.setattr("sys.stdin", person)
    monkeypatch.setattr(getpass, "getpass", person.getpass)
    with pytest.raises(Refusal, match="That is not the PIN"):
        await opening(link).session(Place(box.url), SOURCES[:1], "")
    assert len(person.typed) == 3, "two more tries after the first, without one"


@on_the_loop
async def test_a_station_that_is_not_there_is_not_waited_for_long() -> None:
    gone = Link("http://127.0.0.1:1", language="en")
    with pytest.raises(GaveUp) as end:
        await opening(gone, limit=0.2).limits()
    assert "Connection refused" in str(end.value.__cause__)
