"""How long it takes to tell many: one event to a thousand WebSockets, timed at each of them."""

from __future__ import annotations

import resource
import select
import socket
import time
from dataclasses import dataclass
from statistics import median

from bench.sender import Connection, open_socket
from bench.server import Server

_MARK = b'"upload-cancelled"'
_SPARE = 64  # descriptors


@dataclass(frozen=True)
class Telling:
    """Medians of milliseconds after the request that causes the event was sent; `cpu`: ms of the station an event."""

    watchers: int
    first: float
    middle: float
    last: float
    cpu: float


def tell(server: Server, watchers: int, times: int) -> Telling:
    """Cancel a file, `times` times, before the eyes of so many. The event is recorded on disk before it is told."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY:
        watchers = min(watchers, hard - _SPARE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (watchers + _SPARE, hard))
    with Connection(server) as connection:
        opened = connection.open_session([(f"{n}.mp4", 1) for n in range(times + 1)])
        session_id = opened["sessionId"]
        sockets = [open_socket(server.port, f"/ws?sessionId={session_id}") for _ in range(watchers)]
        crowd = _Crowd(sockets)
        crowd.hear(b'"session-joined"')
        cpu = server.cpu()
        heard = [_cancel(connection, session_id, file["fileId"], crowd) for file in opened["files"][:times]]
        cpu = server.cpu() - cpu
        crowd.close()
    first, middle, last = (median(each) * 1000 for each in zip(*heard, strict=True))
    return Telling(watchers, first, middle, last, cpu * 1000 / times)


def _cancel(connection: Connection, session_id: str, file_id: str, crowd: _Crowd) -> tuple[float, float, float]:
    sent = time.perf_counter()
    connection.ask(f"/api/upload/cancel/{session_id}", {"fileId": file_id})
    times = sorted(crowd.hear(_MARK))
    connection.answer(200)
    return times[0] - sent, median(times) - sent, times[-1] - sent


class _Crowd:
    """All sockets, read by one thread."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._sockets = {each.fileno(): each for each in sockets}
        self._poll = select.epoll()
        for number in self._sockets:
            self._poll.register(number, select.EPOLLIN)

    def hear(self, mark: bytes) -> list[float]:
        """When each socket got a message with `mark` in it."""
        waiting = dict.fromkeys(self._sockets, b"")
        heard = []
        while waiting:
            for number, _ in self._poll.poll():
                data = self._sockets[number].recv(65536)
                if not data:
                    raise RuntimeError("the server hung up on a watcher")
                if number in waiting and mark in (waiting[number] + data):
                    heard.append(time.perf_counter())
                    del waiting[number]
                elif number in waiting:
                    waiting[number] += data
        return heard

    def close(self) -> None:
        self._poll.close()
        for each in self._sockets.values():
            each.close()
