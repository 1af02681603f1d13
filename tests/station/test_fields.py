"""Header fields as clients write them, and as they should not."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.fields import boolean, digests, filename, integer, media_type, wanted, written, written_digests

SHA256 = bytes(range(32))
SHA512 = bytes(range(64))


def sequence(value: bytes) -> str:
    return f":{base64.b64encode(value).decode()}:"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("12", 12),
        (" 12 ", 12),
        ("007", 7),
        ("12;a=1", 12),
        ("999999999999999", 999_999_999_999_999),
        ("1000000000000000", None),
        (str(2**63), None),
        ("-1", None),
        ("-0", 0),
        ("+5", None),
        ("1e3", None),
        ("5.0", None),
        ("0x10", None),
        ("5, 5", None),
        ("5 5", None),
        ('"5"', None),
        ("?1", None),
        ("@5", None),
        ("\t5", None),
        ("²", None),
        ("٣", None),
        ("", None),
        (None, None),
        ("1" * 65536, None),
        ("5" + ";a" * 32768, None),
    ],
)
def test_an_integer_is_a_number_from_zero_or_nothing(text: str | None, value: int | None) -> None:
    assert integer(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("?1", True), ("?0", False), (" ?0 ", False), ("?1;a", True)]
    + [(text, None) for text in ("?2", "?", "1", "0", "true", "?1, ?1", "?1 ?1", "?T", "", None)],
)
def test_a_boolean_is_a_question_mark_and_a_digit_or_nothing(text: str | None, value: bool | None) -> None:
    assert boolean(text) is value


def test_digests_are_told_by_our_names() -> None:
    text = f"sha-256={sequence(SHA256)}, sha-512={sequence(SHA512)};a=1"
    assert digests(text) == {"sha256": SHA256, "sha512": SHA512}
    assert digests("") == {}


@pytest.mark.parametrize(
    "text",
    [
        "md5=:AAAAAAAAAAAAAAAAAAAAAA==:",
        "unixsum=5",
        f"sha={sequence(bytes(20))}",
        f"sha256={sequence(SHA256)}",
        f"SHA-256={sequence(SHA256)}",
        f"sha-256={sequence(SHA256[:-1])}",
        f"sha-256={sequence(SHA512)}",
        "sha-256=::",
        "sha-256",
        "sha-256=5",
        f'sha-256="{SHA256.hex()}"',
        f"sha-256=({sequence(SHA256)})",
        f"sha-256={sequence(SHA256)}, md5=:AAAAAAAAAAAAAAAAAAAAAA==:",
        f"sha-256={sequence(SHA256)},",
        f"sha-256={base64.b64encode(SHA256).decode()}",
        "sha-256=:****:",
        "sha-256=:" + "A" * 65536 + ":",
        "\ud800",
        "☃",
    ],
)
def test_a_digest_that_cannot_be_checked_is_no_digest(text: str) -> None:
    with pytest.raises(ValueError):
        digests(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("sha-256=1", ("sha256",)),
        ("sha-512=3, sha-256=10, unixsum=1", ("sha256", "sha512")),
        ("sha-256=3, sha-512=10", ("sha512", "sha256")),
        ("sha-256=0, sha-512=1", ("sha512",)),
        ("sha-256=11", ()),
        ("sha-256", ()),
        ("sha-256=(1)", ()),
        ("md5=5", ()),
        ("sha-256=1,", ()),
        ("", ()),
    ],
)
def test_a_wish_for_a_digest_is_heard_as_far_as_it_can_be_granted(text: str, names: tuple[str, ...]) -> None:
    assert wanted(text) == names


def test_values_are_written_as_they_are_read() -> None:
    assert (written(True), written(False), written(12)) == ("?1", "?0", "12")
    assert written({"max-size": 10, "min-size": 0}) == "max-size=10, min-size=0"
    assert integer(written(10**20)) == 10**15 - 1
    assert written({"max-size": 10**20}) == "max-size=999999999999999"


def test_only_digests_with_a_registered_name_are_written() -> None:
    text = written_digests({"blake3": SHA256, "sha512": SHA512, "sha256": SHA256})
    assert text == f"sha-256={sequence(SHA256)}, sha-512={sequence(SHA512)}"
    assert digests(text) == {"sha256": SHA256, "sha512": SHA512}
    assert written_digests({"blake3": SHA256}) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("image/JPEG", "image/jpeg"),
        ("text/plain; charset=utf-8", "text/plain"),
        (" application/vnd.x+zip ;a", "application/vnd.x+zip"),
        ("image", ""),
        ("image/", ""),
        ("a/b/c", ""),
        ("a/b, a/b", ""),
        ("a/b\x00", ""),
        ("a/" + "b" * 300, ""),
        ("", ""),
    ],
)
def test_a_media_type_is_told_without_its_parameters(text: str, kind: str) -> None:
    assert media_type(text) == kind


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('inline; filename="a b.txt"', "a b.txt"),
        ("attachment; filename=a.txt", "a.txt"),
        ("attachment;FILENAME = a b.txt ; x", "a b.txt"),
        (r'inline; filename="a\"b\\c.txt"', r'a"b\c.txt'),
        (r'inline; filename="C:\dir\a.txt"', r"C:\dir\a.txt"),
        ('inline; x=";filename=no"; filename="yes"', "yes"),
        ("inline; filename*=UTF-8''%e2%82%ac%20rates", "€ rates"),
        ("inline; filename*=iso-8859-1'en'%A3%20rates", "£ rates"),
        ("inline; filename=plain; filename*=utf-8''better", "better"),
        ("inline; filename*=utf-8''better; filename=plain", "better"),
        ("inline; filename*=utf-8''%ff; filename=plain", "plain"),
        ("inline; filename*=utf-7''a; filename=plain", "plain"),
        ("inline; filename*=plain", ""),
        ("inline; filename*=utf-8''%zz", "%zz"),
        ('inline; filename="日本.jpg"'.encode().decode("latin-1"), "日本.jpg"),
        ('inline; filename="Stra\xdfe.jpg"', "Straße.jpg"),
        ("inline; filename=first; filename=second", "first"),
        ("inline;;; ; filename=a", "a"),
        ('inline; filename="a', ""),
        ('inline; filename=a"b', ""),
        ('inline; name="x" y; filename=a', ""),
        ('inline; filename=""', ""),
        ("inline", ""),
        ("", ""),
        ('inline; filename="' + "a" * 9000 + '"', ""),
    ],
)
def test_a_name_is_taken_as_it_was_meant(text: str, name: str) -> None:
    assert filename(text) == name


@given(st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n")))
def test_any_name_comes_through_an_extended_parameter(name: str) -> None:
    coded = "".join(f"%{byte:02X}" for byte in name.encode())
    assert filename(f"inline; filename*=UTF-8''{coded}") == name


PIECES = st.sampled_from(
    [";", "=", '"', "\\", "'", "%", "filename", "filename*", "utf-8''", " ", "sha-256", ":", ",", "?"]
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=40).map("".join))
def test_nothing_that_is_sent_breaks_the_reading(text: str) -> None:
    assert isinstance(filename(text), str)
    assert isinstance(media_type(text), str)
    assert integer(text) is None or boolean(text) is None
    assert set(wanted(text)) <= {"sha256", "sha512"}
    with suppress(ValueError):
        assert set(digests(text)) <= {"sha256", "sha512"}
