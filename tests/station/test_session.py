"""The state machine of a session: by property over long random lives, and by example where words are clearer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from station import resting
from station.claim import claim
from station.clock import Moment
from station.errors import Problem, Refused
from station.events import Event, Progress, UploadCancelled, UploadFailed, UploadStarted
from station.file import Attempt, File, Status
from station.keeping import keep_file, keep_session, session_from
from station.progress import percent
from station.resting import GRACE
from station.session import News, Session
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
    names,
    sending,
    sizes,
    store,
)
from tests.station.ledger import Ledger, Told

RULES = config(max_files=6, max_retries=2, language="en", upload_expiry=1200.0)
LOST = Problem("NETWORK_ERROR")

terms = st.one_of(
    st.builds(Terms, implicit=st.just(True)),
    st.builds(Terms, expected=st.integers(1, 4)),
    st.builds(Terms, auto_complete=st.just(False)),
    st.builds(Terms),
)
doubts = st.integers(0, 39)  # a session that is cancelled at once has no life worth watching
waits = st.sampled_from([*(count / 8 for count in range(41)), *(3 * [29.875, 30.0, 31.0, 600.0, 1800.0, 86_400.0])])
announced = st.lists(st.tuples(st.sampled_from(["a.jpg", "b.jpg"]), st.none() | sizes), max_size=3)


def kept(session: Session, moment: Moment) -> tuple[Any, ...]:
    """All that the journal would keep, by way of text."""
    files = [(file.id, loads(dumps(keep_file(file, moment)))) for file in session.files.values()]
    return loads(dumps(keep_session(session, moment))), files


def said(session: Session) -> list[dict[str, Any]]:
    """The lifecycle events taken now, in their wire form."""
    return [{"event": each.name, **each.data()} for each in session.take_news() if isinstance(each, Event)]


def after_a_crash(session: Session) -> Session:
    """A copy without what ends with the process: requests, claims, lulls, and the pace of attempts."""
    copy = deepcopy(session)
    copy.activity.requests = 0
    for file in copy.files.values():
        file.claimed, file.lull, file.pace = False, None, None
    return copy


@dataclass(eq=False)
class Sender:
    """A request that claimed a file, and the attempt that it started. It gives up when the file moved on since."""

    file: File
    size: int | None
    claim: tuple[Attempt, int]
    attempt: Attempt | None = None


@dataclass(eq=False)
class Phone:
    """A client with an upload resource for one file: it comes and goes, and brings bytes from where it stopped.

    `offset`: bytes that are safe, and outlive the station. `counted`: those of them that the session knows of.
    `open`: a request of it runs. `begun`: that request has brought bytes.
    """

    file_id: str
    upload: str
    length: int | None
    offset: int = 0
    counted: int = 0
    open: bool = False
    begun: bool = False


class Watcher(Ledger):
    """Believes nothing of resumable files either. `began_with`: bytes that the newest attempt of each began with."""

    def __init__(self, max_retries: int, language: str, expected: int | None) -> None:
        super().__init__(max_retries, language, expected)
        self.began_with: dict[str, int] = {}

    def _started(self, each: UploadStarted) -> None:
        before = self.files.get(each.file_id, Told()).uploaded
        super()._started(each)
        here = each.resumed_from or 0
        assert each.resumed_from != 0, "told though there was nothing"
        assert not here or here >= before or before == 0, "what was told to be here is gone"
        self.began_with[each.file_id] = here
        told = self.files[each.file_id]
        told.uploaded = here
        told.progress = percent(here, each.file_size, exact=not each.estimated) if here else 0.0

    def _failed(self, each: UploadFailed) -> None:
        assert each.uploaded_bytes >= self.files.get(each.file_id, Told()).uploaded
        super()._failed(each)
        self.files[each.file_id].uploaded = each.uploaded_bytes


class SessionLife(RuleBasedStateMachine):
    """Clients, time and crashes do to a session what they like; a Ledger checks what it says.

    `plain`: there are also clients whose files begin at nought each time. `impatience`: how often, of 40 times that
    they might, they give the session up.
    """

    plain, impatience = True, 6

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
        self.phones: list[Phone] = []
        self.lulls: dict[Attempt, tuple[str | None, float]] = {}
        """Of attempts that no request brings bytes of: what they fail with (None: they rest), and when."""
        self.expiry: dict[str, float] = {}
        self.session = Session(SESSION, CATEGORY, RULES, self.now, terms)
        self.ledger = Watcher(RULES.max_retries, RULES.language, terms.expected)
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

    def usable(self, phone: Phone) -> bool:
        """Whether something can come of its upload still."""
        file = self.session.files[phone.file_id]
        over = file.sealed or (file.is_final(self.now.mono) and file.status is not Status.PENDING)
        return file.upload == phone.upload and not over

    def phones_that(self, *, open: bool) -> list[Phone]:
        """Of those whose request runs, also the ones that it is in vain for."""
        return [phone for phone in self.phones if phone.open == open and (open or self.usable(phone))]

    def phone(self, data: st.DataObject, *, open: bool) -> Phone:
        return data.draw(st.sampled_from(self.phones_that(open=open)))

    def is_open(self) -> bool:
        return not self.session.settled

    def has_life(self) -> bool:
        return self.plain or not self.session.settled

    def takes_plain_files(self) -> bool:
        return self.plain and self.session.takes_files

    def has_phones(self) -> bool:
        return bool(self.phones_that(open=False))

    def has_open(self) -> bool:
        return bool(self.phones_that(open=True))

    def plain_requests(self) -> int:
        """Requests that run and are no phone's."""
        return self.session.activity.requests - sum(phone.open for phone in self.phones)

    def has_plain_requests(self) -> bool:
        return self.plain_requests() > 0

    def has_waiting(self) -> bool:
        return any(sender.attempt is None for sender in self.senders)

    def has_sending(self) -> bool:
        return any(sender.attempt is not None for sender in self.senders)

    # -- requests

    @precondition(takes_plain_files)
    @rule()
    def request_begins(self) -> None:
        self.session.request_began(self.now)

    @precondition(has_plain_requests)
    @rule()
    def request_ends(self) -> None:
        """The last one takes with it what it was about to send and what it sent."""
        if self.plain_requests() == 1:
            for sender in self.senders:
                self.abandon(sender)
            self.senders.clear()
        self.session.request_ended(self.now)

    def abandon(self, sender: Sender) -> None:
        if sender.attempt is None:
            self.give_up(sender, "NETWORK_ERROR")
        elif sender.file.sealed and sender.attempt == sender.file.token:
            self.complete(sender.attempt)
        else:
            self.session.fail(sender.attempt, Problem("NETWORK_ERROR"), self.now)

    def holds_claim(self, sender: Sender) -> bool:
        return not self.session.settled and sender.claim == (sender.file.token, sender.file.claims)

    def give_up(self, sender: Sender, code: str) -> None:
        if self.holds_claim(sender):
            self.session.refuse(sender.file, Problem(code), self.now)

    @precondition(has_plain_requests)
    @rule(name=st.sampled_from(["a.jpg", "b.jpg"]), size=st.none() | sizes, retry=st.booleans(), data=st.data())
    def claim(self, name: str, size: int | None, retry: bool, data: st.DataObject) -> None:
        file_id = self.file(data).id if retry and self.session.files else None
        try:
            file = claim(self.session, self.new_id(), name, size, file_id, self.now)
        except Refused:
            return
        if file.size is not None and not file.estimated and file.attempt == 0:
            size = file.size
        self.senders.append(Sender(file, size, (file.token, file.claims)))

    @precondition(lambda self: self.takes_plain_files() and len(self.session.files) < RULES.max_files)
    @rule(size=st.none() | sizes, estimated=st.booleans())
    def send(self, size: int | None, estimated: bool) -> None:
        """A request of its own for a new file, as far as its first byte."""
        self.session.request_began(self.now)
        file = claim(self.session, self.new_id(), f"{self.ids}.jpg", size, None, self.now)
        estimated = estimated and size is not None
        attempt = self.session.start(file, size, self.now, estimated=estimated)
        self.senders.append(Sender(file, size, (attempt, file.claims), attempt))

    @precondition(lambda self: self.takes_plain_files() and any(f.can_retry for f in self.session.files.values()))
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        file = data.draw(st.sampled_from([file for file in self.session.files.values() if file.can_retry]))
        claim(self.session, self.new_id(), file.name, file.size, file.id, self.now)
        attempt = self.session.start(file, file.size, self.now, estimated=file.estimated)
        self.senders.append(Sender(file, file.size, (attempt, file.claims), attempt))

    @precondition(has_waiting)
    @rule(data=st.data(), estimated=st.booleans())
    def start(self, data: st.DataObject, estimated: bool) -> None:
        sender = self.sender(data, started=False)
        if not self.holds_claim(sender):
            self.senders.remove(sender)
            return
        estimated = estimated and sender.size is not None
        sender.attempt = self.session.start(sender.file, sender.size, self.now, estimated=estimated)

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

    # -- resumable uploads

    @precondition(lambda self: self.session.takes_files)
    @rule(name=st.sampled_from(["a.jpg", "b.jpg"]), size=st.none() | sizes, retry=st.booleans(), data=st.data())
    def create(self, name: str, size: int | None, retry: bool, data: st.DataObject) -> None:
        """An upload is made for a new file, or for one that waits or is taken over."""
        self.creates(name, size, self.file(data).id if retry and self.session.files else None)

    def creates(self, name: str, size: int | None, file_id: str | None) -> None:
        self.session.request_began(self.now)
        try:
            file = claim(self.session, self.new_id(), name, size, file_id, self.now)
        except Refused:
            self.session.request_ended(self.now)
            return
        file.upload, file.expires_at = f"upload-{self.ids}", self.now.mono + RULES.upload_expiry
        self.expiry[file.id] = self.elapsed + RULES.upload_expiry
        self.phones.append(Phone(file.id, file.upload, file.announced if size is None else size))
        self.session.let_go(file, self.now)
        self.session.request_ended(self.now)

    @precondition(has_phones)
    @rule(data=st.data(), count=st.none() | st.integers(0, 2000))
    def come(self, data: st.DataObject, count: int | None) -> None:
        phone = self.phone(data, open=False)
        self.opens(phone)
        if count is not None:
            self.brings(phone, self.at_most(phone, count))

    def opens(self, phone: Phone) -> None:
        file = self.session.files[phone.file_id]
        self.session.request_began(self.now)
        file.claimed, file.lull = not file.in_flight, None
        resting.renew(file, RULES, self.now.mono)
        self.expiry[file.id] = self.elapsed + RULES.upload_expiry
        self.lulls.pop(file.token, None)
        phone.open, phone.begun = True, False

    @precondition(has_open)
    @rule(data=st.data(), count=st.integers(0, 500))
    def dribble(self, data: st.DataObject, count: int) -> None:
        """Bytes become safe before there are enough of them to be judged: no attempt begins yet.

        Not where the file has bytes of an older upload: those would not be counted beside these few.
        """
        phone = self.phone(data, open=True)
        file = self.session.files[phone.file_id]
        if self.usable(phone) and (file.in_flight or file.received <= phone.counted):
            self.move(phone, self.at_most(phone, count))

    @precondition(has_open)
    @rule(data=st.data(), count=st.integers(0, 2000), pause=eighths)
    def bring(self, data: st.DataObject, count: int, pause: float) -> None:
        phone = self.phone(data, open=True)
        self.elapsed += pause
        if self.usable(phone):
            self.brings(phone, self.at_most(phone, count))

    def at_most(self, phone: Phone, count: int) -> int:
        return count if phone.length is None else min(count, phone.length - phone.offset)

    def brings(self, phone: Phone, count: int) -> None:
        file = self.session.files[phone.file_id]
        if not phone.begun:
            ran, before = file.in_flight, file.token
            attempt = self.session.go_on(file, phone.offset, phone.length, self.now)
            assert attempt == (before if ran else Attempt(file.id, before.number + 1))
            assert (file.received, file.status) == (phone.offset, Status.UPLOADING)
            self.count(phone)
            self.expiry[file.id] = self.elapsed + RULES.upload_expiry
            phone.begun = True
        self.move(phone, count)
        assert file.received == phone.offset

    def move(self, phone: Phone, count: int) -> None:
        """More bytes are safe."""
        phone.offset += count
        if self.session.advance(self.session.files[phone.file_id].token, count, self.now):
            self.count(phone, count)
            self.expiry[phone.file_id] = self.elapsed + RULES.upload_expiry

    def count(self, phone: Phone, count: int | None = None) -> None:
        new = phone.offset - phone.counted if count is None else count
        phone.counted += new
        self.counted[phone.file_id] = self.counted.get(phone.file_id, 0) + new

    @precondition(has_open)
    @rule(data=st.data(), code=st.sampled_from([None, "NETWORK_ERROR", "SERVER_ERROR"]))
    def leave(self, data: st.DataObject, code: str | None) -> None:
        """The request ends before the file does; with a code, if not cleanly."""
        self.leaves(self.phone(data, open=True), code)

    def leaves(self, phone: Phone, code: str | None) -> None:
        file = self.session.files[phone.file_id]
        phone.open = False
        if self.usable(phone):
            if file.status is Status.UPLOADING:
                self.lulls[file.token] = code, self.elapsed + GRACE
            if file.in_flight:
                self.session.rest(file.token, None if code is None else Problem(code), self.now)
            elif file.claimed:
                self.session.let_go(file, self.now)
        self.session.request_ended(self.now)

    @precondition(has_phones)
    @rule(data=st.data(), count=st.integers(0, 500), code=st.sampled_from([None, "NETWORK_ERROR"]), late=st.booleans())
    def stay_away(self, data: st.DataObject, count: int, code: str | None, late: bool) -> None:
        """A request brings some bytes and ends; no other comes before the lull is over, or just `late` enough."""
        phone = self.phone(data, open=False)
        self.opens(phone)
        self.brings(phone, self.at_most(phone, count))
        self.leaves(phone, code)
        attempt, file = self.session.files[phone.file_id].token, self.session.files[phone.file_id]
        self.elapsed += GRACE - 0.125
        self.tick()
        assert (file.status, file.token) == (Status.UPLOADING, attempt)
        if late:
            self.elapsed += 0.125
            self.tick()
            assert file.status in {Status.FAILED if code else Status.PAUSED, Status.CANCELLED}

    @precondition(has_open)
    @rule(data=st.data(), code=codes, lost=st.booleans())
    def spoil(self, data: st.DataObject, code: str, lost: bool) -> None:
        """The request fails, and with it the attempt; `lost`: the upload, too."""
        phone = self.phone(data, open=True)
        file = self.session.files[phone.file_id]
        phone.open = False
        if self.usable(phone):
            file.upload = None if lost else file.upload
            if file.in_flight:
                self.session.fail(file.token, Problem(code), self.now)
            elif file.claimed:
                self.session.refuse(file, Problem(code), self.now)
            if file.can_retry:
                self.expiry[file.id] = self.elapsed + RULES.upload_expiry
        self.session.request_ended(self.now)

    @precondition(has_open)
    @rule(data=st.data())
    def bring_the_rest(self, data: st.DataObject) -> None:
        """`publish_upload` comes later."""
        phone = self.phone(data, open=True)
        if not self.usable(phone):
            return
        file = self.session.files[phone.file_id]
        self.brings(phone, 0 if phone.length is None else phone.length - phone.offset)
        phone.open = False
        self.session.request_ended(self.now)
        assert self.session.go_on(file, phone.offset, phone.offset, self.now) == file.token
        assert self.session.seal(file.token, intent_for(file), self.now)

    @precondition(lambda self: any(file.resumable and file.sealed for file in self.session.files.values()))
    @rule(data=st.data())
    def publish_upload(self, data: st.DataObject) -> None:
        sealed = [file for file in self.session.files.values() if file.resumable and file.sealed]
        self.complete(data.draw(st.sampled_from(sealed)).token)

    @precondition(has_phones)
    @rule(data=st.data(), gaps=st.lists(st.integers(0, 23), min_size=2, max_size=100), code=st.none() | codes)
    def bring_in_chunks(self, data: st.DataObject, gaps: list[int], code: str | None) -> None:
        """However many requests follow each other within 3 s, they are one attempt."""
        phone = self.phone(data, open=False)
        self.opens(phone)
        self.brings(phone, 0)
        file, attempt = self.session.files[phone.file_id], self.session.files[phone.file_id].token
        self.ledger.take(self.session.take_news())
        for gap in gaps:
            self.leaves(phone, code)
            self.elapsed += gap / 8
            about = [each for each in self.tick() if getattr(each, "file_id", None) == file.id]
            assert all(isinstance(each, Progress) and each.status == "uploading" for each in about)
            self.opens(phone)
            self.brings(phone, self.at_most(phone, 7))
        assert file.token == attempt
        news = self.session.take_news()
        assert [each for each in news if not isinstance(each, Progress)] == []
        self.ledger.take(news)

    @precondition(lambda self: self.session.files and not self.session.settled)
    @rule(data=st.data())
    def pause_or_resume(self, data: st.DataObject) -> None:
        """A request that runs is ended first, kindly."""
        file = self.file(data)
        failures, attempt = file.failures, file.token
        if file.status is Status.PAUSED:
            self.session.resume(file, self.now)
            self.lulls[file.token] = None, self.elapsed + GRACE
            self.expiry[file.id] = self.elapsed + RULES.upload_expiry
            assert (file.status, file.token) == (Status.UPLOADING, attempt)
        elif file.resumable or file.sealed or file.status is not Status.UPLOADING:
            for phone in self.phones_that(open=True):
                if phone.file_id == file.id and self.usable(phone):
                    self.leaves(phone, None)
            self.session.pause(file.token, self.now)
            self.lulls.pop(file.token, None)
            assert file.failures == failures, "a pause is no failure"
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

    @precondition(has_life)
    @rule(doubt=doubts)
    def cancel(self, doubt: int) -> None:
        if doubt >= self.impatience:
            return
        unfinished = len(self.session.files.unfinished(self.now.mono))
        known = self.session.settled or self.session.terms.cancelled
        assert self.session.cancel("user", self.now) == (0 if known else unfinished)
        assert self.session.settled or any(file.sealed for file in self.session.files.values())

    @precondition(has_life)
    @rule(doubt=doubts)
    def close(self, doubt: int) -> None:
        if doubt >= self.impatience:
            return
        self.session.close(self.now)
        going_on = (file.in_flight or file.claimed for file in self.session.files.values())
        assert self.session.settled or any(going_on)

    @precondition(is_open)
    @rule(data=st.data(), code=codes)
    def report_fault(self, data: st.DataObject, code: str) -> None:
        self.session.report_fault(Problem(code), "continue", list(self.session.files), self.now)

    # -- time and accidents

    @rule(seconds=waits, tick=st.booleans())
    def wait(self, seconds: float, tick: bool) -> None:
        self.elapsed += seconds
        if tick:
            self.tick()

    @rule(step=st.sampled_from([0.5, 4.0, 300.0]))
    def nobody_does_anything(self, step: float) -> None:
        """Looked at only when it says that it is to be, a session says the same at the same times."""
        always, when_due = deepcopy(self.session), deepcopy(self.session)
        look = -math.inf
        for number in range(70):
            moment = Moment(self.now.mono + number * step, self.now.wall + number * step)
            always.tick(moment)
            if look <= moment.mono:
                when_due.tick(moment)
                look = when_due.next_look(moment.mono)
            assert when_due.take_news() == always.take_news()
        assert kept(when_due, moment) == kept(always, moment)

    def tick(self) -> list[News]:
        """What time alone does: each upload that is due expires, each lull that is over ends; no others do."""
        self.ledger.take(self.session.take_news())
        files, now = self.session.files, self.now
        unfinished = {file.id: file for file in files.values() if not file.is_final(now.mono) and not file.sealed}
        expired = [file.id for file in unfinished.values() if file.resumable and self.expiry[file.id] <= self.elapsed]
        over = {
            file.id: self.lulls[file.token][0]
            for file in unfinished.values()
            if file.status is Status.UPLOADING
            and file.id not in expired
            and self.lulls.get(file.token, (None, math.inf))[1] <= self.elapsed
        }
        closing = self.session.terms.closing
        self.session.tick(now)
        news = self.session.take_news()
        ends = [(each.file_id, each.reason) for each in news if isinstance(each, UploadCancelled)]
        assert [file_id for file_id, reason in ends if reason == "expired"] == expired
        left = [file_id for file_id, code in over.items() if code is None]
        assert [file_id for file_id, reason in ends if reason == "session-completed"] == (left if closing else [])
        rested = [each.file_id for each in news if isinstance(each, Progress) and each.status == "paused"]
        assert rested == ([] if closing else left)
        failed = [(each.file_id, each.error["code"]) for each in news if isinstance(each, UploadFailed)]
        assert failed == [(file_id, code) for file_id, code in over.items() if code is not None]
        for file_id, _ in failed:
            self.expiry[str(file_id)] = self.elapsed + RULES.upload_expiry
        self.ledger.take(news)
        return news

    @precondition(lambda self: self.retired or self.senders)
    @rule(data=st.data(), verb=st.sampled_from(["advance", "seal", "complete", "fail", "pause", "rest"]))
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
            case "rest":
                self.session.rest(attempt, LOST, self.now)
                assert file is None or file.lull is None or file.token != attempt
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
            self.phones = [phone for phone in self.phones if phone.file_id != unheard]
        before = self.now
        row, files = kept(self.session, before)
        self.boot += 4096.0
        revived = session_from(SESSION, row, files, RULES, self.now)
        assert kept(revived, self.now) == (row, files)
        self.fall_behind(revived)
        offsets = {phone.upload: phone.offset for phone in self.phones}
        old, new = after_a_crash(self.session), deepcopy(revived)
        for verb in ["recover", *verbs]:
            apart = self.now.mono - before.mono
            if verb == "wait":
                before, self.elapsed = Moment(before.mono + 31, before.wall + 31), self.elapsed + 31
            apply(verb, old, before, offsets)
            apply(verb, new, Moment(before.mono + apart, before.wall), offsets)
            assert said(old) == said(new)
        self.session = revived
        self.senders.clear()
        self.go_on_after_a_crash(offsets)

    def fall_behind(self, session: Session) -> None:
        """The journal has the file as it was when an event last told of it, and only the upload's offset since."""
        for file in session.files.values():
            if file.resumable and file.status is Status.UPLOADING and not file.sealed:
                file.received = min(file.received, self.ledger.began_with[file.id])

    def go_on_after_a_crash(self, offsets: Mapping[str, int]) -> None:
        self.lulls.clear()
        running = [file for file in self.session.files.values() if file.in_flight and file.resumable]
        recover(self.session, self.now, offsets)
        for file in running:
            if file.status is Status.UPLOADING:
                self.lulls[file.token] = "NETWORK_ERROR", self.elapsed + GRACE
        for phone in self.phones:
            phone.open = False
            file = self.session.files[phone.file_id]
            if file in running and file.upload == phone.upload:
                self.count(phone)
        self.tick()

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
        received = {file.id: file.received_total for file in files.values() if file.received_total}
        assert received == {file_id: count for file_id, count in self.counted.items() if count}
        unheard = files.keys() - picture.files.keys()
        assert {files[file_id].status for file_id in unheard} <= {Status.PENDING}
        for told in picture.files.values():
            file = files[told.id]
            assert told.status == file.status
            assert told.path == file.path
            assert told.attempt == file.attempt or told.status != "uploading"
            assert told.uploaded <= file.received
            assert told.uploaded == file.received or told.status == "uploading"
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


