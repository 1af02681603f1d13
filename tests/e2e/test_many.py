"""Five hundred files at once: all of them arrive, two browsers agree, and the page stays at hand meanwhile.

Counted, not timed: on a busy machine everything takes longer, but nothing is drawn more often than it has to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Visitors
from tests.e2e.doing import camera, phases, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Running

COUNT = 500
ODD = 12
PATIENCE = 240_000  # milliseconds

# The time of the timeline stands still within a frame: changes seen at the same time are of one frame.
COUNT_BATCHES = """
() => {
  const batches = new Map()
  const observer = new MutationObserver(() => {
    const frame = document.timeline.currentTime
    batches.set(frame, (batches.get(frame) ?? 0) + 1)
  })
  const all = { subtree: true, childList: true, attributes: true, characterData: true }
  observer.observe(document.querySelector('main'), all)
  window.batches = () => [...batches.values()]
}
"""
# Down and up again, a screen every frame, as with a thumb.
SCROLL = """
async () => {
  let stutters = 0
  const observer = new PerformanceObserver((list) => {
    stutters += list.getEntries().filter(({ duration }) => duration > 200).length
  })
  observer.observe({ type: 'longtask' })
  for (let step = 0; step < 120; step += 1) {
    scrollBy(0, step < 60 ? innerHeight : -innerHeight)
    await new Promise(requestAnimationFrame)
  }
  observer.disconnect()
  return stutters
}
"""


@pytest.fixture
def visitors(browser: Browser, run: Callable[..., Running]) -> Iterator[Visitors]:
    # What a power cut would leave is not asked here, and five hundred syncs are slow.
    visitors = Visitors(browser, run("--durability=process"))
    yield visitors
    visitors.close()
    assert visitors.faults == []


def test_five_hundred_files_arrive_and_the_page_stays_at_hand(visitors: Visitors) -> None:
    sender = visitors.page()
    send(sender, *(camera(f"IMG_{number:04}.mp4", 100) for number in range(COUNT)))
    watcher = visitors.page(sender.url)
    expect(watcher.locator("li.file")).to_have_count(COUNT)
    for page in (sender, watcher):
        page.evaluate(COUNT_BATCHES)
    # A task is long when the machine is busy, too, so a few may be; a list that is drawn or laid out anew with each
    # message has one nearly every frame.
    assert [page.evaluate(SCROLL) < ODD for page in (sender, watcher)] == [True, True]
    for page in (sender, watcher):
        expect(page.locator("h1[data-ending=doneTitle]")).to_be_visible(timeout=PATIENCE)
    assert phases(sender) == phases(watcher)
    assert list(phases(sender).values()) == ["completed"] * COUNT
    for page in (sender, watcher):
        batches = page.evaluate("batches()")
        # Where no frame comes for a quarter of a second, drawing goes on without.
        assert sum(count > 1 for count in batches) < len(batches) / ODD, batches[:100]
