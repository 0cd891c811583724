"""Agreements on pages: what is in force with whom, in words, side by side; drafts, hostile ones too; what if."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from consent_ledger.read import accepted_agreements
from gateway.accounts.account import Role
from gateway.policy import cells
from gateway.policy.toml_text import toml_text
from tests.agreement_texts import document, rule
from tests.federation import AGREEMENT, NAME, TestFederation, federation, someone
from tests.web.test_every_page import XSS
from tests.web_user import Shown, WebUser

HOUSING, ASKER = "housing", "childrens-services"
PAGE = "/manage/agreements"
DRAFT = f"{PAGE}/draft"
TEXT = AGREEMENT.read_text("utf-8")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """Housing has been asked about Katherine, and about somebody whom it does not know."""
    async with federation(tmp_path_factory.mktemp("north"), [HOUSING, ASKER], web=True) as running:
        await running.add(HOUSING, *someone("Katherine", "Bramley", "1991-05-17"))
        await running.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        await running.ask(ASKER, "Nobody Known", born="1980-01-01")
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def officer(north: TestFederation) -> WebUser:
    return await north.sign_in(HOUSING, Role.GOVERNANCE)


async def at_end(who: WebUser, page: Shown) -> Shown:
    """The page of a piece of work, once that is over."""
    async with asyncio.timeout(10):
        while "Check again" in page.words:
            await asyncio.sleep(0.02)
            page = await who.get(page.path)
    assert page.status == 200
    return page


async def draft(who: WebUser, text: str | bytes) -> Shown:
    content = text if isinstance(text, bytes) else text.encode()
    page = await who.upload(DRAFT, "file", ("draft.toml", content))
    return page if page.status != 200 else await at_end(who, page)


async def test_what_is_in_force_with_whom_is_told_and_put_into_words(officer: WebUser) -> None:
    page = await officer.get(PAGE)
    assert "Tests: who works with whom" in page.words
    assert "Version 1, from 1 January 2026 to 31 December 2036" in page.words
    assert "In force with Childrens Services" in page.words
    assert "Not signed yet by community-trust, food-bank, police" in page.words
    link = page.text.partition(f'href="{PAGE}/')[2].partition('"')[0]
    one = await officer.get(f"{PAGE}/{link}")
    assert "named professional, how to reach them, dates of contact" in one.words
    assert "coordination of care: public task" in one.words
    assert "To fit our help together: every agency may learn who works with the person, how to reach them" in one.words
    assert "All (Childrens Services, " in one.words
    assert "support by another profession" in one.words
    assert "To know before signing" in one.words
    assert "police is a party, but not an active member of the federation." in one.words
    assert "To sign and accept it" not in one.words
    same = await officer.get(f"{PAGE}/compare?old={link}&new={link}")
    assert "Nothing but its bytes" in same.words
    for wrong in (f"{PAGE}/{'0' * 64}", f"{PAGE}/compare?old={link}&new=x"):
        assert (await officer.get(wrong)).status == 404


async def test_a_draft_is_explained_compared_and_replayed_and_changes_nothing(
    north: TestFederation, officer: WebUser
) -> None:
    node = north.nodes[HOUSING]
    before = await node.parts.ledger.head(), await node.database.read(accepted_agreements(NAME))
    strict = TEXT.replace('version = "1"', 'version = "2"', 1).replace('mode = "schedule"', 'mode = "duty-contact"', 1)
    page = await draft(officer, strict)
    assert "Draft: Tests: who works with whom" in page.words
    assert "Compared with version 1, which this node knows under the same address." in page.words
    assert "The version changes from 1 to 2." in page.words
    less = page.words.partition("Who learns less")[2]
    assert "named professional, how to reach them, dates of contact agency and duty contact" in less
    result = await at_end(officer, await officer.post(f"{page.path}/what-if", form=page.path))
    assert "questions replayed 1" in result.words or "1 questions replayed" in result.words
    assert "coordination 0 0 0 1 0" in result.words
    assert "nobody with a team was found: 1" in result.words
    assert "Bramley" not in result.text
    assert "Give the draft a version of its own" not in page.words
    refusing = await draft(officer, TEXT.replace('recipients = ["*"]', 'recipients = ["police"]'))
    assert "Give the draft a version of its own" in refusing.words
    result = await at_end(officer, await officer.post(f"{refusing.path}/what-if", form=refusing.path))
    assert "No rule 0 1 0 0 0" in result.words
    assert (await node.parts.ledger.head(), await node.database.read(accepted_agreements(NAME))) == before


async def test_a_node_that_has_answered_nothing_says_so_and_not_that_nothing_would_differ(
    north: TestFederation,
) -> None:
    asking = await north.sign_in(ASKER, Role.GOVERNANCE)
    page = await draft(asking, TEXT.replace('version = "1"', 'version = "2"', 1))
    result = await at_end(asking, await asking.post(f"{page.path}/what-if", form=page.path))
    assert "No question that this node has answered could be decided again" in result.words
    assert "No decision would have been different" not in result.words


async def test_a_draft_of_others_is_read_and_not_replayed(officer: WebUser) -> None:
    foreign = toml_text(document(rule("coordination")))
    page = await draft(officer, foreign)
    assert "all of it is new" in page.words
    assert "This agency is not a party to the draft" in page.words
    assert (await officer.post(f"{page.path}/what-if", form=page.path)).status == 400


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (TEXT.replace('mode = "schedule"', 'mode = "everything"'), "Line 27: rule coordination: mode: must be one of"),
        (TEXT.replace('min_auth = "password"', 'min_auth = "none"'), "Line 64: rule safeguarding: min_auth:"),
        (TEXT.replace("needs_consent = true\n", ""), "Line 34: rule meals-with-consent: needs_consent: missing"),
        (TEXT.replace("start_date = 2026-01-01", "start_date = 7"), "Line 9: start_date: must be a date"),
        (TEXT + "\nsurprise = 1\n", "rule safeguarding: surprise: unknown key"),
        ("[[rule]\n", "not readable as TOML"),
        ("a = " + "[" * 30_000, "not readable as TOML"),
        (b"\xff\xfe\x00", "not readable as TOML"),
        ("", "missing"),
        (f'{XSS}\n[[rule]]\nid = "{XSS[:20]}"', "not readable as TOML"),
        (TEXT.replace('id = "coordination"', "id = '<script>alert(1)</script>'"), "Line 18: rule 1: id: must be"),
    ],
)
async def test_a_draft_that_cannot_be_read_is_refused_with_its_line_and_key(
    officer: WebUser, changed: str | bytes, said: str
) -> None:
    page = await draft(officer, changed)
    assert page.status == 400
    assert said in page.words, page.words
    assert "<script>alert" not in page.text
    assert "<img" not in page.text


async def test_a_draft_that_is_too_large_or_too_intricate_takes_nobodys_time(
    officer: WebUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await draft(officer, "#" * 70_000)).status == 400
    assert (await draft(officer, "#" * 80_000)).status == 413
    nothing = await officer.post(DRAFT, {"x": "y"})
    assert (nothing.status, "Choose the TOML file" in nothing.words) == (400, True)
    monkeypatch.setattr(cells, "MAX_CELLS", 1)
    page = await draft(officer, TEXT.replace("Tests: who", "Intricate: who"))
    assert "The rules tell too many cases apart" in page.words


async def test_what_an_agreement_says_is_text_and_never_markup(officer: WebUser) -> None:
    texts = {"name": XSS, "contact": XSS, "data": [XSS], "permitted_use": [XSS]}
    party = [{"name": XSS, "catalogue_id": [HOUSING, XSS]}]
    hostile = rule("coordination", services=[XSS], recipients=[XSS], obligations=[XSS])
    page = await draft(officer, toml_text(document(hostile, party=party, **texts)))
    assert page.status == 200
    assert "{{7*7}}" in page.text
    assert "<script>alert" not in page.text
    assert "<img" not in page.text


async def test_a_draft_is_its_senders_alone_and_other_roles_only_read(north: TestFederation, officer: WebUser) -> None:
    page = await draft(officer, TEXT)
    result = await officer.post(f"{page.path}/what-if", form=page.path)
    colleague = await north.sign_in(HOUSING, Role.GOVERNANCE)
    for path in (page.path, result.path):
        assert (await colleague.get(path)).status == 404
    assert (await colleague.post(f"{page.path}/what-if", form="/account")).status == 404
    assert (await officer.post(f"{page.path}/what-if", token="")).status == 403
    for role in Role:
        who = await north.sign_in(HOUSING, role)
        reads = role in {Role.GOVERNANCE, Role.AUDITOR, Role.MANAGER}
        assert [(await who.get(path)).status for path in (PAGE, f"{PAGE}/compare")] == [200 if reads else 403] * 2
        assert (await who.get(DRAFT)).status == (200 if role is Role.GOVERNANCE else 403)
        if role is not Role.GOVERNANCE:
            assert (await who.post(DRAFT, {"x": "y"}, form="/account")).status == 403
            assert (await who.get(result.path)).status == 403
