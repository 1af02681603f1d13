"""What a supervisor gives and hears, with a real socket in its place. Sockets that it opens: `tests/operations`."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.supervisor import Supervisor
from tests.station.places import FakeClock


class Ear:
    """A supervisor's end of the datagram socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        said = []
        while True:
            try:
                said.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return said

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ear]:
    made = Ear(str(tmp_path / "notify") if request.param == "path" else f"@station-test-{os.getpid()}")
    yield made
    made.close()


def test_it_hears_that_the_station_is_ready_reloads_and_stops(ear: Ear) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": ear.address}, FakeClock(mono=12.5))
    supervisor.ready()
    supervisor.reloading()
    supervisor.ready()
    supervisor.stopping()
    assert ear.heard() == ["READY=1", "RELOADING=1\nMONOTONIC_USEC=12500000", "READY=1", "STOPPING=1"]


def test_it_hears_three_times_in_each_span_that_the_loop_turns(ear: Ear) -> None:
    clock = FakeClock()
    supervisor = Supervisor({"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "30000000"}, clock)
    for _ in range(4 * 60):
        supervisor.turns()
        clock.pass_by(0.25)
    assert ear.heard() == ["WATCHDOG=1"] * 6


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "-5"},
        {"WATCHDOG_USEC": "x"},
        {"WATCHDOG_USEC": "9" * 500},
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
    ],
)
def test_who_did_not_ask_for_it_does_not_hear_it(ear: Ear, more: dict[str, str]) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": ear.address, **more}, FakeClock())
    supervisor.turns()
    assert ear.heard() == []


def test_a_watchdog_of_this_very_process_is_fed(ear: Ear) -> None:
    wanted = {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    Supervisor(wanted, FakeClock()).turns()
    assert ear.heard() == ["WATCHDOG=1"]


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@nobody-listens-here", "/" + "x" * 300, "relative"])
def test_a_supervisor_that_is_not_there_is_no_fault(address: str) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1"}, FakeClock())
    supervisor.ready()
    supervisor.turns()
    supervisor.stopping()


def test_a_supervisor_that_does_not_listen_holds_nobody_up(ear: Ear) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": ear.address}, FakeClock())
    for _ in range(2000):  # far more than its socket holds
        supervisor.ready()
    assert set(ear.heard()) == {"READY=1"}


def test_programs_that_the_station_runs_are_not_told_of_it() -> None:
    environment = {
        "PATH": "/bin",
        "NOTIFY_SOCKET": "@x",
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "1",
        "LISTEN_FDS": "1",
        "LISTEN_PID": "1",
        "LISTEN_FDNAMES": "web",
    }
    assert Supervisor(environment, FakeClock()).sockets() == [], "sockets of another process are not touched"
    assert environment == {"PATH": "/bin"}
