"""The operator's JSON over real requests: who may ask, what is answered, and what hostile questions get."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.handlers.site import HANDSHAKE, TOKEN, UNKNOWN, Answer, Box, Json, Watcher, on_the_loop, until

BEARER = {"Authorization": f"Bearer {TOKEN}"}
ADDRESSES = ("overview", "series", "distribution", "sessions", f"sessions/{UNKNOWN}")


async def ask(box: Box, target: str) -> Answer:
    return await box.get(f"/api/monitor/{target}", BEARER)


async def told(box: Box, target: str) -> Any:
    answer = await ask(box, target)
    assert answer.status == 200, answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


async def stored(box: Box, name: str = "a.txt", **fields: Any) -> str:
    """A settled session with one stored file."""
    session_id = await box.open(files=[{"name": name, "size": 5}], **fields)
    assert (await box.put(session_id, quote(name), b"hello")).status == 201
    await until(lambda: session_id not in box.station.channels, "it settled")
    return session_id


# ---- who may ask ----


@on_the_loop
@pytest.mark.parametrize("address", ADDRESSES)
async def test_nobody_else_may_ask(box: Box, address: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic abc"}, {"Cookie": "operator=1"}):
        answer = await box.get(f"/api/monitor/{address}", headers)
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
        assert b"sessions" not in answer.body


@on_the_loop
@pytest.mark.parametrize("address", ADDRESSES)
async def test_there_is_nothing_to_send(box: Box, address: str) -> None:
    answer = await box.ask("POST", f"/api/monitor/{address}", b"{}", BEARER)
    assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")


# ---- what is answered ----


@on_the_loop
async def test_the_overview_is_that_of_the_station_with_its_version(box: Box) -> None:
    session_id = await box.open(files=[{"name": "a.txt", "size": 5}])
    overview = await told(box, "overview")
    assert overview["version"] == box.site.settings["version"]
    assert [row["sessionId"] for row in overview["sessions"]] == [session_id]
    assert [each["name"] for each in overview["indicators"]][:2] == ["latency", "reconnects"]


@on_the_loop
async def test_the_charts_are_an_hour_and_a_day(box: Box) -> None:
    assert (await told(box, "series"))["span"] == "hour"
    assert len((await told(box, "series?span=day"))["points"]["at"]) == 288


@on_the_loop
async def test_what_is_stored_is_counted_by_size_type_and_category(box: Box) -> None:
    await stored(box, "a.txt")
    await stored(box, "b.pdf", category="scenic")
    counted = await told(box, "distribution")
    assert counted["sizes"][0]["files"] == 2
    assert [each["type"] for each in counted["types"]] == ["pdf", "txt"]
    assert [each["category"] for each in counted["categories"]] == ["personal", "scenic"]


@on_the_loop
async def test_sessions_now_and_past_by_state_words_and_category_page_by_page(box: Box) -> None:
    first = await stored(box, "假期 1.txt")
    second = await stored(box, "work.txt", category="scenic")
    running = await box.open(files=[{"name": "假期 2.txt", "size": 5}])

    async def ids(query: str) -> list[str]:
        return [row["sessionId"] for row in (await told(box, f"sessions?{query}"))["sessions"]]

    assert await ids("") == [running, second, first]
    assert await ids("state=running") == [running]
    assert await ids("state=completed") == [second, first]
    assert await ids("state=failed") == []
    assert await ids("category=scenic") == [second]
    assert await ids(f"q={quote('假期')}") == [running, first]
    assert await ids(f"q={first[:8]}") == [first]
    page = await told(box, "sessions?limit=2")
    assert [row["sessionId"] for row in page["sessions"]] == [running, second]
    rest = await told(box, f"sessions?limit=2&before={quote(page['next'])}")
    assert ([row["sessionId"] for row in rest["sessions"]], rest["next"]) == ([first], None)


@on_the_loop
async def test_a_session_that_others_can_read_no_more_is_still_told(box: Box) -> None:
    session_id = await stored(box)
    box.clock.ahead += 86_400 + 60
    gone = await box.get(f"/api/upload/progress/{session_id}")
    assert (gone.status, gone.code) == (404, "SESSION_NOT_FOUND")
    kept = await told(box, f"sessions/{session_id}")
    assert kept["session"]["overallStatus"] == "completed"
    assert [each["event"] for each in kept["events"]] == ["upload-started", "upload-completed", "session-completed"]
    assert len((await told(box, f"sessions/{session_id}?after=2"))["events"]) == 1


# ---- hostile questions ----


@on_the_loop
@pytest.mark.parametrize(
    "query",
    [
        "series?span=year",
        "series?span=hour%00",
        "sessions?state=open",
        "sessions?limit=x",
        "sessions?limit=-1",
        "sessions?limit=201",
        "sessions?limit=1e2",
        "sessions?limit=" + "9" * 5000,
        "sessions?limit=%D9%A1",
        "sessions?before=x",
        "sessions?before=nan~" + UNKNOWN,
        "sessions?before=-1~" + UNKNOWN,
        "sessions?before=1e999~" + UNKNOWN,
        "sessions?before=1~",
        "sessions?before=1~%27;DROP%20TABLE%20sessions",
        "sessions?before=%D9%A1~" + UNKNOWN,
        "sessions?q=" + "x" * 201,
        f"sessions/{UNKNOWN}?after=-1",
        f"sessions/{UNKNOWN}?after=x",
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(box: Box, query: str) -> None:
    await stored(box)
    answer = await ask(box, query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert len(answer.body) < 2000
    assert len((await told(box, "sessions"))["sessions"]) == 1


@on_the_loop
@pytest.mark.parametrize(
    "text", ["%FF%FE", "%00", "%27%20OR%201=1--", "%25", "_", "%5C", "<script>", "%E2%80%AE", "\\'"]
)
async def test_words_of_any_kind_find_only_what_holds_them(box: Box, text: str) -> None:
    await stored(box)
    for query in (f"sessions?q={text}", f"sessions?category={text}"):
        assert (await told(box, query))["sessions"] == []


@on_the_loop
@pytest.mark.parametrize("session_id", [UNKNOWN, "x", "%00", "monitor", "..%2f..%2fetc", "x" * 2000, "%FF"])
async def test_a_session_that_is_none_is_not_found(box: Box, session_id: str) -> None:
    answer = await ask(box, f"sessions/{session_id}")
    assert answer.status in {400, 404}
    assert answer.code in {"SESSION_NOT_FOUND", "NOT_FOUND", "VALIDATION_ERROR"}


# ---- over the WebSocket ----


@on_the_loop
async def test_an_operator_is_told_at_once_and_every_other_second(box: Box) -> None:
    watcher = await box.watch(headers=BEARER)
    watcher.say("join-monitor", {})
    joined = await watcher.until("monitor-joined")
    assert joined.keys() == (await told(box, "overview")).keys()
    session_id = await stored(box)
    await box.station.monitor.beat()
    update = await watcher.until("monitor-update", changes=box.station.monitor.changes)
    assert update["changes"] > joined["changes"]
    assert update["sessions"] == []
    await box.station.orders.delete_stored(await first_file(box, session_id))
    assert (await watcher.until("file-deleted"))["sessionId"] == session_id
    assert "seq" not in watcher.heard[0]
    watcher.say("leave-monitor", {})
    await watcher.until("monitor-left")
    await box.station.monitor.beat()
    watcher.say("nonsense")
    await watcher.error()
    assert watcher.heard[-2]["event"] == "monitor-left", "nothing came after that"


async def first_file(box: Box, session_id: str) -> str:
    return str((await told(box, f"sessions/{session_id}"))["session"]["files"][0]["id"])


@on_the_loop
async def test_one_session_is_watched_on_the_same_socket(box: Box) -> None:
    session_id = await box.open(files=[{"name": "a.txt", "size": 5}])
    watcher = await box.watch(headers=BEARER)
    watcher.say("join-monitor", {})
    watcher.say("join-session", session_id)
    await box.put(session_id, "a.txt", b"hello")
    await watcher.until("session-completed")
    assert {"monitor-joined", "session-joined", "upload-completed"} <= {each["event"] for each in watcher.heard}


@on_the_loop
async def test_two_operators_are_told_the_same(box: Box) -> None:
    watchers = [await box.watch(headers=BEARER) for _ in range(2)]
    for watcher in watchers:
        watcher.say("join-monitor", {})
        await watcher.until("monitor-joined")
    marker = await box.open()
    await box.station.monitor.beat()
    one, other = [await update_with(watcher, marker) for watcher in watchers]
    assert one == other
    await watchers[0].close()
    await until(lambda: box.station.hub.count("monitor") == 1, "it left")


async def update_with(watcher: Watcher, session_id: str) -> Json:
    """The first that tells of this session; the station's own beat, every other second, may tell others before."""
    while True:
        update = await watcher.until("monitor-update")
        if session_id in {row["sessionId"] for row in update["sessions"]}:
            return update


