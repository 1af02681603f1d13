"""A few power cuts on a real disk; `make crash` makes two hundred. A station without its syncs does not get through."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.crash import mutant
from tests.crash.disk import Disk, why_not
from tests.crash.power import GIB, Run
from tests.crash.process import Process
from tests.scenarios.clients import ask

CUTS = 6
MUTANT = str(Path(mutant.__file__))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder for the disk.

    In most containers not even root may mount, and no program that is installed changes that: there it is an expected
    failure, which is told and which CI takes, and no skipped test.
    """
    if (reason := why_not(tmp_path / "probe")) is not None:
        pytest.xfail(reason)
    return tmp_path


def test_what_was_promised_is_there_after_each_power_cut(place: Path) -> None:
    run = Run(place, seed=1)
    asyncio.run(run.go(CUTS))
    assert run.account.findings == []
    assert run.account.lost == 0
    assert run.account.checked > 0
    assert run.cuts == CUTS


# SQLite's syncs too; those of folders are missed by ext4 so seldom that only the order of the calls shows it.
@pytest.mark.parametrize("site", [mutant.JOURNAL, "partfile.PartFile.finish", "partfile.PartFile.sync"])
def test_a_station_without_a_sync_breaks_its_promises(site: str, place: Path) -> None:
    ways = ("tus", "draft") if site.endswith(".sync") else ("multipart", "raw")
    run = Run(place, seed=1, ways=ways, launcher=(MUTANT, site))
    asyncio.run(run.go(1, patient=True))
    assert run.account.lost or run.account.wrong


async def answers_on_a_disk_that_is_gone(place: Path) -> list[int]:
    disk = Disk(place, GIB)
    station = Process(disk.folder / "upload", "--min_free_space=0")
    try:
        opening = json.dumps({}).encode()
        first = await ask(station.port, "POST", "/api/upload/session", opening)
        disk.cut()
        rest = [await ask(station.port, "POST", "/api/upload/session", opening) for _ in range(3)]
        return [answer.status for answer in (first, *rest)]
    finally:
        station.kill()
        disk.throw_away()


def test_a_disk_that_is_gone_lets_nobody_wait(place: Path) -> None:
    first, *rest = asyncio.run(answers_on_a_disk_that_is_gone(place))
    assert first == 201
    assert set(rest) <= {500, 503, 507}
