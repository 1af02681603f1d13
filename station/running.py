"""The sessions that are open, as one line each: drawn from what was told of them, and only anew when more was."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from typing import Any

from station.channel import Channel
from station.clock import Clock, rfc3339
from station.deletion import MONITOR
from station.history import NAMES
from station.hub import Hub

MOST = 100  # sessions that are shown as running


class Running:
    """`channels`: the open sessions, the newest last."""

    def __init__(self, channels: dict[str, Channel], hub: Hub, clock: Clock) -> None:
        self._channels, self._hub, self._clock = channels, hub, clock
        self._drawn: dict[str, tuple[tuple[object, ...], dict[str, Any]]] = {}

    def uploads(self) -> int:
        """Files whose bytes are coming in."""
        return sum(channel.picture.count("uploading") for channel in self._channels.values())

    def with_files(self) -> int:
        return sum(bool(channel.picture.files) for channel in self._channels.values())

    def waits(self, session_id: str, file_id: str) -> bool:
        """Whether a failed file may still be tried again."""
        channel = self._channels.get(session_id)
        file = None if channel is None else channel.session.files.get(file_id)
        return file is not None and not file.is_final(self._clock().mono)

    def rows(self) -> list[dict[str, Any]]:
        """First what moves, then what has files, last what has none; the newest first, and at most MOST."""
        ranks: tuple[list[Channel], ...] = [], [], []
        for channel in reversed(self._channels.values()):  # ten thousand perhaps, in every beat: one look at each
            picture = channel.picture
            ranks[0 if picture.count("uploading") else 1 if picture.files else 2].append(channel)
        shown = list(islice(chain(*ranks), MOST))
        rows = [self.row(channel) for channel in shown]
        self._drawn = {channel.session.id: self._drawn[channel.session.id] for channel in shown}
        return rows

    def row(self, channel: Channel) -> dict[str, Any]:
        picture, session_id = channel.picture, channel.session.id
        state = (picture.seq, picture.updated, len(picture.files))
        kept = self._drawn.get(session_id)
        if kept is None or kept[0] != state:
            kept = self._drawn[session_id] = (state, _row(channel))
        return {**kept[1], "watchers": self._hub.count(session_id, besides=MONITOR)}


def _row(channel: Channel) -> dict[str, Any]:
    picture = channel.picture
    files: Iterable[Any] = picture.files.values()
    return {
        "sessionId": picture.session_id,
        "category": picture.category,
        "overallStatus": picture.overall_status,
        "openedAt": rfc3339(channel.opened_at),
        "endedAt": None,
        "totalProgress": picture.total_progress,
        "totalFiles": picture.total_files,
        "uploadingFiles": picture.count("uploading"),
        "completedFiles": picture.count("completed"),
        "failedFiles": picture.count("failed"),
        "cancelledFiles": picture.count("cancelled"),
        "totalBytes": sum(file.total or 0 for file in files),
        "uploadedBytes": sum(file.uploaded for file in files),
        "speed": sum(file.speed for file in files),
        "names": [file.name for file in islice(files, NAMES)],
    }
