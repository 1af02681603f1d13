"""The table of dialects, row by row."""

from __future__ import annotations

import pytest

from station.dialect import DIALECTS, speaks, version_of
from station.resumption import Ask, Limits, Standing

LIMITS = Limits(1000, 60, ())


def ask(**fields: str) -> Ask:
    return Ask("POST", {name.replace("_", "-"): value for name, value in fields.items()}, upload=False)


@pytest.mark.parametrize(
    ("told", "version"),
    [(str(known), known) for known in range(3, 11)]
    + [(text, None) for text in ("2", "11", "0", "-3", "6.0", '"6"', "6, 6", "?1", "", "x", str(10**15))],
)
def test_only_a_known_version_is_a_version(told: str, version: int | None) -> None:
    assert version_of(ask(upload_draft_interop_version=told)) == version


def test_a_request_without_a_version_has_none() -> None:
    assert version_of(ask(upload_complete="?0")) is None


@pytest.mark.parametrize("name", ["upload_draft_interop_version", "upload_complete", "upload_incomplete"])
def test_each_field_of_its_own_makes_a_request_this_protocols(name: str) -> None:
    assert speaks(ask(**{name: "nonsense"}))


def test_the_fields_of_both_protocols_make_none() -> None:
    assert not speaks(ask(upload_offset="0", upload_length="5", tus_resumable="1.0.0"))


@pytest.mark.parametrize("version", DIALECTS)
@pytest.mark.parametrize(
    ("fields", "last"),
    [
        ({"upload_complete": "?1"}, True),
        ({"upload_complete": "?0"}, False),
        ({"upload_incomplete": "?0"}, True),
        ({"upload_incomplete": "?1"}, False),
        ({"upload_complete": "1", "upload_incomplete": "?1"}, False),
        ({"upload_complete": "?0", "upload_incomplete": "yes"}, False),
        ({"upload_complete": "1"}, None),
        ({"upload_complete": "?1, ?1"}, None),
        ({}, None),
    ],
)
def test_what_says_that_more_will_come_is_heard_in_every_dialect(
    version: int | None, fields: dict[str, str], last: bool | None
) -> None:
    assert DIALECTS[version].last(ask(**fields)) is last


@pytest.mark.parametrize("version", DIALECTS)
def test_of_two_that_differ_a_dialect_believes_its_own(version: int | None) -> None:
    assert DIALECTS[version].last(ask(upload_complete="?1", upload_incomplete="?1")) is (version != 3)


@pytest.mark.parametrize("version", DIALECTS)
@pytest.mark.parametrize("complete", [True, False])
def test_completeness_is_written_in_the_dialects_own_word(version: int | None, complete: bool) -> None:
    written = {"Upload-Incomplete": "?0" if complete else "?1"} if version == 3 else {}
    assert DIALECTS[version].complete(complete) == (written or {"Upload-Complete": "?1" if complete else "?0"})


@pytest.mark.parametrize(
    ("version", "key"),
    [(3, None), (4, None), (5, None), (6, "expires"), *((v, "max-age") for v in (7, 8, 9, 10, None))],
)
def test_limits_are_told_where_the_dialect_has_them(version: int | None, key: str | None) -> None:
    def told(standing: Standing | None) -> dict[str, str]:
        return DIALECTS[version].limit(LIMITS, standing)

    def expected(age: int) -> dict[str, str]:
        return {} if key is None else {"Upload-Limit": f"max-size=1000, min-size=0, {key}={age}"}

    assert told(None) == told(Standing("/u", 0)) == expected(60)
    assert told(Standing("/u", 0, lasts=7.99)) == expected(7)
    assert told(Standing("/u", 0, lasts=-3.2)) == expected(0)
