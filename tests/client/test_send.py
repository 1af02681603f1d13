"""`upload-station send` as people run it: a real station, bad networks, restarts, refusals, signals."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from client.address import Place
from client.faults import Broken, GaveUp
from client.following import Following
from client.link import Link
from client.opening import Opening
from client.options import settings_of
from client.patience import Timing
from client.send import Sending
from tests.client.rig import PATIENCE, Forgetful, Json, NoSockets, command_line, environment, held_back, run, send
from tests.clients.chaos import Chaos, Fault
from tests.clients.rig import MIB, Station, sha256
from tests.clients.rig import film as film_of
from tests.handlers.site import Box, on_the_loop
from tests.station.test_program import script


def at(station: Station) -> str:
    return f"http://127.0.0.1:{station.port}"


def assert_stored(station: Station, session_id: str, *paths: Path) -> None:
    """Exactly these, byte for byte."""
    assert sorted(map(sha256, station.stored(session_id))) == sorted(map(sha256, paths))


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Callable[..., Station]]:
    """Make a station with options of its own."""
    made: list[Station] = []

    def make(*options: str) -> Station:
        folder = tmp_path / f"station-{len(made)}"
        folder.mkdir()
        made.append(Station(folder, "--min-free-space=0", *options))
        return made[-1]

    yield make
    for each in made:
        each.end()


# ---- sending ----


def test_files_are_stored_and_the_status_is_nought(station: Station, tmp_path: Path) -> None:
    paths = [film_of(tmp_path, name, 300_000) for name in ("a.mp4", "b 中文 é.mp4")]
    empty = tmp_path / "empty.txt"
    empty.touch()
    ended = send(tmp_path, *map(str, paths), str(empty), "--to", at(station), "--json")
    assert ended.status == 0, ended
    summary = ended.summary
    assert_stored(station, summary["sessionId"], *paths, empty)
    assert [file["status"] for file in summary["files"]] == ["completed"] * 3
    assert [file["name"] for file in summary["files"]] == ["a.mp4", "b 中文 é.mp4", "empty.txt"]
    assert all(file["uploadPath"].startswith("/upload/personal/") for file in summary["files"])


def test_each_line_of_json_is_a_message_as_it_was_told(station: Station, tmp_path: Path) -> None:
    ended = send(tmp_path, str(film_of(tmp_path, "a.mp4", 300_000)), "--to", at(station), "--json")
    first, *told, _ = ended.messages
    assert first["event"] == "session-opened"
    assert first["data"]["link"] == f"{at(station)}/s/{first['data']['sessionId']}"
    numbered = [message for message in told if message["event"] not in {"upload-progress", "session-joined"}]
    assert numbered == station.events(first["data"]["sessionId"])
    assert told[-1]["data"]["overallStatus"] == "completed"


def test_people_are_told_the_session_and_each_file(station: Station, tmp_path: Path) -> None:
    ended = send(tmp_path, str(film_of(tmp_path, "a.mp4", 300_000)), "--to", at(station), "--category=scenic")
    assert ended.status == 0
    session, stored, summary = ended.out.splitlines()
    assert session.startswith(f"Session: {at(station)}/s/")
    assert stored.startswith("a.mp4: stored (293.0 KiB) as /upload/scenic/")
    assert summary == "1 of 1 files stored"
    assert ended.err == "", "no bars where there is no terminal"


def test_the_language_is_the_systems_or_the_one_asked_for(station: Station, tmp_path: Path) -> None:
    path = str(film_of(tmp_path, "a.exe", 100))
    chinese = send(tmp_path, path, "--to", at(station), LANG="zh_CN.UTF-8")
    assert "不支持这种文件格式" in chinese.err
    english = send(tmp_path, path, "--to", at(station), "--language=en", LANG="zh_CN.UTF-8")
    assert "This kind of file is not accepted." in english.err


def test_quiet_tells_nothing_when_nothing_is_wrong(station: Station, tmp_path: Path) -> None:
    ended = send(tmp_path, str(film_of(tmp_path, "a.mp4", 100)), "--to", at(station), "--quiet")
    assert (ended.status, ended.out, ended.err) == (0, "", "")


def test_the_address_may_come_from_the_environment(station: Station, tmp_path: Path) -> None:
    ended = send(tmp_path, str(film_of(tmp_path, "a.mp4", 100)), UPLOAD_STATION_TO=f"127.0.0.1:{station.port}")
    assert ended.status == 0


def test_names_that_are_hard(station: Station, tmp_path: Path) -> None:
    """A dash at the beginning, a control character, bytes that are no UTF-8, the same name in two folders."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    dash, twin, other = (
        film_of(tmp_path, "-x.mp4", 500),
        film_of(tmp_path / "one", "t.mp4", 500),
        tmp_path / "two" / "t.mp4",
    )
    other.write_bytes(twin.read_bytes()[:-1] + b"!")  # of the same size
    steering, broken = film_of(tmp_path, "red\x1b[31m.mp4", 600), film_of(tmp_path, "c.mp4", 700)
    broken = broken.rename(tmp_path / os.fsdecode(b"\xff\xfe.mp4"))
    paths = [dash, twin, other, steering, broken]
    ended = subprocess.run(
        [*command_line("send", "--to", at(station), "--"), "-x.mp4", *map(str, paths[1:])],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 0, ended
    assert b"\x1b" not in ended.stdout + ended.stderr
    session_id = ended.stdout.split(b"/s/")[1].split()[0].decode()
    assert_stored(station, session_id, *paths)


def test_the_same_file_given_twice_is_sent_once(station: Station, tmp_path: Path) -> None:
    path = film_of(tmp_path, "a.mp4", 500)
    ended = send(tmp_path, str(path), f"{tmp_path}/./a.mp4", "--to", at(station), "--json")
    assert ended.status == 0
    assert_stored(station, ended.summary["sessionId"], path)


def test_what_cannot_be_sent_is_named_and_the_rest_is_sent(station: Station, tmp_path: Path) -> None:
    path = film_of(tmp_path, "a.mp4", 500)
    os.mkfifo(tmp_path / "pipe.mp4")
    wrong = [str(tmp_path / name) for name in ("pipe.mp4", "nowhere.mp4", "")] + ["/dev/null"]
    ended = send(tmp_path, *wrong, str(path), "--to", at(station))
    assert ended.status == 1
    pipe, nowhere, folder, device = ended.err.splitlines()
    assert pipe.endswith("pipe.mp4: failed. It is not a regular file.")
    assert nowhere.endswith("nowhere.mp4: failed. It cannot be read: No such file or directory.")
    assert folder.endswith("It is a folder; --recursive sends what is in it.")
    assert device == "/dev/null: failed. It is not a regular file."
    assert "1 of 5 files stored" in ended.out


def test_folders_are_sent_when_that_is_asked_for(station: Station, tmp_path: Path) -> None:
    (tmp_path / "all" / "inner").mkdir(parents=True)
    paths = [film_of(tmp_path / "all", "a.mp4", 500), film_of(tmp_path / "all" / "inner", "b.mp4", 600)]
    (tmp_path / "all" / "round").symlink_to(tmp_path)
    ended = send(tmp_path, "--recursive", str(tmp_path / "all"), "--to", at(station), "--json")
    assert ended.status == 0, ended
    assert_stored(station, ended.summary["sessionId"], *paths)


# ---- into a session that is there ----


def test_a_link_of_a_session_is_sent_into(station: Station, tmp_path: Path) -> None:
    session_id = station.ask("/api/upload/session", {"autoComplete": False})["sessionId"]
    path = film_of(tmp_path, "a.mp4", 5000)
    ended = send(tmp_path, str(path), "--to", f"{at(station)}/s/{session_id}")
    assert ended.status == 0, ended
    assert_stored(station, session_id, path)
    # It belongs to somebody else: it is not ended.
    assert station.ask(f"/api/upload/progress/{session_id}")["overallStatus"] == "uploading"
    assert send(tmp_path, str(film_of(tmp_path, "b.mp4", 50)), "--to", at(station), "--session", session_id).status == 0
    station.ask(f"/api/upload/complete/{session_id}", {})


def test_a_kiosks_code_is_sent_into_once(station: Station, tmp_path: Path) -> None:
    session_id = station.ask("/api/upload/session", {"autoComplete": False})["sessionId"]
    code = station.ask(f"/api/upload/handover/{session_id}", {})["code"]
    path = film_of(tmp_path, "a.mp4", 5000)
    ended = send(tmp_path, str(path), "--to", f"{at(station)}/j/{code}")
    assert ended.status == 0, ended
    assert ended.link == f"{at(station)}/s/{session_id}"
    assert_stored(station, session_id, path)
    again = send(tmp_path, str(path), "--to", f"{at(station)}/j/{code}")
    assert again.status == 1
    assert "There is no such code" in again.err
    station.ask(f"/api/upload/complete/{session_id}", {})


def test_a_session_that_is_not_there_is_a_refusal(station: Station, tmp_path: Path) -> None:
    unknown = f"{at(station)}/s/550e8400-e29b-41d4-a716-446655440000"
    ended = send(tmp_path, str(film_of(tmp_path, "a.mp4", 50)), "--to", unknown, "--json")
    assert ended.status == 1
    assert "There is no such upload session." in ended.err
    assert ended.summary["files"][0]["error"]["code"] == "SESSION_NOT_FOUND"


# ---- refusals ----


def test_what_the_station_refuses_is_told_in_its_words(other: Callable[..., Station], tmp_path: Path) -> None:
    station = other("--max-file-size=10KiB")
    good, large = film_of(tmp_path, "a.mp4", 500), film_of(tmp_path, "large.mp4", 20_000)
    liar = tmp_path / "liar.png"
    liar.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(100))
    ended = send(tmp_path, *map(str, (good, large, liar)), "--to", at(station), "--json")
    assert ended.status == 1
    assert "large.mp4: failed. The file is too large. at most 10240 bytes" in ended.err
    assert "liar.png: failed. This kind of file is not accepted." in ended.err
    codes = {file["path"]: file.get("error", {}).get("code") for file in ended.summary["files"]}
    (error,) = [file["error"] for file in ended.summary["files"] if file["path"] == str(large)]
    assert (error["message"], error["details"]) == ("The file is too large.", "at most 10240 bytes")
    assert codes == {str(good): None, str(large): "FILE_SIZE_EXCEEDED", str(liar): "UNSUPPORTED_FORMAT"}
    assert_stored(station, ended.summary["sessionId"], good)
    assert ended.messages[-2]["data"]["overallStatus"] == "completed", "the session is over, whatever failed"


