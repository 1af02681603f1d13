"""What waits for one subscriber: order, replacing, the bound."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from station.outbox import Outbox
from station.wire import Message

AMPLE = 10**9
keys = st.none() | st.sampled_from(["s/a", "s/b", "s/c"])
TAKE = "take"
steps = st.lists(st.just(TAKE) | st.tuples(keys, st.text(max_size=20)), max_size=80)


def lifecycle(text: str) -> Message:
    return Message(text, "upload-started", 1, lifecycle=True)


def progress(text: str, key: str = "s/a") -> Message:
    return Message(text, "upload-progress", 1, key=key)


def rest(outbox: Outbox) -> list[str]:
    return [message.text for message in iter(outbox.take, None)]


def outbox_of(messages: Iterable[Message], limit: int = AMPLE) -> Outbox:
    outbox = Outbox(limit)
    for message in messages:
        outbox.put(message)
    return outbox


def test_messages_leave_in_the_order_of_their_coming() -> None:
    assert rest(outbox_of([lifecycle("a"), progress("b"), lifecycle("c")])) == ["a", "b", "c"]


def test_newer_progress_replaces_older_and_goes_to_the_end() -> None:
    waiting = [lifecycle("started"), progress("10 %"), lifecycle("completed"), progress("20 %")]
    assert rest(outbox_of(waiting)) == ["started", "completed", "20 %"]


def test_progress_of_another_file_is_not_replaced() -> None:
    assert rest(outbox_of([progress("a", "s/a"), progress("b", "s/b"), progress("c", "s/a")])) == ["b", "c"]


def test_it_says_whether_a_waiting_message_was_replaced() -> None:
    outbox = Outbox(1000)
    replaced = [outbox.put(each) for each in (progress("a"), lifecycle("b"), progress("c"), progress("d", "s/b"))]
    assert replaced == [False, False, True, False]
    outbox.put(lifecycle("e" * 1000))
    assert outbox.put(progress("f")) is False


def test_an_empty_outbox_gives_nothing() -> None:
    outbox = Outbox(AMPLE)
    assert outbox.take() is None
    assert len(outbox) == outbox.size == 0


def test_past_its_bound_it_keeps_nothing_any_more() -> None:
    outbox = outbox_of([lifecycle("a" * 500)] * 3, limit=1500)
    assert outbox.overflowed
    assert len(outbox) == outbox.size == 0
    outbox.put(lifecycle("more"))
    assert outbox.take() is None
    assert outbox.overflowed


def test_progress_alone_never_overflows_it() -> None:
    outbox = Outbox(1000)
    for percent in range(10_000):
        outbox.put(progress(f"{percent / 100} %"))
    assert not outbox.overflowed
    assert len(outbox) == 1


def test_bytes_are_counted_not_characters() -> None:
    assert outbox_of([lifecycle("照" * 400)], limit=1000).overflowed
    assert not outbox_of([lifecycle("a" * 400)], limit=1000).overflowed


def test_even_empty_messages_are_bounded() -> None:
    assert outbox_of([lifecycle("")] * 10_000, limit=10_000).overflowed


def test_an_exempt_message_is_kept_whatever_its_size_and_takes_no_room() -> None:
    outbox = Outbox(1000)
    outbox.put(lifecycle("s" * 50_000), exempt=True)
    outbox.put(lifecycle("a" * 400))
    outbox.put(lifecycle("b" * 400))
    assert not outbox.overflowed
    assert outbox.size > 50_800, "but it counts as waiting"
    outbox.put(lifecycle("c" * 400))
    assert outbox.overflowed


def test_room_is_not_won_by_taking_an_exempt_message() -> None:
    outbox = Outbox(1000)
    outbox.put(lifecycle("s" * 50_000), exempt=True)
    outbox.put(lifecycle("a" * 800))
    assert outbox.take() is not None
    assert outbox.size == 864
    outbox.put(lifecycle("b" * 400))
    assert outbox.overflowed


def test_clearing_it_leaves_room_again() -> None:
    outbox = outbox_of([lifecycle("a")] * 3)
    outbox.clear()
    assert len(outbox) == outbox.size == 0
    outbox.put(lifecycle("b"))
    assert rest(outbox) == ["b"]


@given(steps)
def test_nothing_that_matters_is_lost_and_nothing_is_overtaken(steps: list[str | tuple[str | None, str]]) -> None:
    outbox = Outbox(AMPLE)
    put: list[Message] = []
    taken: list[Message] = []
    replaced: set[int] = set()
    for step in steps:
        if isinstance(step, str):
            if (message := outbox.take()) is not None:
                taken.append(message)
            continue
        key, text = step
        older = [i for i, m in enumerate(put) if key is not None and m.key == key and m not in taken]
        replaced.update(older)
        put.append(Message(text, "e", 0, lifecycle=key is None, key=key))
        outbox.put(put[-1])
    taken += iter(outbox.take, None)
    # Messages are told apart by identity: taken is exactly what was put, in that order, without what was replaced.
    assert taken == [message for i, message in enumerate(put) if i not in replaced]
    assert len(outbox) == outbox.size == 0
    assert not outbox.overflowed


@given(st.integers(0, 600), steps)
def test_it_never_holds_more_than_its_bound(limit: int, steps: list[str | tuple[str | None, str]]) -> None:
    outbox = Outbox(limit)
    for step in steps:
        if isinstance(step, str):
            outbox.take()
        else:
            outbox.put(Message(step[1], "e", 0, key=step[0]))
        assert 0 <= outbox.size <= limit
        assert (outbox.size == 0) == (len(outbox) == 0)
