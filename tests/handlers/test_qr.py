"""QR codes: read back from what is drawn, module by module, and held against the code itself."""

from __future__ import annotations

import re

import pytest
import segno

from handlers import qr

LINK = "http://192.168.1.5:8005/s/550e8400-e29b-41d4-a716-446655440000"
Matrix = list[list[bool]]


def matrix_of(text: str) -> Matrix:
    """The modules of the code for this text, with the quiet zone."""
    code = segno.make_qr(text, error="m")
    return [[bool(module) for module in row] for row in code.matrix_iter(border=4)]


def matrix_of_picture(svg: str) -> Matrix:
    """The modules that an SVG of ours paints."""
    size = re.search(r'viewBox="0 0 (\d+) \1"', svg)
    path = re.search(r'stroke="#000" d="([^"]+)"', svg)
    assert size is not None
    assert path is not None
    modules = [[False] * int(size[1]) for _ in range(int(size[1]))]
    x, y = 0.0, 0.0
    for verb, numbers in re.findall(r"([Mmh])([^Mmh]+)", path[1]):
        given = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if verb == "h":
            for column in range(int(x), int(x + given[0])):
                modules[int(y)][column] = True
            x += given[0]
        else:
            x, y = (given[0], given[1]) if verb == "M" else (x + given[0], y + given[1])
    return modules


def matrix_of_terminal(lines: list[str]) -> Matrix:
    """The modules that lines of half blocks show: what is not a block is dark."""
    light = {" ": (False, False), "\u2580": (True, False), "\u2584": (False, True), "\u2588": (True, True)}
    rows = []
    for line in lines:
        signs = [light[sign] for sign in re.sub(r"\x1b\[[0-9;]*m", "", line)]
        rows += [[not upper for upper, _ in signs], [not lower for _, lower in signs]]
    return rows


@pytest.mark.parametrize("text", [LINK, "http://[fd00::5]:8005/s/x", "http://a/"])
def test_the_picture_is_the_code_of_the_text(text: str) -> None:
    assert matrix_of_picture(qr.picture(text).decode()) == matrix_of(text)


def test_the_picture_is_dark_on_white_and_of_any_size() -> None:
    svg = qr.picture(LINK).decode()
    assert svg.startswith("<svg ")
    assert 'fill="#fff"' in svg
    assert "crispEdges" in svg
    assert not re.search(r"<svg[^>]*(width|height|class|style)=", svg)


def test_the_terminal_shows_the_code_of_the_text() -> None:
    expected = matrix_of(LINK)
    shown = matrix_of_terminal(qr.drawn(LINK))
    assert shown[: len(expected)] == expected
    assert {len(row) for row in shown} == {qr.columns(LINK)}


def test_each_line_for_the_terminal_brings_its_colours_and_takes_them_away() -> None:
    assert all(re.fullmatch(r"\x1b\[38;5;231;48;5;16m[ \u2580\u2584\u2588]+\x1b\[0m", line) for line in qr.drawn(LINK))


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("Guests", "letmein1", "WIFI:T:WPA;S:Guests;P:letmein1;;"),
        ("Guests", "", "WIFI:T:nopass;S:Guests;;"),
        ("CAFE", "", "WIFI:T:nopass;S:CAFE;;"),
        ("访客", "letmein1", "WIFI:T:WPA;S:访客;P:letmein1;;"),
        ('a;b:"c\\', "p;w:rd\\1", r"WIFI:T:WPA;S:a\;b\:\"c\\;P:p\;w\:rd\\1;;"),
    ],
)
def test_the_code_for_the_wifi_says_what_phones_understand(name: str, password: str, says: str) -> None:
    assert qr.wifi(name, password) == says
    assert qr.picture(qr.wifi(name, password)).startswith(b"<svg ")


def test_a_name_in_chinese_is_written_in_utf8() -> None:
    """A phone takes what is not ASCII for UTF-8; left alone, the library takes what Shift JIS has for that."""
    expected = segno.make_qr("WIFI:T:nopass;S:日本;;", error="m", encoding="utf-8")
    assert matrix_of_picture(qr.picture("WIFI:T:nopass;S:日本;;").decode()) == [
        [bool(module) for module in row] for row in expected.matrix_iter(border=4)
    ]