def apply(verb: str, session: Session, moment: Moment, offsets: Mapping[str, int]) -> None:
    """What may happen to a session after a start of the station."""
    files = list(session.files.values())
    match verb:
        case "recover":
            recover(session, moment, offsets)
            session.tick(moment)
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


def recover(session: Session, moment: Moment, offsets: Mapping[str, int]) -> None:
    """What was being published turns out to be there, resumable uploads go on from what is safe, the rest is lost."""
    for file in list(session.files.values()):
        if file.sealed and file.in_flight:
            session.complete(file.token, f"/upload/{CATEGORY}/{file.id}", None, moment)
        elif file.in_flight and file.upload is not None:
            file.received = offsets[file.upload]
            if file.status is Status.UPLOADING:
                resting.lull(file, LOST, moment.mono)
            session.remember(file, moment)
        elif file.in_flight:
            session.fail(file.token, Problem("SERVER_ERROR"), moment)
    if session.terms.closing:
        session.close(moment)


class UploadLife(SessionLife):
    """Phones only, and more patient ones: so uploads live long enough to break, rest, fail, go on and expire."""

    plain, impatience = False, 2

    @initialize(terms=terms, announced=announced, sizes=st.lists(st.none() | sizes, min_size=1, max_size=3))
    def open_with_uploads(self, terms: Terms, announced: list[tuple[str, int | None]], sizes: list[int | None]) -> None:
        super().open(terms, announced)
        for size in sizes:
            self.creates("c.jpg", size, None)

    def open(self, terms: Terms, announced: list[tuple[str, int | None]]) -> None:
        """Not by itself."""


