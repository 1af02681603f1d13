"""Who gets which message."""

from __future__ import annotations

from station.hub import Hub
from station.wire import Message

HELLO, AGAIN = Message("hello", "upload-started", 1), Message("again", "upload-completed", 2)


class Ear:
    """Keeps what it is told; given a hub, it leaves at the first message."""

    def __init__(self, hub: Hub | None = None, transport: str = "websocket") -> None:
        self.transport = transport
        self.heard: list[tuple[str, str]] = []
        self.hub = hub

    def deliver(self, session_id: str, message: Message) -> None:
        self.heard.append((session_id, message.text))
        if self.hub is not None:
            self.hub.leave(session_id, self)


def test_those_who_joined_are_told_in_the_order_of_their_coming() -> None:
    hub, order = Hub(), []

    class Named(Ear):
        def deliver(self, session_id: str, message: Message) -> None:
            order.append(self)

    first, second = Named(), Named()
    hub.join("s", first)
    hub.join("s", second)
    hub.publish("s", HELLO)
    assert order == [first, second]


def test_one_who_joined_twice_is_told_once() -> None:
    hub, ear = Hub(), Ear()
    hub.join("s", ear)
    hub.join("s", ear)
    hub.publish("s", HELLO)
    assert ear.heard == [("s", "hello")]


def test_other_sessions_are_not_heard() -> None:
    hub, ear = Hub(), Ear()
    hub.join("s", ear)
    hub.join("t", ear)
    hub.publish("t", HELLO)
    hub.publish("u", AGAIN)
    assert ear.heard == [("t", "hello")]


def test_one_who_left_hears_nothing_more_and_may_leave_again() -> None:
    hub, ear = Hub(), Ear()
    hub.leave("s", ear)
    hub.join("s", ear)
    hub.leave("s", ear)
    hub.leave("s", ear)
    hub.publish("s", HELLO)
    assert ear.heard == []


def test_a_session_that_is_over_is_forgotten() -> None:
    hub, ear = Hub(), Ear()
    hub.join("s", ear)
    hub.drop("s")
    hub.drop("s")
    hub.publish("s", HELLO)
    assert ear.heard == []
    assert list(hub.watchers()) == []


def test_leaving_while_being_told_keeps_nobody_from_hearing() -> None:
    hub = Hub()
    ears = [Ear(hub), Ear(hub), Ear(hub)]
    for ear in ears:
        hub.join("s", ear)
    hub.publish("s", HELLO)
    hub.publish("s", AGAIN)
    assert [ear.heard for ear in ears] == [[("s", "hello")]] * 3


def test_a_watcher_of_two_sessions_counts_once() -> None:
    hub, one, other = Hub(), Ear(), Ear()
    hub.join("s", one)
    hub.join("t", one)
    hub.join("t", other)
    assert list(hub.watchers()) == [one, other]
    hub.leave("t", one)
    hub.leave("s", one)
    assert list(hub.watchers()) == [other]


def test_those_who_watch_a_session_are_counted() -> None:
    hub, one = Hub(), Ear()
    assert hub.count("s") == 0
    hub.join("s", one)
    hub.join("s", one)
    hub.join("s", Ear())
    hub.join("t", Ear())
    assert hub.count("s") == 2
    hub.leave("s", one)
    assert hub.count("s") == 1


def test_those_who_watch_one_topic_are_left_out_whatever_else_they_watch() -> None:
    hub, phone, stream, operator = Hub(), Ear(), Ear(transport="sse"), Ear()
    assert hub.transports(besides="monitor") == {}
    for topic, ear in [("s", phone), ("t", phone), ("t", stream), ("monitor", operator)]:
        hub.join(topic, ear)
    for _ in range(2):
        assert hub.transports(besides="monitor") == {"websocket": 1, "sse": 1}
        assert (hub.count("s", besides="monitor"), hub.count("t", besides="monitor")) == (1, 2)
        hub.join("s", operator)
    assert (hub.count("s"), hub.count("monitor")) == (2, 1)
