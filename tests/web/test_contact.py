"""Next and last contact typed into a page: kind and day, shown to whoever may know dates, and nothing else."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.node.own_contacts import KINDS
from gateway.node.results import MemberResult
from mappings.model import Practitioner
from mappings.value_sets import shared
from tests.federation import TestFederation, federation, result_of, someone
from tests.web.clients import CODE, TRUST, fill, rae
from tests.web_user import WebUser

PATH = "/clients/1/contact"
PLANNED = {"kind": "video", "when": "planned", "on-day": "23", "on-month": "9", "on-year": "2026"}
PAST = {"kind": "phone", "when": "past", "on-day": "18", "on-month": "9", "on-year": "2026"}
HOSTILE = "<script>alert(1)</script>\"'"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path_factory.mktemp("north"), [TRUST, "housing"], web=True) as running:
        await fill(running)
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def wendy(north: TestFederation) -> WebUser:
    return await rae(north)


async def test_what_is_entered_is_told_to_colleagues_and_other_agencies_until_it_is_changed_or_removed(
    north: TestFederation, wendy: WebUser
) -> None:
    for fields in (PLANNED, PAST):
        page = await wendy.post(PATH, fields)
        assert (page.status, page.path) == (200, PATH)
        assert (
            "Saved Others see it from now on, as far as an agreement and what the client has said let them."
            in page.words
        )
    assert "23 September 2026 Video call, planned" in page.words
    assert "18 September 2026 Phone" in page.words
    client = await wendy.get("/clients/1")
    assert "Next: 23 September 2026, video call, Rae Reception" in client.words
    assert "Last: 18 September 2026, phone, Rae Reception" in client.words
    assert await _told(north) == ("2026-09-18", "2026-09-23")
    one = _newest(page.text)
    shown = await wendy.get(one)
    assert all(f'value="{text}"' in shown.text for text in ("23", "9", "2026"))
    assert (await wendy.post(one, PLANNED | {"on-day": "22", "kind": "office"})).path == PATH
    assert await _told(north) == ("2026-09-18", "2026-09-22")
    page = await wendy.post(one, {"remove": "yes"})
    assert (page.path, "22 September" in page.words) == (PATH, False)
    assert await _told(north) == ("2026-09-18", "2026-09-24")  # the agency's own system knows of that visit
    assert (await wendy.get(one)).status == 404


async def test_where_a_source_tells_of_contacts_the_page_says_so(north: TestFederation, wendy: WebUser) -> None:
    assert "own system tells of your contacts" in (await wendy.get(PATH)).words
    olu = await north.sign_in(TRUST, Role.PRACTITIONER, workers=["w-o1"])
    assert "own system tells of your contacts" not in (await olu.get("/clients/3/contact")).words


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": ""}, "Select what kind of contact it is"),
        ({"kind": "argument about money"}, "Select what kind of contact it is"),
        ({"when": HOSTILE}, "Select whether it has taken place"),
        ({"on-day": "24"}, "was today or before"),
        ({"on-year": "1926"}, "not long ago"),
        ({"when": "planned"}, "is today or later"),
        ({"when": "planned", "on-year": "2036"}, "not years ahead"),
        ({"on-month": "13"}, "Enter a real date"),
        ({"on-day": HOSTILE}, "Enter a real date"),
        ({"on-day": "", "on-month": "", "on-year": ""}, "Enter the day"),
    ],
)
async def test_what_is_no_contact_is_refused(wendy: WebUser, wrong: dict[str, str], said: str) -> None:
    page = await wendy.post(PATH, PAST | wrong)
    assert page.status == 400
    assert said in page.words
    assert "<script>alert" not in page.text


async def test_nobody_enters_sees_or_changes_what_is_not_theirs(north: TestFederation, wendy: WebUser) -> None:
    one = _newest((await wendy.post(PATH, PAST)).text)
    kim = await north.sign_in(TRUST, Role.PRACTITIONER, name="Kim Physio", workers=["Physio"])
    assert "18 September 2026" not in (await kim.get(PATH)).words.partition("Enter a contact")[0]
    token = (await kim.get(PATH)).token
    others = (
        "/clients/1/contact/" + "0" * 32,
        "/clients/1/contact/e1",
        "/clients/3/contact",
        one.replace("/1/", "/3/"),
    )
    for path in (one, *others):
        assert (await kim.get(path)).status == 404
        assert (await kim.post(path, PAST, token=token)).status in {404, 405}
    assert (await wendy.get(one)).status == 200
    for role in set(Role) - {Role.PRACTITIONER}:
        other = await north.sign_in(TRUST, role, workers=["w-p1"])
        assert (await other.get(PATH)).status == 403
    for path in (PATH, one):
        assert (await wendy.post(path, PAST, token="")).status == 403


async def test_whoever_works_with_nobody_by_name_enters_nothing(north: TestFederation) -> None:
    desk = someone("Dora", "Desk", "1970-07-07", key="d1")
    await north.add(TRUST, *[each for each in desk if not isinstance(each, Practitioner)])
    service = await north.sign_in(TRUST, Role.PRACTITIONER, services=[f"svc-{CODE}"], workers=["w-p1"])
    mine = re.findall(r'href="(/clients/[0-9]+)">Dora', (await service.get("/clients")).text)
    page = await service.get(f"{mine[0]}/contact")
    assert "nobody is named" in page.words
    assert (await service.post(f"{mine[0]}/contact", PAST, form=PATH)).status == 400


async def test_every_kind_of_the_vocabulary_is_offered_and_no_other() -> None:
    known = shared("contact_kind")
    assert known is not None
    assert set(KINDS) == set(known.codes.values())


async def _told(north: TestFederation) -> tuple[str | None, str | None]:
    """Last and next contact of Rae with Katherine, as another agency learns it."""
    result: MemberResult = result_of(await north.ask("housing", "Kate Bramley", born="1991-05-17"), TRUST)
    (row,) = [row for row in result.rows if row.professional == "Rae Reception"]
    return row.last_contact.date if row.last_contact else None, row.next_visit.date if row.next_visit else None


def _newest(text: str) -> str:
    found = re.search(r'href="(/clients/[0-9]+/contact/[0-9a-f]{32})"', text)
    assert found
    return found[1]
