"""The real exposition after real uploads: every way, every outcome, in both formats, and nothing that names anybody."""

from __future__ import annotations

import gzip
import platform
from collections.abc import Awaitable, Callable

import pytest

from handlers.metrics import readings
from station.errors import ERRORS
from station.events import Way
from station.meters import JOINS
from station.vitals import Vitals
from tests.handlers.scrape import OPENMETRICS, read, scrape
from tests.handlers.site import (
    BOUNDARY,
    TOKEN,
    Box,
    draft,
    field_part,
    file_part,
    movie,
    on_the_loop,
    until,
)

UPLOADS = "upload_station_uploads_total"
SIZE = 40_000
HALF = movie(SIZE)[: SIZE // 2]


# ---- one upload by each way: whole, and one whose first half has come ----


async def whole(box: Box, way: Way, session_id: str, name: str, body: bytes) -> None:
    match way:
        case Way.RAW:
            await box.put(session_id, name, body)
        case Way.MULTIPART:
            await box.send_form([file_part(name, body)], f"?sessionId={session_id}")
        case Way.TUS:
            await box.add(await box.create(len(body), session_id, name), 0, body)
        case Way.IETF:
            head = {**draft(6, complete=True), **called(name)}
            await box.ask("POST", f"/files/?sessionId={session_id}", body, head)


def called(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


async def half(box: Box, way: Way, session_id: str) -> Callable[[], Awaitable[None]]:
    """Begin an upload and wait until it is told; returns how its connection is reset."""
    watcher = await box.watch(f"?sessionId={session_id}")
    if way is Way.TUS:
        line = await box.begin_add(await box.create(SIZE, session_id, "b.mp4"), 0, SIZE, HALF)
    elif way is Way.RAW:
        line = await box.begin_put(session_id, "b.mp4", SIZE, HALF)
    else:
        line = await box.connect()
        address, head, body = "/files/", {**draft(6, complete=True), **called("b.mp4")}, HALF
        if way is Way.MULTIPART:
            address, head = "/api/upload/batch", {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            body = f"--{BOUNDARY}\r\n".encode() + file_part("b.mp4", HALF)
        line.begin("POST", f"{address}?sessionId={session_id}", {**head, "Content-Length": str(SIZE)})
        line.send(body)
    await watcher.until("upload-started")
    return line.reset


ways = pytest.mark.parametrize("way", [way for way in Way if way is not Way.UNKNOWN])


@ways
@on_the_loop
async def test_a_stored_file_counts_by_its_way_with_its_bytes(box: Box, way: Way) -> None:
    session_id = await box.open(autoComplete=False)
    await whole(box, way, session_id, "a.mp4", movie(SIZE))
    found = await scrape(box)
    assert found("upload_station_uploads_started_total", way=way) == 1
    assert found(UPLOADS, way=way, outcome="completed", code="") == 1
    assert found.sum(UPLOADS) == 1
    assert found("upload_station_received_bytes_total", way=way) == SIZE
    assert found.sum("upload_station_received_bytes_total") == box.station.meters.received == SIZE
    assert found("upload_station_file_size_bytes_sum") == SIZE
    assert found("upload_station_file_size_bytes_bucket", le="65536.0") == 1
    assert found("upload_station_file_size_bytes_bucket", le="16384.0") == 0
    assert found("upload_station_upload_duration_seconds_count") == 1
    assert found("upload_station_upload_speed_bytes_per_second_count") == 1


@ways
@on_the_loop
async def test_a_file_that_is_no_movie_counts_as_refused_by_its_way(box: Box, way: Way) -> None:
    session_id = await box.open(autoComplete=False)
    await whole(box, way, session_id, "a.mp4", b"<html>" + bytes(SIZE))
    found = await scrape(box)
    assert found(UPLOADS, way=way, outcome="failed", code="UNSUPPORTED_FORMAT") == 1
    assert found.sum(UPLOADS) == 1
    assert found("upload_station_file_size_bytes_count") == 0
    assert found("upload_station_requests_refused_total", code="UNSUPPORTED_FORMAT") == 1


@ways
@on_the_loop
async def test_a_cancelled_upload_counts_by_its_way(box: Box, way: Way) -> None:
    session_id = await box.open(autoComplete=False)
    reset = await half(box, way, session_id)
    await box.post(f"/api/upload/cancel/{session_id}")
    await reset()
    found = await scrape(box)
    assert found(UPLOADS, way=way, outcome="cancelled", code="") == 1
    assert found.sum(UPLOADS) == 1  # the cancelling of the whole session is no upload
    assert found("upload_station_files_total", outcome="cancelled") == 1
    assert found("upload_station_sessions_ended_total") == 1


@ways
@on_the_loop
async def test_an_upload_whose_line_broke_counts_by_its_way(box: Box, way: Way) -> None:
    session_id = await box.open(autoComplete=False)
    await (await half(box, way, session_id))()
    failed = {"way": str(way), "outcome": "failed", "code": "NETWORK_ERROR"}
    for _ in range(4):  # a resumable one is forgiven for three seconds
        box.pass_time(1)
        await box.progress(session_id)
    await until(lambda: box.station.dock.deliveries == set(), "the request is over")
    box.pass_time(4)
    await box.station.channels[session_id].committed()
    found = await scrape(box)
    assert found(UPLOADS, **failed) == 1
    assert found.sum(UPLOADS) == 1
    assert found("upload_station_files_total", outcome="failed") == 0  # it may be tried again


@on_the_loop
async def test_partial_uploads_count_their_bytes_once(box: Box) -> None:
    parts = []
    for piece in (movie(SIZE), bytes(SIZE)):
        parts.append(await box.create(len(piece), name="p.mp4", Upload_Concat="partial"))
        await box.add(parts[-1], 0, piece)
    answer = await box.ask(
        "POST",
        "/files/",
        b"",
        {"Tus-Resumable": "1.0.0", "Upload-Concat": f"final;{' '.join(parts)}", "Upload-Metadata": "filename YS5tcDQ="},
    )
    assert answer.status == 201
    await until(lambda: len(box.visible()) == 1, "the joined file is stored")
    found = await scrape(box)
    assert found("upload_station_received_bytes_total", way="tus") == 2 * SIZE
    assert found(UPLOADS, way="tus", outcome="completed", code="") == 1


@on_the_loop
async def test_an_announced_file_that_never_came_has_no_way(box: Box) -> None:
    session_id = await box.open(files=[{"name": "a.mp4", "size": 5}])
    await box.post(f"/api/upload/cancel/{session_id}")
    assert (await scrape(box))(UPLOADS, way="unknown", outcome="cancelled", code="") == 1


@on_the_loop
async def test_an_empty_file_has_no_speed(box: Box) -> None:
    await box.ask("PUT", "/u/a.txt", b"")
    found = await scrape(box)
    assert found("upload_station_file_size_bytes_count") == 1
    assert found("upload_station_upload_speed_bytes_per_second_count") == 0


# ---- who watches ----


@on_the_loop
async def test_joins_count_by_what_they_brought_along(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    await whole(box, Way.RAW, session_id, "a.mp4", movie(SIZE))
    for query in ("", "&lastSeq=1", "&lastSeq=999"):
        await (await box.watch(f"?sessionId={session_id}{query}")).until("session-joined")
    for query in ("", "?lastSeq=1", "?lastSeq=1&epoch=another"):
        await (await box.listen(session_id, query)).next()
    await box.progress(session_id, "?since=1")
    found = await scrape(box)
    for transport in ("websocket", "sse"):
        kinds = {kind: found("upload_station_joins_total", transport=transport, kind=kind) for kind in JOINS}
        assert kinds == {"fresh": 1, "resumed": 1, "resync": 1}
    assert box.station.meters.reconnects == 4
    assert found("upload_station_messages_replayed_total") == 1 + 1 + 1  # both from 1, and what was polled


@on_the_loop
async def test_who_begins_at_nought_comes_for_the_first_time(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    await (await box.watch(f"?sessionId={session_id}&lastSeq=0")).until("session-joined")
    found = await scrape(box)
    assert found("upload_station_joins_total", transport="websocket", kind="fresh") == 1
    assert box.station.meters.reconnects == 0


@pytest.mark.parametrize("options", [["--heartbeat=0.5"]])
@on_the_loop
async def test_a_ping_that_came_back_counts_with_its_time(box: Box) -> None:
    watcher = await box.watch()
    while watcher.pings < 2:  # the second is sent when the first was answered
        opcode, payload = await watcher.frame()
        assert opcode == 9
        watcher.pings += 1
        watcher.send_frame(10, payload)
    await until(lambda: len(trips(box)) > 0, "a pong arrived")
    found = await scrape(box)
    assert found("upload_station_round_trip_seconds_count") >= 1
    assert found("upload_station_round_trip_seconds_bucket", le="10.0") >= 1


def trips(box: Box) -> list[float]:
    return [socket.round_trip for socket in box.station.sockets if socket.round_trip is not None]


@pytest.mark.parametrize("options", [["--outbox-size=64KiB", "--max-files=3000"]])
@pytest.mark.parametrize("transport", ["websocket", "sse"])
@on_the_loop
async def test_a_watcher_that_takes_nothing_counts_when_it_is_dropped(box: Box, transport: str) -> None:
    session_id = await box.open(autoComplete=False)
    if transport == "sse":
        line = await box.connect(receive_buffer=4096)
        line.begin("GET", f"/api/upload/events/{session_id}")
        await line.head()
    else:
        await (await box.watch(f"?sessionId={session_id}", receive_buffer=4096)).until("session-joined")
    for number in range(40):
        await box.send_form(
            [file_part(f"{number}{'x' * 150}-{each}.bad", b"x") for each in range(50)], f"?sessionId={session_id}"
        )
        if (await scrape(box)).sum("upload_station_subscribers_dropped_total"):
            break
    found = await scrape(box)
    assert found("upload_station_subscribers_dropped_total", transport=transport) == 1
    assert found("upload_station_messages_delayed_total") > 0


# ---- the machine ----


@pytest.mark.parametrize("options", [["--durability=full"]])
@on_the_loop
async def test_commits_syncs_and_the_delay_of_the_loop_are_measured(box: Box) -> None:
    await box.ask("PUT", "/u/a.mp4", movie(SIZE))
    box.station.watch.tick()
    found = await scrape(box)
    assert found("upload_station_journal_commit_seconds_count") >= 2
    assert found("upload_station_sync_seconds_count", of="file") >= 1
    assert found("upload_station_sync_seconds_count", of="folder") >= 1
    assert found("upload_station_loop_delay_seconds_count") >= 1


@on_the_loop
async def test_how_things_stand_is_read_when_it_is_asked_for(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    await box.create(SIZE, session_id)
    reset = await half(box, Way.RAW, session_id)
    found = await scrape(box)
    assert found("upload_station_sessions") == 1
    assert found("upload_station_uploads_running") == 1
    assert found("upload_station_uploads_resumable") == 1
    assert found("upload_station_healthy") == 1
    assert found("upload_station_journal_failing") == 0
    assert 0 < found("upload_station_disk_free_bytes") <= found("upload_station_disk_total_bytes")
    assert found("process_resident_memory_bytes") > 1024**2
    assert found.labels["upload_station_build_info"] == {"version"}
    await reset()


@on_the_loop
async def test_who_watches_is_told_by_transport_each_once(box: Box) -> None:
    sessions = [await box.open(autoComplete=False) for _ in range(2)]
    watcher = await box.watch(f"?sessionId={sessions[0]}")
    watcher.say("join-session", {"sessionId": sessions[1]})
    await watcher.until("session-joined", sessionId=sessions[1])
    await (await box.listen(sessions[0])).next()
    polling = await box.connect()
    seq = (await box.progress(sessions[0]))["seq"]
    polling.begin("GET", f"/api/upload/progress/{sessions[0]}?since={seq}&wait=20")
    await until(lambda: box.station.hub.count(sessions[0]) == 3, "the poll waits")
    found = await scrape(box)
    for transport in ("websocket", "sse", "polling"):
        assert found("upload_station_subscribers", transport=transport) == 1


@pytest.mark.parametrize("options", [["--webhook=http://127.0.0.1:9/", "--webhook-events=upload-completed"]])
@on_the_loop
async def test_what_other_programs_are_yet_to_be_told_is_told(box: Box) -> None:
    assert (await scrape(box))("upload_station_letters", hook="webhook", state="waiting") == 0
    await box.ask("PUT", "/u/a.mp4", movie(SIZE))
    found = await scrape(box)
    assert found("upload_station_letters", hook="webhook", state="waiting") == 1
    assert found("upload_station_letters", hook="webhook", state="dead") == 0


@on_the_loop
async def test_the_machine_is_told_once_it_was_looked_at(box: Box) -> None:
    box.station.monitor.vitals = Vitals()
    told = {reading.name: list(reading.values) for reading in readings(box.station, "1.0")}
    assert told["box_memory_ratio"] == told["box_cpu_ratio"] == []
    for _ in range(2):
        box.station.monitor.vitals.read()
    assert 0 < (await scrape(box))("upload_station_box_memory_ratio") < 1


# ---- the exposition itself ----


@on_the_loop
async def test_both_formats_tell_the_same(box: Box) -> None:
    await box.ask("PUT", "/u/a.mp4", movie(SIZE))
    plain, modern = await scrape(box), await scrape(box, OPENMETRICS)
    assert modern.text.endswith("# EOF\n")
    assert {name for name, _ in plain.values} == {name for name, _ in modern.values}
    assert plain(UPLOADS, way="raw", outcome="completed", code="") == 1
    assert modern(UPLOADS, way="raw", outcome="completed", code="") == 1


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
        "application/openmetrics-text; version=x.y",
        "application/openmetrics-text; version=9.9; escaping=../../etc",
        "text/plain; version=one",
        "text/plain; version=1.0.0; escaping=\xe9\x85",
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
        "," * 5000,
        "=;=,;" * 500,
    ],
)
@on_the_loop
async def test_whatever_is_accepted_the_answer_is_whole(box: Box, accept: str) -> None:
    answer = await box.ask("GET", "/metrics", headers={"Accept": accept})
    kind = answer.headers["Content-Type"]
    assert answer.status == 200
    assert kind.startswith("application/openmetrics-text; version=1.0.0" if "openmetrics" in accept else "text/plain")
    assert not {"x.y", "9.9", "etc", "one"} & set(kind.replace(";", " ").replace("=", " ").split())
    assert read(answer.body.decode(), kind)("upload_station_sessions") == 0
    assert "Accept" in answer.headers["Vary"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
@on_the_loop
async def test_whoever_asks_again_within_a_second_gets_the_same_however_it_goes(box: Box, accept: str) -> None:
    box.clock.stop()
    before = await box.ask("GET", "/metrics", headers={"Accept": accept})
    await box.open(autoComplete=False)
    box.clock.ahead += 0.9
    again = await box.ask("GET", "/metrics", headers={"Accept": accept})
    packed = await box.ask("GET", "/metrics", headers={"Accept": accept, "Accept-Encoding": "gzip"})
    assert again.body == before.body == gzip.decompress(packed.body)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Type"] == again.headers["Content-Type"]
    assert "Accept-Encoding" in again.headers["Vary"]
    box.clock.ahead += 0.2
    later = await box.ask("GET", "/metrics", headers={"Accept": accept})
    packed = await box.ask("GET", "/metrics", headers={"Accept": accept, "Accept-Encoding": "gzip"})
    assert read(later.body.decode(), later.headers["Content-Type"])("upload_station_sessions") == 1
    assert later.body == gzip.decompress(packed.body)


@on_the_loop
async def test_strangers_do_not_learn_which_python_runs(box: Box) -> None:
    assert platform.python_version() not in (await scrape(box)).text


@on_the_loop
async def test_no_label_comes_from_a_client(box: Box) -> None:
    session_id = await box.open(files=[{"name": "holiday.mp4", "size": 9000}])
    await box.put(session_id, "holiday.mp4", movie(9000))
    await box.ask("PUT", "/u/hostile%22%0Aname.exe", movie(5))
    await box.post(f"/api/upload/cancel/{session_id}", {"reason": "spite"})
    await box.watch("?sessionId=nobody")
    await box.send_form([field_part("category", "evil"), file_part("a.mp4", movie(9))])
    found = await scrape(box)
    bounded: dict[str, set[str]] = {
        "way": set(Way),
        "outcome": {"completed", "failed", "cancelled"},
        "code": {"", *ERRORS},
    }
    for _, labels in found.values:
        for label, value in labels:
            assert value in bounded.get(label, {value})
    for secret in (session_id, "holiday", "hostile", "spite", "nobody", "evil", str(box.station.storage.root)):
        assert secret not in found.text


@on_the_loop
async def test_head_tells_the_kind_and_other_methods_are_refused(box: Box) -> None:
    answer = await box.ask("HEAD", "/metrics")
    assert (answer.status, answer.body) == (200, b"")
    assert (await box.post("/metrics")).status == 405
    assert (await scrape(box))("upload_station_requests_refused_total", code="METHOD_NOT_ALLOWED") == 1


@pytest.mark.parametrize("options", [["--metrics-open=no"]])
@on_the_loop
async def test_metrics_that_are_not_open_are_the_operators(box: Box) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = await box.ask("GET", "/metrics", headers=headers)
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    assert (await box.ask("OPTIONS", "/metrics")).status == 204
    answer = await box.ask("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert read(answer.body.decode())("upload_station_requests_refused_total", code="UNAUTHORIZED") == 2
