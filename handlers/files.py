"""The stored files, for the operator: pages of them, and each to take away. Knows not how they are found or deleted.

A file is somebody else's: whatever is in it, the browser is to save it and nothing else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from handlers.base import verb
from handlers.operator import Operators
from handlers.ranges import Span, wanted
from station import catalogue
from station.catalogue import ORDERS, Entry, Wish
from station.clock import rfc3339
from station.dock import problem_of
from station.errors import Refused
from station.names import extension
from station.stored import Opened, Stored, spot_of

PIECE = 256 * 1024  # bytes read and sent at a time
PATIENCE = 600.0  # seconds in which a client must take a piece: somebody may pause a download, not leave it for good
_LONGEST_TEXT = 200  # characters; no name has more than 255 bytes
_MOST = 200  # files on a page
_ATTR_CHAR = "!#$&+-.^_`|~"  # RFC 8187, besides letters and digits
T = TypeVar("T")


class Kept(Operators):
    """What is asked of the disk."""

    async def in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Blocking work. Raises the row for a fault of the disk."""
        try:
            return await self.station.dock.run(work, *args)
        except OSError as error:
            raise problem_of(error).refusal() from error


class Files(Kept):
    """`GET /api/monitor/files?category=&q=&sort=&before=&limit=`"""

    @verb
    async def get(self) -> None:
        wish = self._wish()
        found = await self.station.journal.read(partial(catalogue.page, wish=wish))
        page = found[: wish.limit]
        spots = [spot_of(entry.path) for entry in page]
        present = await self.in_thread(Stored(self.station.storage).present, spots)
        self.send_json(
            {
                "files": [_told(entry, there) for entry, there in zip(page, present, strict=True)],
                "next": page[-1].id if len(found) > wish.limit else None,
                "timestamp": self.station.clock().stamp,
            }
        )

    def _wish(self) -> Wish:
        """Raises VALIDATION_ERROR."""
        sort = self.asked("sort") or "newest"
        if sort not in ORDERS:
            raise Refused("VALIDATION_ERROR", f"sort must be one of: {', '.join(ORDERS)}")
        limit = self.asked("limit") or "100"
        if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= _MOST:
            raise Refused("VALIDATION_ERROR", f"limit must be a number from 1 to {_MOST}")
        text = self.asked("q").strip()
        if len(text) > _LONGEST_TEXT:
            raise Refused("VALIDATION_ERROR", f"q may have {_LONGEST_TEXT} characters")
        return Wish(sort, self.asked("category"), text, self.asked("before"), int(limit))


def _told(entry: Entry, present: bool) -> dict[str, Any]:
    return {
        "fileId": entry.id,
        "sessionId": entry.session_id,
        "fileName": entry.name,
        "size": entry.size,
        "category": spot_of(entry.path).category,
        "type": extension(entry.name),
        "endedAt": rfc3339(entry.ended_at),
        "uploadPath": entry.path,
        "present": present,
    }


class Download(Kept):
    """`GET|HEAD /api/monitor/files/<fileId>`: the whole, or one range of it."""

    @verb
    async def get(self, file_id: str) -> None:
        entry = await self.station.journal.read(partial(catalogue.find, file_id=file_id))
        if entry is None:
            raise Refused("FILE_NOT_FOUND")
        file = await self.in_thread(Stored(self.station.storage).open, spot_of(entry.path))
        if file is None:
            raise Refused("FILE_NOT_FOUND")
        try:
            span = self._begin(entry, file)
            if self.request.method == "GET":
                await self._send(file, span)
        finally:
            file.close()

    head = get

    def _begin(self, entry: Entry, file: Opened) -> Span:
        """Say what is coming; which bytes that is."""
        tag = f'"{file.modified:x}-{file.size:x}"'
        for name, value in _HEADERS.items():
            self.set_header(name, value)
        self.set_header("Content-Disposition", attachment(entry.name))
        self.set_header("ETag", tag)
        asked = self.request.headers.get("Range", "") if self.request.method == "GET" else ""
        # A date would do as well by the RFC; who got a tag from us sends that.
        if self.request.headers.get("If-Range", tag) != tag:
            asked = ""
        span = wanted(asked, file.size)
        if span is None:
            span = Span(0, file.size)
        elif span.start == span.end:
            self.set_status(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.set_header("Content-Range", f"bytes */{file.size}")
        else:
            self.set_status(HTTPStatus.PARTIAL_CONTENT)
            self.set_header("Content-Range", f"bytes {span.start}-{span.end - 1}/{file.size}")
        self.set_header("Content-Length", str(span.end - span.start))
        return span

    async def _send(self, file: Opened, span: Span) -> None:
        """Piece by piece, each when the one before has left. A file that got shorter meanwhile ends in the middle."""
        offset = span.start
        try:
            while offset < span.end:
                piece = await self.in_thread(file.read, offset, min(PIECE, span.end - offset))
                if not piece:
                    break
                self.write(piece)
                async with asyncio.timeout(PATIENCE):
                    await self.flush()
                offset += len(piece)
        except (StreamClosedError, TimeoutError, Refused):
            offset = -1
        if offset < span.end:  # what is missing cannot be told any more, but seen
            self.request.connection.stream.close()  # type: ignore[union-attr]


_HEADERS = {
    "Content-Type": "application/octet-stream",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-store",
}


def attachment(name: str) -> str:
    """The field that has a browser save a file under its own name (RFC 6266, RFC 8187)."""
    plain = "".join(char if " " <= char <= "~" and char not in '"\\%/' else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_ATTR_CHAR, errors='replace')}"
