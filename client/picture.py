"""What a session's messages add up to, for the one who sends: where each file stands. Knows no transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from client.faults import Refusal

ENDED = {"completed", "failed", "cancelled"}
LIFECYCLE = {
    "upload-started",
    "upload-completed",
    "upload-failed",
    "upload-cancelled",
    "session-completed",
    "session-error",
}


@dataclass
class Told:
    """One file. `stored`: bytes that the station has. `pauses`: how often it was said to be at rest. `problem`: its
    last."""

    name: str = ""
    size: int | None = None
    status: str = "pending"
    stored: int = 0
    pauses: int = 0
    path: str = ""
    problem: Refusal | None = None
    can_retry: bool = True
    checksum: tuple[str, str] | None = None
    """Algorithm and hexadecimal digits; None: not told."""

    @property
    def is_over(self) -> bool:
        """Nothing more will be said of it."""
        return self.status in {"completed", "cancelled"} or (self.status == "failed" and not self.can_retry)


class Picture:
    def __init__(self) -> None:
        self.files: dict[str, Told] = {}
        self.status = "pending"
        self.is_known = False
        """A snapshot has come."""
        self._contained = 0
        self._waiting: set[asyncio.Future[None]] = set()

    def take(self, message: dict[str, Any]) -> None:
        data, event = message["data"], message["event"]
        if event == "session-joined":
            self._draw(data)
        elif message.get("seq", 0) > self._contained or event not in LIFECYCLE:
            self._happened(event, data)
        if event == "upload-completed":
            self._sum(data)
        for each in tuple(self._waiting):
            if not each.done():
                each.set_result(None)

    async def until(self, test: Callable[[], bool]) -> None:
        """Returns once it is so, which is looked at after each message."""
        while not test():
            news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(news)
            try:
                await news
            finally:
                self._waiting.discard(news)

    def file(self, file_id: str) -> Told:
        return self.files.setdefault(file_id, Told())

    def _draw(self, snapshot: dict[str, Any]) -> None:
        for entry in snapshot.get("files") or []:
            file = self.file(str(entry.get("id")))
            file.name, file.size = str(entry.get("originalName") or ""), entry.get("totalBytes")
            self._rests(file, str(entry.get("status") or ""))
            file.stored = _count(entry.get("uploadedBytes"))
            file.path = str(entry.get("uploadPath") or "")
            file.can_retry = bool(entry.get("canRetry", True))
            file.problem = Refusal.told(entry["error"]) if entry.get("error") else file.problem
            if file.status == "cancelled" and (file.problem is None or file.problem.code != "UPLOAD_CANCELLED"):
                file.problem = Refusal("UPLOAD_CANCELLED")  # what was wrong before is not why it ended
        self.status, self.is_known = str(snapshot.get("overallStatus") or self.status), True
        self._contained = _count(snapshot.get("currentSeq")) or _count(snapshot.get("seq"))

    def _happened(self, event: str, data: dict[str, Any]) -> None:
        if not data.get("fileId"):
            self.status = str(data.get("overallStatus") or self.status)
            return
        file = self.file(str(data["fileId"]))
        file.name = str(data.get("fileName") or file.name)
        match event:
            case "upload-started":
                file.status, file.stored = "uploading", _count(data.get("resumedFrom"))
            case "upload-progress":
                self.status = str(data.get("overallStatus") or self.status)
                file.stored = _count(data.get("uploadedBytes"))
                self._rests(file, str((data.get("currentFile") or {}).get("status") or ""))
            case "upload-completed":
                file.status, file.path = "completed", str(data.get("uploadPath") or "")
                file.stored = _count(data.get("fileSize"))
            case "upload-failed":
                file.status, file.can_retry = "failed", bool(data.get("canRetry"))
                file.problem = Refusal.told(data.get("error"))
                file.stored = _count(data.get("uploadedBytes"))
            case "upload-cancelled":
                file.status = "cancelled"
                file.problem = Refusal("UPLOAD_CANCELLED", details=str(data.get("reason") or ""))

    def _rests(self, file: Told, status: str) -> None:
        file.pauses += status == "paused" != file.status
        file.status = status or file.status

    def _sum(self, data: dict[str, Any]) -> None:
        """Only events tell it, so one that is history counts too."""
        told = data.get("checksum")
        if isinstance(told, dict):
            self.file(str(data.get("fileId"))).checksum = str(told.get("algorithm")), str(told.get("value"))


def _count(value: object) -> int:
    """What is none counts as 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
