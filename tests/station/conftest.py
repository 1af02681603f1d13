"""What no test of the rooms may hang on: how fast this machine's disk is."""

from __future__ import annotations

import pytest

from station import berth, orders, scribe
from tests.station.places import DEADLINE


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync on a busy machine may take longer than the station lets people wait for one; tests of that say how long.

    The log's end waits as long for a thread that got no turn.
    """
    monkeypatch.setattr(berth, "PATIENCE", DEADLINE)
    monkeypatch.setattr(orders, "PATIENCE", DEADLINE)
    monkeypatch.setattr(scribe, "_PATIENCE", DEADLINE)
