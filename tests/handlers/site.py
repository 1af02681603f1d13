"""A real station on a free port, and clients that speak to it byte by byte: HTTP, WebSocket, event streams.

Knows no test. The clients are written out by hand so that a test can do what no library would: stop in the middle.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import struct
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, parse_response_start_line
from tornado.netutil import bind_sockets

from handlers import Site, routes
from handlers.door import Door
from handlers.gate import Gate
from handlers.log import log_request
from handlers.webhook import Poster
from server import CHUNK, new_id
from station.berth import Berth
from station.clock import Moment, system_clock
from station.config import load
from station.session import Session
from station.space import ACTIVE
from station.station import Station

on_the_loop = pytest.mark.gen_test(timeout=200)
TOKEN = "operator-token"
OUR_NAME = "station.example"
FRIEND = "https://intranet.example"
UNKNOWN = "550e8400-e29b-41d4-a716-446655440000"
ENDS = {"completed", "failed", "cancelled"}
PATIENCE = 60.0  # seconds in which something that must happen has to have happened
RESUMABLE = 104
Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPHeaders
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.json()["error"])


class SkippingClock:
    """The system's clock, which a test may set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._stopped: Moment | None = None

    def stop(self) -> None:
        """From now on it moves only when it is set forward."""
        self._stopped = system_clock()

    def __call__(self) -> Moment:
        now = self._stopped or system_clock()
        return Moment(now.mono + self.ahead, now.wall + self.ahead)


class Line:
    """One connection to the station, and what comes over it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self.reader = reader
        self.writer = writer
        self.host = host
        self.interims: list[tuple[int, HTTPHeaders]] = []
        """Heads that came before the final one of the last answers."""

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def begin(self, method: str, target: str, headers: Mapping[str, str] | None = None) -> None:
        """Send the head of a request."""
        named = {"Host": self.host, **(headers or {})}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
        self.send("\r\n".join([*lines, "", ""]).encode("utf-8"))

    async def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        length = {} if body is None else {"Content-Length": str(len(body))}
        self.begin(method, target, {**length, **(headers or {})})
        if body:
            self.send(body)
        return await self.answer(head_only=method == "HEAD")

    async def head(self) -> tuple[int, HTTPHeaders]:
        text = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin1")
        first, _, rest = text.partition("\r\n")
        return parse_response_start_line(first).code, HTTPHeaders.parse(rest)

    async def answer(self, *, head_only: bool = False) -> Answer:
        status, headers = await self.head()
        while status in {HTTPStatus.CONTINUE, RESUMABLE}:
            self.interims.append((status, headers))
            status, headers = await self.head()
        if head_only or status in {204, 304}:
            return Answer(status, headers, b"")
        if "Content-Length" in headers:
            return Answer(status, headers, await self.reader.readexactly(int(headers["Content-Length"])))
        if headers.get("Transfer-Encoding") == "chunked":
            return Answer(status, headers, b"".join([chunk async for chunk in self.chunks()]))
        return Answer(status, headers, await self.reader.read())

    async def chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readuntil(b"\r\n")

    async def rest(self) -> bytes:
        """All that still comes until the station hangs up, whichever way it does."""
        got = b""
        with contextlib.suppress(ConnectionError):
            while block := await self.reader.read(65536):
                got += block
        return got

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            await self.writer.wait_closed()

    async def reset(self) -> None:
        """Hang up with a RST instead of a FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


Goodbye = Callable[[Line], Coroutine[Any, Any, None]]
"""A way to hang up: `Line.close` or `Line.reset`."""


