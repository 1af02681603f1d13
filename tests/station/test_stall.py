"""When a request body counts as stalled: by silence, and by the least rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.stall import GRACE, WINDOW, BodyPace

IDLE, RATE = 60.0, 1024


def arrive(pace: BodyPace, count: int, now: float, work: float = 0.0) -> None:
    """Bytes come and are dealt with for `work` seconds."""
    pace.arrived(count, now)
    pace.ready(now + work)


@pytest.mark.parametrize(("silence", "stalled"), [(59.9, False), (60.0, True), (1000.0, True)])
def test_a_body_that_never_begins_is_stalled_after_the_idle_time(silence: float, stalled: bool) -> None:
    assert BodyPace(IDLE, 0, 100.0).is_stalled(100.0 + silence) == stalled


def test_silence_counts_from_the_last_byte() -> None:
    pace = BodyPace(IDLE, 0, 0.0)
    arrive(pace, 1, 59.0)
    assert not pace.is_stalled(118.0)
    assert pace.is_stalled(119.0)


def test_looking_often_changes_nothing() -> None:
    pace = BodyPace(IDLE, 0, 0.0)
    looks = [pace.is_stalled(float(now)) for now in range(61)]
    assert looks == [False] * 60 + [True]


def test_the_stations_own_work_is_not_the_clients_silence() -> None:
    pace = BodyPace(IDLE, RATE, 0.0)
    pace.arrived(100_000, 1.0)
    assert not pace.is_stalled(500.0)  # the disk is slow
    pace.ready(500.0)
    assert not pace.is_stalled(559.0)
    assert pace.is_stalled(560.0)


def test_a_standstill_of_the_station_is_forgiven() -> None:
    pace = BodyPace(IDLE, 0, 0.0)
    pace.forgive(300.0)
    assert not pace.is_stalled(300.0 + 59.9)
    assert pace.is_stalled(300.0 + 60.0)


def test_a_standstill_while_the_station_works_is_not_counted_twice() -> None:
    pace = BodyPace(IDLE, 0, 0.0)
    pace.arrived(1, 1.0)
    pace.forgive(300.0)
    pace.ready(301.0)
    assert pace.is_stalled(361.0)


def test_a_body_slower_than_the_least_rate_is_stalled_once_it_had_time() -> None:
    pace = BodyPace(IDLE, RATE, 0.0)
    stalled_at = None
    for now in range(1, 200):
        arrive(pace, RATE // 2, float(now))
        if stalled_at is None and pace.is_stalled(float(now)):
            stalled_at = now
    assert stalled_at == GRACE + WINDOW


def test_a_body_a_little_faster_than_the_least_rate_goes_on() -> None:
    pace = BodyPace(IDLE, RATE, 0.0)
    for now in range(1, 400):
        arrive(pace, RATE + 100, float(now))
        assert not pace.is_stalled(float(now))


def test_fast_bytes_long_ago_are_no_excuse() -> None:
    pace = BodyPace(0, RATE, 0.0)
    arrive(pace, 10**9, 1.0)
    assert not pace.is_stalled(GRACE + WINDOW - 0.1)
    assert pace.is_stalled(GRACE + WINDOW)


def test_nought_switches_either_rule_off() -> None:
    assert not BodyPace(0, 0, 0.0).is_stalled(1e6)
    assert BodyPace(0, RATE, 0.0).is_stalled(1e6)
    assert BodyPace(IDLE, 0, 0.0).is_stalled(1e6)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(RATE * 12, 10**7), st.floats(0, 100)), max_size=60))
def test_a_client_that_sends_enough_is_never_blamed_however_slow_the_disk(
    steps: list[tuple[float, int, float]],
) -> None:
    now, pace = 0.0, BodyPace(IDLE, RATE, 0.0)
    for gap, count, work in steps:
        now += gap
        assert not pace.is_stalled(now)
        arrive(pace, count, now, work)
        now += work
        assert not pace.is_stalled(now)
