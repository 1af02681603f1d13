"""Cuts the power of a real disk under parallel uploads of every way, again and again, and asks afterwards for all that
was promised: `make crash ARGS="--cuts=200 --seed=1"`, as root.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from tests.crash.account import Account, Watched, call_off
from tests.crash.disk import MODES, Disk, why_not
from tests.crash.process import SERVER, Process
from tests.crash.senders import (
    LARGEST,
    SMALLEST,
    WAYS,
    Draft,
    Ears,
    Forgotten,
    Tus,
    Unexpected,
    Upload,
    send_form,
    send_raw,
)
from tests.scenarios.clients import GONE, ask

GIB = 1024**3
LONGEST = (1.2, 1.2, 1.2, 1.2, 3.0)  # seconds between the start of the uploads and the cut
PARALLEL = 10  # uploads under way, those that go on from before a cut included
OUTLIVED = 2  # cuts after which a stored file need not be looked at again
PATIENCE = 30.0  # seconds for everything to be finished in the end


class Run:
    """`place`: an empty folder for the disk. Use one after another."""

    def __init__(
        self, place: Path, seed: int, ways: tuple[str, ...] = WAYS, launcher: tuple[str, ...] = SERVER
    ) -> None:
        """`launcher`: what to start instead of the server, a mutant of it say."""
        self.account = Account()
        self.cuts = 0
        self._chance = random.Random(seed)
        self._ways = ways
        self._launcher = launcher
        self._numbers = itertools.count(1)
        self._ears = Ears(on_last=self._unplug)
        self._disk = Disk(place, GIB)
        self._folder = self._disk.folder / "upload"
        self._unplugged = asyncio.Event()
        self._stands_still = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def go(self, cuts: int, *, patient: bool = False) -> None:
        """Cut so often, then finish all uploads that still can be. `patient`: not before everything is sent."""
        station = self._start()
        try:
            for _ in range(cuts):
                await self._load(station.port, patient=patient)
                await self._cut(station)
                station = self._start()
                await self._look(station.port)
            await self._finish(station.port)
            self.account.look_at(self._folder)
        finally:
            self._kill(station)
            self._disk.throw_away()

    def _start(self) -> Process:
        self._station = Process(self._folder, "--min_free_space=0", launcher=self._launcher)
        return self._station

    # -- uploads, until the power goes

    async def _load(self, port: int, *, patient: bool) -> None:
        self._unplugged.clear()
        session = await self._open_session(port)
        self._stands_still = self._chance.random() < 0.5
        moment = PATIENCE if patient else self._chance.choice(LONGEST)
        if not patient and self._chance.random() < 0.5:
            self._ears.left = round(math.exp(self._chance.uniform(0, math.log(60))))
        elif not patient:
            moment = self._chance.uniform(0.01, moment)
        for each in self.account.sessions:
            self._run(each.watch(port))
        sending = [self._run(work) for work in (*self._old(port), *self._new(port, session))]
        first = asyncio.FIRST_COMPLETED
        await asyncio.wait([self._run(self._unplugging()), self._run(_all(sending))], timeout=moment, return_when=first)
        self._unplug()
        if self._stands_still:
            await asyncio.sleep(0.01)  # what it said is on its way

    async def _unplugging(self) -> None:
        await self._unplugged.wait()

    async def _open_session(self, port: int) -> Watched:
        answer = await ask(port, "POST", "/api/upload/session", json.dumps({"autoComplete": False}).encode())
        session = Watched(answer.json()["sessionId"], self._ears)
        self.account.sessions.append(session)
        return session

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._expecting(work))
        self._tasks.add(task)
        return task

    async def _expecting(self, work: Awaitable[None]) -> None:
        """What an answer says on a disk that is gone is no promise, as long as it says that something failed."""
        try:
            await work
        except Unexpected as unexpected:
            if not self._unplugged.is_set():
                self.account.untrue.append(str(unexpected))
        except (*GONE, Forgotten):
            pass

    def _old(self, port: int) -> Iterator[Coroutine[Any, Any, None]]:
        """Finish what was there before the last cut."""
        for session in self.account.sessions:
            unfinished = [upload for upload in session.uploads.values() if upload.goes_on]
            for upload in unfinished:
                yield self._resumable(port, upload)
            if not unfinished and session.uploads and not session.closed:
                yield self._close(port, session)

    async def _close(self, port: int, session: Watched) -> None:
        answer = await ask(port, "POST", f"/api/upload/complete/{session.id}")
        if not self._ears.open:
            return
        if answer.status == 404:
            self.account.untrue.append(f"session {session.id} is not known")
        # 409: it has settled already, only nobody heard. 200: it has, unless something is still on its way.
        settled = answer.status == 200 and answer.json()["overallStatus"] in {"completed", "failed", "cancelled"}
        session.closed = settled or answer.status in {404, 409}

    def _new(self, port: int, session: Watched) -> list[Coroutine[Any, Any, None]]:
        room = max(2, PARALLEL - sum(upload.goes_on for upload in self.account.uploads))
        senders = []
        for way, _ in zip(itertools.cycle(self._chance.sample(self._ways, len(self._ways))), range(room), strict=False):
            count = self._chance.randint(1, 3) if way == "multipart" else 1
            uploads = [self._upload(way, session) for _ in range(count)]
            senders.append(self._sender(port, uploads))
        return senders

    def _upload(self, way: str, session: Watched) -> Upload:
        length = round(math.exp(self._chance.uniform(math.log(SMALLEST), math.log(LARGEST))))
        upload = Upload(f"{next(self._numbers)}-{length}.txt", way, session.id, self._ears)
        session.uploads[upload.name] = upload
        self.account.every.append(upload)
        return upload

    def _sender(self, port: int, uploads: list[Upload]) -> Coroutine[Any, Any, None]:
        pause = self._chance.choice((0.0, 0.0, 0.01, 0.05))
        match uploads[0].way:
            case "multipart":
                return send_form(port, uploads, pause)
            case "raw":
                return send_raw(port, uploads[0], pause)
        return self._resumable(port, uploads[0], pause)

    def _resumable(self, port: int, upload: Upload, pause: float = 0.0) -> Coroutine[Any, Any, None]:
        language = Tus if upload.way == "tus" else Draft
        return language(port, upload, self._chance, pause).go()

    # -- the cut, and what comes after it

    def _unplug(self) -> None:
        """Of a sync that is under way at the cut the system may say that it succeeded. So either the station stands
        still before the cut, when no sync is under way, and all that it has said counts; or nothing counts from here.
        """
        self._ears.left = math.inf
        if not self._unplugged.is_set():
            if self._stands_still:
                self._station.stop()
            self._disk.cut()
            self._ears.open = self._stands_still
            self._unplugged.set()

    async def _cut(self, station: Process) -> None:
        await asyncio.sleep(self._chance.choice((0, 0, 0.03)))  # it may say things on a disk that is gone
        self._kill(station)
        await call_off(*self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                task.result()  # raises what a client of ours did wrong
        self._tasks.clear()
        self._ears.open = True
        self._disk.replug(self._chance.choice(MODES))
        self.cuts += 1
        for upload in self.account.uploads:
            upload.cuts += 1

    def _kill(self, station: Process) -> None:
        """What it may log on a disk that is gone does not matter, as long as all of it goes on working."""
        try:
            station.kill()
        except AssertionError:
            if self._stands_still or "Exception in thread" in station.said:
                self.account.untrue.append(station.said[station.said.index("Traceback") :])

    async def _look(self, port: int) -> None:
        self.account.look_at(self._folder)
        await self.account.ask(port)
        self.account.take(self._folder, OUTLIVED)

    async def _finish(self, port: int) -> None:
        """Without further cuts everything that goes on comes to its end, and every session too."""
        self._unplugged.clear()
        deadline = time.monotonic() + PATIENCE
        watching = [self._run(session.watch(port)) for session in self.account.sessions]
        while (rest := list(self._old(port))) and time.monotonic() < deadline:
            await asyncio.gather(*map(self._expecting, rest))
            await asyncio.sleep(0.1)
        for work in rest:
            work.close()
        self.account.untrue += [f"{upload} came to no end" for upload in self.account.uploads if upload.goes_on]
        self.account.untrue += [
            f"session {each.id} came to no end" for each in self.account.sessions if not each.closed
        ]
        await call_off(*watching)
        self._tasks.clear()


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


def report(account: Account, cuts: int) -> str:
    ways = Counter(upload.way for upload in account.every)
    survivors = sum(upload.stored and upload.cuts > 0 and upload.resumed for upload in account.every)
    lines = [
        f"cuts: {cuts}",
        f"uploads: {ways.total()} (" + ", ".join(f"{way} {count}" for way, count in sorted(ways.items())) + ")",
        f"uploads finished after a cut in the middle: {survivors}",
        f"acknowledged bytes checked: {account.checked}",
        f"lost acknowledged bytes: {account.lost}",
        f"wrong files: {len(account.wrong)}",
        f"untrue events and answers: {len(account.untrue)}",
        f"uploads given up: {len(account.given_up)}",
    ]
    return "".join(f"{line}\n" for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """Exit status 2: not possible here. 1: a promise was broken."""
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of what is sent; when it is cut is up to the clock too")
    parser.add_argument("--ways", default=",".join(WAYS), help="of uploading (default: %(default)s)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="upload-station-power-") as folder:
        place = Path(folder)
        if (reason := why_not(place / "probe")) is not None:
            sys.stderr.write(f"{reason}\n")
            return 2
        run = Run(place, options.seed, tuple(options.ways.split(",")))
        asyncio.run(run.go(options.cuts))
    sys.stderr.writelines(f"{finding}\n" for finding in run.account.findings)
    sys.stdout.write(report(run.account, run.cuts))
    return 0 if run.account.holds else 1


if __name__ == "__main__":
    sys.exit(main())
