"""Which file a request may send: what it names, what it adopts, what it is refused."""

from __future__ import annotations

import pytest

from station.claim import claim
from station.errors import Problem, Refused
from station.events import UploadFailed
from station.file import Attempt, File, Status
from station.session import Session
from station.settling import Terms
from tests.station.core import a_file, a_session, at, intent_for, names, sending, store

NEW = "new-id"
LOST = Problem("NETWORK_ERROR")


def ask(session: Session, name: str = "a.jpg", size: int | None = 100, file_id: str | None = None) -> File:
    return claim(session, NEW, name, size, file_id, at(5))


def refusal(session: Session, size: int | None = 100, file_id: str | None = None, name: str = "a.jpg") -> str:
    with pytest.raises(Refused) as refused:
        ask(session, name, size, file_id)
    return refused.value.problem.code


def lost(session: Session) -> Attempt:
    attempt = sending(session, 0)
    session.fail(attempt, LOST, at(1))
    return attempt


# ---- a new file ----


def test_an_unknown_name_is_a_new_file() -> None:
    file = ask(a_session(), "../holiday/照片.jpg", 7)
    assert (file.id, file.name, file.size, file.status) == (NEW, "照片.jpg", 7, "pending")


def test_more_than_max_files_are_refused() -> None:
    session = a_session(max_files=1)
    sending(session, 0)
    assert refusal(session) == "TOO_MANY_FILES"


@pytest.mark.parametrize("end", ["settle", "cancel", "close"])
@pytest.mark.parametrize("named", [True, False])
def test_a_session_that_is_over_or_ending_takes_nothing(end: str, named: bool) -> None:
    session = a_session(Terms(expected=3))
    attempt = sending(session, 0)
    match end:
        case "settle":
            session.close(at(1))
            store(session, attempt, 1)
        case "cancel":
            session.seal(attempt, intent_for(session.files[attempt.file_id]), at(1))
            session.cancel("user", at(1))
        case _:
            session.close(at(1))
    assert refusal(session, file_id=attempt.file_id if named else None) == "SESSION_CLOSED"


# ---- adoption ----


def test_a_file_that_waits_for_a_retry_is_adopted_by_name_and_size() -> None:
    session = a_session(Terms(expected=2))
    attempt = lost(session)
    assert ask(session) is session.files[attempt.file_id]


def test_an_announced_file_is_adopted_by_name_and_size() -> None:
    session = a_session(Terms(expected=2))
    file = a_file(session, "照片.jpg", 100)
    assert ask(session, "C:\\pictures\\照片.jpg", 100) is file


@pytest.mark.parametrize(("announced", "size"), [(100, None), (None, 100), (None, None)])
def test_a_size_that_is_not_known_fits_any(announced: int | None, size: int | None) -> None:
    session = a_session(Terms(expected=2))
    file = a_file(session, "a.jpg", announced)
    assert ask(session, "a.jpg", size) is file


def test_an_upper_bound_fits_any_size() -> None:
    session = a_session(Terms(expected=2))
    file = a_file(session)
    session.fail(session.start(file, 5000, at(0), estimated=True), LOST, at(1))
    assert ask(session, size=100) is file


@pytest.mark.parametrize(("name", "size"), [("b.jpg", 100), ("A.jpg", 100), ("a.jpg", 101)])
def test_another_name_or_size_is_another_file(name: str, size: int) -> None:
    session = a_session(Terms(expected=2))
    lost(session)
    assert ask(session, name, size).id == NEW


@pytest.mark.parametrize("state", ["uploading", "completed", "cancelled", "failed for good"])
def test_a_file_that_waits_for_nothing_is_not_adopted(state: str) -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0)
    match state:
        case "completed":
            store(session, attempt, 1)
        case "cancelled":
            session.cancel_file(attempt.file_id, "user", at(1))
        case "failed for good":
            session.fail(attempt, Problem("REJECTED"), at(1))
    assert ask(session).id == NEW


def test_the_first_of_two_that_wait_is_adopted() -> None:
    session = a_session(Terms(expected=3))
    first = a_file(session)
    second = a_file(session)
    assert ask(session) is first
    session.start(first, 100, at(1))
    assert ask(session) is second


def test_a_live_resumable_file_is_never_adopted() -> None:
    """Its upload waits for its first bytes: another request of the same name and size is another file."""
    session = a_session(Terms(expected=3))
    a_file(session, resumable=True)
    assert ask(session).id == NEW
    paused = sending(session, 0, resumable=True)
    session.pause(paused, at(1))
    lull = sending(session, 0, resumable=True)
    session.rest(lull, LOST, at(4))
    assert claim(session, "another", "a.jpg", 100, None, at(5)).id == "another"


def test_a_resumable_file_that_failed_is_adopted_and_begins_at_nought() -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0, resumable=True)
    session.advance(attempt, 40, at(1))
    session.fail(attempt, LOST, at(1))
    file = ask(session)
    assert file is session.files[attempt.file_id]
    assert (file.upload, file.expires_at) == (None, None)
    session.take_news()
    store(session, session.start(file, 100, at(6)), 7)
    assert (file.received, file.received_total) == (100, 140)
    (started, *_) = session.take_news()
    assert getattr(started, "resumed_from", 0) is None


