"""`GET /metrics`: what the meters counted, and how things stand at this moment, for Prometheus and its kin."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from typing import Any

from handlers.base import Base, verb
from handlers.operator import demand_operator
from station.meters import Reading
from station.station import Station


class Metrics(Base):
    async def decide(self) -> None:
        if self.request.method != "OPTIONS" and not self.station.config.metrics_open:
            demand_operator(self)

    @verb
    async def get(self) -> None:
        station, version = self.station, self.application.settings["version"]
        accepted = self.request.headers.get("Accept", "")
        text, kind = station.meters.exposition(accepted, readings(station, version))
        self.set_header("Content-Type", kind)
        self.add_header("Vary", "Accept")
        self.set_header("Cache-Control", "no-store")
        self.write(text)

    head = get


def readings(station: Station, version: str) -> Iterator[Reading]:
    """What is so only now, and is known elsewhere. Nothing here may take longer with more files."""
    build = (version, platform.python_version())
    yield Reading("build_info", "Which station this is.", ("version", "python"), [(build, 1)])
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
