"""Limited guesses at something short: how long whoever guessed wrong has to wait. Pure; not known is what was guessed.

Every wrong guess is remembered for a while: few by one network, more by all together, for one guesser may have many
addresses. Who has hardly guessed is not to wait for that guesser: a few guesses are left to each address, up to a limit
that no ordinary network has the addresses for. As nothing is guessed during a wait, no more than those are ever kept.
"""

from __future__ import annotations

from collections import deque
from ipaddress import IPv6Address, ip_address

WINDOW = 600.0  # seconds
BY_ONE, BY_ALL = 10, 100  # wrong guesses in that time
LEFT_TO_ONE, MOST = 2, 1000  # and once all together have made too many


class Tries:
    """`who`: the address a guess came from."""

    def __init__(self) -> None:
        self._wrong: deque[tuple[float, str]] = deque(maxlen=MOST)

    def wait(self, who: str, now: float) -> float:
        """Seconds until the next guess; 0: go on. Ask before looking at the guess, even at a right one."""
        while self._wrong and self._wrong[0][0] + WINDOW <= now:
            self._wrong.popleft()
        network = network_of(who)
        every = [at for at, _ in self._wrong]
        own = [at for at, whose in self._wrong if whose == network]
        crowded = min(_end(every, BY_ALL, now), _end(own, LEFT_TO_ONE, now))
        return max(_end(own, BY_ONE, now), _end(every, MOST, now), crowded) - now

    def failed(self, who: str, now: float) -> None:
        """A guess was wrong."""
        self._wrong.append((now, network_of(who)))


def _end(times: list[float], most: int, now: float) -> float:
    """When there will be fewer than so many."""
    return times[-most] + WINDOW if len(times) >= most else now


def network_of(address: str) -> str:
    """What one guesser certainly has: an IPv4 address, or the /64 that any host with IPv6 may choose addresses from."""
    try:
        ip = ip_address(address)
    except ValueError:  # a socket without addresses
        return address[:64]
    if not isinstance(ip, IPv6Address):
        return str(ip)
    return str(ip.ipv4_mapped or f"{int(ip) >> 64:x}/64")
