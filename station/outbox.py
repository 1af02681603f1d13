"""What one subscriber has not been sent yet. Of one file's waiting progress only the newest is kept. Pure."""

from __future__ import annotations

from station.wire import Message

_OVERHEAD = 64  # bytes that a waiting message costs besides its text


class Outbox:
    """A bounded queue of messages. `limit` is in bytes of text; past it `overflowed` stays true and nothing is kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: dict[str | int, Message] = {}
        self._count = 0
        self.size = 0
        self.overflowed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Message) -> None:
        """Add a message at the end; one that it replaces goes, so that progress never overtakes anything."""
        if self.overflowed:
            return
        slot: str | int = self._count if message.key is None else message.key
        self._count += 1
        self._forget(slot)
        self._waiting[slot] = message
        self.size += len(message.encoded) + _OVERHEAD
        if self.size > self._limit:
            self.overflowed = True
            self.clear()

    def take(self) -> Message | None:
        """The oldest waiting message, or None."""
        slot = next(iter(self._waiting), None)
        return None if slot is None else self._forget(slot)

    def clear(self) -> None:
        self._waiting.clear()
        self.size = 0

    def _forget(self, slot: str | int) -> Message | None:
        message = self._waiting.pop(slot, None)
        if message is not None:
            self.size -= len(message.encoded) + _OVERHEAD
        return message
