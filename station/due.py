"""When time alone changes something in a session: until then nobody need look at it, unless somebody does something.

Pure. It may be too early, which costs a look, and must never be too late.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from station.config import Config
from station.file import File, Status
from station.settling import Activity


def next_look(activity: Activity, files: Collection[File], config: Config, now: float) -> float:
    """Monotonic seconds; `now` or less: as soon as possible; infinite: nothing happens by itself."""
    return min(_times(activity, files, config, now), default=math.inf)


def _times(activity: Activity, files: Collection[File], config: Config, now: float) -> Iterator[float]:
    for file in files:
        if file.status is Status.UPLOADING:
            yield now  # progress that is held back is to be told in time, and a lull to end
            return
        yield from _of(file, now)
    # Asked as the rules ask, so that rounding cannot put the moment before the answer.
    if now - activity.touched_at < config.session_timeout:
        yield activity.touched_at + config.session_timeout
    if activity.rested_at is not None and now - activity.rested_at < config.settle_linger:
        yield activity.rested_at + config.settle_linger


def _of(file: File, now: float) -> Iterator[float]:
    """Of a file that is not being sent, nor in a lull of its sending."""
    if not file.is_final(now):
        yield file.expiry
    if file.can_retry and file.retry_until is not None and file.retry_until > now:
        yield file.retry_until