def test_too_many_files_are_a_refusal_of_all(other: Callable[..., Station], tmp_path: Path) -> None:
    station = other("--max-files=2")
    paths = [str(film_of(tmp_path, f"{number}.mp4", 50)) for number in range(3)]
    ended = send(tmp_path, *paths, "--to", at(station))
    assert ended.status == 1
    assert ended.err.count("There are too many files.") == 3


def test_a_full_disk_is_told_and_waited_for(other: Callable[..., Station], tmp_path: Path) -> None:
    station = other("--min-free-space=1000TiB")
    ended = send(tmp_path, str(film_of(tmp_path, "a.mp4", 5000)), "--to", at(station), "--patience=2s")
    assert ended.status == 1, "it can be reached"
    assert "waiting to try again. The station's disk is full." in ended.err
    assert "To go on, run:" in ended.err


def test_a_file_that_cannot_be_checked_is_told_why_also_by_who_goes_on_with_it(
    other: Callable[..., Station], tmp_path: Path
) -> None:
    """Where the upload stands is asked with HEAD, and that answer has no words."""
    check = script(tmp_path, 'case "$UPLOAD_STATION_FILE_NAME" in evil*) echo "A virus."; exit 1 ;; *) exit 2 ;; esac')
    station = other(f"--before-publish={check}")
    paths = [str(film_of(tmp_path, name, 5000)) for name in ("a.mp4", "evil.mp4")]
    first = send(tmp_path, *paths, "--to", at(station), "--patience=1s")
    assert first.status == 1
    assert "evil.mp4: failed. The file was refused by a check. A virus." in first.err
    hint = first.err.splitlines()[-1]
    assert hint.endswith(f" -- {paths[0]}"), "what was refused for good is left out"
    again = send(tmp_path, paths[0], "--session", hint.split()[3], "--patience=1s")
    waits, vain, *_ = again.err.splitlines()
    why = "The station had a fault of its own. the file could not be checked: exit status 2"
    assert waits.startswith(f"a.mp4: waiting to try again. {why}")
    assert vain.startswith(f"Waited in vain: {why}")
    assert again.status == 1


