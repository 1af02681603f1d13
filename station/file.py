"""One file's life: its states, its attempts, what it received. Knows no session rules, no clock and no disk.

Every change of status goes through TRANSITIONS; a verb that the table does not list for the present status is a bug
of the caller (IllegalMove), except that late callers are turned away before, by `Attempt`, the fencing token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from station.config import Config
from station.errors import Problem
from station.events import Way
from station.progress import Forecast, Speed, Throttle


class Status(StrEnum):
    PENDING = "pending"
    UPLOADING = "uploading"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


P, U, Z, C, F, X = Status
# fmt: off
TRANSITIONS: Mapping[str, tuple[frozenset[Status], Status]] = MappingProxyType({
    # verb       from which states            to which
    "start":    (frozenset({P, F}),           U),  # F: only while it may be tried again
    "advance":  (frozenset({U}),              U),
    "pause":    (frozenset({U}),              Z),  # resumable files only
    "resume":   (frozenset({Z}),              U),
    "complete": (frozenset({U}),              C),
    "fail":     (frozenset({U, Z}),           F),
    "refuse":   (frozenset({P, F}),           F),  # turned away before its first byte
    "cancel":   (frozenset({P, U, Z, F}),     X),  # F: only while it may be tried again
})
# fmt: on


class IllegalMove(Exception):
    """A verb was used in a state that does not know it."""


class Attempt(NamedTuple):
    """Fencing token: names one try at one file. Whoever holds an old one changes nothing any more."""

    file_id: str
    number: int


class Intent(NamedTuple):
    """How a finished part file is about to be published; journalled before the link is made, for recovery."""

    part: str
    stored_name: str
    checksum: Mapping[str, str] | None


class Lull(NamedTuple):
    """No request brings bytes of a running attempt. Past `until` it fails with `problem`, or rests if there is none."""

    problem: Problem | None
    until: float


@dataclass
class Pace:
    """What one attempt's bytes say about time: when to speak, how fast, how long still."""

    throttle: Throttle
    speed: Speed
    forecast: Forecast

    @classmethod
    def at_start(cls, config: Config, now: float) -> Pace:
        throttle = Throttle(config.progress_interval, config.progress_step, config.progress_max_silence)
        return cls(throttle, Speed(now), Forecast(now))


@dataclass
class File:
    """One file of a session. Times named `_at` are monotonic seconds."""

    id: str
    name: str
    size: int | None = None
    estimated: bool = False
    upload: str | None = None
    """Id of the upload resource that it can be resumed with; None: it begins again at nought each time."""
    way: Way = Way.UNKNOWN
    """How it is sent, by whoever claimed it last."""
    status: Status = Status.PENDING
    attempt: int = 0
    """Number of the attempt that runs or ran last; 0 before the first."""
    failures: int = 0
    timeouts: int = 0
    received: int = 0
    """Bytes of the present attempt that are written."""
    received_before: int = 0
    """Bytes of earlier attempts, kept for the sums (contract, rule 9)."""
    spent: float = 0.0
    """Seconds in attempts that have ended."""
    started_at: float | None = None
    intent: Intent | None = None
    """All bytes are here and the file is being published like this: from now on it can only complete or fail."""
    announced: int | None = None
    """The size that the client promised when the session was opened; every attempt is held to it."""
    claimed: bool = False
    """A request is about to send it: the grace of a retry may end before its first bytes have come."""
    claims: int = 0
    """How often it was claimed: an older request that has not begun gives way to a newer one."""
    limited: bool = True
    """Its tries are counted: multipart and raw (contract, Retries), not those of resumable protocols."""
    can_retry: bool = False
    retry_until: float | None = None
    expires_at: float | None = None
    lull: Lull | None = None
    path: str | None = None
    pace: Pace | None = field(default=None, repr=False, compare=False)

    def move(self, verb: str) -> None:
        allowed, target = TRANSITIONS[verb]
        if self.status not in allowed:
            raise IllegalMove(f"{verb} while {self.status}")
        self.status = target

    @property
    def token(self) -> Attempt:
        return Attempt(self.id, self.attempt)

    @property
    def sealed(self) -> bool:
        return self.intent is not None

    @property
    def resumable(self) -> bool:
        return self.upload is not None

    @property
    def in_flight(self) -> bool:
        return self.status in {Status.UPLOADING, Status.PAUSED}

    @property
    def expiry(self) -> float:
        """When it is given up if nobody goes on with it; never, if nobody can: then its grace ends by itself."""
        return math.inf if self.expires_at is None or not self.resumable else self.expires_at

    def waits_for_retry(self, now: float) -> bool:
        if self.resumable:
            return self.can_retry  # until it expires, which cancels it
        return self.can_retry and self.retry_until is not None and now < self.retry_until

    def holds(self, now: float) -> bool:
        """Whether its session waits for it, whatever was agreed on: something comes of it, or may at any moment."""
        may_go_on = self.resumable and not self.is_final(now)
        return self.in_flight or self.claimed or self.waits_for_retry(now) or may_go_on

    def is_final(self, now: float) -> bool:
        """Nothing more has to be waited for: completed, cancelled, or failed, past its grace and nobody's to send."""
        if self.status is Status.FAILED:
            return not (self.claimed or self.waits_for_retry(now))
        return self.status in {Status.COMPLETED, Status.CANCELLED}

    @property
    def received_total(self) -> int:
        return self.received_before + self.received

    @property
    def known_size(self) -> int:
        """The size for the sums: an upper bound is not a size, so then what arrived counts."""
        return self.received if self.size is None or self.estimated else self.size

    def begin(self, size: int | None, *, estimated: bool, pace: Pace, now: float, resumed_from: int = 0) -> Attempt:
        """Start an attempt from its first byte, or from the bytes that are here already."""
        self.move("start")
        self.received_before += max(0, self.received - resumed_from)  # those lost; some may have come untold
        self.received = resumed_from
        self.attempt += 1
        self.size, self.estimated, self.pace = size, estimated, pace
        self.started_at, self.intent, self.claimed, self.lull = now, None, False, None
        self.can_retry, self.retry_until = False, None
        return self.token

    def rest(self, now: float) -> None:
        """Pause: the attempt goes on, its clock stands still."""
        self.move("pause")
        self._stop_clock(now)
        self.lull = None

    def carry_on(self, pace: Pace, now: float) -> bool:
        """Bytes of the running attempt come again; whether it had been paused."""
        self.lull, self.claimed = None, False
        paused = self.status is Status.PAUSED
        if paused:
            self.move("resume")
            self.started_at = now
        if paused or self.pace is None:
            self.pace = pace
        return paused

    def _stop_clock(self, now: float) -> None:
        if self.started_at is not None:
            self.spent += max(0.0, now - self.started_at)
        self.started_at = now

    def end(self, verb: str, now: float) -> int:
        """End the present attempt, or, where none runs, the one that would have come next; returns its number.

        Refusals and the cancelling of waiting files end an attempt that never started: so each ending has an
        attempt of its own, and the journal can hold one ending for each (contract, rule 1).
        """
        running, paused = self.started_at is not None, self.status is Status.PAUSED
        self.move(verb)
        if running and not paused:
            self._stop_clock(now)
        if not running:
            self.attempt += 1
        self.started_at, self.can_retry, self.retry_until = None, False, None
        self.intent, self.pace, self.claimed, self.lull = None, None, False, None
        return self.attempt
