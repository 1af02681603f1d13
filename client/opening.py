"""Finding or opening the session that files go into: a code's link, the limits, the PIN, what is refused beforehand."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from client.address import Place
from client.faults import Broken, Refusal
from client.link import Link
from client.patience import Patience
from client.source import Source
from client.words import Words

_PIN_TRIES = 3
Ask = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Opened:
    """`file_ids`: of the announced files, in their order; None where the session was there before."""

    session_id: str
    file_ids: Sequence[str] | None


class Opening:
    def __init__(self, link: Link, words: Words, patience: Patience, pin: str) -> None:
        self._link, self._words, self._patience, self._pin = link, words, patience, pin

    async def limits(self) -> dict[str, Any]:
        """Raises Refusal, GaveUp, as all of these."""
        return await self._asked(lambda: self._link.call("GET", "/api/upload/config"))

    async def refused(self, sources: Sequence[Source]) -> dict[int, Refusal]:
        """Which of these the station would not take, by their index."""
        files = [{"name": source.name, "size": source.size} for source in sources]
        answer = await self._asked(lambda: self._link.call("POST", "/api/upload/validate", {"files": files}))
        verdicts = [verdict for verdict in answer.get("files", []) if not verdict["valid"]]
        return {verdict["index"]: Refusal.told(verdict["errors"][0]) for verdict in verdicts}

    async def session(self, place: Place, sources: Sequence[Source], category: str) -> Opened:
        """The one of the link, or a new one."""
        if place.code:
            return Opened(await self._redeem(place.code), None)
        if place.session_id:
            return Opened(place.session_id, None)
        files = [{"name": source.name, "size": source.size} for source in sources]
        value = {"files": files} | ({"category": category} if category else {})
        answer = await self._with_pin(value)
        session_id, told = answer.get("sessionId"), answer.get("files")
        if not isinstance(session_id, str) or not isinstance(told, list) or len(told) != len(files):
            raise Refusal("SERVER_ERROR", self._words("no_session"))
        return Opened(session_id, [str(entry["fileId"]) for entry in told])

    async def snapshot(self, session_id: str) -> dict[str, Any]:
        return await self._asked(lambda: self._link.call("GET", f"/api/upload/progress/{quote(session_id, safe='')}"))

    async def _redeem(self, code: str) -> str:
        # Not asked again after a break: a code works once.
        try:
            answer = await self._link.ask("GET", f"/j/{quote(code, safe='')}", {})
        except Refusal as refusal:  # a page
            key = {404: "code", 429: "tries"}.get(refusal.status)
            raise Refusal(refusal.code, self._words(key) if key else refusal.message) from None
        steps = urlsplit(answer.headers.get("Location", "")).path.split("/")
        if steps[:2] != ["", "s"] or len(steps) != 3:
            raise Refusal("SERVER_ERROR", self._words("no_session"))
        return steps[2]

    async def _with_pin(self, value: dict[str, Any]) -> dict[str, Any]:
        """Asks for the PIN where there is somebody to ask."""
        for tries_left in reversed(range(_PIN_TRIES)):
            try:
                # Header fields are bytes that are written as ISO 8859-1; the station reads UTF-8.
                pin = self._pin.encode().decode("latin-1")
                headers = {"X-Upload-Pin": pin} if pin else {}
                return await self._asked(lambda: self._link.call("POST", "/api/upload/session", value, headers))  # noqa: B023
            except Refusal as refusal:
                if refusal.code not in {"PIN_REQUIRED", "PIN_WRONG"}:
                    raise
                if not sys.stdin.isatty():
                    refusal.solution = self._words("pin_missing") if not self._pin else refusal.solution
                    raise
                if not tries_left:
                    raise
                if refusal.code == "PIN_WRONG":
                    print(refusal, file=sys.stderr)
                self._pin = getpass.getpass(self._words("pin")).strip()
        raise AssertionError("the last try returns or raises")

    async def _asked(self, ask: Ask) -> dict[str, Any]:
        while True:
            try:
                answer = await ask()
            except Broken as error:
                await self._patience.wait(error)
            except Refusal as refusal:
                if not refusal.passes or refusal.code == "TOO_MANY_TRIES":
                    raise
                await self._patience.wait(refusal, refusal.retry_after)
            else:
                self._patience.renew()
                return answer
