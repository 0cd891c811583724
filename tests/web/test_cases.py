"""Cases on the pages: what another agency's question opens, who decides it, and what is on record afterwards."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.accounts.sessions import sessions_of
from gateway.accounts.store import set_password, set_totp
from gateway.node import cases
from gateway.node.ask import ask
from gateway.node.case_watch import watch
from gateway.node.question import BreakGlass, Question
from gateway.web.prove import FRESH_S
from mappings.vocabulary import AuthMethod, BreakGlassReason, Mode, Purpose, Sensitivity
from tests.federation import TestFederation, federation, someone
from tests.web_user import WebUser

ASKER, AGENCY = "childrens-services", "housing"
AGREEMENT = Path(__file__).parents[1] / "agreements" / "governance.toml"
PASSWORD = "correct horse battery staple"
XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
BROKEN = BreakGlass(reason=BreakGlassReason.CHILD_AT_RISK, words=f"she rang in tears {XSS}")
WHY = "rang the manager there"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """Katherine has a worker at the agency, Priya a shielded service there that chose call-backs."""
    folder = tmp_path_factory.mktemp("north")
    async with federation(folder, [ASKER, AGENCY], agreement=AGREEMENT, web=True) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        chosen: dict[str, Any] = {"sensitivity": Sensitivity.RESTRICTED, "max_mode": Mode.CALLBACK}
        await running.add(AGENCY, *someone("Priya", "Nandakumar", "1988-02-03", key="p2", service="CAMHS", **chosen))
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def olive(north: TestFederation) -> WebUser:
    return await officer(north, AGENCY, Role.MANAGER, name="Olive Officer")


async def officer(north: TestFederation, member: str, *roles: Role, **who: Any) -> WebUser:
    """Somebody with a password, who has just signed in."""
    user = await north.sign_in(member, *roles, **who)
    site = north.pages[member].site
    assert user.account is not None
    hashed = await site.passwords.hash(PASSWORD)
    await site.database.write(set_password(user.account.id, hashed, north.clock.now()))
    return user


async def asked(north: TestFederation, name: str = "Katherine Bramley", **details: Any) -> None:
    """One question from the council, whose asker's name and role are hostile."""
    born = details.pop("born", "1991-05-17")
    question = north.question(ASKER, name, born=born, **details)
    await put(north, replace(question, practitioner=replace(question.practitioner, name=XSS, role=XSS)))


async def put(north: TestFederation, question: Question) -> None:
    async for _ in ask(question, node=north.nodes[ASKER].parts):
        pass


async def opened(user: WebUser, kind: str) -> str:
    """The path of the newest open case of a kind on the list."""
    page = await user.get("/manage/cases")
    return str(re.findall(rf'href="(/manage/cases/{kind}-[0-9]+)"', page.text)[-1])


async def entries(north: TestFederation, member: str, *kinds: str) -> list[Mapping[str, Any]]:
    """What a member has on record of these kinds."""
    found = [entry.body async for entry in north.nodes[member].parts.ledger.entries()]
    return [body for body in found if body is not None and body["kind"] in kinds]


async def test_a_broken_glass_comes_before_a_manager_who_closes_it_on_record(
    north: TestFederation, olive: WebUser
) -> None:
    await asked(north, purpose=Purpose.BREAK_GLASS, break_glass=BROKEN)
    assert "/manage/cases" in (await olive.get("/manage")).text
    path = await opened(olive, "break-glass")
    assert "1 case is open, none overdue." in (await olive.get("/manage/cases")).words
    await watch(north.nodes[AGENCY].parts, north.pages[AGENCY].site.settings.cases)
    shown = await olive.get(path)
    assert re.search("Duty manager: told between [0-9]+ [A-Z][a-z]+ 2026, [0-9]{2}:00 and [0-9]{2}:00", shown.words)
    assert shown.words.index("I have seen this") < shown.words.index("Who asked")  # at the top, also on a phone
    for said in (
        "Childrens Services",
        "asker-1",
        "A child is at risk of serious harm",
        "register:p1",
        "01632 960000",
        "agency and duty contact",
        "Their own manager looks into it too",
    ):
        assert said in shown.words
    assert "Katherine" not in shown.text
    assert "tears" not in shown.text
    assert "<script>alert" not in shown.text
    assert "<img" not in shown.text
    assert 'href="tel:01632960000"' in shown.text

    missing = await olive.post(path, {})
    assert missing.status == 400
    assert "Select what you found" in missing.words
    assert "Say why, in a few words" in missing.words
    assert (await olive.post(path, {"outcome": "permit", "reason": WHY})).status == 400  # not of this kind
    assert await entries(north, AGENCY, "finding") == []

    seen = await olive.post(f"{path}/acknowledge", {}, form=path)
    assert "Seen by Olive Officer" in seen.words
    assert "I have seen this" not in seen.words
    closed = await olive.post(path, {"outcome": "justified", "reason": f"{WHY} {XSS}"})
    assert (closed.status, closed.path) == (200, path)
    assert "It was justified" in closed.words
    assert "<img" not in closed.text
    (finding,) = await entries(north, AGENCY, "finding")
    assert (finding["finding"], finding["by"], finding["case"]) == ("justified", olive.id, path.rpartition("/")[2])
    assert path not in (await olive.get("/manage/cases")).text
    assert path in (await olive.get("/manage/cases/ended")).text
    again = await olive.post(path, {"outcome": "misuse", "reason": WHY}, token=shown.token)
    assert again.status == 400
    assert "Somebody else has ended this case meanwhile" in again.words
    assert len(await entries(north, AGENCY, "finding")) == 1


