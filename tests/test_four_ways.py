"""One file as a form, a raw body, over tus and over the IETF draft: nobody can tell afterwards which way it came.

Not on disk, not by what was told, and not by what was refused.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tornado.ioloop import IOLoop

from tests.handlers import site
from tests.handlers.site import Answer, Box, Json

LARGEST = 300 * 1024
TOO_LARGE = 8 * 1024**2 + 1
Pieces = Sequence[bytes]
Way = Callable[[Box, str, str, Pieces], Awaitable[Answer]]
"""Sends a file of this name, in pieces, into this session; the last answer."""


@pytest.fixture
def box(io_loop: IOLoop, tmp_path: Path) -> Iterator[Box]:
    built = io_loop.run_sync(lambda: site.build(tmp_path / "upload", []))
    yield built
    io_loop.run_sync(lambda: site.take_down(built))


async def sent(box: Box, method: str, target: str, head: dict[str, str], body: Pieces) -> Answer:
    """One request, its body in pieces that leave one by one."""
    line = await box.connect()
    line.begin(method, target, {**head, "Content-Length": str(sum(map(len, body)))})
    for piece in body:
        line.send(piece)
        await line.writer.drain()
    answer = await line.answer()
    await line.close()
    return answer


async def by_form(box: Box, session_id: str, name: str, pieces: Pieces) -> Answer:
    kind = {"Content-Type": f"multipart/form-data; boundary={site.BOUNDARY}"}
    head, tail = site.form([site.file_part(name, b"")]).split(b"\r\n\r\n", 1)
    length = f"\r\nContent-Length: {sum(map(len, pieces))}\r\n\r\n".encode()  # of the part: browsers do not tell it
    body = [head + length, *pieces, tail]
    return await sent(box, "POST", f"/api/upload/batch?sessionId={session_id}", kind, body)


async def by_raw_body(box: Box, session_id: str, name: str, pieces: Pieces) -> Answer:
    target = f"/api/upload/session/{session_id}/files/{quote(name, safe='')}"
    return await sent(box, "PUT", target, {}, pieces)


async def by_tus(box: Box, session_id: str, name: str, pieces: Pieces) -> Answer:
    told = site.metadata(filename=name, sessionId=session_id)
    head = {**site.TUS, "Upload-Length": str(sum(map(len, pieces))), "Upload-Metadata": told}
    answer = await sent(box, "POST", "/files/", head, [])
    path, offset = answer.headers.get("Location"), 0
    for piece in pieces:
        if answer.status >= 300 or path is None:
            break
        answer = await sent(box, "PATCH", path, site.at_offset(offset), [piece])
        offset += len(piece)
    return answer


async def by_draft(box: Box, session_id: str, name: str, pieces: Pieces) -> Answer:
    first, *others = pieces or [b""]
    named = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    length = str(sum(map(len, pieces)))
    head = {**site.draft(8, complete=not others), "Content-Disposition": named, "Upload-Length": length}
    answer = await sent(box, "POST", f"/files/?sessionId={session_id}", head, [first])
    path, offset = answer.headers.get("Location"), len(first)
    for number, piece in enumerate(others, 1):
        if answer.status >= 300 or path is None:
            break
        head = site.draft(8, complete=number == len(others), offset=offset)
        answer = await sent(box, "PATCH", path, head, [piece])
        offset += len(piece)
    return answer


WAYS: dict[str, Way] = {"form": by_form, "raw": by_raw_body, "tus": by_tus, "draft": by_draft}


# ---- what is the same ----

_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d[-:]\d\d[-:]\d\d[_.]\d{3}Z")
MEASURED = {"duration", "finalSpeed", "averageSpeed", "totalTime"}


def plain(value: Any) -> Any:
    """Without what two uploads can never have in common: ids, times, speeds."""
    match value:
        case dict():
            return {key: plain(each) for key, each in value.items() if key not in MEASURED}
        case list():
            return [plain(each) for each in value]
        case str():
            return _TIMES.sub("<time>", _IDS.sub("<id>", value))
    return value


async def outcome(box: Box, way: Way, name: str, pieces: Pieces) -> Json:
    """All that is left of one upload into a session of its own."""
    before = set(box.visible())
    session_id = await box.open(category="scenic", expectedFiles=1)
    answer = await way(box, session_id, name, pieces)
    snapshot = await box.progress(session_id, "?since=0")
    new = [path for path in box.visible() if path not in before]
    events = [{"event": each["event"], **plain(each["data"])} for each in snapshot["events"]]
    for event in events:
        if event.pop("estimated", False):  # a form tells only the length of the whole request beforehand
            event["fileSize"] = sum(map(len, pieces))
    return {
        "well": answer.status < 300,
        "code": None if answer.status < 300 else answer.code,
        "status": None if answer.status < 300 else answer.status,
        "stored": [(plain(path.name), path.stat().st_mode, path.read_bytes()) for path in new],
        "events": events,
        "snapshot": {k: v for k, v in plain(snapshot).items() if k not in {"events", "epoch"}},
        "unfinished": [path.name for path in box.unfinished()],
    }


async def outcomes(box: Box, name: str, pieces: Pieces) -> dict[str, Json]:
    return {way: await outcome(box, WAYS[way], name, pieces) for way in WAYS}


def assert_the_same(found: dict[str, Json]) -> Json:
    raw = found["raw"]
    for way, other in found.items():
        for part, value in raw.items():
            assert other[part] == value, f"{part} differs by {way}"
    return raw


@st.composite
def files(draw: st.DrawFn) -> list[bytes]:
    """Any content that a .txt may have, cut anywhere."""
    size = draw(st.one_of(st.integers(0, 5), st.integers(0, LARGEST), st.sampled_from([4096, 65536, LARGEST])))
    seed = draw(st.binary(min_size=1, max_size=16)).replace(b"\0", b"0").decode("latin1").encode()
    content = (seed * (size // len(seed) + 1))[:size]
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=4 if size else 0)))
    return [content[a:b] for a, b in zip([0, *cuts], [*cuts, size], strict=True)]


UNSENDABLE = re.compile(r'[%"\\\0]')  # in a form's own way of writing names
NAMES = st.one_of(
    st.just("a"),
    st.sampled_from([name for name in site.HOSTILE_NAMES if not UNSENDABLE.search(name)]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters='%"\\\0'), max_size=40),
).map(lambda name: f"{name}.txt")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=NAMES, pieces=files())
@example(name="a.txt", pieces=[b""])
@example(name="a.txt", pieces=[b"", b"", b"x" * LARGEST, b""])
def test_a_file_is_stored_and_told_the_same_whichever_way_it_came(
    io_loop: IOLoop, box: Box, name: str, pieces: list[bytes]
) -> None:
    same = assert_the_same(io_loop.run_sync(lambda: outcomes(box, name, pieces), timeout=200))
    if not same["well"]:
        assert same["code"] == "UNSUPPORTED_FORMAT"  # nothing of the name is left but its dots
        return
    assert [event["event"] for event in same["events"]] == ["upload-started", "upload-completed", "session-completed"]
    ((_, mode, content),) = same["stored"]
    assert content == b"".join(pieces)
    assert mode & 0o777 == 0o640
    assert same["unfinished"] == []


@pytest.mark.parametrize(
    ("name", "content", "code", "status"),
    [
        ("a.exe", [b"MZ" * 2000], "UNSUPPORTED_FORMAT", 415),
        ("a.png", [b"<html><script>alert(1)</script></html>" + b" " * 3000], "UNSUPPORTED_FORMAT", 415),
        ("a.txt", [b"x" * TOO_LARGE], "FILE_SIZE_EXCEEDED", 413),
    ],
)
def test_a_file_is_refused_the_same_whichever_way_it_came(
    io_loop: IOLoop, box: Box, name: str, content: list[bytes], code: str, status: int
) -> None:
    found = io_loop.run_sync(lambda: outcomes(box, name, content), timeout=200)
    same = assert_the_same(found)
    assert (same["code"], same["status"]) == (code, status)
    assert [event["event"] for event in same["events"]] == ["upload-failed", "session-completed"]
    assert same["events"][0]["canRetry"] is False
    assert (same["stored"], same["unfinished"]) == ([], [])


def test_a_session_that_is_over_takes_nothing_whichever_way_it_comes(io_loop: IOLoop, box: Box) -> None:
    async def refusals() -> set[tuple[int, str]]:
        session_id = await box.open(autoComplete=False)
        await box.post(f"/api/upload/complete/{session_id}")
        answers = [await way(box, session_id, "a.txt", [b"late"]) for way in WAYS.values()]
        assert names_of(await box.progress(session_id, "?since=0")) == ["session-completed"]
        return {(answer.status, answer.code) for answer in answers}

    assert io_loop.run_sync(refusals, timeout=200) == {(409, "SESSION_CLOSED")}
    assert box.visible() == []


def names_of(snapshot: Json) -> list[str]:
    return site.names(snapshot["events"])
