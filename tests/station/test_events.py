"""Names and wire fields of the events against the contract's table (section 1)."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from station.events import (
    LIFECYCLE,
    Event,
    SessionCompleted,
    SessionError,
    UploadCancelled,
    UploadCompleted,
    UploadFailed,
    UploadStarted,
    Way,
    camel,
)

ERROR = {"code": "NETWORK_ERROR", "message": "The network connection was lost."}
CHECKSUM = {"algorithm": "blake3", "value": "00"}
STAMP = "2024-01-15T10:28:30.000Z"

STARTED = UploadStarted(
    session_id="s", file_id="f", file_name="a.jpg", file_size=5, start_time=STAMP, attempt=1, target_dir="/upload/x"
)
COMPLETED = UploadCompleted(
    session_id="s",
    file_id="f",
    file_name="a.jpg",
    file_size=5,
    upload_path="/upload/x/a",
    end_time=STAMP,
    duration=1.5,
    final_speed=3,
    attempt=1,
)
FAILED = UploadFailed(
    session_id="s",
    file_id="f",
    file_name="a.jpg",
    error=ERROR,
    failed_at=STAMP,
    can_retry=False,
    retry_count=0,
    max_retries=3,
    uploaded_bytes=3,
    attempt=1,
)
CANCELLED = UploadCancelled(session_id="s", file_id="f", reason="user", cancelled_at=STAMP, uploaded_bytes=3, attempt=1)
SETTLED = SessionCompleted(session_id="s", summary={"totalFiles": 0}, end_time=STAMP, upload_paths=())
FAULT = SessionError(session_id="s", error=ERROR, action="continue", affected_files=("f",), timestamp=STAMP)

# The contract's table: the fields that are always there, and those in brackets.
TABLE: list[tuple[Event, str, str, dict[str, Any]]] = [
    (
        STARTED,
        "upload-started",
        "sessionId fileId fileName fileSize startTime attempt targetDir",
        {"resumedFrom": 7, "estimated": True},
    ),
    (
        COMPLETED,
        "upload-completed",
        "sessionId fileId fileName fileSize uploadPath endTime duration finalSpeed",
        {"checksum": CHECKSUM},
    ),
    (
        FAILED,
        "upload-failed",
        "sessionId fileId fileName error failedAt canRetry retryCount maxRetries uploadedBytes",
        {"retryUntil": STAMP},
    ),
    (CANCELLED, "upload-cancelled", "sessionId fileId reason cancelledAt uploadedBytes", {}),
    (SETTLED, "session-completed", "sessionId summary endTime uploadPaths", {}),
    (FAULT, "session-error", "sessionId error action affectedFiles timestamp", {}),
]
SNAKE = {"resumedFrom": "resumed_from", "estimated": "estimated", "checksum": "checksum", "retryUntil": "retry_until"}


@pytest.mark.parametrize(("event", "name", "fields", "maybe"), TABLE, ids=[row[1] for row in TABLE])
def test_an_event_is_sent_with_the_fields_of_the_contract(
    event: Event, name: str, fields: str, maybe: dict[str, Any]
) -> None:
    assert event.name == name
    assert sorted(event.data()) == sorted(fields.split())
    full = type(event)(**{**vars(event), **{SNAKE[key]: value for key, value in maybe.items()}})
    assert sorted(full.data()) == sorted([*fields.split(), *maybe])
    assert {key: full.data()[key] for key in maybe} == maybe


def test_the_table_lists_every_lifecycle_event() -> None:
    assert [type(event) for event, *_ in TABLE] == list(LIFECYCLE)
    assert len({event.name for event, *_ in TABLE}) == len(LIFECYCLE)


def test_the_deferred_size_of_a_started_file_is_sent_as_null() -> None:
    deferred = UploadStarted(**{**vars(STARTED), "file_size": None})
    assert deferred.data()["fileSize"] is None


def test_a_cancelled_session_names_no_file() -> None:
    whole = UploadCancelled(session_id="s", reason="user", cancelled_at=STAMP, uploaded_bytes=3)
    assert "fileId" not in whole.data()


def test_a_failure_says_last_how_much_is_here() -> None:
    assert list(FAILED.data().items())[-1] == ("uploadedBytes", 3)


def test_false_and_nought_are_sent() -> None:
    assert FAILED.data()["canRetry"] is False
    assert FAILED.data()["retryCount"] == 0


def test_only_a_start_tells_its_attempt() -> None:
    assert [event.name for event, *_ in TABLE if "attempt" in event.data()] == ["upload-started"]


def test_the_way_of_an_upload_is_known_but_not_told() -> None:
    by_tus = UploadStarted(**{**vars(STARTED), "way": Way.TUS})
    assert by_tus.data() == STARTED.data()


def test_what_ends_an_attempt_is_marked_as_an_ending() -> None:
    assert [event.name for event, *_ in TABLE if event.ending] == [
        "upload-completed",
        "upload-failed",
        "upload-cancelled",
    ]


def test_an_event_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        STARTED.file_id = "g"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "sent"), [("a", "a"), ("session_id", "sessionId"), ("estimated_time_left", "estimatedTimeLeft")]
)
def test_fields_are_sent_in_camel_case(name: str, sent: str) -> None:
    assert camel(name) == sent
