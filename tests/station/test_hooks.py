"""What other programs are told of a real station with a real journal; the post office is made up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from station.deliveries import Letter
from station.errors import Refused
from station.hooks import COMMAND, MOST_DEAD, WEBHOOK, Answer, Unreachable
from station.signing import secret_of
from tests.station.places import FakeClock, Place, crash_image, open_place, rows, until
from tests.station.test_program import script

SECRET = secret_of(bytes(range(24)))
ADDRESS = "http://user:pass-word@receiver.example/in"
TOLD = Answer(204)
DOWN = Answer(500)


class Post:
    """Takes what is posted. `answer`: what it says to each."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, Any], Mapping[str, str]]] = []
        self.answer: Answer | Unreachable = TOLD
        self.bodies: list[bytes] = []

    async def __call__(self, body: bytes, headers: Mapping[str, str], limit: float) -> Answer:
        await asyncio.sleep(0)
        if isinstance(self.answer, Unreachable):
            raise self.answer
        self.bodies.append(body)
        self.taken.append((json.loads(body), headers))
        return self.answer

    @property
    def names(self) -> list[str]:
        return [message["event"] for message, _ in self.taken]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, headers in self.taken]


@contextlib.asynccontextmanager
async def posting(
    root: Path, events: str, post: Post | None = None, *, clock: FakeClock | None = None, **options: Any
) -> AsyncIterator[tuple[Place, Post]]:
    post = post or Post()
    given = {"webhook": ADDRESS, "webhook_secret": SECRET, "webhook_events": tuple(events.split()), **options}
    async with open_place(root, clock=clock, **given) as place:
        place.station.hooks.poster = post
        await place.station.start()
        yield place, post


async def store(place: Place) -> str:
    channel = await place.open(("a.txt", 5))
    await place.raw(channel, "a.txt")
    await until(lambda: not place.station.channels)
    return channel.session.id


def left(root: Path) -> list[tuple[str, str]]:
    return [tuple(row) for row in rows(root, "SELECT hook, name FROM deliveries ORDER BY number")]


async def a_dead_letter(place: Place, post: Post) -> int:
    """With no patience at all, the first failure gives it up."""
    post.answer = DOWN
    await store(place)
    await until(lambda: place.station.hooks.counts()[WEBHOOK, "dead"] == 1)
    post.answer = TOLD
    return (await place.station.hooks.dead_letters())[-1].number


@pytest.mark.gen_test
async def test_the_events_that_are_wanted_are_posted_in_order_and_signed(tmp_path: Path) -> None:
    async with posting(tmp_path, "upload-started upload-completed session-completed") as (place, post):
        session_id = await store(place)
        await until(lambda: len(post.taken) == 3)
        assert post.names == ["upload-started", "upload-completed", "session-completed"]
        assert {message["data"]["sessionId"] for message, _ in post.taken} == {session_id}
        assert [message["seq"] for message, _ in post.taken] == [1, 2, 3]
        assert len(set(post.ids)) == 3
        for body, (_, headers) in zip(post.bodies, post.taken, strict=True):
            # The clock of the test has stood still for years, which the scheme's own package would refuse.
            stamp = headers["webhook-timestamp"]
            assert int(stamp) == int(place.clock.wall)
            signature = Webhook(SECRET).sign(
                headers["webhook-id"], datetime.fromtimestamp(int(stamp), UTC), body.decode()
            )
            assert signature == headers["webhook-signature"]
        await until(lambda: place.station.hooks.counts() == {(WEBHOOK, "waiting"): 0, (WEBHOOK, "dead"): 0})
        assert left(tmp_path) == []


@pytest.mark.gen_test
async def test_what_is_to_be_told_is_recorded_with_its_event(tmp_path: Path) -> None:
    post = Post()
    post.answer = Unreachable("no connection")
    async with posting(tmp_path, "upload-completed", post) as (place, _):
        await store(place)
        assert left(tmp_path) == [(WEBHOOK, "upload-completed")]
        told = rows(tmp_path, "SELECT text FROM events WHERE name='upload-completed'")
        assert rows(tmp_path, "SELECT text FROM deliveries") == told
        assert place.station.hooks.counts()[WEBHOOK, "waiting"] == 1