def test_a_pin_is_demanded_and_taken(other: Callable[..., Station], tmp_path: Path) -> None:
    station, path = other("--upload-pin=246810中"), film_of(tmp_path, "a.mp4", 500)
    without = send(tmp_path, str(path), "--to", at(station))
    assert without.status == 1
    assert "A PIN is needed to send files. Give it with --pin or UPLOAD_STATION_PIN." in without.err
    wrong = send(tmp_path, str(path), "--to", at(station), "--pin=135790")
    assert "That is not the PIN." in wrong.err
    right = send(tmp_path, str(path), "--to", at(station), UPLOAD_STATION_PIN="246810中")
    assert right.status == 0, right
    # Whoever has the link of a session needs none.
    assert "was stored before" in send(tmp_path, str(path), "--to", right.link).out


# ---- bad networks ----


@pytest.mark.parametrize("checked", [(), ("--checksum",)])
def test_a_file_gets_through_a_network_that_breaks(
    station: Station, weather: Callable[..., Chaos], tmp_path: Path, checked: Sequence[str]
) -> None:
    chaos = weather(faults=10, reach=700_000)
    paths = [film_of(tmp_path, name, 3 * MIB) for name in ("a.mp4", "b.mp4")]
    ended = send(tmp_path, *map(str, paths), "--to", chaos.url, "--json", *checked)
    assert ended.status == 0, ended.err
    assert_stored(station, ended.summary["sessionId"], *paths)
    events = [message for message in ended.messages if message["event"].startswith("upload-c")]
    assert [message["seq"] for message in events] == sorted({message["seq"] for message in events}), "none twice"


