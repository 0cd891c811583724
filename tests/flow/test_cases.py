"""Break-glass, review and call-back through real nodes: what the asker sees, and what lands before an officer."""

import asyncio
import io
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from consent_ledger.case import CaseId, Mark
from consent_ledger.errors import LedgerUnavailable
from consent_ledger.ledger import Ledger
from consent_ledger.report import shows
from gateway.app import serve_node
from gateway.cli.case_screen import case_list, case_sheet
from gateway.errors import InputError
from gateway.node import case_watch, cases
from gateway.node.ask import ask
from gateway.node.case_watch import watch
from gateway.node.cases import CaseShown, Ruling
from gateway.node.corrections import Officer
from gateway.node.question import BreakGlass, Question
from gateway.node.results import Completed, MemberOutcome
from gateway.settings import CasesTable, load_node
from mappings.model import Involvement
from mappings.vocabulary import AuthMethod, BreakGlassReason, Finding, Mode, Purpose, Sensitivity
from tests.federation import NAME, TestFederation, federation, result_of, someone
from tests.flow.test_nothing_to_disclose import told

AGREEMENT = Path(__file__).parents[1] / "agreements" / "governance.toml"
ASKER, AGENCY = "childrens-services", "housing"
KATE = {"name": "Katherine Bramley", "born": "1991-05-17"}
PRIYA = {"name": "Priya Nandakumar", "born": "1988-02-03"}
NOBODY = {"name": "Zebedee Quillfeather", "born": "1953-07-29"}
BROKEN = BreakGlass(reason=BreakGlassReason.RISK_TO_LIFE, words="she said so on the telephone")
BREAK_GLASS = {"purpose": Purpose.BREAK_GLASS, "break_glass": BROKEN}
OFFICER = Officer(by="Olive Officer", reason="spoke to both")
SETTINGS = CasesTable()
DAY = 86_400
TEAMS, NOTHING = MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Katherine has a worker at the agency, Priya a shielded service there that chose call-backs."""
    async with federation(tmp_path, [ASKER, AGENCY], agreement=AGREEMENT) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        shielded = ("Priya", "Nandakumar", "1988-02-03")
        chosen = {"sensitivity": Sensitivity.RESTRICTED, "max_mode": Mode.CALLBACK}
        await running.add(AGENCY, *someone(*shielded, key="p2", service="CAMHS", **chosen))  # type: ignore[arg-type]
        yield running


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    """What the nodes log of cases."""
    logged: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("case."):
                logged.append({"event": record.getMessage(), **record.__dict__["event_fields"]})

    logger, keep = logging.getLogger("patchwork"), Keep()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(keep)
    yield logged
    logger.removeHandler(keep)
    logger.setLevel(level)


async def asked(north: TestFederation, **details: Any) -> Completed:
    """One question from the council."""
    return await north.ask(ASKER, details.pop("name"), **details)


async def listed(north: TestFederation, member: str = AGENCY) -> dict[str, CaseShown]:
    """A member's open cases."""
    node = north.nodes[member]
    found = await node.database.read(cases.open_cases(NAME, days=SETTINGS.days))
    return {str(shown.case.id): shown for shown in found}


async def sheet(north: TestFederation, case: str, member: str = AGENCY, *, width: int = 300) -> str:
    """The screen about one case."""
    node = north.nodes[member]
    shown = await node.database.read(cases.find_case(CaseId.read(case), days=SETTINGS.days))
    assert shown is not None
    screen = io.StringIO()
    members = node.parts.membership.current().federation.members
    Console(file=screen, width=width).print(
        case_sheet(shown, members=members, told=SETTINGS.told, now=north.clock.now())
    )
    return screen.getvalue()


async def look(north: TestFederation, member: str = AGENCY) -> None:
    """What the serving node does once a minute."""
    await watch(north.nodes[member].parts, SETTINGS)


async def turn_days(north: TestFederation, days: int) -> None:
    north.clock.turn(days * DAY)
    await north.publish()
    await north.refresh()


