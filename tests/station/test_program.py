"""Programs that behave, and those that do not: none hangs the station, leaks, or learns what is not for it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from station import program as room
from station.flood import Flood
from station.lines import fields_of
from station.program import KEPT, LINES, LONGEST_LINE, Outcome, Program, clean
from tests.station.places import until

LIMIT = 20.0
MOMENT = 0.1


def script(folder: Path, text: str, *, shell: str = "/bin/sh") -> str:
    """The path of a new program."""
    path = folder / "a program"
    path.write_text(f"#!{shell}\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"'{path}'"


def python(folder: Path, text: str) -> str:
    return script(folder, text, shell=sys.executable)


ABOUT = {"session": "0a1b2c3d", "file": None}


async def run(
    folder: Path, command: str, given: bytes = b"", limit: float = LIMIT, facts: dict[str, Any] | None = None
) -> Outcome:
    return await Program("hook", command, folder, limit, 2).run(facts or {}, given, ABOUT)


async def run_for_a_moment(folder: Path, command: str, ready: Callable[[], bool]) -> Outcome:
    """Its time begins when it is `ready`: on a busy machine a limit as short as this is over before it has begun."""

    class Timed(Program):
        async def _wait(self, *process: Any) -> Outcome:
            await until(ready)
            return await super()._wait(*process)

    return await Timed("hook", command, folder, MOMENT, 2).run({}, b"", ABOUT)


def is_running(pid: int) -> bool:
    """Whether it is there and no zombie."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    return False


def are_running(*paths: Path) -> bool:
    """Whether those are that have written their numbers there."""
    written = [path.read_text() for path in paths if path.exists()]
    return len(written) == len(paths) and all(text.endswith("\n") and is_running(int(text)) for text in written)


async def pid_in(path: Path) -> int:
    await until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


# ---- one that behaves ----


@pytest.mark.gen_test
async def test_it_gets_words_facts_and_input_and_its_lines_come_back(tmp_path: Path) -> None:
    name = "os.environ['UPLOAD_STATION_FILE_NAME']"
    text = f"import json, os, sys\nprint(json.dumps([sys.argv[1:], sys.stdin.read(), {name}, os.getcwd()]))"
    command = python(tmp_path, text) + " --flag 'two words' '*' '$HOME' ';' '|'"
    outcome = await run(tmp_path, command, b'{"a": 1}', facts={"fileName": "-rf; $(x) `y`.mp4"})
    assert (outcome.status, outcome.problem) == (0, "")
    assert json.loads(outcome.said[0]) == [
        ["--flag", "two words", "*", "$HOME", ";", "|"],
        '{"a": 1}',
        "-rf; $(x) `y`.mp4",
        str(tmp_path),
    ]


@pytest.mark.gen_test
async def test_the_exit_status_is_told(tmp_path: Path) -> None:
    assert await run(tmp_path, script(tmp_path, "exit 3")) == Outcome(3, "exit status 3")
    assert await run(tmp_path, script(tmp_path, "kill -9 $$")) == Outcome(-9, "it was ended by signal 9")


@pytest.mark.gen_test
async def test_a_relative_path_means_what_it_meant_when_the_station_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "upload").mkdir()
    script(tmp_path, "exit 7")
    monkeypatch.chdir(tmp_path)
    assert (await run(tmp_path / "upload", "'./a program'")).status == 7


@pytest.mark.gen_test
async def test_only_so_many_run_at_a_time(tmp_path: Path) -> None:
    account = tmp_path / "account"
    text = f"printf + >> '{account}'; while [ ! -e '{tmp_path}/go' ]; do sleep 0.01; done; printf - >> '{account}'"
    program = Program("hook", script(tmp_path, text), tmp_path, LIMIT, 2)
    running = [asyncio.create_task(program.run({}, b"", ABOUT)) for _ in range(5)]
    await until(lambda: account.exists() and account.read_text() == "++")
    (tmp_path / "go").touch()
    await asyncio.gather(*running)
    steps = account.read_text()
    assert steps.count("-") == 5
    at_a_time = [steps[:at].count("+") - steps[:at].count("-") for at in range(len(steps) + 1)]
    assert max(at_a_time) == 2


# ---- what it learns ----


