"""The yardstick: a bare loop from socket to disk, with an fsync before each answer. Knows no names, limits or events.

`python -m bench.bare FOLDER` prints its address; it stores each body, whatever it is, under a number.
"""

from __future__ import annotations

import itertools
import os
import re
import socket
import sys
import threading
from pathlib import Path

BLOCK = 1024**2  # bytes a read and a write; larger ones cost no less
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


def serve(connection: socket.socket, folder: Path, numbers: itertools.count[int]) -> None:
    """Store one body after another until the client hangs up."""
    view = memoryview(bytearray(BLOCK))
    with connection:
        while (got := connection.recv_into(view)) > 0:
            while (end := bytes(view[:got]).find(b"\r\n\r\n")) < 0:
                got += connection.recv_into(view[got:])
            match = _LENGTH.search(view[:end])
            assert match is not None, "a body of known length is needed"
            store(connection, view, end + 4, got, int(match[1]), folder / str(next(numbers)))
            connection.sendall(_ANSWER)


def store(connection: socket.socket, view: memoryview, start: int, end: int, size: int, path: Path) -> None:
    """Write `size` bytes: those between `start` and `end` of the view, then what comes."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    left = size - write_all(fd, view[start:end])
    while left:
        got = connection.recv_into(view, min(BLOCK, left), socket.MSG_WAITALL)
        assert got, "the client hung up"
        left -= write_all(fd, view[:got])
    os.fsync(fd)
    os.close(fd)


def write_all(fd: int, view: memoryview) -> int:
    done = 0
    while done < len(view):
        done += os.write(fd, view[done:])
    return done


def main() -> None:
    folder, numbers = Path(sys.argv[1]), itertools.count()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        print(f"listens at http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(connection, folder, numbers), daemon=True).start()


if __name__ == "__main__":
    main()
