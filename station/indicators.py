"""Whether all is well: the seed's indicators, their thresholds in one table, and what a value means by them. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

_DAY = 86_400.0


class State(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Limit:
    """What is good, as the seed says it, and how far beyond that it is bad and no more a warning."""

    name: str
    unit: str
    better: str
    threshold: float
    warning: float
    few: int = 0
    """From fewer measurements nothing is bad yet: one file refused of one is no alarm."""


# In the order in which they are shown.
LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        limit.name: limit
        for limit in (
            Limit("latency", "s", "lower", 0.2, 0.5),
            Limit("reconnects", "per hour", "lower", 5.0, 20.0),
            Limit("speed", "B/s", "higher", 1_000_000.0, 250_000.0),
            Limit("success", "%", "higher", 95.0, 80.0, few=5),
            Limit("memory", "%", "lower", 80.0, 92.0),
            Limit("cpu", "%", "lower", 70.0, 90.0),
            Limit("disk", "s", "higher", 7 * _DAY, _DAY),
        )
    }
)


class Measured(NamedTuple):
    """A value, None where there is nothing to tell it by, and from how many measurements it comes."""

    value: float | None = None
    basis: int = 0


def judge(limit: Limit, value: float | None) -> State:
    """Just at a limit is beyond it: the seed asks for less than 200 ms, more than 95 %."""
    if value is None or math.isnan(value):
        return State.UNKNOWN
    sign = 1.0 if limit.better == "higher" else -1.0
    if sign * value > sign * limit.threshold:
        return State.GOOD
    return State.WARNING if sign * value > sign * limit.warning else State.BAD


def drawn(measured: Mapping[str, Measured]) -> list[dict[str, Any]]:
    """All of them in order; what was not measured is unknown, never good."""
    return [_drawn(limit, measured.get(name, Measured())) for name, limit in LIMITS.items()]


def _drawn(limit: Limit, measured: Measured) -> dict[str, Any]:
    known = measured.value is not None and math.isfinite(measured.value)
    value = round(measured.value, 4) if known and measured.value is not None else None
    state = judge(limit, value)
    if state is State.BAD and measured.basis < limit.few:
        state = State.WARNING
    told = {name: each for name, each in asdict(limit).items() if name != "few"}
    return {**told, "value": value, "state": str(state), "basis": measured.basis}
