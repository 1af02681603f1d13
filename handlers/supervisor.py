"""What systemd, or whoever else supervises the station by its protocol, gives it and wants to hear.

Sockets that were opened before the start (a restart then loses no connection), and words over a datagram socket: that
the station is ready, stops, reads its certificate again, and still turns its loop. Without a supervisor all of it does
nothing. See sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3); the protocol is small enough to be written out.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping

from handlers.door import Listening
from station.clock import Clock
from station.storage import Unusable

FIRST = 3  # the descriptor of the first socket that is passed on
_FAMILIES = {socket.AF_INET, socket.AF_INET6}


class Supervisor:
    """Takes its variables out of `environment`, so that no program the station runs believes they are for it."""

    def __init__(self, environment: MutableMapping[str, str], clock: Clock) -> None:
        self._clock = clock
        self._place = environment.pop("NOTIFY_SOCKET", "")
        period = _number(environment.pop("WATCHDOG_USEC", ""))
        if environment.pop("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
            period = 0
        self._period = period / 1e6 / 3  # in time also when two words got lost
        self._fed_at: float | None = None
        self._count = _number(environment.pop("LISTEN_FDS", ""))
        if environment.pop("LISTEN_PID", "") != str(os.getpid()):
            self._count = 0
        environment.pop("LISTEN_FDNAMES", None)

    def sockets(self) -> list[Listening]:
        """Those it opened for the station; none: the station opens its own. Raises Unusable."""
        given, self._count = [Listening(fileno=FIRST + count) for count in range(self._count)], 0
        for each in given:
            listens = each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if each.family not in _FAMILIES or not listens:
                raise Unusable("the sockets that the station is given must listen at a port (ListenStream=8005)")
            each.setblocking(False)
            each.set_inheritable(False)
        return given

    @property
    def is_there(self) -> bool:
        return bool(self._place)

    # -- words

    def ready(self) -> None:
        self._say("READY=1")

    def reloading(self) -> None:
        self._say(f"RELOADING=1\nMONOTONIC_USEC={int(self._clock().mono * 1e6)}")

    def stopping(self) -> None:
        self._say("STOPPING=1")

    def turns(self, _: float = 0.0) -> None:
        """The loop still turns: called at each tick, it says so as often as was asked for."""
        now = self._clock().mono
        if self._period and (self._fed_at is None or now - self._fed_at >= self._period):
            self._fed_at = now
            self._say("WATCHDOG=1")

    def _say(self, text: str) -> None:
        if not self._place:
            return
        address = f"\0{self._place[1:]}" if self._place.startswith("@") else self._place
        # Nothing that is said here is worth ending, or holding up, a station for.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto(text.encode(), address)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
