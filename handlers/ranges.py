"""Which part of a file a request wants (RFC 9110, 14): one range of bytes. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE = re.compile(r"bytes=[ \t]*([0-9]{0,20})-([0-9]{0,20})[ \t]*", re.IGNORECASE | re.ASCII)


class Span(NamedTuple):
    """From `start` up to, but not including, `end`; empty: no byte of the file was asked for."""

    start: int
    end: int


def wanted(field: str, size: int) -> Span | None:
    """None: the whole. So is what cannot be understood, as the RFC has it, and more than one range at once."""
    found = _ONE.fullmatch(field)
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        if not last:
            return None
        length = min(int(last), size)
        # Of an empty file, which has no range at all, the last bytes are the whole.
        return None if length == 0 < int(last) else Span(size - length, size)
    if last and int(last) < int(first):
        return None
    start = int(first)
    return Span(start, min(int(last) + 1, size) if last else size) if start < size else Span(size, size)
