"""What every route shares: streaming bodies, the error row as the answer, security headers, language, request id.

All requests stream: only so does Tornado not gather unlimited bodies (its own limit answers a bare 400). A request
whose outcome is decided while its body still comes is drained, so that the client can read the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import parse_qs

from tornado.web import stream_request_body

from handlers.answers import Answering
from handlers.linger import Linger
from handlers.tls import stop_sending
from station.errors import Problem, Refused
from station.stall import BodyPace
from station.station import Station
from station.wire import loads

log = logging.getLogger("upload_station")
P = ParamSpec("P")
JSON_LIMIT = 1024**2
_UNLIMITED = 2**62  # our own limits hold instead
Verb = TypeVar("Verb", bound="Base")


def verb(method: Callable[Concatenate[Verb, P], Awaitable[None]]) -> Callable[Concatenate[Verb, P], Awaitable[None]]:
    """A verb of a handler: not run when the request was turned away before; a Refused it raises is its answer."""

    @wraps(method)
    async def run(self: Verb, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if self.problem is None:
            try:
                await method(self, *args, **kwargs)
            except Refused as refused:
                self.problem = refused.problem
        if self.problem is not None:
            await self.answer_problem()

    return run


@stream_request_body
class Base(Answering):
    """`decide` may refuse before the body comes; `take` gets the body; verbs run once it is there."""

    def initialize(self, station: Station) -> None:
        super().initialize(station)
        self._body = bytearray()
        self._pace: BodyPace | None = None
        self._linger: Linger | None = None

    # -- the request

    async def prepare(self) -> None:
        self.request.connection.set_max_body_size(_UNLIMITED)  # type: ignore[union-attr]
        try:
            if self.request.method not in self.verbs:
                raise Refused("METHOD_NOT_ALLOWED")
            await self.decide()
        except Refused as refused:
            self.latch(refused.problem)
            if "Expect" in self.request.headers:
                # No body has been sent yet, and 100-continue would invite it. Tornado then hangs up.
                self.set_header("Connection", "close")
                await self.answer_problem()
                return
        self._expect_body()

    async def decide(self) -> None:
        """Decide what can be decided from the headers. Raise Refused to turn the request away."""

    async def take(self, chunk: bytes) -> None:
        """A piece of the body. Raise Refused to take no more."""
        if len(self._body) + len(chunk) > JSON_LIMIT:
            raise Refused("REQUEST_TOO_LARGE", f"at most {JSON_LIMIT} bytes")
        self._body += chunk

    def latch(self, problem: Problem) -> None:
        """The outcome is decided; from here on the body is only drained."""
        if self.problem is None:
            self.problem = problem
            self._body.clear()
            config = self.station.config
            self._linger = Linger(config.drain_size, config.drain_time, self._hang_up)

    async def data_received(self, chunk: bytes) -> None:
        now = self.station.clock().mono
        if self._pace is not None:
            self._pace.arrived(len(chunk), now)
        if self._linger is not None:
            self._linger.drained(len(chunk))
            return
        try:
            await self.take(chunk)
        except Refused as refused:
            self.latch(refused.problem)
        if self._pace is not None:
            self._pace.ready(self.station.clock().mono)

    def _expect_body(self) -> None:
        if self.request.headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in self.request.headers:
            return
        config = self.station.config
        self._pace = BodyPace(config.body_idle_timeout, config.body_min_rate, self.station.clock().mono)
        self.station.watch.bodies[self._pace] = self.interrupt

    def interrupt(self, problem: Problem) -> None:
        """The body stands still, or the station stops: answer, although nobody may be there to read it."""
        self.latch(problem)
        self._hang_up()

    def _hang_up(self) -> None:
        self.station.tasks.start(self.answer_early(), "interrupted request")

    async def answer_early(self) -> None:
        """Answer while the body still comes, stop sending, and hang up once the client had time to read."""
        if self._is_answered() or self._linger is None:
            return
        stream = self.request.connection.stream  # type: ignore[union-attr]
        await self.conclude()
        if self._is_answered() or stream.closed():
            return
        self.set_header("Connection", "close")
        self.write_problem()
        await self.flush()
        if not stream.closed():
            stop_sending(stream)
            self._linger.close_later(stream.close)

    async def conclude(self) -> None:
        """Bring to an end what the request began, before its problem is answered."""

    async def answer_problem(self) -> None:
        """Finish with the latched problem, unless that was done early."""
        if not self._is_answered():
            await self.conclude()
        if not self._is_answered():
            self.write_problem()
        if not self._finished:
            await self.finish()

    def _is_answered(self) -> bool:
        return self._headers_written or self._finished

    def json_body(self) -> dict[str, Any]:
        """The body as a JSON object; an empty body is an empty object. Raises VALIDATION_ERROR."""
        if not self._body:
            return {}
        try:
            value = loads(bytes(self._body))
        except ValueError:
            raise Refused("VALIDATION_ERROR", "the body is not JSON") from None
        if not isinstance(value, dict):
            raise Refused("VALIDATION_ERROR", "the body is not a JSON object")
        return value

    def form_field(self, name: str) -> str:
        """Of a form that was sent as a browser does without a script; "" if it has none."""
        try:
            fields = parse_qs(self._body.decode(errors="replace"), max_num_fields=10)
        except ValueError:  # nobody's form has so many
            return ""
        return fields.get(name, [""])[-1]

    async def options(self, *_: str, **__: str) -> None:
        """What may be asked here; for configured origins also the answer to a preflight."""
        self.set_header("Allow", ", ".join(self.verbs))
        self.allow_origin()
        self.set_status(204)

    def allow_origin(self, further: str = "") -> None:
        """The answer to a preflight, for configured origins. `further`: header fields that may be sent here, too."""
        if "Access-Control-Allow-Origin" in self._headers:
            self.set_header("Access-Control-Allow-Methods", ", ".join(self.verbs))
            fields = "Content-Type, X-Session-Id, X-Upload-Pin, Authorization"
            self.set_header("Access-Control-Allow-Headers", ", ".join(filter(None, (fields, further))))

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        if self.problem is None or not self._headers_written:
            super().send_error(status_code, **kwargs)
        elif not self._finished:
            self.finish()  # it was answered while the body still came

    # -- the end

    def on_finish(self) -> None:
        self._release()

    def on_connection_close(self) -> None:
        super().on_connection_close()  # ends the wait for a body that will not come; a socket learns that it is closed
        self._release()

    def _release(self) -> None:
        """Both ways in which a request ends come here, sometimes both."""
        if self._pace is not None:
            self.station.watch.bodies.pop(self._pace, None)
        if self._linger is not None:
            self._linger.stop()
        self.release()

    def release(self) -> None:
        """Give back what the request held; may be called twice."""


class Refuse(Base):
    """Answers with one problem, whatever is asked."""

    def initialize(self, station: Station, problem: Problem) -> None:  # type: ignore[override]
        super().initialize(station)
        self._refusal = problem

    async def decide(self) -> None:
        raise self._refusal.refusal()

    async def _answer(self, *_: str, **__: str) -> None:
        await self.answer_problem()

    get = head = post = put = patch = delete = options = _answer
