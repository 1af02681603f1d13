"""What was said of the content of one append, and whether it is kept: how much there is, and its digests. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from station.digest import Digests
from station.errors import Problem
from station.upload import Upload

Broken = tuple[Problem, "Fate"]


class Fate(Enum):
    """What a problem means for the upload."""

    REST = auto()  # the bytes of this request were not taken; the upload stands where it stood
    FAIL = auto()  # the attempt ends; another may go on from what is safe
    YIELD = auto()  # it is about to be cancelled; what came is counted first
    LOSE = auto()  # nothing can come of the upload any more


class Promise:
    """`announced`: the size that the session was told beforehand. `last`: the content ends the upload; None: its length
    tells (tus). `limit`: bytes that no file may pass. `content`: digests of this request's content."""

    def __init__(
        self, upload: Upload, announced: int | None, last: bool | None, content: Mapping[str, bytes], limit: int
    ) -> None:
        self._upload, self._announced, self._last, self._limit = upload, announced, last, limit
        self._content = content
        self._start = upload.offset
        self.arrived = 0
        self.digests = Digests(content) if content else None
        """To be computed of the content, as it is written."""

    @property
    def _end(self) -> int:
        return self._start + self.arrived

    def take(self, count: int) -> Broken | None:
        """So many bytes more have come; what they break."""
        self.arrived += count
        length = self._upload.length
        if length is not None and self._end > length:
            if self._last is None:  # tus: not taken, and the upload stands where it stood
                return Problem("FILE_SIZE_EXCEEDED", f"{length} bytes were announced"), Fate.REST
            return Problem("LENGTH_MISMATCH", f"{length} bytes were announced"), Fate.LOSE
        if self._end > self._limit:
            return Problem("FILE_SIZE_EXCEEDED", f"at most {self._limit} bytes"), Fate.LOSE
        return None

    @property
    def all_here(self) -> bool:
        """Whether no byte of the file is missing, so far as its length is known."""
        return self._upload.length == self._end

    @property
    def closes(self) -> bool:
        """Whether nothing is missing, once the request has ended well."""
        return self._last or (self._last is None and self.all_here)

    def broken(self) -> Broken | None:
        """What the whole content breaks; a length that was not known is known then."""
        length, end = self._upload.length, self._end
        if self.digests is not None and not self.digests.agree(self._content):
            return Problem("CHECKSUM_MISMATCH"), Fate.REST
        if not self._last:
            return None
        if length is not None and end != length:
            return Problem("LENGTH_MISMATCH", f"{length} bytes were announced, {end} came"), Fate.LOSE
        if self._announced is not None and end != self._announced:
            return Problem("CHECKSUM_MISMATCH", f"{self._announced} bytes were announced, {end} came"), Fate.LOSE
        self._upload.length = end
        return None
