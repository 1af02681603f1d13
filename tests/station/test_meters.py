"""What the meters make of what they are told: one count each, in a text that the library's own parser reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from station.clock import Moment
from station.errors import ERRORS, Problem
from station.events import Event, SessionCompleted, SessionError, UploadCancelled, UploadCompleted, UploadFailed, Way
from station.file import File
from station.meters import JOINS, OUTCOMES, PREFIX, Meters, Reading
from station.telling import failed
from tests.station.core import CONFIG, a_session, at, codes, sending, store

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]
ways = st.sampled_from(list(Way))


def values(meters: Meters, *readings: Reading) -> Values:
    text, _ = meters.exposition(readings)
    families = text_string_to_metric_families(text.decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(meters: Meters, name: str, **labels: str) -> float:
    return values(meters)[PREFIX + name, frozenset(labels.items())]


def completed(way: Way, size: int) -> UploadCompleted:
    return UploadCompleted(
        session_id="s",
        file_id="f",
        file_name="a.jpg",
        file_size=size,
        upload_path="/upload/personal/a.jpg",
        end_time=at(1).stamp,
        duration=2.0,
        final_speed=size / 2,
        way=way,
    )


def ended_badly(way: Way, code: str) -> UploadFailed:
    file = File("f", "a.jpg", way=way, failures=1)
    return failed("s", file, Problem(code), 1, CONFIG, Moment(0, 0))


def test_all_that_may_be_expected_begins_at_nought() -> None:
    found = values(Meters())
    counted = {name for name, _ in found if name.startswith(PREFIX)}
    assert {value for (name, _), value in found.items() if name in counted} == {0}
    for way in Way:
        for outcome in ("completed", "cancelled"):
            labels = {"way": way, "outcome": outcome, "code": ""}
            assert (f"{PREFIX}uploads_total", frozenset(labels.items())) in found


@given(st.lists(st.tuples(ways, st.integers(0, 2**50)), max_size=30))
def test_bytes_are_summed_by_way_and_as_a_whole(counts: list[tuple[Way, int]]) -> None:
    meters = Meters()
    for way, count in counts:
        meters.took(way, count)
    for way in Way:
        assert value(meters, "received_bytes_total", way=way) == sum(count for each, count in counts if each is way)
    assert meters.received == sum(count for _, count in counts)


@given(ways, st.integers(0, 2**45))
def test_a_stored_file_counts_once_in_each_histogram(way: Way, size: int) -> None:
    meters = Meters()
    meters.told(completed(way, size), None)
    assert value(meters, "uploads_total", way=way, outcome="completed", code="") == 1
    assert value(meters, "file_size_bytes_sum") == size
    assert value(meters, "upload_duration_seconds_sum") == 2
    assert value(meters, "upload_speed_bytes_per_second_count") == (1 if size else 0)


@given(ways, codes)
def test_every_error_of_the_table_may_end_an_upload(way: Way, code: str) -> None:
    meters = Meters()
    meters.told(ended_badly(way, code), None)
    assert value(meters, "uploads_total", way=way, outcome="failed", code=code) == 1


def test_cancelling_a_session_is_no_end_of_an_upload() -> None:
    meters = Meters()
    whole = UploadCancelled(session_id="s", reason="user", cancelled_at=at(1).stamp, uploaded_bytes=0)
    meters.told(whole, None)
    assert [v for (name, _), v in values(meters).items() if name == f"{PREFIX}uploads_total" and v] == []


def test_a_session_counts_how_each_of_its_files_ended() -> None:
    session, meters = a_session(), Meters()
    store(session, sending(session, 1), 2)
    attempt = sending(session, 3)
    session.fail(attempt, Problem("FILE_SIZE_EXCEEDED"), at(4))
    sending(session, 5)
    session.cancel("user", at(6))
    news = [each for each in session.take_news() if isinstance(each, Event)]
    assert isinstance(news[-1], SessionCompleted)
    for event in news:
        meters.told(event, None)
    assert [value(meters, "files_total", outcome=outcome) for outcome in OUTCOMES] == [1, 1, 1]
    assert value(meters, "sessions_ended_total") == 1
    assert value(meters, "uploads_started_total", way="unknown") == 3


def test_a_fault_of_a_session_counts_by_its_code() -> None:
    meters = Meters()
    fault = SessionError(
        session_id="s",
        error=Problem("INSUFFICIENT_STORAGE").pushed("en"),
        action="continue",
        affected_files=(),
        timestamp=at(1).stamp,
    )
    meters.told(fault, None)
    assert value(meters, "session_faults_total", code="INSUFFICIENT_STORAGE") == 1


@pytest.mark.parametrize(
    ("position", "resync", "kind"), [(False, False, 0), (True, False, 1), (True, True, 2), (False, True, 0)]
)
def test_a_join_is_fresh_resumed_or_lost(position: bool, resync: bool, kind: int) -> None:
    meters = Meters()
    meters.joined("sse", position=position, resync=resync)
    assert value(meters, "joins_total", transport="sse", kind=JOINS[kind]) == 1
    assert meters.reconnects == position


def test_plain_numbers_are_told_as_they_are() -> None:
    meters = Meters()
    meters.waited, meters.replaced, meters.replayed = 3, 2, 1
    for name, count in (("messages_delayed", 3), ("progress_replaced", 2), ("messages_replayed", 1)):
        assert value(meters, f"{name}_total") == count


def test_a_reading_is_told_for_this_once() -> None:
    meters = Meters()
    reading = Reading("watchers", "Who watches.", ("transport",), [(("sse",), 2), (("polling",), 0)])
    found = values(meters, reading)
    assert found[f"{PREFIX}watchers", frozenset({("transport", "sse")})] == 2
    assert not [name for name, _ in values(meters) if name == f"{PREFIX}watchers"]


def test_two_stations_in_one_process_count_apart() -> None:
    one, other = Meters(), Meters()
    one.refused("NOT_FOUND")
    assert (
        value(one, "requests_refused_total", code="NOT_FOUND"),
        value(other, "requests_refused_total", code="NOT_FOUND"),
    ) == (1, 0)


def test_a_scrape_changes_nothing() -> None:
    meters = Meters()
    meters.synced("file", 0.003)
    first = {key: v for key, v in values(meters).items() if key[0].startswith(PREFIX)}
    assert {key: v for key, v in values(meters).items() if key[0].startswith(PREFIX)} == first
    assert len(first) < 600  # a phone's worth of text, whatever happens: no label grows with use
    assert len([key for key in first if key[0].endswith("_created")]) == 0
    assert len(ERRORS) < 100
