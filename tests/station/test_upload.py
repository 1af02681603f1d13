"""What an upload resource says of itself, and that the journal gives back what it took."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.clock import Moment
from station.resumption import Checks, Kind
from station.upload import Upload, keep_upload, upload_from
from station.wire import dumps, loads
from tests.station.core import MONO, WALL, at

AWAY = 50_000.0  # seconds by which the monotonic clock of another run differs
SHA, CRC = b"\x00\xff" * 16, b"\x01\x02\x03\x04"

whole = st.integers(0, 2**53)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.sampled_from(["sha1", "sha256", "sha512", "md5", "crc32", "blake3"])
digests = st.dictionaries(names, st.binary(max_size=64), max_size=3)
uploads = st.builds(
    Upload,
    id=st.uuids(version=4).map(str),
    length=st.none() | whole,
    kind=st.sampled_from(Kind),
    session_id=st.none() | texts,
    file_id=st.none() | texts,
    name=texts,
    metadata=st.none() | texts,
    concat=st.none() | texts,
    parts=st.lists(texts, max_size=3).map(tuple),
    checks=st.builds(Checks, whole=digests, wanted=st.lists(names, max_size=3).map(tuple)),
    offset=whole,
    closed=st.booleans(),
    complete=st.booleans(),
    gone=st.none() | texts,
    final=st.none() | texts,
    digests=digests,
    expires_at=st.none() | st.integers(0, 86_400 * 8).map(lambda eighths: MONO + eighths / 8),
)


def brought_back(upload: Upload, now: Moment) -> Upload:
    """By way of the journal's text, in the next run."""
    ahead = None if upload.expires_at is None else upload.expires_at - MONO + WALL
    return upload_from(upload.id, upload.offset, ahead, loads(dumps(keep_upload(upload))), now)


@given(uploads)
def test_an_upload_comes_back_as_it_was(upload: Upload) -> None:
    assert brought_back(upload, at(60)) == upload


@given(uploads)
def test_an_upload_of_another_run_expires_at_the_same_wall_time(upload: Upload) -> None:
    later = Moment(at(60).mono + AWAY, at(60).wall)
    expires = None if upload.expires_at is None else upload.expires_at + AWAY
    assert brought_back(upload, later) == replace(upload, expires_at=expires)


def test_what_was_promised_of_one_request_is_not_kept() -> None:
    upload = Upload("u", checks=Checks(content={"sha1": SHA}, whole={"crc32": CRC}))
    assert brought_back(upload, at(0)).checks == Checks(whole={"crc32": CRC})


def test_the_journal_has_offset_and_times_in_columns_of_their_own() -> None:
    upload = Upload("u", 100, offset=40, expires_at=at(9).mono)
    assert keep_upload(upload) == keep_upload(replace(upload, id="v", offset=50, expires_at=None))


def test_every_field_is_kept_somewhere() -> None:
    """A field that is added must be added to `keep_upload`, too; `checks` is kept in parts."""
    columns = {"id", "offset", "expires_at"}
    assert {item.name for item in fields(Upload)} - columns == keep_upload(Upload("u")).keys() - {
        "whole",
        "wanted",
    } | {"checks"}


# ---- what is left ----


@pytest.mark.parametrize(("length", "offset", "left"), [(None, 5, None), (100, 0, 100), (100, 40, 60), (0, 0, 0)])
def test_what_is_left_is_known_once_the_length_is(length: int | None, offset: int, left: int | None) -> None:
    assert Upload("u", length, offset=offset).left == left


@pytest.mark.parametrize(
    ("complete", "gone", "over"),
    [(False, None, False), (True, None, True), (False, "expired", True), (True, "x", True)],
)
def test_what_is_stored_or_gone_is_over(complete: bool, gone: str | None, over: bool) -> None:
    assert Upload("u", closed=True, complete=complete, gone=gone).over == over


def test_a_digest_is_computed_for_what_was_promised_and_what_is_wanted_of_the_whole() -> None:
    checks = Checks(content={"md5": b"m"}, whole={"sha256": SHA}, wanted=("crc32", "sha1"))
    assert Upload("u", checks=checks).further == ("sha256", "crc32", "sha1")


# ---- where it stands ----


def test_an_unfinished_upload_says_where_it_stands_and_until_when() -> None:
    upload = Upload("abc", 100, metadata="filename YQ==", concat=None, offset=40, closed=False, expires_at=at(90).mono)
    standing = upload.standing(at(30))
    assert (standing.location, standing.offset, standing.length) == ("/files/abc", 40, 100)
    assert (standing.complete, standing.kind, standing.metadata, standing.concat) == (
        False,
        Kind.WHOLE,
        "filename YQ==",
        None,
    )
    assert (standing.lasts, standing.expires_at) == (60.0, WALL + 90)
    assert standing.digests == {}


def test_the_length_of_an_upload_may_not_be_known_yet() -> None:
    assert Upload("u").standing(at(0)).length is None


@pytest.mark.parametrize(("complete", "gone"), [(True, None), (False, "terminated")])
def test_what_is_over_does_not_expire(complete: bool, gone: str | None) -> None:
    standing = Upload("u", complete=complete, gone=gone, expires_at=at(90).mono).standing(at(30))
    assert (standing.expires_at, standing.lasts) == (None, None)


def test_what_has_no_expiry_says_none() -> None:
    standing = Upload("u").standing(at(30))
    assert (standing.expires_at, standing.lasts) == (None, None)


def test_what_should_have_expired_lasts_no_time_and_not_less() -> None:
    standing = Upload("u", expires_at=at(30).mono).standing(at(90))
    assert (standing.lasts, standing.expires_at) == (0.0, WALL + 90)


@pytest.mark.parametrize(
    ("kind", "closed", "complete", "told"),
    [
        (Kind.WHOLE, False, False, False),
        (Kind.WHOLE, True, False, False),  # all bytes are here; it is not stored
        (Kind.WHOLE, True, True, True),
        (Kind.PARTIAL, False, False, False),
        (Kind.PARTIAL, True, False, True),  # never stored
        (Kind.FINAL, True, False, False),
        (Kind.FINAL, True, True, True),
    ],
)
def test_complete_means_stored_and_of_a_partial_that_it_is_all_here(
    kind: Kind, closed: bool, complete: bool, told: bool
) -> None:
    standing = Upload("u", kind=kind, closed=closed, complete=complete, concat="partial").standing(at(0))
    assert (standing.kind, standing.complete, standing.concat) == (kind, told, "partial")


def test_digests_are_told_where_they_are_wanted_and_known() -> None:
    checks = Checks(whole={"sha256": SHA}, wanted=("crc32", "md5"))
    upload = Upload("u", checks=checks, digests={"sha256": SHA, "crc32": CRC})
    assert upload.standing(at(0)).digests == {"crc32": CRC}
