"""Who is looked at now, of many: each round goes on where the last one stopped, and costs no more than it may. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


class Turns:
    """`most`: what one round may cost; the thing that goes beyond it is still looked at."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._next = 0

    def of(self, things: Sequence[Thing], cost: Callable[[Thing], int]) -> Iterator[Thing]:
        """The next round: none twice, and none that costs nothing. `things` in an order that stays."""
        first, spent = self._next, 0
        for number in range(len(things)):
            at = (first + number) % len(things)
            if spent >= self._most:
                self._next = at
                return
            if (due := cost(things[at])) > 0:
                spent += due
                yield things[at]
