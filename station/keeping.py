"""How sessions and files are kept in the journal and come back. Deadlines are kept as wall time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from station.clock import Moment
from station.config import Config
from station.events import Way
from station.file import File, Intent, Status
from station.roster import Roster
from station.session import Session
from station.settling import Activity, Terms

Kept = Mapping[str, Any]
_USUAL: Kept = MappingProxyType(
    {
        "announced": None,
        "estimated": False,
        "upload": None,
        "limited": True,
        "way": str(Way.UNKNOWN),
        "attempt": 0,
        "failures": 0,
        "timeouts": 0,
        "received": 0,
        "receivedBefore": 0,
        "spent": 0.0,
        "canRetry": False,
        "retryUntil": None,
        "expiresAt": None,
        "path": None,
        "intent": None,
    }
)
"""What is not written down: half of the journal's room for a file that waits. Older journals lack some of these."""


def keep_file(file: File, moment: Moment) -> dict[str, Any]:
    shift = moment.wall - moment.mono
    runs = file.started_at is not None and file.status is Status.UPLOADING
    running = max(0.0, moment.mono - (file.started_at or 0.0)) if runs else 0.0
    kept = {
        "name": file.name,
        "size": file.size,
        "announced": file.announced,
        "estimated": file.estimated,
        "upload": file.upload,
        "limited": file.limited,
        "way": str(file.way),
        "status": str(file.status),
        "attempt": file.attempt,
        "failures": file.failures,
        "timeouts": file.timeouts,
        "received": file.received,
        "receivedBefore": file.received_before,
        "spent": file.spent + running,
        "canRetry": file.can_retry,
        "retryUntil": _shifted(file.retry_until, shift),
        "expiresAt": _shifted(file.expires_at, shift),
        "path": file.path,
        "intent": None if file.intent is None else list(file.intent),
    }
    return {name: value for name, value in kept.items() if name not in _USUAL or value != _USUAL[name]}


def file_from(id: str, kept: Kept, moment: Moment) -> File:
    """The file as it was. An attempt that ran is taken to start again now; its earlier time is in `spent`."""
    shift = moment.mono - moment.wall
    kept = {**_USUAL, **kept}
    status = Status(kept["status"])
    return File(
        id=id,
        name=kept["name"],
        size=kept["size"],
        announced=kept["announced"],
        estimated=kept["estimated"],
        upload=kept["upload"],
        limited=kept["limited"],
        way=Way(kept["way"]),
        status=status,
        attempt=kept["attempt"],
        failures=kept["failures"],
        timeouts=kept["timeouts"],
        received=kept["received"],
        received_before=kept["receivedBefore"],
        spent=kept["spent"],
        started_at=moment.mono if status in {Status.UPLOADING, Status.PAUSED} else None,
        can_retry=kept["canRetry"],
        retry_until=_shifted(kept["retryUntil"], shift),
        expires_at=_shifted(kept["expiresAt"], shift),
        path=kept["path"],
        intent=None if kept["intent"] is None else Intent(*kept["intent"]),
    )


def keep_session(session: Session, moment: Moment) -> dict[str, Any]:
    shift = moment.wall - moment.mono
    terms, activity = session.terms, session.activity
    return {
        "category": session.category,
        "implicit": terms.implicit,
        "expected": terms.expected,
        "autoComplete": terms.auto_complete,
        "cancelled": terms.cancelled,
        "closing": terms.closing,
        "touchedAt": activity.touched_at + shift,
        "restedAt": _shifted(activity.rested_at, shift),
        "firstStart": _shifted(session.first_start, shift),
        "lastEnd": _shifted(session.last_end, shift),
    }


def session_from(id: str, kept: Kept, files: Iterable[tuple[str, Kept]], config: Config, moment: Moment) -> Session:
    """The session as it was. `moment.wall` must not lie before the journal's last entry."""
    shift = moment.mono - moment.wall
    terms = Terms(
        implicit=kept["implicit"],
        expected=kept["expected"],
        auto_complete=kept["autoComplete"],
        cancelled=kept["cancelled"],
        closing=kept["closing"],
    )
    session = Session(id, kept["category"], config, moment, terms)
    session.activity = Activity(kept["touchedAt"] + shift, rested_at=_shifted(kept["restedAt"], shift))
    session.first_start = _shifted(kept["firstStart"], shift)
    session.last_end = _shifted(kept["lastEnd"], shift)
    session.files = Roster({file_id: file_from(file_id, each, moment) for file_id, each in files})
    return session


def _shifted(at: float | None, shift: float) -> float | None:
    return None if at is None else at + shift