@pytest.mark.gen_test
async def test_a_restart_goes_on_with_what_was_not_told(tmp_path: Path) -> None:
    clock, post = FakeClock(), Post()
    post.answer = Unreachable("no connection")
    async with posting(tmp_path, "upload-started upload-completed", post, clock=clock) as (place, _):
        await store(place)
    assert left(tmp_path) == [(WEBHOOK, "upload-started"), (WEBHOOK, "upload-completed")]
    clock.pass_by(600)
    post.answer = TOLD
    async with posting(tmp_path, "upload-started upload-completed", post, clock=clock):
        await until(lambda: len(post.taken) == 2)
        assert post.names == ["upload-started", "upload-completed"]
        await until(lambda: left(tmp_path) == [])


@pytest.mark.gen_test
async def test_one_start_without_a_hook_forgets_nothing_that_was_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with posting(tmp_path, "upload-completed", hook_patience=0.0) as (place, post):
        number = await a_dead_letter(place, post)
    post.answer = Unreachable("no connection")
    async with posting(tmp_path, "upload-completed", post) as (place, _):
        await store(place)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            async with open_place(tmp_path, recover=True) as place:
                assert place.station.hooks.counts() == {}
                assert await place.station.hooks.dead_letters() == []
                with pytest.raises(Refused, match="NOT_FOUND"):
                    await place.station.hooks.send_again(number)
                await place.station.hooks.forget()
    assert caplog.text.count("letters wait for hooks that are off; they are kept as dead ones: {'webhook': 1}") == 1
    async with posting(tmp_path, "upload-completed") as (place, post):
        hooks = place.station.hooks
        assert [letter.error for letter in await hooks.dead_letters()] == ["it answered 500", "its hook was off"]
        await hooks.send_again()
        await until(lambda: left(tmp_path) == [])
        assert post.names == ["upload-completed"] * 2


@pytest.mark.gen_test
async def test_a_dead_letter_is_shown_sent_again_and_forgotten(tmp_path: Path) -> None:
    async with posting(tmp_path, "upload-completed", hook_patience=0.0) as (place, post):
        hooks, heard = place.station.hooks, []
        hooks.on_letter.append(lambda: heard.append(hooks.counts()[WEBHOOK, "dead"]))
        number = await a_dead_letter(place, post)
        [letter] = await hooks.dead_letters()
        assert (letter.hook, letter.name, letter.error) == (WEBHOOK, "upload-completed", "it answered 500")
        await hooks.send_again(number)
        await until(lambda: left(tmp_path) == [])
        assert post.ids == [letter.id] * 2, "the same message, whatever happened in between"
        assert await hooks.dead_letters() == []
        await hooks.forget(await a_dead_letter(place, post))
        assert left(tmp_path) == []
        assert heard == [1, 0, 1, 0]
        for order in (hooks.send_again, hooks.forget):
            with pytest.raises(Refused, match="NOT_FOUND"):
                await order(number)


@pytest.mark.gen_test
async def test_all_dead_letters_are_sent_again_in_order(tmp_path: Path) -> None:
    async with posting(tmp_path, "upload-started upload-completed", hook_patience=0.0) as (place, post):
        hooks, post.answer = place.station.hooks, DOWN
        sessions = [await store(place) for _ in range(3)]
        await until(lambda: hooks.counts()[WEBHOOK, "dead"] == 6)
        heard: list[int] = []
        hooks.on_letter.append(lambda: heard.append(hooks.counts()[WEBHOOK, "dead"]))
        post.answer, seen = TOLD, len(post.taken)
        await hooks.send_again()
        await until(lambda: left(tmp_path) == [])
        again = [(message["data"]["sessionId"], message["event"]) for message, _ in post.taken[seen:]]
        for session_id in sessions:
            assert [name for each, name in again if each == session_id] == ["upload-started", "upload-completed"]
        await until(lambda: hooks.counts() == {(WEBHOOK, "waiting"): 0, (WEBHOOK, "dead"): 0})
        assert heard == [0]


