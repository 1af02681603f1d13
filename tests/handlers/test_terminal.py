"""What is said on standard output, and to whom it is drawn. Real terminals are in tests/test_server.py."""

from __future__ import annotations

import io
import os
from pathlib import Path

from handlers import lan, terminal


def test_the_address_is_the_configured_one_or_that_in_the_network() -> None:
    assert terminal.address("https://files.example", "127.0.0.1", 8005) == "https://files.example/"
    assert terminal.address("", "192.168.1.5", 8005) == "http://192.168.1.5:8005/"
    assert terminal.address("", "192.168.1.5", 8443, "https") == "https://192.168.1.5:8443/"
    assert terminal.address("", "fd00::5", 80) == "http://[fd00::5]:80/"
    own = lan.address()
    found = None if own == lan.LOOPBACK else f"http://{lan.at(own, 8005)}/"
    assert terminal.address("", "", 8005) == found


def test_where_nobody_else_gets_to_no_address_is_told() -> None:
    for host in ("127.0.0.1", "::1"):
        assert terminal.address("", host, 8005) is None


def test_what_is_no_terminal_gets_words_only() -> None:
    out = io.StringIO()
    terminal.welcome("http://192.168.1.5:8005/", out, {"TERM": "xterm"})
    assert out.getvalue() == "On this network: http://192.168.1.5:8005/\n"


def test_the_operator_is_invited_by_a_link_or_told_where_the_token_is(tmp_path: Path) -> None:
    page, kept = "http://localhost:8005/monitor", Path("/srv/upload/.station/token")
    file = tmp_path / "out"
    with file.open("w", encoding="utf-8") as out:
        status = os.fstat(out.fileno())
        stream = f"{status.st_dev}:{status.st_ino}"
        terminal.invite(page, "made/&#", kept, out, {})
        terminal.invite(page, "made", kept, out, {"JOURNAL_STREAM": "1:1"})
        terminal.invite(page, "made", kept, out, {"JOURNAL_STREAM": stream})
        terminal.invite(page, "chosen", None, out, {})
    assert file.read_text().splitlines() == [
        f"Operator page: {page}?token=made%2F%26%23",
        f"Operator page: {page}?token=made",
        f"Operator page: {page} (its token is in {kept})",
        f"Operator page: {page}",
    ]


def test_a_pipe_that_nobody_reads_is_no_fault(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        terminal.say("hello", out)
        terminal.say("again", out)
