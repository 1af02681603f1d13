"""How the station does, for the person who runs it: measured all the time, told while somebody watches."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any, Protocol

from station import census, history
from station.channel import Channel
from station.chronicle import Chronicle, dated
from station.clock import Clock, rfc3339
from station.config import Config
from station.deletion import MONITOR, Deed
from station.earlier import Earlier
from station.events import Event
from station.hub import Hub
from station.indicators import Measured, drawn
from station.journal import Journal
from station.meters import Meters
from station.pulse import BEAT, Gauges, Pulse
from station.rates import DAY, Rates
from station.running import Running
from station.series import Sample
from station.storage import Storage
from station.tasks import Tasks
from station.vitals import Vitals
from station.wire import Message, text_of

_WRITE_EVERY = 6  # samples in one commit
_TELLING = 10_000_000  # bytes in an hour from which their speed says something: small files are slow by nature
_FRESH = 2.0  # seconds that what was counted in the journal holds good; 100,000 files take 13 ms, beside the loop


class Trip(Protocol):
    @property
    def round_trip(self) -> float | None: ...


class Letters(Protocol):
    on_letter: list[Callable[[], None]]

    def counts(self) -> dict[tuple[str, str], int]: ...


class House(Protocol):
    """What of the station is looked at."""

    config: Config
    clock: Clock
    hub: Hub
    journal: Journal
    storage: Storage
    channels: dict[str, Channel]
    meters: Meters
    started_at: float

    @property
    def sockets(self) -> Iterable[Trip]: ...

    @property
    def hooks(self) -> Letters: ...

    def health(self) -> dict[str, Any]: ...


class Monitor:
    """`on_lag`, `on_deed`: where it can hear of the event loop's delays, and of what was done to stored files."""

    def __init__(self, house: House, on_lag: list[Callable[[float], None]], on_deed: list[Deed]) -> None:
        self._house, self._clock = house, house.clock
        self.version = ""
        """Given by whoever knows it."""
        self._letters: Mapping[str, int] = {"dead": 0, "waiting": 0}
        self.changes = 0
        """Grows with all that a list may show: events, deeds, letters."""
        self.vitals = Vitals()
        self.running = Running(house.channels, house.hub, house.clock)
        self.chronicle = Chronicle(house.journal, house.clock, house.channels, self.running, house.config.language)
        self._rates, self._earlier = Rates(self.running.waits), Earlier(house.journal, house.clock)
        gauges = Gauges(
            lambda: house.meters.received, lambda: house.meters.reconnects, self.running.uploads, self._count_watchers
        )
        self.pulse = Pulse(gauges, house.clock().mono, self._sampled)
        self._unwritten: list[Sample] = []
        self._stored, self._counted_at, self._counted_changes = (0, 0), -math.inf, -1
        house.hub.on_told.append(self.told)
        on_lag.append(self.pulse.lagged)
        on_deed.append(self.changed)
        house.hooks.on_letter.append(self.changed)

    # -- what happens

    def told(self, event: Event, message: Message) -> None:
        """A lifecycle event is recorded."""
        self.changes += 1
        self._rates.told(event, self._clock().mono)

    def changed(self, *what: object) -> None:
        """A stored file was deleted; a letter died, or was taken up again, perhaps both between two overviews."""
        self.changes += 1

    def watchers(self) -> dict[str, int]:
        """Those who watch a session, by transport; not the operators, whatever they have open."""
        counted = self._house.hub.transports(besides=MONITOR)
        return {transport: counted[transport] for transport in ("websocket", "sse", "polling")}

    def _count_watchers(self) -> int:
        return sum(self.watchers().values())

    def _sampled(self, sample: Sample) -> None:
        self.vitals.read()
        self.chronicle.add(sample)
        self._unwritten.append(sample)
        if len(self._unwritten) >= _WRITE_EVERY:
            self._write()

    def _write(self) -> None:
        samples, self._unwritten = dated(self._unwritten, self._clock()), []
        if samples:
            written = self._house.journal.change(lambda journal: history.write_samples(journal, samples))
            written.add_done_callback(lambda done: done.cancelled() or done.exception())  # a chart has a gap then

    # -- all the time

    async def start(self, tasks: Tasks) -> None:
        """Before anybody is served."""
        self._rates = Rates(self.running.waits)  # the journal has also what was told while the station recovered
        self._rates.recall(*await self._earlier.begin())
        self.changes = await self._house.journal.read(history.newest_numbers)
        await self._count()
        tasks.start(self.run(), "monitor")

    async def run(self) -> None:
        try:
            while True:
                # By the monotonic clock: each look falls into its sample, however long the last one took.
                await asyncio.sleep(BEAT - self._clock().mono % BEAT)
                await self.beat()
        finally:
            self._write()  # the journal is closed after us

    async def beat(self) -> None:
        self.pulse.beat(self._clock().mono)
        if found := await self._earlier.anew():
            self._rates.recall(*found)
        if self._house.hub.count(MONITOR):
            await self._count_if_due()
            self._house.hub.publish(MONITOR, self.message("monitor-update"))

    async def _count_if_due(self) -> None:
        """What is stored is counted anew, if that may have changed, and not all the time."""
        if self.changes != self._counted_changes and self._clock().mono - self._counted_at >= _FRESH:
            await self._count()

    async def _count(self) -> None:
        self._counted_at, self._counted_changes = self._clock().mono, self.changes
        self._stored = await self._house.journal.read(census.stored)

    # -- what is told

    async def look(self) -> dict[str, Any]:
        """The overview, for who asks once."""
        await self._count_if_due()
        return self.overview()

    def message(self, event: str) -> Message:
        """A newer one takes the place of one that still waits."""
        return Message(text_of(event, self.overview()), event, 0, key=MONITOR)

    def overview(self) -> dict[str, Any]:
        house, moment, health = self._house, self._clock(), self._house.health()
        letters = self._count_letters()
        measured = self.measured(health["disk"]["free"])
        return {
            "status": health["status"],
            "version": self.version,
            "startedAt": rfc3339(moment.wall - (moment.mono - house.started_at)),
            "uptime": round(moment.mono - house.started_at, 3),
            "timestamp": moment.stamp,
            "indicators": drawn(measured),
            "disk": {
                **health["disk"],
                "perDay": self._rates.per_day(moment.mono)[1],
                "lasts": None if measured["disk"].value is None else round(measured["disk"].value),
            },
            "now": {
                "throughput": round(self.pulse.throughput),
                "uploads": self.pulse.uploads,
                "sessions": len(house.channels),
                "sessionsWithFiles": self.running.with_files(),
                "delay": round(self.pulse.delay, 4),
                "watchers": self.watchers(),
            },
            "process": {"memory": self.vitals.latest.own_memory, "cpu": self.vitals.latest.own_cpu},
            "stored": {"files": self._stored[0], "bytes": self._stored[1]},
            "sessions": self.running.rows(),
            "letters": letters,
            "changes": self.changes,
        }

    def _count_letters(self) -> Mapping[str, int]:
        """What is still to be told to other programs, and what could not be."""
        counts = self._house.hooks.counts()
        letters = {wish: sum(n for (_, state), n in counts.items() if state == wish) for wish in ("dead", "waiting")}
        if letters != self._letters:
            self._letters = letters
            self.changes += 1
        return letters

    def measured(self, free: int) -> dict[str, Measured]:
        """The indicators' values. `free`: bytes on the disk."""
        now = self._clock().mono
        trips = [trip for socket in self._house.sockets if (trip := socket.round_trip) is not None]
        return {
            "latency": Measured(median(trips) if trips else None, len(trips)),
            "reconnects": self.pulse.reconnects(now),
            "speed": self._rates.speed(now, _TELLING),
            "success": self._rates.success(now),
            "memory": Measured(*self.vitals.memory),
            "cpu": Measured(*self.vitals.cpu),
            "disk": self._disk(free, now),
        }

    def _disk(self, free: int, now: float) -> Measured:
        """Seconds until uploads are turned away, at the rate of the last day; 0: they are already."""
        files, size = self._rates.per_day(now)
        left = max(0, free - self._house.config.min_free_space)
        if not left:
            return Measured(0.0, files)
        return Measured(left / size * DAY if size else None, files)
