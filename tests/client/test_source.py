"""Which local files are taken, and that a change is noticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from client.faults import Unfit
from client.source import Reading, Source, Unsendable, gather


def one(path: Path) -> Source:
    (found,) = gather([str(path)], recursive=False)
    assert isinstance(found, Source), found
    return found


def fault(path: str) -> str:
    (found,) = gather([path], recursive=False)
    assert isinstance(found, Unsendable), found
    return found.fault.key


def test_a_file_is_what_it_was_when_it_was_looked_at(film: Path) -> None:
    source = one(film)
    assert (source.name, source.size) == ("film.mp4", film.stat().st_size)
    with Reading(source) as reading:
        assert reading.read(4, 8) == b"ftypmp42"
        reading.check()


def test_each_file_is_taken_once_in_the_order_given(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).touch()
    given = [str(tmp_path / "b"), str(tmp_path / "a"), f"{tmp_path}/./b"]
    assert [Path(each.path).name for each in gather(given, recursive=False)] == ["b", "a"]


def test_what_is_no_file_is_told_apart(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    assert fault(str(tmp_path)) == "is_folder"
    assert fault(str(tmp_path / "pipe")) == "not_regular"
    assert fault("/dev/zero") == "not_regular"
    assert fault(str(tmp_path / "nowhere")) == "unreadable"
    assert fault(str(tmp_path / "loop")) == "unreadable"


def test_folders_are_walked_by_name_and_links_in_them_left_alone(tmp_path: Path) -> None:
    (tmp_path / "in" / "z").mkdir(parents=True)
    for name in ("b", "a", "z/c"):
        (tmp_path / "in" / name).touch()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "in" / "a")
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    found = gather([str(tmp_path / "in")], recursive=True)
    assert [os.path.relpath(each.path, tmp_path / "in") for each in found] == ["a", "b", "z/c"]


def test_bytes_that_are_no_text_get_a_name_that_can_be_told(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.mp4")
    path.touch()
    assert one(path).name == "�.mp4"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda path: path.write_bytes(b"other"), "changed"),
        (lambda path: os.truncate(path, 5), "changed"),
        (lambda path: os.utime(path, (1, 1)), "changed"),
        (lambda path: path.unlink(), "disappeared"),
    ],
)
def test_a_change_is_noticed_when_it_is_opened_and_when_it_is_read(film: Path, change: object, key: str) -> None:
    assert callable(change)
    source = one(film)
    with Reading(source) as reading:
        change(film)
        with pytest.raises(Unfit) as late:
            reading.check()
    with pytest.raises(Unfit) as early:
        Reading(source)
    assert (late.value.key, early.value.key) == (key, key)


def test_another_file_under_its_name_is_noticed(film: Path) -> None:
    source = one(film)
    with Reading(source) as reading:
        copy = film.with_name("copy")
        copy.write_bytes(film.read_bytes())
        os.utime(copy, ns=(source.changed, source.changed))
        copy.rename(film)
        with pytest.raises(Unfit, match="changed"):
            reading.check()


def test_a_pipe_that_took_its_place_holds_nothing_up(film: Path) -> None:
    source = one(film)
    film.unlink()
    os.mkfifo(film)
    with pytest.raises(Unfit, match="not_regular"):
        Reading(source)


def test_bytes_that_are_missing_are_a_change(film: Path) -> None:
    with Reading(one(film)) as reading, pytest.raises(Unfit, match="changed"):
        reading.read(film.stat().st_size - 1, 2)
