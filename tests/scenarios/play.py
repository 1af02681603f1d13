"""Plays a scenario against a real station and keeps what its watchers were told, on all three transports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.scenarios.lines import line
from tests.scenarios.stage import Stage, until
from tests.scenarios.steps import SCREEN, Play, Step, cut_all, hang_up

Row = tuple[Step | str, ...]
"""A step, its answer in short (empty: none), and a line for each message that the watcher was sent after it."""


@dataclass(frozen=True)
class Scenario:
    """`tells`: one or two sentences for the reader. `options`: those of the station that are not the default."""

    title: str
    tells: str
    rows: Sequence[Row]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def steps(self) -> list[Step]:
        return [row[0] for row in self.rows if isinstance(row[0], Step)]


@dataclass
class Played:
    """`rows`: as they happened. `told`: all messages of the first watcher, by transport."""

    rows: list[tuple[str, ...]]
    told: dict[str, list[dict[str, Any]]]
    visible: list[str]
    """Names of all finished files in the folder; part files are gone by now."""


async def play(scenario: Scenario, folder: Path) -> Played:
    stage = Stage(folder / "upload", **scenario.options)
    acting = Play(stage)
    await stage.start()
    try:
        rows = [await _act(acting, step) for step in scenario.steps]
        first = acting.screens[SCREEN].position
        await until(lambda: all(each.position.seq == first.seq for each in acting.behind))
        told = {"Screen": first.told, **{type(each).__name__: each.position.told for each in acting.behind}}
        await until(lambda: not stage.parts())
    finally:
        await cut_all(acting)
        await hang_up(acting)
        if stage.running:
            await stage.stop()
    return Played(rows, told, stage.visible())


async def _act(acting: Play, step: Step) -> tuple[str, ...]:
    answer = await step.play(acting)
    if acting.stage.running:
        await acting.stage.settled_down()
    screen = acting.screens.get(step.reader)
    told = [] if screen is None else await screen.read_all()
    acting.learn(told)
    lines = [line(message, acting.letters) for message in told]
    if screen is not None and screen.socket is None and screen.code is not None:
        lines.append(f"- (closed with {screen.code})")
        screen.code = None
    return (answer, *lines)
