"""The way of an event: from a live session through the journal to whoever watches, in one queue.

Lifecycle events are told only once committed; progress waits for the events before it and is replaced, not added.
Memory never runs ahead of what was told: `picture` holds told events only, and answers are drawn from it.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from station import telling
from station.clock import Clock, Moment
from station.events import Event, LastWord, Progress
from station.file import File, Status
from station.hub import Hub
from station.journal import Journal
from station.keeping import keep_file, keep_session
from station.picture import Picture
from station.rows import EventRow, FileRow, Record, SessionRow
from station.session import News, Session
from station.wire import Message, dumps, text_of

_ENDED = {Status.COMPLETED, Status.FAILED, Status.CANCELLED}


@dataclass(eq=False)
class _Pending:
    """A lifecycle event on its way: its number and text are fixed when it is handed to the journal."""

    event: Event
    data: Mapping[str, Any]
    message: Message | None = None


class Channel:
    """One live session and all between it and its watchers. `on_over` is called when it has had its last word."""

    def __init__(
        self,
        session: Session,
        picture: Picture,
        journal: Journal,
        hub: Hub,
        clock: Clock,
        on_over: Callable[[Channel], None],
        opened_at: float,
    ) -> None:
        self.session = session
        self.picture = picture
        self.opened_at = opened_at
        self._journal = journal
        self._hub = hub
        self._clock = clock
        self._on_over = on_over
        self._queue: deque[_Pending | Progress | LastWord] = deque()
        self._unwritten: list[_Pending] = []
        self._changed: set[str] = set()
        self._paused: set[str] = set()
        """Files recorded as paused, now or with the next commit: no event tells of it, and a restart must know."""
        self._ready = 0
        """How many lifecycle events at the head of the queue are committed and may be told."""
        self._asked = self._done = 0
        self.due = -math.inf
        """When it is to be looked at if nothing happens before, in monotonic seconds; see `due`."""
        self._commit: asyncio.Future[None] | None = None

    def tick(self) -> None:
        """Do what is due because time passed."""
        self.session.tick(self._clock())
        self.flush()
        if self._asked == self._done:  # otherwise a commit that failed is to be tried again
            self.due = self.session.next_look(self._clock().mono)

    def flush(self) -> None:
        """Take what the session has to say and send it on its way. A commit that failed is tried again."""
        self.due = -math.inf
        for news in self.session.take_news():
            self._enqueue(news)
        self._tell_ready()
        if self._commit is None and self._asked > self._done:
            self._begin_commit()

    def save(self, *file_ids: str) -> None:
        """Have the session, and these files of it, recorded with the next commit although no event tells of it."""
        self._changed.update(file_ids)
        self._asked += 1
        self.due = -math.inf

    async def committed(self) -> None:
        """Wait until all that was said or saved by now is recorded, and told. Raises JournalFailed."""
        self.flush()
        target = self._asked
        while self._done < target:
            if self._commit is None:
                self._begin_commit()
            assert self._commit is not None
            await asyncio.shield(self._commit)

    def refresh(self) -> None:
        """Bring the picture's running files up to this moment, for a snapshot or an update that was asked for."""
        moment = self._clock()
        for file in self.session.files.values():
            told = self.picture.files.get(file.id)
            if told is not None and told.attempt == file.attempt and told.status == file.status == "uploading":
                self.picture.advance(telling.progress(file, moment))

    def _enqueue(self, news: News) -> None:
        if isinstance(news, Event):
            pending = _Pending(news, news.data())
            self._queue.append(pending)
            self._unwritten.append(pending)
            self._asked += 1
            return
        if isinstance(news, Progress):
            if (news.status == "paused") != (news.file_id in self._paused):
                self._paused ^= {news.file_id}
                self.save(news.file_id)
            # Contract, rule 5: a progress message that replaces a waiting one goes to the end of the queue.
            older = (each for each in self._queue if isinstance(each, Progress) and each.file_id == news.file_id)
            if (waiting := next(older, None)) is not None:
                self._queue.remove(waiting)
        self._queue.append(news)

    # -- recording

    def _begin_commit(self) -> None:
        batch, covers = tuple(self._unwritten), self._asked
        changed, self._changed = self._changed, set()
        future = self._journal.write(self._record(batch, changed))
        self._commit = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: self._committed(done, len(batch), covers, changed))

    def _record(self, batch: Sequence[_Pending], changed: set[str]) -> Record:
        moment, session, rows = self._clock(), self.session, []
        at = self._journal.date(moment.wall)
        for seq, pending in enumerate(batch, self.picture.seq + self._ready + 1):
            event, file_id = pending.event, pending.data.get("fileId")
            text = text_of(event.name, pending.data, seq)
            pending.message = Message(text, event.name, seq, lifecycle=True)
            attempt = getattr(event, "attempt", None)
            rows.append(EventRow(session.id, seq, event.name, file_id, attempt, event.ending, at, text))
            if file_id is not None:
                changed.add(file_id)
        files = [
            self._file_row(position, file, moment)
            for position, file in enumerate(session.files.values())
            if file.id in changed
        ]
        settled_at = at if session.settled else None
        row = SessionRow(session.id, self.opened_at, settled_at, dumps(keep_session(session, moment)))
        return Record(row, files, rows)

    def _file_row(self, position: int, file: File, moment: Moment) -> FileRow:
        kept = dumps(keep_file(file, moment))
        ended = self._journal.date(moment.wall) if file.status in _ENDED else None
        return FileRow(
            file.id, self.session.id, position, str(file.status), file.name, file.size, file.path, kept, ended
        )

    def _committed(self, done: asyncio.Future[None], events: int, covers: int, changed: set[str]) -> None:
        commit, self._commit = self._commit, None
        assert commit is not None
        if (error := done.exception()) is not None:
            self._changed |= changed
            commit.set_exception(error)
            commit.exception()  # whoever waits gets it, and perhaps nobody does
            return
        del self._unwritten[:events]
        self._ready += events
        self._done = covers
        self._tell_ready()
        commit.set_result(None)
        if self._asked > self._done and self._commit is None:
            self._begin_commit()

    # -- telling

    def _tell_ready(self) -> None:
        while self._queue:
            news = self._queue[0]
            if isinstance(news, _Pending):
                if not self._ready:
                    return
                self._ready -= 1
                assert news.message is not None
                self._introduce(news.data.get("fileId"))
                self.picture.fold(news.event.name, news.data, news.message.seq)
                self._hub.announce(news.event, news.message)
            elif isinstance(news, Progress):
                self.picture.advance(news)
                self._hub.publish(self.session.id, progress_message(self.picture, news.file_id, news.timestamp))
            else:
                self._hub.publish(self.session.id, last_word(self.picture, news.timestamp))
                self._on_over(self)
            self._queue.popleft()

    def _introduce(self, file_id: str | None) -> None:
        """A file that ends before it started is first heard of by its ending, which tells less than is known."""
        file = self.session.files.get(file_id or "")
        if file is not None and file.id not in self.picture.files:
            self.picture.announce(file.id, file.name, file.size)


def progress_message(picture: Picture, file_id: str | None, timestamp: str) -> Message:
    """An `upload-progress` drawn from what has been told; it carries the number of the last lifecycle event."""
    text = text_of("upload-progress", picture.progress_of(file_id, timestamp), picture.seq)
    return Message(text, "upload-progress", picture.seq, key=f"{picture.session_id}/{file_id}")


def last_word(picture: Picture, timestamp: str) -> Message:
    """The last message of a settled session (contract, rule 3)."""
    text = text_of("upload-progress", picture.progress_of(None, timestamp), picture.seq)
    return Message(text, "upload-progress", picture.seq, last=True)
