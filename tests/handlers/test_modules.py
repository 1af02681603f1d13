"""The list of modules of a page, held against what a browser would have to find by itself."""

from __future__ import annotations

import re

import pytest

from handlers.modules import STATIC, needed, sentences


@pytest.mark.parametrize(
    "names", [("js/main.js",), ("js/main.js", "js/zh.js", "js/rest.js"), ("js/kiosk.js", "js/en.js")]
)
def test_a_page_names_each_module_that_it_imports_and_no_other(names: tuple[str, ...]) -> None:
    listed = needed(*names)
    assert f"/static/{names[0]}" not in listed
    assert len(listed) > 10
    reached = {f"/static/{name}" for name in names}
    for _ in range(len(listed)):
        reached |= {address for module in reached for address in imports(module)}
    assert reached - {f"/static/{names[0]}"} == set(listed)


def test_the_largest_is_asked_for_first() -> None:
    assert needed("js/main.js")[0] == "/static/vendor/vue.runtime.esm-browser.prod.js"


def test_a_first_look_does_without_what_sends_and_watches() -> None:
    first = needed("js/main.js", "js/en.js")
    assert {
        "/static/js/uploads.js",
        "/static/js/transports.js",
        "/static/js/sending.js",
        "/static/js/zh.js",
    }.isdisjoint(first)
    assert len(first) < 30


def test_each_language_has_its_sentences() -> None:
    assert [sentences(language) for language in ("zh-CN", "en")] == ["js/zh.js", "js/en.js"]


def imports(address: str) -> set[str]:
    path = STATIC.parent / address[1:]
    if path.parent.name == "vendor":
        return set()
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"(?:\bfrom|^import) '([^']+)'", text, re.MULTILINE)
    return {f"/{(path.parent / each).resolve().relative_to(STATIC.parent).as_posix()}" for each in named}
