"""All upload resources: those that can be gone on with in memory, the others in the journal. Knows no protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial

from station import archive
from station.berth import Berth
from station.channel import Channel
from station.dock import Dock
from station.errors import Refused
from station.file import File
from station.journal import Journal
from station.resumption import Kind
from station.rows import UploadRow, move_offset, write_upload
from station.turns import Turns
from station.upload import Upload, keep_upload, upload_from
from station.wire import dumps

MANY = 2500
"""Uploads that are looked after at each tick."""
log = logging.getLogger("upload_station")


class Shelf:
    """`on_closed` is called with a berth whose bytes are all here, to finish it."""

    def __init__(self, dock: Dock, journal: Journal) -> None:
        self.dock = dock
        self.on_closed: Callable[[Berth], None] = lambda berth: None
        self._journal = journal
        self._berths: dict[str, Berth] = {}
        self._turns = Turns(MANY)

    def __len__(self) -> int:
        return len(self._berths)

    def add(self, berth: Berth) -> None:
        self._berths[berth.upload.id] = berth

    async def find(self, upload_id: str) -> Berth:
        """The upload, also one that is over or gone. Raises FILE_NOT_FOUND."""
        if (berth := self._berths.get(upload_id)) is not None:
            self.look_after(berth)
            return berth
        kept = await self._journal.read(partial(archive.upload, upload_id=upload_id))
        if kept is None:
            raise Refused("FILE_NOT_FOUND")
        upload = upload_from(kept.id, kept.offset, kept.expires_at, kept.kept, self.dock.clock())
        if not upload.over:
            raise Refused("UPLOAD_GONE")  # that could not be recorded
        return Berth(upload)

    def of_file(self, file: File) -> Berth | None:
        """Where the file can be gone on with."""
        return self._berths.get(file.upload or "")

    def finals(self) -> list[Berth]:
        """Those that are being made of partials."""
        return [b for b in self._berths.values() if b.upload.kind is Kind.FINAL and b.upload.gone is None]

    # -- the journal

    def save(self, upload: Upload, *, offset: int | None = None) -> asyncio.Future[None]:
        """Record it as it is, or as it will be once more bytes are recorded as safe."""
        moment = self.dock.clock()
        ahead = None if upload.expires_at is None else upload.expires_at - moment.mono + moment.wall
        ended = self._journal.date(moment.wall) if upload.over else None
        row = UploadRow(
            upload.id, upload.offset if offset is None else offset, ahead, ended, dumps(keep_upload(upload))
        )
        return self._journal.change(lambda connection: write_upload(connection, row))

    def move(self, upload: Upload, offset: int) -> asyncio.Future[None]:
        """Record that the bytes up to `offset` are safe."""
        expires = self.dock.clock().wall + self.dock.config.upload_expiry
        return self._journal.change(partial(move_offset, upload_id=upload.id, offset=offset, expires_at=expires))

    # -- the end

    def retire(self, berth: Berth, reason: str) -> asyncio.Future[None]:
        """Nothing more can come of this upload: forget it, and free its bytes once that is recorded."""
        upload = berth.upload
        if not upload.complete:
            upload.gone = reason
        if berth.file is not None and berth.file.upload == upload.id and not upload.complete:
            berth.file.upload = None
        self.dock.space.release(upload.id)
        if berth.holder is not None:
            berth.holder.check()
        saved = self.save(upload)
        saved.add_done_callback(lambda done: self._drop(upload, done))
        return saved

    def _drop(self, upload: Upload, saved: asyncio.Future[None]) -> None:
        saved.exception()  # not recorded: the next start finds the part missing, or nobody's
        self._berths.pop(upload.id, None)
        self.drop(upload)

    def drop(self, upload: Upload) -> None:
        """Remove its part file; what cannot be removed now, the next start sweeps."""
        if not self.dock.closed:
            self.dock.run(self.dock.storage.drop_part, upload.id).add_done_callback(_dropped)

    def complete(self, berth: Berth) -> asyncio.Future[None]:
        """Its file is stored; from now on the journal tells of it."""
        berth.upload.complete = True
        self._free_parts(berth.upload)
        return self.retire(berth, "")

    def _free_parts(self, upload: Upload) -> None:
        """The partials it was made of are not needed any more; who joins them again is led to it."""
        for part in [self._berths[each] for each in dict.fromkeys(upload.parts) if each in self._berths]:
            if not part.upload.over:
                part.upload.final = upload.id
                self.retire(part, "joined")

    async def bury(self, upload: Upload) -> None:
        """After a restart: record what became of an upload that nobody can go on with."""
        found = await self._journal.read(partial(archive.stored_file, file_id=upload.file_id or ""))
        became = None if found is None else found[1]
        upload.complete = became == "completed" and upload.closed
        # A file may be stored although its upload has not got all of it: sent another way.
        known = {"completed": "replaced", "cancelled": "cancelled"}
        upload.gone = None if upload.complete else known.get(became or "", "lost")
        if upload.complete:
            self._free_parts(upload)
        await self.save(upload)

    # -- time

    def tick(self) -> None:
        now = self.dock.clock().mono
        for berth in self._turns.of(tuple(self._berths.values()), lambda berth: 1):
            self.look_after(berth)
            if berth.unfinished and berth.holder is None and now >= berth.again_at:
                self.on_closed(berth)

    def look_after(self, berth: Berth) -> None:
        """Retire what has nobody any more, or has expired."""
        upload = berth.upload
        idle = berth.holder is None and berth.finishing is None
        due = upload.expires_at is not None and self.dock.clock().mono >= upload.expires_at
        if upload.over:
            return
        if (reason := berth.forsaken) is not None:
            self.retire(berth, "expired" if due and reason == "cancelled" else reason)
        elif berth.file is None and idle and due:
            self.retire(berth, "expired")
        elif idle and berth.told_complete:
            self.complete(berth)  # recorded later than it was published

    def check(self, channel: Channel) -> None:
        """Have every upload of a session notice what became of its file."""
        for berth in [each for each in self._berths.values() if each.channel is channel]:
            self.look_after(berth)

    def restore(self, berths: Iterable[Berth]) -> None:
        """Take over what the last run left; what was closed is finished."""
        for berth in berths:
            self.add(berth)
            if berth.unfinished:
                self.on_closed(berth)


def _dropped(done: asyncio.Future[None]) -> None:
    if (error := done.exception()) is not None:
        log.warning("a part file could not be removed, the next start will: %s", error)
