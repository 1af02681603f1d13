"""What the fates of single files make of a run."""

from __future__ import annotations

from client.account import FAILED, STORED, UNREACHABLE, Account
from client.carrying import Parcel
from client.faults import Broken, Refusal, Unfit
from client.picture import Picture
from client.source import Source
from client.words import Words


def account(*done: bool) -> Account:
    made = Account(Picture())
    made.parcels = [Parcel(Source(f"/{n}", str(n), 5, 0), f"id-{n}", done=each) for n, each in enumerate(done)]
    return made


def test_all_stored_is_nought() -> None:
    assert account(True, True).status() == STORED
    assert not account(True).has_open_ends


def test_nothing_sent_is_no_success() -> None:
    assert account().status() == FAILED


def test_one_that_failed_makes_the_run_fail() -> None:
    one = account(True, False)
    one.faults["/1"] = Refusal("REJECTED")
    assert one.status() == FAILED
    assert one.undecided() == []
    assert not one.has_open_ends, "what was refused is not gone on with"


def test_a_file_that_was_never_announced_counts() -> None:
    one = account(True)
    one.faults["/pipe"] = Unfit("not_regular")
    assert one.status() == FAILED
    assert one.summary("s", "", 1, str)["files"][-1] == {
        "path": "/pipe",
        "status": "failed",
        "error": {"code": "FILE_UNREADABLE", "message": "not_regular"},
    }


def test_a_station_that_cannot_be_reached_is_told_apart_from_one_that_has_no_room() -> None:
    one = account(True, False)
    one.gave_up = Broken("refused")
    assert (one.status(), one.undecided()) == (UNREACHABLE, ["/1"])
    one.gave_up = Refusal("INSUFFICIENT_STORAGE")
    assert (one.status(), one.has_open_ends) == (FAILED, True)


def test_the_summary_tells_of_each_file() -> None:
    one = account(True, False, False)
    one.faults["/1"] = Refusal("REJECTED", "No.", "a virus")
    summary = one.summary("s", "http://x/s/s", 1, Words("en").message)
    assert [file["status"] for file in summary["files"]] == ["completed", "failed", "unfinished"]
    assert summary["files"][1]["error"] == {"code": "REJECTED", "message": "No.", "details": "a virus"}
    assert (summary["completed"], summary["failed"], summary["link"]) == (1, 1, "http://x/s/s")
