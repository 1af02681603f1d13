"""Frames that are written past Tornado must be what RFC 6455 says, at each of the three lengths."""

from __future__ import annotations

import struct

import pytest

from handlers.frames import text_frame
from station.wire import Message


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_a_frame_holds_its_length_in_the_shortest_form(size: int) -> None:
    text = "x" * size
    frame = text_frame(Message(text, "upload-progress", 0))
    assert frame[0] == 0x81
    if size < 126:
        head = bytes([size])
    else:
        head = struct.pack("!BH", 126, size) if size < 2**16 else struct.pack("!BQ", 127, size)
    assert frame[1:] == head + text.encode()


def test_the_length_counts_bytes_not_characters() -> None:
    frame = text_frame(Message("上传" * 21, "upload-progress", 0))
    assert frame[1] == 126
    assert struct.unpack("!H", frame[2:4]) == (126,)


def test_a_frame_is_made_once_for_all() -> None:
    message = Message("{}", "upload-progress", 0)
    assert text_frame(message) is text_frame(message)
