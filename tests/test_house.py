"""The rules of the house that no linter holds: who may import what, what is never called, how long
a room may be.

A rule speaks about the modules that are there; none asks for a module that is not built yet.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("client", "handlers", "station")

# A dependency is imported in one place, so that it can be replaced in one place.
AT_HOME = {
    "tornado": ("server.py", "handlers/*", "client/*"),
    "ujson": ("station/wire.py", "client/wire.py"),
    "json": (),
    "streaming_form_data": ("station/multipart.py",),
    "sqlite3": tuple(
        f"station/{room}.py"
        for room in (
            *("archive", "catalogue", "census", "deletion", "deliveries", "forgetting", "history", "journal"),
            *("retention", "rows", "schema"),
        )
    ),
    "filetype": ("station/formats.py",),
    "puremagic": ("station/formats.py",),
    "http_sf": ("station/fields.py",),
    "blake3": ("station/digest.py", "client/sums.py"),
    "segno": ("handlers/qr.py",),
    "ifaddr": ("handlers/lan.py",),
    "zeroconf": ("handlers/mdns.py",),
    "prometheus_client": ("station/meters.py",),
    "psutil": ("station/vitals.py",),
    "tqdm": ("client/*",),
}

# A bare task is forgotten by everyone, swallows its error and outlives its owner; a PeriodicCallback follows
# the wall clock, which a kiosk without a clock of its own sets back by years. A TaskGroup keeps and minds its own.
LOOSE = {"create_task", "ensure_future", "PeriodicCallback", "spawn_callback"}
TASKS = "station/tasks.py"

# Time is monotonic and passed in; one module reads the wall clock.
WALL = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
CLOCK = "station/clock.py"

# Markup from text is how a file name becomes a script.
MARKUP = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|eval\(|new Function)")
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)

# In CI a skipped test is a failed one; pytest's are caught in conftest.py, Node's here.
SWITCHED_OFF = re.compile(r"\.(skip|todo|only)\(|\b(skip|todo|only):")

VAGUE = re.compile(r"(Manager|Helper|Helpers|Util|Utils|Service|Info)$")
LONGEST_MODULE = 250  # lines; the aim is 150
LONGEST_FUNCTION = 40  # lines; the aim is 25


def path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def python(*places: str) -> list[Path]:
    found = [file for place in places for file in ours(place, ".py")]
    return sorted(found + [ROOT / place for place in places if (ROOT / place).is_file()])


def ours(place: str, *endings: str) -> list[Path]:
    """What npm has fetched is others'."""
    found = [file for ending in endings for file in (ROOT / place).rglob(f"*{ending}")]
    return sorted(file for file in found if "node_modules" not in file.relative_to(ROOT).parts)


def source() -> list[Path]:
    return python("server.py", *ROOMS)


def rooms() -> list[Path]:
    return [file for file in python(*ROOMS) if file.name != "__init__.py"]


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=path(file))


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of names, with `?` for what is no name (a call, an index)."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f"{dotted(node.value)}.{node.attr}"
        case _:
            return "?"


def calls(file: Path) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def at(file: Path, node: ast.expr | ast.stmt) -> str:
    return f"{path(file)}:{node.lineno}"


