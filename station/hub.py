"""Which subscribers watch which session, and who hears of all. A subscriber is anything that takes a message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol

from station.events import Event
from station.wire import Message


class Subscriber(Protocol):
    """Whoever watches. `deliver` must not block and must not raise: a slow or dead subscriber costs nobody else.

    `transport`: websocket, sse or polling.
    """

    @property
    def transport(self) -> str: ...

    def deliver(self, session_id: str, message: Message) -> None: ...


class Hub:
    def __init__(self) -> None:
        self._watchers: dict[str, dict[Subscriber, None]] = {}
        self.on_told: list[Callable[[Event, Message], None]] = []
        """Hear of each lifecycle event of any session, once it is recorded, before it is pushed. May not raise."""
        self.on_progress: list[Callable[[str, Message], None]] = []
        """Hear of each progress message of any session. May not raise."""

    def join(self, session_id: str, subscriber: Subscriber) -> None:
        self._watchers.setdefault(session_id, {})[subscriber] = None

    def leave(self, session_id: str, subscriber: Subscriber) -> None:
        watchers = self._watchers.get(session_id, {})
        watchers.pop(subscriber, None)
        if not watchers:
            self._watchers.pop(session_id, None)

    def announce(self, event: Event, message: Message) -> None:
        """Publish a lifecycle event."""
        for hear in self.on_told:
            hear(event, message)
        self.publish(event.session_id, message)

    def publish(self, session_id: str, message: Message) -> None:
        if message.event == "upload-progress":
            for hear in self.on_progress:
                hear(session_id, message)
        for subscriber in tuple(self._watchers.get(session_id, ())):
            subscriber.deliver(session_id, message)

    def drop(self, session_id: str) -> None:
        """Forget who watches a session that will say nothing more."""
        self._watchers.pop(session_id, None)

    def count(self, session_id: str, *, besides: str = "") -> int:
        """How many watch this session now, without those who watch that topic, too."""
        watchers = self._watchers.get(session_id, {})
        return len(watchers) - sum(other in watchers for other in self._watchers.get(besides, ()))

    def transports(self, *, besides: str) -> Counter[str]:
        """How many watch by which transport, each once, without those who watch that topic, whatever else they do."""
        others = self._watchers.get(besides, {})
        return Counter(watcher.transport for watcher in self.watchers() if watcher not in others)

    def watchers(self) -> Iterator[Subscriber]:
        """Each subscriber once, however many sessions it watches."""
        return iter({watcher: None for watchers in self._watchers.values() for watcher in watchers})
