"""Sessions over HTTP: limits, validating, opening, cancelling, pausing, resuming and completing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers.access import demand_pin, is_asked
from handlers.base import Base, verb
from station.errors import Problem, Refused
from station.session import Session
from station.settling import Terms

_LONGEST_REASON = 200  # characters


@dataclass(frozen=True)
class Announced:
    """One entry of `files`: what a client says of a file before it sends it."""

    name: str
    size: int | None

    @classmethod
    def read(cls, value: Any) -> Announced:
        """Raises VALIDATION_ERROR."""
        if not isinstance(value, dict):
            raise Refused("VALIDATION_ERROR", "each of files must be an object")
        name, size = value.get("name"), value.get("size")
        if not isinstance(name, str) or not name.strip():
            raise Refused("VALIDATION_ERROR", "each of files needs a name")
        if size is not None and not _is_count(size):
            raise Refused("VALIDATION_ERROR", "size must be a whole number of bytes")
        return cls(name, size)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _entries(body: dict[str, Any]) -> list[Any] | None:
    files = body.get("files")
    if files is not None and not isinstance(files, list):
        raise Refused("VALIDATION_ERROR", "files must be a list")
    return files


class Limits(Base):
    @verb
    async def get(self) -> None:
        config = self.station.config
        self.send_json(
            {
                "categories": config.categories,
                "allowedTypes": self.station.dock.formats.allowed,
                "maxFiles": config.max_files,
                "maxFileSize": config.max_file_size,
                "maxRetries": config.max_retries,
                "retryGrace": config.retry_grace,
                "progressInterval": config.progress_interval,
                "progressStep": config.progress_step,
                "progressMaxSilence": config.progress_max_silence,
                "transports": ["websocket", "sse", "polling"],
                "language": config.language,
                "contact": config.contact,
                "pinRequired": is_asked(self),
                "checksum": config.checksum,
                "uploadExpiry": config.upload_expiry,
                "kioskIdle": config.kiosk_idle,
            }
        )


class Validate(Base):
    @verb
    async def post(self) -> None:
        entries = _entries(self.json_body())
        if not entries:
            raise Refused("NO_FILES")
        results = [{"index": index, **self._verdict(entry)} for index, entry in enumerate(entries)]
        if len(entries) > self.station.config.max_files:
            raise Refused("TOO_MANY_FILES", f"at most {self.station.config.max_files}")
        valid = all(result["valid"] for result in results)
        self.send_json({"valid": valid, "files": results, "timestamp": self.station.clock().stamp})

    def _verdict(self, entry: Any) -> dict[str, Any]:
        try:
            announced = Announced.read(entry)
            problem = self.station.dock.judge(announced.name, announced.size)
        except Refused as refused:
            problem = refused.problem
        return {"valid": problem is None, "errors": [] if problem is None else [problem.pushed(self.language)]}


class OpenSession(Base):
    @verb
    async def post(self) -> None:
        demand_pin(self)
        body = self.json_body()
        announced = self._announced(body)
        channel = await self.station.sessions.open(
            _text(body, "category"), self._terms(body, announced), announced or ()
        )
        session, config, stamp = channel.session, self.station.config, self.station.clock().stamp
        answer = {
            "sessionId": session.id,
            "category": session.category,
            "uploadPath": f"/upload/{session.category}",
            "maxFiles": config.max_files,
            "allowedTypes": self.station.dock.formats.allowed,
            "maxFileSize": config.max_file_size,
            "createdAt": stamp,
            "timestamp": stamp,
        }
        if announced is not None:
            answer["files"] = _file_ids(session)
        self.set_header("Location", f"/s/{session.id}")
        self.send_json(answer, 201)

    def _announced(self, body: dict[str, Any]) -> list[tuple[str, int | None]] | None:
        entries = _entries(body)
        if entries is None:
            return None
        files = [Announced.read(entry) for entry in entries]
        for file in files:
            if (problem := self.station.dock.judge(file.name, file.size)) is not None:
                raise Refused(problem.code, f"{file.name}: {problem.details}")
        return [(file.name, file.size) for file in files]

    def _terms(self, body: dict[str, Any], announced: list[Any] | None) -> Terms:
        expected, auto = body.get("expectedFiles"), body.get("autoComplete", True)
        if expected is not None and (not _is_count(expected) or expected < 1):
            raise Refused("VALIDATION_ERROR", "expectedFiles must be a whole number above zero")
        if not isinstance(auto, bool):
            raise Refused("VALIDATION_ERROR", "autoComplete must be true or false")
        if announced:
            expected = len(announced) if expected is None else expected
            if expected < len(announced):
                raise Refused("VALIDATION_ERROR", "expectedFiles is less than the files announced")
        if expected is not None and expected > self.station.config.max_files:
            raise Refused("TOO_MANY_FILES", f"at most {self.station.config.max_files}")
        return Terms(expected=expected, auto_complete=auto)


def _file_ids(session: Session) -> list[dict[str, Any]]:
    return [
        {"fileId": file.id, "name": file.name, "size": file.size, "status": str(file.status)}
        for file in session.files.values()
    ]


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused("VALIDATION_ERROR", f"{name} must be a text")
    return value


def reason_of(value: Any) -> str:
    """The reason of a cancel, as given, within bounds. Raises VALIDATION_ERROR."""
    if value is None:
        return "user"
    if not isinstance(value, str) or not value.isprintable():
        raise Refused("VALIDATION_ERROR", "reason must be a text of one line")
    return value[:_LONGEST_REASON] or "user"


class Cancel(Base):
    @verb
    async def post(self, session_id: str) -> None:
        body = self.json_body()
        count = await self.station.orders.cancel(session_id, _text(body, "fileId"), reason_of(body.get("reason")))
        self.send_json(
            {
                "success": True,
                "sessionId": session_id,
                "cancelledFiles": count,
                "message": Problem("UPLOAD_CANCELLED").row.message(self.language),
                "timestamp": self.station.clock().stamp,
            }
        )


class Pause(Base):
    """As `upload-pause` over the WebSocket: one file, or all that can rest."""

    @verb
    async def post(self, session_id: str) -> None:
        await self.station.orders.pause(session_id, _text(self.json_body(), "fileId"))
        self.send_json(_done(self, session_id))


class Resume(Base):
    """The opposite."""

    @verb
    async def post(self, session_id: str) -> None:
        await self.station.orders.resume(session_id, _text(self.json_body(), "fileId"))
        self.send_json(_done(self, session_id))


def _done(handler: Base, session_id: str) -> dict[str, Any]:
    return {"success": True, "sessionId": session_id, "timestamp": handler.station.clock().stamp}


class Complete(Base):
    @verb
    async def post(self, session_id: str) -> None:
        count = await self.station.orders.complete(session_id)
        picture = await self.station.sessions.picture(session_id)
        stamp = self.station.clock().stamp
        answer = {"success": True, "sessionId": session_id, "cancelledFiles": count, "timestamp": stamp}
        self.send_json({**answer, "overallStatus": picture.overall_status})
