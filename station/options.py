"""How an option's text is read: sizes, times, names, addresses. Each raises ValueError with a sentence.

Pure, but for a look at the programs that are named.

Not known here: which options there are, nor where their texts come from (`config`).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from functools import partial
from ipaddress import ip_network
from shutil import which
from typing import Any
from urllib.parse import urlsplit

from station.signing import key_of

_SIZE_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_TIME_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_FIRST_LINE = 256  # bytes of a script that the system looks at


def size(text: str) -> int:
    """Bytes from `10 GiB`, `500MB`, `2g` (powers of 1024) or a plain number."""
    match = re.fullmatch(r"(\d{1,16}(?:\.\d{1,9})?)\s*([kmgt]?)i?b?", text.strip().lower())
    if not match:
        raise ValueError(f"{text!r} is not a size such as 500MB or 10GiB")
    return int(float(match[1]) * 1024 ** _SIZE_UNITS[match[2]])


def seconds(text: str) -> float:
    """Seconds from `30`, `500ms`, `30 s`, `30min`, `24h`, `7d`."""
    match = re.fullmatch(r"(\d{1,16}(?:\.\d{1,9})?)\s*(ms|s|min|m|h|d)?", text.strip().lower())
    if not match:
        raise ValueError(f"{text!r} is not a time such as 30s, 30min or 24h")
    return float(match[1]) * _TIME_UNITS[match[2] or ""]


def whole(text: str) -> int:
    if not re.fullmatch(r"\s*-?[0-9]+\s*", text):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def decimal(text: str) -> float:
    if not re.fullmatch(r"\s*-?[0-9]*\.?[0-9]+\s*", text):
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", text.strip()) if word)


def switch(text: str) -> bool:
    if text.strip().lower() in {"1", "on", "yes", "true"}:
        return True
    if text.strip().lower() in {"0", "off", "no", "false"}:
        return False
    raise ValueError(f"{text!r} is neither on nor off")


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.strip() not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text.strip()

    return parse


def some_of(*choices: str) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        found = words(text)
        for word in found:
            if word not in choices:
                raise ValueError(f"{word!r} is none of {', '.join(choices)}")
        if not found:
            raise ValueError(f"at least one is needed of {', '.join(choices)}")
        return found

    return parse


def within(low: float, high: float, parse: Callable[[str], Any] = seconds) -> Callable[[str], Any]:
    return partial(_within, parse, low, high)


def _within(parse: Callable[[str], Any], low: float, high: float, text: str) -> Any:
    value = parse(text)
    if not low <= value <= high:
        raise ValueError(f"{text!r} is not between {low:g} and {high:g}")
    return value


def categories(text: str) -> tuple[str, ...]:
    """Folder names: a category is a folder below `upload_dir`, so it must be a plain, visible name."""
    found = words(text)
    for word in found:
        if not re.fullmatch(r"\w[\w-]{0,63}", word):
            raise ValueError(f"{word!r} cannot be a category: letters, digits, - and _ only")
    if not found:
        raise ValueError("at least one category is needed")
    return found


def secret_word(text: str) -> str:
    """What people are to type. A complaint does not repeat it."""
    word = text.strip()
    if word and not (4 <= len(word) <= 64 and word.isprintable()):
        raise ValueError("it must have at least 4 characters and at most 64, in one line; 6 or more are better")
    return word


def operator_word(text: str) -> str:
    """What opens the operator's page. A complaint does not repeat it."""
    word = text.strip()
    if word and not (8 <= len(word) <= 256 and word.isprintable()):
        raise ValueError("it must have at least 8 characters and at most 256, in one line; 20 or more are better")
    return word


def public_address(text: str) -> str:
    """`http://host[:port]` without a slash at its end."""
    found = re.fullmatch(r"(https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?)/?", text.strip().lower())
    if text.strip() and not found:
        raise ValueError(f"{text!r} is not an address such as http://192.168.1.5:8005")
    return found[1] if found else ""


def label(text: str) -> str:
    """A name below `.local`, without that."""
    name = text.strip().lower().removesuffix(".").removesuffix(".local")
    if name and not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?", name):
        raise ValueError(f"{text!r} is not a name of up to 60 letters, digits and hyphens")
    return name


def network_name(text: str) -> str:
    if len(text.encode()) > 32:
        raise ValueError(f"{text!r} is longer than a Wi-Fi's name may be, 32 bytes")
    return text


def network_password(text: str) -> str:
    """A complaint does not repeat it."""
    if text and not (8 <= len(text) <= 64 and text.isascii() and text.isprintable()):
        raise ValueError("a Wi-Fi's password has 8 to 63 letters, digits and signs")
    return text


def command(text: str) -> str:
    """A command line in words as a shell would split them; nothing else of a shell works in it.

    It must be possible to run it: a check that cannot be lets no file through, and the first sender would hear of it.
    """
    try:
        found = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a command line: {error}") from None
    if "\0" in text or (found and not found[0]):
        raise ValueError(f"{text!r} is not a command line")
    if found and (why := _why_not(found[0])):
        raise ValueError(f"{found[0]!r} cannot be run: {why}")
    return text.strip() if found else ""


def _why_not(program: str) -> str:
    """Why it cannot be started, in words; empty: it seems that it can."""
    path = which(program)
    if path is None:
        return "there is no such program, or it is not executable"
    try:
        with open(path, "rb") as file:
            beginning = file.readline(_FIRST_LINE)
    except OSError:  # it may be run though it may not be read
        return ""
    if b"\0" in beginning:
        return ""
    if not beginning.startswith(b"#!"):
        return "it is a text whose first line does not name its interpreter, as #!/bin/sh does"
    if beginning.rstrip(b"\n").endswith(b"\r"):
        return "its lines end as those of Windows do; `dos2unix` or an editor can change that"
    interpreter, *further = beginning[2:].decode(errors="replace").split() or [""]
    if "/" not in interpreter or which(interpreter) is None:  # the system looks in no PATH for it
        return f"there is no {interpreter!r}, which its first line names"
    sought = further[0] if interpreter.endswith("/env") and further else ""
    lacks = sought and not sought.startswith("-") and "=" not in sought and which(sought) is None
    return f"there is no {sought!r}, which its first line names" if lacks else ""


def web_address(text: str) -> str:
    """An address to send to. A complaint does not repeat it: it may hold a password."""
    address = text.strip()
    try:
        whole = not address or (urlsplit(address).hostname and urlsplit(address).port != 0)
    except ValueError:
        whole = False
    if address and not (whole and re.fullmatch(r"https?://[!-~]+", address, re.IGNORECASE)):
        raise ValueError("it is not an address such as https://intranet.example/uploads")
    return address


def signing_key(text: str) -> str:
    """What posts are signed with, as Standard Webhooks writes it down. A complaint does not repeat it."""
    if text.strip():
        key_of(text)
    return text.strip()


def networks(text: str) -> tuple[str, ...]:
    """Addresses, or networks such as 10.0.0.0/8."""
    return tuple(str(ip_network(word)) for word in words(text))
