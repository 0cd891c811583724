"""From a name to a telephone number: the form, why somebody asks, and answers of several agencies as they come."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.database.contract import Statement, Work
from gateway.web import asking, searches
from mappings.vocabulary import AuthMethod
from tests.federation import FIVE, TestFederation, federation, someone
from tests.web_user import Shown, WebUser

ASKER, FOUND, HANGING, DEAD, EMPTY = "childrens-services", "housing", "police", "community-trust", "food-bank"
KATE = {"name": "Kate Bramley", "born-day": "17", "born-month": "5", "born-year": "1991"}
COORDINATION = {"reason": "COC:public-task"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """One agency knows Kate, one hangs, one is dead, and one has nothing."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "DEADLINE_MS", 1_000)
        async with federation(tmp_path_factory.mktemp("north"), FIVE, web=True) as running:
            await running.add(FOUND, *someone("Katherine", "Bramley", "1991-05-17", lead=True))
            await running.stop(HANGING)
            await running.stop(DEAD)
            async with await asyncio.start_server(hang, "127.0.0.1", running.ports[HANGING]):
                yield running


@pytest_asyncio.fixture(loop_scope="module")
async def alex(north: TestFederation) -> WebUser:
    return await north.sign_in(ASKER, Role.PRACTITIONER, name="Alex Asker", job_role="Social worker")


async def test_the_page_shows_who_answered_and_then_who_did_not_with_a_number_for_each(alex: WebUser) -> None:
    first = await answered(alex, await alex.post("/search", KATE | COORDINATION))
    assert first.status == 200
    assert re.fullmatch(r"/searches/[\w-]{22}", first.path)
    assert "This is the person" in first.words
    assert "Robin Worker" in first.words
    assert "Lead professional" in first.words
    assert 'href="tel:01632960123"' in first.text
    assert 'href="mailto:robin.worker@example.org"' in first.text
    assert "Since 5 January 2026" in first.words
    assert "1 of 4 agencies have answered" in first.words or "2 of 4 agencies have answered" in first.words
    assert "Police Being asked" in first.words
    assert "Name Kate Bramley Born 17 May 1991" in first.words  # what was typed stands beside what was found
    assert "Kate" not in first.path
    assert first.headers["Cache-Control"] == "no-store"
    last = await everything(alex, first)
    assert "2 of 4 agencies have answered" in last.words
    assert "Police did not answer in time" in last.words
    assert "Community Trust could not be reached" in last.words
    assert "Food Bank Nothing to share" in last.words
    assert last.text.count('href="tel:01632960000"') == 2  # the duty contacts of those who were not heard


async def answered(user: WebUser, page: Shown) -> Shown:
    """The page with its first answer: there at once, unless this machine has much else to do."""
    for _ in range(20):
        if "Robin Worker" in page.words:
            break
        await asyncio.sleep(0.1)
        page = await user.get(page.path)
    return page


async def everything(user: WebUser, page: Shown) -> Shown:
    """The page once nothing more will come, as somebody without JavaScript gets it by checking again."""
    for _ in range(20):
        page = await user.get(page.path)
        if "Check again" not in page.text:
            return page
        await asyncio.sleep(0.5)
    raise AssertionError("the search never ended")


async def test_parts_of_the_page_come_as_soon_as_there_is_more(alex: WebUser) -> None:
    page = await alex.post("/search", KATE | COORDINATION)
    while (poll := re.search(r'hx-get="([^"]+)"', page.text)) is not None:
        page = await alex.get(poll[1], headers={"HX-Request": "true"})
        assert page.status == 200
        assert "<html" not in page.text
    assert 'hx-swap-oob="true"' in page.text
    assert "did not answer in time" in page.words
    assert "Robin Worker" not in page.words  # what stands on the page is not sent again


async def test_answers_are_on_record_although_the_browser_has_gone(north: TestFederation, alex: WebUser) -> None:
    before = await received(north)
    await alex.post("/search", KATE | COORDINATION, follow=False)
    for _ in range(20):
        if await received(north) > before:
            break
        await asyncio.sleep(0.5)
    assert await received(north) == before + 1


async def received(north: TestFederation) -> int:
    entries = [entry async for entry in north.nodes[ASKER].parts.ledger.entries()]
    return sum(entry.body is not None and entry.body["kind"] == "received" for entry in entries)


