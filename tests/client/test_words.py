"""The client's sentences."""

from __future__ import annotations

import string

import pytest

from client.faults import Broken, Hopeless, Refusal, Unfit
from client.words import SENTENCES, Words, language_of


def test_each_sentence_has_the_same_fields_in_both_languages() -> None:
    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert {key: fields(zh) for key, (zh, _) in SENTENCES.items()} == {
        key: fields(en) for key, (_, en) in SENTENCES.items()
    }


def test_a_name_is_no_format() -> None:
    assert Words("en")("before", name="{0.__class__}") == "{0.__class__}: was stored before"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_MESSAGES": "zh_TW", "LANG": "de_DE"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh"}, "zh"),
    ],
)
def test_the_language_is_the_systems(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


def test_each_fault_is_a_sentence() -> None:
    english, chinese = Words("en"), Words("zh")
    assert english.why(Unfit("unreadable", "Permission denied")) == "It cannot be read: Permission denied."
    assert chinese.why(Unfit("disappeared")) == "上传过程中文件不见了"
    assert english.why(Refusal("UPLOAD_CANCELLED", details="user")) == "It was cancelled (user)."
    assert english.why(Refusal("X", "No.", "at most 5", "Cut it.")) == "No. at most 5 Cut it."
    assert english.why(Broken("Connection refused")) == "Connection refused"


def test_of_long_details_people_get_the_beginning_and_what_to_do() -> None:
    long = Refusal("UNSUPPORTED_FORMAT", "No.", "allowed: " + ", ".join(["mp4"] * 160), "Convert it.")
    told = Words("en").why(long)
    assert told.startswith("No. allowed: mp4, mp4")
    assert told.endswith("… Convert it.")
    assert len(told) < 300
    assert Words("en").message(long) == "No."


@pytest.mark.parametrize("key", ["untrusted", "other_name", "out_of_date", "wants_https"])
def test_of_what_does_not_heal_it_is_said_why_and_what_to_do(key: str) -> None:
    for language in ("zh", "en"):
        assert "the reason" in Words(language).why(Hopeless(key, "the reason"))


def test_what_an_event_tells_is_told_in_the_language_asked_for() -> None:
    """A station pushes its own language to all."""
    told = Refusal.told({"code": "UNSUPPORTED_FORMAT", "message": "不支持这种文件格式", "details": ".png"})
    assert Words("en").why(told) == "This kind of file is not accepted. .png"
    assert Words("zh").why(told) == "不支持这种文件格式 .png"


def test_an_error_that_is_newer_than_the_client_is_told_in_the_stations_words() -> None:
    assert Words("en").why(Refusal.told({"code": "NEW", "message": "新", "details": "{0}"})) == "新 {0}"


def test_what_an_answer_says_is_kept_for_it_was_asked_for_in_that_language() -> None:
    refusal = Refusal.answered(413, {"error": "FILE_SIZE_EXCEEDED", "message": "More than we take."}, "")
    assert Words("en").why(refusal) == "More than we take."
