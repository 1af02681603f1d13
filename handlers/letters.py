"""Dead letters, for the operator: what could not be told to another program; sending it again, forgetting it."""

from __future__ import annotations

from typing import Any

from handlers.base import verb
from handlers.operator import Operators
from handlers.overview import Lookup
from station.clock import rfc3339
from station.deliveries import Letter as Kept
from station.errors import Refused
from station.history import LONGEST_PAGE
from station.wire import loads

_DIGITS = 15  # of a number: more letters than any journal holds
_PAGE = 100  # letters, unless another number is asked for


class Letters(Lookup):
    """`/api/monitor/letters?before=&limit=`"""

    @verb
    async def get(self) -> None:
        hooks, after = self.station.hooks, self.number("before", 0, 10**_DIGITS)
        limit = max(1, self.number("limit", _PAGE, LONGEST_PAGE))
        found = await hooks.dead_letters(after, limit + 1)
        counts = hooks.counts().items()
        self.send_json(
            {
                "letters": [_shown(letter) for letter in found[:limit]],
                "next": found[limit - 1].number if len(found) > limit else None,
                **{wish: sum(n for (_, state), n in counts if state == wish) for wish in ("dead", "waiting")},
                "timestamp": self.station.clock().stamp,
            }
        )

    @verb
    async def post(self) -> None:
        """Send them all again."""
        await self.station.hooks.send_again()
        self.set_status(204)

    @verb
    async def delete(self) -> None:
        await self.station.hooks.forget()
        self.set_status(204)


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
        "fileName": loads(letter.text)["data"].get("fileName"),
        "madeAt": rfc3339(letter.made_at),
        "tries": letter.tries,
        "deadAt": None if letter.dead_at is None else rfc3339(letter.dead_at),
        "error": letter.error,
    }
