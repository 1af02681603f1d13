"""Decodes a multipart/form-data body as it arrives. The only module that knows streaming-form-data.

Knows parts, files and fields; not what a file is for, how large it may be, or where it goes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from streaming_form_data import ParseFailedException, StreamingFormDataParser
from streaming_form_data.targets import BaseTarget

from station.fence import End, Fence
from station.grammar import Head, MultipartProblem, boundary_of
from station.parts import Event, Field, FieldRead, File, PartData, PartFinished, PartStarted, part_of

__all__ = ["Decoder", "Event", "FieldRead", "MultipartProblem", "PartData", "PartFinished", "PartStarted"]


class Decoder:
    """One request body. After a MultipartProblem every further call raises the same one."""

    def __init__(
        self,
        content_type: str,
        *,
        max_parts: int,
        max_header: int = 8192,
        max_header_lines: int = 16,
        max_field: int = 65536,
    ) -> None:
        """`max_header` and `max_field` are bytes of one part. Raises MultipartProblem without a good boundary."""
        boundary = boundary_of(content_type)
        self.closing_length = len(b"\r\n--" + boundary + b"--\r\n")
        """Bytes from the end of the last part's data to the end of the body, of any common client."""
        self._fence = Fence(boundary, max_header=max_header, max_lines=max_header_lines)
        self._passage = _Passage()
        self._max_parts = max_parts
        self._max_field = max_field
        self._parts = 0
        self._part: File | Field | None = None
        self._problem = ""

    @property
    def position(self) -> int:
        """Bytes of the body before the data of the current part."""
        return self._fence.position

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that `chunk` completes, each made when it is asked for; take them all before the next chunk.

        Raises MultipartProblem at the first fault, after the events before it.
        """
        self._raise_known_problem()
        try:
            for found in self._fence.feed(chunk):
                yield from self._events(found)
        except MultipartProblem as problem:
            self._problem = problem.reason
            raise

    def finish(self) -> None:
        """Call at the end of the body. Raises MultipartProblem if the closing delimiter is not there."""
        if not self._fence.closed:
            self._problem = self._problem or "The body ends before its closing boundary."
        self._raise_known_problem()

    def _raise_known_problem(self) -> None:
        if self._problem:
            raise MultipartProblem(self._problem)

    def _events(self, found: Head | bytes | End) -> Iterator[Event]:
        if isinstance(found, Head):
            self._part = self._next_part(found)
            yield from self._part.begin()
        elif self._part is not None:
            for piece in self._pieces(found):
                yield from self._part.add(piece)
            if isinstance(found, End):
                yield from self._part.end()

    def _pieces(self, found: bytes | End) -> list[bytes]:
        return self._passage.end() if isinstance(found, End) else self._passage.data(found)

    def _next_part(self, head: Head) -> File | Field:
        self._parts += 1
        if self._parts > self._max_parts:
            raise MultipartProblem(f"The body has more than {self._max_parts} parts.")
        self._passage.begin()
        return part_of(head, max_field=self._max_field)


class _Sink(BaseTarget):  # type: ignore[misc]  # the library has no types
    """The one target, which gets every part."""

    def __init__(self) -> None:
        super().__init__()
        self.open = False
        self.pieces: list[bytes] = []

    def on_start(self) -> None:
        self.open = True

    def on_data_received(self, chunk: bytes) -> None:
        if chunk:
            self.pieces.append(chunk)

    def on_finish(self) -> None:
        self.open = False


class _Passage:
    """The way of a part's bytes through streaming-form-data, in a framing of our own.

    Version 2.1.0 misreads what it was not made for: it is silent about truncated bodies, takes bytes chunks apart
    for one closing delimiter, writes delimiters into files, and carries half a match over into the next part. So
    each part is a body of its own, with a plain header, and a boundary that no file can contain, since nobody
    outside knows it. What goes in must come out, to the byte.
    """

    def __init__(self) -> None:
        boundary = secrets.token_hex(16)
        self._type = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        self._head = f'--{boundary}\r\nContent-Disposition: form-data; name="part"\r\n\r\n'.encode()
        self._end = f"\r\n--{boundary}--".encode()
        self._inside = 0

    def begin(self) -> None:
        self._sink = _Sink()
        self._parser = StreamingFormDataParser(self._type)
        self._parser.register("part", self._sink)
        self._inside = 0
        self._feed(self._head)
        self._check(self._sink.open)

    def data(self, data: bytes) -> list[bytes]:
        self._inside += len(data)
        return self._feed(data)

    def end(self) -> list[bytes]:
        pieces = self._feed(self._end)
        self._check(not self._sink.open and self._inside == 0)
        return pieces

    def _feed(self, data: bytes) -> list[bytes]:
        try:
            self._parser.data_received(data)
        except ParseFailedException:
            self._check(False)
        pieces, self._sink.pieces = self._sink.pieces, []
        self._inside -= sum(map(len, pieces))
        return pieces

    @staticmethod
    def _check(agreed: bool) -> None:
        if not agreed:
            raise MultipartProblem("The body cannot be taken apart.")
