"""One upload by tus 1.0: making it, asking where it stands, sending a piece. Knows nothing of trying again."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

from client.exchange import Write
from client.faults import Broken, Refusal
from client.link import Link, number
from client.source import Reading, Source
from client.sums import Sum, blake3_of

ENDPOINT = "/files/"
_TUS = {"Tus-Resumable": "1.0.0"}
_BYTES = "application/offset+octet-stream"
_BLOCK = 256 * 1024
_ANSWER_TIME = 180.0  # seconds for a piece and its answer: the station may have the file looked at before


class Halted(Exception):
    """The piece was given up on purpose: what is told of the file meanwhile makes it needless."""


def upload_path(base: str, address: str) -> str | None:
    """The path of an upload at this station; None for any other address: what is remembered may be anything."""
    try:
        parts = urlsplit(urljoin(base + ENDPOINT, address))
    except ValueError:
        return None
    here = f"{parts.scheme}://{parts.netloc}" == base
    path = parts.path
    return path if here and path.startswith(ENDPOINT) and path != ENDPOINT and ".." not in path else None


@dataclass
class Upload:
    """`path` is None until it is made; `file_id` is "" where the station is to give one."""

    link: Link
    source: Source
    session_id: str
    file_id: str
    path: str | None = None
    key: str = field(default_factory=lambda: uuid4().hex)
    """By it the station knows the request again whose answer was lost."""

    async def make(self) -> None:
        """Raises Refusal, Broken. Made again after that it is the same file."""
        told = {"filename": self.source.name, "sessionId": self.session_id, "fileId": self.file_id}
        told["idempotencyKey"] = self.key
        fields = [f"{key} {b64encode(value.encode()).decode()}" for key, value in told.items() if value]
        headers = {**_TUS, "Upload-Length": str(self.source.size), "Upload-Metadata": ",".join(fields)}
        answer = await self.link.ask("POST", ENDPOINT, headers, b"", within=_ANSWER_TIME)
        self.path = upload_path(self.link.base, answer.headers.get("Location", ""))
        self.file_id = answer.headers.get("X-File-Id", self.file_id)
        if self.path is None:
            raise Broken("the answer names no upload")

    async def stands(self) -> int:
        """How many bytes are safe. Raises Refusal (gone), Broken."""
        assert self.path is not None
        answer = await self.link.ask("HEAD", self.path, _TUS)
        if number(answer.headers, "Upload-Length") != self.source.size:
            raise Refusal("UPLOAD_GONE", status=410)  # of another file
        return self._offset(number(answer.headers, "Upload-Offset"))

    async def add(self, reading: Reading, piece: range, total: Sum, *, checked: bool, go_on: Callable[[], bool]) -> int:
        """Send a piece of the file; where the upload stands then. `checked`: with a checksum of the piece.

        Raises Refusal, Broken, Unfit (the file changed), Halted once `go_on` says no.
        """
        assert self.path is not None
        headers = {**_TUS, "Content-Type": _BYTES, "Upload-Offset": str(piece.start)}
        headers["Content-Length"] = str(len(piece))
        if checked:
            digest = blake3_of(reading.read(piece.start, len(piece)))
            headers["Upload-Checksum"] = f"blake3 {b64encode(digest).decode()}"

        async def body(write: Write) -> None:
            for offset in range(piece.start, piece.stop, _BLOCK):
                if not go_on():
                    raise Halted
                reading.check()
                block = reading.read(offset, min(_BLOCK, piece.stop - offset))
                total.passed(offset, block)
                await write(block)

        answer = await self.link.ask("PATCH", self.path, headers, body, within=_ANSWER_TIME)
        return self._offset(number(answer.headers, "Upload-Offset"))

    def _offset(self, told: int | None) -> int:
        if told is None or told > self.source.size:
            raise Broken("the answer names no offset")
        return told
