"""What has been told of a session: the fold of its published events, from which snapshots and progress are drawn.

It folds the wire form, so that a live session and one read back from the journal give the same picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from station.events import Progress
from station.portrait import SENTENCES, Data, FilePicture


@dataclass
class Picture:
    """One session as told so far; `seq` is the number of the last lifecycle event in it."""

    session_id: str
    category: str
    language: str
    epoch: str
    expected: int | None = None
    seq: int = 0
    files: dict[str, FilePicture] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)
    """How many files there are of each status: asked for with every message, and a session may hold a thousand."""
    cancelled: bool = False
    summary: Data | None = None
    last_file: str | None = None
    updated: str = ""

    def announce(self, file_id: str, name: str, total: int | None) -> None:
        file = self.files[file_id] = FilePicture(file_id, name, total)
        self.tally[file.status] += 1

    def fold(self, name: str, data: Data, seq: int) -> None:
        """Take in one lifecycle event in its wire form."""
        FOLDS[name](self, data)
        self.seq = seq

    def advance(self, told: Progress) -> None:
        """Take in where a file stands. An older state than the one already drawn changes nothing."""
        file = self.files[told.file_id]
        if told.uploaded < file.uploaded:
            return
        self._mark(file, told.status)
        file.progress = max(file.progress, told.progress)
        file.speed, file.remaining = told.speed, told.remaining
        file.uploaded, file.total, file.estimated = told.uploaded, told.total, told.estimated
        self.updated = told.timestamp

    @property
    def settled(self) -> bool:
        return self.summary is not None

    def count(self, status: str) -> int:
        return self.tally[status]

    @property
    def total_files(self) -> int:
        """With those that were announced by their number only."""
        return max(self.expected or 0, len(self.files))

    @property
    def overall_status(self) -> str:
        """A session that is still open is never `completed`, `failed` or `cancelled` (clients hang up on those)."""
        done, failed = self.count("completed"), self.count("failed")
        if self.settled:
            if self.cancelled:
                return "cancelled"
            return "completed" if done else "failed" if failed else "cancelled"
        if self.count("paused") and not self.count("uploading"):
            return "paused"
        return "pending" if all(file.attempt == 0 for file in self.files.values()) else "uploading"

    @property
    def total_progress(self) -> float:
        """By bytes where all sizes are known, else by files; files that cannot be stored any more do not count."""
        if self.overall_status == "completed":
            return 100.0
        files = [file for file in self.files.values() if file.status != "cancelled" and file.can_retry is not False]
        unseen = self.total_files - len(self.files)
        sizes = [file.total for file in files if file.total is not None and not file.estimated]
        if not files:
            return 0.0
        if len(sizes) < len(files) or unseen or not sum(sizes):
            return round(sum(file.progress for file in files) / (len(files) + unseen), 2)
        return sum(file.uploaded for file in files) * 10_000 // sum(sizes) / 100

    @property
    def remaining(self) -> int | None:
        """Whole seconds until all known files are here, by the present speeds; None while that is not known."""
        moving = [file for file in self.files.values() if file.status == "uploading"]
        waiting = [file for file in self.files.values() if file.status in {"pending", "paused"}]
        if self.settled or not (moving or waiting):
            return 0
        known = [file.remaining for file in moving if file.remaining is not None]
        speed = sum(file.speed for file in moving)
        left = sum(file.total - file.uploaded for file in waiting if file.total is not None)
        if len(known) < len(moving) or not moving or (left and not speed):
            return None
        return max(known) + (round(left / speed) if left else 0)

    @property
    def busiest(self) -> str | None:
        """The file that best stands for the session: one that moves, else the one that ended last."""
        return next((file.id for file in self.files.values() if file.status == "uploading"), self.last_file)

    def snapshot(self, timestamp: str) -> dict[str, Any]:
        """The contract's snapshot. `timestamp`: now."""
        out: dict[str, Any] = {
            "sessionId": self.session_id,
            "category": self.category,
            "overallStatus": self.overall_status,
            "totalProgress": self.total_progress,
            "completedFiles": self.count("completed"),
            "failedFiles": self.count("failed"),
            "cancelledFiles": self.count("cancelled"),
            "estimatedTimeRemaining": self.remaining,
            "files": [file.drawn() for file in self.files.values()],
            "seq": self.seq,
            "epoch": self.epoch,
            "lastUpdate": self.updated,
            "timestamp": timestamp,
        }
        if self.summary is not None:
            out["summary"] = self.summary
        return out

    def progress_of(self, file_id: str | None, timestamp: str) -> dict[str, Any]:
        """The data of an `upload-progress`; without a file, that of the one that ended last."""
        status = self.overall_status
        file = self.files.get(file_id or self.last_file or "")
        words = SENTENCES[status][not self.language.startswith("zh")]
        return {
            "sessionId": self.session_id,
            "fileId": file.id if file else None,
            "progress": file.progress if file else 0,
            "speed": file.speed if file else 0,
            "uploadedBytes": file.uploaded if file else 0,
            "totalBytes": file.total if file else 0,
            **({"estimated": True} if file and file.estimated else {}),
            "timestamp": timestamp,
            "estimatedTimeRemaining": self.remaining,
            "overallStatus": status,
            "totalProgress": self.total_progress,
            "completedFiles": self.count("completed"),
            "failedFiles": self.count("failed"),
            "message": words.format(done=self.count("completed"), all=self.total_files),
            "currentFile": file.drawn_as_current() if file else None,
        }

    def _file(self, data: Data) -> FilePicture:
        if data["fileId"] not in self.files:  # nameless: cancelled before its first byte
            self.announce(data["fileId"], data.get("fileName", ""), None)
        return self.files[data["fileId"]]

    def _mark(self, file: FilePicture, status: str) -> None:
        self.tally[file.status] -= 1
        self.tally[status] += 1
        file.status, file.can_retry, file.retry_until = status, None, None

    def _end(self, file: FilePicture, status: str, at: str) -> None:
        self._mark(file, status)
        file.speed, file.remaining = 0, None
        self.last_file, self.updated = file.id, at


