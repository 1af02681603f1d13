"""The beat of one socket, on a real loop; over real sockets: test_push.py."""

from __future__ import annotations

import asyncio

import pytest
from tornado.websocket import WebSocketClosedError

from handlers.heartbeat import Heartbeat
from tests.handlers.site import on_the_loop
from tests.station.core import FakeClock


class Peer:
    """Counts what happens to it; `error`: what a ping meets."""

    def __init__(self, error: Exception | None = None) -> None:
        self.clock = FakeClock()
        self.heart = Heartbeat(0.001, self.clock, self._ping, self._drop)
        self.pings, self.pinged, self.dropped = 0, asyncio.Event(), asyncio.Event()
        self._error = error
        self.heart.begin()

    def _ping(self) -> None:
        self.pings += 1
        self.pinged.set()
        if self._error is not None:
            raise self._error

    def _drop(self) -> None:
        self.dropped.set()


@on_the_loop
async def test_a_peer_that_answers_is_pinged_again_and_one_that_does_not_is_dropped() -> None:
    peer = Peer()
    for number in range(1, 4):
        await peer.pinged.wait()
        peer.pinged.clear()
        peer.clock.forward(0.25)
        assert peer.heart.answered() == peer.heart.round_trip == 0.25
        assert peer.pings == number
    await peer.dropped.wait()
    assert (peer.pings, peer.heart.round_trip) == (4, 0.25)


@on_the_loop
async def test_an_answer_to_nothing_tells_nothing() -> None:
    peer = Peer()
    assert peer.heart.answered() is None
    assert peer.heart.round_trip is None
    peer.heart.stop()


@on_the_loop
async def test_while_it_is_held_nobody_is_pinged_or_dropped_and_then_the_peer_has_its_time() -> None:
    peer = Peer()
    await peer.pinged.wait()
    peer.heart.hold()
    for _ in range(5):
        beat = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.002, beat.set_result, None)
        await beat
    assert (peer.pings, peer.dropped.is_set()) == (1, False)
    peer.pinged.clear()
    peer.heart.go_on()
    await peer.pinged.wait()
    assert not peer.dropped.is_set()
    peer.heart.stop()


@pytest.mark.parametrize("error", [WebSocketClosedError(), OSError("gone")])
@on_the_loop
async def test_a_socket_that_is_closed_ends_it(error: Exception) -> None:
    peer = Peer(error)
    await peer.pinged.wait()
    waited = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, waited.set_result, None)
    await waited
    assert (peer.pings, peer.dropped.is_set()) == (1, False)
