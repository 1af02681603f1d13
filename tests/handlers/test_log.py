"""The access log: one line a request, and nothing in it that opens a session or tells where files lie."""

from __future__ import annotations

import logging

import pytest

from tests.handlers.site import Box, file_part, movie, on_the_loop


@on_the_loop
async def test_no_line_of_any_log_holds_a_session_a_file_or_a_place(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    opened = (await box.post("/api/upload/session", {"files": [{"name": "holiday.mp4", "size": 9000}]})).json()
    session_id, file_id = opened["sessionId"], opened["files"][0]["fileId"]
    watcher = await box.watch(f"?sessionId={session_id}")
    watcher.say("join-session", {"sessionId": session_id, "lastSeq": -1})
    broken = await box.begin_put(session_id, "holiday.mp4", 9000, movie(8999), f"?fileId={file_id}")
    await watcher.until("upload-started")
    await broken.reset()
    await watcher.until("upload-failed")
    for address in (f"progress/{session_id}?since=x", f"events/{session_id}?lastSeq=0&x=", f"file/{file_id}"):
        line = await box.connect()
        line.begin("GET", f"/api/upload/{address}")
        await line.head()
        await line.close()
    await box.get(f"/s/{session_id}")
    await box.send_form([file_part("holiday.mp4", b"<html>")], f"?sessionId={session_id}")
    await box.ask("FETCH", f"/api/upload/progress/{session_id}")
    await box.post(f"/api/upload/cancel/{session_id}")
    await watcher.to_end()
    lines = [record.getMessage() for record in caplog.records]
    assert any("EventStream 200" in line for line in lines)
    assert any(line.startswith("FETCH Polling 405") for line in lines)
    for secret in (session_id, file_id, "holiday", str(box.station.storage.root)):
        assert [line for line in lines if secret in line] == []


@on_the_loop
async def test_a_line_tells_method_kind_status_time_and_request(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer = await box.get("/health")
    (record,) = [record for record in caplog.records if record.name == "upload_station.access"]
    words = record.getMessage().split()
    assert words[:3] == ["GET", "Health", "200"]
    assert words[3].removesuffix("ms").isdigit()
    assert words[4] == answer.headers["X-Request-Id"]


@on_the_loop
async def test_a_strange_method_does_not_write_into_the_log(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for method in ("X" * 200, "A'B", "A|B"):
        await box.ask(method, "/health")
    lines = [record.getMessage() for record in caplog.records if record.name == "upload_station.access"]
    assert [line.split()[0] for line in lines] == ["?"] * 3


@on_the_loop
async def test_what_pages_ask_all_the_time_is_no_news_unless_it_fails(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await box.get("/static/js/main.js")
    await box.get("/static/js/nothing.js")
    opened = (await box.post("/api/upload/session", {"autoComplete": False})).json()
    await box.post(f"/api/upload/handover/{opened['sessionId']}")
    lines = [record.getMessage() for record in caplog.records if record.name == "upload_station.access"]
    assert [line.split()[1:3] for line in lines] == [["Static", "404"], ["OpenSession", "201"]]