@pytest.mark.gen_test
async def test_a_session_that_is_being_told_of_is_not_forgotten_when_all_are_sent_again(tmp_path: Path) -> None:
    """What comes back just when the last of the session was read is found all the same."""
    async with posting(tmp_path, "upload-started upload-completed", hook_patience=0.0) as (place, post):
        hooks, post.answer = place.station.hooks, DOWN
        await store(place)
        await until(lambda: hooks.counts()[WEBHOOK, "dead"] == 2)
        post.answer = TOLD
        courier, go_on = hooks._couriers[WEBHOOK], asyncio.Event()
        read = courier._read

        async def late(session_id: str) -> list[Letter]:
            found = await read(session_id)
            if not found:
                await go_on.wait()
            return found

        courier._read = late  # type: ignore[method-assign]
        await hooks.send_again((await hooks.dead_letters())[0].number)
        await until(lambda: len(left(tmp_path)) == 1 and hooks.counts()[WEBHOOK, "waiting"] == 0)
        assert courier._busy
        await hooks.send_again()
        await until(lambda: not courier._stale)
        go_on.set()
        await until(lambda: left(tmp_path) == [])


@pytest.mark.gen_test
async def test_all_dead_letters_are_forgotten_and_what_waits_is_not(tmp_path: Path) -> None:
    async with posting(tmp_path, "upload-completed") as (place, post):
        hooks, post.answer = place.station.hooks, Answer(410)
        await store(place)
        await until(lambda: hooks.counts()[WEBHOOK, "dead"] == 1)
        post.answer = Unreachable("no connection")
        await store(place)
        await hooks.forget()
        assert hooks.counts() == {(WEBHOOK, "waiting"): 1, (WEBHOOK, "dead"): 0}
        assert left(tmp_path) == [(WEBHOOK, "upload-completed")]
        await hooks.forget()
        await hooks.send_again()


@pytest.mark.gen_test
async def test_an_answer_that_it_is_gone_is_final(tmp_path: Path) -> None:
    async with posting(tmp_path, "upload-completed") as (place, post):
        post.answer = Answer(410)
        await store(place)
        await until(lambda: place.station.hooks.counts()[WEBHOOK, "dead"] == 1)


@pytest.mark.gen_test
async def test_dead_letters_are_bounded_and_a_wrong_date_forgets_none(tmp_path: Path) -> None:
    async with posting(tmp_path, "upload-completed", hook_patience=0.0) as (place, post):
        number = await a_dead_letter(place, post)
        place.clock.wall += 80 * 365 * 86_400.0
        await place.station.hooks._sweep()
        assert [letter.number for letter in await place.station.hooks.dead_letters()] == [number]

        def many(connection: Any) -> None:
            row = (WEBHOOK, "s", "upload-completed", "{}", 1.0, 1.0)
            insert = "INSERT INTO deliveries (hook, session_id, name, text, made_at, dead_at) VALUES (?,?,?,?,?,?)"
            connection.executemany(insert, [row] * MOST_DEAD)

        await place.journal.change(many)
        await place.station.hooks._sweep()
        assert place.station.hooks.counts()[WEBHOOK, "dead"] == MOST_DEAD
        assert rows(tmp_path, "SELECT min(number) FROM deliveries") == [(number + 1,)]


@pytest.mark.gen_test
async def test_letters_are_dated_by_the_clock_of_the_journal(tmp_path: Path) -> None:
    """A board without a clock of its own begins in 1970, and all that is old is forgotten by these dates."""
    async with posting(tmp_path, "upload-completed file-deleted", hook_patience=0.0) as (place, post):
        place.clock.wall = 5.0
        place.journal.date = lambda wall: wall + 1e9
        await a_dead_letter(place, post)
        [(file_id,)] = rows(tmp_path, "SELECT id FROM files")
        post.answer = DOWN
        await place.station.orders.delete_stored(file_id)
        await until(lambda: place.station.hooks.counts()[WEBHOOK, "dead"] == 2)
        dates = rows(tmp_path, "SELECT name, made_at, dead_at FROM deliveries ORDER BY number")
        assert dates == [("upload-completed", 1e9 + 5, 1e9 + 5), ("file-deleted", 1e9 + 5, 1e9 + 5)]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.gen_test
