"""What the log says of uploads and of the station's condition: which line, which level, which fields.

Not known here: how a line looks (`lines`), how many of a kind are written (`flood`), where they go (`scribe`).
No line holds the id of a session, a file or an upload, which opens it, nor a file's name, which tells of people.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from station.events import Event, SessionCompleted, SessionError, UploadCancelled, UploadCompleted, UploadFailed

log = logging.getLogger("upload_station.uploads")
_station = logging.getLogger("upload_station")

# The one thing that a module may hold: a context variable is a name for what each request has of its own.
REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The id of the request that is being served; lines logged meanwhile bear it."""

_MANY = 600  # lines of each event in a minute: a class that sends its pictures is not to look like a flood
_LOOK = 40  # ticks between two looks at the condition, so some ten seconds
_AMPLE = 1.1  # times the least free space; between the two nothing is said, or it would be said again and again
_OUR_REASONS = {"user", "session-completed", "session-timeout", "retry-limit", "expired", "operator"}
_OUR_FAULTS = {"SERVER_ERROR", "INSUFFICIENT_STORAGE"}


def short(secret_id: str) -> str:
    """A name for what has an id: the same each time, and nothing can be opened with it."""
    return hashlib.sha256(secret_id.encode(errors="replace")).hexdigest()[:8]


def say(
    logger: logging.Logger, level: int, event: str, words: str, /, *, kind: str = "", many: int = 0, **fields: Any
) -> None:
    """A line with fields; those that are None are left out.

    `kind`: what is counted as one flood (the event, unless said). `many`: so many of it in a minute are none yet.
    """
    if logger.isEnabledFor(level):
        # The words are not a format: they come as an argument.
        extra = {"event": event, "fields": fields, "kind": kind or event}
        logger.log(level, "%s", words, extra={**extra, "many": many} if many else extra)


# -- uploads


def opened(session_id: str, category: str, *, implicit: bool) -> None:
    fields = {"session": short(session_id), "category": category, "implicit": implicit or None}
    _tell("session-opened", "a session is open", **fields)


def told(event: Event, _: object) -> None:
    """For `Hub.on_told`. What starts is not told: it ends, and that is."""
    match event:
        case UploadCompleted():
            _tell("upload-completed", "a file is stored", **_stored(event))
        case UploadFailed():
            code = event.error["code"]
            level = logging.WARNING if code in _OUR_FAULTS else logging.INFO
            parts = {"code": code, "bytes": event.uploaded_bytes, "retry": event.can_retry}
            _tell("upload-failed", "a file failed", level, **short_names(event.session_id, event.file_id), **parts)
        case UploadCancelled():
            # Clients may give any reason, in words of their own.
            reason = event.reason if event.reason in _OUR_REASONS else "other"
            words = "a file was cancelled" if event.file_id else "a session was cancelled"
            parts = {"reason": reason, "bytes": event.uploaded_bytes}
            _tell("upload-cancelled", words, **short_names(event.session_id, event.file_id), **parts)
        case SessionCompleted():
            _tell("session-completed", "a session is over", session=short(event.session_id), **_sums(event.summary))
        case SessionError():
            parts = {"code": event.error["code"], "action": event.action}
            _tell("session-error", "a session has a fault", logging.WARNING, session=short(event.session_id), **parts)


def _tell(event: str, words: str, level: int = logging.INFO, /, **fields: Any) -> None:
    # Many requests may have had a part in it, and not always the one that is served just now.
    say(log, level, event, words, many=_MANY, request="", **fields)


def short_names(session_id: str, file_id: str | None) -> dict[str, Any]:
    """Fields of whatever tells of a file, or of a session."""
    return {"session": short(session_id), "file": short(file_id) if file_id else None}


def _stored(event: UploadCompleted) -> dict[str, Any]:
    category = event.upload_path.split("/")[2]
    kind = {"category": category, "type": _type(event.file_name)}
    numbers = {"size": event.file_size, "seconds": event.duration, "speed": round(event.final_speed)}
    return {**short_names(event.session_id, event.file_id), **kind, **numbers}


def _type(name: str) -> str | None:
    """The extension, if it can be one: whoever gives files names can write anything behind a dot."""
    end = name.rpartition(".")[2].lower()
    return end if end != name.lower() and end.isascii() and end.isalnum() and len(end) <= 8 else None


def _sums(summary: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: summary[f"{name}Files"] for name in ("completed", "failed", "cancelled")}
    return {"files": summary["totalFiles"], **counts, "bytes": summary["uploadedSize"], "seconds": summary["totalTime"]}


# -- condition


class Condition:
    """Says once when there is too little room or nothing can be recorded, and once when that is over.

    `free`: bytes of room; `failing`: whether nothing can be recorded. Looked at every few ticks.
    """

    def __init__(self, floor: int, free: Callable[[], int], failing: Callable[[], bool]) -> None:
        self._floor, self._free, self._failing = floor, free, failing
        self._ticks = 0
        self._full = self._mute = False

    def tick(self, _: float = 0.0) -> None:
        """For `Watch.on_lag`."""
        self._ticks += 1
        if self._ticks % _LOOK == 1:
            self.look()

    def look(self) -> None:
        try:
            free = self._free()
        except OSError:  # a disk that has gone: those who need it find out and say so
            return
        if not self._full and free < self._floor:
            self._full = True
            say(_station, logging.WARNING, "disk-low", "too little room: uploads are refused", free=free)
        elif self._full and free >= self._floor * _AMPLE:
            self._full = False
            say(_station, logging.INFO, "disk-fine", "there is room again", free=free)
        if self._failing() != self._mute:
            self._mute = not self._mute
            words = "the journal cannot be written: nothing is taken" if self._mute else "the journal is written again"
            level, event = (logging.ERROR, "journal-failing") if self._mute else (logging.INFO, "journal-fine")
            say(_station, level, event, words)
