"""The PIN that opens sessions: whether it is asked for, which guess is right, and the pass that spares asking again.
The operator's token has passes of the same kind.

Pure. Not known here: how often somebody may guess (that is `tries`), nor where the secret and the passes are kept.
"""

from __future__ import annotations

import hmac
import math
import re
from unicodedata import normalize

VALID = 30 * 86_400.0  # seconds
STALE = 86_400.0  # seconds after which a pass in use is renewed: a kiosk runs for months
_LONGEST_GUESS = 256  # characters
_BEYOND_GUESSING = 20  # characters; a random token has 43
_PASS = re.compile(r"([0-9]{1,12})\.([0-9]{1,12})\.([0-9a-f]{64})")


def normal(pin: str) -> str:
    """As it is compared: a Chinese keyboard gives digits in full width, a phone puts a space behind a word."""
    return normalize("NFKC", pin).strip()


class Access:
    """`pin`: empty, if nobody is asked. `secret`: signs passes; it outlives a run of the station, and so do they.

    `valid`: seconds that a pass lasts; `longest`: that it lasts however often it is renewed.
    """

    def __init__(self, pin: str, secret: str, valid: float = VALID, longest: float = math.inf) -> None:
        self.valid, self.longest = valid, longest
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
        return self._made(wall, wall)

    def renewed(self, text: str, wall: float) -> str | None:
        """What takes the place of an accepted pass; None: it is young enough."""
        times = self._times(text)
        if times is None or abs(wall - times[1]) <= STALE:
            return None
        return self._made(times[0], wall)

    def accepts(self, text: str, wall: float) -> bool:
        """Whether it is a pass of ours, for this PIN, and not too old.

        One from the future is no forgery: a box without a clock of its own has started in the past.
        """
        times = self._times(text)
        return times is not None and abs(wall - times[0]) <= self.longest and abs(wall - times[1]) <= self.valid

    def _times(self, text: str) -> tuple[int, int] | None:
        """Since when the PIN has been known, and when this pass was made."""
        found = _PASS.fullmatch(text)
        if found is None or not hmac.compare_digest(found[3], self._signed(f"{found[1]}.{found[2]}")):
            return None
        return int(found[1]), int(found[2])

    def _made(self, since: float, wall: float) -> str:
        times = f"{int(since)}.{int(wall)}"
        return f"{times}.{self._signed(times)}"

    def _signed(self, times: str) -> str:
        return hmac.digest(self._key, times.encode(), "sha256").hex()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # JSON may hold half a character
