"""What is said of uploads and of the station's condition: one line for each ending, and nothing that opens anything."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from station import reporting
from station.errors import Problem
from station.events import Event
from station.lines import Json
from station.wire import loads
from tests.station.core import SESSION, a_file, a_session, at, sending, store

FLOOR = 1000


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [loads(Json().format(record)) for record in caplog.records]


def tell_all(session: Any) -> None:
    for news in session.take_news():
        if isinstance(news, Event):
            reporting.told(news, None)


def test_each_ending_has_a_line_and_no_line_holds_an_id_a_name_or_a_reason(caplog: pytest.LogCaptureFixture) -> None:
    session = a_session()
    reporting.opened(SESSION, "personal", implicit=False)
    store(session, sending(session, 0, 5000), 2)
    session.fail(sending(session, 3, 50), Problem("FILE_SIZE_EXCEEDED"), at(4))
    a_file(session, "My diary.doc", 7)
    session.cancel("because Ann said so", at(5))
    tell_all(session)
    said = lines(caplog)
    assert [line["event"] for line in said] == [
        "session-opened",
        "upload-completed",
        "upload-failed",
        "upload-cancelled",
        "upload-cancelled",
        "session-completed",
    ]
    assert {line["session"] for line in said} == {reporting.short(SESSION)}
    stored, failed, cancelled = said[1], said[2], said[3]
    assert (stored["size"], stored["category"], stored["type"], stored["seconds"]) == (5000, "personal", "jpg", 2.0)
    assert (failed["code"], failed["retry"]) == ("FILE_SIZE_EXCEEDED", False)
    assert cancelled["reason"] == "other"
    assert (said[-1]["files"], said[-1]["completed"], said[-1]["failed"]) == (3, 1, 1)
    text = caplog.text + "".join(map(str, said))
    for secret in (SESSION, "file-1", "diary", "Ann"):
        assert secret not in text


def test_the_stations_own_faults_are_warnings(caplog: pytest.LogCaptureFixture) -> None:
    session = a_session()
    session.fail(sending(session, 0), Problem("INSUFFICIENT_STORAGE"), at(1))
    session.fail(sending(session, 2), Problem("NETWORK_ERROR"), at(3))
    tell_all(session)
    levels = {line["code"]: line["level"] for line in lines(caplog) if line["event"] == "upload-failed"}
    assert levels == {"INSUFFICIENT_STORAGE": "warning", "NETWORK_ERROR": "info"}


@pytest.mark.parametrize("reason", ["session-timeout", "expired", "user"])
def test_the_stations_own_reasons_are_told(reason: str, caplog: pytest.LogCaptureFixture) -> None:
    session = a_session()
    a_file(session)
    session.cancel(reason, at(5))
    tell_all(session)
    assert lines(caplog)[0]["reason"] == reason


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.JPG", "jpg"), ("a", None), ("a.", None), ("a.my secret", None), ("a.\x1b[2J", None), ("jpg", None)],
)
def test_of_a_name_only_what_can_be_an_extension_is_told(
    name: str, kind: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    session = a_session()
    store(session, session.start(a_file(session, name), 100, at(0)), 1)
    tell_all(session)
    assert lines(caplog)[0].get("type") == kind


def test_a_short_name_is_the_same_each_time_and_another_for_another() -> None:
    assert reporting.short(SESSION) == reporting.short(SESSION)
    assert reporting.short(SESSION) != reporting.short(SESSION[:-1] + "0")
    assert reporting.short(SESSION) not in SESSION
    assert len(reporting.short("\ud800")) == 8


# ---- condition ----


class Box:
    """Room and journal as a test wants them."""

    def __init__(self) -> None:
        self.free = 5000
        self.failing = False
        self.condition = reporting.Condition(FLOOR, lambda: self.room(), lambda: self.failing)

    def room(self) -> int:
        if self.free < 0:
            raise OSError("the disk has gone")
        return self.free


def test_too_little_room_is_said_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    box = Box()
    for free in (5000, 999, 10, 1000, 1050, 999, 1101, 5000):
        box.free = free
        box.condition.look()
    assert [line["event"] for line in lines(caplog)] == ["disk-low", "disk-fine"]


@pytest.mark.expects_errors
def test_a_journal_that_cannot_be_written_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    box = Box()
    for failing in (False, True, True, False, False):
        box.failing = failing
        box.condition.look()
    assert [(line["event"], line["level"]) for line in lines(caplog)] == [
        ("journal-failing", "error"),
        ("journal-fine", "info"),
    ]


def test_a_disk_that_cannot_be_asked_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    box = Box()
    box.free = -1
    box.condition.look()
    assert lines(caplog) == []


def test_it_is_looked_at_with_the_first_tick_and_then_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    box = Box()
    box.free = 10
    box.condition.tick()
    assert len(lines(caplog)) == 1
    box.free = 5000
    box.condition.tick()
    assert len(lines(caplog)) == 1
    for _ in range(100):
        box.condition.tick()
    assert len(lines(caplog)) == 2
