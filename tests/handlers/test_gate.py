"""The gate: host names on every route, origins on whatever changes something, for real requests."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.gate import Gate, host_of
from tests.handlers.site import FRIEND, HANDSHAKE, OUR_NAME, UNKNOWN, Box, addresses, on_the_loop

FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:8005",
    "192.168.1.5.evil",
    "localhost.evil",
    "evil.example.",
    "EVIL.EXAMPLE",
    "station.example.evil",
    "xstation.example",
    "a.b.local",
    ".local",
    "local",
    "evil.local.example",
    "user@127.0.0.1",
    "127.0.0.1@evil.example",
    "[::1",
    "[::1].evil",
    "[evil.example]",
    "999.1.1.1",
    "0x7f.1",
]
OUR_HOSTS = [
    "127.0.0.1",
    "127.0.0.1:8005",
    "192.168.1.5",
    "[::1]",
    "[::1]:8005",
    "[FE80::1]",
    "localhost",
    "LocalHost:80",
    "localhost.",
    "localhost.:8005",
    "kiosk.local",
    "KIOSK-2.local.",
    "testbox",
    OUR_NAME,
    f"{OUR_NAME.upper()}.:443",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
@on_the_loop
async def test_a_foreign_host_name_is_refused_on_every_route(box: Box, host: str) -> None:
    for address in addresses(box):
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
            answer = await box.ask(method, address, headers={"Host": host})
            assert answer.status in ({421} if ok_for_tornado(host) else {421, 400}), (method, address, host)
            if answer.body and answer.status == 421:
                assert answer.code == "FORBIDDEN_HOST"
            assert "Set-Cookie" not in answer.headers


def ok_for_tornado(host: str) -> bool:
    """Tornado itself answers a bare 400 to a Host that cannot be one."""
    return re.fullmatch(r"[A-Za-z0-9.:-]+", host) is not None


@on_the_loop
async def test_a_foreign_host_name_is_refused_for_a_socket_a_star_and_an_absolute_address(box: Box) -> None:
    evil = {"Host": "evil.example"}
    assert (await box.ask("GET", "/ws", headers={**HANDSHAKE, **evil})).code == "FORBIDDEN_HOST"
    assert (await box.ask("OPTIONS", "*", headers=evil)).code == "FORBIDDEN_HOST"
    absolute = await box.ask("GET", f"{box.url}/health", headers=evil)
    assert absolute.code == "FORBIDDEN_HOST"


@on_the_loop
async def test_a_missing_host_is_refused(box: Box) -> None:
    for version in (b"HTTP/1.1", b"HTTP/1.0"):
        line = await box.connect()
        line.send(b"GET /health " + version + b"\r\nConnection: close\r\n\r\n")
        assert (await line.answer()).status in {400, 200}
    line = await box.connect()
    line.send(b"GET /health HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n")
    assert (await line.answer()).status in {400, 421}


@pytest.mark.parametrize("host", OUR_HOSTS)
@on_the_loop
async def test_the_station_answers_to_addresses_and_its_own_names(box: Box, host: str) -> None:
    assert (await box.get("/health", {"Host": host})).status == 200


ORIGINS = [
    (None, True),
    ("{url}", True),
    (FRIEND, True),
    (FRIEND.upper(), True),
    ("null", False),
    ("http://127.0.0.1:1", False),
    ("https://{host}", False),
    ("http://evil.example", False),
    (f"{FRIEND}.evil", False),
    (f"{FRIEND}:8443", False),
    ("http://intranet.example", False),
    ("http://[", False),
    ("", False),
    ("file://", False),
]


@pytest.mark.parametrize(("origin", "welcome"), ORIGINS)
@on_the_loop
async def test_only_our_own_pages_may_change_something(box: Box, origin: str | None, welcome: bool) -> None:
    headers = {} if origin is None else {"Origin": origin.format(url=box.url, host=box.host)}
    session_id = await box.open(autoComplete=False)
    changing = [
        ("POST", "/api/upload/session"),
        ("POST", "/api/upload/validate"),
        ("POST", "/api/upload/batch"),
        ("PUT", f"/api/upload/session/{session_id}/files/a.mp4"),
        ("PUT", "/u/a.mp4"),
        ("DELETE", f"/api/upload/file/{UNKNOWN}"),
        ("POST", f"/api/upload/complete/{session_id}"),
        ("POST", f"/api/upload/cancel/{session_id}"),
    ]
    for method, address in changing:
        answer = await box.ask(method, address, b"", headers)
        refused = answer.status == 403 and answer.code == "FORBIDDEN_ORIGIN"
        assert refused is not welcome, (method, address, origin, answer.body)
    if not welcome:
        assert box.session(session_id).takes_files


@pytest.mark.parametrize(("origin", "welcome"), ORIGINS)
@on_the_loop
async def test_only_our_own_pages_may_open_a_socket(box: Box, origin: str | None, welcome: bool) -> None:
    headers = {} if origin is None else {"Origin": origin.format(url=box.url, host=box.host)}
    for extra in ({}, {"Sec-Fetch-Site": "same-origin"}):
        line = await box.connect()
        line.begin("GET", "/ws", {**HANDSHAKE, **headers, **extra})
        status, _ = await line.head()
        assert status == (101 if welcome else 403)
        await line.close()


@pytest.mark.parametrize(
    ("site", "status"), [("none", 201), ("same-origin", 201), ("same-site", 403), ("cross-site", 403), ("", 403)]
)
@on_the_loop
async def test_a_browser_that_says_it_comes_from_elsewhere_is_believed(box: Box, site: str, status: int) -> None:
    headers = {"Sec-Fetch-Site": site}
    assert (await box.post("/api/upload/session", {}, headers)).status == status
    # Reading is no change: browsers keep the answer from the other page.
    assert (await box.get("/health", headers)).status == 200


@on_the_loop
async def test_a_socket_from_elsewhere_is_refused_also_without_an_origin(box: Box) -> None:
    for site, status in [("cross-site", 403), ("same-site", 403), ("same-origin", 101), ("none", 101)]:
        line = await box.connect()
        line.begin("GET", "/ws", {**HANDSHAKE, "Sec-Fetch-Site": site})
        assert (await line.head())[0] == status
        await line.close()


@on_the_loop
async def test_a_page_of_a_configured_origin_may_read_the_answers_and_no_other_may(box: Box) -> None:
    for origin, allowed in [(FRIEND, FRIEND), ("http://evil.example", None), ("null", None)]:
        answer = await box.get("/api/upload/config", {"Origin": origin})
        assert answer.status == 200
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        preflight = await box.ask(
            "OPTIONS", "/api/upload/session", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )
        assert preflight.status == 204
        assert preflight.headers.get("Access-Control-Allow-Origin") == allowed
        assert ("Access-Control-Allow-Methods" in preflight.headers) is (allowed is not None)
        if allowed is not None:
            assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
            assert "Origin" in ",".join(preflight.headers.get_list("Vary"))


@given(st.text(max_size=40))
def test_no_host_header_makes_the_gate_fail(text: str) -> None:
    gate = Gate((), (), ())
    gate.answers_to(text)
    assert not gate.answers_to(f"{host_of(text)}.evil.example")


@given(st.sampled_from(["localhost", "kiosk.local", "10.0.0.7", OUR_NAME]), st.integers(0, 65535))
def test_port_case_and_final_dot_make_no_difference(name: str, port: int) -> None:
    gate = Gate((), (OUR_NAME,), ())
    for spelled in (name, name.upper(), f"{name}.", f"{name}:{port}", f"{name.upper()}.:{port}"):
        assert gate.answers_to(spelled)
