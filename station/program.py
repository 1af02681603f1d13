"""Runs another program: no shell, a process group of its own, a time limit, little of what it says.

Knows nothing of uploads. What it is told goes by environment and standard input only, so that no name of a stranger's
can become an option. It gets none of the station's own options, for some of them are secrets.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import signal
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from station.environment import environment, kill_all_in
from station.reporting import say
from station.tasks import Tasks

log = logging.getLogger("upload_station")
KEPT = 64 * 1024  # bytes of each of its two outputs
LINES, LONGEST_LINE = 100, 400  # that are logged of each output; characters
_CHATTY = 600  # lines of one program in a minute; the rest is counted, and silences no other
PATIENCE = 1.0  # seconds between SIGTERM and SIGKILL
_STUCK = 5.0  # seconds that even a killed program may take, in a system call of a dead disk say
_SLOWLY = 0.005  # seconds between two looks at what is only thrown away: gigabytes of it shall not fill the loop


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status`: the exit status, below nought for a signal; None: it did not run, or not to its end.

    `problem`: in words, unless the status is 0. `said`: lines of its standard output, fit to show.
    """

    status: int | None
    problem: str = ""
    said: tuple[str, ...] = ()


class Program:
    """`title` names it in the log. `limit`: seconds. `at_most`: how many of it run at a time; the others wait."""

    def __init__(self, title: str, command: str, folder: Path, limit: float, at_most: int) -> None:
        program, *arguments = shlex.split(command)
        # It runs in another folder than the one its path was written in.
        self._words = [os.path.abspath(program) if "/" in program else program, *arguments]
        self._title, self._folder, self._limit = title, folder, limit
        self._turn, self._tasks = asyncio.Semaphore(at_most), Tasks()

    async def run(self, facts: Mapping[str, object], given: bytes, about: Mapping[str, object]) -> Outcome:
        """`facts` become variables: fileName is UPLOAD_STATION_FILE_NAME. `given`: its standard input. Never raises.

        `about`: fields of the lines of the log that tell what it said.
        When this is cancelled, the program is ended first.
        """
        variables = environment(facts)
        async with self._turn:
            with ExitStack() as held:
                try:
                    said, complaints, given_to = _Ear(held), _Ear(held), _Mouth(held, given)
                    process = await self._start(variables, given_to, said, complaints)
                except OSError as error:
                    return Outcome(None, f"it cannot be started: {error.strerror}")
                outcome = await self._wait(process, variables)
                lines = said.lines()
                for line in (*lines, *complaints.lines()):
                    told = f"{self._title}: {line}"
                    say(log, logging.INFO, "hook", told, kind=self._title, many=_CHATTY, **about)
                return Outcome(outcome.status, outcome.problem, lines)

    async def _start(self, variables: Mapping[bytes, bytes], *pipes: _Pipe) -> asyncio.subprocess.Process:
        """Cancelled meanwhile, it goes on until it knows what was started, and ends that."""
        starting = self._tasks.start(self._begin(variables, *pipes), f"start of {self._title}")
        hurry: asyncio.CancelledError | None = None
        while not starting.done():
            try:
                await asyncio.wait([starting])
            except asyncio.CancelledError as cancelled:
                hurry = cancelled
        started: asyncio.subprocess.Process | OSError = starting.result()
        if hurry is not None:
            if not isinstance(started, OSError):
                await _end(started, variables)
            raise hurry
        if isinstance(started, OSError):
            raise started
        return started

    async def _begin(self, variables: Mapping[bytes, bytes], *pipes: _Pipe) -> asyncio.subprocess.Process | OSError:
        stdin, stdout, stderr = (pipe.theirs for pipe in pipes)
        try:
            return await asyncio.create_subprocess_exec(
                *self._words,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=variables,
                cwd=self._folder,
                start_new_session=True,
            )
        except OSError as error:
            return error
        finally:
            for pipe in pipes:
                pipe.hand_over()

    async def _wait(self, process: asyncio.subprocess.Process, variables: Mapping[bytes, bytes]) -> Outcome:
        try:
            async with asyncio.timeout(self._limit):
                status = await process.wait()
        except TimeoutError:
            await _end(process, variables)
            return Outcome(None, f"it was not done after {self._limit:g} s")
        except asyncio.CancelledError:
            await _end(process, variables)
            raise
        if status < 0:
            return Outcome(status, f"it was ended by signal {-status}")
        return Outcome(status, f"exit status {status}" if status else "")


