"""Dead letters, for the operator: what could not be told to another program; sending it again, forgetting it."""

from __future__ import annotations

from typing import Any

from handlers.base import verb
from handlers.operator import Operators
from station.clock import rfc3339
from station.deliveries import Letter as Kept
from station.errors import Refused

_DIGITS = 18  # of a number that the journal can hold


class Letters(Operators):
    @verb
    async def get(self) -> None:
        hooks = self.station.hooks
        letters = [_shown(letter) for letter in await hooks.dead_letters()]
        waiting = sum(count for (_, state), count in hooks.counts().items() if state == "waiting")
        self.send_json({"letters": letters, "waiting": waiting, "timestamp": self.station.clock().stamp})


class Letter(Operators):
    @verb
    async def post(self, number: str) -> None:
        """Send it again."""
        await self.station.hooks.send_again(_number(number))
        self.set_status(204)

    @verb
    async def delete(self, number: str) -> None:
        await self.station.hooks.forget(_number(number))
        self.set_status(204)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise Refused("NOT_FOUND")
    return int(text)


def _shown(letter: Kept) -> dict[str, Any]:
    return {
        "number": letter.number,
        "hook": letter.hook,
        "sessionId": letter.session_id,
        "event": letter.name,
        "madeAt": rfc3339(letter.made_at),
        "tries": letter.tries,
        "deadAt": None if letter.dead_at is None else rfc3339(letter.dead_at),
        "error": letter.error,
    }
