"""When a session is to be looked at next. That it is never too late is held by the model in test_session."""

from __future__ import annotations

import math

from station.errors import Problem
from station.resting import GRACE
from station.session import Session
from station.settling import Terms
from tests.station.core import MONO, a_file, a_session, at, sending, store


def look(session: Session, seconds: float) -> float:
    """In seconds since the beginning, after a look."""
    session.tick(at(seconds))
    return session.next_look(at(seconds).mono) - MONO


def test_a_session_that_waits_for_files_is_looked_at_when_it_is_abandoned() -> None:
    session = a_session(Terms(expected=1000))
    for _ in range(1000):
        a_file(session)
    assert look(session, 5) == session.config.session_timeout


def test_while_a_file_is_sent_it_is_looked_at_all_the_time() -> None:
    session = a_session()
    sending(session, 1)
    assert look(session, 2) == 2


def test_after_the_last_file_it_is_looked_at_when_it_has_lingered() -> None:
    session = a_session()
    store(session, sending(session, 1), 3)
    assert look(session, 3) == 3 + session.config.settle_linger


def test_a_failed_file_is_looked_at_when_its_grace_is_over_and_then_no_more() -> None:
    session = a_session(Terms(expected=2))
    session.fail(sending(session, 1), Problem("NETWORK_ERROR"), at(4))
    over = 4 + session.config.retry_grace
    assert look(session, 4 + session.config.settle_linger) == over
    assert look(session, over) == 4 + session.config.session_timeout


def test_a_lull_and_then_the_life_of_an_upload_are_looked_at() -> None:
    session = a_session()
    attempt = sending(session, 1, resumable=True)
    session.rest(attempt, None, at(2))
    assert look(session, 2) == 2, "as long as it counts as sending"
    rested = 2 + GRACE
    session.tick(at(rested))
    session.take_news()
    assert look(session, rested) == min(1 + session.config.upload_expiry, 1 + session.config.session_timeout)


def test_what_has_settled_is_never_looked_at() -> None:
    session = a_session()
    session.cancel("user", at(1))
    assert session.settled
    assert session.next_look(at(1).mono) == math.inf
