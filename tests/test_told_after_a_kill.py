"""What a webhook is to hear outlives kill -9 and a receiver that is down or fails: at least once, in order."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.clients.rig import Station
from tests.ports import free_port

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
EVENTS = ["upload-started", "upload-completed", "session-completed"]
MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(2000)
LIFECYCLE = ["upload-started", "upload-completed", "upload-failed", "upload-cancelled", "session-completed"]
TOKEN = "operator-token"
LETTERS = "/api/monitor/letters"
PATIENCE = 120.0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Station]]:
    """Starts a station in the same folder, with these options; none outlives the test."""
    started: list[Station] = []

    def start(*options: str) -> Station:
        started.append(Station(tmp_path, *options))
        return started[-1]

    yield start
    for station in started:
        station._process.kill()
        station._process.wait()
        assert station._process.stdout is not None
        station._process.stdout.close()


class Receiver:
    """`heard`: what it was told, by id, in the order of coming; it refuses the first few of each try."""

    def __init__(self, refuses: int) -> None:
        self.tried: list[str] = []
        self.heard: list[tuple[str, Any]] = []
        self.forged: list[str] = []
        self._refuses = refuses
        self._trap: tuple[int, Callable[[], None]] | None = None
        self._news = threading.Condition()

    def set_trap(self, after: int, spring: Callable[[], None]) -> None:
        """So many messages from now it calls this, and hangs up: the message was taken, the station does not know."""
        with self._news:
            self._trap = len(self.heard) + after, spring

    def hear(self, body: bytes, headers: dict[str, str]) -> int | None:
        """The status to answer with; None: none."""
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
            if self._trap is not None and len(self.heard) >= self._trap[0]:
                _, spring = self._trap
                self._trap = None
                spring()
                return None
            return 204

    def wait_for(self, count: int) -> None:
        """Until so many different messages were taken."""
        with self._news:
            assert self._news.wait_for(lambda: len({id for id, _ in self.heard}) >= count, PATIENCE), self.heard

    def told(self) -> dict[str, list[tuple[int, str]]]:
        """What each session's messages were, without the repetitions, which have to be repetitions."""
        ids: dict[str, Any] = {}
        told: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for id, message in self.heard:
            assert ids.setdefault(id, message) == message, "an id names one message"
            said, heard = told[message["data"]["sessionId"]], (message["seq"], message["event"])
            if heard not in said:
                said.append(heard)
            assert said[-1] == heard, "what comes again comes before what follows it"
        assert len(ids) == sum(len(said) for said in told.values()), "a message keeps its id"
        assert self.forged == []
        return dict(told)


@contextmanager
def listening(receiver: Receiver, port: int) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.hear(body, {name.lower(): text for name, text in self.headers.items()})
            if status is not None:
                self.send_response(status)
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
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return str(json.load(answer)["sessionId"])


