"""Typing in services and people, and uploading a list, in a real browser: on a phone, and without scripts."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, ViewportSize

from gateway.accounts.account import Role
from gateway.web.assets import BUILT, MANIFEST
from tests.browser.visit import DESK, PHONE, assert_accessible, visit
from tests.federation import TestFederation, federation
from tests.web.lists import FOOD_BANK, SERVICE, people, set_up, workbook
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="session")
REGISTER = "/manage/register"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    async with federation(tmp_path_factory.mktemp("north"), [FOOD_BANK], web=True, built=BUILT) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cora(north: TestFederation) -> WebUser:
    coordinator = await north.sign_in(FOOD_BANK, Role.MANAGER, name="Cora Coordinator")
    await coordinator.post(f"{REGISTER}/organisation", {"name": "Anytown Food Bank", "phone": "01632 960300"})
    await set_up(coordinator)
    return coordinator


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_everybody_can_use_the_pages(
    browser: Browser, north: TestFederation, cora: WebUser, size: ViewportSize
) -> None:
    async def judge() -> None:
        await assert_accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0

    async with visit(browser, user=cora, size=size) as page:
        await page.goto(REGISTER)
        links = [
            await page.get_by_role("link", name=name).get_attribute("href") for name in ("Friday club", "Vera Vale")
        ]
        for path in (
            REGISTER,
            "/manage",
            f"{REGISTER}/organisation",
            f"{REGISTER}/clients/add",
            "/manage/uploads",
            *filter(None, links),
        ):
            await page.goto(path)
            await judge()
        for path in ("services", "people"):
            await page.goto(f"{REGISTER}/{path}/add")
            await page.get_by_role("button", name="Save").click()
            await page.locator(".govuk-error-summary").wait_for()
            await judge()
        await page.goto("/manage/uploads")
        await page.get_by_label("File").set_input_files(
            FilePayload(name="members.xlsx", mimeType=TYPE, buffer=workbook(people()))
        )
        if size == DESK:
            await page.get_by_role("radio", name="A new list").check()
        await page.get_by_label("Name of a new list").fill(f"List for {size['width']}")
        await page.get_by_role("button", name="Upload").click()
        await page.get_by_role("heading", name="This is what we would store").wait_for()
        await judge()
        await page.get_by_role("button", name="Import the whole list").click()
        await page.get_by_role("heading", name="This list has been imported").wait_for(timeout=20_000)
        await judge()


async def test_a_service_is_typed_in_without_scripts(browser: Browser, cora: WebUser) -> None:
    async with visit(browser, user=cora, size=PHONE, scripts=False) as page:
        await page.goto(f"{REGISTER}/services/add")
        await page.get_by_label("Name", exact=True).fill("Night shelter")
        await page.get_by_label("What kind of service").select_option("emergency-support")
        await page.get_by_label("Duty phone").fill(SERVICE["phone"])
        await page.get_by_label("Not confidential").check()
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("link", name="Night shelter").wait_for()
