"""Writes the log: a thread of its own takes the lines from a queue that is bounded, so that nobody waits for a pipe.

Whoever reads the log may stop reading (a terminal on hold, a pager, a collector that hangs). Then lines are lost, and
how many is said as soon as somebody reads again; uploads go on. Not known here: how lines look, how many are too many.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

from station.flood import Flood
from station.lines import Json, Readable, weigh

_ROOM = 1024**2  # bytes that wait to be written
_RESERVE = _ROOM // 4  # of them for what is not to be lost to chatter: errors, and what became of files
_BATCH = 64 * 1024  # bytes written at a time
_BEAT = 1.0  # seconds between two looks at what is held back
_PATIENCE = 2.0  # seconds that the end of the program waits for whoever reads


class Scribe(logging.Handler):
    """`descriptor` is its own from now on and closed by `close`. `mono`: seconds of a clock that nobody sets."""

    def __init__(self, descriptor: int, form: logging.Formatter, mono: Callable[[], float]) -> None:
        super().__init__()
        self.setFormatter(form)
        self._descriptor = descriptor
        self._mono = mono
        self._flood = Flood()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._lost = 0
        self._closing = False
        assert self.lock is not None
        # The handler's own lock: `emit` is called with it held.
        self._turn = threading.Condition(self.lock)
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if self._closing:
            return
        weigh(record)
        held = self._flood.holds
        if self._flood.admits(record, self._mono()):
            self._put(record)
            self._turn.notify()
        elif not held:  # from now on the thread looks at the clock
            self._turn.notify()

    def _put(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record).encode(errors="replace") + b"\n"
        except Exception:  # noqa: BLE001 - logging's own way would be to write to the pipe that may be blocked
            self._lost += 1
            return
        important = record.levelno >= logging.ERROR or hasattr(record, "many")
        if self._size + len(line) > (_ROOM if important else _ROOM - _RESERVE):
            self._lost += 1
            return
        self._waiting.append(line)
        self._size += len(line)

    # -- the thread

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            self._write(batch)

    def _next(self) -> bytes | None:
        """What is to be written next; None: nothing ever again."""
        with self._turn:
            while not self._waiting:
                if self._closing:
                    return None
                self._turn.wait(_BEAT if self._flood.holds else None)
                self._tell_of_the_rest(self._mono())
            lost, self._lost = self._lost, 0
            batch = self._words(f"{lost:,} lines were lost: nobody read the log") if lost else b""
            while self._waiting and len(batch) < _BATCH:
                line = self._waiting.popleft()
                self._size -= len(line)
                batch += line
            return batch

    def _tell_of_the_rest(self, now: float) -> None:
        for record in self._flood.ended(now) if self._flood.holds else ():
            self._put(record)

    def _words(self, text: str) -> bytes:
        record = logging.LogRecord("upload_station.log", logging.WARNING, "", 0, text, None, None)
        record.event = "log-lost"
        return self.format(record).encode() + b"\n"

    def _write(self, batch: bytes) -> None:
        rest = memoryview(batch)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # it shares its pipe with a program that does not wait
                select.select([], [self._descriptor], [], _BEAT)
            except OSError:  # the reader has gone, or the disk is full; another line may fare better
                with self._turn:
                    self._lost += bytes(rest).count(b"\n")
                return

    def close(self) -> None:
        """Tell of what was held back, and write what waits, if somebody reads. A second call does nothing."""
        with self._turn:
            if self._closing:
                return
            self._tell_of_the_rest(float("inf"))
            self._closing = True
            self._turn.notify()
        self._thread.join(_PATIENCE)
        if not self._thread.is_alive():  # else it is in the middle of a write, and goes with the program
            os.close(self._descriptor)
        super().close()


@contextlib.contextmanager
def log_to(
    stream: TextIO | None, style: str, mono: Callable[[], float], environment: Mapping[str, str]
) -> Iterator[None]:
    """Meanwhile all that is logged goes to where this stream leads. `style`: readable or json."""
    if stream is None:  # the program was started with it closed, and wants no log
        yield
        return
    told = is_the_journal(stream.fileno(), environment)
    form = Json(told=told) if style == "json" else Readable(told=told)
    # A copy: should anybody close the standard one, its number might become that of a file of the station's.
    scribe = Scribe(os.dup(stream.fileno()), form, mono)
    root = logging.getLogger()
    root.addHandler(scribe)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(scribe)
        scribe.close()


def is_the_journal(descriptor: int, environment: Mapping[str, str]) -> bool:
    """Whether systemd reads it; it says so by device and inode (systemd.exec(5), JOURNAL_STREAM)."""
    status = os.fstat(descriptor)
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
