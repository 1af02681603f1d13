"""Two clocks in one reading, and the one form in which clients see a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.clock import Moment, rfc3339, system_clock

FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.mark.parametrize(
    ("wall", "shown"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_705_314_510.0, "2024-01-15T10:28:30.000Z"),
        (1_705_314_510.25, "2024-01-15T10:28:30.250Z"),
        (1_705_314_510.9996, "2024-01-15T10:28:30.999Z"),
        (-1.0, "1969-12-31T23:59:59.000Z"),
    ],
)
def test_a_time_is_shown_in_utc_with_milliseconds(wall: float, shown: str) -> None:
    assert rfc3339(wall) == shown
    assert Moment(7.0, wall).stamp == shown


@given(st.floats(0, 4e9))
def test_every_time_has_the_same_form_and_reads_back(wall: float) -> None:
    shown = rfc3339(wall)
    assert FORM.fullmatch(shown)
    assert abs(datetime.fromisoformat(shown).timestamp() - wall) <= 0.001


def test_the_system_clock_reads_both_clocks() -> None:
    before, first, second = datetime.now(UTC).timestamp(), system_clock(), system_clock()
    assert second.mono >= first.mono
    assert before - 1 <= first.wall
