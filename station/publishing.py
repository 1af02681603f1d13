"""The end of an upload, in the only order that survives a power cut (architecture, The path of a byte, 5).

Synced bytes, then the intent in the journal, then the link, then the folder synced, then the completion in the
journal, and only then is it told. A file that is visible is never taken back.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import PurePosixPath

from station.channel import Channel
from station.delivery import Delivery
from station.dock import Dock, problem_of
from station.file import Attempt, Intent
from station.journal import JournalFailed
from station.names import stored_name

log = logging.getLogger("upload_station")
_CLASHES = 1000  # names tried before giving up; a clash needs the same session, name and millisecond


def public_path(category: str, name: str) -> str:
    return str(PurePosixPath("/upload", category, name))


async def publish(dock: Dock, delivery: Delivery) -> None:
    """Publish a finished delivery. Its `problem` says if that failed; a cancel that came before wins silently.

    Raises JournalFailed when the journal could not record it. A file that was linked by then stays, and its
    completion is recorded and told as soon as the journal works again, or by recovery.
    """
    channel, attempt = delivery.channel, delivery.attempt
    if channel is None or attempt is None or delivery.dead or delivery.problem is not None:
        return
    try:
        stored = await _link(dock, delivery, channel, attempt)
    except OSError as error:
        log.error("publishing failed: %s", error.strerror)
        delivery.fail(problem_of(error))
        return
    if stored is None:
        delivery.discard()
        return
    path = public_path(channel.session.category, stored)
    dock.depart(delivery)
    channel.session.complete(attempt, path, delivery.checksum, dock.clock())
    await channel.committed()
    # Only now: until the completion is recorded, recovery knows the published file by the part's inode.
    await dock.run(dock.storage.drop_part, delivery.part_name)


async def _link(dock: Dock, delivery: Delivery, channel: Channel, attempt: Attempt) -> str | None:
    """Returns the name under which the file is visible and synced; None if a cancel came first."""
    for copy in range(_CLASHES):
        moment = dock.clock()
        name = stored_name(channel.session.id, datetime.fromtimestamp(moment.wall, UTC), delivery.name, copy=copy)
        if not channel.session.seal(attempt, Intent(delivery.part_name, name, delivery.checksum), moment):
            return None
        channel.save(attempt.file_id)
        try:
            await channel.committed()
        except JournalFailed as failure:
            delivery.fail(failure.problem)
            raise
        try:
            await dock.run(dock.storage.publish, delivery.part_name, channel.session.category, name)
        except FileExistsError:
            continue
        return name
    raise FileExistsError(17, "no free name")
