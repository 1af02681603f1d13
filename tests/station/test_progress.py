"""Percentages, the throttle, speeds and forecasts: by example, by property, and on simulated networks."""

from __future__ import annotations

import math
from itertools import accumulate
from statistics import fmean

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from station.progress import LONGEST_SILENCE, Forecast, Speed, Throttle, percent
from tests.station.eta_profiles import CHANGING, STEADY, Linear, Profile, average

MIB = 1024**2
SIZES = st.integers(0, 2**50)
WAITS = st.one_of(st.just(0.0), st.floats(0, 5), st.floats(0, 1e-6), st.floats(0, 1e6))
ARRIVALS = st.lists(st.tuples(WAITS, st.integers(0, 2**40)), max_size=60)
STARTS = st.floats(0, 1e8)

INTERVAL, STEP, SILENCE = 0.5, 1.0, 2.0


# ---- percent ----


@pytest.mark.parametrize(
    ("done", "total", "exact", "shown"),
    [
        (0, 100, True, 0.0),
        (50, 100, True, 50.0),
        (1, 3, True, 33.33),
        (2, 3, True, 66.66),
        (999_999, 1_000_000, True, 99.99),
        (10 * 2**40 - 1, 10 * 2**40, True, 99.99),
        (10 * 2**40, 10 * 2**40, True, 100.0),
        (0, 0, True, 100.0),
        (5, None, True, 0.0),
        (5, None, False, 0.0),
        (50, 100, False, 50.0),
        (100, 100, False, 99.0),
        (0, 0, False, 99.0),
        (101, 100, True, 100.0),
        (101, 100, False, 99.0),
    ],
)
def test_progress_is_floored_to_two_decimals(done: int, total: int | None, exact: bool, shown: float) -> None:
    assert percent(done, total, exact=exact) == shown


@given(SIZES, SIZES, SIZES, st.booleans())
def test_progress_stays_in_bounds_and_never_goes_down(total: int, one: int, other: int, exact: bool) -> None:
    less, more = sorted((one, other))
    assert 0 <= percent(less, total, exact=exact) <= percent(more, total, exact=exact) <= (100 if exact else 99)


@given(st.integers(1, 2**60), st.data())
def test_a_hundred_per_cent_means_every_byte(total: int, data: st.DataObject) -> None:
    done = data.draw(st.integers(0, total))
    assert (percent(done, total, exact=True) == 100) == (done == total)


# ---- the throttle ----


def throttle() -> Throttle:
    return Throttle(INTERVAL, STEP, SILENCE)


def test_the_first_message_always_goes_out() -> None:
    assert throttle().due(7.0, 0.0)


def test_a_message_needs_both_the_time_and_the_step() -> None:
    gate = throttle()
    assert gate.due(0.0, 0.0)
    assert not gate.due(0.4, 50.0)
    assert not gate.due(0.6, 0.99)
    assert gate.due(0.7, 1.0)
    assert not gate.due(1.1, 2.0)
    assert gate.due(1.2, 2.0)


def test_a_step_is_a_step_in_binary_fractions_too() -> None:
    gate = throttle()
    assert gate.due(0.0, 0.14)
    assert 0.14 + STEP > 1.14
    assert gate.due(1.0, 1.14)


def test_two_seconds_of_silence_are_enough_by_themselves() -> None:
    gate = throttle()
    assert gate.due(0.0, 10.0)
    assert not gate.due(1.99, 10.0)
    assert gate.due(2.0, 10.0)


def test_a_hundred_goes_out_at_once_and_once() -> None:
    gate = throttle()
    assert gate.due(0.0, 99.9)
    assert gate.due(0.001, 100.0)
    assert not gate.due(0.002, 100.0)
    assert not gate.due(60.0, 100.0)
    assert not gate.stale(60.0)


def test_a_first_message_at_a_hundred_is_the_only_one() -> None:
    gate = throttle()
    assert gate.due(0.0, 100.0)
    assert not gate.due(5.0, 100.0)


def test_of_an_unknown_total_the_interval_alone_decides() -> None:
    gate = throttle()
    assert [gate.due(tenths / 10, None) for tenths in range(0, 12, 2)] == [True, False, False, True, False, False]


def test_a_total_that_becomes_known_is_told_after_the_interval() -> None:
    gate = throttle()
    assert gate.due(0.0, None)
    assert not gate.due(0.4, 3.0)
    assert gate.due(0.5, 3.0)
    assert not gate.due(1.0, 3.5)


