"""Starts a station of which one sync is missing: `python mutant.py <site> <options of the server>`.

A site is a place in the station's code from which a sync is made. The code itself stays as it is: the sync is left out
while that line is being executed, in whichever thread.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
SYNCS = {"fsync", "fdatasync"}
JOURNAL = "the journal's own"
"""The site of SQLite's syncs: `synchronous=FULL` becomes NORMAL."""


@dataclass(frozen=True)
class Site:
    """`name`: `storage.Storage.publish`; with a number behind it where one function has several."""

    name: str
    file: str
    first: int
    last: int

    def is_at(self, frame: FrameType) -> bool:
        return frame.f_code.co_filename == self.file and self.first <= frame.f_lineno <= self.last


def sites() -> dict[str, Site]:
    """Every place, by its name. A method that does nothing but sync counts at the places where it is called."""
    found: dict[str, Site] = {}
    for file in sorted((ROOT / "station").glob("*.py")):
        for name, node in _places(ast.parse(file.read_text(encoding="utf-8"))):
            numbers = (f"{file.stem}.{name}" + (f" {number}" if number > 1 else "") for number in range(1, 100))
            free = next(each for each in numbers if each not in found)
            found[free] = Site(free, str(file), node.lineno, node.end_lineno or node.lineno)
    return found


def _places(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    functions = list(_functions(tree))
    wanted, done = set(SYNCS), set[str]()
    while wanted - done:
        done |= (now := wanted - done)
        for name, function in functions:
            uses = [node for node in ast.walk(function) if isinstance(node, ast.Attribute) and node.attr in now]
            if uses and _only_syncs(function):
                wanted.add(function.name)
            else:
                yield from ((name, use) for use in uses)


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        for each in inside:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (f"{node.name}.{each.name}" if isinstance(node, ast.ClassDef) else each.name), each


def _only_syncs(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    private = function.name.startswith("_")
    return private and all(_is_a_sync(call) for call in calls)


def _is_a_sync(call: ast.expr) -> bool:
    """Plainly, or by `partfile.timed`."""
    if isinstance(call, ast.Name):
        return call.id == "timed"
    return isinstance(call, ast.Attribute) and call.attr in SYNCS


def leave_out(site: Site) -> None:
    def without(sync: Callable[[int], None]) -> Callable[[int], None]:
        def maybe(fd: int) -> None:
            frame: FrameType | None = sys._getframe(1)
            while frame is not None and not site.is_at(frame):
                frame = frame.f_back
            if frame is None:
                sync(fd)

        return maybe

    for name in SYNCS:
        setattr(os, name, without(getattr(os, name)))


def relax_journal() -> None:
    from station import schema

    prepare = schema.prepare
    schema.prepare = lambda connection, **_: prepare(connection, synchronous="NORMAL")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    wanted, *options = sys.argv[1:]
    if wanted == JOURNAL:
        relax_journal()
    else:
        leave_out(sites()[wanted])
    from server import main

    main(options)