# ---- by id ----


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_a_waiting_file_is_found_by_its_id_whatever_name_it_comes_with(state: str) -> None:
    session = a_session(Terms(expected=2))
    file = a_file(session) if state == "pending" else session.files[lost(session).file_id]
    assert ask(session, "other.png", 100, file.id) is file


def test_an_unknown_id_is_not_found() -> None:
    assert refusal(a_session(), file_id="file-9") == "FILE_NOT_FOUND"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("completed", "UPLOAD_ALREADY_COMPLETED"),
        ("sealed", "UPLOAD_ALREADY_COMPLETED"),
        ("cancelled", "UPLOAD_CANCELLED"),
        ("failed for good", "VALIDATION_ERROR"),
    ],
)
def test_a_file_that_has_ended_is_refused(state: str, code: str) -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0)
    match state:
        case "completed":
            store(session, attempt, 1)
        case "sealed":
            session.seal(attempt, intent_for(session.files[attempt.file_id]), at(1))
        case "cancelled":
            session.cancel_file(attempt.file_id, "user", at(1))
        case _:
            session.fail(attempt, Problem("REJECTED"), at(1))
    session.take_news()
    assert refusal(session, file_id=attempt.file_id) == code
    assert session.take_news() == []


def test_another_size_than_announced_is_refused() -> None:
    session = a_session(Terms(expected=2))
    assert refusal(session, 101, a_file(session).id) == "CHECKSUM_MISMATCH"


# ---- taking over ----


@pytest.mark.parametrize("paused", [False, True])
def test_a_file_that_is_being_sent_is_taken_over(paused: bool) -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0, resumable=paused)
    if paused:
        session.pause(attempt, at(1))
    session.take_news()
    file = ask(session, file_id=attempt.file_id)
    assert file is session.files[attempt.file_id]
    (failed,) = session.take_news()
    assert isinstance(failed, UploadFailed)
    assert (failed.error["code"], failed.can_retry) == ("NETWORK_ERROR", True)
    assert not session.advance(attempt, 1, at(6))
    store(session, session.start(file, 100, at(6)), 7)
    assert file.status is Status.COMPLETED


@pytest.mark.parametrize("state", ["pending", "running", "in a lull", "paused", "failed"])
def test_whoever_sends_a_file_by_its_id_takes_it_from_its_upload(state: str) -> None:
    session = a_session(Terms(expected=2), max_retries=0)
    file = a_file(session, resumable=True)
    if state != "pending":
        attempt = session.start(file, 100, at(0))
        match state:
            case "in a lull":
                session.rest(attempt, None, at(4))
            case "paused":
                session.pause(attempt, at(1))
            case "failed":
                session.fail(attempt, LOST, at(1))
    assert ask(session, file_id=file.id) is file
    assert (file.upload, file.expires_at, file.lull, file.claimed) == (None, None, None, True)
    assert not file.in_flight
    session.request_began(at(5))
    session.take_news()
    session.tick(at(100_000))
    assert session.take_news() == [], "neither the old lull nor the old expiry ends it"


def test_the_last_try_is_not_taken_over() -> None:
    session = a_session(Terms(expected=1), max_retries=1)
    attempt = lost(session)
    last = session.start(session.files[attempt.file_id], 100, at(2))
    session.take_news()
    assert refusal(session, file_id=attempt.file_id) == "UPLOAD_LOCKED"
    assert session.take_news() == []
    assert session.advance(last, 1, at(3))


def test_what_was_announced_binds_every_attempt() -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session)
    announced = file.size
    session.fail(session.start(file, 5, at(1), estimated=True), Problem("NETWORK_ERROR"), at(2))
    assert file.announced == announced
    assert refusal(session, 5, file.id) == "CHECKSUM_MISMATCH"


def test_a_request_that_cannot_be_the_file_does_not_disturb_the_one_that_is() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0)
    assert refusal(session, 101, attempt.file_id) == "CHECKSUM_MISMATCH"
    assert session.advance(attempt, 1, at(6))


# ---- two requests at a time ----


@pytest.mark.parametrize("failed", [False, True])
def test_what_another_request_is_about_to_send_is_not_adopted(failed: bool) -> None:
    session = a_session(Terms(expected=3))
    file = session.files[lost(session).file_id] if failed else a_file(session)
    assert claim(session, NEW, "a.jpg", None, None, at(5)) is file
    assert claim(session, NEW, "a.jpg", None, None, at(5)).id == NEW
    session.let_go(file, at(6))
    assert claim(session, "another", "a.jpg", None, None, at(6)) is file


def test_a_claim_that_comes_to_nothing_after_complete_leaves_nothing_waiting() -> None:
    session = a_session(Terms(expected=3))
    file = a_file(session)
    claim(session, NEW, "", None, file.id, at(5))
    session.close(at(6))
    assert not session.settled, "what is being sent goes on"
    session.let_go(file, at(7))
    assert names(session.take_news()) == ["upload-cancelled", "session-completed", "lastword"]
