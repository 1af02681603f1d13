"""Speed, success and the day's bytes, against plain lists of what was told."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from station.events import UploadCancelled, UploadCompleted, UploadFailed, UploadStarted
from station.indicators import Measured
from station.rates import DAY, HOUR, Ending, Rates, Stored

NOW = 1_000_000.0


def never(session_id: str, file_id: str) -> bool:
    return False


def ending(file_id: str, at: float = NOW, *, completed: bool = True, size: int = 0, spent: float = 1.0) -> Ending:
    return Ending(file_id, "s", at, completed, size, spent)


def started(file_id: str) -> UploadStarted:
    fields: dict[str, Any] = {"file_name": "a", "file_size": 1, "start_time": "", "attempt": 2, "target_dir": ""}
    return UploadStarted(session_id="s", file_id=file_id, **fields)


def completed(file_id: str, size: int, duration: float) -> UploadCompleted:
    fields: dict[str, Any] = {"file_name": "a", "upload_path": "/", "end_time": "", "final_speed": 1.0}
    return UploadCompleted(session_id="s", file_id=file_id, file_size=size, duration=duration, **fields)


def failed(file_id: str) -> UploadFailed:
    fields: dict[str, Any] = {"file_name": "a", "error": {"code": "NETWORK_ERROR"}, "failed_at": "", "retry_count": 0}
    return UploadFailed(
        session_id="s", file_id=file_id, can_retry=True, max_retries=3, uploaded_bytes=0, attempt=1, **fields
    )


def cancelled(file_id: str | None) -> UploadCancelled:
    return UploadCancelled(session_id="s", file_id=file_id, reason="user", cancelled_at="", uploaded_bytes=0)


def test_without_uploads_nothing_is_known() -> None:
    rates = Rates(never)
    assert (rates.speed(NOW), rates.success(NOW), rates.per_day(NOW)) == (Measured(), Measured(), (0, 0))


def test_the_speed_is_all_bytes_by_all_time_spent() -> None:
    rates = Rates(never)
    rates.told(completed("a", 9_000_000, 1.0), NOW)
    rates.told(completed("b", 1_000_000, 9.0), NOW + 1)
    assert rates.speed(NOW + 2) == Measured(1_000_000.0, 2), "not the mean of 9 and 0.1 MB/s"
    assert rates.per_day(NOW + 2) == (2, 10_000_000)


def test_a_file_that_took_no_time_does_not_make_the_speed_endless() -> None:
    rates = Rates(never)
    rates.told(completed("a", 0, 0.0), NOW)
    assert rates.speed(NOW) == Measured(0.0, 1)


def test_after_an_hour_a_file_counts_for_the_day_only_and_then_not_at_all() -> None:
    rates = Rates(never)
    rates.told(completed("a", 100, 1.0), NOW)
    rates.told(failed("b"), NOW)
    assert rates.success(NOW + HOUR - 20) == Measured(50.0, 2)
    assert rates.success(NOW + HOUR + 20) == Measured()
    assert rates.speed(NOW + HOUR + 20) == Measured()
    assert rates.per_day(NOW + HOUR + 20) == (1, 100)
    assert rates.per_day(NOW + DAY + 400) == (0, 0)


def test_a_failure_that_was_made_good_is_no_failure() -> None:
    rates = Rates(never)
    rates.told(failed("a"), NOW)
    assert rates.success(NOW) == Measured(0.0, 1)
    rates.told(started("a"), NOW + 1)
    assert rates.success(NOW + 1) == Measured(), "it is on its way again"
    rates.told(completed("a", 5, 1.0), NOW + 2)
    assert rates.success(NOW + 2) == Measured(100.0, 1)


def test_a_failure_counts_once_its_time_for_a_retry_is_over() -> None:
    waiting = {"a"}
    rates = Rates(lambda session_id, file_id: file_id in waiting)
    rates.told(failed("a"), NOW)
    rates.told(completed("b", 5, 1.0), NOW)
    assert rates.success(NOW) == Measured(100.0, 1)
    waiting.clear()
    assert rates.success(NOW) == Measured(50.0, 2)


def test_what_was_cancelled_does_not_count() -> None:
    rates = Rates(never)
    rates.told(failed("a"), NOW)
    rates.told(cancelled("a"), NOW)
    rates.told(cancelled("b"), NOW)
    rates.told(cancelled(None), NOW)
    assert rates.success(NOW) == Measured()


def test_failures_without_end_take_no_memory_without_end() -> None:
    rates = Rates(never)
    for number in range(50_000):
        rates.told(failed(str(number)), NOW)
    assert len(rates._own.failed) == 20_000
    assert rates.success(NOW).value == 0.0


stories = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 700), st.sampled_from(["completed", "failed", "cancelled"])),
    max_size=40,
)


@given(stories)
def test_each_file_counts_by_its_newest_ending(story: list[tuple[str, int, str]]) -> None:
    """Files that were stored end no more; times grow, and are well within the hour or well beyond it."""
    rates, newest, now = Rates(never), dict[str, tuple[float, str]](), NOW
    for file_id, gap, how in story:
        now += gap * 20
        if newest.get(file_id, (0, ""))[1] == "completed":
            continue
        newest[file_id] = (now, how)
        event = {"completed": completed(file_id, 10, 2.0), "failed": failed(file_id), "cancelled": cancelled(file_id)}
        rates.told(event[how], now)
    recent = [how for at, how in newest.values() if at > now - HOUR]
    edge = any(now - HOUR - 10 <= at <= now - HOUR for at, _ in newest.values())
    both = recent.count("completed") + recent.count("failed")
    if not edge:
        assert rates.success(now) == Measured(100 * recent.count("completed") / both if both else None, both)
        assert rates.speed(now) == Measured(5.0 if "completed" in recent else None, recent.count("completed"))


def test_what_a_restart_takes_up_counts_like_what_was_told() -> None:
    rates = Rates(never)
    rates.recall(
        [ending("a", NOW - 100, size=600, spent=2.0), ending("b", NOW - 50, completed=False)],
        [Stored(NOW - DAY / 2, 7, 4000)],
    )
    assert rates.speed(NOW) == Measured(300.0, 1)
    assert rates.success(NOW) == Measured(50.0, 2)
    assert rates.per_day(NOW) == (7, 4000)
    rates.began("b")
    assert rates.success(NOW) == Measured(100.0, 1), "it is on its way again"


def test_what_is_recalled_takes_the_place_of_what_was_and_leaves_what_was_told() -> None:
    rates = Rates(never)
    rates.told(completed("told", 100, 1.0), NOW)
    rates.told(failed("told too"), NOW)
    rates.recall([ending("a", NOW - 100, size=600)], [Stored(NOW - 100, 1, 600)])
    rates.recall([ending("b", NOW - 50, completed=False)], [Stored(NOW - 50, 2, 70)])
    assert rates.speed(NOW) == Measured(100.0, 1)
    assert rates.success(NOW) == Measured(100 / 3, 3)
    assert rates.per_day(NOW) == (3, 170)
    rates.recall([], [])
    assert (rates.success(NOW), rates.per_day(NOW)) == (Measured(50.0, 2), (1, 100))
