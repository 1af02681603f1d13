"""The state machine of one upload session. Sans-I/O: verbs go in with the time, events come out by `take_news`.

It decides; it does not know whether what it decided has been journalled or told (that is `channel`), where bytes lie
(`storage`) or who watches (`hub`). The first ending of an attempt wins; later calls with its token change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from station import settling, telling
from station.clock import Moment
from station.config import Config
from station.errors import Problem, Refused
from station.events import Event, LastWord, Progress
from station.file import Attempt, File, Intent, Pace, Status
from station.progress import LOOK
from station.roster import Roster
from station.settling import Activity, Terms

News = Event | Progress | LastWord


class Session:
    """One batch of uploads. `files` are in the order of their coming; `first_start`, `last_end` are monotonic."""

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

    def start(self, file: File, size: int | None, moment: Moment, *, estimated: bool = False) -> Attempt:
        """Begin an attempt with its first byte. `size` None: deferred; `estimated`: only an upper bound."""
        now = moment.mono
        attempt = file.begin(size, estimated=estimated, pace=Pace.at_start(self.config, now), now=now)
        self.first_start = now if self.first_start is None else self.first_start
        self.activity.touched_at = now
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
        return not over and (file.resumable or file.failures < self.config.max_retries)

    def _fail(self, file: File, verb: str, problem: Problem, moment: Moment, *, can_retry: bool) -> None:
        number = file.end(verb, moment.mono)
        file.failures += 1
        file.can_retry = can_retry
        if can_retry:
            grace = self.config.upload_expiry if file.resumable else self.config.retry_grace
            file.retry_until = moment.mono + grace
        self._ended(moment)
        self._news.append(telling.failed(self.id, file, problem, number, self.config, moment))

    def pause(self, attempt: Attempt, moment: Moment) -> None:
        """Rest a resumable file: no failure, told by a progress message. Raises NOT_RESUMABLE for others."""
        file = self.current(attempt)
        if file is None or file.sealed:
            return
        if not file.resumable:
            raise Refused("NOT_RESUMABLE")
        file.move("pause")
        self._news.append(telling.progress(file, moment))

    def resume(self, file: File, moment: Moment) -> None:
        if not file.resumable:
            raise Refused("NOT_RESUMABLE")
        if file.status is Status.PAUSED:
            file.move("resume")
            self._news.append(telling.progress(file, moment))

    # -- ending ahead of time

    def cancel_file(self, file_id: str, reason: str, moment: Moment) -> int:
        """Cancel one file; returns how many were (0: it had ended otherwise). Raises UPLOAD_ALREADY_COMPLETED."""
        file = self.files.named(file_id)
        if file.status is Status.COMPLETED or file.sealed:
            raise Refused("UPLOAD_ALREADY_COMPLETED")
        if file.is_final(moment.mono):
            return 0
        self._cancel(file, reason, moment)
        self.settle(moment)
        return 1

    def cancel(self, reason: str, moment: Moment) -> int:
        """Cancel all that is not finished, and the session. A file that is being published still completes."""
        if self.settled or self.terms.cancelled:
            return 0
        self.terms.cancelled = True
        count = self._cancel_each(self.files.unfinished(moment.mono), reason, moment)
        uploaded = sum(file.received_total for file in self.files.values())
        self._news.append(telling.cancelled_whole(self.id, reason, uploaded, moment))
        self.settle(moment)
        return count

    def close(self, moment: Moment) -> int:
        """No more files will come: what is being sent goes on, what waits is cancelled; returns how many were."""
        if self.settled:
            return 0
        self.terms.closing = True
        unfinished = self.files.unfinished(moment.mono)
        waiting = [file for file in unfinished if file.status is not Status.UPLOADING and not file.claimed]
        count = self._cancel_each(waiting, "session-completed", moment)
        self.settle(moment)
        return count

    def _cancel_each(self, files: list[File], reason: str, moment: Moment) -> int:
        for file in files:
            self._cancel(file, reason, moment)
        return len(files)

    def _cancel(self, file: File, reason: str, moment: Moment) -> None:
        number = file.end("cancel", moment.mono)
        self._ended(moment)
        self._news.append(telling.cancelled(self.id, file, reason, number, moment))

    def _ended(self, moment: Moment) -> None:
        self.last_end = self.activity.touched_at = self.activity.rested_at = moment.mono

    def report_fault(self, problem: Problem, action: str, file_ids: Iterable[str], moment: Moment) -> None:
        """Tell a fault that concerns the whole session (`session-error`), a full disk say."""
        if self.settled:
            return
        self._news.append(telling.faulted(self.id, problem, action, file_ids, self.config, moment))

    # -- requests and time

    def request_began(self, moment: Moment) -> None:
        self.activity.requests += 1
        self.activity.touched_at = moment.mono

    def request_ended(self, moment: Moment) -> None:
        self.activity.requests -= 1
        self.activity.touched_at = self.activity.rested_at = moment.mono
        self.settle(moment)

    def tick(self, moment: Moment) -> None:
        """Do what is due because time passed: expiry, abandonment, held-back progress, settling."""
        if self.settled:
            return
        now = moment.mono
        expired = [f for f in self.files.unfinished(now) if f.expires_at is not None and now >= f.expires_at]
        self._cancel_each(expired, "expired", moment)
        for file in self.files.values():
            if file.pace is not None and file.status is Status.UPLOADING and file.pace.throttle.stale(now, LOOK):
                self._tell_if_due(file, moment)
        if settling.is_abandoned(self.activity, self.files.values(), self.config, now):
            self._cancel_each(self.files.unfinished(now), "session-timeout", moment)
            self.terms.closing = True
        self.settle(moment)

    def settle(self, moment: Moment) -> None:
        """End the session if it is over: `session-completed`, once, then the last message."""
        files = self.files.values()
        over = settling.is_over(self.terms, self.activity, files, self.config, moment.mono)
        if self.settled or not over:
            return
        self.settled = True
        summary = settling.summary(files, self.first_start, self.last_end)
        self._news.append(telling.settled(self.id, files, summary, moment))
        self._news.append(LastWord(moment.stamp))

    def _tell_if_due(self, file: File, moment: Moment) -> None:
        known = None if file.size is None else telling.percentage(file)
        if file.pace is not None and file.pace.throttle.due(moment.mono, known, LOOK):
            self._news.append(telling.progress(file, moment))
