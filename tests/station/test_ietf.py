"""The IETF draft as tables: what each dialect is understood to say, and what it is answered."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.dialect import DIALECTS
from station.errors import ERRORS, Problem, Refused
from station.ietf import Draft, language_of, speaks, version_of
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

LIMITS = Limits(max_size=1000, age=86400, algorithms=("sha1",))
VERSIONS = tuple(DIALECTS)
KNOWN = tuple(v for v in VERSIONS if v is not None)
TYPED = tuple(v for v in VERSIONS if v is None or v >= 6)
PARTIAL = {"content-type": "application/partial-upload"}
DIGEST = sha256(b"").digest()
DIGEST_FIELD = f"sha-256=:{base64.b64encode(DIGEST).decode()}:"
TYPES = "https://iana.org/assignments/http-problem-types#"


def more(version: int | None, more_comes: bool) -> dict[str, str]:
    """The field by which a client of that version says whether more will come, as it arrives."""
    if version == 3:
        return {"upload-incomplete": "?1" if more_comes else "?0"}
    return {"upload-complete": "?0" if more_comes else "?1"}


def complete(version: int | None, value: bool) -> dict[str, str]:
    """The same, as it is answered."""
    return {name.title(): text for name, text in more(version, not value).items()}


def limit(version: int | None, age: int = 86400) -> dict[str, str]:
    if version in (3, 4, 5):
        return {}
    key = "expires" if version == 6 else "max-age"
    return {"Upload-Limit": f"max-size=1000, min-size=0, {key}={age}"}


def creation(
    fields: Mapping[str, str], length: int | None = None, *, method: str = "POST", chunked: bool = False
) -> Ask:
    return Ask(method, fields, upload=False, content_length=length, chunked=chunked)


def patch(fields: Mapping[str, str], length: int | None = None, *, chunked: bool = False) -> Ask:
    return Ask("PATCH", fields, upload=True, content_length=length, chunked=chunked)


def understood(version: int | None, ask: Ask) -> Any:
    return Draft(LIMITS, version).understand(ask)


def code(version: int | None, ask: Ask) -> str:
    with pytest.raises(Refused) as refused:
        understood(version, ask)
    return refused.value.problem.code


def test_the_draft_is_one_of_the_languages() -> None:
    language: Language = Draft(LIMITS, 6)
    assert language.removed() == Answer(204)


# Creation


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_creation_says_whether_more_will_come(version: int | None, method: str) -> None:
    part = understood(version, creation(more(version, True), 10, method=method))
    assert part == Create(None, takes_content=True, last=False)
    whole = understood(version, creation(more(version, False), 10, method=method))
    assert whole == Create(10, takes_content=True, last=True)


@pytest.mark.parametrize(
    ("more_comes", "told", "content", "length"),
    [
        (True, None, 0, None),
        (True, None, None, None),
        (True, "50", 10, 50),
        (True, "50", 50, 50),
        (True, "50", None, 50),
        (False, "10", 10, 10),
        (False, None, 10, 10),
        (False, None, 0, 0),
        (False, "10", None, 10),
        (False, None, None, None),
        (True, "1001", 10, 1001),  # too large, which is for the session to be told
        (False, None, 1001, 1001),
        (False, "1001", None, 1001),
        (False, "1e1", 10, 10),
        (True, "-1", 10, None),
        (True, "5, 5", 10, None),
        (True, str(2**63), 10, None),
        (True, "1000", 1000, 1000),
    ],
)
def test_a_length_is_told_or_implied(
    more_comes: bool, told: str | None, content: int | None, length: int | None
) -> None:
    fields = more(8, more_comes) | ({} if told is None else {"upload-length": told})
    wish = understood(8, creation(fields, content, chunked=content is None))
    assert (wish.length, wish.last) == (length, not more_comes)


@pytest.mark.parametrize(
    ("more_comes", "told", "content", "refusal"),
    [
        (False, "11", 10, "LENGTH_MISMATCH"),
        (False, "9", 10, "LENGTH_MISMATCH"),
        (False, "9", 0, "LENGTH_MISMATCH"),
        (True, "9", 10, "LENGTH_MISMATCH"),
        (True, None, 1001, "FILE_SIZE_EXCEEDED"),
        (False, "2000", 1001, "LENGTH_MISMATCH"),
    ],
)
def test_a_length_that_cannot_be_is_refused(
    more_comes: bool, told: str | None, content: int | None, refusal: str
) -> None:
    fields = more(8, more_comes) | ({} if told is None else {"upload-length": told})
    assert code(8, creation(fields, content, chunked=content is None)) == refusal


def test_a_request_that_has_no_content_has_none_of_it() -> None:
    assert understood(8, creation(more(8, False))).length == 0


def test_nothing_can_follow_an_empty_file() -> None:
    assert understood(6, creation(more(6, True) | {"upload-length": "0"})) == Create(0, takes_content=True, last=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "fields", [{}, {"upload-complete": "yes"}, {"upload-complete": "?0, ?0"}, {"upload-incomplete": "1"}]
)
def test_without_a_word_of_completeness_the_content_is_the_file(version: int | None, fields: dict[str, str]) -> None:
    assert understood(version, creation(fields, 10)) == Create(10, takes_content=True, last=True)
    assert code(version, creation(fields, 10, method="PATCH")) == "METHOD_NOT_ALLOWED"


def test_an_announced_length_without_its_content_is_no_empty_file() -> None:
    assert code(None, creation({"upload-length": "10"})) == "LENGTH_MISMATCH"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_collection_takes_only_creations(method: str) -> None:
    assert code(8, creation(more(8, True), method=method)) == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"content-disposition": 'inline; filename="a.jpg"', "content-type": "image/jpeg; q=1"},
            ("a.jpg", "image/jpeg"),
        ),
        ({"content-disposition": "inline; filename*=UTF-8''%C3%A4"}, ("ä", None)),
        ({"content-disposition": "inline"}, (None, None)),
        ({"content-type": "nonsense"}, (None, None)),
        ({"content-type": "application/partial-upload"}, (None, None)),
    ],
)
def test_a_creation_names_the_file(fields: dict[str, str], told: tuple[str | None, str | None]) -> None:
    wish = understood(8, creation(more(8, True) | fields))
    assert (wish.told.get("filename"), wish.told.get("filetype")) == told
    assert all(wish.told.values())


# Appends


@pytest.mark.parametrize("version", VERSIONS)
def test_an_append_says_where_and_whether_more_will_come(version: int | None) -> None:
    fields = {"upload-offset": "5"} | PARTIAL
    assert understood(version, patch(fields | more(version, True), 10)) == Append(5, None, False)
    assert understood(version, patch(fields | more(version, False), 10)) == Append(5, 15, True)
    assert understood(version, patch(fields | more(version, False), chunked=True)) == Append(5, None, True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["", "application/octet-stream", "application/offset+octet-stream"])
def test_an_append_is_of_the_media_type_where_the_dialect_has_one(version: int | None, kind: str) -> None:
    ask = patch({"upload-offset": "5", "content-type": kind} | more(version, True), 10)
    if version in TYPED:
        assert code(version, ask) == "UNSUPPORTED_MEDIA_TYPE"
    else:
        assert understood(version, ask) == Append(5, None, False)


def test_the_media_type_may_be_written_in_any_way() -> None:
    fields = {"upload-offset": "5", "content-type": "Application/Partial-Upload ;a=b"}
    assert understood(8, patch(fields | more(8, True))) == Append(5, None, False)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("offset", [None, "", "-1", "+1", "1e3", "5, 5", str(2**63), "?1"])
def test_an_append_without_a_good_offset_is_refused(version: int | None, offset: str | None) -> None:
    fields = PARTIAL | more(version, True) | ({} if offset is None else {"upload-offset": offset})
    assert code(version, patch(fields, 10)) == "VALIDATION_ERROR"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("word", [None, "1", "", "?2", "?1, ?1"])
def test_an_append_without_a_word_of_completeness_is_refused(version: int | None, word: str | None) -> None:
    name = "upload-incomplete" if version == 3 else "upload-complete"
    fields = PARTIAL | {"upload-offset": "5"} | ({} if word is None else {name: word})
    assert code(version, patch(fields, 10)) == "VALIDATION_ERROR"


def test_an_append_that_says_two_lengths_is_refused() -> None:
    fields = PARTIAL | {"upload-offset": "5", "upload-length": "14"}
    assert code(8, patch(fields | more(8, False), 10)) == "LENGTH_MISMATCH"
    assert code(8, patch(fields | more(8, True), 10)) == "LENGTH_MISMATCH"
    assert understood(8, patch(fields | more(8, True), 9)) == Append(5, 14, False)


@pytest.mark.parametrize(
    ("standing", "offset", "content", "last", "told", "outcome"),
    [
        # under way, length unknown
        (Standing("/u", 5), 5, 10, False, None, True),
        (Standing("/u", 5), 5, 10, True, None, True),
        (Standing("/u", 5), 5, 0, True, None, True),
        (Standing("/u", 5), 5, None, True, None, True),
        (Standing("/u", 5), 5, 995, False, None, True),
        (Standing("/u", 5), 5, 996, False, None, "FILE_SIZE_EXCEEDED"),
        (Standing("/u", 5), 5, 10, False, "1001", "FILE_SIZE_EXCEEDED"),
        (Standing("/u", 5), 5, None, False, "4", "LENGTH_MISMATCH"),
        (Standing("/u", 5), 4, 10, False, None, "OFFSET_MISMATCH"),
        (Standing("/u", 5), 6, 10, True, None, "OFFSET_MISMATCH"),
        (Standing("/u", 5), 10**15 - 1, 10, False, None, "OFFSET_MISMATCH"),
        # under way, length known
        (Standing("/u", 5, 20), 5, 10, False, None, True),
        (Standing("/u", 5, 20), 5, 15, False, None, True),
        (Standing("/u", 5, 20), 5, 15, True, None, True),
        (Standing("/u", 5, 20), 5, 15, True, "20", True),
        (Standing("/u", 5, 20), 5, None, True, None, True),
        (Standing("/u", 5, 20), 5, 14, True, None, "LENGTH_MISMATCH"),
        (Standing("/u", 5, 20), 5, 16, True, None, "LENGTH_MISMATCH"),
        (Standing("/u", 5, 20), 5, 16, False, None, "LENGTH_MISMATCH"),
        (Standing("/u", 5, 20), 5, 10, False, "21", "LENGTH_MISMATCH"),
        (Standing("/u", 5, 20), 6, 16, True, None, "OFFSET_MISMATCH"),
        (Standing("/u", 20, 20), 20, 0, True, None, True),
        (Standing("/u", 20, 20), 20, 0, False, None, True),
        (Standing("/u", 5, 2000), 5, 1500, False, None, True),
        # complete: the answer may have been lost
        (Standing("/u", 20, 20, complete=True), 20, 0, True, None, False),
        (Standing("/u", 20, 20, complete=True), 20, 0, True, "20", False),
        (Standing("/u", 20, 20, complete=True), 20, 1, True, None, "LENGTH_MISMATCH"),
        (Standing("/u", 20, 20, complete=True), 20, None, True, None, False),
        (Standing("/u", 20, 20, complete=True), 20, 0, False, None, "LENGTH_MISMATCH"),
        (Standing("/u", 20, 20, complete=True), 10, 10, True, None, "OFFSET_MISMATCH"),
        (Standing("/u", 2000, 2000, complete=True), 2000, 0, True, None, False),
        # made with tus
        (Standing("/u", 5, 20, kind=Kind.PARTIAL), 5, 15, True, None, True),
        (Standing("/u", 20, 20, kind=Kind.FINAL), 20, 0, True, None, "NOT_APPENDABLE"),
        (Standing("/u", 20, 20, complete=True, kind=Kind.FINAL), 20, 0, True, None, "NOT_APPENDABLE"),
    ],
)
def test_an_append_fits_where_the_upload_stands(
    standing: Standing, offset: int, content: int | None, last: bool, told: str | None, outcome: bool | str
) -> None:
    fields = PARTIAL | {"upload-offset": str(offset)} | more(8, not last)
    ask = patch(fields | ({} if told is None else {"upload-length": told}), content, chunked=content is None)
    draft = Draft(LIMITS, 8)
    wish = draft.understand(ask)
    assert isinstance(wish, Append)
    if isinstance(outcome, bool):
        assert draft.allow(wish, ask, standing) is outcome
        return
    with pytest.raises(Refused) as refused:
        draft.allow(wish, ask, standing)
    assert refused.value.problem.code == outcome


# Other requests


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("method", "wish"), [("HEAD", Tell()), ("GET", Tell()), ("DELETE", Remove()), ("OPTIONS", Describe())]
)
def test_an_upload_can_be_asked_for_and_removed(version: int | None, method: str, wish: object) -> None:
    fields = {} if version is None else {"upload-draft-interop-version": str(version)}
    assert understood(version, Ask(method, fields, upload=True)) == wish


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["upload-offset", "upload-complete", "upload-incomplete", "upload-length"])
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_early_dialects_forbid_to_tell_an_offset_when_asking_for_it(
    version: int | None, name: str, method: str
) -> None:
    ask = Ask(method, {name: "x"}, upload=True)
    if version in (3, 4, 5, 6):
        assert code(version, ask) == "VALIDATION_ERROR"
    else:
        assert understood(version, ask) == Tell()


@pytest.mark.parametrize("method", ["POST", "PUT", "TRACE"])
def test_an_upload_takes_no_other_method(method: str) -> None:
    assert code(8, Ask(method, more(8, True), upload=True)) == "METHOD_NOT_ALLOWED"


def test_a_collection_is_described() -> None:
    assert understood(None, creation({}, method="OPTIONS")) == Describe()


# Digests


def test_digests_are_promised_and_wished_for() -> None:
    fields = {"content-digest": DIGEST_FIELD, "repr-digest": DIGEST_FIELD, "want-repr-digest": "md5=9, sha-512=3"}
    wish = understood(8, creation(more(8, True) | fields))
    assert wish.checks == Checks({"sha256": DIGEST}, {"sha256": DIGEST}, ("sha512",))
    wish = understood(8, patch(PARTIAL | {"upload-offset": "0"} | more(8, True) | fields))
    assert wish.checks == Checks({"sha256": DIGEST}, {}, ("sha512",))


@pytest.mark.parametrize("name", ["content-digest", "repr-digest"])
@pytest.mark.parametrize("text", ["md5=:AAAA:", "sha-256=:AAAA:", "sha-256=5", "x", "=", f"{DIGEST_FIELD}, sha=:AA==:"])
def test_a_digest_that_cannot_be_checked_is_refused(name: str, text: str) -> None:
    assert code(8, creation(more(8, True) | {name: text})) == "VALIDATION_ERROR"


def test_an_append_with_a_digest_that_cannot_be_checked_is_refused() -> None:
    fields = PARTIAL | {"upload-offset": "0", "content-digest": "md5=:AAAA:"}
    assert code(8, patch(fields | more(8, True))) == "VALIDATION_ERROR"


# Answers


@pytest.mark.parametrize("version", VERSIONS)
def test_a_creation_is_answered_with_where_to_go_on(version: int | None) -> None:
    answer = Draft(LIMITS, version).created(Standing("/files/u", 5, 20, lasts=7.9))
    expected = {"Location": "/files/u", "Upload-Offset": "5"} | complete(version, False) | limit(version, 7)
    assert answer == Answer(201, expected)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_creation_of_the_whole_is_answered_as_the_end(version: int | None) -> None:
    answer = Draft(LIMITS, version).created(Standing("/files/u", 20, 20, complete=True, digests={"sha256": DIGEST}))
    expected = {"Location": "/files/u", "Upload-Offset": "20", "Repr-Digest": DIGEST_FIELD} | complete(version, True)
    assert answer == Answer(201, expected)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_append_is_answered_with_where_the_upload_stands(version: int | None) -> None:
    status = 201 if version in (3, 4, 5, 6) else 204
    draft = Draft(LIMITS, version)
    assert draft.appended(Standing("/u", 5, 20)) == Answer(status, {"Upload-Offset": "5"} | complete(version, False))
    end = draft.appended(Standing("/u", 20, 20, complete=True, digests={"sha256": DIGEST, "blake3": b""}))
    assert end == Answer(200, {"Upload-Offset": "20", "Repr-Digest": DIGEST_FIELD} | complete(version, True))


@pytest.mark.parametrize("version", VERSIONS)
def test_who_asks_is_told_all_that_is_known(version: int | None) -> None:
    draft = Draft(LIMITS, version)
    fixed = {"Cache-Control": "no-store"}
    unknown = {"Upload-Offset": "5"} | complete(version, False) | limit(version) | fixed
    assert draft.told(Standing("/u", 5, digests={"sha256": DIGEST})) == Answer(204, unknown)
    known = {"Upload-Offset": "20", "Upload-Length": "20"} | complete(version, True) | limit(version, 60) | fixed
    assert draft.told(Standing("/u", 20, 20, complete=True, lasts=60.0)) == Answer(204, known)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_description_tells_the_limits(version: int | None) -> None:
    expected = limit(version) | {"Accept-Patch": "application/partial-upload"}
    assert Draft(LIMITS, version).described() == Answer(200, expected)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_offset_is_answered_with_the_right_one(version: int | None) -> None:
    answer = Draft(LIMITS, version).refused(Problem("OFFSET_MISMATCH"), Standing("/u", 5), Append(7))
    assert answer == Answer(
        409,
        {"Upload-Offset": "5"} | complete(version, False),
        {
            "type": f"{TYPES}mismatching-upload-offset",
            "title": "The offset is not where the upload stands.",
            "expected-offset": 5,
            "provided-offset": 7,
        },
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_lengths_that_differ_are_a_problem_with_a_name(version: int | None) -> None:
    answer = Draft(LIMITS, version).refused(Problem("LENGTH_MISMATCH"), None, None)
    title = ERRORS["LENGTH_MISMATCH"].en[0]
    members = {"type": f"{TYPES}inconsistent-upload-length", "title": title}
    assert answer == Answer(400, complete(version, False), members)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_too_large_is_answered_with_the_limits(version: int | None) -> None:
    answer = Draft(LIMITS, version).refused(Problem("FILE_SIZE_EXCEEDED"), None, None)
    assert answer == Answer(413, limit(version))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("problem", ERRORS)
def test_only_the_end_is_answered_as_the_end(version: int | None, problem: str) -> None:
    draft = Draft(LIMITS, version)
    standing = Standing("/u", 5)
    name = "Upload-Incomplete" if version == 3 else "Upload-Complete"
    over, going = complete(version, True)[name], complete(version, False)[name]
    assert draft.refused(Problem(problem), standing, None, over=True).fields[name] == over
    answer = draft.refused(Problem(problem), standing, None)
    assert answer.status == ERRORS[problem].status
    assert answer.fields.get(name) in (going, None)
    assert ("Upload-Offset" in answer.fields) == (problem == "OFFSET_MISMATCH")
    # A client goes on after a 409 with this field.
    assert (answer.status, name in answer.fields) != (409, problem != "OFFSET_MISMATCH")


def test_a_wrong_media_type_is_answered_with_the_right_one() -> None:
    answer = Draft(LIMITS, 8).refused(Problem("UNSUPPORTED_MEDIA_TYPE"), None, None)
    assert answer == Answer(415, {"Accept-Patch": "application/partial-upload"})


# 104


@pytest.mark.parametrize("version", KNOWN)
def test_the_first_104_tells_where_the_upload_is(version: int) -> None:
    fields = Draft(LIMITS, version).interim(Standing("/files/u", 0, lasts=9.9), first=True)
    expected = {"Upload-Draft-Interop-Version": str(version), "Location": "/files/u"} | limit(version, 9)
    assert fields == expected


@pytest.mark.parametrize("version", KNOWN)
def test_later_104s_tell_of_bytes_where_the_dialect_knows_of_them(version: int) -> None:
    fields = Draft(LIMITS, version).interim(Standing("/files/u", 7), first=False)
    told = {"Upload-Draft-Interop-Version": str(version), "Upload-Offset": "7"}
    assert fields == (None if version in (3, 4) else told)


@pytest.mark.parametrize("first", [True, False])
def test_whoever_tells_no_known_version_gets_no_104(first: bool) -> None:
    assert Draft(LIMITS, None).interim(Standing("/files/u", 7), first=first) is None
    assert Draft(LIMITS, 8, ordinary=True).interim(Standing("/files/u", 7), first=first) is None


# Who does not speak it


@pytest.mark.parametrize("version", ["", "6", "99"])
@pytest.mark.parametrize("fields", [{}, {"upload-complete": "x"}, {"upload-length": "10"}])
def test_an_ordinary_upload_is_answered_without_the_drafts_fields(version: str, fields: dict[str, str]) -> None:
    ask = creation(fields | ({"upload-draft-interop-version": version} if version else {}), 10)
    draft = language_of(ask, LIMITS)
    assert draft.understand(ask) == Create(10, takes_content=True, last=True)
    standing = Standing("/u", 10, 10, complete=True, digests={"sha256": DIGEST})
    assert draft.created(standing) == Answer(201, {"Repr-Digest": DIGEST_FIELD})
    for problem in ERRORS:
        answer = draft.refused(Problem(problem), standing, None, over=True)
        assert not any(name.startswith("Upload-") for name in answer.fields)
        assert answer.members == {}


@pytest.mark.parametrize("fields", [{"upload-complete": "?1"}, {"upload-complete": "?0"}, {"upload-incomplete": "?1"}])
def test_whoever_says_whether_more_will_come_is_answered_in_kind(fields: dict[str, str]) -> None:
    ask = creation(fields)
    assert speaks(ask)
    assert version_of(ask) is None
    assert language_of(ask, LIMITS).created(Standing("/u", 0)).fields["Upload-Complete"] == "?0"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("method", ["HEAD", "GET", "PATCH", "DELETE", "OPTIONS"])
def test_only_a_creation_can_be_ordinary(version: int | None, method: str) -> None:
    fields = {} if version is None else {"upload-draft-interop-version": str(version)}
    draft = language_of(Ask(method, fields, upload=method != "OPTIONS"), LIMITS)
    assert draft.appended(Standing("/u", 5)).fields == {"Upload-Offset": "5"} | complete(version, False)


# Anything at all

# fmt: off
NAMES = st.sampled_from([
    "upload-offset", "upload-complete", "upload-incomplete", "upload-length", "upload-draft-interop-version",
    "content-type", "content-disposition", "content-digest", "repr-digest", "want-repr-digest",
])
# fmt: on
WORDS = ["?0", "?1", "0", "5", "10", "1001", "-1", "1e3", "8", "application/partial-upload", DIGEST_FIELD, "md5=:AA==:"]
FIELDS = st.dictionaries(NAMES, st.sampled_from(WORDS) | st.text(max_size=30))
METHODS = st.sampled_from(["POST", "PUT", "PATCH", "HEAD", "GET", "DELETE", "OPTIONS", "BREW"])
ASKS = st.builds(
    Ask, METHODS, FIELDS, st.booleans(), content_length=st.none() | st.integers(0, 2000), chunked=st.booleans()
)
STANDINGS = st.builds(
    Standing,
    st.just("/files/u"),
    st.sampled_from([0, 5, 10]),
    st.sampled_from([None, 0, 10, 20]),
    st.booleans(),
    st.sampled_from(Kind),
)


@given(ASKS, STANDINGS)
def test_whatever_is_asked_there_is_an_answer(ask: Ask, standing: Standing) -> None:
    draft = language_of(ask, LIMITS)
    wish = None
    try:
        wish = draft.understand(ask)
        if isinstance(wish, Create):
            assert wish.length is None or wish.length >= 0
        if isinstance(wish, Append) and not draft.allow(wish, ask, standing):
            assert standing.complete
    except Refused as refused:
        answer = draft.refused(refused.problem, standing, wish)
        assert 400 <= answer.status < 500
        for name, value in answer.fields.items():
            assert (name + value).isascii()
            assert (name + value).isprintable()