def ask(station: Station, path: str, method: str = "GET") -> Any:
    """As the operator."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    data = b"" if method == "POST" else None
    request = urllib.request.Request(f"http://127.0.0.1:{station.port}{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.loads(answer.read() or b"null")


def happened(station: Station, session_id: str) -> list[tuple[int, str]]:
    """As a poller hears it."""
    return [(event["seq"], event["event"]) for event in station.events(session_id) if event["event"] in LIFECYCLE]


def do_a_bit_of_everything(station: Station, folder: Path) -> list[str]:
    """Sessions in which a file is stored, one fails, and one is cancelled."""
    stored = put(station, "stored.mp4")
    false = folder / "false.mp4"
    false.write_bytes(b"#!/bin/sh\n" * 100)
    [failing] = station.expect(false)
    address = f"/api/upload/session/{failing.session_id}/files/false.mp4?fileId={failing.file_id}"
    request = urllib.request.Request(f"http://127.0.0.1:{station.port}{address}", false.read_bytes(), method="PUT")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=PATIENCE)
    refused.value.close()
    assert refused.value.code == 415
    [cancelled] = station.expect(false)
    station.ask(f"/api/upload/cancel/{cancelled.session_id}", {"fileId": cancelled.file_id})
    return [stored, failing.session_id, cancelled.session_id]


def kill(station: Station) -> None:
    station._process.kill()
    station._process.communicate(timeout=PATIENCE)


def letters(station: Station, count: int) -> list[Any]:
    """The dead ones, when there are so many."""
    deadline = time.monotonic() + PATIENCE
    while len(found := ask(station, LETTERS)["letters"]) != count:
        assert time.monotonic() < deadline, found
    return list(found)


def test_what_nobody_heard_before_a_kill_is_told_after_it_in_order(start: Callable[..., Station]) -> None:
    port = free_port()
    hook = (f"--webhook=http://127.0.0.1:{port}/", f"--webhook-secret={SECRET}", f"--webhook-events={','.join(EVENTS)}")
    first = start(*hook)
    sessions = [put(first, f"{number}.mp4") for number in range(3)]
    kill(first)
    receiver = Receiver(refuses=4)
    with listening(receiver, port):
        second = start(*hook)
        try:
            sessions.append(put(second, "later.mp4"))
            receiver.wait_for(len(sessions) * len(EVENTS))
        finally:
            second.end()
    told = {session: [event for _, event in said] for session, said in receiver.told().items()}
    assert told == dict.fromkeys(sessions, EVENTS)
    assert len(set(receiver.tried)) < len(receiver.tried), "what was refused came again under its id"
    assert set(receiver.tried) == {id for id, _ in receiver.heard}


def options(port: int, *more: str) -> list[str]:
    hook = [f"--webhook=http://127.0.0.1:{port}/", f"--webhook-secret={SECRET}", f"--admin-token={TOKEN}"]
    return [*hook, f"--webhook-events={','.join(LIFECYCLE)}", *more]


def test_each_event_is_told_though_the_station_is_killed_while_it_tells(
    start: Callable[..., Station], tmp_path: Path
) -> None:
    """Killed when the receiver has taken a message, and nothing of that is in the journal: it comes again."""
    port = free_port()
    receiver = Receiver(refuses=0)
    station = start(*options(port))
    sessions = do_a_bit_of_everything(station, tmp_path)
    kill(station)
    for _ in range(3):
        station = start(*options(port))
        sessions += do_a_bit_of_everything(station, tmp_path)
        receiver.set_trap(3, station._process.kill)
        with listening(receiver, port):
            station._process.communicate(timeout=PATIENCE)
    station = start(*options(port))
    try:
        expected = {session_id: happened(station, session_id) for session_id in sessions}
        assert {name for events in expected.values() for _, name in events} == set(LIFECYCLE)
        with listening(receiver, port):
            receiver.wait_for(sum(len(events) for events in expected.values()))
    finally:
        station.end()
    assert receiver.told() == expected
    assert len(receiver.heard) > sum(len(events) for events in expected.values()), "some came twice"


def test_a_receiver_that_restarts_hears_all_of_it(start: Callable[..., Station], tmp_path: Path) -> None:
    port = free_port()
    receiver = Receiver(refuses=0)
    station = start(*options(port))
    try:
        fell = threading.Event()
        receiver.set_trap(2, fell.set)
        with listening(receiver, port):
            sessions = do_a_bit_of_everything(station, tmp_path)
            assert fell.wait(PATIENCE)
        sessions += do_a_bit_of_everything(station, tmp_path)
        expected = {session_id: happened(station, session_id) for session_id in sessions}
        with listening(receiver, port):
            receiver.wait_for(sum(len(events) for events in expected.values()))
    finally:
        station.end()
    assert receiver.told() == expected


def test_what_was_given_up_outlives_a_kill_and_is_sent_again(start: Callable[..., Station]) -> None:
    port = free_port()
    receiver = Receiver(refuses=2)
    own = options(port, "--webhook-events=upload-completed", "--hook-patience=1s")
    station = start(*own)
    with listening(receiver, port):
        session = put(station, "a.mp4")
        [letter] = letters(station, 1)
    assert (letter["sessionId"], letter["event"]) == (session, "upload-completed")
    assert (letter["hook"], letter["tries"], letter["error"]) == ("webhook", 2, "it answered 503")
    kill(station)
    station = start(*own)
    try:
        assert letters(station, 1) == [letter]
        with listening(receiver, port):
            ask(station, f"{LETTERS}/{letter['number']}", "POST")
            receiver.wait_for(1)
        letters(station, 0)
    finally:
        station.end()
    assert list(receiver.told()) == [session]
    assert len(receiver.tried) == 3
    assert len(set(receiver.tried)) == 1, "under the id of before"
