"""Bodies of every kind, at every route: too large, refused, stalled, slow, chunked, pipelined, announced by Expect.

The clients that must be able to read the answer are real: raw sockets, http.client and curl.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import random

import pytest

from tests.handlers.site import (
    BOUNDARY,
    PATIENCE,
    UNKNOWN,
    Answer,
    Box,
    Line,
    addresses,
    file_part,
    form,
    lifecycle,
    movie,
    names,
    on_the_loop,
    until,
)

MIB = 1024**2
LARGE = 50 * MIB
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
REFUSED_EARLY = [
    ("POST", "/api/upload/validate", 413, "REQUEST_TOO_LARGE"),
    ("POST", "/api/upload/session", 413, "REQUEST_TOO_LARGE"),
    ("POST", f"/api/upload/cancel/{UNKNOWN}", 413, "REQUEST_TOO_LARGE"),
    ("POST", "/nowhere", 404, "NOT_FOUND"),
    ("PUT", "/u/a.mp4", 413, "FILE_SIZE_EXCEEDED"),
    ("PUT", "/u/a.exe", 415, "UNSUPPORTED_FORMAT"),
    ("PUT", f"/api/upload/session/{UNKNOWN}/files/a.mp4", 404, "SESSION_NOT_FOUND"),
    ("POST", f"/api/upload/batch?sessionId={UNKNOWN}", 400, "VALIDATION_ERROR"),
]


def by_http_client(port: int, method: str, address: str, body: bytes) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, address, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())["error"]
    finally:
        connection.close()


@pytest.mark.parametrize(("method", "address", "status", "code"), REFUSED_EARLY)
@on_the_loop
async def test_every_client_can_read_why_fifty_megabytes_were_refused(
    box: Box, method: str, address: str, status: int, code: str
) -> None:
    body = bytes(LARGE)
    raw = await box.ask(method, address, body)
    assert (raw.status, raw.code) == (status, code)
    found = await asyncio.to_thread(by_http_client, box.port, method, address, body)
    assert found == (status, code)
    for expect in ("Expect:", "Expect: 100-continue"):
        exit_status, out = await box.curl(
            "-X", method, "--data-binary", "@-", "-H", expect, box.url + address, given=body
        )
        assert (exit_status, json.loads(out)["error"]) == (0, code)
    assert box.visible() == []


@on_the_loop
async def test_a_json_body_may_have_a_mebibyte_and_not_a_byte_more(box: Box) -> None:
    def padded(size: int) -> bytes:
        frame = b'{"files":[{"name":"a.mp4","size":1}],"x":""}'
        return frame.replace(b'"x":""', b'"x":"' + b"y" * (size - len(frame)) + b'"')

    assert len(padded(MIB)) == MIB
    assert (await box.ask("POST", "/api/upload/validate", padded(MIB))).status == 200
    answer = await box.ask("POST", "/api/upload/validate", padded(MIB + 1))
    assert (answer.status, answer.code) == (413, "REQUEST_TOO_LARGE")


@on_the_loop
async def test_a_connection_goes_on_after_a_body_that_was_drained(box: Box) -> None:
    line = await box.connect()
    assert (await line.ask("POST", "/api/upload/validate", bytes(2 * MIB))).status == 413
    # A request inside the refused body must not be taken for one.
    smuggled = b"DELETE /health HTTP/1.1\r\nHost: evil.example\r\n\r\n" * 1000
    assert (await line.ask("POST", "/nowhere", smuggled)).code == "NOT_FOUND"
    assert (await line.ask("GET", "/health")).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"nope", b"\xff\xfe", b"[1]", b'"text"', b"NaN", b"[" * 100_000, b"\x00"])
@on_the_loop
async def test_a_body_that_is_no_json_object_is_a_validation_error(box: Box, body: bytes) -> None:
    answer = await box.ask("POST", "/api/upload/validate", body)
    assert (answer.status, answer.code) == (400, "NO_FILES" if not body else "VALIDATION_ERROR")


# ---- Expect ----


@on_the_loop
async def test_a_body_that_is_welcome_is_invited(box: Box) -> None:
    line = await box.connect()
    line.begin("PUT", "/u/a.mp4", {"Content-Length": "5", "Expect": "100-continue"})
    assert (await line.head())[0] == 100
    line.send(movie(5))
    assert (await line.answer()).status == 201


@on_the_loop
async def test_a_body_that_is_refused_is_never_invited(box: Box) -> None:
    for address in ("/u/a.exe", f"/api/upload/session/{UNKNOWN}/files/a.mp4", "/nowhere"):
        line = await box.connect()
        line.begin("PUT", address, {"Content-Length": str(LARGE), "Expect": "100-continue"})
        status, headers = await line.head()
        assert status in {404, 415}
        assert int(headers["Content-Length"]) > 0
        await line.close()


@on_the_loop
async def test_curl_does_not_send_a_refused_body_at_all(box: Box) -> None:
    exit_status, out = await box.curl(
        "-T", "-", "-H", f"Content-Length: {LARGE}", "-H", "Expect: 100-continue", "-w", " %{size_upload}",
        "--expect100-timeout", f"{PATIENCE:g}", f"{box.url}/u/a.exe", given=bytes(LARGE),
    )  # fmt: skip
    body, _, sent = out.decode().rpartition(" ")
    assert (exit_status, json.loads(body)["error"], sent) == (0, "UNSUPPORTED_FORMAT", "0")


# ---- giving up on a body ----


async def refused_in_the_middle(box: Box) -> Line:
    """A request that is refused, has sent 2 MiB of its body, and would send 48 MiB more."""
    line = await box.connect()
    line.begin("POST", "/api/upload/validate", {"Content-Length": str(LARGE)})
    line.send(bytes(2 * MIB))
    return line


async def is_answered_in_full(line: Line) -> Answer:
    answer = await line.answer()
    assert answer.code == "REQUEST_TOO_LARGE"
    assert answer.headers["Connection"] == "close"
    assert await line.reader.read() == b"", "the station has stopped sending"
    return answer


@pytest.mark.parametrize("options", [["--drain-size=64KiB"]])
@on_the_loop
async def test_a_body_past_the_cap_is_answered_and_then_hung_up_on(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.linger.LAST_READ", 1.0)
    line = await refused_in_the_middle(box)
    await is_answered_in_full(line)
    await until(lambda: box.door.count == 0, "the station hung up")


@pytest.mark.parametrize("options", [["--drain-size=64KiB"]])
@on_the_loop
async def test_after_its_answer_the_station_still_reads_for_a_moment(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.linger.LAST_READ", PATIENCE)
    line = await refused_in_the_middle(box)
    await is_answered_in_full(line)
    for _ in range(20):
        line.send(bytes(MIB))
        await line.writer.drain()
    assert not line.writer.is_closing()
    await line.close()
    await until(lambda: box.door.count == 0, "the client's hanging up is noticed")


@pytest.mark.parametrize("options", [["--drain-time=0.2"]])
@on_the_loop
async def test_a_refused_body_that_stands_still_is_answered_when_the_time_for_draining_is_over(box: Box) -> None:
    await is_answered_in_full(await refused_in_the_middle(box))


# ---- bodies that stand still or crawl ----


@pytest.mark.parametrize("options", [["--body-idle-timeout=20"]])
@on_the_loop
async def test_a_json_body_that_stands_still_is_answered_408(box: Box) -> None:
    line = await box.connect()
    line.begin("POST", "/api/upload/validate", {"Content-Length": "100"})
    line.send(b"{")
    await until(lambda: len(box.station.watch.bodies) == 1, "the body is watched")
    box.pass_time(19)
    assert len(box.station.watch.bodies) == 1
    box.pass_time(2)
    answer = await line.answer()
    assert (answer.status, answer.code) == (408, "REQUEST_TIMEOUT")
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("options", [["--body-idle-timeout=20"]])
@on_the_loop
async def test_an_upload_that_stands_still_is_answered_408_and_may_be_tried_again(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    watcher = await box.watch(f"?sessionId={session_id}")
    line = await box.begin_put(session_id, "a.mp4", 10_000, movie(5000))
    await watcher.until("upload-started")
    box.pass_time(21)
    answer = await line.answer()
    assert (answer.status, answer.code) == (408, "REQUEST_TIMEOUT")
    failed = await watcher.until("upload-failed")
    assert failed["error"]["code"] == "NETWORK_ERROR"
    assert (failed["canRetry"], failed["retryCount"], failed["maxRetries"]) == (True, 0, 3)
    await until(lambda: box.unfinished() == [], "the part file is gone")
    assert (await box.put(session_id, "a.mp4", movie(10_000), f"?fileId={failed['fileId']}")).status == 201


@pytest.mark.parametrize("options", [["--body-idle-timeout=20"]])
@on_the_loop
async def test_a_multipart_body_that_stands_still_is_answered_408(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    line = await box.connect()
    line.begin("POST", f"/api/upload/batch?sessionId={session_id}", {**MULTIPART, "Content-Length": "10000"})
    line.send(form([file_part("a.mp4", movie(5000))], closed=False))
    await until(lambda: bool(box.session(session_id).files), "the file is known")
    box.pass_time(21)
    assert (await line.answer()).code == "REQUEST_TIMEOUT"
    heard = (await box.progress(session_id, "?since=0"))["events"]
    assert names(heard) == ["upload-started", "upload-failed"]
    assert heard[1]["data"]["error"]["code"] == "NETWORK_ERROR"
    assert heard[1]["data"]["canRetry"] is True


@on_the_loop
async def test_a_body_that_crawls_is_ended_and_a_slow_one_is_not(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    crawling = await box.begin_put(session_id, "crawl.mp4", MIB, movie(2000))
    slow = await box.begin_put(session_id, "slow.mp4", MIB, movie(2000))
    crawled, flowed = 2000, 2000
    for _ in range(15):
        crawled, flowed = crawled + 1, flowed + 25_000
        crawling.send(b"x")
        slow.send(bytes(25_000))
        await counted(box, session_id, {"crawl.mp4": crawled, "slow.mp4": flowed})
        box.pass_time(10)
    answer = await crawling.answer()
    assert (answer.status, answer.code) == (408, "REQUEST_TIMEOUT")
    assert len(box.station.watch.bodies) == 1
    slow.send(bytes(MIB - flowed))
    assert (await slow.answer()).status == 201


async def counted(box: Box, session_id: str, sizes: dict[str, int]) -> None:
    """Wait until so much of each file has been written, or its attempt is over."""

    def there() -> bool:
        files = {file.name: file for file in box.session(session_id).files.values()}
        return files.keys() == sizes.keys() and all(
            file.status == "failed" or file.received == sizes[name] for name, file in files.items()
        )

    await until(there, f"{sizes} bytes are counted")


# ---- HTTP as it comes ----


@on_the_loop
async def test_chunked_bodies_are_taken(box: Box) -> None:
    content = movie(3000)
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (content[:1], content[1:2000], content[2000:]))
    line = await box.connect()
    line.begin("PUT", "/u/a.mp4", {"Transfer-Encoding": "chunked"})
    line.send(chunked + b"0\r\n\r\n")
    answer = await line.answer()
    assert answer.status == 201
    assert answer.json()["uploadedBytes"] == 3000
    line.begin("POST", "/api/upload/validate", {"Transfer-Encoding": "chunked"})
    line.send(b'2\r\n{"\r\n9\r\nfiles":[]\r\n1\r\n}\r\n0\r\n\r\n')
    assert (await line.answer()).code == "NO_FILES"
    line.begin("POST", "/api/upload/batch", {**MULTIPART, "Transfer-Encoding": "chunked"})
    body = form([file_part("b.mp4", content)])
    line.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    assert (await line.answer()).status == 200
    assert [path.read_bytes() for path in box.visible()] == [content, content]


@on_the_loop
async def test_a_chunked_body_is_refused_once_it_has_grown_too_large(box: Box) -> None:
    session_id = await box.open(expectedFiles=1)
    line = await box.connect()
    line.begin("PUT", f"/api/upload/session/{session_id}/files/a.mp4", {"Transfer-Encoding": "chunked"})
    for _ in range(9):
        line.send(b"%x\r\n%b\r\n" % (MIB, bytes(MIB)))
    line.send(b"0\r\n\r\n")
    answer = await line.answer()
    assert (answer.status, answer.code) == (413, "FILE_SIZE_EXCEEDED")
    heard = lifecycle((await box.progress(session_id, "?since=0"))["events"])
    assert [each["event"] for each in heard] == ["upload-started", "upload-failed", "session-completed"]
    assert heard[1]["data"]["canRetry"] is False
    assert box.visible() == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
@on_the_loop
async def test_a_compressed_body_is_refused(box: Box, encoding: str) -> None:
    for method, address in (("PUT", "/u/a.mp4"), ("POST", "/api/upload/batch")):
        answer = await box.ask(method, address, b"x" * 100, {**MULTIPART, "Content-Encoding": encoding})
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert box.visible() == []


@on_the_loop
async def test_pipelined_requests_are_answered_in_order(box: Box) -> None:
    content = movie(2000)
    line = await box.connect()
    line.begin("PUT", "/u/a.mp4", {"Content-Length": "2000"})
    line.send(content)
    line.begin("GET", "/nowhere")
    line.begin("PUT", "/u/a.exe", {"Content-Length": "2000"})
    line.send(content)
    line.begin("GET", "/health")
    assert [(await line.answer()).status for _ in range(4)] == [201, 404, 415, 200]
    assert [path.read_bytes() for path in box.visible()] == [content]


@on_the_loop
async def test_one_connection_serves_every_kind_of_request_in_turn(box: Box) -> None:
    line = await box.connect()
    for address in addresses(box):
        for method in ("GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT"):
            body = None if method in {"GET", "HEAD"} else b"{}"
            answer = await line.ask(method, address, body)
            assert answer.status < 500, (method, address)
            assert answer.headers.get("Connection", "keep-alive").lower() == "keep-alive", (method, address)
    assert (await line.ask("GET", "/health")).json()["status"] == "ok"
    assert box.door.count == 1


@on_the_loop
async def test_an_answer_before_the_body_says_that_the_station_hangs_up(box: Box) -> None:
    for method, address, headers in [
        ("BREW", "/health", {}),
        ("PUT", "/u/a.exe", {"Content-Length": "5", "Expect": "100-continue"}),
    ]:
        line = await box.connect()
        line.begin(method, address, headers)
        assert (await line.answer()).headers["Connection"] == "close"
        assert await line.rest() == b""


@pytest.mark.parametrize("options", [["--drain-size=1MiB"]])
@on_the_loop
async def test_a_method_that_an_address_does_not_take_is_refused_however_long_its_body(box: Box) -> None:
    for method, address in [
        ("PUT", "/api/upload/batch"),
        ("POST", "/u/a.mp4"),
        ("POST", "/health"),
        ("PUT", "/static/js/events.js"),
        ("DELETE", f"/api/upload/session/{UNKNOWN}/files/a.mp4"),
    ]:
        for size in (2, 20 * MIB):
            answer = await box.ask(method, address, bytes(size))
            assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED"), (method, address, size)
            assert method not in answer.headers["Allow"].split(", ")
            assert "OPTIONS" in answer.headers["Allow"]


@on_the_loop
async def test_an_old_client_is_served_and_hung_up_on(box: Box) -> None:
    line = await box.connect()
    line.send(f"GET /health HTTP/1.0\r\nHost: {box.host}\r\n\r\n".encode())
    assert (await line.answer()).json()["status"] == "ok"
    assert await line.rest() == b""
    line = await box.connect()
    line.send(f"PUT /u/a.mp4 HTTP/1.0\r\nHost: {box.host}\r\nContent-Length: 5\r\n\r\n".encode() + movie(5))
    assert (await line.answer()).status == 201


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: -1",
        "Content-Length: 5x",
        "Content-Length: 99999999999999999999999999",
        "Transfer-Encoding: gzip",
        "Broken header",
    ],
)
@on_the_loop
async def test_a_request_of_doubtful_length_is_never_served(box: Box, head: str) -> None:
    line = await box.connect()
    line.send(f"PUT /u/a.mp4 HTTP/1.1\r\nHost: {box.host}\r\n{head}\r\n\r\n".encode())
    line.send(b"5\r\nabcde\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: " + box.host.encode() + b"\r\n\r\n")
    answer = await line.answer()
    assert 400 <= answer.status < 500
    assert b"HTTP/1.1 200" not in await line.rest()
    assert box.visible() == []


@on_the_loop
async def test_a_head_that_is_too_long_is_turned_away(box: Box) -> None:
    line = await box.connect()
    line.begin("GET", "/health", {"Cookie": "x" * 64 * 1024})
    got = await line.rest()
    assert got == b"" or got.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))


@on_the_loop
async def test_whatever_comes_over_a_connection_the_station_lives_on(box: Box) -> None:
    chance = random.Random(5)
    good = f"PUT /u/a.mp4 HTTP/1.1\r\nHost: {box.host}\r\nContent-Length: 20\r\n\r\n".encode() + movie(20)
    for _ in range(200):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        line = await box.connect()
        line.send(bytes(data))
        line.writer.write_eof()
        got = await line.rest()
        assert not got.startswith(b"HTTP/1.1 5"), bytes(data)
        await line.close()
    assert (await box.get("/health")).json()["status"] == "ok"
    await until(lambda: not box.unfinished(), "nothing is left over")


@on_the_loop
async def test_a_preflight_or_options_tells_which_methods_there_are(box: Box) -> None:
    answer = await box.ask("OPTIONS", "/api/upload/batch")
    assert answer.status == 204
    assert answer.headers["Allow"] == "POST, OPTIONS"
    assert (await box.ask("OPTIONS", "/ws")).headers["Allow"] == "GET, OPTIONS"


@on_the_loop
async def test_a_client_that_leaves_in_the_middle_of_a_json_body_leaves_nothing(box: Box) -> None:
    for go in (Line.close, Line.reset):
        line = await box.connect()
        line.begin("POST", "/api/upload/session", {"Content-Length": "100"})
        line.send(b"{")
        await until(lambda: len(box.station.watch.bodies) == 1, "the body is watched")
        await go(line)
        await until(lambda: not box.station.watch.bodies and not box.door.count, "all is given back")
    assert box.station.channels == {}
