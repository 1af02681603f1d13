"""What start-up makes of what a crash left: publishes that came through are completed, resumable uploads go on from
the offset in the journal, other attempts end, and parts that nobody owns go.

Running it again, or after a crash in the middle of it, gives the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from functools import partial

from station import archive, resting
from station.archive import KeptSession
from station.berth import Berth
from station.channel import Channel
from station.clock import Moment
from station.config import Config
from station.errors import Problem
from station.file import File, Status
from station.formats import SNIFF
from station.journal import Journal
from station.keeping import session_from
from station.publishing import public_path
from station.resumption import Kind
from station.session import Session
from station.shelf import Shelf
from station.storage import Storage
from station.upload import Upload, upload_from

_RESTARTED = Problem("SERVER_ERROR", "the station was restarted")
_NOBODY = Problem("NETWORK_ERROR")
Uploads = Mapping[str, Upload]


async def steady_moment(journal: Journal, moment: Moment) -> Moment:
    """Now, for deadlines that were kept: a wall clock behind the journal's last entry counts as no time passed
    (architecture, Time)."""
    return Moment(moment.mono, max(moment.wall, await journal.read(archive.newest_time)))


async def kept_sessions(journal: Journal, config: Config, steady: Moment) -> AsyncIterator[tuple[KeptSession, Session]]:
    """The sessions that were live when the station ended, as the journal has them."""
    for session_id in await journal.read(archive.unsettled):
        kept = await journal.read(partial(archive.session, session_id=session_id))
        if kept is not None:
            yield kept, session_from(kept.id, kept.kept, kept.files, config, steady)


async def kept_uploads(journal: Journal, steady: Moment) -> Uploads:
    """The uploads that could be gone on with when the station ended, by id."""
    kept = await journal.read(archive.open_uploads)
    return {each.id: upload_from(each.id, each.offset, each.expires_at, each.kept, steady) for each in kept}


def recover(channel: Channel, storage: Storage, uploads: Uploads, moment: Moment) -> list[Berth]:
    """Bring one session that was live into a state that is true now; what it says then is journalled and told.

    Returns the uploads that can be gone on with.
    """
    session, berths = channel.session, []
    for file in tuple(session.files.values()):
        berth = _moored(channel, file, storage, uploads.get(file.upload or ""))
        if file.in_flight and _complete(session, file, storage, moment):
            continue
        if berth is not None:
            berths.append(berth)
            _go_on(session, file, berth.upload, moment)
        else:
            _begin_again(session, file, moment)
    if session.terms.implicit and session.activity.rested_at is None:
        session.activity.rested_at = moment.mono  # its only request ended with the process
    if session.terms.closing:
        session.close(moment)  # what a request had claimed when the process ended waits for nobody now
    session.tick(moment)
    return berths


def _complete(session: Session, file: File, storage: Storage, moment: Moment) -> bool:
    """Complete a publish whose file is visible: it may have been picked up already, so it is never taken back."""
    intent = file.intent
    if intent is None or not storage.is_published(intent.part, session.category, intent.stored_name):
        return False
    storage.sync_category(session.category)
    path = public_path(session.category, intent.stored_name)
    session.complete(file.token, path, intent.checksum, moment)
    return True


def _moored(channel: Channel, file: File, storage: Storage, upload: Upload | None) -> Berth | None:
    """The upload of an unfinished file, cut back to its offset; None if it has none, or its bytes are lost."""
    over = file.status in {Status.COMPLETED, Status.CANCELLED}
    if upload is None or over or (file.status is Status.FAILED and not file.can_retry):
        return None
    head = storage.fit_part(upload.id, upload.offset, SNIFF)
    if head is None:
        return None
    berth = Berth(upload, channel, file)
    berth.head[:] = head
    return berth


def _go_on(session: Session, file: File, upload: Upload, moment: Moment) -> None:
    """A resumable attempt just goes on, or fails if nobody comes back soon; one with all its bytes is finished."""
    if upload.closed:  # its client has nothing left to send: it is stored, however long the station was off
        upload.expires_at = moment.mono + session.config.upload_expiry
    file.expires_at, file.intent = upload.expires_at, None
    if file.in_flight:
        file.received = upload.offset
    if file.status is Status.FAILED:
        file.retry_until = file.expires_at
    if file.status is Status.UPLOADING and not upload.closed and upload.kind is Kind.WHOLE:
        resting.lull(file, _NOBODY, moment.mono)
    session.remember(file, moment)


def _begin_again(session: Session, file: File, moment: Moment) -> None:
    resumable, file.upload = file.resumable, None
    if file.in_flight:
        session.fail(file.token, _RESTARTED, moment)
    elif resumable and file.status is Status.PENDING:
        session.refuse(file, _RESTARTED, moment)
    elif resumable and file.status is Status.FAILED and file.can_retry:
        file.retry_until = moment.mono + session.config.retry_grace


def partials(uploads: Uploads, storage: Storage) -> list[Berth]:
    """Those that belong to no session and are all here."""
    alone = [upload for upload in uploads.values() if upload.session_id is None]
    return [Berth(upload) for upload in alone if storage.fit_part(upload.id, upload.offset, 0) is not None]


async def forget(uploads: Uploads, berths: Collection[Berth], shelf: Shelf) -> None:
    """Record of the others what became of them: their file is stored, or nothing can come of them."""
    going_on = {berth.upload.id for berth in berths}
    await asyncio.gather(*(shelf.bury(upload) for upload in uploads.values() if upload.id not in going_on))


def sweep(storage: Storage, sessions: Iterable[Session], berths: Iterable[Berth] = ()) -> None:
    """Remove part files that no unfinished file owns."""
    owned = {berth.upload.id for berth in berths}
    owned |= {
        file.intent.part
        for session in sessions
        for file in session.files.values()
        if file.intent is not None and file.status is Status.UPLOADING
    }
    for part in storage.parts():
        if part not in owned:
            storage.drop_part(part)
