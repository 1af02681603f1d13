"""Posts to a real receiver, which answers as receivers do: well, badly, slowly, not at all."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from handlers.webhook import Poster
from station.hooks import Answer, Unreachable
from tests.handlers.site import Box, movie, on_the_loop, until

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]
LIMIT = 60.0
LONG = 600.0
SOON = 0.2


class Receiver:
    """`heads` and `bodies` of what was posted."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.address = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("Content-Length"))
            self.bodies.append(await reader.readexactly(length))
            self.heads.append(head)
            await self.reply(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def fields(self, at: int) -> dict[str, str]:
        lines = [line.partition(": ") for line in self.heads[at].split("\r\n")[1:] if line]
        return {name.lower(): value for name, _, value in lines}


def saying(*pieces: bytes) -> Reply:
    async def reply(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return reply


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def stalling(first: bytes) -> Reply:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await silence(writer)

    return reply


def endless(piece: bytes, first: bytes = b"") -> Reply:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()

    return reply


@asynccontextmanager
async def receiving(reply: Reply, userinfo: str = "", context: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver(reply)
    tasks: set[asyncio.Task[None]] = set()

    def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(receiver.take(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(taken, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    receiver.address = f"{'https' if context else 'http'}://{userinfo}127.0.0.1:{port}/in?box=1"
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@on_the_loop
async def test_a_post_says_what_it_is_and_carries_the_body(io_loop: object) -> None:
    async with receiving(saying(OK)) as receiver:
        answer = await Poster(receiver.address)(b'{"a": 1}', {"webhook-id": "msg_1"}, LIMIT)
        assert answer == Answer(204)
        assert receiver.heads[0].startswith("POST /in?box=1 HTTP/1.1\r\n")
        assert receiver.bodies == [b'{"a": 1}']
        fields = receiver.fields(0)
        assert (fields["content-type"], fields["webhook-id"]) == ("application/json", "msg_1")
        assert fields["user-agent"].startswith("Upload-Station/")
        assert "authorization" not in fields


@on_the_loop
async def test_a_name_and_a_password_are_sent_and_never_told(io_loop: object) -> None:
    async with receiving(saying(OK), "us%40er:pass%3Aword@") as receiver:
        poster = Poster(receiver.address)
        await poster(b"{}", {}, LIMIT)
        assert receiver.fields(0)["authorization"] == "Basic dXNAZXI6cGFzczp3b3Jk"
        assert "@" not in receiver.fields(0)["host"]
    with pytest.raises(Unreachable) as failure:
        await poster(b"{}", {}, LIMIT)
    assert str(failure.value) == "connection refused"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Answer(200)),
        (saying(b"HTTP/1.1 200 OK\r\n\r\n"), Answer(200)),
        (saying(*(bytes([byte]) for byte in OK)), Answer(204)),
        (saying(b"HTTP/1.1 100 Continue\r\n\r\n", OK), Answer(204)),
        # What was taken is not sent again because the rest of the answer did not come.
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"), Answer(200)),
        (endless(b"x" * 65536, b"HTTP/1.1 200 OK\r\n\r\n"), Answer(200)),
        (saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"), Answer(302)),
        (saying(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), Answer(410)),
        (saying(b"HTTP/1.1 429 No\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"), Answer(429, 120.0)),
        (saying(b"HTTP/1.1 503 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n"), Answer(503)),
        (saying(b"HTTP/1.1 503 No\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n"), Answer(503)),
        (saying(b"HTTP/1.1 503 No\r\nRetry-After: " + b"9" * 400 + b"\r\n\r\n"), Answer(503, float("inf"))),
        (saying(b"HTTP/1.0 500 Oh\r\n\r\ntrouble"), Answer(500)),
        (saying(b"HTTP/1.1 400 No\r\nContent-Length: x\r\n\r\n"), Answer(400)),
        (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), Answer(200)),
    ],
)
@on_the_loop
async def test_an_answer_is_its_status_and_when_to_come_again(io_loop: object, reply: Reply, answer: Answer) -> None:
    async with receiving(reply) as receiver:
        assert await Poster(receiver.address)(b"{}", {}, LIMIT) == answer


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"])
@on_the_loop
async def test_the_rest_of_an_answer_is_not_waited_for(io_loop: object, first: bytes) -> None:
    async with receiving(stalling(first)) as receiver:
        assert await Poster(receiver.address)(b"{}", {}, LONG) == Answer(200)


@on_the_loop
async def test_a_redirection_is_not_followed(io_loop: object) -> None:
    async with receiving(saying(OK)) as other:
        to_it = f"HTTP/1.1 307 There\r\nLocation: {other.address}\r\nContent-Length: 0\r\n\r\n".encode()
        async with receiving(saying(to_it)) as receiver:
            assert await Poster(receiver.address)(b"{}", {}, LIMIT) == Answer(307)
        assert other.heads == []


HUNG_UP, NO_HTTP, TOO_SLOW = "it hung up without an answer", "its answer is no HTTP", "it did not answer within 0.2 s"


@pytest.mark.parametrize(
    ("reply", "limit", "words"),
    [
        (saying(), LIMIT, HUNG_UP),
        (saying(b"HTTP/1.1 20"), LIMIT, HUNG_UP),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Le"), LIMIT, HUNG_UP),
        (saying(b"HTTP/1.1 100 Continue\r\n\r\n"), LIMIT, HUNG_UP),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), LIMIT, NO_HTTP),
        (saying(b"\xff\xfe\x00\r\n\r\n"), LIMIT, NO_HTTP),
        (saying(b"HTTP/1.1 200 OK\r\n: nameless\r\n\r\n"), LIMIT, NO_HTTP),
        (endless(b"a: " + b"b" * 1000 + b"\r\n", b"HTTP/1.1 200 OK\r\n"), LIMIT, NO_HTTP),
        (endless(b"HTTP/1.1 100 Continue\r\n\r\n"), LIMIT, NO_HTTP),
        (silence, SOON, TOO_SLOW),
        (stalling(b"HTTP/1.1 200 OK\r\nContent-"), SOON, TOO_SLOW),
    ],
)
@on_the_loop
async def test_what_is_no_answer_is_told_in_words(io_loop: object, reply: Reply, limit: float, words: str) -> None:
    async with receiving(reply) as receiver:
        with pytest.raises(Unreachable) as failure:
            await Poster(receiver.address)(b"{}", {}, limit)
    assert str(failure.value) == words


@pytest.mark.parametrize("scheme", ["http", "https"])
@on_the_loop
async def test_one_that_hangs_up_before_it_was_asked_is_told_in_words(io_loop: object, scheme: str) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable) as failure:
            await Poster(f"{scheme}://user:word@127.0.0.1:{port}/")(b"x" * 100_000, {}, LIMIT)
    assert str(failure.value)
    assert not any(part in str(failure.value) for part in ("127.0.0.1", "user", "word"))


