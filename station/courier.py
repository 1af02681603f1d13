"""Tells one hook what waits for it: in order within a session, again and again, until it is told or given up.

What waits is in the journal and is read a little at a time. Knows neither programs nor the web: `carry` does.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from station import deliveries
from station.clock import Clock
from station.deliveries import Letter
from station.journal import Journal, JournalFailed
from station.reporting import say
from station.tasks import Tasks
from station.trickle import Trickle
from station.wire import Message

log = logging.getLogger("upload_station")
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0  # seconds between two tries
LONGEST_WISH = 900.0  # seconds that a receiver may ask to be spared
_AHEAD = 1000.0  # nothing is due later than this, unless the wall clock was set back: then it is due now
_PAGE, _FEW = 100, 20  # sessions, and letters of one, that are read at a time
_LOOK = 1.0  # seconds between two looks at all that waits, which may be much
_REST = 5.0  # seconds without the journal
_QUIET = 60.0  # seconds between two complaints in the log


class Result(NamedTuple):
    """`error`: why it was not told, in words; None: it was. `wait`: seconds that the other side asks for.

    `final`: it need not be tried again.
    """

    error: str | None = None
    wait: float = 0.0
    final: bool = False


def pause_after(tries: int, chance: float) -> float:
    """Seconds until the next try. `chance` (0 to 1) spreads those that failed together."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries - 1, 20)) * (0.8 + 0.4 * chance)


