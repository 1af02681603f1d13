"""Folding and charts against what a plain list of all samples gives."""

from __future__ import annotations

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.series import SPANS, STEP, Fold, Ring, Sample, Span, Window, chart, first_of

numbers = st.floats(0, 1e9)
samples = st.builds(Sample, st.just(0.0), numbers, numbers, numbers, numbers)


@given(st.lists(st.tuples(samples, st.integers(1, 30)), min_size=1), st.integers(0, 100))
def test_a_fold_is_the_mean_of_what_flows_and_the_most_of_all_else_however_it_came_about(
    given_samples: list[tuple[Sample, int]], cut: int
) -> None:
    whole, first, second = Fold(), Fold(), Fold()
    for number, (sample, weight) in enumerate(given_samples):
        whole.add(sample, weight)
        (first if number < cut else second).add(sample, weight)
    weight = sum(weight for _, weight in given_samples)
    assert whole.weight == weight
    mean = sum(sample.throughput * weight for sample, weight in given_samples) / weight
    assert whole.throughput == pytest.approx(mean, abs=1e-3)
    for name in ("uploads", "watchers", "delay"):
        assert getattr(whole, name) == max(getattr(sample, name) for sample, _ in given_samples)
    if first.weight and second.weight:
        first.add(second.sample(0.0), second.weight)
        assert first.throughput == pytest.approx(whole.throughput, abs=1e-3)
        assert (first.weight, first.delay) == (whole.weight, whole.delay)


def test_the_spans_are_an_hour_and_a_day() -> None:
    assert {name: span.step * span.count for name, span in SPANS.items()} == {"hour": 3600, "day": 86_400}
    assert SPANS["hour"].step == STEP


@given(st.integers(0, 10**6), st.lists(st.integers(1, 50), max_size=80), st.floats(-1e9, 1e9))
def test_a_chart_shows_each_sample_at_its_time_and_nothing_elsewhere(start: int, gaps: list[int], shift: float) -> None:
    span = Span(STEP, 40)
    times = [float(slot * STEP) for slot in accumulate(gaps, initial=start)]
    ring = Ring(span)
    for at in times:
        ring.add(Sample(at, at + 1, 1, 2, 0.5))
    now = times[-1] + 3
    first = first_of(span, now)
    points = chart(span, first, ring.weighed(), lambda at: at + shift)
    assert {len(column) for column in points.values()} == {40}
    assert points["at"] == [round(first + n * STEP + shift) for n in range(40)]
    assert first + 39 * STEP <= now < first + 40 * STEP, "it ends now"
    shown = {first + n * STEP: value for n, value in enumerate(points["throughput"]) if value is not None}
    assert shown == {at: at + 1 for at in times if at >= first}


def test_a_coarser_ring_folds() -> None:
    ring = Ring(Span(300, 3))
    for at in range(0, 1500, STEP):
        ring.add(Sample(float(at), float(at), 1.0, 2.0, float(at)))
    weighed = list(ring.weighed())
    assert [(sample.at, weight, sample.throughput, sample.delay) for sample, weight in weighed] == [
        (600.0, 30, 745.0, 890.0),
        (900.0, 30, 1045.0, 1190.0),
        (1200.0, 30, 1345.0, 1490.0),
    ]


def test_what_the_journal_has_in_whole_seconds_falls_into_its_slot() -> None:
    span, first = Span(STEP, 3), 1000.4
    earlier = [(Sample(float(at), float(at), 0, 0, 0), 1) for at in (1000, 1010, 1020, 1031, 990)]
    points = chart(span, first, earlier, lambda at: at)
    assert points["throughput"] == [1000.0, 1010.0, 1020.0]


def test_two_runs_that_share_a_slot_are_weighed() -> None:
    points = chart(Span(300, 1), 0.0, [(Sample(0.0, 10, 0, 0, 1), 10), (Sample(200.0, 40, 0, 0, 2), 20)], lambda at: at)
    assert (points["throughput"], points["delay"]) == ([30.0], [2])


arrivals = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 100)), max_size=60)


@given(arrivals, st.integers(0, 1000))
def test_a_window_sums_what_came_within_its_span_to_one_step(came: list[tuple[int, int]], later: int) -> None:
    window, most = Window(600, 10, 1), Window(600, 10, 1, max)
    for at, value in came:
        window.add(at, value)
        most.add(at, value)
    now = max((at for at, _ in came), default=0) + later
    [total], [largest] = window.over(now), most.over(now)
    certain = [value for at, value in came if at > now - 600]
    possible = [value for at, value in came if at > now - 610]
    assert sum(certain) <= total <= sum(possible)
    assert max(certain, default=0) <= largest <= max(possible, default=0)


def test_a_window_keeps_no_more_steps_than_its_span_has() -> None:
    window = Window(600, 10, 2)
    for at in range(100_000):
        window.add(at, 1, 2)
    assert len(window._slots) <= 62
    assert window.over(99_999.0) == [610, 1220], "the step in which the span begins counts whole"
    assert window.over(math.inf) == [0, 0]
