"""What the texts of options mean, and what none of them means."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.options import (
    categories,
    command,
    networks,
    one_of,
    operator_word,
    seconds,
    secret_word,
    size,
    switch,
    web_address,
    within,
    words,
)

GIB = 1024**3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1024", 1024),
        ("500MB", 500 * 1024**2),
        ("500 mib", 500 * 1024**2),
        ("10GiB", 10 * GIB),
        ("2g", 2 * GIB),
        ("1.5k", 1536),
        ("1t", 1024**4),
        (" 7 b ", 7),
    ],
)
def test_sizes(text: str, value: int) -> None:
    assert size(text) == value


@given(st.integers(0, 2**53))
def test_a_plain_number_is_bytes_and_seconds(number: int) -> None:
    assert size(str(number)) == number
    assert seconds(str(number)) == number


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("30", 30), ("30s", 30), ("30 S", 30), ("500ms", 0.5), ("30min", 1800), ("2m", 120), ("1.5h", 5400)],
)
def test_times(text: str, value: float) -> None:
    assert math.isclose(seconds(text), value)


@pytest.mark.parametrize("parse", [size, seconds])
@pytest.mark.parametrize("text", ["", " ", "-1", "1e3", "1,5", "nan", "inf", "1.k", "0x10", "k", "1 2"])
def test_what_is_no_number_is_no_size_and_no_time(parse: Any, text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "value"), [("on", True), ("YES", True), ("1", True), ("true", True), ("off", False), (" no ", False)]
)
def test_switches(text: str, value: bool) -> None:
    assert switch(text) is value


def test_lists_are_parted_by_commas_or_blanks() -> None:
    assert words(" a,b  c,\n, d ") == ("a", "b", "c", "d")
    assert words("") == ()


def test_a_category_may_bear_a_chinese_name() -> None:
    assert categories("个人, scenic-2024") == ("个人", "scenic-2024")


def test_choices_and_bounds_say_what_they_want() -> None:
    with pytest.raises(ValueError, match="is none of a, b"):
        one_of("a", "b")("c")
    with pytest.raises(ValueError, match="is not between 1 and 2"):
        within(1, 2)("3")
    assert (one_of("a", "b")(" a "), within(1, 2)("2")) == ("a", 2.0)


@pytest.mark.parametrize("text", ["", "2468", " 246810 ", "x" * 64, "口令口令"])
def test_a_pin_has_4_to_64_characters(text: str) -> None:
    assert secret_word(text) == text.strip()


@pytest.mark.parametrize("text", ["1", "246", "口令", "x" * 65, "24\t68"])
def test_another_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="at least 4 characters") as refused:
        secret_word(text)
    assert text == "1" or text not in str(refused.value)


def test_the_operators_token_is_one_line_of_eight_characters_or_more() -> None:
    for text in ("", "  ", "12345678", " open sesame ", "芝麻开门芝麻开门", "x" * 256):
        assert operator_word(text) == text.strip()
    for text in ("1234567", "x" * 257, "1234\n5678", "1234567\u200b", " 12345 "):
        with pytest.raises(ValueError, match="at least 8 characters") as error:
            operator_word(text)
        assert text.strip() not in str(error.value)


@pytest.mark.parametrize("text", ["", " sh ", "/bin/sh 'b c' \"d\"", "sh -c 'echo 1'"])
def test_a_command_is_words_as_a_shell_parts_them(text: str) -> None:
    assert command(text) == text.strip()


@pytest.mark.parametrize("text", ["no-such-program", "/nowhere/sort-in --to here", "/etc"])
def test_a_command_that_cannot_be_run_is_told_by_its_name(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be run") as error:
        command(text)
    assert text.split()[0] in str(error.value)


BADLY_BEGUN = [
    (b"echo done\n", "does not name its interpreter"),
    (b"", "does not name its interpreter"),
    (b"\xef\xbb\xbf#!/bin/sh\n", "does not name its interpreter"),
    (b"#!/bin/sh\r\nexit 0\r\n", "lines end as those of Windows"),
    (b"#! /no/such/python3 -I\n", "there is no '/no/such/python3'"),
    (b"#!\n", "there is no ''"),
    (b"#!sh\n", "there is no 'sh'"),
    (b"#!/bin/\xff" + b"x" * 1000, "there is no '/bin/\ufffdx"),
]


@pytest.mark.parametrize(("content", "why"), BADLY_BEGUN)
def test_a_script_that_the_system_could_not_start_is_refused_with_the_reason(
    content: bytes, why: str, tmp_path: Path
) -> None:
    script = tmp_path / "check"
    script.write_bytes(content)
    script.chmod(0o755)
    with pytest.raises(OSError, match=r"Exec format error|No such file"):
        subprocess.run([script], check=False)
    with pytest.raises(ValueError, match=f"cannot be run: .*{why}"):
        command(f"{script} --fdpass")


def test_one_whose_interpreter_env_would_not_find_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "check"
    script.write_text("#!/usr/bin/env nosuchthing\n")
    script.chmod(0o755)
    with pytest.raises(ValueError, match="there is no 'nosuchthing'"):
        command(str(script))


def test_one_whose_interpreter_would_be_sought_with_the_line_end_of_windows_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "check"
    script.write_bytes(b"#!/usr/bin/env sh\r\n")
    script.chmod(0o755)
    with pytest.raises(ValueError, match="lines end as those of Windows"):
        command(str(script))


@pytest.mark.parametrize("first", ["#!/bin/sh", "#! /bin/sh -e", "#!/usr/bin/env sh", "#!" + sys.executable])
def test_one_that_names_its_interpreter_is_taken(first: str, tmp_path: Path) -> None:
    script = tmp_path / "check"
    script.write_text(f"{first}\n", "utf-8")
    script.chmod(0o755)
    assert command(str(script)) == str(script)


def test_a_program_that_is_no_script_is_taken() -> None:
    assert command(sys.executable) == sys.executable


@pytest.mark.parametrize("text", ["a 'b", 'a "b', "a \\"])
def test_a_command_with_an_open_quote_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a command line"):
        command(text)


@pytest.mark.parametrize("text", ["", "http://a", " HTTPS://a.example:8/b?c=d ", "http://me:pw@[::1]:8005/x"])
def test_an_address_is_one_of_the_web(text: str) -> None:
    assert web_address(text) == text.strip()


@pytest.mark.parametrize("text", ["a.example", "ftp://a", "http://", "http://a b", "http://a\nb", "file:///etc/passwd"])
def test_what_cannot_be_sent_to_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address") as refused:
        web_address(text)
    assert text not in str(refused.value)


def test_networks_are_addresses_or_networks_of_both_kinds() -> None:
    assert networks(" 127.0.0.1,::1 10.0.0.0/8 fd00::/8") == ("127.0.0.1/32", "::1/128", "10.0.0.0/8", "fd00::/8")
    assert networks("") == ()


@pytest.mark.parametrize("text", ["localhost", "10.0.0.1/8", "10.0.0.300", "1", "10.0.0.1/33", "::1/129", "all"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+ \w+"):
        networks(text)
