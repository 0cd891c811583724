"""Passkeys in a real browser, with a device that the browser itself plays."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from gateway.web.assets import BUILT, MANIFEST
from tests.browser.visit import PHONE, assert_accessible, assert_no_shift, visit
from tests.federation import TestFederation, federation
from tests.web.invited import PASSWORD, signed_in, with_password
from tests.web.test_oidc_hostile import oidc_table

HOUSING = "housing"

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def named(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    folder = tmp_path_factory.mktemp("named")
    directory = oidc_table(folder, "http://127.0.0.1:9")  # where nobody listens
    async with federation(
        folder, [HOUSING], web=True, web_host="localhost", web_options=directory, built=BUILT
    ) as running:
        yield running


class VirtualDevice:
    """What Chromium plays: a phone that verifies its user, or fails to."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def plug_in(self) -> None:
        self._session = await self._page.context.new_cdp_session(self._page)
        await self._session.send("WebAuthn.enable")
        options: dict[str, Any] = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = await self._session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = added["authenticatorId"]

    async def know_its_user(self, known: bool) -> None:
        await self._session.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": known})

    async def keys(self) -> list[dict[str, Any]]:
        found = await self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        return list(found["credentials"])


async def test_a_passkey_is_added_on_a_phone_and_signs_in_without_a_password(
    browser: Browser, named: TestFederation
) -> None:
    wendy = await with_password(named, HOUSING, "wendy")
    await signed_in(wendy, "wendy")
    async with visit(browser, user=wendy, size=PHONE) as page:
        device = VirtualDevice(page)
        await device.plug_in()
        await page.goto("/account/passkeys")
        await page.get_by_role("button", name="Add a passkey").click()
        await page.get_by_role("alert").get_by_text("Enter a name").wait_for()  # told before the device makes one
        assert await device.keys() == []
        await page.get_by_label("Name").fill("my work phone")
        await page.get_by_role("button", name="Add a passkey").click()
        await page.get_by_text("not used yet").wait_for()
        (key,) = await device.keys()
        assert (key["rpId"], key["isResidentCredential"]) == ("localhost", True)
        await assert_accessible(page)
        await assert_no_shift(page)
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.get_by_role("button", name="Sign out", exact=True).wait_for()
        named.clock.turn(301)
        await page.goto("/account/passkeys")
        await assert_accessible(page)
        assert (await page.title()).startswith("Show that it is you")
        await page.get_by_role("button", name="Use a passkey").click()
        await page.get_by_text("last used").wait_for()
        await page.get_by_role("button", name="Remove my work phone").click()
        await page.get_by_text("You have none yet").wait_for()
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.get_by_text("It may have been removed").first.wait_for()
        await assert_accessible(page)


async def test_a_device_that_does_not_know_its_user_signs_nobody_in_and_the_page_says_what_to_do(
    browser: Browser, named: TestFederation
) -> None:
    stranger = named.browser(HOUSING)
    async with visit(browser, user=stranger, size=PHONE) as page:
        device = VirtualDevice(page)
        await device.plug_in()
        await page.goto("/sign-in")
        trouble = page.get_by_text("No passkey came from your device")
        await expect(trouble).to_be_hidden()
        await device.know_its_user(False)
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await trouble.wait_for()
        await assert_accessible(page)
        assert "/sign-in" in page.url


async def test_everybody_can_use_the_pages_about_a_directory_that_is_down(
    browser: Browser, named: TestFederation
) -> None:
    async with visit(browser, user=named.browser(HOUSING), size=PHONE) as page:
        await page.goto("/sign-in")
        await assert_accessible(page)
        await page.get_by_role("button", name="Sign in with the Housing directory").click()
        await page.get_by_text("cannot be reached").wait_for()
        await assert_accessible(page)


async def test_without_scripts_the_page_says_that_passkeys_need_them_and_the_password_signs_in(
    browser: Browser, named: TestFederation
) -> None:
    gerald = await with_password(named, HOUSING, "gerald")
    async with visit(browser, user=gerald, scripts=False) as page:
        await page.goto("/sign-in")
        await expect(page.locator("form#passkey")).to_contain_text("Passkeys need JavaScript", use_inner_text=True)
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.get_by_role("alert").get_by_text("Use another way to sign in").wait_for()
        await page.get_by_label("Login").fill("gerald")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.get_by_role("button", name="Sign out", exact=True).wait_for()
