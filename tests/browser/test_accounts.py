"""Looking after accounts, and the demonstration's sign-in, in a real browser: phone and desk, and without scripts."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, expect

from gateway.accounts.account import Role
from gateway.web.assets import BUILT, MANIFEST
from tests.browser.visit import DESK, PHONE, assert_accessible, visit
from tests.federation import TestFederation, federation, someone
from tests.web.conftest import HOUSING
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    folder = tmp_path_factory.mktemp("north")
    async with federation(folder, [HOUSING], web=True, web_options="demo = true", built=BUILT) as running:
        await running.add(HOUSING, *someone("Katherine", "Bramley", "1991-05-17"))
        await running.sign_in(HOUSING, Role.PRACTITIONER, name="Robin Earlier", workers=["w-p1"])
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def ada(north: TestFederation) -> WebUser:
    return await north.sign_in(HOUSING, Role.ADMINISTRATOR, name="Ada Admin", job_role="Administrator")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_everybody_can_use_the_pages(
    browser: Browser, north: TestFederation, ada: WebUser, size: ViewportSize
) -> None:
    login = "robin.worker.with.a.rather.long.login@children-and-families.example.org"
    robin = await north.sign_in(HOUSING, Role.PRACTITIONER, login=f"{size['width']}{login}", name="Robin Worker")
    account = f"/manage/accounts/{robin.id}"
    async with visit(browser, user=ada, size=size) as page:

        async def is_well() -> None:
            await assert_accessible(page)
            assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0

        for path in ("/manage/accounts", "/manage/accounts/add", account, f"{account}/details", "/demo"):
            await page.goto(path)
            await is_well()
        await page.goto(f"{account}/register")
        await page.get_by_role("button", name="Link Robin Worker").click()
        await page.get_by_role("heading", name="Somebody else is linked to this practitioner").wait_for()
        await is_well()
        await page.get_by_role("button", name="Link all the same").click()
        await page.get_by_text("Linked to a practitioner, and so to their clients").wait_for()
        await is_well()
        await page.get_by_role("button", name="Make a set-up link").click()
        await page.get_by_label("Link").wait_for()
        await is_well()
        await page.goto("/manage/accounts/changes")
        await is_well()
        await page.goto("/manage/accounts/add")
        await page.get_by_role("button", name="Add the account").click()
        await expect(page.locator(".govuk-error-summary")).to_contain_text("Enter a login")
        await is_well()


async def test_a_visitor_of_a_demonstration_signs_in_with_one_click_and_without_scripts(
    browser: Browser, north: TestFederation
) -> None:
    async with visit(browser, user=north.browser(HOUSING), size=PHONE, scripts=False) as page:
        await page.goto("/")
        await page.get_by_role("button", name="Sign in as Otto Auditor").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="Changes to accounts").click()
        await page.get_by_role("heading", name="Changes to accounts").wait_for()
        await page.get_by_role("link", name="Choose who you are").click()
        await page.get_by_role("heading", name="Try it").wait_for()
