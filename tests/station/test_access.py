"""The PIN and its pass: which guess is right, what a pass is worth, and what voids it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.access import STALE, VALID, Access, normal

NOW = 1_700_000_000.0
PIN, SECRET = "1234", "a secret"


def test_without_a_pin_nobody_is_asked() -> None:
    for pin in ("", "  "):
        access = Access(pin, SECRET)
        assert not access.required
        assert access.admits("")
        assert access.admits("anything")


@pytest.mark.parametrize("guess", ["1234", " 1234\n", "１２３４", "1２3４　"])
def test_the_pin_is_recognised_however_the_keyboard_writes_it(guess: str) -> None:
    assert Access(PIN, SECRET).admits(guess)
    assert Access(guess, SECRET).admits(PIN)


@pytest.mark.parametrize(
    "guess", ["", " ", "123", "12345", "4321", "12 34", "1234\x00", "\ud800", "1" * 10**6, "1234" + " " * 300, "١٢٣٤"]
)
def test_any_other_guess_is_wrong(guess: str) -> None:
    assert not Access(PIN, SECRET).admits(guess)


def test_a_pin_may_be_words() -> None:
    access = Access("芝麻 开门", SECRET)
    assert access.admits("芝麻　开门")
    assert not access.admits("芝麻开门")


def test_a_long_token_is_recognised_and_nobody_finds_it_by_trying() -> None:
    token = "x" * 1000
    access = Access(token, SECRET)
    assert access.admits(token)
    assert not access.admits(token[:-1])
    assert access.is_beyond_guessing
    assert not Access(PIN, SECRET).is_beyond_guessing
    assert not Access(" " * 100, SECRET).is_beyond_guessing


@given(st.text(), st.text(min_size=1))
def test_only_the_pin_is_the_pin(guess: str, pin: str) -> None:
    access = Access(pin, SECRET)
    assert access.admits(pin) or len(pin) > 256 > len(normal(pin))
    if access.required and access.admits(guess):
        assert access.admits(f" {guess}") or len(guess) == 256
        assert not access.admits(f"{guess}x")


# ---- passes ----


def test_a_pass_is_good_for_thirty_days() -> None:
    access = Access(PIN, SECRET)
    text = access.pass_for(NOW)
    assert access.accepts(text, NOW)
    assert access.accepts(text, NOW + VALID)
    assert not access.accepts(text, NOW + VALID + 1)


def test_a_pass_may_be_good_for_a_shorter_time() -> None:
    text = Access(PIN, SECRET, valid=60.0).pass_for(NOW)
    assert Access(PIN, SECRET, valid=60.0).accepts(text, NOW + 60)
    assert not Access(PIN, SECRET, valid=60.0).accepts(text, NOW + 61)


def test_a_pass_outlives_the_run_but_not_the_pin_nor_the_secret() -> None:
    text = Access(PIN, SECRET).pass_for(NOW)
    assert Access(PIN, SECRET).accepts(text, NOW)
    assert Access("１２３４", SECRET).accepts(text, NOW)
    assert not Access("1235", SECRET).accepts(text, NOW)
    assert not Access(PIN, "another").accepts(text, NOW)
    assert not Access("", SECRET).accepts(text, NOW)


def test_a_pass_is_renewed_when_it_is_older_than_a_day() -> None:
    access = Access(PIN, SECRET)
    text = access.pass_for(NOW)
    assert access.renewed(text, NOW + STALE) is None
    renewed = access.renewed(text, NOW + STALE + 1)
    assert renewed is not None
    assert access.accepts(renewed, NOW + VALID + STALE)
    assert access.renewed("forged", NOW) is None


@pytest.mark.parametrize("longest", [10 * STALE, math.inf])
def test_a_pass_that_is_renewed_again_and_again_ends_if_that_is_asked_for(longest: float) -> None:
    access = Access(PIN, SECRET, 4 * STALE, longest)
    text = access.pass_for(NOW)
    for day in range(2, 11, 2):
        assert access.accepts(text, NOW + day * STALE)
        text = access.renewed(text, NOW + day * STALE) or ""
    assert access.accepts(text, NOW + 10 * STALE)
    assert access.accepts(text, NOW + 10 * STALE + 1) == (longest == math.inf)


def test_a_box_that_starts_in_the_past_knows_its_passes() -> None:
    access = Access(PIN, SECRET)
    text = access.pass_for(NOW)
    assert access.accepts(text, NOW - VALID)
    assert access.renewed(text, NOW - VALID) is not None
    assert not access.accepts(text, 0.0)


@given(st.floats(0, 4e9), st.data())
def test_a_pass_that_was_changed_anywhere_is_none(wall: float, data: st.DataObject) -> None:
    access = Access(PIN, SECRET)
    text = access.pass_for(wall)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters().filter(lambda character: character != text[at]))
    assert not access.accepts(text[:at] + other + text[at + 1 :], wall)
    assert not access.accepts(text[:at], wall)


digits = st.text(st.sampled_from("0123456789"), max_size=14)


@given(st.one_of(st.text(), st.tuples(digits, digits, st.text("0123456789abcdef", max_size=66)).map(".".join)))
def test_whatever_is_shown_it_is_no_pass(text: str) -> None:
    access = Access(PIN, SECRET)
    assert not access.accepts(text, NOW)
    assert access.renewed(text, NOW) is None
