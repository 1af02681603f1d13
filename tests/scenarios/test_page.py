"""docs/protocol.md says what the code and the scenarios say, and its links lead somewhere."""

from __future__ import annotations

import re

from tornado.ioloop import IOLoop

from handlers.commands import Command
from station.config import Config
from tests.scenarios.page import PAGE, renewed


def test_the_page_is_what_the_tests_make_of_it(io_loop: IOLoop) -> None:
    text = PAGE.read_text(encoding="utf-8")
    made = io_loop.run_sync(lambda: renewed(text))
    assert text == made, "stale: run `python -m tests.scenarios.write`"


def test_the_page_tells_every_command_of_a_client() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in Command.TABLE if f"`{name}`" not in text] == []


def test_links_within_the_page_lead_to_a_heading() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    assert [link for link in re.findall(r"\]\(#([^)]+)\)", text) if link not in headings] == []


def test_options_named_in_the_text_exist() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:max|retry|settle|session|progress|body|drain|outbox)_\w+)`", text))
    assert named <= set(Config.__dataclass_fields__)
