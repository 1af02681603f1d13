"""What no test of the rooms may hang on: how fast this machine's disk is."""

from __future__ import annotations

import pytest

from station import berth, orders, scribe, securing
from tests.station.places import DEADLINE


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync on a busy machine may take longer than the station lets people wait for one; tests of that say how long.

    Nor is the second over in which bytes wait for a sync, which holds up a test that counts writes, or holds syncs;
    and the log's end waits as long for a thread that got no turn.
    """
    monkeypatch.setattr(berth, "PATIENCE", DEADLINE / 3)
    monkeypatch.setattr(orders, "PATIENCE", DEADLINE / 3)
    monkeypatch.setattr(securing, "SYNC_AFTER", DEADLINE)
    monkeypatch.setattr(scribe, "_PATIENCE", DEADLINE)
