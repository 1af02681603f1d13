"""What people give as a station's address: a host, a link of a session, the link of a kiosk's code. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

PORT = 8005
"""The station's own, where neither a scheme nor a port is given."""
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_CODE = re.compile(r"[0-9][0-9 -]{3,30}")


@dataclass(frozen=True)
class Place:
    """`base` is `http://host:port` without a slash at its end, "" where only an id was given."""

    base: str
    session_id: str = ""
    code: str = ""

    def link(self, session_id: str) -> str:
        return f"{self.base}/s/{session_id}"


def place_of(text: str) -> Place:
    """Raises ValueError with a sentence. It does not repeat the text, which may open a session."""
    given = text.strip()
    scheme, separator, _ = given.partition("://")
    if separator and scheme.lower() not in {"http", "https"}:
        raise ValueError("an address begins with http:// or https://")
    parts = urlsplit(given if separator else f"http://{given}")
    host = parts.hostname or ""
    if not host or not re.fullmatch(r"[\w.-]+|[0-9a-fA-F:.]+", host) or "@" in parts.netloc:
        raise ValueError("that is no address of a station, such as http://192.168.1.5:8005")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the port of the address is no number up to 65535") from None
    port = port if port is not None or separator else PORT
    shown = f"[{host}]" if ":" in host else host
    base = f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")
    return _inside(base, parts.path, parts.query)


def _inside(base: str, path: str, query: str) -> Place:
    match [step for step in path.split("/") if step]:
        case []:
            return Place(base)
        case ["s", session_id] if _ID.fullmatch(session_id):
            return Place(base, session_id=session_id)
        case ["j", code] if _CODE.fullmatch(code):
            return Place(base, code=code)
        case ["j"] if _CODE.fullmatch(code := parse_qs(query).get("code", [""])[-1].strip()):
            return Place(base, code=code)
    raise ValueError("the address leads to no session: give the station's, a session's /s/… or a code's /j/…")


def session_of(text: str) -> Place:
    """A session's link, or its bare id (then `base` is empty). Raises ValueError."""
    given = text.strip()
    if "/" not in given and _ID.fullmatch(given) and "." not in given:
        return Place("", session_id=given)
    place = place_of(given)
    if not place.session_id and not place.code:
        raise ValueError("that is the address of a station, not of a session: give a link such as http://…/s/…")
    return place
