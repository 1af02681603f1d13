"""The real machine, read for real."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from station.vitals import MEAN_OF, Reading, Vitals


def busy() -> None:
    """Keep a processor at work until our own account has grown, which a busy machine takes its time for."""
    process = psutil.Process()
    begun = sum(process.cpu_times()[:2])
    while sum(process.cpu_times()[:2]) < begun + 0.05:
        sum(range(1000))


def test_a_reading_tells_shares_and_our_own_memory() -> None:
    vitals = Vitals()
    busy()
    reading = vitals.read()
    assert reading.memory is not None
    assert 0 < reading.memory <= 100
    assert reading.cpu is not None
    assert 0 < reading.cpu <= 100, "the time since the reading before was spent at work"
    assert reading.own_memory is not None
    assert 5_000_000 < reading.own_memory < psutil.virtual_memory().total
    assert reading.own_cpu is not None
    assert reading.own_cpu > 0
    assert vitals.latest == reading


def test_two_that_read_do_not_take_each_others_time() -> None:
    one, other = Vitals(), Vitals()
    busy()
    one.read()
    reading = other.read()  # an instant after the other's
    assert reading.cpu is not None


def test_what_counts_is_the_mean_of_the_last_readings() -> None:
    vitals = Vitals()
    assert vitals.memory[1] == 0
    for value in range(MEAN_OF + 4):
        vitals._readings.append(Reading(float(value), float(10 * value)))
    assert vitals.memory == (6.5, MEAN_OF)
    assert vitals.cpu == (65.0, MEAN_OF)


def test_a_reading_without_a_processor_counts_for_memory_only() -> None:
    vitals = Vitals()
    vitals._readings.extend([Reading(10.0, None), Reading(20.0, 50.0)])
    assert (vitals.memory, vitals.cpu) == ((15.0, 2), (50.0, 1))


def test_a_machine_that_tells_nothing_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vitals = Vitals()
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "hidden"))
    assert vitals.read() == Reading()
    assert vitals.memory == (None, 0)
    assert Vitals().read() == Reading()
    monkeypatch.undo()
    assert vitals.read().memory is not None
