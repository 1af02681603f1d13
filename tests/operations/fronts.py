"""Real reverse proxies, run with the files that `docs/operations` tells people to use."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from pathlib import Path

from tests.conftest import tool
from tests.handlers import certificates
from tests.handlers.site import Line
from tests.ports import free_port

OPERATIONS = Path(__file__).resolve().parent.parent.parent / "docs" / "operations"
NAME = "files.example"
PATIENCE = 60.0
CLIENT = "127.0.0.2"  # any address of loopback can be had, and this one is no proxy's

_AROUND_NGINX = """
worker_processes 1;
user root;
pid {folder}/pid;
error_log {folder}/error.log warn;
daemon off;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class Front:
    """A proxy of the documented kind before a station at `port`, with a certificate of the test's own."""

    def __init__(self, kind: str, folder: Path, station: int) -> None:
        self.kind, self.folder = kind, folder
        self.port, self.plain = free_port(), free_port()
        self.pair = certificates.make(folder)
        command = self._nginx(station) if kind == "nginx" else self._caddy(station)
        home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        with (folder / "front.log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=home)
        self._wait()

    def _nginx(self, station: int) -> list[str]:
        program = tool("nginx", "/usr/sbin/nginx", purpose="the station behind it")
        site = (OPERATIONS / "nginx.conf").read_text()
        for told, here in [
            ("listen 80;", f"listen 127.0.0.1:{self.plain};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            (f"/etc/letsencrypt/live/{NAME}/fullchain.pem", str(self.pair.cert)),
            (f"/etc/letsencrypt/live/{NAME}/privkey.pem", str(self.pair.key)),
            ("127.0.0.1:8005", f"127.0.0.1:{station}"),
        ]:
            assert site.count(told) == 1, told
            site = site.replace(told, here)
        (self.folder / "site.conf").write_text(site)
        (self.folder / "nginx.conf").write_text(_AROUND_NGINX.format(folder=self.folder))
        return [
            program,
            "-p",
            str(self.folder),
            "-c",
            str(self.folder / "nginx.conf"),
            "-e",
            str(self.folder / "early"),
        ]

    def _caddy(self, station: int) -> list[str]:
        program = tool("caddy", purpose="the station behind it")
        text = (OPERATIONS / "Caddyfile").read_text()
        for told, here in [
            (f"\n{NAME} {{", f"\nhttps://{NAME}:{self.port} {{\n\ttls {self.pair.cert} {self.pair.key}"),
            ("127.0.0.1:8005\n}", f"127.0.0.1:{station}\n}}"),
        ]:
            assert text.count(told) == 1, told
            text = text.replace(told, here)
        alone = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
        (self.folder / "Caddyfile").write_text(alone + text)
        return [program, "run", "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"]

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            assert self.process.poll() is None, self.log()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return
            except OSError:
                assert time.monotonic() < end, self.log()
                time.sleep(0.02)

    def log(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))

    @property
    def host(self) -> str:
        return f"{NAME}:{self.port}"

    async def connect(self, client: str = CLIENT) -> Line:
        """From an address that is not the proxy's own."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.pair.trust(), server_hostname=NAME, local_addr=(client, 0)
        )
        return Line(reader, writer, self.host)

    def kept(self) -> list[Path]:
        """What nginx wrote to its disk of bodies and answers."""
        return [path for name in ("bodies", "answers") for path in (self.folder / name).rglob("*") if path.is_file()]

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
