"""The pages on agreements, sources, the federation and figures in a real browser: on a phone, and without scripts."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Page, ViewportSize, expect

from gateway.accounts.account import Role
from gateway.database.contract import Statement, Work
from gateway.reports.figures import ANSWERED, CONTACT, PEOPLE, REACHED, SEARCHES, TEAMS
from gateway.web.assets import BUILT, MANIFEST
from gateway.web.figure_counts import ROLES, monday
from tests.browser.visit import DESK, PHONE, assert_accessible, visit
from tests.federation import AGREEMENT, TestFederation, federation, someone
from tests.web_user import WebUser

HOUSING, TRUST, POLICE = "housing", "community-trust", "police"
SOURCE = '[[source]]\nname = "tenancies"\nmapping = "demo_housing"\noptions = { path = "tenancies.csv" }\n'

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    folder = tmp_path_factory.mktemp("north")
    members = [HOUSING, TRUST, POLICE]
    async with federation(folder, members, accept="local", web=True, web_options=SOURCE, built=BUILT) as running:
        for member, other in ((HOUSING, TRUST), (TRUST, HOUSING)):
            await running.nodes[member].parts.membership.accept(other)
        await running.refresh()
        await running.add(HOUSING, *someone("Katherine", "Bramley", "1991-05-17"))
        await running.ask(TRUST, "Katherine Bramley", born="1991-05-17")
        site = running.pages[HOUSING].site
        await running.nodes[HOUSING].database.write(held_back(running.clock.now()))
        await site.database.write(quarter(running))
        yield running


def held_back(now: float) -> Work[None]:
    """An import a week ago, and one since that held removals back and could not read everything."""
    yield Statement("INSERT INTO import_source (name, federation, current_run) VALUES ('tenancies', 'northshire', 1)")
    ((source_id,),) = yield Statement("SELECT id FROM import_source WHERE name = 'tenancies'")
    for ago, outcome, held in ((9 * 86_400, "completed", 0), (8 * 86_400, "held", 412)):
        yield Statement(
            "INSERT INTO import_run (source_id, started_at, finished_at, outcome, created, changed, unchanged,"
            " rejected, held) VALUES (?, ?, ?, ?, 12, 34, 1820, 2, ?)",
            (source_id, now - ago, now - ago + 60, outcome, held),
        )
    ((run_id,),) = yield Statement("SELECT max(id) FROM import_run")
    reasons = [("DOB", "person.birth_date: not a date of the form %d/%m/%Y or %Y"), ("Tenancy Ref", "the key is empty")]
    yield Statement(
        "INSERT INTO rejected_record (run_id, place, field, reason, whole_record) VALUES (?, ?, ?, ?, 1)",
        [(run_id, f"tenancies.csv line {line}", *reason) for line, reason in enumerate([*reasons, reasons[0]], 40)],
    )


def quarter(north: TestFederation) -> Work[None]:
    """Thirteen weeks of use, one of them quiet."""
    this = monday(north.pages[HOUSING].site.today())
    for week in range(1, 14):
        many = 3 if week == 4 else 30 + 7 * (week % 5)
        counts = {SEARCHES: many, PEOPLE: min(many, 9)}
        for table in (TEAMS, ANSWERED):
            counts |= dict(zip(table, (many // 3, many // 3, many - 2 * (many // 3)), strict=True))
        counts |= dict(zip(REACHED, (many // 2, 6, 2 + week), strict=True))
        counts |= dict(zip(CONTACT, (many // 4, many // 2 - many // 4, 0), strict=True))
        day = (this - timedelta(weeks=week)).isoformat()
        yield Statement(
            "INSERT INTO figure (day, name, role, count) VALUES (?, ?, ?, ?)",
            [(day, name, ROLES[0], count) for name, count in counts.items()],
        )


@pytest_asyncio.fixture(loop_scope="session")
async def grace(north: TestFederation) -> WebUser:
    return await north.sign_in(HOUSING, Role.GOVERNANCE, Role.ADMINISTRATOR, name="Grace Green")


async def assert_usable(page: Page) -> None:
    await assert_accessible(page)
    assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_everybody_can_use_the_pages(browser: Browser, grace: WebUser, size: ViewportSize) -> None:
    async with visit(browser, user=grace, size=size) as page:
        for path in (
            "/manage",
            "/manage/agreements",
            "/manage/agreements/compare",
            "/manage/sources",
            "/manage/sources/tenancies",
            "/manage/federation",
            "/manage/federation/accept/police",
            "/manage/figures",
        ):
            await page.goto(path)
            await assert_usable(page)
        await page.goto("/manage/agreements")
        await page.get_by_role("link", name="Tests: who works with whom").click()
        await page.get_by_text("Rule by rule").click()
        await assert_usable(page)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_draft_is_looked_at_and_replayed_on_a_phone(browser: Browser, grace: WebUser, scripts: bool) -> None:
    strict = AGREEMENT.read_bytes().replace(b'mode = "schedule"', b'mode = "duty-contact"', 1)
    async with visit(browser, user=grace, size=PHONE, scripts=scripts) as page:
        await page.goto("/manage/agreements/draft")
        await page.get_by_role("button", name="Look at it").click()
        await expect(page.locator(".govuk-error-summary")).to_contain_text("Choose the TOML file")
        await page.set_input_files("#file", FilePayload(name="draft.toml", mimeType="application/toml", buffer=strict))
        await page.get_by_role("button", name="Look at it").click()
        await until_over(page)
        await page.get_by_text("Who learns less").wait_for()
        if scripts:  # axe is a script
            await assert_usable(page)
        await page.get_by_role("button", name="Replay past questions").click()
        await until_over(page)
        await expect(page.locator(".pw-figure__number").first).to_have_text("1")
        if scripts:
            await assert_usable(page)


async def until_over(page: Page) -> None:
    for _ in range(100):
        await page.wait_for_load_state()
        again = page.get_by_role("link", name="Check again")
        if not await again.count():
            return
        await again.click(timeout=5_000)
    raise AssertionError("it does not come to its end")
