"""The journal: sessions, files and lifecycle events in SQLite, one writer thread, group commit.

A write is done when its future is: synced, if `durable`. One bad write in a group fails alone (a savepoint for each);
a commit that fails is tried again one by one, so that a full disk fails those only who need space.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TypeVar

from station import schema
from station.errors import Problem
from station.rows import DeedRow, Record, write_deed, write_record

log = logging.getLogger("upload_station")
T = TypeVar("T")
_GROUP = 500  # writes in one commit at most: bounds how long the first of them waits


class JournalFailed(Exception):
    """The change was not recorded. `full`: for want of space."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(type(cause).__name__)
        self.full = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL

    @property
    def problem(self) -> Problem:
        """What whoever waited for it is answered."""
        return Problem("INSUFFICIENT_STORAGE" if self.full else "SERVER_ERROR")


async def recorded(work: Awaitable[object]) -> None:
    """Wait for what is to be recorded. Raises Refused if it could not be."""
    try:
        await work
    except JournalFailed as failure:
        raise failure.problem.refusal() from failure


Change = Callable[[sqlite3.Connection], None]


class _Write:
    __slots__ = ("change", "future", "loop")

    def __init__(self, change: Change) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.change = change


class Journal:
    """Open it from the thread that runs the loop; `close` waits for what was written.

    `witness` keeps, outside the database, the number of the newest event that was committed. It is written after the
    commit and never synced, so it can only lag behind; a journal that has fewer events than its witness has lost some
    or is an old copy, and gets a new epoch (contract, rule 4).
    """

    def __init__(self, path: Path, witness: Path, *, durable: bool, new_epoch: Callable[[], str]) -> None:
        self._path = path
        self._synchronous = "FULL" if durable else "NORMAL"
        self._connection = self._connect()
        self._witness = os.open(witness, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            schema.prepare(self._connection, synchronous=self._synchronous)
            self.epoch = self._settle_epoch(new_epoch)
        except BaseException:
            self._connection.close()
            os.close(self._witness)
            raise
        self.on_commit: Callable[[float], None] = lambda seconds: None
        """Hears, in the journal's thread, how long each commit took. May not raise."""
        self.also: list[Callable[[sqlite3.Connection, Record], None]] = []
        """What else is to be written in the transaction of each record. Called in the journal's thread."""
        self.also_deeds: list[Callable[[sqlite3.Connection, DeedRow], None]] = []
        """The same of each deed."""
        self.date: Callable[[float], float] = lambda wall: wall
        """What the time is called in the journal when the wall clock says this."""
        self.failing = False
        """Whether the newest commit failed: nothing can be recorded, so nothing can be told."""
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")
        self._reader: sqlite3.Connection | None = None
        self._waiting: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)

    def _settle_epoch(self, new_epoch: Callable[[], str]) -> str:
        # A power cut may leave anything in a file that is never synced; what is no number witnesses nothing.
        left = os.pread(self._witness, 32, 0).strip()
        witnessed = int(left) if left.isdigit() else 0
        kept = self._connection.execute("SELECT value FROM meta WHERE key='epoch'").fetchone()
        if kept is not None and self._newest() >= witnessed:
            return str(kept[0])
        epoch = new_epoch()
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)", (epoch,))
        self._leave_witness()
        return epoch

    def _newest(self) -> int:
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name='events'").fetchone()
        return int(row[0]) if row else 0

    def _leave_witness(self) -> None:
        os.pwrite(self._witness, b"%020d\n" % self._newest(), 0)

    # -- writing

    def write(self, record: Record) -> asyncio.Future[None]:
        """Queue a change; the future is done when it is committed, or has JournalFailed."""
        return self.change(partial(self._write, record=record))

    def _write(self, connection: sqlite3.Connection, record: Record) -> None:
        write_record(connection, record)
        for add in self.also:
            add(connection, record)

    def write_deed(self, connection: sqlite3.Connection, deed: DeedRow) -> None:
        """For a change that is under way."""
        write_deed(connection, deed)
        for add in self.also_deeds:
            add(connection, deed)

    def change(self, change: Change) -> asyncio.Future[None]:
        write = _Write(change)
        self._waiting.put(write)
        return write.future

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            while len(group) < _GROUP and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    self._waiting.put(None)
                    break
                group.append(following)
            self._commit(group)

    def _commit(self, group: list[_Write]) -> None:
        began = monotonic()
        outcomes = self._try(group)
        self.on_commit(monotonic() - began)
        if outcomes is None:
            # The whole group was rolled back (a full disk, say): whoever still can go on, goes on.
            outcomes = [(self._try([write]) or [OSError("commit failed")])[0] for write in group]
        self.failing = isinstance(outcomes[-1], sqlite3.OperationalError)
        try:
            self._leave_witness()
        except (OSError, sqlite3.Error) as error:  # a disk that fails: those who wait are told all the same
            log.error("journal: cannot write the witness: %s", error)
        for loop in {write.loop for write in group}:
            mine = [(write, out) for write, out in zip(group, outcomes, strict=True) if write.loop is loop]
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_resolve, mine)

    def _try(self, group: list[_Write]) -> list[Exception | None] | None:
        """Commit a group; the outcome of each, or None when nothing at all was committed and it had several."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._apply_one(write) for write in group]
            connection.execute("COMMIT")
            return outcomes
        except sqlite3.Error as error:
            # SQLITE_FULL and SQLITE_IOERR may have rolled back already.
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            # Another program's lock would have each of them wait in turn: then the group fails as one.
            busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            return None if len(group) > 1 and not busy else [error] * len(group)

    def _apply_one(self, write: _Write) -> Exception | None:
        connection = self._connection
        connection.execute("SAVEPOINT one")
        try:
            write.change(connection)
        except Exception as error:
            if not connection.in_transaction:
                raise  # the transaction is gone: the caller tries one by one
            connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
            return error
        connection.execute("RELEASE one")
        return None

    # -- reading

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query beside the writer, off the loop. It sees what is committed."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._query, query)

    def _query(self, query: Callable[[sqlite3.Connection], T]) -> T:
        if self._reader is None:
            self._reader = self._connect()
            self._reader.execute("PRAGMA query_only=1")
        return query(self._reader)

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def close(self) -> None:
        """Commit what waits, then close. A second call does nothing."""
        if not self._thread.is_alive():
            return
        self._waiting.put(None)
        self._thread.join()
        self._readers.submit(self._close_reader).result()
        self._readers.shutdown()
        self._connection.close()
        os.close(self._witness)


def _resolve(outcomes: list[tuple[_Write, Exception | None]]) -> None:
    for write, error in outcomes:
        if write.future.done():
            continue
        if error is None:
            write.future.set_result(None)
        else:
            write.future.set_exception(JournalFailed(error))
