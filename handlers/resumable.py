"""Resumable uploads: tus and the IETF draft on one resource. The protocols decide, purely; this carries it out."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus

from handlers.access import admit_upload
from handlers.base import verb
from handlers.speaking import Speaking
from handlers.uploads import session_named
from station.append import BROKEN
from station.append import Append as Appending
from station.berth import Berth
from station.errors import Problem, Refused
from station.file import Status
from station.journal import JournalFailed
from station.resumption import (
    Answer,
    Append,
    Create,
    Describe,
    Kind,
    Remove,
    Tell,
)
from station.station import Station

# An allow-list: what is looked up by this name is a method of this object. The answer to what was sent as a POST
# may have a body, so HEAD is taken as the GET that says the same.
_OVERRIDDEN = {name: name for name in ("PATCH", "DELETE", "PUT", "POST", "GET", "OPTIONS")} | {"HEAD": "GET"}


class Resumable(Speaking):
    """`/files/` and `/files/<id>`."""

    def initialize(self, station: Station) -> None:
        super().initialize(station)
        self._append: Appending | None = None
        self._lull: Problem | None = BROKEN
        self._ending = self._left = self._replay = False

    async def prepare(self) -> None:
        override = self.request.headers.get("X-HTTP-Method-Override", "").upper()
        if override in _OVERRIDDEN:
            self.request.method = _OVERRIDDEN[override]
        await super().prepare()

    async def decide(self) -> None:
        self.protocol = self.spoken()
        if self.station.stopping:
            raise Refused("TOO_MANY_CONNECTIONS", retry_after=30)
        if self.ask.fields.get("content-encoding", "identity") != "identity":
            raise Refused("VALIDATION_ERROR", "a compressed body is not taken")
        self.wish = self.protocol.understand(self.ask)
        if isinstance(self.wish, Create):
            await self._create(self.wish)
        elif isinstance(self.wish, Append):
            await self._add(self.wish)

    # -- before the body

    async def _create(self, wish: Create) -> None:
        told = wish.told
        session_id = session_named(self, told.get("sessionId"))
        await admit_upload(self, session_id, joins=wish.kind is not Kind.PARTIAL)
        category = self.get_query_argument("category", None) or told.get("category") or None
        if "fileId" not in told and (file_id := self.get_query_argument("fileId", None)):
            # The draft has no metadata. Without the id, whoever lost the answer to a creation makes a second file.
            wish = replace(wish, told={**told, "fileId": file_id})
        self.berth = berth = await self.station.creation.create(wish, session_id, category)
        if wish.kind is Kind.FINAL:
            return
        if self.ask.has_content:
            self.say_interim(first=True)
        if (wish.takes_content and (self.ask.has_content or wish.last)) or wish.length == 0:
            try:
                self._open(berth, wish)
            except Refused as refused:
                if not self.told_where:
                    self.station.creation.undo(berth, refused.problem)
                raise

    async def _add(self, wish: Append) -> None:
        berth = self.berth = await self.station.shelf.find(self.path_args[0])
        await berth.free()
        try:
            self._replay = not self.protocol.allow(wish, self.ask, self.standing())
        except Refused as refused:
            if wish.last is not None and refused.problem.code == "LENGTH_MISMATCH" and not berth.upload.over:
                await self._spoil(berth, wish, refused.problem)
            raise
        if self._replay:
            return
        if berth.upload.over:
            raise Refused("UPLOAD_ALREADY_COMPLETED")
        self._open(berth, wish)

    async def _spoil(self, berth: Berth, wish: Append, problem: Problem) -> None:
        """By the draft, an append that would pass the length ends the upload, whether its bytes come or not."""
        length = berth.upload.length
        if length is not None and wish.offset + (self.ask.content_length or 0) > length:
            append = self.station.append(berth, wish)
            append.open(0)
            append.lose(problem)
            await append.released.wait()

    def _open(self, berth: Berth, wish: Append | Create) -> None:
        if self._left:
            raise Refused("NETWORK_ERROR")  # the client left while the upload was being looked up
        append = self.station.append(berth, wish, keeps=isinstance(wish, Append) or self.told_where)
        append.open(None if self.ask.chunked else self.ask.content_length or 0)
        append.on_over = self._ended_by_others
        append.on_moved = self.say_interim
        self._append = append

    # -- the body

    async def take(self, chunk: bytes) -> None:
        if self._replay:
            by_tus = isinstance(self.wish, Append) and self.wish.last is None
            raise Refused("FILE_SIZE_EXCEEDED" if by_tus else "LENGTH_MISMATCH", "the upload is complete")
        if self._append is None:
            await super().take(chunk)
            return
        await self._append.feed(chunk)
        if self._append.problem is not None:
            raise self._append.problem.refusal()

    def _ended_by_others(self) -> None:
        """A newer request, a pause, a cancel or a fault of the disk ended it, perhaps while its body stands still."""
        append = self._append
        if append is None or self._ending:
            return
        if append.problem is not None:
            self.latch(append.problem)
        elif append.paused:
            self.latch(Problem("UPLOAD_LOCKED", "paused"))
            self._hang_up()
        else:
            self.request.connection.stream.close()  # type: ignore[union-attr]

    # -- the answer

    @verb
    async def _serve(self, *_: str) -> None:
        match self.wish:
            case Describe():
                self.describe()
            case Tell():
                await self._look()
                self.send(self.told())
            case Remove():
                await self._remove()
            case Create():
                await self._end()
                await self._answer(self.protocol.created(self.standing()))
            case Append():
                await self._end()
                await self._answer(self.protocol.appended(self.standing()))

    get = head = post = put = patch = delete = _serve
    options = _serve  # type: ignore[assignment]

    async def _look(self) -> None:
        """Where the upload stands: as an offset equal to the length means that it is stored, it has to be."""
        berth = self.berth = await self.station.shelf.find(self.path_args[0])
        if berth.upload.kind is Kind.FINAL and not berth.upload.over:
            return  # its offset is told once it is whole
        if berth.upload.final is not None:
            return  # joined: who lost the answer to that looks here first, and would send everything again
        await berth.free()
        if berth.unfinished and self.station.clock().mono >= berth.asked_from:
            self.station.shelf.on_closed(berth)
            await berth.free()
        berth.demand_told()

    async def _remove(self) -> None:
        berth = self.berth = await self.station.shelf.find(self.path_args[0])
        if berth.finishing is None:
            await berth.free()
        elif berth.file is not None and (berth.file.sealed or berth.file.status is Status.COMPLETED):
            await asyncio.wait([berth.finishing])  # it is too late to cancel it
        await self.station.orders.remove(berth, stored_too=self.station.config.delete_by_uploader)
        self.send(self.protocol.removed())

    async def _end(self) -> None:
        """All content of the request is here: make it safe, and if nothing is missing, have it stored."""
        berth, append = self.berth, self._append
        self._ending = True
        if append is not None:
            await append.end(whole=True)
            if append.problem is not None:
                raise append.problem.refusal()
        if berth is None:
            return
        if berth.finishing is not None:
            await asyncio.wait([berth.finishing])
        if berth.upload.gone is not None:
            raise (berth.problem or Problem("UPLOAD_GONE", berth.upload.gone)).refusal()
        berth.demand_told()

    async def _answer(self, answer: Answer) -> None:
        upload = self.berth.upload if self.berth is not None else None
        if upload is not None and upload.session_id is not None and isinstance(self.wish, Create):
            page = f"{self.request.protocol}://{self.request.host}/s/{upload.session_id}"
            self.set_header("Link", f'<{page}>; rel="related"; title="upload session"')
            # Of two visitors who add a file of the same name and size, each has to know which one is its own.
            self.set_header("X-File-Id", upload.file_id or "")
        body = None
        if upload is not None and upload.complete and answer.status != HTTPStatus.NO_CONTENT:
            body = await self.snapshot(upload.session_id, upload.file_id)
        self.send(answer, body)

    # -- the end

    def instead(self) -> Answer | None:
        """A pause is told kindly: so much is safe."""
        if self._append is None or not self._append.paused or self._append.problem is not None:
            return None
        told = self.protocol.appended if isinstance(self.wish, Append) else self.protocol.created
        return told(self.standing())

    def interrupt(self, problem: Problem) -> None:
        """The body stands still, or the station stops: what came is kept, and goes on later."""
        if self._ending:
            return
        if problem.code != "REQUEST_TIMEOUT":
            self._lull, problem = None, Problem("TOO_MANY_CONNECTIONS", "the station is shutting down", 5)
        super().interrupt(problem)

    async def conclude(self) -> None:
        """A problem is answered once what it means for the session is recorded."""
        if self._append is not None:
            await self._append.end(whole=False, lull=self._lull)
        if self.berth is not None and self.berth.channel is not None:
            with suppress(JournalFailed):  # then nobody is told of it yet; the journal is tried again
                await self.berth.channel.committed()

    def release(self) -> None:
        """The connection is gone, or the answer is out. A request that is ending has all its bytes and goes on."""
        self._left = True
        if self._append is not None and not self._ending:
            self._append.cut(self._lull)
