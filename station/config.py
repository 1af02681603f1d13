"""Every option of the station, once: type, default, help. Flags, config file lines and environment all follow from it."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from station.options import (
    categories,
    command,
    decimal,
    label,
    network_name,
    network_password,
    networks,
    one_of,
    operator_word,
    public_address,
    seconds,
    secret_word,
    signing_key,
    size,
    some_of,
    switch,
    web_address,
    whole,
    within,
    words,
)

ENVIRONMENT_PREFIX = "UPLOAD_STATION_"
_NO_OPTIONS = {ENVIRONMENT_PREFIX + name for name in ("TO", "PIN")}  # the client's


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
    heartbeat: float = _option(20.0, within(0.05, 3600), "time between two WebSocket pings; who owes an answer at the next is dropped")
    body_idle_timeout: float = _option(60.0, seconds, "a request whose body stands still for this long is ended")
    body_min_rate: int = _option(1024, size, "a request body slower than this many bytes a second, averaged over a minute, is ended")
    drain_size: int = _option(64 * 1024**2, size, "how much of a body whose fate is decided is still read, so that the client can read the answer")
    drain_time: float = _option(15.0, seconds, "and for how long")
    max_connections: int = _option(5000, within(8, 1_000_000, whole), "connections served at a time; fewer where the system allows fewer open files")
    max_sessions: int = _option(10_000, within(1, 1_000_000, whole), "sessions open at a time")
    max_open_files: int = _option(
        100_000,
        within(1, 10_000_000, whole),
        "files of all open sessions together; beyond it no session is opened that announces files",
    )
    outbox_size: int = _option(1024**2, size, "bytes that may wait for a slow watcher before it is disconnected")
    allowed_hosts: tuple[str, ...] = _option((), words, "further host names the station answers to, for example behind a proxy")
    allowed_origins: tuple[str, ...] = _option((), words, "origins of other sites whose pages may use the station, for example https://intranet.example")
    language: str = _option("zh-CN", one_of("zh-CN", "en"), "language of event messages, and of answers to clients that name none")
    contact: str = _option("", str, "who to ask for help, shown with errors")
    upload_pin: str = _option("", secret_word, "PIN that is asked for before files may be sent: at least 4 characters, better 6 or more; empty: nobody is asked")
    kiosk_url: str = _option("", public_address, "address at which phones reach the station, for the QR codes; empty: the one the kiosk was opened at, or this machine's in the network")
    kiosk_idle: float = _option(90.0, within(1, 86400), "a kiosk ends a visit in which nothing came for this long")
    wifi_name: str = _option("", network_name, "Wi-Fi network for phones; a kiosk then shows a QR code for joining it")
    wifi_password: str = _option("", network_password, "its password, told to everybody who looks at a kiosk; empty: it has none")
    mdns: str = _option("", label, "name under which the station is announced in the network: kiosk makes it http://kiosk.local; empty: it is not; needs the package zeroconf")
    admin_token: str = _option("", operator_word, "operator's token, at least 8 characters, better 20 or more; empty: a random one is made and kept in the upload folder")
    history_age: float = _option(2592000.0, seconds, "how long the operator can look back: ended sessions with their events, charts, what was deleted")
    history_size: int = _option(256 * 1024**2, size, "largest journal; what ended first is forgotten first")
    metrics_open: bool = _option(True, switch, "whether /metrics may be read without the operator's token")
    on_completed: str = _option("", command, "program that is run for each stored file, without a shell; it gets the event as JSON on standard input")
    before_publish: str = _option("", command, "program that looks at each file before it is published: exit status 0 takes it, 1 and words on its standard output reject it")
    hook_timeout: float = _option(60.0, within(0.1, 86400), "how long such a program, or an answer to a webhook, may take")
    hook_patience: float = _option(86400.0, seconds, "how long what could not be told to a program or a webhook is tried again")
    webhook: str = _option("", web_address, "address that events are posted to")
    webhook_secret: str = _option("", signing_key, "what posts are signed with: whsec_ and at least 24 bytes in base64; empty: a random one is made and kept in the upload folder")
    webhook_events: tuple[str, ...] = _option(("upload-started", "upload-progress", "upload-completed", "upload-failed", "upload-cancelled", "session-completed"), some_of("upload-started", "upload-progress", "upload-completed", "upload-failed", "upload-cancelled", "session-completed", "session-error", "file-deleted"), "events that are posted; session-error and file-deleted can be added")
    trusted_proxies: tuple[str, ...] = _option((), networks, "addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed")
    tls_cert: str = _option("", str, "file with a certificate and its chain (PEM): the station then speaks https")
    tls_key: str = _option("", str, "file with its private key (PEM); empty: it is in the same file")
    log_format: str = _option("readable", one_of("readable", "json"), "how log lines are written")
# fmt: on

    @property
    def scheme(self) -> str:
        """What the station itself speaks; a proxy before it may speak another."""
        return "https" if self.tls_cert else "http"


def load(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Config:
    """Read the options: a flag wins over the environment, that over the config file, that over the default.

    Exits with a message on an unknown option or a value that cannot be understood, as argparse does.
    """
    parser = _parser()
    flags = vars(parser.parse_args(arguments))
    texts: dict[str, tuple[str, str]] = {}
    if path := flags.pop("config"):
        texts |= _lines_of(parser, Path(path))
    variables = {item.name: _variable(item.name) for item in fields(Config)}
    texts |= {name: (environment[there], there) for name, there in variables.items() if there in environment}
    texts |= {name: (text, _flag(name)) for name, text in flags.items() if text is not None}
    values = {}
    for item in fields(Config):
        if item.name in texts:
            text, source = texts[item.name]
            try:
                values[item.name] = item.metadata["parse"](text)
            except ValueError as error:
                parser.error(f"{source}: {error}")
    return Config(**values)


def idle(config: Config) -> list[str]:
    """Options that say how to post to a webhook, although none is named: it may have been turned off for a while."""
    plain, names = Config(), ("webhook_secret", "webhook_events")
    return [] if config.webhook else [name for name in names if getattr(config, name) != getattr(plain, name)]


def misspelt(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that look like options and are none. What a hook starts has some by right."""
    if ENVIRONMENT_PREFIX + "RUN" in environment:
        return []
    known = _NO_OPTIONS | {_variable(item.name) for item in fields(Config)}
    return sorted(name for name in environment if name.startswith(ENVIRONMENT_PREFIX) and name not in known)


