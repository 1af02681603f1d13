"""The operator's check of each file, over all ways of sending: nothing is visible that it has not taken."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from tests.handlers import site
from tests.handlers.site import (
    OCTETS,
    TUS,
    Box,
    Json,
    file_part,
    metadata,
    movie,
    names,
    numbers,
    on_the_loop,
    until,
)
from tests.station.test_program import is_running, pid_in, script
from tests.test_four_ways import WAYS, Way
from tests.test_server import Program

BODY = movie(5000)


class Rules:
    """What the check does: lines of a shell, which a test may write anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.command = script(folder, '. "$0.rules"')
        self.write("exit 0")

    def write(self, text: str) -> None:
        (self.folder / "a program.rules").write_text(text + "\n")

    def hold(self, then: str = "exit 0") -> None:
        """Every check says that it began, and waits."""
        wait = f"while [ ! -e '{self.folder}/go' ]; do sleep 0.01; done"
        self.write(f"printf + >> '{self.folder}/began'; {wait}; {then}")

    async def began(self, times: int = 1) -> None:
        path = self.folder / "began"
        await until(lambda: path.exists() and len(path.read_text()) >= times, "the check began")

    def release(self) -> None:
        (self.folder / "go").touch()


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return Rules(tmp_path)


@pytest.fixture
def options() -> list[str]:
    return []


@pytest.fixture
def box(io_loop: IOLoop, tmp_path: Path, rules: Rules, options: list[str]) -> Iterator[Box]:
    given = [f"--before-publish={rules.command}", "--language=en", *options]
    built = io_loop.run_sync(lambda: site.build(tmp_path / "upload", given))
    yield built
    io_loop.run_sync(lambda: site.take_down(built))


def of(heard: list[Json], event: str) -> list[Json]:
    return [message["data"] for message in heard if message["event"] == event]


every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


@every_way
@on_the_loop
async def test_what_the_check_takes_is_stored_after_it_was_looked_at(box: Box, rules: Rules, way: Way) -> None:
    rules.hold('cat "$UPLOAD_STATION_FILE_PATH" > "$0.seen"')
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    sending = asyncio.ensure_future(way(box, session_id, "a.mp4", [BODY]))
    await rules.began()
    assert (box.visible(), sending.done()) == ([], False)
    rules.release()
    assert (await sending).status in {200, 201, 204}
    assert [path.read_bytes() for path in box.visible()] == [BODY]
    assert (rules.folder / "a program.seen").read_bytes() == BODY
    heard = await watcher.to_end()
    assert names(heard) == ["upload-started", "upload-completed", "session-completed"]


@every_way
@on_the_loop
async def test_what_it_rejects_fails_with_its_words_and_leaves_nothing(box: Box, rules: Rules, way: Way) -> None:
    rules.write('echo "$UPLOAD_STATION_FILE_PATH: Eicar-Test-Signature FOUND"; exit 1')
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    answer = await way(box, session_id, "a.mp4", [BODY])
    assert (answer.status, answer.code) == (422, "REJECTED")
    assert answer.json()["details"] == "a.mp4: Eicar-Test-Signature FOUND"
    heard = await watcher.to_end()
    assert names(heard) == ["upload-started", "upload-failed", "session-completed"]
    [failed] = of(heard, "upload-failed")
    assert failed["canRetry"] is False
    assert failed["error"]["code"] == "REJECTED"
    assert failed["error"]["details"] == "a.mp4: Eicar-Test-Signature FOUND"
    await until(lambda: not box.unfinished(), "the part file is removed")
    assert box.visible() == []


@every_way
@on_the_loop
async def test_a_check_that_says_nothing_lets_nothing_pass(box: Box, rules: Rules, way: Way) -> None:
    rules.write("exit 2")
    session_id = await box.open(autoComplete=False)
    watcher = await box.watch(f"?sessionId={session_id}")
    answer = await way(box, session_id, "a.mp4", [BODY])
    assert (answer.status, answer.code) == (500, "SERVER_ERROR")
    failed = await watcher.until("upload-failed")
    assert failed["canRetry"] is True
    assert failed["error"]["code"] == "SERVER_ERROR"
    assert box.visible() == []
    await box.post(f"/api/upload/cancel/{session_id}")
    await until(lambda: not box.unfinished(), "the part file is removed")


