"""How the station answers: the error row, security headers, the language, the request id. Knows no bodies."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from station.errors import Problem, Refused
from station.reporting import REQUEST
from station.station import Station
from station.wire import dumps

log = logging.getLogger("upload_station")
_STATUS_CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 400: "VALIDATION_ERROR"}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        # The film that keeps a phone's screen awake where the page may not ask for that comes with its library.
        "media-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        # Vue has a policy of its own, for markup that no template of ours uses.
        "require-trusted-types-for 'script'; trusted-types vue station"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with that, browsers send `Origin: null` with plain forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
# On plain http browsers ignore it, and complain about it on every page (seen in Chromium 156).
SECURE_HEADERS = {"Cross-Origin-Opener-Policy": "same-origin"}

# A worker goes by the policy of its own script: only it may compile WebAssembly, so that no page has to.
# What is no page does nothing when opened as one; and seventy times the long policy is a tenth of all that is loaded.
INERT_POLICY = "default-src 'none'"
WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"

LANGUAGE_COOKIE = "lang"
_A_YEAR = 366 * 86_400


def spoken(wish: str) -> str | None:
    """`zh-CN` or `en`, for a wish that is one of either; None for any other."""
    return {"zh": "zh-CN", "en": "en"}.get(wish.strip().lower()[:2])


def language_of(query: str | None, kept: str | None, accepted: str, default: str) -> str:
    """By ?lang=, else as kept by a page, else the first of Accept-Language that we speak, else the station's own.

    Who names other languages only comes from elsewhere, and is the better served by English.
    """
    named = [part.split(";")[0].strip() for part in accepted.split(",")]
    strange = any(name not in {"", "*"} for name in named)
    found = next(filter(None, map(spoken, [query or "", kept or "", *named])), None)
    return found or ("en" if strange else default)


class Answering(RequestHandler):
    """`problem`: what the request is answered with instead of what it asked for."""

    exposed = ""
    """Further header fields that pages of configured origins may read."""

    def initialize(self, station: Station) -> None:
        self.station = station
        self.problem: Problem | None = None

    def answer_to(self, problem: Problem) -> tuple[int, dict[str, Any]]:
        """Status and body that a problem is answered with."""
        return problem.row.status, self.error_body(problem)

    def write_problem(self) -> None:
        """Write the whole answer for the latched problem, with its length, but do not finish."""
        assert self.problem is not None
        self.station.meters.refused(self.problem.code)
        status, answer = self.answer_to(self.problem)
        self.set_status(status, _reason(status))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", ", ".join(self.verbs))
        if self.problem.retry_after is not None:
            self.set_header("Retry-After", str(self.problem.retry_after))
        self._json_headers()
        body = dumps(answer).encode()
        if (page := self.problem_page(answer)) is not None:
            self.set_header("Content-Type", "text/html; charset=UTF-8")
            body = page
        self.set_header("Content-Length", str(len(body)))
        self.write(body)

    def problem_page(self, answer: Mapping[str, Any]) -> bytes | None:
        """The page that tells a problem to whoever asked with a plain form; None: JSON will do."""
        return None

    def error_body(self, problem: Problem) -> dict[str, Any]:
        contact = self.station.config.contact
        return problem.answered(self.language, contact, self.station.clock().stamp, self.request_id)

    @property
    def verbs(self) -> list[str]:
        """The methods that this address takes."""
        own = type(self)
        return [v for v in self.SUPPORTED_METHODS if getattr(own, v.lower()) is not getattr(RequestHandler, v.lower())]

    def send_json(self, value: Any, status: int = 200) -> None:
        self.set_status(status)
        self._json_headers()
        self.write(dumps(value))

    def _json_headers(self) -> None:
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")

    @property
    def language(self) -> str:
        accepted = self.request.headers.get("Accept-Language", "")
        kept = self.get_cookie(LANGUAGE_COOKIE)
        return language_of(self.asked("lang"), kept, accepted, self.station.config.language)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """An id in the address (`name` None) that is no text is of nothing, as any other; a file's name is mended."""
        return value.decode(errors="replace") if name is None else super().decode_argument(value, name)

    def asked(self, name: str) -> str:
        """A field of the query; "" if it has none. Never raises."""
        # Read by hand: get_query_argument raises for what is no UTF-8, and errors are answered in a language too.
        return self.request.query_arguments.get(name, [b""])[-1].decode(errors="replace")

    def remember_language(self) -> None:
        """For pages: one address speaks two languages; the one that was asked for in it is kept for the next page."""
        self.add_header("Vary", "Accept-Language, Cookie")
        if (language := spoken(self.asked("lang"))) is not None:
            self.set_cookie(LANGUAGE_COOKIE, language, max_age=_A_YEAR, samesite="Lax")

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        secure = SECURE_HEADERS if self.request.protocol == "https" else {}
        for name, value in {**HEADERS, **secure}.items():
            self.set_header(name, value)
        self.request_id = getattr(self, "request_id", None) or self.application.settings["new_request_id"]()
        REQUEST.set(self.request_id)
        self.set_header("X-Request-Id", self.request_id)
        origin = self.request.headers.get("Origin", "")
        gate = self.application.settings["gate"]
        if gate.has_friends:
            self.add_header("Vary", "Origin")
        if gate.allows(origin):
            self.set_header("Access-Control-Allow-Origin", origin)
            readable = ", ".join(filter(None, ("Location, Link, X-Request-Id, Retry-After", self.exposed)))
            self.set_header("Access-Control-Expose-Headers", readable)
            self.set_header("Cross-Origin-Resource-Policy", "cross-origin")

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        if isinstance(kwargs.get("exc_info", (None, None))[1], StreamClosedError):
            if not self._finished:
                self.finish()  # nobody is there to read what went wrong
            return
        super().send_error(status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every error is a row of the table, also those that Tornado finds."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, Refused):
            self.problem = error.problem
        else:
            client = "VALIDATION_ERROR" if status_code < 500 else "SERVER_ERROR"
            self.problem = Problem(_STATUS_CODES.get(status_code, client))
        if self.request.method not in self.SUPPORTED_METHODS:
            self.set_header("Connection", "close")  # answered before the body, after which Tornado hangs up
        self.write_problem()
        self.finish()

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """As Tornado does, but without the address: ids in it open sessions. A client that hung up is no fault."""
        if not isinstance(value, (Refused, HTTPError, StreamClosedError)):
            told = {"event": "fault", "fields": {"request": self.request_id}}
            log.error("%s failed", type(self).__name__, exc_info=value, extra=told)


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
