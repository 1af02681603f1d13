"""The state machine of one upload session. Sans-I/O: verbs go in with the time, events come out by `take_news`.

It decides; it does not know whether what it decided has been journalled or told (that is `channel`), where bytes lie
(`storage`) or who watches (`hub`). The lives of its files are in `attempts`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from station import due, resting, settling, telling
from station.attempts import Attempts
from station.attempts import News as News
from station.clock import Moment
from station.errors import Problem, Refused
from station.events import LastWord
from station.file import File, Status
from station.progress import LOOK


class Session(Attempts):
    """One batch of uploads."""

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

    def report_fault(self, problem: Problem, action: str, file_ids: Iterable[str], moment: Moment) -> None:
        """Tell a fault that concerns the whole session (`session-error`), a full disk say."""
        if self.settled:
            return
        self._news.append(telling.faulted(self.id, problem, action, file_ids, self.config, moment))

    def remember(self, file: File, moment: Moment) -> None:
        """After a restart: say where a file stands that no event tells of, one that rests."""
        if file.status is Status.PAUSED:
            self._say(telling.progress(file, moment))

    # -- requests and time

    def touch(self, moment: Moment) -> None:
        """Somebody looks after it, although nothing is sent: it is not abandoned."""
        self.activity.touched_at = moment.mono

    def request_began(self, moment: Moment) -> None:
        self.activity.requests += 1
        self.touch(moment)

    def request_ended(self, moment: Moment) -> None:
        self.activity.requests -= 1
        self.activity.touched_at = self.activity.rested_at = moment.mono
        self.settle(moment)

    def tick(self, moment: Moment) -> None:
        """Do what is due because time passed: expiry, abandonment, held-back progress, settling."""
        if self.settled:
            return
        now = moment.mono
        self._cancel_each([f for f in self.files.unfinished(now) if now >= f.expiry], "expired", moment)
        self._end_lulls(moment)
        for file in self.files.values():
            if file.pace is not None and file.status is Status.UPLOADING and file.pace.throttle.stale(now, LOOK):
                self._tell_if_due(file, moment)
        if settling.is_abandoned(self.activity, self.files.values(), self.config, now):
            self._cancel_each(self.files.unfinished(now), "session-timeout", moment)
            self.terms.closing = True
        self.settle(moment)

    def next_look(self, now: float) -> float:
        """When time alone may change something again, after a `tick` and as long as no verb is used."""
        return math.inf if self.settled else due.next_look(self.activity, self.files.values(), self.config, now)

    def _end_lulls(self, moment: Moment) -> None:
        for file, problem in resting.over(self.files.values(), moment.mono):
            if problem is not None:
                self.fail(file.token, problem, moment)
            elif self.terms.closing:
                self._cancel(file, "session-completed", moment)
            else:
                self.pause(file.token, moment)

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
