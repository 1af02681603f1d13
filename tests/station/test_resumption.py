"""The words that both protocols share: that they are values, that nothing is meant unless said, and who speaks them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from inspect import signature
from typing import Any

import pytest

from station.dialect import DIALECTS
from station.errors import Problem
from station.ietf import Draft
from station.resumption import (
    Answer,
    Append,
    Ask,
    Checks,
    Create,
    Describe,
    Kind,
    Language,
    Limits,
    Remove,
    Standing,
    Tell,
)
from station.tus import Tus

LIMITS = Limits(max_size=1000, age=60, algorithms=("sha1",))
WORDS: list[Any] = [
    Ask("PATCH", {}, True),
    Checks(),
    Create(None),
    Append(0),
    Standing("/files/u", 0),
    LIMITS,
    Answer(204),
]
LANGUAGES: list[Language] = [Tus(LIMITS), *(Draft(LIMITS, version) for version in DIALECTS)]


@pytest.mark.parametrize(
    ("length", "chunked", "content"),
    [(None, False, False), (0, False, False), (1, False, True), (None, True, True), (0, True, True)],
)
def test_a_request_has_content_if_it_says_so(length: int | None, chunked: bool, content: bool) -> None:
    """A chunked body may turn out to be empty; that is known at its end only."""
    assert Ask("PATCH", {}, True, length, chunked).has_content is content


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_a_word_never_changes(word: Any) -> None:
    for item in fields(word):
        with pytest.raises(FrozenInstanceError):
            setattr(word, item.name, None)


@pytest.mark.parametrize("make", [Checks, lambda: Create(None).checks, lambda: Append(0).checks])
def test_nothing_is_promised_unless_it_is_said(make: Any) -> None:
    assert make() == Checks(content={}, whole={}, wanted=())
    assert make().whole is not make().whole, "one request's promises are not another's"


def test_a_creation_makes_one_whole_file_and_brings_no_bytes_unless_it_says_so() -> None:
    wish = Create(5)
    assert (wish.length, wish.kind, wish.parts, wish.takes_content, wish.told) == (5, Kind.WHOLE, (), False, {})


@pytest.mark.parametrize("wish", [Create(None), Append(7)])
def test_the_length_tells_the_end_unless_the_request_does(wish: Create | Append) -> None:
    assert (wish.length, wish.last) == (None, None)


def test_words_without_more_to_say_are_alike_and_differ_from_each_other() -> None:
    assert Tell() == Tell()
    assert len({Tell(), Remove(), Describe()}) == 3


def test_an_upload_stands_unfinished_without_expiry_unless_more_is_known() -> None:
    standing = Standing("/files/u", 7)
    assert (standing.offset, standing.length, standing.complete, standing.kind) == (7, None, False, Kind.WHOLE)
    assert (standing.expires_at, standing.lasts, standing.digests) == (None, None, {})


def test_an_answer_is_a_bare_status_unless_it_has_more_to_say() -> None:
    assert (Answer(204).fields, Answer(204).members) == ({}, {})


def test_kinds_are_written_as_the_journal_has_them() -> None:
    assert [str(kind) for kind in Kind] == ["whole", "partial", "final"]
    assert [Kind(str(kind)) for kind in Kind] == list(Kind)


@pytest.mark.parametrize("verb", [name for name in vars(Language) if not name.startswith("_")])
@pytest.mark.parametrize("language", [Tus, Draft])
def test_each_protocol_can_say_all_of_it(language: type[Language], verb: str) -> None:
    said, asked = signature(getattr(language, verb)), signature(getattr(Language, verb))
    assert [(p.name, p.kind, p.default) for p in said.parameters.values()] == [
        (p.name, p.kind, p.default) for p in asked.parameters.values()
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("standing", [None, Standing("/files/u", 7, 10)])
@pytest.mark.parametrize("wish", [None, Create(None), Append(7), Tell(), Remove(), Describe()])
@pytest.mark.parametrize("over", [False, True])
def test_whatever_goes_wrong_is_answered(language: Language, standing: Standing | None, wish: Any, over: bool) -> None:
    """Also what no protocol foresees: the answer has the status of the problem."""
    answer = language.refused(Problem("SERVER_ERROR"), standing, wish, over=over)
    assert answer.status == 500