@every_way
@on_the_loop
async def test_a_cancel_while_it_looks_wins_at_once(box: Box, rules: Rules, way: Way) -> None:
    rules.hold()
    session_id = await box.open(autoComplete=False)
    watcher = await box.watch(f"?sessionId={session_id}")
    sending = asyncio.ensure_future(way(box, session_id, "a.mp4", [BODY]))
    await rules.began()
    assert (await box.post(f"/api/upload/cancel/{session_id}")).json()["cancelledFiles"] == 1
    heard = await watcher.to_end()
    assert names(heard) == ["upload-started", "upload-cancelled", "upload-cancelled", "session-completed"]
    answer = await sending
    assert answer.status in {409, 410}, answer.body
    assert box.visible() == []
    await until(lambda: not box.unfinished(), "the part file is removed")


@pytest.mark.parametrize("options", [["--body-idle-timeout=100ms", "--session-timeout=1s"]])
@every_way
@on_the_loop
async def test_no_time_limit_of_the_body_ends_what_is_being_looked_at(box: Box, rules: Rules, way: Way) -> None:
    box.clock.stop()
    rules.hold()
    session_id = await box.open(expectedFiles=1)
    sending = asyncio.ensure_future(way(box, session_id, "a.mp4", [BODY]))
    await rules.began()
    box.pass_time(3)
    rules.release()
    assert (await sending).status in {200, 201, 204}
    assert [path.read_bytes() for path in box.visible()] == [BODY]


@every_way
@on_the_loop
async def test_a_station_that_stops_publishes_nothing_unseen(box: Box, rules: Rules, way: Way) -> None:
    rules.hold()
    session_id = await box.open(autoComplete=False)
    watcher = await box.watch(f"?sessionId={session_id}")
    sending = asyncio.ensure_future(way(box, session_id, "a.mp4", [BODY]))
    await rules.began()
    await box.station.end_attempts(0.05)
    failed = await watcher.until("upload-failed")
    assert failed["error"]["code"] == "SERVER_ERROR"
    assert failed["canRetry"] is True
    assert (await sending).status >= 500
    assert box.visible() == []
    rules.release()  # this one goes on, and looks again at what it has whole


# ---- each way has something of its own ----


@on_the_loop
async def test_of_a_form_only_what_is_rejected_is_missing(box: Box, rules: Rules) -> None:
    rules.write('case "$UPLOAD_STATION_FILE_NAME" in bad*) echo no; exit 1;; esac')
    session_id = await box.open(expectedFiles=3)
    watcher = await box.watch(f"?sessionId={session_id}")
    parts = [file_part(name, BODY) for name in ("a.mp4", "bad.mp4", "c.mp4")]
    answer = await box.send_form(parts, f"?sessionId={session_id}")
    told = answer.json()
    assert (answer.status, told["success"], told["error"]["code"]) == (200, False, "REJECTED")
    assert [file["status"] for file in told["files"]] == ["completed", "failed", "completed"]
    heard = await watcher.to_end()
    assert of(heard, "session-completed")[0]["summary"]["completedFiles"] == 2
    assert len(box.visible()) == 2


@on_the_loop
async def test_files_of_one_form_are_looked_at_while_the_rest_comes(box: Box, rules: Rules) -> None:
    """And however long that takes, the client is not blamed."""
    rules.hold()
    session_id = await box.open(expectedFiles=2)
    whole = site.form([file_part("a.mp4", BODY), file_part("b.mp4", movie(3_000_000))])
    line = await box.connect()
    kind = {"Content-Type": f"multipart/form-data; boundary={site.BOUNDARY}", "Content-Length": str(len(whole))}
    line.begin("POST", f"/api/upload/batch?sessionId={session_id}", kind)
    line.send(whole)
    await rules.began()
    box.pass_time(100)
    rules.release()
    answer = await line.answer()
    assert (answer.status, answer.json()["success"]) == (200, True)
    assert len(box.visible()) == 2


@on_the_loop
async def test_a_raw_upload_whose_client_has_left_is_still_looked_at_and_stored(box: Box, rules: Rules) -> None:
    rules.hold()
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.begin_put(session_id, "a.mp4", len(BODY), BODY)
    await rules.began()
    await line.close()
    rules.release()
    assert names(await watcher.to_end()) == ["upload-started", "upload-completed", "session-completed"]
    assert [path.read_bytes() for path in box.visible()] == [BODY]


