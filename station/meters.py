"""What is counted for Prometheus, in a registry of its own. The client library lives only here.

Knows no rooms: they tell it what happened, and whoever asks for the metrics brings along what only is so at a moment.
A label is never anything that a client chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from station.errors import ERRORS
from station.events import (
    Event,
    SessionCompleted,
    SessionError,
    UploadCancelled,
    UploadCompleted,
    UploadFailed,
    UploadStarted,
    Way,
)

PREFIX = "upload_station_"

# fmt: off
_COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "uploads_started":     ("Attempts at a file whose first byte came.", ("way",)),
    "uploads":             ("Attempts at a file that ended: how, and with which error.", ("way", "outcome", "code")),
    "files":               ("How each file stood when its session ended.", ("outcome",)),
    "sessions_ended":      ("Sessions that ended.", ()),
    "session_faults":      ("Faults that concerned a whole session.", ("code",)),
    "requests_refused":    ("Requests answered with an error.", ("code",)),
    "joins":               ("Joins: from the start, from a position, from one that was lost.", ("transport", "kind")),
    "subscribers_dropped": ("Subscribers disconnected because they stayed too far behind.", ("transport",)),
}
# The seed's thresholds, 200 ms and 1 MB/s, are limits of buckets.
_TRIPS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10)
_SPEEDS = (1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9)
_SIZES = tuple(1024.0 * 4**step for step in range(13))  # 1 KiB to 16 GiB
_DURATIONS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600, 14400)
_DELAYS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_SYNCS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_HISTOGRAMS: Mapping[str, tuple[str, tuple[str, ...], tuple[float, ...]]] = {
    "file_size_bytes":               ("Size of stored files.", (), _SIZES),
    "upload_duration_seconds":       ("Time spent in attempts at stored files.", (), _DURATIONS),
    "upload_speed_bytes_per_second": ("Speed at which stored files came, empty ones left out.", (), _SPEEDS),
    "round_trip_seconds":            ("Time a WebSocket's ping took there and back.", (), _TRIPS),
    "loop_delay_seconds":            ("How late the event loop came to its tick, each 0.25 s.", (), _DELAYS),
    "journal_commit_seconds":        ("Time a commit of the journal took.", (), _SYNCS),
    "sync_seconds":                  ("Time it took until a file or a folder was synced.", ("of",), _SYNCS),
}
# fmt: on

OUTCOMES = ("completed", "failed", "cancelled")
JOINS = ("fresh", "resumed", "resync")
# What an upload may be expected to fail with: these begin at nought, so that the first of them is seen to rise.
_FAILURES = (
    "CHECKSUM_MISMATCH",
    "FILE_SIZE_EXCEEDED",
    "INSUFFICIENT_STORAGE",
    "NETWORK_ERROR",
    "REJECTED",
    "SERVER_ERROR",
    "UNSUPPORTED_FORMAT",
)


class Reading(NamedTuple):
    """A gauge as it is now. `values`: each with the values of the `labels`, in their order."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Iterable[tuple[tuple[str, ...], float]]


