"""Polling: the snapshot, what was missed since a number, and waiting for news without leaving anything behind."""

from __future__ import annotations

import asyncio

import pytest

from handlers.polling import News
from station.hub import Hub
from station.wire import Message
from tests.handlers.site import UNKNOWN, Box, Goodbye, Line, file_part, movie, names, numbers, on_the_loop, until

FIELDS = {
    "sessionId", "category", "overallStatus", "totalProgress", "completedFiles", "failedFiles", "cancelledFiles",
    "estimatedTimeRemaining", "files", "seq", "epoch", "lastUpdate", "timestamp",
}  # fmt: skip
FILE_FIELDS = {
    "id", "originalName", "status", "progress", "uploadedBytes", "totalBytes", "uploadSpeed", "retryCount"
}  # fmt: skip


async def one_stored(box: Box) -> str:
    """A session with one stored file of two: two events."""
    session_id = await box.open(expectedFiles=2)
    assert (await box.put(session_id, "a.mp4", movie(5))).status == 201
    return session_id


@on_the_loop
async def test_the_snapshot_has_exactly_the_contracts_fields(box: Box) -> None:
    session_id = await box.open(files=[{"name": "a.mp4", "size": 5}])
    answer = await box.get(f"/api/upload/progress/{session_id}")
    assert answer.headers["Cache-Control"] == "no-store"
    snapshot = answer.json()
    assert set(snapshot) == FIELDS
    assert set(snapshot["files"][0]) == FILE_FIELDS
    assert (snapshot["overallStatus"], snapshot["seq"]) == ("pending", 0)
    await box.put(session_id, "a.mp4", movie(5))
    snapshot = await box.progress(session_id)
    assert set(snapshot) == FIELDS | {"summary"}
    assert set(snapshot["files"][0]) == FILE_FIELDS | {"uploadPath"}
    assert (snapshot["overallStatus"], snapshot["totalProgress"], snapshot["seq"]) == ("completed", 100, 3)
    assert (snapshot["completedFiles"], snapshot["failedFiles"], snapshot["cancelledFiles"]) == (1, 0, 0)


