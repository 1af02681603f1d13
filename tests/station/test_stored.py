"""Stored files on a real disk, where other programs may do anything to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.stored import Opened, Spot, Stored, spot_of
from tests.station.places import Disk

HERE = Spot("personal", "a.txt")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    opened = Disk(tmp_path, ["personal"], durable=True)
    (tmp_path / "personal" / "a.txt").write_bytes(b"hello")
    yield opened
    opened.close()


def opened(disk: Disk, spot: Spot) -> Opened:
    found = Stored(disk).open(spot)
    assert found is not None
    return found


def test_a_spot_is_read_from_the_public_name() -> None:
    assert spot_of("/upload/personal/x_a.txt") == Spot("personal", "x_a.txt")
    assert spot_of("/upload/访客/x_片.mp4") == Spot("访客", "x_片.mp4")


def test_a_file_is_read_in_pieces_as_it_was_when_it_was_opened(disk: Disk, tmp_path: Path) -> None:
    file = opened(disk, HERE)
    try:
        assert (file.size, file.modified) == (5, (tmp_path / "personal" / "a.txt").stat().st_mtime_ns)
        (tmp_path / "personal" / "a.txt").unlink()
        assert [file.read(0, 2), file.read(2, 100), file.read(5, 1)] == [b"he", b"llo", b""]
    finally:
        file.close()


def test_a_category_that_is_configured_no_longer_still_has_its_files(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "former").mkdir()
    (tmp_path / "former" / "b.txt").write_bytes(b"old")
    spot, stored = Spot("former", "b.txt"), Stored(disk)
    assert stored.present([spot, HERE]) == [True, True]
    opened(disk, spot).close()
    assert stored.unlink(spot)
    stored.sync("former")
    assert stored.present([spot]) == [False]


def test_what_is_no_plain_file_is_not_there(disk: Disk, tmp_path: Path) -> None:
    folder = tmp_path / "personal"
    (tmp_path / "victim").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "victim")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    stored = Stored(disk)
    for name in ("link", "folder", "pipe", "nothing", "x" * 300):
        spot = Spot("personal", name)
        assert stored.present([spot]) == [False]
        assert stored.open(spot) is None
    assert not stored.unlink(Spot("personal", "folder"))
    assert not stored.unlink(Spot("personal", "nothing"))


def test_a_folder_swapped_for_a_link_is_not_followed(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.txt").write_bytes(b"secret")
    (tmp_path / "former").symlink_to(tmp_path / "elsewhere")
    stored, spot = Stored(disk), Spot("former", "a.txt")
    assert stored.present([spot]) == [False]
    assert stored.open(spot) is None
    assert not stored.unlink(spot)
    assert (tmp_path / "elsewhere" / "a.txt").exists()


def test_a_folder_that_is_gone_holds_nothing(disk: Disk) -> None:
    spot, stored = Spot("never", "a.txt"), Stored(disk)
    assert stored.present([spot]) == [False]
    assert stored.open(spot) is None
    assert not stored.unlink(spot)
    stored.sync("never")


def test_deleting_says_whether_the_file_was_there_and_is_synced(disk: Disk, tmp_path: Path) -> None:
    stored = Stored(disk)
    disk.points.passed.clear()
    assert stored.unlink(HERE)
    stored.sync("personal")
    assert disk.points.passed == ["folder"]
    assert not stored.unlink(HERE)


def test_a_link_goes_by_itself(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"old")
    (tmp_path / "personal" / "b.txt").symlink_to(tmp_path / "victim")
    assert Stored(disk).unlink(Spot("personal", "b.txt"))
    assert (tmp_path / "victim").read_bytes() == b"old"
