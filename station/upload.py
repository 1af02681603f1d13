"""One upload resource: what a client may go on with, and what is remembered when it cannot. Pure.

Its offset is what the journal has: bytes that are safe. How it is written, told and counted is known elsewhere.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from station.clock import Moment
from station.resumption import Checks, Kind, Standing


@dataclass
class Upload:
    """`id` also names its part file. `length`: of the whole, None while the client has not told it."""

    id: str
    length: int | None = None
    kind: Kind = Kind.WHOLE
    session_id: str | None = None
    file_id: str | None = None
    name: str = ""
    metadata: str | None = None
    concat: str | None = None
    parts: tuple[str, ...] = ()
    checks: Checks = field(default_factory=Checks)
    offset: int = 0
    closed: bool = False
    """All bytes are here: its length says so (tus), or the client did (draft)."""
    complete: bool = False
    """Stored. A partial is never stored, only closed."""
    gone: str | None = None
    """Why nothing more can come of it: expired, terminated, cancelled, failed, replaced, lost, joined."""
    final: str | None = None
    """Of a partial that was joined: the upload made of it."""
    digests: dict[str, bytes] = field(default_factory=dict)
    expires_at: float | None = None
    """Monotonic; None: not any more."""

    @property
    def over(self) -> bool:
        return self.complete or self.gone is not None

    @property
    def left(self) -> int | None:
        """Bytes still to come; None if not known."""
        return None if self.length is None else self.length - self.offset

    @property
    def further(self) -> tuple[str, ...]:
        """Algorithms of the digests that are needed of the whole, besides the storage's own."""
        return (*self.checks.whole, *self.checks.wanted)

    def standing(self, moment: Moment) -> Standing:
        expires = None if self.expires_at is None or self.over else self.expires_at
        lasts = None if expires is None else max(0.0, expires - moment.mono)
        return Standing(
            location=f"/files/{self.id}",
            offset=self.offset,
            length=self.length,
            complete=self.complete or (self.kind is Kind.PARTIAL and self.closed),
            kind=self.kind,
            metadata=self.metadata,
            concat=self.concat,
            expires_at=None if lasts is None else moment.wall + lasts,
            lasts=lasts,
            digests={name: self.digests[name] for name in self.checks.wanted if name in self.digests},
        )


_PLAIN = ("length", "session_id", "file_id", "name", "metadata", "concat", "closed", "complete", "gone", "final")


def keep_upload(upload: Upload) -> dict[str, Any]:
    """What the journal keeps besides the offset and the times."""
    return {
        **{name: getattr(upload, name) for name in _PLAIN},
        "kind": str(upload.kind),
        "parts": list(upload.parts),
        "whole": _texts(upload.checks.whole),
        "wanted": list(upload.checks.wanted),
        "digests": _texts(upload.digests),
    }


def upload_from(id: str, offset: int, expires_at: float | None, kept: Mapping[str, Any], moment: Moment) -> Upload:
    """`expires_at`: wall time, as the journal has it."""
    return Upload(
        id,
        offset=offset,
        kind=Kind(kept["kind"]),
        parts=tuple(kept["parts"]),
        checks=Checks(whole=_bytes(kept["whole"]), wanted=tuple(kept["wanted"])),
        digests=_bytes(kept["digests"]),
        expires_at=None if expires_at is None else expires_at - moment.wall + moment.mono,
        **{name: kept[name] for name in _PLAIN},
    )


def _texts(digests: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(value).decode() for name, value in digests.items()}


def _bytes(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {name: base64.b64decode(text) for name, text in texts.items()}
