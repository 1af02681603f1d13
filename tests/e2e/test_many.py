"""Five hundred files at once: all of them arrive, two browsers agree, and the page stays at hand meanwhile.

Counted, not timed: on a busy machine everything takes longer, but nothing is drawn more often than it has to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Visitors
from tests.e2e.doing import busy, camera, phases, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Running

COUNT = 500
ODD = 12
MOST_WORK = 8.0  # seconds
PATIENCE = 480_000  # milliseconds

# The time of the timeline stands still within a frame: changes seen at the same time are of one frame. Where no frame
# comes for a quarter of a second, drawing goes on without.
COUNT_BATCHES = """
() => {
  const batches = []
  const observer = new MutationObserver(() => {
    const [frame, now, last] = [document.timeline.currentTime, performance.now(), batches.at(-1)]
    if (last?.frame === frame && now - last.now < 200) last.count += 1
    else batches.push({ frame, now, count: 1 })
  })
  const all = { subtree: true, childList: true, attributes: true, characterData: true }
  observer.observe(document.querySelector('main'), all)
  window.batches = () => batches.map(({ count }) => count)
}
"""
# Down and up again, a screen every frame, as with a thumb.
SCROLL = """
async () => {
  for (let step = 0; step < 120; step += 1) {
    scrollBy(0, step < 60 ? innerHeight : -innerHeight)
    await new Promise(requestAnimationFrame)
  }
}
"""


@pytest.fixture
def visitors(browser: Browser, run: Callable[..., Running]) -> Iterator[Visitors]:
    # What a power cut would leave is not asked here, and five hundred syncs are slow.
    visitors = Visitors(browser, run("--durability=process"))
    yield visitors
    visitors.close()
    assert visitors.faults == []


def scrolled(page: Page) -> float:
    """Seconds of work that it was for the page's main thread, with whatever else came meanwhile."""
    session = page.context.new_cdp_session(page)
    before = busy(session)
    page.evaluate(SCROLL)
    return busy(session) - before


def test_five_hundred_files_arrive_and_the_page_stays_at_hand(visitors: Visitors) -> None:
    sender = visitors.page()
    send(sender, *(camera(f"IMG_{number:04}.mp4", 100) for number in range(COUNT)))
    watcher = visitors.page(sender.url)
    expect(watcher.locator("li.file")).to_have_count(COUNT)
    for page in (sender, watcher):
        page.evaluate(COUNT_BATCHES)
    # It is 2 s. Of a list that is drawn or laid out anew with each message, nearly every frame is a fifth of a second.
    assert [scrolled(page) < MOST_WORK for page in (sender, watcher)] == [True, True]
    for page in (sender, watcher):
        expect(page.locator("h1[data-ending=doneTitle]")).to_be_visible(timeout=PATIENCE)
    assert phases(sender) == phases(watcher)
    assert list(phases(sender).values()) == ["completed"] * COUNT
    for page in (sender, watcher):
        batches = page.evaluate("batches()")
        assert sum(count > 1 for count in batches) < len(batches) / ODD, batches[:100]
