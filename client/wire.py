"""JSON as it comes from a station and goes to it. Knows no message."""

from __future__ import annotations

from typing import Any

import ujson


def dumps(value: Any) -> str:
    return ujson.dumps(value, ensure_ascii=False, escape_forward_slashes=False, allow_nan=False)


def loads(text: str | bytes) -> dict[str, Any]:
    """Raises ValueError for anything that is no JSON object."""
    try:
        value = ujson.loads(text)
    except (ValueError, RecursionError, OverflowError, UnicodeError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
