"""Short codes for who cannot scan: six digits that stand for a session for ten minutes, and lead to it once.

Pure. Where digits come from and what time it is are passed in; who may guess how often is not known here (`tries`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

DIGITS = 6
LIFE = 600.0  # seconds
FRESH = 60.0  # seconds that a code has left, at least, when it is shown: reading and typing it takes as long
# So few of the million are alive that guessing is hopeless, whoever has codes made for sessions of their own.
MOST = 1000
LOST = 60.0  # seconds in which who used a code may use it again: on bad Wi-Fi the first answer may not have arrived
_LONGEST_TYPED = 64  # characters


@dataclass(frozen=True, slots=True)
class Code:
    """`made_at`, `ends_at`: monotonic seconds."""

    text: str
    session_id: str
    made_at: float

    @property
    def ends_at(self) -> float:
        return self.made_at + LIFE


@dataclass(frozen=True, slots=True)
class Used:
    """`who` used it, `at` monotonic seconds."""

    session_id: str
    who: str
    at: float


class Codes:
    """`draw(n)`: a number below n that nobody can foresee."""

    def __init__(self, draw: Callable[[int], int]) -> None:
        self._draw = draw
        self._by_text: dict[str, Code] = {}
        """From the oldest to the newest."""
        self._by_session: dict[str, Code] = {}
        self._used: dict[str, Used] = {}
        """From the one used first to the one used last."""

    def __len__(self) -> int:
        return len(self._by_text)

    def keep(self, session_id: str, now: float) -> Code:
        """The session's code; a new one if it has none, it was used, or it would soon end. The one before dies."""
        code = self._by_session.get(session_id)
        if code is not None and code.ends_at - now >= FRESH:
            return code
        self._drop(session_id)
        self._make_room(now)
        code = Code(self._unused(), session_id, now)
        self._by_text[code.text] = self._by_session[session_id] = code
        return code

    def redeem(self, typed: str, now: float, who: str = "") -> str | None:
        """The id of the session that this code stands for; it is used up by that, but for `who` used it a while."""
        text = digits_of(typed) or ""
        code = self._by_text.get(text)
        if code is None:
            return self._used_by(who, text, now)
        self._drop(code.session_id)
        if now >= code.ends_at:
            return None
        if who:
            self._used[text] = Used(code.session_id, who, now)
        return code.session_id

    def _used_by(self, who: str, text: str, now: float) -> str | None:
        used = self._used.get(text)
        return used.session_id if used is not None and used.who == who and now - used.at < LOST else None

    def forget(self, session_id: str) -> None:
        """The session is over."""
        self._drop(session_id)
        self._used = {text: used for text, used in self._used.items() if used.session_id != session_id}

    def _drop(self, session_id: str) -> None:
        code = self._by_session.pop(session_id, None)
        if code is not None:
            del self._by_text[code.text]

    def _make_room(self, now: float) -> None:
        """Called for each new code, and each can be used once: so what was used is never much more than a minute's."""
        self._used = {text: used for text, used in self._used.items() if now - used.at < LOST}
        for code in tuple(self._by_text.values()):
            if code.ends_at > now and len(self) < MOST:
                break
            self._drop(code.session_id)

    def _unused(self) -> str:
        number = self._draw(10**DIGITS)
        while (text := f"{number:0{DIGITS}}") in self._by_text or text in self._used:
            number = (number + 1) % 10**DIGITS
        return text


def digits_of(typed: str) -> str | None:
    """The six digits somebody meant: of any script, full width too, spaced or hyphened as they like. None: no code."""
    digits = ""
    if len(typed) > _LONGEST_TYPED:
        return None
    for sign in typed:
        if sign.isdecimal():
            digits += str(unicodedata.decimal(sign))
        elif not sign.isspace() and unicodedata.category(sign) not in {"Pd", "Cf"}:
            return None
    return digits if len(digits) == DIGITS else None