@pytest.mark.parametrize("fault", ["exit 2", f"{sys.executable} -c 'import no_such_scanner'; exit $?"])
@on_the_loop
async def test_a_resumable_upload_whose_check_failed_is_looked_at_again_by_itself(
    box: Box, rules: Rules, fault: str
) -> None:
    """All its bytes are here: nobody has to send them again."""
    rules.write(fault)
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    path = await box.create(len(BODY), session_id)
    assert (await box.add(path, 0, BODY)).status == 500
    assert (await box.ask("HEAD", path, headers=TUS)).status == 500, "an offset at the end would say that it is stored"
    rules.write("exit 0")
    box.pass_time(30)
    heard = await watcher.to_end()
    assert names(heard)[-2:] == ["upload-completed", "session-completed"]
    assert numbers(heard) == list(range(1, len(names(heard)) + 1))
    assert [path.read_bytes() for path in box.visible()] == [BODY]


@on_the_loop
async def test_who_asks_about_an_upload_whose_check_failed_is_told_so_and_runs_no_check(box: Box, rules: Rules) -> None:
    rules.write('printf + >> "$0.runs"; exit 2')
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    box.clock.stop()
    path = await box.create(len(BODY), session_id)
    assert (await box.add(path, 0, BODY)).status == 500
    for _ in range(3):
        box.pass_time(1)
        assert (await box.ask("HEAD", path, headers=TUS)).status == 500
    answer = await box.ask("GET", path, headers=TUS)
    assert answer.json()["details"] == "the file could not be checked: exit status 2"
    assert (rules.folder / "a program.runs").read_text() == "+"
    rules.write("exit 0")
    box.pass_time(3)
    assert names(await watcher.to_end()) == [
        "upload-started",
        "upload-failed",
        "upload-started",
        "upload-completed",
        "session-completed",
    ]


@pytest.mark.parametrize("words", ["", "echo no; exit 1"], ids=["taken", "rejected"])
@on_the_loop
async def test_what_a_restart_kept_from_being_looked_at_is_looked_at_by_the_next_run(
    tmp_path: Path, rules: Rules, words: str
) -> None:
    given = [f"--before-publish={rules.command}"]
    rules.hold(words)
    box = await site.build(tmp_path / "upload", given)
    try:
        session_id = await box.open(expectedFiles=1)
        path = await box.create(len(BODY), session_id)
        sending = asyncio.ensure_future(box.add(path, 0, BODY))
        await rules.began()
        await box.station.end_attempts(0.05)
        assert (await sending).status >= 500
    finally:
        await site.take_down(box)
    assert box.visible() == []
    rules.release()
    box = await site.build(tmp_path / "upload", given)
    try:
        watcher = await box.watch(f"?sessionId={session_id}")
        box.pass_time(30)
        await watcher.to_end()
        heard = (await box.progress(session_id, "?since=0"))["events"]
        assert names(heard)[-2:] == ["upload-failed" if words else "upload-completed", "session-completed"]
        assert len((rules.folder / "began").read_text()) == 2
        assert [path.read_bytes() for path in box.visible()] == ([] if words else [BODY])
        await until(lambda: not box.unfinished(), "the part file is removed")
    finally:
        await site.take_down(box)


@on_the_loop
async def test_a_resumable_upload_that_was_rejected_is_gone(box: Box, rules: Rules) -> None:
    rules.write("echo no; exit 1")
    session_id = await box.open(autoComplete=False)
    path = await box.create(len(BODY), session_id)
    assert (await box.add(path, 0, BODY)).code == "REJECTED"
    assert (await box.ask("HEAD", path, headers=TUS)).status == 410
    again = await box.ask("PATCH", path, b"", {**TUS, **OCTETS, "Upload-Offset": str(len(BODY))})
    assert again.status == 410


@on_the_loop
async def test_an_upload_may_be_terminated_while_it_is_looked_at(box: Box, rules: Rules) -> None:
    rules.hold()
    session_id = await box.open(autoComplete=False)
    path = await box.create(len(BODY), session_id)
    sending = asyncio.ensure_future(box.add(path, 0, BODY))
    await rules.began()
    assert (await box.ask("DELETE", path, headers=TUS)).status == 204
    assert (await sending).status in {409, 410}
    assert box.visible() == []


