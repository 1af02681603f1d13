"""Progress that is to be posted: best effort, of each file only the newest, one a second and session. Pure.

Not known here: what has to be told before it, nor how it is told.
"""

from __future__ import annotations

from typing import Generic, TypeVar

EVERY = 1.0  # seconds
SESSIONS = 1000  # that wait at a time; what comes beyond is lost
FILES = 20  # of one session

T = TypeVar("T")


class Trickle(Generic[T]):
    """Times are monotonic."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, T]] = {}
        self._told: dict[str, float] = {}

    def put(self, session_id: str, key: str, message: T) -> None:
        """Have it wait, at the end, instead of the one of this key."""
        if session_id not in self._waiting and len(self._waiting) >= SESSIONS:
            return
        waiting = self._waiting.setdefault(session_id, {})
        waiting.pop(key, None)
        if len(waiting) < FILES:
            waiting[key] = message

    def take(self, session_id: str, now: float) -> T | None:
        """What may be told of this session now; it is on its way then."""
        waiting = self._waiting.get(session_id)
        if not waiting or now < self._told.get(session_id, now - EVERY) + EVERY:
            return None
        message = waiting.pop(next(iter(waiting)))
        if not waiting:
            del self._waiting[session_id]
        self._told[session_id] = now
        return message

    def forget(self, session_id: str) -> None:
        """Something of the session was recorded that has to be told: what waits would come too late, after it."""
        self._waiting.pop(session_id, None)

    def due(self, now: float) -> list[str]:
        """The sessions of which something may be told now."""
        for session_id in [each for each, told in self._told.items() if now >= told + EVERY]:
            del self._told[session_id]
        return [session_id for session_id in self._waiting if session_id not in self._told]
