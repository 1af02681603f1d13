"""What the journal keeps of a session and its files, and what comes back. Over long lives: test_session.py, `crash`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.clock import Moment
from station.errors import Problem
from station.events import Way
from station.file import File, Intent, Status
from station.keeping import file_from, keep_file, keep_session, session_from
from station.session import Session
from station.settling import Terms
from station.wire import dumps, loads
from tests.station.core import CATEGORY, CONFIG, SESSION, a_file, a_session, at, eighths, names, sending, store

AWAY = 50_000.0  # seconds by which the monotonic clock of another run differs


def later(seconds: float) -> Moment:
    """A moment of the next run of the station."""
    moment = at(seconds)
    return Moment(moment.mono + AWAY, moment.wall)


def through_text(value: Any) -> Any:
    return loads(dumps(value))


def revived(session: Session, then: float, now: float) -> Session:
    """Kept at `then`, brought back at `now`."""
    files = [(file.id, through_text(keep_file(file, at(then)))) for file in session.files.values()]
    return session_from(SESSION, through_text(keep_session(session, at(then))), files, CONFIG, later(now))


whole = st.integers(0, 10**6)
maybe_times = st.none() | eighths.map(lambda seconds: at(seconds).mono)
intents = st.none() | st.builds(
    Intent, st.text(max_size=5), st.text(max_size=5), st.none() | st.just({"algorithm": "blake3", "value": "00"})
)


@given(
    st.builds(
        File,
        id=st.just("f"),
        name=st.text(st.characters(exclude_categories=["Cs"])),
        size=st.none() | whole,
        estimated=st.booleans(),
        upload=st.none() | st.just("0b6ad5a1-7d2f-4b8e-8a43-5a3f0d6f1c22"),
        way=st.sampled_from(list(Way)),
        status=st.sampled_from([status for status in Status if status not in {Status.UPLOADING, Status.PAUSED}]),
        attempt=whole,
        failures=whole,
        timeouts=whole,
        received=whole,
        received_before=whole,
        spent=eighths,
        intent=intents,
        can_retry=st.booleans(),
        retry_until=maybe_times,
        expires_at=maybe_times,
        path=st.none() | st.just("/upload/personal/照片.jpg"),
    )
)
def test_a_file_at_rest_comes_back_as_it_was(file: File) -> None:
    back = file_from("f", through_text(keep_file(file, at(3))), at(3))
    assert back == file


@pytest.mark.parametrize("paused", [False, True])
def test_the_time_of_a_running_attempt_is_not_lost(paused: bool) -> None:
    session = a_session()
    attempt = sending(session, 1, resumable=paused)
    if paused:
        session.pause(attempt, at(2))
    back = revived(session, 3.5, 60)  # killed at 3.5, started again at 60
    back.fail(attempt, Problem("SERVER_ERROR"), later(61))
    assert back.files[attempt.file_id].spent == (1.0 if paused else 3.5), "the clock of a paused one stands still"


def test_a_paused_file_that_goes_on_in_another_run_counts_on_from_there() -> None:
    session = a_session()
    attempt = sending(session, 1, resumable=True)
    session.pause(attempt, at(2))
    back = revived(session, 3, 60)
    file = back.files[attempt.file_id]
    assert back.go_on(file, 0, 100, later(70)) == attempt
    back.fail(attempt, Problem("NETWORK_ERROR"), later(72))
    assert file.spent == 3.0


def test_what_is_as_usual_takes_no_room() -> None:
    kept = keep_file(a_file(a_session(), "a.jpg", 5), at(1))
    assert kept == {"name": "a.jpg", "size": 5, "announced": 5, "status": "pending"}


def test_a_file_of_an_older_journal_says_less_and_is_as_usual() -> None:
    """Those that were written in full come back in test_schema.py, from real journals."""
    file = file_from("f", {"name": "a.jpg", "size": None, "status": "pending", "resumable": False}, at(1))
    assert file == File("f", "a.jpg", None)


def test_a_lull_ends_with_the_run() -> None:
    """Start-up gives each attempt that runs one of its own."""
    session = a_session()
    attempt = sending(session, 1, resumable=True)
    session.rest(attempt, None, at(2))
    assert revived(session, 3, 4).files[attempt.file_id].lull is None


def test_an_upload_expires_when_it_would_have() -> None:
    session = a_session()
    attempt = sending(session, 1, resumable=True)
    session.pause(attempt, at(2))
    file = revived(session, 3, 60).files[attempt.file_id]
    assert (file.upload, file.expires_at) == (f"upload-of-{file.id}", later(1 + CONFIG.upload_expiry).mono)


def test_deadlines_keep_their_distance() -> None:
    session = a_session()
    session.fail(sending(session, 0), Problem("NETWORK_ERROR"), at(1))
    file = revived(session, 2, 20).files["file-1"]
    assert file.waits_for_retry(later(30.5).mono)
    assert not file.waits_for_retry(later(31).mono)


@given(
    st.builds(
        Terms,
        implicit=st.booleans(),
        expected=st.none() | st.integers(1, 9),
        auto_complete=st.booleans(),
        cancelled=st.booleans(),
        closing=st.booleans(),
    ),
    eighths,
    maybe_times,
    maybe_times,
    maybe_times,
)
def test_a_session_comes_back_as_it_was(
    terms: Terms, touched: float, rested: float | None, first: float | None, last: float | None
) -> None:
    session = a_session(terms)
    session.activity.touched_at, session.activity.rested_at = at(touched).mono, rested
    session.first_start, session.last_end = first, last
    a_file(session)
    back = revived(session, 40, 45)
    assert (back.id, back.category, back.terms) == (SESSION, CATEGORY, terms)
    assert through_text(keep_session(back, later(45))) == through_text(keep_session(session, at(45)))
    assert back.activity.requests == 0
    assert list(back.files) == ["file-1"]


def test_files_come_back_in_their_order() -> None:
    session = a_session()
    for _ in range(12):
        a_file(session)
    assert list(revived(session, 1, 1).files) == [f"file-{number}" for number in range(1, 13)]


def test_a_session_settles_as_it_would_have() -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0)
    session.advance(attempt, 40, at(1))
    store(session, attempt, 1)
    session.fail(sending(session, 2), Problem("NETWORK_ERROR"), at(3))
    back = revived(session, 4, 20)
    back.tick(later(32.875))
    assert not back.settled
    back.tick(later(33))
    completed, _ = back.take_news()
    assert names([completed]) == ["session-completed"]
    summary = completed.data()["summary"]  # type: ignore[union-attr]
    assert (summary["completedFiles"], summary["failedFiles"], summary["uploadedSize"]) == (1, 1, 100)
    assert summary["totalTime"] == 3.0


def test_a_sealed_file_comes_back_sealed() -> None:
    session = a_session()
    attempt = sending(session, 0)
    session.seal(attempt, Intent("part", "stored", {"algorithm": "blake3", "value": "00"}), at(1))
    file = revived(session, 2, 3).files[attempt.file_id]
    assert file.sealed
    assert file.intent == Intent("part", "stored", {"algorithm": "blake3", "value": "00"})
