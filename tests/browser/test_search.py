"""Finding whom to call in a real browser: with a keyboard, on a phone, without scripts, and with nothing that moves."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from gateway.accounts.account import Role
from gateway.web import asking
from gateway.web.assets import BUILT, MANIFEST
from tests.browser.visit import DESK, PHONE, assert_accessible, assert_no_shift, visit
from tests.federation import FIVE, TestFederation, federation, someone
from tests.web_user import WebUser

ASKER, CERTAIN, PROBABLE, HANGING = "childrens-services", "housing", "community-trust", "police"
DEADLINE_MS = 1_500
BANNER = 60  # pixels that a demonstration's own banner takes on a phone

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """One agency is certain, one less so, one has nothing, and one hangs until the deadline."""
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "DEADLINE_MS", DEADLINE_MS)
        async with federation(tmp_path_factory.mktemp("north"), FIVE, web=True, built=BUILT) as running:
            await running.add(CERTAIN, *someone("Katherine", "Bramley", "1991-05-17", lead=True))
            await running.add(PROBABLE, *someone("Katherine", "Bramly", "1991-05-17", worker="Sanjay Okafor"))
            await running.stop(HANGING)
            async with await asyncio.start_server(hang, "127.0.0.1", running.ports[HANGING]):
                yield running


@pytest_asyncio.fixture(loop_scope="session")
async def alex(north: TestFederation) -> WebUser:
    return await north.sign_in(ASKER, Role.PRACTITIONER, name="Alex Asker", job_role="Social worker")


async def search(page: Page, name: str = "Kate Bramley") -> None:
    """Type as somebody with a keyboard would: from field to field, and Enter at the end."""
    await page.goto("/search")
    await page.get_by_label("Name", exact=True).focus()
    for typed in (name, "17", "5", "1991"):
        await page.keyboard.type(typed)
        await page.keyboard.press("Tab")
    await page.get_by_label("To find out who else works with this person").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Who is working with this person").wait_for()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_answers_arrive_one_by_one_and_nothing_moves(browser: Browser, alex: WebUser, size: ViewportSize) -> None:
    async with visit(browser, user=alex, size=size) as page:
        await search(page)
        await page.get_by_role("heading", name="Robin Worker").wait_for()
        await page.get_by_role("heading", name="Probably this person").wait_for()
        waiting, titles = page.locator(".pw-slot--waiting"), page.locator(".pw-match-group__title")
        # Whoever answers in another moment than the first stands below, whatever the group: nothing moves.
        assert {*(await titles.all_inner_texts())[:2]} == {"This is the person", "Probably this person"}
        shown = await page.locator(".pw-person-card__name").all_inner_texts()
        await page.get_by_role("heading", name="Agencies to phone").wait_for()
        await expect(waiting).to_have_count(0)
        assert (await page.locator(".pw-person-card__name").all_inner_texts())[: len(shown)] == shown
        await expect(page.locator(".pw-slot")).to_have_count(4)
        await assert_no_shift(page)
        await assert_accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


async def test_on_a_phone_the_first_number_stands_on_the_first_screen(browser: Browser, alex: WebUser) -> None:
    async with visit(browser, user=alex, size=PHONE) as page:
        await search(page)
        call = page.get_by_role("link", name="Call Robin Worker")
        await call.wait_for()
        box = await call.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"] - BANNER


async def test_after_a_call_the_card_asks_whether_it_reached_anybody(browser: Browser, alex: WebUser) -> None:
    async with visit(browser, user=alex, size=PHONE) as page:
        await search(page)
        # A telephone would take over here.
        await page.evaluate("document.addEventListener('click', event => event.preventDefault())")
        card = page.locator(".pw-person-card", has_text="Robin Worker")
        await card.get_by_role("link", name="Call Robin Worker").click()
        await card.get_by_text("Did you reach Robin Worker?").wait_for()
        await assert_accessible(page)


async def test_a_connection_that_was_lost_for_a_moment_loses_no_answer(browser: Browser, alex: WebUser) -> None:
    async with visit(browser, user=alex, size=PHONE) as page:
        await page.add_init_script("console.error = () => {}")  # htmx tells of the lost connection, as it should
        await page.route("**/after/*", lambda route: route.abort(), times=1)
        await search(page)
        await page.get_by_role("heading", name="Agencies to phone").wait_for()


async def test_without_scripts_the_page_is_whole_and_offers_to_check_again(browser: Browser, alex: WebUser) -> None:
    async with visit(browser, user=alex, size=PHONE, scripts=False) as page:
        await search(page)
        await page.get_by_role("heading", name="Robin Worker").wait_for()
        again = page.get_by_role("link", name="Check again")
        over = page.get_by_role("link", name="1 did not answer")
        await expect(again.or_(over).first).to_be_visible()
        while not await over.count():
            await asyncio.sleep(0.3)
            await again.click()
            await expect(again.or_(over).first).to_be_visible()
        await over.click()
        call = page.locator("#unreached").get_by_role("link", name="Call Police")
        await expect(call).to_have_attribute("href", "tel:01632960000")
        await page.get_by_role("link", name="Did you reach them? Robin Worker").click()
        await page.get_by_label("Yes").check()
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("heading", name="Who is working with this person").wait_for()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_everybody_can_use_the_forms(browser: Browser, alex: WebUser, size: ViewportSize) -> None:
    async with visit(browser, user=alex, size=size) as page:
        for path in ("/search", "/break-glass", "/searches/none"):
            await page.goto(path)
            await assert_accessible(page)
        await page.goto("/search")
        await page.get_by_text("I only know the age").click()
        await page.get_by_label("Age in years").fill("old")
        await page.get_by_role("button", name="Find who to call").click()
        await page.get_by_role("alert").wait_for()
        await assert_accessible(page)
        await page.get_by_role("link", name="Enter a whole number").click()
        assert await page.evaluate("document.activeElement.id") == "age"
