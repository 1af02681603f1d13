"""One file as it is drawn, and the sentences that progress messages carry."""

from __future__ import annotations

import re

import pytest

from station.file import Status
from station.portrait import SENTENCES, FilePicture

PLAIN = {
    "id": "f",
    "originalName": "照片.jpg",
    "status": "pending",
    "progress": 0.0,
    "uploadedBytes": 0,
    "totalBytes": None,
    "uploadSpeed": 0,
    "retryCount": 0,
}


def test_a_new_file_is_drawn_with_the_fields_of_the_contract() -> None:
    assert FilePicture("f", "照片.jpg").drawn() == PLAIN


@pytest.mark.parametrize(
    ("uploaded", "total", "estimated", "progress"),
    [
        (25, 200, False, 12.5),
        (200, 200, False, 100.0),
        (200, 200, True, 99.0),
        (25, None, False, 0.0),
        (0, 200, False, 0.0),
        (0, 0, False, 0.0),  # an empty file that was refused is not all there
        (1, 3, False, 33.33),
    ],
)
def test_the_bytes_say_how_far_a_file_is(uploaded: int, total: int | None, estimated: bool, progress: float) -> None:
    assert FilePicture("f", "a.jpg", total, estimated, uploaded=uploaded).known_progress == progress


def test_what_is_known_of_a_retry_is_drawn_of_a_failed_file() -> None:
    picture = FilePicture("f", "照片.jpg", status="failed", can_retry=False)
    assert picture.drawn() == {**PLAIN, "status": "failed", "canRetry": False}
    picture.can_retry, picture.retry_until = True, "2024-01-15T10:28:30.000Z"
    assert picture.drawn()["retryUntil"] == "2024-01-15T10:28:30.000Z"


def test_path_error_and_estimate_are_drawn_only_where_they_are() -> None:
    picture = FilePicture("f", "照片.jpg", estimated=True, path="/upload/personal/x", error={"code": "REJECTED"})
    assert picture.drawn() == {
        **PLAIN,
        "estimated": True,
        "uploadPath": "/upload/personal/x",
        "error": {"code": "REJECTED"},
    }


def test_the_current_file_is_drawn_with_the_fields_of_the_contract() -> None:
    picture = FilePicture("f", "a.jpg", 100, status="uploading", progress=12.5, uploaded=12, speed=7, remaining=3)
    assert picture.drawn_as_current() == {
        "id": "f",
        "originalName": "a.jpg",
        "progress": 12.5,
        "status": "uploading",
        "uploadSpeed": 7,
        "estimatedTimeRemaining": 3,
    }


def test_there_is_a_sentence_for_each_status_in_both_languages() -> None:
    assert list(SENTENCES) == list(Status)
    for chinese, english in SENTENCES.values():
        assert re.search("[\u4e00-\u9fff]", chinese)
        assert english.isascii()


@pytest.mark.parametrize("status", SENTENCES)
def test_both_sentences_count_the_same(status: str) -> None:
    chinese, english = (set(re.findall(r"\{\w+\}", words)) for words in SENTENCES[status])
    assert chinese == english <= {"{done}", "{all}"}
