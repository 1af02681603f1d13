"""Room on the disk: what is reserved, for how long, and what that leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import Refused
from station.space import ACTIVE, Space


def admitted(space: Space, key: str, size: int | None, free: int, now: float = 0.0) -> bool:
    try:
        space.admit(key, size, free, now)
    except Refused as refused:
        if refused.problem.code != "INSUFFICIENT_STORAGE":
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("size", "free", "fits"),
    [(900, 1000, True), (901, 1000, False), (0, 100, True), (0, 99, False), (None, 100, True), (None, 99, False)],
)
def test_an_upload_may_not_eat_into_what_must_stay_free(size: int | None, free: int, fits: bool) -> None:
    assert admitted(Space(100), "a", size, free) == fits


def test_announced_sizes_count_as_taken() -> None:
    space = Space(0)
    assert admitted(space, "a", 600, 1000)
    assert not admitted(space, "b", 500, 1000)
    assert admitted(space, "b", 400, 1000)
    assert space.reserved(0) == 1000


def test_what_was_turned_away_reserves_nothing() -> None:
    space = Space(0)
    assert not admitted(space, "a", 600, 500)
    assert space.reserved(0) == 0


def test_what_is_written_is_reserved_no_longer() -> None:
    space = Space(0)
    space.admit("a", 600, 1000, 0)
    space.wrote("a", 250, 1)
    assert space.reserved(1) == 350
    space.wrote("a", 500, 1)  # more than announced
    assert space.reserved(1) == 0


def test_a_reservation_counts_for_ten_minutes_after_its_last_byte() -> None:
    space = Space(0)
    space.admit("a", 600, 1000, 0)
    space.wrote("a", 100, 300)
    assert space.reserved(300 + ACTIVE - 0.1) == 500
    assert space.reserved(300 + ACTIVE) == 0
    assert admitted(space, "b", 1000, 1000, 300 + ACTIVE)
    space.wrote("a", 100, 1000)  # it goes on after all
    assert space.reserved(1000) == 1400


def test_ten_minutes_are_what_the_contract_says() -> None:
    assert ACTIVE == 600


def test_a_released_reservation_is_gone_and_unknown_ones_do_no_harm() -> None:
    space = Space(0)
    space.admit("a", 600, 1000, 0)
    space.release("a")
    space.release("a")
    space.wrote("a", 5, 1)
    assert space.reserved(0) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100), st.integers(0, 50))))
def test_nothing_stays_reserved_when_all_is_released(steps: list[tuple[str, int, int]]) -> None:
    space = Space(10)
    for key, size, count in steps:
        before = space.reserved(0)
        if not admitted(space, key, size, 300):
            assert 300 - before - size < 10
            assert space.reserved(0) == before
        space.wrote(key, count, 0)
        assert space.reserved(0) >= 0
    for key in "abc":
        space.release(key)
    assert space.reserved(0) == 0


def test_whoever_is_admitted_again_is_not_in_its_own_way() -> None:
    """As an upload is that was admitted when it was made, and again by each request that goes on with it."""
    space = Space(100)
    space.admit("a", 900, 1000, 0)
    for written in (0, 300):
        space.wrote("a", written, 1)
        assert admitted(space, "a", 900 - written, 1000 - written, 1)
        assert space.reserved(1) == 900 - written
    assert not admitted(space, "b", 1, 700, 1)


def test_a_smaller_wish_replaces_a_larger_one() -> None:
    space = Space(0)
    space.admit("a", 900, 1000, 0)
    space.admit("a", None, 1000, 0)
    assert space.reserved(0) == 0


def test_who_is_turned_away_at_the_second_time_keeps_what_it_reserved_first() -> None:
    space = Space(0)
    space.admit("a", 300, 1000, 0)
    space.admit("b", 600, 1000, 0)
    assert not admitted(space, "a", 401, 1000)
    assert space.reserved(0) == 900
    assert admitted(space, "a", 400, 1000)


def test_what_one_besides_reserves_is_left_out_and_only_that() -> None:
    space = Space(0)
    space.admit("a", 300, 1000, 0)
    space.admit("b", 600, 1000, 0)
    assert [space.reserved(0, besides=key) for key in ("a", "b", "c")] == [600, 300, 900]
    assert space.reserved(ACTIVE, besides="a") == 0
