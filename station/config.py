"""Every option of the station, once: type, default, help. Flags, config file lines and environment all follow from it."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

ENVIRONMENT_PREFIX = "UPLOAD_STATION_"
_SIZE_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_TIME_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


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


def within(low: float, high: float, parse: Callable[[str], Any] = seconds) -> Callable[[str], Any]:
    def check(text: str) -> Any:
        value = parse(text)
        if not low <= value <= high:
            raise ValueError(f"{text!r} is not between {low:g} and {high:g}")
        return value

    return check


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
        raise ValueError("it must have 4 to 64 characters, in one line")
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


def _option(default: Any, parse: Callable[[str], Any], help: str) -> Any:
    return field(default=default, metadata={"parse": parse, "help": help})


# fmt: off
@dataclass(frozen=True, kw_only=True)
class Config:
    """The options as values. Sizes are bytes, times seconds."""

    port: int = _option(8005, within(0, 65535, whole), "port to listen on; 0 picks a free one")
    address: str = _option("", str, "address to listen on; empty: all of them")
    upload_dir: Path = _option(Path("upload"), Path, "folder where files land")
    categories: tuple[str, ...] = _option(("personal", "scenic"), categories, "folders that an uploader may choose from")
    allowed_types: tuple[str, ...] = _option((), words, "file extensions that are taken; * takes anything, unexamined; empty: common photos, videos, audio, documents, archives")
    max_file_size: int = _option(10 * 1024**3, size, "largest file that is taken")
    max_files: int = _option(1000, within(1, 100_000, whole), "files a session may hold")
    max_retries: int = _option(3, within(0, 100, whole), "how often a failed file may be tried again")
    retry_grace: float = _option(30.0, seconds, "how long a session waits for a failed file to be tried again")
    settle_linger: float = _option(2.0, seconds, "how long a session of unknown length stays open after its last upload")
    session_timeout: float = _option(1800.0, seconds, "a session in which nothing happens for this long is ended")
    session_retention: float = _option(86400.0, seconds, "how long an ended session can still be read")
    upload_expiry: float = _option(86400.0, seconds, "how long an unfinished resumable upload is kept")
    delete_by_uploader: bool = _option(False, switch, "whether an uploader may delete a stored file by deleting its finished upload (tus)")
    progress_interval: float = _option(0.5, seconds, "least time between two progress messages of a file")
    progress_step: float = _option(1.0, within(0, 100, decimal), "least progress, in percent, between two progress messages of a file")
    progress_max_silence: float = _option(2.0, seconds, "longest silence while bytes flow")
    min_free_space: int = _option(256 * 1024**2, size, "free space that uploads may not eat into")
    durability: str = _option("full", one_of("full", "process"), "full: a finished file survives a power cut; process: it survives a crash of the station only")
    checksum: str = _option("blake3", one_of("blake3", "sha256", "none"), "checksum computed while a file is written")
    ws_compression: bool = _option(False, switch, "compress WebSocket messages; costs about 160 KiB a connection")
    heartbeat: float = _option(20.0, within(0.05, 3600), "time between two WebSocket pings; a peer that misses two is dropped")
    body_idle_timeout: float = _option(60.0, seconds, "a request whose body stands still for this long is ended")
    body_min_rate: int = _option(1024, size, "a request body slower than this many bytes a second, averaged over a minute, is ended")
    drain_size: int = _option(64 * 1024**2, size, "how much of a body whose fate is decided is still read, so that the client can read the answer")
    drain_time: float = _option(15.0, seconds, "and for how long")
    max_connections: int = _option(5000, within(8, 1_000_000, whole), "connections served at a time; fewer where the system allows fewer open files")
    max_sessions: int = _option(10_000, within(1, 1_000_000, whole), "sessions open at a time")
    outbox_size: int = _option(1024**2, size, "bytes that may wait for a slow watcher before it is disconnected")
    allowed_hosts: tuple[str, ...] = _option((), words, "further host names the station answers to, for example behind a proxy")
    allowed_origins: tuple[str, ...] = _option((), words, "origins of other sites whose pages may use the station, for example https://intranet.example")
    language: str = _option("zh-CN", one_of("zh-CN", "en"), "language of event messages, and of answers to clients that name none")
    contact: str = _option("", str, "who to ask for help, shown with errors")
    upload_pin: str = _option("", secret_word, "PIN that is asked for before files may be sent, six digits or more; empty: nobody is asked")
    kiosk_url: str = _option("", public_address, "address at which phones reach the station, for the QR codes; empty: the one the kiosk was opened at, or this machine's in the network")
    kiosk_idle: float = _option(90.0, within(1, 86400), "a kiosk ends a visit in which nothing came for this long")
    wifi_name: str = _option("", network_name, "Wi-Fi network for phones; a kiosk then shows a QR code for joining it")
    wifi_password: str = _option("", network_password, "its password, told to everybody who looks at a kiosk; empty: it has none")
    mdns: str = _option("", label, "name under which the station is announced in the network: kiosk makes it http://kiosk.local; empty: it is not; needs the package zeroconf")
    admin_token: str = _option("", str, "operator's token; empty: a random one is made and kept in the upload folder")
# fmt: on


def load(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Config:
    """Read the options: a flag wins over the environment, that over the config file, that over the default.

    Exits with a message on an unknown option or a value that cannot be understood, as argparse does.
    """
    parser = _parser()
    flags = vars(parser.parse_args(arguments))
    texts: dict[str, tuple[str, str]] = {}
    if path := flags.pop("config"):
        texts |= _lines_of(parser, Path(path))
    for item in fields(Config):
        name = ENVIRONMENT_PREFIX + item.name.upper()
        if name in environment:
            texts[item.name] = (environment[name], name)
    texts |= {name: (text, f"--{name}") for name, text in flags.items() if text is not None}
    values = {}
    for item in fields(Config):
        if item.name in texts:
            text, source = texts[item.name]
            try:
                values[item.name] = item.metadata["parse"](text)
            except ValueError as error:
                parser.error(f"{source}: {error}")
    return Config(**values)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="upload-station",
        description="Receive files from phones and browsers on the same network, and tell whoever watches, live.",
        epilog=f"Each option can also be a line `name = value` of the file given with --config, or "
        f"{ENVIRONMENT_PREFIX}<NAME> in the environment.",
    )
    parser.add_argument("--config", help="file with one `name = value` a line")
    for item in fields(Config):
        default = item.default
        shown = ",".join(default) if isinstance(default, tuple) else default
        dashed = "--" + item.name.replace("_", "-")
        names = [dashed] if dashed == f"--{item.name}" else [dashed, f"--{item.name}"]
        text = f"{item.metadata['help']} (default: {shown})" if shown != "" else item.metadata["help"]
        parser.add_argument(*names, dest=item.name, metavar="VALUE", help=text.replace("%", "%%"))
    return parser


def _lines_of(parser: argparse.ArgumentParser, path: Path) -> dict[str, tuple[str, str]]:
    """The options in a config file; `#` begins a comment at the start of a line only, so that values may hold it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"--config: cannot read {path}: {error}")
    known = {item.name for item in fields(Config)}
    texts = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, text = line.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in known:
            parser.error(f"{path}, line {number}: not an option: {line.strip()}")
        texts[name] = (text.strip(), f"{path}, line {number}")
    return texts
