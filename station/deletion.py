"""Deleting stored files: recorded as wanted, done, recorded as done, told. Knows not who may.

After a crash at any point the file is there and known, or gone and known as deleted: what was wanted and perhaps
not done is done by the next start.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from station import catalogue
from station.catalogue import Entry
from station.channel import Channel
from station.dock import Dock, problem_of
from station.errors import Refused
from station.hub import Hub
from station.journal import Journal, JournalFailed, recorded
from station.rows import DeedRow
from station.stored import Stored, spot_of
from station.wire import Message, dumps, text_of

log = logging.getLogger("upload_station")
NAME = "file-deleted"
MONITOR = "monitor"
"""What the operator watches, in the hub."""
Deed = Callable[[str, dict[str, Any]], None]


class Deletion:
    """`live` finds an open session, or raises Refused."""

    def __init__(self, live: Callable[[str], Awaitable[Channel]], dock: Dock, journal: Journal, hub: Hub) -> None:
        self._live, self._dock, self._journal, self._hub = live, dock, journal, hub
        self._stored = Stored(dock.storage)
        self.on_deed: list[Deed] = []
        """Hear of each deletion, by name and data, once it is recorded. May not raise."""

    async def delete(self, file_id: str, by: str) -> None:
        """`by`: operator or uploader. Raises FILE_NOT_FOUND, also for one that is not stored (any more)."""
        entry = await self._journal.read(partial(catalogue.find, file_id=file_id))
        if entry is None:
            raise Refused("FILE_NOT_FOUND")
        is_new = await self._want(file_id, by)
        try:
            was_there = await self._dock.run(self._stored.unlink, spot_of(entry.path))
        except OSError as error:
            log.error("a stored file could not be deleted: %s", error.strerror)
            await self._let_be(file_id)
            raise problem_of(error).refusal() from error
        if is_new and not was_there:  # otherwise an earlier try removed it, and came no further
            await self._let_be(file_id)
            raise Refused("FILE_NOT_FOUND")
        await self._conclude(entry, by)

    async def finish(self) -> None:
        """At the start: do what was wanted when the last run ended."""
        wanted = await self._journal.read(_wanted)
        for file_id, by in wanted:
            entry = await self._journal.read(partial(catalogue.find, file_id=file_id))
            try:
                if entry is None:
                    await self._let_be(file_id)
                else:
                    await self._dock.run(self._stored.unlink, spot_of(entry.path))
                    await self._conclude(entry, by)
            except OSError as error:
                log.error("a stored file could not be deleted, the next start tries again: %s", error.strerror)
            except Refused as refused:
                log.error("a deletion could not be recorded: %s", refused.problem.code)

    async def _want(self, file_id: str, by: str) -> bool:
        """Whether nobody wanted it before. A disk that is full is no hindrance: deleting is what mends it."""
        new = [True]

        def change(journal: sqlite3.Connection) -> None:
            new[0] = journal.execute("INSERT OR IGNORE INTO deletions VALUES (?, ?)", (file_id, by)).rowcount == 1

        try:
            await self._journal.change(change)
        except JournalFailed as failure:
            if not failure.full:
                raise failure.problem.refusal() from failure
        return new[0]

    async def _let_be(self, file_id: str) -> None:
        try:
            await self._journal.change(partial(_forget, file_id=file_id))
        except JournalFailed:
            log.error("the journal could not be told that a file was not deleted; the next start tries to delete it")

    async def _conclude(self, entry: Entry, by: str) -> None:
        """It is gone. Raises FILE_NOT_FOUND if somebody else came first."""
        try:
            await self._dock.run(self._stored.sync, spot_of(entry.path).category)
        except OSError as error:
            log.error("a deletion could not be synced, the next start tries again: %s", error.strerror)
            raise problem_of(error).refusal() from error
        moment = self._dock.clock()
        data = {
            "fileId": entry.id,
            "sessionId": entry.session_id,
            "fileName": entry.name,
            "uploadPath": entry.path,
            "deletedAt": moment.stamp,
            "by": by,
        }
        first = [False]

        def change(journal: sqlite3.Connection) -> None:
            _forget(journal, entry.id)
            known = journal.execute("UPDATE files SET path = NULL WHERE id = ? AND path IS NOT NULL", (entry.id,))
            first[0] = known.rowcount == 1
            if first[0]:
                deed = DeedRow(self._journal.date(moment.wall), NAME, entry.session_id, entry.id, dumps(data))
                self._journal.write_deed(journal, deed)

        await recorded(self._journal.change(change))
        if not first[0]:
            raise Refused("FILE_NOT_FOUND")
        await self._tell(entry.session_id, data)

    async def _tell(self, session_id: str, data: dict[str, Any]) -> None:
        for hear in self.on_deed:
            hear(NAME, data)
        self._hub.publish(MONITOR, Message(text_of(NAME, data), NAME, 0))
        try:
            seq = (await self._live(session_id)).picture.seq
        except Refused:
            return  # over: nobody watches it
        self._hub.publish(session_id, Message(text_of(NAME, data, seq), NAME, seq))


def _wanted(journal: sqlite3.Connection) -> list[tuple[str, str]]:
    return journal.execute("SELECT file_id, wanted_by FROM deletions").fetchall()


def _forget(journal: sqlite3.Connection, file_id: str) -> None:
    journal.execute("DELETE FROM deletions WHERE file_id = ?", (file_id,))
