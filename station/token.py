"""What only the owner of the station may read: the operator's token, and the secret that passes are signed with.

Where the owner has not chosen, they are random, made once and kept in the station's own folder.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from station.signing import SHORTEST, key_of, secret_of


def operator_token(configured: str, own: Path) -> str:
    """`own`: the station's own folder."""
    return configured or _kept(own / "token")


def signing_secret(own: Path) -> str:
    """`own`: the station's own folder."""
    return _kept(own / "secret")


def operator_secret(own: Path) -> str:
    """What the operator's passes are signed with; another one voids them. `own`: the station's own folder."""
    return _kept(own / "operator-secret")


def another_operator_secret(own: Path) -> str:
    """Made and kept in the place of the old one: the passes of before are worth nothing, after a power cut neither.

    Raises OSError if the old one cannot be removed.
    """
    path = own / "operator-secret"
    path.unlink(missing_ok=True)
    try:
        _sync(own)  # first: there may be no room for another
        return _kept(path)
    except OSError:  # a full disk keeps nobody in; the next start makes another
        return passing_secret()


def passing_secret() -> str:
    """For this run only."""
    return secrets.token_urlsafe(32)


def webhook_secret(configured: str, own: Path) -> str:
    """`own`: the station's own folder. What is kept and is none (cut short, say) is made anew."""
    path = own / "webhook-secret"
    try:
        key_of(configured or path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        path.unlink(missing_ok=True)
    return configured or _kept(path, lambda: secret_of(secrets.token_bytes(SHORTEST)))


def _kept(path: Path, make: Callable[[], str] = passing_secret) -> str:
    # An empty one was left by a crash between creating and writing it; it would let in whoever sends none.
    if path.exists() and (kept := path.read_text(encoding="ascii").strip()):
        return kept
    made = make()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        os.fchmod(fd, 0o600)
        file.write(made + "\n")
        file.flush()
        os.fsync(fd)
    _sync(path.parent)
    return made


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
