"""What a run of `send` tells its user: lines, or JSON for programs, and bars above a terminal's last line."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from client import wire
from client.bars import Bars
from client.carrying import Parcel
from client.picture import Told
from client.shown import amount, printable
from client.words import Words


class Report:
    def __init__(self, words: Words, *, as_json: bool, quiet: bool, total: int) -> None:
        """`total`: bytes of all files."""
        self._words, self._json, self._quiet = words, as_json, quiet
        drawn = sys.stderr.isatty() and not quiet
        self._bars = Bars(sys.stderr, words("total"), total) if drawn else None
        self._waiting: set[str] = set()

    def close(self) -> None:
        if self._bars is not None:
            self._bars.close()

    # -- of the session

    def opened(self, link: str, session_id: str) -> None:
        self._tell("session-opened", {"sessionId": session_id, "link": link})
        self._say("session", link=link)

    def message(self, message: dict[str, Any]) -> None:
        if self._json:
            self._line(wire.dumps(message), sys.stdout)

    def summary(self, data: dict[str, Any]) -> None:
        self.close()
        self._bars = None
        self._tell("summary", data)
        self._say("summary", done=data["completed"], total=len(data["files"]))

    def complain(self, key: str, **fields: object) -> None:
        self._line(self._words(key, **fields), sys.stderr)

    # -- of one file

    def begins(self, parcel: Parcel) -> None:
        if self._bars is not None:
            self._bars.begin(parcel.source.path, parcel.source.name, parcel.source.size)

    def moved(self, parcel: Parcel, stored: int) -> None:
        if self._bars is not None:
            self._bars.show(parcel.source.path, stored)

    def stored(self, parcel: Parcel, told: Told) -> None:
        self._ends(parcel)
        self._say("stored", name=_name(parcel), size=amount(parcel.source.size), path=printable(told.path))

    def was_stored(self, parcel: Parcel) -> None:
        self.moved(parcel, parcel.source.size)
        self._say("before", name=_name(parcel))

    def failed(self, path: str, why: str) -> None:
        if self._bars is not None:
            self._bars.end(path)
        self.complain("failed", name=printable(path), why=printable(why))

    def waits(self, parcel: Parcel, why: str) -> None:
        """Once until it moves again."""
        if parcel.source.path not in self._waiting and not self._quiet:
            self._waiting.add(parcel.source.path)
            self.complain("waits", name=_name(parcel), why=printable(why))

    def goes_on(self, parcel: Parcel, offset: int) -> None:
        self._waiting.discard(parcel.source.path)
        self.moved(parcel, offset)
        self._say("goes_on", name=_name(parcel), size=amount(offset))

    def paused(self, parcel: Parcel) -> None:
        self._say("paused", name=_name(parcel))

    def _ends(self, parcel: Parcel) -> None:
        self.moved(parcel, parcel.source.size)
        if self._bars is not None:
            self._bars.end(parcel.source.path)

    def _tell(self, event: str, data: dict[str, Any]) -> None:
        if self._json:
            self._line(wire.dumps({"event": event, "data": data}), sys.stdout)

    def _say(self, key: str, **fields: object) -> None:
        if not self._json and not self._quiet:
            self._line(self._words(key, **fields), sys.stdout)

    def _line(self, text: str, stream: TextIO) -> None:
        if self._bars is not None:
            self._bars.write(text, stream)
        else:
            print(text, file=stream, flush=True)


def _name(parcel: Parcel) -> str:
    return printable(parcel.source.name)
