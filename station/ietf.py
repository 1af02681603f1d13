"""Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload), all its dialects in the field, as pure decisions.

Reads header fields into the words of `resumption` and writes answers from them; carries nothing out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from station.dialect import DIALECTS, VERSION, speaks, version_of
from station.errors import Problem, Refused
from station.fields import digests, filename, integer, media_type, wanted, written, written_digests
from station.metadata import read_metadata
from station.resumption import Answer, Append, Ask, Checks, Create, Describe, Kind, Limits, Remove, Standing, Tell, Wish

__all__ = ["Draft", "language_of", "speaks", "version_of"]

_PARTIAL = "application/partial-upload"
_PROBLEM_TYPES = "https://iana.org/assignments/http-problem-types#"
_STATE = frozenset(("upload-offset", "upload-complete", "upload-incomplete", "upload-length"))


def language_of(ask: Ask, limits: Limits) -> Draft:
    """The draft as the sender of this request speaks it."""
    version = version_of(ask)
    says_nothing = DIALECTS[version].last(ask) is None
    ordinary = not ask.upload and ask.method in ("POST", "PUT") and says_nothing
    return Draft(limits, version, ordinary=ordinary)


class Draft:
    """`version` None: the newest shapes, and never a 104. `ordinary`: it answers a client that asked for nothing
    resumable, and so does not know the protocol's fields."""

    def __init__(self, limits: Limits, version: int | None, *, ordinary: bool = False) -> None:
        self._limits = limits
        self._dialect = DIALECTS[version]
        self._ordinary = ordinary

    def understand(self, ask: Ask) -> Wish:
        if ask.method == "OPTIONS":
            return Describe()
        if not ask.upload:
            return self._creation(ask)
        match ask.method:
            case "PATCH":
                return self._append(ask)
            case "HEAD" | "GET":
                return self._tell(ask)
            case "DELETE":
                return Remove()
        raise Refused("METHOD_NOT_ALLOWED")

    def _creation(self, ask: Ask) -> Create:
        last = self._dialect.last(ask)
        if ask.method not in ("POST", "PUT") and (ask.method != "PATCH" or last is None):
            raise Refused("METHOD_NOT_ALLOWED")
        # Absent or invalid: the request is an upload like any other, and its content is all of it.
        last = last is not False
        length = _length(ask, 0, last=last)
        if length is None:  # otherwise it is judged where the session is known, which is told of the refusal
            self._fit(_content(ask) or 0)
        told = {"filename": filename(ask.fields.get("content-disposition", "")), "filetype": _media_type(ask)}
        if told["filetype"] == _PARTIAL:
            del told["filetype"]  # tus-js-client says so at the creation too, where it should name the file's type
        # tus-js-client speaks of the file in tus's words in its draft modes, too.
        metadata = ask.fields.get("upload-metadata", "")
        words = read_metadata(metadata)
        return Create(
            length,
            told=words | {name: text for name, text in told.items() if text},
            metadata=metadata if words else None,
            takes_content=True,
            # tus-js-client creates an empty file with `?0` and a length, and takes the answer for the end of it.
            last=last or length == 0,
            checks=_checks(ask, whole=_promised(ask, "Repr-Digest")),
        )

    def _append(self, ask: Ask) -> Append:
        if self._dialect.typed and _media_type(ask) != _PARTIAL:
            raise Refused("UNSUPPORTED_MEDIA_TYPE", f"Content-Type must be {_PARTIAL}.")
        offset = integer(ask.fields.get("upload-offset"))
        last = self._dialect.last(ask)
        if offset is None:
            raise Refused("VALIDATION_ERROR", "Upload-Offset must be a whole number.")
        if last is None:
            raise Refused("VALIDATION_ERROR", f"{self._dialect.completeness} must be ?0 or ?1.")
        # A Repr-Digest would be of the content of this request, which is all that a PATCH represents.
        return Append(offset, _length(ask, offset, last=last), last, _checks(ask, whole={}))

    def _tell(self, ask: Ask) -> Tell:
        if self._dialect.bare and not _STATE.isdisjoint(ask.fields):
            raise Refused("VALIDATION_ERROR", "A request for the offset must not tell one.")
        return Tell()

    def _fit(self, size: int) -> None:
        if size > self._limits.max_size:
            raise Refused("FILE_SIZE_EXCEEDED")

    def allow(self, wish: Append, ask: Ask, standing: Standing) -> bool:
        if standing.kind is Kind.FINAL:
            raise Refused("NOT_APPENDABLE")
        # Before everything that is particular to the offset: whoever is at the wrong one gets told the right one.
        if wish.offset != standing.offset:
            raise Refused("OFFSET_MISMATCH")
        length = wish.length if standing.length is None else standing.length
        end = wish.offset + (_content(ask) or 0)
        if length is not None and (end > length or wish.length not in (None, length)):
            raise Refused("LENGTH_MISMATCH")
        if standing.complete:
            # Content whose length is not told may be none (curl, from a pipe); the answer waits for its end.
            if wish.last and not _content(ask):
                return False
            raise Refused("LENGTH_MISMATCH")
        if standing.length is None:
            self._fit(max(end, length or 0))
        return True

    def created(self, standing: Standing) -> Answer:
        fields = self._where(standing)
        if not self._ordinary:
            fields["Location"] = standing.location
            fields |= {} if standing.complete else self._limit(standing)
        return Answer(201, fields)

    def appended(self, standing: Standing) -> Answer:
        return Answer(200 if standing.complete else self._dialect.added, self._where(standing))

    def told(self, standing: Standing) -> Answer:
        # Early dialects had no Upload-Length; tus-js-client needs it in each to see that it is done.
        length = {} if standing.length is None else {"Upload-Length": written(standing.length)}
        return Answer(204, self._where(standing) | length | self._limit(standing) | {"Cache-Control": "no-store"})

    def removed(self) -> Answer:
        return Answer(204)

    def described(self) -> Answer:
        # 200: Apple's background uploads take nothing else.
        return Answer(200, self._limit(None) | {"Accept-Patch": _PARTIAL})

    def refused(self, problem: Problem, standing: Standing | None, wish: Wish | None, *, over: bool = False) -> Answer:
        status, mismatch = problem.row.status, problem.code == "OFFSET_MISMATCH"
        fields = {"Accept-Patch": _PARTIAL} if problem.code == "UNSUPPORTED_MEDIA_TYPE" else {}
        if self._ordinary:
            return Answer(status, fields)
        # Not with every 409: one with `?0` makes a client go on, and a session that is over would hear of it again.
        if over or mismatch or status == 400:
            fields |= self._dialect.complete(over)
        if mismatch and standing is not None:
            fields["Upload-Offset"] = written(standing.offset)
        if problem.code == "FILE_SIZE_EXCEEDED":
            fields |= self._limit(standing)
        return Answer(status, fields, _members(problem, standing, wish))

    def interim(self, standing: Standing, *, first: bool) -> Mapping[str, str] | None:
        version = self._dialect.version
        if self._ordinary or version is None or not (first or self._dialect.progress):
            return None
        fields = {VERSION: written(version)}
        if first:
            return fields | {"Location": standing.location} | self._limit(standing)
        return fields | {"Upload-Offset": written(standing.offset)}

    def _where(self, standing: Standing) -> dict[str, str]:
        fields = {}
        if not self._ordinary:
            fields = {"Upload-Offset": written(standing.offset)} | self._dialect.complete(standing.complete)
        if standing.complete and (known := written_digests(standing.digests)):
            fields["Repr-Digest"] = known
        return fields

    def _limit(self, standing: Standing | None) -> dict[str, str]:
        return self._dialect.limit(self._limits, standing)


