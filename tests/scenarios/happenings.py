"""Steps of those who watch, and of the world: time passes, disks fill up, stations are killed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.scenarios.stage import until
from tests.scenarios.steps import SCREEN, Play, Step, cut_all, hang_up
from tests.scenarios.watchers import Poller, Position, Screen, Stream


@dataclass
class Watch(Step):
    """Joins a watcher; the first one has companions on the other transports."""

    last_seq: int | None = None
    reader: str = SCREEN
    epoch: str | None = None

    @property
    def text(self) -> str:
        query = "" if self.last_seq is None else f"&lastSeq={self.last_seq}"
        query += "&epoch=…" if self.epoch is not None else ""
        who = "" if self.reader == SCREEN else f", the {self.reader}"
        return f"GET /ws?sessionId=…{query} (WebSocket{who})"

    async def play(self, play: Play) -> str:
        def position() -> Position:
            return Position(self.last_seq, self.epoch)

        if self.reader == SCREEN and self.epoch is None:
            play.behind = [Stream(play.session_id, position()), Poller(play.session_id, position())]
        play.screens[self.reader] = screen = Screen(play.session_id, position())
        for each in play.behind if self.reader == SCREEN else ():
            each.join(play.stage.port)
        if self.reader == SCREEN:
            await until(lambda: all(each.position.seq is not None or each.position.told for each in play.behind))
        await screen.join(play.stage.port)
        return "101"


@dataclass
class Say(Step):
    """A message of the watcher."""

    event: str
    name: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        data = {"sessionId": "…", **({"fileId": "…"} if self.name else {}), **self.more}
        return f"the watcher says {self.event} {json.dumps(data, ensure_ascii=False)}"

    async def play(self, play: Play) -> str:
        socket = play.screens[SCREEN].socket
        assert socket is not None
        named = {"fileId": play.ids[self.name]} if self.name else {}
        await socket.say(self.event, {"sessionId": play.session_id, **named, **self.more})
        return ""


@dataclass
class Passes(Step):
    seconds: float

    @property
    def text(self) -> str:
        minutes = self.seconds / 60
        return f"{minutes:g} minutes pass" if minutes >= 2 else f"{self.seconds:g} s pass"

    async def play(self, play: Play) -> str:
        await play.stage.pass_time(self.seconds)
        return ""


@dataclass
class Full(Step):
    full: bool = True

    @property
    def text(self) -> str:
        return "the disk is full from now on" if self.full else "somebody makes room on the disk"

    async def play(self, play: Play) -> str:
        if self.full:
            play.stage.fill_disk()
        else:
            play.stage.empty_disk()
        return ""


@dataclass
class Cut(Step):
    reader: str = SCREEN

    @property
    def text(self) -> str:
        return f"the {self.reader} loses its connection"

    async def play(self, play: Play) -> str:
        await play.screens[self.reader].cut()
        return ""


@dataclass
class Return(Step):
    """A watcher comes back with what it remembers."""

    reader: str = SCREEN

    @property
    def text(self) -> str:
        return f"the {self.reader} comes back with its lastSeq and epoch"

    async def play(self, play: Play) -> str:
        await play.screens[self.reader].join(play.stage.port)
        return "101"


@dataclass
class Wake(Step):
    """A watcher that had not read for a while reads what was sent to it."""

    reader: str

    @property
    def text(self) -> str:
        return f"the {self.reader} wakes up and reads"

    async def play(self, play: Play) -> str:
        return ""


@dataclass
class Kill(Step):
    """kill -9, and a new start on the same folder."""

    @property
    def text(self) -> str:
        return "the station is killed, and started again"

    async def play(self, play: Play) -> str:
        await play.stage.settled_down()
        await cut_all(play)
        await play.stage.kill()
        await hang_up(play)
        await play.stage.start()
        for behind in play.behind:
            behind.join(play.stage.port)
        return ""


@dataclass
class Terminate(Step):
    @property
    def text(self) -> str:
        return "the station gets SIGTERM"

    async def play(self, play: Play) -> str:
        await play.stage.stop()
        await hang_up(play)
        return ""


@dataclass
class Restart(Step):
    @property
    def text(self) -> str:
        return "the station is started again"

    async def play(self, play: Play) -> str:
        await play.stage.start()
        for behind in play.behind:
            await behind.cut()
            behind.join(play.stage.port)
        return ""
