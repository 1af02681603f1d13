"""What counts as a flood, what is said of it, and that nobody else's lines are lost to it."""

from __future__ import annotations

import logging
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from station.flood import ALL, FEW, WINDOW, Flood

ENDLESS = float("inf")


def line(words: str = "refused", *, name: str = "access", level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord(name, level, "", 0, words, (), None)
    vars(made).update(extra)
    return made


def pour(flood: Flood, made: logging.LogRecord, count: int, now: float = 0.0) -> int:
    """How many of so many are admitted."""
    return sum(flood.admits(made, now) for _ in range(count))


def test_of_a_kind_a_few_lines_a_minute_are_written_and_the_rest_is_counted() -> None:
    flood = Flood()
    assert pour(flood, line(), 20_000) == FEW
    assert flood.holds
    assert flood.ended(WINDOW - 1) == []
    (more,) = flood.ended(WINDOW)
    assert more.getMessage() == f"… and {20_000 - FEW:,} more like this: refused"
    assert vars(more)["fields"]["more"] == 20_000 - FEW
    assert flood.ended(WINDOW) == []
    assert pour(flood, line(), 5, WINDOW) == 5


def test_another_kind_is_not_lost_to_it() -> None:
    flood = Flood()
    pour(flood, line(), 1000)
    assert flood.admits(line("stored"), 0)
    assert flood.admits(line(level=logging.ERROR), 0)
    assert flood.admits(line(name="uploads"), 0)
    assert flood.admits(line(kind="another"), 0)


def test_all_kinds_together_are_bounded_but_errors_and_what_has_a_measure_of_its_own_are_not_lost_to_them() -> None:
    flood = Flood()
    written = sum(pour(flood, line(kind=f"kind {n}"), FEW) for n in range(100))
    assert written == ALL
    assert flood.admits(line("a fault", level=logging.ERROR), 0)
    assert pour(flood, line(kind="completed", many=600), 1000) == 600


def test_a_minute_that_was_quiet_begins_anew_without_a_word() -> None:
    flood = Flood()
    for minute in range(5):
        assert pour(flood, line(), FEW, minute * WINDOW) == FEW
    assert flood.ended(ENDLESS) == []


def test_what_differs_each_time_does_not_make_a_kind_in_a_librarys_text() -> None:
    flood = Flood()
    written = sum(flood.admits(line(f"Task <Task 0x{n:x} id={n}> failed\nline {n}"), 0) for n in range(1000))
    assert written == FEW


def test_faults_of_different_kinds_are_told_apart() -> None:
    flood = Flood()
    pour(flood, line(level=logging.ERROR, exc_info=(ValueError, ValueError("x"), None)), 100)
    assert flood.admits(line(level=logging.ERROR, exc_info=(KeyError, KeyError("x"), None)), 0)


def test_so_many_kinds_that_memory_is_needed_for_them_are_a_flood_themselves() -> None:
    flood = Flood()
    for n in range(5000):
        flood.admits(line(kind=f"kind {n}", level=logging.ERROR), 0)
    assert sum(flood.admits(line(kind=f"late {n}", level=logging.ERROR), 1) for n in range(100)) == 0
    told = sum(vars(more)["fields"]["more"] for more in flood.ended(ENDLESS))
    assert told > 3900
    assert flood.admits(line(kind="late", level=logging.ERROR), WINDOW + 2)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40), st.sampled_from(["a", "b", "c"])), max_size=60))
def test_every_line_is_either_written_or_counted(steps: list[tuple[int, int, str]]) -> None:
    flood, now, written, poured, told = Flood(), 0.0, 0, 0, 0
    for wait, count, kind in steps:
        now += wait * 13
        told += sum(vars(more)["fields"]["more"] for more in flood.ended(now))
        written += pour(flood, line(kind=kind), count, now)
        poured += count
    told += sum(vars(more)["fields"]["more"] for more in flood.ended(ENDLESS))
    assert written + told == poured
