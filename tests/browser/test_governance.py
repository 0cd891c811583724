"""Cases, the record, the ledger and the weekly report in a real browser: for everybody, on a phone, without scripts."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from gateway.accounts.account import Role
from gateway.node.ask import ask
from gateway.web.assets import BUILT, MANIFEST
from mappings.vocabulary import Purpose
from tests.browser.visit import PHONE, assert_accessible, visit
from tests.federation import TestFederation, federation, someone
from tests.web.test_cases import AGENCY, AGREEMENT, ASKER, BROKEN, officer
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """A break-glass, then a review, about somebody known at the agency."""
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    folder = tmp_path_factory.mktemp("north")
    async with federation(folder, [ASKER, AGENCY], agreement=AGREEMENT, web=True, built=BUILT) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        for details in ({"purpose": Purpose.BREAK_GLASS, "break_glass": BROKEN}, {"purpose": Purpose.SAFEGUARDING}):
            question = running.question(ASKER, "Katherine Bramley", born="1991-05-17", **details)
            async for _ in ask(question, node=running.nodes[ASKER].parts):
                pass
        await running.nodes[AGENCY].checkpoints.visit()
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def gwen(north: TestFederation) -> WebUser:
    return await officer(north, AGENCY, Role.MANAGER, Role.GOVERNANCE, name="Gwen Governance")


async def test_everybody_can_use_the_pages(browser: Browser, gwen: WebUser) -> None:
    async with visit(browser, user=gwen, size=PHONE) as page:
        for path in (
            "/manage",
            "/manage/cases",
            "/manage/cases/ended",
            "/manage/cases/break-glass-1",
            "/manage/cases/review-2",
            "/manage/cases/review-2/report",
            "/manage/audit",
            "/manage/audit/2",
            "/manage/audit/2/evidence",
            "/manage/audit/export",
            "/manage/ledger",
            "/manage/misuse",
        ):
            await page.goto(path)
            await assert_accessible(page)
            assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path
        await page.goto("/manage/cases/review-2")
        await page.get_by_role("button", name="End this case").click()
        await expect(page.locator(".govuk-error-summary")).to_contain_text("Select what you decide")
        await assert_accessible(page)


async def test_the_record_is_verified_while_the_page_is_open(browser: Browser, gwen: WebUser) -> None:
    async with visit(browser, user=gwen) as page:
        await page.goto("/manage/ledger")
        await page.get_by_role("button", name="Verify now").click()
        await page.get_by_text("entries are as they were written").wait_for()  # without a reload
        await assert_accessible(page)


async def test_a_case_is_ended_with_a_keyboard_and_without_scripts(browser: Browser, gwen: WebUser) -> None:
    async with visit(browser, user=gwen, size=PHONE, scripts=False) as page:
        await page.goto("/manage/cases")
        await page.get_by_role("link", name="A question to be decided").focus()
        await page.keyboard.press("Enter")
        await page.get_by_label("They may be told, by telephone").focus()
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await page.keyboard.type("Rang the duty manager")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Now ring them").wait_for()
        call = page.get_by_role("link", name="Call Childrens Services")
        await expect(call).to_have_attribute("href", "tel:01632960000")
