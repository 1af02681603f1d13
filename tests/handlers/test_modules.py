"""The list of modules of a page, held against what a browser would have to find by itself."""

from __future__ import annotations

import re

import pytest

from handlers.modules import STATIC, needed


@pytest.mark.parametrize("name", ["js/main.js"])
def test_a_page_names_each_module_that_it_imports_and_no_other(name: str) -> None:
    listed = needed(name)
    assert f"/static/{name}" not in listed
    assert len(listed) > 10
    reached = {f"/static/{name}"}
    for _ in range(len(listed)):
        reached |= {address for module in reached for address in imports(module)}
    assert reached - {f"/static/{name}"} == set(listed)


def imports(address: str) -> set[str]:
    path = STATIC.parent / address[1:]
    if path.parent.name == "vendor":
        return set()
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"(?:\bfrom|^import) '([^']+)'", text, re.MULTILINE)
    return {f"/{(path.parent / each).resolve().relative_to(STATIC.parent).as_posix()}" for each in named}
