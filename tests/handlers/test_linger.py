"""When draining is given up: by size, by time, once; and nothing runs on when the request is over."""

from __future__ import annotations

import asyncio

import pytest

from handlers.linger import Linger
from tests.handlers.site import on_the_loop

LONG = 3600.0


@on_the_loop
async def test_a_body_within_the_size_is_drained_to_its_end() -> None:
    calls: list[int] = []
    linger = Linger(100, LONG, lambda: calls.append(1))
    for _ in range(10):
        linger.drained(10)
    assert calls == []
    linger.stop()


@on_the_loop
async def test_a_byte_too_many_gives_up_once() -> None:
    calls: list[int] = []
    linger = Linger(100, LONG, lambda: calls.append(1))
    for _ in range(20):
        linger.drained(10)
    assert calls == [1]
    linger.stop()


@on_the_loop
async def test_time_gives_up_although_nothing_comes() -> None:
    over = asyncio.Event()
    linger = Linger(100, 0.01, over.set)
    await over.wait()
    linger.stop()


@on_the_loop
async def test_what_is_stopped_gives_up_no_more() -> None:
    calls: list[int] = []
    linger = Linger(0, 0.0, lambda: calls.append(1))
    linger.stop()
    linger.drained(10)
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, later.set)
    await later.wait()
    assert calls == []


@on_the_loop
async def test_the_last_reading_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.linger.LAST_READ", 0.01)
    closed = asyncio.Event()
    linger = Linger(0, LONG, lambda: None)
    linger.drained(1)
    linger.close_later(closed.set)
    await closed.wait()
