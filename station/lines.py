"""How a record of the log looks: one line to read, or one JSON object; without ids, secrets and control characters.

Not known here: what is said, and where it goes. The same net is thrown over every line, whoever wrote it, tracebacks
and libraries too: what looks like an id becomes its short name, what looks like a secret three dots.
"""

from __future__ import annotations

import logging
import math
import re
import traceback
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from station.clock import rfc3339
from station.reporting import REQUEST, short
from station.wire import dumps

_ID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE
)
_SECRET = re.compile(
    r"([?&;](?:code|pin|next|signature)=)[^\s&;'\",]+"
    r"|(\b(?:\w*token|\w*secret|\w*password|\w*_pin|x-upload-pin)['\"]?\s*[=:]\s*['\"]?)[^\s&;'\",]+"
    r"|(\b(?:bearer|basic)\s+)\S+|(://)[^\s/@]+(?=@)|(whsec_)\S+|(\bcookie['\"]?\s*[:=]\s*).*",
    re.IGNORECASE,
)
_LONGEST = {"message": 1000, "field": 300, "exception": 8000}
# As systemd reads them in front of a line (sd-daemon(3)).
_PRIORITY = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
_BARE = re.compile(r"[^\s\"=]+")
# Tornado reads the next request in the context of the one before. What it warns of are clients, with their addresses:
# a browser that does not trust the certificate is no fault of the station's.
_NOBODYS = {"tornado.general"}
_ADDRESS = re.compile(r"\('[^']*', \d+[^)]*\)|(?<=from )\S+(?=:)|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")


def scrubbed(text: str) -> str:
    """Without what opens anything."""
    text = _ID.sub(lambda found: short(found[0].lower()), text)
    return _SECRET.sub(lambda found: next(filter(None, found.groups())) + "…", text)


def clean(text: str) -> str:
    """On one line, and as it is: no line ends, no escape sequences, nothing that turns the direction of writing."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _escaped(ord(sign)) for sign in text)


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cut(text: str, what: str) -> str:
    longest = _LONGEST[what]
    return text if len(text) <= longest else text[:longest] + "…"


def _value(value: Any) -> Any:
    match value:
        case bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case _:
            return clean(_cut(scrubbed(str(value)), "field"))


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What the line says besides its words."""
    given = dict(getattr(record, "fields", {}))
    request = given.pop("request", None)
    if request is None and record.name not in _NOBODYS:
        request = REQUEST.get()
    shown = {name: _value(value) for name, value in given.items() if value is not None}
    return {**shown, "request": request} if request else shown


def words_of(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except (TypeError, ValueError, LookupError):  # a wrong format somewhere is no reason to lose the line
        text = str(record.msg)
    if record.name in _NOBODYS:
        text = _ADDRESS.sub("a client", text)
    return clean(scrubbed(_cut(text, "message")))


def weigh(record: logging.LogRecord) -> None:
    """What clients do wrong below TLS and HTTP is nothing that the operator has to mend."""
    if record.name in _NOBODYS and record.levelno == logging.WARNING:
        record.levelno, record.levelname = logging.INFO, "INFO"


def event_of(record: logging.LogRecord) -> str:
    return str(getattr(record, "event", "note"))


def trace_of(record: logging.LogRecord) -> list[str]:
    """The traceback's lines, the end of it if it is long."""
    if not record.exc_info or record.exc_info[1] is None:
        return []
    text = scrubbed("".join(traceback.format_exception(record.exc_info[1])))
    return [clean(line) for line in text[-_LONGEST["exception"] :].rstrip().split("\n")]


class _Form(logging.Formatter):
    """`told`: to systemd, which reads a line's level in front of it."""

    def __init__(self, *, told: bool = False) -> None:
        super().__init__()
        self.told = told

    def format(self, record: logging.LogRecord) -> str:
        mark = f"<{_PRIORITY.get(record.levelname, 5)}>" if self.told else ""
        return "\n".join(mark + line for line in self.lines(record))

    def lines(self, record: logging.LogRecord) -> Iterator[str]:
        raise NotImplementedError


class Readable(_Form):
    """For people: the time of the place, then level, event, words and fields. A traceback follows, set in."""

    def lines(self, record: logging.LogRecord) -> Iterator[str]:
        # systemd's journal writes the time by itself.
        moment = "" if self.told else datetime.fromtimestamp(record.created).astimezone().isoformat(" ", "milliseconds")
        fields = " ".join(f"{name}={_shown(value)}" for name, value in fields_of(record).items())
        parts = (moment, f"{record.levelname:<7}", f"{event_of(record):<17}", words_of(record), fields)
        yield " ".join(filter(None, parts)).rstrip()
        yield from (f"    {line}" for line in trace_of(record))


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if _BARE.fullmatch(text) else dumps(text)


class Json(_Form):
    """For programs: one object a line, the same keys first in each."""

    def lines(self, record: logging.LogRecord) -> Iterator[str]:
        line = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event_of(record),
            "message": words_of(record),
        }
        # A field that is named like one of these is lost.
        line |= {name: value for name, value in fields_of(record).items() if name not in line}
        if trace := trace_of(record):
            line["exception"] = "\n".join(trace)
        yield dumps(line)
