"""The operator's page, for whoever is in; the login form for everybody else. Knows not what the page shows."""

from __future__ import annotations

from handlers.base import verb
from handlers.login import Entrance
from handlers.modules import needed, sentences
from handlers.operator import is_operator, key_of, refuse


class Monitor(Entrance):
    """`/monitor`. With `?token=`, as printed at the start: a right one is swapped for a pass at once."""

    @verb
    async def get(self) -> None:
        self.remember_language()
        self.set_header("Cache-Control", "no-store")
        token = self.asked("token")
        if token.strip() and self._is_opened():
            self.come_in(token)
        elif is_operator(self):
            modules = needed("js/monitor/main.js", sentences(self.language))
            self.render("monitor.html", lang=self.language, modules=modules)
        else:
            refuse(self)

    head = get

    def _is_opened(self) -> bool:
        """Whether somebody opens this address; no other site has the operator's browser guess, with a picture say.

        A link on another site may be the printed one, in a mail; but it uses up guesses where those are few.
        """
        headers = self.request.headers
        if headers.get("Sec-Fetch-Dest", "document") != "document":
            return False
        near = headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}
        return near or key_of(self).access.is_beyond_guessing
