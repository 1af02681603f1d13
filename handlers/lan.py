"""Where other devices find the station: the addresses this machine has in its network, and the public one for links.

Knows nothing of what is at those addresses, nor whether anybody can really reach them.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable

import ifaddr
from tornado.httputil import HTTPServerRequest

from handlers.gate import host_of

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LOOPBACK = "127.0.0.1"
EVERYWHERE = frozenset({"", "0.0.0.0", "::"})
# Containers, virtual machines and tunnels: no phone is in there.
_VIRTUAL = re.compile(
    r"(docker|podman|cni|flannel|cali|veth|virbr|vnet|vmnet|vboxnet|vethernet|lxc|lxd|tun|tap|utun|wg|tailscale|zt|ppp)"
    r"|br-[0-9a-f]{12}$|.*(hyper-v|virtualbox|vmware|wsl)",
    re.IGNORECASE,
)
# Reserved for documentation, so nobody is there; asked is only by which address the machine would go out.
_OUTSIDE = ("198.51.100.1", 9)


def addresses(listens_at: str = "") -> list[str]:
    """The addresses at which a phone may reach the station, the likeliest first; none without a network.

    `listens_at`: where the station listens, if not everywhere.
    """
    if listens_at not in EVERYWHERE:
        return [listens_at]
    found = [(each.nice_name, str(ip.ip)) for each in ifaddr.get_adapters() for ip in _plain(each)]
    return [text for text in ranked(found, _way_out()) if listens_at != "0.0.0.0" or ":" not in text]


def address(listens_at: str = "") -> str:
    """The likeliest one; without a network, loopback."""
    return next(iter(addresses(listens_at)), LOOPBACK)


def ranked(found: Iterable[tuple[str, str]], way_out: str | None) -> list[str]:
    """Names of network interfaces and an address of each, by how likely a phone reaches it.

    Virtual ones only if there is no other. IPv4 before IPv6, then the one by which the machine goes out (`way_out`).
    """

    def rank(text: str) -> tuple[bool, ...]:
        ip = ipaddress.ip_address(text)
        return (ip.version == 6, text != way_out, ip.is_link_local, not ip.is_private)

    reachable = [(name, text) for name, text in found if _is_reachable(text)]
    real = [text for name, text in reachable if _VIRTUAL.match(name) is None]
    return sorted(real or [text for _, text in reachable], key=rank)


def _is_reachable(text: str) -> bool:
    ip = ipaddress.ip_address(text)
    # A link-local address of IPv6 means nothing without the name of an interface of the device that uses it.
    return not (ip.is_loopback or ip.is_unspecified or ip.is_multicast or (ip.version == 6 and ip.is_link_local))


def _plain(adapter: ifaddr.Adapter) -> Iterable[ifaddr.IP]:
    """Its addresses, those of IPv6 without scope."""
    for ip in adapter.ips:
        yield ip if isinstance(ip.ip, str) else ifaddr.IP(ip.ip[0], ip.network_prefix, ip.nice_name)


def _way_out() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_OUTSIDE)  # sends nothing
        except OSError:
            return None
        return str(probe.getsockname()[0])


def at(host: str, port: int | str) -> str:
    """`host:port` as it is written in an address."""
    bare = f"[{host}]" if ":" in host else host
    return f"{bare}:{port}" if port else bare


def origin(request: HTTPServerRequest, configured: str) -> str:
    """`http://host:port` for links that are opened on other devices.

    `configured` if there is one; else the host that was asked, which the gate has let pass; but a name that leads only
    this machine to itself is replaced by its address in the network.
    """
    if configured:
        return configured
    host = host_of(request.host)
    if not is_only_here(host):
        port = re.search(r":(\d{1,5})$", request.host)
        return f"{request.protocol}://{at(host, port[1] if port else '')}"
    own = request.connection.stream.socket.getsockname()  # type: ignore[union-attr]
    return f"{request.protocol}://{at(address(), own[1])}"


def is_only_here(host: str) -> bool:
    """Whether it means the machine itself: loopback, or a name without a dot, which no phone knows."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(".localhost")
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_loopback or ip.is_unspecified
