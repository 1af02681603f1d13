"""Scenarios of sessions: how they end, and how they are watched."""

from __future__ import annotations

from tests.scenarios.happenings import Cut, Passes, Return, Say, Wake, Watch
from tests.scenarios.play import Scenario
from tests.scenarios.requests import Begin, Break, Cancel, Complete, More, Open, Put

ENDING = (
    Scenario(
        "Cancelling when one file is stored",
        "What is stored stays. The client that is still sending gets its answer.",
        (
            (
                Open(
                    {
                        "files": [
                            {"name": "a.txt", "size": 5},
                            {"name": "b.txt", "size": 4096},
                            {"name": "c.txt", "size": 7},
                        ]
                    }
                ),
                "201",
            ),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Put("a.txt", 5),
                "201",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
            ),
            (
                Begin("b.txt", 4096, 2048),
                "",
                "3 upload-started file=b fileSize=4096 attempt=1",
                "- upload-progress file=b progress=50 overallStatus=uploading",
            ),
            (
                Cancel(reason="closing time"),
                "200, cancelledFiles: 2",
                "4 upload-cancelled file=b reason=closing time uploadedBytes=2048",
                "5 upload-cancelled file=c reason=closing time uploadedBytes=0",
                "6 upload-cancelled reason=closing time uploadedBytes=2053",
                "7 session-completed completedFiles=1 failedFiles=0 cancelledFiles=2 uploadedSize=2053",
                "- upload-progress file=c progress=0 overallStatus=cancelled",
            ),
            (More("b.txt", 4096, 2048), "409 UPLOAD_CANCELLED"),
        ),
    ),
    Scenario(
        "Cancelling one file",
        "The others go on, also when the client notices late.",
        (
            (Open({"files": [{"name": "a.txt", "size": 4096}, {"name": "b.txt", "size": 7}]}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Begin("a.txt", 4096, 2048, True),
                "",
                "1 upload-started file=a fileSize=4096 attempt=1",
                "- upload-progress file=a progress=50 overallStatus=uploading",
            ),
            (Cancel("a.txt"), "200, cancelledFiles: 1", "2 upload-cancelled file=a reason=user uploadedBytes=2048"),
            (More("a.txt", 4096, 2048), "409 UPLOAD_CANCELLED"),
            (
                Put("b.txt", 7, True),
                "201",
                "3 upload-started file=b fileSize=7 attempt=1",
                "- upload-progress file=b progress=100 overallStatus=uploading",
                "4 upload-completed file=b fileSize=7",
                "5 session-completed completedFiles=1 failedFiles=0 cancelledFiles=1 uploadedSize=2055",
                "- upload-progress file=b progress=100 overallStatus=completed",
            ),
            (Cancel("b.txt"), "409 SESSION_CLOSED"),
        ),
    ),
    Scenario(
        "Cancelling from the watcher",
        "Whoever knows the session may cancel, over the WebSocket too.",
        (
            (Open({"expectedFiles": 2}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Begin("a.txt", 4096, 2048),
                "",
                "1 upload-started file=a fileSize=4096 attempt=1",
                "- upload-progress file=a progress=50 overallStatus=uploading",
            ),
            (
                Say("upload-cancel", more={"reason": "user"}),
                "",
                "2 upload-cancelled file=a reason=user uploadedBytes=2048",
                "3 upload-cancelled reason=user uploadedBytes=2048",
                "4 session-completed completedFiles=0 failedFiles=0 cancelledFiles=1 uploadedSize=2048",
                "- upload-progress file=a progress=50 overallStatus=cancelled",
            ),
            (More("a.txt", 4096, 2048), "409 UPLOAD_CANCELLED"),
        ),
    ),
    Scenario(
        "An open-ended session",
        "Without `expectedFiles` a session settles `settle_linger` after its last upload.",
        (
            (Open(), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Put("a.txt", 5),
                "201",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
            ),
            (Passes(1), ""),
            (
                Put("b.txt", 7),
                "201",
                "3 upload-started file=b fileSize=7 attempt=1",
                "- upload-progress file=b progress=100 overallStatus=uploading",
                "4 upload-completed file=b fileSize=7",
            ),
            (Passes(1), ""),
            (
                Passes(1),
                "",
                "5 session-completed completedFiles=2 failedFiles=0 cancelledFiles=0 uploadedSize=12",
                "- upload-progress file=b progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "Open until told otherwise",
        "`autoComplete: false` waits for `complete`.",
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
            (Passes(60), ""),
            (
                Complete(),
                "200",
                "3 session-completed completedFiles=1 failedFiles=0 cancelledFiles=0 uploadedSize=5",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
            (Put("b.txt", 7), "409 SESSION_CLOSED"),
        ),
    ),
    Scenario(
        "Complete while a file is being sent",
        "What is being sent goes on, what waits is cancelled.",
        (
            (Open({"files": [{"name": "a.txt", "size": 4096}, {"name": "b.txt", "size": 7}]}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Begin("a.txt", 4096, 2048, True),
                "",
                "1 upload-started file=a fileSize=4096 attempt=1",
                "- upload-progress file=a progress=50 overallStatus=uploading",
            ),
            (Complete(), "200", "2 upload-cancelled file=b reason=session-completed uploadedBytes=0"),
            (
                More("a.txt", 4096, 2048),
                "201",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "3 upload-completed file=a fileSize=4096",
                "4 session-completed completedFiles=1 failedFiles=0 cancelledFiles=1 uploadedSize=4096",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "Joining after the end",
        "Snapshot, then what was missed, then the last message.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Put("a.txt", 5), "201"),
            (
                Watch(1),
                "101",
                "- session-joined seq=1 currentSeq=3 overallStatus=completed",
                "2 upload-completed file=a fileSize=5",
                "3 session-completed completedFiles=1 failedFiles=0 cancelledFiles=0 uploadedSize=5",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "Joining after the end without a position",
        "The snapshot holds everything; nothing is replayed.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Put("a.txt", 5), "201"),
            (
                Watch(),
                "101",
                "- session-joined seq=3 currentSeq=3 overallStatus=completed",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "A position of another epoch",
        "It means nothing here: the snapshot says `resync`, and the client goes on from its `seq`.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Put("a.txt", 5), "201"),
            (
                Watch(1, epoch="another"),
                "101",
                "- session-joined seq=3 currentSeq=3 overallStatus=completed resync=true",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "Fewer files than expected",
        "After `session_timeout` without any activity the session ends with what it has.",
        (
            (Open({"expectedFiles": 2}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Put("a.txt", 5),
                "201",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
            ),
            (Passes(1799), ""),
            (
                Passes(1),
                "",
                "3 session-completed completedFiles=1 failedFiles=0 cancelledFiles=0 uploadedSize=5",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "An announced file that never comes",
        "It is cancelled by the time-out.",
        (
            (Open({"files": [{"name": "a.txt", "size": 5}, {"name": "b.txt", "size": 7}]}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Put("a.txt", 5),
                "201",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
            ),
            (
                Passes(1800),
                "",
                "3 upload-cancelled file=b reason=session-timeout uploadedBytes=0",
                "4 session-completed completedFiles=1 failedFiles=0 cancelledFiles=1 uploadedSize=5",
                "- upload-progress file=b progress=0 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "A session to which nothing comes",
        "Its last message belongs to no file.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Passes(1800),
                "",
                "1 session-completed completedFiles=0 failedFiles=0 cancelledFiles=0 uploadedSize=0",
                "- upload-progress progress=0 overallStatus=cancelled",
            ),
        ),
    ),
    Scenario(
        "Two watchers of which one sleeps",
        "The phone does not read while everything happens. It delays nobody and loses nothing.",
        (
            (Open({"expectedFiles": 2}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (Watch(reader="phone"), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Put("a.txt", 5),
                "201",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
            ),
            (
                Begin("b.txt", 4096, 2048),
                "",
                "3 upload-started file=b fileSize=4096 attempt=1",
                "- upload-progress file=b progress=50 overallStatus=uploading",
            ),
            (
                Break("b.txt"),
                "",
                "4 upload-failed file=b code=NETWORK_ERROR canRetry=true retryCount=0 uploadedBytes=2048",
            ),
            (
                Put("b.txt", 4096, True),
                "201",
                "5 upload-started file=b fileSize=4096 attempt=2",
                "- upload-progress file=b progress=100 overallStatus=uploading",
                "6 upload-completed file=b fileSize=4096",
                "7 session-completed completedFiles=2 failedFiles=0 cancelledFiles=0 uploadedSize=6149",
                "- upload-progress file=b progress=100 overallStatus=completed",
            ),
            (
                Wake("phone"),
                "",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
                "3 upload-started file=b fileSize=4096 attempt=1",
                "- upload-progress file=b progress=50 overallStatus=uploading",
                "4 upload-failed file=b code=NETWORK_ERROR canRetry=true retryCount=0 uploadedBytes=2048",
                "5 upload-started file=b fileSize=4096 attempt=2",
                "- upload-progress file=b progress=100 overallStatus=uploading",
                "6 upload-completed file=b fileSize=4096",
                "7 session-completed completedFiles=2 failedFiles=0 cancelledFiles=0 uploadedSize=6149",
                "- upload-progress file=b progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "A watcher that was cut off",
        "It comes back with the number it remembers and gets what it missed, once, in order.",
        (
            (Open({"expectedFiles": 2}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Put("a.txt", 5),
                "201",
                "1 upload-started file=a fileSize=5 attempt=1",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=5",
            ),
            (Cut(), ""),
            (Begin("b.txt", 4096, 2048), ""),
            (Break("b.txt"), ""),
            (
                Return(),
                "101",
                "- session-joined seq=2 currentSeq=4 overallStatus=uploading",
                "3 upload-started file=b fileSize=4096 attempt=1",
                "4 upload-failed file=b code=NETWORK_ERROR canRetry=true retryCount=0 uploadedBytes=2048",
            ),
            (
                Put("b.txt", 4096, True),
                "201",
                "5 upload-started file=b fileSize=4096 attempt=2",
                "- upload-progress file=b progress=100 overallStatus=uploading",
                "6 upload-completed file=b fileSize=4096",
                "7 session-completed completedFiles=2 failedFiles=0 cancelledFiles=0 uploadedSize=6149",
                "- upload-progress file=b progress=100 overallStatus=completed",
            ),
        ),
    ),
    Scenario(
        "Pausing what cannot be paused",
        "Only resumable uploads can rest. The answer goes to who asked.",
        (
            (Open({"expectedFiles": 1}), "201"),
            (Watch(), "101", "- session-joined seq=0 currentSeq=0 overallStatus=pending"),
            (
                Begin("a.txt", 4096, 2048),
                "",
                "1 upload-started file=a fileSize=4096 attempt=1",
                "- upload-progress file=a progress=50 overallStatus=uploading",
            ),
            (Say("upload-pause", "a.txt"), "", "- error event=upload-pause code=NOT_RESUMABLE"),
            (
                Say("upload-progress", more={"requestUpdate": True}),
                "",
                "- upload-progress file=a progress=50 overallStatus=uploading",
            ),
            (
                More("a.txt", 4096, 2048),
                "201",
                "- upload-progress file=a progress=100 overallStatus=uploading",
                "2 upload-completed file=a fileSize=4096",
                "3 session-completed completedFiles=1 failedFiles=0 cancelledFiles=0 uploadedSize=4096",
                "- upload-progress file=a progress=100 overallStatus=completed",
            ),
        ),
    ),
)
