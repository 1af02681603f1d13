"""The Station: holds everything and finds things; the one object that handlers receive. Decides nothing itself."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from station import archive, recovery
from station.archive import picture_of
from station.channel import Channel
from station.clock import Clock
from station.config import Config
from station.dock import Dock
from station.errors import Problem, Refused
from station.file import Status
from station.formats import Formats
from station.hub import Hub
from station.journal import Journal, JournalFailed
from station.picture import Picture
from station.session import Session
from station.settling import Terms
from station.space import Space
from station.storage import Storage, Unusable
from station.tasks import Tasks
from station.watch import Watch
from station.wire import Message

log = logging.getLogger("upload_station")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PAGE = 500  # events read from the journal at a time


class Socket(Protocol):
    """A WebSocket that is open."""

    round_trip: float | None

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Station:
    """Opens the folder and the journal and recovers; raises storage.Unusable if the folder cannot serve.

    Made and used in the thread of the running loop. `start` begins to watch the time; `stop` ends what runs.
    """

    def __init__(self, config: Config, clock: Clock, new_id: Callable[[], str]) -> None:
        self.config = config
        self.clock = clock
        self.new_id = new_id
        self.hub = Hub()
        self.tasks = Tasks()
        self.started_at = clock().mono
        self.stopping = False
        self.sockets: set[Socket] = set()
        self.storage = Storage(config.upload_dir, config.categories, durable=config.durability == "full")
        try:
            self.journal = Journal(
                self.storage.own / "journal.db",
                self.storage.own / "witness",
                durable=config.durability == "full",
                new_epoch=new_id,
            )
        except BaseException as error:
            self.storage.close()
            if isinstance(error, Refused):  # a journal that is not for this station
                raise Unusable(f"cannot use {config.upload_dir}: {error.problem.details}") from error
            raise
        self.dock = Dock(
            config, clock, self.storage, Formats(config.allowed_types), new_id, Space(config.min_free_space)
        )
        self.channels: dict[str, Channel] = {}
        self.watch = Watch(config, clock, self.journal, self.channels.values)

    async def start(self) -> None:
        """Recover what was left, then watch the time. Nobody may be served before."""
        async for kept, session in recovery.kept_sessions(self.journal, self.config, self.clock()):
            picture = picture_of(kept, self.config.language, self.journal.epoch)
            channel = self._add(session, picture, kept.opened_at)
            recovery.recover(session, self.storage, self.clock())
            channel.flush()
        try:
            for channel in tuple(self.channels.values()):
                await channel.committed()
        except JournalFailed as failure:
            raise Unusable("cannot record what the last run left; is the disk full?") from failure
        recovery.sweep(self.storage, [channel.session for channel in self.channels.values()])
        self.tasks.start(self.watch.run(), "watch")

    # -- sessions

    async def open_session(
        self, category: str | None, terms: Terms, announced: Sequence[tuple[str, int | None]] = ()
    ) -> Channel:
        """Open and record a session. Raises VALIDATION_ERROR, TOO_MANY_FILES, TOO_MANY_CONNECTIONS, SERVER_ERROR."""
        category = self.config.categories[0] if category is None else category
        if category not in self.config.categories:
            raise Refused("VALIDATION_ERROR", f"category must be one of: {', '.join(self.config.categories)}")
        if len(self.channels) >= self.config.max_sessions or self.stopping:
            raise Refused("TOO_MANY_CONNECTIONS", retry_after=30)
        moment = self.clock()
        session = Session(self.new_id(), category, self.config, moment, terms)
        picture = Picture(session.id, category, self.config.language, self.journal.epoch, terms.expected)
        picture.updated = moment.stamp
        for name, size in announced:
            file = session.announce(self.new_id(), name, size)
            picture.announce(file.id, file.name, file.size)
        channel = self._add(session, picture, moment.wall)
        channel.save(*session.files)
        try:
            await channel.committed()
        except JournalFailed as failure:
            del self.channels[session.id]
            raise failure.problem.refusal() from failure
        return channel

    def _add(self, session: Session, picture: Picture, opened_at: float) -> Channel:
        channel = Channel(session, picture, self.journal, self.hub, self.clock, self._over, opened_at)
        self.channels[session.id] = channel
        return channel

    def _over(self, channel: Channel) -> None:
        """A settled session leaves memory; from now on the journal tells of it."""
        self.channels.pop(channel.session.id, None)
        self.hub.drop(channel.session.id)

    async def open_implicit(self, category: str | None) -> Channel:
        return await self.open_session(category, Terms(implicit=True))

    async def live(self, session_id: str) -> Channel:
        """The session, if it is still open. Raises SESSION_NOT_FOUND, SESSION_CLOSED."""
        channel = self.channels.get(session_id)
        if channel is None:
            await self._kept(session_id)
            raise Refused("SESSION_CLOSED")
        return channel

    async def picture(self, session_id: str) -> Picture:
        """What has been told of a session, live or over, up to this moment. Raises SESSION_NOT_FOUND."""
        channel = self.channels.get(session_id)
        if channel is not None:
            channel.refresh()
            return channel.picture
        return picture_of(await self._kept(session_id), self.config.language, self.journal.epoch)

    async def _kept(self, session_id: str) -> archive.KeptSession:
        # An impossible id gets the same answer as an unknown one.
        kept = None
        if _ID.fullmatch(session_id):
            kept = await self.journal.read(lambda connection: archive.session(connection, session_id))
        if kept is None:
            raise Refused("SESSION_NOT_FOUND")
        return kept

    async def missed(self, session_id: str, after: int, upto: int) -> list[Message]:
        """Lifecycle messages above `after` up to `upto`, at most PAGE of them."""
        return await self.journal.read(lambda connection: archive.missed(connection, session_id, after, upto, PAGE))

    # -- commands

    async def cancel(self, session_id: str, file_id: str | None, reason: str) -> int:
        """Cancel a file or the session; returns how many files were, once that is recorded. Raises Refused."""
        channel = await self.live(session_id)
        session, moment = channel.session, self.clock()
        count = session.cancel(reason, moment) if file_id is None else session.cancel_file(file_id, reason, moment)
        await self._carried_out(channel)
        return count

    async def complete(self, session_id: str) -> int:
        """No more files will come; returns how many waiting files were cancelled. Raises Refused."""
        channel = await self.live(session_id)
        count = channel.session.close(self.clock())
        channel.save()  # no event may tell of it
        await self._carried_out(channel)
        return count

    async def pause(self, session_id: str, file_id: str | None) -> None:
        """Rest a resumable file, or all that run. Raises NOT_RESUMABLE if one named, or all, cannot rest."""
        channel = await self.live(session_id)
        for file in channel.session.files.resumable(file_id, Status.UPLOADING):
            channel.session.pause(file.token, self.clock())
        channel.flush()

    async def resume(self, session_id: str, file_id: str | None) -> None:
        """The opposite of `pause`."""
        channel = await self.live(session_id)
        for file in channel.session.files.resumable(file_id, Status.PAUSED):
            channel.session.resume(file, self.clock())
        channel.flush()

    async def _carried_out(self, channel: Channel) -> None:
        self.dock.check()
        try:
            await channel.committed()
        except JournalFailed as failure:
            raise failure.problem.refusal() from failure

    async def delete_stored(self, file_id: str) -> None:
        """Delete a stored file. Raises FILE_NOT_FOUND, also for one that is not stored (any more)."""
        found = await self.journal.read(lambda connection: archive.stored_file(connection, file_id))
        if found is None or found[1] != "completed" or found[2] is None:
            raise Refused("FILE_NOT_FOUND")
        category, name = found[2].split("/")[2:4]
        if not await self.dock.run(self.storage.delete_stored, category, name):
            raise Refused("FILE_NOT_FOUND")
        try:
            await self.journal.change(lambda connection: archive.forget_path(connection, file_id))
        except JournalFailed as failure:
            raise failure.problem.refusal() from failure

    # -- the whole

    def health(self) -> dict[str, Any]:
        """Whether it serves: not while stopping, nor without room, nor when nothing can be recorded."""
        moment, space = self.clock(), self.storage.space()
        well = not self.stopping and not self.journal.failing and space.free >= self.config.min_free_space
        return {
            "status": "ok" if well else "unavailable",
            "timestamp": moment.stamp,
            "uptime": round(moment.mono - self.started_at, 3),
            "disk": {"free": space.free, "total": space.total},
        }

    async def end_attempts(self, patience: float) -> None:
        """The station stops: what is being sent ends by the rules; what is being published may finish."""
        self.stopping = True
        self.watch.interrupt_all(Problem("SERVER_ERROR", "the station is shutting down"))
        try:
            await asyncio.wait_for(self.dock.emptied(), patience)
        except TimeoutError:
            log.warning("stopping although uploads are still being published; the next start completes them")
        # Whoever watches is to hear how each of them ended, before anything is closed.
        told = [channel.committed() for channel in self.channels.values()]
        await asyncio.gather(*told, return_exceptions=True)

    async def stop(self) -> None:
        """Record and tell what is left to say, then close everything. Bytes in flight are dropped."""
        await self.tasks.stop()
        for channel in tuple(self.channels.values()):
            channel.flush()
        waiting = [channel.committed() for channel in self.channels.values()]
        await asyncio.gather(*waiting, return_exceptions=True)
        await self.dock.close()
        self.journal.close()
        self.storage.close()
