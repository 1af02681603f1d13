"""A multipart body: parts become deliveries; until the session is known they are held, and nothing is told."""

from __future__ import annotations

from collections.abc import Iterable

from station.claim import unnamed
from station.delivery import Delivery
from station.dock import Dock
from station.errors import Problem, Refused
from station.events import Way
from station.intake import Finder, Intake, Receipt
from station.multipart import Decoder, FieldRead, MultipartProblem, PartData, PartFinished, PartStarted
from station.names import shown_name


class BatchIntake(Intake):
    """`session_id`: as query or header gave it. The form field of that name may come before or after the files."""

    def __init__(
        self, dock: Dock, sessions: Finder, content_length: int | None, decoder: Decoder, session_id: str | None
    ) -> None:
        super().__init__(dock, sessions, content_length)
        self._decoder = decoder
        self._session_id = session_id
        self._category: str | None = None
        self._file_id: str | None = None
        self._current: Delivery | None = None
        self._held: list[Delivery] = []
        self._seen = 0
        self._broken = False
        """The body as a whole cannot be used any more; what was stored before stays."""

    async def open(self) -> None:
        """Join the session if it is known by now. Raises Refused."""
        self.admit()
        if self._session_id is not None:
            await self.join(self._session_id)

    async def feed(self, block: bytes) -> None:
        """Never raises: problems are latched."""
        self.took(len(block))
        if self._broken:
            return
        try:
            for event in self._decoder.feed(block):
                if self._over:
                    return
                match event:
                    case PartData(data):
                        await self._feed_part(data)
                    case PartStarted():
                        self._start_part(event)
                    case PartFinished():
                        await self._finish_part()
                    case FieldRead(name, value):
                        await self._read_field(name, value)
        except MultipartProblem as problem:
            self._break(Problem("VALIDATION_ERROR", problem.reason))
        except Refused as refused:
            self._break(refused.problem)
        self._begin_current()

    def _begin_current(self) -> None:
        if self._current is not None:
            self._current.begin()
            if self._current.dead and self._current.problem is None:
                self.note(Problem("UPLOAD_CANCELLED"))

    async def finish(self) -> Receipt:
        """The body has ended: publish what was held, under an implicit session if none was named."""
        if not self._broken:
            try:
                self._decoder.finish()
                await self._settle_session()
            except MultipartProblem as problem:
                self._break(Problem("VALIDATION_ERROR", problem.reason))
            except Refused as refused:
                self._break(refused.problem)
        if not self._seen:
            self.note(Problem("NO_FILES"))
        return await self.close()

    @property
    def hopeless(self) -> bool:
        """Nothing that may still come can be stored."""
        channel = self.receipt.channel
        over = channel is not None and not channel.session.takes_files
        return self._broken or (over and (self._current is None or self._current.dead))

    def deliveries(self) -> Iterable[Delivery]:
        return [*self._held, *([self._current] if self._current is not None else [])]

    # -- parts

    def _start_part(self, part: PartStarted) -> None:
        self._seen += 1
        name = shown_name(part.filename)
        size, estimated = part.size, False
        if size is None and self.content_length is not None:
            size = max(0, self.content_length - self._decoder.position - self._decoder.closing_length)
            estimated = not self._is_last()
        promised = part.size is not None
        delivery = Delivery(self._dock, name, size, estimated=estimated, promised=promised, way=Way.MULTIPART)
        delivery.problem = self._judge(delivery)
        delivery.on_dead = lambda: self._part_died(delivery.problem)
        self._current = delivery
        if self.receipt.channel is not None:
            self._claim(delivery)

    def _part_died(self, problem: Problem | None) -> None:
        if self.hopeless and not self._over:
            self.on_dead(self.problem or problem or Problem("UPLOAD_CANCELLED"))

    def _is_last(self) -> bool:
        """Whether the session expects no file after this one: then Content-Length gives its exact size."""
        channel = self.receipt.channel
        if channel is None or channel.session.terms.expected is None:
            return False
        now = self._dock.clock().mono
        done = sum(file.is_final(now) or file.in_flight for file in channel.session.files.values())
        return channel.session.terms.expected - done == 1

    def _judge(self, delivery: Delivery) -> Problem | None:
        if self._seen > self._dock.config.max_files:
            return Problem("TOO_MANY_FILES", f"at most {self._dock.config.max_files}")
        # A size worked out from Content-Length may be too large by the fields that follow: only counting tells.
        return self._dock.judge(delivery.name, delivery.size if delivery.promised else None)

    def _claim(self, delivery: Delivery) -> None:
        """A part that cannot be a file of the session is noted and skipped, the other parts go on."""
        assert self.receipt.channel is not None
        file_id, self._file_id = self._file_id, None
        try:
            self.claim(self.receipt.channel, delivery, file_id)
        except Refused as refused:
            delivery.problem = refused.problem
            delivery.discard()
        self.note(delivery.problem)

    async def _feed_part(self, data: bytes) -> None:
        if self._current is not None:
            await self._current.feed(data)

    async def _finish_part(self) -> None:
        delivery, self._current = self._current, None
        if delivery is None:
            return
        if self.receipt.channel is not None:
            await self.store(delivery)
        else:
            await delivery.finish()
            self._held.append(delivery)
            if self._over:
                self._drop_held()

    # -- fields and the session

    async def _read_field(self, name: str, value: str) -> None:
        match name:
            case "sessionId" if value:  # a form may carry an empty one
                await self._name_session(value)
            case "category" if value:
                self._category = value
            case "fileId" if value:
                if self.receipt.channel is None and self._held:
                    raise Refused("VALIDATION_ERROR", "fileId must come before its file, and after sessionId")
                self._file_id = value

    async def _name_session(self, session_id: str) -> None:
        if self._session_id not in (None, session_id):
            raise Refused("VALIDATION_ERROR", "the request names two sessions")
        if self.receipt.channel is None:
            self._session_id = session_id
            await self.join(session_id)
            await self._publish_held()

    async def _settle_session(self) -> None:
        if self.receipt.channel is not None or not self._held:
            return
        if self._held[0].problem is None:
            self._held[0].problem = unnamed(self._file_id)  # it is of the first: later ones are refused
        if all(delivery.problem is not None for delivery in self._held):
            self.note(self._held[0].problem)
            self._drop_held()
            return
        await self.join_implicit(self._category)
        await self._publish_held()

    async def _publish_held(self) -> None:
        while self._held and not self._over:
            delivery = self._held.pop(0)
            self._claim(delivery)
            await self.store(delivery)

    def _drop_held(self) -> None:
        held, self._held = self._held, []
        for delivery in held:
            delivery.discard()

    def _break(self, problem: Problem) -> None:
        self._broken = True
        self.note(problem)
        for delivery in self.deliveries():
            delivery.fail(problem)
        self._held, self._current = [], None
