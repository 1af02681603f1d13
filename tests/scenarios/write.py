"""`python -m tests.scenarios.write` makes the made parts of docs/protocol.md anew."""

from __future__ import annotations

import asyncio

from tests.scenarios.page import PAGE, renewed

if __name__ == "__main__":
    PAGE.write_text(asyncio.run(renewed(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")
