"""The language is changed while files are being sent: nothing is broken off, and the choice is remembered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Request, expect

from tests.e2e.doing import MIB, ended, film, row, send, slow_down

if TYPE_CHECKING:
    from tests.e2e.conftest import Running, Visitors


def test_the_language_changes_while_sending_and_is_remembered(
    visitors: Visitors, station: Running, tmp_path: Path
) -> None:
    path = film(tmp_path, "a.mp4", 6 * MIB)
    page = visitors.page("/?lang=en", locale="fr-FR")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    brake = slow_down(page, MIB // 8)
    send(page, path)
    expect(row(page, "a.mp4", "uploading")).to_contain_text("Sending")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(row(page, "a.mp4", "uploading")).to_contain_text("上传中")
    brake.detach()
    assert ended(page) == "doneTitle"
    expect(page.get_by_role("heading", level=1)).to_have_text("上传完成")
    assert page.title() == "上传完成"
    assert [request.method for request in asked if "/files/" in request.url] == ["POST", "PATCH"]
    assert [stored.read_bytes() for stored in station.stored()] == [path.read_bytes()]
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("上传完成")
    other = page.context.new_page()
    other.goto("/")
    expect(other.get_by_role("heading", level=1)).to_have_text("上传文件")
