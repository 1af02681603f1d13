"""Whether a request body still moves. Pure: counts only the time in which the client was to send, not ours."""

from __future__ import annotations

from collections import deque

GRACE = 30.0  # seconds before the least rate is asked for
WINDOW = 60.0  # seconds over which the rate is averaged


class BodyPace:
    """`idle`: seconds without a byte; `rate`: bytes a second, averaged over WINDOW. Zero switches either off."""

    def __init__(self, idle: float, rate: int, now: float) -> None:
        self._idle = idle
        self._rate = rate
        self._waited = 0.0
        self._waiting_since: float | None = now
        self._gap = 0.0
        self._arrivals: deque[tuple[float, int]] = deque()

    def arrived(self, count: int, now: float) -> None:
        """Bytes came; until `ready` the station works on them and the client may not be blamed."""
        self._pass(now)
        self._waiting_since = None
        self._gap = 0.0
        if self._arrivals and self._waited - self._arrivals[-1][0] < 1.0:
            at, before = self._arrivals.pop()
            self._arrivals.append((at, before + count))
        else:
            self._arrivals.append((self._waited, count))
        while self._arrivals and self._waited - self._arrivals[0][0] > WINDOW:
            self._arrivals.popleft()

    def ready(self, now: float) -> None:
        """The station waits for the client again."""
        self._waiting_since = now

    def forgive(self, span: float) -> None:
        """The station itself stood still for `span` seconds: no client did."""
        if self._waiting_since is not None:
            self._waiting_since += span

    def is_stalled(self, now: float) -> bool:
        self._pass(now)
        if self._idle and self._gap >= self._idle:
            return True
        if not self._rate or self._waited < GRACE + WINDOW:
            return False
        recent = sum(count for at, count in self._arrivals if self._waited - at <= WINDOW)
        return recent < self._rate * WINDOW

    def _pass(self, now: float) -> None:
        if self._waiting_since is not None:
            span = max(0.0, now - self._waiting_since)
            self._waited += span
            self._gap += span
            self._waiting_since = now
