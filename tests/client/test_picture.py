"""What messages add up to."""

from __future__ import annotations

import asyncio
from typing import Any

from client.picture import Picture

FILE = "file-1"


def told(event: str, seq: int, **data: Any) -> dict[str, Any]:
    return {"event": event, "seq": seq, "data": {"sessionId": "s", "fileId": FILE, **data}}


def joined(current: int, **file: Any) -> dict[str, Any]:
    entry = {"id": FILE, "originalName": "a.mp4", "status": "pending", "uploadedBytes": 0, "totalBytes": 10, **file}
    data = {"files": [entry], "overallStatus": "uploading", "currentSeq": current}
    return {"event": "session-joined", "seq": current, "data": data}


def test_a_file_goes_its_way() -> None:
    picture = Picture()
    picture.take(joined(0))
    file = picture.file(FILE)
    assert (file.status, file.name, file.size, picture.status) == ("pending", "a.mp4", 10, "uploading")
    picture.take(told("upload-started", 1))
    picture.take(
        told("upload-progress", 1, uploadedBytes=4, overallStatus="uploading", currentFile={"status": "uploading"})
    )
    assert (file.status, file.stored) == ("uploading", 4)
    picture.take(told("upload-failed", 2, error={"code": "NETWORK_ERROR"}, canRetry=True, uploadedBytes=4))
    assert (file.status, file.is_over) == ("failed", False)
    picture.take(told("upload-started", 3, resumedFrom=4))
    assert (file.status, file.stored) == ("uploading", 4)
    sum_ = {"algorithm": "blake3", "value": "ab"}
    picture.take(told("upload-completed", 4, fileSize=10, uploadPath="/upload/x", checksum=sum_))
    assert (file.status, file.stored, file.path, file.is_over) == ("completed", 10, "/upload/x", True)
    assert file.checksum == ("blake3", "ab")


def test_history_does_not_set_back_what_the_snapshot_tells() -> None:
    picture = Picture()
    picture.take(joined(3, status="completed", uploadedBytes=10, uploadPath="/upload/x"))
    picture.take(told("upload-failed", 2, error={"code": "NETWORK_ERROR"}, canRetry=False))
    assert picture.file(FILE).status == "completed"
    picture.take(told("upload-completed", 3, checksum={"algorithm": "blake3", "value": "ab"}))
    assert picture.file(FILE).checksum == ("blake3", "ab"), "only events tell it"


def test_what_was_wrong_before_is_not_why_a_snapshot_says_cancelled() -> None:
    picture = Picture()
    picture.take(told("upload-failed", 1, error={"code": "NETWORK_ERROR"}, canRetry=True))
    picture.take(told("upload-started", 2))
    picture.take(joined(0, status="cancelled"))
    problem = picture.file(FILE).problem
    assert problem is not None
    assert problem.code == "UPLOAD_CANCELLED"


def test_a_cancelled_file_and_one_that_cannot_be_tried_again_are_over() -> None:
    for message in (
        told("upload-cancelled", 1, reason="user"),
        told("upload-failed", 1, error={"code": "REJECTED", "message": "No."}, canRetry=False),
    ):
        picture = Picture()
        picture.take(message)
        assert picture.file(FILE).is_over
        assert picture.file(FILE).problem is not None


def test_pauses_are_counted_when_they_begin() -> None:
    picture = Picture()
    for status in ("uploading", "paused", "paused", "uploading", "paused"):
        picture.take(told("upload-progress", 1, uploadedBytes=1, currentFile={"status": status}))
    assert picture.file(FILE).pauses == 2


def test_whoever_waits_is_woken_by_the_message_that_makes_it_so() -> None:
    async def play() -> None:
        picture = Picture()
        async with asyncio.TaskGroup() as group:
            group.create_task(picture.until(lambda: picture.file(FILE).status == "completed"))
            await asyncio.sleep(0)
            picture.take(told("upload-started", 1))
            picture.take(told("upload-completed", 2))

    asyncio.run(asyncio.wait_for(play(), 5))


def test_fields_that_are_missing_or_new_break_nothing() -> None:
    picture = Picture()
    for message in (
        {"event": "session-joined", "data": {}},
        {"event": "upload-failed", "seq": 1, "data": {"fileId": FILE, "error": "text"}},
        {"event": "upload-progress", "data": {"fileId": None, "overallStatus": "failed"}},
        {"event": "of-the-future", "data": {"fileId": FILE, "status": "strange"}},
    ):
        picture.take(message)
    assert picture.status == "failed"


def test_what_it_failed_on_is_known_also_while_it_is_tried_again() -> None:
    picture = Picture()
    picture.take(joined(2, error={"code": "SERVER_ERROR", "details": "no checker"}))
    picture.take(told("upload-started", 3, resumedFrom=10))
    picture.take(joined(3))
    problem = picture.file(FILE).problem
    assert problem is not None
    assert problem.details == "no checker"
