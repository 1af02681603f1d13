"""TLS with real certificates: who gets in, what is refused, and that all the ways to the station work through it."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
from pathlib import Path

import pytest

from handlers import tls
from station.storage import Unusable
from tests.handlers import certificates
from tests.handlers.certificates import Pair
from tests.handlers.site import HANDSHAKE, Box, Line, Watcher, movie, names, on_the_loop, until

MIB = 1024**2


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def other(tmp_path: Path) -> Pair:
    return certificates.make(tmp_path, "other")


def secure(box: Box, pair: Pair) -> Box:
    """From now on the box speaks TLS."""
    box.door.ssl_options = tls.context(str(pair.cert), str(pair.key))
    return box


async def connect(box: Box, pair: Pair) -> Line:
    line = Line(*await asyncio.open_connection("127.0.0.1", box.port, ssl=pair.trust()), box.host)
    box.lines.append(line)
    return line


def serial(line: Line) -> str:
    """Of the certificate that the station showed."""
    return str(line.writer.get_extra_info("peercert")["serialNumber"])


# ---- the files ----


def test_the_key_may_be_in_the_file_of_the_certificate(pair: Pair, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_text(pair.cert.read_text() + pair.key.read_text())
    made = tls.context(str(both), "")
    assert made is not None
    assert made.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_without_a_certificate_there_is_no_tls() -> None:
    assert tls.context("", "") is None


def broken(pair: Pair, other: Pair, folder: Path, kind: str) -> tuple[str, str]:
    """Files that cannot be used, each in its way."""
    junk, cut = folder / "junk.pem", folder / "cut.pem"
    junk.write_bytes(b"\x00\xffno certificate\n" * 100)
    cut.write_bytes(pair.cert.read_bytes()[:200])
    (folder / "folder.pem").mkdir()
    cert, key = str(pair.cert), str(pair.key)
    return {
        "no certificate": (str(folder / "none.pem"), key),
        "no key": (cert, str(folder / "none.pem")),
        "a key alone": ("", key),
        "a certificate alone": (cert, ""),
        "another's key": (cert, str(other.key)),
        "the wrong way round": (key, cert),
        "junk": (str(junk), key),
        "a junk key": (cert, str(junk)),
        "cut off": (str(cut), key),
        "a folder": (str(folder / "folder.pem"), key),
    }[kind]


KINDS = [
    ("no certificate", "cannot read the certificate"),
    ("no key", "cannot read the key"),
    ("a key alone", "needs --tls-cert"),
    ("a certificate alone", "no certificate with its key"),
    ("another's key", "is not that of the certificate"),
    ("the wrong way round", "no certificate with its key"),
    ("junk", "no certificate with its key"),
    ("a junk key", "no certificate with its key"),
    ("cut off", "no certificate with its key"),
    ("a folder", "cannot read the certificate"),
]


@pytest.mark.parametrize(("kind", "words"), KINDS)
def test_files_that_cannot_be_used_are_refused_with_a_sentence(
    pair: Pair, other: Pair, tmp_path: Path, kind: str, words: str
) -> None:
    with pytest.raises(Unusable, match=words) as refused:
        tls.context(*broken(pair, other, tmp_path, kind))
    assert len(str(refused.value).splitlines()) == 1


def test_a_key_with_a_password_is_refused_without_asking_for_it(tmp_path: Path) -> None:
    locked = certificates.make(tmp_path, "locked", "-passout", "pass:sesame")
    with pytest.raises(Unusable, match="has a password"):
        tls.context(str(locked.cert), str(locked.key))


# ---- through it ----


@on_the_loop
async def test_an_upload_and_its_events_go_through(box: Box, pair: Pair) -> None:
    secure(box, pair)
    line, socket_line = await connect(box, pair), await connect(box, pair)
    session_id = (await line.ask("POST", "/api/upload/session", b"{}")).json()["sessionId"]
    socket_line.begin("GET", f"/ws?sessionId={session_id}", {**HANDSHAKE, "Origin": f"https://{box.host}"})
    assert (await socket_line.head())[0] == 101
    watcher = Watcher(socket_line)
    await watcher.until("session-joined")
    body = movie(3 * MIB)
    answer = await line.ask("PUT", f"/api/upload/session/{session_id}/files/a.mp4", body)
    assert answer.status == 201
    heard = await watcher.to_end()
    assert names(heard) == ["upload-started", "upload-completed", "session-completed"]
    (stored,) = box.visible()
    assert stored.read_bytes() == body


@on_the_loop
async def test_the_sockets_of_watchers_hold_as_little_as_without(box: Box, pair: Pair) -> None:
    line = await connect(secure(box, pair), pair)
    line.begin("GET", "/ws", HANDSHAKE)
    assert (await line.head())[0] == 101
    await until(lambda: len(box.station.sockets) == 1, "it is open")
    (push,) = box.station.sockets
    assert push._stream().socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 64 * 1024  # type: ignore[attr-defined]


@pytest.mark.parametrize("options", [["--upload-pin=246810"]])
@on_the_loop
async def test_cookies_are_for_tls_only_and_the_page_is_isolated(box: Box, pair: Pair) -> None:
    plain = await box.post("/api/upload/pin", {"pin": "246810"})
    assert "secure" not in plain.headers["Set-Cookie"].lower()
    line = await connect(secure(box, pair), pair)
    answer = await line.ask("POST", "/api/upload/pin", b'{"pin": "246810"}', {"Content-Type": "application/json"})
    assert "; secure" in answer.headers["Set-Cookie"].lower()
    page = await line.ask("GET", "/")
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in page.headers, "a box that goes back to http must stay reachable"


@pytest.mark.parametrize("options", [["--upload-pin=246810", "--trusted-proxies=127.0.0.1"]])
@on_the_loop
async def test_a_proxy_that_says_http_makes_no_cookie_of_tls_a_plain_one(box: Box, pair: Pair) -> None:
    line = await connect(secure(box, pair), pair)
    said = {"Content-Type": "application/json", "X-Forwarded-Proto": "http"}
    answer = await line.ask("POST", "/api/upload/pin", b'{"pin": "246810"}', said)
    assert "; secure" in answer.headers["Set-Cookie"].lower()


@pytest.mark.parametrize("options", [["--drain-size=64k"]])
@pytest.mark.parametrize(("name", "code"), [("a.exe", "UNSUPPORTED_FORMAT"), ("a.mp4", "FILE_SIZE_EXCEEDED")])
@on_the_loop
async def test_a_refusal_is_read_while_the_body_still_comes(box: Box, pair: Pair, name: str, code: str) -> None:
    line = await connect(secure(box, pair), pair)
    line.begin("PUT", f"/u/{name}", {"Content-Length": str(64 * MIB)})
    line.send(movie(2 * MIB))
    answer = await line.answer()
    assert (answer.status, answer.code) == ({"UNSUPPORTED_FORMAT": 415, "FILE_SIZE_EXCEEDED": 413}[code], code)
    assert answer.headers["Connection"] == "close"
    await line.close()
    await until(lambda: box.door.count == 0, "it is let go")


# ---- those who do not speak it ----


@on_the_loop
async def test_what_is_no_tls_is_hung_up_on_without_noise(box: Box, pair: Pair) -> None:
    secure(box, pair)
    for data in (b"\x00" * 64, b"\xff" * 4096, b"SSH-2.0-x\r\n", b"GETTING", b"CONNECT x:1 HTTP/1.1\r\n\r\n"):
        line = await box.connect()
        line.send(data)
        assert b"HTTP/" not in await line.rest()
    await until(lambda: box.door.count == 0, "nothing of them is left")
    assert (await (await connect(box, pair)).ask("GET", "/health")).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
@on_the_loop
async def test_plain_http_is_told_to_use_https(box: Box, pair: Pair, method: str) -> None:
    line = await secure(box, pair).connect()
    line.begin(method, "/", {"Content-Length": "5"})
    head, _, body = (await line.rest()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head
    assert all("https://" in text for text in body.decode().splitlines())
    await until(lambda: box.door.count == 0, "nothing of it is left")


@on_the_loop
async def test_plain_http_that_comes_byte_by_byte_holds_up_nobody(box: Box, pair: Pair) -> None:
    slow = await secure(box, pair).connect()
    for byte in b"GET /":  # by so many it is known
        slow.send(bytes([byte]))
        assert (await (await connect(box, pair)).ask("GET", "/health")).status == 200
    assert b"https://" in await slow.rest()


@on_the_loop
async def test_a_handshake_that_stands_still_is_ended(box: Box, pair: Pair) -> None:
    secure(box, pair)
    box.door.conn_params.header_timeout = 0.2
    hello = Path("/dev/null").read_bytes() or b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # the head of one
    silent, halfway = await box.connect(), await box.connect()
    halfway.send(hello)
    for line in (silent, halfway):
        assert await line.rest() == b""
    await until(lambda: box.door.count == 0, "their places are free")


@on_the_loop
async def test_who_has_gone_before_the_handshake_is_no_error(box: Box, pair: Pair) -> None:
    secure(box, pair)
    for data in (b"", b"GET / HTTP/1.1\r\n\r\n"):
        gone = socket.create_connection(("127.0.0.1", box.port))
        gone.sendall(data)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()  # and only now does the loop turn, and accept
    assert (await (await connect(box, pair)).ask("GET", "/health")).status == 200
    await until(lambda: box.door.count == 1, "only the last one is here")


@on_the_loop
async def test_an_upload_whose_line_is_cut_without_a_farewell_is_not_whole(box: Box, pair: Pair) -> None:
    line = await connect(secure(box, pair), pair)
    session_id = (await line.ask("POST", "/api/upload/session", b"{}")).json()["sessionId"]
    socket_line = await connect(box, pair)
    socket_line.begin("GET", f"/ws?sessionId={session_id}", HANDSHAKE)
    await socket_line.head()
    watcher = Watcher(socket_line)
    line.begin("PUT", f"/api/upload/session/{session_id}/files/a.mp4", {"Transfer-Encoding": "chunked"})
    line.send(b"%x\r\n%b\r\n" % (500_000, movie(500_000)))
    await watcher.until("upload-started")
    line.writer.transport.abort()  # TLS knows no end without close_notify: a cut is not the end of a body
    failed = await watcher.until("upload-failed")
    assert failed["canRetry"] is True
    assert box.visible() == []


# ---- a new certificate ----


@on_the_loop
async def test_a_renewed_certificate_is_shown_to_whoever_comes_and_nobody_is_dropped(
    box: Box, pair: Pair, other: Pair, tmp_path: Path
) -> None:
    shown = Pair(tmp_path / "shown.pem", tmp_path / "shown.key")
    shown.cert.write_bytes(pair.cert.read_bytes())
    shown.key.write_bytes(pair.key.read_bytes())
    line = await connect(secure(box, shown), pair)
    assert serial(line) == pair.serial
    body = movie(1_000_000)
    line.begin("PUT", "/u/a.mp4", {"Content-Length": "1000000"})
    line.send(body[:500_000])
    await until(lambda: len(box.unfinished()) == 1, "it has begun")
    shown.cert.write_bytes(other.cert.read_bytes())
    shown.key.write_bytes(other.key.read_bytes())
    tls.renew(box.door, str(shown.cert), str(shown.key))
    later = await connect(box, other)
    assert serial(later) == other.serial
    line.send(body[500_000:])
    assert (await line.answer()).status == 201


@pytest.mark.expects_errors
@on_the_loop
async def test_a_certificate_that_cannot_be_read_does_not_replace_the_one_that_is_shown(
    box: Box, pair: Pair, other: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    secure(box, pair)
    tls.renew(box.door, str(other.cert), str(pair.key))
    assert "the certificate stays as it was" in caplog.records[-1].getMessage()
    assert caplog.records[-1].levelno == logging.ERROR
    assert serial(await connect(box, pair)) == pair.serial
