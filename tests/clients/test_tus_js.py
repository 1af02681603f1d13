"""tus-js-client in Node, in each of its ways to send, through a bad network."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.chaos import Chaos, Fault
from tests.clients.rig import ENDPOINT, HERE, MIB, Item, Station, assert_arrived, film, run

WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "chunks": {"options": {"chunkSize": 300_000}},
    "with the creation": {"options": {"uploadDataDuringCreation": True}},
    "as POST": {"options": {"overridePatchMethod": True}},
    "parallel": {"options": {"parallelUploads": 3}},
    "length deferred": {"source": "stream", "options": {"uploadLengthDeferred": True, "chunkSize": 500_000}},
    "ietf-draft-03": {"source": "buffer", "options": {"protocol": "ietf-draft-03"}},
    "ietf-draft-05": {"source": "buffer", "options": {"protocol": "ietf-draft-05"}},
    "ietf-draft-05 with the creation": {
        "source": "buffer",
        "options": {"protocol": "ietf-draft-05", "uploadDataDuringCreation": True},
    },
}
SLACK = 100  # bytes: a port may have a digit less


def order(base: str, item: Item, **more: Any) -> list[str]:
    told = {"endpoint": base + ENDPOINT, "path": str(item.path), "metadata": item.told, "source": "file", **more}
    return [str(HERE / "tus.mjs"), json.dumps(told)]


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("way", WAYS)
def test_tus_js_client_gets_a_file_through(
    station: Station, weather: Callable[..., Chaos], node: str, tmp_path: Path, way: str
) -> None:
    chaos = weather(faults=8, reach=500_000)
    (item,) = station.expect(film(tmp_path, "a.mp4", 4 * MIB))
    run(node, *order(chaos.url, item, **WAYS[way]))
    assert_arrived(station, [item])


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("way", ["plain", "parallel", "length deferred", "ietf-draft-03", "ietf-draft-05"])
def test_tus_js_client_that_does_not_hear_that_it_is_done_makes_no_second_file(
    station: Station, forgetful: Callable[[int], Chaos], node: str, tmp_path: Path, way: str
) -> None:
    (item,) = station.expect(film(tmp_path, "a.mp4", 2 * MIB))
    run(node, *order(forgetful(2 * MIB).url, item, **WAYS[way]))
    assert_arrived(station, [item])


@pytest.mark.usefixtures("packages")
def test_tus_js_client_that_does_not_hear_that_parts_were_put_together_makes_no_second_file(
    station: Station, weather: Callable[..., Chaos], forgetful: Callable[[int], Chaos], node: str, tmp_path: Path
) -> None:
    path = film(tmp_path, "a.mp4", 2 * MIB)
    (calm,), (item,) = station.expect(path), station.expect(path)
    measured = weather(faults=0)
    run(node, *order(measured.url, calm, **WAYS["parallel"]))
    # The same requests once more, and only the last of them goes unanswered.
    run(node, *order(forgetful(measured.up - SLACK).url, item, **WAYS["parallel"]))
    assert_arrived(station, [item])


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("way", ["plain", "parallel"])
def test_tus_js_client_goes_on_where_a_killed_process_left_off(
    station: Station, weather: Callable[..., Chaos], node: str, tmp_path: Path, way: str
) -> None:
    chaos = weather(faults=6, reach=200_000)
    (item,) = station.expect(film(tmp_path, "a.mp4", 6 * MIB))
    # In small chunks, so that what counts as sent has also arrived.
    options = {"options": {**WAYS[way].get("options", {}), "chunkSize": 300_000}, "urls": str(tmp_path / "urls.json")}
    assert run(node, *order(chaos.url, item, dieAt=4 * MIB, **options), status=-signal.SIGKILL) == ""
    sent = chaos.strike(3).up
    run(node, *order(chaos.url, item, **options))
    assert_arrived(station, [item])
    assert chaos.up - sent < 5 * MIB


@pytest.mark.usefixtures("packages")
def test_who_comes_back_late_makes_another_attempt_and_goes_on_where_the_first_ended(
    station: Station, weather: Callable[..., Chaos], node: str, tmp_path: Path
) -> None:
    chaos = weather(faults=1, reach=3 * MIB, kinds=[Fault.RST], down=0)
    (item,) = station.expect(film(tmp_path, "a.mp4", 4 * MIB))
    options = {"urls": str(tmp_path / "urls.json")}
    run(node, *order(chaos.url, item, once=True, **options), status=1)
    broken = station.events(item.session_id, until="upload-failed")[-1]["data"]
    run(node, *order(chaos.url, item, **options))
    events = assert_arrived(station, [item])
    assert [event["event"] for event in events[:-1]] == [
        "upload-started",
        "upload-failed",
        "upload-started",
        "upload-completed",
    ]
    assert events[2]["data"]["resumedFrom"] == broken["uploadedBytes"] > 0
