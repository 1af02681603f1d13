"""What the tests of the pure core share: a clock that is told how late it is, sessions to play with, and strategies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from station.clock import Moment
from station.config import Config
from station.errors import ERRORS
from station.events import Event
from station.file import Attempt, File, Intent
from station.session import News, Session
from station.settling import Terms

# Whole numbers, and steps of an eighth of a second: their sums are exact, so that rounding hides nothing.
MONO, WALL = 4096.0, 1_705_314_510.0
CATEGORY = "personal"
SESSION = "1f0c8d2e-6f5b-4a51-9a37-0d1d4e2b7c11"
EPOCH = "0b6ad5a1-7d2f-4b8e-8a43-5a3f0d6f1c22"
CONFIG = Config()

RETRIABLE = sorted(code for code, row in ERRORS.items() if row.retry)
FINAL = sorted(code for code, row in ERRORS.items() if not row.retry)

codes = st.sampled_from(sorted(ERRORS))
eighths = st.integers(0, 40).map(lambda count: count / 8)
long_times = st.sampled_from([29.875, 30.0, 31.0, 600.0, 1800.0, 86_400.0])
sizes = st.integers(0, 5000)


def at(seconds: float) -> Moment:
    """The moment `seconds` after the beginning."""
    return Moment(MONO + seconds, WALL + seconds)


class FakeClock:
    """A clock that stands still until it is moved on."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def __call__(self) -> Moment:
        return at(self.elapsed)

    def forward(self, seconds: float) -> Moment:
        self.elapsed += seconds
        return self()


def config(**options: Any) -> Config:
    return replace(CONFIG, **options)


def a_session(terms: Terms | None = None, **options: Any) -> Session:
    """A session that begins at `at(0)`."""
    return Session(SESSION, CATEGORY, config(**options), at(0), terms or Terms())


def a_file(session: Session, name: str = "a.jpg", size: int | None = 100, *, resumable: bool = False) -> File:
    """A pending file whose id is its place in the session."""
    file = session.announce(f"file-{len(session.files) + 1}", name, size)
    file.upload, file.limited = f"upload-of-{file.id}" if resumable else None, not resumable
    return file


def sending(session: Session, seconds: float, size: int | None = 100, *, resumable: bool = False) -> Attempt:
    """A new file, started."""
    return session.start(a_file(session, size=size, resumable=resumable), size, at(seconds))


def store(session: Session, attempt: Attempt, seconds: float) -> None:
    """Take the remaining bytes of an attempt and complete it."""
    file = session.files[attempt.file_id]
    if left := (file.size or 0) - file.received:
        session.advance(attempt, left, at(seconds))
    assert session.seal(attempt, intent_for(file), at(seconds))
    session.complete(attempt, f"/upload/{CATEGORY}/{file.id}", {"algorithm": "blake3", "value": "00"}, at(seconds))


def intent_for(file: File) -> Intent:
    return Intent(f"part-{file.id}-{file.attempt}", f"stored-{file.id}", {"algorithm": "blake3", "value": "00"})


def names(news: Iterable[News]) -> list[str]:
    """What was said, in words: the events' names, `progress`, and `last`."""
    return [each.name if isinstance(each, Event) else type(each).__name__.lower() for each in news]
