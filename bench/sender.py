"""The client: sends bodies as fast as the system can, so that what is measured is the server.

`sendfile` from a file in memory copies nothing in user space and lets other threads run.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Self

from bench.server import Server

_PIECE = 4 * 1024**2
_BOUNDARY = "----bench-b1f0c8e2a94d4d7e"
_LOCATION = re.compile(rb"location: *(\S+)", re.IGNORECASE)
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Connection:
    """One keep-alive HTTP/1.1 connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.location = ""
        """The last one that an answer told."""
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    # -- sending files

    def put_file(self, session_id: str, name: str, file: int, size: int) -> None:
        """The first `size` bytes of an open file, raw."""
        self.socket.sendall(self._head("PUT", self._path(session_id, name), size))
        self._send_file(file, size)
        self.answer(201)

    def post_file(self, session_id: str, name: str, file: int, size: int) -> None:
        """The same as the only part of a form."""
        before = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
            "Content-Type: video/mp4\r\n\r\n"
        ).encode()
        after = f"\r\n--{_BOUNDARY}--\r\n".encode()
        whole = len(before) + size + len(after)
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        self.socket.sendall(self._head("POST", f"/api/upload/batch?sessionId={session_id}", whole, kind) + before)
        self._send_file(file, size)
        self.socket.sendall(after)
        self.answer(200)

    def patch_file(self, session_id: str, name: str, file: int, size: int) -> None:
        """The same as a resumable upload (tus) in one request, after the one that creates it."""
        told = {"sessionId": session_id, "filename": name}
        metadata = ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in told.items())
        fields = f"Tus-Resumable: 1.0.0\r\nUpload-Length: {size}\r\nUpload-Metadata: {metadata}\r\n"
        self.socket.sendall(self._head("POST", "/files/", 0, further=fields))
        self.answer(201)
        fields = "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        kind = "application/offset+octet-stream"
        self.socket.sendall(self._head("PATCH", self.location, size, kind, further=fields))
        self._send_file(file, size)
        self.answer(204)

    def put_bytes(self, session_id: str, name: str, body: bytes) -> None:
        self.socket.sendall(self._head("PUT", self._path(session_id, name), len(body)) + body)
        self.answer(201)

    def _send_file(self, file: int, size: int) -> None:
        at = 0
        while at < size:
            at += os.sendfile(self.socket.fileno(), file, at, min(_PIECE, size - at))

    @staticmethod
    def _path(session_id: str, name: str) -> str:
        return f"/api/upload/session/{session_id}/files/{name}"

    # -- everything else

    def open_session(self, files: Sequence[tuple[str, int]] = (), *, expected: int | None = None) -> dict[str, Any]:
        """Open a session with announced files; without any it stays open. A bare loop has none: the id is empty."""
        if not self._server.is_station:
            return {"sessionId": ""}
        body: dict[str, Any] = {"category": "personal", "autoComplete": False}
        if files:
            body["files"] = [{"name": name, "size": size} for name, size in files]
        if expected is not None:
            body["expectedFiles"] = expected
        opened: dict[str, Any] = json.loads(self.post("/api/upload/session", body, 201))
        return opened

    def post(self, path: str, body: dict[str, Any], expected: int = 200) -> bytes:
        self.ask(path, body)
        return self.answer(expected)

    def ask(self, path: str, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.socket.sendall(self._head("POST", path, len(text), "application/json") + text)

    def answer(self, expected: int) -> bytes:
        """The body of the answer. Raises RuntimeError for another status."""
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        match = _LENGTH.search(data, 0, end)
        length = int(match[1]) if match else 0
        while len(data) < end + 4 + length:
            data += self._receive()
        if (match := _LOCATION.search(data, 0, end)) is not None:
            self.location = match[1].decode()
        if int(data[9:12]) != expected:
            raise RuntimeError(data.decode(errors="replace"))
        return data[end + 4 :]

    def _receive(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise RuntimeError("the server hung up")
        return data

    @staticmethod
    def _head(method: str, path: str, size: int, kind: str = "application/octet-stream", *, further: str = "") -> bytes:
        lines = f"Host: localhost\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n{further}"
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


# -- WebSockets (RFC 6455), as little of them as is needed


def open_socket(port: int, path: str) -> socket.socket:
    """A WebSocket, past its handshake; the first messages may be waiting in it."""
    opened = socket.create_connection(("127.0.0.1", port))
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.sendall(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        got = opened.recv(1)
        if not got:
            raise RuntimeError("the server turned the WebSocket away")
        head += got
    if not head.startswith(b"HTTP/1.1 101"):
        raise RuntimeError(head.decode(errors="replace"))
    return opened


def control_frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame; its mask is zero, so that the payload stays as it is."""
    return struct.pack("!BB4x", 0x80 | opcode, 0x80 | len(payload)) + payload
