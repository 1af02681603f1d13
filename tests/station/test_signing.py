"""Posts are signed as Standard Webhooks says: its own library finds them good, and nothing else."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from station.clock import system_clock
from station.signing import LONGEST, SHORTEST, key_of, secret_of, signed

KEY = bytes(range(SHORTEST))


def now() -> int:
    return int(system_clock().wall)


@given(st.binary(min_size=SHORTEST, max_size=LONGEST), st.text(st.characters(codec="utf-8")))
def test_the_schemes_own_library_takes_what_was_signed(key: bytes, text: str) -> None:
    body = json.dumps({"text": text}, ensure_ascii=False).encode()
    headers = signed(key, "msg_1", now(), body)
    assert Webhook(secret_of(key)).verify(body.decode(), headers) == {"text": text}


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "webhook-signature", "body", "key"])
def test_whatever_is_changed_is_noticed(changed: str) -> None:
    body, key = b'{"event":"upload-completed"}', KEY
    headers = signed(KEY, "msg_1", now(), body)
    match changed:
        case "webhook-id":
            headers[changed] = "msg_2"
        case "webhook-timestamp":
            headers[changed] = str(int(headers[changed]) - 1)
        case "webhook-signature":
            headers[changed] = f"v1,{base64.b64encode(bytes(32)).decode()}"
        case "body":
            body = body.replace(b"completed", b"cancelled")
        case "key":
            key = KEY[::-1]
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(key)).verify(body.decode(), headers)


def test_a_secret_that_was_written_down_is_the_same_key() -> None:
    assert key_of(secret_of(KEY)) == KEY
    assert key_of(f"  {secret_of(KEY)}\n") == KEY


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hunter2",
        "whsec_",
        "whsec_!",
        base64.b64encode(KEY).decode(),
        secret_of(b"short"),
        secret_of(bytes(65)),
        "whsec_\xe9",
    ],
)
def test_what_is_no_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ValueError, match="in base64") as raised:
        key_of(secret)
    assert len(secret) < 7 or secret not in str(raised.value)
