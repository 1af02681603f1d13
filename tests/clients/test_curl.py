"""Nothing but curl and a shell, by tus and by the IETF draft, through a bad network."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from tests.clients.chaos import Chaos
from tests.clients.rig import ENDPOINT, HERE, MIB, Item, Station, assert_arrived, film, run


def metadata(item: Item) -> str:
    return ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in item.told.items())


def draft(base: str, item: Item) -> list[str]:
    """The statuses of its first request, then of its last."""
    query = f"?sessionId={item.session_id}&fileId={item.file_id}"
    return run("sh", str(HERE / "draft.sh"), base + ENDPOINT + query, str(item.path)).splitlines()


def test_curl_gets_a_file_through_by_tus(station: Station, weather: Callable[..., Chaos], tmp_path: Path) -> None:
    chaos = weather(faults=8, reach=600_000)
    (item,) = station.expect(film(tmp_path, "a.mp4", 4 * MIB))
    run("sh", str(HERE / "tus.sh"), chaos.url + ENDPOINT, str(item.path), metadata(item))
    assert_arrived(station, [item])


def test_curl_gets_a_file_through_by_the_draft(station: Station, weather: Callable[..., Chaos], tmp_path: Path) -> None:
    chaos = weather(faults=8, reach=600_000)
    (item,) = station.expect(film(tmp_path, "a.mp4", 4 * MIB))
    assert draft(chaos.url, item)[-1].split()[-1] in {"200", "201"}
    assert_arrived(station, [item])


def test_curl_sees_interim_answers(station: Station, tmp_path: Path) -> None:
    (item,) = station.expect(film(tmp_path, "a.mp4", 4 * MIB))
    seen = draft(f"http://127.0.0.1:{station.port}", item)[0].split()
    assert "104" in seen
    assert seen[-1] == "201"
    assert_arrived(station, [item])


def test_curl_that_does_not_hear_of_its_creation_makes_no_second_file(
    station: Station, forgetful: Callable[[int], Chaos], tmp_path: Path
) -> None:
    (item,) = station.expect(film(tmp_path, "a.mp4", 2 * MIB))
    assert len(draft(forgetful(1).url, item)) > 3
    assert_arrived(station, [item])


def test_curl_is_told_the_final_answer_of_the_draft_again(
    station: Station, forgetful: Callable[[int], Chaos], tmp_path: Path
) -> None:
    (item,) = station.expect(film(tmp_path, "a.mp4", 2 * MIB))
    first, last = draft(forgetful(2 * MIB).url, item)
    assert set(first.split()) == {"100", "104"}
    assert last.split()[-1] == "200"
    assert_arrived(station, [item])
