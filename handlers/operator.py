"""For the person who runs the box: health, and deleting stored files behind the operator's token."""

from __future__ import annotations

import hmac
import resource
import statistics
import sys

from handlers.base import Base, verb
from station.errors import Refused


class Health(Base):
    @verb
    async def get(self) -> None:
        health = self.station.health()
        health["version"] = self.application.settings["version"]
        health["memory"] = {"peak": _peak_memory()}
        trips = [socket.round_trip for socket in self.station.sockets if socket.round_trip is not None]
        health["watchers"] = {
            "sockets": len(self.station.sockets),
            "roundTrip": round(statistics.median(trips), 4) if trips else None,
        }
        self.send_json(health, 200 if health["status"] == "ok" else 503)

    head = get


def _peak_memory() -> int:
    """Bytes of the largest resident set so far; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class StoredFile(Base):
    async def decide(self) -> None:
        if self.request.method == "OPTIONS":
            return  # a preflight carries no token
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        expected = self.application.settings["admin_token"]
        known = hmac.compare_digest(token.strip().encode(), expected.encode())
        if scheme.lower() != "bearer" or not known:
            self.set_header("WWW-Authenticate", "Bearer")
            raise Refused("UNAUTHORIZED")

    @verb
    async def delete(self, file_id: str) -> None:
        await self.station.orders.delete_stored(file_id)
        self.set_status(204)
