"""Short codes: single use, ten minutes, one a session, never two alike; and what people type for them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.codes import FRESH, LIFE, LOST, MOST, Codes, digits_of


def counting(*numbers: int) -> Callable[[int], int]:
    """Draws these, then the last one for ever."""
    left = list(numbers)
    return lambda below: left.pop(0) if len(left) > 1 else left[0]


def test_a_code_is_six_digits_and_leads_to_its_session_once() -> None:
    codes = Codes(secrets.randbelow)
    text = codes.keep("s", 0.0).text
    assert re.fullmatch(r"[0-9]{6}", text)
    assert codes.redeem(text, 1.0) == "s"
    assert codes.redeem(text, 1.0) is None
    assert len(codes) == 0


def test_small_numbers_are_six_digits_too() -> None:
    assert Codes(counting(7)).keep("s", 0.0).text == "000007"


def test_an_unused_code_stays_as_long_as_there_is_time_to_type_it() -> None:
    codes = Codes(counting(1, 2))
    assert codes.keep("s", 0.0).text == "000001"
    assert codes.keep("s", LIFE - FRESH).text == "000001"
    renewed = codes.keep("s", LIFE - FRESH + 0.1)
    assert (renewed.text, renewed.ends_at) == ("000002", LIFE - FRESH + 0.1 + LIFE)
    assert codes.redeem("000001", LIFE - FRESH + 0.2) is None, "the old one died with that"
    assert len(codes) == 1


def test_a_used_code_is_followed_by_another() -> None:
    codes = Codes(counting(1, 2))
    assert codes.redeem(codes.keep("s", 0.0).text, 1.0) == "s"
    assert codes.keep("s", 2.0).text == "000002"


def test_a_code_ends_after_ten_minutes() -> None:
    codes = Codes(counting(1))
    codes.keep("s", 0.0)
    assert codes.redeem("000001", LIFE) is None
    codes.keep("s", 0.0)
    assert codes.redeem("000001", LIFE - 0.1) == "s"


def test_no_two_living_codes_are_alike() -> None:
    codes = Codes(counting(999_999))
    assert [codes.keep(name, 0.0).text for name in "abc"] == ["999999", "000000", "000001"]
    assert [codes.redeem(text, 0.0) for text in ("000000", "000001", "999999")] == ["b", "c", "a"]


def test_the_code_of_a_forgotten_session_is_unknown() -> None:
    codes = Codes(counting(1))
    codes.keep("s", 0.0)
    codes.forget("s")
    codes.forget("s")
    assert codes.redeem("000001", 0.0) is None


def test_what_has_ended_makes_room_first_and_the_oldest_after_that() -> None:
    codes = Codes(counting(*range(MOST + 2)))
    codes.keep("ended", 0.0)
    for number in range(1, MOST):
        codes.keep(f"s{number}", LIFE)
    assert len(codes) == MOST - 1, "the ended one went"
    codes.keep("last but one", LIFE)
    codes.keep("last", LIFE)
    assert len(codes) == MOST
    assert codes.redeem("000001", LIFE) is None, "the oldest made room"
    assert codes.redeem("000002", LIFE) == "s2"


@pytest.mark.parametrize(
    "typed",
    ["123456", "123 456", " 12-34-56\n", "１２３４５６", "123\u2013456", "123\u3000456", "١٢٣٤٥٦", "123\u200b456"],
)
def test_people_may_type_it_as_they_like(typed: str) -> None:
    assert digits_of(typed) == "123456"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "一二三四五六", "12345²", "123456" + " " * 99])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert digits_of(typed) is None


@given(st.text())
def test_whatever_is_typed_is_six_plain_digits_or_nothing(typed: str) -> None:
    digits = digits_of(typed)
    assert digits is None or re.fullmatch(r"[0-9]{6}", digits)


@given(st.lists(st.tuples(st.sampled_from(["keep", "redeem", "forget"]), st.integers(0, 5), st.floats(0, 400))))
def test_whatever_happens_each_session_has_one_code_and_each_code_one_session(
    steps: list[tuple[str, int, float]],
) -> None:
    codes, now = Codes(secrets.randbelow), 0.0
    shown: dict[str, str] = {}
    for verb, number, passed in steps:
        now += passed
        session = f"s{number}"
        if verb == "keep":
            code = codes.keep(session, now)
            assert code.ends_at - now >= FRESH
            assert all(text != code.text for other, text in shown.items() if other != session)
            shown[session] = code.text
        elif verb == "redeem" and session in shown:
            assert codes.redeem(shown.pop(session), now) in {session, None}
        else:
            codes.forget(session)
            shown.pop(session, None)
    assert len(codes) >= len([s for s, text in shown.items() if codes.redeem(text, now) == s])


def test_whose_answer_got_lost_may_use_the_code_again_and_nobody_else() -> None:
    codes = Codes(counting(1, 2))
    text = codes.keep("s", 0.0).text
    assert codes.redeem(text, 1.0, "one phone") == "s"
    assert codes.keep("s", 2.0).text != text, "the screen shows another one"
    assert codes.redeem(text, 3.0, "another") is None
    assert codes.redeem(text, LOST, "one phone") == "s"
    assert codes.redeem(text, 1.0 + LOST, "one phone") is None
    assert codes.redeem(codes.keep("s", 70.0).text, 70.0, "one phone") == "s"
    codes.forget("s")
    assert codes.redeem("000002", 71.0, "one phone") is None, "the session is over"