def tries_in(patience: float) -> int:
    """How many tries fit in. Counted, so that a wall clock that is set by years gives nothing up."""
    tries, spent, pause = 1, 0.0, FIRST_WAIT
    while pause < LONGEST_WAIT and spent + pause <= patience:
        tries, spent, pause = tries + 1, spent + pause, pause * 2
    return tries + int(max(0.0, patience - spent) // LONGEST_WAIT) if pause >= LONGEST_WAIT else tries


class Courier:
    """`at_most`: how many sessions are told of at a time. `waiting`, `dead`: how many letters."""

    def __init__(
        self,
        hook: str,
        carry: Callable[[Letter], Awaitable[Result]],
        journal: Journal,
        clock: Clock,
        tasks: Tasks,
        *,
        at_most: int,
        patience: float,
        chance: Callable[[], float],
    ) -> None:
        self.hook = hook
        self.waiting = self.dead = 0
        self.on_dead: Callable[[], None] = lambda: None
        self.trickle: Trickle[Message] = Trickle()
        self.drip: Callable[[str, Message], Awaitable[None]] | None = None
        """Tells a progress message, if that is wanted."""
        self._carry, self._journal, self._clock, self._tasks = carry, journal, clock, tasks
        self._at_most, self._most_tries, self._chance = at_most, tries_in(patience), chance
        self._busy: set[str] = set()
        self._again: set[str] = set()
        """Busy ones of which something new waits."""
        self._ready: deque[str] = deque()
        self._stale, self._wake = True, asyncio.Event()
        self._wake.set()
        self._due: float | None = None
        self._looked = self._resting_until = self._quiet_until = clock().mono
        self._told: set[int] = set()
        """Told, but the journal could not be told so."""

    # -- what wakes it

    def news(self, session_id: str) -> None:
        """Something of this session waits that did not."""
        if session_id in self._busy:
            self._again.add(session_id)
        elif len(self._ready) >= _PAGE:
            self._stale = True  # it is in the journal, and found there
        elif session_id not in self._ready:
            self._ready.append(session_id)
        self._wake.set()

    def look_again(self) -> None:
        """Something waits that did not, of whatever sessions."""
        self._again |= self._busy
        self._stale = True
        self._wake.set()

    def tick(self) -> None:
        """Called several times a second."""
        now = self._clock().mono
        if self._due is not None and now >= max(self._due, self._looked + _LOOK):
            self._due, self._stale = None, True
            self._wake.set()
        if self.drip is not None and not self._ready and not self._stale:  # only what nothing else needs
            free = self._at_most - len(self._busy)
            idle = [each for each in self.trickle.due(now) if each not in self._busy]
            self._ready.extend(idle[:free])
            if self._ready:
                self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while len(self._busy) < self._at_most and (session_id := await self._next()) is not None:
                if session_id not in self._busy:
                    self._busy.add(session_id)
                    self._tasks.start(self._tour(session_id), f"{self.hook} of a session")

    async def _next(self) -> str | None:
        if self._clock().mono < self._resting_until:
            return None
        if not self._ready and self._stale:
            await self._look()
        return self._ready.popleft() if self._ready else None

    async def _look(self) -> None:
        """Find the sessions that are due."""
        self._stale, self._due, self._looked = False, None, self._clock().mono
        try:
            found = await self._journal.read(partial(deliveries.due, hook=self.hook, limit=_PAGE))
        except Exception:  # noqa: BLE001 - a fault of the disk, which has no name here
            self._rest()
            return
        moment = self._clock()
        ready = [session_id for session_id, due_at in found if self._is_due(due_at, moment.wall)]
        later = [due_at for _, due_at in found if not self._is_due(due_at, moment.wall)]
        self._ready.extend(each for each in ready if each not in self._busy)
        self._stale = len(ready) == _PAGE
        if later:
            self._remember(min(later))

    @staticmethod
    def _is_due(due_at: float, wall: float) -> bool:
        return not wall < due_at <= wall + _AHEAD

    def _remember(self, due_at: float) -> None:
        moment = self._clock()
        due = moment.mono + due_at - moment.wall
        self._due = due if self._due is None else min(due, self._due)

    def _rest(self) -> None:
        log.warning("%s: the journal cannot be used; it is tried again", self.hook)
        self._due = self._resting_until = self._clock().mono + _REST

    # -- one session

    async def _tour(self, session_id: str) -> None:
        try:
            while letters := await self._read(session_id):
                for letter in letters:
                    if not self._is_due(letter.due_at, self._clock().wall) or not await self._tell(letter):
                        self.trickle.forget(session_id)
                        return
            message = self.trickle.take(session_id, self._clock().mono)
            if message is not None and self.drip is not None:
                await self.drip(session_id, message)
        except JournalFailed:
            self._rest()
        except Exception as error:
            log.error("%s: %s", self.hook, type(error).__name__, exc_info=error)
            self._rest()
        finally:
            self._busy.discard(session_id)
            if session_id in self._again:
                self._again.discard(session_id)
                self.news(session_id)
            self._wake.set()

    async def _read(self, session_id: str) -> list[Letter]:
        return await self._journal.read(partial(deliveries.waiting, hook=self.hook, session_id=session_id, limit=_FEW))

    async def _tell(self, letter: Letter) -> bool:
        """Whether the next of its session may follow."""
        if letter.number not in self._told:
            result = await self._carry(letter)
            if result.error is not None:
                return await self._failed(letter, result, result.error)
            self._told.add(letter.number)
        await self._journal.change(partial(deliveries.delete, number=letter.number))
        self._told.discard(letter.number)
        self.waiting -= 1
        return True

    async def _failed(self, letter: Letter, result: Result, error: str) -> bool:
        tries, wall = letter.tries + 1, self._clock().wall
        if result.final or tries >= self._most_tries:
            await self._journal.change(
                partial(deliveries.give_up, number=letter.number, tries=tries, at=self._journal.date(wall), error=error)
            )
            self.waiting, self.dead = self.waiting - 1, self.dead + 1
            words = f"{self.hook}: given up after {tries} tries: {error}"
            say(log, logging.WARNING, "hook", words, kind="given up", letter=letter.number, **letter.names)
            self.on_dead()
            return True
        self._complain(letter, error)
        due_at = wall + max(pause_after(tries, self._chance()), min(result.wait, LONGEST_WISH))
        await self._journal.change(
            partial(deliveries.put_off, number=letter.number, tries=tries, due_at=due_at, error=error)
        )
        self._remember(due_at)
        return False

    def _complain(self, letter: Letter, error: str) -> None:
        """Not for each of many: a receiver that is down fails all."""
        now = self._clock().mono
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET
            words = f"{self.hook}: {error}; it is tried again, {max(1, self.waiting)} wait"
            say(log, logging.WARNING, "hook", words, kind="tried again", **letter.names)
