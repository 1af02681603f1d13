"""Speaking with clients of resumable uploads: which protocol a request speaks, and how answers are written.

Knows the fields of HTTP and the words of `resumption`; carries out nothing.
"""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import Any

from tornado.iostream import StreamClosedError

from handlers.base import Base
from station.berth import Berth
from station.digest import ALGORITHMS
from station.errors import Problem, Refused
from station.ietf import language_of, speaks
from station.resumption import Answer, Ask, Create, Language, Limits, Standing, Wish
from station.station import Station
from station.tus import CHECKSUM_MISMATCH, Tus

_TUS_ONLY = {"tus-resumable", "upload-concat", "upload-defer-length", "upload-checksum"}
_TUS_CONTENT = "application/offset+octet-stream"
_SENT = (
    "Content-Disposition, Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, Upload-Defer-Length, "
    "Upload-Concat, Upload-Checksum, Upload-Complete, Upload-Incomplete, Upload-Draft-Interop-Version, Content-Digest, "
    "Repr-Digest, Want-Repr-Digest, X-HTTP-Method-Override, X-Requested-With, X-Request-ID, Origin"
)
_READ = (
    "Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, Upload-Offset, Upload-Length, "
    "Upload-Metadata, Upload-Defer-Length, Upload-Concat, Upload-Expires, Upload-Complete, "
    "Upload-Incomplete, Upload-Limit, Repr-Digest, X-File-Id"
)
_INTERIM_EVERY = 1.0  # seconds between two 104s of one request: more than ten 1xx break some clients


class Speaking(Base):
    """`berth`: the upload that is spoken of, once it is known; `wish`: what was understood."""

    exposed = _READ

    def initialize(self, station: Station) -> None:
        super().initialize(station)
        config = station.config
        self._limits = Limits(config.max_file_size, int(config.upload_expiry), ALGORITHMS)
        self._interim_at = 0.0
        self.told_where = False
        """Whether the client has been told, by a 104, where its upload is."""
        self.protocol: Language = Tus(self._limits)
        self.wish: Wish | None = None
        self.berth: Berth | None = None

    @cached_property
    def ask(self) -> Ask:
        """The request as the protocols look at it. Not to be looked at before the method is settled."""
        fields = {name.lower(): value for name, value in self.request.headers.items()}
        length = fields.get("content-length", "")
        return Ask(
            method=self.request.method or "",
            fields=fields,
            upload=bool(self.path_args),
            content_length=int(length) if length.isdecimal() else None,
            chunked="transfer-encoding" in fields,
        )

    def spoken(self) -> Language:
        """A request says which protocol it speaks; what says nothing is only asked about, or an ordinary upload."""
        ask, names = self.ask, self.ask.fields.keys()
        draft = language_of(ask, self._limits)
        if "tus-resumable" not in names and (speaks(ask) or ask.method == "DELETE"):
            return draft
        only_tus = not _TUS_ONLY.isdisjoint(names) or ask.fields.get("content-type") == _TUS_CONTENT
        return Tus(self._limits) if only_tus or ask.method in {"HEAD", "GET"} or "upload-length" in names else draft

    def told(self) -> Answer:
        """Where the upload is, in the words of both protocols if the request is in neither's."""
        answer = self.protocol.told(self.standing())
        if "tus-resumable" in self.ask.fields or speaks(self.ask):
            return answer
        draft = language_of(self.ask, self._limits).told(self.standing())
        return Answer(answer.status, {**draft.fields, **answer.fields})

    # -- answers

    def standing(self) -> Standing:
        assert self.berth is not None
        return self.berth.upload.standing(self.station.clock())

    def say_interim(self, *, first: bool = False) -> None:
        """A 104: where the upload is, or how much of it is safe. Never after the final answer has begun."""
        now = self.station.clock().mono
        creates = isinstance(self.wish, Create)
        if not first and (now - self._interim_at < _INTERIM_EVERY or (creates and not self.told_where)):
            return
        fields = None if self.berth is None else self.protocol.interim(self.standing(), first=first)
        stream = self.request.connection.stream  # type: ignore[union-attr]
        if fields is None or self._headers_written or self.request.version != "HTTP/1.1" or stream.closed():
            return
        self._interim_at = now
        lines = ["HTTP/1.1 104 Upload Resumption Supported", *(f"{name}: {text}" for name, text in fields.items())]
        try:
            stream.write("\r\n".join([*lines, "", ""]).encode("latin1"))
            self.told_where = True
        except StreamClosedError:
            return

    def send(self, answer: Answer, body: dict[str, Any] | None = None) -> None:
        self._put(answer)
        if body is not None:
            self.send_json(body, answer.status)
        else:
            self.clear_header("Content-Type")

    def _put(self, answer: Answer) -> None:
        self.set_status(answer.status)
        for name, text in answer.fields.items():
            self.set_header(name, text)

    async def snapshot(self, session_id: str | None, file_id: str | None) -> dict[str, Any] | None:
        """A stored file as other ways of sending answer it."""
        try:
            picture = await self.station.sessions.picture(session_id or "")
        except Refused:
            return None
        file = picture.files.get(file_id or "")
        return None if file is None else {"sessionId": session_id, "link": f"/s/{session_id}", **file.drawn()}

    def compute_etag(self) -> None:
        """None: an answer without a body would always have the same, and an offset must not be "not modified"."""

    def describe(self) -> None:
        """Both protocols at once: whoever asks need not say which it will speak. Whoever does has the last word."""
        draft = language_of(Ask("OPTIONS", {}, upload=False), self._limits)
        for language in (Tus(self._limits), draft, self.protocol):
            self._put(language.described())
        self.set_header("Allow", ", ".join(self.verbs))
        self.allow_origin(_SENT)
        self.clear_header("Content-Type")

    def answer_to(self, problem: Problem) -> tuple[int, dict[str, Any]]:
        answer = self._refusal(problem)
        return answer.status, {**answer.members, **self.error_body(problem)}

    def _refusal(self, problem: Problem) -> Answer:
        standing = self.standing() if self.berth is not None else None
        over = self.berth is not None and self.berth.upload.gone is not None
        return self.protocol.refused(problem, standing, self.wish, over=over)

    def instead(self) -> Answer | None:
        """What a request that was ended without a problem is answered with."""
        return None

    def write_problem(self) -> None:
        assert self.problem is not None
        if (kindly := self.instead()) is not None:
            self.send(kindly)
            if kindly.status != HTTPStatus.NO_CONTENT:
                self.set_header("Content-Length", "0")
            return
        answer = self._refusal(self.problem)
        super().write_problem()
        for name, text in answer.fields.items():
            self.set_header(name, text)
        if answer.status == CHECKSUM_MISMATCH:
            self.set_status(answer.status, "Checksum Mismatch")
        if answer.members:
            self.set_header("Content-Type", "application/problem+json")
