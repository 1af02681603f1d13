"""A real station as a process of its own with bad networks in front of it; for single modules one in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.link import Link
from tests.clients.conftest import forgetful, station, weather
from tests.handlers.conftest import box, options
from tests.handlers.site import Box

__all__ = ["box", "forgetful", "link", "options", "station", "weather"]


@pytest.fixture
def link(box: Box) -> Link:
    return Link(box.url, language="en")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A small file that a station takes."""
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(1000))
    return path
