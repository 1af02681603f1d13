"""The attempts of one session: each starts, advances, rests, and ends once. Sans-I/O, like the session it belongs to.

The first ending of an attempt wins; later calls with its token change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from station import resting, telling
from station.clock import Moment
from station.config import Config
from station.errors import Problem
from station.events import Event, LastWord, Progress
from station.file import Attempt, File, Intent, Pace
from station.progress import LOOK
from station.roster import Roster
from station.settling import Activity, Terms

News = Event | Progress | LastWord


class Attempts:
    """`files` are in the order of their coming; `first_start`, `last_end` are monotonic."""

    def __init__(self, id: str, category: str, config: Config, moment: Moment, terms: Terms) -> None:
        self.id = id
        self.category = category
        self.config = config
        self.terms = terms
        self.activity = Activity(touched_at=moment.mono)
        self.files = Roster()
        self.settled = False
        self.first_start: float | None = None
        self.last_end: float | None = None
        self._news: list[News] = []

    def take_news(self) -> list[News]:
        news, self._news = self._news, []
        return news

    @property
    def takes_files(self) -> bool:
        return not (self.settled or self.terms.cancelled or self.terms.closing)

    def announce(self, file_id: str, name: str, size: int | None) -> File:
        """Add a file that has yet to come. Raises TOO_MANY_FILES beyond `max_files`."""
        return self.files.announce(file_id, name, size, self.config.max_files)

    def current(self, attempt: Attempt) -> File | None:
        """The file whose attempt this is, while bytes may flow into it."""
        return self.files.current(attempt)

    # -- the life of an attempt

    def start(
        self, file: File, size: int | None, moment: Moment, *, estimated: bool = False, resumed_from: int = 0
    ) -> Attempt:
        """Begin an attempt with its first byte. `size` None: deferred; `estimated`: only an upper bound."""
        now, pace = moment.mono, Pace.at_start(self.config, moment.mono)
        attempt = file.begin(size, estimated=estimated, pace=pace, now=now, resumed_from=resumed_from)
        self.first_start = now if self.first_start is None else self.first_start
        self.activity.touched_at = now
        resting.renew(file, self.config, now)
        self._news.append(telling.started(self.id, self.category, file, moment))
        return attempt

    def advance(self, attempt: Attempt, count: int, moment: Moment) -> bool:
        """Count bytes that have been written. False: the attempt is over, stop."""
        file = self.current(attempt)
        if file is None or file.pace is None:
            return False
        file.move("advance")
        file.received += count
        file.pace.speed.add(moment.mono, count)
        file.pace.forecast.add(moment.mono, count)
        self.activity.touched_at = moment.mono
        resting.renew(file, self.config, moment.mono)
        self._tell_if_due(file, moment)
        return True

    def seal(self, attempt: Attempt, intent: Intent, moment: Moment) -> bool:
        """All bytes are written and verified; from here on a cancel comes too late. False: it came before."""
        file = self.current(attempt)
        if file is None:
            return False
        file.intent = intent
        file.size, file.estimated = file.received, False
        self._tell_if_due(file, moment)
        return True

    def complete(self, attempt: Attempt, path: str, checksum: Mapping[str, str] | None, moment: Moment) -> None:
        """The file is published under `path` (its public name)."""
        file = self.current(attempt)
        if file is None:
            return
        number = file.end("complete", moment.mono)
        file.path = path
        file.size, file.estimated = file.received, False
        self._ended(moment)
        self._news.append(telling.completed(self.id, file, checksum, number, moment))
        self.settle(moment)

    def fail(self, attempt: Attempt, problem: Problem, moment: Moment, *, timed_out: bool = False) -> None:
        """End the attempt badly. When time-outs alone used up all tries, the file is cancelled (`retry-limit`)."""
        file = self.files.get(attempt.file_id)
        if file is None or not file.in_flight or file.attempt != attempt.number:
            return
        file.timeouts += timed_out
        if timed_out and not file.resumable and file.timeouts > self.config.max_retries:
            self._cancel(file, "retry-limit", moment)
        else:
            self._fail(file, "fail", problem, moment, can_retry=problem.row.retry and self.may_retry(file))
        self.settle(moment)

    def refuse(self, file: File, problem: Problem, moment: Moment) -> None:
        """Turn a file away before its first byte; it counts among the expected files."""
        self._fail(file, "refuse", problem, moment, can_retry=problem.row.retry and self.may_retry(file))
        self.settle(moment)

    def let_go(self, file: File, moment: Moment) -> None:
        """The request that was about to send this file will not."""
        file.claimed = False
        if self.terms.closing and not file.is_final(moment.mono):
            self._cancel(file, "session-completed", moment)
        self.settle(moment)

    def may_retry(self, file: File) -> bool:
        over = self.terms.cancelled or self.terms.closing
        return not over and (not file.limited or file.failures < self.config.max_retries)

    def _fail(self, file: File, verb: str, problem: Problem, moment: Moment, *, can_retry: bool) -> None:
        number = file.end(verb, moment.mono)
        file.failures += 1
        file.can_retry = can_retry
        if can_retry:
            resting.renew(file, self.config, moment.mono)
            file.retry_until = file.expires_at if file.resumable else moment.mono + self.config.retry_grace
        self._ended(moment)
        self._news.append(telling.failed(self.id, file, problem, number, self.config, moment))

    # -- resumable files

    def go_on(self, file: File, offset: int, size: int | None, moment: Moment) -> Attempt:
        """Bytes come for a resumable file after the `offset` that are safe: in its running attempt, or in a new one."""
        if not file.in_flight:
            return self.start(file, size, moment, resumed_from=offset)
        self._say(resting.carry_on(file, offset, size, self.config, moment))
        return file.token

    def rest(self, attempt: Attempt, problem: Problem | None, moment: Moment) -> None:
        """The request that brought its bytes ended before the file did; with a `problem`, if not cleanly."""
        file = self.current(attempt)
        if file is not None and not file.sealed:
            resting.lull(file, problem, moment.mono)

    def leave(self, file: File, moment: Moment, *, failed: Problem | None, lull: Problem | None, whole: bool) -> None:
        """A request that brought, or was to bring, its bytes has ended.

        `failed`: the attempt ends with it. `lull`: what it fails with unless another request comes soon (None: it
        rests). `whole`: nothing is missing any more.
        """
        if failed is not None and file.in_flight:
            self.fail(file.token, failed, moment)
        elif failed is not None and file.claimed:
            self.refuse(file, failed, moment)
        elif file.in_flight and not whole:
            self.rest(file.token, lull, moment)
        elif file.claimed and not whole:
            self.let_go(file, moment)

    def pause(self, attempt: Attempt, moment: Moment) -> None:
        """Raises NOT_RESUMABLE."""
        file = self.current(attempt)
        if file is not None and not file.sealed:
            self._say(resting.pause(file, moment))

    def resume(self, file: File, moment: Moment) -> None:
        """Raises NOT_RESUMABLE."""
        self._say(resting.resume(file, self.config, moment))

    def _say(self, news: News | None) -> None:
        if news is not None:
            self._news.append(news)

    # -- ends

    def _cancel(self, file: File, reason: str, moment: Moment) -> None:
        number = file.end("cancel", moment.mono)
        self._ended(moment)
        self._news.append(telling.cancelled(self.id, file, reason, number, moment))

    def _ended(self, moment: Moment) -> None:
        self.last_end = self.activity.touched_at = self.activity.rested_at = moment.mono

    def settle(self, moment: Moment) -> None:
        """Called after each ending: the session may be over."""
        raise NotImplementedError

    def _tell_if_due(self, file: File, moment: Moment) -> None:
        known = None if file.size is None else telling.percentage(file)
        if file.pace is not None and file.pace.throttle.due(moment.mono, known, LOOK):
            self._news.append(telling.progress(file, moment))
