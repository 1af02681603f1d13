"""Making an upload resource: finds its session and file, decides what can be before the first byte, records it."""

from __future__ import annotations

import asyncio
import math
import mimetypes
from collections.abc import Mapping
from contextlib import suppress

from station.berth import Berth
from station.channel import Channel
from station.claim import claim, unnamed
from station.dock import problem_of
from station.errors import Problem, Refused
from station.file import File, Status
from station.intake import Finder
from station.joining import made_of, partials
from station.journal import JournalFailed
from station.names import extension, shown_name
from station.resumption import Create, Kind
from station.shelf import Shelf
from station.upload import Upload


class Creation:
    """`room`: how many uploads may be kept at a time."""

    def __init__(self, shelf: Shelf, sessions: Finder, room: int) -> None:
        self._shelf, self._dock, self._sessions = shelf, shelf.dock, sessions
        self._room = room
        self._joining = asyncio.Lock()

    async def create(self, wish: Create, session_id: str | None, category: str | None) -> Berth:
        """Raises Refused; a refusal of a file of a known session is told there, too."""
        if len(self._shelf) >= self._room:
            raise Refused("TOO_MANY_CONNECTIONS", retry_after=30)
        if wish.kind is Kind.PARTIAL:
            return await self._recorded(Berth(self._upload(wish)))
        if wish.kind is Kind.FINAL:
            return await self._final(wish, session_id, category)
        return await self._whole(wish, self._upload(wish), session_id, category)

    def _upload(self, wish: Create) -> Upload:
        expires_at = self._dock.clock().mono + self._dock.config.upload_expiry
        return Upload(
            self._dock.new_id(),
            length=wish.length,
            kind=wish.kind,
            name=name_of(wish.told),
            metadata=wish.metadata,
            concat=wish.concat,
            parts=wish.parts,
            checks=wish.checks,
            expires_at=expires_at,
        )

    async def _final(self, wish: Create, session_id: str | None, category: str | None) -> Berth:
        async with self._joining:  # the same request twice at once must not make two files
            for known in await self._joined(wish.parts, session_id):
                return known
            parts = await partials(self._shelf, wish.parts)
            upload = self._upload(wish)
            upload.length = sum(part.upload.offset for part in parts)
            berth = await self._whole(wish, upload, session_id, category)
            self._shelf.on_closed(berth)
            return berth

    async def _joined(self, ids: tuple[str, ...], session_id: str | None) -> list[Berth]:
        """The final upload that the same partials made already: the answer to an earlier request was lost."""
        found = self._shelf.finals()
        with suppress(Refused):
            parts = [await self._shelf.find(each) for each in ids]
            final = made_of(parts)
            found += [] if final is None else [await self._shelf.find(final)]
        same = [berth for berth in found if berth.upload.parts == ids]
        return [berth for berth in same if session_id in (None, berth.upload.session_id)]

    async def _whole(self, wish: Create, upload: Upload, session_id: str | None, category: str | None) -> Berth:
        problem = unnamed(_file_id(wish)) if session_id is None else None
        problem = problem or self._dock.judge(upload.name, upload.length)
        problem = problem or self._dock.shortage(upload.id, upload.length)
        if session_id is None and problem is not None:
            raise problem.refusal()
        try:
            return await self._in_session(wish, upload, session_id, category, problem)
        except Refused:
            self._dock.space.release(upload.id)
            raise

    async def _in_session(
        self, wish: Create, upload: Upload, session_id: str | None, category: str | None, problem: Problem | None
    ) -> Berth:
        sessions = self._sessions
        channel = await (sessions.open_implicit(category) if session_id is None else sessions.live(session_id))
        channel.session.request_began(self._dock.clock())
        try:
            file = self._claim(channel, upload, wish, problem)
            return await self._recorded(Berth(upload, channel, file))
        finally:
            channel.session.request_ended(self._dock.clock())
            with suppress(JournalFailed):  # then it is refused for another reason, or was recorded before
                await channel.committed()

    def _claim(self, channel: Channel, upload: Upload, wish: Create, problem: Problem | None) -> File:
        session, moment = channel.session, self._dock.clock()
        try:
            named = _file_id(wish) or self._made_before(channel, wish)
            file = claim(session, self._dock.new_id(), upload.name, upload.length, named, moment, problem)
            file.way = wish.way
            if problem is not None:
                session.refuse(file, problem, moment)
                raise problem.refusal()
        finally:
            channel.flush()
            self._dock.check()
            self._shelf.check(channel)
        file.upload, file.expires_at, file.limited = upload.id, upload.expires_at, False
        if file.announced is not None and upload.length is None and upload.kind is Kind.WHOLE:
            file.size = file.announced
        upload.session_id, upload.file_id, upload.name = session.id, file.id, file.name
        return file

    def _made_before(self, channel: Channel, wish: Create) -> str | None:
        """The file that the same request made, if its sender marked it: the answer to that was lost."""
        if not wish.told.get("idempotencyKey"):
            return None
        made = (self._shelf.of_file(file) for file in channel.session.files.values())
        same = (berth.upload for berth in made if berth is not None and berth.upload.metadata == wish.metadata)
        return next((upload.file_id for upload in same), None)

    async def _recorded(self, berth: Berth) -> Berth:
        """The upload exists once it is recorded and its part file is there. Raises Refused if that fails."""
        upload, channel, file = berth.upload, berth.channel, berth.file
        if channel is None:
            self._dock.admit(upload.id, upload.length)
        berth.again_at = math.inf  # a final is unfinished from the start, and has no part to join into yet
        self._shelf.add(berth)
        try:
            await self._make(berth)
        except (OSError, JournalFailed) as error:
            problem = error.problem if isinstance(error, JournalFailed) else problem_of(error)
            self.undo(berth, problem)
            raise problem.refusal() from error
        if (why := upload.gone or berth.forsaken) is not None:
            # Cancelled or claimed anew while it was made: its part may have come after it was dropped.
            self.undo(berth, Problem("UPLOAD_GONE", why))
            self._shelf.drop(upload)
            raise Refused("UPLOAD_GONE", why)
        berth.again_at = 0.0
        if channel is not None and file is not None:
            channel.session.let_go(file, self._dock.clock())
        return berth

    async def _make(self, berth: Berth) -> None:
        if berth.channel is not None and berth.file is not None:
            berth.channel.save(berth.file.id)
        making = [
            self._shelf.save(berth.upload),
            self._dock.run(self._dock.storage.make_part, berth.upload.id),
        ]
        await asyncio.wait(making)
        for each in making:
            each.exception()  # looked at, also that of the second one
        for each in making:
            each.result()
        if berth.channel is not None:
            await berth.channel.committed()

    def undo(self, berth: Berth, problem: Problem) -> None:
        """It comes to nothing. The file is touched only if it still is this upload's."""
        if berth.channel is not None and berth.file is not None and berth.forsaken is None:
            berth.file.upload = None
            if berth.file.claimed or berth.file.status is Status.PENDING:
                berth.channel.session.refuse(berth.file, problem, self._dock.clock())
        if not berth.upload.over:
            self._shelf.retire(berth, "failed")


def _file_id(wish: Create) -> str | None:
    return wish.told.get("fileId") or None


def name_of(told: Mapping[str, str]) -> str:
    """The file's name as the client told it; one without an extension gets that of its media type, if there is one."""
    name = shown_name(told.get("filename") or told.get("name") or "")
    if not extension(name):
        name += mimetypes.MimeTypes().guess_extension(told.get("filetype") or told.get("type") or "") or ""
    return name
