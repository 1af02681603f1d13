"""Header text, as it stands between two line breaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.grammar import Head, MultipartProblem, boundary_of, head_of

DISPOSITION = b'Content-Disposition: form-data; name="f"'


def head(block: bytes) -> Head:
    return head_of(block, max_lines=16)


def test_a_head_says_what_its_headers_say() -> None:
    block = DISPOSITION + b'; filename="a.txt"\r\ncontent-TYPE: text/plain; charset=utf-8 \r\nContent-Length: 12'
    assert head(block) == Head("f", "a.txt", "text/plain; charset=utf-8", 12)
    assert head(DISPOSITION) == Head("f", None, None, None)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b'"a b.txt"', "a b.txt"),
        (b"a.txt", "a.txt"),
        (b'""', ""),
        (b'"a;b=c"', "a;b=c"),
        (b'"%22%0D%0A%0d%2e%25"', '"\r\n%0d%2e%25'),
        (rb'"a\"b"', 'a"b'),
        (rb'"\""', '"'),
        (rb'"C:\dir\a.txt"', r"C:\dir\a.txt"),
        (rb'"a\\b"', r"a\\b"),
        (rb'"a\"', "a\\"),
        (rb'"a\\"', r"a\\"),
        (rb'"a\"; x="b"', "a\\"),
        (rb'"a\"; b.txt"', 'a"; b.txt'),
        (b"=?utf-8?B?YQ==?=", "=?utf-8?B?YQ==?="),
        ('"日本\u202e"'.encode(), "日本\u202e"),
        (b'"a\tb\x01"', "a\tb\x01"),
    ],
)
def test_a_file_name_is_taken_as_it_was_meant(written: bytes, meant: str) -> None:
    assert head(DISPOSITION + b"; filename=" + written).filename == meant


@pytest.mark.parametrize("written", [b'"a', b'a"', b'"a" b', b"a b", b'"a""b"', rb"\"a\"", b"", b" "])
def test_a_parameter_that_can_be_read_in_two_ways_is_a_problem(written: bytes) -> None:
    with pytest.raises(MultipartProblem, match="cannot be read"):
        head(DISPOSITION + b"; filename=" + written)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("0", 0),
        ("12", 12),
        ("+1", None),
        ("-1", None),
        ("1_0", None),
        ("٣", None),
        ("1.0", None),
        ("9" * 19, None),
        ("", None),
    ],
)
def test_only_a_plain_number_is_a_size(value: str, size: int | None) -> None:
    assert head(DISPOSITION + b"\r\nContent-Length: " + value.encode()).size == size


@pytest.mark.parametrize("encoding", ["7bit", "8BIT", "binary", ""])
def test_encodings_that_change_nothing_are_let_pass(encoding: str) -> None:
    assert head(DISPOSITION + f"\r\nContent-Transfer-Encoding: {encoding}".encode()).name == "f"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "gzip"])
def test_encodings_that_change_the_bytes_are_a_problem(encoding: str) -> None:
    with pytest.raises(MultipartProblem, match="Content-Transfer-Encoding"):
        head(DISPOSITION + f"\r\nContent-Transfer-Encoding: {encoding}".encode())


@pytest.mark.parametrize(
    "block",
    [
        DISPOSITION + b'; filename="' + rb"\"" * 4000 + b" x",
        DISPOSITION + b"; filename=" + b" " * 8000 + b"\0",
        DISPOSITION + b";" * 8000 + b"x",
        DISPOSITION + b"; a" * 2600,
        b"a" * 8192,
        b":" * 8192,
        b"\r\n" * 4096,
    ],
)
def test_headers_made_to_be_slow_are_a_problem(block: bytes) -> None:
    with pytest.raises(MultipartProblem):
        head(block)


@given(st.binary(max_size=300))
def test_any_block_gives_a_head_or_a_problem(block: bytes) -> None:
    for whole in (block, DISPOSITION + block, DISPOSITION + b"; filename=" + block):
        try:
            assert head(whole).name
        except MultipartProblem as problem:
            assert problem.reason.endswith(".")  # noqa: PT017 - both ways out are right


@given(st.text(max_size=100))
def test_any_content_type_gives_a_boundary_or_a_problem(text: str) -> None:
    for header in (text, "multipart/form-data; boundary=" + text, f'multipart/form-data; boundary="{text}"'):
        try:
            assert 4 <= len(boundary_of(header)) <= 70
        except MultipartProblem as problem:
            assert problem.reason.endswith(".")  # noqa: PT017 - both ways out are right
