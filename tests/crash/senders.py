"""Clients that upload in each of the ways, pick up where the station stopped, and remember all they were promised."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.scenarios.clients import Answer, Connection, form, head_of

WAYS = ("multipart", "raw", "tus", "draft")
SMALLEST, LARGEST = 64 * 1024, 24 * 1024**2
_PIECE = 128 * 1024
_LINE = 4096  # of plain text at the start, more than the station looks at
_SHIFTS = 65_521
_FORGOTTEN = {404, 410}


@cache
def _pool() -> memoryview:
    """Never a nought: that is what a disk shows where it lost something."""
    visible = bytes(33 + number % 90 for number in range(256))
    return memoryview(random.Random(0).randbytes(LARGEST + _SHIFTS).translate(visible))


def content_of(name: str) -> bytes:
    """The content of a file, told by its name: `17-3000.txt` has 3,000 bytes, and no other file has the same."""
    number, length = map(int, name.removesuffix(".txt").split("-"))
    shift = number * 7919 % _SHIFTS
    head = (f"{name}\n" * (_LINE // len(name))).encode()
    return b"".join((head, _pool()[shift : shift + max(0, length - len(head))]))[:length]


@dataclass
class Ears:
    """What is said while they are not `open` is not believed. `on_last` is called once `left` promises were heard."""

    open: bool = True
    left: float = math.inf
    on_last: Callable[[], None] = lambda: None

    def hear(self) -> bool:
        if self.open:
            self.left -= 1
            if self.left <= 0:
                self.left = math.inf
                self.on_last()
        return self.open


@dataclass
class Upload:
    """`promised`: the most bytes of it that the station ever said are safe. `path`: where it said it is stored.

    `cuts`: how many it has lived through; `resumed`: whether it went on after one.
    """

    name: str
    way: str
    session_id: str
    ears: Ears = field(repr=False)
    url: str | None = None
    promised: int = 0
    stored: bool = False
    path: str | None = None
    cuts: int = 0
    resumed: bool = False
    given_up: bool = False

    @property
    def length(self) -> int:
        return int(self.name.removesuffix(".txt").split("-")[1])

    @property
    def resumable(self) -> bool:
        return self.way in {"tus", "draft"}

    @property
    def goes_on(self) -> bool:
        """Whether there is something of it to be continued."""
        return self.url is not None and not self.stored and not self.given_up

    def promise(self, offset: int) -> None:
        if self.ears.open:
            self.promised = max(self.promised, offset)
            self.ears.hear()

    def keep(self, path: str | None = None) -> None:
        """The station said that the whole file is stored."""
        if self.ears.open:
            self.stored, self.path = True, path or self.path
            self.promise(self.length)


class Unexpected(Exception):
    """An answer that no station should give here."""

    def __init__(self, upload: Upload, answer: Answer) -> None:
        super().__init__(f"{upload}: {answer.status} {answer.headers} {answer.body[:500]!r}")


class Forgotten(Exception):
    """The station does not know, or gave up, an upload whose place it had told."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


Interim = Callable[[dict[str, str]], None]


async def exchange(
    port: int, head: bytes, body: bytes | memoryview, pause: float, interim: Interim = lambda fields: None
) -> Answer:
    """Send a request in pieces, `pause` seconds apart, and read all its answers, those that come before the last too.

    Raises GONE if the station dies.
    """
    connection = await Connection.open(port)
    sending = asyncio.get_running_loop().create_task(_send(connection, head, body, pause))
    try:
        while True:
            status, headers = await connection.head()
            if status >= 200:
                length = 0 if head.startswith(b"HEAD") else int(headers.get("content-length", "0"))
                return Answer(status, headers, await connection.reader.readexactly(length))
            interim(headers)
    finally:
        sending.cancel()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await sending
        connection.writer.transport.abort()
        await connection.close()


async def _send(connection: Connection, head: bytes, body: bytes | memoryview, pause: float) -> None:
    await connection.send(head)
    for at in range(0, len(body), _PIECE):
        await connection.send(bytes(body[at : at + _PIECE]))
        await asyncio.sleep(pause)


