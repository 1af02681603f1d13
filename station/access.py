"""The PIN that opens sessions: whether it is asked for, which guess is right, and the pass that spares asking again.
The operator's token has passes of the same kind.

Pure. Not known here: how often somebody may guess (that is `tries`), nor where the secret and the passes are kept.
"""

from __future__ import annotations

import hmac
import re
from unicodedata import normalize

VALID = 30 * 86_400.0  # seconds
STALE = 86_400.0  # seconds after which a pass in use is renewed: a kiosk runs for months
_LONGEST_GUESS = 256  # characters
_BEYOND_GUESSING = 20  # characters; a random token has 43
_PASS = re.compile(r"([0-9]{1,12})\.([0-9a-f]{64})")


def normal(pin: str) -> str:
    """As it is compared: a Chinese keyboard gives digits in full width, a phone puts a space behind a word."""
    return normalize("NFKC", pin).strip()


class Access:
    """`pin`: empty, if nobody is asked. `secret`: signs passes; it outlives a run of the station, and so do they.

    `valid`: seconds that a pass lasts.
    """

    def __init__(self, pin: str, secret: str, valid: float = VALID) -> None:
        self.valid = valid
        self._pin = normal(pin)
        # Signed with the PIN as well: another PIN voids every pass.
        self._key = hmac.digest(secret.encode(), _bytes(self._pin), "sha256")

    @property
    def required(self) -> bool:
        return bool(self._pin)

    @property
    def is_beyond_guessing(self) -> bool:
        """Whether nobody finds it by trying: then who knows it need not wait for those who try."""
        return len(self._pin) >= _BEYOND_GUESSING

    def admits(self, guess: str) -> bool:
        """Whether this is the PIN; takes the same time for each wrong one."""
        if not self.required:
            return True
        return len(guess) <= max(_LONGEST_GUESS, len(self._pin)) and hmac.compare_digest(
            _bytes(normal(guess)), _bytes(self._pin)
        )

    def pass_for(self, wall: float) -> str:
        """For whoever knew the PIN at this time of the wall clock."""
        issued = str(int(wall))
        return f"{issued}.{self._signed(issued)}"

    def accepts(self, text: str, wall: float) -> bool:
        """Whether it is a pass of ours, for this PIN, and not too old.

        One from the future is no forgery: a box without a clock of its own has started in the past.
        """
        age = self._age(text, wall)
        return age is not None and abs(age) <= self.valid

    def is_stale(self, text: str, wall: float) -> bool:
        """Whether an accepted pass is to be renewed."""
        age = self._age(text, wall)
        return age is not None and abs(age) > STALE

    def _age(self, text: str, wall: float) -> float | None:
        found = _PASS.fullmatch(text)
        if found is None or not hmac.compare_digest(found[2], self._signed(found[1])):
            return None
        return wall - int(found[1])

    def _signed(self, issued: str) -> str:
        return hmac.digest(self._key, issued.encode(), "sha256").hex()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # JSON may hold half a character
