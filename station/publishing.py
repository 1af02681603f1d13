"""The end of an upload, in the only order that survives a power cut (architecture, The path of a byte, 5).

Synced bytes, then the operator's check, then the intent in the journal, then the link, then the folder synced, then
the completion in the journal, and only then is it told. A file that is visible is never taken back.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Protocol

from station.channel import Channel
from station.dock import Dock, problem_of
from station.errors import Problem
from station.file import Attempt, Intent
from station.journal import JournalFailed
from station.names import stored_name

log = logging.getLogger("upload_station")
_CLASHES = 1000  # names tried before giving up; a clash needs the same session, name and millisecond


class Whole(Protocol):
    """A part file with all its bytes synced and verified. `dead`: its attempt is over already."""

    name: str
    checksum: dict[str, str] | None
    problem: Problem | None
    channel: Channel | None
    attempt: Attempt | None
    dead: bool

    @property
    def part_name(self) -> str: ...

    def check(self) -> None: ...

    def fail(self, problem: Problem) -> None:
        """It could not be published."""

    def put_off(self, problem: Problem) -> None:
        """It could not be looked at now; another time it may be."""

    def discard(self) -> None:
        """Somebody else ended it first."""


def public_path(category: str, name: str) -> str:
    return str(PurePosixPath("/upload", category, name))


async def publish(dock: Dock, whole: Whole) -> None:
    """Publish what is whole. Its `problem` says if that failed; a cancel that came before wins silently.

    Raises JournalFailed when the journal could not record it. A file that was linked by then stays, and its
    completion is recorded and told as soon as the journal works again, or by recovery.
    """
    channel, attempt = whole.channel, whole.attempt
    if channel is None or attempt is None or whole.dead or whole.problem is not None:
        return
    if not await _passes(dock, whole, channel, attempt):
        return
    try:
        stored = await _link(dock, whole, channel, attempt)
    except OSError as error:
        log.error("publishing failed: %s", error.strerror)
        whole.fail(problem_of(error))
        return
    if stored is None:
        whole.discard()
        return
    path = public_path(channel.session.category, stored)
    dock.depart(whole)
    channel.session.complete(attempt, path, whole.checksum, dock.clock())
    await channel.committed()
    # Only now: until the completion is recorded, recovery knows the published file by the part's inode.
    try:
        await dock.run(dock.storage.drop_part, whole.part_name)
    except OSError as error:
        log.warning("a part file could not be removed, the next start will: %s", error.strerror)


async def _passes(dock: Dock, whole: Whole, channel: Channel, attempt: Attempt) -> bool:
    """Whether the operator's check takes it, if there is one. Until then a cancel wins."""
    if not dock.inspection.is_wanted:
        return True
    session, file = channel.session, channel.session.files[attempt.file_id]
    facts = {
        "sessionId": session.id,
        "fileId": file.id,
        "fileName": file.name,
        "fileSize": file.received,
        "category": session.category,
        "checksum": whole.checksum,
    }
    problem = await dock.inspection.judge(whole.part_name, facts, lambda: session.current(attempt) is not None)
    if session.current(attempt) is None:
        whole.discard()
    elif problem is not None and problem.row.retry:
        whole.put_off(problem)
    elif problem is not None:
        whole.fail(problem)
    else:
        return True
    return False


async def _link(dock: Dock, whole: Whole, channel: Channel, attempt: Attempt) -> str | None:
    """Returns the name under which the file is visible and synced; None if a cancel came first."""
    for copy in range(_CLASHES):
        moment = dock.clock()
        name = stored_name(channel.session.id, datetime.fromtimestamp(moment.wall, UTC), whole.name, copy=copy)
        if not channel.session.seal(attempt, Intent(whole.part_name, name, whole.checksum), moment):
            return None
        channel.save(attempt.file_id)
        try:
            await channel.committed()
        except JournalFailed as failure:
            whole.fail(failure.problem)
            raise
        try:
            await dock.run(dock.storage.publish, whole.part_name, channel.session.category, name)
        except FileExistsError:
            continue
        return name
    raise FileExistsError(17, "no free name")
