"""All that clients were promised by a station whose power is cut again and again, and whether it is so afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.senders import Draft, Ears, Forgotten, Tus, Upload, content_of
from tests.scenarios.clients import GONE, Socket, poll
from tests.scenarios.lines import LIFECYCLE


async def call_off(*tasks: asyncio.Task[None]) -> None:
    """Cancel, as often as it takes: Python 3.11's `wait_for` drops a cancellation that comes with what it waits for."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=0.1)


@dataclass
class Watched:
    """A session, and what its watcher was told: lifecycle events in order, and which file is which."""

    id: str
    ears: Ears
    epoch: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    closed: bool = False
    """Whether the station said that it has settled."""

    def is_old_news(self, cuts: int) -> bool:
        """Whether it has ended, and so many cuts have passed since."""
        return self.closed and all(upload.cuts > cuts for upload in self.uploads.values())

    async def watch(self, port: int) -> None:
        """Until the station is gone."""
        with contextlib.suppress(*GONE):
            epoch = f"&epoch={self.epoch}" if self.epoch else ""
            socket = await Socket.open(port, f"/ws?sessionId={self.id}&lastSeq={len(self.told)}{epoch}")
            try:
                while (message := await socket.read()) is not None:
                    self._take(message)
            finally:
                await socket.close()

    def _take(self, message: dict[str, Any]) -> None:
        event, data = message["event"], message["data"]
        if not self.ears.open:
            return
        if event == "session-joined":
            self.epoch = data["epoch"]
        elif event in LIFECYCLE:
            self.told.append(message)
            self.closed |= event == "session-completed"
            if "fileName" in data:
                self.names[data["fileId"]] = data["fileName"]
        upload = self.uploads.get(self.names.get(data.get("fileId") or "", ""))
        if upload is None:
            return
        if event == "upload-progress" and upload.resumable:
            upload.promise(data["uploadedBytes"])
        elif event == "upload-completed":
            upload.keep(data["uploadPath"])


