"""Clients of resumable uploads, without HTTP: what the handler asks of a station, in the order in which it asks."""

from __future__ import annotations

import asyncio
from typing import Any

from station.append import Append as Appending
from station.berth import Berth
from station.channel import Channel
from station.errors import Problem, Refused
from station.resumption import Create, Kind
from tests.station.places import DEADLINE, Place, cut, until

BODY = bytes(range(256)) * 40
BROKEN = Problem("NETWORK_ERROR")


Where = Channel | str | None
"""A session, its id, or none: then the upload gets one of its own."""


def session_of(where: Where) -> str | None:
    return where.session.id if isinstance(where, Channel) else where


async def create(
    place: Place,
    where: Where = None,
    length: int | None = len(BODY),
    name: str = "a.txt",
    *,
    category: str | None = None,
    told: dict[str, str] | None = None,
    **wish: Any,
) -> Berth:
    """Make an upload. Raises Refused."""
    words = {"filename": name, **(told or {})}
    return await place.station.creation.create(Create(length, words, **wish), session_of(where), category)


async def refused(place: Place, where: Where, *given: Any, **wish: Any) -> Problem:
    """Why an upload is not made."""
    try:
        await create(place, where, *given, **wish)
    except Refused as refusal:
        return refusal.problem
    raise AssertionError("it was made")


async def begin(
    place: Place, berth: Berth, body: bytes = b"", *, content_length: int | None = None, **asked: Any
) -> Appending:
    """A request that has sent `body`, and may send more. Raises Refused."""
    append = await place.append(berth, content_length, **asked)
    for piece in cut(body, 65536):
        await append.feed(piece)
    return append


async def send(place: Place, berth: Berth, body: bytes, **wish: Any) -> Appending:
    """A request that came whole."""
    append = await begin(place, berth, body, content_length=len(body), **wish)
    await append.end(whole=True)
    return append


async def send_part(place: Place, berth: Berth, body: bytes, **wish: Any) -> Appending:
    """A request whose connection broke after `body`."""
    append = await begin(place, berth, body, content_length=len(BODY), **wish)
    await append.end(whole=False, lull=BROKEN)
    return append


async def upload(place: Place, where: Where, body: bytes = BODY, **wish: Any) -> Berth:
    """A whole upload in one request."""
    berth = await create(place, where, len(body), **wish)
    await send(place, berth, body)
    await finished(berth)
    return berth


async def partial_of(place: Place, body: bytes) -> Berth:
    """A finished partial upload."""
    berth = await create(place, None, len(body), kind=Kind.PARTIAL)
    await send(place, berth, body)
    return berth


async def final_of(place: Place, where: Where, *parts: Berth, name: str = "a.txt", **wish: Any) -> Berth:
    ids = tuple(part.upload.id for part in parts)
    return await create(place, where, None, name, kind=Kind.FINAL, parts=ids, **wish)


async def finished(berth: Berth) -> None:
    """Wait until nobody stores it any more."""
    async with asyncio.timeout(DEADLINE):
        while berth.finishing is not None:
            await asyncio.wait([berth.finishing])


async def stored(place: Place, berth: Berth) -> None:
    """Wait until it is stored, recorded, and its own bytes are freed."""
    await until(lambda: berth.upload.complete)
    await finished(berth)
    await place.no_parts()


async def gone(place: Place, upload_id: str) -> str | None:
    """What became of an upload, as a client that looks after it would be told; None: it can be gone on with."""
    try:
        berth = await place.station.shelf.find(upload_id)
    except Refused as refusal:
        return refusal.problem.code
    return "complete" if berth.upload.complete else berth.upload.gone


def tick(place: Place, seconds: float = 0.0) -> None:
    """Let time pass, and the station notice."""
    place.clock.pass_by(seconds)
    place.station.watch.tick()


async def complete(place: Place, upload_id: str) -> None:
    """Wait until it is recorded as stored, which comes after its session has settled and its part is gone."""
    async with asyncio.timeout(DEADLINE):
        while await gone(place, upload_id) != "complete":
            await asyncio.sleep(0.001)
