"""What is kept between two runs, for whom, and for how long."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from client.memory import Memory, Remembered, state_folder
from client.source import Source

ENTRY = Remembered("/home/me/a.mp4", 5, 7, "file-id", "/files/x")
SESSION = "550e8400-e29b-41d4-a716-446655440000"


def test_what_is_kept_is_found_again_in_its_session_only(tmp_path: Path) -> None:
    Memory(tmp_path / "state", SESSION).keep(ENTRY)
    assert Memory(tmp_path / "state", SESSION).entries() == {ENTRY.path: ENTRY}
    assert Memory(tmp_path / "state", "another").entries() == {}


def test_a_newer_word_takes_the_olders_place(tmp_path: Path) -> None:
    memory = Memory(tmp_path, SESSION)
    memory.keep(ENTRY)
    done = Remembered(ENTRY.path, 5, 7, "file-id", "/files/x", done=True)
    memory.keep(done)
    assert memory.entries() == {ENTRY.path: done}


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    entry = Remembered(os.fsdecode("/home/中/é".encode() + b"\xff"), 1, 2, "id")
    Memory(tmp_path, SESSION).keep(entry)
    assert Memory(tmp_path, SESSION).entries() == {entry.path: entry}


def test_only_the_owner_may_look_and_no_name_opens_a_session(tmp_path: Path) -> None:
    state = tmp_path / "state" / "upload-station"
    Memory(state, SESSION).keep(ENTRY)
    made = [state, *state.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700, 0o600}
    assert not any(SESSION in str(path) or "a.mp4" in str(path) for path in made)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"path": 5}', '{"path":"中","size":1,"changed":1,"file_id":"","upload":"","done":false}'],
)
def test_what_somebody_spoilt_is_forgotten(tmp_path: Path, text: str) -> None:
    memory = Memory(tmp_path, SESSION)
    memory.keep(ENTRY)
    (file,) = tmp_path.rglob("*.json")
    file.write_text(text)
    assert memory.entries() == {}
    file.write_text('{"path":"/a","size":"5","changed":1,"file_id":"","upload":"","done":false}')
    assert memory.entries() == {}


def test_a_folder_that_cannot_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    memory = Memory(tmp_path / "state" / "upload-station", SESSION)
    memory.keep(ENTRY)
    assert memory.entries() == {}


def test_old_sessions_are_forgotten(tmp_path: Path) -> None:
    Memory(tmp_path, "old").keep(ENTRY)
    (old,) = tmp_path.iterdir()
    os.utime(old, (1_000_000, 1_000_000))
    Memory(tmp_path, "new").keep(ENTRY)
    assert not old.exists()
    assert Memory(tmp_path, "new").entries()


def test_it_lies_where_state_belongs() -> None:
    assert state_folder({"XDG_STATE_HOME": "/x"}) == Path("/x/upload-station")
    assert state_folder({"XDG_STATE_HOME": "relative"}) == Path.home() / ".local/state/upload-station"
    assert state_folder({}) == Path.home() / ".local/state/upload-station"


def test_an_entry_is_of_a_file_that_is_still_the_same() -> None:
    assert ENTRY.is_of(Source(ENTRY.path, "a.mp4", 5, 7))
    assert not ENTRY.is_of(Source(ENTRY.path, "a.mp4", 5, 8))
    assert not ENTRY.is_of(Source(ENTRY.path, "a.mp4", 6, 7))