@dataclass
class Account:
    """`lost`: bytes that were promised and are not there. `wrong`, `untrue`, `forgotten`: sentences, one a finding."""

    sessions: list[Watched] = field(default_factory=list)
    """Those that are still looked at."""
    every: list[Upload] = field(default_factory=list)
    checked: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    """Public paths of files that were taken out of the folder, as its owner may at any moment."""

    @property
    def uploads(self) -> Iterator[Upload]:
        for session in self.sessions:
            yield from session.uploads.values()

    @property
    def holds(self) -> bool:
        """Whether every promise was kept. An upload that was given up broke none, but this disk loses nothing."""
        return not self.lost and not self.findings

    @property
    def findings(self) -> list[str]:
        return [*self.wrong, *self.untrue, *self.given_up]

    # -- after a cut: on the disk

    def look_at(self, upload_dir: Path) -> None:
        """Compare the folder and the journal with each other and with what was promised. Waits for nothing.

        The folder comes first: the station may be publishing, and what is visible by then was intended before.
        """
        visible = {f"/upload/{path.parent.name}/{path.name}": path for path in upload_dir.glob("[!.]*/*")}
        with contextlib.closing(_open(upload_dir)) as journal:
            self._expect("the journal is damaged", journal.execute("PRAGMA integrity_check").fetchone() == ("ok",))
            files = journal.execute("SELECT id, session_id, status, name, path, kept FROM files").fetchall()
            events = journal.execute("SELECT session_id, seq, file_id, attempt, ending FROM events").fetchall()
        self._look_at_events(events)
        completed = {path: name for _, _, status, name, path, _ in files if status == "completed"}
        self._look_at_folder(visible, completed.keys(), {_intended(kept) for *_, kept in files})
        for public in completed.keys() - self.taken:
            if not (upload_dir / public.removeprefix("/upload/")).exists():
                self.wrong.append(f"{public} is completed, but not there")
        self._look_at_promises(set(completed))

    def _expect(self, otherwise: str, true: bool) -> None:
        if not true:
            self.untrue.append(otherwise)

    def _look_at_events(self, events: list[tuple[str, int, str | None, int | None, int]]) -> None:
        endings = Counter((file, attempt) for _, _, file, attempt, ending in events if ending and file is not None)
        self._expect("an attempt has two endings", all(count == 1 for count in endings.values()))
        numbers: dict[str, list[int]] = {}
        for session_id, seq, *_ in events:
            numbers.setdefault(session_id, []).append(seq)
        for session_id, given in numbers.items():
            whole = sorted(given) == list(range(1, len(given) + 1))
            self._expect(f"the events of session {session_id} are not numbered one after the other", whole)

    def _look_at_folder(self, visible: dict[str, Path], completed: Set[str], intended: set[str | None]) -> None:
        for public, path in visible.items():
            if public not in completed and path.name not in intended:
                self.wrong.append(f"{path.name} is visible, but the journal does not know of it")
            elif path.read_bytes() != content_of(path.name.rpartition("_")[2]):
                self.wrong.append(f"{path.name} is visible and not whole: {path.stat().st_size} bytes")

    def _look_at_promises(self, completed: set[str]) -> None:
        """Only of what is stored; unfinished uploads are asked for over the network."""
        for upload in self.uploads:
            if not upload.stored or (upload.path is not None and upload.path in self.taken):
                continue
            ending = upload.path or f"_{upload.name}"
            self.checked += upload.length
            if not any(path.endswith(ending) for path in completed):
                self.lost += upload.length
                self.wrong.append(f"{upload} was stored, and the journal does not know")

    def take(self, upload_dir: Path, cuts: int) -> None:
        """Make room: what has outlived so many cuts is moved away, as by the owner of the folder."""
        self.sessions = [session for session in self.sessions if not session.is_old_news(cuts)]
        for upload in self.uploads:
            if upload.stored and upload.path is not None and upload.path not in self.taken and upload.cuts >= cuts:
                self.taken.add(upload.path)
                (upload_dir / upload.path.removeprefix("/upload/")).unlink(missing_ok=True)

    # -- after a cut: as clients

    async def ask(self, port: int) -> None:
        """Ask the station that started again."""
        for session in self.sessions:
            answer = await poll(port, session.id, 0, session.epoch, 0)
            known, it = answer.get("events", []), f"session {session.id}"
            self._expect(f"{it} has another epoch", session.epoch in {"", answer.get("epoch")})
            told, kept = ([(each["seq"], each["event"]) for each in events] for events in (session.told, known))
            self._expect(f"{it} told {told}, but knows {kept}", known[: len(session.told)] == session.told)
            ends = [event["event"] for event in known].count("session-completed")
            self._expect(f"{it} has settled, and has {ends} ends", not session.closed or ends == 1)
        await asyncio.gather(*(self._ask_for(port, upload) for upload in self.uploads if upload.resumable))

    async def _ask_for(self, port: int, upload: Upload) -> None:
        if upload.url is None or (upload.stored and upload.path in self.taken):
            return
        promised, language = upload.promised, Tus if upload.way == "tus" else Draft
        try:
            offset = await language(port, upload, random.Random(0), 0).ask()
        except Forgotten as forgotten:
            upload.given_up = True
            self.given_up.append(f"{upload} was answered {forgotten.status}")
            return
        if not upload.stored:
            self.checked += promised
        if offset < promised:
            self.lost += promised - offset
            self.wrong.append(f"{upload} is at {offset} only")
            upload.promised = offset  # said once


def _intended(kept: str) -> str | None:
    """The name under which a file was about to become visible."""
    intent = json.loads(kept).get("intent")  # what is as usual is not written down
    return None if intent is None else intent[1]


def _open(upload_dir: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{upload_dir}/.station/journal.db?mode=ro", uri=True, timeout=20)
