"""When a session is over, and what it adds up to (contract, Settling and rule 9). Reads files, changes nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from station.config import Config
from station.file import File, Status


@dataclass
class Terms:
    """What was agreed on when the session was opened, and what was said since."""

    implicit: bool = False
    expected: int | None = None
    auto_complete: bool = True
    cancelled: bool = False
    closing: bool = False
    """`complete` was called: no more files will come."""


@dataclass
class Activity:
    """What clients are doing. Times are monotonic seconds."""

    touched_at: float
    requests: int = 0
    rested_at: float | None = None
    """When the last request or upload ended; None before the first."""


def is_over(terms: Terms, activity: Activity, files: Collection[File], config: Config, now: float) -> bool:
    if terms.expected is not None and len(files) < terms.expected and not (terms.cancelled or terms.closing):
        return False
    if any(file.holds(now) for file in files):
        return False
    if terms.cancelled or terms.closing:
        return True
    if terms.expected is not None:
        # A file that was announced and has not come yet is one of those that are expected.
        return all(file.is_final(now) for file in files)
    if not (terms.implicit or terms.auto_complete) or activity.requests or activity.rested_at is None:
        return False
    linger = 0.0 if terms.implicit else config.settle_linger
    return now - activity.rested_at >= linger


def is_abandoned(activity: Activity, files: Collection[File], config: Config, now: float) -> bool:
    """Nothing happened for `session_timeout`; an unfinished resumable file holds the session open beyond that."""
    if activity.requests or any(file.in_flight for file in files):
        return False
    if any(file.resumable and not file.is_final(now) for file in files):
        return False
    return now - activity.touched_at >= config.session_timeout


def summary(files: Collection[File], first: float | None, last: float | None) -> dict[str, Any]:
    """The sums of a settled session; `first` start and `last` ending are wall or monotonic seconds, alike."""
    uploaded = sum(file.received_total for file in files)
    total_time = 0.0 if first is None or last is None else round(max(0.0, last - first), 3)
    return {
        "totalFiles": len(files),
        "completedFiles": _count(files, Status.COMPLETED),
        "failedFiles": _count(files, Status.FAILED),
        "cancelledFiles": _count(files, Status.CANCELLED),
        "totalSize": sum(file.known_size for file in files),
        "uploadedSize": uploaded,
        "averageSpeed": round(uploaded / max(total_time, 0.001)) if uploaded else 0,
        "totalTime": total_time,
    }


def _count(files: Collection[File], status: Status) -> int:
    return sum(file.status is status for file in files)
