"""Signing in on a real page of a real node: with a keyboard, on a phone, and without scripts."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, expect

from gateway.web.assets import BUILT, MANIFEST
from tests.browser.visit import DESK, PHONE, assert_accessible, assert_no_shift, visit, visit_bytes
from tests.federation import TestFederation, federation
from tests.web.invited import PASSWORD, with_password
from tests.web_user import WebUser

HOUSING = "housing"
FIRST_VISIT_BYTES = 100_000

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    async with federation(tmp_path_factory.mktemp("north"), [HOUSING], web=True, built=BUILT) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wendy(north: TestFederation) -> WebUser:
    """Has a password, and has not signed in yet."""
    return await with_password(north, HOUSING, "wendy")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_first_visit_is_small_and_still_and_everybody_can_use_it(
    browser: Browser, wendy: WebUser, size: ViewportSize
) -> None:
    async with visit(browser, user=wendy, size=size) as page:
        await page.goto("/sign-in")
        await assert_accessible(page)
        await assert_no_shift(page)
        assert 20_000 < await visit_bytes(page) < FIRST_VISIT_BYTES


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_a_keyboard_is_enough_to_sign_in(browser: Browser, wendy: WebUser, scripts: bool) -> None:
    async with visit(browser, user=wendy, scripts=scripts) as page:
        await page.goto("/sign-in")
        await page.keyboard.press("Tab")
        await expect(page.locator(":focus")).to_have_text("Skip to main content")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.type("wendy")
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Sign out", exact=True).wait_for()


async def test_everybody_can_use_the_page_after_a_wrong_password(browser: Browser, wendy: WebUser) -> None:
    async with visit(browser, user=wendy, size=PHONE) as page:
        await page.goto("/sign-in")
        await page.get_by_label("Login").fill("wendy")
        await page.get_by_label("Password", exact=True).fill("not the password")
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("alert").wait_for()
        await expect(page).to_have_title(re.compile("^Error: Sign in"))
        await assert_accessible(page)
