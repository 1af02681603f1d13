"""`POST /api/upload/batch`: files as multipart/form-data, streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.access import Admission
from handlers.base import verb
from handlers.result import shown_error, shown_file
from handlers.uploads import Uploading, session_named
from station.batch import BatchIntake
from station.errors import Problem, Refused
from station.intake import Receipt
from station.multipart import Decoder, MultipartProblem

_FIELDS = 64  # parts besides files: forms have a handful


class BatchUpload(Uploading):
    intake: BatchIntake | None

    async def decide(self) -> None:
        await super().decide()
        if self.request.method != "POST":
            return
        hint = session_named(self)
        kind = self.request.headers.get("Content-Type", "")
        if not kind.lower().startswith("multipart/form-data"):
            raise Refused("VALIDATION_ERROR", "the body must be multipart/form-data")
        try:
            decoder = Decoder(kind, max_parts=self.station.config.max_files + _FIELDS)
        except MultipartProblem as problem:
            raise Refused("VALIDATION_ERROR", problem.reason) from problem
        open_ones = self.station.sessions
        sessions = open_ones if hint is not None else Admission(self, open_ones)
        self.intake = BatchIntake(self.station.dock, sessions, self.content_length, decoder, hint)
        self.watch_over(self.intake)
        await self.intake.open()

    async def take(self, chunk: bytes) -> None:
        if self.intake is None:
            return  # OPTIONS may have a body too
        await self.intake.feed(chunk)
        problem = self.intake.problem
        if problem is not None and self.intake.hopeless:
            raise problem.refusal()

    @verb
    async def post(self) -> None:
        assert self.intake is not None
        self._finishing = True
        receipt = await self.intake.finish()
        if not receipt.stored:
            problem = receipt.problem
            raise problem.refusal() if problem else Refused("UPLOAD_FAILED")
        answer = self._answer(receipt)
        if self._wants_html():
            self.write(self._page(receipt, answer.get("error")))
        else:
            self.send_json(answer)

    def problem_page(self, answer: Mapping[str, Any]) -> bytes | None:
        if self.problem is None or not self._wants_html():
            return None
        receipt = self.intake.receipt if self.intake is not None else Receipt()
        error = {"code": self.problem.code, **{key: answer[key] for key in ("message", "details", "solution")}}
        return self._page(receipt, error)

    def answer_to(self, problem: Problem) -> tuple[int, dict[str, Any]]:
        """A body that broke after files of it were stored is answered with what was stored."""
        if self.intake is not None and self.intake.receipt.stored and not self._wants_html():
            return 200, self._answer(self.intake.receipt)
        return super().answer_to(problem)

    def _answer(self, receipt: Receipt) -> dict[str, Any]:
        assert receipt.channel is not None
        files = receipt.snapshots()
        answer: dict[str, Any] = {
            "success": receipt.problem is None and receipt.stored == len(files),
            "sessionId": receipt.channel.session.id,
            "files": files,
            "summary": receipt.summary(),
        }
        if receipt.problem is not None:
            answer["error"] = receipt.problem.pushed(self.language)
        return answer

    def _wants_html(self) -> bool:
        """A form without JavaScript: a browser's navigation asks for HTML first."""
        return self.request.headers.get("Accept", "").lower().lstrip().startswith("text/html")

    def _page(self, receipt: Receipt, error: Mapping[str, Any] | None) -> bytes:
        channel, contact = receipt.channel, self.station.config.contact
        files = [shown_file(file, self.language, contact) for file in receipt.snapshots()]
        return self.render_string(
            "result.html",
            files=files,
            summary=receipt.summary(),
            error=shown_error(error, files),
            lang=self.language,
            session_id=channel.session.id if channel is not None else None,
        )
