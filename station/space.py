"""Whether there is room: announced sizes count as taken while their upload is active. Pure; free space is passed in."""

from __future__ import annotations

from dataclasses import dataclass

from station.errors import Refused

CHECK_EVERY = 4 * 1024**2  # bytes of a body that was not admitted, for want of a length, between two looks
ACTIVE = 600.0  # seconds; contract: announced sizes count only while a byte came within the last ten minutes


@dataclass
class _Claim:
    left: int
    touched_at: float


class Space:
    """`floor`: bytes that must stay free. Keys name attempts, or uploads that are gone on with."""

    def __init__(self, floor: int) -> None:
        self._floor = floor
        self._claims: dict[str, _Claim] = {}

    def admit(self, key: str, size: int | None, free: int, now: float) -> None:
        """Reserve `size` bytes (None: unknown, only the floor is checked), in place of what the key reserved before.

        Raises INSUFFICIENT_STORAGE; what was reserved then stays so.
        """
        if free - self.reserved(now, besides=key) - (size or 0) < self._floor:
            raise Refused("INSUFFICIENT_STORAGE")
        self._claims[key] = _Claim(size or 0, now)

    def reserved(self, now: float, *, besides: str | None = None) -> int:
        """Bytes that active uploads still have to come, `besides` one of them."""
        active = {key: claim.left for key, claim in self._claims.items() if now - claim.touched_at < ACTIVE}
        return sum(left for key, left in active.items() if key != besides)

    def wrote(self, key: str, count: int, now: float) -> None:
        """What is written is no longer free, so it is no longer reserved either."""
        if (claim := self._claims.get(key)) is not None:
            claim.left = max(0, claim.left - count)
            claim.touched_at = now

    def release(self, key: str) -> None:
        self._claims.pop(key, None)
