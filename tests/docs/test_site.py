"""The docs as a site: every link leads somewhere, every page is reached and leads home, and what is named exists."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from station.config import Config
from tests.docs.page import DOCS, ROOT, anchors, blocks, links, prose, spans

FRONT = DOCS / "README.md"
BESIDE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PAGES = sorted(DOCS.rglob("*.md"))
OPTIONS = {item.name.replace("_", "-") for item in fields(Config)} | {"config", "help"}
# These tell of programs with options of their own.
OF_OTHERS = {"client.md", "benchmarks.md"}
_OPTION = re.compile(r"(?:^|\s)--([a-z][a-z0-9-]*)")
_TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def goals(page: Path) -> list[tuple[str, Path, str]]:
    """Each link to something of ours: as written, the file, the anchor."""
    found = []
    for link in links(text(page)):
        if re.match(r"[a-z][a-z0-9+.-]*:|//", link):
            continue
        place, _, anchor = link.partition("#")
        found.append((link, (page.parent / unquote(place)).resolve() if place else page, anchor))
    return found


def test_every_link_leads_somewhere() -> None:
    dead = []
    for page in [*PAGES, *BESIDE]:
        for link, goal, anchor in goals(page):
            if not goal.exists():
                dead.append(f"{name(page)}: {link}: no such file")
            elif anchor and goal.suffix == ".md" and anchor not in anchors(text(goal)):
                dead.append(f"{name(page)}: {link}: no such heading")
    assert dead == []


def test_no_link_leaves_the_project_by_a_path() -> None:
    outside = [f"{name(page)}: {link}" for page in PAGES for link, goal, _ in goals(page) if ROOT not in goal.parents]
    assert [each for each in outside if not each.endswith((": ./", ": ../"))] == []


def test_every_page_is_reached_from_the_front() -> None:
    reached, waiting = {FRONT}, [FRONT]
    while waiting:
        for _, goal, _ in goals(waiting.pop()):
            page = goal / "README.md" if goal.is_dir() else goal
            if page.suffix == ".md" and page.exists() and page not in reached and DOCS in page.parents:
                reached.add(page)
                waiting.append(page)
    assert [name(page) for page in PAGES if page not in reached] == []


def test_every_page_begins_with_the_way_home_and_one_title() -> None:
    lost = []
    for page in PAGES:
        first, blank, *_ = text(page).splitlines()
        home = re.match(r"\[Home\]\(([^)]+)\)", first)
        if page != FRONT and (home is None or (page.parent / home[1]).resolve() != FRONT or blank):
            lost.append(f"{name(page)}: the first line does not lead home")
        titles = re.findall(r"^# .+$", prose(text(page)), re.MULTILINE)
        if len(titles) != 1:
            lost.append(f"{name(page)}: {len(titles)} titles")
    assert lost == []


def test_the_front_is_no_longer_than_a_screen() -> None:
    assert len(text(FRONT).splitlines()) <= 40


def test_every_option_that_is_named_exists() -> None:
    unknown = []
    for page in [*PAGES, *BESIDE]:
        if page.name in OF_OTHERS or page.parent.name == "decisions":
            continue
        named = [option for span in spans(text(page)) if span.startswith("--") for option in _OPTION.findall(span)]
        lines = [line for _, code in blocks(text(page)) for line in code.splitlines()]
        ours = [line for line in lines if re.search(r"\bmake run ARGS=|upload-station --|server\.py --", line)]
        named += [option for line in ours for option in _OPTION.findall(line.replace('"', " "))]
        unknown += [f"{name(page)}: --{option}" for option in named if option not in OPTIONS]
    assert unknown == []


def test_every_option_has_its_place_in_the_table() -> None:
    protocol = text(DOCS / "protocol.md")
    assert [item.name for item in fields(Config) if f"| `{item.name}` |" not in protocol] == []


def defined_in(file: Path) -> set[str]:
    defined = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(text(file))) if isinstance(node, defined)}


def test_every_test_that_is_named_exists() -> None:
    named = [(page, file, test) for page in PAGES for file, test in _TEST.findall(text(page))]
    assert len(named) > 20
    missing = [
        f"{name(page)}: {file}::{test}"
        for page, file, test in named
        if not (ROOT / file).exists() or test not in defined_in(ROOT / file)
    ]
    assert missing == []


def test_every_sentence_that_is_quoted_is_said() -> None:
    """What docs/faults.md puts into quotes, people see: in a string of the page, the table of errors, or a refusal."""
    said = " ".join(text(ROOT / file) for file in ("static/js/en.js", "station/errors.py", "station/storage.py"))
    said += " " + " ".join(text(page) for page in (ROOT / "static/js/monitor").glob("*.js"))
    faults = re.sub(r"^## Somebody calls.*", "", text(DOCS / "faults.md"), flags=re.MULTILINE | re.DOTALL)
    quoted = re.findall(r'"([A-Z][^"|]+?)"', faults)
    assert len(quoted) > 15
    sentences = [part for quote in quoted for part in re.split(r"(?<=[.?!]) |…", quote) if len(part) > 3]
    assert [part for part in sentences if part.strip(" ,.") not in said] == []
