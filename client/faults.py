"""What can go wrong between client and station, as exceptions. Knows neither how it is noticed nor what is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# An answer to HEAD has no body, and one of a proxy in between has none of the station's.
_BY_STATUS = {
    401: "PIN_REQUIRED",
    404: "UPLOAD_GONE",
    408: "REQUEST_TIMEOUT",
    410: "UPLOAD_GONE",
    413: "FILE_SIZE_EXCEEDED",
    423: "UPLOAD_LOCKED",
    429: "RATE_LIMIT_EXCEEDED",
    502: "NETWORK_ERROR",
    503: "TOO_MANY_CONNECTIONS",
    504: "NETWORK_ERROR",
    507: "INSUFFICIENT_STORAGE",
}
_PASSING = {408, 423, 429}
_LONGEST_DETAILS = 200  # characters for people; programs get all of it


class Broken(Exception):
    """No answer: the station cannot be reached, or the connection broke. Trying again may help."""


class Hopeless(Broken):
    """Nothing heals by itself: the certificate, say. `key` is the sentence of `words` that says what to do."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key)
        self.key, self.reason = key, reason


class Refusal(Exception):
    """The station said no. `status` is 0 where it was told by an event, or the client itself found it."""

    def __init__(self, code: str, message: str = "", details: str = "", solution: str = "", *, status: int = 0) -> None:
        super().__init__(code)
        self.code, self.message, self.details, self.solution, self.status = code, message, details, solution, status
        self.retry_after: float | None = None
        self.is_pushed = False
        """Its message is in the station's language, as that of an event is."""
        self.is_mute = False
        """It came without any words, as an answer to HEAD does, or that of somebody who is no station."""

    @classmethod
    def answered(cls, status: int, body: Mapping[str, Any], retry_after: str) -> Refusal:
        """By HTTP; `body` may be anything."""
        words = {name: value for name, value in body.items() if isinstance(value, str)}
        code = words.get("error") or _BY_STATUS.get(status, "SERVER_ERROR")
        message = words.get("message", f"HTTP {status}")
        refusal = cls(code, message, words.get("details", ""), words.get("solution", ""), status=status)
        refusal.is_mute = "message" not in words
        text = retry_after.strip()
        # In seconds: a station sends no dates. Longer than a day is no advice.
        refusal.retry_after = float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
        return refusal

    @classmethod
    def told(cls, error: object) -> Refusal:
        """By an event or a snapshot."""
        words = error if isinstance(error, dict) else {}
        refusal = cls(*(str(words.get(name) or "") for name in ("code", "message", "details")))
        refusal.is_pushed = True
        return refusal

    @property
    def passes(self) -> bool:
        """Whether waiting may help."""
        return self.status in _PASSING or self.status >= 500

    @property
    def is_gone(self) -> bool:
        """The address of the upload leads nowhere."""
        return self.status in {404, 410}

    def heard(self, told: Refusal | None) -> None:
        """Where it has no words of its own, it takes those of what was told of the file, if that is the same fault."""
        if self.is_mute and told is not None and told.code == self.code:
            self.message, self.details, self.is_pushed = told.message, told.details, told.is_pushed

    def worded(self, message: str) -> str:
        """With a message in other words. Of long details, such as all formats that are taken, only the beginning."""
        details = self.details if self.details not in message else ""
        details = details if len(details) <= _LONGEST_DETAILS else f"{details[:_LONGEST_DETAILS]}…"
        return " ".join(part for part in (message, details, self.solution) if part)

    def __str__(self) -> str:
        return self.worded(self.message or self.code)


class Unfit(Exception):
    """A local file cannot be sent; `key` is the sentence of `words` that says why."""

    def __init__(self, key: str, reason: str = "") -> None:
        super().__init__(key)
        self.key, self.reason = key, reason


class GaveUp(Exception):
    """Patience is at its end, or would be in vain. Its `__cause__` is what went wrong last."""
