"""What a multipart/form-data request may say about itself and about each of its parts (RFC 7578, RFC 2046).

Pure: reads header text that is already whole. Where a block begins and ends is the fence's affair.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# RFC 2046 allows 1 to 70 characters and a space anywhere but at the end. Browsers use 29 to 59, curl 40 to 48,
# requests 32, .NET and OkHttp 36, hand-written scripts six or more ("AaB03x"). Below four we say no: with
# one character, random bytes that look like a delimiter are to be expected within a few hundred gigabytes.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{3,69}[0-9A-Za-z'()+_,\-./:=?]")

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_HEADER_NAME = re.compile(_TOKEN)
# Browsers leave a backslash as it is, curl before 7.81 puts one before a quote: so `\"` is a quote within the
# value if the rest can be read that way, and otherwise a backslash and the end of it.
_PARAMETER = re.compile(
    rf';[ \t]*(?:({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\"?)*)"|([^\s;"]+))[ \t]*)?(?=;|\Z)',
)
_ESCAPED = re.compile(r'%22|%0D|%0A|\\"')
_MEANT = {"%22": '"', "%0D": "\r", "%0A": "\n", '\\"': '"'}

_AT_MOST_ONCE = frozenset(("content-disposition", "content-type", "content-length", "content-transfer-encoding"))
_PLAIN_ENCODINGS = frozenset(("", "7bit", "8bit", "binary"))
_SIZE = re.compile(r"[0-9]{1,18}")


class MultipartProblem(Exception):
    """The body is not valid multipart/form-data; `reason` is one plain sentence for whoever wrote the client."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Head:
    """The header block of one part. Without a `filename` it is a field; `size` is what the client declared."""

    name: str
    filename: str | None
    content_type: str | None
    size: int | None


def boundary_of(content_type: str) -> bytes:
    """The boundary that a request's Content-Type announces. Raises MultipartProblem."""
    kind = content_type.partition(";")[0]
    if kind.strip().lower() != "multipart/form-data":
        raise MultipartProblem("The request is not multipart/form-data.")
    boundary = _parameters(content_type[len(kind) :], "Content-Type").get("boundary")
    if boundary is None:
        raise MultipartProblem("The Content-Type names no boundary.")
    if not _BOUNDARY.fullmatch(boundary):
        raise MultipartProblem("The boundary must be 4 to 70 characters out of those that RFC 2046 allows.")
    return boundary.encode()


def head_of(block: bytes, *, max_lines: int) -> Head:
    """The meaning of a part's header block, given without the empty line after it. Raises MultipartProblem."""
    headers = _headers(block, max_lines)
    if headers.get("content-transfer-encoding", "").lower() not in _PLAIN_ENCODINGS:
        # To store base64 text under the name of a photo would be to tell an untruth (RFC 7578, 4.7).
        raise MultipartProblem("A part has a Content-Transfer-Encoding; send the bytes as they are.")
    kind, mark, rest = headers.get("content-disposition", "").partition(";")
    if kind.strip().lower() != "form-data":
        raise MultipartProblem("A part has no Content-Disposition of form-data.")
    parameters = _parameters(mark + rest, "Content-Disposition")
    if not parameters.get("name"):
        raise MultipartProblem("A part has no name.")
    filename = parameters.get("filename")
    if filename is None and "filename*" in parameters:
        # Ignoring it, as RFC 7578 asks, would make the file a field and lose it in silence.
        raise MultipartProblem("A part has filename* but no filename; RFC 7578 has no filename*.")
    size = headers.get("content-length", "")
    return Head(
        name=_unescaped(parameters["name"]),
        filename=None if filename is None else _unescaped(filename),
        content_type=headers.get("content-type") or None,
        size=int(size) if _SIZE.fullmatch(size) else None,
    )


def _headers(block: bytes, max_lines: int) -> dict[str, str]:
    lines = block.split(b"\r\n", max_lines)
    if len(lines) > max_lines:
        raise MultipartProblem(f"A part has more than {max_lines} header lines.")
    headers: dict[str, str] = {}
    for name, value in map(_header, lines):
        if name in headers and name in _AT_MOST_ONCE:
            raise MultipartProblem(f"A part has two headers {name}.")
        headers[name] = value
    return headers


def _header(line: bytes) -> tuple[str, str]:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise MultipartProblem("A part header is not valid UTF-8.") from None
    name, colon, value = text.partition(":")
    if not (colon and _HEADER_NAME.fullmatch(name)):
        raise MultipartProblem("A part header line is not of the form `Name: value`.")
    if not {"\r", "\n", "\0"}.isdisjoint(value):
        raise MultipartProblem("A part header holds a bare CR, LF or NUL.")
    return name.lower(), value.strip(" \t")


def _parameters(text: str, header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None:
            raise MultipartProblem(f"The parameters of a {header} cannot be read.")
        at = match.end()
        if match[1] is None:
            continue
        if match[1].lower() in found:
            raise MultipartProblem(f"A {header} has two parameters {match[1].lower()}.")
        found[match[1].lower()] = match[3] if match[2] is None else match[2]
    return found


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda match: _MEANT[match[0]], value)
