"""The messages of one session, in order, none missing and none twice, over a WebSocket or by polling.

Knows numbers and epochs; not what the messages mean, but for the last one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from client import wire
from client.faults import Broken, Refusal
from client.link import Link
from client.patience import Patience
from client.picture import ENDED, LIFECYCLE

Message = dict[str, Any]
_POLL_WAIT = 2.0  # seconds: progress is no news that ends a poll
_POLL_GAP = 0.25  # seconds
_LONGEST_POLLING = 64.0  # seconds until a WebSocket is tried again


class Following:
    """`take` is given each message as it came."""

    def __init__(
        self,
        link: Link,
        session_id: str,
        take: Callable[[Message], None],
        *,
        since: int | None = None,
        epoch: str = "",
    ) -> None:
        """`since`: begin after this number, of this epoch; 0 tells all. None begins with the present state."""
        self._link, self._session_id, self._take = link, session_id, take
        self._since, self._epoch = since, epoch
        self._closed_doors = 0  # handshakes in a row that failed
        self._settled = False
        self.on_break: Callable[[Exception], None] = lambda error: None

    async def run(self, patience: Patience) -> None:
        """Until the last message. Raises Refusal (there is no such session), GaveUp."""
        while not self._settled:
            try:
                await self._by_socket(patience)
                cause: Exception = Broken("the connection was closed")
            except Broken as error:
                cause = error
            if not self._settled:
                self.on_break(cause)
                await patience.wait(cause)

    async def _by_socket(self, patience: Patience) -> None:
        place = {"lastSeq": self._since, "epoch": self._epoch or None}
        query = {name: value for name, value in place.items() if value is not None}
        try:
            socket = await self._link.socket(f"/ws?{urlencode({'sessionId': self._session_id, **query})}")
        except Broken:
            self._closed_doors += 1
            if self._closed_doors > 1:
                await self._by_polling(patience)
                return
            raise
        self._closed_doors = 0
        try:
            while not self._settled:
                # A station that lives sends at least its answer to a ping.
                text = await socket.read_message()
                if text is None:
                    return
                self._heard(_message(text))
                patience.renew()
        finally:
            socket.close()

    async def _by_polling(self, patience: Patience) -> None:
        """For a while; then a WebSocket may be tried again."""
        clock = asyncio.get_running_loop().time
        until = clock() + min(_LONGEST_POLLING, 2.0**self._closed_doors)
        while not self._settled and clock() < until:
            told = await self._poll()
            patience.renew()
            events, seq = told.pop("events", []), int(told.get("seq") or 0)
            # As a socket would tell it: the present state, then what was missed.
            begins = self._since is None or told.get("resync")
            joined = {"event": "session-joined", "data": {**told, "currentSeq": seq}}
            self._heard({**joined, "seq": seq if begins else self._since})
            for event in events:
                self._heard(_checked(event))
            if told.get("overallStatus") in ENDED and (self._since or 0) >= seq:
                self._heard({"event": "upload-progress", "data": {**_summed(told), "fileId": None}, "seq": seq})
            await asyncio.sleep(_POLL_GAP)

    async def _poll(self) -> Message:
        place = {
            "since": self._since,
            "epoch": self._epoch or None,
            "wait": None if self._since is None else _POLL_WAIT,
        }
        query = urlencode({name: value for name, value in place.items() if value is not None})
        try:
            return await self._link.call(
                "GET", f"/api/upload/progress/{quote(self._session_id, safe='')}?{query}", within=_POLL_WAIT
            )
        except Refusal as refusal:
            if refusal.passes:
                raise Broken(str(refusal)) from refusal
            raise

    def _heard(self, message: Message) -> None:
        event, data, seq = message["event"], message["data"], message.get("seq")
        if event == "session-joined":
            known = self._since is not None and not data.get("resync")
            self._since = self._since if known else int(seq or 0)
            self._epoch = str(data.get("epoch") or "")
        elif event in LIFECYCLE and isinstance(seq, int):
            position = self._since or 0
            if seq <= position:
                return
            if seq > position + 1:
                raise Broken("a message is missing")  # coming back brings it
            self._since = seq
        elif event == "error":
            raise Refusal.told(data.get("error"))
        self._settled = event == "upload-progress" and data.get("overallStatus") in ENDED
        self._take(message)


def _message(text: str | bytes) -> Message:
    """Raises Broken for what no station says."""
    try:
        return _checked(wire.loads(text))
    except ValueError:
        raise Broken("the message is not a station's") from None


def _checked(message: Any) -> Message:
    known = isinstance(message, dict) and isinstance(message.get("event"), str)
    if not known or not isinstance(message.get("data"), dict):
        raise Broken("the message is not a station's")
    found: Message = message
    return found


def _summed(snapshot: Message) -> Message:
    names = "sessionId overallStatus totalProgress completedFiles failedFiles estimatedTimeRemaining timestamp"
    return {name: snapshot.get(name) for name in names.split()}
