"""`GET /api/upload/progress/<id>`: the snapshot, and with `?since=&epoch=&wait=` what was missed, waiting for news."""

from __future__ import annotations

import asyncio
from typing import Any

from handlers.base import Base, verb
from station.errors import Refused
from station.hub import Hub
from station.station import Station
from station.wire import Message, loads

LONGEST_WAIT = 30.0  # seconds


class News:
    """A subscriber that only wants to know that something was told."""

    transport = "polling"

    def __init__(self, hub: Hub, session_id: str) -> None:
        self._hub = hub
        self._session_id = session_id
        self._told = asyncio.Event()
        hub.join(session_id, self)

    def deliver(self, session_id: str, message: Message) -> None:
        self._told.set()

    async def wait(self, seconds: float) -> None:
        """Returns when something was told, the time is over, or `leave` was called."""
        try:
            await asyncio.wait_for(self._told.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            self._hub.leave(self._session_id, self)

    def leave(self) -> None:
        self._told.set()


class Polling(Base):
    def initialize(self, station: Station) -> None:
        super().initialize(station)
        self._news: News | None = None

    @verb
    async def get(self, session_id: str) -> None:
        since, wait = self._number("since"), self._number("wait") or 0
        picture = await self.station.sessions.picture(session_id)
        lost = since is not None and self._is_lost(int(since), picture.seq, picture.epoch)
        if since is not None and not lost and since >= picture.seq and not picture.settled and wait:
            self._news = News(self.station.hub, session_id)
            await self._news.wait(min(wait, LONGEST_WAIT))
            picture = await self.station.sessions.picture(session_id)
        answer = picture.snapshot(self.station.clock().stamp)
        if lost:
            answer["resync"] = True
        elif since is not None:
            answer["events"] = await self._events(session_id, int(since), picture.seq)
        self.send_json(answer)

    def _is_lost(self, since: int, seq: int, epoch: str) -> bool:
        return self.get_query_argument("epoch", epoch) != epoch or since > seq

    async def _events(self, session_id: str, since: int, upto: int) -> list[Any]:
        """All that was missed, page by page. The snapshot may be newer by now than `upto`: those come next time."""
        events: list[Any] = []
        while since < upto:
            page = await self.station.sessions.missed(session_id, since, upto)
            if not page:
                break
            since = page[-1].seq
            self.station.meters.replayed += len(page)
            events += [loads(message.text) for message in page]
        return events

    def _number(self, name: str) -> float | None:
        text = self.get_query_argument(name, None)
        if text is None:
            return None
        if not text.isascii() or not text.replace(".", "", 1).isdigit() or len(text) > 15:
            raise Refused("VALIDATION_ERROR", f"{name} must be a number")
        return float(text)

    def release(self) -> None:
        if self._news is not None:
            self._news.leave()
