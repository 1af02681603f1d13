"""The whole program under a supervisor: ready, watched, restarted without losing anybody, its certificate renewed."""

from __future__ import annotations

import http.client
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.handlers import certificates
from tests.operations.supervised import PATIENCE, Supervision
from tests.test_server import is_a_sentence


@pytest.fixture
def supervision(tmp_path: Path) -> Iterator[Supervision]:
    made = Supervision(tmp_path, socket.create_server(("127.0.0.1", 0)))
    yield made
    made.close()


def port(supervision: Supervision) -> int:
    return int(supervision.passed.getsockname()[1])


def health(supervision: Supervision) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port(supervision), timeout=PATIENCE)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_is_ready_when_it_says_so_and_turns_until_it_stops(supervision: Supervision) -> None:
    process = supervision.start("--port=1", watchdog=0.6)
    supervision.hears("READY=1")
    assert health(supervision) == 200, "at the socket that it was given"
    for _ in range(3):
        supervision.hears("WATCHDOG=1")
    process.send_signal(signal.SIGTERM)
    supervision.hears("STOPPING=1")
    assert process.wait(PATIENCE) == 0
    assert " ERROR " not in supervision.log.read_text()
    assert f"listens at http://localhost:{port(supervision)}/" in supervision.log.read_text()


def test_a_restart_loses_no_connection(supervision: Supervision) -> None:
    process = supervision.start()
    supervision.hears("READY=1")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    waiting = http.client.HTTPConnection("127.0.0.1", port(supervision), timeout=PATIENCE)
    waiting.request("PUT", "/u/a.txt", b"sent while nobody was there")
    process = supervision.start()
    assert waiting.getresponse().status == 201
    waiting.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    (stored,) = (supervision.folder / "upload" / "personal").iterdir()
    assert stored.read_bytes() == b"sent while nobody was there"


def test_a_renewed_certificate_is_shown_after_a_hangup(supervision: Supervision) -> None:
    pair, other = (certificates.make(supervision.folder, name) for name in ("shown", "other"))
    process = supervision.start(*pair.options)
    supervision.hears("READY=1")
    begun = http.client.HTTPSConnection("127.0.0.1", port(supervision), timeout=PATIENCE, context=pair.trust())
    begun.putrequest("PUT", "/u/a.txt")
    begun.putheader("Content-Length", "200000")
    begun.endheaders(b"x" * 100_000)
    pair.cert.write_bytes(other.cert.read_bytes())
    pair.key.write_bytes(other.key.read_bytes())
    process.send_signal(signal.SIGHUP)
    supervision.hears("RELOADING=1")
    supervision.hears("READY=1")
    assert ssl.get_server_certificate(("127.0.0.1", port(supervision))) == other.cert.read_text()
    begun.send(b"x" * 100_000)
    assert begun.getresponse().status == 201, "what was under way goes on"
    begun.close()
    pair.key.write_bytes(b"nonsense")
    process.send_signal(signal.SIGHUP)
    supervision.hears("READY=1")
    assert ssl.get_server_certificate(("127.0.0.1", port(supervision))) == other.cert.read_text()
    assert "the certificate stays as it was" in supervision.log.read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0


def test_a_reload_without_a_certificate_changes_nothing(supervision: Supervision) -> None:
    process = supervision.start()
    supervision.hears("READY=1")
    process.send_signal(signal.SIGHUP)
    supervision.hears("READY=1")
    assert health(supervision) == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("kind", ["a socket of another kind", "one that does not listen"])
def test_sockets_that_are_no_doors_are_refused_with_a_sentence(tmp_path: Path, kind: str) -> None:
    passed = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if kind == "a socket of another kind":
        passed.close()
        passed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        passed.bind(str(tmp_path / "web"))
        passed.listen()
    supervision = Supervision(tmp_path, passed)
    try:
        assert supervision.start().wait(PATIENCE) == 1
        assert is_a_sentence(supervision.log.read_text()), supervision.log.read_text()
        assert not (tmp_path / "upload").exists()
    finally:
        supervision.close()
