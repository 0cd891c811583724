"""The look itself, in a real browser: everybody can use it, nothing jumps, and a first visit is small."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.sample_site import sample_site
from tests.browser.visit import DESK, PHONE, assert_accessible, assert_no_shift, visit, visit_bytes

FIRST_VISIT_BYTES = 100_000
LAST_ANSWER = "This is probably the person"  # of sample/after.html

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address() -> AsyncIterator[str]:
    async with TestServer(sample_site()) as server:
        yield str(server.make_url("")).rstrip("/")


async def width_beyond_window(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("path", ["/", "/results", "/client"])
async def test_everybody_can_use_it_and_nothing_scrolls_sideways(
    browser: Browser, address: str, path: str, size: ViewportSize
) -> None:
    async with visit(browser, size=size) as page:
        await page.goto(address + path)
        if path == "/results":
            await page.get_by_text(LAST_ANSWER).wait_for()
        await assert_accessible(page)
        assert await width_beyond_window(page) <= 0


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_answers_that_arrive_move_nothing(browser: Browser, address: str, size: ViewportSize) -> None:
    async with visit(browser, size=size) as page:
        await page.goto(address + "/results")
        await page.get_by_text(LAST_ANSWER).wait_for()
        await expect(page.locator(".pw-slot--waiting")).to_have_count(0)
        await assert_no_shift(page)


async def test_a_page_that_jumps_is_noticed(browser: Browser, address: str) -> None:
    async with visit(browser) as page:
        await page.goto(address + "/client")
        await page.evaluate("document.querySelector('h1').style.marginTop = '300px'")
        with pytest.raises(AssertionError):
            await assert_no_shift(page)


async def test_a_page_that_some_cannot_use_is_noticed(browser: Browser, address: str) -> None:
    async with visit(browser) as page:
        await page.goto(address + "/")
        await page.evaluate("document.querySelector('label').remove()")
        with pytest.raises(AssertionError, match=r"label \(.*#name"):
            await assert_accessible(page)


async def test_a_first_visit_is_small(browser: Browser, address: str) -> None:
    async with visit(browser, size=PHONE) as page:
        await page.goto(address + "/results")
        await page.get_by_text(LAST_ANSWER).wait_for()
        first = await visit_bytes(page)
        assert 20_000 < first < FIRST_VISIT_BYTES


async def test_each_way_to_reach_somebody_is_as_large_as_a_thumb(browser: Browser, address: str) -> None:
    async with visit(browser, size=PHONE, scripts=False) as page:
        await page.goto(address + "/results")
        for way in await page.locator(".pw-reach__way").all():
            box = await way.bounding_box()
            assert box is not None
            assert box["height"] >= 48
            assert box["width"] >= 200
