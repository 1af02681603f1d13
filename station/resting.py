"""How a resumable file rests between requests (contract: an attempt spans clean ends, pauses and short breaks).

Changes the file and says what is to be told; the session decides when. Knows no requests.
"""

from __future__ import annotations

from collections.abc import Iterable

from station import telling
from station.clock import Moment
from station.config import Config
from station.errors import Problem, Refused
from station.events import Progress
from station.file import File, Lull, Pace, Status

GRACE = 3.0
"""Seconds that a broken connection is forgiven, and that a client may take between two requests (issue 3)."""


def renew(file: File, config: Config, now: float) -> None:
    """Something was done for an unfinished upload: it expires later."""
    if file.resumable:
        file.expires_at = now + config.upload_expiry


def lull(file: File, problem: Problem | None, now: float) -> None:
    """No request brings bytes any more. Unless one does soon, the attempt fails with `problem`, or rests without."""
    file.lull = Lull(problem, now + GRACE)


def over(files: Iterable[File], now: float) -> list[tuple[File, Problem | None]]:
    """Files whose lull has lasted too long, and what they fail with (None: they rest)."""
    return [(file, file.lull.problem) for file in files if file.lull is not None and now >= file.lull.until]


def carry_on(file: File, offset: int, size: int | None, config: Config, moment: Moment) -> Progress | None:
    """Bytes of the running attempt come again, after the `offset` bytes that are safe."""
    file.received = max(file.received, offset)
    if size is not None:
        file.size, file.estimated = size, False
    paused = file.carry_on(Pace.at_start(config, moment.mono), moment.mono)
    renew(file, config, moment.mono)
    return telling.progress(file, moment) if paused else None


def pause(file: File, moment: Moment) -> Progress:
    """No failure: told by a progress message. Raises NOT_RESUMABLE for a file that begins at nought each time."""
    if not file.resumable:
        raise Refused("NOT_RESUMABLE")
    file.rest(moment.mono)
    return telling.progress(file, moment)


def resume(file: File, config: Config, moment: Moment) -> Progress | None:
    """The opposite of `pause`. Unless bytes come soon, the file rests again."""
    if not file.resumable:
        raise Refused("NOT_RESUMABLE")
    if file.status is not Status.PAUSED:
        return None
    told = carry_on(file, file.received, None, config, moment)
    lull(file, None, moment.mono)
    return told
