"""How strictly the fields of tus are read, and that nothing a client means is lost."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1, sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.digest import HASHERS
from station.errors import Refused
from station.metadata import DIGEST_BYTES, read_checksum, read_metadata, read_parts

KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=1, max_size=20)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def written(text: str) -> str:
    return b64encode(text.encode()).decode()


def b64(content: bytes) -> str:
    return b64encode(content).decode()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("filename ZmlsbQ==", {"filename": "film"}),
        ("filename ZmlsbQ==,is_confidential", {"filename": "film", "is_confidential": ""}),
        ("a YQ==, b Yg== ,\tc Yw==", {"a": "a", "b": "b", "c": "c"}),
        ("flag ,b Yg==", {"flag": "", "b": "b"}),
        ("name TmFtZQ==,Name TkFNRQ==", {"name": "Name", "Name": "NAME"}),
        ("filename 5pel5pysLnR4dA==", {"filename": "日本.txt"}),
        ("filename YQANCmI=", {"filename": "a\0\r\nb"}),  # made safe by `names`, once it is a name
        ("filename //5h", {"filename": "\ufffd\ufffda"}),
        ("x+/=\"';:%- YQ==", {"x+/=\"';:%-": "a"}),
        ("", {}),
        (" \t", {}),
        ("key " + "AAAA" * (2048 - 1), {"key": "\0" * (2048 - 1) * 3}),
    ],
)
def test_metadata_is_read(raw: str, told: dict[str, str]) -> None:
    assert read_metadata(raw) == told


@pytest.mark.parametrize(
    "raw",
    [
        "a YQ==,a Yg==",
        "a,a",
        ",",
        "a YQ==,",
        ",a YQ==",
        "a YQ==,,b Yg==",
        "a YQ",
        "a YQ=",
        "a YQ==YQ==",
        "a Y Q==",
        "a  YQ==",
        "a YQ== b",
        "a\tYQ==",
        "a Y-_Q",
        "a YQ==\r\nX: y",
        "a\r\nb YQ==",
        "a\0 YQ==",
        "é YQ==",
        "a é===",
        "日本 YQ==",
        "\u00a0",
        "keys " + "AAAA" * (2048 - 1),
        "k " * 40_000,
    ],
)
def test_metadata_that_could_be_taken_differently_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        read_metadata(raw)
    assert refused.value.problem.code == "VALIDATION_ERROR"


@given(st.dictionaries(KEYS, TEXTS, max_size=10), st.sampled_from([",", ", ", " ,", ",\t"]))
def test_what_a_client_tells_is_what_is_read(told: dict[str, str], comma: str) -> None:
    assert read_metadata(comma.join(f"{key} {written(text)}" for key, text in told.items())) == told


@given(KEYS, st.binary(max_size=60))
def test_any_bytes_become_a_text(key: str, value: bytes) -> None:
    assert read_metadata(f"{key} {b64(value)}") == {key: value.decode(errors="replace")}


def test_each_digest_that_is_computed_has_its_length() -> None:
    assert {name: len(hasher().digest()) for name, hasher in HASHERS.items()} == DIGEST_BYTES


@pytest.mark.parametrize("algorithm", DIGEST_BYTES)
def test_a_digest_has_the_length_of_its_algorithm(algorithm: str) -> None:
    right = bytes(range(DIGEST_BYTES[algorithm]))
    assert read_checksum(f"{algorithm} {b64(right)}", DIGEST_BYTES) == {algorithm: right}
    for wrong in (b"", right[1:], right + b"\0"):
        with pytest.raises(Refused, match="VALIDATION_ERROR"):
            read_checksum(f"{algorithm} {b64(wrong)}", DIGEST_BYTES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha1",
        "sha1 ",
        " sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0",
        "sha1 2aae6c35c94fcfb415dbe95f408b9ce91ee846ed",
        "sha1=Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=, sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        f"sha256 {b64(sha256(b'a').digest())}",
        f"sha256 {b64(sha1(b'a').digest())}",
        "sha3 AAAA",
    ],
)
def test_a_checksum_that_cannot_be_checked_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_checksum(text, {"sha1": 20})
    assert refused.value.problem.code == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("concat", "parts"),
    [
        ("final;/files/a", ("a",)),
        ("final;/files/b /files/a /files/b", ("b", "a", "b")),
        ("final; /files/a  /files/b ", ("a", "b")),
        ("final;https://station.example:8005/files/a http://192.168.1.5/proxy/files/b", ("a", "b")),
        ("final;a ./b ../files/c files/d/ //host/files/e", ("a", "b", "c", "d", "e")),
        ("final;/files/a?sessionId=x/y /files/b#c/d /files/e/?q", ("a", "b", "e")),
        ("final;/files/a;b", ("a;b",)),
        ("final;/files/%2e%2e%2fa /files/..", ("%2e%2e%2fa", "..")),  # ids that nobody has
    ],
)
def test_parts_are_named_by_the_end_of_their_addresses(concat: str, parts: tuple[str, ...]) -> None:
    assert read_parts(concat) == parts


@pytest.mark.parametrize(
    "concat",
    [
        "",
        "final",
        "final;",
        "final; ",
        "Final;/files/a",
        "partial;/files/a",
        "partial, partial",
        " final;/files/a",
        "final;/",
        "final;/files/a ?b",
        "final;/files/a #",
        "final;/files/é",
        "final;/files/a\t/files/b",
        "final;/files/a\r\nX: y",
        "final;/files/a\0",
    ],
)
def test_a_concatenation_that_names_no_parts_is_refused(concat: str) -> None:
    with pytest.raises(Refused) as refused:
        read_parts(concat)
    assert refused.value.problem.code == "VALIDATION_ERROR"