def test_bits_that_are_turned_over_on_the_way_are_noticed_and_sent_again(
    station: Station, weather: Callable[..., Chaos], tmp_path: Path
) -> None:
    chaos = weather(faults=2, reach=250_000, kinds=[Fault.SPOIL])
    path = film_of(tmp_path, "a.mp4", 3 * MIB)
    ended = send(tmp_path, str(path), "--to", chaos.url, "--json", "--checksum")
    assert ended.status == 0, ended.err
    assert_stored(station, ended.summary["sessionId"], path)


def test_without_checksums_a_spoilt_file_is_noticed_at_its_end(
    station: Station, weather: Callable[..., Chaos], tmp_path: Path
) -> None:
    chaos = weather(faults=1, reach=500_000, kinds=[Fault.SPOIL])
    path = film_of(tmp_path, "a.mp4", 3 * MIB)
    ended = send(tmp_path, str(path), "--to", chaos.url)
    assert ended.status == 1
    assert "What the station stored is not what this file holds." in ended.err


def test_answers_that_get_lost_make_no_second_file(
    station: Station, forgetful: Callable[[int], Chaos], tmp_path: Path
) -> None:
    path = film_of(tmp_path, "a.mp4", 2 * MIB)
    ended = send(tmp_path, str(path), "--to", forgetful(2 * MIB).url, "--json")
    assert ended.status == 0, ended.err
    assert_stored(station, ended.summary["sessionId"], path)
    (one,) = station.ask(f"/api/upload/progress/{ended.summary['sessionId']}")["files"]
    assert one["status"] == "completed"


def test_an_answer_that_is_lost_makes_no_second_file_in_somebody_elses_session(
    station: Station, tmp_path: Path
) -> None:
    """None is announced there, and an empty upload would hold that session open, seen by nobody."""
    session_id = station.ask("/api/upload/session", {"autoComplete": False})["sessionId"]
    paths = [film_of(tmp_path, name, 3 * MIB) for name in ("a.mp4", "b.mp4")]
    with Forgetful(station.port, 3).running() as proxy:
        ended = send(tmp_path, *map(str, paths), "--to", proxy.url, "--session", session_id)
        assert proxy.left == 0
    assert ended.status == 0, ended.err
    assert_stored(station, session_id, *paths)
    station.ask(f"/api/upload/complete/{session_id}", {})
    snapshot = station.ask(f"/api/upload/progress/{session_id}")
    assert (snapshot["overallStatus"], len(snapshot["files"])) == ("completed", 2)


def test_the_station_restarts_in_the_middle(tmp_path: Path) -> None:
    path = film_of(tmp_path, "a.mp4", 8 * MIB)
    first = Station(tmp_path)
    with held_back(first, tmp_path, str(path), "--json") as held:
        first.end()
        second = Station(tmp_path, f"--port={first.port}")
        held.weir.open()
        ended = held.sending.ended()
    assert ended.status == 0, ended.err
    assert_stored(second, held.session_id, path)
    starts = [event["data"] for event in second.events(held.session_id) if event["event"] == "upload-started"]
    assert starts[-1].get("resumedFrom", 0) >= MIB or len(starts) == 1
    second.end()


