"""The weekly report on a page: what stands out, by who asked and by entry, for governance officers alone."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.node.ask import ask
from gateway.web import background
from tests.federation import NOW, TestFederation, federation, someone
from tests.web_user import Shown, WebUser

ASKER, AGENCY = "childrens-services", "housing"
XSS = "<script>alert(1)</script><img src=x>"
TODAY = datetime.fromtimestamp(NOW, UTC).date()
WEEK = {"week": (TODAY - timedelta(days=TODAY.weekday())).isoformat()}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """Alex Asker has asked about a Robin Asker, and about a colleague who has an account."""
    async with federation(tmp_path_factory.mktemp("north"), [ASKER, AGENCY], web=True) as running:
        await running.add(AGENCY, *someone("Robin", "Asker", "1988-02-03"))
        alex = await running.sign_in(ASKER, Role.PRACTITIONER, name="Alex Asker")
        await running.sign_in(ASKER, Role.PRACTITIONER, name="Dana Colleague")
        for name, born, who in (
            ("Robin Asker", "1988-02-03", alex.id),
            ("Dana Colleague", "1980-01-01", alex.id),
            ("Robin Asker", "1988-02-03", XSS),
        ):
            question = running.question(ASKER, name, born=born)
            question = replace(question, practitioner=replace(question.practitioner, id=who))
            async for _ in ask(question, node=running.nodes[ASKER].parts):
                pass
        yield running


async def made(user: WebUser) -> Shown:
    """The report, once it has been made."""
    async with asyncio.timeout(60):
        while True:
            page = await user.get("/manage/misuse")
            if "Check again" not in page.words:
                return page
            await asyncio.sleep(0.02)


async def test_an_officer_sees_who_should_be_asked_about_what_and_no_client(north: TestFederation) -> None:
    ours, theirs = [await north.sign_in(member, Role.GOVERNANCE) for member in (ASKER, AGENCY)]
    assert "Choose a week" in (await ours.get("/manage/misuse")).words
    for user in (ours, theirs):
        await user.post("/manage/misuse", WEEK)
    page, other = await made(ours), await made(theirs)
    assert "3 questions were asked here, and 0 answered" in page.words
    assert "Somebody of the asker's family name" in page.words
    assert "one of this agency's practitioners" in page.words
    assert "Alex Asker" in page.words  # by account
    assert "0 questions were asked here, and 3 answered" in other.words
    assert "Childrens Services" in other.words
    for text in (page.text, other.text):
        assert not re.search("Robin|1988|Dana", text)
        assert "<script>alert" not in text
        assert "<img" not in text
    (entry, *_) = re.findall(r'href="(/manage/audit/[0-9]+)"', page.text)
    assert (await ours.get(entry)).status == 200
    quiet = (TODAY - timedelta(days=TODAY.weekday() + 14)).isoformat()
    await ours.post("/manage/misuse", {"week": quiet})
    assert "Nothing stands out" in (await made(ours)).words


async def test_a_report_is_its_officers_own_and_goes_with_the_session(north: TestFederation) -> None:
    gwen, other = [await north.sign_in(ASKER, Role.GOVERNANCE) for _ in range(2)]
    await gwen.post("/manage/misuse", WEEK)
    assert "3 questions" in (await made(gwen)).words
    assert "Choose a week" in (await other.get("/manage/misuse")).words
    site = north.pages[ASKER].site
    before = site.background.latest("misuse")
    await gwen.post("/sign-out", {}, form="/manage/misuse")
    assert site.background.latest("misuse") is not before


async def test_a_week_that_is_not_offered_or_too_much_at_once_is_refused(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gwen = await north.sign_in(ASKER, Role.GOVERNANCE)
    for week in ("", "1900-01-01", "x", "2026-W39"):
        page = await gwen.post("/manage/misuse", {"week": week})
        assert (page.status, "Select a week" in page.words) == (400, True)
    monkeypatch.setattr(background, "MAX_RUNNING", 0)
    page = await gwen.post("/manage/misuse", WEEK)
    assert "Other reports are being made" in page.words


async def test_nobody_else_sees_it(north: TestFederation) -> None:
    for role in set(Role) - {Role.GOVERNANCE}:
        other = await north.sign_in(ASKER, role)
        assert (await other.get("/manage/misuse")).status == 403
        assert (await other.post("/manage/misuse", WEEK, form="/account")).status == 403
    gwen = await north.sign_in(ASKER, Role.GOVERNANCE)
    assert (await gwen.post("/manage/misuse", WEEK, token="")).status == 403
