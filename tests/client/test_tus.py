"""One upload at a real station."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.faults import Refusal, Unfit
from client.link import Link
from client.source import Reading, Source, gather
from client.sums import Sum
from client.tus import Halted, Upload, upload_path
from tests.handlers.site import Box, on_the_loop


def source_of(path: Path) -> Source:
    (source,) = gather([str(path)], recursive=False)
    assert isinstance(source, Source)
    return source


async def add(upload: Upload, piece: range, *, checked: bool = False, halt: bool = False) -> int:
    with Reading(upload.source) as reading:
        total = Sum("blake3", reading.read)
        return await upload.add(reading, piece, total, checked=checked, go_on=lambda: not halt)


@pytest.mark.parametrize("checked", [False, True])
@on_the_loop
async def test_a_file_goes_up_in_pieces(box: Box, link: Link, film: Path, checked: bool) -> None:
    upload = Upload(link, source_of(film), await box.open(), "")
    await upload.make()
    assert upload.file_id
    assert await upload.stands() == 0
    assert await add(upload, range(500), checked=checked) == 500
    assert await upload.stands() == 500
    assert await add(upload, range(500, upload.source.size), checked=checked) == upload.source.size
    (stored,) = box.visible()
    assert stored.read_bytes() == film.read_bytes()


@on_the_loop
async def test_an_announced_file_is_the_one_that_was_announced(box: Box, link: Link, film: Path) -> None:
    size = film.stat().st_size
    opened = await link.call("POST", "/api/upload/session", {"files": [{"name": film.name, "size": size}]})
    upload = Upload(link, source_of(film), opened["sessionId"], opened["files"][0]["fileId"])
    await upload.make()
    await upload.make()  # the first answer might have been lost
    await add(upload, range(size))
    assert [file["status"] for file in (await box.progress(opened["sessionId"]))["files"]] == ["completed"]


@on_the_loop
async def test_a_wrong_offset_is_refused(box: Box, link: Link, film: Path) -> None:
    upload = Upload(link, source_of(film), await box.open(), "")
    await upload.make()
    with pytest.raises(Refusal) as refused:
        await add(upload, range(5, 10))
    assert refused.value.code == "OFFSET_MISMATCH"


@on_the_loop
async def test_an_upload_that_is_gone_is_told(box: Box, link: Link, film: Path) -> None:
    upload = Upload(link, source_of(film), await box.open(), "", "/files/nowhere")
    with pytest.raises(Refusal) as refused:
        await upload.stands()
    assert refused.value.is_gone


@on_the_loop
async def test_the_address_of_another_files_upload_counts_as_gone(box: Box, link: Link, film: Path) -> None:
    other = await box.create(5, await box.open())
    with pytest.raises(Refusal) as refused:
        await Upload(link, source_of(film), "", "", other).stands()
    assert refused.value.is_gone


@on_the_loop
async def test_sending_is_halted_when_there_is_no_use_in_it(box: Box, link: Link, film: Path) -> None:
    upload = Upload(link, source_of(film), await box.open(), "")
    await upload.make()
    with pytest.raises(Halted):
        await add(upload, range(500), halt=True)
    assert await upload.stands() == 0


@on_the_loop
async def test_a_file_that_changed_is_not_sent(box: Box, link: Link, film: Path) -> None:
    session_id = await box.open()
    upload = Upload(link, source_of(film), session_id, "")
    await upload.make()
    with Reading(upload.source) as reading:
        film.write_bytes(b"other")
        with pytest.raises(Unfit, match="changed"):
            await upload.add(reading, range(500), Sum("blake3", reading.read), checked=False, go_on=lambda: True)
    await box.post(f"/api/upload/cancel/{session_id}")


BASE = "http://kiosk.local:8005"


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/files/abc", "/files/abc"),
        ("abc", "/files/abc"),
        (f"{BASE}/files/abc", "/files/abc"),
        ("http://evil.example/files/abc", None),
        ("//evil.example/files/abc", None),
        ("https://kiosk.local:8005/files/abc", None),
        ("/files/", None),
        ("", None),
        ("/api/upload/session", None),
        ("../api/x", None),
        ("http://[::1", None),
    ],
)
def test_only_an_address_of_this_station_is_an_uploads(address: str, path: str | None) -> None:
    assert upload_path(BASE, address) == path


@given(st.text())
def test_no_remembered_address_leads_elsewhere(address: str) -> None:
    path = upload_path(BASE, address)
    assert path is None or path.startswith("/files/")
