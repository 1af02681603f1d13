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


class Codes:
    """`draw(n)`: a number below n that nobody can foresee."""

    def __init__(self, draw: Callable[[int], int]) -> None:
        self._draw = draw
        self._by_text: dict[str, Code] = {}
        """From the oldest to the newest."""
        self._by_session: dict[str, Code] = {}

    def __len__(self) -> int:
        return len(self._by_text)

    def keep(self, session_id: str, now: float) -> Code:
        """The session's code; a new one if it has none, it was used, or it would soon end. The one before dies."""
        code = self._by_session.get(session_id)
        if code is not None and code.ends_at - now >= FRESH:
            return code
        self.forget(session_id)
        self._make_room(now)
        code = Code(self._unused(), session_id, now)
        self._by_text[code.text] = self._by_session[session_id] = code
        return code

    def redeem(self, typed: str, now: float) -> str | None:
        """The id of the session that this code stands for; it is used up by that."""
        code = self._by_text.get(digits_of(typed) or "")
        if code is None:
            return None
        self.forget(code.session_id)
        return code.session_id if now < code.ends_at else None

    def forget(self, session_id: str) -> None:
        """The session is over, or gets another code."""
        code = self._by_session.pop(session_id, None)
        if code is not None:
            del self._by_text[code.text]

    def _make_room(self, now: float) -> None:
        for code in tuple(self._by_text.values()):
            if code.ends_at > now and len(self) < MOST:
                break
            self.forget(code.session_id)

    def _unused(self) -> str:
        number = self._draw(10**DIGITS)
        while (text := f"{number:0{DIGITS}}") in self._by_text:
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
