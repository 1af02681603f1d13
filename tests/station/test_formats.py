"""What is taken by its name and what its first bytes give away."""

from __future__ import annotations

import io
import random
import struct
import tarfile
import wave
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.formats import DEFAULT_TYPES, SNIFF, Formats

ANY_DEFAULT = Formats(())


def boxes(brand: bytes, *compatible: bytes) -> bytes:
    brands = brand + b"\0\0\2\0" + b"".join(compatible)
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + b"\0\0\0\x08free\0\0\0\0mdat" + bytes(64)


def packed(*names: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name in names:
            archive.writestr(name, "application/vnd.oasis.opendocument.text" if name == "mimetype" else "x")
    return whole.getvalue()


def tar() -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return whole.getvalue()


def sound() -> bytes:
    whole = io.BytesIO()
    with wave.open(whole, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        file.writeframes(bytes(400))
    return whole.getvalue()


def windows_program() -> bytes:
    return b"MZ\x90\0" + bytes(56) + struct.pack("<I", 0x80) + bytes(64) + b"PE\0\0\x64\x86" + bytes(200)


JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xdb" + bytes(64)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde" + bytes(32)
GIF = b"GIF89a\1\0\1\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\4"
WEBP = b"RIFF\x40\0\0\0WEBPVP8 \x34\0\0\0" + bytes(48)
TIFF = b"II*\0\x10\0\0\0\x08\0\0\1\3\0\1\0" + bytes(64)
HEIC = boxes(b"heic", b"mif1", b"heic")
MP4 = boxes(b"isom", b"isom", b"mp41")
MOV = boxes(b"qt  ", b"qt  ")
M4A = boxes(b"M4A ", b"M4A ", b"isom")
MKV = b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\1\x42\x82\x88matroska" + bytes(64)
MP3 = b"ID3\4\0\0\0\0\0\x23TSSE\0\0\0\x0f\0\0\3Lavf" + bytes(64)
OGG = b"OggS\0\2" + bytes(22) + b"\1\x1e\1vorbis" + bytes(32)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
RTF = rb"{\rtf1\ansi hello}"
OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + b"\xec\xa5\xc1\0" + bytes(256)
GZIP = b"\x1f\x8b\x08\0\0\0\0\0\0\3" + bytes(16)
SEVENZIP = b"7z\xbc\xaf\x27\x1c\0\4" + bytes(32)
ELF = b"\x7fELF\2\1\1" + bytes(64)
MACH_O = b"\xcf\xfa\xed\xfe\7\0\0\1" + bytes(64)
SCRIPT = b"#!/bin/sh\nrm -rf /\n"
HTML = b"\xef\xbb\xbf\n <!DOCTYPE html>\n<html><title>Not found</title>"
PHP = b"<?php echo 1;"

FINE = [
    ("photo.jpg", JPEG),
    ("photo.JPG", PNG),
    ("photo.jpg", WEBP),
    ("photo.jpg", HEIC),
    ("photo.heic", JPEG),
    ("scan.tif", TIFF),
    ("raw.dng", TIFF),
    ("raw.arw", TIFF),
    ("raw.cr3", boxes(b"crx ", b"crx ", b"isom")),
    ("clip.gif", MP4),
    ("live.mov", MP4),
    ("live.mp4", MOV),
    ("live.mp4", HEIC),
    ("odd.mp4", boxes(b"zzzz")),
    ("film.webm", MKV),
    ("film.avi", MKV),
    ("speech.mp3", M4A),
    ("speech.mp3", MKV),
    ("speech.m4a", MP3),
    ("speech.wav", OGG),
    ("speech.amr", b"#!AMR\n" + bytes(64)),
    ("speech.silk", b"#!SILK_V3"),
    ("letter.docx", packed("[Content_Types].xml", "_rels/.rels", "word/document.xml")),
    ("letter.odt", packed("mimetype", "content.xml")),
    ("book.epub", packed("mimetype")),
    ("slides.key", packed("Index/Document.iwa")),
    ("secret.key", b"-----BEGIN PRIVATE KEY-----\n"),
    ("letter.doc", OLD_WORD),
    ("letter.doc", RTF),
    ("letter.doc", HTML),
    ("marks.xls", HTML),
    ("marks.xls", packed("xl/workbook.xml")),
    ("drawing.ai", PDF),
    ("old.pages", GZIP),
    ("all.zip", SEVENZIP),
    ("comic.cbz", b"Rar!\x1a\x07\1\0" + bytes(16)),
    ("all.tar", tar()),
    ("all.tgz", GZIP),
    ("page.txt", HTML),
    ("homework.txt", SCRIPT),
    ("notes.md", b"GIF is a format\n"),
    ("notes.txt", b"ID3 tags are"),
    ("notes.txt", b"MZ, ETH Zurich: " + b"x" * 200),
    ("notes.txt", "\N{BYTE ORDER MARK}你好".encode("utf-16-le")),
    ("table.csv", GZIP),
    ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
    ("source.ts", b"import x from 'y'\n"),
    ("photo.jpg", b"plain words"),
    ("photo.jpg", b""),
    ("film.mp4", bytes(SNIFF)),
]

CONTRADICTIONS = [
    (HTML, "text/html", "jpg mp4 mp3 pdf docx zip"),
    (b"<script>alert(1)</script>", "text/html", "png gif"),
    (b"<HTML\n>", "text/html", "jpg"),
    (PHP, "text/x-php", "jpg pdf"),
    (SCRIPT, "text/x-shellscript", "jpg mp4 mp3 pdf zip doc"),
    (b"#! /usr/bin/env python3\n", "text/x-shellscript", "jpg"),
    (ELF, "application/x-executable", "jpg mp4 mp3 pdf txt zip"),
    (MACH_O, "application/x-mach-binary", "jpg mp4 mp3 pdf txt zip"),
    (windows_program(), "application/x-msdownload", "jpg mp4 mp3 pdf txt zip doc"),
    (JPEG, "image/jpeg", "mp4 mp3 pdf txt zip"),
    (PNG, "image/png", "mp4 m4a docx csv rar"),
    (GIF, "image/gif", "mp4 pdf md"),
    (TIFF, "image/tiff", "mov pdf"),
    (HEIC, "image/heic", "pdf txt zip"),
    (MP4, "video/mp4", "pdf docx txt zip"),
    (boxes(b"zzzz"), "video/mp4", "pdf"),
    (MKV, "video/x-matroska", "pdf txt 7z"),
    (MP3, "audio/mpeg", "jpg pdf txt zip"),
    (sound(), "audio/x-wav", "jpg pdf txt zip"),
    (OGG, "audio/ogg", "jpg xlsx"),
    (PDF, "application/pdf", "jpg mp4 mp3"),
    (packed("a"), "application/zip", "jpg mp4 mp3"),
    (packed("mimetype"), "application/vnd.oasis.opendocument.text", "jpg"),
    (OLD_WORD, "application/msword", "jpg mp4"),
    (tar(), "application/x-tar", "jpg mp4"),
    (GZIP, "application/gzip", "jpg mp3"),
]


@pytest.mark.parametrize(("name", "head"), FINE)
def test_what_happens_in_good_faith_is_no_contradiction(name: str, head: bytes) -> None:
    assert ANY_DEFAULT.contradicts(name, head) is None


@pytest.mark.parametrize(
    ("suffix", "head", "mime"),
    [(suffix, head, mime) for head, mime, suffixes in CONTRADICTIONS for suffix in suffixes.split()],
)
def test_bytes_of_another_family_are_named(suffix: str, head: bytes, mime: str) -> None:
    assert ANY_DEFAULT.contradicts(f"a.{suffix}", head) == mime


@pytest.mark.parametrize(("name", "head"), FINE)
def test_a_head_cut_anywhere_raises_no_alarm(name: str, head: bytes) -> None:
    assert not [end for end in range(len(head)) if ANY_DEFAULT.contradicts(name, head[:end])]


@pytest.mark.parametrize("name", ["a.jpg", "a.mp4", "a.mp3", "a.pdf", "a.txt", "a.zip", "a.bin"])
def test_random_bytes_raise_no_alarm(name: str) -> None:
    source = random.Random(name)
    heads = (source.randbytes(128) for _ in range(5000))
    assert not [head for head in heads if ANY_DEFAULT.contradicts(name, head)]


@pytest.mark.parametrize("signature", [b"MZ", b"BM", b"\xff\xfb", b"\xff\xf1", b"%!", b"\x1f\x9d", b"#!"])
def test_two_bytes_prove_nothing(signature: bytes) -> None:
    source = random.Random(signature)
    heads = [signature + source.randbytes(SNIFF) for _ in range(200)]
    assert not [head for head in heads for name in ("a.jpg", "a.pdf") if ANY_DEFAULT.contradicts(name, head)]


@given(st.sampled_from(DEFAULT_TYPES), st.binary(max_size=200), st.sampled_from([JPEG, MP4, PDF, MKV, b""]))
def test_any_bytes_are_judged(suffix: str, noise: bytes, head: bytes) -> None:
    verdict = ANY_DEFAULT.contradicts(f"a.{suffix}", head[: len(noise)] + noise)
    assert verdict is None or "/" in verdict


def test_frames_within_frames_do_not_exhaust_the_stack() -> None:
    assert ANY_DEFAULT.contradicts("a.jpg", b"\x50\x2a\x4d\x18\0\0\0\0" * 100_000) is None


def test_only_the_first_bytes_count() -> None:
    assert ANY_DEFAULT.contradicts("a.jpg", b"\n" * SNIFF + HTML) is None


def test_a_program_of_which_only_the_first_lines_are_here_is_told_by_its_stub() -> None:
    head = b"MZ\x90\0" + bytes(56) + struct.pack("<I", 0x4000) + b"This program cannot be run in DOS mode.\r\r\n$"
    assert ANY_DEFAULT.contradicts("a.jpg", head) == "application/x-msdownload"


def test_the_default_types_take_what_families_send_and_nothing_that_runs() -> None:
    taken = "IMG_1.HEIC a.jpeg a.mov a.m4a a.pdf a.docx a.pages a.svg a.csv a.7z a.tar.gz 作业.docx"
    assert all(map(ANY_DEFAULT.allows, taken.split()))
    left = "a.html a.htm a.exe a.msi a.bat a.cmd a.sh a.ps1 a.js a.mjs a.vbs a.jar a.apk a.php a.py a.scr a.lnk a.dll"
    assert not any(map(ANY_DEFAULT.allows, left.split()))


@pytest.mark.parametrize(
    "name", ["a", "", ".htaccess", "jpg", ".jpg", "a.jpg/", "a.jpg/b", "a.", "a.jpg.exe", "a.exe. "]
)
def test_no_extension_or_another_one_is_not_taken(name: str) -> None:
    assert ANY_DEFAULT.allows(name) is (name == "a.jpg/")


@pytest.mark.parametrize("entry", ["jpg", "JPG", ".jpg", "*.jpg", " jpg "])
def test_a_type_may_be_written_in_any_common_way(entry: str) -> None:
    formats = Formats([entry, "", "jpg"])
    assert formats.allowed == ("jpg",)
    assert formats.allows("A.JPG")
    assert not formats.allows("a.png")


def test_no_types_at_all_mean_the_default_ones() -> None:
    assert Formats([]).allowed == Formats(["", " "]).allowed == DEFAULT_TYPES
    assert len(set(DEFAULT_TYPES)) == len(DEFAULT_TYPES)


def test_a_star_takes_anything_unexamined() -> None:
    formats = Formats(["pdf", "*"])
    assert all(map(formats.allows, ["a.exe", "a", "", "a.jpg"]))
    assert formats.contradicts("a.jpg", windows_program()) is None


@pytest.mark.parametrize("make", [windows_program, lambda: HTML, lambda: ELF])
def test_what_the_operator_adds_is_taken_as_it_is(make: Callable[[], bytes]) -> None:
    formats = Formats(["exe", "html", "bin"])
    assert not [suffix for suffix in formats.allowed if formats.contradicts(f"a.{suffix}", make())]
