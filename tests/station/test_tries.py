"""Limited guesses: whoever guesses wrong too often waits, together with the network, and nobody waits for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.tries import BY_ALL, BY_ONE, LEFT_TO_ONE, MOST, WINDOW, Tries, network_of

ADDRESSES = [f"192.168.1.{n}" for n in range(20)] + [f"fd00:{n}::1" for n in range(20)]


def guess(tries: Tries, who: str, now: float, times: int = 1) -> int:
    """Wrong guesses in a row; returns how many were let through."""
    let_through = 0
    for _ in range(times):
        if not tries.wait(who, now):
            tries.failed(who, now)
            let_through += 1
    return let_through


def test_one_address_guesses_ten_times_and_then_waits() -> None:
    tries = Tries()
    assert guess(tries, "10.0.0.1", 0.0, 50) == BY_ONE
    assert tries.wait("10.0.0.1", 0.0) == WINDOW
    assert tries.wait("10.0.0.2", 0.0) == 0


def test_the_wait_ends_when_the_oldest_guess_is_forgotten() -> None:
    tries = Tries()
    for at in range(BY_ONE):
        guess(tries, "10.0.0.1", float(at))
    assert tries.wait("10.0.0.1", 100.0) == WINDOW - 100
    assert tries.wait("10.0.0.1", WINDOW - 0.5) == 0.5
    assert guess(tries, "10.0.0.1", WINDOW, 5) == 1


def crowded() -> Tries:
    """All that one guesser with ten addresses may do has been done."""
    tries = Tries()
    assert sum(guess(tries, f"10.0.0.{n}", 0.0, 50) for n in range(20)) == BY_ALL + 10 * LEFT_TO_ONE
    return tries


def test_who_has_not_guessed_is_not_locked_out_by_who_has() -> None:
    tries = crowded()
    assert tries.wait("10.9.9.9", 1.0) == 0
    assert guess(tries, "10.9.9.9", 1.0, 5) == LEFT_TO_ONE
    assert tries.wait("10.9.9.9", 2.0) == WINDOW - 2, "until the others' are forgotten"
    assert guess(tries, "10.9.9.9", WINDOW, 20) == BY_ONE - LEFT_TO_ONE


def test_who_guessed_at_another_time_waits_for_that_only() -> None:
    tries = Tries()
    guess(tries, "10.9.9.9", 0.0, LEFT_TO_ONE)
    assert sum(guess(tries, f"10.0.0.{n}", 100.0, 10) for n in range(10)) == BY_ALL - LEFT_TO_ONE
    assert tries.wait("10.9.9.9", 200.0) == WINDOW - 200
    assert tries.wait("10.0.0.1", 200.0) == WINDOW - 100


def test_all_the_addresses_of_a_network_do_not_lock_it_out() -> None:
    tries = Tries()
    for n in range(254):
        guess(tries, f"10.0.0.{n}", 0.0, 50)
    assert tries.wait("10.0.1.1", 1.0) == 0


def test_many_addresses_together_are_limited_too() -> None:
    tries = Tries()
    assert sum(guess(tries, f"10.0.{n // 250}.{n % 250}", 0.0) for n in range(2 * MOST)) == MOST
    assert tries.wait("10.9.9.9", 1.0) == WINDOW - 1
    assert tries.wait("10.9.9.9", WINDOW) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2:bbbb::2"),
        ("fe80::1%eth0", "fe80::2%eth1"),
        ("::ffff:192.168.1.5", "192.168.1.5"),
    ],
)
def test_addresses_that_one_host_may_have_count_as_one(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("192.168.1.5", "192.168.1.6"), ("2001:db8:1:2::1", "2001:db8:1:3::1"), ("::1", "0.0.0.0"), ("", "10.0.0.1")],
)
def test_others_do_not(one: str, other: str) -> None:
    assert network_of(one) != network_of(other)


def test_what_is_no_address_is_one_network_of_bounded_length() -> None:
    assert network_of("x" * 1000) == "x" * 64


@given(st.lists(st.tuples(st.sampled_from(ADDRESSES), st.floats(0, 400)), max_size=300))
def test_no_window_of_ten_minutes_ever_has_more_guesses_than_allowed(steps: list[tuple[str, float]]) -> None:
    tries, now, let_through = Tries(), 0.0, list[tuple[float, str]]()
    for who, pause in steps:
        now += pause
        wait = tries.wait(who, now)
        assert 0 <= wait <= WINDOW
        if wait:
            assert tries.wait(who, now + wait) == pytest.approx(0, abs=1e-6)
            continue
        tries.failed(who, now)
        let_through.append((now, network_of(who)))
        recent = [whose for at, whose in let_through if at > now - WINDOW]
        own = recent.count(network_of(who))
        assert own <= BY_ONE
        assert len(recent) <= BY_ALL or own <= LEFT_TO_ONE
