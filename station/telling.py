"""What each verb of the state machine says: builds the events from a file as it is now. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from station.clock import Moment
from station.config import Config
from station.errors import Problem
from station.events import (
    Progress,
    SessionCompleted,
    SessionError,
    UploadCancelled,
    UploadCompleted,
    UploadFailed,
    UploadStarted,
)
from station.file import File, Status
from station.progress import percent


def started(session_id: str, category: str, file: File, moment: Moment) -> UploadStarted:
    return UploadStarted(
        session_id=session_id,
        file_id=file.id,
        file_name=file.name,
        file_size=file.size,
        estimated=file.estimated or None,
        start_time=moment.stamp,
        attempt=file.attempt,
        target_dir=f"/upload/{category}",
        resumed_from=file.received or None,
        way=file.way,
    )


def completed(
    session_id: str, file: File, checksum: Mapping[str, str] | None, number: int, moment: Moment
) -> UploadCompleted:
    assert file.path is not None
    duration = round(file.spent, 3)
    return UploadCompleted(
        session_id=session_id,
        file_id=file.id,
        file_name=file.name,
        file_size=file.received,
        upload_path=file.path,
        end_time=moment.stamp,
        duration=duration,
        final_speed=round(file.received / max(duration, 0.001)) if file.received else 0,
        checksum=checksum,
        attempt=number,
        way=file.way,
    )


def failed(session_id: str, file: File, problem: Problem, number: int, config: Config, moment: Moment) -> UploadFailed:
    """To be called once the failure is counted: `retryCount` is the number of failures before this one."""
    until = None if file.retry_until is None else moment.wall + (file.retry_until - moment.mono)
    return UploadFailed(
        session_id=session_id,
        file_id=file.id,
        file_name=file.name,
        error=problem.pushed(config.language),
        failed_at=moment.stamp,
        can_retry=file.can_retry,
        retry_count=file.failures - 1,
        max_retries=config.max_retries,
        retry_until=None if until is None else Moment(0, until).stamp,
        uploaded_bytes=file.received,
        attempt=number,
        way=file.way,
    )


def cancelled(session_id: str, file: File, reason: str, number: int, moment: Moment) -> UploadCancelled:
    return UploadCancelled(
        session_id=session_id,
        file_id=file.id,
        reason=reason,
        cancelled_at=moment.stamp,
        uploaded_bytes=file.received,
        attempt=number,
        way=file.way,
    )


def cancelled_whole(session_id: str, reason: str, uploaded: int, moment: Moment) -> UploadCancelled:
    return UploadCancelled(session_id=session_id, reason=reason, cancelled_at=moment.stamp, uploaded_bytes=uploaded)


def faulted(
    session_id: str, problem: Problem, action: str, file_ids: Iterable[str], config: Config, moment: Moment
) -> SessionError:
    return SessionError(
        session_id=session_id,
        error=problem.pushed(config.language),
        action=action,
        affected_files=tuple(file_ids),
        timestamp=moment.stamp,
    )


def settled(session_id: str, files: Iterable[File], summary: Mapping[str, Any], moment: Moment) -> SessionCompleted:
    return SessionCompleted(
        session_id=session_id,
        summary=summary,
        end_time=moment.stamp,
        upload_paths=tuple(file.path for file in files if file.path),
    )


def percentage(file: File) -> float:
    return percent(file.received, file.size, exact=not file.estimated)


def progress(file: File, moment: Moment) -> Progress:
    speed: float = 0
    remaining = None
    if file.pace is not None and file.status is Status.UPLOADING:
        speed = round(file.pace.speed.at(moment.mono))
        left = None if file.size is None else max(0, file.size - file.received)
        remaining = file.pace.forecast.remaining(moment.mono, left)
    return Progress(
        file_id=file.id,
        status=str(file.status),
        progress=percentage(file),
        speed=speed,
        uploaded=file.received,
        total=file.size,
        estimated=file.estimated,
        remaining=remaining,
        timestamp=moment.stamp,
    )
