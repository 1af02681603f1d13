"""One frozen dataclass per event; the wire form follows from its fields. Knows no transport and no rules.

A field is sent under its camelCase name. `maybe` fields are left out while they are None, `inner` ones are never sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar


class Way(StrEnum):
    """How a file is sent. UNKNOWN: nothing of it was, or a journal of an earlier version does not tell."""

    MULTIPART = "multipart"
    RAW = "raw"
    TUS = "tus"
    IETF = "ietf"
    UNKNOWN = "unknown"


def maybe() -> Any:
    return field(default=None, metadata={"maybe": True})


def inner(default: Any = 0) -> Any:
    return field(default=default, metadata={"inner": True})


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


@dataclass(frozen=True, kw_only=True)
class Event:
    """A lifecycle event: numbered and journalled before it is told (contract, rules 4 and 5).

    `attempt` names the attempt that an ending ends: the journal's schema allows one ending for each.
    """

    name: ClassVar[str]
    ending: ClassVar[bool] = False

    session_id: str

    def data(self) -> dict[str, Any]:
        out = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.metadata.get("inner") or (value is None and item.metadata.get("maybe")):
                continue
            out[camel(item.name)] = value
        return out


@dataclass(frozen=True, kw_only=True)
class UploadStarted(Event):
    """The first byte of an attempt is about to be counted. `file_size` is null while it is deferred."""

    name = "upload-started"
    file_id: str
    file_name: str
    file_size: int | None
    start_time: str
    attempt: int
    target_dir: str
    estimated: bool | None = maybe()
    resumed_from: int | None = maybe()
    way: Way = inner(Way.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class UploadCompleted(Event):
    """The bytes are synced, verified, under their final name and recorded. `duration` is seconds spent in attempts."""

    name = "upload-completed"
    ending = True
    file_id: str
    file_name: str
    file_size: int
    upload_path: str
    end_time: str
    duration: float
    final_speed: float
    checksum: Mapping[str, str] | None = maybe()
    attempt: int = inner()
    way: Way = inner(Way.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class UploadFailed(Event):
    """An attempt ended badly, or the file was refused. `retry_count`: earlier attempts that failed.

    `uploaded_bytes` were here when it ended; a resumable file goes on from them.
    """

    name = "upload-failed"
    ending = True
    file_id: str
    file_name: str
    error: Mapping[str, Any]
    failed_at: str
    can_retry: bool
    retry_count: int
    max_retries: int
    retry_until: str | None = maybe()
    uploaded_bytes: int
    attempt: int = inner()
    way: Way = inner(Way.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class UploadCancelled(Event):
    """A file was cancelled, or, without `file_id`, the whole session."""

    name = "upload-cancelled"
    ending = True
    file_id: str | None = maybe()
    reason: str
    cancelled_at: str
    uploaded_bytes: int
    attempt: int = inner()
    way: Way = inner(Way.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class SessionCompleted(Event):
    """Nothing more will happen to any file of the session."""

    name = "session-completed"
    summary: Mapping[str, Any]
    end_time: str
    upload_paths: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SessionError(Event):
    """A fault that concerns the session. `action`: stop, pause or continue."""

    name = "session-error"
    error: Mapping[str, Any]
    action: str
    affected_files: tuple[str, ...]
    timestamp: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where one file stands: not numbered, not journalled, replaced by newer ones. Made a message when it is told."""

    file_id: str
    status: str
    progress: float
    speed: float
    uploaded: int
    total: int | None
    estimated: bool
    remaining: int | None
    timestamp: str


@dataclass(frozen=True, slots=True)
class LastWord:
    """Asks for the last message of a settled session (contract, rule 3)."""

    timestamp: str


LIFECYCLE: tuple[type[Event], ...] = (
    UploadStarted,
    UploadCompleted,
    UploadFailed,
    UploadCancelled,
    SessionCompleted,
    SessionError,
)
