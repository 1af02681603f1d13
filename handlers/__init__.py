"""The one URL table: a route is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, StaticFileHandler

from handlers.access import Pin
from handlers.answers import INERT_POLICY, WORKER_POLICY
from handlers.base import Base, Refuse
from handlers.batch import BatchUpload
from handlers.door import Door
from handlers.gate import Gate
from handlers.kiosk import Handover, Join, Kiosk, SessionCode, WifiCode
from handlers.operator import Health, StoredFile
from handlers.pages import Index
from handlers.polling import Polling
from handlers.push import LONGEST_MESSAGE, Push
from handlers.raw import RawUpload
from handlers.resumable import Resumable
from handlers.sessions import Cancel, Complete, Limits, OpenSession, Pause, Resume, Validate
from handlers.stream import EventStream
from station.errors import Problem
from station.station import Station

HERE = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"


class Static(Base, StaticFileHandler):
    """The page's own files, with the same headers and errors as everything else."""

    def initialize(self, station: Station, path: str) -> None:  # type: ignore[override]
        Base.initialize(self, station)
        StaticFileHandler.initialize(self, path)

    def compute_etag(self) -> str | None:
        whole = super().compute_etag()
        return whole and f'"{whole[1:33]}"'  # 128 bits tell versions apart; Tornado sends all 512

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")  # a new version of the station is seen at once
        for name in ("Accept-Ranges", "Referrer-Policy", "X-Frame-Options"):
            self.clear_header(name)  # the policy says it, or there is nothing to say: a page has fifty such answers
        works = self.absolute_path is not None and Path(self.root, "js", "worker") in Path(self.absolute_path).parents
        self.set_header("Content-Security-Policy", WORKER_POLICY if works else INERT_POLICY)


def routes(station: Station) -> list[Any]:
    given = {"station": station}
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
        (r"/api/upload/file/([^/]+)", StoredFile, given),
        (r"/ws", Push, given),
        (r"/health", Health, given),
        (r"/static/(.*)", Static, {**given, "path": str(HERE / "static")}),
    ]


class Site(Application):
    """All routes behind the gate: this one hook covers static files, sockets and unknown addresses too."""

    def __init__(self, station: Station, gate: Gate, **settings: Any) -> None:
        self._station = station
        self._gate = gate
        self.door: Door | None = None
        super().__init__(
            routes(station),
            default_handler_class=Refuse,
            default_handler_args={"station": station, "problem": Problem("NOT_FOUND")},
            template_path=str(HERE / "templates"),
            compress_response=True,
            websocket_max_message_size=4 * LONGEST_MESSAGE,
            gate=gate,
            version=VERSION,
            new_request_id=station.new_id,
            **settings,
        )

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        problem = self._gate.problem(request)
        if problem is None and self.door is not None and self.door.turns_away(request.connection):
            problem = Problem("TOO_MANY_CONNECTIONS", retry_after=10)
        if problem is None:
            return super().find_handler(request, **kwargs)
        return self.get_handler_delegate(request, Refuse, {"station": self._station, "problem": problem})