async def test_a_broken_glass_is_a_case_at_both_ends_until_somebody_finds_something(
    north: TestFederation, events: list[dict[str, Any]]
) -> None:
    completed = await asked(north, **KATE, **BREAK_GLASS)
    (row,) = result_of(completed, AGENCY).rows
    assert row.professional == ""  # a duty contact
    both = {AGENCY: "break-glass-1", ASKER: "our-break-glass-1"}
    for days, logged in ((0, "case.opened"), (6, None), (1, "case.overdue"), (0, None), (1, "case.overdue")):
        await turn_days(north, days)
        for member, case in both.items():
            assert list(await listed(north, member)) == [case]
            await look(north, member)
            await look(north, member)
            assert events == ([{"event": logged, "case": case, "kind": case[:-2]}] if logged else [])
            events.clear()
    for member, case in both.items():
        ledger = north.nodes[member].parts.ledger
        await cases.acknowledge(CaseId.read(case), by="Olive Officer", ledger=ledger)
        shown = (await listed(north, member))[case]
        await cases.close(shown, Finding.JUSTIFIED, officer=OFFICER, ledger=ledger)
        assert await listed(north, member) == {}
        text = await sheet(north, case, member)
        assert re.search("Told +duty manager, in the hour from 2026-09-21", text)
        assert re.search("Last reminded +duty manager, in the hour from 2026-09-29", text)
        assert "by Olive Officer" in text
        assert "justified: spoke to both" in text
        assert await ledger.rebuild_cases() == []
    await turn_days(north, 1)
    for member in both:
        await look(north, member)
    assert events == []


async def test_the_words_stay_with_the_asker_and_the_code_goes_with_the_question(north: TestFederation) -> None:
    await asked(north, **KATE, **BREAK_GLASS)
    ours, theirs = await sheet(north, "our-break-glass-1", ASKER), await sheet(north, "break-glass-1")
    assert "risk-to-life: she said so on the telephone" in ours
    assert "Katherine Bramley" in ours
    assert "risk-to-life" in theirs
    assert "telephone" not in theirs
    assert "Katherine" not in theirs
    assert "register:p1" in theirs
    entries = [entry.body async for entry in north.nodes[AGENCY].parts.ledger.entries()]
    assert "telephone" not in str(entries)


@pytest.mark.parametrize(
    ("details", "case"),
    [
        ({**KATE, **BREAK_GLASS, "auth": AuthMethod.OPERATING_SYSTEM}, ["break-glass-1"]),  # the rule wants a password
        ({**NOBODY, **BREAK_GLASS}, []),
        ({**KATE, "purpose": Purpose.SAFEGUARDING}, ["review-1"]),
        ({**NOBODY, "purpose": Purpose.SAFEGUARDING}, []),
        ({**PRIYA}, ["call-back-1"]),
        ({**KATE, "mode": Mode.CALLBACK}, ["call-back-1"]),
    ],
)
async def test_whoever_asks_sees_what_an_unknown_person_produces(
    north: TestFederation, details: dict[str, Any], case: list[str]
) -> None:
    seen = told(result_of(await asked(north, **details), AGENCY))
    unknown = told(result_of(await asked(north, **NOBODY), AGENCY))
    assert seen == unknown
    assert seen["outcome"] is NOTHING
    assert list(await listed(north)) == case


