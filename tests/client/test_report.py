"""What a run tells, for people and for programs."""

from __future__ import annotations

import json

import pytest

from client.carrying import Parcel
from client.picture import Told
from client.report import Report
from client.source import Source
from client.words import Words

PARCEL = Parcel(Source("/home/me/a\x1b[2J.mp4", "a\x1b[2J.mp4", 2048, 0))


def report(*, as_json: bool = False, quiet: bool = False) -> Report:
    return Report(Words("en"), as_json=as_json, quiet=quiet, total=2048)


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    told = report()
    told.opened("http://x/s/1", "1")
    told.goes_on(PARCEL, 1024)
    told.stored(PARCEL, Told(path="/upload/a\x1b.mp4"))
    told.was_stored(PARCEL)
    told.summary({"completed": 1, "files": [1]})
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "Session: http://x/s/1",
        "a�[2J.mp4: going on from 1.0 KiB",
        "a�[2J.mp4: stored (2.0 KiB) as /upload/a�.mp4",
        "a�[2J.mp4: was stored before",
        "1 of 1 files stored",
    ]
    assert err == ""


def test_for_programs_there_is_nothing_but_json_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    told = report(as_json=True)
    told.opened("http://x/s/1", "1")
    told.message({"event": "upload-started", "seq": 1, "data": {"fileName": "a\nb"}})
    told.stored(PARCEL, Told())
    told.failed("/a.mp4", "No.")
    told.summary({"completed": 0, "files": []})
    out, err = capsys.readouterr()
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["session-opened", "upload-started", "summary"]
    assert err == "/a.mp4: failed. No.\n"


def test_quiet_tells_only_what_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    told = report(quiet=True)
    told.opened("http://x/s/1", "1")
    told.waits(PARCEL, "later")
    told.failed("/a.mp4", "No.")
    assert capsys.readouterr() == ("", "/a.mp4: failed. No.\n")


def test_a_wait_is_told_once_until_it_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    told = report()
    for _ in range(3):
        told.waits(PARCEL, "cut")
    told.goes_on(PARCEL, 1)
    told.waits(PARCEL, "cut")
    assert capsys.readouterr().err.count("waiting to try again. cut") == 2
