"""What a value means: by the seed's thresholds, never better than it is, and unknown where nothing was measured."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.indicators import LIMITS, Limit, Measured, State, drawn, judge

RANK = {State.GOOD: 2, State.WARNING: 1, State.BAD: 0}
limits = st.sampled_from(sorted(LIMITS.values(), key=lambda limit: limit.name))
values = st.floats(allow_nan=False, allow_infinity=False)


def test_the_table_holds_the_seeds_thresholds_in_the_order_in_which_they_are_shown() -> None:
    assert [(limit.name, limit.unit, limit.threshold, limit.better) for limit in LIMITS.values()] == [
        ("latency", "s", 0.2, "lower"),
        ("reconnects", "per hour", 5, "lower"),
        ("speed", "B/s", 1_000_000, "higher"),
        ("success", "%", 95, "higher"),
        ("memory", "%", 80, "lower"),
        ("cpu", "%", 70, "lower"),
        ("disk", "s", 7 * 86_400, "higher"),
    ]


@pytest.mark.parametrize("limit", LIMITS.values(), ids=lambda limit: limit.name)
def test_bad_lies_beyond_warning_and_warning_beyond_good(limit: Limit) -> None:
    worse = 1 if limit.better == "lower" else -1
    assert worse * limit.warning > worse * limit.threshold
    assert judge(limit, limit.threshold - worse * 1e-6) is State.GOOD
    assert judge(limit, limit.threshold) is State.WARNING, "less than 200 ms is asked for, not 200 ms"
    assert judge(limit, limit.warning - worse * 1e-6) is State.WARNING
    assert judge(limit, limit.warning) is State.BAD


@given(limits, values, values)
def test_a_worse_value_is_never_judged_better(limit: Limit, one: float, other: float) -> None:
    low, high = sorted((one, other))
    worse, better = (high, low) if limit.better == "lower" else (low, high)
    assert RANK[judge(limit, worse)] <= RANK[judge(limit, better)]


@pytest.mark.parametrize("value", [None, math.nan])
def test_what_was_not_measured_is_unknown(value: float | None) -> None:
    assert {judge(limit, value) for limit in LIMITS.values()} == {State.UNKNOWN}
    assert {each["state"] for each in drawn({})} == {"unknown"}
    assert [each["value"] for each in drawn({name: Measured(value, 3) for name in LIMITS})] == [None] * len(LIMITS)


@given(st.dictionaries(st.sampled_from(sorted(LIMITS)), st.builds(Measured, st.none() | st.floats(), st.integers(0))))
def test_what_is_drawn_is_whole_and_holds_nothing_that_json_does_not_know(measured: dict[str, Measured]) -> None:
    told = drawn(measured)
    assert [each["name"] for each in told] == list(LIMITS)
    for each in told:
        assert each["value"] is None or math.isfinite(each["value"])
        assert each.keys() == {"name", "unit", "better", "threshold", "warning", "value", "state", "basis"}
        limit = LIMITS[each["name"]]
        fits = judge(limit, each["value"])
        few = fits is State.BAD and each["basis"] < limit.few
        assert each["state"] == (State.WARNING if few else fits), "the state fits the value that is shown"


def test_one_file_refused_of_one_is_no_alarm_and_five_of_five_are() -> None:
    states = {
        basis: next(each["state"] for each in drawn({"success": Measured(0.0, basis)}) if each["name"] == "success")
        for basis in (1, 4, 5, 500)
    }
    assert states == {1: "warning", 4: "warning", 5: "bad", 500: "bad"}
