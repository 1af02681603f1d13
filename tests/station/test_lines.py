"""How lines look: parsed by what reads them, harmless whatever is in them, and without what opens anything."""

from __future__ import annotations

import logging
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.lines import Json, Readable, clean, scrubbed, weigh
from station.reporting import REQUEST, short
from station.wire import loads
from tests.handlers.site import HOSTILE_NAMES

SESSION = "1f0c8d2e-6f5b-4a51-9a37-0d1d4e2b7c11"


def record(words: Any = "words", *args: Any, level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("upload_station", level, "", 0, words, args, None)
    made.created = 1_705_314_510.25
    vars(made).update(extra)
    return made


def parsed(made: logging.LogRecord) -> dict[str, Any]:
    line = Json().format(made)
    assert "\n" not in line
    value = loads(line)
    assert isinstance(value, dict)
    return value


def fault(text: str) -> Any:
    try:
        raise RuntimeError(text)
    except RuntimeError:
        return sys.exc_info()


def test_an_object_a_line_with_the_same_keys_first() -> None:
    line = parsed(record("%s of %s", 1, 2, event="sum", fields={"size": 5, "nothing": None, "ok": True}))
    assert line == {
        "time": "2024-01-15T10:28:30.250Z",
        "level": "info",
        "logger": "upload_station",
        "event": "sum",
        "message": "1 of 2",
        "size": 5,
        "ok": True,
    }


def test_a_line_to_read_has_its_fields_behind_its_words() -> None:
    line = Readable().format(record("a file is stored", event="upload-completed", fields={"size": 5, "why": 'so "so"'}))
    assert line[4:17].count("-") == 2
    assert line.endswith('INFO    upload-completed  a file is stored size=5 why="so \\"so\\""')


def test_systemd_gets_the_level_in_front_of_every_line_and_no_time() -> None:
    made = record("failed", level=logging.ERROR, exc_info=fault("x"))
    assert Readable(told=True).format(made).split("\n")[0] == "<3>ERROR   note              failed"
    assert all(line.startswith("<3>") for line in Readable(told=True).format(made).split("\n"))
    assert Json(told=True).format(made).startswith("<3>{")


def test_the_request_that_is_served_is_named_unless_the_line_is_nobodys() -> None:
    token = REQUEST.set("r-1")
    try:
        assert parsed(record())["request"] == "r-1"
        assert parsed(record(fields={"request": "r-2"}))["request"] == "r-2"
        assert "request" not in parsed(record(fields={"request": ""}))
        made = record()
        made.name = "tornado.general"
        assert "request" not in parsed(made)
    finally:
        REQUEST.reset(token)


@given(st.text(), st.text())
def test_nothing_that_is_logged_breaks_a_line_or_steers_a_terminal(words: str, value: str) -> None:
    made = record("%s", words, fields={"name": value}, exc_info=fault(value))
    assert set(parsed(made)) >= {"message", "name", "exception"}
    first, *rest = Readable().format(made).split("\n")
    for line in (first, *rest):
        assert all(unicodedata.category(sign) not in {"Cc", "Cf", "Zl", "Zp", "Cs"} for sign in line)
    assert all(line.startswith("    ") for line in rest), "no line of a traceback passes for a line of the log"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_stay_on_their_line(name: str) -> None:
    for form in (Json(), Readable()):
        assert form.format(record("%s", name, fields={"name": name})).isprintable()


def test_what_is_printable_stays_as_it_is() -> None:
    assert clean("照片 Ünïcode 👍 a=b") == "照片 Ünïcode 👍 a=b"
    assert clean("a\nb\u202e\U000e0001\x9b") == "a\\x0ab\\u202e\\U000e0001\\x9b"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"GET /s/{SESSION} failed", SESSION),
        (f"GET /s/{SESSION.upper()} failed", SESSION.upper()),
        (f"/srv/personal/{SESSION}_2026_a.mp4 is gone", SESSION),
        (f"KeyError: {SESSION.replace('-', '')!r}", SESSION.replace("-", "")),
        ("GET /monitor?token=s3cret&x=1", "s3cret"),
        ("GET /j?code=204871", "204871"),
        ("Authorization: Bearer s3cret", "s3cret"),
        ("Authorization: Basic czNjcmV0", "czNjcmV0"),
        ("cannot reach https://ann:s3cret@intranet.example/x", "s3cret"),
        ("admin_token='s3cret'", "s3cret"),
        ("{'X-Upload-Pin': '2468'}", "2468"),
        ("secret is whsec_c2VjcmV0", "c2VjcmV0"),
        ("Cookie: upload_pin=abc.def; operator=ghi", "ghi"),
    ],
)
def test_what_opens_anything_is_not_written_whoever_logs_it(text: str, hidden: str) -> None:
    made = record("%s", text, fields={"text": text}, exc_info=fault(text))
    for form in (Json(), Readable()):
        assert hidden in text
        assert hidden not in form.format(made)


def test_an_id_is_replaced_by_its_short_name_however_it_is_written() -> None:
    assert scrubbed(f"{SESSION} {SESSION.upper()}") == f"{short(SESSION)} {short(SESSION)}"


def test_a_checksum_is_no_id() -> None:
    assert scrubbed("ab" * 32) == "ab" * 32


def test_no_line_is_endless() -> None:
    long = record("%s", "x" * 10**6, fields={"a": "y" * 10**6}, exc_info=fault("z" * 10**6))
    assert len(Json().format(long)) < 20_000
    assert len(Readable().format(long)) < 20_000


class Awkward:
    def __str__(self) -> str:
        return "awkward"


def test_anything_may_be_a_field() -> None:
    values = {"a": float("nan"), "b": float("inf"), "c": Awkward(), "d": b"x", "e": {"k": 1}, "f": 1.5, "time": "mine"}
    line = parsed(record(fields=values))
    assert (line["a"], line["b"], line["c"], line["f"]) == (None, None, "awkward", 1.5)
    assert line["time"].endswith("Z"), "a field cannot pass for what the log itself says"


def test_a_wrong_format_loses_no_line() -> None:
    assert parsed(record("%d files", "no number"))["message"] == "%d files"


@pytest.mark.parametrize(
    "words",
    [
        "SSL Error on 22 ('192.168.1.7', 60546): certificate unknown",
        "SSL Error on 22 ('fe80::1', 60546, 0, 3): certificate unknown",
        "Malformed HTTP message from 192.168.1.7: no colon",
        "Invalid message from fe80::1: no colon",
    ],
)
def test_below_http_clients_have_no_address_and_are_no_reason_to_warn(words: str) -> None:
    made = record(words, level=logging.WARNING, name="tornado.general")
    weigh(made)
    line = Readable().format(made)
    assert "INFO" in line
    assert "a client" in line
    assert "192.168" not in line
    assert "fe80" not in line


def test_a_warning_of_ours_stays_one_with_its_address() -> None:
    made = record("cannot listen at 192.168.1.7", level=logging.WARNING)
    weigh(made)
    assert "WARNING" in Readable().format(made)
    assert "192.168.1.7" in Readable().format(made)
