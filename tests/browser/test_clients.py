"""My clients, a client, adding one and my details in a real browser: on a phone, with a keyboard, without scripts."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, expect

from gateway.web.assets import BUILT, MANIFEST
from tests.browser.visit import DESK, PHONE, assert_accessible, visit
from tests.federation import TestFederation, federation
from tests.web.clients import TRUST, fill, rae
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    async with federation(tmp_path_factory.mktemp("north"), [TRUST], web=True, built=BUILT) as running:
        await fill(running)
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def wendy(north: TestFederation) -> WebUser:
    return await rae(north)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_everybody_can_use_the_pages(browser: Browser, wendy: WebUser, size: ViewportSize) -> None:
    async with visit(browser, user=wendy, size=size) as page:
        for path in ("/clients", "/clients/1", "/clients/1/leave", "/clients/add", "/me"):
            await page.goto(path)
            await assert_accessible(page)
            assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        for path in ("/clients/add", "/me"):
            await page.goto(path)
            async with page.expect_navigation():
                await page.locator("main form").first.locator("button").click()
            if path == "/clients/add":
                await expect(page.locator(".govuk-error-summary")).to_contain_text("Enter their name")
            await assert_accessible(page)


async def test_a_client_is_added_with_a_keyboard_and_without_scripts(browser: Browser, wendy: WebUser) -> None:
    async with visit(browser, user=wendy, size=PHONE, scripts=False) as page:
        await page.goto("/clients")
        await page.get_by_role("button", name="Add a client").focus()
        await page.keyboard.press("Enter")
        await page.get_by_label("Name", exact=True).focus()
        for typed in ("Owen Pritchard", "4", "4", "1990"):
            await page.keyboard.type(typed)
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Somebody like this is known here").wait_for()
        await page.get_by_role("button", name="It is the same person").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="What they say about sharing").wait_for()
        await page.get_by_role("link", name="Client", exact=True).click()
        await page.get_by_role("heading", name="Owen Pritchard").wait_for()
        call = page.get_by_role("link", name="Call Olu Open")
        await expect(call).to_have_attribute("href", "tel:01632960123")


async def test_one_tap_says_that_the_work_goes_on(browser: Browser, wendy: WebUser) -> None:
    async with visit(browser, user=wendy, size=PHONE, scripts=False) as page:
        await page.goto("/clients")
        await page.get_by_role("button", name="Yes Katherine Bramley").click()
        await expect(page.get_by_text("Are you still working with Katherine Bramley?")).to_have_count(0)
