"""Digests of bytes that pass, several at once, compared with those of the whole."""

from __future__ import annotations

import hashlib
import zlib

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from station.digest import ALGORITHMS, HASHERS, Digests, storage_digests

EVERY = tuple(HASHERS)
blocks = st.lists(st.binary(max_size=200), max_size=8)


def of(data: bytes) -> dict[str, bytes]:
    """What each digest of these bytes is, by the libraries' one-shot functions."""
    return {
        "sha1": hashlib.sha1(data).digest(),
        "sha256": hashlib.sha256(data).digest(),
        "sha512": hashlib.sha512(data).digest(),
        "md5": hashlib.md5(data).digest(),
        "crc32": zlib.crc32(data).to_bytes(4, "big"),
        "blake3": blake3(data).digest(),
    }


@given(blocks, st.sets(st.sampled_from(EVERY)))
def test_digests_of_blocks_are_those_of_the_whole(pieces: list[bytes], algorithms: set[str]) -> None:
    digests = Digests(algorithms)
    for piece in pieces:
        digests.update(piece)
    whole = of(b"".join(pieces))
    assert digests.values() == {name: whole[name] for name in algorithms}


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_is_taken(kind: type[bytes]) -> None:
    digests = Digests(EVERY)
    digests.update(kind(b"hello"))
    assert digests.values() == of(b"hello")


def test_crc32_is_big_endian_and_of_the_first_bytes_too() -> None:
    digests = Digests(["crc32"])
    assert digests.values() == {"crc32": bytes(4)}
    digests.update(b"123456789")
    assert digests.values() == {"crc32": bytes.fromhex("cbf43926")}


@given(blocks, blocks, blocks)
def test_a_copy_goes_on_by_itself(before: list[bytes], ours: list[bytes], theirs: list[bytes]) -> None:
    digests = Digests(EVERY)
    for piece in before:
        digests.update(piece)
    other = digests.copy()
    for piece in ours:
        digests.update(piece)
    for piece in theirs:
        other.update(piece)
    assert digests.values() == of(b"".join(before + ours))
    assert other.values() == of(b"".join(before + theirs))


def test_telling_the_values_does_not_end_them() -> None:
    digests = Digests(EVERY)
    digests.update(b"hel")
    assert digests.values() == digests.values() == of(b"hel")
    digests.update(b"lo")
    assert digests.values() == of(b"hello")


def test_all_that_were_promised_have_to_agree() -> None:
    digests = Digests(["sha1", "md5"])
    digests.update(b"hello")
    right = of(b"hello")
    assert digests.agree({})
    assert digests.agree({"sha1": right["sha1"]})
    assert digests.agree({"sha1": right["sha1"], "md5": right["md5"]})
    assert not digests.agree({"sha1": right["sha1"], "md5": bytes(16)})
    assert not digests.agree({"sha1": right["sha1"][:-1]})
    assert not digests.agree({"sha1": b""})


def test_what_was_not_computed_does_not_agree() -> None:
    digests = Digests(["sha1"])
    assert not digests.agree({"sha256": hashlib.sha256(b"").digest()})
    assert not digests.agree({"sha1": hashlib.sha1(b"").digest(), "sha256": b""})


def test_an_unknown_algorithm_is_an_error() -> None:
    with pytest.raises(KeyError):
        Digests(["sha3"])


def test_a_checksum_is_told_in_hexadecimal_and_only_if_it_was_computed() -> None:
    digests = Digests(["sha256"])
    digests.update(b"hello")
    assert digests.checksum("sha256") == {"algorithm": "sha256", "value": hashlib.sha256(b"hello").hexdigest()}
    assert digests.checksum("blake3") is None
    assert digests.checksum("none") is None


@pytest.mark.parametrize(
    ("configured", "further", "computed"),
    [
        ("blake3", (), ["blake3"]),
        ("none", (), []),
        ("none", ("sha1",), ["sha1"]),
        ("sha256", ("sha1", "sha256", "sha1"), ["sha256", "sha1"]),
    ],
)
def test_a_new_file_gets_the_configured_digest_and_those_asked_for(
    configured: str, further: tuple[str, ...], computed: list[str]
) -> None:
    assert list(storage_digests(configured, further).values()) == computed


def test_tus_is_told_only_of_digests_that_can_be_computed_sha1_first() -> None:
    assert ALGORITHMS[0] == "sha1"
    assert {"sha1", "sha256", "md5", "crc32", "blake3"} == set(ALGORITHMS) <= set(HASHERS)
