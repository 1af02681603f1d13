"""The system calls of finished uploads come in the only order that survives a power cut, and each sync is missed.

The second half is a mutation check: a station without one of its syncs breaks the rule that the sync is there for.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.crash import mutant
from tests.crash.calls import Call, recorded, recorder
from tests.crash.process import SERVER, Process
from tests.crash.rules import broken, broken_by_recovery, steps
from tests.crash.senders import Draft, Ears, Tus, Upload, join, send_partial
from tests.crash.test_killed_at_a_call import crash_with_all_to_do
from tests.crash.witness import Told, open_session, put, send_form, watch
from tests.scenarios.clients import ask

MUTANT = str(Path(mutant.__file__))
TOKEN = "a-token-of-the-operator"
RECOVERY = "storage.Storage.sync_category"


async def uploads(port: int) -> None:
    """Files of every way, with somebody watching; one of them is deleted again."""
    told, chance = Told(), random.Random(1)
    session_id = await open_session(port, told, 6)
    watching = asyncio.get_running_loop().create_task(watch(port, session_id, told))
    await put(port, session_id, "a-300000.txt", told)
    await send_form(port, session_id, ["b-5000.txt", "c-70000.txt"], told)
    for way, language in (("tus", Tus), ("draft", Draft)):
        await language(port, Upload(f"{len(way)}-250000.txt", way, session_id, Ears()), chance, 0).go()
    places = [await send_partial(port, content) for content in (b"one half\n" * 1000, b"the other half\n" * 1000)]
    await join(port, Upload("5-24000.txt", "tus", session_id, Ears()), places)
    await watching
    files = (await ask(port, "GET", f"/api/upload/progress/{session_id}")).json()["files"]
    key = {"Authorization": f"Bearer {TOKEN}"}
    assert (await ask(port, "DELETE", f"/api/upload/file/{files[0]['id']}", headers=key)).status == 204


async def calls_of(strace: str, folder: Path, launcher: tuple[str, ...] = SERVER) -> list[Call]:
    log = folder / "calls"
    station = Process(folder / "upload", f"--admin_token={TOKEN}", before=recorder(strace, log), launcher=launcher)
    try:
        await uploads(station.port)
    finally:
        station.kill()
    return await recorded(log, station.pid)


async def calls_of_recovery(strace: str, folder: Path, launcher: tuple[str, ...] = SERVER) -> list[Call]:
    log = folder / "calls"
    station = Process(folder / "crashed", before=recorder(strace, log), launcher=launcher)
    station.kill()
    return await recorded(log, station.pid)


def test_the_calls_of_finished_uploads_keep_every_rule(strace: str, tmp_path: Path) -> None:
    calls = asyncio.run(calls_of(strace, tmp_path))
    assert broken(calls) == {}
    assert steps(calls, "_3-250000.txt") == [
        "write",
        "sync the part",
        "commit the offset",
        "commit the intent",
        "link",
        "sync the folder",
        "commit the completion",
        "tell",
        "answer",
    ]


def test_the_calls_of_a_recovery_keep_their_rule(strace: str, tmp_path: Path) -> None:
    crash_with_all_to_do(strace, tmp_path)
    calls = asyncio.run(calls_of_recovery(strace, tmp_path))
    assert broken_by_recovery(calls) == {}
    assert any("upload-completed" in call.text for call in calls)


NOTICED_BY = {
    mutant.JOURNAL: {"intent_recorded", "completion_recorded", "part_kept", "resource_named", "offsets_safe"},
    "partfile.PartFile.finish": {"part_synced", "intent_after_bytes", "offsets_safe"},
    "partfile.PartFile.sync": {"offsets_safe", "part_synced", "intent_after_bytes"},
    "storage.Storage._folder": {"folders_named"},
    "storage.Storage._make_root": {"folders_named"},
    "storage.Storage.make_part": {"resource_named"},
    "storage.Storage.publish": {"folder_synced"},
    "storage.Storage.sync_folder": {"deletions_synced"},
}


# No upload hangs on them; who does not sync them is found by tests/station/test_token.py.
OF_SECRETS = {"token._kept", "token._sync"}


def test_no_sync_is_left_unwatched() -> None:
    assert {*mutant.sites(), mutant.JOURNAL} == {*NOTICED_BY, RECOVERY, *OF_SECRETS}


@pytest.mark.parametrize("site", NOTICED_BY)
def test_a_sync_that_is_missing_breaks_a_rule(site: str, strace: str, tmp_path: Path) -> None:
    assert broken(asyncio.run(calls_of(strace, tmp_path, (MUTANT, site)))).keys() == NOTICED_BY[site]


def test_a_sync_that_is_missing_in_recovery_breaks_its_rule(strace: str, tmp_path: Path) -> None:
    crash_with_all_to_do(strace, tmp_path)
    calls = asyncio.run(calls_of_recovery(strace, tmp_path, (MUTANT, RECOVERY)))
    assert broken_by_recovery(calls).keys() == {"recovery_synced"}
