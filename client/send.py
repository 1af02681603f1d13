"""`upload-station send`: several files into one session, until the station has told of each that it is stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from client.account import FAILED, INTERRUPTED, Account
from client.address import Place
from client.carrying import Carrying, Parcel, Terms
from client.faults import Broken, GaveUp, Refusal, Unfit
from client.following import Following
from client.link import Link
from client.memory import Memory, Remembered
from client.opening import Opening
from client.options import Settings
from client.patience import Patience, Timing
from client.picture import Picture
from client.report import Report
from client.shown import printable
from client.source import Source, Unsendable, gather
from client.tus import Upload
from client.words import Words

_OPENING_TIME = 10.0  # seconds: a wrong address is no reason to wait long
_SETTLE_TIME = 10.0  # seconds for the last word on a session in which all is done


class Sending:
    """One run."""

    def __init__(self, settings: Settings, link: Link, place: Place, timing: Timing) -> None:
        self._settings, self._link, self._place, self._timing = settings, link, place, timing
        self._words = Words(settings.language)
        self._picture = Picture()
        self._account = Account(self._picture)
        self._session_id, self._own = "", False
        self._memory: Memory | None = None

    async def run(self) -> int:
        """The exit status."""
        found = gather(self._settings.files, recursive=self._settings.recursive)
        self._account.parcels = [Parcel(each) for each in found if isinstance(each, Source)]
        self._report = Report(
            self._words,
            as_json=self._settings.json,
            quiet=self._settings.quiet,
            total=sum(parcel.source.size for parcel in self._account.parcels),
        )
        for each in found:
            if isinstance(each, Unsendable):
                self._failed(each.path, each.fault)
        if not found:
            self._report.complain("nothing")
            return FAILED
        try:
            await self._send()
            return self._end(self._account.status())
        except asyncio.CancelledError:
            self._end(INTERRUPTED)
            raise
        except OSError:  # nothing more can be told on standard output
            self._say_how_to_go_on()
            raise
        finally:
            self._report.close()

    async def _send(self) -> None:
        try:
            if self._account.parcels and (taken := await self._open()):
                await self._carry_all(taken)
        except GaveUp as end:
            fault = self._give_up(end.__cause__)
            if not self._session_id:  # with nothing to go on with; told once, for all of them
                self._account.faults |= dict.fromkeys(self._account.undecided(), fault)
        except (Refusal, Broken) as error:  # of the session as a whole
            for path in self._account.undecided():
                self._failed(path, error)
            self._account.gave_up = error if isinstance(error, Broken) else None

    async def _open(self) -> Sequence[Parcel]:
        """What the station takes, with all that is known of it."""
        parcels = self._account.parcels
        patience = Patience(min(_OPENING_TIME, self._settings.patience), self._timing)
        opening = Opening(self._link, self._words, patience, self._settings.pin)
        self._algorithm = str((await opening.limits()).get("checksum") or "")
        refused = await opening.refused([parcel.source for parcel in parcels])
        for index, refusal in refused.items():
            self._failed(parcels[index].source.path, refusal)
        taken = [parcel for index, parcel in enumerate(parcels) if index not in refused]
        if not taken:
            return taken
        opened = await opening.session(self._place, [parcel.source for parcel in taken], self._settings.category)
        self._session_id, self._own = opened.session_id, opened.file_ids is not None
        self._memory = Memory(self._settings.state, opened.session_id)
        for parcel, file_id in zip(taken, opened.file_ids or (), strict=self._own):
            parcel.file_id = file_id
            self._keep(parcel)
        self._known = await opening.snapshot(opened.session_id)
        self._picture.take({"event": "session-joined", "data": self._known, "seq": 0})
        self._report.opened(self._place.link(opened.session_id), opened.session_id)
        if not self._own:
            self._recall(taken)
        return taken

    def _recall(self, parcels: Sequence[Parcel]) -> None:
        """Of an earlier run into this session."""
        assert self._memory is not None
        entries = self._memory.entries()
        for parcel in parcels:
            entry = entries.get(parcel.source.path)
            told = self._picture.files.get(entry.file_id) if entry else None
            if entry is None or told is None or entry.size != parcel.source.size:
                continue
            if not entry.is_of(parcel.source):  # changed since: from its beginning
                parcel.file_id = "" if told.is_over else entry.file_id
            elif not told.is_over or told.status == "completed":
                parcel.file_id, parcel.upload, parcel.done = entry.file_id, entry.upload, told.status == "completed"
            self._keep(parcel)

    async def _carry_all(self, parcels: Sequence[Parcel]) -> None:
        waiting = iter(parcels)
        try:
            async with asyncio.TaskGroup() as group:
                seq, epoch = int(self._known.get("seq") or 0), str(self._known.get("epoch") or "")
                following = Following(self._link, self._session_id, self._hear, since=seq, epoch=epoch)
                watching = group.create_task(following.run(Patience(self._settings.patience, self._timing)))
                workers = [group.create_task(self._work(waiting)) for _ in range(self._settings.parallel)]
                await asyncio.wait(workers)
                await self._settle(watching)
                watching.cancel()
        except BaseExceptionGroup as faults:
            # Of watching: those of single files are caught there.
            raise faults.exceptions[0] from faults.exceptions[0].__cause__

    async def _work(self, waiting: Any) -> None:
        for parcel in waiting:
            if self._account.gave_up is not None:
                return
            if parcel.done:
                self._report.was_stored(parcel)
                continue
            await self._carry(parcel)

    async def _carry(self, parcel: Parcel) -> None:
        upload = Upload(self._link, parcel.source, self._session_id, parcel.file_id, parcel.upload or None)
        terms = Terms(self._algorithm, self._settings.checksum, self._settings.patience, self._timing)
        self._report.begins(parcel)
        try:
            await Carrying(parcel, upload, self._picture, self, terms).run()
        except GaveUp as end:
            self._give_up(end.__cause__)
        except (Refusal, Unfit) as fault:
            self._failed(parcel.source.path, fault)
        else:
            parcel.file_id, parcel.done = upload.file_id, True
            self._keep(parcel)
            self._report.stored(parcel, self._picture.file(parcel.file_id))

    async def _settle(self, watching: asyncio.Task[None]) -> None:
        """A session of our own is over when all is stored; what cannot be sent any more is not to hold it open."""
        if not self._own or self._account.gave_up is not None:
            return
        with contextlib.suppress(Broken, Refusal):
            if any(parcel.file_id and not parcel.done for parcel in self._account.parcels):
                await self._link.call("POST", f"/api/upload/complete/{self._session_id}", {})
            await asyncio.wait([watching], timeout=_SETTLE_TIME)

    # -- what happens on the way

    def _hear(self, message: dict[str, Any]) -> None:
        self._picture.take(message)
        self._report.message(message)
        for parcel in self._account.parcels:
            if parcel.file_id and not parcel.done:
                self._report.moved(parcel, self._picture.file(parcel.file_id).stored)

    def placed(self, parcel: Parcel) -> None:
        self._keep(parcel)

    def waits(self, parcel: Parcel, cause: Exception) -> None:
        self._report.waits(parcel, self._words.why(cause))

    def paused(self, parcel: Parcel) -> None:
        self._report.paused(parcel)

    def goes_on(self, parcel: Parcel, offset: int) -> None:
        self._report.goes_on(parcel, offset)

    def _keep(self, parcel: Parcel) -> None:
        source = parcel.source
        if parcel.file_id and self._memory is not None:
            self._memory.keep(
                Remembered(source.path, source.size, source.changed, parcel.file_id, parcel.upload, parcel.done)
            )

    def _failed(self, path: str, fault: Exception) -> None:
        self._account.faults[path] = fault
        self._report.failed(path, self._words.why(fault))

    def _give_up(self, cause: BaseException | None) -> Refusal | Broken:
        if self._account.gave_up is None:
            self._account.gave_up = cause if isinstance(cause, Refusal | Broken) else Broken("no answer")
            key = "unreachable" if isinstance(self._account.gave_up, Broken) else "gave_up"
            self._report.complain(key, base=self._link.base, why=printable(self._words.why(self._account.gave_up)))
        return self._account.gave_up

    def _end(self, status: int) -> int:
        self._report.summary(self._account.summary(self._session_id, self._shown, status, self._words.message))
        self._say_how_to_go_on()
        return status

    @property
    def _shown(self) -> str:
        """The session's link."""
        return self._place.link(self._session_id) if self._session_id else ""

    def _say_how_to_go_on(self) -> None:
        if self._shown and self._account.has_open_ends:
            command = self._settings.command_for(self._shown, self._account.faults)
            self._report.complain("resume", command=command)
