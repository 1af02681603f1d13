"""One line a request: method, what kind of thing was asked for, status, time. No address: ids in it open sessions."""

from __future__ import annotations

import logging

from tornado.web import RequestHandler

log = logging.getLogger("upload_station.access")
# Dozens for each page that is opened; one every two seconds from each kiosk.
_MANY = {"Static", "Again", "Handover"}


def log_request(handler: RequestHandler) -> None:
    """For Tornado's `log_function`."""
    status = handler.get_status()
    level = logging.INFO if status < 500 else logging.WARNING
    if status < 400 and type(handler).__name__ in _MANY:
        level = logging.DEBUG
    took = round(1000 * handler.request.request_time())
    request_id = getattr(handler, "request_id", "-")
    log.log(level, "%s %s %d %dms %s", _shown(handler.request.method), type(handler).__name__, status, took, request_id)


def _shown(method: str | None) -> str:
    return method if method is not None and method.isalpha() and len(method) <= 16 else "?"
