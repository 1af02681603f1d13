"""What must come before what, so that nothing that anybody was told is lost in a power cut. One function, one rule.

Each rule looks through the calls of a whole run, and says what it found wrong in it, or how often it had to hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from tests.crash.calls import SENDS, SYNCS, Call

WAL = "journal.db-wal"
_LINK = re.compile(r'<[^>]*/parts>, "(?P<part>[^"]+)", \d+<(?P<folder>[^>]*)>, "(?P<name>[^"]+)"')
_NAMED = re.compile(r'^\d+<(?P<folder>[^>]*)>, "(?P<name>[^"]+)"')
_OFFSET = re.compile(r"Upload-Offset: (\d+)")
_PLACE = re.compile(r"Location: [^\s\\]*/files/([0-9a-f-]{36})")


class Broken(Exception):
    """A rule does not hold."""


@dataclass
class Run:
    """The calls of one run, in order. The questions raise Broken with the sentence given when there is no answer."""

    calls: list[Call]

    def of(self, *names: str, path: str = "", text: str = "", after: int = -1) -> Iterator[Call]:
        """Calls that succeeded and began after line `after`, of a path that ends so, with this in their text."""
        for call in self.calls:
            wanted = call.result >= 0 and call.name in names and call.began > after
            if wanted and call.path.endswith(path) and text in call.text:
                yield call

    def first(self, otherwise: str, *names: str, path: str = "", text: str = "", after: int = -1) -> Call:
        found = next(self.of(*names, path=path, text=text, after=after), None)
        if found is None:
            raise Broken(otherwise)
        return found

    def made_safe(self, otherwise: str, written: Call) -> Call:
        """The sync of the journal that follows a write of it."""
        return self.first(otherwise, *SYNCS, path=WAL, after=written.ended)

    def commit(self, otherwise: str, text: str = "", after: int = -1) -> Call:
        """The sync that makes the journal's first write with this in it safe."""
        return self.made_safe(otherwise, self.first(otherwise, "pwrite64", path=WAL, text=text, after=after))

    def completion(self, name: str) -> Call:
        """The journal's write of an `upload-completed` with this stored name."""
        pattern = re.compile(rf"upload-completed.*{re.escape(name)}")
        for call in self.of("pwrite64", path=WAL, text=name):
            if pattern.search(call.text):
                return call
        raise Broken("the completion was not recorded")

    @property
    def links(self) -> list[re.Match[str]]:
        return [match for call in self.of("linkat") if (match := _LINK.search(call.text)) and "probe" not in match[0]]

    def link(self, name: str) -> Call:
        return self.first("nothing was linked", "linkat", text=f'"{name}"')

    def written(self, part: str) -> list[Call]:
        """What was written to a part, by the station or, from other parts, by the kernel."""
        goal = re.compile(rf", \d+<[^>]*/parts/{part}>, ")
        copied = [call for call in self.of("copy_file_range") if call.result and goal.search(call.text)]
        return [*self.of("write", path=f"/parts/{part}"), *copied]

    def told(self, name: str) -> Call:
        """The first time that anybody heard of a stored file, if ever."""
        return self.first("nobody was told", *SENDS, text=name)


def before(first: Call, second: Call, otherwise: str) -> None:
    if first.ended >= second.began:
        raise Broken(otherwise)


# ---- finishing: each for one link


def part_synced(run: Run, part: str, folder: str, name: str) -> None:
    """The part is synced after its last byte, before it gets its name."""
    *_, last = run.written(part)
    otherwise = "the part was not synced after its last byte"
    before(run.first(otherwise, *SYNCS, path=f"/parts/{part}", after=last.ended), run.link(name), otherwise)


def intent_recorded(run: Run, part: str, folder: str, name: str) -> None:
    """The intent is safe before the link."""
    otherwise = "the intent was not safe when the part was linked"
    before(run.commit(otherwise, name), run.link(name), otherwise)


