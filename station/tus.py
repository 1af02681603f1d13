"""tus 1.0.0 and all its extensions but trailers: what a request asks for, whether an append fits, how answers look.

Pure: header fields to the words of `resumption` and back. Who has the bytes, and what a part's id stands for, is not
known here; nor is `X-HTTP-Method-Override`, which was the method before it came here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus

from station.errors import Problem, Refused
from station.metadata import DIGEST_BYTES, read_checksum, read_metadata, read_parts
from station.resumption import Answer, Append, Ask, Checks, Create, Describe, Kind, Limits, Remove, Standing, Tell, Wish

VERSION = "1.0.0"
CONTENT = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation"
CHECKSUM_MISMATCH = 460
"""tus has a status of its own for it; HTTP has no words for that number."""

# Neither a sign nor another script's digits, both of which int() takes; of a hundred digits it makes a number at once.
_NUMBER = re.compile(r"[0-9]{1,100}")
_LARGEST = 2**63 - 1  # what the journal and the file system can count to


class Tus:
    """A `Language`. Raises KeyError if the limits name an algorithm whose digests it does not know."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._digest_bytes = {name: DIGEST_BYTES[name] for name in limits.algorithms}

    def understand(self, ask: Ask) -> Wish:
        if ask.method == "OPTIONS":
            return Describe()
        _demand_version(ask)
        match ask.upload, ask.method:
            case False, "POST":
                return self._creation(ask)
            case True, "PATCH":
                return self._append(ask)
            case True, "HEAD" | "GET":
                return Tell()
            case True, "DELETE":
                return Remove()
        raise Refused("METHOD_NOT_ALLOWED")

    def allow(self, wish: Append, ask: Ask, standing: Standing) -> bool:
        if standing.kind is Kind.FINAL:
            raise Refused("NOT_APPENDABLE")
        if wish.length is not None:
            _agree(wish.length, standing)
        if wish.offset != standing.offset:
            raise Refused("OFFSET_MISMATCH", f"the upload stands at {standing.offset}")
        length = wish.length if standing.length is None else standing.length
        _fit(ask, 0 if standing.complete else self._room(length) - standing.offset)
        # Content whose length is not told may be none: only reading shows whether it is more than the file has.
        return not standing.complete

    def created(self, standing: Standing) -> Answer:
        return _answer(HTTPStatus.CREATED, {"Location": standing.location} | _offset(standing) | _expiry(standing))

    def appended(self, standing: Standing) -> Answer:
        return _answer(HTTPStatus.NO_CONTENT, _offset(standing) | _expiry(standing))

    def told(self, standing: Standing) -> Answer:
        fields = {"Cache-Control": "no-store"} | _offset(standing)
        if standing.length is not None:
            fields["Upload-Length"] = str(standing.length)
        elif standing.kind is not Kind.FINAL:  # whose length follows from its parts, and is nobody's to tell later
            fields["Upload-Defer-Length"] = "1"
        if standing.metadata is not None:
            fields["Upload-Metadata"] = standing.metadata
        if standing.concat is not None:
            fields["Upload-Concat"] = standing.concat
        return _answer(HTTPStatus.OK, fields)

    def removed(self) -> Answer:
        return _answer(HTTPStatus.NO_CONTENT, {})

    def described(self) -> Answer:
        fields = {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(self._limits.max_size),
            "Tus-Checksum-Algorithm": ",".join(self._limits.algorithms),
        }
        return _answer(HTTPStatus.OK, fields)  # not 204: some browsers take that for a refusal when they ask for CORS

    def refused(self, problem: Problem, standing: Standing | None, wish: Wish | None, *, over: bool = False) -> Answer:
        status = CHECKSUM_MISMATCH if problem.code == "CHECKSUM_MISMATCH" else problem.row.status
        if status == HTTPStatus.PRECONDITION_FAILED:
            return _answer(status, {"Tus-Version": VERSION})
        return _answer(status, _offset(standing) if standing and status == HTTPStatus.CONFLICT else {})

    def interim(self, standing: Standing, *, first: bool) -> Mapping[str, str] | None:
        return None

    def _creation(self, ask: Ask) -> Create:
        kind, parts = _concat(ask)
        metadata = ask.fields.get("upload-metadata", "")
        told = read_metadata(metadata)
        create = Create(
            length=None,
            told=told,
            kind=kind,
            parts=parts,
            metadata=metadata if told else None,
            concat=ask.fields.get("upload-concat"),
        )
        if kind is Kind.FINAL:
            _demand_nothing_but_parts(ask)
            return create
        create = replace(create, length=self._first_length(ask, kind), takes_content=_has_content_type(ask))
        if not create.takes_content:
            return create
        _fit(ask, self._room(create.length))
        return replace(create, checks=self._checks(ask))

    def _append(self, ask: Ask) -> Append:
        if not _has_content_type(ask):
            raise Refused("UNSUPPORTED_MEDIA_TYPE", f"Content-Type must be {CONTENT}")
        offset = _number(ask, "Upload-Offset")
        if offset > _LARGEST:
            raise Refused("VALIDATION_ERROR", "Upload-Offset is too large")
        length = self._length(ask, self._limits.max_size) if "upload-length" in ask.fields else None
        return Append(offset, length, checks=self._checks(ask))

    def _first_length(self, ask: Ask, kind: Kind) -> int | None:
        deferred = ask.fields.get("upload-defer-length")
        if (deferred is None) is ("upload-length" not in ask.fields):
            raise Refused("VALIDATION_ERROR", "either Upload-Length or Upload-Defer-Length is needed")
        if deferred is None:
            # Too large a file of a session is told there: it is judged where the session is known.
            return self._length(ask, _LARGEST if kind is Kind.WHOLE else self._limits.max_size)
        if deferred != "1":
            raise Refused("VALIDATION_ERROR", "Upload-Defer-Length must be 1")
        return None

    def _length(self, ask: Ask, most: int) -> int:
        length = _number(ask, "Upload-Length")
        if length > most:
            raise Refused("FILE_SIZE_EXCEEDED", f"at most {self._limits.max_size} bytes")
        return length

    def _room(self, length: int | None) -> int:
        return self._limits.max_size if length is None else length

    def _checks(self, ask: Ask) -> Checks:
        promised = ask.fields.get("upload-checksum")
        return Checks() if promised is None else Checks(content=read_checksum(promised, self._digest_bytes))


