"""The page's own files, each compressed once, with no more in front of it than a browser needs.

A browser never asks again for a module that did not come, nor for one that imports it (whatwg/html#6768). So each is
here under `/static/again-<n>/` too. Knows nothing of what is in them.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tornado.web import HTTPError, StaticFileHandler

from handlers.answers import INERT_POLICY, WORKER_POLICY
from handlers.base import Base
from handlers.modules import needed
from station.station import Station

_PACKABLE = {".js", ".css", ".svg"}
# A page has fifty such answers. The policy says it, or there is nothing to say; the tag tells versions apart.
_NEEDLESS = ("Accept-Ranges", "Referrer-Policy", "X-Frame-Options", "X-Request-Id", "Last-Modified")
_NO_PAGES = {".js", ".css"}


class Copy(NamedTuple):
    """A file as it was at a moment. `mark`: time and length, `tag`: of the content."""

    mark: tuple[int, int]
    tag: str
    packed: bytes


class Copies:
    """What was read and compressed before: Vue alone takes 4 ms each time, many times that on a small computer."""

    def __init__(self) -> None:
        self._kept: dict[str, Copy] = {}

    def of(self, path: str) -> Copy:
        """The file as it is now; one that was changed is read anew."""
        told = Path(path).stat()
        mark = (told.st_mtime_ns, told.st_size)
        kept = self._kept.get(path)
        if kept is None or kept.mark != mark:
            whole = Path(path).read_bytes()
            kept = Copy(mark, hashlib.sha256(whole).hexdigest()[:16], gzip.compress(whole, mtime=0))
            self._kept[path] = kept
        return kept


class Static(Base, StaticFileHandler):
    """With the same errors as everything else."""

    def initialize(self, station: Station, path: str, copies: Copies) -> None:  # type: ignore[override]
        Base.initialize(self, station)
        StaticFileHandler.initialize(self, path)
        self._copies = copies

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        if "\0" in path:  # the system's calls raise for it
            raise HTTPError(404)
        return super().get_absolute_path(root, path)

    @property
    def _is_packed(self) -> bool:
        """Whether it goes compressed. A part of a file is a part of the plain one."""
        asked = self.request.headers
        packable = self.absolute_path is not None and Path(self.absolute_path).suffix in _PACKABLE
        return packable and "gzip" in asked.get("Accept-Encoding", "") and "Range" not in asked

    def _copy(self) -> Copy:
        assert self.absolute_path is not None
        return self._copies.of(self.absolute_path)

    def compute_etag(self) -> str | None:
        return None if self.absolute_path is None else f'"{self._copy().tag}{"-gz" if self._is_packed else ""}"'

    def get_content_size(self) -> int:
        return len(self._copy().packed) if self._is_packed else super().get_content_size()

    def get_content(  # type: ignore[override]
        self, abspath: str, start: int | None = None, end: int | None = None
    ) -> Iterable[bytes] | bytes:
        return self._copy().packed if self._is_packed else super().get_content(abspath, start, end)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")  # a new version of the station is seen at once
        for name in _NEEDLESS:
            self.clear_header(name)
        if self._is_packed:
            self.set_header("Content-Encoding", "gzip")
        if (policy := self._policy()) is not None:
            self.set_header("Content-Security-Policy", policy)
            return
        self.clear_header("Content-Security-Policy")
        self.clear_header("Cross-Origin-Resource-Policy")  # there is nothing in them that anybody may not read

    def _policy(self) -> str | None:
        """What is opened as a page could do nothing; scripts and styles are no pages, and there are sixty of them."""
        if self.absolute_path is None:
            return INERT_POLICY
        file = Path(self.absolute_path)
        if Path(self.root, "js", "worker") in file.parents:
            return WORKER_POLICY
        return None if file.suffix in _NO_PAGES else INERT_POLICY


class Again(Static):
    """A module under another address. What a page has already stays that: two Vues would know nothing of each other."""

    async def get(self, path: str, include_body: bool = True) -> None:
        address = f"/static/{path}"
        if address not in needed("js/main.js"):
            await super().get(path, include_body)
            return
        self.absolute_path = None
        self.set_header("Content-Type", "text/javascript")
        self.set_extra_headers(path)
        self.write(f"export * from '{address}'\n")
