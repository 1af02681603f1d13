"""What programs learn by their environment, and who is found by it."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from station.environment import environment, kill_all_in


def test_secrets_of_the_station_and_its_manager_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "UPLOAD_STATION_ADMIN_TOKEN",
        "UPLOAD_STATION_WEBHOOK_SECRET",
        "UPLOAD_STATION_WEBHOOK",
        "UPLOAD_STATION_UPLOAD_PIN",
        "UPLOAD_STATION_WIFI_PASSWORD",
        "NOTIFY_SOCKET",
        "WATCHDOG_PID",
        "LISTEN_FDS",
    ):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("PATH_OF_MINE", "kept")
    found = environment({"fileName": "a", "fileSize": 0, "checksum": None})
    assert b"secret" not in found.values()
    assert found[b"PATH_OF_MINE"] == b"kept"
    ours = {name: value for name, value in found.items() if name.startswith(b"UPLOAD_STATION_")}
    assert ours == {
        b"UPLOAD_STATION_FILE_NAME": b"a",
        b"UPLOAD_STATION_FILE_SIZE": b"0",
        b"UPLOAD_STATION_RUN": found[b"UPLOAD_STATION_RUN"],
    }


def test_those_of_one_run_are_killed_and_no_others(tmp_path: Path) -> None:
    mine, others = environment({"fileName": "a"}), environment({"fileName": "a"})
    commands = [mine, others, mine, {**mine, b"UPLOAD_STATION_RUN": mine[b"UPLOAD_STATION_RUN"] + b"0"}]
    started = [subprocess.Popen(["sleep", "60"], env=each, start_new_session=True, cwd=tmp_path) for each in commands]
    try:
        kill_all_in(mine)
        assert [started[at].wait(20) for at in (0, 2)] == [-signal.SIGKILL] * 2
        assert [started[at].poll() for at in (1, 3)] == [None, None]
    finally:
        for each in started:
            each.kill()
            each.wait()


@pytest.mark.parametrize("shows_it", [True, False])
def test_one_that_is_just_becoming_another_program_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shows_it: bool
) -> None:
    """For a moment it has no environment; so has for ever who was started with none."""
    mine = environment({})
    started = subprocess.Popen(["sleep", "60"], env={}, cwd=tmp_path)
    shown = tmp_path / str(started.pid)
    shown.mkdir()
    (shown / "exe").symlink_to("/bin/sleep")
    (shown / "environ").touch()

    def show(_: float) -> None:
        if shows_it:
            (shown / "environ").write_bytes(b"A=\0UPLOAD_STATION_RUN=" + mine[b"UPLOAD_STATION_RUN"] + b"\0")

    monkeypatch.setattr("station.environment._PROCESSES", tmp_path)
    monkeypatch.setattr("station.environment.sleep", show)
    try:
        kill_all_in(mine)
        assert started.poll() is None or shows_it
        if shows_it:
            assert started.wait(20) == -signal.SIGKILL
    finally:
        started.kill()
        started.wait()


def test_where_no_processes_are_shown_none_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.environment._PROCESSES", tmp_path / "none")
    kill_all_in(environment({}))