@pytest.mark.parametrize("name", ["nul\0byte", "half \ud83d pair", "\udcff", "line\nbreak", "=", "x" * 5000])
@pytest.mark.gen_test
async def test_no_name_keeps_it_from_running(tmp_path: Path, name: str) -> None:
    outcome = await run(
        tmp_path, script(tmp_path, 'printf %s "$UPLOAD_STATION_FILE_NAME" | wc -c'), facts={"fileName": name}
    )
    assert outcome.status == 0
    assert int(outcome.said[0]) == len(name.replace("\0", "").encode("utf-8", "replace"))


@pytest.mark.gen_test
async def test_it_holds_no_descriptor_of_the_station(tmp_path: Path) -> None:
    with open(tmp_path / "journal", "wb") as file:
        os.set_inheritable(file.fileno(), True)
        outcome = await run(tmp_path, script(tmp_path, "readlink /proc/self/fd/*"))
    assert not any("journal" in line for line in outcome.said), outcome.said


# ---- those that do not behave ----


@pytest.mark.parametrize("command", ["/no/such/program", "no-such-program-anywhere", "/etc/passwd", "/"])
@pytest.mark.gen_test
async def test_what_cannot_be_started_is_told(tmp_path: Path, command: str) -> None:
    outcome = await run(tmp_path, command)
    assert outcome.status is None
    assert outcome.problem.startswith("it cannot be started: ")


