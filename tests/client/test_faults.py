"""What a refusal says, and whether waiting may help."""

from __future__ import annotations

import pytest

from client.faults import Refusal


def test_the_stations_words_are_kept() -> None:
    body = {"error": "FILE_SIZE_EXCEEDED", "message": "Too large.", "details": "at most 5", "solution": "Cut it."}
    refusal = Refusal.answered(413, body, "")
    assert (refusal.code, str(refusal)) == ("FILE_SIZE_EXCEEDED", "Too large. at most 5 Cut it.")


@pytest.mark.parametrize("body", [{}, {"error": 5, "message": None}, {"error": ""}])
def test_an_answer_without_words_has_a_code_by_its_status(body: dict[str, object]) -> None:
    refusal = Refusal.answered(507, body, "")
    assert (refusal.code, str(refusal)) == ("INSUFFICIENT_STORAGE", "HTTP 507")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), (" 7 ", 7.0), ("", None), ("-1", None), ("Fri", None), ("9" * 9, None), ("٣", None)],
)
def test_only_a_sensible_wait_is_advice(text: str, seconds: float | None) -> None:
    assert Refusal.answered(503, {}, text).retry_after == seconds


@pytest.mark.parametrize(
    ("status", "passes"),
    [(408, True), (423, True), (429, True), (500, True), (507, True), (409, False), (413, False), (401, False)],
)
def test_some_refusals_pass(status: int, passes: bool) -> None:
    assert Refusal.answered(status, {}, "").passes is passes


def test_an_answer_without_words_takes_those_that_were_told() -> None:
    told = Refusal.told({"code": "SERVER_ERROR", "message": "A fault.", "details": "no checker"})
    mute = Refusal.answered(500, {}, "7")
    mute.heard(told)
    assert (str(mute), mute.status, mute.retry_after) == ("A fault. no checker", 500, 7)


@pytest.mark.parametrize("told", [None, Refusal.told({"code": "REJECTED", "message": "A virus."})])
@pytest.mark.parametrize(("body", "words"), [({}, "HTTP 500"), ({"message": "Ours."}, "Ours.")])
def test_what_was_told_of_something_else_is_not_taken(told: Refusal | None, body: dict[str, str], words: str) -> None:
    refusal = Refusal.answered(500, body, "")
    refusal.heard(told)
    assert str(refusal) == words


def test_words_of_its_own_are_kept() -> None:
    refusal = Refusal.answered(500, {"error": "SERVER_ERROR", "message": "Ours."}, "")
    refusal.heard(Refusal.told({"code": "SERVER_ERROR", "message": "Theirs."}))
    assert str(refusal) == "Ours."


@pytest.mark.parametrize("error", [None, "text", {"code": None}, {"code": 5, "details": ["x"]}])
def test_whatever_an_event_tells_is_taken(error: object) -> None:
    assert isinstance(str(Refusal.told(error)), str)
