"""Consent, leaflets and reports in a real browser: axe on each page, on a phone, and recording without scripts."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, expect

from gateway.accounts.account import Role
from gateway.web.assets import BUILT, MANIFEST
from tests.browser.visit import DESK, PHONE, assert_accessible, visit
from tests.federation import TestFederation, federation
from tests.web.clients import TRUST, fill, rae
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAID = {"relation": "person", "method": "spoken", "mode": "practitioner", "whom": "all", "reasons": "all"}
OFFICERS = "/manage/who-looked"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    async with federation(tmp_path_factory.mktemp("north"), [TRUST, "housing"], web=True, built=BUILT) as running:
        await fill(running)
        await running.ask("housing", "Katherine Bramley", born="1991-05-17")
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wendy(north: TestFederation) -> WebUser:
    user = await rae(north)
    record = {**SAID, "services": "all", "until": "1-year", "go": "record"}
    await user.post("/clients/1/consent/record", record)
    return user


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_everybody_can_use_the_pages(
    browser: Browser, north: TestFederation, wendy: WebUser, size: ViewportSize
) -> None:
    officer = await north.sign_in(TRUST, Role.GOVERNANCE, name="Gail Green")
    below = ("", "/record", "/object", "/withdraw", "/withdraw/done", "/leaflet", "/leaflet/easy-read")
    own = [f"/clients/1/consent{each}" for each in below]
    for user, paths in (
        (wendy, [*own, "/leaflet", "/leaflet/easy-read"]),
        (officer, [OFFICERS, f"{OFFICERS}/1", f"{OFFICERS}/1/entries/1"]),
    ):
        async with visit(browser, user=user, size=size) as page:
            for path in paths:
                answer = await page.goto(path)
                assert answer is not None
                assert answer.ok, path
                await assert_accessible(page)
                assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path


async def test_an_agreement_is_recorded_on_a_phone_without_scripts_and_what_is_missing_is_said(
    browser: Browser, wendy: WebUser
) -> None:
    async with visit(browser, user=wendy, size=PHONE, scripts=False) as page:
        await page.goto("/clients/1/consent")
        await page.get_by_role("button", name="They agree to sharing").click()
        await page.get_by_role("button", name="Continue").click()
        await expect(page.locator(".govuk-error-summary")).to_contain_text("Select who says this")
        await page.get_by_label("The person themselves").check()
        await page.get_by_label("Spoken, face to face").check()
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_label("The named practitioner and how to reach them").check()
        await page.get_by_label("Every agency except those that I tick below").check()
        await page.get_by_label("All police forces").check()
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_label("Every reason for which agencies may ask").check()
        await page.get_by_label("All our services").check()
        await page.get_by_label("In a year").check()
        await page.get_by_role("button", name="Continue").click()
        await expect(page.locator(".pw-read-out")).to_contain_text("every agency except police forces")
        await page.get_by_role("button", name="Change what and which agencies").click()
        await expect(page.get_by_label("All police forces")).to_be_checked()
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_role("button", name="Record this").click()
        await page.get_by_role("heading", name="It is on record").wait_for()


async def test_the_steps_and_the_report_can_be_used_by_everybody(
    browser: Browser, north: TestFederation, wendy: WebUser
) -> None:
    async with visit(browser, user=wendy, size=PHONE) as page:
        await page.goto("/clients/1/consent/withdraw")
        await page.get_by_label("The person themselves").check()
        await page.get_by_label("Spoken, face to face").check()
        for _ in range(3):
            await page.get_by_role("button", name="Continue").click()
            await assert_accessible(page)
            assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        await page.get_by_role("button", name="Record this").click()
        await expect(page.locator("table")).to_contain_text("Housing")
        await assert_accessible(page)
    officer = await north.sign_in(TRUST, Role.GOVERNANCE, name="Gail Green")
    async with visit(browser, user=officer, size=PHONE, scripts=False) as page:
        await page.goto(OFFICERS)
        await page.get_by_label("Name", exact=True).fill("Katherine Bramley")
        for label, typed in (("Day", "17"), ("Month", "5"), ("Year", "1991")):
            await page.get_by_label(label, exact=True).fill(typed)
        await page.get_by_role("button", name="Find them").click()
        await page.get_by_label("The client", exact=True).check()
        await page.get_by_label("Their name").fill("Katherine Bramley")
        await page.get_by_label("I have checked who is asking: how").fill("passport seen")
        await page.get_by_label("By name and role").check()
        await page.get_by_label("On this screen, to print").check()
        await page.get_by_role("button", name="Release the report").click()
        await page.get_by_role("heading", name="Who asked about me").wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
