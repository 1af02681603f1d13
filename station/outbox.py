"""What one subscriber has not been sent yet. Of one file's waiting progress only the newest is kept. Pure."""

from __future__ import annotations

from station.wire import Message

_OVERHEAD = 64  # bytes that a waiting message costs besides its text


class Outbox:
    """A bounded queue of messages; past `limit` bytes of text `overflowed` stays true and nothing is kept.

    `size` counts all that waits. An exempt message (a snapshot, as long as the session makes it) does not count
    towards the limit: whoever puts one sees to it that few others wait.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: dict[str | int, Message] = {}
        self._exempt: set[str | int] = set()
        self._count = 0
        self._exempted = 0
        self.size = 0
        self.overflowed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Message, *, exempt: bool = False) -> bool:
        """Add a message at the end; one that it replaces goes, so that progress never overtakes anything. Whether one
        did."""
        if self.overflowed:
            return False
        slot: str | int = self._count if message.key is None else message.key
        self._count += 1
        replaced = self._forget(slot) is not None
        self._waiting[slot] = message
        self.size += _cost(message)
        if exempt:
            self._exempt.add(slot)
            self._exempted += _cost(message)
        if self.size - self._exempted > self._limit:
            self.overflowed = True
            self.clear()
        return replaced

    def take(self) -> Message | None:
        """The oldest waiting message, or None."""
        slot = next(iter(self._waiting), None)
        return None if slot is None else self._forget(slot)

    def clear(self) -> None:
        self._waiting.clear()
        self._exempt.clear()
        self.size = self._exempted = 0

    def _forget(self, slot: str | int) -> Message | None:
        message = self._waiting.pop(slot, None)
        if message is None:
            return None
        self.size -= _cost(message)
        if slot in self._exempt:
            self._exempt.discard(slot)
            self._exempted -= _cost(message)
        return message


def _cost(message: Message) -> int:
    return len(message.encoded) + _OVERHEAD
