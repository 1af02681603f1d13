"""Event to text, once: the same text is journalled, pushed and replayed. ujson lives only here."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import ujson


def dumps(value: Any) -> str:
    return ujson.dumps(value, ensure_ascii=False, escape_forward_slashes=False, allow_nan=False)


def loads(text: str | bytes) -> Any:
    """Raises ValueError for anything that is not JSON (RecursionError and OverflowError included).

    Half of a surrogate pair becomes a question mark: JSON can hold one, as can a file name on Windows, UTF-8 cannot.
    """
    try:
        value = ujson.loads(text)
        if (b"\\ud" in text.lower()) if isinstance(text, bytes) else ("\\ud" in text.lower()):
            return ujson.loads(ujson.dumps(value, ensure_ascii=False).encode(errors="replace"))
        return value
    except (ValueError, RecursionError, OverflowError, UnicodeError) as error:
        raise ValueError("not JSON") from error


def text_of(name: str, data: Any, seq: int | None = None) -> str:
    """`{"event", "data", "seq"?}`, as clients see it."""
    message = {"event": name, "data": data}
    if seq is not None:
        message["seq"] = seq
    return dumps(message)


@dataclass(frozen=True, eq=False)
class Message:
    """One message for any number of subscribers; what each transport makes of the text is made once and kept.

    `key` names what a newer message replaces while this one still waits (progress of one file); None: never replaced.
    """

    text: str
    event: str
    seq: int
    lifecycle: bool = False
    last: bool = False
    key: str | None = None
    frames: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def encoded(self) -> bytes:
        return self.text.encode()
