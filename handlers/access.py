"""The PIN over HTTP: given once, it leaves a pass in a cookie; whoever would open a session shows that, or the PIN.

Does not know what is opened, nor how. A header that came is looked at only where a wrong one counts as a guess.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from typing import Any

from handlers.answers import Answering
from handlers.base import Base, verb
from handlers.passes import give_pass, renew_pass, shown
from station.channel import Channel
from station.errors import Problem, Refused
from station.intake import Finder
from station.reporting import say
from station.tries import MOST, Tries

log = logging.getLogger("upload_station")
COOKIE, HEADER = "upload_pin", "X-Upload-Pin"
_FORM = "application/x-www-form-urlencoded"
# To browsers `//host` and `/\host` are other sites, and they drop tabs and line ends before they look.
_LOCAL = re.compile(r"/(?![/\\])[!-~]*")


def is_asked(handler: Answering) -> bool:
    """Whether this client would have to give the PIN first. Says nothing of a PIN in the header, right or wrong."""
    access = handler.station.access
    return access.required and not access.accepts(*shown(handler, COOKIE))


def demand_pin(handler: Answering) -> None:
    """Let nobody open a session without. Raises PIN_REQUIRED, PIN_WRONG, TOO_MANY_TRIES."""
    if not is_asked(handler):
        renew_pass(handler, COOKIE, handler.station.access)
        return
    pin = as_typed(handler.request.headers.get(HEADER, ""))
    if not pin.strip():
        raise Refused("PIN_REQUIRED")
    try_pin(handler, pin)


async def admit_upload(handler: Answering, session_id: str | None, *, joins: bool) -> None:
    """Without the PIN only into an open session; what `joins` none (a part) may say that it is for one. May raise."""
    if session_id is None:
        demand_pin(handler)
    elif not joins and is_asked(handler):
        await handler.station.sessions.live(session_id)


def try_pin(handler: Answering, pin: str) -> None:
    """One guess. Raises PIN_WRONG, or TOO_MANY_TRIES without looking at it."""
    station = handler.station
    hold_back(handler, station.pin_tries)
    if not station.access.admits(pin):
        failed(handler, station.pin_tries, "PIN")
        raise Refused("PIN_WRONG")


def hold_back(handler: Answering, tries: Tries) -> None:
    """Before a guess is looked at. Raises TOO_MANY_TRIES."""
    wait = tries.wait(handler.request.remote_ip or "", handler.station.clock().mono)
    if wait > 0:
        raise Refused("TOO_MANY_TRIES", retry_after=math.ceil(round(wait, 3)))


def failed(handler: Answering, tries: Tries, what: str) -> None:
    """The guess was wrong. It always has its line, for no flood of requests is to hide it; `tries` bounds them."""
    who = handler.request.remote_ip or ""
    tries.failed(who, handler.station.clock().mono)
    say(log, logging.INFO, "guess", f"a wrong {what}", kind=f"guess {what}", many=MOST, peer=who)


def minutes_to_wait(problem: Problem | None) -> int:
    """For pages; 0: it is not known, or there is nothing to wait for."""
    return 0 if problem is None else math.ceil((problem.retry_after or 0) / 60)


class Admission:
    """The sessions, for a request that may name an open one only later: until then it is not asked for the PIN."""

    def __init__(self, handler: Answering, sessions: Finder) -> None:
        """Raises PIN_WRONG, TOO_MANY_TRIES."""
        self._sessions = sessions
        self._missing: Problem | None = None
        try:
            demand_pin(handler)
        except Refused as refused:
            if refused.problem.code != "PIN_REQUIRED":
                raise
            self._missing = refused.problem

    async def live(self, session_id: str) -> Channel:
        return await self._sessions.live(session_id)

    async def open_implicit(self, category: str | None) -> Channel:
        if self._missing is not None:
            raise self._missing.refusal()
        return await self._sessions.open_implicit(category)


class Pin(Base):
    """`POST /api/upload/pin`: as JSON, or from the plain form, which is answered with pages."""

    @verb
    async def post(self) -> None:
        try_pin(self, self.form_field("pin") if self._is_form else self._told())
        if self.station.access.required:
            give_pass(self, COOKIE, self.station.access)
        self.set_status(303 if self._is_form else 204)
        if self._is_form:
            self.set_header("Location", self._next)

    @property
    def _is_form(self) -> bool:
        return self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == _FORM

    def _told(self) -> str:
        pin = self.json_body().get("pin")
        if not isinstance(pin, str):
            raise Refused("VALIDATION_ERROR", "pin must be a text")
        return pin

    @property
    def _next(self) -> str:
        address = self.form_field("next")
        return address if _LOCAL.fullmatch(address) else "/"

    def problem_page(self, answer: Mapping[str, Any]) -> bytes | None:
        if not self._is_form:
            return None
        wait = minutes_to_wait(self.problem)
        return self.render_string("pin.html", lang=self.language, problem=answer, minutes=wait, next_page=self._next)


def as_typed(field: str) -> str:
    """Header fields are read as ISO 8859-1; whoever types a PIN beyond ASCII sends UTF-8."""
    try:
        return field.encode("latin-1").decode()
    except ValueError:
        return field
