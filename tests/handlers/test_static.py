"""The page's own files: compressed once, whole or in part, changed or not, and under two addresses."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from handlers.modules import STATIC, needed
from handlers.static import Copies, Static
from tests.handlers.site import Box, on_the_loop

ZIPPED = {"Accept-Encoding": "gzip"}
VUE = "/static/vendor/vue.runtime.esm-browser.prod.js"


def on_disk(address: str) -> bytes:
    return (STATIC.parent / address[1:]).read_bytes()


@on_the_loop
async def test_a_file_comes_compressed_with_its_length_or_as_it_is(box: Box) -> None:
    packed, plain = await box.get(VUE, ZIPPED), await box.get(VUE)
    assert gzip.decompress(packed.body) == plain.body == on_disk(VUE)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    for answer in (packed, plain):
        assert answer.headers["Content-Length"] == str(len(answer.body))
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"] == "no-cache"
    assert packed.headers["Etag"] != plain.headers["Etag"], "a strong tag names bytes"


@on_the_loop
async def test_what_would_not_become_smaller_is_left_alone(box: Box, tmp_path: Path) -> None:
    (tmp_path / "a.webp").write_bytes(b"picture")
    own(box, tmp_path)
    answer = await box.get("/own/a.webp", ZIPPED)
    assert answer.body == b"picture"
    assert "Content-Encoding" not in answer.headers


@on_the_loop
async def test_head_tells_what_get_would(box: Box) -> None:
    for asked in (ZIPPED, {}):
        get, head = await box.get(VUE, asked), await box.ask("HEAD", VUE, headers=asked)
        names = ("Content-Length", "Content-Encoding", "Etag", "Vary", "Content-Type")
        assert [head.headers.get(name) for name in names] == [get.headers.get(name) for name in names]
        assert (head.status, head.body) == (200, b"")


@on_the_loop
async def test_a_copy_that_is_still_good_is_answered_304_and_only_for_its_own_coding(box: Box) -> None:
    tag = {"If-None-Match": (await box.get(VUE, ZIPPED)).headers["Etag"]}
    again = await box.get(VUE, {**ZIPPED, **tag})
    assert (again.status, again.body) == (304, b"")
    assert "Content-Encoding" not in again.headers
    assert (await box.get(VUE, tag)).status == 200


@on_the_loop
async def test_a_part_is_a_part_of_the_plain_file(box: Box) -> None:
    answer = await box.get(VUE, {"Range": "bytes=10-19"})
    assert (answer.status, answer.body) == (206, on_disk(VUE)[10:20])


@on_the_loop
async def test_a_file_that_was_changed_is_seen_at_once(box: Box, tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_text("1;")
    own(box, tmp_path)
    old = await box.get("/own/a.js", ZIPPED)
    path.write_text("2;")
    os.utime(path, ns=(1, 1))
    new = await box.get("/own/a.js", {**ZIPPED, "If-None-Match": old.headers["Etag"]})
    assert (new.status, gzip.decompress(new.body)) == (200, b"2;")


def test_a_file_is_compressed_once(tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_text("1;")
    copies = Copies()
    assert copies.of(str(path)) is copies.of(str(path))


@on_the_loop
async def test_a_module_that_did_not_come_is_there_under_further_addresses(box: Box) -> None:
    first = set(needed("js/main.js"))
    rest = sorted({"/static/js/rest.js", *needed("js/main.js", "js/rest.js")} - first)
    assert len(rest) > 20
    for address in rest:
        answer = await box.get(address.replace("/static/", "/static/again-3/"))
        assert (answer.status, answer.body) == (200, on_disk(address)), address


@on_the_loop
async def test_what_the_page_has_already_stays_the_same_module_there(box: Box) -> None:
    for address in ("/static/js/html.js", "/static/js/timers.js", VUE):
        answer = await box.get(address.replace("/static/", "/static/again-1/"))
        assert answer.body.decode() == f"export * from '{address}'\n"
        assert answer.headers["Content-Type"].startswith("text/javascript")
    # `export *` leaves the default out.
    for address in needed("js/main.js", "js/rest.js"):
        assert address.startswith("/static/vendor/") or b"export default" not in on_disk(address), address


@on_the_loop
async def test_only_modules_have_further_addresses(box: Box) -> None:
    for address in ("/static/again-1/css/page.css", "/static/again-1/js/nothing.js", "/static/again-x/js/html.js"):
        assert (await box.get(address)).code == "NOT_FOUND"


@on_the_loop
async def test_a_name_that_no_file_can_have_is_not_found(box: Box) -> None:
    for address in ("/static/js/%00", "/static/again-1/js/%00", "/static/%00", f"/static/js/{'x' * 300}.js"):
        answer = await box.get(address)
        assert (answer.status, answer.code) == (404, "NOT_FOUND"), address


def own(box: Box, folder: Path) -> None:
    given = {"station": box.station, "path": str(folder), "copies": Copies()}
    box.site.add_handlers(".*", [("/own/(.*)", Static, given)])
