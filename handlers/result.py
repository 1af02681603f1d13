"""What came of a plain form, for people: in the language of whoever sent it, by the error table, not the station's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from station.errors import ERRORS

Shown = Mapping[str, Any]
_UNITS = ("B", "KB", "MB", "GB", "TB")
_STEP = 1024


def shown_size(count: int) -> str:
    """Three figures at most, as the page with JavaScript writes it."""
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    digits = 0 if unit == 0 or value >= 99.95 else 1 if value >= 9.995 else 2
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if digits else text}\N{NO-BREAK SPACE}{_UNITS[unit]}"


def shown_file(file: Shown, language: str, contact: str) -> Shown:
    """A file's snapshot, with `size` in words and `why`: what went wrong and what to do, None if nothing did."""
    row = ERRORS.get((file.get("error") or {}).get("code", ""))
    why = None if row is None else (row.message(language), row.solution(language, contact))
    return {**file, "size": shown_size(file["uploadedBytes"]), "why": why}


def shown_error(error: Shown | None, files: Iterable[Shown]) -> Shown | None:
    """The error of the whole form, unless it is that of a file, where it stands already."""
    told = {file["error"]["code"] for file in files if file.get("error")}
    return None if error is None or error["code"] in told else error
