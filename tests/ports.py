"""Ports for who has to know one before something listens at it, or after it has stopped."""

from __future__ import annotations

import os
import random
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import cycle, islice
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST, _SHARE = 20_000, 1_000


def free_port() -> int:
    """One that no connection is given for its near end by the system, and no test beside this one looks for.

    One that the system chose and nobody holds may be any client's a moment later: two of a hundred proxies that
    were started like that, beside ten others, found theirs taken.
    """
    for port in islice(_in_turn(), _SHARE):
        with suppress(OSError):
            socket.create_server(("", port)).close()
            return port
    raise AssertionError("every port is taken")


@cache
def _in_turn() -> Iterator[int]:
    """This worker's share, from anywhere in it on, so that none is given out twice in a row."""
    end = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768  # where the system's own choice begins
    worker = int("".join(re.findall(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", ""))) or 0)
    first = _FIRST + worker % ((end - _FIRST) // _SHARE) * _SHARE
    start = random.randrange(_SHARE)
    return cycle([*range(first + start, first + _SHARE), *range(first, first + start)])
