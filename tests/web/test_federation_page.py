"""The federation on a page: who waits and why, what runs out, who answers; and accepting a member with care."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.wire.join import sign_join
from gateway.wire.keys import fingerprint
from tests.federation import NAME, TestFederation, federation, someone
from tests.web.test_every_page import XSS
from tests.web_user import WebUser

HOUSING, TRUST, POLICE = "housing", "community-trust", "police"
PAGE = "/manage/federation"
ACCEPT = f"{PAGE}/accept/{{}}"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """Three agencies, of whom each accepts the others by hand."""
    folder = tmp_path_factory.mktemp("north")
    async with federation(folder, [HOUSING, TRUST, POLICE], accept="local", web=True) as running:
        await running.add(TRUST, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


async def admin(north: TestFederation) -> WebUser:
    return await north.sign_in(HOUSING, Role.ADMINISTRATOR)


def end_of_key(north: TestFederation, member: str) -> str:
    groups = fingerprint(north.nodes[member].parts.me.signing_key.public_jwk()).split()
    return " ".join(groups[-2:])


async def test_those_who_wait_come_first_and_the_end_of_their_key_is_for_them_to_tell(north: TestFederation) -> None:
    page = await (await admin(north)).get(PAGE)
    assert page.words.index("Community Trust") < page.words.index("Housing", page.words.index("Hub "))
    assert "Community Trust NHS trust (community-trust) Waits for this agency's word It is new." in page.words
    assert re.search(r"Number \d+, signed by the operator on 21 September 2026", page.words)
    assert "Last said on 21 September 2026" in page.words
    whole = fingerprint(north.nodes[TRUST].parts.me.signing_key.public_jwk())
    assert whole[:30] in page.words
    assert whole[-9:] not in page.words
    assert fingerprint(north.nodes[HOUSING].parts.me.signing_key.public_jwk()) in page.words


async def test_a_member_is_accepted_only_by_what_it_reads_out_and_as_it_was_shown(north: TestFederation) -> None:
    gerald = await admin(north)
    path = ACCEPT.format(TRUST)
    right = {"key-0": end_of_key(north, TRUST), "asked": "yes"}
    shown = await gerald.get(path)
    assert right["key-0"] not in shown.words
    as_of = re.findall(r'name="as-of" value="([0-9a-f]{64})"', shown.text)[0]
    for wrong, said in (
        (right | {"key-0": "0000 0000"}, "Stop, and tell the operator"),
        (right | {"key-0": ""}, "Enter what they read out"),
        ({"key-0": right["key-0"]}, "Confirm that you asked the agency itself"),
        (right | {"as-of": "0" * 64}, "A newer member list has come"),
        (right, "A newer member list has come"),
    ):
        refused = await gerald.post(path, {"as-of": as_of} | wrong if wrong is not right else right)
        assert (refused.status, said in refused.words) == (400, True), refused.words
    assert TRUST not in north.nodes[HOUSING].parts.membership.current().federation.members
    done = await gerald.post(path, right | {"key-0": right["key-0"].upper(), "as-of": as_of})
    assert (done.status, done.path) == (200, PAGE)
    assert TRUST in north.nodes[HOUSING].parts.membership.current().federation.members
    assert (await gerald.get(path)).status == 404  # nothing waits any more


async def test_nobody_accepts_without_the_role_the_token_or_a_fresh_sign_in(north: TestFederation) -> None:
    path = ACCEPT.format(POLICE)
    for role in set(Role) - {Role.ADMINISTRATOR, Role.GOVERNANCE}:
        other = await north.sign_in(HOUSING, role)
        assert (await other.get(path)).status == 403
        assert (await other.post(path, {"asked": "yes"}, form="/account")).status == 403
        assert (await other.get(PAGE)).status == (403 if role is Role.PRACTITIONER else 200)
        assert "Check and accept" not in (await other.get(PAGE)).words
    gerald = await admin(north)
    assert (await gerald.post(path, {"asked": "yes"}, token="")).status == 403
    for member in ("nobody", HOUSING, "..", "%3Cscript%3E"):
        assert (await gerald.get(ACCEPT.format(member))).status == 404
    north.clock.turn(301)
    await north.refresh()
    assert (await gerald.get(path)).path == "/sign-in/again"
    assert (await gerald.post(path, {"asked": "yes"}, form="/account")).path == "/sign-in/again"
    assert (await north.browser(HOUSING).get(PAGE)).path == "/sign-in"


async def test_who_answers_is_counted_from_the_searches_made_here(north: TestFederation) -> None:
    await north.nodes[HOUSING].parts.membership.accept(TRUST)
    await north.nodes[TRUST].parts.membership.accept(HOUSING)
    await north.refresh()
    alex = await north.sign_in(HOUSING, Role.PRACTITIONER)
    kate = {"name": "Kate Bramley", "born-day": "17", "born-month": "5", "born-year": "1991"}
    found = await alex.post("/search", kate | {"reason": "COC:public-task"})
    assert "Robin Worker" in found.words
    async with asyncio.timeout(5):
        while not north.pages[HOUSING].site.coverage.searches:  # noqa: ASYNC110 - it is counted when all is over
            await asyncio.sleep(0.01)
    page = await (await admin(north)).get(PAGE)
    assert "Answered 1 of 1 searches. Last answered on 21 September 2026" in page.words
    assert "Bramley" not in page.words


async def test_what_a_member_calls_itself_is_text_and_a_list_that_runs_out_is_told(north: TestFederation) -> None:
    parts = north.nodes[POLICE].parts
    received = parts.membership.received
    assert received is not None
    hostile = replace(received.members[POLICE], name=XSS)
    token = sign_join(hostile, parts.me.signing_key, federation=NAME, now=north.clock.now())
    await north.publish(lambda operator: operator.update(token, north.clock.now()))
    await north.refresh()
    gerald = await admin(north)
    for path in (PAGE, ACCEPT.format(POLICE)):
        page = await gerald.get(path)
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "{{7*7}}" in page.text
    north.clock.turn(6 * 86_400)
    again = await admin(north)
    page = await again.get(PAGE)
    assert re.search(r"The member list runs out in 2[34] hours", page.words)
    assert "No member list can be relied on now" in page.words  # the hub's word has run out before
    north.clock.turn(2 * 86_400)
    assert "The member list has run out" in (await (await admin(north)).get(PAGE)).words
