"""The bad network itself: it does what it says, as often as it was told to, and otherwise carries every byte."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from tests.clients.chaos import BREAKING, HEAD, Chaos, Fault
from tests.clients.rig import PATIENCE

BLOCK = bytes(range(256)) * 512


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while block := self.request.recv(65536):
                self.request.sendall(block)


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def back(port: int) -> bytes:
    """What comes back of BLOCK, as far as it comes."""
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
            line.sendall(BLOCK)
            while len(got) < len(BLOCK) and (block := line.recv(65536)):
                got += block
    except ConnectionError:
        pass
    return got


def test_a_calm_network_carries_every_byte(echo: int) -> None:
    with Chaos(echo, 1, reach=1000).running() as chaos:
        assert back(chaos.port) == BLOCK
    assert chaos.up == len(BLOCK)
    assert not chaos.faults


@pytest.mark.parametrize("fault", [fault for fault in BREAKING if fault is not Fault.STALL])
def test_a_connection_is_cut_as_often_as_was_asked_for(echo: int, fault: Fault) -> None:
    with Chaos(echo, 1, reach=len(BLOCK) - 1, kinds=[fault]).running() as chaos:
        chaos.strike(2)
        got = [back(chaos.port) for _ in range(3)]
        assert chaos.calm
    assert [BLOCK.startswith(block) and block != BLOCK for block in got] == [True, True, False]
    assert chaos.faults == {fault: 2}


def test_a_stall_holds_bytes_up_and_loses_none(echo: int) -> None:
    with Chaos(echo, 1, reach=20_000, kinds=[Fault.STALL]).running() as chaos:
        assert back(chaos.strike(3).port) == BLOCK
    assert chaos.faults == {Fault.STALL: 3}


def test_spoiling_turns_one_bit_over_beyond_the_head(echo: int) -> None:
    with Chaos(echo, 1, reach=20_000, kinds=[Fault.SPOIL]).running() as chaos:
        got = back(chaos.strike(1).port)
    differing = [at for at, (a, b) in enumerate(zip(got, BLOCK, strict=True)) if a != b]
    assert len(differing) == 1
    assert differing[0] >= HEAD
