"""A pushed message as one line of a table: its number, its name, and of its fields those that matter. Pure."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable
from typing import Any

LIFECYCLE = {
    "upload-started",
    "upload-completed",
    "upload-failed",
    "upload-cancelled",
    "session-completed",
    "session-error",
}
_SHOWN: dict[str, tuple[str, ...]] = {
    "session-joined": ("seq", "currentSeq", "overallStatus", "resync"),
    "upload-started": ("file", "fileSize", "estimated", "attempt", "resumedFrom"),
    "upload-progress": ("file", "progress", "overallStatus"),
    "upload-completed": ("file", "fileSize"),
    "upload-failed": ("file", "code", "canRetry", "retryCount", "uploadedBytes"),
    "upload-cancelled": ("file", "reason", "uploadedBytes"),
    "session-completed": ("completedFiles", "failedFiles", "cancelledFiles", "uploadedSize"),
    "session-error": ("code", "action", "files"),
    "error": ("event", "code"),
}


class Letters:
    """Gives files the letters a, b, c in the order in which they are named first."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}

    def __call__(self, file_id: str) -> str:
        return self._given.setdefault(file_id, string.ascii_lowercase[len(self._given) % 26])


def line(message: dict[str, Any], letter: Callable[[str], str]) -> str:
    name, data = message["event"], message["data"]
    number = str(message["seq"]) if name in LIFECYCLE else "-"
    values = {**data, **data.get("summary", {}), "code": data.get("error", {}).get("code")}
    if data.get("fileId"):
        values["file"] = letter(data["fileId"])
    if "affectedFiles" in data:
        values["files"] = ",".join(map(letter, data["affectedFiles"]))
    shown = [f"{key}={_plain(values[key])}" for key in _SHOWN[name] if values.get(key) is not None]
    return " ".join((number, name, *shown))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def lifecycle(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if message["event"] in LIFECYCLE]
