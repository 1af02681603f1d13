"""The words of the commands."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from client.options import settings_of

ID = "550e8400-e29b-41d4-a716-446655440000"


def test_flags_win_over_the_environment() -> None:
    environment = {"UPLOAD_STATION_TO": "other:1", "UPLOAD_STATION_PIN": "1111", "XDG_STATE_HOME": "/x"}
    settings = settings_of("send", ["a", "--to", "kiosk.local"], environment)
    assert (settings.place.base, settings.pin, settings.state) == (
        "http://kiosk.local:8005",
        "1111",
        Path("/x/upload-station"),
    )
    assert settings_of("send", ["a", "--pin", "2222"], environment).pin == "2222"
    assert settings_of("send", ["a"], environment).place.base == "http://other:1"


def test_a_sessions_link_wins_over_the_address() -> None:
    settings = settings_of("send", ["a", "--to", "other", "--session", f"http://kiosk.local/s/{ID}"], {})
    assert (settings.place.base, settings.place.session_id) == ("http://kiosk.local", ID)
    settings = settings_of("send", ["a", "--to", "other:1", "--session", ID], {})
    assert (settings.place.base, settings.place.session_id) == ("http://other:1", ID)


@pytest.mark.parametrize(
    "words",
    [
        ["send"],
        ["send", "a"],
        ["send", "--to", "kiosk.local"],
        ["send", "a", "--to", "ftp://x"],
        ["send", "a", "--to", "http://x/wrong"],
        ["send", "a", "--to", "x", "--session", "http://kiosk.local/"],
        ["send", "a", "--session", ID],
        ["send", "a", "--to", "x", "--parallel", "0"],
        ["send", "a", "--to", "x", "--parallel", "1000"],
        ["send", "a", "--to", "x", "--patience", "long"],
        ["send", "a", "--to", "x", "--pin", "1\r\nX: y"],
        ["send", "a", "--to", "x", "--par", "3"],
        ["send", "a", "--to", "x", "--language", "fr"],
        ["watch"],
        ["watch", "http://kiosk.local"],
        ["watch", ID],
        ["watch", "--to", "kiosk.local"],
        ["watch", "--history"],
    ],
)
def test_what_is_wrong_is_a_sentence_and_status_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        settings_of(words[0], words[1:], {})
    assert end.value.code == 2
    assert f"upload-station {words[0]}: error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "nought", "pins"), [("send", "all files are stored", True), ("watch", "something was stored", False)]
)
def test_help_tells_the_exit_statuses_and_what_the_command_takes(
    capsys: pytest.CaptureFixture[str], command: str, nought: str, pins: bool
) -> None:
    with pytest.raises(SystemExit) as end:
        settings_of(command, ["--help"], {})
    assert end.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert nought in told
    assert "130 interrupted (143: by SIGTERM)" in told
    assert ("--pin" in told, "UPLOAD_STATION_PIN" in told) == (pins, pins)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), ("7", 7)])
def test_times(text: str, seconds: float) -> None:
    assert settings_of("send", ["a", "--to", "x", "--patience", text], {}).patience == seconds


def test_a_session_to_watch_is_a_link_or_an_id_at_a_station() -> None:
    assert settings_of("watch", [f"http://kiosk.local/s/{ID}"], {}).place.session_id == ID
    assert settings_of("watch", [ID, "--to", "kiosk.local"], {}).place.session_id == ID
    assert settings_of("watch", ["--to", f"kiosk.local/s/{ID}"], {}).place.session_id == ID


def test_the_command_that_goes_on_names_nothing_that_failed_for_good(tmp_path: Path) -> None:
    given = ["--to", "x", "a", f"{tmp_path}/b/../b", "b", "folder"]
    failed = {str(Path.cwd() / "a"): None, f"{tmp_path}/b": None, str(Path.cwd() / "folder" / "a"): None}
    command = settings_of("send", given, {}).command_for("http://x/s/1", failed)
    assert command.endswith(" -- b folder")


def test_the_command_that_goes_on_is_quoted_and_tells_no_pin() -> None:
    given = ["--to", "x", "--pin", "246810", "--recursive", "--", "-a b", "it's", "$(rm)"]
    command = settings_of("send", given, {}).command_for("http://x/s/1", ())
    assert "246810" not in command
    words = shlex.split(command)
    assert words[:4] == ["upload-station", "send", "--session", "http://x/s/1"]
    assert words[-4:] == ["--", "-a b", "it's", "$(rm)"]
    assert settings_of("send", words[2:], {}).files == ["-a b", "it's", "$(rm)"]
