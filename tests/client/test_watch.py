"""`upload-station watch`, as people and programs run it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.client.rig import PATIENCE, Command, command_line, environment, run, send
from tests.clients.chaos import CUTTING, Chaos
from tests.clients.rig import Station, film


def at(station: Station) -> str:
    return f"http://127.0.0.1:{station.port}"


def opened(station: Station, **fields: Any) -> str:
    return str(station.ask("/api/upload/session", {"autoComplete": False, **fields})["sessionId"])


def until_it_watches(station: Station, session_id: str) -> None:
    while station.ask(f"/api/upload/handover/{session_id}", {})["watchers"] == 0:
        pass


def play(station: Station, folder: Path, session_id: str) -> None:
    """A file that is stored, one that is refused."""
    ended = send(folder, str(film(folder, "a.mp4", 5000)), "--to", at(station), "--session", session_id)
    assert ended.status == 0, ended
    liar = folder / "liar.png"
    liar.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(100))
    assert send(folder, str(liar), "--to", at(station), "--session", session_id).status == 1
    station.ask(f"/api/upload/complete/{session_id}", {})


def test_lines_for_people_until_the_session_is_over(station: Station, tmp_path: Path) -> None:
    session_id = opened(station)
    watching = Command(tmp_path, "watch", f"{at(station)}/s/{session_id}")
    until_it_watches(station, session_id)
    play(station, tmp_path, session_id)
    ended = watching.ended()
    assert ended.status == 0, ended
    first, *lines, last = ended.out.splitlines()
    assert first == f"{at(station)}/s/{session_id}: pending, 0 of 0 files stored"
    assert lines[0] == "a.mp4: started (4.9 KiB)"
    assert any(line.startswith("a.mp4: stored (4.9 KiB) as /upload/personal/") for line in lines)
    assert any(line.startswith("liar.png: failed. This kind of file is not accepted.") for line in lines)
    assert last == "Over: 1 stored, 1 failed, 0 cancelled"


def test_json_is_each_message_as_it_came(station: Station, tmp_path: Path) -> None:
    session_id = opened(station)
    watching = Command(tmp_path, "watch", session_id, "--to", at(station), "--json")
    until_it_watches(station, session_id)
    play(station, tmp_path, session_id)
    ended = watching.ended()
    assert ended.status == 0
    joined, *rest = ended.messages
    assert joined["event"] == "session-joined"
    assert [each for each in rest if each["event"] != "upload-progress"] == station.events(session_id)
    assert rest[-1]["data"]["overallStatus"] == "completed"


def test_history_tells_what_was_before(station: Station, tmp_path: Path) -> None:
    session_id = opened(station)
    play(station, tmp_path, session_id)
    link = f"{at(station)}/s/{session_id}"
    ended = run(tmp_path, "watch", link, "--history", "--json")
    numbered = [each for each in ended.messages if each["event"] not in {"upload-progress", "session-joined"}]
    assert numbered == station.events(session_id)
    without = run(tmp_path, "watch", link, "--json")
    assert [each["event"] for each in without.messages] == ["session-joined", "upload-progress"]
    assert (ended.status, without.status) == (0, 0)


def test_nothing_is_missing_and_nothing_twice_through_a_network_that_breaks(
    station: Station, weather: Callable[..., Chaos], tmp_path: Path
) -> None:
    chaos = weather(faults=4, reach=400, kinds=CUTTING, down=1.0)
    session_id = opened(station)
    watching = Command(tmp_path, "watch", f"{chaos.url}/s/{session_id}", "--json", "--history")
    play(station, tmp_path, session_id)
    ended = watching.ended()
    assert ended.status == 0, ended.err
    numbered = [each for each in ended.messages if each["event"] not in {"upload-progress", "session-joined"}]
    assert numbered == station.events(session_id)
    assert "The connection was lost, trying again" in ended.err


def test_a_session_that_failed_or_was_cancelled_is_status_one(station: Station, tmp_path: Path) -> None:
    session_id = opened(station)
    watching = Command(tmp_path, "watch", f"{at(station)}/s/{session_id}", "--language=zh")
    until_it_watches(station, session_id)
    station.ask(f"/api/upload/cancel/{session_id}", {"reason": "closing time"})
    ended = watching.ended()
    assert ended.status == 1
    assert "本次上传已取消（closing time）" in ended.out


@pytest.mark.parametrize(
    ("language", "unknown", "refused"),
    [
        ("en", "There is no such upload session.", "liar.png: failed. This kind of file is not accepted."),
        ("zh", "找不到这次上传", "liar.png：失败。不支持这种文件格式"),
    ],
)
def test_failures_are_told_in_the_language_asked_for_whatever_the_stations_is(
    tmp_path: Path, language: str, unknown: str, refused: str
) -> None:
    station = Station(tmp_path, "--min-free-space=0", f"--language={'zh-CN' if language == 'en' else 'en'}")
    session_id = opened(station)
    play(station, tmp_path, session_id)
    ended = run(tmp_path, "watch", f"{at(station)}/s/{session_id}", "--history", "--language", language)
    assert any(line.startswith(refused) for line in ended.out.splitlines()), ended.out
    ended = run(tmp_path, "watch", f"{at(station)}/s/550e8400", "--language", language)
    assert (ended.status, ended.err.strip()) == (1, unknown)
    station.end()


def test_a_station_that_is_not_there_is_status_three(tmp_path: Path) -> None:
    ended = run(tmp_path, "watch", "http://127.0.0.1:1/s/550e8400", "--patience=1s")
    assert ended.status == 3
    assert "Cannot reach http://127.0.0.1:1" in ended.err


def test_a_name_does_not_steer_the_terminal(station: Station, tmp_path: Path) -> None:
    session_id = opened(station)
    path = film(tmp_path, "a.mp4", 50).rename(tmp_path / "red\x1b[31m\u202e.mp4")
    send(tmp_path, str(path), "--to", at(station), "--session", session_id)
    station.ask(f"/api/upload/complete/{session_id}", {})
    ended = run(tmp_path, "watch", f"{at(station)}/s/{session_id}", "--history")
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out


def test_whoever_reads_its_first_line_may_go(station: Station, tmp_path: Path) -> None:
    session_id = opened(station)
    process = subprocess.Popen(
        command_line("watch", f"{at(station)}/s/{session_id}"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path),
    )  # fmt: skip
    assert process.stdout is not None
    assert session_id.encode() in process.stdout.readline()
    process.stdout.close()
    station.ask(f"/api/upload/cancel/{session_id}", {})
    assert process.wait(PATIENCE) == 1
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_station_that_restarts_is_come_back_to(tmp_path: Path) -> None:
    first = Station(tmp_path, "--min-free-space=0")
    session_id = opened(first)
    watching = Command(tmp_path, "watch", f"{at(first)}/s/{session_id}", "--json")
    until_it_watches(first, session_id)
    send(tmp_path, str(film(tmp_path, "a.mp4", 5000)), "--to", at(first), "--session", session_id)
    first.end()
    second = Station(tmp_path, "--min-free-space=0", f"--port={first.port}")
    send(tmp_path, str(film(tmp_path, "b.mp4", 6000)), "--to", at(second), "--session", session_id)
    second.ask(f"/api/upload/complete/{session_id}", {})
    ended = watching.ended()
    assert ended.status == 0, ended.err
    numbered = [each for each in ended.messages if each["event"] not in {"upload-progress", "session-joined"}]
    assert numbered == second.events(session_id)
    second.end()
