"""The client's sentences."""

from __future__ import annotations

import string

import pytest

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
