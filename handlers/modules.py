"""Which modules a page needs: what its first one imports, and what those import, read from the files themselves.

The page names them all at once (`modulepreload`): found one after the other, each would cost a trip to the station.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "static"
_IMPORT = re.compile(r"^(?:import|export)\b[^'\n;]*?'(\.[^']+)'", re.MULTILINE)


@cache
def needed(name: str, *later: str) -> tuple[str, ...]:
    """Addresses of all modules that `static/<name>` imports, directly or not, the largest first. `import()` does not
    count: `later` names modules that the page is known to import so, and which are listed with what they need."""
    start = STATIC / name
    found: set[Path] = set()
    waiting = [start, *(STATIC / each for each in later)]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        if module.parent.name != "vendor":
            named = _IMPORT.findall(module.read_text(encoding="utf-8"))
            waiting += [(module.parent / each).resolve() for each in named]
    # What takes longest is asked for first: a browser has few requests open at a time.
    ordered = sorted(found - {start}, key=lambda module: (-module.stat().st_size, module))
    return tuple(f"/static/{each.relative_to(STATIC).as_posix()}" for each in ordered)


def sentences(language: str) -> str:
    """The module with what the page says in a language."""
    return "js/zh.js" if language.startswith("zh") else "js/en.js"
