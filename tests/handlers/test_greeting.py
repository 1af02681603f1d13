"""What is said when the station is ready. Of the whole program: tests/test_server.py; by name: test_mdns.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers import VERSION
from handlers.greeting import Greeting
from tests.handlers import site
from tests.handlers.site import TOKEN, Box, on_the_loop


def said(box: Box, host: str, folder: Path) -> list[str]:
    with (folder / "out").open("w+", encoding="utf-8") as out:
        Greeting(box.station, host, 8005, out).say(TOKEN)
        out.seek(0)
        return out.read().splitlines()


@pytest.mark.parametrize(
    ("address", "shown"),
    [("", "localhost"), ("0.0.0.0", "localhost"), ("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("::", "localhost")],
)
@on_the_loop
async def test_the_first_line_is_where_to_open_it_on_this_machine(tmp_path: Path, address: str, shown: str) -> None:
    box = await site.build(tmp_path / "upload", [f"--address={address}"])
    first, second, *_ = said(box, address or "::", tmp_path)
    assert first == f"Upload Station {VERSION} listens at http://{shown}:8005/"
    assert second.startswith(f"Operator page: http://{shown}:8005/monitor")
    await site.take_down(box)


@pytest.mark.parametrize("options", [[f"--admin-token={TOKEN}", "--address=127.0.0.1"]])
@on_the_loop
async def test_a_token_that_was_chosen_is_not_said_and_nobody_else_is_told_where_it_listens(
    box: Box, tmp_path: Path
) -> None:
    lines = said(box, "127.0.0.1", tmp_path)
    assert [line for line in lines if TOKEN in line] == []
    assert len(lines) == 2
