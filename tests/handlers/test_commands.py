"""What a client may say over the socket: each command, and each way of getting it wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.commands import Command
from station.errors import Refused
from tests.handlers.site import UNKNOWN, Box, movie, names, on_the_loop

TWO = [{"name": "a.mp4", "size": 50_000}, {"name": "b.mp4", "size": 7}]


@on_the_loop
async def test_a_session_is_joined_by_an_object_or_by_its_bare_id(box: Box) -> None:
    session_id = await box.open(files=TWO)
    for data in ({"sessionId": session_id}, session_id, {"sessionId": session_id, "lastSeq": None, "epoch": None}):
        watcher = await box.watch()
        watcher.say("join-session", data)
        joined = await watcher.until("session-joined")
        assert joined["sessionId"] == session_id
        assert (joined["seq"], joined["currentSeq"]) == (0, 0)
        assert [file["originalName"] for file in joined["files"]] == ["a.mp4", "b.mp4"]
        assert "resync" not in joined


@on_the_loop
async def test_one_socket_joins_several_sessions_and_leaves_one(box: Box) -> None:
    one, two = await box.open(files=TWO), await box.open(files=TWO)
    watcher = await box.watch(f"?sessionId={one}")
    watcher.say("join-session", two)
    await watcher.until("session-joined", sessionId=two)
    await box.put(one, "b.mp4", movie(7))
    await box.put(two, "b.mp4", movie(7))
    await watcher.until("upload-completed", sessionId=one)
    await watcher.until("upload-completed", sessionId=two)
    watcher.say("leave-session", {"sessionId": one})
    assert (await watcher.until("session-left"))["sessionId"] == one
    watcher.heard.clear()
    await box.post(f"/api/upload/cancel/{one}")
    await box.post(f"/api/upload/cancel/{two}")
    heard = await watcher.to_end()
    assert {message["data"]["sessionId"] for message in heard} == {two}


@on_the_loop
async def test_leaving_by_the_bare_id_and_leaving_what_was_never_joined_are_answered(box: Box) -> None:
    watcher = await box.watch()
    for data in (UNKNOWN, {"sessionId": "never"}):
        watcher.say("leave-session", data)
        await watcher.until("session-left")


@on_the_loop
async def test_joining_twice_tells_each_event_once(box: Box) -> None:
    session_id = await box.open(files=TWO)
    watcher = await box.watch(f"?sessionId={session_id}")
    watcher.say("join-session", session_id)
    await watcher.until("session-joined")
    await watcher.until("session-joined")
    await box.post(f"/api/upload/cancel/{session_id}")
    assert names(await watcher.to_end()) == ["upload-cancelled"] * 3 + ["session-completed"]


@on_the_loop
async def test_a_file_or_the_session_is_cancelled_over_the_socket(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": TWO})).json()
    session_id, file_id = opened["sessionId"], opened["files"][0]["fileId"]
    watcher = await box.watch(f"?sessionId={session_id}")
    watcher.say("upload-cancel", {"sessionId": session_id, "fileId": file_id, "reason": "changed my mind"})
    told = await watcher.until("upload-cancelled")
    assert (told["fileId"], told["reason"]) == (file_id, "changed my mind")
    watcher.say("upload-cancel", {"sessionId": session_id})
    heard = await watcher.to_end()
    assert names(heard) == ["upload-cancelled"] * 3 + ["session-completed"]
    assert heard[-1]["data"]["overallStatus"] == "cancelled"
    watcher.say("upload-cancel", {"sessionId": session_id})
    assert await watcher.error() == "SESSION_CLOSED"


@on_the_loop
async def test_whoever_knows_the_session_may_cancel_without_joining_it(box: Box) -> None:
    session_id = await box.open(files=TWO)
    watcher = await box.watch()
    watcher.say("upload-cancel", {"sessionId": session_id})
    watcher.say("join-session", session_id)
    joined = await watcher.until("session-joined")
    assert joined["overallStatus"] == "cancelled"
    assert joined["summary"]["cancelledFiles"] == 2


@on_the_loop
async def test_leaving_tells_how_far_the_session_had_come(box: Box) -> None:
    session_id = await box.open(files=TWO)
    watcher = await box.watch(f"?sessionId={session_id}")
    await box.put(session_id, "b.mp4", movie(7))
    await watcher.until("upload-completed")
    watcher.say("leave-session", session_id)
    await watcher.until("session-left")
    assert watcher.heard[-1]["seq"] == 2
    watcher.say("leave-session", UNKNOWN)
    await watcher.until("session-left")
    assert "seq" not in watcher.heard[-1], "there is nothing to number"


@on_the_loop
async def test_a_file_that_waits_cannot_be_paused_or_resumed(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": TWO})).json()
    watcher = await box.watch()
    for event in ("upload-pause", "upload-resume"):
        watcher.say(event, {"sessionId": opened["sessionId"], "fileId": opened["files"][0]["fileId"]})
        error = await watcher.until("error")
        assert (error["event"], error["error"]["code"]) == (event, "NOT_RESUMABLE")


@on_the_loop
async def test_a_plain_upload_cannot_be_paused(box: Box) -> None:
    session_id = await box.open(files=TWO)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(50_000)
    line = await box.begin_put(session_id, "a.mp4", 50_000, content[:20_000])
    file_id = (await watcher.until("upload-started"))["fileId"]
    for event in ("upload-pause", "upload-resume"):
        for data in ({"sessionId": session_id, "fileId": file_id}, {"sessionId": session_id}):
            watcher.say(event, data)
            error = await watcher.until("error")
            assert (error["event"], error["error"]["code"]) == (event, "NOT_RESUMABLE")
    line.send(content[20_000:])
    assert (await line.answer()).status == 201, "the attempt to pause did no harm"


@on_the_loop
async def test_the_present_state_is_told_at_once_when_asked_for(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": TWO})).json()
    session_id, (moving, waiting) = opened["sessionId"], [file["fileId"] for file in opened["files"]]
    watcher = await box.watch(f"?sessionId={session_id}")
    await box.begin_put(session_id, "a.mp4", 50_000, movie(20_000))
    await watcher.until("upload-started")
    ask = {"sessionId": session_id, "requestUpdate": True}
    watcher.say("upload-progress", ask)
    told = await watcher.until("upload-progress", fileId=moving)
    assert told["overallStatus"] == "uploading"
    assert told["currentFile"]["id"] == moving
    assert told["totalBytes"] == 50_000
    watcher.say("upload-progress", {**ask, "fileId": waiting})
    told = await watcher.until("upload-progress", fileId=waiting)
    assert (told["progress"], told["currentFile"]["status"]) == (0, "pending")
    assert watcher.heard[-1]["seq"] == 1, "progress carries the number of the last lifecycle event"
    watcher.say("upload-progress", {**ask, "fileId": UNKNOWN})
    assert await watcher.error() == "FILE_NOT_FOUND"
    watcher.say("upload-progress", {"sessionId": session_id})
    assert await watcher.error() == "VALIDATION_ERROR"


WRONG: list[tuple[str, Any, str]] = [
    ("join-session", None, "VALIDATION_ERROR"),
    ("join-session", {}, "VALIDATION_ERROR"),
    ("join-session", [], "VALIDATION_ERROR"),
    ("join-session", 5, "VALIDATION_ERROR"),
    ("join-session", {"sessionId": 5}, "VALIDATION_ERROR"),
    ("join-session", {"sessionId": UNKNOWN, "lastSeq": "1"}, "VALIDATION_ERROR"),
    ("join-session", {"sessionId": UNKNOWN, "lastSeq": -1}, "VALIDATION_ERROR"),
    ("join-session", {"sessionId": UNKNOWN, "lastSeq": 1.5}, "VALIDATION_ERROR"),
    ("join-session", {"sessionId": UNKNOWN, "lastSeq": True}, "VALIDATION_ERROR"),
    ("join-session", {"sessionId": UNKNOWN, "epoch": 7}, "VALIDATION_ERROR"),
    ("join-session", UNKNOWN, "SESSION_NOT_FOUND"),
    ("join-session", "", "SESSION_NOT_FOUND"),
    ("join-session", "x" * 50_000, "SESSION_NOT_FOUND"),
    ("join-session", "\ud800", "SESSION_NOT_FOUND"),
    ("join-session", {"sessionId": "\u0000"}, "SESSION_NOT_FOUND"),
    ("leave-session", {}, "VALIDATION_ERROR"),
    ("leave-session", 7, "VALIDATION_ERROR"),
    ("upload-cancel", {}, "VALIDATION_ERROR"),
    ("upload-cancel", UNKNOWN, "VALIDATION_ERROR"),
    ("upload-cancel", {"sessionId": UNKNOWN}, "SESSION_NOT_FOUND"),
    ("upload-cancel", {"sessionId": UNKNOWN, "fileId": 5}, "VALIDATION_ERROR"),
    ("upload-cancel", {"sessionId": UNKNOWN, "reason": {}}, "VALIDATION_ERROR"),
    ("upload-pause", {"sessionId": UNKNOWN}, "SESSION_NOT_FOUND"),
    ("upload-resume", None, "VALIDATION_ERROR"),
    ("upload-progress", {"sessionId": UNKNOWN, "requestUpdate": True}, "SESSION_NOT_FOUND"),
    ("upload-progress", {"sessionId": UNKNOWN, "requestUpdate": 1}, "VALIDATION_ERROR"),
    ("upload-started", {"sessionId": UNKNOWN}, "VALIDATION_ERROR"),
    ("upload-completed", {}, "VALIDATION_ERROR"),
    ("", {}, "VALIDATION_ERROR"),
    ("__class__", {}, "VALIDATION_ERROR"),
    ("\ud800", {}, "VALIDATION_ERROR"),
    ("e" * 60_000, {}, "VALIDATION_ERROR"),
]


@pytest.mark.parametrize(("event", "data", "code"), WRONG, ids=lambda value: ascii(value)[:50])
@on_the_loop
async def test_a_command_that_is_wrong_gets_an_error_and_the_socket_lives_on(
    box: Box, event: str, data: Any, code: str
) -> None:
    session_id = await box.open(files=TWO)
    watcher = await box.watch()
    watcher.say_text(json.dumps({"event": event, "data": data}))
    told = await watcher.until("error")
    assert list(told) == ["event", "error", "timestamp"]
    assert told["error"]["code"] == code
    assert "message" in told["error"]
    watcher.say("join-session", session_id)
    await watcher.until("session-joined")


@on_the_loop
async def test_a_session_that_surrogates_were_put_into_can_be_left(box: Box) -> None:
    watcher = await box.watch()
    watcher.say_text('{"event":"leave-session","data":"\\ud800"}')
    message = await watcher.next()
    assert message is not None
    assert message["event"] in {"session-left", "error"}


def test_the_table_has_exactly_the_commands_of_the_contract() -> None:
    assert set(Command.TABLE) == {
        "join-session",
        "leave-session",
        "upload-cancel",
        "upload-pause",
        "upload-resume",
        "upload-progress",
        "join-monitor",
        "leave-monitor",
    }
    with pytest.raises(Refused):
        Command.named("TABLE")
