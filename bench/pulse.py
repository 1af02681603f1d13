"""How long the station's event loop keeps others waiting, felt from outside: a WebSocket ping every 10 ms.

`python -m bench.pulse PORT` pings until its input ends, then prints each delay in milliseconds, one a line. A ping is
answered by the loop itself: no file, no journal, no other thread has part in it. So the delay is what the loop was
busy with, the time to be given a processor (twice), and two trips over loopback. It says nothing about the disk.
"""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.sender import control_frame, open_socket
from bench.server import ROOT

EVERY = 0.010  # seconds
_PING, _PONG = 9, 10


@contextmanager
def pulse(port: int) -> Iterator[list[float]]:
    """Pings from a process of its own; the list is filled with the delays (ms) at the end."""
    delays: list[float] = []
    command = [sys.executable, "-m", "bench.pulse", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield delays
        finally:
            output, _ = process.communicate("")
            delays += [float(line) for line in output.split()]


def measure(opened: socket.socket) -> Iterator[float]:
    """Delays in milliseconds until the standard input ends.

    A ping that could not be sent in time, since the one before was still unanswered, counts from when it was due:
    otherwise one long standstill would be a single bad value among many good ones.
    """
    due, late_by_waiting = time.perf_counter(), False
    while not select.select([sys.stdin], [], [], max(0.0, due - time.perf_counter()))[0]:
        sent = time.perf_counter()
        opened.sendall(control_frame(_PING, b"."))
        while next_opcode(opened) != _PONG:
            pass
        now = time.perf_counter()
        yield (now - (due if late_by_waiting else sent)) * 1000
        late_by_waiting = now > due + EVERY
        due += EVERY


def next_opcode(opened: socket.socket) -> int:
    """Read one frame; the station's are short here: pongs, and its own pings."""
    first, length = exactly(opened, 2)
    exactly(opened, length)
    return first & 0x0F


def exactly(opened: socket.socket, count: int) -> bytes:
    data = opened.recv(count, socket.MSG_WAITALL) if count else b""
    if len(data) < count:
        raise RuntimeError("the server hung up")
    return data


def main() -> None:
    with open_socket(int(sys.argv[1]), "/ws") as opened:
        print("ready", flush=True)
        delays = list(measure(opened))
    print("\n".join(f"{delay:.3f}" for delay in delays))


if __name__ == "__main__":
    main()
