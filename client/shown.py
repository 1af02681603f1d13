"""Names and amounts as a terminal shows them. A name may be anybody's: none may steer the terminal. Pure."""

from __future__ import annotations

import unicodedata

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def printable(text: str) -> str:
    """Control characters, such as escape sequences begin with, and marks that turn the direction become �."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def width(text: str) -> int:
    """Cells it takes on a terminal."""
    signs = ((unicodedata.east_asian_width(sign), unicodedata.combining(sign)) for sign in text)
    return sum(0 if mark else 2 if wide in "WF" else 1 for wide, mark in signs)


def fitted(text: str, cells: int) -> str:
    """Exactly so many cells wide: its beginning and its end, or with blanks after it."""
    if width(text) > cells:
        head, tail = text[: len(text) // 2], text[len(text) // 2 :]
        while width(head) + 1 + width(tail) > cells:
            head, tail = (head[:-1], tail) if width(head) >= width(tail) else (head, tail[1:])
        text = f"{head}…{tail}"
    return text + " " * (cells - width(text))


def amount(count: float) -> str:
    """Bytes: `1.5 MiB`."""
    step = 0
    while count >= 1024 and step < len(_UNITS) - 1:
        count, step = count / 1024, step + 1
    return f"{count:.0f} {_UNITS[step]}" if step == 0 else f"{count:.1f} {_UNITS[step]}"
