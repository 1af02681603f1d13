"""What a client may say over the WebSocket, one function each. A new command is one entry of the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from handlers.follower import Follower
from handlers.sessions import reason_of
from station.channel import progress_message
from station.deletion import MONITOR
from station.errors import Refused
from station.station import Station


class Put(Protocol):
    """Sends one message to this client."""

    def __call__(self, name: str, data: Mapping[str, Any], seq: int | None = None) -> None: ...


class Commands:
    """The commands of one connection. Each raises Refused for what cannot be done.

    `is_operator`: whether the connection was opened by the person who runs the box.
    """

    def __init__(self, station: Station, follower: Follower, put: Put) -> None:
        self._station = station
        self._follower = follower
        self._put = put
        self.is_operator = False

    async def join(self, data: Any) -> None:
        fields = {"sessionId": data} if isinstance(data, str) else _object(data)
        last, epoch = fields.get("lastSeq"), fields.get("epoch")
        if last is not None and (not isinstance(last, int) or isinstance(last, bool) or last < 0):
            raise Refused("VALIDATION_ERROR", "lastSeq must be a whole number")
        if epoch is not None and not isinstance(epoch, str):
            raise Refused("VALIDATION_ERROR", "epoch must be a text")
        await self._follower.join(_session_id(fields), last, epoch)

    async def leave(self, data: Any) -> None:
        fields = {"sessionId": data} if isinstance(data, str) else _object(data)
        session_id = _session_id(fields)
        self._follower.leave(session_id)
        left = {"sessionId": session_id, "timestamp": self._station.clock().stamp}
        self._put("session-left", left, await self._told_up_to(session_id))

    async def _told_up_to(self, session_id: str) -> int | None:
        """The number of the session's last lifecycle event; None if there is no such session."""
        try:
            return (await self._station.sessions.picture(session_id)).seq
        except Refused:
            return None

    async def cancel(self, data: Any) -> None:
        fields = _object(data)
        await self._station.orders.cancel(_session_id(fields), _file_id(fields), reason_of(fields.get("reason")))

    async def pause(self, data: Any) -> None:
        fields = _object(data)
        await self._station.orders.pause(_session_id(fields), _file_id(fields))

    async def resume(self, data: Any) -> None:
        fields = _object(data)
        await self._station.orders.resume(_session_id(fields), _file_id(fields))

    async def update(self, data: Any) -> None:
        """The present state at once: of one file, or of the file that moves or moved last."""
        fields = _object(data)
        if fields.get("requestUpdate") is not True:
            raise Refused("VALIDATION_ERROR", "upload-progress from a client needs requestUpdate: true")
        picture = await self._station.sessions.picture(_session_id(fields))
        file_id = _file_id(fields)
        if file_id is not None and file_id not in picture.files:
            raise Refused("FILE_NOT_FOUND")
        message = progress_message(picture, file_id or picture.busiest, self._station.clock().stamp)
        self._follower.put(message)

    async def join_monitor(self, data: Any) -> None:
        """How the station does, now and every other second."""
        if not self.is_operator:
            raise Refused("UNAUTHORIZED")
        self._follower.watch(MONITOR, self._station.monitor.message("monitor-joined"))

    async def leave_monitor(self, data: Any) -> None:
        self._follower.leave(MONITOR)
        self._put("monitor-left", {"timestamp": self._station.clock().stamp})


class Command:
    """The table of commands."""

    TABLE: Mapping[str, Callable[[Commands, Any], Awaitable[None]]] = MappingProxyType(
        {
            "join-session": Commands.join,
            "leave-session": Commands.leave,
            "upload-cancel": Commands.cancel,
            "upload-pause": Commands.pause,
            "upload-resume": Commands.resume,
            "upload-progress": Commands.update,
            "join-monitor": Commands.join_monitor,
            "leave-monitor": Commands.leave_monitor,
        }
    )

    @classmethod
    def named(cls, name: str) -> Callable[[Commands, Any], Awaitable[None]]:
        """Raises VALIDATION_ERROR for a name that no command has."""
        if name not in cls.TABLE:
            raise Refused("VALIDATION_ERROR", f"events from clients are: {', '.join(cls.TABLE)}")
        return cls.TABLE[name]


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Refused("VALIDATION_ERROR", "data must be an object")
    return data


def _session_id(fields: dict[str, Any]) -> str:
    session_id = fields.get("sessionId")
    if not isinstance(session_id, str):
        raise Refused("VALIDATION_ERROR", "sessionId must be a text")
    return session_id


def _file_id(fields: dict[str, Any]) -> str | None:
    file_id = fields.get("fileId")
    if file_id is not None and not isinstance(file_id, str):
        raise Refused("VALIDATION_ERROR", "fileId must be a text")
    return file_id