def test_looking_ahead_a_message_goes_out_before_the_silence_is_too_long() -> None:
    gate = throttle()
    assert gate.due(0.0, 10.0)
    assert not gate.due(1.5, 10.0, look=0.25)
    assert not gate.stale(1.7, look=0.25)
    assert gate.stale(1.75, look=0.25)
    assert gate.due(1.75, 10.0, look=0.25)


def test_looking_ahead_keeps_the_interval() -> None:
    gate = Throttle(0.5, 1.0, 0.6)
    assert gate.due(0.0, 10.0)
    assert not gate.due(0.4, 10.0, look=0.25)
    assert gate.due(0.5, 10.0, look=0.25)


def test_what_was_held_back_grows_stale_until_it_is_told() -> None:
    gate = throttle()
    assert not gate.stale(100.0)
    assert gate.due(0.0, 5.0)
    assert not gate.stale(100.0), "nothing came after what was told"
    assert not gate.due(0.1, 5.5)
    assert not gate.stale(1.9)
    assert gate.stale(2.0)
    assert gate.due(2.0, 5.5)
    assert not gate.stale(100.0)


@given(st.lists(st.tuples(WAITS, st.integers(0, 40)), min_size=1, max_size=80), st.booleans())
@example([(0.0, 0), (0.5, 4), (0.5, 4), (2.0, 0)], True)
def test_any_sequence_obeys_the_throttle(steps: list[tuple[float, int]], known: bool) -> None:
    gate = throttle()
    last: tuple[float, float] | None = None
    times = accumulate(wait for wait, _ in steps)
    levels = [min(quarters / 4, 100.0) for quarters in accumulate(quarters for _, quarters in steps)]
    for now, progress in zip(times, levels, strict=True):
        told = gate.due(now, progress if known else None)
        if last is None:
            assert told
        elif known and last[1] == 100:
            assert not told
        elif known and progress == 100:
            assert told
        else:
            silence, more = now - last[0], progress - last[1] >= STEP or not known
            assert told == (silence >= SILENCE or (silence >= INTERVAL and more))
        if told:
            last = now, progress
        assert gate.stale(now) is False, "a message that is due is never left to the tick"


# ---- speed ----


def speed_of(arrivals: list[tuple[float, int]], started: float = 0.0) -> Speed:
    speed = Speed(started)
    for at, size in arrivals:
        speed.add(at, size)
    return speed


def test_before_the_first_byte_and_before_any_time_there_is_no_speed() -> None:
    assert Speed(5.0).at(5.0) == 0
    assert Speed(5.0).at(6.0) == 0
    assert speed_of([(5.0, 100)], started=5.0).at(5.0) == 0


@pytest.mark.parametrize("came_at", [0.0, 1.0])
def test_one_sample_is_measured_from_the_start(came_at: float) -> None:
    assert speed_of([(came_at, 100)]).at(2.0) == 50
    assert speed_of([(came_at, 100)]).at(10.0) == 10


@pytest.mark.parametrize("gap", [0.01, 0.1, 0.3, 1.0, 2.0, 3.5])
def test_a_regular_flow_shows_its_rate_however_sparse(gap: float) -> None:
    speed = Speed(0.0)
    for number in range(round(30 / gap) + 1):
        speed.add(number * gap, round(MIB * gap))
        if number >= 3 and number * gap >= 1:
            assert speed.at(number * gap) == pytest.approx(MIB, rel=0.02)
            assert speed.at((number + 0.9) * gap) == pytest.approx(MIB, rel=0.1)


def test_a_dense_flow_forgets_its_old_rate_after_three_seconds() -> None:
    slow = [(tick / 50, 1000) for tick in range(1000)]
    fast = [(20 + tick / 50, 9000) for tick in range(170)]
    assert speed_of(slow + fast).at(20 + 169 / 50) == pytest.approx(450_000, rel=0.02)


def test_one_late_arrival_does_not_shake_a_sparse_flow() -> None:
    punctual = [(2.0 * number, 1000) for number in range(10)]
    assert 350 < speed_of(punctual).at(18 + 3.5) < 500


