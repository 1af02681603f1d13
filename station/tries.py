"""Limited guesses at something short: how long whoever guessed wrong has to wait. Pure; not known is what was guessed.

Every wrong guess is remembered for a while: few by one network, more by all together, for one guesser may have many
addresses. As nothing is guessed during a wait, no more than those are ever kept.
"""

from __future__ import annotations

from collections import deque
from ipaddress import IPv6Address, ip_address

WINDOW = 600.0  # seconds
BY_ONE, BY_ALL = 10, 100  # wrong guesses in that time


class Tries:
    """`who`: the address a guess came from."""

    def __init__(self) -> None:
        self._wrong: deque[tuple[float, str]] = deque(maxlen=BY_ALL)

    def wait(self, who: str, now: float) -> float:
        """Seconds until the next guess; 0: go on. Ask before looking at the guess, even at a right one."""
        while self._wrong and self._wrong[0][0] + WINDOW <= now:
            self._wrong.popleft()
        network = network_of(who)
        own = [at for at, whose in self._wrong if whose == network]
        ends = [times[-most] + WINDOW for times, most in ((own, BY_ONE), (self._times(), BY_ALL)) if len(times) >= most]
        return max(ends, default=now) - now

    def failed(self, who: str, now: float) -> None:
        """A guess was wrong."""
        self._wrong.append((now, network_of(who)))

    def _times(self) -> list[float]:
        return [at for at, _ in self._wrong]


def network_of(address: str) -> str:
    """What one guesser certainly has: an IPv4 address, or the /64 that any host with IPv6 may choose addresses from."""
    try:
        ip = ip_address(address)
    except ValueError:  # a socket without addresses
        return address[:64]
    if not isinstance(ip, IPv6Address):
        return str(ip)
    return str(ip.ipv4_mapped or f"{int(ip) >> 64:x}/64")
