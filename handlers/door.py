"""The listening side: how many connections are served at a time, by what the system allows."""

from __future__ import annotations

import errno
import logging
import resource
import socket
from typing import Any
from weakref import WeakSet

from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets

log = logging.getLogger("upload_station")
_SPARE = 128  # descriptors for the journal, folders, threads and the loop itself
_OVERRUN = 64  # connections above the limit that still get a proper answer
_REST = 0.5  # seconds without accepting when the system has no descriptor left
_USED_UP = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


def open_files() -> int:
    """Raise the limit of open files as far as it goes, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def connection_limit(wished: int) -> int:
    """Each upload needs a descriptor for its file besides its socket; what is turned away needs one, too."""
    return max(8, min(wished, (open_files() - _SPARE - _OVERRUN) // 2))


class Listening(socket.socket):
    """A listening socket that rests when there is no descriptor for whoever knocks.

    The loop would otherwise find them at the door again at once, and spin, and log each time (measured: half a core).
    """

    def accept(self) -> tuple[socket.socket, Any]:
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in _USED_UP:
                raise
            log.warning("no connection can be accepted for a moment: %s", error.strerror)
            loop = IOLoop.current()
            loop.update_handler(self, 0)
            loop.call_later(_REST, self._listen_again, loop)
            raise BlockingIOError from error

    def _listen_again(self, loop: IOLoop) -> None:
        if self.fileno() != -1:  # not closed meanwhile
            loop.update_handler(self, IOLoop.READ)


def listening(port: int, address: str) -> list[Listening]:
    """Sockets that listen at a port; address empty: at all addresses. Raises OSError."""
    return [Listening(fileno=bound.detach()) for bound in bind_sockets(port, address or None)]


class Door(HTTPServer):
    """Counts connections. Those that come above the limit are turned away; far above, they are closed unread."""

    def initialize(self, request_callback: Any, *, limit: int = 1000, **kwargs: Any) -> None:  # type: ignore[override]
        super().initialize(request_callback, **kwargs)
        self.limit = limit
        self.count = 0
        self._late: WeakSet[IOStream] = WeakSet()

    def turns_away(self, connection: HTTPConnection | None) -> bool:
        """Whether this connection came when the house was full. Who came before is served on, also in a stampede."""
        assert isinstance(connection, HTTP1Connection)
        return connection.stream in self._late

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        # Who has gone before a handshake could begin is worth no traceback; and the ssl module would lose its socket.
        try:
            connection.getpeername()
            super()._handle_connection(connection, address)
        except OSError:
            connection.close()

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        if self.count >= self.limit + _OVERRUN:
            stream.close()
            return
        self.count += 1
        if self.count > self.limit:
            self._late.add(stream)
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        assert isinstance(server_conn, HTTP1ServerConnection)
        if server_conn.stream.closed():
            self._gone()
        else:  # HTTP is over, but a WebSocket goes on with the stream
            server_conn.stream.set_close_callback(self._gone)

    def _gone(self) -> None:
        self.count -= 1
