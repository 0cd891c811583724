"""Household, picture, contacts and colleagues in a real browser: on a phone, on paper, without scripts."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from gateway.web.assets import BUILT, MANIFEST
from mappings.model import HumanName, Involvement, Person, PersonLink
from mappings.vocabulary import PersonLinkKind
from tests.browser.visit import DESK, PHONE, assert_accessible, visit
from tests.federation import TestFederation, federation, someone
from tests.web.clients import TRUST, fill, rae
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"
SEEN = "svg => getComputedStyle(svg).display !== 'none'"
# Text of the picture that is in sight and reaches beyond the box in which it stands, by what the browser measures.
SPILT = """() => [...document.querySelectorAll("svg.pw-picture")]
    .filter(svg => getComputedStyle(svg).display !== "none")
    .flatMap(svg => [...svg.querySelectorAll("g")].flatMap(group => {
        const box = group.querySelector("rect").getBBox();
        return [...group.querySelectorAll("text")].filter(text => {
            const said = text.getBBox();
            return said.x < box.x || said.x + said.width > box.x + box.width
                || said.y < box.y - 1 || said.y + said.height > box.y + box.height + 1;
        }).map(text => text.textContent);
    }))"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    async with federation(tmp_path_factory.mktemp("north"), [TRUST, "housing"], web=True, built=BUILT) as running:
        await fill(running)
        await running.add(
            TRUST,
            Person(key="m1", names=(HumanName(given=("Mara", "Nguyễn"), family=LONG),), birth_date="2015-02-01"),
            Involvement(key="m1", person_key="m1", practitioner_key="w-p1", role="Mentor", start="2026-01-01"),
            PersonLink(key="l", person_key="p1", other_key="m1", kind=PersonLinkKind.HOUSEHOLD),
            PersonLink(key="o", person_key="p1", other_key="o1", kind=PersonLinkKind.FAMILY),
        )
        worker = f"Hope {LONG}"
        await running.add("housing", *someone("Katherine", "Bramley", "1991-05-17", worker=worker, role="W" * 90))
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def wendy(north: TestFederation) -> WebUser:
    return await rae(north)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_everybody_can_use_the_pages(browser: Browser, wendy: WebUser, size: ViewportSize) -> None:
    async with visit(browser, user=wendy, size=size) as page:
        for path in ("household", "picture", "contact", "ask"):
            await page.goto(f"/clients/1/{path}")
            await _assert_good(page)
        await page.goto("/colleagues")
        await _assert_good(page)
        await page.get_by_label("Name, role or service").fill("kim fizio")
        await page.get_by_role("button", name="Find a colleague").click()
        await page.get_by_role("link", name="Call Kim Physio").wait_for()
        await _assert_good(page)
        for path in ("household", "contact"):
            await page.goto(f"/clients/1/{path}")
            await page.locator("main form").last.locator("button").click()
            await page.locator(".govuk-error-summary").wait_for()
            await assert_accessible(page)


async def test_one_picture_is_seen_on_each_screen_and_on_paper_with_its_list(browser: Browser, wendy: WebUser) -> None:
    async with visit(browser, user=wendy, size=DESK) as page:
        await page.goto("/search")
        for label, text in (("Name", "Katherine Bramley"), ("Day", "17"), ("Month", "5"), ("Year", "1991")):
            await page.get_by_label(label, exact=True).fill(text)
        await page.get_by_role("button", name="Find who to call").click()
        await page.get_by_text("1 of 1 agency has answered").wait_for()
        await page.get_by_role("link", name="Picture of the team").click()
        await page.get_by_role("heading", name="The same as a list").wait_for()
        for how, size, media in (("wide", DESK, "screen"), ("narrow", PHONE, "screen"), ("wide", PHONE, "print")):
            await page.set_viewport_size(size)
            await page.emulate_media(media=media)  # type: ignore[arg-type]  # a literal
            assert await page.locator("svg.pw-picture").evaluate_all(f"all => all.map({SEEN})") == [
                how == "wide",
                how == "narrow",
            ]
            assert await page.evaluate(SPILT) == []
            in_full = page.get_by_text(f"Hope {LONG}", exact=True)  # the list has all of a long name
            await expect(in_full).to_be_visible()
        await expect(page.locator("text.pw-picture__name", has_text="Hope")).to_have_count(2)


async def test_a_link_and_a_contact_are_made_without_scripts(browser: Browser, wendy: WebUser) -> None:
    async with visit(browser, user=wendy, size=PHONE, scripts=False) as page:
        await page.goto("/clients/1/household")
        await page.get_by_label("Client").select_option(index=1)
        await page.get_by_label("Family").check()
        await page.get_by_role("button", name="Link them").click()
        await page.get_by_role("button", name="Remove this link").click()
        await expect(page.get_by_role("button", name="Remove this link")).to_have_count(0)
        await page.goto("/clients/1/contact")
        await page.get_by_label("Kind of contact").select_option("phone")
        await page.get_by_label("It is planned").check()
        for label, text in (("Day", "22"), ("Month", "9"), ("Year", "2026")):
            await page.get_by_label(label, exact=True).fill(text)
        await page.get_by_role("button", name="Save").click()
        await page.get_by_text("Phone, planned").wait_for()


async def _assert_good(page: Page) -> None:
    await assert_accessible(page)
    assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert await page.evaluate(SPILT) == []
