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

from station.partfile import SYNC_EVERY, PartFile

REPOSITORY = Path(__file__).resolve().parents[2]
MIB = 1024**2


def open_part(path: Path, algorithm: str = "blake3", *, durable: bool = True) -> PartFile:
    return PartFile(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), algorithm, durable=durable)


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
    part = PartFile(os.dup(reader), algorithm, durable=True)
    for block in blocks:
        part.write(bytearray(block))
    assert part.written == len(whole)
    reference = blake3(whole) if algorithm == "blake3" else hashlib.sha256(whole)
    assert part.finish() == {"algorithm": algorithm, "value": reference.hexdigest()}
    assert os.pread(reader, len(whole) + 1, 0) == whole
    os.close(reader)


def test_no_checksum_if_none_is_wanted(tmp_path: Path) -> None:
    part = open_part(tmp_path / "p", "none")
    part.write(b"hello")
    assert part.finish() is None
    assert (tmp_path / "p").read_bytes() == b"hello"


def test_an_empty_file_has_a_checksum_too(tmp_path: Path) -> None:
    assert open_part(tmp_path / "p").finish() == {"algorithm": "blake3", "value": blake3(b"").hexdigest()}
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
from station.partfile import PartFile
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
part = PartFile(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), "none", durable=True)
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