SessionLife.TestCase.settings = settings(max_examples=400, stateful_step_count=50, deadline=None)
TestSessionLife = SessionLife.TestCase
UploadLife.TestCase.settings = settings(max_examples=400, stateful_step_count=50, deadline=None)
TestUploadLife = UploadLife.TestCase


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


@pytest.mark.parametrize("whole", [False, True])
def test_a_retry_that_is_about_to_begin_after_its_grace_can_be_cancelled(whole: bool) -> None:
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0)
    session.fail(attempt, LOST, at(1))
    file = claim(session, "new", "", None, attempt.file_id, at(20))
    session.take_news()
    assert (session.cancel("user", at(60)) if whole else session.cancel_file(file.id, "user", at(60))) == 1
    assert file.status is Status.CANCELLED
    assert names(session.take_news())[-2:] == ["session-completed", "lastword"]


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


# ---- time and restarts ----


@pytest.mark.parametrize("problem", [None, LOST])
def test_an_upload_whose_lull_and_life_are_both_over_expires(problem: Problem | None) -> None:
    """The machine slept, say: a failure now would keep the upload for another day."""
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0, resumable=True)
    session.rest(attempt, problem, at(1))
    session.take_news()
    session.tick(at(90_000))
    cancelled, *rest = session.take_news()
    assert getattr(cancelled, "reason", None) == "expired"
    assert names(rest) == ["session-completed", "lastword"]


