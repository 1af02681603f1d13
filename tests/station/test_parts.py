"""Files and fields, as told from a head, some bytes and an end."""

from __future__ import annotations

import pytest

from station.grammar import Head, MultipartProblem
from station.parts import Event, FieldRead, PartData, PartFinished, PartStarted, part_of


def told(head: Head, *pieces: bytes) -> list[Event]:
    part = part_of(head, max_field=10)
    return [*part.begin(), *(event for piece in pieces for event in part.add(piece)), *part.end()]


def test_a_file_is_told_as_it_comes() -> None:
    start = PartStarted("f", "a.txt", "text/plain", 20)
    assert told(Head("f", "a.txt", "text/plain", 20), b"one", b"two" * 9) == [
        start,
        PartData(b"one"),
        PartData(b"two" * 9),
        PartFinished(),
    ]


def test_an_empty_file_with_a_name_is_a_file() -> None:
    assert told(Head("f", "a.txt", None, None)) == [PartStarted("f", "a.txt", None, None), PartFinished()]


def test_an_empty_input_is_no_file() -> None:
    assert told(Head("f", "", "application/octet-stream", None)) == []


def test_a_file_without_a_name_begins_with_its_first_byte() -> None:
    assert told(Head("f", "", None, None), b"x") == [PartStarted("f", "", None, None), PartData(b"x"), PartFinished()]


def test_a_field_is_told_whole() -> None:
    assert told(Head("f", None, None, None), "日".encode()[:1], "日".encode()[1:]) == [FieldRead("f", "日")]
    assert told(Head("f", None, None, None)) == [FieldRead("f", "")]


def test_a_field_over_its_limit_is_a_problem() -> None:
    assert told(Head("f", None, None, None), b"x" * 10) == [FieldRead("f", "x" * 10)]
    with pytest.raises(MultipartProblem, match="longer than 10 bytes"):
        told(Head("f", None, None, None), b"x" * 6, b"x" * 5)


def test_a_field_that_is_not_text_is_a_problem() -> None:
    with pytest.raises(MultipartProblem, match="UTF-8"):
        told(Head("f", None, None, None), b"\xff")