def test_a_client_that_is_killed_goes_on_where_it_stopped(station: Station, tmp_path: Path) -> None:
    paths = [film_of(tmp_path, "a.mp4", 8 * MIB), film_of(tmp_path, "b.mp4", 5000)]
    with held_back(station, tmp_path, "--parallel=1", *map(str, paths), "--json") as held:
        held.sending.process.kill()
        assert held.sending.ended().status == -signal.SIGKILL
        # By another way to the same station.
        link = f"{at(station)}/s/{held.session_id}"
        ended = send(tmp_path, *map(str, paths), "--session", link)
    assert ended.status == 0, ended.err
    assert "a.mp4: going on from" in ended.out
    assert_stored(station, held.session_id, *paths)
    events = station.events(held.session_id)
    assert [event["event"] for event in events].count("upload-completed") == 2
    resumed = [event["data"]["resumedFrom"] for event in events if event["data"].get("resumedFrom")]
    assert not resumed or resumed[0] >= held.stored
    assert events[-1]["data"]["summary"]["uploadedSize"] == sum(path.stat().st_size for path in paths), "nothing twice"
    # Once more: there is nothing left to do.
    again = send(tmp_path, *map(str, paths), "--session", link)
    assert (again.status, again.out.count("was stored before")) == (0, 2), again


def test_a_file_that_was_changed_between_two_runs_is_sent_from_its_beginning(station: Station, tmp_path: Path) -> None:
    path = film_of(tmp_path, "a.mp4", 8 * MIB)
    with held_back(station, tmp_path, str(path), "--json") as held:
        held.sending.process.kill()
        held.sending.ended()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    ended = send(tmp_path, str(path), "--session", f"{at(station)}/s/{held.session_id}")
    assert ended.status == 0, ended.err
    assert_stored(station, held.session_id, path)


def test_interrupting_ends_with_130_and_says_how_to_go_on(station: Station, tmp_path: Path) -> None:
    path = film_of(tmp_path, "it's.mp4", 8 * MIB)
    with held_back(station, tmp_path, str(path), "--json", "--pin=not to be repeated") as held:
        held.sending.process.send_signal(signal.SIGINT)
        ended = held.sending.ended()
    assert ended.status == 130
    assert ended.summary["exitStatus"] == 130
    assert ended.summary["files"][0]["status"] == "unfinished"
    *_, hint = ended.err.splitlines()
    assert "not to be repeated" not in ended.err
    assert hint.strip().startswith("upload-station send --session ")
    # The very words, in a shell.
    words = hint.strip().replace("upload-station", '"$@"', 1).replace(held.weir.url, at(station))
    shell = subprocess.run(
        ["sh", "-c", words, "sh", *command_line()], env=environment(tmp_path), capture_output=True, timeout=PATIENCE
    )
    assert shell.returncode == 0, shell
    assert_stored(station, held.session_id, path)


def test_a_station_that_is_not_there_is_status_three_and_each_file_is_named(tmp_path: Path) -> None:
    paths = [str(film_of(tmp_path, name, 50)) for name in ("a.mp4", "b.mp4")]
    words = (*paths, "--to", "127.0.0.1:1", "--patience=1s")
    ended = send(tmp_path, *words, "--json")
    assert ended.status == 3
    assert ended.err == "Cannot reach http://127.0.0.1:1: Connection refused\n", "once, and nothing to go on with"
    assert (ended.summary["exitStatus"], ended.summary["failed"]) == (3, 2)
    assert [file["path"] for file in ended.summary["files"]] == paths
    problem = {"code": "NETWORK_ERROR", "message": "Connection refused"}
    assert [file["error"] for file in ended.summary["files"]] == [problem] * 2
    assert "0 of 2 files stored" in send(tmp_path, *words).out