def _variable(name: str) -> str:
    return ENVIRONMENT_PREFIX + name.upper()


def _flag(name: str) -> str:
    """As it is written in the documentation; with underscores it is taken too."""
    return "--" + name.replace("_", "-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="upload-station",
        usage="%(prog)s [--help] [--config FILE] [--OPTION VALUE]...\n"
        "       %(prog)s send FILE... --to ADDRESS    (send files to a station; see %(prog)s send --help)\n"
        "       %(prog)s watch LINK                   (tell what happens in a session)",
        description="Receive files from phones and browsers on the same network, and tell whoever watches, live.",
        epilog=f"Each option can also be a line `name = value` of the file given with --config, or "
        f"{ENVIRONMENT_PREFIX}<NAME> in the environment.",
    )
    parser.add_argument("--config", help="file with one `name = value` a line")
    for item in fields(Config):
        default = item.default
        shown = ",".join(default) if isinstance(default, tuple) else default
        dashed = _flag(item.name)
        text = f"{item.metadata['help']} (default: {shown})" if shown != "" else item.metadata["help"]
        parser.add_argument(dashed, dest=item.name, metavar="VALUE", help=text.replace("%", "%%"))
        if dashed != f"--{item.name}":
            parser.add_argument(f"--{item.name}", dest=item.name, help=argparse.SUPPRESS)
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
            # Not repeated: there may be a secret in it.
            near = get_close_matches(re.split(r"[:\s]", name, maxsplit=1)[0], known, 1)
            meant = f"; is `{near[0]} = …` meant?" if near else ""
            parser.error(f"{path}, line {number}: this is no option{meant}")
        texts[name] = (text.strip(), f"{path}, line {number}")
    return texts
