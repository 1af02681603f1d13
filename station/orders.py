"""What clients and the operator may order: cancel, complete, pause, resume, remove. Done once it is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from station.berth import PATIENCE, Berth
from station.channel import Channel
from station.deletion import Deed, Deletion
from station.dock import Dock
from station.errors import Refused
from station.file import File, Status
from station.hub import Hub
from station.journal import Journal, recorded
from station.shelf import Shelf


class Orders:
    """`live` finds an open session, or raises SESSION_NOT_FOUND or SESSION_CLOSED."""

    def __init__(
        self, live: Callable[[str], Awaitable[Channel]], dock: Dock, shelf: Shelf, journal: Journal, hub: Hub
    ) -> None:
        self._live, self._dock, self._shelf = live, dock, shelf
        self._deletion = Deletion(live, dock, journal, hub)

    @property
    def on_deed(self) -> list[Deed]:
        """Hear of what was done to stored files, by name and data, once it is recorded. May not raise."""
        return self._deletion.on_deed

    async def cancel(self, session_id: str, file_id: str | None, reason: str) -> int:
        """Cancel a file or the session; returns how many files were, once that is recorded. Raises Refused."""
        channel = await self._live(session_id)
        await self._make_way(channel, file_id)
        session, moment = channel.session, self._dock.clock()
        count = session.cancel(reason, moment) if file_id is None else session.cancel_file(file_id, reason, moment)
        await self._carried_out(channel)
        return count

    async def _make_way(self, channel: Channel, file_id: str | None) -> None:
        """What came of uploads that run is counted before they are cancelled, if the disk lets it in time."""
        files = channel.session.files
        berths = [self._shelf.of_file(file) for file in (files.values() if file_id is None else [files.named(file_id)])]
        holders = [berth.holder for berth in berths if berth is not None and berth.holder is not None]
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(holder.give_way() for holder in holders))

    async def complete(self, session_id: str) -> int:
        """No more files will come; returns how many waiting files were cancelled. Raises Refused."""
        channel = await self._live(session_id)
        count = channel.session.close(self._dock.clock())
        channel.save()  # no event may tell of it
        await self._carried_out(channel)
        return count

    async def pause(self, session_id: str, file_id: str | None) -> None:
        """Rest a resumable file, or all that run. Raises NOT_RESUMABLE if one named, or all, cannot rest."""
        channel = await self._live(session_id)
        for file in channel.session.files.resumable(file_id, Status.UPLOADING):
            _demand_that_it_runs(file)
            berth = self._shelf.of_file(file)
            if berth is not None and berth.holder is not None:
                await berth.holder.pause()  # what came is counted first
            channel.session.pause(file.token, self._dock.clock())
        await self._carried_out(channel)

    async def resume(self, session_id: str, file_id: str | None) -> None:
        """The opposite of `pause`."""
        channel = await self._live(session_id)
        for file in channel.session.files.resumable(file_id, Status.PAUSED):
            _demand_that_it_runs(file)
            channel.session.resume(file, self._dock.clock())
        await self._carried_out(channel)

    async def remove(self, berth: Berth, *, stored_too: bool) -> None:
        """Forget an upload. An unfinished one is cancelled; the file of a finished one stays, unless `stored_too`."""
        upload, channel = berth.upload, berth.channel
        if channel is not None and berth.file is not None and not upload.complete:
            channel.session.cancel_file(berth.file.id, "user", self._dock.clock())
            await self._carried_out(channel)
        if upload.complete and stored_too and upload.file_id is not None:
            await self.delete_stored(upload.file_id, by="uploader")
        if upload.gone is None:
            upload.complete = False
            await recorded(self._shelf.retire(berth, "terminated"))

    async def _carried_out(self, channel: Channel) -> None:
        self._dock.check()
        self._shelf.check(channel)
        await recorded(channel.committed())

    async def delete_stored(self, file_id: str, by: str = "operator") -> None:
        """Delete a stored file. Raises FILE_NOT_FOUND, also for one that is not stored (any more)."""
        await self._deletion.delete(file_id, by)

    async def finish_deletions(self) -> None:
        """At the start, before anybody is served."""
        await self._deletion.finish()


def _demand_that_it_runs(file: File) -> None:
    if not file.in_flight:
        raise Refused("NOT_RESUMABLE", "it is not being sent")
