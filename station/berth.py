"""One upload resource in memory: at most one request writes to it, and a newer one ends the older (issue 3).

A plain lock would make a phone wait for a dead connection of its own; here the older request is ended, keeps what it
stored, and only then the newer one looks where the upload stands.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from station.channel import Channel
from station.digest import Digests
from station.errors import Problem, Refused
from station.file import File, Status
from station.formats import SNIFF
from station.resumption import Kind
from station.upload import Upload

PATIENCE = 2.0  # seconds that a newer request waits for the older one's bytes to be safe


class Holder(Protocol):
    """A request that writes."""

    released: asyncio.Event

    def supersede(self) -> None:
        """End soon: store what came, then set `released`."""

    async def pause(self) -> None:
        """End kindly, and be released."""

    async def give_way(self) -> None:
        """End before a cancel, and be released."""

    def check(self) -> None:
        """Notice that the upload is gone."""


class Berth:
    """`channel`, `file`: None for a partial, which belongs to no session, and for what is over."""

    def __init__(self, upload: Upload, channel: Channel | None = None, file: File | None = None) -> None:
        self.upload = upload
        self.channel = channel
        self.file = file
        self.holder: Holder | None = None
        self.changed = False
        """More than its offset has yet to be recorded."""
        self.finishing: asyncio.Future[None] | None = None
        self.tries = 0
        self.again_at = self.asked_from = 0.0
        """When storing it is tried again by itself, and from when on if somebody asks. Monotonic."""
        self.problem: Problem | None = None
        """Why its bytes, though all here, were not stored."""
        self.digests: Digests | None = None
        """Of the bytes up to the offset; None: to be computed from the part file."""
        self.head = bytearray()
        """The first bytes, until they are judged."""
        self.judged = upload.offset >= SNIFF or file is None

    @property
    def unfinished(self) -> bool:
        """Whether all its bytes are here, or in its partials, and it has yet to be stored."""
        upload = self.upload
        if upload.over or (self.file is not None and self.file.status is Status.COMPLETED):
            return False
        return upload.kind is Kind.FINAL or (upload.closed and upload.kind is Kind.WHOLE)

    @property
    def forsaken(self) -> str | None:
        """Why nothing more can come of it, by what became of its file; None while something can."""
        if self.file is None:
            return None
        if self.file.status is Status.CANCELLED:
            return "cancelled"
        if self.file.upload != self.upload.id:
            return "replaced"  # sent another way, perhaps whole by now
        failed = self.file.status is Status.FAILED and not self.file.can_retry
        return "failed" if failed else None

    @property
    def kept_back(self) -> bool:
        """Whether its file is stored, which could not be recorded yet and so must not be told."""
        stored = self.file is not None and self.file.status is Status.COMPLETED
        return stored and not self.upload.over and not self.told_complete

    @property
    def told_complete(self) -> bool:
        """Whether it is recorded, and so told, that its file is stored."""
        if self.file is None or self.channel is None or self.file.status is not Status.COMPLETED:
            return False
        told = self.channel.picture.files.get(self.file.id)
        return told is not None and told.status == Status.COMPLETED

    def demand_told(self) -> None:
        """What has all its bytes has to be stored, and recorded, before it is told so. Raises why it is not."""
        if self.unfinished or self.kept_back:
            raise (self.problem or Problem("SERVER_ERROR")).refusal()

    async def free(self) -> None:
        """End the request that writes, and wait until what came is safe. Raises UPLOAD_LOCKED if that takes long."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self.holder is not None or self.finishing is not None:
                    if self.holder is not None:
                        self.holder.supersede()
                        await self.holder.released.wait()
                    elif self.finishing is not None:
                        await asyncio.wait([self.finishing])
        except TimeoutError:
            raise Refused("UPLOAD_LOCKED", retry_after=1) from None
        if self.upload.gone is not None:
            raise Refused("UPLOAD_GONE", self.upload.gone)