@on_the_loop
async def test_joined_parts_are_looked_at_as_one_file(box: Box, rules: Rules) -> None:
    rules.write('echo "$UPLOAD_STATION_FILE_SIZE" >> "$0.sizes"; cat "$UPLOAD_STATION_FILE_PATH" > "$0.seen"')
    halves = []
    for half in (BODY[:2500], BODY[2500:]):
        made = await box.ask(
            "POST", "/files/", b"", {**TUS, "Upload-Length": str(len(half)), "Upload-Concat": "partial"}
        )
        halves.append(made.headers["Location"])
        assert (await box.add(made.headers["Location"], 0, half)).status == 204
    session_id = await box.open(expectedFiles=1)
    told = {
        "Upload-Concat": f"final;{' '.join(halves)}",
        "Upload-Metadata": metadata(filename="a.mp4", sessionId=session_id),
    }
    assert (await box.ask("POST", "/files/", b"", {**TUS, **told})).status == 201
    assert [path.read_bytes() for path in box.visible()] == [BODY]
    assert (rules.folder / "a program.sizes").read_text() == f"{len(BODY)}\n"
    assert (rules.folder / "a program.seen").read_bytes() == BODY


@pytest.mark.expects_errors
@on_the_loop
async def test_a_scanner_that_takes_the_part_away_is_a_fault_not_a_lie(box: Box, rules: Rules) -> None:
    rules.write('rm "$UPLOAD_STATION_FILE_PATH"')
    session_id = await box.open(autoComplete=False)
    watcher = await box.watch(f"?sessionId={session_id}")
    answer = await box.put(session_id, "a.mp4", BODY)
    assert (answer.status, answer.code) == (500, "SERVER_ERROR")
    await watcher.until("upload-failed")
    assert box.visible() == []


# ---- kill -9 ----


@on_the_loop
async def test_after_a_kill_in_the_middle_it_is_looked_at_again_and_only_then_stored(
    tmp_path: Path, rules: Rules
) -> None:
    """Of a resumable upload, whose bytes are all here; a raw one is to be sent again."""
    rules.hold()
    folder = tmp_path / "upload"
    options = ("--min-free-space=0", f"--before-publish={rules.command}")
    first = Program(folder, *options)
    try:
        line = await first.connect()
        opened = await line.ask(
            "POST", "/api/upload/session", b'{"autoComplete":false}', {"Content-Type": "application/json"}
        )
        session_id = opened.json()["sessionId"]
        told = {
            **TUS,
            "Upload-Length": str(len(BODY)),
            "Upload-Metadata": metadata(filename="a.mp4", sessionId=session_id),
        }
        path = (await line.ask("POST", "/files/", b"", told)).headers["Location"]
        line.begin("PATCH", path, {**site.at_offset(0), "Content-Length": str(len(BODY))})
        line.send(BODY)
        raw = await first.connect()
        raw.begin("PUT", f"/api/upload/session/{session_id}/files/b.mp4", {"Content-Length": str(len(BODY))})
        raw.send(BODY)
        await rules.began(2)
        first.stop(signal.SIGKILL)
        await line.close()
        await raw.close()
    finally:
        first.close()
    assert list((folder / "personal").iterdir()) == []
    rules.write(f"printf + >> '{rules.folder}/again'; exit 0")
    second = Program(folder, *options)
    try:
        watcher = await second.watch(session_id, "&lastSeq=0")
        completed = await watcher.until("upload-completed", fileName="a.mp4")
        assert (folder / completed["uploadPath"].removeprefix("/upload/")).read_bytes() == BODY
        [failed] = of(watcher.heard, "upload-failed")
        assert (failed["fileName"], failed["error"]["code"], failed["canRetry"]) == ("b.mp4", "SERVER_ERROR", True)
        assert (rules.folder / "again").read_text() == "+"
        await watcher.line.close()
        assert second.stop() == 0
    finally:
        second.close()
    rules.release()


@on_the_loop
async def test_a_station_that_is_told_to_stop_ends_the_check_within_seconds(tmp_path: Path, rules: Rules) -> None:
    rules.write(f"trap '' TERM; echo $$ > '{rules.folder}/pid'; while :; do sleep 1; done")
    program = Program(tmp_path / "upload", "--min-free-space=0", f"--before-publish={rules.command}")
    try:
        line = await program.connect()
        line.begin("PUT", "/u/a.mp4", {"Content-Length": str(len(BODY))})
        line.send(BODY)
        checking = await pid_in(rules.folder / "pid")
        assert program.stop() == 0
        assert not is_running(checking)
        await line.close()
    finally:
        program.close()
    assert list((tmp_path / "upload" / "personal").iterdir()) == []
