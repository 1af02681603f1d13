"""The station that the tests of the handlers share: `box`, built with the `options` that a test asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from tests.handlers import site


@pytest.fixture
def options() -> list[str]:
    """Options of the station besides the usual ones; a test parametrizes them."""
    return []


@pytest.fixture
def box(io_loop: IOLoop, tmp_path: Path, options: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[site.Box]:
    for room in ("berth", "orders"):  # two seconds, after which a newer request is told that the older one has it still
        monkeypatch.setattr(f"station.{room}.PATIENCE", site.PATIENCE)
    built = io_loop.run_sync(lambda: site.build(tmp_path / "upload", options))
    yield built
    io_loop.run_sync(lambda: site.take_down(built))
