"""The operator's token: the configured one, or a random one, made once and kept where only the owner reads it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def operator_token(configured: str, own: Path) -> str:
    """`own`: the station's own folder."""
    if configured:
        return configured
    path = own / "token"
    # An empty one was left by a crash between creating and writing it; it would let in whoever sends no token.
    if path.exists() and (kept := path.read_text(encoding="ascii").strip()):
        return kept
    token = secrets.token_urlsafe(24)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        os.fchmod(fd, 0o600)
        file.write(token + "\n")
    return token
