"""Starts a station that dies before a certain call to the disk: `python killer.py <number> <options of the server>`.

Counted are the calls that its threads for the disk make, from the first request on, all kinds and threads together:
strace would count each thread's for itself.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = ("open", "write", "ftruncate", "fsync", "fdatasync", "chmod", "link", "unlink", "copy_file_range")


def die_before(number: int) -> None:
    counter = itertools.count(1)

    def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread().name.startswith("writer") and next(counter) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return counted

    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    die_before(int(sys.argv[1]))
    from server import main

    main(sys.argv[2:])