async def test_what_was_deleted_is_posted_if_that_is_wanted(tmp_path: Path, named: bool) -> None:
    events = "upload-completed file-deleted" if named else "upload-completed"
    async with posting(tmp_path, events) as (place, post):
        await store(place)
        await until(lambda: post.names == ["upload-completed"])
        await place.station.orders.delete_stored(post.taken[0][0]["data"]["fileId"])
        await until(lambda: left(tmp_path) == [] and len(post.taken) == 1 + named)
        assert post.names[1:] == ["file-deleted"] * named
        if named:
            assert post.taken[1][0]["data"]["by"] == "operator"


@pytest.mark.parametrize("point", ["before it is recorded", "when it is recorded"])
@pytest.mark.gen_test
async def test_what_was_deleted_is_posted_though_the_station_is_killed(tmp_path: Path, point: str) -> None:
    image = tmp_path / "left"
    async with posting(tmp_path / "up", "file-deleted") as (place, _):
        await store(place)
        [(file_id,)] = rows(tmp_path / "up", "SELECT id FROM files")

        def kill(*_: object) -> None:
            crash_image(tmp_path / "up", image)

        hold = place.points.hold("folder")
        deleting = asyncio.create_task(place.station.orders.delete_stored(file_id))
        await hold.reached()
        if point == "before it is recorded":
            kill()
        else:
            place.station.orders.on_deed.insert(0, kill)
        hold.release()
        await deleting
    async with posting(image, "file-deleted") as (place, post):
        await until(lambda: left(image) == [] and len(post.taken) == 1)
        message, _ = post.taken[0]
        assert (message["event"], message["data"]["fileId"]) == ("file-deleted", file_id)
        await until(lambda: place.station.hooks.counts() == {(WEBHOOK, "waiting"): 0, (WEBHOOK, "dead"): 0})


@pytest.mark.gen_test
async def test_progress_is_posted_when_nothing_waits_and_is_not_recorded(tmp_path: Path) -> None:
    async with posting(tmp_path, "upload-progress") as (place, post):

        def is_told() -> bool:
            place.clock.pass_by(1)
            for hear in place.station.watch.on_lag:
                hear(0.0)
            return bool(post.taken)

        await store(place)
        await until(is_told)
        assert set(post.names) == {"upload-progress"}
        assert post.taken[0][0]["data"]["progress"] == 100
        assert left(tmp_path) == []


@pytest.mark.gen_test
async def test_a_program_is_run_for_each_stored_file(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    command = script(
        tmp_path, f"cat > '{seen}.part'; cp \"$UPLOAD_STATION_FILE_PATH\" '{seen}.copy'; mv '{seen}.part' '{seen}'"
    )
    async with open_place(tmp_path / "upload", recover=True, on_completed=command) as place:
        session_id = await store(place)
        await until(seen.exists)
        told = json.loads(seen.read_text())
        assert (told["event"], told["data"]["sessionId"]) == ("upload-completed", session_id)
        assert told["data"]["category"] == "personal"
        assert Path(told["data"]["filePath"]).read_bytes() == Path(f"{seen}.copy").read_bytes() == b"hello"
        await until(lambda: place.station.hooks.counts() == {(COMMAND, "waiting"): 0, (COMMAND, "dead"): 0})
        assert left(tmp_path / "upload") == []


@pytest.mark.gen_test
async def test_neither_secret_nor_address_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with posting(tmp_path, "upload-completed", hook_patience=0.0) as (place, post):
            await a_dead_letter(place, post)
            post.answer = Unreachable("no connection")
            await store(place)
            await until(lambda: place.station.hooks.counts()[WEBHOOK, "dead"] == 2)
    assert caplog.records
    for secret in (SECRET, "pass-word", "receiver.example"):
        assert secret not in caplog.text
