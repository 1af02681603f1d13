"""The messages of a session of a real station: all of them, once, in order, by both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from client.faults import Broken, Refusal
from client.following import Following, Message
from client.link import Link
from client.patience import Patience, Timing
from client.picture import LIFECYCLE
from tests.handlers.site import UNKNOWN, Box, movie, on_the_loop


class Told(list[Message]):
    """What was heard, and a way to wait for more."""

    def __init__(self) -> None:
        super().__init__()
        self.news = asyncio.Event()

    def take(self, message: Message) -> None:
        self.append(message)
        self.news.set()

    def numbers(self) -> list[int]:
        return [message["seq"] for message in self if message["event"] in LIFECYCLE]

    async def until(self, event: str) -> None:
        while not any(message["event"] == event for message in self):
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 60)


class Deaf(Link):
    """No WebSocket passes."""

    async def socket(self, path: str) -> Any:
        raise Broken("no sockets here")


class Fragile(Link):
    """Sockets that break after each message."""

    async def socket(self, path: str) -> Any:
        socket = await super().socket(path)
        read, heard = socket.read_message, 0

        def once() -> Awaitable[str | bytes | None]:
            nonlocal heard
            heard += 1
            if heard > 2:
                socket.close()
            return read()

        socket.read_message = once  # type: ignore[method-assign,assignment]
        return socket


async def quickly(_: float) -> None:
    await asyncio.sleep(0)


PATIENCE = Timing(sleep=quickly)
WAYS = (Link, Deaf, Fragile)


async def play(box: Box, session_id: str) -> None:
    for number in range(3):
        answer = await box.put(session_id, f"{number}.mp4", movie(1000))
        assert answer.status == 201
    await box.post(f"/api/upload/complete/{session_id}")


@pytest.mark.parametrize("way", WAYS)
@on_the_loop
async def test_all_that_happens_is_told_once_in_order_to_the_last_message(box: Box, way: Callable[..., Link]) -> None:
    session_id, told = await box.open(autoComplete=False), Told()
    following = Following(way(box.url, language="en"), session_id, told.take)
    async with asyncio.TaskGroup() as group:
        group.create_task(following.run(Patience(30, PATIENCE)))
        await told.until("session-joined")
        await play(box, session_id)
    assert told.numbers() == list(range(1, 8))
    assert (told[-1]["event"], told[-1]["data"]["overallStatus"]) == ("upload-progress", "completed")


@pytest.mark.parametrize("way", WAYS)
@on_the_loop
async def test_what_was_before_is_told_to_whoever_asks(box: Box, way: Callable[..., Link]) -> None:
    session_id = await box.open(autoComplete=False)
    await play(box, session_id)
    for since, numbers in ((0, list(range(1, 8))), (None, [])):
        told = Told()
        link = way(box.url, language="en")
        await Following(link, session_id, told.take, since=since).run(Patience(30, PATIENCE))
        assert told.numbers() == numbers
        assert told[-1]["data"]["overallStatus"] == "completed"


@pytest.mark.parametrize("way", WAYS)
@on_the_loop
async def test_numbers_of_another_epoch_mean_nothing(box: Box, way: Callable[..., Link]) -> None:
    session_id = await box.open(autoComplete=False)
    await play(box, session_id)
    told = Told()
    link = way(box.url, language="en")
    await Following(link, session_id, told.take, since=99, epoch="another").run(Patience(30, PATIENCE))
    joined = next(message for message in told if message["event"] == "session-joined")
    assert joined["data"]["resync"] is True
    assert told.numbers() == []


@pytest.mark.parametrize("way", [Link, Deaf])
@on_the_loop
async def test_a_session_that_is_not_there_is_a_refusal(box: Box, way: Callable[..., Link]) -> None:
    with pytest.raises(Refusal) as refused:
        await Following(way(box.url, language="en"), UNKNOWN, Told().take).run(Patience(30, PATIENCE))
    assert refused.value.code == "SESSION_NOT_FOUND"
