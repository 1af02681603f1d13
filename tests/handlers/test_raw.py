"""Files sent as the body itself: answers, events, disk, broken connections, retries, names; by sockets and by curl."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.handlers.site import (
    HOSTILE_NAMES,
    TUS,
    UNKNOWN,
    Box,
    Goodbye,
    Line,
    field_part,
    file_part,
    lifecycle,
    metadata,
    movie,
    names,
    numbers,
    on_the_loop,
    until,
)

EVIL = b"<html><script>alert(1)</script></html>" + bytes(2000)


@on_the_loop
async def test_a_file_is_stored_and_told_exactly_as_the_contract_says(box: Box) -> None:
    session_id = await box.open(category="scenic", expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(123_456)
    answer = await box.put(session_id, "a%20b.mp4", content)
    assert answer.status == 201
    heard = await watcher.to_end()
    (stored,) = box.visible()
    assert stored.read_bytes() == content
    assert stored.parent.name == "scenic"
    assert re.fullmatch(rf"{session_id}_\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\d_\d{{3}}Z_a b\.mp4", stored.name)
    snapshot = answer.json()
    path = f"/upload/scenic/{stored.name}"
    assert snapshot["sessionId"] == session_id
    assert snapshot["link"] == f"/s/{session_id}"
    for name, value in {
        "originalName": "a b.mp4",
        "status": "completed",
        "progress": 100,
        "uploadedBytes": 123_456,
        "totalBytes": 123_456,
        "uploadPath": path,
        "retryCount": 0,
    }.items():
        assert snapshot[name] == value, name
    assert names(heard) == ["upload-started", "upload-completed", "session-completed"]
    assert numbers(heard) == [1, 2, 3]
    started, completed, settled = [message["data"] for message in lifecycle(heard)]
    assert started["fileId"] == completed["fileId"] == snapshot["id"]
    assert (started["fileName"], started["fileSize"], started["attempt"]) == ("a b.mp4", 123_456, 1)
    assert started["targetDir"] == "/upload/scenic"
    assert "estimated" not in started
    assert (completed["fileSize"], completed["uploadPath"]) == (123_456, path)
    assert completed["checksum"]["algorithm"] == "blake3"
    assert len(completed["checksum"]["value"]) == 64
    assert settled["uploadPaths"] == [path]
    assert settled["summary"]["uploadedSize"] == settled["summary"]["totalSize"] == 123_456
    assert heard[-1]["data"]["overallStatus"] == "completed"
    assert heard[-1]["data"]["fileId"] == snapshot["id"]
    progress = [each["data"]["progress"] for each in heard if each["event"] == "upload-progress"]
    assert progress == sorted(progress)
    assert progress[-1] == 100


@on_the_loop
async def test_everything_is_told_before_the_answer(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    answer = await box.put(session_id, "a.mp4", movie(5000))
    assert answer.status == 201
    snapshot = await box.progress(session_id, "?since=0")
    assert names(snapshot["events"]) == ["upload-started", "upload-completed", "session-completed"]
    assert box.station.channels == {}


@on_the_loop
async def test_without_a_session_one_is_made_and_linked(box: Box) -> None:
    answer = await box.ask("PUT", "/u/a.mp4?category=scenic", movie(5))
    session_id = answer.json()["sessionId"]
    assert answer.status == 201
    assert answer.json()["link"] == f"/s/{session_id}"
    assert answer.headers["Link"].startswith(f"<{box.url}/s/{session_id}>;")
    snapshot = await box.progress(session_id)
    assert snapshot["overallStatus"] == "completed"
    assert snapshot["category"] == "scenic"
    assert (await box.get(f"/s/{session_id}")).status == 200


@on_the_loop
async def test_curl_sends_a_file_by_its_name(box: Box, tmp_path: Path) -> None:
    content = movie(3 * 1024**2)
    source = tmp_path / "movie.mp4"
    source.write_bytes(content)
    exit_status, out = await box.curl("-T", str(source), f"{box.url}/u/")
    assert exit_status == 0
    answer = json.loads(out)
    assert (answer["originalName"], answer["status"]) == ("movie.mp4", "completed")
    (stored,) = box.visible()
    assert stored.read_bytes() == content
    exit_status, out = await box.curl("-T", "-", f"{box.url}/u/piped.mp4", given=content)
    assert (exit_status, json.loads(out)["uploadedBytes"]) == (0, len(content))


@pytest.mark.parametrize("size", [0, 1, 11, 1023, 1024, 1025, 262_143, 262_145, 8 * 1024**2])
@on_the_loop
async def test_any_size_up_to_the_limit_arrives(box: Box, size: int) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(size)
    assert (await box.put(session_id, "a.mp4", content)).json()["uploadedBytes"] == size
    heard = await watcher.to_end()
    assert names(heard) == ["upload-started", "upload-completed", "session-completed"]
    assert [each["data"]["fileSize"] for each in lifecycle(heard)[:2]] == [size, size]
    assert heard[-1]["data"]["progress"] == 100
    assert [path.read_bytes() for path in box.visible()] == [content]
    if size == 0:
        assert lifecycle(heard)[1]["data"]["finalSpeed"] == 0


@on_the_loop
async def test_an_empty_file_needs_no_length(box: Box) -> None:
    line = await box.connect()
    line.begin("PUT", "/u/empty.mp4")
    answer = await line.answer()
    assert (answer.status, answer.json()["uploadedBytes"], answer.json()["progress"]) == (201, 0, 100)


# ---- files that are refused ----


@pytest.mark.parametrize(
    ("name", "size", "body", "status", "code"),
    [
        ("a.exe", 5, b"abcde", 415, "UNSUPPORTED_FORMAT"),
        ("noextension", 5, b"abcde", 415, "UNSUPPORTED_FORMAT"),
        ("big.mp4", 8 * 1024**2 + 1, bytes(8 * 1024**2 + 1), 413, "FILE_SIZE_EXCEEDED"),
        ("lie.mp4", len(EVIL), EVIL, 415, "UNSUPPORTED_FORMAT"),
        ("short-lie.mp4", 12, b"<html></html>"[:12], 415, "UNSUPPORTED_FORMAT"),
    ],
)
@on_the_loop
async def test_a_refused_file_is_told_without_a_start_and_counts(
    box: Box, name: str, size: int, body: bytes, status: int, code: str
) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    answer = await box.put(session_id, name, body)
    assert (answer.status, answer.code) == (status, code)
    heard = await watcher.to_end()
    assert names(heard) == ["upload-failed", "session-completed"]
    failed = lifecycle(heard)[0]["data"]
    assert (failed["error"]["code"], failed["canRetry"], failed["retryCount"]) == (code, False, 0)
    assert "retryUntil" not in failed
    assert heard[-1]["data"]["overallStatus"] == "failed"
    assert box.visible() == []


@on_the_loop
async def test_what_cannot_be_a_file_of_the_session_is_none(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    for name, query, status, code in [
        ("", "", 400, "VALIDATION_ERROR"),
        ("a.mp4", f"?fileId={UNKNOWN}", 404, "FILE_NOT_FOUND"),
    ]:
        answer = await box.put(session_id, name, movie(5), query)
        assert (answer.status, answer.code) == (status, code)
    assert (await box.progress(session_id))["files"] == []
    answer = await box.ask("PUT", "/u/a.mp4?category=secret", movie(5))
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


@on_the_loop
async def test_a_file_of_another_session_is_none_of_a_new_one_and_leaves_none(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": [{"name": "a.mp4", "size": 5}]})).json()
    file_id = opened["files"][0]["fileId"]
    told = {**TUS, "Upload-Length": "5"}
    for id in (file_id, UNKNOWN, "x"):
        about = {**told, "Upload-Metadata": metadata(filename="a.mp4", fileId=id)}
        for answer in (
            await box.ask("PUT", f"/u/a.mp4?fileId={id}", movie(5)),
            await box.ask("POST", "/files/", b"", about),
            await box.ask("POST", f"/files/?fileId={id}", b"", {**told, "Upload-Metadata": metadata(filename="a.mp4")}),
            await box.send_form([field_part("fileId", id), file_part("a.mp4", movie(5))]),
        ):
            assert (answer.status, answer.code) == (404, "FILE_NOT_FOUND")
    assert list(box.station.channels) == [opened["sessionId"]]
    assert box.session(opened["sessionId"]).files[file_id].status == "pending"
    kept = await box.station.journal.read(lambda journal: journal.execute("SELECT count(*) FROM sessions").fetchone())
    assert kept == (1,)


@on_the_loop
async def test_a_name_that_is_no_text_is_mended(box: Box) -> None:
    answer = await box.ask("PUT", "/u/%ff%FEa.mp4", movie(5))
    assert (answer.status, answer.json()["originalName"]) == (201, "\ufffd\ufffda.mp4")


@pytest.mark.parametrize("options", [["--max-files=2"]])
@on_the_loop
async def test_requests_beyond_the_number_of_files_are_none(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    for name in ("a.mp4", "b.mp4"):
        assert (await box.put(session_id, name, movie(5))).status == 201
    answer = await box.put(session_id, "c.mp4", movie(5))
    assert (answer.status, answer.code) == (400, "TOO_MANY_FILES")
    assert len((await box.progress(session_id))["files"]) == 2


@on_the_loop
async def test_a_length_other_than_announced_is_a_mismatch(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": [{"name": "a.mp4", "size": 10}]})).json()
    file_id = opened["files"][0]["fileId"]
    answer = await box.put(opened["sessionId"], "a.mp4", movie(11), f"?fileId={file_id}")
    assert (answer.status, answer.code) == (422, "CHECKSUM_MISMATCH")
    assert box.session(opened["sessionId"]).files[file_id].status == "pending"
    assert (await box.put(opened["sessionId"], "a.mp4", movie(10), f"?fileId={file_id}")).status == 201


# ---- broken connections ----


@pytest.mark.parametrize("go", [Line.close, Line.reset])
@pytest.mark.parametrize("sent", [2000, 300_000])
@on_the_loop
async def test_a_broken_connection_fails_the_file_and_leaves_nothing(box: Box, go: Goodbye, sent: int) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.begin_put(session_id, "a.mp4", 1_000_000, movie(sent))
    await watcher.until("upload-started")
    await go(line)
    failed = await watcher.until("upload-failed")
    assert failed["error"]["code"] == "NETWORK_ERROR"
    assert (failed["canRetry"], failed["retryCount"], failed["maxRetries"]) == (True, 0, 3)
    assert failed["retryUntil"] > failed["failedAt"]
    await until(lambda: not box.unfinished(), "the part file is gone")
    assert box.visible() == []
    assert (await box.progress(session_id))["overallStatus"] == "uploading"
    box.pass_time(31)
    heard = await watcher.to_end()
    assert names(heard) == ["upload-started", "upload-failed", "session-completed"]
    assert heard[-1]["data"]["overallStatus"] == "failed"


@on_the_loop
async def test_a_connection_that_breaks_before_the_first_kilobyte_fails_the_file_too(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.begin_put(session_id, "a.mp4", 1_000_000, movie(10))
    await until(lambda: len(box.station.dock.deliveries) == 1, "the upload has begun")
    await line.reset()
    failed = await watcher.until("upload-failed")
    assert names(watcher.heard) in (["upload-failed"], ["upload-started", "upload-failed"])
    assert (failed["error"]["code"], failed["canRetry"]) == ("NETWORK_ERROR", True)


@on_the_loop
async def test_a_retry_begins_a_new_attempt_of_the_same_file(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    content = movie(50_000)
    line = await box.begin_put(session_id, "a.mp4", len(content), content[:20_000])
    started = await watcher.until("upload-started")
    await until(lambda: box.session(session_id).files[started["fileId"]].received == 20_000, "all is counted")
    await line.reset()
    failed = await watcher.until("upload-failed")
    assert (await box.put(session_id, "a.mp4", content, f"?fileId={failed['fileId']}")).status == 201
    heard = await watcher.to_end()
    assert names(heard) == [
        "upload-started",
        "upload-failed",
        "upload-started",
        "upload-completed",
        "session-completed",
    ]
    starts = [each["data"] for each in heard if each["event"] == "upload-started"]
    assert [each["attempt"] for each in starts] == [1, 2]
    assert len({each["fileId"] for each in starts}) == 1
    summary = lifecycle(heard)[-1]["data"]["summary"]
    assert summary["totalFiles"] == 1
    assert summary["totalSize"] == 50_000
    assert summary["uploadedSize"] == 70_000, "bytes of a failed attempt count too"


@on_the_loop
async def test_the_same_name_and_size_adopts_a_file_that_waits_for_a_retry(box: Box) -> None:
    session_id = await box.open(expectedFiles=2)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.begin_put(session_id, "a.mp4", 50_000, movie(20_000))
    started = await watcher.until("upload-started")
    await line.reset()
    await watcher.until("upload-failed")
    other = await box.put(session_id, "a.mp4", movie(40_000))
    assert other.json()["id"] != started["fileId"], "another size is another file"
    same = await box.put(session_id, "a.mp4", movie(50_000))
    assert same.json()["id"] == started["fileId"]
    assert same.json()["retryCount"] == 1


@on_the_loop
async def test_after_the_last_retry_a_failure_is_final(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    query = ""
    for count in range(4):
        line = await box.begin_put(session_id, "a.mp4", 50_000, movie(20_000), query)
        await watcher.until("upload-started")
        await line.reset()
        failed = await watcher.until("upload-failed")
        assert (failed["retryCount"], failed["canRetry"]) == (count, count < 3)
        query = f"?fileId={failed['fileId']}"
    heard = await watcher.to_end()
    assert heard[-1]["data"]["overallStatus"] == "failed"


@on_the_loop
async def test_timeouts_that_use_up_all_tries_cancel_the_file(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    query = ""
    for _ in range(4):
        line = await box.begin_put(session_id, "a.mp4", 50_000, movie(20_000), query)
        query = f"?fileId={(await watcher.until('upload-started'))['fileId']}"
        box.pass_time(61)
        assert (await line.answer()).status == 408
    heard = await watcher.to_end()
    assert names(heard)[-3:] == ["upload-started", "upload-cancelled", "session-completed"]
    assert lifecycle(heard)[-2]["data"]["reason"] == "retry-limit"


@on_the_loop
async def test_a_newer_request_takes_the_file_over(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": [{"name": "a.mp4", "size": 50_000}]})).json()
    session_id, query = opened["sessionId"], f"?fileId={opened['files'][0]['fileId']}"
    watcher = await box.watch(f"?sessionId={session_id}")
    old, new = movie(50_000), movie(50_000)
    line = await box.begin_put(session_id, "a.mp4", 50_000, old[:20_000], query)
    await watcher.until("upload-started")
    assert (await box.put(session_id, "a.mp4", new, query)).status == 201
    line.send(old[20_000:])
    late = await line.answer()
    assert (late.status, late.code) == (409, "UPLOAD_CANCELLED"), "these are not the bytes that were stored"
    heard = await watcher.to_end()
    assert names(heard) == [
        "upload-started",
        "upload-failed",
        "upload-started",
        "upload-completed",
        "session-completed",
    ]
    assert [path.read_bytes() for path in box.visible()] == [new]


@on_the_loop
async def test_a_stored_file_is_not_sent_again(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": [{"name": f"{n}.mp4", "size": 5} for n in "ab"]})).json()
    session_id, query = opened["sessionId"], f"?fileId={opened['files'][0]['fileId']}"
    assert (await box.put(session_id, "a.mp4", movie(5), query)).status == 201
    answer = await box.put(session_id, "a.mp4", movie(5), query)
    assert (answer.status, answer.code) == (409, "UPLOAD_ALREADY_COMPLETED")
    assert len(box.visible()) == 1


@on_the_loop
async def test_the_same_name_twice_is_stored_twice(box: Box) -> None:
    session_id = await box.open(expectedFiles=20)
    contents = [movie(2000 + number) for number in range(20)]
    lines = [await box.begin_put(session_id, "a.mp4", len(content), content) for content in contents]
    assert {(await line.answer()).status for line in lines} == {201}
    assert sorted(path.read_bytes() for path in box.visible()) == sorted(contents)


# ---- names ----


@on_the_loop
async def test_no_name_in_an_address_leads_outside_or_breaks_the_station(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    root = box.station.storage.root
    before = {path for path in root.parent.rglob("*") if ".station" not in path.parts}
    content, stored = movie(2000), 0
    for name in [*HOSTILE_NAMES, "\udcff.mp4"]:
        target = quote(name.encode("utf-8", "surrogateescape"), safe="")
        for answer in (
            await box.put(session_id, target, content),
            await box.ask("PUT", f"/u/{target}", content),
        ):
            assert answer.status in {201, 400, 415}, (name, answer.status)
            stored += answer.status == 201
            assert b"\x00" not in answer.body
    assert stored > len(HOSTILE_NAMES)
    files = box.visible()
    assert len(files) == stored
    assert {path for path in root.parent.rglob("*") if ".station" not in path.parts} - before == set(files)
    for path in files:
        assert path.name.replace("\u200d", "").isprintable(), "a joiner holds an emoji family together"
        assert len(path.name.encode()) <= 255
        assert path.read_bytes() == content
    assert (await box.get("/health")).json()["status"] == "ok"


@on_the_loop
async def test_a_name_may_be_chinese(box: Box) -> None:
    answer = await box.ask("PUT", "/u/" + quote("假期 视频.mp4"), movie(5))
    assert answer.json()["originalName"] == "假期 视频.mp4"
    assert box.visible()[0].name.endswith("_假期 视频.mp4")


@on_the_loop
async def test_a_cancelled_session_takes_no_more_bytes(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    await box.post(f"/api/upload/cancel/{session_id}")
    for answer in (
        await box.put(session_id, "a.mp4", movie(5)),
        await box.send_form([file_part("a.mp4", movie(5))], f"?sessionId={session_id}"),
    ):
        assert (answer.status, answer.code) == (409, "SESSION_CLOSED")


# ---- two requests for one file, cancels and promises ----


@on_the_loop
async def test_of_two_requests_that_have_not_begun_the_newer_one_stays(box: Box) -> None:
    session_id = await box.open(expectedFiles=1, files=[{"name": "a.mp4", "size": 50_000}])
    watcher = await box.watch(f"?sessionId={session_id}")
    file_id = next(iter(box.session(session_id).files))
    body = movie(50_000)
    older = await box.begin_put(session_id, "a.mp4", 50_000, body[:10], f"?fileId={file_id}")
    await until(lambda: box.session(session_id).files[file_id].claims == 1, "the older one has claimed it")
    newer = await box.begin_put(session_id, "a.mp4", 50_000, body[:100], f"?fileId={file_id}")
    await until(lambda: box.session(session_id).files[file_id].claims == 2, "the newer one has claimed it")
    await older.close()
    newer.send(body[100:])
    assert (await newer.answer()).status == 201
    assert names(lifecycle(await watcher.to_end())) == ["upload-started", "upload-completed", "session-completed"]


@on_the_loop
async def test_a_newcomer_that_is_refused_does_not_end_what_runs(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    body = movie(50_000)
    line = await box.begin_put(session_id, "a.mp4", 50_000, body[:20_000])
    file_id = (await watcher.until("upload-started"))["fileId"]
    assert (await box.put(session_id, "a.exe", body, f"?fileId={file_id}")).status == 415
    line.send(body[20_000:])
    assert (await line.answer()).status == 201


@pytest.mark.parametrize("options", [["--drain-time=200ms"]])
@on_the_loop
async def test_a_cancel_answers_a_request_that_stands_still(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.begin_put(session_id, "a.mp4", 50_000, movie(20_000))
    await watcher.until("upload-started")
    await box.post(f"/api/upload/cancel/{session_id}")
    answer = await line.answer()
    assert (answer.status, answer.code) == (409, "UPLOAD_CANCELLED")


@on_the_loop
async def test_a_file_is_stored_under_its_own_name_whatever_the_address_says(box: Box) -> None:
    session_id = await box.open(files=[{"name": "a.mp4", "size": 50_000}])
    file_id = next(iter(box.session(session_id).files))
    answer = await box.put(session_id, "other.txt", movie(50_000), f"?fileId={file_id}")
    assert answer.json()["uploadPath"].endswith("_a.mp4")


@on_the_loop
async def test_some_bytes_too_few_to_be_judged_are_an_attempt_that_fails(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.begin_put(session_id, "a.mp4", 50_000, movie(100))
    await until(lambda: box.session(session_id).activity.requests == 1, "the request has come")
    await until(lambda: any(file.claimed for file in box.session(session_id).files.values()), "it has its file")
    await line.close()
    failed = await watcher.until("upload-failed")
    assert names(lifecycle(watcher.heard)) == ["upload-started", "upload-failed"]
    assert failed["canRetry"] is True


@pytest.mark.parametrize("options", [["--min-free-space=0"]])
@on_the_loop
async def test_a_body_without_a_length_may_not_eat_into_what_must_stay_free(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    line = await box.connect()
    line.begin("PUT", f"/api/upload/session/{session_id}/files/a.mp4", {"Transfer-Encoding": "chunked"})
    body = movie(1024**2)
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    line.send(chunk)
    await until(lambda: any(file.received for file in box.session(session_id).files.values()), "bytes are written")
    box.station.dock.space._floor = 2**62
    line.send(chunk * 8 + b"0\r\n\r\n")
    assert (await line.answer()).status == 507
