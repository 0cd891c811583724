"""A visit to our pages, and what is asked of each: that everybody can use it, nothing jumps, and it is small."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize

from tests.npm_packages import packages_of
from tests.web_user import WebUser

FOLDER = Path(__file__).parent

PHONE = ViewportSize(width=390, height=844)
DESK = ViewportSize(width=1280, height=900)

_LARGEST_SHIFT = 0.001  # web.dev calls 0.1 good; ours is to be none, and this is rounding
_AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}  # without reading styles again, for a rule that is off
_SHIFTS = """() => new Promise(resolve => {
    const found = [];
    const observer = new PerformanceObserver(list => found.push(...list.getEntries()));
    observer.observe({type: "layout-shift", buffered: true});
    requestAnimationFrame(() => setTimeout(() => {
        observer.disconnect();
        resolve(found.filter(shift => !shift.hadRecentInput).map(shift => ({
            value: shift.value, moved: shift.sources.map(source => source.node?.className || source.node?.nodeName)
        })));
    }, 50));
})"""
_BYTES = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""


@asynccontextmanager
async def visit(
    browser: Browser,
    *,
    user: WebUser | None = None,
    size: ViewportSize = DESK,
    scripts: bool = True,
    language: str = "en-GB",
) -> AsyncIterator[Page]:
    """A page with a cache and cookies of its own, those of `user` to begin with, at whose site its paths are.

    What the browser complains of, a script that the page's policy refuses say, fails the test.
    """
    context = await browser.new_context(
        base_url=str(user.url) if user else None, viewport=size, java_script_enabled=scripts, locale=language
    )
    complaints: list[str] = []
    try:
        if user:
            address = str(user.url)
            await context.add_cookies(
                [{"name": each.key, "value": each.value, "url": address} for each in user.cookies]
            )
        page = await context.new_page()
        page.on("console", lambda message: complaints.extend(_complaint(message)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
    finally:
        await context.close()
    assert complaints == []


def _complaint(message: ConsoleMessage) -> list[str]:
    # An answer of 4xx or 5xx is for the test itself to judge.
    ours = message.type in {"error", "warning"} and "Failed to load resource" not in message.text
    return [message.text] if ours else []


async def assert_accessible(page: Page) -> None:
    """Axe finds nothing serious or critical on the page as it is now."""
    await page.evaluate(_axe())  # unlike a script element, not stopped by the page's policy
    found = await page.evaluate("options => axe.run(document, options)", _AXE_OPTIONS)
    told = [_told(violation) for violation in found["violations"] if violation["impact"] in {"serious", "critical"}]
    assert not told, "\n".join(told)


def _told(violation: dict[str, Any]) -> str:
    targets = ", ".join(" ".join(map(str, node["target"])) for node in violation["nodes"])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {targets}"


@cache
def _axe() -> str:
    return (packages_of(FOLDER) / "axe-core" / "axe.min.js").read_text()


async def assert_no_shift(page: Page) -> None:
    """Since it was opened, nothing in sight has moved that the visitor did not move."""
    shifts = await page.evaluate(_SHIFTS)
    assert sum(shift["value"] for shift in shifts) <= _LARGEST_SHIFT, shifts


async def visit_bytes(page: Page) -> int:
    """What the page and all that it fetched took on the wire, compressed and with headers; from cache is nothing."""
    return int(await page.evaluate(_BYTES))
