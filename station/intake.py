"""One request with files in it: finds the session, keeps the accounts, latches the first problem, gives the receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from station import settling
from station.channel import Channel
from station.claim import claim, unnamed
from station.delivery import Delivery
from station.dock import Dock
from station.errors import Problem, Refused
from station.events import Way
from station.file import File, Status
from station.journal import JournalFailed
from station.portrait import FilePicture
from station.publishing import publish
from station.space import CHECK_EVERY


class Finder(Protocol):
    """Where an intake finds its session."""

    async def live(self, session_id: str) -> Channel:
        """Raises SESSION_NOT_FOUND or SESSION_CLOSED."""

    async def open_implicit(self, category: str | None) -> Channel:
        """Raises VALIDATION_ERROR for a category that does not exist."""


@dataclass
class Receipt:
    """What became of a request. `files` in the order they came; `problem`: the first thing that went wrong."""

    channel: Channel | None = None
    files: list[File] = field(default_factory=list)
    problem: Problem | None = None
    brought: set[str] = field(default_factory=set)
    """Ids of the files whose bytes are those of this request; another may have sent one of the same file since."""

    @property
    def stored(self) -> int:
        return sum(told.id in self.brought and told.status == Status.COMPLETED for told in self._told())

    def snapshots(self) -> list[dict[str, Any]]:
        return [told.drawn() for told in self._told()]

    def _told(self) -> Iterator[FilePicture]:
        """The files as told (contract, rule 5: answers say nothing that is not recorded)."""
        told = self.channel.picture.files if self.channel is not None else {}
        return (told[file.id] for file in self.files if file.id in told)

    def summary(self) -> dict[str, Any]:
        session = self.channel.session if self.channel is not None else None
        first, last = (session.first_start, session.last_end) if session is not None else (None, None)
        return settling.summary(self.files, first, last)


class Intake:
    """Base of the two kinds of request. `close` or `abort` ends it, whichever comes first; the other does nothing."""

    def __init__(self, dock: Dock, sessions: Finder, content_length: int | None) -> None:
        self._dock = dock
        self._sessions = sessions
        self._key = dock.new_id()
        self._counted = False
        self._over = False
        self._storing = asyncio.Lock()
        self._unchecked = 0
        self.on_dead: Callable[[Problem], None] = lambda problem: None
        """Called when nothing that may still come of the body can be stored."""
        self.receipt = Receipt()
        self.content_length = content_length

    def admit(self) -> None:
        """Reserve room for the whole body. Raises INSUFFICIENT_STORAGE."""
        self._dock.admit(self._key, self.content_length)

    @property
    def problem(self) -> Problem | None:
        return self.receipt.problem

    def note(self, problem: Problem | None) -> None:
        if self.receipt.problem is None:
            self.receipt.problem = problem

    async def join(self, session_id: str) -> Channel:
        """Make this request one of that session's. Raises SESSION_NOT_FOUND or SESSION_CLOSED."""
        return self._enter(await self._sessions.live(session_id))

    async def join_implicit(self, category: str | None) -> Channel:
        return self._enter(await self._sessions.open_implicit(category))

    def _enter(self, channel: Channel) -> Channel:
        if self._over:
            raise Refused("NETWORK_ERROR")  # the client left while the session was being looked up
        self.receipt.channel = channel
        channel.session.request_began(self._dock.clock())
        self._counted = True
        return channel

    def claim(self, channel: Channel, delivery: Delivery, file_id: str | None) -> None:
        """Bind a delivery to the file it is for. Raises Refused if it cannot be one."""
        # A form may have fields after its last file: a size worked out from Content-Length binds nobody.
        size = delivery.sure_size
        session = channel.session
        moment = self._dock.clock()
        try:
            file = claim(session, self._dock.new_id(), delivery.name, size, file_id, moment, delivery.problem)
        finally:
            channel.flush()
            self._dock.check()  # a request that was taken over may stand still: its part file goes now
        delivery.name, file.way = file.name, delivery.way
        if file.announced is not None:
            delivery.size, delivery.estimated, delivery.promised = file.announced, False, True
        self.receipt.files.append(file)
        delivery.bind(channel, file)

    def took(self, count: int) -> None:
        """So many bytes of the body came. Without a length they were not admitted, so free space is looked at again."""
        self._dock.space.wrote(self._key, count, self._dock.clock().mono)
        self._unchecked += count
        if self.content_length is None and self._unchecked >= CHECK_EVERY:
            self._unchecked = 0
            if (problem := self._dock.shortage(self._key, self.content_length)) is not None:
                self.note(problem)
                for delivery in self.deliveries():
                    delivery.fail(problem)

    async def store(self, delivery: Delivery) -> None:
        """Finish and publish one delivery; what goes wrong is noted."""
        async with self._storing:
            await delivery.finish()
            try:
                await publish(self._dock, delivery)
            except JournalFailed as failure:
                self.note(failure.problem)
        self.note(delivery.problem)
        if delivery.dead and delivery.problem is None:
            self.note(Problem("UPLOAD_CANCELLED"))
        elif delivery.problem is None and delivery.file is not None:
            self.receipt.brought.add(delivery.file.id)

    async def close(self) -> Receipt:
        """The request is over: the session may settle on it, and all of it is recorded before the answer."""
        self._release()
        async with self._storing:
            pass  # the answer counts a file that is being published although the request was ended
        if (channel := self.receipt.channel) is not None:
            try:
                await channel.committed()
            except JournalFailed as failure:
                self.note(failure.problem)
        return self.receipt

    def abort(self, problem: Problem, *, timed_out: bool = False) -> None:
        """The connection broke or stalled: end what is being sent, drop what is held."""
        if self._over:
            return
        self.note(problem)
        for delivery in self.deliveries():
            # One that is being published is whole already, and may be visible by now.
            if delivery.file is None or not delivery.file.sealed:
                delivery.fail(problem, timed_out=timed_out)
        self._release()

    def _release(self) -> None:
        if self._over:
            return
        self._over = True
        self._dock.space.release(self._key)
        channel = self.receipt.channel
        if channel is not None and self._counted:
            channel.session.request_ended(self._dock.clock())
            channel.flush()

    def deliveries(self) -> Iterable[Delivery]:
        """Those that have not been stored yet."""
        raise NotImplementedError


