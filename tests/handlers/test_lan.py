"""Which address of a machine other devices are told, and which names are of no use to them."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from handlers import lan

HOME = [("lo", "127.0.0.1"), ("eth0", "192.168.1.5"), ("lo", "::1"), ("eth0", "fe80::1"), ("eth0", "2001:db8::5")]
TABLES = [
    ("a house", HOME, "192.168.1.5", ["192.168.1.5", "2001:db8::5"]),
    ("no way out", HOME, None, ["192.168.1.5", "2001:db8::5"]),
    ("wire and air", [("wlan0", "192.168.1.6"), ("eth0", "10.0.0.5")], "10.0.0.5", ["10.0.0.5", "192.168.1.6"]),
    ("a rented server", [("eth0", "203.0.114.5"), ("eth1", "10.0.0.5")], None, ["10.0.0.5", "203.0.114.5"]),
    (
        "containers",
        [("docker0", "172.17.0.1"), ("br-0123456789ab", "172.18.0.1"), ("veth12", "10.9.9.9"), ("eth0", "192.168.1.5")],
        None,
        ["192.168.1.5"],
    ),
    ("a tunnel", [("tun0", "10.8.0.2"), ("wlan0", "192.168.1.5")], "10.8.0.2", ["192.168.1.5"]),
    ("a bridge of one's own", [("br-lan", "192.168.1.1"), ("virbr0", "10.0.0.1")], None, ["192.168.1.1"]),
    ("a cable", [("eth0", "169.254.7.7"), ("eth0", "fe80::1")], None, ["169.254.7.7"]),
    ("only IPv6", [("eth0", "2001:db8::5"), ("docker0", "172.17.0.1")], None, ["2001:db8::5"]),
    ("Windows", [("Hyper-V Virtual Ethernet", "10.1.1.1"), ("Wi-Fi", "10.0.0.7")], None, ["10.0.0.7"]),
    ("nothing real", [("wg0", "10.8.0.2"), ("docker0", "172.17.0.1")], None, ["10.8.0.2", "172.17.0.1"]),
    ("no network", [("lo", "127.0.0.1"), ("lo", "::1"), ("eth0", "0.0.0.0"), ("eth0", "fe80::1")], None, []),
]


@pytest.mark.parametrize(("found", "way_out", "expected"), [each[1:] for each in TABLES], ids=[t[0] for t in TABLES])
def test_the_likeliest_address_comes_first(
    found: list[tuple[str, str]], way_out: str | None, expected: list[str]
) -> None:
    assert lan.ranked(found, way_out) == expected


def test_this_machines_addresses_are_its_own() -> None:
    for address in (*lan.addresses(), lan.address()):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as bound:
            bound.bind((address, 0))
    assert not any(ipaddress.ip_address(address).is_loopback for address in lan.addresses())


def test_where_it_listens_at_one_address_that_is_the_one() -> None:
    assert lan.address("192.168.7.7") == "192.168.7.7"
    for everywhere in ("", "0.0.0.0", "::"):
        assert lan.address(everywhere) == lan.address()
    assert not any(":" in address for address in lan.addresses("0.0.0.0"))


def test_an_address_is_written_as_browsers_take_it() -> None:
    assert lan.at("192.168.1.5", 8005) == "192.168.1.5:8005"
    assert lan.at("fd00::5", 8005) == "[fd00::5]:8005"
    assert lan.at("kiosk.local", "") == "kiosk.local"


def test_names_that_lead_a_machine_to_itself_are_of_no_use_to_others() -> None:
    for host in ("localhost", "127.0.0.1", "127.0.1.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "raspberrypi"):
        assert lan.is_only_here(host), host
    assert lan.is_only_here("kiosk.localhost")
    for host in ("192.168.1.5", "fd00::5", "kiosk.local", "files.example", "203.0.114.5"):
        assert not lan.is_only_here(host), host


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("192.168.1.5:8005", "http://192.168.1.5:8005"),
        ("192.168.1.5", "http://192.168.1.5"),
        ("[FD00::5]:8005", "http://[fd00::5]:8005"),
        ("Kiosk.local.:8005", "http://kiosk.local:8005"),
        ("files.example:", "http://files.example"),
    ],
)
def test_the_host_that_was_asked_is_the_one_in_links(host: str, origin: str) -> None:
    start = RequestStartLine("GET", "/", "HTTP/1.1")
    request = HTTPServerRequest(start_line=start, headers=HTTPHeaders({"Host": host}))
    assert lan.origin(request, "") == origin
    assert lan.origin(request, "https://files.example") == "https://files.example"
