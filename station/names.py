"""Turns the name that a client gave a file into one safe to show and one safe to store.

Pure: knows the rules of names, but nothing of folders or of what is already on the disk.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

_LONGEST = 255
"""Bytes that one name may have on every file system that matters."""

_NAMELESS = "file"

# Normalising costs the square of a run of combining marks: 0.35 s for 20,000 of them, minutes for a megabyte.
# No file system holds a name longer than this, so only paths and mischief lose anything.
_READ_AT_MOST = 1024

# Longer than any real extension, and short enough that the stem still says something.
_LONGEST_SUFFIX = 32

_SEPARATOR = re.compile(r"[/\\]")
_BLANK = re.compile(r"[\s\u2800\u3164\uffa0]+")
_UNSEEN_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5")
_JOINERS = "\u200c\u200d"
# A joiner holds an emoji family or a Persian word together; beside Latin letters or a dot it only hides.
_STRAY_JOINER = re.compile(rf"(?<![^\x00-\x7f{_JOINERS}])[{_JOINERS}]|[{_JOINERS}](?![^\x00-\x7f{_JOINERS}])")

_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_HIDING_OR_OPTION = re.compile(r"^(?:\.+|[-~])")
# A device on Windows whatever the case and whatever follows the first dot (Microsoft, "Naming Files").
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³]) *(?:\..*)?", re.IGNORECASE)


def shown_name(raw: str) -> str:
    """The last component of `raw` without anything that hides, reorders or breaks the text around it.

    In NFC, 1 to 255 bytes of UTF-8; what is too long loses its middle part and keeps its extension.
    """
    for component in reversed(_SEPARATOR.split(raw[-_READ_AT_MOST:])):
        name = _visible(component)
        if name.strip(". "):
            return _cut(name, _LONGEST)
    return _NAMELESS


def safe_name(raw: str, *, limit: int) -> str:
    """The shown name, made fit for every common file system; 1 to `limit` bytes of UTF-8.

    Never hidden, never an option, never a device. Applied to its own result it changes nothing.
    """
    name = _FORBIDDEN.sub("_", shown_name(raw))
    name = _HIDING_OR_OPTION.sub("_", name).rstrip(". ")
    name = _cut(name, limit)
    return _cut(f"_{name}", limit) if _DEVICE.fullmatch(name) else name


def stored_name(session_id: str, at: datetime, raw: str, *, copy: int = 0) -> str:
    """`<sessionId>_<time>_<safe name>` in at most 255 bytes; `copy` above 0 tells names that clash apart.

    Raises ValueError if `at` has no time zone.
    """
    prefix = f"{session_id}_{_stamp(at)}_"
    mark = f"-{copy}" if copy else ""
    stem, suffix = _split(safe_name(raw, limit=_LONGEST - len(prefix.encode()) - len(mark)))
    return f"{prefix}{stem}{mark}{suffix}"


def extension(name: str) -> str:
    """What follows the last dot, in lower case and as it will stand on the disk; "" if there is none."""
    return _split(shown_name(name).rstrip(". "))[1][1:].lower()


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # nearly all names: a tenth of the time (a session may announce a thousand)
    text = "".join(filter(_is_visible, _BLANK.sub(" ", text)))
    # Twice: composing decides what a joiner stands beside, and a joiner decides what composes.
    text = _STRAY_JOINER.sub("", unicodedata.normalize("NFC", text))
    return _BLANK.sub(" ", unicodedata.normalize("NFC", text)).strip()


def _is_visible(char: str) -> bool:
    if char in _JOINERS:
        return True
    point = ord(char)
    noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
    return not (noncharacter or char in _UNSEEN_LETTERS or unicodedata.category(char) in ("Cc", "Cf", "Cs"))


def _split(name: str) -> tuple[str, str]:
    """Stem and suffix with its dot. `.htaccess`, `Mr. Smith` and `...` are all stem."""
    stem, dot, suffix = name.rpartition(".")
    if not stem.strip(".") or not suffix or " " in suffix or len(suffix.encode()) > _LONGEST_SUFFIX:
        return name, ""
    return stem, dot + suffix


def _cut(name: str, limit: int) -> str:
    if len(name.encode()) <= limit:
        return name
    stem, suffix = _split(name)
    room = limit - len(suffix.encode())
    if room < 1:
        stem, suffix, room = name, "", limit
    return (_shorten(stem, room) or _NAMELESS[:room]) + suffix


def _shorten(text: str, room: int) -> str:
    """The longest beginning of a too long `text` that fits, not ended inside a character as people see it."""
    end = whole = len(text.encode()[:room].decode(errors="ignore"))
    while end > 0 and _belongs_together(text[end - 1], text[end]):
        end -= 1
    # Nothing but marks, piled up to break layouts: no character to respect.
    return text[: end or whole].rstrip(f". {_JOINERS}")


def _belongs_together(before: str, after: str) -> bool:
    skin_tone = "\U0001f3fb" <= after <= "\U0001f3ff"
    return skin_tone or before in _JOINERS or after in _JOINERS or unicodedata.category(after).startswith("M")


def _stamp(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("a stored name needs a time with a time zone")
    utc = at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return utc.replace(":", "-").replace(".", "_") + "Z"
