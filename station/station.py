"""The Station: holds everything and finds things; the one object that handlers receive. Decides nothing itself."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from station import archive, recovery, reporting
from station.access import Access
from station.append import Append as Appending
from station.archive import picture_of
from station.berth import Berth
from station.channel import Channel
from station.clock import Clock
from station.codes import Code, Codes
from station.config import Config
from station.creation import Creation
from station.dock import Dock
from station.errors import Problem, Refused
from station.finishing import finish_with
from station.formats import Formats
from station.hooks import Hooks
from station.hub import Hub
from station.journal import Journal, JournalFailed, recorded
from station.metering import listening
from station.monitor import Monitor
from station.orders import Orders
from station.picture import Picture
from station.resumption import Append, Create
from station.session import Session
from station.settling import Terms
from station.shelf import Shelf
from station.space import Space
from station.storage import Storage, Unusable
from station.tasks import Tasks
from station.token import signing_secret
from station.tries import Tries
from station.watch import Watch
from station.wire import Message

log = logging.getLogger("upload_station")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PAGE = 500  # events read from the journal at a time


class Socket(Protocol):
    """A WebSocket that is open."""

    @property
    def round_trip(self) -> float | None: ...

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Station:
    """Opens the folder and the journal and recovers; raises storage.Unusable if the folder cannot serve.

    Made and used in the thread of the running loop. `start` begins to watch the time; `stop` ends what runs.
    """

    def __init__(self, config: Config, clock: Clock, new_id: Callable[[], str]) -> None:
        self.config, self.clock, self.new_id = config, clock, new_id
        self.hub = Hub()
        self.tasks = Tasks()
        self.started_at = clock().mono
        self.stopping = False
        self.sockets: set[Socket] = set()
        self.storage = Storage(config.upload_dir, config.categories, durable=config.durability == "full")
        try:
            self.access = Access(config.upload_pin, signing_secret(self.storage.own) if config.upload_pin else "")
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
            if isinstance(error, OSError):
                raise Unusable(f"cannot use {config.upload_dir}: {error.strerror}") from error
            raise
        self.pin_tries, self.code_tries = Tries(), Tries()
        self.codes = Codes(secrets.randbelow)
        self.dock = Dock(
            config, clock, self.storage, Formats(config.allowed_types), new_id, Space(config.min_free_space)
        )
        self.channels: dict[str, Channel] = {}
        self.shelf = Shelf(self.dock, self.journal)
        finish_with(self.shelf, self.tasks)
        self.creation = Creation(self.shelf, self, config.max_sessions)
        self.orders = Orders(self.live, self.dock, self.shelf, self.journal, self.hub)
        self.watch = Watch(clock, self.channels.values, self.shelf)
        self.hooks = Hooks(config, clock, self.journal, self.hub, self.tasks, new_id)
        self.meters = listening(self.dock.meters, self.storage, self.journal, self.hub, self.watch.on_lag)
        self.monitor = Monitor(self, self.watch.on_lag, self.orders.on_deed)

    def append(self, berth: Berth, wish: Append | Create, *, keeps: bool = True) -> Appending:
        """A request that adds to an upload; to be opened next. `keeps`: who sends it knows where the upload is."""
        return Appending(self.shelf, self.tasks, berth, wish.length, wish.last, wish.checks, keeps=keeps)

    async def start(self) -> None:
        """Recover what was left, then watch the time. Nobody may be served before."""
        steady = await recovery.steady_moment(self.journal, self.clock())
        uploads = await recovery.kept_uploads(self.journal, steady)
        berths: list[Berth] = []
        async for kept, session in recovery.kept_sessions(self.journal, self.config, steady):
            picture = picture_of(kept, self.config.language, self.journal.epoch)
            channel = self._add(session, picture, kept.opened_at)
            berths += recovery.recover(channel, self.storage, uploads, self.clock())
            channel.flush()
        try:
            for channel in tuple(self.channels.values()):
                await channel.committed()
        except JournalFailed as failure:
            raise Unusable("cannot record what the last run left; is the disk full?") from failure
        berths += recovery.partials(uploads, self.storage)
        self.shelf.restore(berths)
        await recovery.forget(uploads, berths, self.shelf)
        recovery.sweep(self.storage, [channel.session for channel in self.channels.values()], berths)
        await self.hooks.start(self.watch.on_lag, self.orders.on_deed)
        await self.monitor.start(self.tasks)
        await self.orders.finish_deletions()
        self.tasks.start(self.watch.run(), "watch")

    # -- sessions

    async def open_session(
        self, category: str | None, terms: Terms, announced: Sequence[tuple[str, int | None]] = ()
    ) -> Channel:
        """Open and record a session. Raises VALIDATION_ERROR, TOO_MANY_FILES, TOO_MANY_CONNECTIONS, SERVER_ERROR."""
        category = self.config.categories[0] if category is None else category
        if category not in self.config.categories:
            raise Refused("VALIDATION_ERROR", f"category must be one of: {', '.join(self.config.categories)}")
        if len(self.channels) >= self.config.max_sessions or self.stopping or self._is_crowded(len(announced)):
            raise Refused("TOO_MANY_CONNECTIONS", retry_after=30)
        moment = self.clock()
        session = Session(self.new_id(), category, self.config, moment, terms)
        picture = Picture(session.id, category, self.config.language, self.journal.epoch, terms.expected)
        picture.updated = moment.stamp
        for name, size in announced:
            file = session.announce(self.new_id(), name, size)
            picture.announce(file.id, file.name, file.size)
        channel = self._add(session, picture, self.journal.date(moment.wall))
        channel.save(*session.files)
        try:
            await recorded(channel.committed())
        except Refused:
            del self.channels[session.id]
            raise
        reporting.opened(session.id, category, implicit=terms.implicit)
        return channel

    def _is_crowded(self, announced: int) -> bool:
        """A few thousand names a second cost nothing to send, but memory and the journal's room to keep."""
        files = sum(len(channel.session.files) for channel in self.channels.values())
        return announced > 0 and files + announced > self.config.max_open_files

    def _add(self, session: Session, picture: Picture, opened_at: float) -> Channel:
        channel = Channel(session, picture, self.journal, self.hub, self.clock, self._over, opened_at)
        self.channels[session.id] = channel
        return channel

    def _over(self, channel: Channel) -> None:
        """A settled session leaves memory; from now on the journal tells of it."""
        self.channels.pop(channel.session.id, None)
        self.hub.drop(channel.session.id)
        self.codes.forget(channel.session.id)

    async def open_implicit(self, category: str | None) -> Channel:
        return await self.open_session(category, Terms(implicit=True))

    async def live(self, session_id: str) -> Channel:
        """The session, if it is still open. Raises SESSION_NOT_FOUND, SESSION_CLOSED."""
        channel = self.channels.get(session_id)
        if channel is None:
            await self._kept(session_id)
            raise Refused("SESSION_CLOSED")
        return channel

    async def hand_over(self, session_id: str) -> Code:
        """Its short code, for a screen on which others are to join it. Raises SESSION_NOT_FOUND, SESSION_CLOSED."""
        channel, moment = await self.live(session_id), self.clock()
        if channel.session.settled:  # and about to be told so
            raise Refused("SESSION_CLOSED")
        channel.session.touch(moment)
        code = self.codes.keep(session_id, moment.mono)
        if code.made_at == moment.mono:
            channel.save()  # a restart, too, is to know that it was looked after; every few minutes is enough
        return code

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
        if kept is None or self.monitor.retention.is_over(kept.settled_at):
            raise Refused("SESSION_NOT_FOUND")
        return kept

    async def missed(self, session_id: str, after: int, upto: int) -> list[Message]:
        """Lifecycle messages above `after` up to `upto`, at most PAGE of them."""
        return await self.journal.read(lambda connection: archive.missed(connection, session_id, after, upto, PAGE))

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
        if not await self.dock.emptied_within(patience):
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
