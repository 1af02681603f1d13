"""The client explains errors as the station does, though neither imports the other."""

from __future__ import annotations

import os
from pathlib import Path

from client import errors
from station.errors import ERRORS

HEAD = '''"""The errors in words, Chinese and English. Made from station/errors.py; a test holds both together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# fmt: off
ERRORS: Mapping[str, tuple[str, str]] = MappingProxyType({
'''


def test_the_client_explains_every_error_as_the_station_does() -> None:
    """With RENEW=1 in the environment this writes the file instead of complaining."""
    rows = (f"    {quoted(row.code)}: ({quoted(row.zh[0])}, {quoted(row.en[0])}),\n" for row in ERRORS.values())
    wanted, path = f"{HEAD}{''.join(rows)}}})\n# fmt: on\n", Path(errors.__file__)
    if os.environ.get("RENEW") == "1":
        path.write_text(wanted, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == wanted, "RENEW=1 python -m pytest tests/client/test_errors.py"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
