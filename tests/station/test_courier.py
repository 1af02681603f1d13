"""A courier tells in order, again and again, and holds nobody up for one that fails; what it gives up is kept."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from station import deliveries
from station.courier import FIRST_WAIT, LONGEST_WAIT, LONGEST_WISH, Courier, Result, pause_after, tries_in
from station.deliveries import Letter
from station.lines import fields_of
from station.reporting import short
from station.tasks import Tasks
from station.wire import Message, text_of
from tests.station.places import FakeClock, HeldJournal, new_id, until

HOOK = "webhook"
DAY = 86_400.0
TOLD = Result()
FAILED = Result("it answered 500")


@dataclass
class Round:
    """A courier at work. `carried`: all it tried, `answer`: what came of it."""

    journal: HeldJournal
    clock: FakeClock
    tasks: Tasks
    answer: Callable[[Letter], Result | Awaitable[Result]] = lambda letter: TOLD
    carried: list[Letter] = field(default_factory=list)
    courier: Courier = field(init=False)
    most: int = 0
    _now: int = 0

    async def carry(self, letter: Letter) -> Result:
        self._now += 1
        self.most = max(self.most, self._now)
        self.carried.append(letter)
        try:
            result = self.answer(letter)
            return result if isinstance(result, Result) else await result
        finally:
            self._now -= 1

    async def add(self, session: str, *names: str) -> None:
        def write(connection: sqlite3.Connection) -> None:
            for name in names:
                deliveries.add(connection, HOOK, session, name, text_of(name, {"fileId": "f"}), self.clock().wall)

        await self.journal.change(write)
        self.courier.waiting += len(names)
        self.courier.news(session)

    async def left(self) -> tuple[int, int]:
        """How many wait, and how many are dead, by the journal."""
        return (await self.journal.read(deliveries.counts)).get(HOOK, (0, 0))

    async def pass_time(self, seconds: float) -> None:
        self.clock.pass_by(seconds)
        self.courier.tick()

    async def idle(self) -> None:
        """Wait until it has done what is due."""
        at_rest = False
        while not at_rest:
            await until(self._rests)
            await self.left()  # what it was just asking the journal, it knows by now
            await asyncio.sleep(0)
            at_rest = self._rests()

    def _rests(self) -> bool:
        courier = self.courier
        return not (courier._busy or courier._ready or courier._stale or courier._wake.is_set())

    def told(self, session: str) -> list[str]:
        return [letter.name for letter in self.carried if letter.session_id == session]


@contextlib.asynccontextmanager
async def a_round(
    folder: Path, *, at_most: int = 4, patience: float = DAY, start: bool = True, clock: FakeClock | None = None
) -> AsyncIterator[Round]:
    journal = HeldJournal(folder / "journal.db", folder / "witness", durable=False, new_epoch=new_id)
    clock = clock or FakeClock()
    made = Round(journal, clock, Tasks())
    made.courier = Courier(
        HOOK, made.carry, journal, clock, made.tasks, at_most=at_most, patience=patience, chance=lambda: 0.5
    )
    if start:
        made.tasks.start(made.courier.run(), "courier")
    try:
        yield made
    finally:
        await made.tasks.stop()
        journal.close()


# ---- order ----


@pytest.mark.gen_test
async def test_one_session_is_told_in_order_one_at_a_time(tmp_path: Path) -> None:
    async with a_round(tmp_path) as made:
        await made.add("s", *"abc")
        await made.idle()
        await made.add("s", *"def")
        await made.idle()
        assert made.told("s") == list("abcdef")
        assert made.most == 1
        assert (made.courier.waiting, await made.left()) == (0, (0, 0))


@pytest.mark.gen_test
async def test_what_is_added_while_it_tells_is_told_after_it(tmp_path: Path) -> None:
    async with a_round(tmp_path) as made:
        go = asyncio.Event()

        async def slowly(letter: Letter) -> Result:
            await go.wait()
            return TOLD

        made.answer = slowly
        await made.add("s", "a")
        await until(lambda: made.told("s") == ["a"])
        await made.add("s", "b")
        go.set()
        await made.idle()
        assert made.told("s") == ["a", "b"]


@pytest.mark.gen_test
async def test_nothing_follows_what_failed_and_nobody_else_waits_for_it(tmp_path: Path) -> None:
    async with a_round(tmp_path) as made:
        made.answer = lambda letter: FAILED if letter.name == "bad" else TOLD
        await made.add("s", "good", "bad", "after")
        await made.add("t", "x", "y")
        await made.idle()
        assert made.told("s") == ["good", "bad"]
        assert made.told("t") == ["x", "y"]
        await made.add("s", "newer")
        await made.idle()
        assert made.told("s") == ["good", "bad"], "news does not shorten the wait"
        made.answer = lambda letter: TOLD
        await made.pass_time(FIRST_WAIT * 1.3)
        await made.idle()
        assert made.told("s") == ["good", "bad", "bad", "after", "newer"]
        assert len({letter.id for letter in made.carried if letter.name == "bad"}) == 1, "a try has no id of its own"


@pytest.mark.gen_test
async def test_only_so_many_sessions_are_told_of_at_a_time(tmp_path: Path) -> None:
    async with a_round(tmp_path, at_most=3) as made:
        go = asyncio.Event()

        async def slowly(letter: Letter) -> Result:
            await go.wait()
            return TOLD

        made.answer = slowly
        for at in range(10):
            await made.add(str(at), "a")
        await until(lambda: len(made.carried) == 3)
        go.set()
        await made.idle()
        assert (len(made.carried), made.most) == (10, 3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.gen_test(timeout=240)
async def test_under_failures_at_random_all_of_a_thousand_sessions_are_told_in_order(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    taken: dict[str, list[str]] = defaultdict(list)

    def answer(letter: Letter) -> Result:
        lost = chance.random()
        if lost > 0.15:  # it was taken, and perhaps nobody heard so
            taken[letter.session_id].append(letter.name)
        return TOLD if lost > 0.3 else FAILED

    async with a_round(tmp_path, at_most=8) as made:
        made.answer = answer
        for at in range(1000):
            await made.add(f"session {at}", "a", "b", "c")
        while (await made.left())[0]:
            await made.idle()
            await made.pass_time(LONGEST_WAIT * 1.3)
        for names in taken.values():
            once = [name for at, name in enumerate(names) if name not in names[:at]]
            assert once == ["a", "b", "c"]
            assert names == sorted(names), "what comes again comes before what follows"
        assert len(taken) == 1000


# ---- again and again ----


def test_pauses_double_up_to_a_bound_and_are_spread() -> None:
    assert [pause_after(tries, 0.5) for tries in (1, 2, 3, 9)] == [1.0, 2.0, 4.0, 256.0]
    assert {pause_after(tries, 0.5) for tries in (10, 11, 10**9)} == {LONGEST_WAIT}
    assert pause_after(4, 0.0) < pause_after(4, 0.7) < pause_after(4, 1.0) < 9.7


@pytest.mark.parametrize("patience", [0.0, 0.9, 1.0, 3.0, 10.0, 511.0, 512.0, 900.0, DAY, 30 * DAY, 1e16])
def test_as_many_tries_are_made_as_patience_lasts(patience: float) -> None:
    tries = tries_in(patience)
    if tries < 10**6:
        assert sum(pause_after(each, 0.5) for each in range(1, tries)) <= patience
        assert sum(pause_after(each, 0.5) for each in range(1, tries + 1)) > patience
    assert tries >= 1


@pytest.mark.gen_test
async def test_the_other_side_may_ask_to_be_spared_but_not_for_ever(tmp_path: Path) -> None:
    async with a_round(tmp_path) as made:
        made.answer = lambda letter: Result("it answered 503", wait=60.0 if letter.session_id == "s" else 1e9)
        await made.add("s", "a")
        await made.add("t", "a")
        await made.idle()
        await made.pass_time(59.0)
        await made.idle()
        assert (len(made.told("s")), len(made.told("t"))) == (1, 1)
        await made.pass_time(1.5)
        await made.idle()
        assert (len(made.told("s")), len(made.told("t"))) == (2, 1)
        await made.pass_time(LONGEST_WISH)
        await made.idle()
        assert len(made.told("t")) == 2


@pytest.mark.gen_test
async def test_after_the_last_try_it_is_kept_dead_and_the_next_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_round(tmp_path, patience=3.0) as made:
        deaths: list[int] = []
        made.courier.on_dead = lambda: deaths.append(1)
        made.answer = lambda letter: FAILED if letter.name == "bad" else TOLD
        await made.add("s", "bad", "good")
        for _ in range(3):
            await made.idle()
            await made.pass_time(5.0)
        await made.idle()
        assert made.told("s") == ["bad", "bad", "bad", "good"]
        assert (made.courier.waiting, made.courier.dead, deaths) == (0, 1, [1])
        [dead] = await made.journal.read(partial(deliveries.dead, hooks=[HOOK], after=0, limit=9))
        assert (dead.name, dead.tries, dead.error) == ("bad", 3, "it answered 500")
        names = {"session": short("s"), "file": short("f")}
        again, given_up = caplog.records
        assert (again.getMessage(), fields_of(again)) == ("webhook: it answered 500; it is tried again, 2 wait", names)
        assert given_up.getMessage() == "webhook: given up after 3 tries: it answered 500"
        assert fields_of(given_up) == {"letter": dead.number, **names}


@pytest.mark.gen_test
async def test_what_need_not_be_tried_again_is_dead_at_once(tmp_path: Path) -> None:
    async with a_round(tmp_path) as made:
        made.answer = lambda letter: Result("it answered 410", final=True)
        await made.add("s", "a", "b")
        await made.idle()
        assert (made.told("s"), await made.left()) == (["a", "b"], (0, 2))


@pytest.mark.parametrize("step", [-20 * 365 * DAY, -100.0, 30 * 365 * DAY])
@pytest.mark.gen_test
async def test_a_wall_clock_that_is_set_neither_stops_it_nor_kills_a_letter(tmp_path: Path, step: float) -> None:
    """A board without a clock of its own starts in 1970, and is told the time later."""
    clock = FakeClock()
    async with a_round(tmp_path, clock=clock) as made:
        made.answer = lambda letter: FAILED
        await made.add("s", "a")
        await made.idle()
        clock.wall += step
        for _ in range(4):
            await made.pass_time(LONGEST_WAIT)
            await made.idle()
        assert len(made.told("s")) >= 4
        assert await made.left() == (1, 0)


# ---- faults and restarts ----


@pytest.mark.gen_test
async def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    clock = FakeClock()
    async with a_round(tmp_path, clock=clock) as made:
        made.answer = lambda letter: FAILED
        await made.add("s", "a", "b")
        await made.idle()
    async with a_round(tmp_path, clock=clock) as made:
        await made.idle()
        assert made.carried == [], "its pause is not over yet"
        await made.pass_time(2.0)
        await made.idle()
        assert [(letter.name, letter.tries) for letter in made.carried] == [("a", 1), ("b", 0)]


@pytest.mark.gen_test
async def test_one_that_is_stopped_while_it_tells_tells_again(tmp_path: Path) -> None:
    """As after a kill between the answer and its record: at least once."""
    async with a_round(tmp_path) as made:
        made.answer = lambda letter: asyncio.Event().wait()  # type: ignore[assignment, return-value]
        await made.add("s", "a")
        await until(lambda: made.told("s") == ["a"])
    async with a_round(tmp_path) as again:
        await again.idle()
        assert [letter.id for letter in again.carried] == [made.carried[0].id]


@pytest.mark.gen_test
async def test_while_nothing_can_be_recorded_nothing_is_told_twice(tmp_path: Path) -> None:
    async with a_round(tmp_path) as made:

        def answer(letter: Letter) -> Result:
            made.journal.break_down(full=True)
            return TOLD

        made.answer = answer
        await made.add("s", "a", "b")
        for _ in range(3):
            await until(lambda: not made.courier._busy and not made.courier._wake.is_set())
            await made.pass_time(6.0)
        await until(lambda: not made.courier._busy)
        assert made.told("s") == ["a"]
        made.journal.mend()
        made.answer = lambda letter: TOLD
        await made.pass_time(6.0)
        await made.idle()
        assert (made.told("s"), await made.left()) == (["a", "b"], (0, 0))
        assert made.courier._told == set()


@pytest.mark.expects_errors
@pytest.mark.gen_test
async def test_a_fault_of_its_own_makes_it_rest_not_end(tmp_path: Path) -> None:
    async with a_round(tmp_path) as made:

        def answer(letter: Letter) -> Result:
            raise RuntimeError("a bug")

        made.answer = answer
        await made.add("s", "a")
        await until(lambda: made.told("s") == ["a"] and not made.courier._busy)
        made.answer = lambda letter: TOLD
        await made.pass_time(6.0)
        await made.idle()
        assert await made.left() == (0, 0)


@pytest.mark.gen_test(timeout=240)
async def test_however_much_waits_only_a_little_of_it_is_in_memory(tmp_path: Path) -> None:
    async with a_round(tmp_path, at_most=8, start=False) as made:

        def write(connection: sqlite3.Connection) -> None:
            for at in range(100_000):
                deliveries.add(connection, HOOK, f"session {at % 20_000}", "a", "x" * 300, float(at))

        await made.journal.change(write)
        enough = asyncio.Event()
        sizes: list[int] = []

        async def answer(letter: Letter) -> Result:
            courier = made.courier
            sizes.append(len(courier._ready) + len(courier._busy) + len(courier._again) + len(courier._told))
            if len(sizes) >= 1500:
                enough.set()
                await asyncio.Event().wait()
            return TOLD

        made.answer = answer
        made.tasks.start(made.courier.run(), "courier")
        await enough.wait()
        assert max(sizes) <= 200
        first = [letter.session_id for letter in made.carried if letter.made_at < 20_000]
        assert first[:3] == ["session 0", "session 1", "session 2"], "the oldest first"


@pytest.mark.gen_test
async def test_a_receiver_that_is_down_does_not_fill_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with a_round(tmp_path) as made:
        made.answer = lambda letter: FAILED
        for at in range(50):
            await made.add(str(at), "a")
        await made.idle()
        assert len(caplog.records) == 1
        assert caplog.records[0].getMessage().startswith("webhook: it answered 500; it is tried again, ")
        await made.pass_time(61.0)
        await made.idle()
        assert len(caplog.records) == 2


# ---- progress ----


def progress(number: int) -> Message:
    return Message(str(number), "upload-progress", 0, key="s/f")


@pytest.mark.gen_test
async def test_progress_goes_out_once_a_second_when_nothing_waits_before_it(tmp_path: Path) -> None:
    async with a_round(tmp_path) as made:
        dripped: list[str] = []

        async def drip(session_id: str, message: Message) -> None:
            dripped.append(message.text)

        made.courier.drip = drip
        await made.idle()
        for number in range(4):
            made.courier.trickle.put("s", "f", progress(number))
            await made.pass_time(0.25)
            await made.idle()
        assert dripped == ["0"]
        await made.pass_time(0.25)
        await made.idle()
        assert dripped == ["0", "3"]

        made.answer = lambda letter: Result("it answered 503", wait=60.0)
        await made.add("s", "a")
        await made.idle()
        made.courier.trickle.put("s", "f", progress(4))
        await made.pass_time(2.0)
        await made.idle()
        assert dripped == ["0", "3"], "what waits before it goes first, and this one is lost"
        made.answer = lambda letter: TOLD
        await made.pass_time(60.0)
        await made.idle()
        made.courier.trickle.put("s", "f", progress(5))
        await made.pass_time(1.0)
        await made.idle()
        assert dripped == ["0", "3", "5"]


@pytest.mark.gen_test
async def test_much_progress_keeps_no_event_waiting(tmp_path: Path) -> None:
    async with a_round(tmp_path, at_most=2) as made:
        go = asyncio.Event()

        async def drip(session_id: str, message: Message) -> None:
            await go.wait()

        made.courier.drip = drip
        await made.idle()
        for session in range(500):
            made.courier.trickle.put(str(session), "f", progress(0))
        await made.pass_time(0.25)
        await until(lambda: len(made.courier._busy) == 2)
        await made.add("late", "a")
        await made.pass_time(0.25)
        go.set()
        await until(lambda: made.told("late") == ["a"])
        assert len(made.courier.trickle._waiting) > 490
