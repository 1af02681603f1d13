"""The access log: one line a request, and nothing in it that opens a session or tells where files lie."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from handlers.base import Base, verb
from handlers.log import attend, say_started
from station.flood import FEW, Flood
from station.lines import Json
from station.reporting import say, short
from station.tries import BY_ONE
from station.wire import loads
from tests.handlers.site import Box, file_part, movie, on_the_loop, until


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
    lines = [Json().format(record) for record in caplog.records]
    assert any("EventStream 200" in line for line in lines)
    assert any('"FETCH Polling 405"' in line for line in lines)
    for secret in (session_id, file_id, "holiday", str(box.station.storage.root)):
        assert [line for line in lines if secret in line] == []


@on_the_loop
async def test_a_line_tells_method_kind_status_time_and_request(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer = await box.get("/api/upload/session")
    (record,) = [record for record in caplog.records if record.name == "upload_station.access"]
    line = loads(Json().format(record))
    assert line["message"] == "GET OpenSession 405"
    assert (line["event"], line["code"]) == ("request", "METHOD_NOT_ALLOWED")
    assert line["ms"] >= 0
    assert line["request"] == answer.headers["X-Request-Id"]
    assert "peer" not in line
    assert "about" not in line


@on_the_loop
async def test_a_strange_method_does_not_write_into_the_log(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for method in ("X" * 200, "A'B", "A|B"):
        await box.ask(method, "/s/x")
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


def access_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [loads(Json().format(record)) for record in caplog.records if record.name == "upload_station.access"]


@on_the_loop
async def test_a_line_names_what_it_is_about_as_the_lines_of_the_session_do(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    session_id = (await box.post("/api/upload/session", {"autoComplete": False})).json()["sessionId"]
    await box.get(f"/api/upload/progress/{session_id}")
    assert access_lines(caplog)[-1]["about"] == short(session_id)
    (opened,) = [loads(Json().format(record)) for record in caplog.records if record.name == "upload_station.uploads"]
    assert (opened["event"], opened["session"]) == ("session-opened", short(session_id))


@pytest.mark.parametrize("options", [["--upload-pin=2468"]])
@on_the_loop
async def test_who_guesses_is_named_and_what_was_guessed_is_not(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await box.post("/api/upload/pin", {"pin": "135790"})
    await box.ask("DELETE", "/api/upload/file/x", headers={"Authorization": "Bearer 135790"})
    await box.get("/j/135790")
    await box.get("/monitor")  # somebody who is not logged in is no guesser
    lines = [loads(Json().format(record)) for record in caplog.records if record.name.startswith("upload_station")]
    assert [(line["event"], line["peer"]) for line in lines if "peer" in line] == [("guess", "127.0.0.1")] * 3
    assert "135790" not in str(lines)


@pytest.mark.parametrize("options", [["--upload-pin=2468"]])
@on_the_loop
async def test_who_guessed_too_often_is_named_with_the_request(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(BY_ONE):
        await box.post("/api/upload/pin", {"pin": "135790"})
    caplog.set_level(logging.INFO)
    caplog.clear()
    assert (await box.post("/api/upload/pin", {"pin": "135790"})).status == 429
    assert [line["peer"] for line in access_lines(caplog)] == ["127.0.0.1"]


@pytest.mark.parametrize("options", [["--upload-pin=246810"]])
@on_the_loop
async def test_a_flood_of_requests_does_not_hide_who_guesses(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    flood = Flood()
    for kind in range(20):
        for _ in range(FEW):
            say(logging.getLogger("upload_station.access"), logging.INFO, "request", "GET", kind=str(kind))
    await box.post("/api/upload/pin", {"pin": "135790"})
    await box.ask("DELETE", "/api/upload/file/x", headers={"Authorization": "Bearer 135790"})
    await box.get("/j/135790")
    await (await box.watch(headers={"Authorization": "Bearer 135790"})).close()
    written = [loads(Json().format(record)) for record in caplog.records if flood.admits(record, 0.0)]
    guesses = [(line["message"], line["peer"]) for line in written if line["event"] == "guess"]
    assert guesses == [(f"a wrong {what}", "127.0.0.1") for what in ("PIN", "token", "code", "token")]


class Deep(Base):
    @verb
    async def get(self) -> None:
        logging.getLogger("upload_station.somewhere").warning("something, deep down")


@on_the_loop
async def test_what_is_logged_deeper_bears_the_id_of_the_request_that_is_served(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    seen = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(loads(Json().format(record)).get("request"))

    box.site.add_handlers(".*", [("/deep", Deep, {"station": box.station})])
    listening = Listening()
    logging.getLogger("upload_station.somewhere").addHandler(listening)
    try:
        line = await box.connect()
        answers = [await line.ask("GET", "/deep") for _ in range(2)]  # on one connection
        answers.append(await box.get("/deep"))
    finally:
        logging.getLogger("upload_station.somewhere").removeHandler(listening)
    assert seen == [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(seen)) == 3


@on_the_loop
async def test_the_log_hears_what_becomes_of_files_and_of_the_room(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    attend(box.station)
    say_started(box.station, "1.2.3", 8005)
    await box.ask("PUT", "/u/a.mp4", movie(100))
    said = [loads(Json().format(record)) for record in caplog.records if record.name != "upload_station.access"]
    assert [line["event"] for line in said] == ["started", "session-opened", "upload-completed", "session-completed"]
    assert (said[0]["version"], said[0]["port"], said[0]["sessions"]) == ("1.2.3", 8005, 0)
    assert said[2]["size"] == 100


@pytest.mark.parametrize("options", [["--min-free-space=1000TiB"]])
@on_the_loop
async def test_too_little_room_is_found_without_anybody_asking(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    attend(box.station)
    await until(lambda: any(getattr(record, "event", "") == "disk-low" for record in caplog.records), "it was said")
