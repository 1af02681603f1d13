"""What the station says on standard output after its first line: where it is in the network, and that as a QR code.

Nothing that is said here is worth ending a station for: whoever read the first line may have gone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

from handlers import lan, qr

_BLOCKS = "\u2580\u2584\u2588"


def address(configured: str, listens_at: str, port: int, scheme: str = "http") -> str | None:
    """The address to open on other devices; None if there is none."""
    if configured:
        return f"{configured}/"
    host = lan.address(listens_at)
    return None if lan.is_only_here(host) else f"{scheme}://{lan.at(host, port)}/"


def welcome(place: str, out: TextIO, environment: Mapping[str, str] = os.environ) -> None:
    """Say where the station is; to a terminal that can draw it also as a code."""
    lines = [f"On this network: {place}"]
    if _draws(out, qr.columns(place), environment):
        lines += qr.drawn(place)
    say("\n".join(lines), out)


def say(text: str, out: TextIO) -> None:
    try:
        print(text, file=out, flush=True)
    except BrokenPipeError:
        # Python would try again at its end, and make an error of that.
        with open(os.devnull, "w", encoding="utf-8") as nothing:
            os.dup2(nothing.fileno(), out.fileno())


def _draws(out: TextIO, columns: int, environment: Mapping[str, str]) -> bool:
    """Whether this is a terminal with colours, half blocks, and room for so many columns."""
    if not out.isatty() or environment.get("TERM", "dumb" if os.name == "posix" else "") == "dumb":
        return False
    try:
        _BLOCKS.encode(out.encoding or "ascii")
        return os.get_terminal_size(out.fileno()).columns >= columns
    except (UnicodeEncodeError, LookupError, OSError):
        return False