class Watcher:
    """A WebSocket client. `heard`: every message so far; `close_code`: what the station closed with, if it did."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.heard: list[Json] = []
        self.close_code: int | None = None
        self.pings = 0
        self.deaf = False
        """A deaf watcher does not answer pings."""

    def say(self, event: str, data: Any = None) -> None:
        self.say_text(json.dumps({"event": event, "data": data}))

    def say_text(self, text: str) -> None:
        self.send_frame(1, text.encode("utf-8", "surrogatepass"))

    def send_frame(self, opcode: int, payload: bytes, *, final: bool = True) -> None:
        head = bytes([opcode | 0x80 * final])
        size = len(payload)
        if size < 126:
            head += bytes([0x80 | size])
        else:
            head += struct.pack("!BH", 0x80 | 126, size) if size < 2**16 else struct.pack("!BQ", 0x80 | 127, size)
        mask = b"\x01\x02\x03\x04"
        pattern = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")
        self.line.send(head + mask + masked)

    async def frame(self) -> tuple[int, bytes]:
        read = self.line.reader.readexactly
        first, second = await read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await read(8))
        return first & 0x0F, await read(size)

    async def next(self) -> Json | None:
        """The next message; None when the station has hung up."""
        while True:
            try:
                opcode, payload = await self.frame()
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            match opcode:
                case 1:
                    message: Json = json.loads(payload)
                    self.heard.append(message)
                    return message
                case 8:
                    self.close_code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                    self.send_frame(8, payload)
                    return None
                case 9:
                    self.pings += 1
                    if not self.deaf:
                        self.send_frame(10, payload)
                case _:
                    raise AssertionError(f"opcode {opcode}")

    async def until(self, event: str, **fields: Any) -> Json:
        """Read on to the first message of this name whose data holds these fields, and return its data."""
        while (message := await self.next()) is not None:
            data: Json = message["data"]
            if message["event"] == event and fields.items() <= data.items():
                return data
        raise AssertionError(f"hung up before {event} {fields}; heard {[each['event'] for each in self.heard]}")

    async def to_end(self) -> list[Json]:
        """Read on to the last message of a settled session; all that was heard."""
        while (message := await self.next()) is not None:
            if is_last(message):
                return self.heard
        raise AssertionError(f"hung up before the last message; heard {self.heard}")

    async def error(self) -> str:
        """The code of the next `error`."""
        return str((await self.until("error"))["error"]["code"])

    async def close(self) -> None:
        await self.line.close()


class EventSource:
    """A client of an event stream; `ids` beside `heard`, None where a message had none."""

    def __init__(self, line: Line, headers: HTTPHeaders) -> None:
        self.line = line
        self.headers = headers
        self.heard: list[Json] = []
        self.ids: list[str | None] = []
        self.comments = 0
        self._chunks = line.chunks()
        self._buffer = b""

    async def next(self) -> Json | None:
        """The next message; None at the end of the stream."""
        while True:
            while b"\n\n" not in self._buffer:
                try:
                    self._buffer += await anext(self._chunks)
                except StopAsyncIteration:
                    return None
            block, _, self._buffer = self._buffer.partition(b"\n\n")
            lines = dict(line.split(": ", 1) for line in block.decode().split("\n"))
            if "" in lines:
                self.comments += 1
            elif "data" in lines:
                message: Json = json.loads(lines["data"])
                self.heard.append(message)
                self.ids.append(lines.get("id"))
                return message

    async def to_end(self) -> list[Json]:
        while await self.next() is not None:
            pass
        return self.heard


@dataclass
class Box:
    """The station with all around it. `ask` and its kin use a connection of their own."""

    station: Station
    site: Site
    door: Door
    port: int
    clock: SkippingClock
    lines: list[Line] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    async def connect(self, *, receive_buffer: int | None = None) -> Line:
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        limit = 2**16 if receive_buffer is None else receive_buffer
        line = Line(*await asyncio.open_connection(sock=sock, limit=limit), self.host)
        self.lines.append(line)
        return line

    async def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        line = await self.connect()
        answer = await line.ask(method, target, body, headers)
        await line.close()
        return answer

    async def get(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        return await self.ask("GET", target, headers=headers)

    async def post(self, target: str, value: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        body = b"" if value is None else json.dumps(value).encode()
        return await self.ask("POST", target, body, {"Content-Type": "application/json", **(headers or {})})

    async def open(self, **fields: Any) -> str:
        """Open a session; its id."""
        answer = await self.post("/api/upload/session", fields)
        assert answer.status == 201, answer.body
        return str(answer.json()["sessionId"])

    async def put(self, session_id: str, name: str, body: bytes, query: str = "") -> Answer:
        return await self.ask("PUT", f"/api/upload/session/{session_id}/files/{name}{query}", body)

    async def begin_put(self, session_id: str, name: str, size: int, body: bytes, query: str = "") -> Line:
        """Send only the first bytes of an upload."""
        line = await self.connect()
        target = f"/api/upload/session/{session_id}/files/{name}{query}"
        line.begin("PUT", target, {"Content-Length": str(size)})
        line.send(body)
        return line

    async def create(
        self, length: int | None, session_id: str | None = None, name: str = "a.mp4", **fields: str
    ) -> str:
        """Make an upload by tus; its path. `length` None: deferred. `fields`: headers, `_` for `-`."""
        told = {"filename": name} | ({} if session_id is None else {"sessionId": session_id})
        size = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
        named = {field.replace("_", "-"): value for field, value in fields.items()}
        answer = await self.ask("POST", "/files/", b"", {**TUS, **size, "Upload-Metadata": metadata(**told), **named})
        assert answer.status == HTTPStatus.CREATED, answer.body
        return answer.headers["Location"]

    async def add(self, path: str, offset: int, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Append by tus."""
        return await self.ask("PATCH", path, body, {**at_offset(offset), **(headers or {})})

    async def begin_add(
        self, path: str, offset: int, size: int, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Line:
        """Send only the first bytes of an append of `size` bytes."""
        line = await self.connect()
        line.begin("PATCH", path, {**at_offset(offset), "Content-Length": str(size), **(headers or {})})
        line.send(body)
        return line

    async def offset(self, path: str) -> int:
        """Where the upload stands."""
        answer = await self.ask("HEAD", path, headers=TUS)
        assert answer.status == HTTPStatus.OK, answer.status
        return int(answer.headers["Upload-Offset"])

    async def send_form(
        self, parts: Sequence[bytes], query: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return await self.ask("POST", f"/api/upload/batch{query}", form(parts), {**kind, **(headers or {})})

    async def watch(
        self, query: str = "", *, receive_buffer: int | None = None, headers: Mapping[str, str] | None = None
    ) -> Watcher:
        line = await self.connect(receive_buffer=receive_buffer)
        line.begin("GET", f"/ws{query}", {**HANDSHAKE, **(headers or {})})
        status, _ = await line.head()
        assert status == HTTPStatus.SWITCHING_PROTOCOLS, status
        return Watcher(line)

    async def listen(self, session_id: str, query: str = "", headers: Mapping[str, str] | None = None) -> EventSource:
        line = await self.connect()
        line.begin("GET", f"/api/upload/events/{session_id}{query}", headers)
        status, got = await line.head()
        assert status == HTTPStatus.OK, status
        return EventSource(line, got)

    async def progress(self, session_id: str, query: str = "") -> Json:
        answer = await self.get(f"/api/upload/progress/{session_id}{query}")
        assert answer.status == HTTPStatus.OK, answer.body
        found: Json = answer.json()
        return found

    async def berth(self, path: str) -> Berth:
        """The upload at this path, to look at."""
        return await self.station.shelf.find(path.rpartition("/")[2])

    def session(self, session_id: str) -> Session:
        """The live session, to look at."""
        return self.station.channels[session_id].session

    def visible(self) -> list[Path]:
        """All that other programs may pick up."""
        root = self.station.storage.root
        return sorted(path for name in self.station.config.categories for path in (root / name).iterdir())

    def unfinished(self) -> list[Path]:
        return sorted((self.station.storage.own / "parts").iterdir())

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the station, in steps that do not look like a machine that slept."""
        for _ in range(round(seconds)):
            self.clock.ahead += 1.0
            self.station.watch.tick()

    async def curl(self, *arguments: str, given: bytes = b"") -> tuple[int, bytes]:
        """Run the real one; its exit status and what it wrote."""
        return await run("curl", "--silent", "--show-error", "--max-time", f"{PATIENCE:g}", *arguments, given=given)


def addresses(box: Box, file: str = "a.mp4") -> list[str]:
    """One address for each route, and some that no route has."""
    patterns = [str(route[0]) for route in routes(box.station)]
    filled = [re.sub(r"\(\[\^/\]\+\)", UNKNOWN, pattern).replace("(.*)", file) for pattern in patterns]
    return [*filled, "/static/js/app.js", "/robots.txt", "/nowhere/at/all", "//evil.example/"]


async def run(*command: str, given: bytes = b"") -> tuple[int, bytes]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    out, _ = await process.communicate(given)
    assert process.returncode is not None
    return process.returncode, out


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that announces itself to nobody."""
    deadline = system_clock().mono + PATIENCE
    while not condition():
        assert system_clock().mono < deadline, f"never happened: {what}"
        await asyncio.sleep(0.005)


# ---- what is sent ----

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = {"Content-Type": "application/offset+octet-stream"}
PARTIAL = {"Content-Type": "application/partial-upload"}


def metadata(**told: str) -> str:
    return ",".join(f"{key} {b64encode(text.encode()).decode()}" for key, text in told.items())


def at_offset(offset: int) -> dict[str, str]:
    """The head of an append by tus."""
    return {**TUS, **OCTETS, "Upload-Offset": str(offset)}


def draft(version: int | None, complete: bool | None = None, offset: int | None = None) -> dict[str, str]:
    """The head of a request by the IETF draft. `complete`: its content is all the rest."""
    head = {} if version is None else {"Upload-Draft-Interop-Version": str(version)}
    if complete is not None and version == 3:
        head["Upload-Incomplete"] = f"?{int(not complete)}"
    elif complete is not None:
        head["Upload-Complete"] = f"?{int(complete)}"
    return head if offset is None else {**head, **PARTIAL, "Upload-Offset": str(offset)}


def form(parts: Sequence[bytes], *, closed: bool = True) -> bytes:
    body = b"".join(f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts)
    return body + f"--{BOUNDARY}--\r\n".encode() if closed else body


def file_part(name: str, content: bytes, field: str = "files") -> bytes:
    quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = f'Content-Disposition: form-data; name="{field}"; filename="{quoted}"\r\nContent-Type: video/mp4\r\n\r\n'
    return head.encode("utf-8", "surrogatepass") + content


def field_part(name: str, value: str) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()


def movie(size: int) -> bytes:
    """Bytes that begin as an MP4 does and do not repeat."""
    head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    return (head + os.urandom(max(0, size - len(head))))[:size]


# ---- what is heard ----


def is_last(message: Json) -> bool:
    return message["event"] == "upload-progress" and message["data"]["overallStatus"] in ENDS


def lifecycle(messages: Sequence[Json]) -> list[Json]:
    aside = {"upload-progress", "session-joined", "session-left", "error"}
    return [message for message in messages if message["event"] not in aside]


def names(messages: Sequence[Json]) -> list[str]:
    return [message["event"] for message in lifecycle(messages)]


def numbers(messages: Sequence[Json]) -> list[int]:
    return [message["seq"] for message in lifecycle(messages)]


# ---- beginning and end ----


async def build(folder: Path, options: Sequence[str], token: str = TOKEN) -> Box:
    clock = SkippingClock()
    standard = [f"--upload-dir={folder}", "--min-free-space=0", "--max-file-size=8MiB", "--durability=process"]
    station = Station(load([*standard, *options], {}), clock, new_id)
    if station.config.webhook:
        station.hooks.poster = Poster(station.config.webhook)
    await station.start()
    gate = Gate(("testbox",), (OUR_NAME,), (FRIEND,))
    site = Site(station, gate, admin_token=token, log_function=log_request)
    door = Door(site, limit=1000, chunk_size=CHUNK, max_body_size=1024**2, max_header_size=32 * 1024)
    site.door = door
    sockets = bind_sockets(0, "127.0.0.1")
    door.add_sockets(sockets)
    return Box(station, site, door, sockets[0].getsockname()[1], clock)


async def take_down(box: Box) -> None:
    """Hang up, and see that nothing of any connection is left in the station."""
    for line in box.lines:
        await line.close()
    station = box.station
    held: dict[str, Callable[[], object]] = {
        "connections": lambda: box.door.count,
        "sockets": lambda: station.sockets,
        "watchers": lambda: list(station.hub.watchers()),
        "bodies": lambda: station.watch.bodies,
        "deliveries": lambda: station.dock.deliveries,
        "reservations": lambda: station.dock.space.reserved(station.clock().mono),
        "requests": lambda: sum(channel.session.activity.requests for channel in station.channels.values()),
        "part files without an upload": lambda: len(box.unfinished()) - len(station.shelf),
    }
    if len(station.shelf):
        box.clock.ahead += ACTIVE  # what can be gone on with keeps its room so long
    try:
        await until(lambda: not any(each() for each in held.values()), "the station let go of all")
    except AssertionError:
        left = {name: each() for name, each in held.items() if each()}
        raise AssertionError(f"still held: {left}") from None
    finally:
        box.door.stop()
        await station.end_attempts(PATIENCE)
        await box.door.close_all_connections()
        await station.stop()


HOSTILE_NAMES = [
    "../../etc/passwd.mp4",
    "..\\..\\x.mp4",
    "/abs.mp4",
    "C:\\x.mp4",
    "\\\\srv\\share\\x.mp4",
    "a/b.mp4",
    "%2e%2e%2fx.mp4",
    "．．／x.mp4",
    "nul\x00byte.mp4",
    "line\r\nbreak.mp4",
    "tab\there.mp4",
    "del\x7f\x85.mp4",
    "\u202egnp.mp4",
    "zero\u200bwidth\ufeff.mp4",
    "e\u0301.mp4",
    "x" * 251 + ".mp4",
    "x" * 5000 + ".mp4",
    "あ" * 86 + ".mp4",
    "👩‍👩‍👧‍👦" * 30 + ".mp4",
    ".mp4",
    "..mp4",
    "....mp4",
    "a.mp4.",
    "a.mp4 ",
    " a.mp4",
    "-rf.mp4",
    "~.mp4",
    "$(x).mp4",
    "`x`.mp4",
    ".htaccess.mp4",
    "CON.mp4",
    "con.txt.mp4",
    "NUL.tar.mp4",
    "COM¹.mp4",
    "a:b.mp4",
    "a.mp4::$DATA",
    "<img src=x onerror=alert(1)>.mp4",
    '"quoted";x=".mp4',
    "..",
    ".",
    "...",
    " ",
    ".station/journal.db.mp4",
]
