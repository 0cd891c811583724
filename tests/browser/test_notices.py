"""Notices, invitations, attention, reports, feedback and alerts in a real browser: on a phone, and without scripts."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, expect

from gateway.accounts.account import Role
from gateway.database.contract import Statement, Work
from gateway.web.assets import BUILT, MANIFEST
from tests.browser.visit import DESK, PHONE, assert_accessible, visit
from tests.federation import TestFederation, federation
from tests.web.around import CLIENT, compare, invite, kim, nia
from tests.web.clients import TRUST, fill
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN = ("/notices", f"{CLIENT}/invite", f"{CLIENT}/attention", f"{CLIENT}/wrong", "/feedback", "/me/alerts")
MAIL = '[web.mail]\nhost = "127.0.0.1"\nsender = "patchwork@example.org"\nsecurity = "none"\n'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    folder = tmp_path_factory.mktemp("north")
    async with federation(folder, [TRUST], web=True, built=BUILT, web_options=MAIL) as running:
        await fill(running)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wendy(north: TestFederation) -> WebUser:
    """Rae Reception, who is a manager too and to whom everything has happened that there are notices of."""
    roles = (Role.PRACTITIONER, Role.MANAGER)
    user = await north.sign_in(TRUST, *roles, name="Rae Reception", job_role="Receptionist", workers=["w-p1"])
    physio, newcomer = await kim(north), await nia(north)
    assert user.account is not None
    site = north.pages[TRUST].site

    await site.database.write(_with_email(user.account.id))
    await compare(north)
    await physio.post(f"{CLIENT}/attention", {"phrase": "call-me"})
    await physio.post("/me/reach", {"system-1": "phone", "value-1": "01632 960 555"}, form="/me")
    await physio.post(f"{CLIENT}/wrong", {"what": "duplicate"})
    await compare(north)
    await invite(user, newcomer)
    await physio.post("/clients/add", {"name": "Ada Zuleika", "born-year": "2001", "born-day": "1", "born-month": "1"})
    await invite(physio, user, client="/clients/4")
    await physio.post("/feedback", {"text": "Larger letters,\nplease", "page": "/clients"})
    return user


def _with_email(account_id: int) -> Work[None]:
    yield Statement("UPDATE account SET email = 'rae@example.org' WHERE id = ?", (account_id,))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_everybody_can_use_the_pages(browser: Browser, wendy: WebUser, size: ViewportSize) -> None:
    async with visit(browser, user=wendy, size=size) as page:
        for path in (*OWN, "/manage/problems", "/manage/feedback"):
            await page.goto(path)
            await assert_accessible(page)
            assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path
        async with page.expect_navigation():
            await page.get_by_role("link", name="Say what becomes of it").click()
        await assert_accessible(page)
        await page.goto("/notices")
        await page.get_by_role("link", name="Decline").click()
        await page.get_by_role("button", name="Decline").click()
        await expect(page.locator(".govuk-error-summary")).to_contain_text("Select why you do not join")
        await assert_accessible(page)
        for path in (f"{CLIENT}/wrong", "/feedback"):
            await page.goto(path)
            await page.locator("main form button").last.click()
            await expect(page.locator(".govuk-error-summary")).to_have_count(1)
            await assert_accessible(page)


async def test_a_phrase_an_invitation_and_a_notice_need_no_scripts(browser: Browser, wendy: WebUser) -> None:
    async with visit(browser, user=wendy, size=PHONE, scripts=False) as page:
        await page.goto(CLIENT)
        await page.get_by_role("link", name="Tell the others").click()
        await page.get_by_role("button", name="Send I am about to close the case").focus()
        await page.keyboard.press("Enter")
        await page.get_by_text("Sent today").wait_for()
        await page.get_by_role("link", name="Notices").click()
        await page.get_by_role("button", name="Mark as read Katherine Bramley Please call me").click()
        await page.get_by_role("button", name="Accept").click()
        await page.get_by_role("heading", name="Ada Zuleika").wait_for()
