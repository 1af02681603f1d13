"""Every rule of tus 1.0.0 as a row: what a request means, whether its content is taken, how it is answered."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from email.utils import parsedate_to_datetime
from hashlib import sha1
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from station.errors import ERRORS, Problem, Refused
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
    Wish,
)
from station.tus import Tus

MOST = 1000
TUS: Language = Tus(Limits(MOST, 86400, ("sha1", "sha256", "md5", "crc32", "blake3")))

VERSION = {"tus-resumable": "1.0.0"}
CONTENT = {"content-type": "application/offset+octet-stream"}
LENGTH = {"upload-length": "100"}
DEFERRED = {"upload-defer-length": "1"}
FINAL = {"upload-concat": "final;/files/a http://station:8005/files/b"}
DIGEST = sha1(b"tus").digest()
CHECKSUM = {"upload-checksum": f"sha1 {b64encode(DIGEST).decode()}"}
CHECKS = Checks(content={"sha1": DIGEST})
UNKNOWN = {"upload-checksum": "sha3 AAAA"}
AT_30 = CONTENT | {"upload-offset": "30"}
EXPIRES = 1_705_314_510.75

HALF = Standing("/files/a", 30, 100)
FULL = replace(HALF, offset=100, complete=True)
OPEN = replace(HALF, length=None)
JOINED = Standing("/files/f", 0, 100, kind=Kind.FINAL, concat="final;/files/a /files/b")


def post(fields: dict[str, str], content_length: int | None = None, *, chunked: bool = False) -> Ask:
    return Ask("POST", VERSION | fields, False, content_length, chunked)


def patch(fields: dict[str, str], content_length: int | None = None, *, chunked: bool = False) -> Ask:
    return Ask("PATCH", VERSION | fields, True, content_length, chunked)


def code_of(ask: Ask) -> str:
    with pytest.raises(Refused) as refused:
        TUS.understand(ask)
    return refused.value.problem.code


VERBS = [
    ("OPTIONS", False, Describe()),
    ("OPTIONS", True, Describe()),
    ("HEAD", True, Tell()),
    ("GET", True, Tell()),
    ("DELETE", True, Remove()),
]


@pytest.mark.parametrize(("method", "upload", "wish"), VERBS)
def test_a_method_is_a_wish(method: str, upload: bool, wish: Wish) -> None:
    assert TUS.understand(Ask(method, VERSION, upload)) == wish


@pytest.mark.parametrize(
    ("method", "upload"),
    [
        ("POST", True),
        ("PUT", True),
        ("head", True),
        ("", True),
        ("PATCH", False),
        ("HEAD", False),
        ("GET", False),
        ("DELETE", False),
        ("PUT", False),
    ],
)
def test_other_methods_are_not_taken(method: str, upload: bool) -> None:
    assert code_of(Ask(method, VERSION | LENGTH | AT_30, upload)) == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("version", ["0.2.2", "1.0.1", "1.0", "", "1.0.0, 1.0.0", "1.0.0,0.2.2", "１.0.0"])
@pytest.mark.parametrize(("method", "upload"), [("POST", False), *((m, True) for m in ("PATCH", "HEAD", "DELETE"))])
def test_another_version_is_not_spoken(version: str, method: str, upload: bool) -> None:
    assert code_of(Ask(method, LENGTH | AT_30 | {"tus-resumable": version}, upload)) == "UNSUPPORTED_VERSION"


@pytest.mark.parametrize(("method", "upload"), [("POST", False), ("PATCH", True), ("DELETE", True)])
def test_what_changes_something_must_tell_its_version(method: str, upload: bool) -> None:
    assert code_of(Ask(method, LENGTH | AT_30, upload)) == "UNSUPPORTED_VERSION"


@pytest.mark.parametrize(("method", "upload", "wish"), [row for row in VERBS if row[0] != "DELETE"])
def test_what_changes_nothing_needs_no_version(method: str, upload: bool, wish: Wish) -> None:
    assert TUS.understand(Ask(method, {}, upload)) == wish


@pytest.mark.parametrize("version", ["0.2.2", "", "2.0.0"])
def test_the_version_of_options_is_ignored(version: str) -> None:
    assert TUS.understand(Ask("OPTIONS", {"tus-resumable": version}, False)) == Describe()


@pytest.mark.parametrize(
    ("ask", "wish"),
    [
        (post(LENGTH), Create(100)),
        (post({"upload-length": "0"}), Create(0)),
        (post({"upload-length": "0001000"}), Create(MOST)),
        (post({"upload-length": "1001"}), Create(1001)),  # too large, which is for the session to be told
        (post(DEFERRED), Create(None)),
        # creation-with-upload
        (post(LENGTH | CONTENT, 100), Create(100, takes_content=True)),
        (post(LENGTH | CONTENT, 0), Create(100, takes_content=True)),
        (post(LENGTH | CONTENT, chunked=True), Create(100, takes_content=True)),
        (post(DEFERRED | CONTENT, MOST), Create(None, takes_content=True)),
        (
            post(LENGTH | {"content-type": "Application/Offset+Octet-Stream ; v=1"}, 1),
            Create(100, takes_content=True),
        ),
        (post(LENGTH | {"content-type": "application/octet-stream"}, 9999), Create(100)),
        (post(LENGTH, 9999), Create(100)),
        # checksum
        (post(LENGTH | CONTENT | CHECKSUM, 3), Create(100, takes_content=True, checks=CHECKS)),
        (post(LENGTH | CHECKSUM), Create(100)),
        # metadata
        (
            post(LENGTH | {"upload-metadata": "filename YS5qcGc=,flag, sessionId cw=="}),
            Create(
                100,
                told={"filename": "a.jpg", "flag": "", "sessionId": "s"},
                metadata="filename YS5qcGc=,flag, sessionId cw==",
            ),
        ),
        (post(LENGTH | {"upload-metadata": ""}), Create(100)),
        # concatenation
        (post(LENGTH | {"upload-concat": "partial"}), Create(100, kind=Kind.PARTIAL, concat="partial")),
        (post(DEFERRED | {"upload-concat": "partial"}), Create(None, kind=Kind.PARTIAL, concat="partial")),
        (
            post(LENGTH | CONTENT | {"upload-concat": "partial"}, 5),
            Create(100, kind=Kind.PARTIAL, takes_content=True, concat="partial"),
        ),
        (post(FINAL), Create(None, kind=Kind.FINAL, parts=("a", "b"), concat=FINAL["upload-concat"])),
        (post(FINAL | CONTENT, 0), Create(None, kind=Kind.FINAL, parts=("a", "b"), concat=FINAL["upload-concat"])),
        (
            post(FINAL | {"upload-metadata": "filename YQ=="}),
            Create(
                None,
                told={"filename": "a"},
                kind=Kind.FINAL,
                parts=("a", "b"),
                metadata="filename YQ==",
                concat=FINAL["upload-concat"],
            ),
        ),
    ],
)
def test_a_creation_is_understood(ask: Ask, wish: Create) -> None:
    assert TUS.understand(ask) == wish


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (post({}), "VALIDATION_ERROR"),
        (post(LENGTH | DEFERRED), "VALIDATION_ERROR"),
        (post({"upload-defer-length": "0"}), "VALIDATION_ERROR"),
        (post({"upload-defer-length": "1, 1"}), "VALIDATION_ERROR"),
        (post({"upload-defer-length": "true"}), "VALIDATION_ERROR"),
        (post({"upload-defer-length": ""}), "VALIDATION_ERROR"),
        (post({"upload-length": str(2**63)}), "FILE_SIZE_EXCEEDED"),
        (post({"upload-length": "9" * 100}), "FILE_SIZE_EXCEEDED"),
        (post({"upload-length": "9" * 60_000}), "VALIDATION_ERROR"),
        (post({"upload-length": "1001", "upload-concat": "partial"}), "FILE_SIZE_EXCEEDED"),
        (post({"upload-concat": "partial"}), "VALIDATION_ERROR"),
        (post(LENGTH | {"upload-concat": ""}), "VALIDATION_ERROR"),
        (post(LENGTH | {"upload-concat": "whole"}), "VALIDATION_ERROR"),
        (post(LENGTH | FINAL), "VALIDATION_ERROR"),
        (post(DEFERRED | FINAL), "VALIDATION_ERROR"),
        (post(FINAL, 1), "VALIDATION_ERROR"),
        (post(FINAL | CONTENT, chunked=True), "VALIDATION_ERROR"),
        (post(LENGTH | CONTENT, 101), "FILE_SIZE_EXCEEDED"),
        (post({"upload-length": "0"} | CONTENT, 1), "FILE_SIZE_EXCEEDED"),
        (post(DEFERRED | CONTENT, MOST + 1), "FILE_SIZE_EXCEEDED"),
        (post(LENGTH | CONTENT | UNKNOWN, 3), "VALIDATION_ERROR"),
        (post(LENGTH | {"upload-metadata": "filename YQ==,filename Yg=="}), "VALIDATION_ERROR"),
        (post(LENGTH | {"upload-metadata": "filename a.jpg"}), "VALIDATION_ERROR"),
    ],
)
def test_a_creation_that_does_not_hold_is_refused(ask: Ask, code: str) -> None:
    assert code_of(ask) == code


NUMBERS = ["", "-1", "+5", "1e3", "5.0", "0x10", "5, 5", "5,5", " 5", "5\n", "1_0", "٣", "５", "²", "NaN", "9" * 5000]


@pytest.mark.parametrize("written", NUMBERS)
def test_a_length_is_a_plain_number(written: str) -> None:
    assert code_of(post({"upload-length": written})) == "VALIDATION_ERROR"
    assert code_of(patch(AT_30 | {"upload-length": written})) == "VALIDATION_ERROR"


@pytest.mark.parametrize("written", [*NUMBERS, str(2**63), "9" * 100])
def test_an_offset_is_a_plain_number(written: str) -> None:
    assert code_of(patch(AT_30 | {"upload-offset": written})) == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("ask", "wish"),
    [
        (patch(AT_30, 70), Append(30)),
        (patch(CONTENT | {"upload-offset": "0"}), Append(0)),
        (patch(CONTENT | {"upload-offset": str(2**63 - 1)}), Append(2**63 - 1)),
        (patch(AT_30 | {"content-type": "application/offset+octet-stream;charset=utf-8"}), Append(30)),
        (patch(AT_30 | LENGTH), Append(30, 100)),
        (patch(AT_30 | {"upload-length": "1000"}), Append(30, MOST)),
        (patch(AT_30 | CHECKSUM, 3), Append(30, checks=CHECKS)),
    ],
)
def test_an_append_is_understood(ask: Ask, wish: Append) -> None:
    assert TUS.understand(ask) == wish


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (patch({"upload-offset": "30"}, 70), "UNSUPPORTED_MEDIA_TYPE"),
        (patch(AT_30 | {"content-type": "application/octet-stream"}, 70), "UNSUPPORTED_MEDIA_TYPE"),
        (patch(AT_30 | {"content-type": "application/partial-upload"}, 70), "UNSUPPORTED_MEDIA_TYPE"),
        (patch(AT_30 | {"content-type": ""}, 70), "UNSUPPORTED_MEDIA_TYPE"),
        (patch(CONTENT, 70), "VALIDATION_ERROR"),
        (patch(AT_30 | {"upload-length": "1001"}), "FILE_SIZE_EXCEEDED"),
        (patch(AT_30 | UNKNOWN), "VALIDATION_ERROR"),
        (patch(AT_30 | {"upload-checksum": "sha512 " + "A" * 86 + "=="}), "VALIDATION_ERROR"),  # not offered here
        (patch(AT_30 | {"upload-checksum": "sha1 AAAA"}), "VALIDATION_ERROR"),
        (patch(AT_30 | {"upload-checksum": ""}), "VALIDATION_ERROR"),
    ],
)
def test_an_append_that_does_not_hold_is_refused(ask: Ask, code: str) -> None:
    assert code_of(ask) == code


def at(offset: int, length: int | None = None, content_length: int | None = None, *, chunked: bool = False) -> Ask:
    told = {} if length is None else {"upload-length": str(length)}
    return patch(CONTENT | {"upload-offset": str(offset)} | told, content_length, chunked=chunked)


def allowed(ask: Ask, standing: Standing) -> bool:
    wish = TUS.understand(ask)
    assert isinstance(wish, Append)
    return TUS.allow(wish, ask, standing)


@pytest.mark.parametrize(
    ("ask", "standing", "adds"),
    [
        (at(30, None, 70), HALF, True),
        (at(30, None, 1), HALF, True),
        (at(30, None, 0), HALF, True),
        (at(30, None, chunked=True), HALF, True),
        (at(30, 100, 70), HALF, True),
        (at(30, None, 5), replace(HALF, kind=Kind.PARTIAL), True),
        (at(100, None, 0), replace(FULL, complete=False), True),  # all is here, and may still be made whole
        (at(30, None, MOST - 30), OPEN, True),
        (at(30, 40, 10), OPEN, True),
        (at(30, 30, 0), OPEN, True),
        # The last answer was lost on its way.
        (at(100, None, 0), FULL, False),
        (at(100), FULL, False),
        (at(100, 100, 0), FULL, False),
        (at(100, None, chunked=True), FULL, False),
        (at(0, None, 0), Standing("/files/a", 0, 0, complete=True), False),
        (at(100, None, 0), replace(FULL, kind=Kind.PARTIAL), False),
    ],
)
def test_content_that_fits_is_added_unless_it_is_here(ask: Ask, standing: Standing, adds: bool) -> None:
    assert allowed(ask, standing) is adds


@pytest.mark.parametrize(
    ("ask", "standing", "code"),
    [
        (at(29, None, 70), HALF, "OFFSET_MISMATCH"),
        (at(31, None, 69), HALF, "OFFSET_MISMATCH"),
        (at(2**63 - 1, None, 1), HALF, "OFFSET_MISMATCH"),
        (at(0, None, 100), HALF, "OFFSET_MISMATCH"),
        (at(0, None, 0), FULL, "OFFSET_MISMATCH"),
        (at(30, None, 71), HALF, "FILE_SIZE_EXCEEDED"),
        (at(30, 40, 11), OPEN, "FILE_SIZE_EXCEEDED"),
        (at(30, None, MOST - 29), OPEN, "FILE_SIZE_EXCEEDED"),
        (at(100, None, 1), FULL, "FILE_SIZE_EXCEEDED"),
        (at(100, None, 1), replace(FULL, complete=False), "FILE_SIZE_EXCEEDED"),
        (at(30, 101, 70), HALF, "LENGTH_MISMATCH"),
        (at(30, 99, 69), HALF, "LENGTH_MISMATCH"),
        (at(100, 101, 1), FULL, "LENGTH_MISMATCH"),
        (at(0, 101, 101), HALF, "LENGTH_MISMATCH"),  # no offset would help
        (at(30, 29, 0), OPEN, "LENGTH_MISMATCH"),
        (at(0, 0, 0), OPEN, "LENGTH_MISMATCH"),
        (at(0, None, 100), JOINED, "NOT_APPENDABLE"),
        (at(5, 7, 100), JOINED, "NOT_APPENDABLE"),
        (at(100, None, 0), replace(JOINED, offset=100, complete=True), "NOT_APPENDABLE"),
    ],
)
def test_content_that_does_not_fit_is_refused(ask: Ask, standing: Standing, code: str) -> None:
    with pytest.raises(Refused) as refused:
        allowed(ask, standing)
    assert refused.value.problem.code == code


@given(st.integers(0, 50), st.none() | st.integers(0, 50), st.none() | st.integers(0, 50), st.integers(0, 50))
def test_what_is_allowed_never_passes_the_length(
    offset: int, length: int | None, told: int | None, content_length: int
) -> None:
    standing = Standing("/files/a", offset, None if length is None else max(length, offset))
    try:
        allowed(at(offset, told, content_length), standing)
    except Refused:
        return
    for known in (standing.length, told):
        assert known is None or offset + content_length <= known


def answer(status: int, **fields: str) -> Answer:
    return Answer(status, {"Tus-Resumable": "1.0.0"} | {name.replace("_", "-"): text for name, text in fields.items()})


@pytest.mark.parametrize(
    ("standing", "fields"),
    [
        (HALF, {"Upload_Offset": "30"}),
        (replace(HALF, offset=0), {"Upload_Offset": "0"}),
        (FULL, {"Upload_Offset": "100"}),
        (OPEN, {"Upload_Offset": "30"}),
        (replace(HALF, expires_at=EXPIRES), {"Upload_Offset": "30", "Upload_Expires": "Mon, 15 Jan 2024 10:28:30 GMT"}),
        (replace(JOINED, offset=100, complete=True), {"Upload_Offset": "100"}),
        (JOINED, {}),
    ],
)
def test_a_creation_and_an_append_tell_offset_and_expiry(standing: Standing, fields: dict[str, str]) -> None:
    assert TUS.created(standing) == answer(201, Location=standing.location, **fields)
    assert TUS.appended(standing) == answer(204, **fields)


@pytest.mark.parametrize(
    ("standing", "fields"),
    [
        (HALF, {"Upload_Offset": "30", "Upload_Length": "100"}),
        (FULL, {"Upload_Offset": "100", "Upload_Length": "100"}),
        (Standing("/files/a", 0, 0, complete=True), {"Upload_Offset": "0", "Upload_Length": "0"}),
        (OPEN, {"Upload_Offset": "30", "Upload_Defer_Length": "1"}),
        (
            replace(HALF, metadata="filename YQ==, flag"),
            {"Upload_Offset": "30", "Upload_Length": "100", "Upload_Metadata": "filename YQ==, flag"},
        ),
        (
            replace(HALF, kind=Kind.PARTIAL, concat="partial"),
            {"Upload_Offset": "30", "Upload_Length": "100", "Upload_Concat": "partial"},
        ),
        (JOINED, {"Upload_Length": "100", "Upload_Concat": "final;/files/a /files/b"}),
        (replace(JOINED, length=None), {"Upload_Concat": "final;/files/a /files/b"}),
        (
            replace(JOINED, offset=100, complete=True),
            {"Upload_Offset": "100", "Upload_Length": "100", "Upload_Concat": "final;/files/a /files/b"},
        ),
    ],
)
def test_an_upload_is_told_as_it_stands(standing: Standing, fields: dict[str, str]) -> None:
    assert TUS.told(standing) == answer(200, Cache_Control="no-store", **fields)


def test_a_removal_has_nothing_to_tell() -> None:
    assert TUS.removed() == answer(204)


def test_a_description_tells_all_that_can_be_done() -> None:
    assert TUS.described() == answer(
        200,
        Tus_Version="1.0.0",
        Tus_Extension="creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation",
        Tus_Max_Size="1000",
        Tus_Checksum_Algorithm="sha1,sha256,md5,crc32,blake3",
    )


STATUSES = [
    ("VALIDATION_ERROR", 400),
    ("LENGTH_MISMATCH", 400),
    ("NOT_APPENDABLE", 403),
    ("FILE_NOT_FOUND", 404),
    ("METHOD_NOT_ALLOWED", 405),
    ("UPLOAD_GONE", 410),
    ("FILE_SIZE_EXCEEDED", 413),
    ("UNSUPPORTED_MEDIA_TYPE", 415),
    ("UPLOAD_LOCKED", 423),
    ("CHECKSUM_MISMATCH", 460),
    ("INSUFFICIENT_STORAGE", 507),
]


@pytest.mark.parametrize(("code", "status"), STATUSES)
@pytest.mark.parametrize("standing", [None, HALF])
def test_a_refusal_has_its_status_and_no_offset(code: str, status: int, standing: Standing | None) -> None:
    assert TUS.refused(Problem(code), standing, None) == answer(status)


def test_a_refusal_for_the_version_names_ours() -> None:
    assert TUS.refused(Problem("UNSUPPORTED_VERSION"), None, None) == answer(412, Tus_Version="1.0.0")


def test_a_conflict_tells_where_the_upload_stands() -> None:
    conflict = Problem("OFFSET_MISMATCH")
    assert TUS.refused(conflict, HALF, Append(29)) == answer(409, Upload_Offset="30")
    assert TUS.refused(conflict, None, None) == answer(409)
    assert TUS.refused(Problem("UPLOAD_CANCELLED"), HALF, None, over=True) == answer(409, Upload_Offset="30")
    assert TUS.refused(Problem("SESSION_CLOSED"), JOINED, None) == answer(409)


@pytest.mark.parametrize("code", ERRORS)
def test_every_error_has_an_answer(code: str) -> None:
    refused = TUS.refused(Problem(code), HALF, None)
    assert refused.fields["Tus-Resumable"] == "1.0.0"
    assert refused.status >= 400
    assert not refused.members


@pytest.mark.parametrize("first", [True, False])
def test_nothing_is_told_while_content_comes(first: bool) -> None:
    assert TUS.interim(HALF, first=first) is None


@given(st.integers(0, 2**33))
def test_an_expiry_is_a_date_of_http(expires_at: int) -> None:
    told = TUS.appended(replace(HALF, expires_at=float(expires_at))).fields["Upload-Expires"]
    assert len(told) == 29
    assert told.endswith(" GMT")
    assert parsedate_to_datetime(told).timestamp() == expires_at


def test_an_algorithm_without_a_known_digest_is_noticed_at_the_start() -> None:
    with pytest.raises(KeyError, match="sha3"):
        Tus(Limits(MOST, 1, ("sha1", "sha3")))


NEAR = st.sampled_from(
    [
        *(
            text
            for fields in (VERSION, CONTENT, LENGTH, DEFERRED, FINAL, CHECKSUM, UNKNOWN)
            for text in fields.values()
        ),
        *("0", "1000", "1001", "-1", "partial", "final;", "filename YQ==", "filename YQ==,flag", "a\r\nb YQ==", "a,a"),
    ]
)
FIELDS = "length defer-length concat metadata offset checksum"
NAMES = st.sampled_from([*(f"upload-{name}" for name in FIELDS.split()), "content-type", "tus-resumable"])
SAFE_TO_ECHO = frozenset(map(chr, range(0x20, 0x7F))) | {"\t"}


@given(
    st.sampled_from(["POST", "PATCH", "HEAD", "GET", "DELETE", "OPTIONS", "PUT"]) | st.text(max_size=5),
    st.dictionaries(NAMES, NEAR | st.text(max_size=30) | st.tuples(NEAR, st.text(max_size=3)).map("".join)),
    st.booleans(),
    st.none() | st.integers(0, 2**64),
    st.booleans(),
)
@example("POST", LENGTH | {"upload-metadata": "a YQ==\r\nX: y"}, False, None, False)
@example("POST", {"upload-concat": "final;/files/a\r\nX:y"}, False, None, False)
@example("POST", {"upload-concat": "final;http://[/files/a"}, False, None, False)
def test_any_request_is_understood_or_refused(
    method: str, fields: dict[str, str], upload: bool, content_length: int | None, chunked: bool
) -> None:
    for told in (fields, VERSION | fields, VERSION | CONTENT | fields, VERSION | LENGTH | AT_30 | fields):
        try:
            wish = TUS.understand(Ask(method, told, upload, content_length, chunked))
        except Refused as refused:
            assert refused.problem.code in ERRORS  # noqa: PT017 - both ways out are right
            continue
        assert isinstance(wish, get_args(Wish))
        if isinstance(wish, Create):
            assert set((wish.metadata or "") + (wish.concat or "")) <= SAFE_TO_ECHO
            assert wish.length is None or wish.length <= (2**63 - 1 if wish.kind is Kind.WHOLE else MOST)
