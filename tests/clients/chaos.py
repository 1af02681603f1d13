"""A bad network: a TCP proxy that cuts, stalls and loses connections at random, both ways, as often as it is told to.

It knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from tests.clients.proxy import Proxy
from tests.scenarios.clients import Connection

BLOCK = 32 * 1024
STALL = (0.05, 0.4)  # seconds; longer ones show nothing more and cost the tests their time
BRIEF = 600  # bytes: the answers that are lost are short
HEAD = 2000  # bytes


class Fault(StrEnum):
    FIN = "fin"  # both sides are closed
    RST = "rst"  # both sides are reset
    STALL = "stall"  # nothing passes for a while, then it goes on
    STALL_CUT = "stall-cut"  # nothing passes for a while, then both sides are reset
    SPOIL = "spoil"  # a bit of what goes up is turned over; never in the first bytes, which are a request's head
    VANISH = "vanish"  # the client is reset, and the station never hears of it: Wi-Fi that is lost


BREAKING = tuple(fault for fault in Fault if fault is not Fault.SPOIL)
CUTTING = (Fault.FIN, Fault.RST, Fault.VANISH)


class Chaos(Proxy):
    """Each connection is struck after at most `reach` bytes up, or some bytes down, as long as faults are left.

    `down`: how probable the latter is. `faults` is what was done, `up` counts the bytes that went to the station.
    """

    def __init__(
        self, port: int, seed: int, *, reach: int, kinds: Sequence[Fault] = BREAKING, down: float = 0.3
    ) -> None:
        super().__init__(port)
        self._kinds = kinds
        self._spoilt: set[Connection] = set()
        self._chance = random.Random(seed)
        self._reach, self._down = reach, down
        self._left = 0
        self._mute_from = math.inf
        self.faults: Counter[Fault] = Counter()
        self.up = 0

    @property
    def calm(self) -> bool:
        """All faults have happened."""
        return self._left == 0

    def strike(self, times: int) -> Self:
        """Let so many more faults happen, and then none."""
        self._left += times
        return self

    def lose_answers(self, times: int, *, after: int) -> Self:
        """Once so many bytes went up, lose so many answers, and with them their connections (of a kind that cuts)."""
        self._mute_from = after
        return self.strike(times)

    def calmly(self) -> Self:
        """No more faults until further ones are asked for."""
        self._left = 0
        return self

    async def serve(self, client: Connection) -> None:
        """Until one side hangs up, or a fault ends it."""
        station = await Connection.open(self._goal)
        try:
            while fault := await self._next_fault(client, station):
                if not await self._happens(fault, client, station):
                    return
        finally:
            await station.close()

    async def _next_fault(self, client: Connection, station: Connection) -> Fault | None:
        """Carry bytes both ways until the next fault is due; None: a side hung up before."""
        fault = self._chance.choice(self._kinds)
        after_up, after_down = self._chance.randint(0, self._reach), None
        if fault is Fault.SPOIL:
            after_up += HEAD
        elif self._chance.random() < self._down:
            after_down = self._chance.randint(0, BRIEF)
        async with asyncio.TaskGroup() as group:
            ways = [
                group.create_task(self._carry(client, station, after_up, counts=True)),
                group.create_task(self._carry(station, client, after_down)),
            ]
            done, others = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in others:
                way.cancel()
        return fault if any(way.result() for way in done) else None

    async def _carry(self, source: Connection, goal: Connection, after: int | None, *, counts: bool = False) -> bool:
        """True: `after` bytes have passed, and there is a fault left; False: a side hung up."""
        with contextlib.suppress(OSError):
            while True:
                if after == 0 and self._takes_one():
                    return True
                block = await source.reader.read(min(BLOCK, after or BLOCK))
                if not block:
                    return False
                if not counts and self.up >= self._mute_from and self._takes_one():
                    return True
                if source in self._spoilt:
                    self._spoilt.discard(source)
                    block = block[:-1] + bytes([block[-1] ^ 1])
                await goal.send(block)
                self.up += len(block) if counts else 0
                after = after and after - len(block)
        return False

    def _takes_one(self) -> bool:
        """Whether there was a fault left."""
        self._left -= (there := self._left > 0)
        return there

    async def _happens(self, fault: Fault, client: Connection, station: Connection) -> bool:
        """Whether the connection goes on."""
        self.faults[fault] += 1
        pause = self._chance.uniform(*STALL)
        match fault:
            case Fault.RST:
                reset(client, station)
            case Fault.STALL:
                await asyncio.sleep(pause)
            case Fault.STALL_CUT:
                await asyncio.sleep(pause)
                reset(client, station)
            case Fault.VANISH:
                reset(client)
                with contextlib.suppress(OSError):
                    while await station.reader.read(BLOCK):
                        pass  # until it hangs up by itself
            case Fault.SPOIL:
                self._spoilt.add(client)
        return fault in {Fault.STALL, Fault.SPOIL}


def reset(*connections: Connection) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):  # it is closed already
            connection.reset()
