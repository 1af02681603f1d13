"""What the operator can look up: sessions now and past, the log of one, what is stored, and the charts' points.

Looks through the journal piece by piece, so that those who wait for their sessions meanwhile get their turn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

from station import archive, history
from station.archive import picture_of
from station.census import Census
from station.channel import Channel
from station.clock import Clock, Moment, rfc3339
from station.errors import Refused
from station.history import Place, Wish
from station.journal import Journal
from station.running import Running
from station.series import SPANS, Ring, Sample, chart, first_of
from station.wire import loads

STATES = ("all", "running", "completed", "failed", "cancelled")
PIECES = 400  # of sessions, that a search goes through before it answers with what it has
LONGEST_LOG = 5000  # events told at a time
_FRESH = 30.0  # seconds that a census holds good


class Chronicle:
    """`channels`: the sessions that are open."""

    def __init__(
        self, journal: Journal, clock: Clock, channels: dict[str, Channel], running: Running, language: str
    ) -> None:
        self._journal, self._clock, self._channels, self._running = journal, clock, channels, running
        self._language = language
        self._rings = {name: Ring(span) for name, span in SPANS.items()}
        self._begun = clock().mono
        self._census: tuple[float, dict[str, Any]] | None = None

    # -- sessions

    async def sessions(self, wish: Wish, before: Place | None, limit: int) -> dict[str, Any]:
        """A page of sessions, newest first; `next`: what the next page is asked for with."""
        rows: list[dict[str, Any]] = []
        for _ in range(PIECES):
            page = await self._journal.read(
                partial(history.sessions, wish=wish, before=before, limit=limit - len(rows))
            )
            rows += page.rows
            before = page.reached
            if before is None or len(rows) >= limit:
                break
        return {
            "sessions": [self._as_it_is(row) for row in rows],
            "next": None if before is None else f"{before.opened_at!r}~{before.session_id}",
            "timestamp": self._clock().stamp,
        }

    def _as_it_is(self, row: dict[str, Any]) -> dict[str, Any]:
        channel = self._channels.get(row["sessionId"])
        return row if channel is None else self._running.row(channel)

    async def session(self, session_id: str, after: int) -> dict[str, Any]:
        """All of one session, also of one that others can read no more. Raises SESSION_NOT_FOUND."""
        kept = await self._journal.read(partial(archive.session, session_id=session_id))
        if kept is None or kept.settled_at == 0:
            raise Refused("SESSION_NOT_FOUND")
        channel = self._channels.get(session_id)
        if channel is None:
            picture = picture_of(kept, self._language, self._journal.epoch)
        else:
            channel.refresh()
            picture = channel.picture
        events = await self._journal.read(lambda journal: history.log_of(journal, session_id, after, LONGEST_LOG + 1))
        deeds = await self._journal.read(partial(history.deeds_of, session_id=session_id))
        return {
            "session": picture.snapshot(self._clock().stamp),
            "expectedFiles": picture.expected,
            "openedAt": rfc3339(kept.opened_at),
            "endedAt": None if kept.settled_at is None else rfc3339(kept.settled_at),
            "events": [
                {"seq": each.seq, "event": each.name, "at": rfc3339(each.at), "data": loads(each.text)["data"]}
                for each in events[:LONGEST_LOG]
            ],
            "more": len(events) > LONGEST_LOG,
            "deeds": [
                {"number": number, "at": rfc3339(at), "name": name, "data": loads(text)}
                for number, at, name, text in deeds
            ],
            "timestamp": self._clock().stamp,
        }

    # -- what is stored

    async def distribution(self) -> dict[str, Any]:
        """Sizes, types and categories of all stored files, as they were at most half a minute ago."""
        moment = self._clock()
        if self._census is None or moment.mono - self._census[0] >= _FRESH:
            census = Census()
            while not await self._journal.read(census.take):
                continue
            self._census = moment.mono, {**census.drawn(), "timestamp": moment.stamp}
        return self._census[1]

    # -- charts

    def add(self, sample: Sample) -> None:
        """One of this run, of monotonic time."""
        for ring in self._rings.values():
            ring.add(sample)

    async def series(self, name: str) -> dict[str, Any]:
        """A chart's points: those of this run, and before them, by the wall clock, those of earlier runs."""
        span, moment = SPANS[name], self._clock()
        shift = moment.wall - moment.mono
        first = first_of(span, moment.mono)
        since = math.floor(first + shift)
        begun = math.floor(self._begun + shift)
        earlier: Iterable[tuple[Sample, int]] = ()
        if since < begun:
            found = await self._journal.read(lambda journal: history.earlier(journal, since, span.step, begun))
            earlier = ((each._replace(at=each.at - shift), weight) for each, weight in found)
        points = chart(span, first, [*earlier, *self._rings[name].weighed()], lambda at: at + shift)
        return {"span": name, "step": span.step, "timestamp": moment.stamp, "points": points}


def dated(samples: Iterable[Sample], moment: Moment) -> list[Sample]:
    """Samples of this run as the journal is to have them: by the wall clock as it is now."""
    return [each._replace(at=each.at + moment.wall - moment.mono) for each in samples]
