"""docs/protocol.md says what the code and the scenarios say, and its links lead somewhere."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from handlers.commands import Command
from station.config import Config
from tests.scenarios.page import PAGE, renewed
from tests.scenarios.stage import Stage

README = PAGE.parents[1] / "README.md"


def test_the_page_is_what_the_tests_make_of_it(io_loop: IOLoop) -> None:
    text = PAGE.read_text(encoding="utf-8")
    made = io_loop.run_sync(lambda: renewed(text))
    assert text == made, "stale: run `python -m tests.scenarios.write`"


def test_the_page_tells_every_command_of_a_client() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in Command.TABLE if f"`{name}`" not in text] == []


def test_links_within_the_page_lead_to_a_heading() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    assert [link for link in re.findall(r"\]\(#([^)]+)\)", text) if link not in headings] == []


def test_options_named_in_the_text_exist() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:max|retry|settle|session|progress|body|drain|outbox|upload|delete|min)_\w+)`", text))
    assert named <= set(Config.__dataclass_fields__)


FILM = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(300_000)
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


def shell_lines(text: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


@needs_curl
def test_the_lines_for_resumable_uploads_work_when_they_are_pasted(io_loop: IOLoop, tmp_path: Path) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("\n## Resumable uploads\n")[2].partition("\n## ")[0]
    lines = "\n".join(shell_lines(section)).replace("-T movie.mp4", "-T cut")  # where it says to press Ctrl-C
    said, stored = io_loop.run_sync(lambda: pasted(lines, tmp_path))
    answers = re.findall(r"^HTTP/1.1 (\d+)|^Upload-Offset: (\d+)", said, re.MULTILINE)
    told = [status or f"at {offset}" for status, offset in answers if status != "100"]
    whole = f"at {len(FILM)}"
    assert told == ["201", "at 0", "204", "at 100000", "200", "at 100000", "204", whole, "104", "201", whole]
    assert stored == [FILM, FILM]  # by tus, and by the draft


@needs_curl
def test_so_do_those_of_the_readme(io_loop: IOLoop, tmp_path: Path) -> None:
    (lines,) = (each for each in shell_lines(README.read_text(encoding="utf-8")) if "Upload-Offset" in each)
    said, stored = io_loop.run_sync(lambda: pasted(lines, tmp_path))
    assert f"Upload-Offset: {len(FILM)}" in said
    assert stored == [FILM]


async def pasted(lines: str, folder: Path) -> tuple[str, list[bytes]]:
    """What a shell says to these lines, with `movie.mp4` at hand, and what the station has then."""
    (folder / "movie.mp4").write_bytes(FILM)
    (folder / "cut").write_bytes(FILM[:100_000])
    stage = Stage(folder / "upload")
    await stage.start()
    try:
        lines = lines.replace("http://localhost:8005", f"http://127.0.0.1:{stage.port}")
        shell = await asyncio.create_subprocess_exec(
            "sh", "-eu", "-c", lines, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        said, _ = await shell.communicate()
        assert shell.returncode == 0
        return said.decode(), [path.read_bytes() for path in (folder / "upload" / "personal").iterdir()]
    finally:
        await stage.stop()
