"""The form for the short code, as on a phone that has no JavaScript: one field, one button, and the session opens."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.e2e.axe import findings
from tests.e2e.conftest import Running, Visitors


def post(station: Running, path: str, value: object) -> Any:
    address = station.url.replace("station.local", "127.0.0.1") + path
    with urlopen(Request(address, json.dumps(value).encode(), method="POST"), timeout=60) as answer:
        return json.load(answer)


def test_a_code_is_typed_without_javascript(visitors: Visitors, station: Running) -> None:
    session_id = post(station, "/api/upload/session", {"autoComplete": False})["sessionId"]
    code = post(station, f"/api/upload/handover/{session_id}", {})["code"]
    page = visitors.page("/j", java_script_enabled=False, viewport={"width": 320, "height": 568})
    page.get_by_label("Six digits").fill("12345")
    page.get_by_role("button").click()
    assert page.get_by_role("alert").inner_text().startswith("There is no such code")
    page.get_by_label("Six digits").fill(f"{code[:3]} {code[3:]}")
    page.get_by_role("button").click()
    page.wait_for_url(f"**/s/{session_id}")
    assert page.locator("input[type=file]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/j", "/j/12345?lang=zh"])
def test_nothing_is_wrong_with_the_form_for_those_who_cannot_see_it(visitors: Visitors, scheme: str, path: str) -> None:
    page = visitors.page(path, color_scheme=scheme)
    assert findings(page) == []
    assert page.evaluate("document.activeElement.id") == "code"
    small = page.eval_on_selector_all("input:not([type=hidden]), button", "all => all.map((e) => e.offsetHeight)")
    assert min(small) >= 44
