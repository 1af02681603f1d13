"""The system calls of a station, in the order in which they were made, as strace wrote them down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.scenarios.stage import until

KINDS = (
    "openat,mkdir,mkdirat,write,pwrite64,copy_file_range,fsync,fdatasync,ftruncate,link,linkat,unlink,unlinkat,"
    "sendto,sendmsg"
)
SYNCS = ("fsync", "fdatasync")
SENDS = ("sendto", "sendmsg")
_WHOLE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+|\?)")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|\?)")
_PATH = re.compile(r"^\d+<([^>]*)>")


@dataclass
class Call:
    """`began` and `ended`: line numbers; what ended before another began came before it, in whichever threads."""

    name: str
    text: str
    result: int
    began: int
    ended: int

    @property
    def path(self) -> str:
        """What its first argument, a descriptor, leads to; empty if that is none."""
        match = _PATH.match(self.text)
        return match[1] if match else ""


def recorder(strace: str, log: Path) -> tuple[str, ...]:
    """What to put before a command so that its calls are written down. Texts are long enough for a database's page."""
    return (strace, "-D", "-f", "-qq", "-y", "-s", "4200", "--seccomp-bpf", "-e", f"trace={KINDS}", "-o", str(log))


async def recorded(log: Path, pid: int) -> list[Call]:
    """All calls of a process that has ended; strace may still be at it."""
    over = re.compile(rf"^{pid} +\+\+\+ ", re.MULTILINE)
    await until(lambda: over.search(log.read_text(errors="replace")) is not None)
    return sorted(_calls(log.read_text(errors="replace").splitlines()), key=lambda call: call.began)


def _calls(lines: list[str]) -> Iterator[Call]:
    begun: dict[str, tuple[int, str, str]] = {}
    for number, line in enumerate(lines):
        if match := _BEGUN.match(line):
            begun[match[1]] = number, match[2], match[3]
        elif match := _RESUMED.match(line):
            since, name, text = begun.pop(match[1])
            yield _call(name, text + match[3], match[4], since, number)
        elif match := _WHOLE.match(line):
            yield _call(match[2], match[3], match[4], number, number)
    # What was under way when the process was killed may have had its effect.
    for since, name, text in begun.values():
        yield _call(name, text, "?", since, len(lines))


def _call(name: str, text: str, result: str, began: int, ended: int) -> Call:
    return Call(name, text, 0 if result == "?" else int(result), began, ended)
