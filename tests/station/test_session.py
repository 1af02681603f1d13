"""The state machine of a session: by property over long random lives, and by example where words are clearer."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from station.claim import claim
from station.clock import Moment
from station.errors import ERRORS, Problem, Refused
from station.events import Event, Progress, UploadFailed
from station.file import Attempt, File, Status
from station.keeping import keep_file, keep_session, session_from
from station.session import Session
from station.settling import Terms
from station.wire import dumps, loads
from tests.station.core import (
    CATEGORY,
    SESSION,
    a_file,
    a_session,
    at,
    codes,
    config,
    eighths,
    intent_for,
    long_times,
    names,
    sending,
    sizes,
    store,
)
from tests.station.ledger import Ledger

RULES = config(max_files=6, max_retries=2, language="en")
LOST = Problem("NETWORK_ERROR")

terms = st.one_of(
    st.builds(Terms, implicit=st.just(True)),
    st.builds(Terms, expected=st.integers(1, 4)),
    st.builds(Terms, auto_complete=st.just(False)),
    st.builds(Terms),
)
doubts = st.integers(0, 3)  # a session that is cancelled by every fourth step has no life worth watching
announced = st.lists(st.tuples(st.sampled_from(["a.jpg", "b.jpg"]), st.none() | sizes), max_size=3)


def kept(session: Session, moment: Moment) -> tuple[Any, ...]:
    """All that the journal would keep, by way of text."""
    files = [(file.id, loads(dumps(keep_file(file, moment)))) for file in session.files.values()]
    return loads(dumps(keep_session(session, moment))), files


def said(session: Session) -> list[dict[str, Any]]:
    """The lifecycle events taken now, in their wire form."""
    return [{"event": each.name, **each.data()} for each in session.take_news() if isinstance(each, Event)]


def after_a_crash(session: Session) -> Session:
    """A copy without what no journal keeps: requests, claims, and the pace of attempts, that end with the process."""
    copy = deepcopy(session)
    copy.activity.requests = 0
    for file in copy.files.values():
        file.claimed = False
    return copy


@dataclass(eq=False)
class Sender:
    """A request that claimed a file, and the attempt that it started. It gives up when the file moved on since."""

    file: File
    size: int | None
    claim: Attempt
    attempt: Attempt | None = None


class SessionLife(RuleBasedStateMachine):
    """Clients, time and crashes do to a session what they like; a Ledger checks what it says."""

    @initialize(terms=terms, announced=announced)
    def open(self, terms: Terms, announced: list[tuple[str, int | None]]) -> None:
        if terms.expected is None:
            announced = []
        else:
            terms.expected = max(terms.expected, len(announced))
        self.elapsed, self.boot = 0.0, 0.0
        self.ids = 0
        self.senders: list[Sender] = []
        self.retired: list[Attempt] = []
        self.counted: dict[str, int] = {}
        self.session = Session(SESSION, CATEGORY, RULES, self.now, terms)
        self.ledger = Ledger(RULES.max_retries, RULES.language, terms.expected)
        for name, size in announced:
            file = self.session.announce(self.new_id(), name, size)
            self.ledger.picture.announce(file.id, file.name, file.size)

    @property
    def now(self) -> Moment:
        """The monotonic clock begins anew with each start of the station."""
        moment = at(self.elapsed)
        return Moment(moment.mono + self.boot, moment.wall)

    def new_id(self) -> str:
        self.ids += 1
        return f"file-{self.ids}"

    def file(self, data: st.DataObject) -> File:
        return data.draw(st.sampled_from(list(self.session.files.values())))

    def sender(self, data: st.DataObject, *, started: bool) -> Sender:
        return data.draw(st.sampled_from([s for s in self.senders if (s.attempt is not None) == started]))

    def has_waiting(self) -> bool:
        return any(sender.attempt is None for sender in self.senders)

    def has_sending(self) -> bool:
        return any(sender.attempt is not None for sender in self.senders)

    # -- requests

    @rule()
    def request_begins(self) -> None:
        if self.session.takes_files:
            self.session.request_began(self.now)

    @precondition(lambda self: self.session.activity.requests > 0)
    @rule()
    def request_ends(self) -> None:
        """The last one takes with it what it was about to send and what it sent."""
        if self.session.activity.requests == 1:
            for sender in self.senders:
                self.abandon(sender)
            self.senders.clear()
        self.session.request_ended(self.now)

    def abandon(self, sender: Sender) -> None:
        if sender.attempt is None:
            self.give_up(sender, "NETWORK_ERROR")
        elif sender.file.sealed and sender.attempt == sender.file.token:
            self.complete(sender.attempt)
        elif not sender.file.resumable:
            self.session.fail(sender.attempt, Problem("NETWORK_ERROR"), self.now)

    def holds_claim(self, sender: Sender) -> bool:
        return not self.session.settled and sender.claim == sender.file.token

    def give_up(self, sender: Sender, code: str) -> None:
        if self.holds_claim(sender):
            self.session.refuse(sender.file, Problem(code), self.now)

    @precondition(lambda self: self.session.activity.requests > 0)
    @rule(name=st.sampled_from(["a.jpg", "b.jpg"]), size=st.none() | sizes, retry=st.booleans(), data=st.data())
    def claim(self, name: str, size: int | None, retry: bool, data: st.DataObject) -> None:
        file_id = self.file(data).id if retry and self.session.files else None
        try:
            file = claim(self.session, self.new_id(), name, size, file_id, self.now)
        except Refused:
            return
        if file.attempt == 0 and not self.session.terms.implicit:
            file.resumable = data.draw(st.booleans())
        if file.size is not None and not file.estimated and file.attempt == 0:
            size = file.size
        self.senders.append(Sender(file, size, file.token))

    @precondition(lambda self: self.session.takes_files and len(self.session.files) < RULES.max_files)
    @rule(size=st.none() | sizes, estimated=st.booleans())
    def send(self, size: int | None, estimated: bool) -> None:
        """A request of its own for a new file, as far as its first byte."""
        self.session.request_began(self.now)
        file = claim(self.session, self.new_id(), f"{self.ids}.jpg", size, None, self.now)
        estimated = estimated and size is not None
        attempt = self.session.start(file, size, self.now, estimated=estimated)
        self.senders.append(Sender(file, size, attempt, attempt))

    @precondition(lambda self: self.session.takes_files and any(f.can_retry for f in self.session.files.values()))
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        file = data.draw(st.sampled_from([file for file in self.session.files.values() if file.can_retry]))
        claim(self.session, self.new_id(), file.name, file.size, file.id, self.now)
        attempt = self.session.start(file, file.size, self.now, estimated=file.estimated)
        self.senders.append(Sender(file, file.size, attempt, attempt))

    @precondition(has_waiting)
    @rule(data=st.data(), estimated=st.booleans())
    def start(self, data: st.DataObject, estimated: bool) -> None:
        sender = self.sender(data, started=False)
        if not self.holds_claim(sender):
            self.senders.remove(sender)
            return
        estimated = estimated and sender.size is not None
        sender.attempt = self.session.start(sender.file, sender.size, self.now, estimated=estimated)
        if sender.file.resumable:
            sender.file.expires_at = self.now.mono + RULES.upload_expiry

    @precondition(has_waiting)
    @rule(data=st.data(), code=codes)
    def refuse(self, data: st.DataObject, code: str) -> None:
        sender = self.sender(data, started=False)
        self.senders.remove(sender)
        self.give_up(sender, code)

    @precondition(has_sending)
    @rule(data=st.data(), pause=eighths)
    def advance(self, data: st.DataObject, pause: float) -> None:
        sender = self.sender(data, started=True)
        assert sender.attempt is not None
        file = self.session.files[sender.attempt.file_id]
        room = 2000 if file.size is None else file.size - file.received
        count = data.draw(st.integers(0, room))
        self.elapsed += pause
        if self.session.advance(sender.attempt, count, self.now):
            self.counted[file.id] = self.counted.get(file.id, 0) + count

    @precondition(has_sending)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """All bytes are here; `complete` comes later, once they are published."""
        sender = self.sender(data, started=True)
        assert sender.attempt is not None
        file = self.session.files[sender.attempt.file_id]
        if file.size is not None and not file.estimated and self.session.current(sender.attempt):
            left = file.size - file.received
            self.session.advance(sender.attempt, left, self.now)
            self.counted[file.id] = self.counted.get(file.id, 0) + left
        sealed = self.session.seal(sender.attempt, intent_for(file), self.now)
        assert sealed == (self.session.current(sender.attempt) is not None)

    @precondition(has_sending)
    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        sender = self.sender(data, started=True)
        assert sender.attempt is not None
        file = self.session.files[sender.attempt.file_id]
        if not file.sealed and self.session.current(sender.attempt):
            self.finish(data)
        if file.sealed and sender.attempt == file.token:
            self.complete(sender.attempt)
            self.senders.remove(sender)
            self.retired.append(sender.attempt)

    def complete(self, attempt: Attempt) -> None:
        self.session.complete(attempt, f"/upload/{CATEGORY}/{attempt.file_id}", None, self.now)
        assert self.session.files[attempt.file_id].status is Status.COMPLETED

    @precondition(has_sending)
    @rule(data=st.data(), code=codes, timed_out=st.booleans())
    def fail(self, data: st.DataObject, code: str, timed_out: bool) -> None:
        sender = self.sender(data, started=True)
        self.senders.remove(sender)
        assert sender.attempt is not None
        self.retired.append(sender.attempt)
        self.session.fail(sender.attempt, Problem(code), self.now, timed_out=timed_out)

    # -- commands

    @precondition(lambda self: self.session.files)
    @rule(data=st.data())
    def pause_or_resume(self, data: st.DataObject) -> None:
        file = self.file(data)
        if file.status is Status.PAUSED:
            self.session.resume(file, self.now)
        elif file.resumable or file.sealed or file.status is not Status.UPLOADING:
            self.session.pause(file.token, self.now)
        else:
            with pytest.raises(Refused, match="NOT_RESUMABLE"):
                self.session.pause(file.token, self.now)

    @precondition(lambda self: self.session.files)
    @rule(data=st.data())
    def cancel_file(self, data: st.DataObject) -> None:
        file = self.file(data)
        was_final = file.is_final(self.now.mono)
        if file.status is Status.COMPLETED or file.sealed:
            with pytest.raises(Refused, match="UPLOAD_ALREADY_COMPLETED"):
                self.session.cancel_file(file.id, "user", self.now)
            return
        assert self.session.cancel_file(file.id, "user", self.now) == (not was_final)
        assert was_final or file.status is Status.CANCELLED

    @rule(doubt=doubts)
    def cancel(self, doubt: int) -> None:
        if doubt:
            return
        unfinished = len(self.session.files.unfinished(self.now.mono))
        known = self.session.settled or self.session.terms.cancelled
        assert self.session.cancel("user", self.now) == (0 if known else unfinished)
        assert self.session.settled or any(file.sealed for file in self.session.files.values())

    @rule(doubt=doubts)
    def close(self, doubt: int) -> None:
        if doubt:
            return
        self.session.close(self.now)
        going_on = (file.in_flight or file.claimed for file in self.session.files.values())
        assert self.session.settled or any(going_on)

    @rule(data=st.data(), code=codes)
    def report_fault(self, data: st.DataObject, code: str) -> None:
        self.session.report_fault(Problem(code), "continue", list(self.session.files), self.now)

    # -- time and accidents

    @rule(seconds=eighths | long_times, tick=st.booleans())
    def wait(self, seconds: float, tick: bool) -> None:
        self.elapsed += seconds
        if tick:
            self.session.tick(self.now)

    @precondition(lambda self: self.retired or self.senders)
    @rule(data=st.data(), verb=st.sampled_from(["advance", "seal", "complete", "fail", "pause"]))
    def use_an_old_token(self, data: st.DataObject, verb: str) -> None:
        files = self.session.files
        old = [*self.retired, *(Attempt(file.id, file.attempt - 1) for file in files.values())]
        ended = [s.attempt for s in self.senders if s.attempt is not None and not files[s.attempt.file_id].in_flight]
        attempt = data.draw(st.sampled_from([*old, *ended, Attempt("file-0", 1)]))
        before, file = kept(self.session, self.now), files.get(attempt.file_id)
        match verb:
            case "advance":
                assert self.session.advance(attempt, 1, self.now) is False
            case "seal":
                assert self.session.seal(attempt, intent_for(file or File("file-0", "a")), self.now) is False
            case "complete":
                self.session.complete(attempt, "/upload/x/y", None, self.now)
            case "fail":
                self.session.fail(attempt, Problem("UPLOAD_FAILED"), self.now)
            case _:
                self.session.pause(attempt, self.now)
        assert self.session.take_news() == []
        assert kept(self.session, self.now) == before

    @precondition(lambda self: not self.session.settled)
    @rule(verbs=st.lists(st.sampled_from(["tick", "retry", "cancel one", "cancel", "close", "wait"]), max_size=5))
    def crash(self, verbs: list[str]) -> None:
        """The station is killed and starts again; the session that comes back does what the old one would have done."""
        self.ledger.take(self.session.take_news())
        for unheard in self.session.files.keys() - self.ledger.picture.files.keys():
            del self.session.files[unheard]  # no event told of it, so the journal never heard of it
        before = self.now
        row, files = kept(self.session, before)
        self.boot += 4096.0
        revived = session_from(SESSION, row, files, RULES, self.now)
        assert kept(revived, self.now) == (row, files)
        old, new = after_a_crash(self.session), deepcopy(revived)
        for verb in ["recover", *verbs]:
            apart = self.now.mono - before.mono
            if verb == "wait":
                before, self.elapsed = Moment(before.mono + 31, before.wall + 31), self.elapsed + 31
            apply(verb, old, before)
            apply(verb, new, Moment(before.mono + apart, before.wall))
            assert said(old) == said(new)
        self.session = revived
        self.senders.clear()
        apply("recover", self.session, self.now)

    # -- what must hold

    @invariant()
    def all_news_keep_the_rules(self) -> None:
        if not hasattr(self, "session"):
            return
        self.ledger.take(self.session.take_news())
        self.the_picture_is_true()
        if self.ledger.settled is not None:
            self.the_end_is_right(self.ledger.settled.summary)

    def the_picture_is_true(self) -> None:
        files, picture = self.session.files, self.ledger.picture
        unheard = files.keys() - picture.files.keys()
        assert {files[file_id].status for file_id in unheard} <= {Status.PENDING}
        for told in picture.files.values():
            file = files[told.id]
            assert told.status == file.status
            assert told.path == file.path
            assert told.attempt == file.attempt or told.status != "uploading"
            assert told.uploaded <= max(file.received, 0) or told.status == "failed"
        for status in ("completed", "failed", "cancelled"):
            assert picture.count(status) == sum(file.status == status for file in files.values())
        assert picture.settled == self.session.settled
        assert picture.cancelled == self.session.terms.cancelled

    def the_end_is_right(self, summary: Mapping[str, Any]) -> None:
        files = list(self.session.files.values())
        ends = [file.status for file in files]
        assert set(ends) <= {Status.COMPLETED, Status.FAILED, Status.CANCELLED}
        assert summary["totalFiles"] == len(files)
        assert [summary[f"{end}Files"] for end in ("completed", "failed", "cancelled")] == [
            ends.count(Status.COMPLETED),
            ends.count(Status.FAILED),
            ends.count(Status.CANCELLED),
        ]
        assert summary["uploadedSize"] == sum(self.counted.values())
        assert abs(summary["averageSpeed"] - summary["uploadedSize"] / max(summary["totalTime"], 0.001)) <= 0.5
        assert self.ledger.settled is not None
        assert self.ledger.settled.upload_paths == tuple(file.path for file in files if file.path)
        last = self.ledger.last_word
        assert last is not None, "no last word"
        stored, failed = ends.count(Status.COMPLETED), ends.count(Status.FAILED)
        whole = self.session.terms.cancelled
        assert last["overallStatus"] == (
            "cancelled" if whole else "completed" if stored else "failed" if failed else "cancelled"
        )
        assert (last["fileId"] is None) == (not files)


def apply(verb: str, session: Session, moment: Moment) -> None:
    """What may happen to a session after a start of the station."""
    files = list(session.files.values())
    match verb:
        case "recover":
            recover(session, moment)
        case "retry":
            waiting = [file for file in files if file.status is Status.PENDING or file.can_retry]
            for file in waiting if session.takes_files else []:
                session.fail(session.start(file, 10, moment), LOST, moment)
        case "cancel one" if files and files[0].status is not Status.COMPLETED:
            session.cancel_file(files[0].id, "user", moment)
        case "cancel":
            session.cancel("user", moment)
        case "close":
            session.close(moment)
        case _:
            session.tick(moment)


def recover(session: Session, moment: Moment) -> None:
    """End what ran: what was being published turns out to be there, the rest is lost."""
    for file in list(session.files.values()):
        if file.sealed and file.in_flight:
            session.complete(file.token, f"/upload/{CATEGORY}/{file.id}", None, moment)
        elif file.in_flight:
            session.fail(file.token, Problem("SERVER_ERROR"), moment)
    session.tick(moment)


SessionLife.TestCase.settings = settings(max_examples=400, stateful_step_count=50, deadline=None)
TestSessionLife = SessionLife.TestCase


# ---- attempts, by example ----


def failures(session: Session) -> list[UploadFailed]:
    return [each for each in session.take_news() if isinstance(each, UploadFailed)]


def fail_again(session: Session, file: File, seconds: float, *, timed_out: bool = False) -> None:
    problem = Problem("REQUEST_TIMEOUT") if timed_out else LOST
    session.fail(session.start(file, 100, at(seconds)), problem, at(seconds + 1), timed_out=timed_out)


def test_the_story_of_one_file() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0)
    session.advance(attempt, 40, at(1))
    session.advance(attempt, 60, at(2))
    store(session, attempt, 2.5)
    assert names(session.take_news()) == [
        "upload-started",
        "progress",
        "progress",
        "upload-completed",
        "session-completed",
        "lastword",
    ]


def test_an_empty_file_is_all_there_once_it_is_sealed() -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0, size=0)
    store(session, attempt, 0)
    news = session.take_news()
    assert names(news)[:3] == ["upload-started", "progress", "upload-completed"]
    assert isinstance(news[1], Progress)
    assert (news[1].progress, news[1].speed) == (100, 0)


def test_an_upper_bound_gives_way_to_the_real_size_once_all_is_here() -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session, size=None)
    attempt = session.start(file, 5000, at(0), estimated=True)
    session.advance(attempt, 4999, at(1))
    session.seal(attempt, intent_for(file), at(1))
    told = [each for each in session.take_news() if isinstance(each, Progress)]
    assert [(each.progress, each.total, each.estimated) for each in told] == [(99.0, 5000, True), (100.0, 4999, False)]


def test_an_older_request_cannot_end_the_attempt_of_a_newer_one() -> None:
    session = a_session(Terms(expected=1))
    old = sending(session, 0)
    session.fail(old, LOST, at(1))
    new = session.start(session.files[old.file_id], 100, at(2))
    session.take_news()
    session.fail(old, LOST, at(3))
    session.complete(old, "/upload/personal/x", None, at(3))
    assert session.take_news() == []
    assert session.advance(new, 1, at(4))


# ---- retries ----


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_file_may_be_tried_again_max_retries_times(most: int) -> None:
    session = a_session(Terms(expected=1), max_retries=most)
    file = a_file(session)
    for number in range(most + 1):
        fail_again(session, file, 2.0 * number)
    told = failures(session)
    assert [each.retry_count for each in told] == list(range(most + 1))
    assert [each.can_retry for each in told] == [True] * most + [False]
    assert [each.max_retries for each in told] == [most] * (most + 1)
    assert session.settled
    assert file.status is Status.FAILED


def test_time_outs_that_use_up_all_tries_cancel_the_file() -> None:
    session = a_session(Terms(expected=1), max_retries=1)
    file = a_file(session)
    fail_again(session, file, 0, timed_out=True)
    session.take_news()
    fail_again(session, file, 10, timed_out=True)
    _, cancelled, *rest = session.take_news()
    assert names([cancelled, *rest]) == ["upload-cancelled", "session-completed", "lastword"]
    assert getattr(cancelled, "reason", None) == "retry-limit"
    assert file.status is Status.CANCELLED


def test_time_outs_and_other_failures_together_end_in_a_failure() -> None:
    session = a_session(Terms(expected=1), max_retries=1)
    file = a_file(session)
    fail_again(session, file, 0)
    fail_again(session, file, 10, timed_out=True)
    assert [each.can_retry for each in failures(session)] == [True, False]


@pytest.mark.parametrize("timed_out", [False, True])
def test_a_resumable_file_is_never_out_of_tries(timed_out: bool) -> None:
    session = a_session(Terms(expected=1), max_retries=0)
    file = a_file(session, resumable=True)
    for number in range(5):
        fail_again(session, file, 2.0 * number, timed_out=timed_out)
    told = failures(session)
    assert [(each.retry_count, each.can_retry) for each in told] == [(number, True) for number in range(5)]
    assert told[0].retry_until == at(1 + 86_400).stamp


@pytest.mark.parametrize("code", sorted(code for code, row in ERRORS.items() if not row.retry))
@pytest.mark.parametrize("begun", [False, True])
def test_what_no_retry_helps_is_final(code: str, begun: bool) -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session)
    if begun:
        session.fail(session.start(file, 100, at(0)), Problem(code), at(1))
    else:
        session.refuse(file, Problem(code), at(1))
    (told,) = failures(session)
    assert (told.can_retry, told.retry_until, told.retry_count) == (False, None, 0)
    assert session.settled


def test_a_refusal_that_a_retry_may_help_counts_as_a_failure() -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session)
    session.refuse(file, Problem("INSUFFICIENT_STORAGE"), at(0))
    fail_again(session, file, 1)
    assert [each.retry_count for each in failures(session)] == [0, 1]


def test_a_retry_that_succeeds_completes_the_file() -> None:
    session = a_session(Terms(expected=1))
    file = a_file(session)
    fail_again(session, file, 0)
    store(session, session.start(file, 100, at(20)), 21)
    assert file.status is Status.COMPLETED
    assert session.settled


# ---- throttled progress ----


def told_at(session: Session) -> list[float]:
    news = [each for each in session.take_news() if isinstance(each, Progress)]
    return [each.progress for each in news]


def test_progress_is_told_at_first_then_by_time_and_step_then_at_a_hundred() -> None:
    session = a_session()
    attempt = sending(session, 0, size=1000)
    for moment, count in ((0.125, 1), (0.25, 399), (0.5, 50), (0.625, 50), (1.0, 100), (1.125, 5), (1.75, 3)):
        session.advance(attempt, count, at(moment))
    assert told_at(session) == [0.1, 50.0, 60.5]
    session.advance(attempt, 392, at(1.875))
    assert told_at(session) == [100.0]


def test_slow_bytes_are_told_of_at_least_every_two_seconds() -> None:
    session = a_session()
    attempt = sending(session, 0, size=10**6)
    told = []
    for eighth in range(1, 81):
        session.advance(attempt, 10, at(eighth / 8))
        told += [eighth / 8] * len(told_at(session))
    assert [later - earlier for earlier, later in pairwise(told)] == [1.75] * 5, "the last that is in time"


def test_progress_that_was_held_back_is_told_when_the_silence_grows_long() -> None:
    session = a_session()
    attempt = sending(session, 0, size=1000)
    session.advance(attempt, 100, at(0.125))
    session.advance(attempt, 5, at(0.25))
    session.tick(at(1.625))
    assert told_at(session) == [10.0]
    session.tick(at(1.875))
    assert told_at(session) == [10.5], "at the next look, at 2.125, it would come just in time or just too late"
    session.tick(at(10))
    assert told_at(session) == []


def test_throttles_are_configurable() -> None:
    session = a_session(progress_interval=0.0, progress_step=10.0)
    attempt = sending(session, 0, size=100)
    for count in range(1, 101):
        session.advance(attempt, 1, at(count / 128))
    assert told_at(session) == [1.0, 11.0, 21.0, 31.0, 41.0, 51.0, 61.0, 71.0, 81.0, 91.0, 100.0]


def test_each_attempt_and_each_file_is_throttled_by_itself() -> None:
    session = a_session()
    one, other = sending(session, 0), sending(session, 0)
    session.advance(one, 10, at(0.125))
    session.advance(other, 20, at(0.125))
    session.fail(one, LOST, at(0.125))
    session.advance(session.start(session.files[one.file_id], 100, at(0.25)), 5, at(0.25))
    assert told_at(session) == [10.0, 20.0, 5.0]


# ---- pause and resume ----


def test_a_rest_is_told_at_once_and_stops_the_bytes() -> None:
    session = a_session()
    attempt = sending(session, 0, resumable=True)
    session.take_news()
    session.pause(attempt, at(1))
    session.pause(attempt, at(1))
    assert not session.advance(attempt, 1, at(2))
    session.resume(session.files[attempt.file_id], at(3))
    session.resume(session.files[attempt.file_id], at(3))
    assert session.advance(attempt, 1, at(4))
    told = [each.status for each in session.take_news() if isinstance(each, Progress)]
    assert told == ["paused", "uploading", "uploading"]


def test_a_file_that_is_being_published_does_not_rest() -> None:
    session = a_session()
    attempt = sending(session, 0, resumable=True)
    session.seal(attempt, intent_for(session.files[attempt.file_id]), at(1))
    session.take_news()
    session.pause(attempt, at(1))
    assert session.take_news() == []
    assert session.files[attempt.file_id].status is Status.UPLOADING


def test_only_resumable_files_rest() -> None:
    session = a_session()
    attempt = sending(session, 0)
    with pytest.raises(Refused, match="NOT_RESUMABLE"):
        session.pause(attempt, at(1))
    with pytest.raises(Refused, match="NOT_RESUMABLE"):
        session.resume(session.files[attempt.file_id], at(1))


# ---- cancelling ----


@pytest.mark.parametrize("state", ["pending", "uploading", "paused", "failed"])
def test_whatever_is_unfinished_can_be_cancelled(state: str) -> None:
    session = a_session(Terms(expected=2))
    file = a_file(session, resumable=state == "paused")
    if state != "pending":
        attempt = session.start(file, 100, at(0))
        if state == "paused":
            session.pause(attempt, at(1))
        elif state == "failed":
            session.fail(attempt, LOST, at(1))
    session.take_news()
    assert session.cancel_file(file.id, "user", at(2)) == 1
    assert names(session.take_news()) == ["upload-cancelled"]
    assert session.cancel_file(file.id, "user", at(3)) == 0
    assert session.take_news() == []


@pytest.mark.parametrize("published", [False, True])
def test_a_cancel_that_comes_after_the_last_byte_comes_too_late(published: bool) -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0)
    session.advance(attempt, 100, at(1))
    session.seal(attempt, intent_for(session.files[attempt.file_id]), at(1))
    if published:
        store(session, attempt, 1)
    with pytest.raises(Refused, match="UPLOAD_ALREADY_COMPLETED"):
        session.cancel_file(attempt.file_id, "user", at(2))


def test_a_file_that_is_not_of_this_session_cannot_be_cancelled() -> None:
    with pytest.raises(Refused, match="FILE_NOT_FOUND"):
        a_session().cancel_file("file-9", "user", at(0))


def test_a_cancelled_session_tells_each_unfinished_file_then_itself() -> None:
    session = a_session(Terms(expected=5))
    a_file(session)
    sending(session, 0)
    store(session, sending(session, 0), 1)
    session.take_news()
    assert session.cancel("user", at(2)) == 2
    news = said(session)
    assert [event.get("fileId") for event in news] == ["file-1", "file-2", None, None]
    assert news[-1]["summary"]["completedFiles"] == 1
    assert session.cancel("user", at(3)) == 0


def test_a_session_that_waits_for_a_publish_is_cancelled_once() -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0)
    session.seal(attempt, intent_for(session.files[attempt.file_id]), at(1))
    session.take_news()
    assert [session.cancel("user", at(2)), session.cancel("user", at(3))] == [0, 0]
    assert names(session.take_news()) == ["upload-cancelled"]


def test_a_publish_that_fails_in_a_cancelled_session_is_not_tried_again() -> None:
    session = a_session(Terms(expected=2))
    attempt = sending(session, 0)
    session.seal(attempt, intent_for(session.files[attempt.file_id]), at(1))
    session.cancel("user", at(2))
    session.take_news()
    session.fail(attempt, Problem("SERVER_ERROR"), at(3))
    failed, *rest = session.take_news()
    assert isinstance(failed, UploadFailed)
    assert not failed.can_retry
    assert names(rest) == ["session-completed", "lastword"]


# ---- a fault of the whole session ----


def test_a_fault_is_told_while_the_session_is_open_and_never_after() -> None:
    session = a_session()
    session.report_fault(Problem("INSUFFICIENT_STORAGE"), "continue", ["file-1"], at(0))
    assert names(session.take_news()) == ["session-error"]
    session.cancel("user", at(1))
    session.take_news()
    session.report_fault(Problem("INSUFFICIENT_STORAGE"), "continue", ["file-1"], at(2))
    assert session.take_news() == []
