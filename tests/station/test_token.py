"""The operator's token and the signing secret: whose they are, where they lie, who may read them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from station.token import another_operator_secret, operator_secret, operator_token, signing_secret


def test_a_configured_token_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    assert operator_token("open sesame", tmp_path) == "open sesame"
    assert list(tmp_path.iterdir()) == []


def test_a_random_token_is_made_once_and_kept(tmp_path: Path) -> None:
    token = operator_token("", tmp_path)
    assert len(token) >= 32
    assert operator_token("", tmp_path) == token


def test_two_stations_have_different_tokens(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    assert operator_token("", folders[0]) != operator_token("", folders[1])


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    operator_token("", tmp_path)
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_a_token_that_the_operator_wrote_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("mine\n")
    assert operator_token("", tmp_path) == "mine"


@pytest.mark.parametrize("rest", ["", "\n", "  \n"])
def test_an_empty_token_file_opens_nothing(tmp_path: Path, rest: str) -> None:
    """A crash between creating and writing it leaves it empty; an empty token would let in whoever sends none."""
    (tmp_path / "token").write_text(rest)
    assert len(operator_token("", tmp_path)) >= 32


def test_a_token_made_anew_is_for_the_owner_only_again(tmp_path: Path) -> None:
    (tmp_path / "token").touch(mode=0o644)
    token = operator_token("", tmp_path)
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert operator_token("", tmp_path) == token


def test_the_secret_is_made_once_for_the_owner_only_and_is_not_the_token(tmp_path: Path) -> None:
    secret = signing_secret(tmp_path)
    assert len(secret) >= 43  # 32 random bytes
    assert signing_secret(tmp_path) == secret != operator_token("", tmp_path)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_an_empty_secret_signs_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")
    assert len(signing_secret(tmp_path)) >= 43


def test_the_operator_s_passes_are_signed_with_a_secret_of_their_own(tmp_path: Path) -> None:
    secret = operator_secret(tmp_path)
    assert operator_secret(tmp_path) == secret
    assert secret not in {signing_secret(tmp_path), operator_token("", tmp_path)}
    assert stat.S_IMODE((tmp_path / "operator-secret").stat().st_mode) == 0o600


def test_another_secret_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    old = operator_secret(tmp_path)
    new = another_operator_secret(tmp_path)
    assert old != new == operator_secret(tmp_path)
    assert stat.S_IMODE((tmp_path / "operator-secret").stat().st_mode) == 0o600


def test_a_full_disk_does_not_keep_the_old_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = operator_secret(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        new = another_operator_secret(tmp_path)
    assert len(new) >= 43
    assert old not in {new, operator_secret(tmp_path)}


def test_the_old_secret_is_gone_for_good_before_there_is_another_and_that_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For there may be no room for another, and then the power may fail."""
    operator_secret(tmp_path)
    synced: list[tuple[bool, list[int]]] = []

    def sync(fd: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(fd).st_mode), [path.stat().st_size for path in tmp_path.iterdir()]))

    monkeypatch.setattr(os, "fsync", sync)
    made = another_operator_secret(tmp_path)
    whole = [len(made) + 1]
    assert synced == [(True, []), (False, whole), (True, whole)]


def full(fd: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
