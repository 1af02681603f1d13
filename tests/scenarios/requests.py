"""Steps of a client that sends: whole files, forms, pieces of bodies, cancels."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.scenarios.clients import Connection, content, form, head_of
from tests.scenarios.stage import until
from tests.scenarios.steps import Play, Step


@dataclass
class Open(Step):
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return f"POST /api/upload/session {json.dumps(self.body)}"

    async def play(self, play: Play) -> str:
        answer = await play.ask("POST", "/api/upload/session", json.dumps(self.body).encode())
        play.session_id = answer.json()["sessionId"]
        for file in answer.json().get("files", ()):
            play.ids[file["name"]] = file["fileId"]
            play.letters(file["fileId"])
        return answer.brief


@dataclass
class Put(Step):
    """A whole file in one request; `named`: with its fileId. `head`: the bytes it begins with."""

    name: str
    size: int
    named: bool = False
    implicit: bool = False
    head: bytes = b""

    @property
    def text(self) -> str:
        path = f"/u/{self.name}" if self.implicit else f"…/files/{self.name}" + ("?fileId=…" if self.named else "")
        begins = f", beginning with {self.head.decode()}" if self.head else ""
        return f"PUT {path}, {self.size} bytes{begins}"

    async def play(self, play: Play) -> str:
        path = f"/u/{quote(self.name)}" if self.implicit else play.file_path(self.name, self.named)
        answer = await play.ask("PUT", path, (self.head + content(self.size))[: self.size])
        if self.implicit and answer.status == 201:
            play.session_id = answer.json()["sessionId"]
        return answer.brief


@dataclass
class Form(Step):
    """A multipart form. `session` in a field's value stands for the session's id."""

    parts: tuple[tuple[str, str | int], ...]
    query: str = ""

    @property
    def text(self) -> str:
        shown = [
            f"{name} ({value} bytes)" if isinstance(value, int) else f"{name}={value}" for name, value in self.parts
        ]
        shown = ["an empty file input" if each.startswith(" (0") else each for each in shown]
        return f"POST /api/upload/batch{self.query}: {', '.join(shown).replace('=session', '=…')}"

    async def play(self, play: Play) -> str:
        def real(text: str) -> str:
            return text.replace("session", play.session_id, 1) if play.session_id else text

        parts = [(name, content(value) if isinstance(value, int) else real(value)) for name, value in self.parts]
        headers, body = form(*parts)
        path = f"/api/upload/batch{self.query.replace('…', play.session_id)}"
        answer = await play.ask("POST", path, body, headers)
        if answer.status == 200 and not play.session_id:
            play.session_id = answer.json()["sessionId"]
        return answer.brief + ("" if answer.status != 200 or answer.json()["success"] else ", success: false")


@dataclass
class Begin(Step):
    """Sends the head of a PUT and the first `sent` bytes; `size` None: chunked, without a length."""

    name: str
    size: int | None
    sent: int
    named: bool = False

    @property
    def text(self) -> str:
        query = "?fileId=…" if self.named else ""
        of = "" if self.size is None else f" of {self.size}"
        return f"PUT …/files/{self.name}{query}, the first {self.sent}{of} bytes"

    async def play(self, play: Play) -> str:
        if self.name in play.sending:
            play.stale.append(play.sending[self.name])
        before, _ = play.stage.attempt(self.name)
        connection = play.sending[self.name] = await Connection.open(play.stage.port)
        head = head_of("PUT", play.file_path(self.name, self.named), self.size)
        await connection.send(head + _framed(content(self.sent), self.size is None))
        await until(lambda: play.stage.attempt(self.name) == (before + 1, self.sent))
        return ""


@dataclass
class More(Step):
    """The rest of a body that was begun, and the answer. `sent`: how many bytes were sent by now."""

    name: str
    size: int
    sent: int
    chunked: bool = False

    @property
    def text(self) -> str:
        return f"the other {self.size - self.sent} bytes of {self.name}"

    async def play(self, play: Play) -> str:
        connection = play.sending.pop(self.name)
        rest = content(self.size)[self.sent :]
        await connection.send(_framed(rest, self.chunked) + (b"0\r\n\r\n" if self.chunked else b""))
        answer = await connection.answer()
        await connection.close()
        return answer.brief


@dataclass
class Piece(Step):
    """Some more bytes of a body that goes on."""

    name: str
    sent: int
    count: int

    @property
    def text(self) -> str:
        return f"{self.count} more bytes of {self.name}"

    async def play(self, play: Play) -> str:
        whole = self.sent + self.count
        await play.sending[self.name].send(content(whole)[self.sent :])
        await until(lambda: play.stage.attempt(self.name)[1] == whole)
        return ""


@dataclass
class Hear(Step):
    """The answer to a body that was begun and that the station has ended."""

    name: str

    @property
    def text(self) -> str:
        return f"(the answer to the PUT of {self.name})"

    async def play(self, play: Play) -> str:
        connection = play.sending.pop(self.name)
        answer = await connection.answer()
        await connection.close()
        return answer.brief


def _framed(block: bytes, chunked: bool) -> bytes:
    return b"%x\r\n%s\r\n" % (len(block), block) if chunked else block


@dataclass
class Break(Step):
    name: str

    @property
    def text(self) -> str:
        return f"the connection that sends {self.name} breaks"

    async def play(self, play: Play) -> str:
        play.sending.pop(self.name).reset()
        await until(lambda: not play.stage.is_sent(self.name))
        return ""


@dataclass
class Cancel(Step):
    name: str | None = None
    reason: str | None = None

    @property
    def text(self) -> str:
        given = {"fileId": "…" if self.name else None, "reason": self.reason}
        body = {key: value for key, value in given.items() if value is not None}
        of = f" of {self.name}" if self.name else ""
        return f"POST /api/upload/cancel/…{' ' + json.dumps(body, ensure_ascii=False) if body else ''}{of}"

    async def play(self, play: Play) -> str:
        given = {"fileId": play.ids[self.name] if self.name else None, "reason": self.reason}
        body = json.dumps({key: value for key, value in given.items() if value is not None}).encode()
        answer = await play.ask("POST", f"/api/upload/cancel/{play.session_id}", body)
        return answer.brief + (f", cancelledFiles: {answer.json()['cancelledFiles']}" if answer.status == 200 else "")


@dataclass
class Complete(Step):
    @property
    def text(self) -> str:
        return "POST /api/upload/complete/…"

    async def play(self, play: Play) -> str:
        return (await play.ask("POST", f"/api/upload/complete/{play.session_id}")).brief
