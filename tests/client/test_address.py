"""What people give as an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.address import Place, place_of, session_of

ID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("192.168.1.5:8005", Place("http://192.168.1.5:8005")),
        ("kiosk.local", Place("http://kiosk.local:8005")),
        (" http://kiosk.local/ ", Place("http://kiosk.local")),
        ("https://files.example", Place("https://files.example")),
        ("HTTP://Kiosk.local:80", Place("http://kiosk.local:80")),
        ("[::1]:8005", Place("http://[::1]:8005")),
        ("http://[fe80::1]/", Place("http://[fe80::1]")),
        (f"http://kiosk.local:8005/s/{ID}", Place("http://kiosk.local:8005", session_id=ID)),
        (f"kiosk.local/s/{ID}/", Place("http://kiosk.local:8005", session_id=ID)),
        ("http://kiosk.local/j/204871", Place("http://kiosk.local", code="204871")),
        ("http://kiosk.local/j?code=204%20871", Place("http://kiosk.local", code="204 871")),
    ],
)
def test_an_address_leads_to_a_place(text: str, place: Place) -> None:
    assert place_of(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ftp://kiosk.local",
        "http://",
        "http://a b",
        "http://kiosk.local:99999",
        "http://user:secret@kiosk.local",
        "http://kiosk.local/s/",
        "http://kiosk.local/s/../x",
        "http://kiosk.local/s/a/b",
        "http://kiosk.local/s/a%0d%0ab",
        "http://kiosk.local/j/x",
        "http://[::1",
        "kiosk.local:port",
        "kiosk.local\r\nX: y",
    ],
)
def test_anything_else_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError) as told:
        place_of(text)
    assert "secret" not in str(told.value)


@given(st.text())
def test_no_text_breaks_it_or_gets_into_a_request(text: str) -> None:
    try:
        place = place_of(text)
    except ValueError:
        return
    assert place.base.isprintable()
    assert " " not in place.base + place.session_id


def test_a_session_is_named_by_its_link_or_its_id() -> None:
    assert session_of(ID) == Place("", session_id=ID)
    assert session_of(f"http://kiosk.local/s/{ID}").session_id == ID
    for text in ("http://kiosk.local", "kiosk.local", "no id", ""):
        with pytest.raises(ValueError):
            session_of(text)


def test_the_link_of_a_session() -> None:
    assert Place("http://kiosk.local").link(ID) == f"http://kiosk.local/s/{ID}"
