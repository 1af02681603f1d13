"""`GET /metrics`: what the meters counted, and how things stand at this moment, for Prometheus and its kin."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from handlers.base import Base, verb
from handlers.operator import demand_operator
from station.meters import Reading
from station.station import Station

_FRESH = 1.0  # seconds


@dataclass(frozen=True)
class Text:
    """What was told at a moment, `made`, of the monotonic clock."""

    made: float
    text: bytes
    kind: str

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.text, compresslevel=6, mtime=0)


class Texts:
    """The newest of each format. Making one holds up the loop for milliseconds, and anybody may ask as often as they
    like."""

    def __init__(self) -> None:
        self._kept: dict[bool, Text] = {}

    def of(self, station: Station, version: str, *, openmetrics: bool) -> Text:
        now, kept = station.clock().mono, self._kept.get(openmetrics)
        if kept is None or now - kept.made >= _FRESH:
            text, kind = station.meters.exposition(readings(station, version), openmetrics=openmetrics)
            kept = self._kept[openmetrics] = Text(now, text, kind)
        return kept


class Metrics(Base):
    def initialize(self, station: Station, texts: Texts) -> None:  # type: ignore[override]
        super().initialize(station)
        self._texts = texts

    async def decide(self) -> None:
        if self.request.method != "OPTIONS" and not self.station.config.metrics_open:
            demand_operator(self)

    @verb
    async def get(self) -> None:
        asked, version = self.request.headers, self.application.settings["version"]
        openmetrics = "application/openmetrics-text" in asked.get("Accept", "")
        told = self._texts.of(self.station, version, openmetrics=openmetrics)
        self.set_header("Content-Type", told.kind)
        self.add_header("Vary", "Accept")
        self.set_header("Cache-Control", "no-store")
        if is_packed := "gzip" in asked.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
        self.write(told.packed if is_packed else told.text)

    head = get

    def compute_etag(self) -> None:
        """None: nobody keeps it."""


def readings(station: Station, version: str) -> Iterator[Reading]:
    """What is so only now, and is known elsewhere. Nothing here may take longer with more files."""
    # Not which Python: strangers, who may read this, would know what it is vulnerable to.
    yield Reading("build_info", "Which station this is.", ("version",), [((version,), 1)])
    yield from _room(station.health())
    yield _one("journal_failing", "Whether the newest commit of the journal failed.", station.journal.failing)
    yield _one("sessions", "Sessions that are open.", len(station.channels))
    yield _one("uploads_running", "Files that are coming in or being stored.", len(station.dock.deliveries))
    yield _one("uploads_resumable", "Unfinished uploads that can be gone on with.", len(station.shelf))
    watchers = [((transport,), count) for transport, count in station.monitor.watchers().items()]
    yield Reading("subscribers", "Who watches a session.", ("transport",), watchers)
    letters = station.hooks.counts().items()
    yield Reading("letters", "What other programs are yet to be told, or cannot be.", ("hook", "state"), letters)
    memory, cpu = station.monitor.vitals.memory[0], station.monitor.vitals.cpu[0]
    yield _share("box_memory_ratio", "Share of the machine's memory in use, mean of the last minute.", memory)
    yield _share("box_cpu_ratio", "Share of the machine's processors that is busy, mean of the last minute.", cpu)


def _room(health: Mapping[str, Any]) -> Iterator[Reading]:
    yield _one("healthy", "Whether it serves, as /health tells.", health["status"] == "ok")
    yield _one("disk_free_bytes", "Free space where the files land.", health["disk"]["free"])
    yield _one("disk_total_bytes", "Size of the disk where the files land.", health["disk"]["total"])


def _share(name: str, help: str, percent: float | None) -> Reading:
    """Without a value where the system does not tell, and in the first seconds."""
    return Reading(name, help, (), [] if percent is None else [((), percent / 100)])


def _one(name: str, help: str, value: float) -> Reading:
    return Reading(name, help, (), [((), value)])
