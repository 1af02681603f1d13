"""What a webhook is to hear outlives kill -9 and a receiver that is down or fails: at least once, in order."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.clients.rig import Station

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
EVENTS = ["upload-started", "upload-completed", "session-completed"]
MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(2000)
PATIENCE = 60.0


class Receiver:
    """`heard`: what it was told, by id, in the order of coming; it refuses the first few of each try."""

    def __init__(self, refuses: int) -> None:
        self.tried: list[str] = []
        self.heard: list[tuple[str, Any]] = []
        self.forged: list[str] = []
        self._refuses = refuses
        self._news = threading.Condition()

    def hear(self, body: bytes, headers: dict[str, str]) -> int:
        with self._news:
            try:
                message = Webhook(SECRET).verify(body.decode(), headers)
            except WebhookVerificationError as error:
                self.forged.append(str(error))
                return 401
            finally:
                self._news.notify_all()
            self.tried.append(headers["webhook-id"])
            if len(self.tried) <= self._refuses:
                return 503
            self.heard.append((headers["webhook-id"], message))
            return 204

    def wait_for(self, count: int) -> None:
        """Until so many different messages were taken."""
        with self._news:
            assert self._news.wait_for(lambda: len({id for id, _ in self.heard}) >= count, PATIENCE), self.heard


@contextmanager
def listening(receiver: Receiver, port: int) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.hear(body, {name.lower(): text for name, text in self.headers.items()}))
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def put(station: Station, name: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{station.port}/u/{name}", data=MOVIE, method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["sessionId"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_what_nobody_heard_before_a_kill_is_told_after_it_in_order(tmp_path: Path) -> None:
    port = free_port()
    hook = (f"--webhook=http://127.0.0.1:{port}/", f"--webhook-secret={SECRET}", f"--webhook-events={','.join(EVENTS)}")
    first = Station(tmp_path, *hook)
    sessions = [put(first, f"{number}.mp4") for number in range(3)]
    first._process.kill()
    first._process.communicate()
    receiver = Receiver(refuses=4)
    with listening(receiver, port):
        second = Station(tmp_path, *hook)
        try:
            sessions.append(put(second, "later.mp4"))
            receiver.wait_for(len(sessions) * len(EVENTS))
        finally:
            second.end()
    assert receiver.forged == []
    told: dict[str, list[str]] = defaultdict(list)
    ids: dict[str, Any] = {}
    for id, message in receiver.heard:
        assert ids.setdefault(id, message) == message, "an id names one message"
        told[message["data"]["sessionId"]].append(message["event"])
    assert dict(told) == dict.fromkeys(sessions, EVENTS)
    assert len(set(receiver.tried)) < len(receiver.tried), "what was refused came again under its id"
    assert set(receiver.tried) == set(ids)
