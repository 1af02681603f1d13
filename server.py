"""Composition root: read the options, build the station, listen, shut down cleanly. No logic."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import ssl
import sys
import uuid
from collections.abc import Sequence
from urllib.parse import urlsplit

from handlers import Site, mdns, tls
from handlers.door import Door, connection_limit, listening
from handlers.gate import Gate
from handlers.greeting import Greeting
from handlers.log import attend, log_request
from handlers.supervisor import Supervisor
from handlers.webhook import Poster
from station import scribe
from station.clock import system_clock
from station.config import Config, idle, load, misspelt
from station.reporting import say
from station.station import Station
from station.storage import Unusable
from station.token import operator_token

log = logging.getLogger("upload_station")
CHUNK = 256 * 1024  # bytes read at a time; larger writes cost less (bench)
HEADER_TIME = 20  # seconds a client may take to send a request's head, or stay idle between requests
STOP_TIME = 3.0  # seconds for uploads that are being published when the station stops
GOING_AWAY = 1001


def new_id() -> str:
    return str(uuid.uuid4())


async def serve(config: Config) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status."""
    if config.mdns and not mdns.is_available():
        print(mdns.MISSING, file=sys.stderr)
        return 2
    supervisor = Supervisor(os.environ, system_clock)
    try:
        certificate = tls.context(config.tls_cert, config.tls_key)
        # Bound first: a second start by mistake is noticed before anything is touched.
        sockets = supervisor.sockets() or listening(config.port, config.address)
        station = Station(config, system_clock, new_id)
    except (Unusable, OSError) as error:
        print(_why_not(error, config), file=sys.stderr)
        return 1
    attend(station)
    if config.webhook:
        station.hooks.poster = Poster(config.webhook)
    await station.start()
    token = operator_token(config.admin_token, station.storage.own)
    server = await _door(station, certificate, token)
    server.add_sockets(sockets)
    stop = _stop_signal()  # before the line is out: whoever reads it may stop the station at once
    _reread_on_request(server, supervisor, config)
    host, port, *_ = sockets[0].getsockname()
    Greeting(station, host, port, sys.stdout).say(token)
    station.watch.on_lag.append(supervisor.turns)
    supervisor.ready()
    await stop.wait()
    supervisor.stopping()
    await _stop(server, station)
    say(log, logging.INFO, "stopped", "the station has stopped")
    return 0


def _why_not(error: Unusable | OSError, config: Config) -> str:
    """One sentence for the person who starts it."""
    if isinstance(error, OSError):
        return f"cannot listen at {config.address or 'any address'}, port {config.port}: {error.strerror}"
    return str(error)


async def _door(station: Station, certificate: ssl.SSLContext | None, token: str) -> Door:
    config = station.config
    site = Site(station, await _gate(config), admin_token=token, log_function=log_request)
    site.door = Door(
        site,
        limit=connection_limit(config.max_connections),
        chunk_size=CHUNK,
        max_body_size=1024**2,
        max_header_size=32 * 1024,
        idle_connection_timeout=HEADER_TIME,
        ssl_options=certificate,
    )
    return site.door


def _reread_on_request(server: Door, supervisor: Supervisor, config: Config) -> None:
    """SIGHUP: the certificate was renewed. Without one the signal ends the station, as it does when a terminal goes,
    unless it came from a supervisor."""

    def reread() -> None:
        supervisor.reloading()
        tls.renew(server, config.tls_cert, config.tls_key)
        supervisor.ready()

    if config.tls_cert or supervisor.is_there:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reread)


async def _gate(config: Config) -> Gate:
    public = urlsplit(config.kiosk_url).netloc
    return Gate(await _own_names(), [*config.allowed_hosts, public], config.allowed_origins)


async def _own_names() -> set[str]:
    """The machine's own host names. The full one may need a name server, and there may be none."""
    names = {socket.gethostname()}
    with contextlib.suppress(TimeoutError):
        names.add(await asyncio.wait_for(asyncio.to_thread(socket.getfqdn), 1.0))
    return names


def _stop_signal() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; a second one ends the process at once."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def stopped() -> None:
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, stopped)
    return stop


async def _stop(server: Door, station: Station) -> None:
    say(log, logging.INFO, "stopping", "the station stops", sessions=len(station.channels))
    server.stop()
    await station.end_attempts(STOP_TIME)
    for each in tuple(station.sockets):
        each.close(GOING_AWAY, "the station is shutting down")
    await asyncio.sleep(0.2)  # answers and close frames leave
    await server.close_all_connections()
    await station.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in {"send", "watch"}:
        from client.main import main as command  # a station does without it

        sys.exit(command(given))
    config = load(given)
    with scribe.log_to(sys.stderr, config.log_format, lambda: system_clock().mono, os.environ):
        for name in misspelt():
            log.warning("%s is in the environment, and no option has this name", name)
        for name in idle(config):
            log.warning("%s says how events are posted, and no webhook is named: nothing is posted", name)
        status = asyncio.run(serve(config))
    sys.exit(status)


if __name__ == "__main__":
    main()
