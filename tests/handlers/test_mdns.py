"""Names by multicast, on the loopback interface, asked for by a second real participant."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from zeroconf import AddressResolver, DNSQuestionType  # type: ignore[attr-defined]  # see handlers/mdns.py
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from handlers import mdns
from handlers.mdns import Announcement
from tests.handlers.site import on_the_loop

HERE = "127.0.0.1"
ASKED = 20_000  # milliseconds; an answer ends it
SILENT = 1500  # when none is expected; see handlers/mdns.py


def a_name() -> str:
    """One that no other test has: all of them share the loopback."""
    return f"kiosk-{os.urandom(4).hex()}"


@asynccontextmanager
async def participant() -> AsyncIterator[AsyncZeroconf]:
    voice = AsyncZeroconf(interfaces=[HERE])
    try:
        yield voice
    finally:
        await voice.async_close()
        await asyncio.sleep(0)


async def who_is(name: str, asked: int = ASKED) -> list[str]:
    """The addresses that `<name>.local` has for somebody who comes anew."""
    async with participant() as voice:
        host = AddressResolver(f"{name}.local.")
        await host.async_request(voice.zeroconf, asked, DNSQuestionType.QM)
        return sorted(host.parsed_addresses())


async def serves(name: str, kind: str = "_http._tcp.local.", asked: int = ASKED) -> int | None:
    """The port of the web service of this name."""
    async with participant() as voice:
        found = await voice.async_get_service_info(kind, f"{name}.{kind}", asked, DNSQuestionType.QM)
        return None if found is None else found.port


def an_announcement(name: str, told: list[str], addresses: Sequence[str] = (HERE,)) -> Announcement:
    return Announcement(name, 8005, lambda: list(addresses), told.append)


@on_the_loop
async def test_the_station_is_found_by_its_name_until_it_stops() -> None:
    name, told = a_name(), list[str]()
    announcement = an_announcement(name, told)
    await announcement.look()
    assert told == [name]
    assert await who_is(name) == [HERE]
    assert await serves(name) == 8005
    await announcement.withdraw()
    assert await who_is(name, SILENT) == []


@on_the_loop
async def test_a_station_with_a_certificate_is_another_kind_of_service() -> None:
    name = a_name()
    announcement = Announcement(name, 8443, lambda: [HERE], lambda _: None, "https")
    await announcement.look()
    assert await serves(name, "_https._tcp.local.") == 8443
    assert await serves(name, asked=SILENT) is None
    await announcement.withdraw()


@on_the_loop
async def test_the_second_station_of_a_name_gets_another() -> None:
    name, told = a_name(), list[str]()
    first, second = an_announcement(name, told), an_announcement(name, told)
    await first.look()
    await second.look()
    assert told == [name, f"{name}-2"]
    assert await who_is(f"{name}-2") == [HERE]
    await first.withdraw()
    await second.withdraw()


@on_the_loop
async def test_the_name_of_another_machine_is_left_to_it() -> None:
    name, told = a_name(), list[str]()
    async with participant() as other:
        theirs = AsyncServiceInfo(
            "_ipp._tcp.local.", f"{name} printer._ipp._tcp.local.", 631, server=f"{name}.local.",
            parsed_addresses=["127.0.0.99"],
        )  # fmt: skip
        await (await other.async_register_service(theirs))
        announcement = an_announcement(name, told)
        await announcement.look()
        assert told == [f"{name}-2"]
        assert await who_is(name) == ["127.0.0.99"]
        await announcement.withdraw()


@on_the_loop
async def test_a_name_that_this_machine_has_already_is_kept() -> None:
    """An Avahi on the same machine, say, that tells its host name."""
    name, told = a_name(), list[str]()
    async with participant() as avahi:
        own = AsyncServiceInfo(
            "_ssh._tcp.local.", f"{name}._ssh._tcp.local.", 22, server=f"{name}.local.", parsed_addresses=[HERE]
        )
        await (await avahi.async_register_service(own))
        announcement = an_announcement(name, told)
        await announcement.look()
        assert told == [name]
        await announcement.withdraw()


@on_the_loop
async def test_a_network_that_comes_late_is_told_then(caplog: pytest.LogCaptureFixture) -> None:
    name, told, addresses = a_name(), list[str](), list[str]()
    announcement = an_announcement(name, told, addresses)
    await announcement.look()
    await announcement.look()
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [f"cannot announce {name}.local: there is no network"]
    assert told == []
    addresses.append(HERE)
    await announcement.look()
    assert told == [name]
    assert await who_is(name) == [HERE]
    await announcement.withdraw()


@on_the_loop
async def test_another_address_is_announced_under_the_same_name() -> None:
    name, told, addresses = a_name(), list[str](), [HERE]
    announcement = an_announcement(name, told, addresses)
    await announcement.look()
    await announcement.look()
    addresses.append("127.0.0.2")
    await announcement.look()
    assert told == [name]
    assert await who_is(name) == [HERE, "127.0.0.2"]
    await announcement.withdraw()


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # the library's, when it fails
@on_the_loop
async def test_an_address_that_went_meanwhile_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    name, told = a_name(), list[str]()
    announcement = an_announcement(name, told, ["203.0.113.7"])
    await announcement.look()
    assert told == []
    assert f"cannot announce {name}.local" in caplog.text
    await announcement.withdraw()


def test_the_package_is_here_for_its_tests() -> None:
    assert mdns.is_available()