@on_the_loop
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Cookie": "upload_operator=forged"}])
async def test_nobody_else_is_let_in(box: Box, headers: dict[str, str]) -> None:
    watcher = await box.watch(headers=headers)
    watcher.say("join-monitor", {"token": TOKEN})
    assert await watcher.error() == "UNAUTHORIZED"
    for event in ("join-session", "join-session"):
        watcher.say(event, "monitor")
        assert await watcher.error() == "SESSION_NOT_FOUND"
    await box.station.monitor.beat()
    watcher.say("leave-session", "monitor")
    await watcher.until("session-left")
    assert {each["event"] for each in watcher.heard} == {"error", "session-left"}
    assert box.station.hub.count("monitor") == 0


@on_the_loop
async def test_other_ways_of_watching_lead_to_no_monitor(box: Box) -> None:
    watcher = await box.watch(headers=BEARER)
    watcher.say("join-monitor", {})
    await watcher.until("monitor-joined")
    for address in ("/api/upload/events/monitor", "/api/upload/progress/monitor?since=0&wait=1"):
        assert (await box.get(address)).code == "SESSION_NOT_FOUND"


@pytest.mark.parametrize("options", [["--heartbeat=10min"]])  # the slow one owes pongs, too
@on_the_loop
async def test_a_slow_operator_gets_the_newest_and_holds_up_nobody(box: Box) -> None:
    slow = await box.watch(receive_buffer=4096, headers=BEARER)
    slow.say("join-monitor", {})
    await slow.until("monitor-joined")
    quick = await box.watch(headers=BEARER)
    quick.say("join-monitor", {})
    await quick.until("monitor-joined")
    for _ in range(60):
        await box.open(files=[{"name": f"{'x' * 200}.txt", "size": 5}] * 3)
    for _ in range(300):
        await box.station.monitor.beat()
        await quick.until("monitor-update")
    assert box.station.hub.count("monitor") == 2, "it waits, and costs one message"
    marker = await box.open(files=[{"name": "last.txt", "size": 5}])
    await box.station.monitor.beat()
    await update_with(slow, marker)
    assert len(slow.heard) < 100, "those in between were never sent"


@on_the_loop
async def test_the_handshake_asks_nobody_for_a_token(box: Box) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        line = await box.connect()
        line.begin("GET", "/ws", {**HANDSHAKE, **headers})
        status, got = await line.head()
        assert (status, got.get("WWW-Authenticate")) == (101, None)
