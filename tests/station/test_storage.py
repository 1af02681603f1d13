"""Folders, the lock, publishing and free space, on real file systems."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.digest import Digests
from station.partfile import PartLost
from station.storage import Storage, Unusable
from tests.station.places import Disk, small_disk

REPOSITORY = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from station.storage import Storage
storage = Storage(Path(sys.argv[1]), ["personal"], durable=True)
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def storage(root: Path, *categories: str, durable: bool = True) -> Iterator[Storage]:
    opened = Storage(root, categories or ("personal", "scenic"), durable=durable)
    try:
        yield opened
    finally:
        opened.close()


def write_part(opened: Storage, name: str = "p", data: bytes = b"hello") -> None:
    part = opened.create_part(name, "none")
    part.write(data)
    part.finish()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ---- the folder ----


def test_the_folders_are_made_and_the_own_one_is_private(tmp_path: Path) -> None:
    with storage(tmp_path / "deep" / "up"):
        assert sorted(os.listdir(tmp_path / "deep" / "up")) == [".station", "personal", "scenic"]
        assert mode(tmp_path / "deep" / "up" / ".station") == 0o700
        assert mode(tmp_path / "deep" / "up" / ".station" / "parts") == 0o700
        assert mode(tmp_path / "deep" / "up" / "personal") & 0o007 == 0
        assert os.listdir(tmp_path / "deep" / "up" / "personal") == []
        assert os.listdir(tmp_path / "deep" / "up" / ".station" / "parts") == []


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        write_part(opened)
        opened.publish("p", "scenic", "a.txt")
    with storage(tmp_path) as opened:
        assert (tmp_path / "scenic" / "a.txt").read_bytes() == b"hello"
        assert list(opened.parts()) == ["p"]


def test_a_new_folder_is_synced_into_its_parent(tmp_path: Path) -> None:
    disk = Disk(tmp_path, ["personal"], durable=True)
    try:
        assert disk.points.passed == []
        (tmp_path / "personal").rmdir()
        write_part(disk)
        disk.points.passed.clear()
        disk.publish("p", "personal", "a.txt")
        assert disk.points.passed == ["link", "folder", "folder"]
    finally:
        disk.close()


def test_a_second_process_on_the_folder_is_refused_in_words(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(Unusable, match="another station is already using"):
            Storage(tmp_path, ["personal", "other"], durable=True)
        assert sorted(tmp_path.rglob("*")) == before
        holder.kill()
    with storage(tmp_path):
        pass


def test_a_file_in_place_of_a_folder_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "personal").write_text("not a folder")
    with pytest.raises(Unusable, match=r"cannot use .* for uploads"):
        Storage(tmp_path, ["personal"], durable=True)


@pytest.mark.parametrize("name", ["personal", ".station"])
def test_a_link_in_place_of_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unusable):
        Storage(tmp_path / "up", ["personal"], durable=True)
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_category_on_another_file_system_is_refused_in_words(tmp_path: Path) -> None:
    with small_disk(tmp_path / "scenic"), pytest.raises(Unusable) as refused:
        Storage(tmp_path, ["personal", "scenic"], durable=True)
    assert "scenic: linking into it is on another file system" in str(refused.value)
    assert "hard links" in str(refused.value)
    assert os.listdir(tmp_path / ".station" / "parts") == []


# ---- part files and publishing ----


def test_a_published_file_is_whole_and_readable_by_the_group(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        write_part(opened)
        assert mode(tmp_path / ".station" / "parts" / "p") == 0o600
        opened.publish("p", "personal", "a.txt")
        assert (tmp_path / "personal" / "a.txt").read_bytes() == b"hello"
        assert mode(tmp_path / "personal" / "a.txt") == 0o640
        opened.drop_part("p")
        assert (tmp_path / "personal" / "a.txt").stat().st_nlink == 1
        assert list(opened.parts()) == []


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        (tmp_path / "personal" / "file").write_bytes(b"old")
        (tmp_path / "personal" / "link").symlink_to("nowhere")
        (tmp_path / "personal" / "folder").mkdir()
        write_part(opened)
        for name in ("file", "link", "folder"):
            with pytest.raises(FileExistsError):
                opened.publish("p", "personal", name)
        assert (tmp_path / "personal" / "file").read_bytes() == b"old"
        assert os.readlink(tmp_path / "personal" / "link") == "nowhere"
        with pytest.raises(FileExistsError):
            opened.create_part("p", "none")
        assert (tmp_path / ".station" / "parts" / "p").read_bytes() == b"hello"


def test_a_part_is_not_written_through_a_link(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        (tmp_path / "victim").write_bytes(b"old")
        (tmp_path / ".station" / "parts" / "p").symlink_to(tmp_path / "victim")
        with pytest.raises(FileExistsError):
            opened.create_part("p", "none")
        assert (tmp_path / "victim").read_bytes() == b"old"


def test_a_category_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with storage(tmp_path / "up") as opened:
        write_part(opened)
        (tmp_path / "up" / "personal").rename(tmp_path / "up" / "moved")
        (tmp_path / "up" / "personal").symlink_to(tmp_path / "elsewhere")
        opened.publish("p", "personal", "a.txt")
        assert os.listdir(tmp_path / "elsewhere") == []
        assert os.listdir(tmp_path / "up" / "moved") == ["a.txt"]


def test_a_category_removed_and_replaced_by_a_link_is_an_error_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with storage(tmp_path / "up") as opened:
        write_part(opened)
        (tmp_path / "up" / "personal").rmdir()
        (tmp_path / "up" / "personal").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OSError):
            opened.publish("p", "personal", "a.txt")
        assert os.listdir(tmp_path / "elsewhere") == []


def test_a_category_removed_while_the_station_runs_comes_back(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        write_part(opened)
        (tmp_path / "personal").rmdir()
        opened.publish("p", "personal", "a.txt")
        opened.sync_category("personal")
        assert (tmp_path / "personal" / "a.txt").read_bytes() == b"hello"
        assert opened.is_published("p", "personal", "a.txt")


def test_a_file_is_published_if_its_name_is_the_part_or_the_part_is_gone(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        write_part(opened)
        assert not opened.is_published("p", "personal", "a.txt")
        (tmp_path / "personal" / "a.txt").write_bytes(b"hello")
        assert not opened.is_published("p", "personal", "a.txt"), "another file of that name"
        opened.publish("p", "personal", "b.txt")
        assert opened.is_published("p", "personal", "b.txt")
        assert not opened.is_published("p", "gone", "b.txt")
        opened.drop_part("p")
        assert opened.is_published("p", "personal", "b.txt")
        assert not opened.is_published("p", "personal", "c.txt")


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_is_no_plain_file_was_not_published(tmp_path: Path, kind: str) -> None:
    with storage(tmp_path) as opened:
        target = tmp_path / "personal" / "a.txt"
        target.mkdir() if kind == "folder" else target.symlink_to("/etc/passwd")
        assert not opened.is_published("p", "personal", "a.txt")


def test_dropping_a_part_twice_is_no_fault(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        write_part(opened)
        opened.drop_part("p")
        opened.drop_part("p")


# ---- a disk of 8 MB ----


def test_a_full_disk_is_enospc_and_its_space_comes_back(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as small, storage(small) as opened:
        before = opened.space()
        assert before.total == 8 * 1024**2
        part = opened.create_part("p", "none")
        with pytest.raises(OSError) as full:
            part.write(bytes(9 * 1024**2))
        assert full.value.errno == errno.ENOSPC
        assert 0 < part.written < 9 * 1024**2, "what the kernel took counts"
        assert opened.space().free == 0
        part.close()
        opened.drop_part("p")
        assert opened.space().free == before.free


def test_no_inode_left_is_no_space_left(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "size=8m,nr_inodes=16") as small, storage(small) as opened:
        assert opened.space().free > 0
        made = 0
        with contextlib.suppress(OSError):
            while made < 20:
                opened.create_part(f"{made}", "none").close()
                made += 1
        assert 0 < made < 20
        assert opened.space().free == 0


# ---- parts that are gone on with ----


def parts_of(root: Path) -> Path:
    return root / ".station" / "parts"


def test_a_part_that_is_made_is_empty_private_and_there_after_a_power_cut(tmp_path: Path) -> None:
    disk = Disk(tmp_path, ["personal"], durable=True)
    try:
        disk.make_part("p")
        assert disk.points.passed == ["make", "folder"]
        assert (parts_of(tmp_path) / "p").read_bytes() == b""
        assert mode(parts_of(tmp_path) / "p") == 0o600
        with pytest.raises(FileExistsError):
            disk.make_part("p")
    finally:
        disk.close()


@pytest.mark.parametrize("offset", [0, 3, 5])
def test_a_part_goes_on_at_its_offset_whatever_follows_there(tmp_path: Path, offset: int) -> None:
    with storage(tmp_path) as opened:
        write_part(opened)
        part = opened.reopen_part("p", offset, Digests(["sha1"]))
        assert (parts_of(tmp_path) / "p").read_bytes() == b"hello"[:offset], "cut before anything is written"
        assert (part.written, part.synced) == (offset, offset)
        part.read_through()
        part.write(b" there")
        part.finish()
        whole = b"hello"[:offset] + b" there"
        assert (parts_of(tmp_path) / "p").read_bytes() == whole
        assert part.digests.values() == {"sha1": hashlib.sha1(whole).digest()}


@pytest.mark.parametrize("name", ["p", "gone"])
def test_a_part_that_holds_less_is_lost_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    with storage(tmp_path) as opened:
        write_part(opened)
        with pytest.raises(PartLost):
            opened.reopen_part(name, 6, Digests())
        assert list(opened.parts()) == ["p"]
        assert (parts_of(tmp_path) / "p").read_bytes() == b"hello"


def test_a_part_is_not_gone_on_with_through_a_link(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        (tmp_path / "victim").write_bytes(b"old and longer")
        (parts_of(tmp_path) / "p").symlink_to(tmp_path / "victim")
        write_part(opened, "q")
        with pytest.raises(OSError):
            opened.reopen_part("p", 3, Digests())
        with pytest.raises(OSError):
            opened.copy_part("p", 0, "q", 5, 3)
        with pytest.raises(OSError):
            opened.copy_part("q", 0, "p", 0, 3)
        assert (tmp_path / "victim").read_bytes() == b"old and longer"


@given(
    st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=6),
    st.integers(1, 20),
)
def test_parts_are_copied_one_behind_the_other(pieces: list[bytes], step: int) -> None:
    with tempfile.TemporaryDirectory() as folder, storage(Path(folder), durable=False) as opened:
        opened.make_part("whole")
        position = 0
        for number, piece in enumerate(pieces):
            write_part(opened, f"{number}", piece)
            for at in range(0, len(piece), step):
                count = min(step, len(piece) - at)
                opened.copy_part(f"{number}", at, "whole", position, count)
                position += count
        assert (parts_of(Path(folder)) / "whole").read_bytes() == b"".join(pieces)


def test_copying_again_after_a_crash_gives_the_same(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        write_part(opened, "a", b"hello ")
        write_part(opened, "b", b"world")
        opened.make_part("whole")
        for _ in range(2):
            opened.copy_part("a", 0, "whole", 0, 6)
            opened.copy_part("b", 0, "whole", 6, 5)
        assert (parts_of(tmp_path) / "whole").read_bytes() == b"hello world"


def test_a_partial_that_is_too_short_is_lost(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        write_part(opened, "a", b"hello")
        opened.make_part("whole")
        with pytest.raises(PartLost):
            opened.copy_part("a", 0, "whole", 0, 6)


@pytest.mark.parametrize(("offset", "head"), [(0, b""), (3, b"hel"), (5, b"hell")])
def test_a_part_is_fitted_to_its_offset_and_shows_its_first_bytes(tmp_path: Path, offset: int, head: bytes) -> None:
    with storage(tmp_path) as opened:
        write_part(opened)
        for _ in range(2):
            assert opened.fit_part("p", offset, 4) == head
            assert (parts_of(tmp_path) / "p").read_bytes() == b"hello"[:offset]


def test_a_part_that_does_not_reach_its_offset_fits_not(tmp_path: Path) -> None:
    with storage(tmp_path) as opened:
        write_part(opened)
        assert opened.fit_part("p", 6, 4) is None
        assert opened.fit_part("gone", 0, 4) is None
        assert (parts_of(tmp_path) / "p").read_bytes() == b"hello"
