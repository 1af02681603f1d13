"""Announces the station as `<name>.local`, to phones that ask their network for names (multicast DNS).

The package is an optional one and imported only when a name is wanted. What the addresses of the machine are, and who
is told of the name, is passed in. A machine that has no network yet, or gets another address, is announced later, or
anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncZeroconf

log = logging.getLogger("upload_station")
MISSING = (
    "--mdns needs the package zeroconf, in the environment that the station runs in: "
    ".venv/bin/pip install zeroconf (with make run), or pip install 'dist/<wheel>[mdns]' (with the wheel)"
)
_LOOK = 30.0  # seconds between two looks at the machine's addresses
_ASK = 1500  # milliseconds in which another of that name answers: within 120, but not twice a second (RFC 6762, 6)
_MANY = 100  # names that are tried


def is_available() -> bool:
    return find_spec("zeroconf") is not None


class Silent(Exception):
    """Nobody can be told, and why."""


class Announcement:
    """`addresses`: those of this machine, now. `told`: is given each name that was found free, once."""

    def __init__(
        self,
        name: str,
        port: int,
        addresses: Callable[[], Sequence[str]],
        told: Callable[[str], None],
        scheme: str = "http",
    ) -> None:
        self._wish, self._port, self._service = name, port, f"_{scheme}._tcp.local."
        self._addresses, self._told = addresses, told
        self._voice: AsyncZeroconf | None = None
        self._at: Sequence[str] | None = None
        self._name = self._warned = ""

    async def run(self) -> None:
        """Until it is cancelled; what was announced is withdrawn then."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(_LOOK)
        finally:
            await self.withdraw()

    async def look(self) -> None:
        """Announce the station, if it is not yet under all the addresses that it has now."""
        now = self._addresses()
        if now == self._at:
            return
        await self.withdraw()
        try:
            name = await self._announce(now)
        except Silent as silent:
            await self.withdraw()
            self._warn(str(silent))
            return
        self._at, self._warned = now, ""
        if name != self._name:
            self._name = name
            self._told(name)

    def _warn(self, why: str) -> None:
        """Once for each reason: it is tried again and again."""
        if why != self._warned:
            log.warning("cannot announce %s.local: %s", self._wish, why)
        self._warned = why

    async def withdraw(self) -> None:
        voice, self._voice = self._voice, None
        if voice is not None:
            with contextlib.suppress(OSError):  # the network has gone
                await voice.async_close()
            await asyncio.sleep(0)  # a turn of the loop, in which its sockets are closed

    async def _announce(self, addresses: Sequence[str]) -> str:
        """Returns the name. Raises Silent."""
        from zeroconf import Error
        from zeroconf.asyncio import AsyncZeroconf

        if not addresses:
            raise Silent("there is no network")
        try:
            # Whoever speaks IPv6 in a house speaks IPv4 too, and needs no names of interfaces for it.
            self._voice = AsyncZeroconf(interfaces=[each for each in addresses if ":" not in each] or list(addresses))
            return await self._register(self._voice, addresses)
        except (OSError, RuntimeError, Error) as error:
            raise Silent(str(error) or type(error).__name__) from error

    async def _register(self, voice: AsyncZeroconf, addresses: Sequence[str]) -> str:
        from zeroconf import NonUniqueNameException
        from zeroconf.asyncio import AsyncServiceInfo

        for number in range(1, _MANY):
            name = self._wish if number == 1 else f"{self._wish}-{number}"
            if await _is_taken(voice, name, self._service, addresses):
                continue
            service = AsyncServiceInfo(
                self._service,
                f"{name}.{self._service}",
                self._port,
                server=f"{name}.local.",
                parsed_addresses=list(addresses),
            )
            try:
                await (await voice.async_register_service(service))
            except NonUniqueNameException:
                continue
            return name
        raise Silent("all names like it are taken")


async def _is_taken(voice: AsyncZeroconf, name: str, kind: str, addresses: Sequence[str]) -> bool:
    """Whether another machine answers to this name, or another station has it on this one.

    By itself the library asks for the service only, and wants to be answered directly. But where an Avahi runs beside
    the station, the system gives direct answers to one of the two, and not always to the one that asked.
    """
    from zeroconf import AddressResolver, DNSQuestionType  # type: ignore[attr-defined]  # it is not in its __all__
    from zeroconf.asyncio import AsyncServiceInfo

    host, service = AddressResolver(f"{name}.local."), AsyncServiceInfo(kind, f"{name}.{kind}")
    asked = (each.async_request(voice.zeroconf, _ASK, DNSQuestionType.QM) for each in (host, service))
    host_found, service_found = await asyncio.gather(*asked)
    return bool(service_found or (host_found and not set(host.parsed_addresses()) <= set(addresses)))