def _demand_version(ask: Ask) -> None:
    # Without it, HEAD and GET are what a person at a command line sends; they change nothing.
    lenient = VERSION if ask.method in ("HEAD", "GET") else None
    if ask.fields.get("tus-resumable", lenient) != VERSION:
        raise Refused("UNSUPPORTED_VERSION", f"Tus-Resumable must be {VERSION}")


def _has_content_type(ask: Ask) -> bool:
    return ask.fields.get("content-type", "").partition(";")[0].strip(" \t").lower() == CONTENT


def _number(ask: Ask, name: str) -> int:
    text = ask.fields.get(name.lower(), "")
    if not _NUMBER.fullmatch(text):
        raise Refused("VALIDATION_ERROR", f"{name} must be a plain number")
    return int(text)


def _demand_nothing_but_parts(ask: Ask) -> None:
    if not ask.fields.keys().isdisjoint(("upload-length", "upload-defer-length")):
        raise Refused("VALIDATION_ERROR", "the length of a final upload follows from its parts")
    if ask.has_content:
        raise Refused("VALIDATION_ERROR", "a final upload is made of its parts, not of content")


def _concat(ask: Ask) -> tuple[Kind, tuple[str, ...]]:
    concat = ask.fields.get("upload-concat")
    if concat is None:
        return Kind.WHOLE, ()
    if concat == "partial":
        return Kind.PARTIAL, ()
    return Kind.FINAL, read_parts(concat)


def _agree(length: int, standing: Standing) -> None:
    if standing.length is not None and length != standing.length:
        raise Refused("LENGTH_MISMATCH", f"Upload-Length was {standing.length}")
    if length < standing.offset:
        raise Refused("LENGTH_MISMATCH", f"{standing.offset} bytes are here already")


def _fit(ask: Ask, room: int) -> None:
    if (ask.content_length or 0) > room:
        raise Refused("FILE_SIZE_EXCEEDED", f"at most {max(room, 0)} bytes more")


def _offset(standing: Standing) -> dict[str, str]:
    # A final upload has none until it is made (concatenation).
    known = standing.complete or standing.kind is not Kind.FINAL
    return {"Upload-Offset": str(standing.offset)} if known else {}


def _expiry(standing: Standing) -> dict[str, str]:
    return {} if standing.expires_at is None else {"Upload-Expires": formatdate(standing.expires_at, usegmt=True)}


def _answer(status: int, fields: Mapping[str, str]) -> Answer:
    return Answer(int(status), {"Tus-Resumable": VERSION, **fields})
