"""The parts of docs/protocol.md that are made, not written: tables from the code, examples and scenarios from plays.

A made part stands between `<!-- made: name -->` and `<!-- made until here -->`.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import Field, fields
from functools import partial
from pathlib import Path
from typing import Any

from station.config import Config
from station.errors import ERRORS
from station.events import LIFECYCLE, Event, camel
from station.options import seconds, size
from tests.scenarios.clients import Socket
from tests.scenarios.play import Row, Scenario, play
from tests.scenarios.stage import Stage
from tests.scenarios.steps import Step
from tests.scenarios.tables import SCENARIOS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
_PART = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- made until here -->)", re.DOTALL)
_UNITS: Mapping[Any, Mapping[str, int]] = {
    size: {"GiB": 1024**3, "MiB": 1024**2, "KiB": 1024},
    seconds: {"h": 3600, "min": 60, "s": 1},
}
_ID = re.compile(r"[0-9a-f]{8}-0000-4000-8000-000000000000")
_SOURCES = {
    "upload-started": "Progress while the bytes come",
    "upload-progress": "Progress while the bytes come",
    "upload-completed": "Progress while the bytes come",
    "upload-failed": "A retry within the grace",
    "upload-cancelled": "Cancelling when one file is stored",
    "session-completed": "Cancelling when one file is stored",
    "session-joined": "A watcher that was cut off",
    "session-error": "The disk fills up",
    "error": "Pausing what cannot be paused",
}
"""Which scenario gives the example of an event: the last of its kind, but for progress the one in the middle."""


async def renewed(text: str) -> str:
    """The page with all its made parts made anew."""
    parts = {
        "events": events_table(),
        "examples": await examples(),
        "errors": errors_table(),
        "options": options_table(),
        "scenarios": "\n".join(map(scenario, SCENARIOS)),
    }
    assert {match[2] for match in _PART.finditer(text)} == parts.keys()
    return _PART.sub(lambda match: f"{match[1]}\n{parts[match[2]].strip()}\n\n{match[3]}", text)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [list(head), *map(list, rows)]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
    return "\n".join([lines[0], "|---" * len(cells[0]) + "|", *lines[1:]])


def events_table() -> str:
    return table(("event", "data (`?`: only where it applies)", "meaning"), map(_event_row, LIFECYCLE))


def _event_row(event: type[Event]) -> tuple[str, str, str]:
    shown = [item for item in fields(event) if not item.metadata.get("inner")]
    names = [camel(item.name) + ("?" if item.metadata.get("maybe") else "") for item in shown]
    meaning = " ".join((event.__doc__ or "").split())
    return f"`{event.name}`", ", ".join(f"`{name}`" for name in names), re.sub(r"`(\w+)`", _camel, meaning)


def _camel(match: re.Match[str]) -> str:
    return f"`{camel(match[1])}`"


def errors_table() -> str:
    rows = [
        (f"`{row.code}`", str(row.status), "yes" if row.retry else "no", row.en[0], row.zh[0])
        for row in ERRORS.values()
    ]
    return table(("code", "HTTP", "may help to try again", "message (en)", "message (zh)"), rows)


def options_table() -> str:
    rows = ((f"`{item.name}`", _default(item), item.metadata["help"]) for item in fields(Config))
    return table(("option", "default", "what it is"), rows)


def _default(item: Field[Any]) -> str:
    value: Any = item.default
    parse = item.metadata["parse"]
    parse = parse.args[0] if isinstance(parse, partial) else parse  # within bounds
    if isinstance(value, bool):
        value = "on" if value else "off"
    elif isinstance(value, tuple):
        value = ",".join(value)
    elif parse in _UNITS:
        value = _with_unit(float(value), _UNITS[parse])
    elif isinstance(value, float):
        value = f"{value:g}"
    return "" if value == "" else f"`{value}`"


def _with_unit(value: float, units: Mapping[str, int]) -> str:
    unit = next((unit for unit, factor in units.items() if value and value % factor == 0), "")
    return f"{value / units[unit]:g} {unit}" if unit else f"{value:g}"


def scenario(each: Scenario) -> str:
    rows = "\n".join(map(_row, each.rows))
    options = "".join(f", with `{name}={value}`" for name, value in each.options.items())
    return f"### {each.title}\n\n{each.tells}{' (' + options[2:] + ')' if options else ''}\n\n```text\n{rows}\n```\n"


def _row(row: Row) -> str:
    step, answer, *lines = row
    assert isinstance(step, Step)
    told = [_told(str(line)) for line in lines]
    return "\n".join([step.text + (f"  → {answer}" if answer else ""), *told])


def _told(line: str) -> str:
    number, _, rest = line.partition(" ")
    name, _, values = rest.partition(" ")
    return f"    {number if number != '-' else '':>2}  {name:<18} {values}".rstrip()


async def examples() -> str:
    found: dict[str, Any] = {}
    for title in dict.fromkeys(_SOURCES.values()):
        told = await _told_in(title)
        for name in (name for name, source in _SOURCES.items() if source == title):
            alike = [message for message in told if message["event"] == name]
            found[name] = alike[len(alike) // 2] if name == "upload-progress" else alike[-1]
    found["session-left"] = await _leaving()
    return "\n".join(_example(name, found[name]) for name in (*_SOURCES, "session-left"))


async def _told_in(title: str) -> list[Mapping[str, Any]]:
    (found,) = (each for each in SCENARIOS if each.title == title)
    with tempfile.TemporaryDirectory() as folder:
        return list((await play(found, Path(folder))).told["Screen"])


async def _leaving() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder) / "upload")
        await stage.start()
        socket = await Socket.open(stage.port, "/ws")
        await socket.say("leave-session", "00000002-0000-4000-8000-000000000000")
        message = await socket.read()
        await socket.close()
        await stage.stop()
    return message


def _example(name: str, message: Any) -> str:
    return f"`{name}`\n\n```json\n{_renumbered(json.dumps(message, ensure_ascii=False, indent=2))}\n```\n"


def _renumbered(text: str) -> str:
    """Ids in the order of their coming: how many were made before depends on how often somebody polled."""
    numbers: dict[str, int] = {}
    return _ID.sub(lambda match: f"{numbers.setdefault(match[0], len(numbers) + 1):08x}{match[0][8:]}", text)
