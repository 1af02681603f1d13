"""Bars on a real terminal of eighty columns."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import termios
from pathlib import Path

from client.bars import Bars
from client.shown import width
from tests.client.rig import PATIENCE, Weir, command_line, environment, stored_bytes
from tests.clients.rig import MIB, Station, film

COLUMNS = 80
_SEQUENCE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def test_bars_show_what_is_stored_also_when_a_file_begins_anew() -> None:
    stream = io.StringIO()
    bars = Bars(stream, "Total", 2048)
    bars.begin("a", "a\x1b[31m.mp4", 1024)
    for stored in (512, 1024, 0, 9999):
        bars.show("a", stored)
    bars.write("a line", stream)
    bars.close()
    written = stream.getvalue()
    assert "a�[31m.mp4" in written
    assert "a line\n" in written
    assert "100%" in written


def test_files_of_no_bytes_need_none() -> None:
    stream = io.StringIO()
    bars = Bars(stream, "Total", 0)
    bars.begin("a", "a.mp4", 0)
    bars.show("a", 0)
    bars.end("a")
    bars.close()
    assert stream.getvalue() == ""


def test_on_a_terminal_bars_move_and_are_gone_at_the_end(station: Station, tmp_path: Path) -> None:
    path = film(tmp_path, "视频-with-a-name-that-is-rather-long.mp4", 8 * MIB)
    reading, writing = pty.openpty()
    termios.tcsetwinsize(writing, (30, COLUMNS))
    with Weir(station.port, 3 * MIB).running() as weir:
        process = subprocess.Popen(
            command_line("send", str(path), "--to", weir.url),
            stdin=writing, stdout=writing, stderr=writing, env=environment(tmp_path, TERM="xterm"),
        )  # fmt: skip
        os.close(writing)
        written = b""
        while (told := re.search(rb"/s/(\S+)\s", written)) is None:
            written += os.read(reading, 65536)
        stored_bytes(station, told[1].decode(), MIB)
        # It stands still, at what the station has.
        while not re.search(r"\b[1-9][0-9]%", written.decode(errors="replace")):
            written += os.read(reading, 65536)
        weir.open()
        try:
            while block := os.read(reading, 65536):
                written += block
        except OSError:  # how a terminal ends
            pass
        os.close(reading)
        assert process.wait(PATIENCE) == 0
    text = _SEQUENCE.sub("", written.decode())
    assert "Total" in text
    lines = text.replace("\r\n", "\n").split("\n")
    drawn = [part for line in lines for part in line.split("\r") if "%" in part]
    assert max(map(width, drawn)) <= COLUMNS
    assert lines[-1].strip() == ""
    assert lines[-2].split("\r")[-1] == "1 of 1 files stored"
