"""Household and family: who is shown, who may be linked, and that nothing hidden is shown, counted or hinted at."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.database.contract import Statement, Work
from mappings.model import HumanName, Identifier, Involvement, Mapped, Person, PersonLink, Practitioner
from mappings.vocabulary import NHS_NUMBER_SYSTEM, PersonLinkKind, Sensitivity
from tests.federation import TestFederation, federation, someone
from tests.web.clients import SECRETS, TRUST, fill, rae
from tests.web_user import WebUser

KATE = "/clients/1/household"
FAMILY = PersonLinkKind.FAMILY
NUMBER = "9990000018"
HOSTILE = "<script>alert(1)</script>\"'"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """Rae works with Katherine and Mara, whose row is 4; Olu alone with Owen."""
    async with federation(tmp_path_factory.mktemp("north"), [TRUST], web=True) as running:
        await _fill(running)
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def wendy(north: TestFederation) -> WebUser:
    return await rae(north)


async def test_two_clients_of_mine_are_linked_and_seen_from_both_sides_until_i_remove_it(wendy: WebUser) -> None:
    page = await wendy.post(KATE, {"other": "4", "kind": "household"})
    assert (page.status, page.path) == (200, KATE)
    assert "Mara Bramley Born 1 February 2015 Same household" in page.words
    other = await wendy.get("/clients/4/household")
    assert "Katherine Bramley Born 17 May 1991 Same household" in other.words
    await wendy.post("/clients/4/household", {"other": "1", "kind": "household"})  # the same from the other side
    page = await wendy.post(f"{KATE}/remove", {"other": "4", "kind": "household"}, form=KATE)
    assert (page.path, "Saved The list below" in page.words) == (KATE, True)
    for path in (KATE, "/clients/4/household"):
        assert "Remove this link" not in (await wendy.get(path)).words


async def test_a_link_of_the_agency_s_own_system_shows_whom_i_may_see_and_stays(
    north: TestFederation, wendy: WebUser
) -> None:
    await north.add(TRUST, PersonLink(key="owen", person_key="o1", other_key="p1", kind=FAMILY))
    page = await wendy.get(KATE)
    assert "Owen Pritchard Born 4 April 1990. Not one of your clients Family." in page.words
    assert "own system" in page.words
    assert (await wendy.get("/clients/3")).status == 404  # being seen here makes nobody a client
    refused = await wendy.post(f"{KATE}/remove", {"other": "3", "kind": "family"}, form=KATE)
    assert refused.status == 404
    (entry,) = await north.nodes[TRUST].parts.ledger.about([3])  # seeing them is a look
    assert entry.body is not None
    assert (entry.body["kind"], entry.body["by"]) == ("looked", wendy.id)
    await north.add(TRUST, PersonLink(key="mara", person_key="p1", other_key="m1", kind=FAMILY))
    page = await wendy.get(KATE)
    assert "Mara Bramley" in page.words
    assert "Remove this link" not in page.words
    refused = await wendy.post(f"{KATE}/remove", {"other": "4", "kind": "family"}, form=KATE)
    assert refused.status == 404


async def test_only_clients_of_mine_can_be_linked(north: TestFederation, wendy: WebUser) -> None:
    before = await _links(north)
    for other in ("3", "2", "1", "999", "", "4 OR 1=1", "٤"):
        page = await wendy.post(KATE, {"other": other, "kind": "family"})
        assert page.status == 400
        assert "Select one of your clients" in page.words
    assert "Select how they belong together" in (await wendy.post(KATE, {"other": "4", "kind": "enemy"})).words
    assert await _links(north) == before


async def test_nobody_opens_the_household_of_somebody_whom_they_do_not_work_with(
    north: TestFederation, wendy: WebUser
) -> None:
    token = (await wendy.get(KATE)).token
    for path in ("/clients/2/household", "/clients/3/household", "/clients/999/household"):
        assert (await wendy.get(path)).status == 404
        assert (await wendy.post(path, {"other": "1", "kind": "family"}, token=token)).status == 404
        assert (await wendy.post(f"{path}/remove", {"other": "1", "kind": "family"}, token=token)).status == 404
    for role in set(Role) - {Role.PRACTITIONER}:
        other = await north.sign_in(TRUST, role, workers=["w-p1"])
        assert (await other.get(KATE)).status == 403
    for path in (KATE, f"{KATE}/remove"):
        assert (await wendy.post(path, {"other": "4", "kind": "family"}, token="")).status == 403


async def test_hidden_people_links_and_records_change_nothing_on_the_page(tmp_path: Path) -> None:
    pages = []
    for hidden in (False, True):
        async with federation(tmp_path / str(hidden), [TRUST], web=True) as north:
            await _fill(north)
            if hidden:
                await north.add(TRUST, *_hidden())
            wendy = await rae(north)
            shown = [(await wendy.get(path)).text for path in (KATE, "/clients/1/picture", "/clients/4/household")]
            pages.append([_same_for_all(text) for text in shown])
            assert not any(secret in text for text in shown for secret in SECRETS)
    assert pages[0] == pages[1]


async def test_names_are_text_and_never_markup(north: TestFederation) -> None:
    await north.add(TRUST, *_client("x1", "x1", HOSTILE), *_client("x2", "x2", HOSTILE))
    xenia = await north.sign_in(TRUST, Role.PRACTITIONER, workers=["w-x"])
    ids = re.findall(r'href="/clients/([0-9]+)"', (await xenia.get("/clients")).text)
    path = f"/clients/{ids[0]}/household"
    page = await xenia.post(path, {"other": ids[1], "kind": "family"})
    picture = await xenia.get(f"/clients/{ids[0]}/picture")
    for text in (page.text, picture.text, (await xenia.post(path, {"other": HOSTILE, "kind": HOSTILE})).text):
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text


async def _fill(north: TestFederation) -> None:
    await fill(north)
    await north.add(
        TRUST,
        Person(
            key="p1",
            names=(HumanName(given=("Katherine",), family="Bramley"),),
            birth_date="1991-05-17",
            identifiers=(Identifier(system=NHS_NUMBER_SYSTEM, value=NUMBER),),
        ),
        Person(key="m1", names=(HumanName(given=("Mara",), family="Bramley"),), birth_date="2015-02-01"),
        Involvement(key="m1", person_key="m1", practitioner_key="w-p1", role="Mentor", start="2026-01-01"),
    )


def _client(key: str, involvement: str, name: str) -> tuple[Mapped, ...]:
    return (
        Practitioner(key="w-x", name=HumanName(given=("Xenia",), family="Worker")),
        Person(key=key, names=(HumanName(given=(name,), family=name),), birth_date="2015-02-01"),
        Involvement(key=involvement, person_key=key, practitioner_key="w-x", start="2026-01-01"),
    )


def _hidden() -> tuple[Mapped, ...]:
    """Links to a client of the shielded service, and that service's own records of Katherine and Mara with a link."""
    return (
        PersonLink(key="h1", person_key="p1", other_key="q1", kind=FAMILY),
        PersonLink(key="h2", person_key="q1", other_key="m1", kind=PersonLinkKind.HOUSEHOLD),
        *someone("Katherine", "Bramley", "1991-05-17", key="k2", nhs=NUMBER, sensitivity=Sensitivity.RESTRICTED),
        *someone("Priya", "Nandakumar", "1988-02-03", key="q2", nhs="9990000026", sensitivity=Sensitivity.RESTRICTED),
        PersonLink(key="h3", person_key="k2", other_key="m1", kind=FAMILY),
        PersonLink(key="h4", person_key="k2", other_key="q2", kind=FAMILY),
    )


def _same_for_all(text: str) -> str:
    text = re.sub(r'nonce="[^"]*"', "", text)
    return re.sub(r'(name="csrf[^"]*" value=)"[^"]*"', r"\1", text)


async def _links(north: TestFederation) -> int:
    def work() -> Work[int]:
        ((number,),) = yield Statement("SELECT count(*) FROM person_link")
        return int(number)

    return await north.nodes[TRUST].database.read(work())
