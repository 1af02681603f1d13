"""Turns of many: nobody is forgotten, and no round costs more than it may."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from station.turns import Turns


def rounds(turns: Turns, costs: Sequence[int], count: int) -> list[list[int]]:
    return [list(turns.of(range(len(costs)), lambda thing: costs[thing])) for _ in range(count)]


def test_where_all_can_be_paid_for_each_is_looked_at_each_time() -> None:
    assert rounds(Turns(9), [2, 0, 3, 4], 3) == [[0, 2, 3]] * 3


def test_where_they_cannot_the_next_round_goes_on() -> None:
    assert rounds(Turns(2), [1] * 5, 4) == [[0, 1], [2, 3], [4, 0], [1, 2]]


def test_one_that_costs_more_than_a_round_is_looked_at_alone() -> None:
    assert rounds(Turns(5), [1, 100, 1], 3) == [[0, 1], [2, 0, 1], [2, 0, 1]]


def test_of_nothing_there_is_nothing() -> None:
    assert rounds(Turns(5), [], 2) == [[], []]


@given(st.lists(st.integers(0, 20), max_size=30), st.integers(1, 50))
def test_none_is_forgotten_none_comes_twice_and_no_round_costs_more(costs: list[int], most: int) -> None:
    told = rounds(Turns(most), costs, len(costs) + 1)
    assert set().union(*told) == {thing for thing, cost in enumerate(costs) if cost}
    for round_ in told:
        assert len(set(round_)) == len(round_)
        assert sum(costs[thing] for thing in round_[:-1]) < most
