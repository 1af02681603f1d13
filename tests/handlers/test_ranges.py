"""Ranges of bytes as RFC 9110 reads them, and whatever else clients send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.ranges import Span, wanted

NOTHING = Span(10, 10)


@pytest.mark.parametrize(
    ("field", "span"),
    [
        ("bytes=0-", Span(0, 10)),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=3-5", Span(3, 6)),
        ("bytes=3-99", Span(3, 10)),
        ("BYTES= 3-5 ", Span(3, 6)),
        ("bytes=9-", Span(9, 10)),
        ("bytes=-3", Span(7, 10)),
        ("bytes=-10", Span(0, 10)),
        ("bytes=-99", Span(0, 10)),
        ("bytes=10-", NOTHING),
        ("bytes=10-12", NOTHING),
        ("bytes=99999999999999999999-", NOTHING),
        ("bytes=-0", NOTHING),
        *[
            (field, None)
            for field in (
                "",
                "bytes",
                "bytes=",
                "bytes=-",
                "bytes=5-3",
                "bytes=a-b",
                "bytes=1",
                "bytes=1-2,4-5",
                "bytes=--1",
                "bytes=-1-2",
                "bytes=+1-2",
                "bytes=1 - 2",
                "bytes=0x1-2",
                "bytes=１-２",
                "bytes=1-2\n",
                "lines=1-2",
                "bytes =1-2",
                "bytes=" + "9" * 5000 + "-",
            )
        ],
    ],
)
def test_one_range_is_understood_and_what_is_none_is_the_whole(field: str, span: Span | None) -> None:
    assert wanted(field, 10) == span


def test_an_empty_file_has_no_ranges_but_its_last_bytes_are_the_whole() -> None:
    assert wanted("bytes=0-", 0) == Span(0, 0)
    assert wanted("bytes=-5", 0) is None
    assert wanted("bytes=-0", 0) == Span(0, 0)


@given(st.text() | st.from_regex(r"bytes=[0-9]*-[0-9]*(,[0-9]*-[0-9]*)?"), st.integers(0, 2**50))
def test_whatever_is_sent_a_range_lies_in_the_file(field: str, size: int) -> None:
    span = wanted(field, size)
    if span is not None:
        assert 0 <= span.start <= span.end <= size
        assert field.lower().startswith("bytes=")


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_range_is_what_slicing_gives(first: int, last: int, size: int) -> None:
    whole = range(size)
    for field, part in ((f"bytes={first}-{last}", whole[first : last + 1]), (f"bytes={first}-", whole[first:])):
        span = wanted(field, size)
        if first > last and field.endswith(str(last)):
            assert span is None
        else:
            assert span is not None
            assert whole[span.start : span.end] == part
    tail = wanted(f"bytes=-{last}", size)
    assert tail is not None
    assert whole[tail.start : tail.end] == (whole[-last:] if last else whole[:0])
