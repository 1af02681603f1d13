"""Which files the station takes, judged by the extension and by the first bytes.

Pure: compares a name with a list and bytes with a name. What a refusal is called, and who is told, is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import filetype

from station.names import extension

SNIFF = 1024
"""How many first bytes are wanted, and at most looked at. Fewer prove less, and are no fault by themselves."""
# Not more: filetype 1.2.0 follows empty Zstandard frames by recursion, and 8 KiB of them exhaust the stack.

_TYPES = {
    "image": (
        "jpg jpeg jpe jfif png apng gif webp avif heic heif hif bmp tif tiff jxl jp2 ico psd mpo insp "
        "dng raw arw cr2 cr3 crw nef nrw orf raf rw2 rwl pef srw x3f 3fr iiq gpr"
    ),
    "video": (
        "mp4 m4v mov qt avi mkv webm 3gp 3g2 mts m2ts m2t ts mpg mpeg mpe m2v vob wmv asf flv f4v ogv ogm "
        "rm rmvb dv mxf divx insv lrv"
    ),
    "audio": "mp3 m4a m4b aac wav flac ogg oga opus wma aif aiff caf amr 3ga ape mka ac3 mid midi",
    "document": (
        "pdf doc docx docm dot dotx xls xlsx xlsm xlsb ppt pptx pptm pps ppsx odt ods odp odg rtf "
        "pages numbers key wps et dps ofd caj hwp hwpx epub mobi azw3 fb2 djvu xps ai eps kmz sb3 ggb"
    ),
    "text": (
        "txt text md markdown csv tsv json xml yaml yml log tex bib srt vtt ass lrc vcf ics eml gpx kml geojson svg"
    ),
    "archive": "zip zipx 7z rar gz tgz tar bz2 tbz2 xz txz zst lz lzma cbz cbr",
}

DEFAULT_TYPES: tuple[str, ...] = tuple(" ".join(_TYPES.values()).split())
"""Extensions: what families and classrooms send. Nothing that a double click or a browser would run."""

_FAMILY = {suffix: family for family, suffixes in _TYPES.items() for suffix in suffixes.split()}

# What a family's names may not hide. Left out is what happens in good faith: messengers save clips as .gif, people
# save the sound of a film as .mp3, and most documents are zip files inside.
_FOREIGN = {
    "image": {"program", "script", "audio", "document", "archive"},
    "video": {"program", "script", "image", "document", "archive"},
    "audio": {"program", "script", "image", "document", "archive"},
    "document": {"program", "script", "image", "video", "audio", "boxes"},
    "text": {"program", "image", "video", "audio", "boxes"},
    "archive": {"program", "script", "image", "video", "audio", "boxes"},
}
# Web applications export tables and letters as HTML under these names, and office programs open them.
_OFTEN_HTML = frozenset(("doc", "xls"))

# The signatures of filetype that are long enough to believe. Those of two bytes (BMP, frames of MP3 and AAC,
# PostScript, compress) take one random head in 5,000 for something.
_BELIEVED = {
    "image": "image/ jpeg png apng gif webp tiff x-canon-cr2 vnd.adobe.photoshop jpx",
    "video": "video/ x-matroska webm x-msvideo x-ms-wmv x-flv mpeg",
    "audio": "audio/ midi mpeg ogg x-flac x-wav amr x-aiff",
    "document": "application/ pdf rtf epub+zip msword vnd.ms-excel vnd.ms-powerpoint",
    "archive": "application/ zip x-tar x-rar-compressed gzip x-bzip2 x-7z-compressed x-xz zstd",
}
_KIND = {prefix + each: kind for kind, words in _BELIEVED.items() for prefix, *rest in [words.split()] for each in rest}
_OFFICE = ("application/vnd.openxmlformats", "application/vnd.oasis")

_SIGNS: tuple[tuple[str, str, re.Pattern[bytes]], ...] = tuple(
    (kind, mime, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for kind, mime, pattern in (
        ("program", "application/x-executable", rb"\x7fELF[\x01\x02][\x01\x02]\x01"),
        (
            "program",
            "application/x-mach-binary",
            rb"\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba[\xbe\xbf]",
        ),
        ("script", "text/x-shellscript", rb"#! ?/[!-~]"),
        ("script", "text/x-php", rb"\s*<\?php\s"),
        ("script", "text/html", rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body|script|iframe)[\s>]"),
    )
)
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class Formats:
    """The extensions that are taken. A `*` among them: everything is, unexamined. None at all: DEFAULT_TYPES."""

    def __init__(self, allowed: Iterable[str]) -> None:
        entries = (entry.strip().lower() for entry in allowed)
        suffixes = [entry if entry == "*" else entry.removeprefix("*").removeprefix(".") for entry in entries]
        self.allowed: tuple[str, ...] = tuple(dict.fromkeys(filter(None, suffixes))) or DEFAULT_TYPES
        self._anything = "*" in self.allowed

    def allows(self, name: str) -> bool:
        """Whether files of this extension are taken."""
        return self._anything or extension(name) in self.allowed

    def contradicts(self, name: str, head: bytes) -> str | None:
        """The MIME type that the first bytes have and the name denies; None if it need not deny it.

        Unknown bytes contradict nothing, and nothing contradicts an extension that is not in DEFAULT_TYPES.
        """
        suffix = extension(name)
        family = _FAMILY.get(suffix)
        if self._anything or family is None:
            return None
        kind, mime = _recognised(head[:SNIFF])
        if kind not in _FOREIGN[family] or (mime == "text/html" and suffix in _OFTEN_HTML):
            return None
        return mime


def _recognised(head: bytes) -> tuple[str, str]:
    """Kind and MIME type of what is certain; two empty strings for all else."""
    for kind, mime, pattern in _SIGNS:
        if pattern.match(head):
            return kind, mime
    if _is_windows_program(head):
        return "program", "application/x-msdownload"
    return _recognised_by_library(head)


def _recognised_by_library(head: bytes) -> tuple[str, str]:
    found = filetype.guess(head)
    mime = found.mime if found else ""
    if head[4:8] == b"ftyp":
        # HEIC, MP4, MOV and M4A are boxes of one kind, and which it is is told by brands that nobody keeps to.
        return "boxes", mime or "video/mp4"
    kind = "document" if mime.startswith(_OFFICE) else _KIND.get(mime, "")
    frame_of_two_bytes = mime == "audio/mpeg" and not head.startswith(b"ID3")
    # "GIF", "ID3" and "RIFF" may begin a sentence.
    sentence = kind in ("image", "video", "audio") and not _NOT_TEXT.search(head)
    return ("", "") if frame_of_two_bytes or sentence else (kind, mime)


def _is_windows_program(head: bytes) -> bool:
    """MZ alone would take one random head in 65,536 for a program."""
    if not head.startswith(b"MZ") or len(head) < 64:
        return False
    at = int.from_bytes(head[60:64], "little")
    return head[at : at + 4] == b"PE\0\0" or b"cannot be run in DOS mode" in head
