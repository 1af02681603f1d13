"""The fold of events into a picture, and what is drawn from it: snapshots and progress messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.events import LIFECYCLE, Progress
from station.file import Status
from station.picture import FOLDS, Picture
from tests.station.core import CATEGORY, EPOCH, SESSION

NOW = "2024-01-15T10:28:30.000Z"
LATER = "2024-01-15T10:30:00.000Z"
ERROR = {"code": "NETWORK_ERROR", "message": "网络连接中断"}
SUMMARY = {"totalFiles": 1}


def picture(expected: int | None = None, language: str = "zh-CN") -> Picture:
    return Picture(SESSION, CATEGORY, language, EPOCH, expected)


def tell(picture: Picture, name: str, **data: Any) -> None:
    picture.fold(name, {"sessionId": SESSION, **data}, picture.seq + 1)


def start(picture: Picture, file_id: str = "a", size: int | None = 100, attempt: int = 1, **more: Any) -> None:
    tell(
        picture,
        "upload-started",
        fileId=file_id,
        fileName=f"{file_id}.jpg",
        fileSize=size,
        startTime=NOW,
        attempt=attempt,
        targetDir="/upload/personal",
        **more,
    )


def move(
    picture: Picture,
    uploaded: int,
    progress: float,
    *,
    file_id: str = "a",
    status: str = "uploading",
    speed: float = 10,
    total: int | None = 100,
    remaining: int | None = 5,
    estimated: bool = False,
) -> None:
    picture.advance(Progress(file_id, status, progress, speed, uploaded, total, estimated, remaining, LATER))


def complete(picture: Picture, file_id: str = "a", size: int = 100) -> None:
    tell(
        picture,
        "upload-completed",
        fileId=file_id,
        fileName=f"{file_id}.jpg",
        fileSize=size,
        uploadPath=f"/upload/personal/{file_id}",
        endTime=LATER,
        duration=1.0,
        finalSpeed=100,
    )


def fail(picture: Picture, file_id: str = "a", retries: int = 0, **more: Any) -> None:
    tell(
        picture,
        "upload-failed",
        fileId=file_id,
        fileName=f"{file_id}.jpg",
        error=ERROR,
        failedAt=LATER,
        canRetry=True,
        retryCount=retries,
        maxRetries=3,
        **more,
    )


def cancel(picture: Picture, file_id: str | None = "a", uploaded: int = 0) -> None:
    data = {} if file_id is None else {"fileId": file_id}
    tell(picture, "upload-cancelled", **data, reason="user", cancelledAt=LATER, uploadedBytes=uploaded)


def settle(picture: Picture) -> None:
    tell(picture, "session-completed", summary=SUMMARY, endTime=LATER, uploadPaths=[])


# ---- the fold ----


def test_while_a_file_is_tried_again_the_attempt_that_failed_counts_as_an_earlier_one() -> None:
    seen = picture()
    start(seen)
    fail(seen, retries=0)
    assert seen.files["a"].retries == 0
    start(seen)
    assert seen.files["a"].retries == 1
    complete(seen)
    assert seen.files["a"].retries == 1


def test_there_is_a_fold_for_each_lifecycle_event() -> None:
    assert sorted(FOLDS) == sorted(event.name for event in LIFECYCLE)


def test_a_start_makes_a_file_known() -> None:
    seen = picture()
    start(seen)
    file = seen.files["a"]
    assert (file.name, file.status, file.total, file.attempt, file.uploaded) == ("a.jpg", "uploading", 100, 1, 0)
    assert (seen.seq, seen.updated) == (1, NOW)


def test_a_start_of_an_announced_file_keeps_its_place() -> None:
    seen = picture()
    seen.announce("a", "a.jpg", 100)
    seen.announce("b", "b.jpg", None)
    start(seen, "b", 7)
    start(seen, "c")
    assert list(seen.files) == ["a", "b", "c"]
    assert [file.status for file in seen.files.values()] == ["pending", "uploading", "uploading"]
    assert seen.files["b"].total == 7


def test_a_new_attempt_begins_at_nought_and_forgets_the_error() -> None:
    seen = picture()
    start(seen)
    move(seen, 60, 60.0)
    fail(seen)
    start(seen, size=200, attempt=3, estimated=True)
    file = seen.files["a"]
    assert (file.status, file.progress, file.uploaded, file.total) == ("uploading", 0, 0, 200)
    assert (file.estimated, file.error, file.speed, file.remaining) == (True, None, 0, None)


def test_a_resumed_attempt_begins_with_the_bytes_that_are_here() -> None:
    seen = picture()
    start(seen, size=160, resumedFrom=40)
    assert (seen.files["a"].uploaded, seen.files["a"].progress) == (40, 25.0)


@pytest.mark.parametrize(("size", "estimated", "progress"), [(None, False, 0.0), (40, True, 99.0), (40, False, 100.0)])
def test_a_resumed_attempt_is_as_far_as_is_known_of_the_size(
    size: int | None, estimated: bool, progress: float
) -> None:
    seen = picture()
    start(seen, size=size, estimated=estimated, resumedFrom=40)
    assert seen.files["a"].progress == progress


def test_a_failed_file_shows_how_far_it_was_though_no_progress_was_told() -> None:
    """After a restart the events are all there is: progress messages are not journalled."""
    seen = picture()
    start(seen)
    fail(seen, uploadedBytes=60)
    assert (seen.files["a"].uploaded, seen.files["a"].progress) == (60, 60.0)
    assert seen.snapshot(NOW)["files"][0]["uploadedBytes"] == 60


def test_a_failure_tells_of_bytes_that_no_progress_message_told_of() -> None:
    seen = picture()
    start(seen)
    move(seen, 60, 60.0)
    fail(seen, uploadedBytes=75)
    assert (seen.files["a"].uploaded, seen.files["a"].progress) == (75, 75.0)


def test_what_was_shown_of_a_failed_file_does_not_go_back() -> None:
    seen = picture()
    start(seen)
    move(seen, 60, 60.0)
    fail(seen, uploadedBytes=50)
    assert (seen.files["a"].uploaded, seen.files["a"].progress) == (50, 60.0)


def test_a_refused_file_has_not_come_far() -> None:
    seen = picture()
    seen.announce("a", "a.jpg", 0)
    fail(seen, uploadedBytes=0)
    assert (seen.files["a"].uploaded, seen.files["a"].progress) == (0, 0.0)


def test_a_cancelled_file_shows_how_far_it_was() -> None:
    seen = picture()
    start(seen, resumedFrom=10)
    cancel(seen, uploaded=60)
    assert (seen.files["a"].uploaded, seen.files["a"].progress) == (60, 60.0)
    move_on = picture()
    start(move_on)
    move(move_on, 70, 70.0)
    cancel(move_on, uploaded=60)
    assert move_on.files["a"].progress == 70.0


def test_a_file_that_is_resumed_after_a_failure_goes_on_where_it_was() -> None:
    seen = picture()
    start(seen)
    move(seen, 60, 60.0)
    fail(seen, uploadedBytes=60)
    start(seen, attempt=2, resumedFrom=60)
    file = seen.files["a"]
    assert (file.status, file.uploaded, file.progress, file.retries, file.error) == ("uploading", 60, 60.0, 1, None)
    move(seen, 50, 50.0)
    assert file.uploaded == 60, "older progress"


def test_a_completion_is_all_there() -> None:
    seen = picture()
    start(seen, size=5000, estimated=True)
    complete(seen, size=300)
    file = seen.files["a"]
    assert (file.status, file.progress, file.uploaded, file.total) == ("completed", 100, 300, 300)
    assert (file.path, file.estimated, file.speed, file.remaining) == ("/upload/personal/a", False, 0, None)
    assert (seen.last_file, seen.updated) == ("a", LATER)


def test_a_failure_keeps_what_had_arrived() -> None:
    seen = picture()
    start(seen)
    move(seen, 60, 60.0)
    fail(seen, retries=2)
    file = seen.files["a"]
    assert (file.status, file.progress, file.uploaded, file.error, file.retries) == ("failed", 60, 60, ERROR, 2)
    assert (file.speed, seen.last_file) == (0, "a")


def test_a_refusal_makes_a_file_known_too() -> None:
    seen = picture()
    fail(seen)
    assert (seen.files["a"].name, seen.files["a"].status, seen.files["a"].attempt) == ("a.jpg", "failed", 0)


def test_a_cancelled_file_says_how_much_had_arrived() -> None:
    seen = picture()
    start(seen)
    cancel(seen, uploaded=33)
    assert (seen.files["a"].status, seen.files["a"].uploaded, seen.last_file) == ("cancelled", 33, "a")
    assert not seen.cancelled


def test_a_file_cancelled_before_its_first_byte_was_never_told_and_counts() -> None:
    seen = picture()
    cancel(seen, "x")
    assert seen.count("cancelled") == 1
    assert seen.files["x"].name == ""


def test_a_cancelled_session_is_no_files_ending() -> None:
    seen = picture()
    start(seen)
    cancel(seen, None, 33)
    assert seen.cancelled
    assert seen.files["a"].status == "uploading"
    assert seen.updated == LATER


def test_a_fault_only_counts_as_news() -> None:
    seen = picture()
    start(seen)
    before = seen.snapshot(NOW)
    tell(seen, "session-error", error=ERROR, action="continue", affectedFiles=["a"], timestamp=LATER)
    assert seen.snapshot(NOW) == {**before, "seq": 2, "lastUpdate": LATER}


def test_the_end_is_in_the_picture() -> None:
    seen = picture()
    settle(seen)
    assert seen.settled
    assert seen.snapshot(NOW)["summary"] == SUMMARY


# ---- progress ----


def test_progress_moves_a_file_on() -> None:
    seen = picture()
    start(seen)
    move(seen, 25, 25.0, speed=7, remaining=11)
    file = seen.files["a"]
    assert (file.uploaded, file.progress, file.speed, file.remaining) == (25, 25, 7, 11)
    assert (seen.seq, seen.updated) == (1, LATER)


def test_older_progress_changes_nothing() -> None:
    seen = picture()
    start(seen)
    move(seen, 25, 25.0)
    before = seen.snapshot(NOW)
    move(seen, 24, 24.0, speed=99)
    assert seen.snapshot(NOW) == before


@given(st.lists(st.integers(0, 1000)))
def test_progress_never_goes_down_within_an_attempt(told: list[int]) -> None:
    seen = picture()
    start(seen, size=1000)
    shown = [0.0]
    for uploaded in told:
        move(seen, uploaded, uploaded / 10, total=1000)
        shown.append(seen.files["a"].progress)
    assert shown == sorted(shown)


def test_a_rest_shows() -> None:
    seen = picture()
    start(seen)
    move(seen, 25, 25.0, status="paused", speed=0, remaining=None)
    assert seen.files["a"].status == "paused"


# ---- the whole session ----


def state(*statuses: str, expected: int | None = None, settled: bool = False, cancelled: bool = False) -> Picture:
    """A picture with one file in each of these states; `started` of a file is implied by all but pending."""
    seen = picture(expected)
    for number, status in enumerate(statuses):
        file_id = f"f{number}"
        seen.announce(file_id, f"{file_id}.jpg", 100)
        if status != "pending":
            start(seen, file_id)
        match status:
            case "completed":
                complete(seen, file_id)
            case "failed":
                fail(seen, file_id)
            case "cancelled":
                cancel(seen, file_id)
            case "paused":
                move(seen, 10, 10.0, file_id=file_id, status="paused", speed=0)
    if cancelled:
        cancel(seen, None)
    if settled:
        settle(seen)
    return seen


@pytest.mark.parametrize(
    ("files", "overall"),
    [
        ("", "pending"),
        ("pending pending", "pending"),
        ("pending uploading", "uploading"),
        ("paused", "paused"),
        ("paused uploading", "uploading"),
        ("paused completed", "paused"),
        ("completed", "uploading"),
        ("failed", "uploading"),
        ("cancelled", "uploading"),
        ("completed pending", "uploading"),
    ],
)
def test_an_open_session_is_never_called_by_an_ending(files: str, overall: str) -> None:
    assert state(*files.split()).overall_status == overall


def test_a_refusal_alone_begins_nothing() -> None:
    seen = picture(expected=2)
    fail(seen)
    assert seen.overall_status == "pending"


@pytest.mark.parametrize(
    ("files", "cancelled", "overall"),
    [
        ("", False, "cancelled"),
        ("", True, "cancelled"),
        ("completed", False, "completed"),
        ("completed failed cancelled", False, "completed"),
        ("failed", False, "failed"),
        ("failed cancelled", False, "failed"),
        ("cancelled cancelled", False, "cancelled"),
        ("completed cancelled", True, "cancelled"),
        ("failed", True, "cancelled"),
    ],
)
def test_a_settled_session_is_called_as_rule_3_says(files: str, cancelled: bool, overall: str) -> None:
    seen = state(*files.split(), settled=True, cancelled=cancelled)
    assert seen.overall_status == overall
    last = seen.progress_of(None, LATER)
    assert last["overallStatus"] == overall
    ended = files.split()
    assert last["fileId"] == (f"f{len(ended) - 1}" if ended else None)
    assert (last["currentFile"] is None) == (not ended)
    assert last["estimatedTimeRemaining"] == 0


def test_the_last_word_is_about_the_file_that_ended_last_not_the_one_that_came_last() -> None:
    seen = state("uploading", "completed")
    complete(seen, "f0")
    settle(seen)
    assert seen.progress_of(None, LATER)["fileId"] == "f0"


def test_total_progress_counts_bytes_where_all_sizes_are_known() -> None:
    seen = picture()
    start(seen, "a", 100)
    start(seen, "b", 300)
    move(seen, 50, 50.0, file_id="a")
    move(seen, 50, 16.66, file_id="b", total=300)
    assert seen.total_progress == 25.0


def test_total_progress_counts_files_where_a_size_is_not_known() -> None:
    seen = picture()
    start(seen, "a", 100)
    start(seen, "b", None)
    move(seen, 50, 50.0, file_id="a")
    assert seen.total_progress == 25.0


def test_total_progress_leaves_room_for_files_that_are_expected() -> None:
    seen = picture(expected=4)
    start(seen)
    complete(seen)
    assert seen.total_progress == 25.0


def test_total_progress_leaves_out_what_will_not_be_stored() -> None:
    seen = state("completed", "failed", "cancelled", "uploading")
    move(seen, 50, 50.0, file_id="f3")
    assert seen.total_progress == 50.0, "the one that failed may be sent again"
    seen.files["f1"].can_retry = False
    assert seen.total_progress == 75.0


def test_who_joins_late_learns_whether_a_failed_file_may_be_sent_again() -> None:
    seen = state("failed", "completed")
    first, second = (file.drawn() for file in seen.files.values())
    assert first["canRetry"] is True
    assert "canRetry" not in second
    start(seen, "f0")
    assert "canRetry" not in seen.files["f0"].drawn()


@pytest.mark.parametrize(
    ("files", "total"), [("", 0), ("failed", 0), ("cancelled", 0), ("completed", 100), ("completed failed", 100)]
)
def test_total_progress_of_a_settled_session(files: str, total: float) -> None:
    assert state(*files.split(), settled=True, expected=5).total_progress == total


def test_empty_files_have_no_bytes_to_count() -> None:
    seen = picture()
    start(seen, "a", 0)
    start(seen, "b", 0)
    complete(seen, "a", 0)
    assert seen.total_progress == 50.0


# ---- remaining time ----


def test_the_longest_of_those_that_move_is_what_remains() -> None:
    seen = state("uploading", "uploading")
    move(seen, 50, 50.0, file_id="f0", remaining=5)
    move(seen, 50, 50.0, file_id="f1", remaining=8)
    assert seen.remaining == 8


def test_what_waits_takes_its_time_at_the_speed_of_what_moves() -> None:
    seen = state("uploading", "pending", "paused")
    move(seen, 50, 50.0, file_id="f0", remaining=5, speed=10)
    assert seen.remaining == 5 + (100 + 90) // 10


@pytest.mark.parametrize("unknown", ["no forecast", "no speed", "nothing moves"])
def test_what_cannot_be_known_is_not_guessed(unknown: str) -> None:
    seen = state("pending", "uploading")
    match unknown:
        case "no forecast":
            move(seen, 50, 50.0, file_id="f1", remaining=None)
        case "no speed":
            move(seen, 50, 50.0, file_id="f1", remaining=5, speed=0)
        case _:
            complete(seen, "f1")
    assert seen.remaining is None


def test_nothing_remains_when_nothing_moves_or_waits() -> None:
    assert picture().remaining == 0
    assert state("completed", "failed").remaining == 0
    assert state("pending", settled=True).remaining == 0


def test_the_busiest_file_is_one_that_moves_else_the_one_that_ended_last() -> None:
    assert picture().busiest is None
    assert state("completed", "uploading", "completed").busiest == "f1"
    assert state("completed", "failed").busiest == "f1"


# ---- shapes ----


def test_a_snapshot_has_the_fields_of_the_contract() -> None:
    seen = state("completed", "uploading", expected=3)
    assert seen.snapshot(NOW) == {
        "sessionId": SESSION,
        "category": CATEGORY,
        "overallStatus": "uploading",
        "totalProgress": 33.33,
        "completedFiles": 1,
        "failedFiles": 0,
        "cancelledFiles": 0,
        "estimatedTimeRemaining": None,
        "files": [
            {
                "id": "f0",
                "originalName": "f0.jpg",
                "status": "completed",
                "progress": 100.0,
                "uploadedBytes": 100,
                "totalBytes": 100,
                "uploadSpeed": 0,
                "uploadPath": "/upload/personal/f0",
                "retryCount": 0,
            },
            {
                "id": "f1",
                "originalName": "f1.jpg",
                "status": "uploading",
                "progress": 0.0,
                "uploadedBytes": 0,
                "totalBytes": 100,
                "uploadSpeed": 0,
                "retryCount": 0,
            },
        ],
        "seq": 3,
        "epoch": EPOCH,
        "lastUpdate": NOW,
        "timestamp": NOW,
    }


def test_a_progress_message_has_the_fields_of_the_contract() -> None:
    seen = state("completed", "uploading")
    move(seen, 50, 50.0, file_id="f1", speed=7, remaining=8)
    assert seen.progress_of("f1", LATER) == {
        "sessionId": SESSION,
        "fileId": "f1",
        "progress": 50.0,
        "speed": 7,
        "uploadedBytes": 50,
        "totalBytes": 100,
        "timestamp": LATER,
        "estimatedTimeRemaining": 8,
        "overallStatus": "uploading",
        "totalProgress": 75.0,
        "completedFiles": 1,
        "failedFiles": 0,
        "message": "正在上传\uff1a已完成 1/2 个文件",
        "currentFile": {
            "id": "f1",
            "originalName": "f1.jpg",
            "progress": 50.0,
            "status": "uploading",
            "uploadSpeed": 7,
            "estimatedTimeRemaining": 8,
        },
    }


def test_an_estimate_is_marked() -> None:
    seen = picture()
    start(seen, estimated=True)
    assert seen.progress_of("a", NOW)["estimated"] is True
    assert seen.snapshot(NOW)["files"][0]["estimated"] is True


def test_the_message_counts_the_files_that_are_expected() -> None:
    seen = picture(expected=5, language="en")
    start(seen)
    assert seen.progress_of("a", NOW)["message"] == "Uploading: 0 of 5 files done"


def test_statuses_are_those_of_the_contract() -> None:
    for files in (["pending"], ["uploading"], ["paused"]):
        assert state(*files).overall_status in list(Status)
