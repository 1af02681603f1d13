"""What start-up makes of what a crash left: publishes that came through are completed, other attempts end, parts go.

Running it again, or after a crash in the middle of it, gives the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from functools import partial

from station import archive
from station.archive import KeptSession
from station.clock import Moment
from station.config import Config
from station.errors import Problem
from station.file import File, Status
from station.journal import Journal
from station.keeping import session_from
from station.publishing import public_path
from station.session import Session
from station.storage import Storage


async def kept_sessions(journal: Journal, config: Config, moment: Moment) -> AsyncIterator[tuple[KeptSession, Session]]:
    """The sessions that were live when the station ended, as the journal has them."""
    newest = await journal.read(archive.newest_time)
    # A wall clock behind the journal's last entry counts as no time passed (architecture, Time).
    steady = Moment(moment.mono, max(moment.wall, newest))
    for session_id in await journal.read(archive.unsettled):
        kept = await journal.read(partial(archive.session, session_id=session_id))
        if kept is not None:
            yield kept, session_from(kept.id, kept.kept, kept.files, config, steady)


def recover(session: Session, storage: Storage, moment: Moment) -> None:
    """Bring one session that was live into a state that is true now; what it says then is journalled and told."""
    for file in tuple(session.files.values()):
        if not file.in_flight:
            continue
        if not _complete(session, file, storage, moment):
            session.fail(file.token, Problem("SERVER_ERROR", "the station was restarted"), moment)
    if session.terms.implicit and session.activity.rested_at is None:
        session.activity.rested_at = moment.mono  # its only request ended with the process
    if session.terms.closing:
        session.close(moment)  # what a request had claimed when the process ended waits for nobody now
    session.tick(moment)


def _complete(session: Session, file: File, storage: Storage, moment: Moment) -> bool:
    """Complete a publish whose file is visible: it may have been picked up already, so it is never taken back."""
    intent = file.intent
    if intent is None or not storage.is_published(intent.part, session.category, intent.stored_name):
        return False
    storage.sync_category(session.category)
    path = public_path(session.category, intent.stored_name)
    session.complete(file.token, path, intent.checksum, moment)
    return True


def sweep(storage: Storage, sessions: Iterable[Session]) -> None:
    """Remove part files that no unfinished file owns."""
    owned = {
        file.intent.part
        for session in sessions
        for file in session.files.values()
        if file.intent is not None and file.status is Status.UPLOADING
    }
    for part in storage.parts():
        if part not in owned:
            storage.drop_part(part)
