"""Tasks that are kept, named, loud when they fail and gone when they are stopped."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from station.tasks import Tasks


@pytest.mark.gen_test
async def test_a_task_has_a_name_and_a_result() -> None:
    async def work() -> int:
        return 7

    task = Tasks().start(work(), "seven")
    assert task.get_name() == "seven"
    assert await task == 7


@pytest.mark.gen_test
async def test_a_task_that_nobody_else_holds_ends_its_work() -> None:
    tasks, done = Tasks(), asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        gc.collect()
        await asyncio.sleep(0)
        done.set()

    tasks.start(work(), "alone")
    await asyncio.wait_for(done.wait(), 5)


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_a_task_that_fails_is_logged_with_its_name(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        raise RuntimeError("out of order")

    task = Tasks().start(work(), "broken")
    await asyncio.wait([task])
    await asyncio.sleep(0)
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "broken" in record.getMessage()
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "out of order"


@pytest.mark.gen_test
async def test_stopping_cancels_and_waits_and_logs_nothing() -> None:
    tasks, tidied = Tasks(), []

    async def work(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            tidied.append(number)

    running = [tasks.start(work(number), f"task {number}") for number in range(3)]
    await asyncio.sleep(0)
    await tasks.stop()
    assert sorted(tidied) == [0, 1, 2]
    assert all(task.cancelled() for task in running)
    await tasks.stop()  # nothing is left to stop
