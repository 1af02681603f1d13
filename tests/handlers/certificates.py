"""Certificates made by OpenSSL, for the length of a test."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.conftest import tool


class Pair(NamedTuple):
    """Files of a certificate, which is its own authority, and of its private key."""

    cert: Path
    key: Path

    @property
    def options(self) -> list[str]:
        return [f"--tls-cert={self.cert}", f"--tls-key={self.key}"]

    @property
    def serial(self) -> str:
        """As hexadecimal digits; as `getpeercert` names it."""
        asked = [openssl(), "x509", "-in", str(self.cert), "-noout", "-serial"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip().partition("=")[2]

    def trust(self) -> ssl.SSLContext:
        """A client that trusts nobody else."""
        return ssl.create_default_context(cafile=str(self.cert))


def openssl() -> str:
    return tool("openssl", purpose="making certificates")


def make(folder: Path, name: str = "station", *further: str) -> Pair:
    """For localhost, 127.0.0.1 and files.example. `further`: arguments of `openssl req`."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    words = ["req", "-x509", "-days", "2", "-subj", f"/CN={name}", "-addext"]
    names = "subjectAltName=DNS:localhost,DNS:files.example,IP:127.0.0.1"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *(further or ("-nodes",))]
    files = ["-out", str(pair.cert), "-keyout", str(pair.key)]
    subprocess.run([openssl(), *words, names, *kind, *files], capture_output=True, check=True)
    return pair
