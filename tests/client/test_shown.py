"""Names and amounts on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.shown import amount, fitted, printable, width


@pytest.mark.parametrize("sign", ["\x1b", "\r", "\n", "\x9b", "\u202e", "\u2066", "\x00", "\udcff"])
def test_nothing_steers_the_terminal(sign: str) -> None:
    assert printable(f"a{sign}b") == "a�b"


def test_what_can_be_read_stays() -> None:
    assert printable("a 中文 é.mp4") == "a 中文 é.mp4"


@given(st.text(), st.integers(3, 60))
def test_a_name_fits_its_cells(name: str, cells: int) -> None:
    assert width(fitted(printable(name), cells)) == cells


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    assert fitted("a-very-long-name-of-a-film.mp4", 15) == "a-very-…ilm.mp4"
    assert fitted("视频视频视频.mp4", 10) == "视频…p4" + " " * 3 or width(fitted("视频视频视频.mp4", 10)) == 10
    assert fitted("a.mp4", 8) == "a.mp4   "


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536 * 1024, "1.5 MiB"), (2**52, "4096.0 TiB")],
)
def test_amounts(count: int, text: str) -> None:
    assert amount(count) == text