async def test_who_broke_the_glass_is_no_judge_of_it_and_a_colleague_reads_their_words(north: TestFederation) -> None:
    robin = await officer(north, ASKER, Role.MANAGER, Role.PRACTITIONER, name="Robin Both")
    namesake = await officer(north, ASKER, Role.GOVERNANCE, name=" robin  BOTH")
    colleague = await officer(north, ASKER, Role.GOVERNANCE, name="Carys Colleague")
    details: dict[str, Any] = {"purpose": Purpose.BREAK_GLASS, "break_glass": BROKEN}
    question = north.question(ASKER, f"Katherine {XSS[:30]}", born="1991-05-17", **details)
    await put(north, replace(question, practitioner=replace(question.practitioner, id=robin.id, name="Robin Both")))
    path = await opened(robin, "our-break-glass")
    token = (await robin.get("/account")).token
    own = await robin.get(path)
    assert "somebody else has to look into it" in own.words
    for user in (robin, namesake):
        for where in (path, f"{path}/acknowledge"):
            assert (await user.post(where, {"outcome": "justified", "reason": WHY}, form="/account")).status == 403
    assert (await robin.post(path, {"outcome": "justified", "reason": WHY}, token=token)).status == 403
    assert await entries(north, ASKER, "finding", "case") == []
    shown = await colleague.get(path)
    assert "she rang in tears" in shown.words
    assert "<script>alert" not in shown.text
    assert "Each agency that knows the person looks into it too" in shown.words
    closed = await colleague.post(path, {"outcome": "more-than-needed", "reason": WHY})
    assert "less would have been enough" in closed.words
    assert [each["by"] for each in await entries(north, ASKER, "finding")] == [colleague.id]


async def test_a_review_says_what_could_be_told_and_a_permit_whom_to_ring(
    north: TestFederation, olive: WebUser
) -> None:
    await asked(north, purpose=Purpose.SAFEGUARDING)
    path = await opened(olive, "review")
    shown = await olive.get(path)
    assert "Other professional support: agency and duty contact" in shown.words
    assert "safeguarding-reviewed" in shown.words
    assert "cannot see that anybody here knows this person" in shown.words
    assert "Now ring them" not in shown.words
    decided = await olive.post(path, {"outcome": "permit", "reason": WHY})
    assert "Now ring them" in decided.words
    assert "01632 960000" in decided.words
    decision = (await entries(north, AGENCY, "case"))[-1]
    assert (decision["decision"], decision["by"], decision["reason"]) == ("permit", olive.id, WHY)


async def test_a_call_back_names_the_service_alone(north: TestFederation, olive: WebUser) -> None:
    await asked(north, "Priya Nandakumar", born="1988-02-03")
    path = await opened(olive, "call-back")
    shown = await olive.get(path)
    assert "Child and adolescent mental health services (CAMHS)" in shown.words
    assert not re.search("Nandakumar|Priya|1988", shown.text)
    called = await olive.post(path, {"outcome": "called", "reason": WHY})
    assert "Somebody here has called them" in called.words


async def test_who_signed_in_a_while_ago_proves_it_again_on_the_same_screen(
    north: TestFederation, olive: WebUser
) -> None:
    await asked(north, purpose=Purpose.SAFEGUARDING)
    path = await opened(olive, "review")
    assert 'name="password"' not in (await olive.get(path)).text
    north.clock.turn(FRESH_S)
    late = await olive.get(path)
    assert 'name="password"' in late.text
    before = len(await entries(north, AGENCY, "case"))
    fields = {"outcome": "refuse", "reason": "kept what was typed"}
    for password in ("", "wrong"):
        refused = await olive.post(path, fields | {"password": password})
        assert refused.status == 400
        assert "This is not your password" in refused.words
        assert "kept what was typed" in refused.text
    assert len(await entries(north, AGENCY, "case")) == before
    done = await olive.post(path, fields | {"password": PASSWORD})
    assert "They are told nothing" in done.words
    assert len(await entries(north, AGENCY, "case")) == before + 1


