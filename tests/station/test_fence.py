"""Where a body is cut, seen without what the cuts mean to files and fields."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

import pytest

from station.fence import End, Fence
from station.grammar import Head, MultipartProblem

HEAD = b'--abcd\r\nContent-Disposition: form-data; name="f"\r\n\r\n'


def fence() -> Fence:
    return Fence(b"abcd", max_header=100, max_lines=2)


def found(chunks: Iterable[bytes], within: Fence) -> list[Head | bytes | End]:
    """What is found, with adjoining data joined."""
    steps: list[Head | bytes | End] = []
    for step in (step for chunk in chunks for step in within.feed(chunk)):
        before = steps[-1] if steps else None
        if isinstance(step, bytes) and isinstance(before, bytes):
            steps[-1] = before + step
        else:
            steps.append(step)
    return steps


def test_a_body_is_cut_into_heads_data_and_ends() -> None:
    within = fence()
    steps = found([HEAD + b"one\r\n" + HEAD + b"\r\n--abcd--\r\n"], within)
    f = Head("f", None, None, None)
    assert steps == [f, b"one", End(), f, End()]
    assert within.closed


def test_the_position_is_where_the_data_begins() -> None:
    within = fence()
    positions = [within.position for step in within.feed(HEAD + b"one\r\n" + HEAD) if isinstance(step, Head)]
    assert positions == [len(HEAD), len(HEAD) * 2 + len("one\r\n")]


@pytest.mark.parametrize("length", range(6))
def test_every_short_data_of_awkward_bytes_is_kept(length: int) -> None:
    for piece in itertools.product([b"\r", b"\n", b"-", b"a", b"\r\n--abcd"], repeat=length):
        data = b"".join(piece)
        body = HEAD + data + b"\r\n--abcd--"
        if re.search(rb"\r\n--abcd(?:\r|\n|--)", body[: -len(b"--")]):
            continue
        expected = [data, End()] if data else [End()]
        assert found([body], fence())[1:] == expected
        assert found((body[at : at + 1] for at in range(len(body))), fence())[1:] == expected


@pytest.mark.parametrize("after", [b"e", b"-e", b"-\r\n", b"0", b"?", b"-\n"])
def test_a_longer_boundary_is_data(after: bytes) -> None:
    data = b"\r\n--abcd" + after + b"."
    assert found([HEAD + data + b"\r\n--abcd--"], fence())[1:] == [data, End()]


@pytest.mark.parametrize("after", [b" \r\n", b"\t", b"\n", b"\rx", b"\0", b"\xff", b'"'])
def test_what_is_neither_a_delimiter_nor_a_longer_boundary_is_a_problem(after: bytes) -> None:
    with pytest.raises(MultipartProblem, match="follows a boundary"):
        found([HEAD + b"data\r\n--abcd" + after], fence())


def test_data_is_passed_on_without_waiting_for_more_than_a_delimiter() -> None:
    within = fence()
    found([HEAD], within)
    assert found([b"x" * 50 + b"\r\n--abcd"], within) == [b"x" * 50]
    assert found([b"e\r"], within) == [b"\r\n--abcde"]


def test_a_whole_chunk_of_data_is_passed_on_uncopied() -> None:
    within = fence()
    found([HEAD], within)
    chunk = bytes(1000)
    assert next(within.feed(chunk)) is chunk


def test_what_is_not_taken_yet_waits_for_the_next_chunk() -> None:
    within = fence()
    next(within.feed(HEAD + b"one\r\n" + HEAD))
    assert found([b"two\r\n--abcd--"], within)[0] == b"one"
    assert within.closed


def test_an_epilogue_is_let_pass_up_to_its_limit() -> None:
    within = fence()
    assert found([b"--abcd--\r\n", b"x" * 4000, b"x" * 96], within) == []
    with pytest.raises(MultipartProblem, match="More than 4096 bytes"):
        found([b"x"], within)
