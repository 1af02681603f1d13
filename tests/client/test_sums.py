"""The checksum of a file that passes in pieces, some of them twice, some not at all."""

from __future__ import annotations

import hashlib

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from client.sums import Sum, blake3_of

CONTENT = bytes(range(256)) * 20


def read(offset: int, count: int) -> bytes:
    return CONTENT[offset : offset + count]


@given(st.lists(st.tuples(st.integers(0, len(CONTENT)), st.integers(0, 2000))))
def test_whatever_passes_the_sum_is_that_of_the_file(pieces: list[tuple[int, int]]) -> None:
    total = Sum("blake3", read)
    for offset, count in pieces:
        total.passed(offset, read(offset, count))
    assert total.digest(len(CONTENT)) == blake3(CONTENT).hexdigest()


def test_what_passed_in_order_is_not_read_again() -> None:
    def never(offset: int, count: int) -> bytes:
        raise AssertionError((offset, count))

    total = Sum("sha256", never)
    total.passed(0, CONTENT[:100])
    total.passed(50, CONTENT[50:])
    assert total.digest(len(CONTENT)) == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("algorithm", ["none", "", "md6"])
def test_an_unknown_algorithm_compares_nothing(algorithm: str) -> None:
    total = Sum(algorithm, read)
    total.passed(0, CONTENT)
    assert total.digest(len(CONTENT)) is None


def test_a_piece_has_a_sum_of_its_own() -> None:
    assert blake3_of(b"abc") == blake3(b"abc").digest()