async def test_an_officer_leaves_a_question_out_of_the_clients_report_and_shows_it_again(
    north: TestFederation, olive: WebUser
) -> None:
    gwen = await officer(north, AGENCY, Role.GOVERNANCE)
    await asked(north, purpose=Purpose.SAFEGUARDING)
    path = await opened(olive, "review")
    assert "own report" not in (await olive.get(path)).words
    assert (await olive.get(f"{path}/report")).status == 403
    assert f"{path}/report" in (await gwen.get(path)).text
    missing = await gwen.post(f"{path}/report", {"shown": "no"})
    assert "Select why it has to be left out" in missing.words
    ends = {"shown": "no", "until-day": "1", "until-month": "10", "until-year": "2026"}
    late = await gwen.post(f"{path}/report", ends | {"until-year": "2028", "exemption": "refuge"})
    assert "at most a year ahead" in late.words
    out = await gwen.post(f"{path}/report", ends | {"exemption": "refuge"})
    assert "Left out until 1 October 2026" in out.words
    back = await gwen.post(f"{path}/report", {"shown": "yes", "reason": WHY})
    assert "Nobody has decided to leave it out" in back.words
    seq = int(path.rpartition("-")[2])
    said = [(each["about"], each["show"], each["by"]) for each in await entries(north, AGENCY, "report-decision")]
    assert said == [(seq, False, gwen.id), (seq, True, gwen.id)]


async def test_nobody_else_opens_a_case_and_no_address_tells_of_one(north: TestFederation, olive: WebUser) -> None:
    await asked(north, purpose=Purpose.SAFEGUARDING)
    path = await opened(olive, "review")
    before = await entries(north, AGENCY, "case", "finding")
    for role in set(Role) - {Role.MANAGER, Role.GOVERNANCE}:
        other = await north.sign_in(AGENCY, role)
        token = (await other.get("/account")).token
        for address in ("/manage/cases", "/manage/cases/ended", path, f"{path}/report"):
            assert (await other.get(address)).status == 403
        for address in (path, f"{path}/acknowledge", f"{path}/report"):
            assert (await other.post(address, {"outcome": "permit", "reason": WHY}, token=token)).status == 403
    gwen = await north.sign_in(AGENCY, Role.GOVERNANCE)
    for unknown in ("review-999999", "call-back-0", "review-99999999999999999999", "nonsense-1", "break-glass-x"):
        for address in (f"/manage/cases/{unknown}", f"/manage/cases/{unknown}/report"):
            assert (await gwen.get(address)).status == 404
    theirs = await north.sign_in(ASKER, Role.MANAGER)
    assert (await theirs.get(path)).status == 404
    for token in ("", (await theirs.get("/manage/cases")).token):
        posted = await olive.post(path, {"outcome": "permit", "reason": WHY}, token=token)
        assert posted.status == 403
    assert await entries(north, AGENCY, "case", "finding") == before


async def test_what_can_no_longer_be_read_can_only_be_ended(north: TestFederation, olive: WebUser) -> None:
    await asked(north, purpose=Purpose.SAFEGUARDING)
    path = await opened(olive, "review")
    north.clock.turn(8 * 86_400 - FRESH_S)
    late = await officer(north, AGENCY, Role.MANAGER)
    assert "Overdue" in (await late.get("/manage/cases")).words
    await north.nodes[AGENCY].parts.ledger.erase(1)
    shown = await late.get(path)
    assert "have been erased" in shown.words
    assert "They may be told" not in shown.words
    assert (await late.post(path, {"outcome": "permit", "reason": WHY})).status == 400
    ended = await late.post(path, {"outcome": "refuse", "reason": WHY})
    assert "They are told nothing" in ended.words
    assert "Erased" in (await late.get("/manage/cases/ended")).words


async def test_five_minutes_that_end_while_a_case_is_closed_make_no_sign_in_fresh_or_stronger(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await north.publish()  # other tests turn the clock by days
    await north.refresh()
    site = north.pages[AGENCY].site
    olive = await officer(north, AGENCY, Role.MANAGER, name="Olive Slow", method=AuthMethod.PASSWORD)
    assert olive.account is not None
    await site.database.write(set_totp(olive.account.id, site.key.seal(b"s" * 20, olive.id), 0))
    await asked(north, purpose=Purpose.BREAK_GLASS, break_glass=BROKEN)
    path = await opened(olive, "break-glass")
    token = (await olive.get(path)).token
    close = cases.close

    async def slowly(*said: Any, **named: Any) -> None:
        await close(*said, **named)
        north.clock.turn(2)

    monkeypatch.setattr(cases, "close", slowly)
    north.clock.turn(FRESH_S - 1)
    assert (await olive.post(path, {"outcome": "justified", "reason": WHY}, token=token)).path == path
    (session,) = await site.database.read(sessions_of(olive.account.id, site.session_limits, site.now()))
    assert (session.method, site.now() - session.auth_time) == (AuthMethod.PASSWORD, FRESH_S + 1)
    assert (await olive.get("/account/second-factor", follow=False)).headers["Location"].startswith("/sign-in/again")
