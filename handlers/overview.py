"""How the station does and did, as JSON for the operator: overview, charts, sessions. Knows not how it is measured."""

from __future__ import annotations

import re

from handlers.base import verb
from handlers.operator import Operators
from station.chronicle import STATES
from station.errors import Refused
from station.history import LONGEST_PAGE, Place, Wish
from station.series import SPANS

_LONGEST_WORDS = 200  # characters
_PAGE = 50  # sessions, unless another number is asked for
_PLACE = re.compile(r"(?a:(\d{1,12}(?:\.\d{1,20})?))~([0-9a-f-]{36})")


class Lookup(Operators):
    """Questions with a query."""

    def trimmed(self, name: str) -> str:
        """A field of the query, without blanks around it."""
        return self.asked(name).strip()

    def chosen(self, name: str, choices: tuple[str, ...]) -> str:
        """One of the choices, the first if none is named. Raises VALIDATION_ERROR."""
        wish = self.trimmed(name) or choices[0]
        if wish not in choices:
            raise Refused("VALIDATION_ERROR", f"{name} must be one of: {', '.join(choices)}")
        return wish

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number. Raises VALIDATION_ERROR."""
        text = self.trimmed(name) or str(default)
        if not re.fullmatch(r"(?a:\d{1,15})", text) or int(text) > most:
            raise Refused("VALIDATION_ERROR", f"{name} must be a whole number, at most {most}")
        return int(text)


class Overview(Lookup):
    """`GET /api/monitor/overview`"""

    @verb
    async def get(self) -> None:
        self.send_json(await self.station.monitor.look())


class Series(Lookup):
    """`GET /api/monitor/series?span=hour|day`"""

    @verb
    async def get(self) -> None:
        self.send_json(await self.station.monitor.chronicle.series(self.chosen("span", tuple(SPANS))))


class Distribution(Lookup):
    """`GET /api/monitor/distribution`"""

    @verb
    async def get(self) -> None:
        self.send_json(await self.station.monitor.chronicle.distribution())


class Sessions(Lookup):
    """`GET /api/monitor/sessions?state=&q=&category=&before=&limit=`"""

    @verb
    async def get(self) -> None:
        state, words = self.chosen("state", STATES), self.trimmed("q")
        if len(words) > _LONGEST_WORDS:
            raise Refused("VALIDATION_ERROR", f"q may have {_LONGEST_WORDS} characters")
        limit = max(1, self.number("limit", _PAGE, LONGEST_PAGE))
        wish = Wish("" if state == "all" else state, words, self.trimmed("category"))
        self.send_json(await self.station.monitor.chronicle.sessions(wish, self._before(), limit))

    def _before(self) -> Place | None:
        """Where the page before ended. Raises VALIDATION_ERROR."""
        text = self.trimmed("before")
        if not text:
            return None
        if (found := _PLACE.fullmatch(text)) is None:
            raise Refused("VALIDATION_ERROR", "before must be the next of a page")
        return Place(float(found[1]), found[2])


class OneSession(Lookup):
    """`GET /api/monitor/sessions/<id>?after=`, `after`: the number of an event, of which those above are told."""

    @verb
    async def get(self, session_id: str) -> None:
        self.send_json(await self.station.monitor.chronicle.session(session_id, self.number("after", 0, 2**53)))
