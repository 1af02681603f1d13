"""What the station says on standard output after its first line: where it is in the network, and that as a QR code;
and where its operator's page is.

Nothing that is said here is worth ending a station for: whoever read the first line may have gone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from handlers import lan, qr
from station.scribe import is_the_journal

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


def invite(page: str, token: str, kept: Path | None, out: TextIO, environment: Mapping[str, str] = os.environ) -> None:
    """Say where the operator's page is. `kept`: the file of a token that the station made; None: its owner chose it.

    What is chosen is known and stays secret; what was made opens by this line, unless the line goes into a journal
    that more people read than the file.
    """
    if kept is None:
        say(f"Operator page: {page}", out)
    elif is_the_journal(out.fileno(), environment):
        say(f"Operator page: {page} (its token is in {kept})", out)
    else:
        say(f"Operator page: {page}?token={quote(token, safe='')}", out)


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
