"""JSON between client and station."""

from __future__ import annotations

import pytest

from client.wire import dumps, loads


def test_what_is_written_is_read_again() -> None:
    value = {"name": "文/é", "size": 2**53, "none": None}
    assert loads(dumps(value)) == value
    assert "\n" not in dumps({"name": "a\nb"}), "one object a line"


@pytest.mark.parametrize("text", ["", "[1]", '"text"', "{", b"\xff", "[" * 100_000, "null"])
def test_anything_else_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        loads(text)
