"""The Station: holds everything and finds things; the one object that handlers receive. Decides nothing itself."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Any, Protocol

from station import recovery
from station.access import Access
from station.append import Append as Appending
from station.archive import picture_of
from station.berth import Berth
from station.channel import Channel
from station.clock import Clock
from station.codes import Codes
from station.config import Config
from station.creation import Creation
from station.dock import Dock
from station.errors import Problem, Refused
from station.finishing import finish_with
from station.formats import Formats
from station.hooks import Hooks
from station.hub import Hub
from station.journal import Journal, JournalFailed
from station.metering import listening
from station.monitor import Monitor
from station.orders import Orders
from station.resumption import Append, Create
from station.retention import Retention
from station.sessions import Sessions
from station.shelf import Shelf
from station.space import Space
from station.storage import Storage, Unusable
from station.tasks import Tasks
from station.token import signing_secret
from station.tries import Tries
from station.watch import Watch

log = logging.getLogger("upload_station")


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
        self.access, self.journal = self._opened()
        self.pin_tries, self.code_tries = Tries(), Tries()
        self.codes = Codes(secrets.randbelow)
        self.dock = Dock(
            config, clock, self.storage, Formats(config.allowed_types), new_id, Space(config.min_free_space)
        )
        self.retention = Retention(config, clock, self.journal, self.storage.root)
        self.journal.date = self.retention.date
        self.channels: dict[str, Channel] = {}
        self.sessions = Sessions(
            self.channels, config, clock, new_id, self.journal, self.hub, self.codes, self.retention.is_over
        )
        self.shelf = Shelf(self.dock, self.journal)
        finish_with(self.shelf, self.tasks)
        self.creation = Creation(self.shelf, self.sessions, config.max_sessions)
        self.orders = Orders(self.sessions.live, self.dock, self.shelf, self.journal, self.hub)
        self.watch = Watch(clock, self.channels.values, self.shelf)
        self.hooks = Hooks(config, clock, self.journal, self.hub, self.tasks, new_id)
        self.meters = listening(self.dock.meters, self.storage, self.journal, self.hub, self.watch.on_lag)
        self.monitor = Monitor(self, self.watch.on_lag, self.orders.on_deed)

    def _opened(self) -> tuple[Access, Journal]:
        """Who is let in, and what is remembered. The folder is let go of again if that cannot be."""
        pin, own, durable = self.config.upload_pin, self.storage.own, self.config.durability == "full"
        try:
            access = Access(pin, signing_secret(own) if pin else "")
            return access, Journal(own / "journal.db", own / "witness", durable=durable, new_epoch=self.new_id)
        except BaseException as error:
            self.storage.close()
            where = self.config.upload_dir
            if isinstance(error, Refused):  # a journal that is not for this station
                raise Unusable(f"cannot use {where}: {error.problem.details}") from error
            if isinstance(error, OSError):
                raise Unusable(f"cannot use {where}: {error.strerror}") from error
            raise

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
            channel = self.sessions.add(session, picture, kept.opened_at)
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
        await self.retention.begin()
        await self.monitor.start(self.tasks)
        await self.orders.finish_deletions()
        self.tasks.start(self.watch.run(), "watch")
        self.tasks.start(self.retention.run(), "retention")

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
        self.stopping = self.sessions.closed = True
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
