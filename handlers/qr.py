"""QR codes: as a picture for a screen, in half blocks for a terminal. What they say is passed in."""

from __future__ import annotations

import io
from functools import lru_cache

import segno
from segno.helpers import make_wifi_data

QUIET = 4  # modules of white around it; ISO/IEC 18004 asks for four
# Exactly black and white, whatever the terminal's own colours: a code in light on dark is not read by every phone.
_INK, _PLAIN = "\x1b[38;5;231;48;5;16m", "\x1b[0m"


@lru_cache(maxsize=32)  # 7 ms each, in which nobody else is served
def picture(text: str) -> bytes:
    """An SVG of the text's code, dark on white."""
    svg = io.BytesIO()
    _code(text).save(
        svg, kind="svg", border=QUIET, dark="#000", light="#fff", xmldecl=False, svgclass=None, lineclass=None,
        omitsize=True, nl=False,
    )  # fmt: skip
    # Without it the rows of modules are drawn with seams between them, at sizes that do not divide evenly.
    return svg.getvalue().replace(b"<svg ", b'<svg shape-rendering="crispEdges" ', 1)


def wifi(name: str, password: str) -> str:
    """What a code says that lets a phone join a Wi-Fi network; no password: an open one."""
    return str(make_wifi_data(name, password or None, "WPA" if password else "nopass"))


def drawn(text: str) -> list[str]:
    """The code as lines for a terminal, two rows of modules a line, with its colours around each."""
    lines = io.StringIO()
    _code(text).terminal(lines, border=QUIET, compact=True)
    return [f"{_INK}{line}{_PLAIN}" for line in lines.getvalue().splitlines()]


def columns(text: str) -> int:
    """How wide the lines are."""
    return int(_code(text).symbol_size(border=QUIET)[0])


def _code(text: str) -> segno.QRCode:
    # Level M: a screen has no stains, but fingers and reflections.
    return segno.make_qr(text, error="m", encoding="utf-8" if not text.isascii() else None)
