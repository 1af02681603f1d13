"""What the events say: fields built from files as they are."""

from __future__ import annotations

import pytest

from station import telling
from station.errors import Problem
from station.events import Event, Progress, UploadCancelled, UploadCompleted, UploadFailed, UploadStarted
from station.file import File
from station.session import News, Session
from station.settling import Terms
from tests.station.core import CATEGORY, SESSION, a_file, a_session, at, config, intent_for, sending


def last(session: Session) -> News:
    return session.take_news()[-1]


def test_a_start_says_where_the_file_goes_and_which_try_it_is() -> None:
    session = a_session()
    file = a_file(session, "照片.jpg", 5)
    session.start(file, 5, at(1))
    started = last(session)
    assert isinstance(started, UploadStarted)
    assert started.data() == {
        "sessionId": SESSION,
        "fileId": "file-1",
        "fileName": "照片.jpg",
        "fileSize": 5,
        "startTime": "2024-01-15T10:28:31.000Z",
        "attempt": 1,
        "targetDir": f"/upload/{CATEGORY}",
    }


def test_a_start_says_how_many_bytes_were_here_already() -> None:
    session = a_session()
    session.start(a_file(session, resumable=True), 100, at(0), resumed_from=40)
    started = last(session)
    assert isinstance(started, UploadStarted)
    assert started.data()["resumedFrom"] == 40


@pytest.mark.parametrize(
    ("size", "estimated", "sent"),
    [(5, False, {"fileSize": 5}), (5, True, {"fileSize": 5, "estimated": True}), (None, False, {"fileSize": None})],
)
def test_a_start_says_what_is_known_of_the_size(size: int | None, estimated: bool, sent: dict[str, object]) -> None:
    session = a_session()
    session.start(a_file(session), size, at(0), estimated=estimated)
    started = last(session)
    assert isinstance(started, UploadStarted)
    assert {key: value for key, value in started.data().items() if key in {"fileSize", "estimated"}} == sent


def completed(size: int, seconds: float) -> UploadCompleted:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0, size, resumable=True)
    session.advance(attempt, size, at(seconds))
    session.seal(attempt, intent_for(session.files["file-1"]), at(seconds))
    session.complete(attempt, "/upload/personal/x.jpg", {"algorithm": "blake3", "value": "00"}, at(seconds))
    event = last(session)
    assert isinstance(event, UploadCompleted)
    return event


def test_a_completion_says_all_that_the_contract_lists() -> None:
    assert completed(1000, 2.5).data() == {
        "sessionId": SESSION,
        "fileId": "file-1",
        "fileName": "a.jpg",
        "fileSize": 1000,
        "uploadPath": "/upload/personal/x.jpg",
        "endTime": "2024-01-15T10:28:32.500Z",
        "duration": 2.5,
        "finalSpeed": 400,
        "checksum": {"algorithm": "blake3", "value": "00"},
    }


@pytest.mark.parametrize(
    ("size", "seconds", "duration", "speed"),
    [(0, 0.0, 0.0, 0), (0, 5.0, 5.0, 0), (10, 0.0, 0.0, 10_000), (10, 0.0004, 0.0, 10_000), (10, 0.25, 0.25, 40)],
)
def test_a_final_speed_is_always_a_number(size: int, seconds: float, duration: float, speed: int) -> None:
    event = completed(size, seconds)
    assert (event.duration, event.final_speed) == (duration, speed)


def test_the_duration_leaves_out_the_wait_between_attempts() -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0)
    session.fail(attempt, Problem("NETWORK_ERROR"), at(2))
    again = session.start(session.files["file-1"], 100, at(20))
    session.advance(again, 100, at(21))
    session.seal(again, intent_for(session.files["file-1"]), at(21))
    session.complete(again, "/upload/personal/x.jpg", None, at(21))
    event = last(session)
    assert isinstance(event, UploadCompleted)
    assert event.duration == 3.0
    assert "checksum" not in event.data()


def test_the_duration_leaves_out_pauses_but_not_short_breaks() -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0, resumable=True)
    file = session.files[attempt.file_id]
    session.rest(attempt, Problem("NETWORK_ERROR"), at(1))
    session.go_on(file, 0, 100, at(3))
    session.pause(attempt, at(4))
    session.go_on(file, 0, 100, at(600))
    session.advance(attempt, 100, at(601))
    session.seal(attempt, intent_for(file), at(601))
    session.complete(attempt, "/upload/personal/x.jpg", None, at(601))
    event = last(session)
    assert isinstance(event, UploadCompleted)
    assert event.duration == 5.0


def test_the_size_of_a_completed_file_is_what_arrived() -> None:
    session = a_session(Terms(expected=2))
    file = a_file(session, size=None)
    attempt = session.start(file, 5000, at(0), estimated=True)
    session.advance(attempt, 300, at(1))
    session.seal(attempt, intent_for(file), at(1))
    session.complete(attempt, "/upload/personal/x.jpg", None, at(1))
    event = last(session)
    assert isinstance(event, UploadCompleted)
    assert event.file_size == 300


