"""What a real station tells its meters by itself, and that the way of an upload outlives the process."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from station.events import Way
from station.station import Station
from tests.station.places import crash_image, open_place, until

ENDED = {"way": "tus", "outcome": "completed", "code": ""}


def value(station: Station, name: str, **labels: str) -> float:
    text, _ = station.meters.exposition(())
    families = text_string_to_metric_families(text.decode())
    named = {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}
    return named[f"upload_station_{name}", frozenset(labels.items())]


@pytest.mark.gen_test
async def test_each_commit_and_each_sync_is_timed_once(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        place.watch_commits()
        before = value(place.station, "journal_commit_seconds_count")
        await place.raw(await place.open(), body=b"hello")
        await place.no_parts()
        commits = place.points.passed.count("commit")
        assert value(place.station, "journal_commit_seconds_count") - before == commits > 0
        assert value(place.station, "sync_seconds_count", of="file") == place.points.passed.count("fsync") > 0
        assert value(place.station, "sync_seconds_count", of="folder") >= 1


@pytest.mark.gen_test
async def test_without_durability_nothing_is_synced_and_nothing_timed(tmp_path: Path) -> None:
    async with open_place(tmp_path, durability="process") as place:
        await place.raw(await place.open(), body=b"hello")
        assert value(place.station, "sync_seconds_count", of="file") == 0
        assert value(place.station, "sync_seconds_count", of="folder") == 0


@pytest.mark.gen_test
async def test_the_delay_of_the_loop_is_heard_at_each_tick(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        for late in (0.25, 0.25, 0.65):
            place.clock.pass_by(late)
            place.station.watch.tick()
        assert value(place.station, "loop_delay_seconds_count") == 3
        assert value(place.station, "loop_delay_seconds_sum") == pytest.approx(0.4)
        assert value(place.station, "loop_delay_seconds_bucket", le="0.25") == 2


@pytest.mark.gen_test
async def test_what_could_not_be_recorded_is_not_counted(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open()
        place.journal.break_down()
        await place.raw(channel)
        assert value(place.station, "uploads_started_total", way="raw") == 0
        place.journal.mend()
        await channel.committed()
        assert value(place.station, "uploads_started_total", way="raw") == 1


@pytest.mark.gen_test
async def test_the_way_of_an_upload_outlives_the_process(tmp_path: Path) -> None:
    async with open_place(tmp_path / "a") as place:
        berth = await place.upload(await place.open(expected=1), length=10)
        await place.add(berth, b"hello")
        image = crash_image(tmp_path / "a", tmp_path / "b")
    async with open_place(image, recover=True) as place:
        berth = await place.station.shelf.find(berth.upload.id)
        assert berth.file is not None
        assert berth.file.way is Way.TUS
        await place.add(berth, b"world")
        await until(lambda: value(place.station, "uploads_total", **ENDED) == 1)
        assert value(place.station, "received_bytes_total", way="tus") == 5  # of this run


@pytest.mark.gen_test
async def test_a_file_counts_by_the_way_it_came_in_the_end(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        file_id = next(iter(channel.session.files))
        await place.add(await place.upload(channel, file_id=file_id), b"hel")
        await place.raw(channel, body=b"hello", file_id=file_id)
        assert value(place.station, "uploads_total", way="raw", outcome="completed", code="") == 1
        assert value(place.station, "uploads_total", way="tus", outcome="failed", code="NETWORK_ERROR") == 1
