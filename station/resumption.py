"""The words that both resumable protocols use: what a request asks for, where an upload stands, what is answered. Pure.

`tus` and `ietf` translate between these and header fields; neither knows the other, nor anything of HTTP's machinery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from station.errors import Problem
from station.events import Way


class Kind(StrEnum):
    WHOLE = "whole"  # one file
    PARTIAL = "partial"  # tus: a piece that a final upload is made of; belongs to no session
    FINAL = "final"  # tus: made of partials


@dataclass(frozen=True)
class Ask:
    """One request. `fields`: its header fields, names in lower case, lines of one name joined with ", ".

    `upload`: it addresses an upload resource, not the collection. `content_length` None: not told (chunked, or none).
    """

    method: str
    fields: Mapping[str, str]
    upload: bool
    content_length: int | None = None
    chunked: bool = False

    @property
    def has_content(self) -> bool:
        return self.chunked or bool(self.content_length)


@dataclass(frozen=True)
class Checks:
    """Digests that were promised, by algorithm (`sha1`, `sha256`, `sha512`, `md5`, `crc32`, `blake3`), in raw bytes.

    `content`: of this request's content. `whole`: of the whole upload. `wanted`: to be told of the whole, at the end.
    """

    content: Mapping[str, bytes] = field(default_factory=dict)
    whole: Mapping[str, bytes] = field(default_factory=dict)
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Create:
    """Make an upload. `length`: of the whole, None if not known yet. `told`: names and texts from the client
    (`filename`, `filetype`, `sessionId`, `category`, `fileId`, `idempotencyKey`); `metadata`, `concat`: fields to be
    echoed as they came.

    `last`: this request's content is all the rest (draft); None: the length decides (tus). `parts`: ids of partials.
    """

    length: int | None
    told: Mapping[str, str] = field(default_factory=dict)
    kind: Kind = Kind.WHOLE
    parts: tuple[str, ...] = ()
    takes_content: bool = False
    last: bool | None = None
    checks: Checks = field(default_factory=Checks)
    metadata: str | None = None
    concat: str | None = None

    @property
    def way(self) -> Way:
        return Way.TUS if self.last is None else Way.IETF


@dataclass(frozen=True)
class Append:
    """Add content at `offset`. `length`: of the whole, where this request tells or implies it. `last`: as above."""

    offset: int
    length: int | None = None
    last: bool | None = None
    checks: Checks = field(default_factory=Checks)


@dataclass(frozen=True)
class Tell:
    """Say where the upload stands."""


@dataclass(frozen=True)
class Remove:
    """Forget the upload."""


@dataclass(frozen=True)
class Describe:
    """Say what can be done here, and within which limits."""


Wish = Create | Append | Tell | Remove | Describe


@dataclass(frozen=True)
class Standing:
    """Where an upload stands, to be told. `offset`: bytes that are safe. `complete`: over, and stored.

    `expires_at` is wall time, `lasts` the seconds until then; both None for what does not expire.
    `digests`: of the whole, once it is known.
    """

    location: str
    offset: int
    length: int | None = None
    complete: bool = False
    kind: Kind = Kind.WHOLE
    metadata: str | None = None
    concat: str | None = None
    expires_at: float | None = None
    lasts: float | None = None
    digests: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What holds for every upload. `age`: seconds an unfinished one is kept; `algorithms`: tus's names of digests."""

    max_size: int
    age: int
    algorithms: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """`members`: what a problem's body gets besides ours; with any, it is `application/problem+json` (RFC 9457)."""

    status: int
    fields: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)


class Language(Protocol):
    """One protocol. Everything it raises is Refused, whose problem `refused` then answers."""

    def understand(self, ask: Ask) -> Wish:
        """What the request asks for, as far as its header fields alone tell."""

    def allow(self, wish: Append, ask: Ask, standing: Standing) -> bool:
        """Whether to add the content; False: it is here already, tell the final answer again. Raises if neither."""

    def created(self, standing: Standing) -> Answer: ...

    def appended(self, standing: Standing) -> Answer: ...

    def told(self, standing: Standing) -> Answer: ...

    def removed(self) -> Answer: ...

    def described(self) -> Answer: ...

    def refused(self, problem: Problem, standing: Standing | None, wish: Wish | None, *, over: bool = False) -> Answer:
        """`standing`: where the upload is, if there is one. `over`: nothing more can come of it."""

    def interim(self, standing: Standing, *, first: bool) -> Mapping[str, str] | None:
        """Fields of a 104 while content is coming: at the creation (`first`) or as it grows. None: none is sent."""