@pytest.mark.parametrize(
    ("language", "message"), [("zh-CN", "网络连接中断"), ("en", "The network connection was lost.")]
)
def test_a_failure_speaks_the_stations_language(language: str, message: str) -> None:
    session = a_session(Terms(expected=2), language=language)
    attempt = sending(session, 0)
    session.advance(attempt, 30, at(1))
    session.fail(attempt, Problem("NETWORK_ERROR", "gone"), at(1.5))
    failed = last(session)
    assert isinstance(failed, UploadFailed)
    assert failed.data() == {
        "sessionId": SESSION,
        "fileId": "file-1",
        "fileName": "a.jpg",
        "error": {"code": "NETWORK_ERROR", "message": message, "details": "gone"},
        "failedAt": "2024-01-15T10:28:31.500Z",
        "canRetry": True,
        "retryCount": 0,
        "maxRetries": 3,
        "retryUntil": "2024-01-15T10:29:01.500Z",
        "uploadedBytes": 30,
    }


def test_a_resumable_file_may_be_resumed_until_it_expires() -> None:
    session = a_session(Terms(expected=2), upload_expiry=600.0)
    session.fail(sending(session, 0, resumable=True), Problem("NETWORK_ERROR"), at(1.5))
    failed = last(session)
    assert isinstance(failed, UploadFailed)
    assert failed.retry_until == at(601.5).stamp


def test_a_resumed_attempt_that_fails_says_how_much_is_here_in_all() -> None:
    session = a_session(Terms(expected=2))
    attempt = session.start(a_file(session, resumable=True), 100, at(0), resumed_from=40)
    session.advance(attempt, 5, at(1))
    session.fail(attempt, Problem("NETWORK_ERROR"), at(1))
    failed = last(session)
    assert isinstance(failed, UploadFailed)
    assert failed.uploaded_bytes == 45


def test_a_failure_for_good_has_no_deadline() -> None:
    session = a_session(Terms(expected=2))
    session.fail(sending(session, 0), Problem("REJECTED"), at(1))
    failed = last(session)
    assert isinstance(failed, UploadFailed)
    assert failed.data()["canRetry"] is False
    assert "retryUntil" not in failed.data()


def test_a_cancelled_file_says_how_much_had_arrived() -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0)
    session.advance(attempt, 30, at(1))
    session.cancel_file("file-1", "changed my mind", at(2))
    cancelled = last(session)
    assert isinstance(cancelled, UploadCancelled)
    assert cancelled.data() == {
        "sessionId": SESSION,
        "fileId": "file-1",
        "reason": "changed my mind",
        "cancelledAt": "2024-01-15T10:28:32.000Z",
        "uploadedBytes": 30,
    }


def test_a_cancelled_session_says_how_much_had_arrived_in_all() -> None:
    session = a_session()
    for _ in range(2):
        session.advance(sending(session, 0), 30, at(1))
    session.cancel("user", at(2))
    (whole,) = [e for e in session.take_news() if isinstance(e, UploadCancelled) and e.file_id is None]
    assert whole.data() == {
        "sessionId": SESSION,
        "reason": "user",
        "cancelledAt": "2024-01-15T10:28:32.000Z",
        "uploadedBytes": 60,
    }


def test_a_fault_names_the_files_that_it_concerns() -> None:
    event = telling.faulted(SESSION, Problem("INSUFFICIENT_STORAGE"), "pause", iter("ab"), config(language="en"), at(1))
    assert event.data() == {
        "sessionId": SESSION,
        "error": {"code": "INSUFFICIENT_STORAGE", "message": "The station's disk is full."},
        "action": "pause",
        "affectedFiles": ("a", "b"),
        "timestamp": "2024-01-15T10:28:31.000Z",
    }


def test_the_end_lists_the_stored_files_in_order() -> None:
    files = [File("a", "a.jpg", path="/upload/x/a"), File("b", "b.jpg"), File("c", "c.jpg", path="/upload/x/c")]
    event: Event = telling.settled(SESSION, files, {"totalFiles": 3}, at(1))
    assert event.data() == {
        "sessionId": SESSION,
        "summary": {"totalFiles": 3},
        "endTime": "2024-01-15T10:28:31.000Z",
        "uploadPaths": ("/upload/x/a", "/upload/x/c"),
    }


def moving(size: int | None, *, estimated: bool = False) -> Progress:
    """Progress after ten seconds at 10 bytes a second."""
    session = a_session()
    file = a_file(session)
    attempt = session.start(file, size, at(0), estimated=estimated)
    for second in range(1, 11):
        session.advance(attempt, 10, at(second))
    return telling.progress(file, at(10))


def test_progress_says_how_far_how_fast_and_how_long_still() -> None:
    told = moving(200)
    assert (told.file_id, told.status, told.progress) == ("file-1", "uploading", 50.0)
    assert (told.uploaded, told.total, told.estimated) == (100, 200, False)
    assert (told.speed, told.remaining) == (10, 10)


def test_progress_of_an_unknown_size_gives_no_remaining_time() -> None:
    told = moving(None)
    assert (told.progress, told.total, told.remaining) == (0, None, None)
    assert told.speed == 10


def test_progress_towards_an_upper_bound_stops_at_ninety_nine() -> None:
    assert moving(100, estimated=True).progress == 99


def test_a_paused_file_has_no_speed() -> None:
    session = a_session()
    attempt = sending(session, 0, resumable=True)
    session.advance(attempt, 10, at(1))
    session.pause(attempt, at(2))
    told = last(session)
    assert isinstance(told, Progress)
    assert (told.status, told.speed, told.remaining, told.uploaded) == ("paused", 0, None, 10)


def test_a_file_without_a_pace_has_no_speed() -> None:
    assert telling.progress(File("f", "a.jpg", 100), at(0)).speed == 0