class Meters:
    """The plain numbers are counted on the loop, where an addition has to be all that they cost."""

    def __init__(self) -> None:
        self.reconnects = 0
        """Joins that gave a position beyond 0."""
        self.waited = self.replaced = self.replayed = 0
        """Messages that a subscriber was not ready for; progress that it was never told; messages told again."""
        self._received = dict.fromkeys(Way, 0)
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(_Plain(self._plain))
        self._counters = {
            name: Counter(PREFIX + name, help, labels, registry=registry) for name, (help, labels) in _COUNTERS.items()
        }
        self._histograms = {
            name: Histogram(PREFIX + name, help, labels, registry=registry, buckets=buckets)
            for name, (help, labels, buckets) in _HISTOGRAMS.items()
        }
        self._begin_at_nought()

    def _begin_at_nought(self) -> None:
        for way in Way:
            self._counters["uploads_started"].labels(way)
            for outcome, code in [("completed", ""), ("cancelled", ""), *(("failed", code) for code in _FAILURES)]:
                self._counters["uploads"].labels(way, outcome, code)
        for outcome in OUTCOMES:
            self._counters["files"].labels(outcome)
        for code in ERRORS:
            self._counters["requests_refused"].labels(code)
        self._counters["session_faults"].labels("INSUFFICIENT_STORAGE")
        for transport in ("websocket", "sse"):
            self._counters["subscribers_dropped"].labels(transport)
            for kind in JOINS:
                self._counters["joins"].labels(transport, kind)
        for what in ("file", "folder"):
            self._histograms["sync_seconds"].labels(what)

    # -- what happens

    @property
    def received(self) -> int:
        """Bytes of files that were written."""
        return sum(self._received.values())

    def took(self, way: Way, count: int) -> None:
        """So many bytes of a file were written."""
        self._received[way] += count

    def told(self, event: Event, message: object) -> None:
        """A lifecycle event is recorded."""
        counters = self._counters
        match event:
            case UploadStarted():
                counters["uploads_started"].labels(event.way).inc()
            case UploadCompleted():
                counters["uploads"].labels(event.way, "completed", "").inc()
                self._stored(event)
            case UploadFailed():
                counters["uploads"].labels(event.way, "failed", event.error["code"]).inc()
            case UploadCancelled() if event.file_id is not None:
                counters["uploads"].labels(event.way, "cancelled", "").inc()
            case SessionError():
                counters["session_faults"].labels(event.error["code"]).inc()
            case SessionCompleted():
                counters["sessions_ended"].inc()
                for outcome in OUTCOMES:
                    counters["files"].labels(outcome).inc(event.summary[f"{outcome}Files"])

    def _stored(self, event: UploadCompleted) -> None:
        self._histograms["file_size_bytes"].observe(event.file_size)
        self._histograms["upload_duration_seconds"].observe(event.duration)
        if event.file_size:
            self._histograms["upload_speed_bytes_per_second"].observe(event.final_speed)

    def joined(self, transport: str, *, position: bool, resync: bool) -> None:
        """`position`: it gave one beyond 0; `resync`: that could not be served."""
        self.reconnects += position
        self._counters["joins"].labels(transport, JOINS[position * (1 + resync)]).inc()

    def dropped(self, transport: str) -> None:
        """A subscriber was too slow."""
        self._counters["subscribers_dropped"].labels(transport).inc()

    def refused(self, code: str) -> None:
        """A request is answered with this row of the table of errors."""
        self._counters["requests_refused"].labels(code).inc()

    def pinged(self, seconds: float) -> None:
        self._histograms["round_trip_seconds"].observe(seconds)

    def lagged(self, seconds: float) -> None:
        self._histograms["loop_delay_seconds"].observe(seconds)

    def committed(self, seconds: float) -> None:
        """For the journal's thread."""
        self._histograms["journal_commit_seconds"].observe(seconds)

    def synced(self, what: str, seconds: float) -> None:
        """For the threads that write."""
        self._histograms["sync_seconds"].labels(what).observe(seconds)

    # -- what is asked for

    def exposition(self, readings: Iterable[Reading], *, openmetrics: bool = False) -> tuple[bytes, str]:
        """All of it and its media type; in Prometheus' own text unless in OpenMetrics."""
        # The library is told one of two things only: it repeats, or stumbles over, what else a client may say.
        encode, kind = choose_encoder("application/openmetrics-text; version=1.0.0" if openmetrics else "")
        return encode(_Scrape(self._registry, readings)), kind

    def _plain(self) -> Iterator[Metric]:
        help = "Bytes of files that were written; of resumable ones, those that are safe."
        received = CounterMetricFamily(f"{PREFIX}received_bytes", help, labels=["way"])
        for way, count in self._received.items():
            received.add_metric([way], count)
        yield received
        for name, help, count in (
            ("messages_delayed", "Messages that a subscriber was not ready for.", self.waited),
            ("progress_replaced", "Progress that a subscriber was never told, for there was newer.", self.replaced),
            ("messages_replayed", "Messages told again to who came back.", self.replayed),
        ):
            yield CounterMetricFamily(PREFIX + name, help, count)


@dataclass(frozen=True)
class _Plain:
    """A collector, to the library."""

    collect: Callable[[], Iterator[Metric]]


@dataclass(frozen=True)
class _Scrape:
    """Our registry and the readings. Left out is when each counter began, which would double the lines; Prometheus
    knows from the process' start."""

    registry: CollectorRegistry
    readings: Iterable[Reading]

    def collect(self) -> Iterator[Metric]:
        for metric in self.registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
        for reading in self.readings:
            gauge = GaugeMetricFamily(PREFIX + reading.name, reading.help, labels=reading.labels)
            for labels, value in reading.values:
                gauge.add_metric(labels, value)
            yield gauge