def test_speed_sinks_to_zero_when_nothing_arrives() -> None:
    speed = speed_of([(tick / 100, 10_000) for tick in range(1000)])
    seen = [speed.at(10 + tenths / 10) for tenths in range(40)]
    assert seen == sorted(seen, reverse=True)
    assert seen[0] == pytest.approx(1_000_000, rel=0.02)
    assert seen[-1] == 0


def test_a_single_arrival_is_forgotten_too() -> None:
    assert speed_of([(0.0, 100)]).at(LONGEST_SILENCE) == 0
    assert speed_of([(1.0, 100)]).at(1.0 + LONGEST_SILENCE) == 0


def test_speed_comes_back_after_a_silence() -> None:
    before = [(tick / 100, 10_000) for tick in range(1000)]
    after = [(30 + tick / 100, 10_000) for tick in range(400)]
    assert speed_of(before + after).at(34.0) == pytest.approx(1_000_000, rel=0.02)


def test_a_silence_does_not_weigh_on_the_flow_after_it() -> None:
    before = [(tick / 100, 10_000) for tick in range(1000)]
    after = [(40 + tick / 100, 10_000) for tick in range(200)]
    assert speed_of(before + after).at(42.0) > 500_000


def test_what_comes_at_once_took_its_time_before_the_start() -> None:
    assert speed_of([(0.0, 5000), (0.0078125, 5000), (1.0078125, 100)]).at(1.0078125) == 100


def test_memory_is_bounded_however_many_arrivals_there_are() -> None:
    speed = speed_of([(tick / 10_000, 100) for tick in range(300_000)])
    assert len(speed._slices) <= 16
    assert speed.at(30.0) == pytest.approx(1_000_000, rel=0.02)


@given(STARTS, ARRIVALS, WAITS)
@example(0.0, [(5e-324, 2**40)], 0.0)
def test_speed_is_always_a_decent_number(started: float, arrivals: list[tuple[float, int]], wait: float) -> None:
    speed, now = Speed(started), started
    for pause, size in arrivals:
        now += pause
        speed.add(now, size)
        assert math.isfinite(speed.at(now))
        assert speed.at(now) >= 0
    assert 0 <= speed.at(now + wait) < math.inf
    assert speed.at(now + 2 * LONGEST_SILENCE) == 0


@given(STARTS, st.lists(WAITS, max_size=60), WAITS)
def test_zero_bytes_have_no_speed(started: float, waits: list[float], wait: float) -> None:
    times = list(accumulate(waits, initial=started))
    assert speed_of([(at, 0) for at in times], started).at(times[-1] + wait) == 0


# ---- the forecast ----


def test_nothing_is_foretold_before_anything_came() -> None:
    forecast = Forecast(3.0)
    assert forecast.remaining(10.0, 100) is None
    forecast.add(10.0, 0)
    assert forecast.remaining(10.0, 100) is None


def test_binary_fractions_do_not_add_a_second() -> None:
    forecast = Forecast(0.0)
    forecast.add(0.1 + 0.2, 3000)
    assert 10_000 * (0.1 + 0.2) / 3000 > 1
    assert forecast.remaining(0.1 + 0.2, 10_000) == 1


def test_no_bytes_do_not_break_a_silence() -> None:
    forecast = Forecast(0.0)
    forecast.add(1.0, 1000)
    forecast.add(10.0, 0)
    assert forecast.remaining(1.0 + LONGEST_SILENCE, 1000) is None


def test_no_time_gone_by_foretells_nothing() -> None:
    forecast = Forecast(3.0)
    forecast.add(3.0, 100)
    assert forecast.remaining(3.0, 100) is None


def test_an_unknown_rest_is_not_foretold() -> None:
    forecast = Forecast(0.0)
    forecast.add(1.0, 100)
    assert forecast.remaining(1.0, None) is None


def test_nothing_left_takes_no_time() -> None:
    assert Forecast(0.0).remaining(0.0, 0) == 0


def test_a_steady_flow_is_foretold_from_its_first_second_on() -> None:
    forecast = Forecast(0.0)
    left = 1_000_000
    for eighths in range(1, 1000):
        forecast.add(eighths / 8, 1000)
        left -= 1000
        if eighths >= 8:
            assert forecast.remaining(eighths / 8, left) == pytest.approx(left / 8000, abs=1, rel=0.03)


def test_seconds_are_rounded_up_and_one_is_the_least() -> None:
    forecast = Forecast(0.0)
    forecast.add(1.0, 1000)
    assert [forecast.remaining(1.0, left) for left in (1, 999, 1000, 1001)] == [1, 1, 1, 2]


