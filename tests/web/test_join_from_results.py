"""From a search to one's own list, and how often somebody may describe people to find out who is known here."""

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.matching.record import asked_of
from gateway.node.question import read_subject
from tests.federation import TestFederation, federation, someone
from tests.web.clients import TRUST, fill, rae
from tests.web_user import Shown, WebUser

PATH = "/clients/add"
KATE = {"name": "Kate Bramley", "born-day": "17", "born-month": "5", "born-year": "1991"}
LEO = {"name": "Leo Lindqvist", "born-day": "9", "born-month": "8", "born-year": "2001"}
REASON = {"reason": "COC:public-task"}
TODAY = date(2026, 9, 21)
TOO_OFTEN = "too often today"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path_factory.mktemp("north"), [TRUST, "housing"], web=True) as running:
        await fill(running)
        await running.add("housing", *someone("Leo", "Lindqvist", "2001-08-09", worker="Hope Housing"))
        yield running


async def test_whom_i_searched_for_becomes_my_client_without_typing_it_again(north: TestFederation) -> None:
    wendy = await rae(north)
    results = await wendy.post("/search", LEO | REASON)
    assert "Add to my clients" in results.words
    link = _link(results)
    assert not re.search("Leo|Lindqvist|2001", link)
    form = await wendy.get(link)
    assert all(f'value="{text}"' in form.text for text in ("Leo Lindqvist", "9", "8", "2001", "Receptionist"))
    added = await wendy.post(PATH, LEO | {"role": "Mentor"}, form=link)
    assert re.fullmatch("/clients/[0-9]+/consent", added.path)
    again = await wendy.get(results.path)
    assert "Add to my clients" not in again.words
    assert f'href="{added.path.removesuffix("/consent")}"' in again.text


async def test_a_search_for_a_client_of_mine_leads_to_their_page(north: TestFederation) -> None:
    results = await (await rae(north)).post("/search", KATE | REASON)
    assert 'href="/clients/1"' in results.text
    assert "Add to my clients" not in results.words


async def test_a_colleague_s_client_looks_like_anybody_else(north: TestFederation) -> None:
    owen = {"name": "Owen Pritchard", "born-day": "4", "born-month": "4", "born-year": "1990"}
    results = await (await rae(north)).post("/search", owen | REASON)
    assert "Add to my clients" in results.words


async def test_the_form_is_filled_in_for_nobody_but_who_searched(north: TestFederation) -> None:
    link = _link(await (await rae(north)).post("/search", {**LEO, "name": "Mina Mirzakhani"} | REASON))
    for path in (link, f"{PATH}?search=x", f"{PATH}?search="):
        form = await (await rae(north)).get(path)
        assert form.status == 200
        assert "Mirzakhani" not in form.text
    manager = await north.sign_in(TRUST, Role.MANAGER)
    assert (await manager.get(link)).status == 403


async def test_guesses_at_a_birth_date_come_to_an_end_whether_or_not_somebody_is_known(north: TestFederation) -> None:
    said = {}
    for name in ("Owen Pritchard", "Nobody Nowhere"):
        wendy = await rae(north)
        pages = [await _describe(wendy, name, day) for day in range(10, 17)]
        said[name] = [(page.status, TOO_OFTEN in page.words) for page in pages]
        assert (await _describe(wendy, "Somebody Else", 1)).status == 200
        assert (await _describe(await rae(north), name, 16)).status == 200  # somebody else's guesses are their own
    assert said["Owen Pritchard"] == said["Nobody Nowhere"]
    assert said["Nobody Nowhere"] == [(200, False)] * 5 + [(429, True)] * 2


async def test_the_next_day_guesses_are_new(north: TestFederation) -> None:
    guesses = north.pages[TRUST].site.guesses
    tried = [asked_of(read_subject("Tomas Tomorrow", born=f"1990-04-{day}"), today=TODAY) for day in range(10, 17)]
    assert [await guesses.allow("somebody", each) for each in tried] == [True] * 5 + [False] * 2
    assert not await guesses.allow("somebody", tried[0])  # what is used up stays so
    before = north.clock.time
    north.clock.turn(86_400)
    try:
        assert await guesses.allow("somebody", tried[6])
    finally:
        north.clock.time = before


async def test_all_that_one_account_types_in_a_day_has_a_limit(tmp_path: Path) -> None:
    few = "[budgets]\nquestions_per_practitioner = 3"
    async with federation(tmp_path, [TRUST], web=True, options=few) as north:
        await fill(north)
        wendy = await rae(north)
        pages = [await _describe(wendy, f"Person {name}", 1) for name in ("Ash", "Beck", "Cole", "Dunn")]
        assert [page.status for page in pages] == [200, 200, 200, 429]
        assert "Person Dunn" in pages[-1].text  # what was typed stays
        assert "Dunn" not in (await wendy.get("/clients")).words


async def _describe(who: WebUser, name: str, day: int) -> Shown:
    typed = {"name": name, "born-day": str(day), "born-month": "4", "born-year": "1990"}
    return await who.post(PATH, typed)


def _link(page: Shown) -> str:
    found = re.search(r'href="(/clients/add\?search=[^"]+)"', page.text)
    assert found
    return found[1]
