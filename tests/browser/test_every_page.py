"""Every page that somebody can reach by following links, for each role, on a phone."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from gateway.accounts.account import Role
from gateway.web.assets import BUILT, MANIFEST
from tests.browser.visit import PHONE, assert_accessible, visit
from tests.federation import TestFederation, federation
from tests.web import clients

MOST = 80  # pages for one role
_ALIKE = re.compile(r"[0-9a-f]{32,64}|\d+")  # one client's page is like another's
_TOKEN = re.compile(r'name="csrf" value="[^"]*"')
_NO_PAGE = re.compile(r"\.(pdf|csv|ndjson)$|^/language/|^/static/|/(export|proof|file)$")

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles are not built: make setup")
    folder = tmp_path_factory.mktemp("north")
    async with federation(folder, [clients.TRUST, "housing"], web=True, built=BUILT) as running:
        await clients.fill(running)
        yield running


@pytest.fixture(scope="module")
def judged() -> set[str]:
    """What axe has found good in another role: the same for each, but for numbers."""
    return set()


@pytest.mark.parametrize("role", Role)
async def test_no_link_is_dead_no_page_is_wider_than_a_phone_and_all_are_accessible(
    north: TestFederation, browser: Browser, role: Role, judged: set[str]
) -> None:
    somebody = await clients.rae(north, role)
    async with visit(browser, user=somebody, size=PHONE) as page:
        waiting, seen, problems = ["/"], {"/"}, list[str]()
        while waiting:
            path = waiting.pop(0)
            response = await page.goto(path)
            assert response is not None
            if response.status != 200:
                problems.append(f"{path}: {response.status}")
                continue
            if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                problems.append(f"{path}: wider than the screen")
            main = _ALIKE.sub("N", _TOKEN.sub("", await page.locator("main").inner_html()))
            if path == "/" or main not in judged:  # around what all roles have in common stands what each has alone
                judged.add(main)
                try:
                    await assert_accessible(page)
                except AssertionError as found:
                    problems.append(f"{path}: {found}")
            for link in await links_of(page):
                if _ALIKE.sub("N", link) not in seen:
                    seen.add(_ALIKE.sub("N", link))
                    waiting.append(link)
            assert len(seen) <= MOST, seen
        assert problems == []
        assert len(seen) > 4  # they have been somewhere


async def links_of(page: Page) -> list[str]:
    """Where the links of a page lead on this site, without queries, which sort and go back."""
    found = await page.evaluate(
        "[...document.querySelectorAll('main a[href], nav a[href], footer a[href]')]"
        ".filter(a => a.origin === location.origin && !a.hasAttribute('download')).map(a => a.pathname)"
    )
    return [path for path in dict.fromkeys(found) if not _NO_PAGE.search(path)]