def intent_after_bytes(run: Run, part: str, folder: str, name: str) -> None:
    """The intent is recorded when the bytes are safe."""
    otherwise = "the intent was recorded before the bytes were safe"
    *_, last = run.written(part)
    synced = run.first(otherwise, *SYNCS, path=f"/parts/{part}", after=last.ended)
    before(synced, run.first(otherwise, "pwrite64", path=WAL, text=name), otherwise)


def folder_synced(run: Run, part: str, folder: str, name: str) -> None:
    """The folder is synced after the link, before the completion is recorded."""
    otherwise = "the folder was not synced between the link and the completion"
    synced = run.first(otherwise, *SYNCS, path=folder, after=run.link(name).ended)
    before(synced, run.completion(name), otherwise)


def completion_recorded(run: Run, part: str, folder: str, name: str) -> None:
    """The completion is safe before anybody is told of it, by message or answer."""
    otherwise = "the completion was told before it was safe"
    before(run.made_safe(otherwise, run.completion(name)), run.told(name), otherwise)


def part_kept(run: Run, part: str, folder: str, name: str) -> None:
    """The part keeps its own name until the completion is safe: recovery knows the file by it."""
    otherwise = "the part was dropped before the completion was safe"
    safe = run.made_safe(otherwise, run.completion(name))
    before(safe, run.first("the part stays", "unlinkat", text=f'"{part}"'), otherwise)


# ---- folders: each for a whole run


def folders_named(run: Run) -> None:
    """A new folder is synced into the one it is in, before anything is told."""
    otherwise = "a new folder was not synced into the one it is in"
    talk = run.first("nothing was told", *SENDS)
    for call in run.of("mkdirat"):
        if match := _NAMED.match(call.text):
            before(run.first(otherwise, *SYNCS, path=match["folder"], after=call.ended), talk, otherwise)
    for call in run.of("mkdir"):
        parent = str(PurePosixPath(call.text.split('"')[1]).parent)
        before(run.first(otherwise, *SYNCS, path=parent, after=call.ended), talk, otherwise)


def deletions_synced(run: Run) -> None:
    """A stored file that is deleted stays deleted: the folder is synced before the answer."""
    otherwise = "a deletion was answered before it was safe"
    for call in run.of("unlinkat"):
        match = _NAMED.match(call.text)
        if match and not match["folder"].endswith("/parts") and "probe" not in match["name"]:
            synced = run.first(otherwise, *SYNCS, path=match["folder"], after=call.ended)
            before(synced, run.first(otherwise, *SENDS, text="HTTP/1.1 204", after=call.ended), otherwise)


# ---- offsets: each for one upload resource


def resource_named(run: Run, part: str) -> None:
    """The part of an upload is synced into its folder, and recorded, before its place is told."""
    told = run.first("its place was not told", *SENDS, text=f"/files/{part}")
    otherwise = "the place of an upload was told before its part had a name that stays"
    made = run.first("no part was made", "openat", path="/parts", text=f'"{part}"')
    before(run.first(otherwise, *SYNCS, path="/parts", after=made.ended), told, otherwise)
    otherwise = "the place of an upload was told before it was recorded"
    before(run.commit(otherwise, part), told, otherwise)


def offsets_safe(run: Run, part: str) -> None:
    """An offset is told when the bytes before it are synced, and then the offset itself is recorded."""
    for told, offset in _offsets(run, part):
        otherwise = f"the offset {offset} was told before its bytes were safe"
        synced = run.first(otherwise, *SYNCS, path=f"/parts/{part}", after=_reached(run, part, offset).ended)
        before(synced, told, otherwise)
        otherwise = f"the offset {offset} was told before it was recorded"
        before(run.commit(otherwise, after=synced.ended), told, otherwise)


