"""What a scenario is made of: steps that read well in a table and are done for real, and what they share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.scenarios.clients import Answer, Connection, ask
from tests.scenarios.lines import Letters
from tests.scenarios.stage import Stage
from tests.scenarios.watchers import Background, Screen

SCREEN = "screen"
"""The watcher whose messages the table shows, unless a step names another."""


@dataclass
class Play:
    """What the steps of one scenario share. `ids`: the files that were announced, by name."""

    stage: Stage
    session_id: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    letters: Letters = field(default_factory=Letters)
    uploads: dict[str, str] = field(default_factory=dict)
    """Addresses of resumable uploads, by name."""
    sending: dict[str, Connection] = field(default_factory=dict)
    stale: list[Connection] = field(default_factory=list)
    """Connections of requests that a newer one has taken over."""
    screens: dict[str, Screen] = field(default_factory=dict)
    behind: list[Background] = field(default_factory=list)
    """The first watcher's companions, who must hear the same over the other transports."""

    def learn(self, told: list[dict[str, Any]]) -> None:
        for message in told:
            if "fileName" in message["data"]:
                self.ids[message["data"]["fileName"]] = message["data"]["fileId"]

    async def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        return await ask(self.stage.port, method, path, body, headers)

    def file_path(self, name: str, named: bool) -> str:
        query = f"?fileId={self.ids[name]}" if named else ""
        return f"/api/upload/session/{self.session_id}/files/{quote(name)}{query}"


class Step:
    """`reader`: the watcher whose messages the table shows after this step."""

    reader: str = SCREEN

    @property
    def text(self) -> str:
        raise NotImplementedError

    async def play(self, play: Play) -> str:
        """Do it; returns the answer in short, if there is one."""
        raise NotImplementedError


async def cut_all(play: Play) -> None:
    """Close the connections of all who watch."""
    for screen in play.screens.values():
        await screen.cut()
    for behind in play.behind:
        await behind.cut()


async def hang_up(play: Play) -> None:
    """Close the connections of all clients that send."""
    for connection in (*play.sending.values(), *play.stale):
        await connection.close()
    play.sending.clear()
    play.stale.clear()
