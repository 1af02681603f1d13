"""What the versions of the IETF draft say differently: names of fields, keys of limits, statuses, demands.

A table, and the few fields that read or write differently by it. What a request asks for is the affair of `ietf`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from station.fields import boolean, integer, written
from station.resumption import Ask, Limits, Standing

VERSION = "Upload-Draft-Interop-Version"


@dataclass(frozen=True, slots=True)
class Dialect:
    """`version`: what a 104 echoes; None: none may be sent.

    `inverse`: it has Upload-Incomplete. `typed`: an append must be of the media type. `added`: status of the answer
    to a part. `age`: the key in Upload-Limit for the time left, None before there was that field. `bare`: it is an
    error to ask for the offset with fields that tell one. `progress`: a 104 may tell of bytes that have come.
    """

    version: int | None
    inverse: bool
    typed: bool
    added: int
    age: str | None
    bare: bool
    progress: bool

    @property
    def completeness(self) -> str:
        return "Upload-Incomplete" if self.inverse else "Upload-Complete"

    def last(self, ask: Ask) -> bool | None:
        """Whether the request's content is all the rest; None if no field says so.

        The other dialects' name for it counts too if its own is missing: a part must not pass for the whole.
        """
        complete = boolean(ask.fields.get("upload-complete"))
        incomplete = boolean(ask.fields.get("upload-incomplete"))
        other = None if incomplete is None else not incomplete
        first, second = (other, complete) if self.inverse else (complete, other)
        return second if first is None else first

    def complete(self, complete: bool) -> dict[str, str]:
        return {self.completeness: written(complete != self.inverse)}

    def limit(self, limits: Limits, standing: Standing | None) -> dict[str, str]:
        """What holds for an upload, or for any; no field where the dialect has none."""
        if self.age is None:
            return {}
        age = limits.age if standing is None or standing.lasts is None else max(0, int(standing.lasts))
        return {"Upload-Limit": written({"max-size": limits.max_size, "min-size": 0, self.age: age})}


# fmt: off
_TABLE = (
    #       version inverse typed  added age        bare   progress
    Dialect(3,      True,  False, 201,  None,      True,  False),  # -01: iOS 17
    Dialect(4,      False, False, 201,  None,      True,  False),  # -02
    Dialect(5,      False, False, 201,  None,      True,  True),   # -03: iOS 18.0, tus-js-client
    Dialect(6,      False, True,  201,  "expires", True,  True),   # -04, -05: iOS 18.1, tus-js-client
    Dialect(7,      False, True,  204,  "max-age", False, True),   # -06 to -08
    Dialect(8,      False, True,  204,  "max-age", False, True),   # -09 to -11: iOS 26
    Dialect(9,      False, True,  204,  "max-age", False, True),   # -12
    Dialect(10,     False, True,  204,  "max-age", False, True),   # -13
    Dialect(None,   False, True,  204,  "max-age", False, False),  # whoever tells none, or none we know
)
# fmt: on
DIALECTS: Mapping[int | None, Dialect] = MappingProxyType({dialect.version: dialect for dialect in _TABLE})


def version_of(ask: Ask) -> int | None:
    """The interop version that the client speaks; None if it tells none, or none that is known here."""
    version = integer(ask.fields.get(VERSION.lower()))
    return version if version in DIALECTS else None


def speaks(ask: Ask) -> bool:
    """Whether the request is of this protocol at all."""
    return not {VERSION.lower(), "upload-complete", "upload-incomplete"}.isdisjoint(ask.fields)
