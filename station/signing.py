"""How a post is signed: the scheme of Standard Webhooks, HMAC-SHA-256 over id, time and body. Pure."""

from __future__ import annotations

import base64
import hmac

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes of a key, as the scheme recommends


def secret_of(key: bytes) -> str:
    """How a key is written down."""
    return PREFIX + base64.b64encode(key).decode()


def key_of(secret: str) -> bytes:
    """The key that is written like this. Raises ValueError, with a sentence that does not repeat it."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except ValueError:  # binascii.Error is one
        key = b""
    if not secret.strip().startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"a webhook's secret is {PREFIX} and {SHORTEST} to {LONGEST} bytes in base64")
    return key


def signed(key: bytes, id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three fields that tell whose post it is, when it was sent, and that it is whole."""
    proof = hmac.digest(key, f"{id}.{timestamp}.".encode() + body, "sha256")
    signature = f"v1,{base64.b64encode(proof).decode()}"
    return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}
