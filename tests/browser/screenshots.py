"""Pictures of the main pages into docs/screenshots/: `make screenshots` starts the demonstration and visits it.

Everybody in them is invented.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from gateway.demo.questions import QUESTIONS
from tests.browser.chromium import chromium, launch
from tests.browser.visit import DESK, PHONE

FOLDER = Path(__file__).parent.parent.parent / "docs" / "screenshots"
AGENCIES = 5
START_S = 120.0
_OVER = re.compile(r"^(\d) of \1 agenc(y has|ies have) answered$")
_PAGES = re.compile(r"^\s*(http://127\.0\.0\.1:\d+)/demo\s+(.+)$")

Go = Callable[[Page], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its name, where and as whom it is seen, on what, and how to get there from the first page."""

    name: str
    agency: str
    role: str
    size: ViewportSize
    go: Go
    whole: bool = True  # or what fits into the window


async def find(page: Page, reason: str = "To find out who else works with this person") -> None:
    """The demonstration's first question, typed as somebody would."""
    question = QUESTIONS[0]
    year, month, day = question.born.split("-")
    await page.goto("/search")
    await page.get_by_label("Name", exact=True).fill(question.name)
    for label, value in (("Day", day), ("Month", month), ("Year", year)):
        await page.get_by_label(label, exact=True).fill(str(int(value)))
    await page.get_by_label("Postcode").fill(question.postcode)
    reasons = page.get_by_role("radio", name=reason)
    if await reasons.count():
        await reasons.first.check()


async def results(page: Page, *, reason: str = "To find out who else works with this person") -> None:
    """Until every agency has answered."""
    await find(page, reason)
    await page.get_by_role("button", name="Find who to call").click()
    await page.get_by_text(_OVER).first.wait_for()


async def picture(page: Page) -> None:
    """What the answers come to, as a picture."""
    await results(page)
    await page.get_by_role("link", name="Picture of the team").click()
    await page.locator("svg").first.wait_for()


async def client(page: Page, below: str = "") -> None:
    """A page about the first of somebody's clients."""
    await page.goto("/clients")
    path = await page.locator("tbody th a").first.get_attribute("href")
    await page.goto(f"{path}{below}")


async def asked_by_police(browser: Browser, addresses: Mapping[str, str]) -> None:
    """The question that leaves the landlord a case to decide."""
    await take(browser, addresses[POLICE], "practitioner", PHONE, partial(results, reason="To keep this person"))


async def case(page: Page) -> None:
    """What the police's question left for the landlord to decide."""
    await page.goto("/manage/cases")
    await page.locator("tbody th a").first.click()
    await page.locator("form").first.wait_for()


COUNCIL, POLICE, LANDLORD = "Northshire County Council, children's services", "Northshire Police", "Orchard Homes"

PICTURES = (
    Picture("search", COUNCIL, "practitioner", PHONE, find),
    Picture("results", COUNCIL, "practitioner", PHONE, results, whole=False),
    Picture("picture", COUNCIL, "practitioner", DESK, picture),
    Picture("client", COUNCIL, "practitioner", DESK, client),
    Picture("consent", COUNCIL, "practitioner", PHONE, lambda page: client(page, "/consent"), whole=False),
    Picture("easy-read", COUNCIL, "practitioner", PHONE, lambda page: page.goto("/leaflet/easy-read"), whole=False),
    Picture("case", LANDLORD, "manager", DESK, case),
)


@contextmanager
def demonstration() -> Iterator[dict[str, str]]:
    """The running demonstration; the address of each agency's pages by its name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gateway.cli", "demo", "--data", folder]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this program itself
        try:
            assert running.stdout is not None
            lines = (found for line in running.stdout if (found := _PAGES.match(line)))
            yield {found[2]: found[1] for found in islice(lines, AGENCIES)}
        finally:
            running.terminate()
            running.wait(START_S)


async def take(browser: Browser, address: str, role: str, size: ViewportSize, go: Go, *, whole: bool = True) -> bytes:
    """Sign in with one click, go there, and look at the page."""
    context = await browser.new_context(base_url=address, viewport=size, locale="en-GB", reduced_motion="reduce")
    try:
        page = await context.new_page()
        await page.goto("/demo")
        await page.locator(f'form:has(input[value="demo-{role}"]) button').click()
        await go(page)
        await page.wait_for_load_state("networkidle")
        return await page.screenshot(full_page=whole)
    finally:
        await context.close()


async def take_all(addresses: Mapping[str, str]) -> None:
    """One after the other, so that each sees what the one before has left."""
    path = chromium()
    if path is None:
        sys.exit("No Chromium or Chrome on this machine: make test gets it, or says how.")
    FOLDER.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await launch(playwright, path)
        await asked_by_police(browser, addresses)
        for each in PICTURES:
            address = addresses[each.agency]
            taken = await take(browser, address, each.role, each.size, each.go, whole=each.whole)
            (FOLDER / f"{each.name}.png").write_bytes(taken)
            sys.stdout.write(f"docs/screenshots/{each.name}.png\n")
        await browser.close()


if __name__ == "__main__":
    with demonstration() as pages:
        asyncio.run(take_all(pages))
