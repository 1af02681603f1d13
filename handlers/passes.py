"""A pass in a cookie: shown, given, renewed in use. Knows neither what it opens, nor what was known to get it."""

from __future__ import annotations

from handlers.answers import Answering
from station.access import Access


def shows_pass(handler: Answering, cookie: str, access: Access) -> bool:
    """For what is nobody's without one. A pass in use is renewed."""
    # Access would let in whoever asks, where there is nothing to know.
    if not access.required or not access.accepts(*shown(handler, cookie)):
        return False
    renew_pass(handler, cookie, access)
    return True


def shown(handler: Answering, cookie: str) -> tuple[str, float]:
    """What came in the cookie, and when."""
    return handler.get_cookie(cookie, "") or "", handler.station.clock().wall


def give_pass(handler: Answering, cookie: str, access: Access) -> None:
    _keep(handler, cookie, access.pass_for(handler.station.clock().wall), access.valid)


def renew_pass(handler: Answering, cookie: str, access: Access) -> None:
    """If one was shown that has been in use for long."""
    if (text := access.renewed(*shown(handler, cookie))) is not None:
        _keep(handler, cookie, text, access.valid)


def _keep(handler: Answering, cookie: str, text: str, seconds: float) -> None:
    """Scripts of a page cannot read it, and no other site can send it along."""
    secure = handler.request.protocol == "https"
    handler.set_cookie(cookie, text, max_age=int(seconds), httponly=True, samesite="Strict", secure=secure)
