"""What became of each file of a run, what that makes of the run, and its summary. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from client.carrying import Parcel
from client.faults import Broken, Refusal
from client.picture import Picture

STORED, FAILED, UNREACHABLE, INTERRUPTED = 0, 1, 3, 130


class Account:
    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self.parcels: list[Parcel] = []
        """Each file that can be read."""
        self.faults: dict[str, Exception] = {}
        """By the path of the file."""
        self.gave_up: Refusal | Broken | None = None

    @property
    def has_open_ends(self) -> bool:
        """There are files that can be gone on with."""
        return bool(self.undecided())

    def undecided(self) -> list[str]:
        """The paths of what is neither stored nor failed."""
        return [each.source.path for each in self.parcels if not each.done and each.source.path not in self.faults]

    def status(self) -> int:
        """The exit status."""
        if isinstance(self.gave_up, Broken):
            return UNREACHABLE
        done = self.parcels and all(parcel.done for parcel in self.parcels)
        return STORED if done and not self.faults else FAILED

    def summary(self, session_id: str, link: str, status: int, words: Callable[[Exception], str]) -> dict[str, Any]:
        """`words`: a fault in a sentence, without its details."""
        ours = {parcel.source.path for parcel in self.parcels}
        files = [self._outcome(parcel, words) for parcel in self.parcels]
        files += [{"path": path, **_failed(fault, words)} for path, fault in self.faults.items() if path not in ours]
        return {
            "sessionId": session_id or None,
            "link": link or None,
            "exitStatus": status,
            "completed": sum(parcel.done for parcel in self.parcels),
            "failed": len(self.faults),
            "files": files,
        }

    def _outcome(self, parcel: Parcel, words: Callable[[Exception], str]) -> dict[str, Any]:
        source, told = parcel.source, self._picture.file(parcel.file_id)
        outcome = {"path": source.path, "name": source.name, "size": source.size, "fileId": parcel.file_id or None}
        if parcel.done:
            return {**outcome, "status": "completed", "uploadPath": told.path}
        if source.path in self.faults:
            return {**outcome, **_failed(self.faults[source.path], words)}
        return {**outcome, "status": "unfinished", "uploadedBytes": told.stored}


def _failed(fault: Exception, words: Callable[[Exception], str]) -> dict[str, Any]:
    error = {"code": "NETWORK_ERROR" if isinstance(fault, Broken) else "FILE_UNREADABLE", "message": words(fault)}
    if isinstance(fault, Refusal):
        more = {"details": fault.details, "solution": fault.solution}
        error |= {"code": fault.code, **{name: text for name, text in more.items() if text}}
    return {"status": "failed", "error": error}
