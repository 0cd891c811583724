"""Pictures of the main pages into docs/screenshots/: `make screenshots` starts the demonstration and visits it.

Everybody in them is invented.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from gateway.demo.questions import QUESTIONS
from tests.browser.chromium import chromium, launch
from tests.browser.visit import DESK, PHONE

FOLDER = Path(__file__).parent.parent.parent / "docs" / "screenshots"
START_S = 120.0
_PAGES = re.compile(r"^\s*(http://127\.0\.0\.1:\d+)/demo\s+(.+)$")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its name, as whom it is seen, on what, and how to get there from the first page."""

    name: str
    role: str
    size: ViewportSize
    go: Callable[[Page], Awaitable[object]]
    whole: bool = True  # or what fits into the window


async def find(page: Page) -> None:
    """The demonstration's first question, typed as somebody would."""
    question = QUESTIONS[0]
    year, month, day = question.born.split("-")
    await page.goto("/search")
    await page.get_by_label("Name", exact=True).fill(question.name)
    for label, value in (("Day", day), ("Month", month), ("Year", year)):
        await page.get_by_label(label, exact=True).fill(str(int(value)))
    await page.get_by_label("Postcode").fill(question.postcode)
    reasons = page.get_by_role("radio")
    if await reasons.count():
        await reasons.first.check()


async def results(page: Page) -> None:
    """Until every agency has answered."""
    await find(page)
    await page.get_by_role("button", name="Find who to call").click()
    await page.get_by_text("4 of 4 agencies have answered").wait_for()


async def client(page: Page) -> None:
    """The first of somebody's clients."""
    await page.goto("/clients")
    await page.locator("tbody th a").first.click()
    await page.locator("h1").wait_for()


PICTURES = (
    Picture("search", "practitioner", PHONE, find),
    Picture("results", "practitioner", PHONE, results),
    Picture("results-desk", "practitioner", DESK, results),
    Picture("clients", "practitioner", DESK, lambda page: page.goto("/clients"), whole=False),
    Picture("client", "practitioner", DESK, client),
    Picture("accounts", "administrator", DESK, lambda page: page.goto("/manage/accounts")),
)


@contextmanager
def demonstration() -> Iterator[str]:
    """The running demonstration; the address of one agency's pages."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gateway.cli", "demo", "--data", folder]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this program itself
        try:
            assert running.stdout is not None
            yield next(found[1] for line in running.stdout if (found := _PAGES.match(line)))
        finally:
            running.terminate()
            running.wait(START_S)


async def take(browser: Browser, address: str, picture: Picture) -> bytes:
    """Sign in with one click, go there, and look at the whole page."""
    context = await browser.new_context(
        base_url=address, viewport=picture.size, locale="en-GB", reduced_motion="reduce"
    )
    try:
        page = await context.new_page()
        await page.goto("/demo")
        await page.locator(f'form:has(input[value="demo-{picture.role}"]) button').click()
        await picture.go(page)
        await page.wait_for_load_state("networkidle")
        return await page.screenshot(full_page=picture.whole)
    finally:
        await context.close()


async def take_all(address: str) -> None:
    """One after the other, so that each sees what the one before has left."""
    path = chromium()
    if path is None:
        sys.exit("No Chromium or Chrome on this machine: make test gets it, or says how.")
    FOLDER.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await launch(playwright, path)
        for picture in PICTURES:
            (FOLDER / f"{picture.name}.png").write_bytes(await take(browser, address, picture))
            sys.stdout.write(f"docs/screenshots/{picture.name}.png\n")
        await browser.close()


if __name__ == "__main__":
    with demonstration() as pages:
        asyncio.run(take_all(pages))
