"""The error table against the contract's, and what is told of a problem."""

from __future__ import annotations

import re

import pytest

from station.errors import ERRORS, Problem, Refused, Row

# Section 3 of the contract, line by line: codes, HTTP status, whether a retry helps.
CONTRACT = """
UPLOAD_FAILED 500 yes
FILE_SIZE_EXCEEDED 413 no
UNSUPPORTED_FORMAT 415 no
NETWORK_ERROR 408 yes
SERVER_ERROR 500 yes
INSUFFICIENT_STORAGE 507 yes
CHECKSUM_MISMATCH 422 yes
REJECTED 422 no
VALIDATION_ERROR 400 no
NO_FILES 400 no
TOO_MANY_FILES 400 no
SESSION_NOT_FOUND 404 no
FILE_NOT_FOUND 404 no
SESSION_CLOSED 409 no
UPLOAD_ALREADY_COMPLETED 409 no
UPLOAD_CANCELLED 409 no
NOT_RESUMABLE 409 no
OFFSET_MISMATCH 409 yes
UPLOAD_LOCKED 423 yes
RATE_LIMIT_EXCEEDED 429 yes
TOO_MANY_CONNECTIONS 503 yes
UNAUTHORIZED 401 no
FORBIDDEN_ORIGIN 403 no
FORBIDDEN_HOST 421 no
"""
# What the resumable protocols need besides.
RESUMABLE = """
LENGTH_MISMATCH 400 no
UPLOAD_GONE 410 no
NOT_APPENDABLE 403 no
UNSUPPORTED_VERSION 412 no
UNSUPPORTED_MEDIA_TYPE 415 no
"""
# What any HTTP server answers besides.
PLAIN = """
REQUEST_TIMEOUT 408 yes
REQUEST_TOO_LARGE 413 no
NOT_FOUND 404 no
METHOD_NOT_ALLOWED 405 no
"""
PAGES = """
PIN_REQUIRED 401 no
PIN_WRONG 401 no
CODE_UNKNOWN 404 no
TOO_MANY_TRIES 429 yes
"""
LINES = [line.split() for line in (CONTRACT + RESUMABLE + PLAIN + PAGES).split("\n") if line]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_the_table_has_the_codes_of_the_contract_and_no_others() -> None:
    assert sorted(ERRORS) == sorted(code for code, _, _ in LINES)


@pytest.mark.parametrize(("code", "status", "retry"), LINES)
def test_a_row_says_what_the_contract_says(code: str, status: str, retry: str) -> None:
    row = ERRORS[code]
    assert (row.code, row.status, row.retry) == (code, int(status), retry == "yes")


@pytest.mark.parametrize("row", ERRORS.values(), ids=list(ERRORS))
def test_a_row_speaks_both_languages(row: Row) -> None:
    for language in ("zh", "zh-CN"):
        assert CHINESE.search(row.message(language))
        assert CHINESE.search(row.solution(language))
    english = row.message("en") + row.solution("en")
    assert row.message("en")
    assert row.solution("en")
    assert not CHINESE.search(english)
    assert english.isascii()


def test_no_two_codes_say_the_same() -> None:
    for language in ("zh-CN", "en"):
        assert len({row.message(language) for row in ERRORS.values()}) == len(ERRORS)


@pytest.mark.parametrize("row", ERRORS.values(), ids=list(ERRORS))
@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("contact", ["", "Ms Li, desk 2 {at the door}"])
def test_advice_names_who_to_ask(row: Row, language: str, contact: str) -> None:
    asks = any("{contact}" in words[1] for words in (row.zh, row.en))
    advice = row.solution(language, contact)
    assert "{contact}" not in advice
    if contact:
        assert (contact in advice) == asks


def test_both_languages_name_the_contact_in_the_same_rows() -> None:
    assert [row.code for row in ERRORS.values() if ("{contact}" in row.zh[1]) != ("{contact}" in row.en[1])] == []


def test_a_pushed_error_has_details_only_if_there_are_any() -> None:
    assert Problem("NO_FILES").pushed("en") == {"code": "NO_FILES", "message": "No file was sent."}
    assert Problem("NO_FILES", "none at all").pushed("zh-CN") == {
        "code": "NO_FILES",
        "message": "没有选择文件",
        "details": "none at all",
    }


def test_an_http_error_has_all_its_fields() -> None:
    assert Problem("REJECTED").answered("en", "Ms Li", "2024-01-15T10:28:30.000Z", "r-1") == {
        "error": "REJECTED",
        "message": "The file was refused by a check.",
        "details": None,
        "solution": "Ask Ms Li why.",
        "timestamp": "2024-01-15T10:28:30.000Z",
        "requestId": "r-1",
    }


def test_a_refusal_carries_its_problem() -> None:
    refused = Refused("TOO_MANY_CONNECTIONS", "full", retry_after=30)
    assert refused.problem == Problem("TOO_MANY_CONNECTIONS", "full", 30)
    assert str(refused) == "TOO_MANY_CONNECTIONS"


def test_an_unknown_code_has_no_row() -> None:
    with pytest.raises(KeyError):
        _ = Problem("NO_SUCH_CODE").row