def test_the_life_of_an_upload_that_is_lost_is_not_that_of_its_file() -> None:
    """Whoever was told until when it can be sent again may send it until then."""
    session = a_session(Terms(expected=1))
    attempt = sending(session, 0, resumable=True)
    end = session.config.upload_expiry
    session.files[attempt.file_id].upload = None
    session.fail(attempt, Problem("CHECKSUM_MISMATCH"), at(end - 1))
    session.take_news()
    for seconds in (0, 1, session.config.retry_grace - 2):
        session.tick(at(end + seconds))
        assert session.take_news() == []
        assert session.next_look(at(end + seconds).mono) > at(end + seconds).mono


def test_after_a_restart_a_file_that_rests_says_so_and_no_other_does() -> None:
    session = a_session()
    running, paused = sending(session, 0, resumable=True), sending(session, 0, resumable=True)
    session.advance(paused, 30, at(1))
    session.pause(paused, at(1))
    session.take_news()
    for attempt in (running, paused):
        session.remember(session.files[attempt.file_id], at(2))
    (told,) = session.take_news()
    assert isinstance(told, Progress)
    assert (told.file_id, told.status, told.uploaded) == (paused.file_id, "paused", 30)


# ---- a fault of the whole session ----


def test_a_fault_is_told_while_the_session_is_open_and_never_after() -> None:
    session = a_session()
    session.report_fault(Problem("INSUFFICIENT_STORAGE"), "continue", ["file-1"], at(0))
    assert names(session.take_news()) == ["session-error"]
    session.cancel("user", at(1))
    session.take_news()
    session.report_fault(Problem("INSUFFICIENT_STORAGE"), "continue", ["file-1"], at(2))
    assert session.take_news() == []