@on_the_loop
async def test_one_that_knows_no_tls_is_told_in_words(io_loop: object) -> None:
    def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match=r"^no secure connection: "):
            await Poster(f"https://127.0.0.1:{port}/")(b"{}", {}, LIMIT)


@pytest.mark.parametrize("name", ["nobody.invalid", "a..invalid", "a" * 70, "256.1.1.1", "x%00y"])
@on_the_loop
async def test_a_name_that_is_not_known_is_told_in_words(io_loop: object, name: str) -> None:
    with pytest.raises(Unreachable, match="its name is not known"):
        await Poster(f"http://{name}/")(b"{}", {}, LIMIT)


@on_the_loop
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(io_loop: object, tmp_path: Path) -> None:
    assert shutil.which("openssl"), "install.sh brings it"
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with receiving(saying(OK), context=context) as receiver:
        with pytest.raises(Unreachable, match="its certificate is not trusted"):
            await Poster(receiver.address)(b"{}", {}, LIMIT)
        assert receiver.heads == []


@on_the_loop
async def test_every_post_of_a_station_is_signed_as_the_schemes_own_package_wants_it(
    io_loop: object, tmp_path: Path
) -> None:
    from tests.handlers import site

    async with receiving(saying(OK)) as receiver:
        events = "--webhook-events=upload-started,upload-completed,session-completed"
        box: Box = await site.build(
            tmp_path / "upload", [f"--webhook={receiver.address}", f"--webhook-secret={SECRET}", events]
        )
        try:
            await box.ask("PUT", "/u/a.mp4", movie(5))
            await until(lambda: len(receiver.heads) == 3, "three posts")
        finally:
            await site.take_down(box)
        told = [Webhook(SECRET).verify(body.decode(), receiver.fields(at)) for at, body in enumerate(receiver.bodies)]
    assert [message["event"] for message in told] == ["upload-started", "upload-completed", "session-completed"]
    assert [json.loads(body) for body in receiver.bodies] == told


@on_the_loop
async def test_a_password_in_the_address_is_in_no_log_and_no_letter(
    io_loop: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from tests.handlers import site

    caplog.set_level(logging.DEBUG)
    async with receiving(saying(b"HTTP/1.1 410 Gone\r\n\r\n"), "someone:hidden-word@") as receiver:
        hook = [f"--webhook={receiver.address}", f"--webhook-secret={SECRET}", "--webhook-events=upload-completed"]
        box = await site.build(tmp_path / "upload", hook)
        try:
            await box.ask("PUT", "/u/a.mp4", movie(5))
            await until(lambda: box.station.hooks.counts()["webhook", "dead"] == 1, "410 means never again")
            [letter] = await box.station.hooks.dead_letters()
        finally:
            await site.take_down(box)
    assert (letter.tries, letter.error) == (1, "it answered 410")
    assert "given up" in caplog.text
    assert not any(word in caplog.text for word in ("someone", "hidden-word", SECRET))