async def send_raw(port: int, upload: Upload, pause: float) -> None:
    head = head_of("PUT", f"/api/upload/session/{upload.session_id}/files/{upload.name}", upload.length)
    answer = await exchange(port, head, content_of(upload.name), pause)
    if answer.status != 201:
        raise Unexpected(upload, answer)
    upload.keep(answer.json()["uploadPath"])


async def send_form(port: int, uploads: list[Upload], pause: float) -> None:
    parts: list[tuple[str, str | bytes]] = [(upload.name, content_of(upload.name)) for upload in uploads]
    headers, body = form(*parts, ("sessionId", uploads[0].session_id))
    answer = await exchange(port, head_of("POST", "/api/upload/batch", len(body), headers), body, pause)
    if answer.status != 200:
        raise Unexpected(uploads[0], answer)
    told: list[dict[str, Any]] = answer.json()["files"]
    for upload, file in zip(uploads, told, strict=True):
        if file["status"] == "completed":  # one of several may have failed, on a disk that is gone say
            upload.keep(file["uploadPath"])


class Resumable:
    """One upload over `/files/`; `go` creates it or goes on with it, whatever was there before."""

    def __init__(self, port: int, upload: Upload, chance: random.Random, pause: float) -> None:
        self._port, self._upload, self._chance, self._pause = port, upload, chance, pause

    async def go(self) -> None:
        self._upload.resumed |= self._upload.url is not None
        offset = await (self.ask() if self._upload.resumed else self._create())
        if self._upload.url is None:
            return  # created after the cut, which nobody believes
        content = memoryview(content_of(self._upload.name))
        for end in self._ends(offset):
            if self._chance.random() < 0.2:
                await self._try_elsewhere(offset)
            offset = await self._append(content, offset, end)

    def _ends(self, offset: int) -> Iterator[int]:
        """Where each request ends: one to four of them. The draft's last one may be empty; tus has none then."""
        length = self._upload.length
        if self._upload.stored:
            return
        points = sorted(self._chance.randint(offset, length) for _ in range(self._chance.randint(0, 3)))
        yield from (point for point in points if offset < point < length)
        if offset < length or self._upload.way == "draft":
            yield length

    async def ask(self) -> int:
        """The offset. Raises Forgotten."""
        answer = await self._request("HEAD", self._place, {}, b"")
        if answer.status in _FORGOTTEN:
            raise Forgotten(answer.status)
        offset = self._offset_in(answer, 200, 204)
        if answer.headers.get("upload-complete") == "?1":
            self._upload.keep()
        return offset

    @property
    def _place(self) -> str:
        assert self._upload.url is not None
        return self._upload.url

    def _offset_in(self, answer: Answer, *wanted: int) -> int:
        if answer.status not in wanted or "upload-offset" not in answer.headers:
            raise Unexpected(self._upload, answer)
        offset = int(answer.headers["upload-offset"])
        self._upload.promise(offset)
        return offset

    async def _request(self, method: str, path: str, fields: dict[str, str], body: bytes | memoryview) -> Answer:
        head = head_of(method, path, len(body), {**self.always, **fields})
        return await exchange(self._port, head, body, self._pause, self._heard)

    def _heard(self, fields: dict[str, str]) -> None:
        """A 104."""
        if "location" in fields and self._upload.ears.open:
            self._upload.url = fields["location"]
        if "upload-offset" in fields:
            self._upload.promise(int(fields["upload-offset"]))

    always: dict[str, str]

    async def _create(self) -> int:
        raise NotImplementedError

    async def _append(self, content: memoryview, offset: int, end: int) -> int:
        raise NotImplementedError

    async def _try_elsewhere(self, offset: int) -> None:
        raise NotImplementedError