async def test_nobody_else_sees_a_search_and_the_page_says_no_more_than_that_it_is_gone(
    north: TestFederation, alex: WebUser
) -> None:
    mine = await alex.post("/search", KATE | COORDINATION)
    other = await north.sign_in(ASKER, Role.PRACTITIONER)
    nowhere = await other.get("/searches/" + "x" * 22)
    seen = await other.get(mine.path)
    assert (seen.status, seen.words) == (404, nowhere.words)
    assert (await other.get(f"{mine.path}/after/0")).status == 404
    assert (await other.get(f"{mine.path}/reach/0-0")).status == 404
    assert (await other.post(f"{mine.path}/reach/0-0", {"reached": "yes"}, form="/search")).status == 404
    assert "Kate" not in (await other.get("/search?again=" + mine.path.rsplit("/", 1)[1])).text
    assert (await north.browser(ASKER).get(mine.path)).path == "/sign-in"
    await alex.post("/sign-out", form="/search")
    assert (await alex.get(mine.path)).path == "/sign-in"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PRACTITIONER])
async def test_only_practitioners_search(north: TestFederation, role: Role) -> None:
    user = await north.sign_in(ASKER, role)
    for path in ("/search", "/searches/x", "/searches/x/after/0", "/searches/x/reach/0-0", "/break-glass"):
        assert (await user.get(path)).status == 403
    assert (await user.post("/search", KATE | COORDINATION, form="/account")).status == 403


async def test_a_search_that_another_site_sends_is_not_asked(north: TestFederation, alex: WebUser) -> None:
    asked = len([entry async for entry in north.nodes[ASKER].parts.ledger.entries()])
    refused = await alex.post("/search", KATE | COORDINATION, token="")
    assert refused.status == 403
    elsewhere = {"Origin": "https://evil.example.org"}
    assert (await alex.post("/search", KATE | COORDINATION, headers=elsewhere)).status == 403
    assert len([entry async for entry in north.nodes[ASKER].parts.ledger.entries()]) == asked


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"name": ""}, "name", "Enter their name"),
        ({"born-day": "31", "born-month": "2"}, "born-day", "Enter a real date of birth"),
        ({"born-month": "17", "born-day": "5"}, "born-day", "between 1 and 12"),
        ({"born-year": "91"}, "born-day", "year of birth with 4 digits"),
        ({"born-year": "2091"}, "born-day", "must be in the past"),
        ({"born-day": "x"}, "born-day", "must be numbers"),
        ({"born-month": ""}, "born-day", "Enter the month of birth too"),
        ({"born-day": "", "born-month": "", "born-year": ""}, "born-day", "A name alone finds nobody"),
        ({"age": "35"}, "age", "not both"),
        ({"nhs": "999 000 0001"}, "nhs", "Check the NHS number"),
        ({"nhs": "99900"}, "nhs", "An NHS number has 10 digits"),
        ({"postcode": "<b>"}, "postcode", "Enter a full postcode"),
        ({"reason": ""}, "reason", "Select why you are asking"),
        ({"reason": "BTG:public-task"}, "reason", "Select why you are asking"),
        ({"reason": "COC:consent"}, "reason", "Select why you are asking"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    north: TestFederation, alex: WebUser, typed: dict[str, str], field: str, said: str
) -> None:
    page = await alex.post("/search", KATE | COORDINATION | typed)
    assert page.status == 400
    assert f'href="#{field}"' in page.text
    assert f'id="{field}"' in page.text
    assert said in page.words
    assert "<title>Error:" in page.text.replace("\n", "")
    assert 'value="1991"' in page.text or "born-year" in typed
    assert "<b>" not in page.text


async def test_part_of_a_birth_date_or_an_age_can_be_typed(alex: WebUser) -> None:
    year = await alex.post("/search", {"name": "Kate", "born-year": "1991"} | COORDINATION)
    assert "Born 1991" in year.words
    month = await alex.post("/search", {"name": "Kate", "born-month": "5", "born-year": "1991"} | COORDINATION)
    assert "Born May 1991" in month.words
    await everything(alex, year)
    age = await alex.post("/search", {"name": "Kate", "age": "35", "postcode": "zm4 7qt"} | COORDINATION)
    assert "Age 35 Postcode ZM4 7QT" in age.words
    change = await alex.get("/search?again=" + age.path.rsplit("/", 1)[1])
    assert 'value="35"' in change.text
    assert 'value="ZM4 7QT"' in change.text


async def test_nothing_found_says_what_it_does_and_does_not_mean(alex: WebUser) -> None:
    nobody = {"name": "Nobody Here", "born-year": "1970"}
    page = await everything(alex, await alex.post("/search", nobody | COORDINATION))
    assert "No agency has anything to share" in page.words
    assert "This does not mean that nobody works with this person" in page.words
    assert "an agency that knows them did not answer" in page.words
    assert "A full date of birth helps most" in page.words
    assert "Picture of the team" not in page.words
    more = await alex.get(f"{page.path}/after/0")
    assert (
        '<li id="at-a-glance" aria-hidden="true" hx-swap-oob="true">&nbsp;</li>' in more.text
    )  # from the page that was shown while it lasted


