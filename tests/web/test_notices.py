"""Notices: what changed around somebody's clients, as far as they may see it; read, kept, and never piled up."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from consent_ledger.case import CaseId, CaseKind, Mark
from gateway.accounts import notices
from gateway.accounts.account import Role
from gateway.accounts.erase import forget_person
from gateway.accounts.notices import KEPT_S, MAX_KEPT, Kind, tell
from gateway.database.contract import Statement, Work
from gateway.web.told import case_teller
from mappings.model import Involvement
from mappings.vocabulary import Sensitivity
from tests.federation import TestFederation, federation, someone
from tests.web.around import CLIENT, compare, hidden, kim, nia, return_of
from tests.web.clients import TRUST, fill, rae
from tests.web_user import WebUser

DAY_S = 86_400
_CHANGES = re.compile("joined|no longer shown|has changed")


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [TRUST], web=True) as running:
        await fill(running)
        yield running


async def said(user: WebUser) -> str:
    return (await user.get("/notices")).words


async def test_the_others_are_told_when_somebody_leaves_a_team_joins_it_or_is_reached_differently(
    north: TestFederation,
) -> None:
    wendy, physio, stranger = await rae(north), await kim(north), await nia(north)
    await compare(north)
    assert not _CHANGES.search(await said(physio))
    reach = {"system-1": "phone", "value-1": "01632 960 555", "pattern": ""}
    await wendy.post("/me/reach", reach, form="/me")
    await compare(north)
    assert "Katherine Bramley : How to reach somebody has changed." in await said(physio)
    assert not _CHANGES.search(await said(wendy))  # it was she
    await north.add(
        TRUST, Involvement(key="again", person_key="p1", practitioner_key="w-o1", service_key="Physio", role="Helper")
    )
    await wendy.post(f"{CLIENT}/leave")
    await compare(north)
    told = await said(physio)
    assert "How to reach somebody has changed. Somebody joined the team. Somebody is no longer shown" in told
    for other in (wendy, stranger):
        assert not _CHANGES.search(await said(other))


async def test_what_happens_in_a_hidden_service_leaves_notices_as_they_are(north: TestFederation) -> None:
    wendy, physio, shielded = await rae(north), await kim(north), await hidden(north)
    await compare(north)
    before = [await _rows(north, user) for user in (wendy, physio)]
    await shielded.post(f"{CLIENT}/leave")
    await north.add(TRUST, *someone("Katherine", "Bramley", "1991-05-17", key="p9", sensitivity=Sensitivity.RESTRICTED))
    await compare(north)
    await shielded.post("/me/reach", {"system-1": "phone", "value-1": "01632 960 555"}, form="/me")
    await compare(north)
    assert [await _rows(north, user) for user in (wendy, physio)] == before


async def test_saying_that_the_work_goes_on_is_no_change_for_others(north: TestFederation) -> None:
    wendy, physio = await rae(north), await kim(north)
    await compare(north)
    await wendy.post(f"{CLIENT}/still", form="/clients")
    await compare(north)
    assert "has changed" not in await said(physio)


async def test_a_federation_whose_document_has_expired_is_no_change(north: TestFederation) -> None:
    physio = await kim(north)
    await compare(north)
    before = await _rows(north, physio)
    north.clock.time += 400 * DAY_S
    await compare(north)
    assert await _rows(north, physio) == before


async def test_people_are_asked_whether_they_still_work_with_somebody_once_a_month(north: TestFederation) -> None:
    wendy = await rae(north)
    for _ in range(2):
        await compare(north)
    question = "Katherine Bramley : Are you still working with them?"
    page = await said(wendy)
    assert question in page
    assert "Notices 1 (1 unread)" in page
    await wendy.post(f"{CLIENT}/still", form="/clients")
    await compare(north)
    assert question not in await said(wendy)


async def test_a_notice_about_somebody_who_is_no_longer_a_client_names_nobody(north: TestFederation) -> None:
    wendy = await rae(north)
    await compare(north)
    await wendy.post(f"{CLIENT}/leave")
    page = await wendy.get("/notices")
    assert not any(word in page.text for word in ("Katherine", "Bramley", CLIENT))


async def test_notices_are_read_one_by_one_or_all_that_were_shown(north: TestFederation) -> None:
    wendy, other = await rae(north), await kim(north)
    site = north.pages[TRUST].site
    for code in ("told review", "told call-back", "told break-glass"):
        await site.database.write(_tell(north, wendy, Kind.CASE, code))
    page = await wendy.get("/notices")
    ids = [int(each) for each in re.findall(r'name="notice" value="(\d+)"', page.text)]
    assert len(ids) == 3
    assert (await other.post("/notices/read", {"notice": str(ids[0])}, form="/account")).status == 404
    assert (await wendy.post("/notices/read", {"notice": str(ids[0])}, token="")).status == 403
    for wrong in ({}, {"notice": "x"}, {"up-to": "-1"}):
        assert (await wendy.post("/notices/read", wrong, form="/account")).status == 400
    page = await wendy.post("/notices/read", {"notice": str(ids[0])}, form="/notices")
    assert "(2 unread)" in page.words
    assert "Menu (2 new)" in page.words  # which a phone shows while the menu is closed
    await site.database.write(_tell(north, wendy, Kind.CASE, "told review"))
    page = await wendy.post("/notices/read", {"up-to": str(ids[0])}, form="/account")
    assert "(1 unread)" in page.words  # what came after the page was shown stays new


async def test_an_account_keeps_so_many_notices_for_so_long(north: TestFederation) -> None:
    wendy = await rae(north)
    site = north.pages[TRUST].site

    def many() -> Work[None]:
        for _ in range(MAX_KEPT + 5):
            yield from _tell(north, wendy, Kind.CASE, "told review")

    await site.database.write(many())
    assert len(await _rows(north, wendy)) == MAX_KEPT
    north.clock.time += KEPT_S + 1
    await site.database.write(notices.sweep(site.now()))
    assert not await _rows(north, wendy)
    assert "There is nothing new" in await said(await return_of(north, wendy))


async def test_managers_and_officers_are_told_of_cases(north: TestFederation) -> None:
    manager = await north.sign_in(TRUST, Role.MANAGER)
    officer, auditor = await north.sign_in(TRUST, Role.GOVERNANCE), await north.sign_in(TRUST, Role.AUDITOR)
    case = CaseId(7, CaseKind.BREAK_GLASS)
    await case_teller(north.pages[TRUST].site)(case, Mark.TOLD)
    await case_teller(north.pages[TRUST].site)(case, Mark.REMINDED)
    for user in (manager, officer):
        page = await user.get("/notices")
        assert "Another agency broke the glass here. A case waits for a decision." in page.words
        assert "overdue" in page.words
        assert 'href="/manage"' in page.text
        assert (await user.get("/")).path == "/manage"  # their work does not begin with notices
    assert "glass" not in await said(auditor)


async def test_nobody_reads_notices_without_signing_in(north: TestFederation) -> None:
    assert (await north.browser(TRUST).get("/notices")).path == "/sign-in"


async def test_an_erased_person_is_in_no_table_of_the_pages(north: TestFederation) -> None:
    wendy, physio = await rae(north), await kim(north)
    await compare(north)
    await wendy.post(f"{CLIENT}/attention", {"phrase": "call-me"})
    await wendy.post(f"{CLIENT}/wrong", {"what": "duplicate"})
    await wendy.post(f"{CLIENT}/invite", {"do": "send", "to": (await nia(north)).id, "role": "own"})
    site = north.pages[TRUST].site
    kept = await site.database.read(_about_person())
    assert min(kept.values()) > 0, kept
    await site.database.write(forget_person([1]))
    assert set((await site.database.read(_about_person())).values()) == {0}
    assert "call me" not in await said(physio)


def _about_person() -> Work[dict[str, int]]:
    found: dict[str, int] = {}
    for table in ("notice", "invitation", "attention_raised", "team_watched", "problem_report"):
        rows = yield Statement(f"SELECT count(*) FROM {table} WHERE person_id = 1")  # noqa: S608 - constants
        found[table] = rows[0][0]
    return found


def _tell(north: TestFederation, user: WebUser, kind: Kind, code: str) -> Work[None]:
    assert user.account is not None
    return tell(user.account.id, kind, code, now=north.clock.now(), alerting=None)


async def _rows(north: TestFederation, user: WebUser) -> list[notices.Notice]:
    assert user.account is not None
    return await north.pages[TRUST].site.database.read(notices.notices_of(user.account.id))
