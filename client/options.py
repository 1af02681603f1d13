"""The words after `upload-station send` and `watch`: flags, environment, defaults, and what is wrong with them."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.address import Place, place_of, session_of
from client.memory import state_folder
from client.words import language_of

_TIME_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_STATUSES = "2 wrong usage; 3 the station cannot be reached; 130 interrupted (143: by SIGTERM)."


@dataclass(frozen=True)
class Settings:
    """Of both commands. `files` is empty with `watch`. Times are seconds."""

    place: Place
    files: Sequence[str]
    state: Path
    category: str = ""
    pin: str = ""
    cacert: str = ""
    parallel: int = 3
    patience: float = 300.0
    language: str = "en"
    recursive: bool = False
    checksum: bool = False
    history: bool = False
    quiet: bool = False
    json: bool = False

    def command_for(self, link: str, failed: Collection[str]) -> str:
        """What goes on with this session. Without the PIN: an open session asks for none. `failed`: by their paths."""
        words = ["upload-station", "send", "--session", link]
        words += [f"--cacert={self.cacert}"] if self.cacert else []
        words += ["--recursive"] if self.recursive else []
        return shlex.join([*words, "--", *(file for file in self.files if os.path.abspath(file) not in failed)])


def settings_of(command: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Exits with status 2 and a sentence, as argparse does."""
    parser = _send_parser() if command == "send" else _watch_parser()
    given = vars(parser.parse_args(arguments))
    for name in ("to", "pin"):
        if name in given and given[name] is None:
            given[name] = environment.get(f"UPLOAD_STATION_{name.upper()}", "")
    place = _place(parser, given.pop("to"), given.pop("session", None) or "", watches=command == "watch")
    if not given.get("pin", "").isprintable():
        parser.error("--pin: it is not one line")
    given["language"] = given["language"] or language_of(environment)
    return Settings(place=place, state=state_folder(environment), **{"files": [], **given})


def _place(parser: argparse.ArgumentParser, to: str, session: str, *, watches: bool) -> Place:
    try:
        place = place_of(to) if to else Place("")
    except ValueError as error:
        parser.error(f"--to: {error}")
    if session:
        try:
            named = session_of(session)
        except ValueError as error:
            parser.error(f"{'' if watches else '--session: '}{error}")
        place = named if named.base else Place(place.base, session_id=named.session_id)
    if not place.base:
        parser.error("which station? Give its address with --to, or as UPLOAD_STATION_TO in the environment")
    if watches and not place.session_id and not place.code:
        parser.error("which session? Give its link, as `send` prints it and pages have it in their address")
    return place


def _send_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "send",
        "Send files to a station; on a bad line it goes on where it stopped.",
        f"Exit status: 0 all files are stored; 1 something failed or was refused; {_STATUSES} --to and --pin may also "
        "be UPLOAD_STATION_TO and UPLOAD_STATION_PIN in the environment.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="what to send; after -- names may begin with -")
    parser.add_argument("--to", metavar="ADDRESS", help="the station, or the link of a session or of a QR code")
    parser.add_argument("--session", metavar="LINK", help="send into this session, and go on with what is not finished")
    parser.add_argument("--category", default="", help="folder at the station (default: its first)")
    parser.add_argument(
        "--pin", help="the station's PIN; others on this computer can see it, better: UPLOAD_STATION_PIN"
    )
    parser.add_argument("--parallel", type=_count, default=3, metavar="N", help="files at a time (default: 3)")
    parser.add_argument("--recursive", action="store_true", help="send all files in folders, without the folders")
    parser.add_argument("--checksum", action="store_true", help="have each piece checked on arrival (slower)")
    parser.add_argument("--quiet", action="store_true", help="tell only what went wrong")
    return _common(parser)


def _watch_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "watch",
        "Tell what happens in a session, until it is over.",
        "Exit status: 0 the session is completed, that is, something was stored; 1 it failed, was cancelled, or is not "
        f"there; {_STATUSES} --to may also be UPLOAD_STATION_TO in the environment.",
    )
    parser.add_argument("session", metavar="LINK", nargs="?", help="link or id of the session")
    parser.add_argument("--to", metavar="ADDRESS", help="the station, where only an id is given")
    parser.add_argument("--history", action="store_true", help="tell also what happened before")
    return _common(parser)


def _parser(command: str, description: str, epilog: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"upload-station {command}", description=description, epilog=epilog, allow_abbrev=False
    )


def _common(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    add: Callable[..., Any] = parser.add_argument
    add("--patience", type=_seconds, default=300.0, metavar="TIME", help="give up after so long without a byte (5m)")
    add("--cacert", default="", metavar="FILE", help="trust this certificate (PEM) of the station, or of who signed it")
    add("--language", choices=("zh", "en"), help="of what is told (default: the system's)")
    add("--json", action="store_true", help="one JSON object a line, for programs")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 32):
        raise argparse.ArgumentTypeError("a number from 1 to 32")
    return int(text)


def _seconds(text: str) -> float:
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _TIME_UNITS else (text, "s")
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        raise argparse.ArgumentTypeError("a time such as 30s, 5m or 2h")
    return float(number) * _TIME_UNITS[unit]
