"""Opening, validating, cancelling and completing sessions over HTTP: every check, and the answers' exact shapes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from station.errors import ERRORS
from tests.handlers.site import UNKNOWN, Box, Json, movie, names, on_the_loop

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
TWO = [{"name": "a.mp4", "size": 5}, {"name": "b.mp4", "size": 7, "type": "video/mp4"}]


@on_the_loop
async def test_the_configuration_tells_what_a_client_needs(box: Box) -> None:
    answer = await box.get("/api/upload/config")
    config = answer.json()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert config["categories"] == ["personal", "scenic"]
    assert "mp4" in {each.lstrip(".") for each in config["allowedTypes"]}
    assert config["transports"] == ["websocket", "sse", "polling"]
    for name, value in {
        "maxFiles": 1000,
        "maxFileSize": 8 * 1024**2,
        "maxRetries": 3,
        "retryGrace": 30,
        "progressInterval": 0.5,
        "progressStep": 1,
        "progressMaxSilence": 2,
        "language": "zh-CN",
        "contact": "",
        "pinRequired": False,
        "checksum": "blake3",
        "uploadExpiry": 86_400,
        "kioskIdle": 90,
    }.items():
        assert config[name] == value, name


# ---- opening ----


@on_the_loop
async def test_opening_answers_as_the_contract_says(box: Box) -> None:
    answer = await box.post("/api/upload/session", {"category": "scenic"})
    opened = answer.json()
    assert answer.status == 201
    assert list(opened) == [
        "sessionId", "category", "uploadPath", "maxFiles", "allowedTypes", "maxFileSize", "createdAt", "timestamp"
    ]  # fmt: skip
    assert re.fullmatch(UUID4, opened["sessionId"])
    assert (opened["category"], opened["uploadPath"]) == ("scenic", "/upload/scenic")
    assert (opened["maxFiles"], opened["maxFileSize"]) == (1000, 8 * 1024**2)
    assert re.fullmatch(STAMP, opened["createdAt"])
    assert re.fullmatch(STAMP, opened["timestamp"])


@on_the_loop
async def test_files_that_are_announced_get_their_ids_at_once(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": TWO})).json()
    ids = [file["fileId"] for file in opened["files"]]
    assert all(re.fullmatch(UUID4, id) for id in ids)
    assert len({*ids, opened["sessionId"]}) == 3
    session = box.session(opened["sessionId"])
    assert session.terms.expected == 2
    snapshot = await box.progress(opened["sessionId"])
    assert [(file["id"], file["originalName"], file["totalBytes"], file["status"]) for file in snapshot["files"]] == [
        (ids[0], "a.mp4", 5, "pending"),
        (ids[1], "b.mp4", 7, "pending"),
    ]
    assert (snapshot["overallStatus"], snapshot["seq"], snapshot["totalProgress"]) == ("pending", 0, 0)


@on_the_loop
async def test_a_name_with_half_a_character_in_it_is_taken(box: Box) -> None:
    opened = await box.post("/api/upload/session", {"files": [{"name": "\ud83d\ude00 \udc00.mp4", "size": 5}]})
    assert opened.status == 201
    assert opened.json()["files"][0]["name"] == "😀 ?.mp4"


@on_the_loop
async def test_more_may_be_expected_than_is_announced(box: Box) -> None:
    session_id = await box.open(files=TWO, expectedFiles=3)
    assert box.session(session_id).terms.expected == 3


@on_the_loop
async def test_the_first_category_is_the_standard_one(box: Box) -> None:
    bodies: list[Json | None] = [{}, {"category": None}, None]
    for body in bodies:
        answer = await box.post("/api/upload/session", body)
        assert answer.json()["category"] == "personal"


@on_the_loop
async def test_ids_do_not_repeat(box: Box) -> None:
    assert len({await box.open() for _ in range(100)}) == 100


BAD: list[tuple[Any, str, int]] = [
    ({"category": "secret"}, "VALIDATION_ERROR", 400),
    ({"category": "../etc"}, "VALIDATION_ERROR", 400),
    ({"category": ""}, "VALIDATION_ERROR", 400),
    ({"category": ".station"}, "VALIDATION_ERROR", 400),
    ({"category": 1}, "VALIDATION_ERROR", 400),
    ({"category": ["personal"]}, "VALIDATION_ERROR", 400),
    ({"expectedFiles": 0}, "VALIDATION_ERROR", 400),
    ({"expectedFiles": -1}, "VALIDATION_ERROR", 400),
    ({"expectedFiles": 1.5}, "VALIDATION_ERROR", 400),
    ({"expectedFiles": True}, "VALIDATION_ERROR", 400),
    ({"expectedFiles": "3"}, "VALIDATION_ERROR", 400),
    ({"expectedFiles": 10**30}, "VALIDATION_ERROR", 400),
    ({"expectedFiles": 1001}, "TOO_MANY_FILES", 400),
    ({"autoComplete": "no"}, "VALIDATION_ERROR", 400),
    ({"autoComplete": 0}, "VALIDATION_ERROR", 400),
    ({"files": {}}, "VALIDATION_ERROR", 400),
    ({"files": "a.mp4"}, "VALIDATION_ERROR", 400),
    ({"files": [1]}, "VALIDATION_ERROR", 400),
    ({"files": [{}]}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": ""}]}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": "  "}]}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": 5}]}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": "a.mp4", "size": -1}]}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": "a.mp4", "size": 1.5}]}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": "a.mp4", "size": "5"}]}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": "a.mp4", "size": True}]}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": "a.mp4", "size": 10**40}]}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": "a.exe", "size": 1}]}, "UNSUPPORTED_FORMAT", 415),
    ({"files": [{"name": "\ud800.exe", "size": 1}]}, "UNSUPPORTED_FORMAT", 415),
    ({"category": "\udfff"}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": "a.mp4", "size": 9 * 1024**2}]}, "FILE_SIZE_EXCEEDED", 413),
    ({"files": TWO, "expectedFiles": 1}, "VALIDATION_ERROR", 400),
    ({"files": [{"name": "a.mp4", "size": 1}] * 1001}, "TOO_MANY_FILES", 400),
    ([], "VALIDATION_ERROR", 400),
    ("x", "VALIDATION_ERROR", 400),
]


@pytest.mark.parametrize(("body", "code", "status"), BAD, ids=lambda value: str(value)[:60])
@on_the_loop
async def test_a_wrong_wish_opens_nothing(box: Box, body: Any, code: str, status: int) -> None:
    answer = await box.post("/api/upload/session", body)
    assert (answer.status, answer.code) == (status, code)
    assert box.station.channels == {}


@pytest.mark.parametrize("options", [["--max-sessions=2"]])
@on_the_loop
async def test_too_many_sessions_are_told_to_come_back(box: Box) -> None:
    await box.open()
    await box.open()
    answer = await box.post("/api/upload/session", {})
    assert (answer.status, answer.code) == (503, "TOO_MANY_CONNECTIONS")
    assert int(answer.headers["Retry-After"]) > 0


# ---- validating ----


@on_the_loop
async def test_validating_judges_each_file_and_starts_nothing(box: Box) -> None:
    files = [
        {"name": "a.mp4", "size": 5, "type": "video/mp4"},
        {"name": "virus.exe", "size": 5},
        {"name": "big.mp4", "size": 10**10},
        {"name": "empty.mp4", "size": 0},
        {"size": 5},
        7,
    ]
    answer = (await box.post("/api/upload/validate", {"files": files})).json()
    assert list(answer) == ["valid", "files", "timestamp"]
    assert answer["valid"] is False
    assert [file["index"] for file in answer["files"]] == [0, 1, 2, 3, 4, 5]
    codes = [[error["code"] for error in file["errors"]] for file in answer["files"]]
    assert codes == [
        [],
        ["UNSUPPORTED_FORMAT"],
        ["FILE_SIZE_EXCEEDED"],
        [],
        ["VALIDATION_ERROR"],
        ["VALIDATION_ERROR"],
    ]
    assert [file["valid"] for file in answer["files"]] == [not each for each in codes]
    assert answer["files"][1]["errors"][0]["message"] == ERRORS["UNSUPPORTED_FORMAT"].zh[0]
    assert re.fullmatch(STAMP, answer["timestamp"])
    assert box.station.channels == {}


@on_the_loop
async def test_validating_only_good_files_is_valid(box: Box) -> None:
    assert (await box.post("/api/upload/validate", {"files": TWO})).json()["valid"] is True


@on_the_loop
async def test_validating_nothing_or_too_much_is_an_error(box: Box) -> None:
    wrong: list[tuple[Json | None, str]] = [
        ({"files": []}, "NO_FILES"),
        ({}, "NO_FILES"),
        (None, "NO_FILES"),
        ({"files": "x"}, "VALIDATION_ERROR"),
        ({"files": TWO * 501}, "TOO_MANY_FILES"),
    ]
    for body, code in wrong:
        answer = await box.post("/api/upload/validate", body)
        assert (answer.status, answer.code) == (400, code)


# ---- cancelling ----


@on_the_loop
async def test_cancelling_a_session_cancels_what_is_unfinished_and_keeps_what_is_stored(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": TWO})).json()
    session_id = opened["sessionId"]
    assert (await box.put(session_id, "a.mp4", movie(5))).status == 201
    answer = await box.post(f"/api/upload/cancel/{session_id}", {"reason": "went home"})
    assert answer.status == 200
    cancelled = answer.json()
    assert list(cancelled) == ["success", "sessionId", "cancelledFiles", "message", "timestamp"]
    assert (cancelled["success"], cancelled["sessionId"], cancelled["cancelledFiles"]) == (True, session_id, 1)
    snapshot = await box.progress(session_id, "?since=0")
    assert snapshot["overallStatus"] == "cancelled"
    assert names(snapshot["events"]) == [
        "upload-started",
        "upload-completed",
        "upload-cancelled",
        "upload-cancelled",
        "session-completed",
    ]
    one, whole, settled = [event["data"] for event in snapshot["events"][2:]]
    assert (one["fileId"], one["reason"], one["uploadedBytes"]) == (opened["files"][1]["fileId"], "went home", 0)
    assert "fileId" not in whole
    assert (whole["reason"], whole["uploadedBytes"]) == ("went home", 5)
    assert (settled["summary"]["completedFiles"], settled["summary"]["cancelledFiles"]) == (1, 1)
    assert len(box.visible()) == 1


@on_the_loop
async def test_cancelling_one_file_leaves_the_others(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": TWO})).json()
    session_id, (first, second) = opened["sessionId"], [file["fileId"] for file in opened["files"]]
    answer = await box.post(f"/api/upload/cancel/{session_id}", {"fileId": first})
    assert answer.json()["cancelledFiles"] == 1
    again = await box.post(f"/api/upload/cancel/{session_id}", {"fileId": first})
    assert (again.status, again.json()["cancelledFiles"]) == (200, 0)
    refused = await box.put(session_id, "a.mp4", movie(5), f"?fileId={first}")
    assert (refused.status, refused.code) == (409, "UPLOAD_CANCELLED")
    assert (await box.put(session_id, "b.mp4", movie(7), f"?fileId={second}")).status == 201
    assert (await box.progress(session_id))["overallStatus"] == "completed"


@on_the_loop
async def test_a_stored_file_cannot_be_cancelled(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": TWO})).json()
    session_id, file_id = opened["sessionId"], opened["files"][0]["fileId"]
    await box.put(session_id, "a.mp4", movie(5))
    answer = await box.post(f"/api/upload/cancel/{session_id}", {"fileId": file_id})
    assert (answer.status, answer.code) == (409, "UPLOAD_ALREADY_COMPLETED")
    assert len(box.visible()) == 1


@on_the_loop
async def test_a_cancel_in_the_middle_of_an_upload_ends_it(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.begin_put(session_id, "a.mp4", 100_000, movie(50_000))
    await watcher.until("upload-started")
    assert (await box.post(f"/api/upload/cancel/{session_id}")).json()["cancelledFiles"] == 1
    heard = await watcher.to_end()
    assert names(heard) == ["upload-started", "upload-cancelled", "upload-cancelled", "session-completed"]
    line.send(bytes(50_000))
    answer = await line.answer()
    assert (answer.status, answer.code) == (409, "UPLOAD_CANCELLED")
    assert box.visible() == []


@pytest.mark.parametrize(
    "body", [{"reason": 5}, {"reason": "a\nb"}, {"fileId": 5}, {"reason": ["x"]}, [], {"reason": "\u202e"}]
)
@on_the_loop
async def test_a_cancel_that_is_not_understood_cancels_nothing(box: Box, body: Any) -> None:
    session_id = await box.open(files=TWO)
    answer = await box.post(f"/api/upload/cancel/{session_id}", body)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert box.session(session_id).takes_files


@on_the_loop
async def test_a_reason_is_kept_within_bounds(box: Box) -> None:
    session_id = await box.open(files=TWO)
    await box.post(f"/api/upload/cancel/{session_id}", {"reason": "语" * 5000})
    events = (await box.progress(session_id, "?since=0"))["events"]
    assert events[0]["data"]["reason"] == "语" * 200


# ---- completing ----


@on_the_loop
async def test_completing_cancels_what_waits_and_settles(box: Box) -> None:
    session_id = await box.open(files=TWO)
    await box.put(session_id, "a.mp4", movie(5))
    answer = await box.post(f"/api/upload/complete/{session_id}")
    assert answer.status == 200
    assert answer.json()["cancelledFiles"] == 1
    snapshot = await box.progress(session_id, "?since=0")
    assert snapshot["overallStatus"] == "completed"
    assert names(snapshot["events"])[2:] == ["upload-cancelled", "session-completed"]
    assert snapshot["events"][2]["data"]["reason"] == "session-completed"


@on_the_loop
async def test_completing_lets_what_is_being_sent_go_on(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(50_000)
    line = await box.begin_put(session_id, "a.mp4", len(content), content[:20_000])
    await watcher.until("upload-started")
    assert (await box.post(f"/api/upload/complete/{session_id}")).json()["cancelledFiles"] == 0
    refused = await box.put(session_id, "b.mp4", movie(5))
    assert (refused.status, refused.code) == (409, "SESSION_CLOSED")
    line.send(content[20_000:])
    assert (await line.answer()).status == 201
    heard = await watcher.to_end()
    assert names(heard) == ["upload-started", "upload-completed", "session-completed"]


@on_the_loop
async def test_a_settled_session_takes_nothing_more_and_stays_readable(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    await box.put(session_id, "a.mp4", movie(5))
    for answer in (
        await box.put(session_id, "b.mp4", movie(5)),
        await box.post(f"/api/upload/cancel/{session_id}"),
        await box.post(f"/api/upload/complete/{session_id}"),
    ):
        assert (answer.status, answer.code) == (409, "SESSION_CLOSED")
    snapshot = await box.progress(session_id)
    assert snapshot["summary"]["completedFiles"] == 1


@on_the_loop
async def test_an_empty_session_that_is_completed_or_cancelled_ends_as_cancelled(box: Box) -> None:
    for verb in ("complete", "cancel"):
        session_id = await box.open()
        assert (await box.post(f"/api/upload/{verb}/{session_id}")).status == 200
        snapshot = await box.progress(session_id)
        assert snapshot["overallStatus"] == "cancelled"
        assert snapshot["summary"]["totalFiles"] == 0


@on_the_loop
async def test_unknown_sessions_are_not_found(box: Box) -> None:
    for verb in ("complete", "cancel"):
        answer = await box.post(f"/api/upload/{verb}/{UNKNOWN}")
        assert (answer.status, answer.code) == (404, "SESSION_NOT_FOUND")


# ---- settling as time passes ----


@on_the_loop
async def test_a_session_of_unknown_length_settles_a_moment_after_its_last_upload(box: Box) -> None:
    box.clock.stop()
    session_id = await box.open()
    await box.put(session_id, "a.mp4", movie(5))
    box.pass_time(1)
    await box.put(session_id, "b.mp4", movie(5))
    box.pass_time(1)
    assert (await box.progress(session_id))["overallStatus"] == "uploading"
    watcher = await box.watch(f"?sessionId={session_id}")
    await watcher.until("session-joined")
    box.pass_time(2)
    await watcher.to_end()
    assert (await box.progress(session_id))["summary"]["completedFiles"] == 2


@on_the_loop
async def test_a_session_in_which_nothing_happens_ends(box: Box) -> None:
    session_id = await box.open(files=TWO)
    watcher = await box.watch(f"?sessionId={session_id}")
    await watcher.until("session-joined")
    box.pass_time(1801)
    heard = await watcher.to_end()
    assert names(heard) == ["upload-cancelled", "upload-cancelled", "session-completed"]
    assert heard[1]["data"]["reason"] == "session-timeout"


# ---- pausing ----


@on_the_loop
async def test_a_resumable_file_is_paused_and_resumed_as_over_the_socket(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(50_000)
    path = await box.create(50_000, session_id)
    line = await box.begin_add(path, 0, 50_000, content[:20_000])
    file_id = (await watcher.until("upload-started"))["fileId"]
    for body in ({"fileId": file_id}, {}):
        answer = await box.post(f"/api/upload/pause/{session_id}", body)
        assert answer.status == 200
        assert list(answer.json()) == ["success", "sessionId", "timestamp"]
        assert (answer.json()["success"], answer.json()["sessionId"]) == (True, session_id)
        await watcher.until("upload-progress", overallStatus="paused")
        answer = await box.post(f"/api/upload/resume/{session_id}", body)
        assert (answer.status, answer.json()["success"]) == (200, True)
        await watcher.until("upload-progress", overallStatus="uploading")
    assert (await line.answer()).status == 204
    offset = await box.offset(path)
    assert (await box.add(path, offset, content[offset:])).status == 204
    assert (await watcher.to_end())[-1]["data"]["overallStatus"] == "completed"


@pytest.mark.parametrize("verb", ["pause", "resume"])
@on_the_loop
async def test_what_cannot_rest_is_told_so(box: Box, verb: str) -> None:
    opened = (await box.post("/api/upload/session", {"files": TWO})).json()
    session_id, file_id = opened["sessionId"], opened["files"][0]["fileId"]
    calls: list[tuple[str, Any, str, int]] = [
        (session_id, {"fileId": file_id}, "NOT_RESUMABLE", 409),
        (session_id, {"fileId": UNKNOWN}, "FILE_NOT_FOUND", 404),
        (session_id, {"fileId": 5}, "VALIDATION_ERROR", 400),
        (session_id, [], "VALIDATION_ERROR", 400),
        (UNKNOWN, {}, "SESSION_NOT_FOUND", 404),
        ("x", {}, "SESSION_NOT_FOUND", 404),
    ]
    for id, body, code, status in calls:
        answer = await box.post(f"/api/upload/{verb}/{id}", body)
        assert (answer.status, answer.code) == (status, code)
    await box.post(f"/api/upload/cancel/{session_id}")
    answer = await box.post(f"/api/upload/{verb}/{session_id}")
    assert (answer.status, answer.code) == (409, "SESSION_CLOSED")