async def test_an_address_that_leads_nowhere_keeps_the_menu_of_whoever_is_signed_in(
    north: TestFederation, alex: WebUser
) -> None:
    page = await alex.get("/nosuch")
    assert page.status == 404
    assert "Go to “Find who to call”" in page.words
    assert 'href="/clients"' in page.text
    assert "Sign in" not in page.words
    nobody = north.browser(ASKER)
    page = await nobody.get("/nosuch")
    assert (page.status, "Sign in" in page.words, 'href="/clients"' in page.text) == (404, True, False)


async def test_why_somebody_asks_is_offered_as_the_agreement_allows_and_remembered(north: TestFederation) -> None:
    user = await north.sign_in(ASKER, Role.PRACTITIONER)
    form = await user.get("/search")
    offered = re.findall(r'name="reason" type="radio" value="([^"]+)"', form.text)
    assert offered == ["COC:public-task", "THREAT:legal-obligation", "THREAT:public-task"]
    assert " checked" not in form.text
    assert "(safeguarding). The law obliges us to" in form.words  # the two are told apart by their labels
    assert "(safeguarding). It is part of our public task" in form.words
    assert "A name alone finds nobody. Add at least one of these:" in form.words
    await user.post("/search", KATE | {"reason": "THREAT:public-task"})
    again = await user.get("/search")
    assert re.findall(r'value="([^"]+)" checked', again.text) == ["THREAT:public-task"]


async def test_a_sign_in_too_weak_for_the_agreement_is_told_before_and_after(north: TestFederation) -> None:
    user = await north.sign_in(ASKER, Role.PRACTITIONER, method=AuthMethod.OPERATING_SYSTEM)
    assert (await user.get("/search")).words.count("Your sign-in is too weak") == 2
    page = await user.post("/search", KATE | {"reason": "THREAT:public-task"})
    assert "stronger sign-in than yours" in page.words


async def test_too_many_searches_at_once_are_refused_on_the_form(
    alex: WebUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "MAX_RUNNING_EACH", 0)
    page = await alex.post("/search", KATE | COORDINATION)
    assert (page.status, page.path) == (400, "/search")
    assert "still under way" in page.words
    assert 'value="Kate Bramley"' in page.text


async def test_whether_somebody_was_reached_is_kept_without_anybodys_name(north: TestFederation) -> None:
    user = await north.sign_in(ASKER, Role.PRACTITIONER)
    results = await answered(user, await user.post("/search", KATE | COORDINATION))
    reach = re.search(r'href="(/searches/[\w-]+/reach/[\d-]+)"', results.text)
    assert reach is not None
    north.clock.turn(40)
    assert "Did you reach Robin Worker?" in (await user.get(reach[1])).words
    missing = await user.post(reach[1], {})
    assert (missing.status, "Select whether you reached them" in missing.words) == (400, True)
    assert (await user.post(reach[1], {"reached": "yes"})).path == results.path
    asked = await user.post(reach[1], {"kind": "phone"}, headers={"HX-Request": "true"})
    answer = re.search(r'action="(/reached/\w+)"', asked.text)
    assert answer is not None
    north.clock.turn(5)
    thanks = await user.post(answer[1], {"reached": "not-yet"}, token=asked.token, headers={"HX-Request": "true"})
    assert "Thank you" in thanks.words
    assert (await user.post(answer[1], {"reached": "perhaps"}, token=asked.token)).status == 400
    other = await north.sign_in(ASKER, Role.PRACTITIONER)
    assert (await other.post(answer[1], {"reached": "yes"}, form="/search")).status == 404
    rows = await reach_rows(north)
    assert [(row["kind"], row["answered"], round(row["clicked_at"] - row["search_at"])) for row in rows] == [
        ("", "yes", 40),
        ("phone", "not-yet", 40),
    ]
    assert not any("Robin" in str(row) or "Kate" in str(row) or "housing" in str(row) for row in rows)


async def reach_rows(north: TestFederation) -> list[dict[str, Any]]:
    columns = ("id", "public_id", "account_id", "search_at", "clicked_at", "kind", "answered", "answered_at")

    def work() -> Work[list[dict[str, Any]]]:
        rows = yield Statement("SELECT * FROM reach ORDER BY id")
        return [dict(zip(columns, row, strict=True)) for row in rows]

    return await north.pages[ASKER].site.database.read(work())


async def test_when_no_hub_is_there_the_page_says_that_nobody_was_asked(north: TestFederation) -> None:
    user = await north.sign_in(ASKER, Role.PRACTITIONER)
    await north.hub.close()
    try:
        page = await everything(user, await user.post("/search", KATE | COORDINATION))
        assert "Nobody could be asked" in page.words
        assert page.status == 200
    finally:
        await north.restart_hub()
