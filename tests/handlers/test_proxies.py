"""Who really asks: what trusted proxies say is believed, what anybody else says is not."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from handlers.proxies import Proxies, address_of
from tests.handlers.site import Box, on_the_loop

TRUSTED = ("127.0.0.1/32", "::1/128", "10.0.0.0/8", "fd00::/8")
CLIENT = "203.0.113.7"

field_texts = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=60)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


def seen(
    peer: str, fields: dict[str, str], networks: tuple[str, ...] = TRUSTED, protocol: str = "http"
) -> tuple[str | None, str]:
    """Address and scheme of a request that came from `peer`."""
    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", "/", "HTTP/1.1"), headers=HTTPHeaders({"Host": "localhost", **fields})
    )
    request.remote_ip, request.protocol = peer, protocol
    Proxies(networks).see_through(request)
    return request.remote_ip, request.protocol


def trusted(address: str) -> bool:
    return seen(address, {"X-Forwarded-Proto": "https"})[1] == "https"


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("", "127.0.0.1"),
        (CLIENT, CLIENT),
        ("2001:db8::7", "2001:db8::7"),
        (f" {CLIENT} ", CLIENT),
        (f"198.51.100.1, {CLIENT}", CLIENT),
        (f"unknown,{CLIENT}", CLIENT),
        (f"{CLIENT}, 10.1.2.3", CLIENT),
        (f"{CLIENT},10.1.2.3,  10.1.2.4", CLIENT),
        (f"198.51.100.1,{CLIENT},10.1.2.3", CLIENT),
        ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
        ("unknown, 10.1.2.3", "10.1.2.3"),
        (f"{CLIENT},,10.1.2.3", "10.1.2.3"),
        ("unknown", "127.0.0.1"),
        (f"{CLIENT}:4711", CLIENT),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        (f"::ffff:{CLIENT}", CLIENT),
        ("203.0.113.07", "127.0.0.1"),
        ("10.0.0.1," * 5000 + "10.0.0.2", "10.0.0.1"),
    ],
)
def test_the_client_is_the_nearest_address_that_no_trusted_proxy_has(chain: str, client: str) -> None:
    assert seen("127.0.0.1", {"X-Forwarded-For": chain})[0] == client


@pytest.mark.parametrize(
    ("said", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("http", "http"),
        ("http, https", "https"),
        ("https, http", "http"),
        ("", "http"),
        ("wss", "http"),
        ("https\x85", "http"),
        ("javascript", "http"),
    ],
)
def test_the_scheme_is_what_the_proxy_says_if_it_is_one(said: str, scheme: str) -> None:
    assert seen("10.0.0.1", {"X-Forwarded-Proto": said})[1] == scheme


@pytest.mark.parametrize("said", ["http", "https", "https, http", "", "javascript"])
def test_nobody_takes_the_stations_own_tls_away(said: str) -> None:
    assert seen("10.0.0.1", {"X-Forwarded-Proto": said}, protocol="https")[1] == "https"


def test_a_socket_for_both_kinds_of_addresses_changes_nothing() -> None:
    said = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}
    assert seen("::ffff:127.0.0.1", said) == (CLIENT, "https")
    assert seen("::ffff:198.51.100.9", said) == ("198.51.100.9", "http")
    assert seen("::ffff:198.51.100.9", said, ()) == ("198.51.100.9", "http")


@given(peer=addresses, chain=st.one_of(field_texts, addresses), scheme=st.one_of(field_texts, st.just("https")))
def test_nobody_believes_a_stranger(peer: str, chain: str, scheme: str) -> None:
    fields = {"X-Forwarded-For": chain, "X-Forwarded-Proto": scheme, "X-Real-IP": chain, "Forwarded": f"for={chain}"}
    assert seen(peer, fields, ()) == (str(address_of(peer)), "http")
    if not trusted(peer):
        assert seen(peer, fields) == (str(address_of(peer)), "http")


@given(client=addresses, made_up=st.one_of(field_texts, addresses), real=addresses)
def test_what_a_client_makes_up_before_its_proxy_adds_its_address_counts_for_nothing(
    client: str, made_up: str, real: str
) -> None:
    fields = {"X-Forwarded-For": f"{made_up}, {client}", "X-Real-IP": real, "Forwarded": f"for={real}"}
    found, _ = seen("10.0.0.1", fields)
    if not trusted(client):
        assert found == str(address_of(client))


@given(peer=addresses, chain=field_texts, scheme=field_texts)
def test_whatever_is_said_an_address_and_a_scheme_come_out(peer: str, chain: str, scheme: str) -> None:
    found, protocol = seen(peer, {"X-Forwarded-For": chain, "X-Forwarded-Proto": scheme}, ("0.0.0.0/0", "::/0"))
    assert str(ip_address(found or "")) == found
    assert protocol in {"http", "https"}


# ---- in the station ----


def forwarded(client: str, scheme: str = "https") -> dict[str, str]:
    return {"X-Forwarded-For": client, "X-Forwarded-Proto": scheme, "Content-Type": "application/json"}


async def guesses(box: Box, client: str, count: int) -> int:
    """The status of the last of so many wrong PINs."""
    for _ in range(count):
        answer = await box.ask("POST", "/api/upload/pin", b'{"pin": "9999"}', forwarded(client))
    return answer.status


@pytest.mark.parametrize("options", [["--upload-pin=246810", "--trusted-proxies=127.0.0.1"]])
@on_the_loop
async def test_behind_a_trusted_proxy_each_client_has_tries_of_its_own(box: Box) -> None:
    assert await guesses(box, CLIENT, 30) == 429
    assert await guesses(box, "203.0.113.8", 1) == 401
    answer = await box.ask("POST", "/api/upload/pin", b'{"pin": "246810"}', forwarded("203.0.113.9"))
    assert answer.status == 204
    assert "; secure" in answer.headers["Set-Cookie"].lower()


@pytest.mark.parametrize("options", [["--upload-pin=246810", "--trusted-proxies=192.0.2.1"]])
@on_the_loop
async def test_whoever_is_no_trusted_proxy_cannot_guess_on_under_other_names(box: Box) -> None:
    for number in range(30):
        status = await guesses(box, f"203.0.113.{number}", 1)
    assert status == 429
    page = await box.ask("GET", "/", headers=forwarded(CLIENT))
    assert "Cross-Origin-Opener-Policy" not in page.headers, "and is not taken for one that came by https"


@pytest.mark.parametrize("options", [["--trusted-proxies=127.0.0.1"]])
@on_the_loop
async def test_links_and_origins_are_those_that_the_proxy_serves(box: Box) -> None:
    fields = {**forwarded(CLIENT), "Host": "station.example", "Origin": "https://station.example"}
    answer = await box.ask("PUT", "/u/a.mp4", b"hello" * 10, fields)
    assert answer.status == 201
    assert "<https://station.example/s/" in answer.headers["Link"]
    assert (await box.ask("PUT", "/u/b.mp4", b"hello", {**fields, "X-Forwarded-Proto": "http"})).status == 403
