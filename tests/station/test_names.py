"""The names that clients give, from the plain to the hostile."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from station.names import extension, safe_name, shown_name, stored_name

AT = datetime(2024, 1, 15, 10, 28, 30, tzinfo=UTC)
SESSION = "1f0c8d2e-6f5b-4a51-9a37-0d1d4e2b7c11"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"

VECTORS = [
    ("../../etc/passwd", "passwd", "passwd"),
    ("..\\..\\x", "x", "x"),
    ("/abs", "abs", "abs"),
    ("C:\\x", "x", "x"),
    ("C:x", "C:x", "C_x"),
    ("\\\\srv\\share", "share", "share"),
    ("a/b", "b", "b"),
    ("holiday/", "holiday", "holiday"),
    ("holiday/\u200b/..", "holiday", "holiday"),
    ("%2e%2e%2f", "%2e%2e%2f", "%2e%2e%2f"),
    ("．．／", "．．／", "．．／"),
    ("a\0b", "ab", "ab"),
    ("a\r\nb", "a b", "a b"),
    ("a\tb", "a b", "a b"),
    ("a\x7fb", "ab", "ab"),
    ("a\x9bb", "ab", "ab"),
    ("photo\u202egpj.exe", "photogpj.exe", "photogpj.exe"),
    ("a\u200bb", "ab", "ab"),
    ("\ufeffa", "a", "a"),
    ("a\ud800b", "ab", "ab"),
    ("a\udcffb", "ab", "ab"),
    ("a\u2028b", "a b", "a b"),
    ("a \u3000 b", "a b", "a b"),
    ("a \0 b", "a b", "a b"),
    ("\u3164", "file", "file"),
    ("\ufffea", "a", "a"),
    ("e\u0301.txt", "é.txt", "é.txt"),
    ("e\u200b\u0301.txt", "é.txt", "é.txt"),
    ("e\u200d\u0301.txt", "é.txt", "é.txt"),
    ("", "file", "file"),
    (".", "file", "file"),
    ("..", "file", "file"),
    ("...", "file", "file"),
    (" . ", "file", "file"),
    ("///", "file", "file"),
    ("a.", "a.", "a"),
    ("a ", "a", "a"),
    (" a", "a", "a"),
    ("a. . ", "a. .", "a"),
    ("-rf", "-rf", "_rf"),
    ("--help", "--help", "_-help"),
    ("~", "~", "_"),
    ("~.jpg", "~.jpg", "_.jpg"),
    ("$(x)", "$(x)", "$(x)"),
    ("`x`", "`x`", "`x`"),
    (".htaccess", ".htaccess", "_htaccess"),
    ("..jpg", "..jpg", "_jpg"),
    (".part", ".part", "_part"),
    ("journal.db", "journal.db", "journal.db"),
    ("journal.db-wal", "journal.db-wal", "journal.db-wal"),
    ("CON", "CON", "_CON"),
    ("con.txt", "con.txt", "_con.txt"),
    ("aux .txt", "aux .txt", "_aux .txt"),
    ("NUL.tar.gz", "NUL.tar.gz", "_NUL.tar.gz"),
    ("COM¹", "COM¹", "_COM¹"),
    ("LPT0", "LPT0", "_LPT0"),
    ("conin$", "conin$", "_conin$"),
    ("CONSOLE.txt", "CONSOLE.txt", "CONSOLE.txt"),
    ("a:b", "a:b", "a_b"),
    ("a::$DATA", "a::$DATA", "a__$DATA"),
    ('what? "now" <3 | *.txt', 'what? "now" <3 | *.txt', "what_ _now_ _3 _ _.txt"),
    ("desktop.ini", "desktop.ini", "desktop.ini"),
    ("照片 (1).JPG", "照片 (1).JPG", "照片 (1).JPG"),
    ("I ❤\ufe0f you.png", "I ❤\ufe0f you.png", "I ❤\ufe0f you.png"),
    (f"{FAMILY}.jpg", f"{FAMILY}.jpg", f"{FAMILY}.jpg"),
    ("می\u200cخواهم.txt", "می\u200cخواهم.txt", "می\u200cخواهم.txt"),
    ("in\u200dvoice.pdf", "invoice.pdf", "invoice.pdf"),
    ("é\u200d\u200dé\u200d.pdf", "éé.pdf", "éé.pdf"),
]

PIECES = st.sampled_from(
    [
        *"aB9é日. ~-_$:/\\<|\0\r\n\t\u200b\u200c\u200d\u202e\u0301\u0338\u3164\u212a\u037e\ud800\udcff\ufffe",
        *["\U0001f468", "\U0001f3fb", "CON", "com¹", ".jpg"],
    ]
)
RAW = st.one_of(
    st.text(max_size=400),
    st.binary(max_size=400).map(lambda raw: raw.decode(errors="surrogateescape")),
    st.lists(PIECES, max_size=120).map("".join),
    st.builds(lambda piece, times: piece * times, PIECES, st.integers(0, 400)),
)


@pytest.mark.parametrize(("raw", "shown", "safe"), VECTORS)
def test_each_known_vector_has_its_name(raw: str, shown: str, safe: str) -> None:
    assert shown_name(raw) == shown
    assert safe_name(raw, limit=255) == safe


@given(RAW)
def test_a_shown_name_neither_hides_nor_breaks_anything(raw: str) -> None:
    name = shown_name(raw)
    assert 1 <= len(name.encode()) <= 255
    assert name.strip(". ")
    assert not re.search(r"[/\\]", name)
    assert name == unicodedata.normalize("NFC", name)
    assert not [char for char in name if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [char for char in name if unicodedata.category(char) == "Cf" and char not in "\u200c\u200d"]
    assert not re.search(r"[\x00-\x7f][\u200c\u200d]|[\u200c\u200d][\x00-\x7f]", name)
    assert name == " ".join(name.split())
    assert shown_name(name) == name


@given(RAW, st.integers(1, 255))
@example("CONSOLE", 3)
@example("CON.txt", 7)
@example("." * 300 + "x.jpg", 20)
@example("\u212a\u200dé", 255)
def test_a_safe_name_suits_every_common_file_system(raw: str, limit: int) -> None:
    name = safe_name(raw, limit=limit)
    assert 1 <= len(name.encode()) <= limit
    assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*]', name)
    assert not name.startswith((".", "-", "~", " "))
    assert not name.endswith((".", " "))
    assert not re.fullmatch(r"(?i)con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]", name.split(".")[0].rstrip())
    assert safe_name(name, limit=limit) == name


@given(RAW, st.integers(64, 255))
def test_the_extension_stays_what_it_was(raw: str, limit: int) -> None:
    if kept := extension(raw):
        assert extension(shown_name(raw)) == kept
        assert extension(safe_name(raw, limit=limit)) == re.sub(r'[<>:"/\\|?*]', "_", kept)


@given(RAW, st.integers(0, 12_345))
def test_a_stored_name_fits_and_says_session_and_time(raw: str, copy: int) -> None:
    name = stored_name(SESSION, AT, raw, copy=copy)
    assert name.startswith(f"{SESSION}_2024-01-15T10-28-30_000Z_")
    assert len(name.encode()) <= 255
    assert extension(name) == extension(safe_name(raw, limit=255))


def test_a_stored_name_is_written_like_the_contract_says() -> None:
    at = datetime(2024, 1, 15, 18, 28, 30, 45_600, tzinfo=timezone(timedelta(hours=8)))
    assert stored_name("s", at, "a.jpg") == "s_2024-01-15T10-28-30_045Z_a.jpg"


def test_a_stored_name_needs_to_know_the_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        stored_name("s", AT.replace(tzinfo=None), "a.jpg")


def test_a_clash_gets_its_number_before_the_extension() -> None:
    assert stored_name("s", AT, "a.tar.gz", copy=2).endswith("_a.tar-2.gz")
    assert stored_name("s", AT, "Mr. Smith", copy=1).endswith("_Mr. Smith-1")


def test_copies_of_a_name_that_fills_the_limit_differ() -> None:
    names = {stored_name(SESSION, AT, "x" * 300 + ".jpg", copy=copy) for copy in range(200)}
    assert len(names) == 200
    assert all(len(name) <= 255 and name.endswith(".jpg") for name in names)


@pytest.mark.parametrize(
    ("raw", "length"),
    [("a" * 255, 255), ("a" * 256, 255), ("あ" * 85, 255), ("あ" * 86, 255), ("é" * 128, 254)],
)
def test_a_long_name_is_cut_by_bytes_between_characters(raw: str, length: int) -> None:
    name = shown_name(raw)
    assert raw.startswith(name)
    assert len(name.encode()) == length


def test_a_long_name_loses_its_middle_and_keeps_its_extension() -> None:
    assert shown_name("あ" * 300 + ".jpeg") == "あ" * 83 + ".jpeg"
    assert safe_name("x" * 300 + ".tar.gz", limit=20) == "x" * 17 + ".gz"


def test_an_endless_extension_is_no_extension() -> None:
    name = shown_name("a." + "x" * 600)
    assert len(name) == 255
    assert extension("a." + "x" * 33) == ""


@pytest.mark.parametrize("limit", range(40, 60))
def test_a_cut_leaves_no_half_of_an_emoji(limit: int) -> None:
    name = safe_name(FAMILY * 30 + ".jpg", limit=limit)
    assert name == FAMILY * (name.count("\U0001f467")) + ".jpg"
    thumbs = safe_name("\U0001f44d\U0001f3fb" * 30, limit=limit)
    assert len(thumbs) % 2 == 0


def test_a_tower_of_marks_is_cut_anyhow() -> None:
    assert 200 < len(shown_name("a" + "\u0301\u0315" * 400).encode()) <= 255


def test_a_megabyte_of_marks_costs_no_more_than_a_name() -> None:
    # Normalised whole this would take minutes; that it returns is the test.
    assert shown_name("a" + "\u0315\u0300" * 500_000)
    assert shown_name("/." * 500_000) == "file"


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("a.tar.gz", "gz"),
        ("A.JPG", "jpg"),
        ("a", ""),
        ("", ""),
        (".htaccess", ""),
        ("..jpg", ""),
        (".hidden.txt", "txt"),
        ("a.", ""),
        ("evil.exe. . ", "exe"),
        ("evil.exe\u200b", "exe"),
        ("a..jpg", "jpg"),
        ("Mr. Smith went home", ""),
        ("v1.0/readme", ""),
        ("photo.jpg\0", "jpg"),
    ],
)
def test_the_extension_is_what_the_stored_file_will_have(name: str, want: str) -> None:
    assert extension(name) == want


def test_no_single_character_slips_through() -> None:
    letters_and_unused = ("Lu", "Ll", "Lt", "Lo", "Nd", "Cn", "Co")
    every = map(chr, range(0x110000))
    for char in (char for char in every if unicodedata.category(char) not in letters_and_unused):
        name = safe_name(f"{char}a{char}", limit=255)
        assert not {"/", "\\", "\0"} & set(name)
        assert name.encode()
        assert safe_name(name, limit=255) == name
