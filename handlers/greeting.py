"""What a station that is ready says: on standard output, to the log, and to the network by its name."""

from __future__ import annotations

from typing import TextIO

from handlers import VERSION, lan, mdns, terminal
from handlers.log import say_started
from station.station import Station


class Greeting:
    """`host`, `port`: of the socket that listens."""

    def __init__(self, station: Station, host: str, port: int, out: TextIO) -> None:
        self._station, self._config = station, station.config
        self._host, self._port, self._out = host if station.config.address else "", port, out
        self._here = f"{self._config.scheme}://{_shown(self._config.address)}:{port}/"

    def say(self, token: str) -> None:
        """The first line is for scripts, which wait for it (contract); `token`: the operator's."""
        print(f"Upload Station {VERSION} listens at {self._here}", file=self._out, flush=True)
        kept = None if self._config.admin_token else self._station.storage.own / "token"
        terminal.invite(f"{self._here}monitor", token, kept, self._out)
        self._tell_the_network()
        say_started(self._station, VERSION, self._port)

    def _tell_the_network(self) -> None:
        """At which address, and if one is wanted under which name, other devices find the station."""
        config, scheme, port = self._config, self._config.scheme, self._port
        if (place := terminal.address(config.kiosk_url, self._host, port, scheme)) is not None:
            terminal.welcome(place, self._out)
        if config.mdns:
            announcement = mdns.Announcement(
                config.mdns,
                port,
                lambda: lan.addresses(self._host),
                lambda name: terminal.say(f"Announced as {scheme}://{name}.local:{port}/", self._out),
                scheme,
            )
            self._station.tasks.start(announcement.run(), "announcement")


def _shown(address: str) -> str:
    """The address to open on this machine."""
    if address in {"", "0.0.0.0", "::"}:
        return "localhost"
    return f"[{address}]" if ":" in address else address
