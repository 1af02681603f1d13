"""One part file: counts, checksums, syncs, and what a fault does to it, on real files."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from station.digest import Digests, storage_digests
from station.partfile import SYNC_EVERY, PartFile, PartLost, SyncFailed

REPOSITORY = Path(__file__).resolve().parents[2]
MIB = 1024**2


def open_part(path: Path, algorithm: str = "blake3", *, durable: bool = True) -> PartFile:
    digests = storage_digests(algorithm)
    return PartFile(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), digests, durable=durable)


class Syncs:
    """Counts syncs in place of the system, and makes one of them fail."""

    def __init__(self, patch: pytest.MonkeyPatch, *, failing: int = 0) -> None:
        self.made: list[str] = []
        self._failing = failing
        patch.setattr(os, "fdatasync", self._counted("fdatasync", os.fdatasync))
        patch.setattr(os, "fsync", self._counted("fsync", os.fsync))

    def _counted(self, name: str, real: Callable[[int], None]) -> Callable[[int], None]:
        def sync(fd: int) -> None:
            self.made.append(name)
            if len(self.made) == self._failing:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            real(fd)

        return sync


@given(st.lists(st.binary(max_size=300), max_size=20), st.sampled_from(["blake3", "sha256"]))
def test_the_file_is_what_was_written_and_the_checksum_is_of_the_whole(blocks: list[bytes], algorithm: str) -> None:
    whole = b"".join(blocks)
    reader = os.memfd_create("part")
    part = PartFile(os.dup(reader), storage_digests(algorithm), durable=True)
    for block in blocks:
        part.write(bytearray(block))
    assert part.written == len(whole)
    reference = blake3(whole) if algorithm == "blake3" else hashlib.sha256(whole)
    part.finish()
    assert part.digests.checksum(algorithm) == {"algorithm": algorithm, "value": reference.hexdigest()}
    assert os.pread(reader, len(whole) + 1, 0) == whole
    os.close(reader)


def test_no_checksum_if_none_is_wanted(tmp_path: Path) -> None:
    part = open_part(tmp_path / "p", "none")
    part.write(b"hello")
    part.finish()
    assert part.digests.checksum("none") is None
    assert (tmp_path / "p").read_bytes() == b"hello"


def test_an_empty_file_has_a_checksum_too(tmp_path: Path) -> None:
    part = open_part(tmp_path / "p")
    part.finish()
    assert part.digests.values() == {"blake3": blake3(b"").digest()}
    assert (tmp_path / "p").read_bytes() == b""


def test_it_is_synced_every_sixteen_mebibytes_and_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = Syncs(monkeypatch)
    part = open_part(tmp_path / "p", "none")
    block = bytes(MIB)
    seen = []
    for _ in range(36):
        part.write(block)
        seen.append(len(syncs.made))
    assert SYNC_EVERY == 16 * MIB
    assert seen == [0] * 15 + [1] * 16 + [2] * 5
    part.finish()
    assert syncs.made == ["fdatasync", "fdatasync", "fsync"]


def test_without_durability_nothing_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = Syncs(monkeypatch)
    part = open_part(tmp_path / "p", "none", durable=False)
    for _ in range(17):
        part.write(bytes(MIB))
    part.finish()
    assert syncs.made == []


def test_after_a_failed_sync_in_the_middle_the_error_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = Syncs(monkeypatch, failing=1)
    part = open_part(tmp_path / "p", "none")
    with pytest.raises(OSError, match="Input/output error"):
        part.write(bytes(SYNC_EVERY))
    part.close()
    assert syncs.made == ["fdatasync"]


def test_a_failed_last_sync_closes_the_file_and_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = Syncs(monkeypatch, failing=1)
    part = open_part(tmp_path / "p")
    part.write(b"hello")
    with pytest.raises(OSError, match="Input/output error"):
        part.finish()
    part.close()
    assert syncs.made == ["fsync"]


def test_closing_twice_is_no_fault_and_touches_no_other_file(tmp_path: Path) -> None:
    part = open_part(tmp_path / "p")
    part.close()
    other = os.open(tmp_path / "other", os.O_WRONLY | os.O_CREAT)
    part.close()
    os.write(other, b"still open")
    os.close(other)


SHORT = """
import os, resource, sys
from station.digest import Digests
from station.partfile import PartFile
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
part = PartFile(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), Digests(), durable=True)
part.write(bytes(60_000))
try:
    part.write(bytes(60_000))
except OSError as error:
    print(error.errno, part.written)
