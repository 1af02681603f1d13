"""What the two ways of sending files share: bytes go to the intake, and every end of the request ends it once."""

from __future__ import annotations

from tornado.web import RequestHandler

from handlers.base import Base
from station.errors import Problem, Refused
from station.intake import Intake
from station.station import Station


def session_named(handler: RequestHandler, *told: str | None) -> str | None:
    """The session by query, by header, or as told elsewhere. Raises VALIDATION_ERROR when they differ."""
    hints = {handler.get_query_argument("sessionId", None), handler.request.headers.get("X-Session-Id"), *told}
    if len(hints := hints - {None, ""}) > 1:
        raise Refused("VALIDATION_ERROR", "the request names two sessions")
    return hints.pop() if hints else None


class Uploading(Base):
    def initialize(self, station: Station) -> None:
        super().initialize(station)
        self.intake: Intake | None = None
        self._finishing = False

    @property
    def content_length(self) -> int | None:
        text = self.request.headers.get("Content-Length")
        return int(text) if text is not None and text.isdigit() else None

    async def decide(self) -> None:
        if self.station.stopping:
            raise Refused("TOO_MANY_CONNECTIONS", retry_after=30)
        if self.request.headers.get("Content-Encoding", "identity") != "identity":
            raise Refused("VALIDATION_ERROR", "a compressed body is not taken")

    def watch_over(self, intake: Intake) -> None:
        """A cancel ends the request although its body stands still."""
        intake.on_dead = self._died

    def _died(self, problem: Problem) -> None:
        if not self._finishing:
            self.latch(problem)

    def latch(self, problem: Problem) -> None:
        """The rest of the body is only drained: the session need not wait for it."""
        super().latch(problem)
        if self.intake is not None and not self._finishing:
            self.intake.abort(problem)

    def interrupt(self, problem: Problem) -> None:
        if self._finishing:
            return
        if self.intake is not None:
            self.intake.on_dead = lambda cause: None  # what it dies of is told here
            timed_out = problem.code == "REQUEST_TIMEOUT"
            self.intake.abort(Problem("NETWORK_ERROR") if timed_out else problem, timed_out=timed_out)
        super().interrupt(problem)

    async def conclude(self) -> None:
        if self.intake is not None:
            if not self._finishing and self.problem is not None:
                self.intake.abort(self.problem)
            self._finishing = True
            await self.intake.close()

    def on_finish(self) -> None:
        """The answer is out. Only a fault of ours leaves the intake open until now."""
        self._finishing = True
        if self.intake is not None:
            self.intake.abort(self.problem or Problem("SERVER_ERROR"))
        super().on_finish()

    def release(self) -> None:
        """The connection is gone. An intake that is finishing has all its bytes and goes on."""
        if self.intake is not None and not self._finishing:
            self._finishing = True
            self.intake.abort(self.problem or Problem("NETWORK_ERROR"))
