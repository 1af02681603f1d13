"""The fields of tus that have a grammar: `Upload-Metadata`, `Upload-Checksum`, and `Upload-Concat` of a final upload.

Pure: text in, plain values out. Which keys mean something and which parts there are is not known here.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from types import MappingProxyType

from station.errors import Refused

LONGEST = 8 * 1024
"""Characters of `Upload-Metadata` as it came; they are kept as long as the upload, and told with every HEAD."""

DIGEST_BYTES = MappingProxyType({"sha1": 20, "sha256": 32, "sha512": 64, "md5": 16, "crc32": 4, "blake3": 32})

# tus asks for ASCII without space and comma. Without control characters too: the field is echoed as it came.
_KEY = re.compile(r"[!-+\--~]+")

_VISIBLE = re.compile(r"[!-~]+")  # echoed as well
_QUERY = re.compile(r"[?#]")


def read_metadata(raw: str) -> dict[str, str]:
    """Each key and its text; a key without a value has "". Raises Refused.

    A text is what UTF-8 makes of the value, with U+FFFD where it makes nothing. A field with nothing in it has no keys.
    """
    if len(raw) > LONGEST:
        raise Refused("VALIDATION_ERROR", f"Upload-Metadata may have {LONGEST} characters")
    if not raw.strip(" \t"):
        return {}
    told: dict[str, str] = {}
    for pair in raw.split(","):
        key, _, value = pair.strip(" \t").partition(" ")
        if not _KEY.fullmatch(key):
            raise Refused("VALIDATION_ERROR", "a key of Upload-Metadata is empty or not plain ASCII")
        if key in told:
            raise Refused("VALIDATION_ERROR", "Upload-Metadata names a key twice")
        told[key] = _decoded(value, "a value of Upload-Metadata").decode(errors="replace")
    return told


def read_checksum(text: str, digest_bytes: Mapping[str, int]) -> dict[str, bytes]:
    """The one algorithm and its digest. `digest_bytes`: algorithms taken, and how long theirs are. Raises Refused."""
    algorithm, _, value = text.partition(" ")
    if algorithm not in digest_bytes:
        raise Refused("VALIDATION_ERROR", f"Upload-Checksum must be of: {', '.join(digest_bytes)}")
    digest = _decoded(value, "the digest of Upload-Checksum")
    if len(digest) != digest_bytes[algorithm]:
        raise Refused("VALIDATION_ERROR", f"a digest of {algorithm} has {digest_bytes[algorithm]} bytes")
    return {algorithm: digest}


def read_parts(concat: str) -> tuple[str, ...]:
    """The ids in `final;<address> <address> …`, in order; one may come twice. Raises Refused."""
    word, _, text = concat.partition(";")
    addresses = [address for address in text.split(" ") if address]
    if word != "final" or not addresses:
        raise Refused("VALIDATION_ERROR", "Upload-Concat must be `partial`, or `final;` and the addresses of the parts")
    return tuple(map(_id, addresses))


def _id(address: str) -> str:
    # Scheme, host and folders may be those of a proxy in front; the last segment is ours.
    part = _QUERY.split(address, maxsplit=1)[0].rstrip("/").rpartition("/")[2]
    if not (part and _VISIBLE.fullmatch(address)):
        raise Refused("VALIDATION_ERROR", "an address in Upload-Concat cannot be read")
    return part


def _decoded(text: str, what: str) -> bytes:
    # Padded, and nothing else in it: what two readers could take differently is refused.
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise Refused("VALIDATION_ERROR", f"{what} is not base64") from None