class Tus(Resumable):
    @property
    def always(self) -> dict[str, str]:  # type: ignore[override]
        return {"Tus-Resumable": "1.0.0"}

    async def _create(self) -> int:
        upload = self._upload
        told = {"filename": upload.name, "filetype": "text/plain", "sessionId": upload.session_id}
        fields = {"Upload-Length": str(upload.length), "Upload-Metadata": _metadata(told)}
        first = memoryview(content_of(upload.name))[: self._chance.choice((0, 0, 5000, upload.length // 3))]
        if first:
            fields["Content-Type"] = "application/offset+octet-stream"
        answer = await self._request("POST", "/files/", fields, first)
        if answer.status != 201:
            raise Unexpected(upload, answer)
        self._heard({"location": answer.headers["location"], "upload-offset": "0"})
        return self._offset_in(answer, 201) if first else 0

    async def _append(self, content: memoryview, offset: int, end: int) -> int:
        fields = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        offset = self._offset_in(await self._request("PATCH", self._place, fields, content[offset:end]), 204)
        if offset == len(content):
            self._upload.keep()  # the station answers the last piece when the file is stored
        return offset

    async def _try_elsewhere(self, offset: int) -> None:
        fields = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset + 1)}
        answer = await self._request("PATCH", self._place, fields, b"")
        if answer.status != 409:
            raise Unexpected(self._upload, answer)
        if "upload-offset" in answer.headers:
            self._upload.promise(int(answer.headers["upload-offset"]))


async def send_partial(port: int, content: bytes) -> str:
    """A piece that belongs to no file yet, sent with its creation; returns its place."""
    fields = {"Upload-Concat": "partial", "Upload-Length": str(len(content)), "Tus-Resumable": "1.0.0"}
    head = head_of("POST", "/files/", len(content), {**fields, "Content-Type": "application/offset+octet-stream"})
    answer = await exchange(port, head, content, 0)
    assert answer.status == 201, answer
    return answer.headers["location"]


async def join(port: int, upload: Upload, places: list[str]) -> None:
    """Make partials one file."""
    told = {"filename": upload.name, "sessionId": upload.session_id}
    fields = {
        "Upload-Concat": f"final;{' '.join(places)}",
        "Upload-Metadata": _metadata(told),
        "Tus-Resumable": "1.0.0",
    }
    answer = await exchange(port, head_of("POST", "/files/", 0, fields), b"", 0)
    if answer.status != 201:
        raise Unexpected(upload, answer)
    upload.url = answer.headers["location"]
    upload.keep()


def _metadata(told: dict[str, str]) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())


class Draft(Resumable):
    @property
    def always(self) -> dict[str, str]:  # type: ignore[override]
        return {"Upload-Draft-Interop-Version": "8"}

    async def _create(self) -> int:
        upload = self._upload
        content = memoryview(content_of(upload.name))
        first = self._chance.choice((0, 5000, upload.length // 2, upload.length))
        fields = {
            "Upload-Complete": "?1" if first == upload.length else "?0",
            "Upload-Length": str(upload.length),
            "Content-Type": "text/plain",
            "Content-Disposition": f'inline; filename="{upload.name}"',
        }
        answer = await self._request("POST", f"/files/?sessionId={upload.session_id}", fields, content[:first])
        return self._went(answer, first == upload.length)

    async def _append(self, content: memoryview, offset: int, end: int) -> int:
        last = end == len(content)
        fields = {
            "Content-Type": "application/partial-upload",
            "Upload-Offset": str(offset),
            "Upload-Complete": "?1" if last else "?0",
        }
        answer = await self._request("PATCH", self._place, fields, content[offset:end])
        return self._went(answer, last)

    def _went(self, answer: Answer, last: bool) -> int:
        if answer.status not in {200, 201, 204}:
            raise Unexpected(self._upload, answer)
        if "location" in answer.headers and not last:
            self._heard({"location": answer.headers["location"]})
        if not last:
            return self._offset_in(answer, answer.status)
        self._upload.keep()
        return self._upload.length

    async def _try_elsewhere(self, offset: int) -> None:
        fields = {
            "Content-Type": "application/partial-upload",
            "Upload-Offset": str(offset + 1),
            "Upload-Complete": "?0",
        }
        answer = await self._request("PATCH", self._place, fields, b"")
        self._offset_in(answer, 409)
