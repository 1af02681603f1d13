"""TLS: the operator's certificate, read before anything else happens, and again once it was renewed.

Whether anybody trusts it is between the operator and the browsers; nothing is made or asked for here. Who speaks plain
http is told so.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl

from tornado.iostream import IOStream, SSLIOStream

from handlers.door import Door
from station.storage import Unusable

log = logging.getLogger("upload_station")
_TO_PLAIN_HTTP = (
    "本站点使用 https，请在网址前加上 https://\nThis station speaks https: put https:// in front of its address.\n"
).encode()
_HEAD = (
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
    f"Content-Length: {len(_TO_PLAIN_HTTP)}\r\nConnection: close\r\n\r\n"
).encode()


class Courteous(ssl.SSLSocket):
    """A connection that answers a plain request once, in plain words, where its handshake would only hang up.

    OpenSSL knows it by its first bytes (GET, HEAD, POST and PUT), so nobody else's handshake is looked at.
    """

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                with contextlib.suppress(OSError):
                    socket.socket.send(self, _HEAD + _TO_PLAIN_HTTP)  # past TLS; so little always fits
                    socket.socket.recv(self, 65536)  # closing with bytes unread would be a reset, and lose the answer
            raise


def context(cert: str, key: str) -> ssl.SSLContext | None:
    """From files with the certificate and its chain, and with the private key; key empty: it is in the same file.

    None without a certificate: the station speaks plain http. Raises Unusable.
    """
    if not cert:
        if key:
            raise Unusable("--tls-key needs --tls-cert, the file with the certificate")
        return None
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)  # TLS 1.2 and newer, ciphers with forward secrecy
    made.sslsocket_class = Courteous
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION  # lets a client cost the station more than itself
    made.set_alpn_protocols(["http/1.1"])
    _readable(cert, "certificate")
    _readable(key or cert, "key")
    try:
        made.load_cert_chain(cert, key or None, _no_password)
    except ssl.SSLError as error:
        raise Unusable(_sentence(error, cert, key or cert)) from error
    return made


def _readable(path: str, what: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise Unusable(f"cannot read the {what} {path}: {error.strerror}") from error


def _no_password() -> str:
    # By itself OpenSSL would ask on the terminal, or wait there for ever.
    raise Unusable("the private key has a password, and nobody is there to give it; keep it in a file without one")


def _sentence(error: ssl.SSLError, cert: str, key: str) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key {key} is not that of the certificate {cert}"
    if error.reason in {"EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"}:
        return f"the certificate {cert} is too weak: {error.reason.replace('_', ' ').lower()}"
    return f"there is no certificate with its key, as PEM, in {cert}" + (f" and {key}" if key != cert else "")


def renew(door: Door, cert: str, key: str) -> None:
    """Show the certificate as it is now to whoever connects from now on. If it cannot be read, the old one stays."""
    try:
        renewed = context(cert, key)
    except Unusable as error:
        log.error("the certificate stays as it was: %s", error)
        return
    if renewed is not None:
        door.ssl_options = renewed
        log.info("the certificate was read again")


def stop_sending(stream: IOStream) -> None:
    """Tell the client that all was said, while its last bytes are still read and dropped.

    Not with TLS: Python's sockets cannot close one half of it, and what came afterwards would be read undecrypted. The
    client knows by Content-Length where the answer ends.
    """
    if not isinstance(stream, SSLIOStream):
        stream.socket.shutdown(socket.SHUT_WR)
