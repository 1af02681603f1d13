"""Which file of a session a request is about to send: one it names, one that waits for these bytes, or a new one."""

from __future__ import annotations

from station.clock import Moment
from station.errors import Problem, Refused
from station.file import File, Status
from station.names import shown_name
from station.session import Session


def claim(
    session: Session,
    new_id: str,
    name: str,
    size: int | None,
    file_id: str | None,
    moment: Moment,
    problem: Problem | None = None,
) -> File:
    """`size` None: not known. Raises Refused with the code that tells why nothing can be sent now.

    `problem`: what is known to be wrong with it already. It is then to be refused; but what runs goes on.

    A file that is still being sent under the same id, by an older and probably dead request, is taken over: that
    attempt fails, since the bytes of a multipart or raw upload begin again at nought. Without a try left for the
    newer request the older one goes on.
    """
    if not session.takes_files:
        raise Refused("SESSION_CLOSED")
    running = session.files.get(file_id or "")
    if problem is not None and running is not None and running.in_flight:
        raise problem.refusal()
    if file_id is None:
        file = _waiting(session, shown_name(name), size) or session.files.add(
            new_id, name, size, session.config.max_files
        )
    else:
        file = _named(session, file_id, size, moment)
    file.claimed = True
    file.claims += 1
    file.upload = file.expires_at = None  # whoever sends it now begins at nought
    file.limited = True
    return file


def unnamed(file_id: str | None) -> Problem | None:
    """Why a session that is yet to be opened cannot take this: it has no file that could be named. None: it can."""
    return None if file_id is None else Problem("FILE_NOT_FOUND")


def _named(session: Session, file_id: str, size: int | None, moment: Moment) -> File:
    file = session.files.named(file_id)
    if file.status is Status.COMPLETED or file.sealed:
        raise Refused("UPLOAD_ALREADY_COMPLETED")
    if file.status is Status.CANCELLED:
        raise Refused("UPLOAD_CANCELLED")
    if not _same_size(file, size):
        raise Refused("CHECKSUM_MISMATCH", f"{_size(file)} bytes were announced, {size} are being sent")
    if file.in_flight and not session.may_retry(file):
        raise Refused("UPLOAD_LOCKED", "this is the last try, and it is still running", retry_after=5)
    if file.in_flight:
        session.fail(file.token, Problem("NETWORK_ERROR", "taken over by a newer request"), moment)
    if file.status is Status.FAILED and not file.can_retry:
        raise Refused("VALIDATION_ERROR", "this file failed for good and cannot be sent again")
    return file


def _waiting(session: Session, name: str, size: int | None) -> File | None:
    for file in session.files.values():
        waits = (file.status is Status.PENDING and not file.resumable) or (
            file.status is Status.FAILED and file.can_retry
        )
        if waits and not file.claimed and file.name == name and _same_size(file, size):
            return file
    return None


def _same_size(file: File, size: int | None) -> bool:
    return size is None or _size(file) in (None, size)


def _size(file: File) -> int | None:
    """What is known for certain of a file's size."""
    return file.announced if file.announced is not None else None if file.estimated else file.size
