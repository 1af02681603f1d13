"""One file as told so far, and the sentences that progress messages carry. Part of the picture of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from station.progress import percent

Data = Mapping[str, Any]

SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "pending": ("等待上传", "Waiting for files"),
        "uploading": ("正在上传：已完成 {done}/{all} 个文件", "Uploading: {done} of {all} files done"),
        "paused": ("已暂停：已完成 {done}/{all} 个文件", "Paused: {done} of {all} files done"),
        "completed": ("上传完成：已保存 {done}/{all} 个文件", "Upload completed: {done} of {all} files stored"),
        "failed": ("上传失败", "The upload failed"),
        "cancelled": ("上传已取消", "The upload was cancelled"),
    }
)


@dataclass
class FilePicture:
    """One file as told so far."""

    id: str
    name: str
    total: int | None = None
    estimated: bool = False
    status: str = "pending"
    attempt: int = 0
    progress: float = 0.0
    uploaded: int = 0
    speed: float = 0
    remaining: int | None = None
    path: str | None = None
    error: Data | None = None
    retries: int = 0
    can_retry: bool | None = None
    """Whether a failed file may be sent again; None unless it failed. Who joins late has no other way to know."""
    retry_until: str | None = None

    @property
    def known_progress(self) -> float:
        """What the bytes say, where no progress message has said it."""
        return percent(self.uploaded, self.total, exact=not self.estimated) if self.uploaded else 0.0

    def drawn(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "id": self.id,
            "originalName": self.name,
            "status": self.status,
            "progress": self.progress,
            "uploadedBytes": self.uploaded,
            "totalBytes": self.total,
            "uploadSpeed": self.speed,
            "retryCount": self.retries,
        }
        if self.estimated:
            out["estimated"] = True
        if self.path is not None:
            out["uploadPath"] = self.path
        if self.error is not None:
            out["error"] = self.error
        if self.can_retry is not None:
            out["canRetry"] = self.can_retry
        if self.retry_until is not None:
            out["retryUntil"] = self.retry_until
        return out

    def drawn_as_current(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "originalName": self.name,
            "progress": self.progress,
            "status": self.status,
            "uploadSpeed": self.speed,
            "estimatedTimeRemaining": self.remaining,
        }
