"""All scenarios, in the order in which docs/protocol.md shows them."""

from __future__ import annotations

from tests.scenarios.arriving import ARRIVING
from tests.scenarios.ending import ENDING
from tests.scenarios.failing import FAILING
from tests.scenarios.resuming import RESUMING

SCENARIOS = (*ARRIVING, *FAILING, *RESUMING, *ENDING)