class RawIntake(Intake):
    """The body is the file."""

    def __init__(self, dock: Dock, sessions: Finder, content_length: int | None, name: str) -> None:
        super().__init__(dock, sessions, content_length)
        self._delivery = Delivery(dock, name, content_length, promised=content_length is not None, way=Way.RAW)
        self._delivery.on_dead = self._died

    async def open(self, session_id: str | None, file_id: str | None, category: str | None) -> None:
        """Decide all that can be decided before the body comes. Raises Refused; a refusal of the file is told."""
        delivery = self._delivery
        problem = self._dock.judge(delivery.name, self.content_length)
        if session_id is None:
            problem = problem or unnamed(file_id)
            if problem is not None:
                raise problem.refusal()
            self.admit()
            channel = await self.join_implicit(category)
        else:
            channel = await self.join(session_id)
            problem = problem or self._dock.shortage(self._key, self.content_length)
        delivery.problem = problem
        self.claim(channel, delivery, file_id)
        if problem is not None:
            raise problem.refusal()

    def _died(self) -> None:
        """Nothing can come of this request any more: a session does not wait for one that only stands still."""
        self._release()
        self.on_dead(self._delivery.problem or Problem("UPLOAD_CANCELLED"))

    async def feed(self, block: bytes) -> None:
        await self._delivery.feed(block)
        self._delivery.begin()
        self.took(len(block))
        self.note(self._delivery.problem)
        if self._delivery.dead:
            self.note(Problem("UPLOAD_CANCELLED"))

    async def finish(self) -> Receipt:
        await self.store(self._delivery)
        return await self.close()

    def deliveries(self) -> Iterable[Delivery]:
        return (self._delivery,)
