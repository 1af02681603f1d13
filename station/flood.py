"""How many lines of one kind the log takes in a minute, and what is said of the rest. Pure: the time is passed in.

A kind is what a line is about, not whom: one that sends a million bad requests fills one kind, and only that.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

WINDOW = 60.0  # seconds
FEW = 30  # lines of one kind in that time
ALL = 300  # lines of one logger, of those that are neither errors nor have a measure of their own
_KINDS = 1000
_VARYING = re.compile(r"0x[0-9a-fA-F]+|[0-9a-f-]{8,}|\d+")


@dataclass(slots=True)
class _Kind:
    since: float
    said: int = 0
    held: int = 0
    first: logging.LogRecord | None = None
    """The first of those that were held back."""

    def lasts(self, now: float) -> bool:
        """Until its minute is over, and until what was held back is told."""
        return self.held > 0 or now - self.since < WINDOW


class Flood:
    """Not safe in two threads at once."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, ...], _Kind] = {}
        self.holds = False
        """Whether something is held back of which is still to be told."""

    def admits(self, record: logging.LogRecord, now: float) -> bool:
        """Whether the line is to be written. One that is not is counted."""
        own = self._kind(_kind_of(record), now)
        many = getattr(record, "many", 0) or FEW
        ordinary = record.levelno < logging.ERROR and many == FEW
        whole = self._kind(("", record.name), now) if ordinary else None
        if own.said < many and (whole is None or whole.said < ALL):
            own.said += 1
            if whole is not None:
                whole.said += 1
            return True
        own.held += 1
        own.first = own.first or record
        self.holds = True
        return False

    def ended(self, now: float) -> list[logging.LogRecord]:
        """For each kind whose minute is over: a line that tells how many more there were."""
        over = [(key, kind) for key, kind in self._kinds.items() if now - kind.since >= WINDOW]
        for key, _ in over:
            del self._kinds[key]
        self.holds = any(kind.held for kind in self._kinds.values())
        return [_more(kind.first, kind.held) for _, kind in over if kind.first is not None]

    def _kind(self, key: tuple[str, ...], now: float) -> _Kind:
        if key not in self._kinds and len(self._kinds) >= _KINDS:
            self._kinds = {old: it for old, it in self._kinds.items() if it.lasts(now)}
            if len(self._kinds) >= _KINDS:
                key = ("",)  # so many kinds are a flood themselves
        kind = self._kinds.get(key)
        if kind is None or not kind.lasts(now):
            kind = self._kinds[key] = _Kind(now)
        return kind


def _kind_of(record: logging.LogRecord) -> tuple[str, ...]:
    kind = getattr(record, "kind", None)
    if kind is None:
        # Of a library's text the first line, without what differs each time.
        kind = _VARYING.sub("#", str(record.msg).partition("\n")[0][:200])
    fault = type(record.exc_info[1]).__name__ if record.exc_info and record.exc_info[1] is not None else ""
    return (record.name, record.levelname, str(kind), fault)


def _more(first: logging.LogRecord, count: int) -> logging.LogRecord:
    words = f"… and {count:,} more like this: {first.getMessage()[:200]}"
    more = logging.LogRecord(first.name, first.levelno, first.pathname, first.lineno, "%s", (words,), None)
    more.event, more.fields = getattr(first, "event", "note"), {"more": count, "request": ""}
    return more
