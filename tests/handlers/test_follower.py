"""Joining while things happen: no gap, no repeat, on every transport and over a change from one to another."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
from tornado.websocket import websocket_connect

from handlers.follower import Follower
from handlers.polling import LONGEST_WAIT
from handlers.push import Push
from tests.handlers.site import (
    Box,
    EventSource,
    Goodbye,
    Json,
    Line,
    Watcher,
    is_last,
    lifecycle,
    movie,
    names,
    numbers,
    on_the_loop,
    until,
)

LONG_HISTORY = 1200  # more than two pages of the journal


async def long_session(box: Box, count: int) -> tuple[str, list[str]]:
    """A session with so many pending files; its id and theirs."""
    files = [{"name": f"{number}.mp4", "size": 5} for number in range(count)]
    opened = (await box.post("/api/upload/session", {"files": files})).json()
    return opened["sessionId"], [file["fileId"] for file in opened["files"]]


async def cancel_all(box: Box, session_id: str, ids: list[str]) -> None:
    """One event for each, but few commits: on a slow disk a thousand of them would take minutes."""
    await asyncio.gather(*(box.station.orders.cancel(session_id, id, "test") for id in ids))


async def cancel_each(box: Box, session_id: str, ids: list[str]) -> None:
    """One event for each, with a chance for others to run between."""
    for id in ids:
        await box.station.orders.cancel(session_id, id, "test")


@pytest.mark.parametrize("options", [["--max-files=2000"]])
@on_the_loop
async def test_a_replay_that_races_with_events_has_no_gap_and_no_repeat(box: Box) -> None:
    session_id, ids = await long_session(box, LONG_HISTORY + 300)
    await cancel_all(box, session_id, ids[:LONG_HISTORY])
    live = asyncio.ensure_future(cancel_each(box, session_id, ids[LONG_HISTORY:]))
    watchers: list[tuple[int, Watcher]] = []
    for last_seq in (0, 1, 499, 500, 501, 1000, LONG_HISTORY - 1, LONG_HISTORY):
        watchers.append((last_seq, await box.watch(f"?sessionId={session_id}&lastSeq={last_seq}")))
        await asyncio.sleep(0)
    await asyncio.gather(*(watcher.to_end() for _, watcher in watchers), live)
    for last_seq, watcher in watchers:
        joined = watcher.heard[0]["data"]
        assert (joined["seq"], "resync" in joined) == (last_seq, False)
        assert numbers(watcher.heard) == list(range(last_seq + 1, len(ids) + 2))


@on_the_loop
async def test_a_join_without_a_position_begins_where_the_snapshot_ends(box: Box) -> None:
    session_id, ids = await long_session(box, 100)
    live = asyncio.ensure_future(cancel_each(box, session_id, ids))
    watchers = [await box.watch(f"?sessionId={session_id}") for _ in range(20)]
    await asyncio.gather(*(watcher.to_end() for watcher in watchers), live)
    for watcher in watchers:
        joined = watcher.heard[0]["data"]
        assert joined["seq"] == joined["currentSeq"]
        assert joined["cancelledFiles"] == joined["currentSeq"] - (joined["currentSeq"] == 101)
        assert numbers(watcher.heard) == list(range(joined["seq"] + 1, 102))


@on_the_loop
async def test_joining_again_while_the_first_join_still_replays_repeats_nothing_live(box: Box) -> None:
    session_id, ids = await long_session(box, 600)
    await cancel_all(box, session_id, ids[:550])
    watcher = await box.watch()
    for _ in range(3):
        watcher.say("join-session", {"sessionId": session_id, "lastSeq": 0})
    live = asyncio.ensure_future(cancel_each(box, session_id, ids[550:]))
    while sum(message["event"] == "session-joined" for message in watcher.heard) < 3:
        await watcher.to_end()
    if not is_last(watcher.heard[-1]):
        await watcher.to_end()
    await live
    seen = numbers(watcher.heard)
    assert set(seen) == set(range(1, 602))
    assert seen[-1] == 601


@on_the_loop
async def test_leaving_while_a_join_is_under_way_leaves(box: Box) -> None:
    session_id, ids = await long_session(box, 3)
    watcher = await box.watch()
    watcher.say("join-session", {"sessionId": session_id, "lastSeq": 0})
    watcher.say("leave-session", session_id)
    await watcher.until("session-left")
    watcher.heard.clear()
    await cancel_each(box, session_id, ids)
    watcher.say("leave-session", session_id)
    await watcher.until("session-left")
    assert names(watcher.heard) == []
    assert not list(box.station.hub.watchers())


@pytest.mark.parametrize("go", [Line.close, Line.reset])
@on_the_loop
async def test_a_client_that_goes_while_it_is_being_replayed_to_leaves_nothing(box: Box, go: Goodbye) -> None:
    session_id, ids = await long_session(box, 1000)
    await cancel_all(box, session_id, ids[:999])
    for _ in range(10):
        watcher = await box.watch(f"?sessionId={session_id}&lastSeq=0", receive_buffer=4096)
        await watcher.next()
        await go(watcher.line)
    await until(lambda: not box.station.sockets, "no socket is left")
    await until(lambda: not list(box.station.hub.watchers()), "nobody watches")


# ---- more than an outbox holds ----


LONG_NAMES = [{"name": "很长的名字" * 16 + f"{number}.mp4", "size": 5} for number in range(1000)]
SMALL_OUTBOX = "--outbox-size=64KiB"
SLOW_MACHINE = "--heartbeat=10min"  # on which a client is not let go before all has happened that it does not hear yet


async def long_names(box: Box) -> str:
    """A settled session whose snapshot and whose replay are each larger than an outbox."""
    session_id = await box.open(files=LONG_NAMES)
    await box.post(f"/api/upload/cancel/{session_id}")
    return session_id


def held_by(follower: Follower) -> int:
    return follower._outbox.size - follower._outbox._exempted


@pytest.mark.parametrize("options", [[SMALL_OUTBOX], [SMALL_OUTBOX, "--ws-compression=on"]])
@pytest.mark.parametrize("receive_buffer", [None, 4096])
@on_the_loop
async def test_a_long_replay_reaches_a_watcher_that_reads(box: Box, receive_buffer: int | None) -> None:
    session_id = await long_names(box)
    watcher = await box.watch(receive_buffer=receive_buffer)
    (socket,) = box.station.sockets
    assert isinstance(socket, Push)
    for _ in range(2):
        watcher.heard.clear()
        watcher.say("join-session", {"sessionId": session_id, "lastSeq": 0})
        most = 0
        while not watcher.heard or not is_last(watcher.heard[-1]):
            assert await watcher.next() is not None
            most = max(most, held_by(socket.follower))
        assert most <= 64 * 1024
        assert len(watcher.heard[0]["data"]["files"]) == 1000
        assert numbers(watcher.heard) == list(range(1, 1003))


@pytest.mark.parametrize("options", [[SMALL_OUTBOX, "--ws-compression=on"]])
@on_the_loop
async def test_a_long_replay_reaches_a_watcher_that_unpacks(box: Box) -> None:
    session_id = await long_names(box)
    client = await websocket_connect(f"ws://{box.host}/ws?sessionId={session_id}&lastSeq=0", compression_options={})
    heard: list[Json] = []
    while not heard or not is_last(heard[-1]):
        text = await client.read_message()
        assert text is not None, "hung up"
        heard.append(json.loads(text))
    assert numbers(heard) == list(range(1, 1003))
    client.close()
    assert await client.read_message() is None


@pytest.mark.parametrize("options", [[SMALL_OUTBOX]])
@pytest.mark.parametrize("receive_buffer", [None, 4096])
@on_the_loop
async def test_a_long_replay_reaches_an_event_stream_that_reads(box: Box, receive_buffer: int | None) -> None:
    session_id = await long_names(box)
    line = await box.connect(receive_buffer=receive_buffer)
    line.begin("GET", f"/api/upload/events/{session_id}?lastSeq=0")
    status, headers = await line.head()
    assert status == 200
    heard = await EventSource(line, headers).to_end()
    assert numbers(heard) == list(range(1, 1003))
    assert is_last(heard[-1])


@pytest.mark.parametrize("options", [[SMALL_OUTBOX, SLOW_MACHINE]])
@on_the_loop
async def test_what_comes_during_a_long_replay_follows_it(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": LONG_NAMES})).json()
    session_id, ids = opened["sessionId"], [file["fileId"] for file in opened["files"]]
    await cancel_all(box, session_id, ids[:900])
    watcher = await box.watch(f"?sessionId={session_id}&lastSeq=0", receive_buffer=4096)
    await until(lambda: bool(list(box.station.hub.watchers())), "it joins")
    await cancel_each(box, session_id, ids[900:])
    assert numbers(await watcher.to_end()) == list(range(1, 1002))


@pytest.mark.parametrize("options", [[SMALL_OUTBOX, SLOW_MACHINE]])
@on_the_loop
async def test_more_than_an_outbox_of_news_during_a_replay_is_too_much(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": LONG_NAMES})).json()
    session_id, ids = opened["sessionId"], [file["fileId"] for file in opened["files"]]
    await cancel_all(box, session_id, ids[:600])
    watcher = await box.watch(f"?sessionId={session_id}&lastSeq=0", receive_buffer=4096)
    await until(lambda: bool(list(box.station.hub.watchers())), "it joins")
    await cancel_each(box, session_id, ids[600:])
    while await watcher.next() is not None:
        pass
    seen = numbers(watcher.heard)
    assert watcher.close_code == 1013
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) >= 500, "the replay was brought nearly to its end, so that the next one begins later"
    again = await box.watch(f"?sessionId={session_id}&lastSeq={len(seen)}")
    assert seen + numbers(await again.to_end()) == list(range(1, 1002))


@pytest.mark.parametrize("options", [[SMALL_OUTBOX, "--heartbeat=0.2"]])
@on_the_loop
async def test_a_client_that_takes_nothing_of_a_replay_is_let_go(box: Box) -> None:
    session_id = await long_names(box)
    await box.watch(f"?sessionId={session_id}&lastSeq=0", receive_buffer=4096)
    line = await box.connect(receive_buffer=4096)
    line.begin("GET", f"/api/upload/events/{session_id}?lastSeq=0")
    await until(lambda: box.door.count == 2, "both are being replayed to")
    await until(lambda: not list(box.station.hub.watchers()), "both are let go")
    await until(
        lambda: box.door.count == 1, "the stream at once, the socket after a moment in which it may say goodbye"
    )


# ---- the same on all transports ----


class Poller:
    """A client that polls. `heard`: the events so far."""

    def __init__(self, box: Box, session_id: str, since: int = 0) -> None:
        self._box = box
        self._session_id = session_id
        self.since = since
        self.heard: list[Json] = []

    async def next(self) -> Json:
        snapshot = await self._box.progress(self._session_id, f"?since={self.since}&wait={LONGEST_WAIT:g}")
        self.heard += snapshot["events"]
        if snapshot["events"]:
            self.since = snapshot["events"][-1]["seq"]
        return snapshot

    async def to_end(self) -> list[Json]:
        while "summary" not in (snapshot := await self.next()) or self.since < snapshot["seq"]:
            pass
        return self.heard


async def eventful(box: Box, session_id: str, ids: list[str]) -> None:
    """A bit of everything: stored, refused, broken and tried again, cancelled."""
    for query, name, body in [
        (f"?fileId={ids[0]}", "0.mp4", movie(5)),
        ("", "x.exe", b"12345"),
        (f"?fileId={ids[1]}", "1.mp4", movie(5)),
    ]:
        await box.put(session_id, name, body, query)
    line = await box.begin_put(session_id, "big.mp4", 200_000, movie(100_000))
    await until(lambda: bool(moving(box, session_id)), "it moves")
    await line.reset()
    await until(lambda: not moving(box, session_id), "it has failed")
    await box.put(session_id, "big.mp4", movie(200_000))
    await cancel_each(box, session_id, ids[2:4])
    await box.post(f"/api/upload/complete/{session_id}")


def moving(box: Box, session_id: str) -> list[str]:
    return [file.id for file in box.session(session_id).files.values() if file.status == "uploading"]


@on_the_loop
async def test_every_transport_tells_the_same_story(box: Box) -> None:
    session_id, ids = await long_session(box, 5)
    socket = await box.watch(f"?sessionId={session_id}&lastSeq=0")
    stream = await box.listen(session_id, "?lastSeq=0")
    poller = Poller(box, session_id)
    told, streamed, polled, _ = await asyncio.gather(
        socket.to_end(), stream.to_end(), poller.to_end(), eventful(box, session_id, ids)
    )
    story = lifecycle(told)
    assert names(story)[-1] == "session-completed"
    assert set(names(story)) == {
        "upload-started",
        "upload-completed",
        "upload-failed",
        "upload-cancelled",
        "session-completed",
    }
    assert numbers(story) == list(range(1, len(story) + 1))
    assert lifecycle(streamed) == story
    assert polled == story
    # Whoever comes later is told the same, from the journal.
    late = await box.watch(f"?sessionId={session_id}&lastSeq=0")
    assert lifecycle(await late.to_end()) == story
    assert lifecycle(await (await box.listen(session_id, "?lastSeq=0")).to_end()) == story
    assert (await box.progress(session_id, "?since=0"))["events"] == story
    for last in (told[-1], streamed[-1], late.heard[-1]):
        assert is_last(last)
        assert last["seq"] == len(story)


async def some(client: Watcher | EventSource | Poller, count: int) -> list[Json]:
    """Hear a few messages, or fewer at the end."""
    for _ in range(count):
        message = await client.next()
        if message is None or "summary" in message or ("event" in message and is_last(message)):
            break
    return lifecycle(client.heard)


@pytest.mark.parametrize("seed", range(5))
@on_the_loop
async def test_changing_the_transport_in_the_middle_loses_and_repeats_nothing(box: Box, seed: int) -> None:
    chance = random.Random(seed)
    session_id, ids = await long_session(box, 5)
    happening = asyncio.ensure_future(eventful(box, session_id, ids))
    story: list[Json] = []
    while not story or story[-1]["event"] != "session-completed":
        last = story[-1]["seq"] if story else 0
        client = await any_client(box, session_id, last, chance.choice(["socket", "stream", "poll"]))
        story += await some(client, chance.randrange(1, 5))
        if not isinstance(client, Poller):
            await client.line.close()
    await happening
    assert numbers(story) == list(range(1, len(story) + 1))
    assert story == (await box.progress(session_id, "?since=0"))["events"]


async def any_client(box: Box, session_id: str, last: int, kind: str) -> Any:
    epoch = box.station.journal.epoch
    if kind == "socket":
        return await box.watch(f"?sessionId={session_id}&lastSeq={last}&epoch={epoch}")
    if kind == "stream":
        return await box.listen(session_id, headers={"Last-Event-ID": f"{epoch}:{last}"})
    return Poller(box, session_id, last)
