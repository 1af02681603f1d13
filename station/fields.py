"""Header fields as values: structured fields (RFC 9651), digests (RFC 9530), and the name of a file (RFC 6266).

The only module that knows http-sf. It knows nothing of uploads, nor what a malformed field means to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_to_bytes

import http_sf

# The longest value that we understand has 150 characters. The parser is linear, but takes 74 ms for 64 KiB.
_LONGEST_FIELD = 1024
_LONGEST_DISPOSITION = 8192
_LARGEST_INTEGER = 10**15 - 1

_DIGESTS: Mapping[str, tuple[str, int]] = MappingProxyType({"sha-256": ("sha256", 32), "sha-512": ("sha512", 64)})
"""Our names of algorithms, and how many bytes they give. RFC 9530 deprecates the others that are registered."""

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}")
# Possessive, and matched from where the last one ended: linear whatever is sent.
_PARAMETER = re.compile(rf';[ \t]*+(?:({_TOKEN})[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.)*+)"[ \t]*+|([^";]*+)))?(?=;|\Z)')


def integer(text: str | None) -> int | None:
    """An Item that is an Integer from 0; None if it is anything else."""
    value = _item(text)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def boolean(text: str | None) -> bool | None:
    """An Item that is a Boolean; None if it is anything else."""
    value = _item(text)
    return value if isinstance(value, bool) else None


def digests(text: str) -> dict[str, bytes]:
    """What a Content-Digest or Repr-Digest promises, by our names. Raises ValueError for what cannot be checked."""
    promised = {}
    for name, value in _dictionary(text).items():
        ours, length = _DIGESTS.get(name, ("", 0))
        if not isinstance(value, bytes) or len(value) != length:
            raise ValueError("an unknown algorithm, or no digest of it")
        promised[ours] = value
    return promised


def wanted(text: str) -> tuple[str, ...]:
    """The algorithms of a Want-Repr-Digest that we have, by our names, the dearest first. It is but a wish."""
    try:
        weights = _dictionary(text)
    except ValueError:
        return ()
    known = {ours: weights[name] for name, (ours, _) in _DIGESTS.items() if name in weights}
    liked = {name: weight for name, weight in known.items() if type(weight) is int and 0 < weight <= 10}
    return tuple(sorted(liked, key=lambda name: -liked[name]))


def written(value: bool | int | Mapping[str, int]) -> str:
    """As a Boolean, an Integer or a Dictionary of Integers; numbers past the largest Integer are cut to it."""
    if isinstance(value, bool):
        return http_sf.ser(value)
    if isinstance(value, int):
        return http_sf.ser(min(value, _LARGEST_INTEGER))
    return http_sf.ser({name: min(number, _LARGEST_INTEGER) for name, number in value.items()})


def written_digests(digests: Mapping[str, bytes]) -> str | None:
    """As a Repr-Digest; None if there is none that RFC 9530 has a name for."""
    named = {name: digests[ours] for name, (ours, _) in _DIGESTS.items() if ours in digests}
    return http_sf.ser({**named}) if named else None


def media_type(text: str) -> str:
    """The type of a Content-Type, without parameters and in lower case; "" if there is none."""
    kind = text.partition(";")[0].strip(" \t").lower()
    return kind if len(kind) <= 255 and _MEDIA_TYPE.fullmatch(kind) else ""


def filename(disposition: str) -> str:
    """The name in a Content-Disposition as it was meant, not made safe; "" if none can be read."""
    parameters = _parameters(disposition) if len(disposition) <= _LONGEST_DISPOSITION else {}
    return _extended(parameters.get("filename*", "")) or _utf8(parameters.get("filename", ""))


def _item(text: str | None) -> object:
    try:
        return None if text is None else _parsed(text, "item")[0]
    except ValueError:
        return None


def _dictionary(text: str) -> dict[str, object]:
    return {name: value for name, (value, _) in _parsed(text, "dictionary").items()}


def _parsed(text: str, kind: str) -> Any:
    """Raises ValueError."""
    if len(text) > _LONGEST_FIELD:
        raise ValueError("too long to be anything that is understood here")
    return http_sf.parse(text.encode("latin-1"), tltype=kind)


def _parameters(text: str) -> dict[str, str]:
    """Up to the first that cannot be read; of two with one name the first."""
    found: dict[str, str] = {}
    at = len(text.partition(";")[0])
    while match := _PARAMETER.match(text, at):
        at = match.end()
        name, quoted, plain = match.groups()
        if name is not None:
            # Of escapes only those that must be: a hand-made `C:\dir\a.txt` keeps its backslashes.
            value = plain.strip(" \t") if quoted is None else re.sub(r'\\(["\\])', r"\1", quoted)
            found.setdefault(name.lower(), value)
    return found


def _extended(value: str) -> str:
    """RFC 8187: charset, language, and bytes as percent signs tell them."""
    charset, _, rest = value.partition("'")
    coded = rest.partition("'")[2]
    if charset.lower() not in ("utf-8", "iso-8859-1"):
        return ""
    try:
        return unquote_to_bytes(coded).decode(charset)
    except ValueError:
        return ""


def _utf8(text: str) -> str:
    """Header fields are read as ISO 8859-1, but a name beyond ASCII is sent in UTF-8 by everybody alive."""
    try:
        return text.encode("latin-1").decode()
    except ValueError:
        return text
