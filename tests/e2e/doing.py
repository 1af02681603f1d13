"""What people do on the pages, and what gets in their way: choosing and sending files, a slow or a blocked network.

Reads the pages as people do, by names and roles, and where those depend on the language by what tests may hold on to.
"""

from __future__ import annotations

import random
import re
import struct
from pathlib import Path

from playwright.sync_api import BrowserContext, CDPSession, FilePayload, Locator, Page, TimeoutError

MIB = 1024**2
PROGRAM = b"\x7fELF\x02\x01\x01" + bytes(1000)
# What does not fit scrolls sideways, and on a phone the whole page with it.
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def film(folder: Path, name: str, size: int) -> Path:
    """An MP4 as a camera writes it, of random bytes, the same on every run."""
    path = folder / name
    path.write_bytes(film_bytes(name, size))
    return path


def film_bytes(seed: str, size: int) -> bytes:
    """A file type box, then the media data."""
    kind = b"isom" + struct.pack(">I", 512) + b"isomiso2avc1mp41"
    head = struct.pack(">I4s", 8 + len(kind), b"ftyp") + kind
    media = random.Random(seed).randbytes(size - len(head) - 8)
    return head + struct.pack(">I4s", 8 + len(media), b"mdat") + media


def program(folder: Path, name: str) -> Path:
    """A program that calls itself a film: only its first bytes tell."""
    path = folder / name
    path.write_bytes(PROGRAM + random.Random(name).randbytes(MIB))
    return path


def payload(name: str, content: bytes) -> FilePayload:
    """A file of any name, also of one that no disk would hold."""
    return {"name": name, "mimeType": "video/mp4", "buffer": content}


def camera(name: str, size: int = 1000) -> FilePayload:
    """A film that is on no disk."""
    return payload(name, film_bytes(name, size))


def slow_down(page: Page, upload: int) -> CDPSession:
    """Let this page send at most so many bytes a second, until what is returned is detached.

    Who wants to see files on their way lets them take minutes, and lifts it when all is seen: then a busy machine only
    takes longer.
    """
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload}
    session.send("Network.emulateNetworkConditions", limits)
    return session


def choose(page: Page, *files: Path | FilePayload) -> None:
    page.set_input_files("input[type=file]", list(files))  # type: ignore[arg-type]


def send(page: Page, *files: Path | FilePayload, into: str = "Personal videos") -> None:
    """Choose them and send them into a session of their own."""
    choose(page, *files)
    page.get_by_role("button", name="Send").click()
    put_into(page, into)
    page.wait_for_url(re.compile("/s/"))


def send_here(page: Page, *files: Path | FilePayload) -> None:
    """Choose them and send them into the session that somebody else has opened: nothing is asked."""
    choose(page, *files)
    page.get_by_role("button", name="Send").click()


def put_into(page: Page, category: str) -> None:
    """Answer the question that comes when there is more than one category."""
    question = page.get_by_role("dialog", name="Where should they go?")
    question.get_by_text(category).click()
    question.get_by_role("button", name="Confirm").click()


def busy(session: CDPSession) -> float:
    """Seconds that the page's main thread has worked: of its own time, which another's work does not lengthen."""
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == "ThreadTime")


def stand_still(page: Page) -> None:
    """Its clock, which was installed. It goes on a little first: it never goes back, and telling it takes a while."""
    page.clock.pause_at(page.evaluate("Date.now() + 5000"))


def turn(page: Page, *, until: Locator, most: int) -> None:
    """Turn the page's clock, which stands still, a little at a time until something is there."""
    step = 500  # milliseconds
    for _ in range(0, most, step):
        page.clock.run_for(step)
        if until.count() > 0:
            return
    raise AssertionError(f"not there after {most} ms: {until}")


def row(page: Page, name: str, phase: str | None = None) -> Locator:
    found = page.locator("li.file", has_text=name)
    return found if phase is None else found.and_(page.locator(f"[data-phase={phase}]"))


def ended(page: Page) -> str:
    """How it ended, once it has. If it does not, the page says in the report where it stands."""
    heading = page.locator("h1[data-ending]")
    try:
        heading.wait_for()
    except TimeoutError as error:
        error.add_note(page.locator("body").inner_text())
        raise
    return heading.get_attribute("data-ending") or ""


def phases(page: Page) -> dict[str, str]:
    """In one look: a long list would change while it is walked through."""
    found: dict[str, str] = page.eval_on_selector_all(
        "li.file[data-file]", "all => Object.fromEntries(all.map(({dataset}) => [dataset.file, dataset.phase]))"
    )
    return found


def block(context: BrowserContext, *transports: str) -> None:
    if "websocket" in transports:
        context.route_web_socket(re.compile("/ws"), lambda socket: socket.close())
    if "sse" in transports:
        context.route("**/api/upload/events/**", lambda route: route.abort())
