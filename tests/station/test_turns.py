"""Turns of many: nobody is forgotten, and where something happens nobody waits."""

from __future__ import annotations

import pytest

from station import turns
from station.turns import MANY, TURNS, Turns


def quiet(thing: int) -> bool:
    return False


def test_of_few_all_are_looked_at_each_time() -> None:
    rounds = Turns()
    for _ in range(2 * TURNS):
        assert list(rounds.of(range(MANY), quiet)) == list(range(MANY))


def test_of_many_each_has_its_turn_and_the_busy_ones_have_all() -> None:
    rounds, things = Turns(), range(MANY + 1)
    seen = [list(rounds.of(things, lambda thing: thing == 6)) for _ in range(TURNS)]
    assert sorted(set().union(*seen)) == list(things)
    assert [round_.count(6) for round_ in seen] == [1] * TURNS
    assert max(len(round_) for round_ in seen) <= len(things) // TURNS + 2


def test_the_rounds_go_on_from_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MANY", 0)
    rounds = Turns()
    assert [list(rounds.of(range(8), quiet)) for _ in range(TURNS + 1)] == [[1, 5], [2, 6], [3, 7], [0, 4], [1, 5]]
