"""Every scenario, played for real: the table is what happens, and all transports and the folder agree with it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path, PurePosixPath

import pytest
from tornado.ioloop import IOLoop

from tests.scenarios.lines import lifecycle
from tests.scenarios.play import Played, Scenario, play
from tests.scenarios.tables import SCENARIOS


def names(scenario: Scenario) -> str:
    return scenario.title


@pytest.mark.parametrize("scenario", SCENARIOS, ids=names)
def test_a_scenario_goes_as_its_table_says(scenario: Scenario, tmp_path: Path, io_loop: IOLoop) -> None:
    played: Played = io_loop.run_sync(lambda: play(scenario, tmp_path))
    assert played.rows == [row[1:] for row in scenario.rows]
    assert_all_transports_agree(played)
    assert_folder_agrees(scenario, played)


def assert_all_transports_agree(played: Played) -> None:
    screen = lifecycle(played.told["Screen"])
    assert [after["seq"] - before["seq"] for before, after in pairwise(screen)] == [1] * (len(screen) - 1)
    for transport, told in played.told.items():
        assert lifecycle(told) == screen, transport


def assert_folder_agrees(scenario: Scenario, played: Played) -> None:
    told = lifecycle(played.told["Screen"])
    if not told or told[0]["seq"] != 1:
        return  # it joined too late to know of every file
    completed = [message["data"]["uploadPath"] for message in told if message["event"] == "upload-completed"]
    assert sorted(PurePosixPath(path).name for path in completed) == played.visible


def test_there_are_enough_scenarios_and_each_has_a_name_of_its_own() -> None:
    assert len({scenario.title for scenario in SCENARIOS}) == len(SCENARIOS) >= 25