def _offsets(run: Run, part: str) -> Iterator[tuple[Call, int]]:
    """What was told of one upload: in answers from its creation to the next one's, and in messages about its file."""
    names = {link["name"].rpartition("_")[2] for link in run.links if link["part"] == part}
    sends, mine = list(run.of(*SENDS)), False
    started = re.compile(r'\\"fileId\\":\\"([0-9a-f-]{36})\\",\\"fileName\\":\\"([^"]*)\\"')
    ids = {match[1] for call in sends for match in started.finditer(call.text) if match[2] in names}
    progress = re.compile(rf'\\"fileId\\":\\"(?:{"|".join(ids) or "none"})\\"[^}}]*?\\"uploadedBytes\\":(\d+)')
    for call in sends:
        if place := _PLACE.search(call.text):
            mine = place[1] == part
        for number in (*(_OFFSET.findall(call.text) if mine else ()), *progress.findall(call.text)):
            if int(number):
                yield call, int(number)


def _reached(run: Run, part: str, offset: int) -> Call:
    """The write that brought the part to this length."""
    length = 0
    for call in run.written(part):
        length += call.result
        if length >= offset:
            return call
    raise Broken(f"the offset {offset} was told, and never written")


# ---- after a crash


def recovery_synced(run: Run) -> None:
    """Recovery completes a file that is visible only when its folder is synced: nobody did that before the crash."""
    for call in run.of("pwrite64", path=WAL, text="upload-completed"):
        for category in re.findall(r"/upload/([a-z]+)/", call.text):
            otherwise = "a file was completed that may not be there after the next crash"
            before(run.first(otherwise, *SYNCS, path=f"/{category}"), call, otherwise)


# ---- the whole of it


def steps(calls: list[Call], name: str) -> list[str]:
    """How a resumable upload with this file name came to its end, in the order in which the calls were made."""
    run = Run(calls)
    [(part, folder, stored)] = [
        link.group("part", "folder", "name") for link in run.links if link["name"].endswith(name)
    ]
    [*_, written] = run.written(part)
    synced = run.first("not synced", *SYNCS, path=f"/parts/{part}", after=written.began)
    moved = run.commit("not recorded", after=synced.began)
    completed = run.completion(stored)
    made = {
        "write": written,
        "sync the part": synced,
        "commit the offset": moved,
        "commit the intent": run.commit("not intended", stored),
        "link": run.link(stored),
        "sync the folder": run.first("not synced", *SYNCS, path=folder, after=run.link(stored).began),
        "commit the completion": run.made_safe("not recorded", completed),
        "tell": run.told(stored),
        "answer": run.first("not answered", *SENDS, text="HTTP/1.1 204", after=completed.began),
    }
    return sorted(made, key=lambda step: made[step].began)


FINISHING: tuple[Callable[[Run, str, str, str], None], ...] = (
    part_synced,
    intent_recorded,
    intent_after_bytes,
    folder_synced,
    completion_recorded,
    part_kept,
)
FOLDERS: tuple[Callable[[Run], None], ...] = (folders_named, deletions_synced)
OFFSETS: tuple[Callable[[Run, str], None], ...] = (resource_named, offsets_safe)


def broken(calls: list[Call]) -> dict[str, str]:
    """The rules that do not hold in a run, by name, each with what is wrong."""
    run = Run(calls)
    resources = {part for call in run.of(*SENDS) for part in _PLACE.findall(call.text)}
    cases: list[tuple[str, Callable[[], None]]] = [(rule.__name__, partial(rule, run)) for rule in FOLDERS]
    for link in run.links:
        cases += [(rule.__name__, partial(rule, run, *link.group("part", "folder", "name"))) for rule in FINISHING]
    for part in resources:
        cases += [(rule.__name__, partial(rule, run, part)) for rule in OFFSETS]
    return _broken(cases)


def broken_by_recovery(calls: list[Call]) -> dict[str, str]:
    return _broken([(recovery_synced.__name__, partial(recovery_synced, Run(calls)))])


def _broken(cases: list[tuple[str, Callable[[], None]]]) -> dict[str, str]:
    found = {}
    for name, holds in cases:
        try:
            holds()
        except Broken as error:
            found[name] = str(error)
    return found
