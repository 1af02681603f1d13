"""Small clients on bare sockets: HTTP requests that can be sent in pieces and broken off, a WebSocket, an event stream.

They read only when asked to, so that a watcher that sleeps really does not read.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds after which a test that waits gives up
GONE = (OSError, asyncio.IncompleteReadError)
"""What a client gets when the station, or the way to it, is gone."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def brief(self) -> str:
        """`201`, or `409 SESSION_CLOSED`."""
        if self.status < 400 or not self.body:
            return str(self.status)
        return f"{self.status} {self.json()['error']}"


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection(HOST, port))

    async def send(self, block: bytes) -> None:
        self.writer.write(block)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        status = await self.reader.readline()
        if not status:
            raise ConnectionResetError("hung up before the answer")
        headers = {}
        while (line := await self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return int(status.split()[1]), headers

    async def answer(self) -> Answer:
        status, headers = await asyncio.wait_for(self.head(), PATIENCE)
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(status, headers, body)

    def reset(self) -> None:
        """Break off with a RST, as a machine that crashed does."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


def head_of(method: str, path: str, length: int | None, headers: dict[str, str] | None = None) -> bytes:
    """The head of a request; `length` None announces a chunked body."""
    sized = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", sized]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def ask(port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    connection = await Connection.open(port)
    try:
        await connection.send(head_of(method, path, len(body), headers) + body)
        return await connection.answer()
    finally:
        await connection.close()


class Socket:
    """A WebSocket client. `read` returns the next message, or None when the other side hung up (`code` tells how)."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.code: int | None = None

    @classmethod
    async def open(cls, port: int, path: str) -> Socket:
        connection = await Connection.open(port)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {HOST}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        try:
            await connection.send(("\r\n".join(lines) + "\r\n\r\n").encode())
            status, _ = await asyncio.wait_for(connection.head(), PATIENCE)
            if status != 101:
                raise ConnectionRefusedError(status)
        except BaseException:
            await connection.close()
            raise
        return cls(connection)

    async def say(self, event: str, data: Any) -> None:
        await self._send(0x1, json.dumps({"event": event, "data": data}).encode())

    async def read(self) -> dict[str, Any] | None:
        while True:
            try:
                code, payload = await asyncio.wait_for(self._frame(), PATIENCE)
            except GONE:
                return None
            if code == 0x1:
                message: dict[str, Any] = json.loads(payload)
                return message
            if code == 0x8:
                self.code = int.from_bytes(payload[:2], "big") if payload else None
                return None
            if code == 0x9:
                await self._send(0xA, payload)

    async def _frame(self) -> tuple[int, bytes]:
        first, second = await self.connection.reader.readexactly(2)
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(await self.connection.reader.readexactly(2 if length == 126 else 8), "big")
        return first & 0x0F, await self.connection.reader.readexactly(length)

    async def _send(self, code: int, payload: bytes) -> None:
        """Masked with nought, which is a mask like any other; payloads here are short."""
        length = len(payload)
        head = bytes((0x80 | code, 0x80 | length)) if length < 126 else struct.pack("!BBH", 0x80 | code, 0xFE, length)
        await self.connection.send(head + bytes(4) + payload)

    async def close(self) -> None:
        await self.connection.close()


async def event_stream(port: int, path: str, last_event_id: str | None = None) -> AsyncIterator[tuple[str, str]]:
    """`(id, data)` of each event until the stream ends; `id` is empty where the event has none."""
    connection = await Connection.open(port)
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    try:
        await connection.send(head_of("GET", path, 0, headers))
        status, _ = await connection.head()
        if status != 200:
            return
        text = ""
        while size := int((await connection.reader.readline()).strip() or b"0", 16):
            text += (await connection.reader.readexactly(size)).decode()
            await connection.reader.readexactly(2)
            while "\n\n" in text:
                block, _, text = text.partition("\n\n")
                fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
                if "data" in fields:
                    yield fields.get("id", ""), fields["data"]
    finally:
        await connection.close()


async def poll(port: int, session_id: str, since: int, epoch: str, wait: float) -> Any:
    path = f"/api/upload/progress/{session_id}?since={since}&wait={wait:g}" + (f"&epoch={epoch}" if epoch else "")
    return (await ask(port, "GET", path)).json()


_BOUNDARY = "upload-station-scenario"


def form(*parts: tuple[str, str | bytes]) -> tuple[dict[str, str], bytes]:
    """Headers and body of a multipart form: `(name, text)` is a field, `(file name, bytes)` a file."""
    lines = []
    for name, value in parts:
        if isinstance(value, str):
            disposition, content = f'name="{name}"', value.encode()
        else:
            disposition, content = f'name="files"; filename="{name}"', value
        head = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
        lines += [head.encode(), content, b"\r\n"]
    lines.append(f"--{_BOUNDARY}--\r\n".encode())
    return {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}, b"".join(lines)


def content(length: int) -> bytes:
    """Bytes that look like text and differ from place to place."""
    words = (f"line {number}\n".encode() for number in itertools.count())
    block = bytearray()
    while len(block) < length:
        block += next(words)
    return bytes(block[:length])
