"""The one URL table: a route is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import Application

from handlers.access import Pin
from handlers.base import Refuse
from handlers.batch import BatchUpload
from handlers.door import Door
from handlers.files import Download, Files
from handlers.gate import Gate
from handlers.kiosk import Handover, Join, Kiosk, SessionCode, WifiCode
from handlers.letters import Letter, Letters
from handlers.login import Login, Logout
from handlers.metrics import Metrics, Texts
from handlers.monitor import Monitor
from handlers.operator import Health, Key, StoredFile
from handlers.overview import Distribution, OneSession, Overview, Series, Sessions
from handlers.pages import Index
from handlers.polling import Polling
from handlers.proxies import Proxies
from handlers.push import LONGEST_MESSAGE, Push
from handlers.raw import RawUpload
from handlers.resumable import Resumable
from handlers.sessions import Cancel, Complete, Limits, OpenSession, Pause, Resume, Validate
from handlers.static import Again, Copies, Static
from handlers.stream import EventStream
from station.errors import Problem
from station.station import Station
from station.token import operator_secret

HERE = Path(__file__).resolve().parent.parent
RELEASE = "0.1.0"
# Of an installed wheel, beside this package, the whole of it: `make wheel` adds when its commit was made.
VERSION = next((found.stem.split("-")[1] for found in HERE.glob("upload_station-*.dist-info")), RELEASE)


def routes(station: Station) -> list[Any]:
    given = {"station": station}
    files = {**given, "path": str(HERE / "static"), "copies": Copies()}
    return [
        (r"/", Index, given),
        (r"/s/([^/]+)", Index, given),
        (r"/kiosk", Kiosk, given),
        (r"/kiosk/wifi.svg", WifiCode, given),
        (r"/j/?", Join, given),
        (r"/j/([^/]+)", Join, given),
        (r"/api/upload/handover/([^/]+)", Handover, given),
        (r"/api/upload/handover/([^/]+)/qr.svg", SessionCode, given),
        (r"/api/upload/config", Limits, given),
        (r"/api/upload/validate", Validate, given),
        (r"/api/upload/pin", Pin, given),
        (r"/api/upload/session", OpenSession, given),
        (r"/api/upload/batch", BatchUpload, given),
        (r"/api/upload/session/([^/]+)/files/(.*)", RawUpload, given),
        (r"/u/(.*)", RawUpload, given),
        (r"/files/?", Resumable, given),
        (r"/files/([^/]+)", Resumable, given),
        (r"/api/upload/cancel/([^/]+)", Cancel, given),
        (r"/api/upload/pause/([^/]+)", Pause, given),
        (r"/api/upload/resume/([^/]+)", Resume, given),
        (r"/api/upload/complete/([^/]+)", Complete, given),
        (r"/api/upload/progress/([^/]+)", Polling, given),
        (r"/api/upload/events/([^/]+)", EventStream, given),
        (r"/ws", Push, given),
        *_operating(given),
        (r"/static/again-\d{1,4}/((?:js|vendor)/.*)", Again, files),
        (r"/static/(.*)", Static, files),
    ]


def _operating(given: dict[str, Any]) -> list[Any]:
    """For the person who runs the box."""
    return [
        (r"/monitor", Monitor, given),
        (r"/monitor/login", Login, given),
        (r"/monitor/logout", Logout, given),
        (r"/api/monitor/overview", Overview, given),
        (r"/api/monitor/series", Series, given),
        (r"/api/monitor/distribution", Distribution, given),
        (r"/api/monitor/sessions", Sessions, given),
        (r"/api/monitor/sessions/([^/]+)", OneSession, given),
        (r"/api/monitor/files", Files, given),
        (r"/api/monitor/files/([^/]+)", Download, given),
        (r"/api/upload/file/([^/]+)", StoredFile, given),
        (r"/api/monitor/letters", Letters, given),
        (r"/api/monitor/letters/([^/]+)", Letter, given),
        (r"/health", Health, given),
        (r"/metrics", Metrics, {**given, "texts": Texts()}),
    ]


class Site(Application):
    """All routes behind the gate: this one hook covers static files, sockets and unknown addresses too."""

    def __init__(self, station: Station, gate: Gate, **settings: Any) -> None:
        self._station = station
        self._gate = gate
        self._proxies = Proxies(station.config.trusted_proxies)
        self.door: Door | None = None
        station.monitor.version = VERSION
        super().__init__(
            routes(station),
            default_handler_class=Refuse,
            default_handler_args={"station": station, "problem": Problem("NOT_FOUND")},
            template_path=str(HERE / "templates"),
            compress_response=True,
            websocket_max_message_size=4 * LONGEST_MESSAGE,
            gate=gate,
            operator=Key(settings.pop("admin_token"), operator_secret(station.storage.own)),
            version=VERSION,
            new_request_id=station.new_id,
            **settings,
        )

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        self._proxies.see_through(request)
        problem = self._gate.problem(request)
        if problem is None and self.door is not None and self.door.turns_away(request.connection):
            problem = Problem("TOO_MANY_CONNECTIONS", retry_after=10)
        if problem is None:
            return super().find_handler(request, **kwargs)
        return self.get_handler_delegate(request, Refuse, {"station": self._station, "problem": problem})
