"""The files of a session, by name, by token, and by what a cancel still reaches."""

from __future__ import annotations

import pytest

from station.errors import Problem, Refused
from station.file import Attempt, Status
from station.roster import Roster
from tests.station.core import a_file, a_session, at, intent_for, sending


def test_announced_files_wait_in_the_order_of_their_coming() -> None:
    roster = Roster()
    first = roster.announce("f1", "a.jpg", 5, limit=2)
    second = roster.announce("f2", "b.jpg", None, limit=2)
    assert list(roster.values()) == [first, second]
    assert (first.status, first.size, second.size) == ("pending", 5, None)


def test_more_files_than_the_limit_are_too_many() -> None:
    roster = Roster()
    roster.announce("f1", "a.jpg", 5, limit=1)
    with pytest.raises(Refused, match="TOO_MANY_FILES"):
        roster.announce("f2", "b.jpg", 5, limit=1)
    assert list(roster) == ["f1"]


def test_a_name_is_made_safe_to_show() -> None:
    assert Roster().announce("f1", "..\\../x\u202egpj.exe", 5, limit=1).name == "xgpj.exe"


def test_an_unknown_file_is_not_found() -> None:
    roster = Roster()
    file = roster.announce("f1", "a.jpg", 5, limit=1)
    assert roster.named("f1") is file
    with pytest.raises(Refused, match="FILE_NOT_FOUND"):
        roster.named("f2")


def test_a_token_finds_its_file_only_while_bytes_may_flow() -> None:
    session = a_session()
    file = a_file(session, resumable=True)
    assert session.files.current(file.token) is None
    attempt = session.start(file, 5, at(0))
    assert session.files.current(attempt) is file
    assert session.files.current(Attempt(file.id, attempt.number + 1)) is None
    assert session.files.current(Attempt("file-2", attempt.number)) is None
    session.pause(attempt, at(1))
    assert session.files.current(attempt) is None
    session.resume(file, at(2))
    assert session.files.current(attempt) is file
    session.fail(attempt, Problem("UPLOAD_FAILED"), at(3))
    assert session.files.current(attempt) is None


def test_a_cancel_reaches_what_is_neither_final_nor_being_published() -> None:
    session = a_session()
    a_file(session)
    sending(session, 0)
    sealed = sending(session, 0)
    session.seal(sealed, intent_for(session.files[sealed.file_id]), at(0))
    waiting, lost = sending(session, 0), sending(session, 0)
    session.fail(waiting, Problem("NETWORK_ERROR"), at(0))
    session.fail(lost, Problem("REJECTED"), at(0))
    session.cancel_file(sending(session, 0).file_id, "user", at(0))
    assert [file.id for file in session.files.unfinished(at(1).mono)] == ["file-1", "file-2", "file-4"]
    assert [file.id for file in session.files.unfinished(at(30).mono)] == ["file-1", "file-2"]


def test_without_a_name_every_resumable_file_in_that_status_is_meant() -> None:
    roster = Roster()
    plain, resting = (roster.announce(name, f"{name}.jpg", 5, limit=2) for name in ("f1", "f2"))
    resting.upload, resting.status = "u", Status.PAUSED
    assert roster.resumable(None, Status.PAUSED) == [resting]
    assert roster.resumable("f2", Status.UPLOADING) == [resting]
    with pytest.raises(Refused, match="NOT_RESUMABLE"):
        roster.resumable(plain.id, Status.PENDING)
    with pytest.raises(Refused, match="NOT_RESUMABLE"):
        roster.resumable(None, Status.UPLOADING)
