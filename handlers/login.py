"""How the operator gets in and out: a form without a script, or the printed link. Knows not what is behind the door."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from handlers.access import minutes_to_wait
from handlers.base import Base, verb
from handlers.operator import COOKIE, is_logged_in, key_of, refuse, try_token
from handlers.passes import give_pass
from station.reporting import say
from station.token import another_operator_secret, passing_secret

log = logging.getLogger("upload_station")
PAGE = "/monitor"


class Entrance(Base):
    """Whoever is not let in gets the form; a guess gets the words that go with it."""

    guessed = False

    def come_in(self, token: str) -> None:
        """Swap a token for a pass. Raises UNAUTHORIZED, TOO_MANY_TRIES."""
        self.guessed = True
        # What was in the address stays with this browser, whatever is loaded next.
        self.set_header("Referrer-Policy", "no-referrer")
        try_token(self, token)
        give_pass(self, COOKIE, key_of(self).access)
        self.redirect(PAGE, status=HTTPStatus.SEE_OTHER)

    def problem_page(self, answer: Mapping[str, Any]) -> bytes | None:
        if answer["error"] not in {"UNAUTHORIZED", "TOO_MANY_TRIES"}:
            return None
        # With no-referrer, browsers would send the form with `Origin: null`.
        self.set_header("Referrer-Policy", "strict-origin")
        wait = minutes_to_wait(self.problem)
        return self.render_string(
            "login.html", lang=self.language, problem=answer if self.guessed else None, minutes=wait
        )


class Login(Entrance):
    """`POST /monitor/login` with the field `token`."""

    @verb
    async def post(self) -> None:
        token = self.form_field("token")
        if not token.strip():
            refuse(self)
        self.come_in(token)


class Logout(Base):
    """`POST /monitor/logout`: every pass is void, copied ones and those of other devices too.

    Whoever has none just forgets it: nobody else can throw the operator out.
    """

    @verb
    async def post(self) -> None:
        if is_logged_in(self):
            key_of(self).renew(await self._another_secret())
        self.clear_cookie(COOKIE, httponly=True, samesite="Strict", secure=self.request.protocol == "https")
        self.redirect(PAGE, status=HTTPStatus.SEE_OTHER)

    async def _another_secret(self) -> str:
        try:
            return await self.station.dock.run(another_operator_secret, self.station.storage.own)
        except OSError as error:  # a disk that can only be read, say: nobody is kept in by that
            words = "the passes that were given are void until the next start only"
            say(log, logging.WARNING, "logged-out", words, error=error.strerror)
            return passing_secret()
