"""Breaking the glass on the pages: nothing preselected, the consequences first, and only for who has just signed in."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.accounts.store import set_password
from gateway.database.contract import Work
from gateway.web.drafts import KEPT_S
from gateway.web.prove import FRESH_S, PROVE_PATH
from mappings.vocabulary import Sensitivity
from tests.federation import TestFederation, federation, someone
from tests.web_user import WebUser

ASKER, AGENCY = "childrens-services", "housing"
AGREEMENT = Path(__file__).parents[1] / "agreements" / "governance.toml"
KATE = {"name": "Kate Bramley", "born-day": "17", "born-month": "5", "born-year": "1991"}
EMERGENCY = {"danger": "child-at-risk", "words": "She rang in tears <script>alert(1)</script>"}
PASSWORD = "correct horse battery staple"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """A restricted service of one agency works with Kate."""
    folder = tmp_path_factory.mktemp("north")
    async with federation(folder, [ASKER, AGENCY, "police"], agreement=AGREEMENT, web=True) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17", sensitivity=Sensitivity.RESTRICTED))
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def alex(north: TestFederation) -> WebUser:
    user = await north.sign_in(ASKER, Role.PRACTITIONER, name="Alex Asker")
    site = north.pages[ASKER].site
    assert user.account is not None
    account, hashed = user.account.id, await site.passwords.hash(PASSWORD)

    def work() -> Work[None]:
        yield from set_password(account, hashed, north.clock.now())

    await site.database.write(work())
    return user


async def asked(north: TestFederation) -> list[tuple[str, str]]:
    """Codes and words of all broken glass that the asker has on record."""
    entries = [entry async for entry in north.nodes[ASKER].parts.ledger.entries()]
    bodies = [entry.body for entry in entries if entry.body is not None]
    broken = [body["break_glass"] for body in bodies if body["kind"] == "asked" and body.get("break_glass")]
    return [(each["code"], each["words"]) for each in broken]


async def test_an_emergency_shows_what_was_shielded_and_goes_on_record(north: TestFederation, alex: WebUser) -> None:
    everyday = await alex.post("/search", KATE | {"reason": "COC:public-task"})
    async with asyncio.timeout(10):
        while "Check again" in everyday.words:  # two agencies are asked
            everyday = await alex.get(everyday.path)
    assert "No agency has anything to share" in everyday.words
    link = re.search(r'href="(/break-glass\?again=[\w-]+)"', everyday.text)
    assert link is not None
    form = await alex.get(link[1])
    assert 'value="Kate Bramley"' in form.text
    assert " checked" not in form.text
    missing = await alex.post("/break-glass", KATE)
    assert missing.status == 400
    assert "Select what the emergency is" in missing.words
    assert "Say in your own words why this cannot wait" in missing.words

    shown = await alex.post("/break-glass", KATE | EMERGENCY)
    assert re.fullmatch(r"/break-glass/[\w-]{22}", shown.path)
    for consequence in (
        "Housing is asked",
        "Not asked, because the agreement does not let you ask them in this way: Police.",
        "you are told at most: the agency and its duty contact. An ordinary search may tell you more",
        "on record under your name",
        "looks into it",
        "who looked at their record",
    ):
        assert consequence in shown.words
    assert await asked(north) == []
    back = re.search(r'href="(/break-glass\?draft=[\w-]+)"', shown.text)
    assert back is not None
    change = await alex.get(back[1])
    assert 'value="child-at-risk" checked' in change.text
    assert "She rang in tears &lt;script&gt;" in change.text
    results = await alex.post(shown.path, {})
    assert results.path.startswith("/searches/")
    assert "Duty contact" in results.words
    assert "break the glass" not in results.words
    assert await asked(north) == [("child-at-risk", EMERGENCY["words"])]
    assert (await alex.get(shown.path)).path == results.path  # asked once, and no second time by going back
    again = await alex.get("/search")
    assert "BTG" not in again.text
    assert re.findall(r'value="([^"]+)" checked', again.text) == ["COC:public-task"]


async def test_pressing_the_button_again_asks_once(north: TestFederation, alex: WebUser) -> None:
    shown = await alex.post("/break-glass", KATE | EMERGENCY)
    before = await asked(north)
    presses = [alex.post(shown.path, {}, token=shown.token, follow=False) for _ in range(3)]
    went = {press.headers["Location"] for press in await asyncio.gather(*presses)}
    went.add((await alex.post(shown.path, {}, token=shown.token, follow=False)).headers["Location"])
    assert len(went) == 1
    assert went.pop().startswith("/searches/")
    assert len(await asked(north)) == len(before) + 1


async def test_who_signed_in_a_while_ago_proves_it_again_and_loses_nothing(
    north: TestFederation, alex: WebUser
) -> None:
    shown = await alex.post("/break-glass", KATE | EMERGENCY)
    before = await asked(north)
    north.clock.turn(FRESH_S)
    prove = await alex.post(shown.path, {}, token=shown.token)
    assert prove.path == PROVE_PATH
    assert await asked(north) == before
    back = {"next": shown.path}
    wrong = await alex.post(PROVE_PATH, back | {"password": "wrong"}, token=prove.token)
    assert (wrong.status, wrong.path) == (401, PROVE_PATH)
    assert (await alex.get(shown.path)).path == PROVE_PATH
    elsewhere = {"next": "https://evil.example.org", "password": PASSWORD}
    cookie = str(list(alex.cookies))
    proven = await alex.post(PROVE_PATH, elsewhere, token=prove.token)
    assert proven.path == "/search"
    assert str(list(alex.cookies)) != cookie
    results = await alex.post(shown.path, {})
    assert results.path.startswith("/searches/")
    assert len(await asked(north)) == len(before) + 1


async def test_nobody_else_sees_or_sends_what_somebody_has_written(north: TestFederation, alex: WebUser) -> None:
    shown = await alex.post("/break-glass", KATE | EMERGENCY)
    before = await asked(north)
    other = await north.sign_in(ASKER, Role.PRACTITIONER)
    assert (await other.get(shown.path)).path == "/break-glass"
    assert "tears" not in (await other.get(shown.path.replace("/break-glass/", "/break-glass?draft="))).text
    assert (await other.post(shown.path, {}, form="/search")).path == "/break-glass"
    assert (await alex.post(shown.path, {}, token="")).status == 403
    north.clock.turn(KEPT_S)
    assert (await alex.post(shown.path, {}, token=shown.token)).path == "/break-glass"
    assert await asked(north) == before


async def test_where_no_agreement_allows_it_the_page_says_so(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], web=True) as north:
        user = await north.sign_in(ASKER, Role.PRACTITIONER)
        page = await user.get("/break-glass")
        assert "No agreement that is in force lets your agency do this" in page.words
        results = await user.post("/search", KATE | {"reason": "COC:public-task"})
        assert "break the glass" not in results.words
        assert (await user.post("/break-glass", KATE | EMERGENCY, form="/search")).status == 400
        north.clock.turn(5 * 3600)  # longer than a hub's word that the document is current
        late = await north.sign_in(ASKER, Role.PRACTITIONER)
        for path in ("/search", "/break-glass"):
            closed = await late.get(path)
            assert (closed.status, "cannot be asked at the moment" in closed.words) == (503, True)
        assert (await late.post("/search", KATE, form="/account")).status == 503