@on_the_loop
async def test_a_failed_file_shows_its_error_and_its_tries(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    await box.put(session_id, "a.exe", b"12345")
    (file,) = (await box.progress(session_id))["files"]
    # canRetry is more than the contract's list: without it, who joins late is told that a refused file may be retried.
    assert set(file) == FILE_FIELDS | {"error", "canRetry"}
    assert file["canRetry"] is False
    assert (file["status"], file["error"]["code"], file["retryCount"]) == ("failed", "UNSUPPORTED_FORMAT", 0)


@on_the_loop
async def test_what_was_missed_is_told_from_any_number_on(box: Box) -> None:
    session_id = await one_stored(box)
    epoch = (await box.progress(session_id))["epoch"]
    for query, expected, resync in [
        ("", None, False),
        ("?since=0", [1, 2], False),
        ("?since=1", [2], False),
        ("?since=2", [], False),
        (f"?since=0&epoch={epoch}", [1, 2], False),
        ("?since=3", None, True),
        ("?since=999999999999999", None, True),
        ("?since=0&epoch=another", None, True),
        ("?since=2&epoch=another&wait=30", None, True),
        ("?since=3&wait=30", None, True),
        ("?since=1&wait=30", [2], False),
    ]:
        snapshot = await box.progress(session_id, query)
        assert snapshot.get("resync", False) is resync, query
        told = None if "events" not in snapshot else numbers(snapshot["events"])
        assert told == expected, query


@pytest.mark.parametrize(
    "query",
    ["since=x", "since=-1", "since=", "wait=x", "wait=-1", "since=0&wait=NaN", "since=1e9", "wait=inf", "since=٣"],
)
@on_the_loop
async def test_what_is_no_number_is_a_validation_error(box: Box, query: str) -> None:
    answer = await box.get(f"/api/upload/progress/{await box.open()}?{query.replace('٣', '%D9%A3')}")
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


async def waiting(box: Box, session_id: str, query: str = "since=2&wait=30") -> Line:
    """A request that waits for news."""
    before = len(list(box.station.hub.watchers()))
    line = await box.connect()
    line.begin("GET", f"/api/upload/progress/{session_id}?{query}")
    await until(lambda: len(list(box.station.hub.watchers())) == before + 1, "the request waits")
    return line


@on_the_loop
async def test_a_request_waits_for_news(box: Box) -> None:
    session_id = await one_stored(box)
    lines = [await waiting(box, session_id) for _ in range(3)]
    await box.put(session_id, "b.exe", b"12345")
    for line in lines:
        snapshot = (await line.answer()).json()
        assert numbers(snapshot["events"])[:1] == [3]
        assert snapshot["seq"] >= 3
    assert names((await box.progress(session_id, "?since=2"))["events"]) == ["upload-failed", "session-completed"]


@on_the_loop
async def test_without_news_the_snapshot_is_the_answer_when_the_time_is_over(box: Box) -> None:
    session_id = await one_stored(box)
    snapshot = await box.progress(session_id, "?since=2&wait=0.05")
    assert (snapshot["events"], snapshot["seq"]) == ([], 2)
    assert not list(box.station.hub.watchers())


@on_the_loop
async def test_a_settled_session_and_one_that_is_not_asked_to_wait_answer_at_once(box: Box) -> None:
    session_id = await one_stored(box)
    assert (await box.progress(session_id, "?since=2"))["events"] == []
    assert (await box.progress(session_id, "?since=2&wait=0"))["events"] == []
    assert (await box.progress(session_id, "?wait=30"))["seq"] == 2
    await box.put(session_id, "b.mp4", movie(5))
    snapshot = await box.progress(session_id, "?since=5&wait=30")
    assert (snapshot["events"], snapshot["overallStatus"]) == ([], "completed")


@pytest.mark.parametrize("go", [Line.close, Line.reset])
@on_the_loop
async def test_a_client_that_goes_is_waited_for_no_longer(box: Box, go: Goodbye) -> None:
    session_id = await one_stored(box)
    lines = [await waiting(box, session_id) for _ in range(20)]
    for line in lines:
        await go(line)
    await until(lambda: not list(box.station.hub.watchers()), "nobody waits any more")
    await until(lambda: box.door.count == 0, "no connection is left")


@on_the_loop
async def test_news_between_two_requests_is_not_missed(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    sending = asyncio.ensure_future(send_many(box, session_id))
    seen: list[int] = []
    while len(seen) < 41:
        since = seen[-1] if seen else 0
        seen += numbers((await box.progress(session_id, f"?since={since}&wait=30"))["events"])
    await sending
    assert seen == list(range(1, 42))


async def send_many(box: Box, session_id: str) -> None:
    for number in range(20):
        await box.send_form([file_part(f"{number}.mp4", movie(5))], f"?sessionId={session_id}")
    await box.post(f"/api/upload/complete/{session_id}")


@on_the_loop
async def test_the_language_of_events_is_the_stations_and_that_of_answers_the_clients(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    answer = await box.put(session_id, "a.exe", b"12345", "?lang=en")
    assert answer.json()["message"] == "This kind of file is not accepted."
    (file,) = (await box.progress(session_id, "?lang=en"))["files"]
    assert file["error"]["message"] == "不支持这种文件格式"


@on_the_loop
async def test_an_unknown_session_has_no_progress(box: Box) -> None:
    answer = await box.get(f"/api/upload/progress/{UNKNOWN}?since=0&wait=30")
    assert (answer.status, answer.code) == (404, "SESSION_NOT_FOUND")


@on_the_loop
async def test_news_leaves_the_hub_however_the_waiting_ends() -> None:
    hub = Hub()
    for end in ("told", "left", "time"):
        news = News(hub, "s")
        if end == "told":
            hub.publish("s", Message("{}", "upload-progress", 0))
        elif end == "left":
            news.leave()
        await news.wait(0.01 if end == "time" else 3600)
        assert not list(hub.watchers())
