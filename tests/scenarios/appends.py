"""Steps of a client of resumable uploads: it makes them, appends to them, asks for their offset, removes them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from dataclasses import dataclass

from tests.scenarios.clients import GONE, PATIENCE, Connection, content, head_of
from tests.scenarios.stage import until
from tests.scenarios.steps import Play, Step

TUS = {"Tus-Resumable": "1.0.0"}
DRAFT = {"Upload-Draft-Interop-Version": "8"}
_TELLING = ("Upload-Offset", "Upload-Complete")


async def heard(connection: Connection, *, bare: bool = False) -> tuple[str, dict[str, str]]:
    """The answer in short, interim ones before it, and its fields. `bare`: no body follows, whatever the head says."""
    short = []
    while True:
        try:
            status, fields = await asyncio.wait_for(connection.head(), PATIENCE)
        except GONE:
            return "hung up, without an answer", {}
        names = (*_TELLING, "Location") if status == 104 else _TELLING
        told = [f"{name}: {fields[name.lower()]}" for name in names if name.lower() in fields and name != "Location"]
        told += ["Location"] if "Location" in names and "location" in fields else []
        short.append(" ".join([str(status), *([f"({', '.join(told)})"] if told else [])]))
        if status != 104:
            break
    body = b"" if bare else await connection.reader.readexactly(int(fields.get("content-length", "0")))
    if status >= 400 and body:
        short[-1] = short[-1].replace(str(status), f"{status} {json.loads(body)['error']}", 1)
    return ", ".join(short), fields


async def exchange(
    play: Play, method: str, path: str, fields: dict[str, str], body: bytes = b""
) -> tuple[str, dict[str, str]]:
    connection = await Connection.open(play.stage.port)
    try:
        await connection.send(head_of(method, path, len(body), fields) + body)
        return await heard(connection, bare=method == "HEAD")
    finally:
        await connection.close()


def _metadata(play: Play, name: str) -> str:
    told = {"filename": name, **({"sessionId": play.session_id} if play.session_id else {})}
    told |= {"fileId": play.ids[name]} if name in play.ids else {}
    return ",".join(f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in told.items())


@dataclass
class Make(Step):
    """Makes an upload over tus. `size` None: its length comes later. `partial`: a part of another."""

    name: str
    size: int | None
    sent: int = 0
    partial: bool = False

    @property
    def text(self) -> str:
        length = "Upload-Defer-Length: 1" if self.size is None else f"Upload-Length: {self.size}"
        sent = f", {self.sent} bytes" if self.sent else ""
        return f"POST /files/ ({self.name}), {'Upload-Concat: partial, ' if self.partial else ''}{length}{sent}"

    async def play(self, play: Play) -> str:
        length = {"Upload-Defer-Length": "1"} if self.size is None else {"Upload-Length": str(self.size)}
        fields = {**TUS, **length, **({"Upload-Concat": "partial"} if self.partial else {})}
        fields |= {"Content-Type": "application/offset+octet-stream"} if self.sent else {}
        fields |= {} if self.partial else {"Upload-Metadata": _metadata(play, self.name)}
        short, told = await exchange(play, "POST", "/files/", fields, content(self.sent))
        play.uploads[self.name] = told.get("location", "")
        if not play.session_id and "link" in told:
            play.session_id = told["link"].partition("/s/")[2].partition(">")[0]
        return short


@dataclass
class Join(Step):
    """A final upload over tus, made of partial ones."""

    name: str
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        return (
            f"POST /files/ ({self.name}), Upload-Concat: final;{' '.join(f'/files/…({part})' for part in self.parts)}"
        )

    async def play(self, play: Play) -> str:
        concat = "final;" + " ".join(play.uploads[part] for part in self.parts)
        fields = {**TUS, "Upload-Concat": concat, "Upload-Metadata": _metadata(play, self.name)}
        short, told = await exchange(play, "POST", "/files/", fields)
        play.uploads[self.name] = told.get("location", "")
        return short


@dataclass
class Add(Step):
    """Appends over tus the bytes from `start` to `stop`. `good` False: with a checksum of other bytes.

    `length`: of the whole, told now.
    """

    name: str
    start: int
    stop: int
    good: bool | None = None
    length: int | None = None

    @property
    def text(self) -> str:
        checksum = {None: "", True: ", the right Upload-Checksum", False: ", a wrong Upload-Checksum"}[self.good]
        length = "" if self.length is None else f", Upload-Length: {self.length}"
        count = self.stop - self.start
        return f"PATCH /files/… ({self.name}), Upload-Offset: {self.start}{length}, {count} bytes{checksum}"

    async def play(self, play: Play) -> str:
        body = content(self.stop)[self.start :]
        fields = append_fields(self.start)
        fields |= {} if self.length is None else {"Upload-Length": str(self.length)}
        if self.good is not None:
            digest = hashlib.sha1(body if self.good else b"", usedforsecurity=False).digest()
            fields["Upload-Checksum"] = f"sha1 {base64.b64encode(digest).decode()}"
        return (await exchange(play, "PATCH", play.uploads[self.name], fields, body))[0]


def append_fields(start: int) -> dict[str, str]:
    return {**TUS, "Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}


@dataclass
class AddSome(Step):
    """Sends the head of such a request, and only the first `sent` bytes of it; waits until they are safe."""

    name: str
    start: int
    stop: int
    sent: int

    @property
    def text(self) -> str:
        of = f"the first {self.sent} of {self.stop - self.start} bytes"
        return f"PATCH /files/… ({self.name}), Upload-Offset: {self.start}, {of}"

    async def play(self, play: Play) -> str:
        upto = self.start + self.sent
        connection = play.sending[self.name] = await Connection.open(play.stage.port)
        head = head_of("PATCH", play.uploads[self.name], self.stop - self.start, append_fields(self.start))
        await connection.send(head + content(upto)[self.start :])
        await until(lambda: play.stage.attempt(self.name)[1] == upto)
        return ""


@dataclass
class Heard(Step):
    """What became of a PATCH that was begun and that somebody else has ended."""

    name: str

    @property
    def text(self) -> str:
        return f"(the answer to the PATCH of {self.name})"

    async def play(self, play: Play) -> str:
        connection = play.sending.pop(self.name)
        short, _ = await heard(connection)
        await connection.close()
        return short


@dataclass
class Look(Step):
    name: str

    @property
    def text(self) -> str:
        return f"HEAD /files/… ({self.name})"

    async def play(self, play: Play) -> str:
        return (await exchange(play, "HEAD", play.uploads[self.name], TUS))[0]


@dataclass
class Delete(Step):
    name: str

    @property
    def text(self) -> str:
        return f"DELETE /files/… ({self.name})"

    async def play(self, play: Play) -> str:
        return (await exchange(play, "DELETE", play.uploads[self.name], TUS))[0]


@dataclass
class Draft(Step):
    """Sends the bytes from `start` to `stop` by the IETF draft: the first with POST, others with PATCH.

    `length`: of the whole, told now. `last`: these are all the rest.
    """

    name: str
    start: int
    stop: int
    length: int | None = None
    last: bool = True

    @property
    def text(self) -> str:
        verb = f"PATCH /files/… ({self.name})" if self.start else f"POST /files/?sessionId=…&fileId=… ({self.name})"
        offset = f", Upload-Offset: {self.start}" if self.start else ""
        length = "" if self.length is None else f", Upload-Length: {self.length}"
        return f"{verb}, Upload-Complete: {self._complete}{length}{offset}, {self.stop - self.start} bytes"

    @property
    def _complete(self) -> str:
        return "?1" if self.last else "?0"

    async def play(self, play: Play) -> str:
        fields = {**DRAFT, "Upload-Complete": self._complete}
        fields |= {} if self.length is None else {"Upload-Length": str(self.length)}
        body = content(self.stop)[self.start :]
        if self.start:
            fields |= {"Upload-Offset": str(self.start), "Content-Type": "application/partial-upload"}
            return (await exchange(play, "PATCH", play.uploads[self.name], fields, body))[0]
        fields |= {"Content-Type": "text/plain", "Content-Disposition": f'inline; filename="{self.name}"'}
        path = f"/files/?sessionId={play.session_id}&fileId={play.ids[self.name]}"
        short, told = await exchange(play, "POST", path, fields, body)
        play.uploads[self.name] = told.get("location", "")
        return short