@pytest.mark.parametrize("change", [0.1, 0.4, 2.5, 10])
def test_another_speed_is_believed_within_ten_seconds(change: float) -> None:
    forecast, linear = Forecast(0.0), Linear(0.0)
    for eighths in range(1, 70 * 8 + 1):
        size = 100_000 if eighths <= 60 * 8 else round(100_000 * change)
        forecast.add(eighths / 8, size)
        linear.add(eighths / 8, size)
    left = round(800_000 * change * 60)
    ours, theirs = forecast.remaining(70.0, left), linear.remaining(70.0, left)
    assert ours == pytest.approx(60, rel=0.15)
    assert theirs != pytest.approx(60, rel=0.5)


def test_a_stall_is_waited_out_and_then_counted() -> None:
    forecast = Forecast(0.0)
    for eighths in range(1, 30 * 8 + 1):
        forecast.add(eighths / 8, 1000)
    seen = [forecast.remaining(30.0 + second, 80_000) or 0 for second in range(6)]
    assert seen == sorted(seen)
    assert seen[0] == 10
    assert seen[-1] == pytest.approx(12, abs=1)
    for eighths in range(1, 9):
        forecast.add(35 + eighths / 8, 1000)
    after = forecast.remaining(36.0, 80_000)
    assert after is not None
    assert 10 < after <= 15


def test_asking_changes_nothing() -> None:
    asked, silent = Forecast(0.0), Forecast(0.0)
    for number in range(1, 40):
        asked.add(number * 0.7, 1000)
        silent.add(number * 0.7, 1000)
        assert asked.remaining(number * 0.7 + 0.6, 50_000) is not None
    assert asked.remaining(30.0, 50_000) == silent.remaining(30.0, 50_000)


def test_a_long_silence_makes_the_end_unknown_and_leaves_no_mark_of_its_length() -> None:
    short, long = Forecast(0.0), Forecast(0.0)
    for eighths in range(1, 81):
        short.add(eighths / 8, 1000)
        long.add(eighths / 8, 1000)
    assert long.remaining(10.0 + LONGEST_SILENCE, 50_000) is None
    short.add(10.0 + LONGEST_SILENCE, 1000)
    long.add(3600.0, 1000)
    back = long.remaining(3600.0, 50_000)
    assert back is not None
    assert back == short.remaining(10.0 + LONGEST_SILENCE, 50_000)


@given(STARTS, ARRIVALS, WAITS, SIZES)
@example(0.0, [(5e-324, 1), (1e6, 2**40), (1e6, 1)], 5.0, 2**50)
def test_the_rest_is_none_or_whole_seconds(
    started: float, arrivals: list[tuple[float, int]], wait: float, left: int
) -> None:
    forecast, now = Forecast(started), started
    for pause, size in arrivals:
        now += pause
        forecast.add(now, size)
        for later in (now, now + wait):
            remaining = forecast.remaining(later, left)
            assert remaining is None or (type(remaining) is int and remaining >= (left > 0))
    assert forecast.remaining(now + 2 * LONGEST_SILENCE, left) in ((None,) if left else (0,))


# ---- the forecast on simulated networks ----

SEEDS = range(500, 505)
DURATIONS = (20.0, 60.0, 200.0)


def errors(profiles: tuple[Profile, ...]) -> dict[str, tuple[float, float]]:
    """For each network the mean relative error of the linear model, and ours."""
    return {
        profile.__name__: (
            average(Linear, profile, SEEDS, DURATIONS).error,
            average(Forecast, profile, SEEDS, DURATIONS).error,
        )
        for profile in profiles
    }


def test_changing_networks_are_foretold_better_than_by_the_linear_model() -> None:
    found = errors(CHANGING)
    linear, ours = (fmean(pair[model] for pair in found.values()) for model in (0, 1))
    assert ours < 0.9 * linear, found
    for name in ("step_down", "step_up", "slow_start", "walk"):
        assert found[name][1] < found[name][0], found
    assert max(ours - linear for linear, ours in found.values()) < 0.06, found


def test_steady_networks_are_foretold_as_well_as_by_the_linear_model() -> None:
    found = errors(STEADY)
    assert max(ours - linear for linear, ours in found.values()) < 0.01, found
