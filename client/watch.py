"""`upload-station watch`: tells what happens in a session, as lines for people or as the messages themselves."""

from __future__ import annotations

import sys
from typing import Any

from client import wire
from client.address import Place
from client.faults import GaveUp, Refusal
from client.following import Following
from client.link import Link
from client.opening import Opening
from client.options import Settings
from client.patience import Patience, Timing
from client.shown import amount, printable
from client.words import Words

COMPLETED, FAILED, UNREACHABLE = 0, 1, 3


class Watching:
    def __init__(self, settings: Settings, link: Link, place: Place, timing: Timing) -> None:
        self._settings, self._link, self._place, self._timing = settings, link, place, timing
        self._words = Words(settings.language)
        self._names: dict[str, str] = {}
        self._joined = False
        self._status = ""

    async def run(self) -> int:
        """The exit status."""
        patience = Patience(self._settings.patience, self._timing)
        try:
            opened = await Opening(self._link, self._words, patience, "").session(self._place, (), "")
            self._session_id = opened.session_id
            since = 0 if self._settings.history else None
            following = Following(self._link, opened.session_id, self._told, since=since)
            following.on_break = lambda error: self._complain("reconnecting", why=self._why(error))
            await following.run(patience)
        except Refusal as refusal:
            print(self._why(refusal), file=sys.stderr)
            return FAILED
        except GaveUp as end:
            self._complain("unreachable", base=self._link.base, why=self._why(end.__cause__))
            return UNREACHABLE
        return COMPLETED if self._status == "completed" else FAILED

    def _why(self, fault: BaseException | None) -> str:
        return printable(self._words.why(fault))

    def _complain(self, key: str, **fields: object) -> None:
        print(self._words(key, **fields), file=sys.stderr, flush=True)

    def _told(self, message: dict[str, Any]) -> None:
        data = message["data"]
        self._status = str(data.get("overallStatus") or self._status)
        for entry in data.get("files") or []:
            self._names[str(entry.get("id"))] = str(entry.get("originalName"))
        line = wire.dumps(message) if self._settings.json else self._line(message["event"], data)
        self._joined = True
        if line:
            print(line, flush=True)

    def _line(self, event: str, data: dict[str, Any]) -> str:
        """For people; "" for what says nothing new to them."""
        fields = self._fields(data)
        match event:
            case "session-joined" if self._joined and not data.get("resync"):
                return ""
            case "session-joined":
                total = len(data.get("files") or [])
                link = self._place.link(self._session_id)
                return self._words("joined", link=link, total=total, **fields)
            case "upload-started" if data.get("resumedFrom"):
                return self._words("upload-started-again", at=amount(data["resumedFrom"]), **fields)
            case "upload-progress" if not data.get("fileId") or self._status in {"completed", "failed", "cancelled"}:
                return ""
            case "upload-cancelled" if not data.get("fileId"):
                return self._words("session-cancelled", **fields)
            case "session-completed":
                counts = data.get("summary") or {}
                names = {"done": "completedFiles", "failed": "failedFiles", "cancelled": "cancelledFiles"}
                return self._words(event, **{key: counts.get(name) for key, name in names.items()})
            case "upload-started" | "upload-progress" | "upload-completed" | "upload-failed" | "session-error":
                return self._words(event, **fields)
            case "upload-cancelled":
                return self._words(event, **fields)
        return ""

    def _fields(self, data: dict[str, Any]) -> dict[str, object]:
        name = data.get("fileName") or self._names.get(str(data.get("fileId")), "")
        if data.get("fileName"):
            self._names[str(data.get("fileId"))] = str(name)
        size = data.get("fileSize")
        return {
            "name": printable(str(name)),
            "size": "?" if size is None else amount(size),
            "path": printable(str(data.get("uploadPath") or "")),
            "why": self._why(Refusal.told(data.get("error"))),
            "reason": printable(str(data.get("reason") or "")),
            "progress": data.get("progress"),
            "speed": amount(data.get("speed") or 0),
            "status": data.get("overallStatus"),
            "done": data.get("completedFiles"),
        }
