"""The kiosk page, and how a session is handed over from it to a phone: QR code, short code. Knows no drawing.

A short code is typed where there may be no JavaScript, so `/j` is a plain form; a code that is right is used up.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from handlers import lan, qr
from handlers.access import failed, hold_back, minutes_to_wait
from handlers.base import Base, verb
from handlers.modules import needed, sentences
from station.codes import LIFE, digits_of
from station.deletion import MONITOR
from station.errors import Refused

_KEEP = "private, max-age=3600"
_WHO = "join"


class Kiosk(Base):
    """`/kiosk`. A category that is none is the first one."""

    @verb
    async def get(self) -> None:
        config = self.station.config
        asked = self.asked("category")
        self.remember_language()
        self.set_header("Cache-Control", "no-cache")
        self.render(
            "kiosk.html",
            lang=self.language,
            modules=needed("js/kiosk.js", sentences(self.language)),
            category=asked if asked in config.categories else config.categories[0],
            wifi=config.wifi_name,
            contact=config.contact,
        )


class Handover(Base):
    """What a screen needs to show so that a phone can join its session. Asked again and again: that heals all."""

    @verb
    async def post(self, session_id: str) -> None:
        code = await self.station.sessions.hand_over(session_id)
        origin, moment = lan.origin(self.request, self.station.config.kiosk_url), self.station.clock()
        self.send_json(
            {
                "sessionId": session_id,
                "url": f"{origin}/s/{session_id}",
                "codeUrl": f"{origin}/j",
                "code": code.text,
                "expiresIn": round(code.ends_at - moment.mono, 3),
                "watchers": self.station.hub.count(session_id, besides=MONITOR),
                "timestamp": moment.stamp,
            }
        )


class Drawing(Base):
    """A QR code as a picture."""

    def send_code(self, text: str) -> None:
        self.set_header("Content-Type", "image/svg+xml")
        self.set_header("Cache-Control", _KEEP)
        self.write(qr.picture(text))


class SessionCode(Drawing):
    """The link of a session."""

    @verb
    async def get(self, session_id: str) -> None:
        await self.station.sessions.picture(session_id)
        self.send_code(f"{lan.origin(self.request, self.station.config.kiosk_url)}/s/{session_id}")


class WifiCode(Drawing):
    """Joins the Wi-Fi."""

    @verb
    async def get(self) -> None:
        config = self.station.config
        if not config.wifi_name:
            raise Refused("NOT_FOUND")
        self.send_code(qr.wifi(config.wifi_name, config.wifi_password))


class Join(Base):
    """`/j`, `/j/<code>`, `/j?code=<code>`: a right code leads to its session."""

    @verb
    async def get(self, code: str = "") -> None:
        self.remember_language()
        typed = code or self.asked("code")
        self.set_header("Cache-Control", "no-store")
        if not typed.strip():
            if not self._who:
                lasts = int(LIFE)
                self.set_cookie(_WHO, self.station.new_id(), path="/j", max_age=lasts, httponly=True, samesite="Strict")
            self.write(self._form())
        elif self._is_ahead():
            # Nobody has asked for it yet. No success, so that it is not kept for the one who will: after a 204 Chromium
            # stays where it is when the link is followed; after a 403 it asks again.
            self.set_status(HTTPStatus.FORBIDDEN)
            self.write(self._form(typed))
        else:
            self.redirect(f"/s/{self._redeemed(typed)}", status=HTTPStatus.SEE_OTHER)

    @property
    def _who(self) -> str:
        """The browser that was given the form: it may send a code again, should the first answer not have arrived."""
        return self.get_cookie(_WHO) or ""

    def _redeemed(self, typed: str) -> str:
        """The session. Raises CODE_UNKNOWN, or TOO_MANY_TRIES without looking at the code."""
        station = self.station
        hold_back(self, station.code_tries)
        session_id = station.codes.redeem(typed, station.clock().mono, self._who)
        if session_id is None:
            if digits_of(typed) is not None:  # a slip of the thumb is no guess
                failed(self, station.code_tries, "code")
            raise Refused("CODE_UNKNOWN")
        return session_id

    def problem_page(self, answer: Mapping[str, Any]) -> bytes | None:
        return self._form(problem=answer) if answer["error"] in {"CODE_UNKNOWN", "TOO_MANY_TRIES"} else None

    def _form(self, typed: str = "", problem: Mapping[str, Any] | None = None) -> bytes:
        wait, digits = minutes_to_wait(self.problem), digits_of(typed) or ""
        return self.render_string("join.html", lang=self.language, typed=digits, problem=problem, minutes=wait)

    def _is_ahead(self) -> bool:
        """Whether a browser fetches it on the chance that it will be wanted."""
        purposes = (self.request.headers.get(name, "").lower() for name in ("Sec-Purpose", "Purpose", "X-Moz"))
        return any("prefetch" in purpose or "preview" in purpose for purpose in purposes)
