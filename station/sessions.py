"""The sessions that are open, and what has been told of those that were: opened, found, handed over, let go."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from station import archive, reporting
from station.archive import picture_of
from station.channel import Channel
from station.clock import Clock
from station.codes import Code, Codes
from station.config import Config
from station.errors import Refused
from station.hub import Hub
from station.journal import Journal, recorded
from station.picture import Picture
from station.session import Session
from station.settling import Terms
from station.wire import Message

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PAGE = 500  # events read from the journal at a time


class Sessions:
    """`channels`: the open ones by id, kept here. `is_over`: whether one that ended then can be read no more."""

    def __init__(
        self,
        channels: dict[str, Channel],
        config: Config,
        clock: Clock,
        new_id: Callable[[], str],
        journal: Journal,
        hub: Hub,
        codes: Codes,
        is_over: Callable[[float | None], bool],
    ) -> None:
        self.closed = False
        """The station stops: nothing is opened any more."""
        self._channels, self._config, self._clock, self._new_id = channels, config, clock, new_id
        self._journal, self._hub, self._codes, self._is_over = journal, hub, codes, is_over

    # -- opened

    async def open(
        self, category: str | None, terms: Terms, announced: Sequence[tuple[str, int | None]] = ()
    ) -> Channel:
        """Open and record a session. Raises VALIDATION_ERROR, TOO_MANY_FILES, TOO_MANY_CONNECTIONS, SERVER_ERROR."""
        categories = self._config.categories
        category = categories[0] if category is None else category
        if category not in categories:
            raise Refused("VALIDATION_ERROR", f"category must be one of: {', '.join(categories)}")
        if len(self._channels) >= self._config.max_sessions or self.closed or self._is_crowded(len(announced)):
            raise Refused("TOO_MANY_CONNECTIONS", retry_after=30)
        channel = self._made(category, terms, announced)
        try:
            await recorded(channel.committed())
        except Refused:
            del self._channels[channel.session.id]
            raise
        reporting.opened(channel.session.id, category, implicit=terms.implicit)
        return channel

    async def open_implicit(self, category: str | None) -> Channel:
        return await self.open(category, Terms(implicit=True))

    def _is_crowded(self, announced: int) -> bool:
        """A few thousand names a second cost nothing to send, but memory and the journal's room to keep."""
        files = sum(len(channel.session.files) for channel in self._channels.values())
        return announced > 0 and files + announced > self._config.max_open_files

    def _made(self, category: str, terms: Terms, announced: Sequence[tuple[str, int | None]]) -> Channel:
        moment = self._clock()
        session = Session(self._new_id(), category, self._config, moment, terms)
        picture = Picture(session.id, category, self._config.language, self._journal.epoch, terms.expected)
        picture.updated = moment.stamp
        for name, size in announced:
            file = session.announce(self._new_id(), name, size)
            picture.announce(file.id, file.name, file.size)
        channel = self.add(session, picture, self._journal.date(moment.wall))
        channel.save(*session.files)
        return channel

    def add(self, session: Session, picture: Picture, opened_at: float) -> Channel:
        """Keep a session, a new one or one of the last run, until it is settled and told so."""
        channel = Channel(session, picture, self._journal, self._hub, self._clock, self._over, opened_at)
        self._channels[session.id] = channel
        return channel

    def _over(self, channel: Channel) -> None:
        """A settled session leaves memory; from now on the journal tells of it."""
        self._channels.pop(channel.session.id, None)
        self._hub.drop(channel.session.id)
        self._codes.forget(channel.session.id)

    # -- found

    async def live(self, session_id: str) -> Channel:
        """The session, if it is still open. Raises SESSION_NOT_FOUND, SESSION_CLOSED."""
        channel = self._channels.get(session_id)
        if channel is None:
            await self._kept(session_id)
            raise Refused("SESSION_CLOSED")
        return channel

    async def hand_over(self, session_id: str) -> Code:
        """Its short code, for a screen on which others are to join it. Raises SESSION_NOT_FOUND, SESSION_CLOSED."""
        channel, moment = await self.live(session_id), self._clock()
        if channel.session.settled:  # and about to be told so
            raise Refused("SESSION_CLOSED")
        channel.session.touch(moment)
        code = self._codes.keep(session_id, moment.mono)
        if code.made_at == moment.mono:
            channel.save()  # a restart, too, is to know that it was looked after; every few minutes is enough
        return code

    async def picture(self, session_id: str) -> Picture:
        """What has been told of a session, live or over, up to this moment. Raises SESSION_NOT_FOUND."""
        channel = self._channels.get(session_id)
        if channel is not None:
            channel.refresh()
            return channel.picture
        return picture_of(await self._kept(session_id), self._config.language, self._journal.epoch)

    async def missed(self, session_id: str, after: int, upto: int) -> list[Message]:
        """Lifecycle messages above `after` up to `upto`, at most PAGE of them."""
        return await self._journal.read(lambda connection: archive.missed(connection, session_id, after, upto, PAGE))

    async def _kept(self, session_id: str) -> archive.KeptSession:
        # An impossible id gets the same answer as an unknown one.
        kept = None
        if _ID.fullmatch(session_id):
            kept = await self._journal.read(lambda connection: archive.session(connection, session_id))
        if kept is None or self._is_over(kept.settled_at):
            raise Refused("SESSION_NOT_FOUND")
        return kept
