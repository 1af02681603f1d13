"""What axe-core finds wrong with a page for people who do not see it, hear it or point at it as others do."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[1] / "clients" / "node_modules" / "axe-core" / "axe.min.js"
# One line for each thing found: the rule, what is wrong, and where.
RUN = """
axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations.flatMap(({id, help, nodes}) =>
  nodes.map(({target, failureSummary}) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`)))
"""


def findings(page: Page) -> list[str]:
    """By all rules of axe-core, best practices too. The debugger runs it: the page's own policy forbids strangers.

    In a world of its own beside the page's scripts: there the time passes, also where a test has stopped the page's.
    """
    page.wait_for_load_state()  # a page that a form led to may be seen before it has its styles
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = {"contextId": session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]}
    session.send("Runtime.evaluate", {"expression": f"void (() => {{{AXE.read_text(encoding='utf-8')}}})()", **world})
    answer = session.send("Runtime.evaluate", {"expression": RUN, "awaitPromise": True, "returnByValue": True, **world})
    session.detach()
    assert "exceptionDetails" not in answer, answer
    found: list[str] = answer["result"]["value"]
    return found
