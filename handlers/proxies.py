"""Who really asks, when a reverse proxy stands before the station: the client's address and scheme.

Believed is only what an address among `networks` says, and of that only `X-Forwarded-For` and `X-Forwarded-Proto`: with
a second source of the same fact (`X-Real-IP`, `Forwarded`), a client could send whichever its proxy does not set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from tornado.httputil import HTTPServerRequest

Address = IPv4Address | IPv6Address
_MAPPED = "::ffff:"
# Some proxies name the port too, and IPv6 in brackets then.
_WITH_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\](?::\d+)?|([0-9.]+):\d+")
_CHAIN = 20  # addresses that are looked at; real chains have one or two


class Proxies:
    """The addresses and networks of reverse proxies that are trusted."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ip_network(network) for network in networks]

    def see_through(self, request: HTTPServerRequest) -> None:
        """Put the client's address and scheme into the request that its proxy passed on."""
        text = request.remote_ip or ""
        if not self._networks and not text.startswith(_MAPPED):
            return
        peer = address_of(text)
        if peer is None:
            return
        request.remote_ip = str(peer)
        if not self._trusts(peer):
            return
        request.remote_ip = str(self._client(peer, request.headers.get("X-Forwarded-For", "")))
        scheme = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip(" \t").lower()
        if scheme == "https":  # "http" is no news, or untrue of what came by the station's own TLS
            request.protocol = scheme

    def _client(self, peer: Address, chain: str) -> Address:
        """The nearest address that no trusted proxy has; each proxy adds, at the end, who asked it."""
        nearest = peer
        for text in reversed(chain.rsplit(",", _CHAIN)[-_CHAIN:]):
            following = address_of(text.strip(" \t"))
            if following is None:
                break  # "unknown", or what somebody made up
            nearest = following
            if not self._trusts(nearest):
                break
        return nearest

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def address_of(text: str) -> Address | None:
    """None for what is no address. An IPv4 address in IPv6 clothes, as sockets for both kinds give it, is undressed."""
    match = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(text if match is None else match[1] or match[2])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
