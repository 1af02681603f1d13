"""The environment of the operator's programs: what is in it, and which processes were born with it.

A program may leave others behind outside its process group (`setsid` does it). What they inherited tells whose they
are, unless they hide it. Where there is no /proc, none is found.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
from collections.abc import Mapping
from pathlib import Path
from time import sleep

PREFIX = "UPLOAD_STATION_"
# What a service manager tells the station and nobody else.
_OURS = (PREFIX, "NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "CREDENTIALS_DIRECTORY")
_PROCESSES = Path("/proc")
_MARK = f"{PREFIX}RUN".encode()
# Some that are killed have started others meanwhile, and who becomes another program shows nothing for a moment.
_PAUSES = tuple(0.001 * 2**number for number in range(10))  # seconds


def environment(facts: Mapping[str, object]) -> dict[bytes, bytes]:
    """The station's own without what is for the station only, the facts that are known, and a mark of this run."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    named = {PREFIX + re.sub("([A-Z])", r"_\1", name).upper(): value for name, value in facts.items()}
    told = {name: str(value) for name, value in named.items() if value is not None}
    return {
        **{os.fsencode(name): os.fsencode(value) for name, value in inherited.items()},
        **{name.encode(): value.replace("\0", "").encode("utf-8", "replace") for name, value in told.items()},
        _MARK: secrets.token_hex(16).encode(),
    }


def kill_all_in(variables: Mapping[bytes, bytes]) -> None:
    """Kill whoever bears the mark. Blocks for as long as looking at all processes takes, some milliseconds, and for a
    second where one of the others has no environment at all."""
    mark = _MARK + b"=" + variables[_MARK]
    for pause in _PAUSES:
        if sum(_kill(each, mark) for each in _PROCESSES.glob("[0-9]*")) == 0:
            return
        sleep(pause)


def _kill(process: Path, mark: bytes) -> bool:
    """Whether it is to be looked at again: it bore the mark, or may yet show it."""
    try:
        held = os.pidfd_open(int(process.name))  # its number may be another's in a moment
    except OSError:
        return False
    try:
        inherited = (process / "environ").read_bytes()
        if mark in inherited.split(b"\0"):
            signal.pidfd_send_signal(held, signal.SIGKILL)
            return True
        # In the middle of an exec it has a program and no environment yet; the kernel's own and the dead have neither.
        return not inherited and bool(os.readlink(process / "exe"))
    except OSError:  # somebody else's, or it has ended
        return False
    finally:
        os.close(held)
