"""What was said of an append's content, and what breaks it."""

from __future__ import annotations

import hashlib

import pytest

from station.promise import Fate, Promise
from station.upload import Upload

LIMIT = 1000


def promise(
    length: int | None = 100,
    offset: int = 40,
    *,
    announced: int | None = None,
    last: bool | None = None,
    **digests: bytes,
) -> tuple[Promise, Upload]:
    upload = Upload("u", length=length, offset=offset)
    return Promise(upload, announced, last, digests, LIMIT), upload


@pytest.mark.parametrize(
    ("length", "last", "count", "broken"),
    [
        (100, None, 60, None),
        (100, None, 61, ("FILE_SIZE_EXCEEDED", Fate.REST)),
        (100, False, 61, ("LENGTH_MISMATCH", Fate.LOSE)),
        (100, True, 61, ("LENGTH_MISMATCH", Fate.LOSE)),
        (None, None, LIMIT - 40, None),
        (None, None, LIMIT - 39, ("FILE_SIZE_EXCEEDED", Fate.LOSE)),
        (None, True, LIMIT - 39, ("FILE_SIZE_EXCEEDED", Fate.LOSE)),
    ],
)
def test_more_bytes_than_were_said_break_it(
    length: int | None, last: bool | None, count: int, broken: tuple[str, Fate] | None
) -> None:
    said, _ = promise(length, last=last)
    assert said.take(count - 1) is None
    found = said.take(1)
    assert (None if found is None else (found[0].code, found[1])) == broken
    assert said.arrived == count


@pytest.mark.parametrize(
    ("length", "last", "count", "all_here", "closes"),
    [
        (100, None, 59, False, False),
        (100, None, 60, True, True),
        (None, None, 60, False, False),
        (100, False, 60, True, False),  # by the draft a length that is reached completes nothing
        (100, True, 60, True, True),
        (None, True, 60, False, True),
    ],
)
def test_what_closes_an_upload(length: int | None, last: bool | None, count: int, all_here: bool, closes: bool) -> None:
    said, _ = promise(length, last=last)
    said.take(count)
    assert (said.all_here, bool(said.closes)) == (all_here, closes)


def test_the_digests_of_the_content_have_to_agree() -> None:
    content = b"sixty bytes, or fewer"
    for sent, code in ((content, None), (content + b"!", "CHECKSUM_MISMATCH")):
        said, _ = promise(sha1=hashlib.sha1(content).digest())
        assert said.digests is not None
        said.digests.update(sent)
        found = said.broken()
        assert (None if found is None else (found[0].code, found[1])) == (None if code is None else (code, Fate.REST))


def test_without_promised_digests_none_are_computed() -> None:
    said, _ = promise()
    assert (said.digests, said.broken()) == (None, None)


@pytest.mark.parametrize(
    ("length", "announced", "count", "broken"),
    [
        (100, None, 60, None),
        (100, None, 59, ("LENGTH_MISMATCH", Fate.LOSE)),
        (None, None, 59, None),
        (None, 99, 59, None),
        (None, 100, 59, ("CHECKSUM_MISMATCH", Fate.LOSE)),
    ],
)
def test_content_that_says_it_is_the_last_has_to_be_all_the_rest(
    length: int | None, announced: int | None, count: int, broken: tuple[str, Fate] | None
) -> None:
    said, upload = promise(length, announced=announced, last=True)
    said.take(count)
    found = said.broken()
    assert (None if found is None else (found[0].code, found[1])) == broken
    assert upload.length == (40 + count if length is None and broken is None else length)


def test_content_that_is_not_the_last_makes_no_length_known() -> None:
    for last in (None, False):
        said, upload = promise(None, last=last)
        said.take(60)
        assert (said.broken(), upload.length) == (None, None)
