"""What other programs are told, and by which way: a command for each stored file, posts of events to an address.

Each has a courier of its own. Dead letters are kept for the operator. Knows no HTTP: `poster` does.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

from station import deliveries
from station.clock import Clock
from station.config import Config
from station.courier import Courier, Result
from station.deliveries import Letter
from station.errors import Refused
from station.events import Event, UploadCompleted
from station.hub import Hub
from station.inspection import flat
from station.journal import Journal, recorded
from station.program import Program
from station.signing import key_of, signed
from station.storage import OWN
from station.stored import spot_of
from station.tasks import Tasks
from station.token import webhook_secret
from station.wire import Message, loads, text_of

log = logging.getLogger("upload_station")
WEBHOOK, COMMAND = "webhook", "on_completed"
POSTS, COMMANDS = 8, 2  # at a time: a small board has four cores, and uploads need one
MOST_DEAD = 10_000
_HURRY = 5.0  # seconds for a post of progress, which holds up what follows it
_SWEEP = 60.0
_GONE = 410
_BUSY = {429, 503}


class Unreachable(Exception):
    """There was no answer, and in words why. Says nothing of the address, which may hold a password."""


class Answer(NamedTuple):
    """`wait`: seconds that it asks for."""

    status: int
    wait: float = 0.0


class Poster(Protocol):
    async def __call__(self, body: bytes, headers: Mapping[str, str], limit: float) -> Answer:
        """Raises Unreachable."""


class Hooks:
    """`on_letter` is called whenever the dead letters change."""

    def __init__(
        self, config: Config, clock: Clock, journal: Journal, hub: Hub, tasks: Tasks, new_id: Callable[[], str]
    ) -> None:
        self.poster: Poster | None = None
        self.on_letter: list[Callable[[], None]] = []
        self._config, self._clock, self._journal, self._tasks, self._new_id = config, clock, journal, tasks, new_id
        self._root = config.upload_dir.resolve()
        self._couriers: dict[str, Courier] = {}
        self._wanted: dict[str, frozenset[str]] = {}
        self._swept = clock().mono
        if config.webhook:
            self._key = key_of(webhook_secret(config.webhook_secret, self._root / OWN))
            self._add(WEBHOOK, self._post, POSTS, frozenset(config.webhook_events))
            if "upload-progress" in config.webhook_events:
                self._couriers[WEBHOOK].drip = self._drip
                hub.on_progress.append(self._moved)
        if config.on_completed:
            self._program = Program(COMMAND, config.on_completed, self._root, config.hook_timeout, COMMANDS)
            self._add(COMMAND, self._run, COMMANDS, frozenset({UploadCompleted.name}))
        if self._couriers:
            journal.also.append(partial(deliveries.add_events, wanted=self._wanted))
            journal.also_deeds.append(partial(deliveries.add_deed, wanted=self._wanted))
            hub.on_told.append(self._told)

    def _add(self, hook: str, carry: Any, at_most: int, names: frozenset[str]) -> None:
        self._wanted[hook] = names
        self._couriers[hook] = courier = Courier(
            hook,
            carry,
            self._journal,
            self._clock,
            self._tasks,
            at_most=at_most,
            patience=self._config.hook_patience,
            chance=random.random,
        )
        courier.on_dead = self._letters_changed

    async def start(self, on_tick: list[Callable[[float], None]], on_deed: list[Callable[[str, Any], None]]) -> None:
        """Go on with what the last run left. What waits for a hook that is no more is dead until it is there again.

        The lists are told several times a second that time passes, and what was done to stored files.
        """
        on_tick.append(self._tick)
        on_deed.append(self._done)
        left = await self._journal.read(deliveries.counts)
        if off := {hook: waiting for hook, (waiting, _) in left.items() if waiting and hook not in self._couriers}:
            log.warning("letters wait for hooks that are off; they are kept as dead ones: %s", off)
            at = self._journal.date(self._clock().wall)
            await recorded(self._journal.change(partial(deliveries.bury_others, hooks=tuple(self._couriers), at=at)))
        for hook, courier in self._couriers.items():
            courier.waiting, courier.dead = left.get(hook, (0, 0))
            self._tasks.start(courier.run(), hook)

    def _tick(self, _: float) -> None:
        for courier in self._couriers.values():
            courier.tick()
        now = self._clock().mono
        if now - self._swept >= _SWEEP and any(courier.dead for courier in self._couriers.values()):
            self._swept = now
            self._tasks.start(self._sweep(), "sweep of dead letters")

    async def _sweep(self) -> None:
        # Old ones are forgotten with all that is old (`forgetting`), by a clock that no wrong date runs ahead.
        sweeping = self._journal.change(partial(deliveries.forget_dead, kept=MOST_DEAD))
        try:
            await recorded(sweeping)
        except Refused:
            return  # it is swept again a minute later
        left = await self._journal.read(deliveries.counts)
        before_that = self.counts()
        for hook, courier in self._couriers.items():
            courier.dead = left.get(hook, (0, 0))[1]
        if self.counts() != before_that:
            self._letters_changed()

    # -- what is to be told

    def _told(self, event: Event, message: Message) -> None:
        for hook, courier in self._couriers.items():
            if event.name in self._wanted[hook]:
                courier.waiting += 1
                courier.trickle.forget(event.session_id)
                courier.news(event.session_id)

    def _moved(self, session_id: str, message: Message) -> None:
        self._couriers[WEBHOOK].trickle.put(session_id, message.key or "", message)

    def _done(self, name: str, data: Mapping[str, Any]) -> None:
        """The operator, or an uploader, did something that is no event of a session: deleted a stored file, say."""
        for hook, courier in self._couriers.items():
            if name in self._wanted[hook]:
                courier.waiting += 1
                courier.news(data["sessionId"])

    # -- how it is told

    async def _post(self, letter: Letter) -> Result:
        return await self._send(letter.id, letter.text.encode(), self._config.hook_timeout)

    async def _drip(self, session_id: str, message: Message) -> None:
        await self._send(f"msg_{self._new_id()}", message.encoded, min(_HURRY, self._config.hook_timeout))

    async def _send(self, id: str, body: bytes, limit: float) -> Result:
        if self.poster is None:
            return Result("nothing is there to post with")
        headers = signed(self._key, id, int(self._clock().wall), body)
        try:
            answer = await self.poster(body, headers, limit)
        except Unreachable as failure:
            return Result(str(failure))
        if 200 <= answer.status < 300:
            return Result()
        wait = answer.wait if answer.status in _BUSY else 0.0
        return Result(f"it answered {answer.status}", wait, final=answer.status == _GONE)

    async def _run(self, letter: Letter) -> Result:
        message = loads(letter.text)
        data = message["data"]
        spot = spot_of(data["uploadPath"])
        told = {**data, "category": spot.category, "filePath": str(self._root / spot.category / spot.name)}
        given = text_of(letter.name, told, letter.seq).encode("utf-8", "replace")
        outcome = await self._program.run({"event": letter.name, **flat(told)}, given, letter.names)
        return Result(outcome.problem or None)

    # -- letters

    def counts(self) -> dict[tuple[str, str], int]:
        """How many letters each hook has: `waiting`, `dead`."""
        return {
            (hook, state): max(0, count)
            for hook, courier in self._couriers.items()
            for state, count in (("waiting", courier.waiting), ("dead", courier.dead))
        }

    async def dead_letters(self, after: int = 0, limit: int = 100) -> list[Letter]:
        """The oldest first, as they are to be told; `after`: the number of the last one seen."""
        return await self._journal.read(partial(deliveries.dead, hooks=tuple(self._couriers), after=after, limit=limit))

    async def send_again(self, number: int | None = None) -> None:
        """Have a dead letter, or each, tried again, with all its patience. Raises NOT_FOUND."""
        for courier, count in await self._of_dead(deliveries.revive, number):
            courier.waiting += count
            courier.look_again()

    async def forget(self, number: int | None = None) -> None:
        """Drop a dead letter, or each. Raises NOT_FOUND."""
        await self._of_dead(deliveries.drop, number)

    async def _of_dead(self, change: deliveries.OfDead, number: int | None) -> list[tuple[Courier, int]]:
        """Change the dead letters; whose they were, and how many."""
        found: list[dict[str, int]] = []
        hooks = tuple(self._couriers)
        await recorded(self._journal.change(lambda connection: found.append(change(connection, hooks, number))))
        if number is not None and not found[-1]:
            raise Refused("NOT_FOUND")
        changed = [(self._couriers[hook], count) for hook, count in found[-1].items()]
        for courier, count in changed:
            courier.dead -= count
        self._letters_changed()
        return changed

    def _letters_changed(self) -> None:
        for hear in self.on_letter:
            hear()