def from_imports(file: Path) -> set[str]:
    nodes = [node for node in ast.walk(tree(file)) if isinstance(node, ast.ImportFrom)]
    return {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_no_room_imports_the_server() -> None:
    files = {path(file): file for file in python(*ROOMS, "static", "templates")}
    assert [name for name, file in files.items() if {"server"} & {i.split(".")[0] for i in imports(file)}] == []


def test_a_dependency_is_imported_only_where_it_is_at_home() -> None:
    strays = [
        f"{path(file)} imports {name}, which is at home in {AT_HOME[name] or 'no module'}"
        for file in source()
        for name in {name.partition(".")[0] for name in imports(file)} & AT_HOME.keys()
        if not any(fnmatch(path(file), home) for home in AT_HOME[name])
    ]
    assert strays == []


def test_each_module_has_a_test_file_of_its_name() -> None:
    mirrors = [ROOT / "tests" / file.relative_to(ROOT).with_name(f"test_{file.name}") for file in rooms()]
    assert [path(mirror) for mirror in mirrors if not mirror.exists()] == [], "missing"


def test_each_test_file_has_a_module_of_its_name() -> None:
    tests = [file for room in ROOMS for file in python(f"tests/{room}") if file.name.startswith("test_")]
    modules = [ROOT / f.relative_to(ROOT / "tests").with_name(f.name.removeprefix("test_")) for f in tests]
    built = [module for module in modules if module.exists() or module.with_suffix("").is_dir()]
    assert [path(module) for module in modules if module not in built] == [], "missing"


def test_no_task_runs_loose() -> None:
    files = [file for file in source() if path(file) != TASKS]
    found = [(file, call, name) for file in files for call, name in calls(file) if name != "group.create_task"]
    loose = [at(file, call) for file, call, name in found if name.split(".")[-1] in LOOSE]
    assert loose == [], f"{TASKS} starts tasks, and keeps them"


def test_every_message_to_a_socket_is_awaited() -> None:
    sent = [(f, call) for f in source() for call, name in calls(f) if name.split(".")[-1] == "write_message"]
    awaited = {id(node.value) for f in source() for node in ast.walk(tree(f)) if isinstance(node, ast.Await)}
    assert [at(file, call) for file, call in sent if id(call) not in awaited] == []


def test_only_the_clock_reads_the_wall() -> None:
    files = [file for file in source() if path(file) != CLOCK]
    read = [at(f, call) for f in files for call, name in calls(f) if ".".join(name.split(".")[-2:]) in WALL]
    assert read + [path(file) for file in files if WALL & from_imports(file)] == []


def test_each_module_opens_with_what_it_owns() -> None:
    files = python("server.py", *ROOMS, "bench", "static", "templates", "tests")
    assert [path(file) for file in files if not ast.get_docstring(tree(file))] == []


def test_no_module_grows_too_long() -> None:
    lengths = {path(file): len(text(file).splitlines()) for file in source()}
    assert {n: k for n, k in lengths.items() if k > LONGEST_MODULE} == {}, "a concept is missing: name it"


def test_no_function_grows_too_long() -> None:
    long = {}
    for file in source():
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long[f"{at(file, node)} {node.name}"] = lines
    assert long == {}, "a concept is missing: name it"


def test_names_are_of_the_domain() -> None:
    vague = [path(file) for file in source() if VAGUE.search(file.stem.title().replace("_", ""))]
    for file in source():
        classes = [node for node in ast.walk(tree(file)) if isinstance(node, ast.ClassDef)]
        vague += [f"{path(file)}: {node.name}" for node in classes if VAGUE.search(node.name)]
    assert vague == []


def test_a_page_writes_text_never_markup() -> None:
    files = ours("static/js", ".js", ".mjs")
    assert {path(file): MARKUP.findall(text(file)) for file in files if MARKUP.search(text(file))} == {}


def test_a_template_has_nothing_that_the_content_policy_forbids() -> None:
    pages = sorted((ROOT / "templates").rglob("*.html"))
    assert {path(file): INLINE.findall(text(file)) for file in pages if INLINE.search(text(file))} == {}


def test_a_template_escapes_what_it_shows() -> None:
    pages = sorted((ROOT / "templates").rglob("*.html"))
    assert [path(file) for file in pages if re.search(r"\{% *(raw|autoescape)\b", text(file))] == []


def test_no_test_of_the_page_is_switched_off() -> None:
    tests = ours("tests", ".test.js", ".test.mjs")
    assert {path(f): SWITCHED_OFF.findall(text(f)) for f in tests if SWITCHED_OFF.search(text(f))} == {}
