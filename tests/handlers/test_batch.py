"""Forms with files: where the session is named, sizes, partial success, broken bodies, pages for plain browsers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from station.errors import Problem
from tests.handlers.site import (
    BOUNDARY,
    HOSTILE_NAMES,
    UNKNOWN,
    Box,
    Goodbye,
    Line,
    field_part,
    file_part,
    form,
    lifecycle,
    movie,
    names,
    on_the_loop,
    until,
)

KIND = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
A, B, C = movie(3000), movie(300_000), movie(400_000)


@on_the_loop
async def test_the_answer_is_exactly_the_contracts(box: Box) -> None:
    session_id = await box.open(category="scenic", expectedFiles=2)
    answer = await box.send_form([file_part("a.mp4", A), file_part("b.mp4", B)], f"?sessionId={session_id}")
    assert answer.status == 200
    body = answer.json()
    assert list(body) == ["success", "sessionId", "files", "summary"]
    assert (body["success"], body["sessionId"]) == (True, session_id)
    assert [(file["originalName"], file["status"], file["uploadedBytes"]) for file in body["files"]] == [
        ("a.mp4", "completed", len(A)),
        ("b.mp4", "completed", len(B)),
    ]
    summary = body["summary"]
    assert summary["totalFiles"] == summary["completedFiles"] == 2
    assert summary["failedFiles"] == summary["cancelledFiles"] == 0
    assert summary["uploadedSize"] == summary["totalSize"] == len(A) + len(B)
    assert sorted(path.read_bytes() for path in box.visible()) == sorted([A, B])
    assert {file["uploadPath"] for file in body["files"]} == {f"/upload/scenic/{path.name}" for path in box.visible()}


PLACES = ["query", "header", "field before", "field after", "query and field", "header and field", "all"]


@pytest.mark.parametrize("place", PLACES)
@on_the_loop
async def test_the_session_may_be_named_in_any_place(box: Box, place: str) -> None:
    session_id = await box.open(expectedFiles=2)
    files = [file_part("a.mp4", A), file_part("b.mp4", B)]
    field = [field_part("sessionId", session_id)]
    query = f"?sessionId={session_id}" if place.startswith("query") or place == "all" else ""
    header = {"X-Session-Id": session_id} if place.startswith("header") or place == "all" else {}
    parts = [*field, *files] if "before" in place else [*files, *field] if "field" in place else files
    answer = await box.send_form(parts, query, header)
    assert answer.status == 200, answer.body
    assert answer.json()["success"] is True
    snapshot = await box.progress(session_id, "?since=0")
    assert names(snapshot["events"]) == [
        *["upload-started", "upload-completed"] * 2,
        "session-completed",
    ]
    assert sorted(path.read_bytes() for path in box.visible()) == sorted([A, B])


@on_the_loop
async def test_two_sessions_in_one_request_are_a_validation_error(box: Box) -> None:
    one, two = await box.open(autoComplete=False), await box.open(autoComplete=False)
    files = [file_part("a.mp4", A)]
    for parts, query, header in [
        (files, f"?sessionId={one}", {"X-Session-Id": two}),
        ([field_part("sessionId", two), *files], f"?sessionId={one}", {}),
        ([field_part("sessionId", one), field_part("sessionId", two), *files], "", {}),
        ([field_part("sessionId", two), *files], "", {"X-Session-Id": one}),
    ]:
        answer = await box.send_form(parts, query, header)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert box.visible() == []


@pytest.mark.parametrize("name", [UNKNOWN, "x", "..", "\u0000", "é" * 100])
@on_the_loop
async def test_an_unknown_session_stores_nothing_wherever_it_is_named(box: Box, name: str) -> None:
    files = [file_part("a.mp4", A)]
    for parts in ([field_part("sessionId", name), *files], [*files, field_part("sessionId", name)]):
        answer = await box.send_form(parts)
        assert (answer.status, answer.code) == (404, "SESSION_NOT_FOUND")
    assert box.visible() == []


@on_the_loop
async def test_nothing_is_told_or_visible_until_the_session_is_known(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    body = form([file_part("a.mp4", B), field_part("sessionId", session_id)])
    line = await box.connect()
    line.begin("POST", "/api/upload/batch", {**KIND, "Content-Length": str(len(body))})
    line.send(body[:-200])
    await until(lambda: len(box.unfinished()) == 1, "bytes are on the disk")
    assert (await box.progress(session_id))["files"] == []
    assert box.visible() == []
    line.send(body[-200:])
    assert (await line.answer()).json()["success"] is True
    events = (await box.progress(session_id, "?since=0"))["events"]
    assert names(events) == ["upload-started", "upload-completed", "session-completed"]


@on_the_loop
async def test_without_any_session_one_is_made(box: Box) -> None:
    answer = await box.send_form([field_part("category", "scenic"), file_part("a.mp4", A), file_part("b.mp4", B)])
    body = answer.json()
    assert body["success"] is True
    snapshot = await box.progress(body["sessionId"])
    assert (snapshot["overallStatus"], snapshot["category"], snapshot["completedFiles"]) == ("completed", "scenic", 2)


@on_the_loop
async def test_an_unknown_category_stores_nothing(box: Box) -> None:
    answer = await box.send_form([file_part("a.mp4", A), field_part("category", "../x")])
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert box.visible() == []
    assert box.station.channels == {}


# ---- sizes ----


@on_the_loop
async def test_only_an_upper_bound_is_known_of_a_file_that_others_may_follow(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    watcher = await box.watch(f"?sessionId={session_id}")
    parts = [file_part("b.mp4", B), file_part("c.mp4", C), field_part("note", "bye")]
    assert (await box.send_form(parts, f"?sessionId={session_id}")).json()["success"] is True
    await box.post(f"/api/upload/complete/{session_id}")
    heard = await watcher.to_end()
    started = [each["data"] for each in heard if each["event"] == "upload-started"]
    for told, content in zip(started, (B, C), strict=True):
        assert told["estimated"] is True
        assert told["fileSize"] > len(content)
    for message in heard:
        data = message["data"]
        if message["event"] == "upload-progress" and data.get("estimated"):
            assert data["progress"] <= 99
    completed = [each["data"]["fileSize"] for each in heard if each["event"] == "upload-completed"]
    assert completed == [len(B), len(C)]


@on_the_loop
async def test_the_size_of_the_last_file_that_is_expected_is_exact(box: Box) -> None:
    session_id = await box.open(expectedFiles=2)
    await box.send_form([file_part("b.mp4", B), file_part("c.mp4", C)], f"?sessionId={session_id}")
    events = (await box.progress(session_id, "?since=0"))["events"]
    first, last = [each["data"] for each in events if each["event"] == "upload-started"]
    assert first["estimated"] is True
    assert "estimated" not in last
    assert last["fileSize"] == len(C)


@on_the_loop
async def test_fields_after_the_last_file_do_not_make_it_another_file(box: Box) -> None:
    opened = (await box.post("/api/upload/session", {"files": [{"name": "c.mp4", "size": len(C)}]})).json()
    session_id, file_id = opened["sessionId"], opened["files"][0]["fileId"]
    parts = [file_part("c.mp4", C), field_part("category", "personal"), field_part("sessionId", session_id)]
    answer = (await box.send_form(parts, f"?sessionId={session_id}")).json()
    assert (answer["success"], answer["files"][0]["id"]) == (True, file_id)
    snapshot = await box.progress(session_id, "?since=0")
    assert (snapshot["overallStatus"], len(snapshot["files"])) == ("completed", 1)
    started = snapshot["events"][0]["data"]
    assert (started["fileSize"], "estimated" in started) == (len(C), False)


@on_the_loop
async def test_a_part_that_is_longer_or_shorter_than_was_announced_is_a_mismatch(box: Box) -> None:
    for size in (len(C) - 1, len(C) + 1):
        opened = (await box.post("/api/upload/session", {"files": [{"name": "c.mp4", "size": size}]})).json()
        fields = [field_part("fileId", opened["files"][0]["fileId"]), file_part("c.mp4", C)]
        answer = await box.send_form(fields, f"?sessionId={opened['sessionId']}")
        assert (answer.status, answer.code) == (422, "CHECKSUM_MISMATCH")
    assert box.visible() == []


@on_the_loop
async def test_a_file_that_was_whole_before_its_session_was_known_has_its_exact_size(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    await box.send_form([file_part("b.mp4", B), file_part("c.mp4", C), field_part("sessionId", session_id)])
    events = (await box.progress(session_id, "?since=0"))["events"]
    started = [each["data"] for each in events if each["event"] == "upload-started"]
    assert [(each["fileSize"], "estimated" in each) for each in started] == [(len(B), False), (len(C), False)]


@on_the_loop
async def test_a_part_that_tells_its_length_is_exact_and_held_to_it(box: Box) -> None:
    session_id = await box.open(expectedFiles=2)
    right = file_part("a.mp4", A).replace(b"\r\n\r\n", b"\r\nContent-Length: 3000\r\n\r\n", 1)
    wrong = file_part("b.mp4", A).replace(b"\r\n\r\n", b"\r\nContent-Length: 2999\r\n\r\n", 1)
    answer = (await box.send_form([right, wrong], f"?sessionId={session_id}")).json()
    assert [file["status"] for file in answer["files"]] == ["completed", "failed"]
    assert answer["files"][1]["error"]["code"] == "CHECKSUM_MISMATCH"
    events = (await box.progress(session_id, "?since=0"))["events"]
    assert (events[0]["data"]["fileSize"], "estimated" in events[0]["data"]) == (3000, False)


@on_the_loop
async def test_an_empty_file_is_stored(box: Box) -> None:
    answer = (await box.send_form([file_part("empty.mp4", b"")])).json()
    assert answer["success"] is True
    assert (answer["files"][0]["uploadedBytes"], answer["files"][0]["progress"]) == (0, 100)
    assert [path.read_bytes() for path in box.visible()] == [b""]


# ---- what is not stored ----


@on_the_loop
async def test_one_refused_part_does_not_spoil_the_others(box: Box) -> None:
    session_id = await box.open(expectedFiles=4)
    parts = [
        file_part("virus.exe", A),
        file_part("a.mp4", A),
        file_part("lie.mp4", b"<html>" + bytes(2000)),
        file_part("b.mp4", B),
    ]
    answer = await box.send_form(parts, f"?sessionId={session_id}")
    body = answer.json()
    assert answer.status == 200
    assert list(body) == ["success", "sessionId", "files", "summary", "error"]
    assert body["success"] is False
    assert body["error"]["code"] == "UNSUPPORTED_FORMAT"
    assert [file["status"] for file in body["files"]] == ["failed", "completed", "failed", "completed"]
    assert (body["summary"]["completedFiles"], body["summary"]["failedFiles"]) == (2, 2)
    events = (await box.progress(session_id, "?since=0"))["events"]
    assert names(events).count("upload-failed") == 2
    assert names(events)[-1] == "session-completed"
    assert sorted(path.read_bytes() for path in box.visible()) == sorted([A, B])


@on_the_loop
async def test_when_nothing_was_stored_the_first_error_is_the_answer(box: Box) -> None:
    session_id = await box.open(expectedFiles=2)
    parts = [file_part("big.mp4", bytes(9 * 1024**2)), file_part("virus.exe", A)]
    answer = await box.send_form(parts, f"?sessionId={session_id}")
    assert (answer.status, answer.code) == (413, "FILE_SIZE_EXCEEDED")
    snapshot = await box.progress(session_id, "?since=0")
    assert snapshot["overallStatus"] == "failed"
    assert [each["data"]["canRetry"] for each in snapshot["events"] if each["event"] == "upload-failed"] == [False] * 2


@pytest.mark.parametrize(
    "parts", [[], [file_part("", b"")], [field_part("note", "x")], [file_part("", b""), field_part("a", "")]]
)
@on_the_loop
async def test_a_form_without_a_file_is_no_upload(box: Box, parts: list[bytes]) -> None:
    session_id = await box.open(expectedFiles=1)
    for query in ("", f"?sessionId={session_id}"):
        answer = await box.send_form(parts, query)
        assert (answer.status, answer.code) == (400, "NO_FILES")
    assert (await box.progress(session_id))["files"] == []


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 71,
        'multipart/form-data; boundary="a',
        "multipart/mixed; boundary=abcdefgh",
        "application/x-www-form-urlencoded",
    ],
)
@on_the_loop
async def test_a_body_that_is_no_form_is_a_validation_error(box: Box, kind: str) -> None:
    answer = await box.ask("POST", "/api/upload/batch", form([file_part("a.mp4", A)]), {"Content-Type": kind})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "body",
    [
        form([file_part("a.mp4", A)], closed=False),
        form([file_part("a.mp4", A)])[:-4],
        form([file_part("a.mp4", A)]) + b"junk" * 2000,
        b"junk" + form([file_part("a.mp4", A)]),
        form([b"Content-Type: video/mp4\r\n\r\nabc"]),
        form([file_part("a.mp4", A).replace(b"filename", b"filename=x; filename")]),
        form([b"X: " + b"y" * 20_000 + b"\r\n\r\nabc"]),
    ],
    ids=["unclosed", "cut", "junk after", "junk before", "no disposition", "two names", "long header"],
)
@on_the_loop
async def test_a_broken_form_stores_nothing_that_is_not_whole(box: Box, body: bytes) -> None:
    session_id = await box.open(autoComplete=False)
    answer = await box.ask("POST", f"/api/upload/batch?sessionId={session_id}", body, KIND)
    if answer.status == 200:  # junk after a part that was whole already
        assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
        assert answer.json()["success"] is False
        assert [path.read_bytes() for path in box.visible()] == [A]
    else:
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert box.visible() == []


@on_the_loop
async def test_a_form_that_breaks_after_a_whole_file_keeps_that_file(box: Box) -> None:
    session_id = await box.open(expectedFiles=2)
    body = form([file_part("a.mp4", A), file_part("b.mp4", B)])[: len(A) + 1000]
    answer = await box.ask("POST", f"/api/upload/batch?sessionId={session_id}", body, KIND)
    assert answer.status == 200
    told = answer.json()
    assert told["success"] is False
    assert [file["status"] for file in told["files"]] == ["completed", "failed"]
    assert [path.read_bytes() for path in box.visible()] == [A]


@pytest.mark.parametrize("go", [Line.close, Line.reset])
@on_the_loop
async def test_a_connection_that_breaks_keeps_what_is_whole_and_fails_the_rest(box: Box, go: Goodbye) -> None:
    session_id = await box.open(expectedFiles=2)
    watcher = await box.watch(f"?sessionId={session_id}")
    body = form([file_part("a.mp4", A), file_part("b.mp4", B)])
    line = await box.connect()
    line.begin("POST", f"/api/upload/batch?sessionId={session_id}", {**KIND, "Content-Length": str(len(body))})
    line.send(body[:-1000])
    await watcher.until("upload-started", fileName="b.mp4")
    await go(line)
    failed = await watcher.until("upload-failed")
    assert (failed["fileName"], failed["error"]["code"], failed["canRetry"]) == ("b.mp4", "NETWORK_ERROR", True)
    await until(lambda: not box.unfinished(), "the part file is gone")
    assert [path.read_bytes() for path in box.visible()] == [A]
    retry = [field_part("fileId", failed["fileId"]), file_part("b.mp4", B)]
    assert (await box.send_form(retry, f"?sessionId={session_id}")).json()["success"] is True
    heard = await watcher.to_end()
    assert names(heard) == [
        *["upload-started", "upload-completed", "upload-started", "upload-failed"],
        *["upload-started", "upload-completed", "session-completed"],
    ]
    assert [each["data"]["attempt"] for each in lifecycle(heard) if each["event"] == "upload-started"] == [1, 1, 2]


@on_the_loop
async def test_a_connection_that_breaks_before_the_session_is_known_leaves_nothing(box: Box) -> None:
    body = form([file_part("a.mp4", A), file_part("b.mp4", B)])
    line = await box.connect()
    line.begin("POST", "/api/upload/batch", {**KIND, "Content-Length": str(len(body))})
    line.send(body[:-1000])
    await until(lambda: len(box.unfinished()) == 2, "both are on the disk")
    await line.reset()
    await until(lambda: not box.unfinished(), "the part files are gone")
    assert box.visible() == []
    assert box.station.channels == {}


@on_the_loop
async def test_a_cancelled_part_is_skipped_and_the_others_go_on(box: Box) -> None:
    session_id = await box.open(expectedFiles=2)
    watcher = await box.watch(f"?sessionId={session_id}")
    body = form([file_part("b.mp4", B), file_part("a.mp4", A)])
    line = await box.connect()
    line.begin("POST", f"/api/upload/batch?sessionId={session_id}", {**KIND, "Content-Length": str(len(body))})
    line.send(body[:100_000])
    started = await watcher.until("upload-started")
    await box.post(f"/api/upload/cancel/{session_id}", {"fileId": started["fileId"]})
    line.send(body[100_000:])
    answer = (await line.answer()).json()
    assert [file["status"] for file in answer["files"]] == ["cancelled", "completed"]
    assert [path.read_bytes() for path in box.visible()] == [A]
    assert (await watcher.to_end())[-1]["data"]["overallStatus"] == "completed"


@pytest.mark.parametrize("options", [["--drain-size=100KiB"]])
@on_the_loop
async def test_a_cancelled_session_ends_the_form_early(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.connect()
    line.begin("POST", f"/api/upload/batch?sessionId={session_id}", {**KIND, "Content-Length": "100000000"})
    line.send(form([file_part("b.mp4", B)], closed=False))
    await watcher.until("upload-started")
    await box.post(f"/api/upload/cancel/{session_id}")
    await watcher.to_end()
    line.send(bytes(1_000_000))
    answer = await line.answer()
    assert answer.status == 409
    assert answer.code in {"UPLOAD_CANCELLED", "SESSION_CLOSED"}
    assert box.visible() == []


@pytest.mark.parametrize("options", [["--max-files=3"]])
@on_the_loop
async def test_parts_beyond_the_number_of_files_are_none(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    parts = [file_part(f"{number}.mp4", A) for number in range(5)]
    answer = (await box.send_form(parts, f"?sessionId={session_id}")).json()
    assert [file["status"] for file in answer["files"]] == ["completed"] * 3
    assert answer["error"]["code"] == "TOO_MANY_FILES"
    assert len(box.visible()) == 3


@on_the_loop
async def test_a_file_id_of_nobody_is_not_found(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    for id in (UNKNOWN, "x"):
        answer = await box.send_form([field_part("fileId", id), file_part("a.mp4", A)], f"?sessionId={session_id}")
        assert (answer.status, answer.code) == (404, "FILE_NOT_FOUND")


@on_the_loop
async def test_of_a_form_without_a_session_only_the_file_that_was_named_is_missing(box: Box) -> None:
    parts = [field_part("fileId", UNKNOWN), file_part("a.mp4", movie(5)), file_part("b.mp4", movie(6))]
    answer = await box.send_form(parts)
    told = answer.json()
    assert (answer.status, told["success"], told["error"]["code"]) == (200, False, "FILE_NOT_FOUND")
    assert [(file["originalName"], file["status"]) for file in told["files"]] == [("b.mp4", "completed")]
    assert [path.read_bytes() for path in box.visible()] == [movie(6)]


@on_the_loop
async def test_no_name_in_a_form_leads_outside_or_breaks_the_station(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    root = box.station.storage.root
    before = {path for path in root.parent.rglob("*") if ".station" not in path.parts}
    for name in HOSTILE_NAMES:
        answer = await box.send_form([file_part(name, A)], f"?sessionId={session_id}")
        assert answer.status in {200, 400, 415}, (name, answer.status, answer.body)
    for raw in (b'filename="\xff\xfe.mp4"', b"filename=\"a.mp4\"; filename*=UTF-8''..%2Fb.mp4", b"filename=a.mp4"):
        part = b'Content-Disposition: form-data; name="files"; ' + raw + b"\r\n\r\n" + A
        answer = await box.send_form([part], f"?sessionId={session_id}")
        assert answer.status in {200, 400, 415}, (raw, answer.body)
    files = box.visible()
    assert len(files) > len(HOSTILE_NAMES) // 2
    assert {path for path in root.parent.rglob("*") if ".station" not in path.parts} - before == set(files)
    assert (await box.get("/health")).json()["status"] == "ok"


# ---- clients as they are ----


@on_the_loop
async def test_curl_sends_a_form(box: Box, tmp_path: Path) -> None:
    one, two = tmp_path / "one.mp4", tmp_path / "two 二.mp4"
    one.write_bytes(A)
    two.write_bytes(movie(3 * 1024**2))
    session_id = await box.open(expectedFiles=2)
    fields = ["-F", f"files=@{one}", "-F", f"files=@{two}", "-F", f"sessionId={session_id}"]
    exit_status, out = await box.curl(*fields, f"{box.url}/api/upload/batch")
    body = json.loads(out)
    assert (exit_status, body["success"]) == (0, True)
    assert [file["originalName"] for file in body["files"]] == ["one.mp4", "two 二.mp4"]
    assert sorted(path.read_bytes() for path in box.visible()) == sorted([A, two.read_bytes()])


@on_the_loop
async def test_a_browser_without_javascript_gets_a_page(box: Box) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en"}
    for parts, status, words in [
        ([file_part("a<b>.mp4", A)], 200, "Upload complete"),
        ([file_part("a.mp4", A), file_part("x.exe", A)], 200, "not every file"),
        ([file_part("x.exe", A)], 415, "did not succeed"),
        ([], 400, "did not succeed"),
    ]:
        answer = await box.send_form(parts, headers=browser)
        assert answer.status == status
        assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
        page = answer.body.decode()
        assert words in page
        assert "a<b>" not in page
        assert "Content-Security-Policy" in answer.headers
    answer = await box.send_form([file_part("a.mp4", A)], headers={"Accept": "application/json, text/html"})
    assert answer.json()["success"] is True


# ---- promises, and a station that stops ----


@on_the_loop
async def test_what_was_announced_binds_the_retry_too(box: Box) -> None:
    session_id = await box.open(files=[{"name": "a.mp4", "size": len(B)}])
    for _ in range(2):
        answer = await box.send_form([file_part("a.mp4", A)], f"?sessionId={session_id}")
        assert (answer.status, answer.code) == (422, "CHECKSUM_MISMATCH")
    assert (await box.send_form([file_part("a.mp4", B)], f"?sessionId={session_id}")).status == 200


@pytest.mark.parametrize("options", [[f"--max-file-size={len(B)}"]])
@on_the_loop
async def test_fields_after_the_file_do_not_count_as_its_size(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    parts = [file_part("b.mp4", B), field_part("note", "x" * 60_000)]
    assert (await box.send_form(parts, f"?sessionId={session_id}")).status == 200


@on_the_loop
async def test_the_answer_of_a_request_that_was_ended_counts_every_file_that_is_stored(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.connect()
    many = form([file_part(f"{number}.mp4", A) for number in range(60)])
    line.begin("POST", f"/api/upload/batch?sessionId={session_id}", {**KIND, "Content-Length": str(len(many) + 10)})
    line.send(many)
    await watcher.until("upload-completed")
    box.station.watch.interrupt_all(Problem("SERVER_ERROR", "the station is shutting down"))
    answer = await line.answer()
    stored = {path.name for path in box.visible()}
    assert answer.status == 200
    told = [file for file in answer.json()["files"] if file["status"] == "completed"]
    assert {Path(file["uploadPath"]).name for file in told} == stored
    await until(lambda: not box.station.dock.deliveries, "nothing more comes in")
    assert {path.name for path in box.visible()} == stored
