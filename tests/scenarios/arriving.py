"""Scenarios of files that arrive: whole, in pieces, in forms, with and without a session."""

from __future__ import annotations

from tests.scenarios.happenings import Passes, Watch
from tests.scenarios.play import Scenario
from tests.scenarios.requests import Begin, Complete, Form, More, Open, Piece, Put

ARRIVING = (
    Scenario(
        "One file",
        "Every upload is told like this one. The last message repeats where the session stands; it has no number.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Put("a.txt", 5),
                "201",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
                "3 session-completed completedFiles=1 failedFiles=0 cancelledFiles=0 uploadedSize=5",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "Several announced files",
        "With `files` each gets its id, and its place in the order, before it comes.",
        (
            (Open({"files": [{"name": "a.txt", "size": 5}, {"name": "b.txt", "size": 7}]}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Put("b.txt", 7, True),
                "201",
                "1 upload-started file=b fileSize=7 attempt=1",
                "- upload-progress file=b progress=100 overallStatus=uploading",
                "2 upload-completed file=b fileSize=7",
            ),
            (
                Put("a.txt", 5, True),
                "201",
                "3 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "4 upload-completed file=a fileSize=5",
                "5 session-completed completedFiles=2 failedFiles=0 cancelledFiles=0 uploadedSize=12",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "Three files of which one is refused",
        "A refused file has no start, and counts among those that were expected.",
        (
            (Open({"expectedFiles": 3}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Form((("sessionId", "session"), ("a.txt", 5), ("b.exe", 6), ("c.txt", 7))),
                "200, success: false",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
                "3 upload-failed file=b code=UNSUPPORTED_FORMAT canRetry=false retryCount=0 uploadedBytes=0",
                "4 upload-started file=c fileSize=7 attempt=1",
                "- upload-progress file=c progress=100 overallStatus=uploading",
                "5 upload-completed file=c fileSize=7",
                "6 session-completed completedFiles=2 failedFiles=1 cancelledFiles=0 uploadedSize=12",
                "- upload-progress file=c progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "Progress while the bytes come",
        "At least half a second and one percent apart, and never silent for more than two seconds while bytes flow.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Begin("a.txt", 100000, 1024),
                "",
                "1 upload-started file=a fileSize=100000 attempt=1",
                "- upload-progress file=a progress=1.02 overallStatus=uploading",
            ),
            (Passes(0.25), ""),
            (Piece("a.txt", 1024, 20000), ""),
            (Passes(0.25), ""),
            (Piece("a.txt", 21024, 20000), "", "- upload-progress file=a progress=41.02 overallStatus=uploading"),
            (Passes(0.5), ""),
            (Piece("a.txt", 41024, 100), ""),
            (Passes(2), "", "- upload-progress file=a progress=41.12 overallStatus=uploading"),
            (
                More("a.txt", 100000, 41124),
                "201",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=100000",
                "3 session-completed completedFiles=1 failedFiles=0 cancelledFiles=0 uploadedSize=100000",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "A form without a session",
        "The session is opened by the way and settles with the request; its id is in the answer.",
        (
            (Form((("category", "scenic"), ("a.txt", 5), ("b.txt", 7))), "200"),
            (
                Watch(0),
                "101",
                "- session-joined seq=0 currentSeq=5 overallStatus=completed",
                "1 upload-started file=a fileSize=5 attempt=1",
                "2 upload-completed file=a fileSize=5",
                "3 upload-started file=b fileSize=7 attempt=1",
                "4 upload-completed file=b fileSize=7",
                "5 session-completed completedFiles=2 failedFiles=0 cancelledFiles=0 uploadedSize=12",
                "- upload-progress file=b progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "PUT /u/ without a session",
        "The same for one raw file.",
        (
            (Put("a.txt", 5, implicit=True), "201"),
            (
                Watch(0),
                "101",
                "- session-joined seq=0 currentSeq=3 overallStatus=completed",
                "1 upload-started file=a fileSize=5 attempt=1",
                "2 upload-completed file=a fileSize=5",
                "3 session-completed completedFiles=1 failedFiles=0 cancelledFiles=0 uploadedSize=5",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "The session's id comes last",
        "Until the session is known nothing is published or told. Then started, 100 %, completed follow in order.",
        (
            (Open({"expectedFiles": 2}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Form((("a.txt", 5), ("b.txt", 7), ("sessionId", "session"))),
                "200",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
                "3 upload-started file=b fileSize=7 attempt=1",
                "- upload-progress file=b progress=100 overallStatus=uploading",
                "4 upload-completed file=b fileSize=7",
                "5 session-completed completedFiles=2 failedFiles=0 cancelledFiles=0 uploadedSize=12",
                "- upload-progress file=b progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "An unknown id comes last",
        "Nothing is stored, and nobody is told anything.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (Form((("a.txt", 5), ("sessionId", "00000000-0000-4000-8000-00000000beef"))), "404 SESSION_NOT_FOUND"),
        ),
    ),
    Scenario(
        "Two ids that differ",
        "The request is refused as a whole.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Form((("sessionId", "00000000-0000-4000-8000-00000000beef"), ("a.txt", 5)), "?sessionId=…"),
                "400 VALIDATION_ERROR",
            ),
        ),
    ),
    Scenario(
        "Zero bytes",
        "An empty file is a file.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Put("a.txt", 0),
                "201",
                "1 upload-started file=a fileSize=0 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=0",
                "3 session-completed completedFiles=1 failedFiles=0 cancelledFiles=0 uploadedSize=0",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "An empty file input",
        "A form whose file input was left empty sends a part without name and bytes: it is no file.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (Form((("sessionId", "session"), ("", 0))), "400 NO_FILES"),
            (
                Form((("sessionId", "session"), ("", 0), ("a.txt", 5))),
                "200",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
                "3 session-completed completedFiles=1 failedFiles=0 cancelledFiles=0 uploadedSize=5",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "More files than a session may hold",
        "The request beyond `max_files` is no file, and is told to nobody.",
        (
            (Open({"autoComplete": False}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Put("a.txt", 5),
                "201",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
            ),
            (
                Put("b.txt", 6),
                "201",
                "3 upload-started file=b fileSize=6 attempt=1",
                "- upload-progress file=b progress=100 overallStatus=uploading",
                "4 upload-completed file=b fileSize=6",
            ),
            (Put("c.txt", 7), "400 TOO_MANY_FILES"),
            (
                Complete(),
                "200",
                "5 session-completed completedFiles=2 failedFiles=0 cancelledFiles=0 uploadedSize=11",
                "- upload-progress file=b progress=100 overallStatus=completed",
            ),
        ),
        options={"max_files": 2},
    ),
)