@on_the_loop
async def test_a_session_that_was_opened_can_be_gone_on_with_though_nothing_more_was_heard_of_it(
    box: Box, link: Link, film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The station goes after it has opened the session; what it announced is remembered."""

    async def is_gone(opening: Opening, session_id: str) -> Json:
        raise GaveUp from Broken("gone")

    settings = settings_of("send", [str(film), "--to", box.url, "--language=en"], environment(film.parent))
    with monkeypatch.context() as before:
        before.setattr(Opening, "snapshot", is_gone)
        assert await Sending(settings, link, settings.place, Timing()).run() == 3
    told = capsys.readouterr()
    assert "0 of 1 files stored" in told.out
    session_id = told.err.split("/s/")[1].split()[0]
    again = replace(settings, place=Place(box.url, session_id=session_id))
    assert await Sending(again, link, again.place, Timing()).run() == 0
    (one,) = (await box.get(f"/api/upload/progress/{session_id}")).json()["files"]
    assert one["status"] == "completed"


def test_patience_ends_with_status_three_and_says_how_to_go_on(station: Station, tmp_path: Path) -> None:
    path = film_of(tmp_path, "a.mp4", 8 * MIB)
    with held_back(station, tmp_path, str(path), "--patience=2s", "--json") as held:
        held.weir.cut()  # what comes then is held, too, and the station is not reached again
        held.weir.shut()
        ended = held.sending.ended()
    assert ended.status == 3, ended
    assert f"--session {held.weir.url}/s/{held.session_id}" in ended.err
    station.ask(f"/api/upload/cancel/{held.session_id}", {})


# ---- what others do meanwhile ----


def test_who_cancels_is_believed(station: Station, tmp_path: Path) -> None:
    path = film_of(tmp_path, "a.mp4", 8 * MIB)
    with held_back(station, tmp_path, str(path), "--json") as held:
        station.ask(f"/api/upload/cancel/{held.session_id}", {"reason": "closing time"})
        held.weir.open()
        ended = held.sending.ended()
    assert ended.status == 1
    assert "It was cancelled (closing time)." in ended.err
    assert ended.summary["files"][0]["error"]["code"] == "UPLOAD_CANCELLED"


def test_a_pause_is_kept_until_somebody_ends_it(station: Station, tmp_path: Path) -> None:
    path = film_of(tmp_path, "a.mp4", 8 * MIB)
    with held_back(station, tmp_path, str(path)) as held:
        station.ask(f"/api/upload/pause/{held.session_id}", {})
        held.weir.open()
        while "paused by somebody" not in held.sending.out:
            assert held.sending.process.poll() is None, held.sending.ended()
            station.ask(f"/api/upload/progress/{held.session_id}?since=1&wait=0.1")
        (file,) = station.ask(f"/api/upload/progress/{held.session_id}")["files"]
        assert file["status"] == "paused"
        station.ask(f"/api/upload/resume/{held.session_id}", {})
        ended = held.sending.ended()
    assert ended.status == 0, ended.err
    assert_stored(station, held.session_id, path)


@pytest.mark.parametrize("how", ["changed", "disappeared"])
def test_a_file_that_changes_while_it_is_sent_is_not_reported_as_sent(
    station: Station, tmp_path: Path, how: str
) -> None:
    path = film_of(tmp_path, "a.mp4", 8 * MIB)
    with held_back(station, tmp_path, str(path), "--json") as held:
        path.unlink() if how == "disappeared" else os.truncate(path, 4 * MIB)
        held.weir.open()
        ended = held.sending.ended()
    assert ended.status == 1
    assert f"It {'was ' if how == 'changed' else ''}{how} while it was being sent" in ended.err
    assert station.stored(held.session_id) == []
    assert station.events(held.session_id)[-1]["event"] == "session-completed", "it is not held open for nothing"


def test_where_no_websocket_passes_the_station_is_polled(tmp_path: Path) -> None:
    """`--json` holds the same lifecycle events."""
    station = Station(tmp_path, "--min-free-space=0")
    path = film_of(tmp_path, "a.mp4", 3 * MIB)
    with NoSockets(station.port, 10**9).running() as proxy:
        ended = send(tmp_path, str(path), "--to", proxy.url, "--json")
        assert proxy.refused > 0
    assert ended.status == 0, ended.err
    numbered = [each for each in ended.messages if "seq" in each and each["event"] in EVENTS]
    assert numbered == station.events(ended.summary["sessionId"])
    station.end()


@on_the_loop
async def test_who_can_no_longer_watch_does_not_wait_for_ever(
    box: Box, link: Link, film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All bytes are there, but nobody can say so."""

    async def gives_up(following: Following, patience: object) -> None:
        while not box.visible():
            await asyncio.sleep(0)
        raise GaveUp from Broken("gone")

    monkeypatch.setattr(Following, "run", gives_up)
    settings = settings_of("send", [str(film), "--to", box.url, "--language=en"], environment(film.parent))
    assert await Sending(settings, link, settings.place, Timing()).run() == 3
    assert f"Cannot reach {box.url}: gone" in capsys.readouterr().err


EVENTS = {"upload-started", "upload-completed", "session-completed"}


def test_nothing_is_known_of_a_command_that_is_none(tmp_path: Path) -> None:
    assert run(tmp_path, "sent").status == 2