async def test_break_glass_for_which_no_rule_lets_ask_is_not_asked(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        with pytest.raises(InputError, match="no agreement in force"):
            await asked(north, **KATE, **BREAK_GLASS)
        assert await listed(north, ASKER) == {}


@pytest.mark.parametrize(
    "changes",
    [{"purpose": Purpose.COORDINATION}, {"break_glass": None}, {"break_glass": replace(BROKEN, words="  ")}],
)
async def test_nobody_breaks_the_glass_without_a_reason_and_none_is_given_for_less(
    north: TestFederation, changes: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="break-glass"):
        await asked(north, **(KATE | BREAK_GLASS | changes))
    assert await listed(north, ASKER) == {}


async def test_a_review_shows_what_could_be_told_and_the_member_lists_number(north: TestFederation) -> None:
    question = north.question(ASKER, KATE["name"], born=KATE["born"], purpose=Purpose.SAFEGUARDING)
    forged = replace(question.practitioner, telecom=(("phone", "07700 900666"),))
    await _end(north, replace(question, practitioner=forged))
    text = await sheet(north, "review-1")
    assert "safeguarding-reviewed" in text
    assert "other-professional-support: agency and duty contact" in text
    assert "01632 960000" in text
    assert "900666" not in text
    assert "Alex Asker (asker-1), Social worker" in text


@pytest.mark.parametrize("ruling", [Ruling.PERMIT, Ruling.REFUSE])
async def test_a_review_is_decided_once_and_sends_nothing(north: TestFederation, ruling: Ruling) -> None:
    await asked(north, **KATE, purpose=Purpose.SAFEGUARDING)
    ledger, review = north.nodes[AGENCY].parts.ledger, CaseId.read("review-1")
    for wrong in (Ruling.CALLED, Ruling.NOT_CALLED):
        with pytest.raises(InputError, match="permit or refuse"):
            await cases.rule(review, wrong, officer=OFFICER, ledger=ledger)
    await cases.rule(review, ruling, officer=OFFICER, ledger=ledger)
    assert await listed(north) == {}
    assert f"Decision    {ruling}: spoke to both" in await sheet(north, "review-1")
    with pytest.raises(InputError, match="review-1 has been ended already"):
        await cases.rule(review, Ruling.PERMIT, officer=OFFICER, ledger=ledger)
    again = await asked(north, **KATE, purpose=Purpose.SAFEGUARDING)  # a permit is for one question
    assert result_of(again, AGENCY).outcome is NOTHING


async def test_a_call_back_names_the_service_that_chose_it_and_no_other(north: TestFederation) -> None:
    *_, involvement = others = someone("Priya", "Nandakumar", "1988-02-03", key="p2", worker="Wanda Warden")
    assert isinstance(involvement, Involvement)
    await north.add(AGENCY, *others[:-1], replace(involvement, key="i-other"))
    result = result_of(await asked(north, **PRIYA), AGENCY)
    assert [row.professional for row in result.rows] == ["Wanda Warden"]
    assert "CAMHS" not in str(result.rows)
    text = await sheet(north, "call-back-1")
    assert "Service       CAMHS" in text
    assert "register:p2" in text
    assert "other-professional-support" not in text


async def test_a_call_that_was_asked_for_within_seven_days_is_not_asked_for_again(north: TestFederation) -> None:
    ledger = north.nodes[AGENCY].parts.ledger
    await asked(north, **PRIYA)
    assert list(await listed(north)) == ["call-back-1"]
    await cases.rule(CaseId.read("call-back-1"), Ruling.CALLED, officer=OFFICER, ledger=ledger)
    await turn_days(north, 6)
    repeated, unknown = [told(result_of(await asked(north, **who), AGENCY)) for who in (PRIYA, NOBODY)]
    assert repeated == unknown  # silently
    assert await listed(north) == {}
    question = north.question(ASKER, PRIYA["name"], born=PRIYA["born"])
    await _end(north, replace(question, practitioner=replace(question.practitioner, id="asker-2")))
    assert len(await listed(north)) == 1
    await turn_days(north, 1)
    await asked(north, **PRIYA)
    assert len(await listed(north)) == 2
    assert await ledger.rebuild_cases() == []


async def test_whoever_broke_the_glass_does_not_close_the_case(north: TestFederation) -> None:
    await asked(north, **KATE, **BREAK_GLASS)
    shown = (await listed(north, ASKER))["our-break-glass-1"]
    ledger = north.nodes[ASKER].parts.ledger
    for name in ("Alex Asker", " alex asker", "Alex  Asker", "Alex\u00a0Asker", "ASKER-1"):
        with pytest.raises(InputError, match="somebody else has to look"):
            await cases.close(shown, Finding.JUSTIFIED, officer=replace(OFFICER, by=name), ledger=ledger)
    await cases.close(shown, Finding.NOT_JUSTIFIED, officer=OFFICER, ledger=ledger)


async def test_of_a_case_about_somebody_erased_nothing_is_asked_but_to_end_it(north: TestFederation) -> None:
    await asked(north, **KATE, purpose=Purpose.SAFEGUARDING)
    assert "Next: patchwork cases decide review-1 --permit" in await sheet(north, "review-1")
    database = north.nodes[AGENCY].database
    assert await database.read(cases.open_about([1], NAME)) == [CaseId.read("review-1")]
    assert await database.read(cases.open_about([2], NAME)) == []
    await north.nodes[AGENCY].parts.ledger.erase(1)
    text = await sheet(north, "review-1")
    assert "Next:" not in text
    assert "--permit" not in text
    assert "To end the case: patchwork cases decide review-1 --refuse" in text


async def test_a_case_is_told_of_once_though_the_node_starts_again(
    north: TestFederation, events: list[dict[str, Any]]
) -> None:
    await asked(north, **KATE, **BREAK_GLASS)
    await look(north)
    await north.stop(AGENCY)
    await north.start(AGENCY)
    await look(north)
    assert [event["event"] for event in events] == ["case.opened"]


async def test_a_serving_node_tells_of_a_case_by_itself_though_the_first_attempt_could_not_be_written(
    north: TestFederation, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(north, **KATE, **BREAK_GLASS)
    await north.stop(AGENCY)
    mark_case, stopped = Ledger.mark_case, asyncio.Event()

    async def works(ledger: Ledger, case: CaseId, mark: Mark, *, to: str) -> None:
        await mark_case(ledger, case, mark, to=to)
        stopped.set()

    async def fails(*_: object, **__: str) -> None:
        monkeypatch.setattr(Ledger, "mark_case", works)
        raise LedgerUnavailable("disk full")

    monkeypatch.setattr(Ledger, "mark_case", fails)
    monkeypatch.setattr(case_watch, "WATCH_S", 0.01)
    monkeypatch.setattr(serve_node, "until_stopped", stopped.wait)
    for not_in_a_test in ("configure_logging", "collect_rarely"):
        monkeypatch.setattr(serve_node, not_in_a_test, lambda: None)
    async with asyncio.timeout(60):
        config = north.folder / AGENCY / "node.toml"
        await serve_node.serve_node(load_node(config), config=config, clock=north.clock)
    assert [event["event"] for event in events] == ["case.watch_failed", "case.opened"]


@pytest.mark.parametrize("width", [80, 118])
async def test_no_line_of_a_screen_is_longer_than_the_terminal(north: TestFederation, width: int) -> None:
    await asked(north, **KATE, **BREAK_GLASS)
    await asked(north, **KATE, purpose=Purpose.SAFEGUARDING)
    await asked(north, **PRIYA)
    screen = io.StringIO()
    members = north.nodes[AGENCY].parts.membership.current().federation.members
    found = list((await listed(north)).values())
    Console(file=screen, width=width).print(case_list(found, counted=(300, 1), members=members, now=north.clock.now()))
    table = [line for line in screen.getvalue().splitlines() if line[:1] in "┏┃┡│└"]
    assert {line.rstrip()[-1] for line in table} == set("┓┃┩│┘")  # no column is cut off at the right
    for case in await listed(north):
        assert case in screen.getvalue()  # whole, to be typed
        assert "300 cases open, 1 overdue" in screen.getvalue()
        screen.write(await sheet(north, case, width=width))
    assert max(map(len, screen.getvalue().splitlines())) <= width


async def test_a_list_that_leaves_cases_out_has_the_newest_and_says_how_to_see_all(north: TestFederation) -> None:
    for _ in range(3):
        await asked(north, **KATE, **BREAK_GLASS)
    node = north.nodes[AGENCY]
    found = await node.database.read(cases.open_cases(NAME, days=SETTINGS.days, limit=2))
    assert [str(shown.case.id) for shown in found] == ["break-glass-3", "break-glass-2"]
    counted = await node.database.read(cases.counted(NAME, days=SETTINGS.days, now=north.clock.now()))
    screen = io.StringIO()
    Console(file=screen, width=80).print(case_list(found, counted=counted, members={}, now=north.clock.now()))
    assert "3 cases open, 0 overdue" in screen.getvalue()
    assert "the newest 2; with --all the list has the other 1 too" in screen.getvalue()
    one = Console(file=io.StringIO(), width=80, record=True)
    one.print(case_list(found[:1], counted=(1, 0), members={}, now=north.clock.now()))
    assert "1 case open, 0 overdue" in one.export_text()


async def _end(north: TestFederation, question: Question) -> None:
    async for _ in ask(question, node=north.nodes[ASKER].parts):
        pass


async def test_counts_do_not_tell_whether_break_glass_was_about_somebody_known(north: TestFederation) -> None:
    counts = []
    for person in (KATE, NOBODY):
        await asked(north, **person, **BREAK_GLASS)
        ends = int(north.clock.now()) // 3600
        await turn_days(north, 1)
        ledger = north.nodes[AGENCY].parts.ledger
        await ledger.settle()
        found = await ledger.exchanged(ASKER, ends - 1, ends + 2)
        counts.append([(each.answered, each.received, each.unfinished) for each in found.values()])
    assert counts == [[(1, 0, 0)]] * 2


async def test_the_client_is_not_told_that_something_was_shown_where_a_call_was_asked_for(
    north: TestFederation,
) -> None:
    await asked(north, **PRIYA)
    entries = [entry.body async for entry in north.nodes[AGENCY].parts.ledger.entries() if entry.body is not None]
    (answered,) = (body for body in entries if body["kind"] == "answered")
    assert [decision["mode"] for decision in answered["decisions"]] == ["callback"]
    assert not any(shows(decision) for decision in answered["decisions"])
