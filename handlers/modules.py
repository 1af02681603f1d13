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
def needed(name: str) -> tuple[str, ...]:
    """Addresses of all modules that `static/<name>` imports, directly or not, sorted. `import()` does not count."""
    start = STATIC / name
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        if module.parent.name != "vendor":
            named = _IMPORT.findall(module.read_text(encoding="utf-8"))
            waiting += [(module.parent / each).resolve() for each in named]
    return tuple(sorted(f"/static/{each.relative_to(STATIC).as_posix()}" for each in found - {start}))
