"""The operator's check: what its exit status and its words mean, and what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from station.errors import Problem
from station.inspection import AT_MOST, Inspection, flat
from station.lines import fields_of
from station.reporting import short
from tests.station.places import config, until
from tests.station.test_program import is_running, pid_in, script

FACTS: dict[str, object] = {
    "sessionId": "s",
    "fileId": "f",
    "fileName": "a b.mp4",
    "fileSize": 5,
    "category": "personal",
    "checksum": {"algorithm": "blake3", "value": "00ff"},
}


@contextlib.asynccontextmanager
async def inspection(folder: Path, text: str, **options: Any) -> AsyncIterator[Inspection]:
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    (parts / "part-1").write_bytes(b"hello")
    made = Inspection(config(folder, before_publish=script(folder, text), **options), parts)
    try:
        yield made
    finally:
        await made.stop()


async def judged(folder: Path, text: str, **options: Any) -> Problem | None:
    async with inspection(folder, text, **options) as made:
        return await made.judge("part-1", FACTS, lambda: True)


@pytest.mark.gen_test
async def test_without_a_program_nothing_is_asked(tmp_path: Path) -> None:
    made = Inspection(config(tmp_path), tmp_path)
    assert not made.is_wanted
    assert await made.judge("part-1", FACTS, lambda: True) is None


@pytest.mark.gen_test
async def test_nought_takes_and_one_rejects_with_the_words_that_were_printed(tmp_path: Path) -> None:
    assert await judged(tmp_path, "echo fine; exit 0") is None
    assert await judged(tmp_path, "echo Eicar; echo; echo found; echo aside >&2; exit 1") == Problem(
        "REJECTED", "Eicar; found"
    )


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("exit 1", "exit status 1 without a word"),
        ("echo; exit 1", "exit status 1 without a word"),
        (f"{sys.executable} -c '1 / 0'", "exit status 1 without a word"),
        (f"exec {sys.executable} -m no_such_scanner", "exit status 1 without a word"),
        ("exec false", "exit status 1 without a word"),
        ("grep -q Eicar /dev/null", "exit status 1 without a word"),
        ("exec test -e /no/such", "exit status 1 without a word"),
        ("echo 'ERROR: Could not connect to clamd'; exit 2", "exit status 2"),
        ("exec /no/such 2>&1", "exit status 127"),
        ("echo FOUND; kill -TERM $$", "it was ended by signal 15"),
        ("echo FOUND; kill -KILL $$", "it was ended by signal 9"),
        ("echo FOUND; exec sleep 60", "it was not done after 0.5 s"),
    ],
)
@pytest.mark.gen_test
async def test_trouble_of_the_check_is_nothing_about_the_file(
    tmp_path: Path, text: str, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    limit = 0.5 if "sleep" in text else 60.0
    found = await judged(tmp_path, text, hook_timeout=limit)
    assert found == Problem("SERVER_ERROR", f"the file could not be checked: {trouble}")
    assert found.row.retry
    record = caplog.records[-1]
    assert record.getMessage() == f"before_publish: the file could not be checked: {trouble}"
    assert fields_of(record) == {"session": short("s"), "file": short("f")}


@pytest.mark.gen_test
async def test_a_program_that_is_not_there_takes_nothing(tmp_path: Path) -> None:
    made = Inspection(config(tmp_path, before_publish="/no/such/scanner"), tmp_path)
    trouble = "the file could not be checked: it cannot be started: No such file or directory"
    assert await made.judge("part-1", FACTS, lambda: True) == Problem("SERVER_ERROR", trouble)


@pytest.mark.gen_test
async def test_its_words_are_short_clean_and_name_no_path(tmp_path: Path) -> None:
    found = await judged(
        tmp_path,
        'printf "$UPLOAD_STATION_FILE_PATH: Eicar\\033[2J FOUND\\n$(basename "$UPLOAD_STATION_FILE_PATH")"; exit 1',
    )
    assert found == Problem("REJECTED", "a b.mp4: Eicar [2J FOUND; a b.mp4")
    found = await judged(tmp_path, "head -c 100000 /dev/zero | tr '\\0' x; exit 1")
    assert found is not None
    assert len(found.details or "") == 200


@pytest.mark.gen_test
async def test_it_is_told_all_that_is_known(tmp_path: Path) -> None:
    async with inspection(
        tmp_path, 'cat > "$0.input"; env | grep ^UPLOAD_STATION > "$0.env"; cat "$UPLOAD_STATION_FILE_PATH" > "$0.file"'
    ) as made:
        assert await made.judge("part-1", FACTS, lambda: True) is None
    path = str(tmp_path / "parts" / "part-1")
    assert json.loads((tmp_path / "a program.input").read_text()) == {
        "event": "before-publish",
        "data": {**FACTS, "filePath": path},
    }
    told = (tmp_path / "a program.env").read_text().splitlines()
    assert sorted(line for line in told if not line.startswith("UPLOAD_STATION_RUN=")) == [
        "UPLOAD_STATION_CATEGORY=personal",
        "UPLOAD_STATION_CHECKSUM=00ff",
        "UPLOAD_STATION_CHECKSUM_ALGORITHM=blake3",
        "UPLOAD_STATION_EVENT=before-publish",
        "UPLOAD_STATION_FILE_ID=f",
        "UPLOAD_STATION_FILE_NAME=a b.mp4",
        f"UPLOAD_STATION_FILE_PATH={path}",
        "UPLOAD_STATION_FILE_SIZE=5",
        "UPLOAD_STATION_SESSION_ID=s",
    ]
    assert (tmp_path / "a program.file").read_bytes() == b"hello"


def test_facts_without_a_checksum_stay_as_they_are() -> None:
    assert flat({"checksum": None, "fileName": "a"}) == {"checksum": None, "fileName": "a"}


@pytest.mark.gen_test
async def test_the_program_ends_when_nobody_wants_to_know_any_more(tmp_path: Path) -> None:
    wanted = True
    async with inspection(tmp_path, 'echo $$ > "$0.pid"; exec sleep 60') as made:
        judging = asyncio.create_task(made.judge("part-1", FACTS, lambda: wanted))
        pid = await pid_in(tmp_path / "a program.pid")
        wanted = False
        assert await judging == Problem("SERVER_ERROR", "the check was interrupted")
        assert not is_running(pid)


@pytest.mark.parametrize("how", ["stopped", "cancelled"])
@pytest.mark.gen_test
async def test_a_check_that_is_cut_short_decides_nothing_and_leaves_nothing(tmp_path: Path, how: str) -> None:
    async with inspection(tmp_path, 'echo $$ > "$0.pid"; exec sleep 60') as made:
        judging = asyncio.create_task(made.judge("part-1", FACTS, lambda: True))
        pid = await pid_in(tmp_path / "a program.pid")
        if how == "stopped":
            await made.stop()
            assert await judging == Problem("SERVER_ERROR", "the check was interrupted")
        else:
            judging.cancel()
            with pytest.raises(asyncio.CancelledError):
                await judging
        await made.stop()
        assert not is_running(pid)


@pytest.mark.gen_test
async def test_a_few_run_at_a_time(tmp_path: Path) -> None:
    async with inspection(tmp_path, 'printf + >> "$0.account"; while [ ! -e "$0.go" ]; do sleep 0.01; done') as made:
        judging = [asyncio.create_task(made.judge("part-1", FACTS, lambda: True)) for _ in range(AT_MOST + 3)]
        account = tmp_path / "a program.account"
        await until(lambda: account.exists() and len(account.read_text()) == AT_MOST)
        (tmp_path / "a program.go").touch()
        assert await asyncio.gather(*judging) == [None] * (AT_MOST + 3)
