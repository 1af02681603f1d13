"""Event to text and back."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.wire import Message, dumps, loads, text_of

texts = st.text(st.characters(exclude_categories=["Cs"]))
leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


@given(values)
def test_what_is_written_reads_back(value: Any) -> None:
    assert loads(dumps(value)) == value
    assert json.loads(dumps(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=0, max_value=1e15))
def test_numbers_read_back_near_enough(value: float) -> None:
    assert math.isclose(json.loads(dumps(value)), value, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_sent(value: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        dumps({"speed": value})


def test_text_is_sent_as_it_is() -> None:
    assert dumps({"a": "照片/é"}) == '{"a":"照片/é"}'


def test_a_tuple_is_sent_as_a_list() -> None:
    assert dumps({"paths": ("a", "b")}) == '{"paths":["a","b"]}'


@pytest.mark.parametrize(
    "text",
    ["", "{", "nonsense", "[1,]", "\x00", "[" * 100_000, "1" * 5000, b"\xff\xfe{}", b'"\xc3"', '{"a":1}}'],
    ids=range(10),
)
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        loads(text)


@given(st.one_of(st.text(), st.binary()))
def test_reading_raises_nothing_else(text: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        loads(text)


def test_a_message_has_a_number_only_if_it_was_given_one() -> None:
    assert json.loads(text_of("error", {"a": 1})) == {"event": "error", "data": {"a": 1}}
    assert json.loads(text_of("upload-started", {}, 7)) == {"event": "upload-started", "data": {}, "seq": 7}
    assert json.loads(text_of("upload-progress", {}, 0))["seq"] == 0


def test_a_message_is_encoded_once() -> None:
    message = Message("照片", "upload-started", 1)
    assert message.encoded == "照片".encode()
    assert message.encoded is message.encoded


def test_each_message_keeps_its_own_frames() -> None:
    one, other = Message("a", "error", 0), Message("a", "error", 0)
    one.frames["ws"] = b"a"
    assert other.frames == {}
    assert one != other
