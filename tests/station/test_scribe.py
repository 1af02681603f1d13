"""Who writes the log: on a real pipe that is read, that is not, and that breaks. Nobody who logs waits."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.lines import Json
from station.scribe import Scribe, log_to

PATIENCE = 20.0


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Pipe:
    """A scribe that writes into a pipe, and the end from which it is read."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        self.hand = Hand()
        self.scribe = Scribe(writing, Json(), self.hand)
        self.log = logging.Logger("test", logging.DEBUG)
        self.log.addHandler(self.scribe)

    def rest(self) -> list[str]:
        """Close the scribe while reading all that it still writes."""
        got: list[bytes] = []

        def read() -> None:
            while block := os.read(self.reading, 65536):
                got.append(block)

        reader = threading.Thread(target=read)
        reader.start()
        self.scribe.close()
        reader.join(PATIENCE)
        assert not reader.is_alive()
        return [json.loads(line)["message"] for line in b"".join(got).decode().splitlines()]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.scribe.close()
    os.close(made.reading)


def test_lines_come_in_their_order(pipe: Pipe) -> None:
    for number in range(1000):
        pipe.log.info("line", extra={"kind": str(number), "many": 1, "fields": {"number": number}})
    said = pipe.rest()
    assert said == ["line"] * 1000


def test_who_logs_does_not_wait_for_who_does_not_read(pipe: Pipe) -> None:
    """A pipe takes 64 KiB; this is fifty times as much, and would wait for ever."""
    for number in range(4000):
        pipe.log.info("%d %s", number, "x" * 800, extra={"kind": str(number), "many": 5000})
    said = pipe.rest()
    # Told once, or twice where the thread that writes got no turn before the queue was full.
    lost = [line for line in said if "lines were lost" in line]
    came = [int(line.split()[0]) for line in said if line not in lost]
    assert lost
    assert sum(int(line.split()[0].replace(",", "")) for line in lost) + len(came) == 4000
    assert came[0] == 0
    assert came == sorted(came)


def test_errors_find_room_where_chatter_does_not(pipe: Pipe) -> None:
    for number in range(3000):
        pipe.log.warning("%d %s", number, "x" * 800, extra={"kind": str(number % 299)})
        if number % 10 == 0:
            pipe.hand.now += 61  # so that it is no flood
    pipe.log.error("what matters")
    assert "what matters" in pipe.rest()


def test_what_a_flood_held_back_is_told_when_its_minute_is_over(pipe: Pipe) -> None:
    for _ in range(1000):
        pipe.log.info("refused")
    got = b""
    while got.count(b"\n") < 30:
        got += os.read(pipe.reading, 65536)
    pipe.hand.now = 61.0
    while b"more like this" not in got:
        got += os.read(pipe.reading, 65536)
    assert b"and 970 more like this: refused" in got
    assert pipe.rest() == []


def test_what_was_held_back_is_told_at_the_end(pipe: Pipe) -> None:
    for _ in range(1000):
        pipe.log.info("refused")
    assert pipe.rest()[-1] == "… and 970 more like this: refused"


def test_a_reader_that_has_gone_disturbs_nobody() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    scribe = Scribe(writing, Json(), Hand())
    log = logging.Logger("test", logging.DEBUG)
    log.addHandler(scribe)
    for _ in range(100):
        log.info("to nobody")
    scribe.close()
    log.info("after the end")


def test_a_pipe_that_does_not_wait_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.scribe._descriptor, False)
    for number in range(500):
        pipe.log.info("%d %s", number, "x" * 800, extra={"kind": str(number), "many": 5000})
    assert [line.split()[0] for line in pipe.rest()] == [str(number) for number in range(500)]


def test_a_line_that_cannot_be_made_is_lost_alone(pipe: Pipe) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("broken")

    pipe.log.info("%s", Broken())
    pipe.log.info("whole")
    assert set(pipe.rest()) == {"whole", "1 lines were lost: nobody read the log"}


def test_a_program_without_standard_error_keeps_no_log() -> None:
    before = list(logging.getLogger().handlers)
    with log_to(None, "json", Hand(), {}):
        assert logging.getLogger().handlers == before


@pytest.mark.parametrize("style", ["readable", "json"])
def test_all_that_is_logged_meanwhile_goes_where_the_stream_leads(style: str, tmp_path: Path) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        with (tmp_path / "log").open("w+") as file, log_to(file, style, Hand(), {}):
            logging.getLogger("some.library").warning("careful")
    finally:
        root.setLevel(level)
    assert root.handlers == before
    said = (tmp_path / "log").read_text()
    assert ("some.library" in said) == (style == "json")
    assert "careful" in said


def test_systemds_journal_is_known_by_device_and_inode(tmp_path: Path) -> None:
    root, told = logging.getLogger(), {}
    level = root.level
    for name, wrong in (("journal", 0), ("file", 1)):
        with (tmp_path / name).open("w+") as file:
            status = os.fstat(file.fileno())
            stream = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + wrong}"}
            with log_to(file, "readable", Hand(), stream):
                logging.getLogger("x").warning("careful")
        told[name] = (tmp_path / name).read_text()
    root.setLevel(level)
    assert told["journal"] == "<4>WARNING note              careful\n"
    assert not told["file"].startswith("<")
