"""Bodies as browsers, curl, libraries and attackers send them, in every division into chunks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPFile, parse_multipart_form_data

from station.multipart import (
    Decoder,
    Event,
    FieldRead,
    MultipartProblem,
    PartData,
    PartFinished,
    PartStarted,
)

B = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
TYPE = f"multipart/form-data; boundary={B}"
LINE = f"--{B}\r\n".encode()
CLOSE = f"--{B}--\r\n".encode()
FIELD = 'Content-Disposition: form-data; name="sessionId"'
FILE = 'Content-Disposition: form-data; name="files"; filename="a.txt"'


def part(headers: str | bytes, data: bytes) -> bytes:
    block = headers if isinstance(headers, bytes) else headers.encode()
    return LINE + block + b"\r\n\r\n" + data + b"\r\n"


def file_events(data: bytes, filename: str = "a.txt", kind: str | None = None, size: int | None = None) -> list[Event]:
    start = PartStarted("files", filename, kind, size)
    return [start, *([PartData(data)] if data else []), PartFinished()]


def decode(chunks: Iterable[bytes], decoder: Decoder | None = None) -> tuple[list[Event], str]:
    """All events with the data of each file joined, and the reason of the problem or an empty string."""
    decoder = decoder or Decoder(TYPE, max_parts=20)
    events: list[Event] = []
    try:
        for chunk in chunks:
            for event in decoder.feed(chunk):
                if isinstance(event, PartData) and isinstance(events[-1], PartData):
                    event = PartData(events.pop().data + event.data)  # type: ignore[union-attr]
                events.append(event)
        decoder.finish()
    except MultipartProblem as problem:
        return events, problem.reason
    return events, ""


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def divisions(body: bytes) -> Iterator[list[bytes]]:
    """Every division in two, and those into pieces of 1, 7 and 64 Ki bytes."""
    yield from ([body[:at], body[at:]] for at in range(len(body) + 1))
    yield from (list(cut(body, size)) for size in (1, 7, 65536))


BACK_AND_FORTH = f"\r\n--{B[:-1]}\r\n--{B}x\r\n\r\r\n--{B}-\r\n\r\n--\r\n--{B}-x--{B}--\r\n-\r".encode()

VALID: dict[str, tuple[bytes, list[Event]]] = {
    "an empty form": (CLOSE, []),
    "one field": (part(FIELD, b"abc") + CLOSE, [FieldRead("sessionId", "abc")]),
    "one empty field": (part(FIELD, b"") + CLOSE, [FieldRead("sessionId", "")]),
    "one file": (part(FILE, b"hello") + CLOSE, file_events(b"hello")),
    "an empty file": (part(FILE, b"") + CLOSE, file_events(b"")),
    "no last line break": (part(FILE, b"hello") + CLOSE[:-2], file_events(b"hello")),
    "half a last line break": (part(FILE, b"hello") + CLOSE[:-1], file_events(b"hello")),
    "a line break first": (b"\r\n" + part(FILE, b"hello") + CLOSE, file_events(b"hello")),
    "an epilogue": (part(FILE, b"hello") + CLOSE + LINE + b"more\r\n" + CLOSE, file_events(b"hello")),
    "an empty input": (part(FILE.replace("a.txt", ""), b"") + CLOSE, []),
    "a file without a name": (part(FILE.replace("a.txt", ""), b"x") + CLOSE, file_events(b"x", "")),
    "field, file, empty input, file, field": (
        part(FIELD, b"1")
        + part(FILE + "\r\nContent-Type: text/plain", b"\r\n")
        + part(FILE.replace("a.txt", "") + "\r\nContent-Type: application/octet-stream", b"")
        + part(FILE, b"--")
        + part(FIELD, "日".encode())
        + CLOSE,
        [
            FieldRead("sessionId", "1"),
            *file_events(b"\r\n", kind="text/plain"),
            *file_events(b"--"),
            FieldRead("sessionId", "日"),
        ],
    ),
    "data like delimiters": (part(FILE, BACK_AND_FORTH) + CLOSE, file_events(BACK_AND_FORTH)),
    "a first byte like a delimiter's": (
        part(FILE, b"\r") + part(FILE, b"\n--") + CLOSE,
        [*file_events(b"\r"), *file_events(b"\n--")],
    ),
    "a whole body within a file": (
        part(FILE, (part(FILE, b"x") + CLOSE).replace(b"----WebKit", b"----webkit")) + CLOSE,
        file_events((part(FILE, b"x") + CLOSE).replace(b"----WebKit", b"----webkit")),
    ),
    "data over a kilobyte": (part(FILE, b"\r\n-" * 500) + CLOSE, file_events(b"\r\n-" * 500)),
    "a declared length": (part(FILE + "\r\nContent-Length: 5", b"hello") + CLOSE, file_events(b"hello", size=5)),
    "a length that is none": (part(FILE + "\r\nContent-Length: -5", b"hello") + CLOSE, file_events(b"hello")),
    "a type for the first file only": (
        part(FILE + "\r\nContent-Type: image/png", b"1") + part(FILE, b"2") + CLOSE,
        [*file_events(b"1", kind="image/png"), *file_events(b"2")],
    ),
    "a name from a browser": (
        part(FILE.replace("a.txt", "C:\\d\\%22a%22%0D%0A%2e.txt"), b"1") + CLOSE,
        file_events(b"1", 'C:\\d\\"a"\r\n%2e.txt'),
    ),
    "a name from an old curl": (
        part(FILE.replace("a.txt", 'a\\"b\\".txt'), b"1") + CLOSE,
        file_events(b"1", 'a"b".txt'),
    ),
    "a name that ends with a backslash": (part(FILE.replace("a.txt", "a\\"), b"1") + CLOSE, file_events(b"1", "a\\")),
    "a name without quotes": (
        part("content-disposition:form-data;name=files ;\tFILENAME=a.txt; x=y", b"1") + CLOSE,
        file_events(b"1"),
    ),
    "two kinds of name": (
        part(FILE.replace("a.txt", "日本.txt") + "; filename*=utf-8''..%2F..%2Fetc%2Fpasswd", b"1") + CLOSE,
        file_events(b"1", "日本.txt"),
    ),
    "a binary encoding": (
        part(FILE + "\r\nContent-Transfer-Encoding: binary", b"\0\xff") + CLOSE,
        file_events(b"\0\xff"),
    ),
    "headers that nobody knows": (part("X-A: 1\r\nX-A: 2\r\n" + FILE + "\r\nX-B:", b"1") + CLOSE, file_events(b"1")),
    "the most headers": (part(FILE + "\r\nX-A: b" * 15, b"1") + CLOSE, file_events(b"1")),
}

INVALID: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "ends before"),
    "a preamble": (b"preamble\r\n" + part(FILE, b"1") + CLOSE, "does not begin"),
    "a longer boundary first": (LINE[:-2] + b"x\r\n", "does not begin"),
    "two line breaks first": (b"\r\n\r\n" + part(FILE, b"1") + CLOSE, "does not begin"),
    "a first boundary with padding": (LINE[:-2] + b" \r\n", "follows a boundary"),
    "lines that end with LF": (part(FILE, b"1").replace(b"\r\n", b"\n") + CLOSE, "follows a boundary"),
    "a later boundary with padding": (part(FILE, b"1") + LINE[:-2] + b"\t\r\n" + CLOSE, "follows a boundary"),
    "a later boundary and LF": (part(FILE, b"1") + LINE[:-2] + b"\n" + CLOSE, "follows a boundary"),
    "a later boundary and CR": (part(FILE, b"1") + LINE[:-2] + b"\rx" + CLOSE, "follows a boundary"),
    "a later boundary and NUL": (part(FILE, b"1") + LINE[:-2] + b"\0" + CLOSE, "follows a boundary"),
    "junk after the closing boundary": (part(FILE, b"1") + CLOSE[:-2] + b"junk", "follows the closing boundary"),
    "LF after the closing boundary": (part(FILE, b"1") + CLOSE[:-2] + b"\n", "follows the closing boundary"),
    "CR and junk after the closing boundary": (part(FILE, b"1") + CLOSE[:-2] + b"\r.", "follows the closing boundary"),
    "an endless epilogue": (part(FILE, b"1") + CLOSE + b"x" * 4097, "More than 4096 bytes follow"),
    "no headers": (LINE + b"\r\nhello\r\n" + CLOSE, "Name: value"),
    "no disposition": (part("Content-Type: a/b", b"1") + CLOSE, "no Content-Disposition"),
    "another disposition": (part(FILE.replace("form-data", "attachment"), b"1") + CLOSE, "no Content-Disposition"),
    "two dispositions": (part(FILE + "\r\n" + FIELD, b"1") + CLOSE, "two headers content-disposition"),
    "two types": (part(FILE + "\r\nContent-Type: a/b" * 2, b"1") + CLOSE, "two headers content-type"),
    "two lengths": (part(FILE + "\r\nContent-Length: 1" * 2, b"1") + CLOSE, "two headers content-length"),
    "two names": (part(FILE + "; name=b", b"1") + CLOSE, "two parameters name"),
    "two file names": (part(FILE + "; FileName=b", b"1") + CLOSE, "two parameters filename"),
    "no name": (part("Content-Disposition: form-data", b"1") + CLOSE, "no name"),
    "an empty name": (part('Content-Disposition: form-data; name=""', b"1") + CLOSE, "no name"),
    "only the extended file name": (part(FIELD + "; filename*=utf-8''a", b"1") + CLOSE, "filename*"),
    "a quote that stays open": (part(FIELD[:-1], b"1") + CLOSE, "cannot be read"),
    "words between parameters": (part(FILE + " and; a=b", b"1") + CLOSE, "cannot be read"),
    "a folded header": (part(FILE + "\r\n ; a=b", b"1") + CLOSE, "Name: value"),
    "a header after a space": (part(" " + FILE, b"1") + CLOSE, "Name: value"),
    "a space before the colon": (part(FILE.replace(":", " :"), b"1") + CLOSE, "Name: value"),
    "a header without a colon": (part(FILE + "\r\nhello", b"1") + CLOSE, "Name: value"),
    "a header name that is not ASCII": (part(FILE + "\r\nÄ: b", b"1") + CLOSE, "Name: value"),
    "a bare LF": (part(FILE + "\nX: y", b"1") + CLOSE, "bare CR, LF or NUL"),
    "a bare CR": (part(FILE.replace("a.txt", "a\r.txt"), b"1") + CLOSE, "bare CR, LF or NUL"),
    "a NUL": (part(FILE.replace("a.txt", "a\0.txt"), b"1") + CLOSE, "bare CR, LF or NUL"),
    "a name in latin-1": (part(FILE.replace("a.txt", "é").encode("latin-1"), b"1") + CLOSE, "valid UTF-8"),
    "a surrogate": (part(FILE.encode().replace(b"a.txt", b"\xed\xa0\x80"), b"1") + CLOSE, "valid UTF-8"),
    "a field that is not UTF-8": (part(FIELD, b"\xff") + CLOSE, "valid UTF-8"),
    "base64": (part(FILE + "\r\nContent-Transfer-Encoding: base64", b"MQ==") + CLOSE, "Content-Transfer-Encoding"),
    "17 headers": (part(FILE + "\r\nX-A: b" * 16, b"1") + CLOSE, "more than 16 header lines"),
}


@pytest.mark.parametrize("case", VALID)
def test_a_valid_body_tells_the_same_however_it_comes(case: str) -> None:
    body, expected = VALID[case]
    for chunks in divisions(body):
        assert decode(chunks) == (expected, "")


@pytest.mark.parametrize("case", INVALID)
def test_an_invalid_body_is_the_same_problem_however_it_comes(case: str) -> None:
    body, reason = INVALID[case]
    whole = [event for event in decode([body])[0] if not isinstance(event, PartData)]
    for chunks in divisions(body):
        events, problem = decode(chunks)
        assert reason in problem
        assert [event for event in events if not isinstance(event, PartData)] == whole


@pytest.mark.parametrize("case", VALID)
def test_a_truncated_body_is_a_problem(case: str) -> None:
    body, expected = VALID[case]
    cuts = [decode([body[:end]]) for end in range(len(body) + 1)]
    closed = next(end for end, (_, problem) in enumerate(cuts) if not problem)
    assert body[:closed].endswith(CLOSE[:-2])
    assert cuts[closed] == (expected, "")
    assert {problem for _, problem in cuts[:closed]} == {"The body ends before its closing boundary."}
    assert {problem for _, problem in cuts[closed:]} == {""}


def test_a_part_is_not_finished_until_its_delimiter_is_whole() -> None:
    body = part(FILE, b"hello") + CLOSE
    for end in range(len(body) - 3):
        assert PartFinished() not in decode([body[:end]])[0]


def test_after_a_problem_every_call_raises_the_same() -> None:
    decoder = Decoder(TYPE, max_parts=1)
    reasons = []
    for chunk in (b"preamble", b"", part(FILE, b"1") + CLOSE):
        with pytest.raises(MultipartProblem) as caught:
            list(decoder.feed(chunk))
        reasons.append(caught.value.reason)
    with pytest.raises(MultipartProblem) as caught:
        decoder.finish()
    assert {*reasons, caught.value.reason, str(caught.value)} == {"The body does not begin with its boundary."}


def test_events_before_a_problem_are_told() -> None:
    events, problem = decode([part(FIELD, b"1") + part(FILE, b"2") + part("", b"3")])
    assert events == [FieldRead("sessionId", "1"), *file_events(b"2")]
    assert "Name: value" in problem


def test_parts_are_found_only_as_they_are_asked_for() -> None:
    decoder = Decoder(TYPE, max_parts=5)
    events = decoder.feed(part(FILE, b"1") * 3 + b"rubbish")
    assert [next(events), next(events), next(events)] == file_events(b"1")
    first = decoder.position
    assert next(events) == PartStarted("files", "a.txt", None, None)
    assert decoder.position == first + len(part(FILE, b"1"))


@pytest.mark.parametrize("size", [1, 7, 1000, 65536])
@pytest.mark.parametrize("before", [b"", part(FIELD, b"1"), part(FILE, b"x" * 5000) + part(FIELD, b"2")])
def test_the_size_of_the_last_file_follows_from_the_content_length(size: int, before: bytes) -> None:
    body = before + part(FILE, b"y" * 1234) + CLOSE
    decoder = Decoder(TYPE, max_parts=5)
    sizes = [
        len(body) - decoder.position - decoder.closing_length
        for chunk in cut(body, size)
        for event in decoder.feed(chunk)
        if isinstance(event, PartStarted)
    ]
    assert sizes[-1] == 1234


def test_the_closing_length_counts_the_line_breaks_around_the_closing_boundary() -> None:
    assert Decoder("multipart/form-data; boundary=abcd", max_parts=1).closing_length == len(b"\r\n--abcd--\r\n")


def test_one_part_too_many_is_a_problem() -> None:
    body = part(FIELD, b"1") + part(FILE, b"2")
    assert decode([body + CLOSE], Decoder(TYPE, max_parts=2))[1] == ""
    events, problem = decode([body + part(FILE, b"3") + CLOSE], Decoder(TYPE, max_parts=2))
    assert problem == "The body has more than 2 parts."
    assert events == [FieldRead("sessionId", "1"), *file_events(b"2")]


@pytest.mark.parametrize("size", [1, 7, 65536])
def test_a_field_has_a_longest_length(size: int) -> None:
    for length, reason in ((100, ""), (101, "A field is longer than 100 bytes.")):
        body = part(FIELD, b"x" * length) + CLOSE
        assert decode(cut(body, size), Decoder(TYPE, max_parts=1, max_field=100))[1] == reason


@pytest.mark.parametrize("size", [1, 7, 65536])
def test_a_header_block_has_a_longest_length(size: int) -> None:
    room = 8192 - len(FILE) - len("\r\nX: ")
    for length, reason in ((room, ""), (room + 1, "The headers of a part are longer than 8192 bytes.")):
        body = part(f"{FILE}\r\nX: {'x' * length}", b"1") + CLOSE
        assert decode(cut(body, size)) == ([] if reason else file_events(b"1"), reason)


def endless(first: bytes, more: bytes) -> Iterator[bytes]:
    yield first
    while True:
        yield more


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (b"", b"preamble"),
        (LINE, b"x" * 65536),
        (LINE, b"X-A: b\r\n" * 1000),
        (LINE, b"X-A: b\n" * 1000),
        (part(FIELD, b"")[:-2], b"x" * 65536),
        (part(FIELD, b"")[:-2], b"\r\n--"),
        (CLOSE, b"\r\n" * 100),
        (b"", LINE + FILE.encode() + b"\r\n\r\n\r\n"),
    ],
)
def test_what_never_ends_is_a_problem_before_it_is_kept(first: bytes, more: bytes) -> None:
    assert decode(endless(first, more))[1]


@pytest.mark.parametrize("piece", [b"\r", b"\r\n", b"\r\n--", f"\r\n--{B[:-1]}".encode(), f"\r\n--{B}x".encode()])
@pytest.mark.parametrize("size", [4099, 65536])
def test_data_made_of_beginnings_comes_through_and_nothing_piles_up(piece: bytes, size: int) -> None:
    decoder = Decoder(TYPE, max_parts=1)
    data = piece * (1_000_000 // len(piece))
    list(decoder.feed(part(FILE, b"")[:-2]))
    received, fed = 0, 0
    for chunk in cut(data, size):
        fed += len(chunk)
        received += sum(len(event.data) for event in decoder.feed(chunk) if isinstance(event, PartData))
        assert fed - received < 2048
    rest = list(decoder.feed(b"\r\n" + CLOSE))
    decoder.finish()
    assert received + sum(len(event.data) for event in rest if isinstance(event, PartData)) == len(data)
    assert rest[-1] == PartFinished()


@pytest.mark.parametrize("size", [1023, 4096, 65536, 262144])
def test_a_large_file_comes_through_to_the_byte(size: int) -> None:
    data = os.urandom(700_001)
    assert decode(cut(part(FILE, data) + CLOSE, size)) == (file_events(data), "")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "not multipart/form-data"),
        ("text/plain; boundary=abcdef", "not multipart/form-data"),
        ("multipart/mixed; boundary=abcdef", "not multipart/form-data"),
        ("multipart/form-data", "names no boundary"),
        ("multipart/form-data; charset=utf-8", "names no boundary"),
        ("multipart/form-data; boundary=", "cannot be read"),
        ('multipart/form-data; boundary=""', "4 to 70"),
        ("multipart/form-data; boundary=abc", "4 to 70"),
        (f"multipart/form-data; boundary={'a' * 71}", "4 to 70"),
        ("multipart/form-data; boundary=ab\\cd", "4 to 70"),
        ("multipart/form-data; boundary=äöüß", "4 to 70"),
        ('multipart/form-data; boundary="abcd "', "4 to 70"),
        ('multipart/form-data; boundary="ab\r\ncd"', "4 to 70"),
        ("multipart/form-data; boundary=abcdef; boundary=abcdef", "two parameters boundary"),
        ("multipart/form-data; boundary=abcd, multipart/form-data; boundary=abcd", "cannot be read"),
        ('multipart/form-data; boundary="' + "\\" * 100_000, "cannot be read"),
        ("multipart/form-data; boundary=" + " " * 100_000, "cannot be read"),
    ],
)
def test_a_bad_boundary_is_a_problem_at_once(header: str, reason: str) -> None:
    with pytest.raises(MultipartProblem) as caught:
        Decoder(header, max_parts=1)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/form-data; boundary=AaB03x", "AaB03x"),
        ('Multipart/Form-Data ;charset=utf-8; BOUNDARY="AaB03x";', "AaB03x"),
        ("multipart/form-data;boundary=a(b)+_,-./:=?'", "a(b)+_,-./:=?'"),
        ('multipart/form-data; boundary="gc0p Jq0M:08jU534c0p"', "gc0p Jq0M:08jU534c0p"),
        (f"multipart/form-data; boundary={'a' * 70}", "a" * 70),
    ],
)
def test_every_good_boundary_works(header: str, boundary: str) -> None:
    body = (part(FILE, BACK_AND_FORTH) + CLOSE).replace(B.encode(), boundary.encode())
    data = BACK_AND_FORTH.replace(B.encode(), boundary.encode())
    for size in (1, 7, 65536):
        assert decode(cut(body, size), Decoder(header, max_parts=1)) == (file_events(data), "")


NAMES = st.text(
    st.characters(exclude_characters='"\\%\r\n\0', exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20
)
DATA = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"\r\n", B.encode(), b"x", bytes(40)]), max_size=40)
    .map(b"".join)
    # Tornado splits at a boundary even in the middle of a line.
    .filter(lambda data: f"--{B}".encode() not in data),
)
PARTS = st.lists(st.tuples(NAMES, NAMES | st.none(), DATA), max_size=5)


@given(PARTS, st.lists(st.integers(0, 2500), max_size=6))
def test_a_valid_body_means_what_tornado_takes_it_for(
    parts: list[tuple[str, str | None, bytes]], cuts: list[int]
) -> None:
    parts = [(name, filename, data if filename else data.hex().encode()) for name, filename, data in parts]
    body = b"".join(
        part(f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{filename}"' if filename else ""), data)
        for name, filename, data in parts
    )
    body += CLOSE
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    parse_multipart_form_data(B.encode(), body, arguments, files)

    ends = sorted({0, len(body), *(at for at in cuts if at < len(body))})
    events, problem = decode(body[start:end] for start, end in pairwise(ends))
    assert problem == ""
    assert [(name, [file.body for file in found]) for name, found in files.items()] == grouped(
        (event.name, following.data if isinstance(following, PartData) else b"")
        for event, following in pairwise(events)
        if isinstance(event, PartStarted)
    )
    assert [file.filename for found in files.values() for file in found] == [
        event.filename for name in files for event in events if isinstance(event, PartStarted) and event.name == name
    ]
    assert list(arguments.items()) == grouped(
        (event.name, event.value.encode()) for event in events if isinstance(event, FieldRead)
    )


def grouped(pairs: Iterable[tuple[str, bytes]]) -> list[tuple[str, list[bytes]]]:
    found: dict[str, list[bytes]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return list(found.items())


@given(
    st.lists(
        st.sampled_from([LINE, CLOSE, b"\r\n", b"--", b"x", FILE.encode(), FIELD.encode(), b"\r\n\r\n", b"\0"])
    ).map(b"".join)
)
def test_any_body_ends_in_events_or_one_problem(body: bytes) -> None:
    events, problem = decode([body])
    for size in (1, 7):
        again, same_problem = decode(cut(body, size))
        assert same_problem == problem
        assert [event for event in again if not isinstance(event, PartData)] == [
            event for event in events if not isinstance(event, PartData)
        ]
    assert events.count(PartFinished()) <= sum(isinstance(event, PartStarted) for event in events)
