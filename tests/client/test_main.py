"""The commands as words of the one program."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from client.main import COMMANDS, main
from tests.client.rig import PATIENCE, Command, Weir, command_line, environment, run, send
from tests.clients.rig import MIB, Station, film
from tests.handlers import certificates


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_the_program_tells_of_it(tmp_path: Path, command: str) -> None:
    own = run(tmp_path, command, "--help")
    assert own.status == 0
    assert own.out.startswith(f"usage: upload-station {command}")
    assert f"upload-station {command} " in run(tmp_path, "--help").out


def test_wrong_words_are_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["send"], {})
    assert end.value.code == 2
    assert "FILE" in capsys.readouterr().err


def test_a_certificate_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    for name in ("nowhere.pem", "cert.pem"):
        ended = run(tmp_path, "send", "x", "--to", "https://kiosk.local", f"--cacert={tmp_path / name}")
        assert ended.status == 2
        assert ended.err.startswith("--cacert: cannot use")


def test_a_signal_to_end_ends_it_as_shells_expect(station: Station, tmp_path: Path) -> None:
    path = film(tmp_path, "a.mp4", 8 * MIB)
    with Weir(station.port, MIB).running() as weir:
        sending = Command(tmp_path, "send", str(path), "--to", weir.url)
        assert weir.held.wait(PATIENCE)
        sending.process.send_signal(signal.SIGTERM)
        ended = sending.ended()
    assert ended.status == 128 + signal.SIGTERM
    assert "To go on, run:" in ended.err
    station.ask(f"/api/upload/cancel/{ended.link.rpartition('/')[2]}", {})


def onto_a_full_disk(folder: Path, *words: str, err: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    with Path("/dev/full").open("w") as full:
        return subprocess.run(
            command_line(*words), env=environment(folder), stdout=full, stderr=err, text=True, timeout=PATIENCE
        )


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_where_nothing_can_be_written_it_is_said_in_a_sentence_and_how_to_go_on(
    station: Station, tmp_path: Path, words: Sequence[str]
) -> None:
    path = film(tmp_path, "a.mp4", 3 * MIB)
    ended = onto_a_full_disk(tmp_path, "send", *words, str(path), "--to", f"http://127.0.0.1:{station.port}")
    assert ended.returncode == 1
    *_, hint, last = ended.stderr.splitlines()
    assert last == "What happens cannot be written: No space left on device"
    assert "Traceback" not in ended.stderr
    link = hint.split()[3]
    again = send(tmp_path, str(path), "--session", link)
    assert (again.status, again.out.splitlines()[-1]) == (0, "1 of 1 files stored"), again
    watching = onto_a_full_disk(tmp_path, "watch", *words, link)
    assert (watching.returncode, watching.stderr) == (1, f"{last}\n")


def test_where_not_even_that_can_be_said_there_is_the_status(station: Station, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{station.port}/s/550e8400"
    assert onto_a_full_disk(tmp_path, "watch", nowhere, err=subprocess.STDOUT).returncode == 1


def test_https_is_spoken_to_a_station_that_is_trusted(tmp_path: Path) -> None:
    pair = certificates.make(tmp_path)
    station = Station(tmp_path, "--min-free-space=0", f"--tls-cert={pair.cert}", f"--tls-key={pair.key}")
    path, base = film(tmp_path, "a.mp4", 3 * MIB), f"https://127.0.0.1:{station.port}"
    doubtful = send(tmp_path, str(path), "--to", base)
    assert doubtful.status == 3
    assert doubtful.err.startswith(
        f"Cannot reach {base}: Its certificate is not trusted (self-signed certificate). Ask"
    )
    watching = run(tmp_path, "watch", f"{base}/s/550e8400", "--language=zh")
    assert watching.status == 3
    assert watching.err.startswith(f"连不上 {base}：它的证书不受信任")
    assert len(watching.err.splitlines()) == 1, "no connection was lost"
    elsewhere = send(tmp_path, str(path), "--to", base.replace("127.0.0.1", "127.1"), f"--cacert={pair.cert}")
    assert "Its certificate is for another name" in elsewhere.err
    ended = send(tmp_path, str(path), "--to", base, f"--cacert={pair.cert}")
    assert ended.status == 0, ended.err
    plain = base.replace("https", "http")
    wants = f"Cannot reach {plain}: It seems to want https. Give {base} as its address.\n"
    for words in (("send", str(path), "--to", plain), ("watch", f"{plain}/s/550e8400")):
        ended = run(tmp_path, *words)
        assert (ended.status, ended.err.splitlines(keepends=True)[-1]) == (3, wants)
    station.end()
    assert station.log.count("ALERT_UNKNOWN_CA") == 2, "each tried once: it cannot heal"