def _content(ask: Ask) -> int | None:
    """Bytes of the request's content; None if only its end will tell."""
    return None if ask.chunked else ask.content_length or 0


def _length(ask: Ask, offset: int, *, last: bool) -> int | None:
    """Of the whole, as this request tells or implies it. Raises Refused if it says two things."""
    told, content = integer(ask.fields.get("upload-length")), _content(ask)
    if content is None:
        return told
    end = offset + content
    if told is not None and (end > told or (last and end < told)):
        raise Refused("LENGTH_MISMATCH", "Upload-Length does not agree with the length of the content.")
    return end if last else told


def _media_type(ask: Ask) -> str:
    return media_type(ask.fields.get("content-type", ""))


def _checks(ask: Ask, *, whole: Mapping[str, bytes]) -> Checks:
    return Checks(_promised(ask, "Content-Digest"), whole, wanted(ask.fields.get("want-repr-digest", "")))


def _promised(ask: Ask, name: str) -> dict[str, bytes]:
    try:
        return digests(ask.fields.get(name.lower(), ""))
    except ValueError:
        raise Refused("VALIDATION_ERROR", f"{name} must be of sha-256 or sha-512 (RFC 9530).") from None


def _members(problem: Problem, standing: Standing | None, wish: Wish | None) -> dict[str, Any]:
    title = problem.row.message("en")
    match problem.code:
        case "LENGTH_MISMATCH":
            return {"type": f"{_PROBLEM_TYPES}inconsistent-upload-length", "title": title}
        case "OFFSET_MISMATCH":
            members: dict[str, Any] = {"type": f"{_PROBLEM_TYPES}mismatching-upload-offset", "title": title}
            members |= {} if standing is None else {"expected-offset": standing.offset}
            return members | ({"provided-offset": wish.offset} if isinstance(wish, Append) else {})
    return {}
