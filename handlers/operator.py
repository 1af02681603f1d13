"""For the person who runs the box: who that is, health, and deleting stored files. Knows nothing of pages."""

from __future__ import annotations

import resource
import statistics
import sys
from collections.abc import Callable
from typing import NoReturn
from urllib.parse import urlsplit

from handlers.access import as_typed, failed, hold_back
from handlers.answers import Answering
from handlers.base import Base, verb
from handlers.passes import shows_pass
from station.access import Access
from station.errors import Refused
from station.tries import Tries

COOKIE = "upload_operator"
VALID = 7 * 86_400.0  # seconds; who looks in once a week stays in, a phone that was sold does not for long
LONGEST = 30 * 86_400.0  # seconds after which the token is asked for again, renewed or not: a copy ends too


class Key:
    """The operator's token and its passes, and how often it was guessed. `secret`: signs the passes.

    `on_void`: who holds open what a pass has opened, and is to close it. May not raise.
    """

    def __init__(self, token: str, secret: str) -> None:
        self._token = token
        self.tries = Tries()
        self.on_void: set[Callable[[], None]] = set()
        self.renew(secret)

    def renew(self, secret: str) -> None:
        """Every pass that was given is void, and what it holds open is closed."""
        self.access = Access(self._token, secret, VALID, LONGEST)
        for close in tuple(self.on_void):
            close()


def demand_operator(handler: Answering) -> None:
    """The token as `Authorization: Bearer`, or the pass in the cookie. Raises UNAUTHORIZED, TOO_MANY_TRIES."""
    if is_logged_in(handler):
        return
    scheme, _, token = handler.request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        refuse(handler)
    try_token(handler, as_typed(token))


def is_operator(handler: Answering) -> bool:
    """The same, told instead of raised. A wrong token is a guess here too."""
    try:
        demand_operator(handler)
    except Refused:
        return False
    return True


def try_token(handler: Answering, token: str) -> None:
    """One guess. Raises UNAUTHORIZED, or TOO_MANY_TRIES: then without looking at a token that could be guessed."""
    key = key_of(handler)
    # An empty token is nobody's: Access would let in whoever asks.
    right = key.access.required and key.access.admits(token)
    if right and key.access.is_beyond_guessing:
        return  # others' guesses, perhaps from behind the same proxy, do not lock the operator out
    hold_back(handler, key.tries)
    if not right:
        failed(handler, key.tries, "token")
        refuse(handler)


def refuse(handler: Answering) -> NoReturn:
    handler.set_header("WWW-Authenticate", "Bearer")
    raise Refused("UNAUTHORIZED")


def is_logged_in(handler: Answering) -> bool:
    """Whether the cookie holds a pass, and comes from a page of ours.

    Cookies know no ports, and to a browser another port, or a neighbour's name, is the same site. So a page that was
    allowed to upload (`allowed_origins`) is not the operator, although the operator's browser sends the cookie with it.
    """
    origin = handler.request.headers.get("Origin")
    if origin is not None and _host(origin) != handler.request.host.lower():
        return False
    return shows_pass(handler, COOKIE, key_of(handler).access)


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def key_of(handler: Answering) -> Key:
    key: Key = handler.application.settings["operator"]
    return key


class Health(Base):
    @verb
    async def get(self) -> None:
        health = self.station.health()
        health["version"] = self.application.settings["version"]
        health["memory"] = {"peak": _peak_memory()}
        trips = [socket.round_trip for socket in self.station.sockets if socket.round_trip is not None]
        health["watchers"] = {
            "sockets": len(self.station.sockets),
            "roundTrip": round(statistics.median(trips), 4) if trips else None,
        }
        self.send_json(health, 200 if health["status"] == "ok" else 503)

    head = get


def _peak_memory() -> int:
    """Bytes of the largest resident set so far; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class Operators(Base):
    """What nobody else may ask."""

    async def decide(self) -> None:
        if self.request.method != "OPTIONS":  # a preflight carries no token
            demand_operator(self)


class StoredFile(Operators):
    @verb
    async def delete(self, file_id: str) -> None:
        await self.station.orders.delete_stored(file_id)
        self.set_status(204)
