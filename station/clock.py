"""What time it is: the monotonic clock for rules, the wall clock for display and for deadlines that outlive a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple


class Moment(NamedTuple):
    """One reading of both clocks, in seconds. Only `mono` may decide anything within a run."""

    mono: float
    wall: float

    @property
    def stamp(self) -> str:
        return rfc3339(self.wall)


Clock = Callable[[], Moment]


def system_clock() -> Moment:
    return Moment(time.monotonic(), time.time())


def rfc3339(wall: float) -> str:
    """UTC with milliseconds and `Z`, the only form in which clients see a time."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
