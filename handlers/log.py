"""One line a request: method, kind of thing, status, what was refused, time. No address: ids in it open sessions.

Nor who asked, unless it was a guess at a PIN, a code or the token: then the operator has to know whom to keep out.
"""

from __future__ import annotations

import logging
from typing import Any

from tornado.web import RequestHandler

from station.reporting import Condition, say, short, told
from station.station import Station

log = logging.getLogger("upload_station.access")
_station = logging.getLogger("upload_station")
# Dozens for each page that is opened; one every few seconds from each kiosk, operator's page and collector.
_MANY = {"Static", "Again", "Handover", "Health", "Metrics", "Overview", "Series", "Distribution"}
_SHAPE = (8, 4, 4, 4, 12)


def attend(station: Station) -> None:
    """From now on the log hears what becomes of files, and whether the station is well."""
    station.hub.on_told.append(told)
    floor, storage, journal = station.config.min_free_space, station.storage, station.journal
    condition = Condition(floor, lambda: storage.space().free, lambda: journal.failing)
    station.watch.on_lag.append(condition.tick)


def say_started(station: Station, version: str, port: int) -> None:
    where: dict[str, Any] = {"version": version, "port": port, "folder": station.config.upload_dir}
    where |= {"sessions": len(station.channels), "uploads": len(station.shelf)}  # to go on with
    say(_station, logging.INFO, "started", "the station is ready", **where)


def log_request(handler: RequestHandler) -> None:
    """For Tornado's `log_function`."""
    status, kind = handler.get_status(), type(handler).__name__
    level = logging.INFO if status < 500 else logging.WARNING
    if status < 400 and kind in _MANY:
        level = logging.DEBUG
    code = getattr(getattr(handler, "problem", None), "code", None)
    took = round(1000 * handler.request.request_time())
    # A guess that was looked at has a line of its own; who only stands at a door is nobody to be named.
    who = handler.request.remote_ip if code == "TOO_MANY_TRIES" else None
    say(
        log,
        level,
        "request",
        f"{_shown(handler.request.method)} {kind} {status}",
        kind=f"{kind} {status} {code}",
        code=code,
        ms=took,
        **_about(handler),
        peer=who,
        request=getattr(handler, "request_id", None),
    )


def _about(handler: RequestHandler) -> dict[str, Any]:
    """Short names for what the address names, so that this line is found with those of the session."""
    ids = [part for part in handler.request.path.split("/") if tuple(map(len, part.split("-"))) == _SHAPE]
    return {"about": short(ids[0].lower())} if ids else {}


def _shown(method: str | None) -> str:
    return method if method is not None and method.isalpha() and len(method) <= 16 else "?"