@pytest.mark.gen_test
async def test_what_is_no_program_is_told(tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(b"\x7fELF" + bytes(64))
    path.chmod(0o700)
    assert (await run(tmp_path, str(path))).problem.startswith("it cannot be started: ")
    assert (await run(tmp_path / "no such folder", "true")).problem.startswith("it cannot be started: ")


@pytest.mark.gen_test
async def test_one_that_ignores_sigterm_is_killed_with_all_its_children(tmp_path: Path) -> None:
    inner = f"trap '' TERM; echo \\$\\$ > '{tmp_path}/child'; while :; do sleep 1; done"
    text = f"trap '' TERM; sh -c \"{inner}\" & wait; while :; do sleep 1; done"
    child = tmp_path / "child"
    outcome = await run_for_a_moment(tmp_path, script(tmp_path, text), lambda: are_running(child))
    assert (outcome.status, outcome.problem) == (None, f"it was not done after {MOMENT:g} s")
    await until(lambda: not are_running(child))


@pytest.mark.parametrize("how", ["too late", "cancelled"])
@pytest.mark.gen_test
async def test_one_that_is_ended_is_so_with_those_that_left_its_group(tmp_path: Path, how: str) -> None:
    """Also with one whose parent has ended, so that nothing but its environment tells whose it is."""
    away = "setsid sh -c 'echo $$ > \"$0\"; exec sleep 60'"
    orphan, child = tmp_path / "orphan", tmp_path / "child"
    text = f"({away} '{orphan}' &)\n{away} '{child}' &\nwait; exec sleep 60"
    if how == "cancelled":
        running = asyncio.create_task(run(tmp_path, script(tmp_path, text)))
        await until(lambda: are_running(orphan, child))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    else:
        command = script(tmp_path, text)
        assert (await run_for_a_moment(tmp_path, command, lambda: are_running(orphan, child))).status is None
    await until(lambda: not are_running(orphan) and not are_running(child))


@pytest.mark.gen_test
async def test_one_that_is_cancelled_is_ended_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PATIENCE", LIMIT)
    text = (
        f"trap 'echo bye > \"{tmp_path}/left\"; exit' TERM; echo $$ > '{tmp_path}/child'; while :; do sleep 0.05; done"
    )
    running = asyncio.create_task(run(tmp_path, script(tmp_path, text)))
    child = await pid_in(tmp_path / "child")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (tmp_path / "left").exists()
    assert not is_running(child)


@pytest.mark.gen_test
async def test_one_that_is_cancelled_twice_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PATIENCE", LIMIT)
    text = f"trap 'echo > \"{tmp_path}/asked\"' TERM; echo $$ > '{tmp_path}/child'; while :; do sleep 0.05; done"
    running = asyncio.create_task(run(tmp_path, script(tmp_path, text)))
    child = await pid_in(tmp_path / "child")
    running.cancel()
    await until((tmp_path / "asked").exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not is_running(child)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.gen_test
async def test_one_that_is_cancelled_while_it_starts_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    child = tmp_path / "child"

    class Started(subprocess.Popen[bytes]):
        """It is at work before the station knows that it runs."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            while not (child.exists() and child.read_text().endswith("\n")):
                os.sched_yield()
            for _ in range(times):
                running.cancel()

    monkeypatch.setattr(subprocess, "Popen", Started)
    text = f"sh -c 'echo $$ > \"{child}\"; exec sleep 60' & wait"
    running = asyncio.create_task(run(tmp_path, script(tmp_path, text)))
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: not is_running(int(child.read_text())))


@pytest.mark.gen_test
async def test_a_daemon_that_holds_the_pipes_holds_nobody_up(tmp_path: Path) -> None:
    daemon = f"setsid sh -c 'echo $$ > \"{tmp_path}/daemon\"; exec sleep 60'"
    text = f"{daemon} & while [ ! -s '{tmp_path}/daemon' ]; do sleep 0.01; done; echo done"
    outcome = await run(tmp_path, script(tmp_path, text))
    assert (outcome.status, outcome.said) == (0, ("done",))
    left_behind = await pid_in(tmp_path / "daemon")
    assert is_running(left_behind)
    os.killpg(left_behind, signal.SIGKILL)


@pytest.mark.gen_test
async def test_one_that_does_not_read_or_closes_its_input_misses_it(tmp_path: Path) -> None:
    much = bytes(4 * 1024**2)  # more than any pipe takes
    assert (await run(tmp_path, script(tmp_path, "exec 0<&-; echo closed"), much)).said == ("closed",)
    assert (await run(tmp_path, script(tmp_path, "echo ignored"), much)).said == ("ignored",)
    assert (await run(tmp_path, script(tmp_path, "wc -c"), much)).said == (str(len(much)),)
    assert (await run(tmp_path, script(tmp_path, "wc -c"), b"")).said == ("0",)


@pytest.mark.gen_test
async def test_of_endless_output_only_the_beginning_is_kept(tmp_path: Path) -> None:
    text = f"yes | head -n {KEPT}; touch '{tmp_path}/enough'; exec yes"
    outcome = await run_for_a_moment(tmp_path, script(tmp_path, text), (tmp_path / "enough").exists)
    assert outcome.problem == f"it was not done after {MOMENT:g} s"
    assert outcome.said == ("y",) * LINES


@pytest.mark.gen_test
async def test_one_that_says_much_comes_to_its_end(tmp_path: Path) -> None:
    outcome = await run(tmp_path, script(tmp_path, f"head -c {20 * KEPT} /dev/zero | tr '\\0' x; exit 5"))
    assert outcome.status == 5
    assert [len(line) for line in outcome.said] == [LONGEST_LINE]


@pytest.mark.gen_test
async def test_what_both_its_outputs_say_is_logged_line_by_line_and_clean(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "upload_station")
    text = r"printf 'one\r\n\n\033[31mred\033[0m\n%%s %%d\n\342\200\256txet\n\377\n'; echo oops >&2; printf 'no end'"
    outcome = await run(tmp_path, script(tmp_path, text))
    assert outcome.said == ("one", "[31mred [0m", "%s %d", "txet", "\ufffd", "no end")
    assert [r.getMessage() for r in caplog.records] == [f"hook: {line}" for line in (*outcome.said, "oops")]
    assert all(fields_of(record) == {"session": "0a1b2c3d"} for record in caplog.records)


@pytest.mark.gen_test
async def test_what_one_program_says_of_many_files_does_not_silence_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "upload_station")
    program = Program("chatty", script(tmp_path, "seq 100"), tmp_path, LIMIT, 1)
    for _ in range(7):
        await program.run({}, b"", ABOUT)
    await run(tmp_path, script(tmp_path, "echo out of paper"))
    flood = Flood()
    written = [record.getMessage() for record in caplog.records if flood.admits(record, 0.0)]
    assert len(written) == 601
    assert written[-1] == "hook: out of paper"


@pytest.mark.parametrize("left", [0, 1, 3, 5, 6])
@pytest.mark.gen_test
async def test_without_enough_descriptors_it_is_not_started(tmp_path: Path, left: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 10, hard))
    taken = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        for _ in range(left):
            os.close(taken.pop())
        outcome = await run(tmp_path, "true")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in taken:
            os.close(fd)
    assert outcome.problem == "it cannot be started: Too many open files"


def test_a_clean_line_is_one_line_and_short() -> None:
    assert clean("a\u2028b\x00c\u202ed\x85") == "a b c d"
    assert len(clean("x" * 9999)) == LONGEST_LINE