async def _end(process: asyncio.subprocess.Process, variables: Mapping[bytes, bytes]) -> None:
    """End the whole group, and who left it. Cancelled meanwhile, it does not ask but kill."""
    hurry: asyncio.CancelledError | None = None
    _signal(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(PATIENCE):
            await process.wait()
    except TimeoutError:
        pass
    except asyncio.CancelledError as cancelled:
        hurry = cancelled
    _signal(process.pid, signal.SIGKILL)
    others = asyncio.get_running_loop().run_in_executor(None, kill_all_in, variables)
    with suppress(TimeoutError):
        async with asyncio.timeout(_STUCK):
            await process.wait()
            await others
    if hurry is not None:
        raise hurry


def _signal(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


class _Pipe:
    """Not asyncio's: that waits for everybody who holds the other end, and a daemon that was left behind holds it."""

    def __init__(self, held: ExitStack, mine: int, theirs: int) -> None:
        self.mine, self.theirs = mine, theirs
        os.set_blocking(mine, False)
        self._loop = asyncio.get_running_loop()
        held.callback(self._close_all)

    def hand_over(self) -> None:
        """The program has its end, or there is none."""
        if self.theirs >= 0:
            os.close(self.theirs)
            self.theirs = -1

    def _close_all(self) -> None:
        self.hand_over()
        self.close()

    def close(self) -> None:
        """Ours."""
        if self.mine >= 0:
            self._loop.remove_reader(self.mine)
            self._loop.remove_writer(self.mine)
            os.close(self.mine)
            self.mine = -1


class _Ear(_Pipe):
    """Hears what the program says, and keeps the beginning; it hears all, or the program would stand still."""

    def __init__(self, held: ExitStack) -> None:
        super().__init__(held, *os.pipe())
        self._kept = bytearray()
        self._listen()

    def _listen(self) -> None:
        if self.mine >= 0:
            self._loop.add_reader(self.mine, self._hear)

    def _hear(self) -> bool:
        """Whether there may be more."""
        try:
            block = os.read(self.mine, KEPT)
        except BlockingIOError:
            return False
        if not block:
            self.close()
            return False
        self._kept += block[: KEPT - len(self._kept)]
        if len(self._kept) >= KEPT:
            self._loop.remove_reader(self.mine)
            self._loop.call_later(_SLOWLY, self._listen)
        return True

    def lines(self) -> tuple[str, ...]:
        """What it said, once it has ended; what others who hold the pipe will say is not waited for."""
        while self.mine >= 0 and len(self._kept) < KEPT and self._hear():
            pass
        self.close()
        found = [shown for line in self._kept.decode("utf-8", "replace").splitlines() if (shown := clean(line))]
        return tuple(found[:LINES])


class _Mouth(_Pipe):
    """Says what the program is given; one that does not listen misses it."""

    def __init__(self, held: ExitStack, given: bytes) -> None:
        theirs, mine = os.pipe()
        super().__init__(held, mine, theirs)
        self._left = memoryview(given)
        self._loop.add_writer(mine, self._speak)

    def _speak(self) -> None:
        try:
            self._left = self._left[os.write(self.mine, self._left) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._left = self._left[:0]
        if not self._left:
            self.close()


def clean(line: str) -> str:
    """Fit for one line of a log or an answer: nothing that moves a cursor, turns the direction or begins a line."""
    shown = "".join(sign if sign.isprintable() else " " for sign in line).strip()
    return shown if len(shown) <= LONGEST_LINE else shown[: LONGEST_LINE - 1] + "…"