def _started(picture: Picture, data: Data) -> None:
    file = picture._file(data)
    if file.status == "failed":
        file.retries += 1  # the attempt that failed is an earlier one now
    picture._mark(file, "uploading")
    file.attempt = data["attempt"]
    file.total, file.estimated = data["fileSize"], data.get("estimated", False)
    file.uploaded = data.get("resumedFrom", 0)
    file.progress, file.speed, file.remaining, file.error = file.known_progress, 0, None, None
    picture.updated = data["startTime"]


def _completed(picture: Picture, data: Data) -> None:
    file = picture._file(data)
    file.progress, file.path = 100.0, data["uploadPath"]
    file.uploaded = file.total = data["fileSize"]
    file.estimated, file.error = False, None
    picture._end(file, "completed", data["endTime"])


def _failed(picture: Picture, data: Data) -> None:
    file = picture._file(data)
    file.error, file.retries = data["error"], data["retryCount"]
    file.uploaded = data.get("uploadedBytes", file.uploaded)  # journals of the first version have none
    file.progress = max(file.progress, file.known_progress)
    picture._end(file, "failed", data["failedAt"])
    file.can_retry, file.retry_until = data["canRetry"], data.get("retryUntil")


def _cancelled(picture: Picture, data: Data) -> None:
    picture.updated = data["cancelledAt"]
    if "fileId" not in data:
        picture.cancelled = True
        return
    file = picture._file(data)
    file.uploaded = data["uploadedBytes"]
    file.progress = max(file.progress, file.known_progress)
    picture._end(file, "cancelled", data["cancelledAt"])


def _settled(picture: Picture, data: Data) -> None:
    picture.summary, picture.updated = data["summary"], data["endTime"]


def _faulted(picture: Picture, data: Data) -> None:
    picture.updated = data["timestamp"]


FOLDS: Mapping[str, Callable[[Picture, Data], None]] = MappingProxyType(
    {
        "upload-started": _started,
        "upload-completed": _completed,
        "upload-failed": _failed,
        "upload-cancelled": _cancelled,
        "session-completed": _settled,
        "session-error": _faulted,
    }
)
