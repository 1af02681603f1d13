"""What the meters hear of the rooms by themselves: events, commits, syncs, the delay of the loop. Counts nothing."""

from __future__ import annotations

from collections.abc import Callable

from station.hub import Hub
from station.journal import Journal
from station.meters import Meters
from station.storage import Storage


def listening(
    meters: Meters, storage: Storage, journal: Journal, hub: Hub, on_lag: list[Callable[[float], None]]
) -> Meters:
    """Connect them, once."""
    hub.on_told.append(meters.told)
    on_lag.append(meters.lagged)
    journal.on_commit = meters.committed
    storage.on_sync = meters.synced
    return meters
