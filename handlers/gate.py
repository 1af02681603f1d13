"""Who may ask at all: the host names the station answers to, and the origins whose pages may change something.

The Host check is what stops DNS rebinding: Tornado's own same-origin checks compare Origin with whatever Host says.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

from station.errors import Problem

_SAFE = {"GET", "HEAD", "OPTIONS"}
_LOCAL = re.compile(r"[a-z0-9-]+\.local")


def host_of(netloc: str) -> str:
    """The bare host of `host`, `host:port` or `[v6]:port`: lower case, no brackets, no trailing dot."""
    match = re.fullmatch(r"\[([0-9a-f:.]+)\](?::\d*)?|([^:\[\]@/]*)(?::\d*)?", netloc.strip().lower())
    return "" if match is None else (match[1] or match[2] or "").removesuffix(".")


class Gate:
    """`names`: the machine's own host names. `.local` names pass: they cannot be had from a name server outside."""

    def __init__(self, names: Iterable[str], allowed_hosts: Iterable[str], allowed_origins: Iterable[str]) -> None:
        self._names = {"localhost", *(host_of(name) for name in (*names, *allowed_hosts))} - {""}
        self._origins = {origin.rstrip("/").lower() for origin in allowed_origins}

    def problem(self, request: HTTPServerRequest) -> Problem | None:
        """None if the request may go on."""
        if not self.answers_to(request.host):
            return Problem("FORBIDDEN_HOST")
        opens_socket = request.headers.get("Upgrade", "").lower() == "websocket"
        # The method may be overridden by a header field: then what it says counts, and it is never a safe one.
        safe = request.method in _SAFE and "X-HTTP-Method-Override" not in request.headers
        if (safe and not opens_socket) or self._is_ours(request):
            return None
        return Problem("FORBIDDEN_ORIGIN")

    def answers_to(self, netloc: str) -> bool:
        host = host_of(netloc)
        if host in self._names or _LOCAL.fullmatch(host):
            return True
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True

    @property
    def has_friends(self) -> bool:
        """Whether answers depend on the origin that asks."""
        return bool(self._origins)

    def allows(self, origin: str) -> bool:
        """Whether this foreign origin was configured."""
        return origin.lower() in self._origins

    def _is_ours(self, request: HTTPServerRequest) -> bool:
        origin = request.headers.get("Origin")
        if origin is None:
            # Not a browser's cross-site request, unless it says so itself.
            return request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        same = parts.scheme == request.protocol and parts.netloc.lower() == request.host.lower()
        return same or self.allows(origin)