"""


def test_a_short_write_is_gone_on_with_and_counted_until_the_error(tmp_path: Path) -> None:
    """A limit on the size of files gives a short write first, and the error only at the next one."""
    done = subprocess.run(
        [sys.executable, "-c", SHORT, str(tmp_path / "p")], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(errno.EFBIG), "100000"]
    assert (tmp_path / "p").stat().st_size == 100_000


# ---- parts that are gone on with ----


def reopen(path: Path, at: int, *algorithms: str, durable: bool = True) -> PartFile:
    fd = os.open(path, os.O_RDWR)
    os.lseek(fd, at, os.SEEK_SET)
    return PartFile(fd, Digests(algorithms), durable=durable, at=at)


def test_it_goes_on_where_it_stands_and_all_before_is_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p").write_bytes(b"hello")
    syncs = Syncs(monkeypatch)
    part = reopen(tmp_path / "p", 5)
    assert (part.written, part.synced) == (5, 5)
    part.sync()
    assert syncs.made == [], "nothing is unsafe"
    part.write(b" world")
    assert (part.written, part.synced) == (11, 5)
    part.sync()
    part.sync()
    assert (part.written, part.synced, syncs.made) == (11, 11, ["fdatasync"])
    part.close()
    assert (tmp_path / "p").read_bytes() == b"hello world"


def test_the_next_sync_by_itself_is_counted_from_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = Syncs(monkeypatch)
    part = open_part(tmp_path / "p", "none")
    part.write(bytes(15 * MIB))
    part.sync()
    part.write(bytes(15 * MIB))
    assert (syncs.made, part.synced) == (["fdatasync"], 15 * MIB)
    part.write(bytes(MIB))
    assert (syncs.made, part.synced) == (["fdatasync"] * 2, 31 * MIB)
    part.close()


def test_a_write_may_ask_for_a_sync_also_without_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = Syncs(monkeypatch)
    part = open_part(tmp_path / "p", "none")
    part.write(b"hello", sync=True)
    assert (part.synced, syncs.made) == (5, ["fdatasync"])
    part.write(b" world")
    part.write(b"", sync=True)
    assert (part.synced, syncs.made) == (11, ["fdatasync"] * 2)
    part.write(b"", sync=True)
    assert syncs.made == ["fdatasync"] * 2
    part.close()


def test_without_durability_what_is_written_counts_as_safe_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = Syncs(monkeypatch)
    part = open_part(tmp_path / "p", "none", durable=False)
    part.write(bytes(17 * MIB))
    assert part.synced == 0
    part.sync()
    assert (part.synced, syncs.made) == (17 * MIB, [])
    part.close()


@pytest.mark.parametrize("how", ["write", "sync", "finish"])
def test_a_sync_that_failed_is_told_apart_and_makes_nothing_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    syncs = Syncs(monkeypatch, failing=1)
    part = open_part(tmp_path / "p", "none")
    part.write(b"hello")
    with pytest.raises(SyncFailed) as failed:
        part.write(b"!", sync=True) if how == "write" else part.sync() if how == "sync" else part.finish()
    assert (failed.value.errno, part.synced, len(syncs.made)) == (errno.EIO, 0, 1)
    part.close()
    assert len(syncs.made) == 1, "giving it up syncs nothing"


def test_a_sync_of_the_whole_makes_the_file_itself_safe_though_all_bytes_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = Syncs(monkeypatch)
    part = open_part(tmp_path / "p", "none")
    part.write(b"hello", sync=True)
    part.finish()
    assert syncs.made == ["fdatasync", "fsync"]


def test_the_digests_of_the_content_are_only_of_what_comes(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"hello")
    part = reopen(tmp_path / "p", 5, "sha1")
    part.read_through()
    part.content = Digests(["sha1"])
    part.write(bytearray(b" world"))
    assert part.content.values() == {"sha1": hashlib.sha1(b" world").digest()}
    assert part.digests.values() == {"sha1": hashlib.sha1(b"hello world").digest()}
    part.close()


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, 2 * MIB + 5])
def test_reading_through_digests_exactly_what_counts_as_written(tmp_path: Path, size: int) -> None:
    data = bytes(index % 251 for index in range(256)) * (size // 256 + 1)
    (tmp_path / "p").write_bytes(data[:size] + b"not recorded")
    part = reopen(tmp_path / "p", size, "sha1")
    part.read_through()
    assert part.digests.values() == {"sha1": hashlib.sha1(data[:size]).digest()}
    part.write(b"next")
    part.close()
    assert (tmp_path / "p").read_bytes()[: size + 4] == data[:size] + b"next", "the place to write at did not move"


def test_a_part_that_ends_too_early_is_lost(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(bytes(MIB + 5))
    part = reopen(tmp_path / "p", MIB + 6, "sha1")
    with pytest.raises(PartLost):
        part.read_through()
    part.close()


def test_cutting_drops_what_follows_and_counts_it_no_more(tmp_path: Path) -> None:
    part = open_part(tmp_path / "p", "none")
    part.write(b"hello world", sync=True)
    part.write(b"!")
    part.cut(5)
    assert (part.written, part.synced) == (5, 5)
    part.close()
    assert (tmp_path / "p").read_bytes() == b"hello"


def test_the_first_bytes_are_at_most_those_asked_for(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"hello")
    part = reopen(tmp_path / "p", 5)
    assert [part.head(0), part.head(3), part.head(9)] == [b"", b"hel", b"hello"]
    part.close()
