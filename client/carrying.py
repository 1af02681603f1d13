"""One file's way to the station: makes its upload, sends, goes on after breaks, until it is told to be stored.

Knows what each answer means for the file (`docs/protocol.md`, "What a client should do"); not which file is next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from client.faults import Broken, Refusal, Unfit
from client.patience import Patience, Timing
from client.picture import ENDED, Picture, Told
from client.source import Reading, Source
from client.sums import Sum
from client.tus import Halted, Upload

MIB = 1024**2
_SMALLEST, _FIRST, _LARGEST = 256 * 1024, 4 * MIB, 64 * MIB
_LARGEST_CHECKED = 4 * MIB  # all or nothing: what breaks is sent again whole
_PIECE_TIME = 8.0  # seconds that a piece aims at: an answer in its middle is not read before its end
_RENEWALS = 3
_ROOM_TIME = 15.0  # seconds after which there may be room; a session waits for twice as long
_PAUSE_TIME = 5.0  # seconds in which a pause that an answer showed is told, too


@dataclass
class Parcel:
    """A file in this run. `upload`: where it can be gone on with; "": nowhere yet."""

    source: Source
    file_id: str = ""
    upload: str = ""
    done: bool = False


class Course(Protocol):
    """Is told what happens on the way."""

    def placed(self, parcel: Parcel) -> None:
        """It has an address, or none any more."""

    def waits(self, parcel: Parcel, cause: Exception) -> None: ...

    def paused(self, parcel: Parcel) -> None: ...

    def goes_on(self, parcel: Parcel, offset: int) -> None: ...


@dataclass(frozen=True)
class Terms:
    """`algorithm`: the station's checksum."""

    algorithm: str
    checked: bool
    patience: float
    timing: Timing


class Carrying:
    def __init__(self, parcel: Parcel, upload: Upload, picture: Picture, course: Course, terms: Terms) -> None:
        self._parcel, self._upload, self._picture, self._course, self._terms = parcel, upload, picture, course, terms
        self._patience = Patience(terms.patience, terms.timing)
        self._piece, self._best, self._renewals = _FIRST, 0, 0

    async def run(self) -> None:
        """Raises Refusal, Unfit, GaveUp."""
        with Reading(self._parcel.source) as reading:
            total = Sum(self._terms.algorithm, reading.read)
            while not self._is_stored():
                try:
                    await self._try(reading, total)
                except Broken as error:
                    self._piece = max(_SMALLEST, self._piece // 2)
                    await self._wait(error)
                except Refusal as refusal:
                    await self._refused(refusal)
                except Halted:
                    await self._halted()
            told = self._told.checksum
            if told is not None and told[0] == total.algorithm:
                digest = await asyncio.to_thread(total.digest, self._parcel.source.size)
                if digest != told[1]:
                    raise Unfit("differs")

    @property
    def _told(self) -> Told:
        return self._picture.file(self._upload.file_id)

    def _is_stored(self) -> bool:
        """By what is told. Raises Refusal if it never will be."""
        told = self._told
        if told.status == "completed":
            return True
        if told.is_over:
            raise told.problem or Refusal("UPLOAD_CANCELLED" if told.status == "cancelled" else "UPLOAD_FAILED")
        return False

    async def _try(self, reading: Reading, total: Sum) -> None:
        offset = await self._begin()
        self._moved(offset)
        while offset < self._parcel.source.size:
            offset = await self._add(reading, total, offset)
        # Only the event says that it is safe. The session may be over without a word of this file.
        await self._picture.until(lambda: self._told.is_over or self._picture.status in ENDED)
        if not self._is_stored():
            raise Refusal("UPLOAD_FAILED")

    async def _begin(self) -> int:
        if self._upload.path is not None:
            offset = await self._upload.stands()
            if offset > self._best:
                self._course.goes_on(self._parcel, offset)
            return offset
        await self._upload.make()
        self._place()
        return 0

    async def _add(self, reading: Reading, total: Sum, offset: int) -> int:
        """Send one piece; where the upload stands then."""
        size, pauses = self._parcel.source.size, self._told.pauses
        piece = range(offset, min(size, offset + self._piece))
        clock = self._terms.timing.clock
        began = clock()
        reached = await self._upload.add(
            reading,
            piece,
            total,
            checked=self._terms.checked,
            go_on=lambda: not self._told.is_over and self._told.pauses == pauses,
        )
        self._moved(reached)
        if reached < piece.stop:  # ended kindly: somebody paused it
            await self._until(lambda: self._told.pauses != pauses or self._told.is_over)
            raise Halted
        self._fit(len(piece), clock() - began)
        return reached

    def _fit(self, count: int, seconds: float) -> None:
        largest = _LARGEST_CHECKED if self._terms.checked else _LARGEST
        aim = int(count / max(seconds, 0.001) * _PIECE_TIME)
        self._piece = max(_SMALLEST, min(largest, aim, 4 * self._piece))

    def _moved(self, offset: int) -> None:
        if offset > self._best:
            self._best = offset
            self._patience.renew()

    async def _until(self, test: Callable[[], bool]) -> None:
        """Or for a little while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE_TIME):
                await self._picture.until(test)

    async def _halted(self) -> None:
        """Paused, or over; what is over is looked at by the loop."""
        if self._told.status == "paused":
            self._course.paused(self._parcel)
            await self._picture.until(lambda: self._told.status != "paused" or self._picture.status in ENDED)
            self._patience.renew()

    async def _refused(self, refusal: Refusal) -> None:
        """Raises it, unless something can be done."""
        refusal.heard(self._told.problem)
        if refusal.code == "UPLOAD_ALREADY_COMPLETED" and self._upload.file_id:
            await self._until(lambda: self._told.is_over)
        elif refusal.is_gone and self._upload.path is not None and self._renewals < _RENEWALS:
            # What made it vanish, a cancel say, may not have been told yet. With its id it stays cancelled.
            self._renewals += 1
            self._upload.path = None
            self._place()
            await self._wait(refusal)
        elif refusal.code == "FILE_NOT_FOUND" and self._upload.path is None and self._upload.file_id:
            self._upload.file_id = ""
        elif refusal.passes or refusal.code == "OFFSET_MISMATCH" or self._was_spoilt(refusal):
            await self._wait(refusal)
        else:
            raise refusal

    def _was_spoilt(self, refusal: Refusal) -> bool:
        """A piece on its way; nothing of it was taken."""
        return refusal.code == "CHECKSUM_MISMATCH" and self._terms.checked and self._upload.path is not None

    async def _wait(self, cause: Refusal | Broken) -> None:
        told = self._told
        if told.is_over:
            return
        self._moved(told.stored)
        self._course.waits(self._parcel, cause)
        await self._patience.wait(cause, self._least(cause))

    def _least(self, cause: Refusal | Broken) -> float | None:
        if isinstance(cause, Broken):
            return None
        # A file that there is no room for has failed once more with each try, and there are few.
        is_full = cause.code == "INSUFFICIENT_STORAGE" and self._upload.path is None
        return _ROOM_TIME if is_full and cause.retry_after is None else cause.retry_after

    def _place(self) -> None:
        self._parcel.file_id, self._parcel.upload = self._upload.file_id, self._upload.path or ""
        self._course.placed(self._parcel)
