"""The operator's check of a file before it is published: a virus scanner, say. Knows no session and publishes nothing.

Exit status 0 takes the file; 1 rejects it, with the words that were printed. Anything else says nothing about the file:
then it is not published now, and can be sent, or looked at, again. So does 1 without a word: an interpreter that
stumbles over a check's own fault ends with that, too, and what is rejected is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from station.config import Config
from station.errors import Problem
from station.program import Outcome, Program
from station.reporting import say, short_names
from station.tasks import Tasks
from station.wire import text_of

log = logging.getLogger("upload_station")
AT_MOST = 4
"""Checks at a time: somebody waits for each of them, and a small board has four cores."""
_LOOK = 0.25  # seconds between two looks at whether anybody still wants to know
_WORDS = 200  # characters that whoever sent the file is told


class Inspection:
    """`parts`: the folder of the part files."""

    def __init__(self, config: Config, parts: Path) -> None:
        self._parts = parts
        self._tasks = Tasks()
        self._program: Program | None = None
        if config.before_publish:
            folder = config.upload_dir.resolve()
            self._program = Program("before_publish", config.before_publish, folder, config.hook_timeout, AT_MOST)

    @property
    def is_wanted(self) -> bool:
        return self._program is not None

    async def judge(self, part: str, facts: Mapping[str, object], wanted: Callable[[], bool]) -> Problem | None:
        """Why the file may not be published; None: it may. A problem that may pass is not about the file.

        The program is ended once the file is not `wanted` any more.
        """
        if self._program is None:
            return None
        path = str(self._parts / part)
        data = {**facts, "filePath": path}
        given = text_of("before-publish", data).encode("utf-8", "replace")
        about = short_names(str(facts["sessionId"]), str(facts["fileId"]))
        run = self._program.run({"event": "before-publish", **flat(data)}, given, about)
        running = self._tasks.start(run, "inspection")
        try:
            while not running.done():
                await asyncio.wait([running], timeout=_LOOK)
                if not wanted():
                    running.cancel()
                    await asyncio.wait([running])
        finally:
            running.cancel()
        if running.cancelled():
            return Problem("SERVER_ERROR", "the check was interrupted")
        problem = _verdict(running.result(), (path, part), str(facts.get("fileName", "")))
        if problem is not None and problem.row.retry:
            say(log, logging.WARNING, "hook", f"before_publish: {problem.details}", kind="unchecked", **about)
        return problem

    async def stop(self) -> None:
        """End the checks that run: nothing is published that they have not seen."""
        await self._tasks.stop()


def flat(facts: Mapping[str, object]) -> dict[str, object]:
    """Facts as single values, to become variables."""
    checksum = facts.get("checksum")
    if not isinstance(checksum, Mapping):
        return dict(facts)
    return {**facts, "checksum": checksum.get("value"), "checksumAlgorithm": checksum.get("algorithm")}


def _verdict(outcome: Outcome, secret: tuple[str, ...], name: str) -> Problem | None:
    """`secret`: scanners begin a line with the path they were given, which is nobody's business."""
    if outcome.status == 0:
        return None
    if outcome.status != 1 or not outcome.said:
        trouble = outcome.problem + (" without a word" if outcome.status == 1 else "")
        return Problem("SERVER_ERROR", f"the file could not be checked: {trouble}")
    words = "; ".join(outcome.said)
    for each in secret:
        words = words.replace(each, name)
    return Problem("REJECTED", words if len(words) <= _WORDS else words[: _WORDS - 1] + "…")
