"""The listening side: how many connections are served at a time, by what the system allows."""

from __future__ import annotations

import resource
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

_SPARE = 128  # descriptors for the journal, folders, threads and the loop itself
_OVERRUN = 64  # connections above the limit that still get a proper answer


def open_files() -> int:
    """Raise the limit of open files as far as it goes, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


class Door(HTTPServer):
    """Counts connections. `is_crowded`: requests are to be turned away; far above, connections are closed unread."""

    def initialize(self, request_callback: Any, *, limit: int = 1000, **kwargs: Any) -> None:  # type: ignore[override]
        super().initialize(request_callback, **kwargs)
        self.limit = limit
        self.count = 0

    @property
    def is_crowded(self) -> bool:
        return self.count > self.limit

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        if self.count >= self.limit + _OVERRUN:
            stream.close()
            return
        self.count += 1
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        self.count -= 1
        super().on_close(server_conn)


def connection_limit(wished: int) -> int:
    """Each upload needs a descriptor for its file besides its socket."""
    return max(8, min(wished, (open_files() - _SPARE) // 2))
