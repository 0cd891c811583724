"""The record on the pages: searched in bounded steps, read entry by entry, proven, exported; and no client by name."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest
import pytest_asyncio

from consent_ledger import search as ledger_search
from consent_ledger.governance import ReportDecision
from gateway.accounts.account import Role
from gateway.node.ask import ask
from gateway.node.check_evidence import check
from gateway.node.evidence_file import read
from gateway.node.findings import proven
from gateway.node.inclusion import check_proof
from gateway.node.question import BreakGlass
from gateway.web import audit_files
from gateway.wire.operator import load_verify_key
from mappings.vocabulary import BreakGlassReason, Purpose
from tests.federation import TestFederation, federation, someone
from tests.web.test_cases import AGENCY, AGREEMENT, ASKER, XSS, officer
from tests.web_user import WebUser

HOUR = 3600
NAMES = re.compile("Katherine|Bramley|Asker Hostile|1991|tears|Robin")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """The council has asked the agency twice: today in an emergency, and ten days ago."""
    folder = tmp_path_factory.mktemp("north")
    async with federation(folder, [ASKER, AGENCY], agreement=AGREEMENT, web=True) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await put(running)
        running.clock.turn(10 * 86_400)
        await running.publish()
        await running.refresh()
        await put(running, purpose=Purpose.BREAK_GLASS, break_glass=BROKEN)
        yield running


BROKEN = BreakGlass(reason=BreakGlassReason.CHILD_AT_RISK, words="Katherine rang in tears")


async def put(north: TestFederation, **details: object) -> None:
    question = north.question(ASKER, "Katherine Bramley", born="1991-05-17", **details)  # type: ignore[arg-type]
    question = replace(question, practitioner=replace(question.practitioner, name=f"Asker Hostile {XSS}", role=XSS))
    async for _ in ask(question, node=north.nodes[ASKER].parts):
        pass


@pytest_asyncio.fixture(loop_scope="module")
async def gwen(north: TestFederation) -> WebUser:
    return await officer(north, AGENCY, Role.GOVERNANCE, name="Gwen Governance")


@pytest_asyncio.fixture(loop_scope="module")
async def audrey(north: TestFederation) -> WebUser:
    return await north.sign_in(AGENCY, Role.AUDITOR, name="Audrey Auditor")


def listed(text: str) -> list[int]:
    """Numbers of the entries that a page links."""
    return [int(seq) for seq in re.findall(r'href="/manage/audit/([0-9]+)"', text)]


async def test_an_officer_finds_what_was_asked_and_why_it_was_decided_so(north: TestFederation, gwen: WebUser) -> None:
    page = await gwen.get("/manage/audit")
    week = listed(page.text)
    assert len(week) == 1  # the other is older than seven days
    assert "Question answered here in which the glass was broken" in page.words
    everything = "/manage/audit?from-day=1&from-month=9&from-year=2026&to-day=1&to-month=12&to-year=2026"
    both = await gwen.get(everything)
    assert "Question answered here" in both.words
    assert {len(listed((await gwen.get(f"{everything}&{more}")).text)) for more in ("kind=break-glass",)} == {1}
    for more, count in (
        ("kind=answered", 1),
        (f"member={ASKER}", 2),
        (f"member={AGENCY}", 0),
        ("outcome=shared", 2),
        ("outcome=nothing", 0),
        (f"account={gwen.id}", 0),
        ("account=asker-1", 0),  # of another agency
        ("jti=00000000-0000-4000-8000-000000000000", 0),
    ):
        assert len(listed((await gwen.get(f"{everything}&{more}")).text)) == count, more

    entry = await gwen.get(f"/manage/audit/{week[0]}")
    compared = "birth date: exact"
    danger = "claimed: a child is at risk of serious harm (child-at-risk)"
    for said in ("something was shared", "Asked by", "break-glass", "Question", "governance", compared, danger):
        assert said in entry.words
    assert f"/manage/cases/break-glass-{week[0]}" in entry.text
    for text in (page.text, entry.text):
        assert not re.search("Katherine|Bramley|tears", text)
        assert "<script>alert" not in text
        assert "<img" not in text
    about = re.search(r'href="(/manage/audit\?[^"]*jti=[^"]+)"', entry.text)
    assert about is not None
    assert listed((await gwen.get(about[1].replace("&amp;", "&"))).text) == week


async def test_the_list_says_only_what_there_is_to_say(north: TestFederation, gwen: WebUser) -> None:
    page = await gwen.get("/manage/audit?kind=break-glass")
    assert "1 entry, newest first." in page.words
    assert north.pages[AGENCY].site.members[ASKER].name in page.words
    assert ("Outcome" in page.words, '<details class="govuk-details" open>' in page.text) == (True, True)
    ours = await officer(north, ASKER, Role.GOVERNANCE)
    page = await ours.get("/manage/audit")
    assert "Question asked from here" in page.words
    assert ("Outcome" in page.words, '<details class="govuk-details">' in page.text) == (False, True)


async def test_an_auditor_sees_no_name_and_changes_nothing(north: TestFederation, audrey: WebUser) -> None:
    theirs = await north.sign_in(ASKER, Role.AUDITOR)
    for user in (audrey, theirs):
        page = await user.get("/manage/audit")
        entries = listed(page.text)
        assert entries
        texts = [page.text] + [(await user.get(f"/manage/audit/{seq}")).text for seq in entries]
        assert not any(NAMES.search(text) for text in texts)
        assert any("asker-1" in text for text in texts)
        assert "an auditor reads no names" in page.words
    ledger = north.nodes[AGENCY].parts.ledger
    typed = await ledger.note(ReportDecision(about=1, show=True, reason="Robin asked", by="Robin Typed"))
    for path in ("/manage/audit?kind=report-decision", f"/manage/audit/{typed.seq}"):
        page = await audrey.get(path)
        assert "decision about a client's reports" in page.words.lower()
        assert not NAMES.search(page.text)
    token = (await audrey.get("/account")).token
    (seq,) = listed((await audrey.get("/manage/audit?kind=break-glass")).text)
    before = (await north.nodes[AGENCY].parts.ledger.head()).size
    here = ("/manage/audit", "/manage/cases", "/manage/ledger", "/manage/misuse")  # others: test_every_route.py
    posts = [route for route in north_posts(north) if route.startswith(here)]
    assert posts
    for pattern in posts:
        path = pattern.replace("{seq}", str(seq)).replace("{case}", f"break-glass-{seq}")
        assert (await audrey.post(path, {"since": "0"}, token=token)).status == 403, path
    for path in ("/manage/audit/export", f"/manage/audit/{seq}/evidence", "/manage/misuse", "/manage/cases"):
        assert (await audrey.get(path)).status == 403, path
    assert (await north.nodes[AGENCY].parts.ledger.head()).size == before


def north_posts(north: TestFederation) -> list[str]:
    """The paths of everything that can be posted to these pages, as patterns."""
    from gateway.web.application import web_application  # noqa: PLC0415 - of this running site

    router = web_application(north.pages[AGENCY].site).router
    resources = [route.resource for route in router.routes() if route.method == "POST"]
    return [resource.canonical for resource in resources if resource is not None]


async def test_nobody_else_reads_the_record(north: TestFederation, gwen: WebUser) -> None:
    (seq,) = listed((await gwen.get("/manage/audit?kind=break-glass")).text)
    for role in (Role.PRACTITIONER, Role.MANAGER, Role.ADMINISTRATOR):
        other = await north.sign_in(AGENCY, role)
        for path in ("/manage/audit", f"/manage/audit/{seq}", f"/manage/audit/{seq}/evidence", "/manage/audit/export"):
            assert (await other.get(path)).status == 403
        proof = await other.get(f"/manage/audit/{seq}/proof")  # which says nothing of what is in the entry
        assert (proof.status == 403) is (role is not Role.ADMINISTRATOR)
    for path in ("999999", "99999999999999999999", "x", "-1", "999999/proof", "999999/evidence"):
        assert (await gwen.get(f"/manage/audit/{path}")).status == 404


@pytest.mark.parametrize(
    "query",
    [
        "from-day=31&from-month=2&from-year=2026&to-day=1&to-month=3&to-year=2026",
        "from-day=2&from-month=3&from-year=2026&to-day=1&to-month=3&to-year=2026",
        "from-day=1&from-month=1&from-year=0&to-day=1&to-month=3&to-year=2026",
        "jti=x",
        f"jti={'9' * 5000}",
    ],
)
async def test_a_search_that_cannot_be_says_what_to_mend(gwen: WebUser, query: str) -> None:
    page = await gwen.get(f"/manage/audit?{query}")
    assert page.status == 400
    assert "There is a problem" in page.words


async def test_what_is_not_offered_or_out_of_bounds_breaks_nothing(gwen: WebUser) -> None:
    for query in (
        "kind=<script>alert(1)</script>&member=nobody&outcome=x",
        "before=99999999999999999999999999",
        "before=-5",
        f"before={2**63}",
        f"before={10**18 - 1}",
        "from-day=1&from-month=1&from-year=1&to-day=31&to-month=12&to-year=9999",
        f"account={'<img src=x>' * 10}",
    ):
        page = await gwen.get(f"/manage/audit?{query}")
        assert page.status == 200, query
        assert "<script>alert" not in page.text
        assert "<img" not in page.text


async def test_a_long_record_is_looked_through_in_steps(
    north: TestFederation, gwen: WebUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_search, "MAX_SEEN", 1)
    monkeypatch.setattr(ledger_search, "_PIECE", 1)
    everything = "/manage/audit?from-day=1&from-month=9&from-year=2026&to-day=1&to-month=12&to-year=2026"
    path, found, steps = everything, [], 0
    while path and steps < 100:
        page = await gwen.get(path)
        steps += 1
        found += listed(page.text)
        link = re.search(r'href="(/manage/audit\?[^"]*before=[0-9]+)"', page.text)
        path = link[1].replace("&amp;", "&") if link else ""
    assert len(found) == len(set(found)) >= 2
    assert steps == (await north.nodes[AGENCY].parts.ledger.head()).size


async def test_a_proof_and_the_evidence_hold_without_this_node(
    north: TestFederation, gwen: WebUser, audrey: WebUser
) -> None:
    operator = load_verify_key(north.folder / "operator" / "operator.jwk")
    (seq,) = listed((await gwen.get("/manage/audit?kind=break-glass")).text)
    early = await audrey.get(f"/manage/audit/{seq}/proof")
    assert (early.status, "every hour" in early.words) == (409, True)
    assert "Download the evidence file" in (await gwen.get(f"/manage/audit/{seq}/evidence")).words
    sent = await gwen.post(f"/manage/audit/{seq}/evidence", {})
    assert sent.headers["Content-Disposition"].startswith('attachment; filename="evidence-')
    evidence = read(sent.text.encode())
    assert proven(list(check(evidence, operator_key=operator)))
    assert {entry.seq for entry in evidence.entries} == {seq}
    proof = await audrey.get(f"/manage/audit/{seq}/proof")
    assert proof.headers["Content-Disposition"] == f'attachment; filename="inclusion-{seq}.json"'
    assert check_proof(proof.text.encode(), operator_key=operator).seq == seq
    assert not NAMES.search(proof.text)
    ours = await officer(north, ASKER, Role.GOVERNANCE)
    asked = listed((await ours.get("/manage/audit?kind=asked")).text)
    sent = await ours.post(f"/manage/audit/{asked[0]}/evidence", {})
    assert len(read(sent.text.encode()).entries) == 2  # asked, and what was received


async def test_a_period_is_exported_whole_or_says_where_it_ends(
    north: TestFederation, gwen: WebUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = {"from-day": "21", "from-month": "9", "from-year": "2026"}
    days |= {"to-day": "5", "to-month": "10", "to-year": "2026"}
    sent = await gwen.post("/manage/audit/export", days)
    assert sent.headers["Content-Type"] == "application/fhir+ndjson"
    assert "audit-events-2026-09-21-2026-10-05.ndjson" in sent.headers["Content-Disposition"]
    events = [orjson.loads(line) for line in sent.text.splitlines()]
    assert {event["resourceType"] for event in events} == {"AuditEvent"}
    assert not re.search("Katherine|Bramley", sent.text)
    monkeypatch.setattr(audit_files, "MAX_ENTRIES", 1)
    part = (await gwen.post("/manage/audit/export", days)).text.splitlines()
    end = orjson.loads(part[-1])
    assert end["issue"][0]["code"] == "incomplete"
    since = re.findall("[0-9]+", end["issue"][0]["diagnostics"])[0]
    rest = (await gwen.post("/manage/audit/export", days | {"since": since})).text.splitlines()
    assert rest[0] in sent.text.splitlines()
    assert rest[0] not in part
    for wrong in ({"from-year": "2025"}, {"since": "x"}, {"to-day": "99"}):
        assert (await gwen.post("/manage/audit/export", days | wrong)).status == 400
    assert (await gwen.post("/manage/audit/export", days, token="")).status == 403
    north.clock.turn(HOUR / 3)
    await asyncio.sleep(0)
    late = await gwen.post("/manage/audit/export", days)
    assert (late.status, "This is not your password" in late.words) == (400, True)
