"""Nobody learns from their own budgets who else is on the register (docs/policy.md, "Probing").

Two agencies are asked the same questions. Both know the same people, but one knows two more, of whom it may say
nothing: whatever one member asks, in whatever order and under whatever names, both must say the same.
"""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.database.contract import Work
from gateway.node.ask import ask
from gateway.node.decisions import Decided, decide_team
from gateway.node.question import BreakGlass
from gateway.node.results import Completed, MemberOutcome
from gateway.node.team import Team
from gateway.wire.query import NameParts, Subject
from mappings.model import Person
from mappings.vocabulary import NHS_NUMBER_SYSTEM, BreakGlassReason, Purpose, Sensitivity
from tests.federation import TestFederation, federation, result_of, someone

AGREEMENT = Path(__file__).parents[1] / "agreements" / "governance.toml"
ASKER, KNOWS, KNOWS_LESS = "childrens-services", "housing", "community-trust"
TEAMS, NOTHING = MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE
# Name, birth date, postcode, NHS number; all of one year, for what was typed is counted by the year.
OPEN = (
    ("Quentin Decoy", "1984-02-03", "ZM4 7QT", "9990000026"),
    ("Katherine Bramley", "1984-05-17", "ZM5 3DL", "9990000034"),
    ("Priya Nandakumar", "1984-10-22", "ZM7 5EA", "9990000085"),
    ("Tobias Wrenfield", "1984-01-14", "ZM2 8RS", "9990000093"),
    ("Halima Osei", "1984-06-06", "ZM4 1BN", "9990000107"),
    ("Gwen Pritchard", "1984-09-28", "ZM5 6HJ", "9990000115"),
)
RESTRICTED = (
    ("Petra Hidden", "1984-11-09", "ZM9 1AA", "9990000018"),
    ("Omar Nazari", "1984-08-26", "ZM6 6GH", "9990000069"),
)
SHIELDED = (
    ("Rosa Sheltered", "1984-07-30", "ZM8 2BB", "9990000042"),
    ("Ines Fuller", "1984-04-12", "ZM3 9PW", "9990000077"),
)
HIDDEN = (*RESTRICTED, *SHIELDED)
NOBODY = ("Nobody Knownhere", "1984-12-21", "ZM1 1AA", "9990000050")
QUESTIONS = 60
PLAIN, DECOY, URGENT = 0.4, 0.3, 0.1  # shares of questions
BROKEN = BreakGlass(reason=BreakGlassReason.RISK_TO_LIFE, words="he said so on the telephone")


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    budgets = "[budgets]\nquestions_per_person = 12\nvariants_per_person = 2"
    members = [ASKER, KNOWS, KNOWS_LESS]
    agreement = tmp_path / "agreement.toml"
    agreement.write_text(AGREEMENT.read_text().replace('ask = ["housing-provider"]', 'ask = ["*"]'))
    async with federation(tmp_path, members, agreement=agreement, options=budgets) as running:
        for name, born, postcode, number in OPEN:
            given, family = name.split()
            known = someone(given, family, born, key=name, postcode=postcode, nhs=number)
            for member in (KNOWS, KNOWS_LESS):
                await running.add(member, *known)
        for name, born, postcode, number in RESTRICTED:
            given, family = name.split()
            known = someone(given, family, born, key=name, postcode=postcode, nhs=number)
            known = tuple(replace(each, restricted=True) if isinstance(each, Person) else each for each in known)
            await running.add(KNOWS, *known)
        for name, born, postcode, number in SHIELDED:
            service: dict[str, Any] = {"sensitivity": Sensitivity.VERY_RESTRICTED, "service": "domestic-abuse-support"}
            given, family = name.split()
            known = someone(given, family, born, key=name, postcode=postcode, nhs=number, **service)
            await running.add(KNOWS, *known)
        yield running


async def said(north: TestFederation, subject: Subject, *, urgent: bool = False) -> tuple[MemberOutcome, MemberOutcome]:
    """What both agencies say to one question."""
    how: dict[str, Any] = {"purpose": Purpose.BREAK_GLASS, "break_glass": BROKEN} if urgent else {}
    question = replace(north.question(ASKER, "x y", born="1990", **how), subject=subject)
    events = [event async for event in ask(question, node=north.nodes[ASKER].parts)]
    assert isinstance(events[-1], Completed)
    return result_of(events[-1], KNOWS).outcome, result_of(events[-1], KNOWS_LESS).outcome


def described(names: list[str], born: str | None, postcode: str | None, number: str | None) -> Subject:
    identifiers = ((NHS_NUMBER_SYSTEM, number),) if number else ()
    parts = tuple(NameParts(text=name) for name in names)
    return Subject(names=parts, birth_date=born, age=None, postcode=postcode, identifiers=identifiers)


def drawn(chance: random.Random, number: int) -> Subject:
    """A plain question about somebody; or some of what describes somebody, after the name of another or of nobody.

    Details of one person alone: those that fit two people make matching doubt who is meant.
    """
    if chance.random() < PLAIN:
        name, *details = chance.choice(OPEN)
        return described([name], *details)
    name, *details = chance.choice((*OPEN, *HIDDEN, *HIDDEN, NOBODY))
    first = chance.choice(OPEN)[0] if chance.random() < DECOY else f"Z{number:06b} Q{number:06b}"
    first = first.translate(str.maketrans("01", "bd"))
    return described([first, name], *(chance.choice((each, each, None)) for each in details))


@pytest.mark.parametrize("seed", [1, 2])
async def test_whoever_is_hidden_changes_no_answer(north: TestFederation, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - draws test cases
    disclosed = withheld = 0
    for number in range(QUESTIONS):
        subject = drawn(chance, number)
        one, other = await said(north, subject, urgent=chance.random() < URGENT)
        assert one is other, f"question {number}: {subject}"
        disclosed += one is TEAMS
    for agency in (KNOWS, KNOWS_LESS):
        withheld += sum("withheld" in entry for entry in await north.ledger(agency))
    assert disclosed > 0 < withheld  # else nothing was put to the proof


async def test_a_hidden_person_s_number_uses_up_nobody_else_s_name(north: TestFederation) -> None:
    """As many questions about one as are allowed, under names of nobody; the next is under the name of another."""
    (decoy, _, _, decoy_s), (hidden, born, _, number) = OPEN[0], HIDDEN[0]
    for letter in "ab":
        both = await said(north, described([f"Zed{letter * 3} Nobody", hidden], born, None, number))
        assert both == (NOTHING, NOTHING)
    assert await said(north, described([decoy, hidden], None, None, number)) == (NOTHING, NOTHING)
    assert await said(north, described([decoy], None, None, decoy_s)) == (TEAMS, TEAMS)


async def test_whoever_is_disclosed_to_the_limit_uses_up_nobody_else_s_name(north: TestFederation) -> None:
    """The same with somebody who may be disclosed: their count is theirs alone, whatever else was typed."""
    (decoy, _, _, decoy_s), (known, born, postcode, number) = OPEN[:2]
    for details in ((born, None, None), (born, postcode, None)):
        assert await said(north, described([known], *details)) == (TEAMS, TEAMS)
    assert await said(north, described([decoy, known], None, None, number)) == (NOTHING, NOTHING)
    assert await said(north, described([decoy], None, None, decoy_s)) == (TEAMS, TEAMS)


async def test_a_fault_with_one_person_s_records_counts_as_a_question_about_nobody(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever has questions left would know that the fault, and so the person, was there."""

    def failing(team: Team | None, **rest: Any) -> Decided:
        if team is not None:
            raise RuntimeError("a row that cannot be read")
        return decide_team(team, **rest)

    monkeypatch.setattr("gateway.node.answer.decide_team", failing)
    name, *details = HIDDEN[0]
    assert await said(north, described([name], *details)) == (NOTHING, NOTHING)
    counted = [await north.nodes[member].parts.database.read(counts()) for member in (KNOWS, KNOWS_LESS)]
    assert counted[0] == counted[1] == [(5,)]


def counts() -> Work[Any]:
    """How much is counted, of anything."""
    return (yield "SELECT sum(questions) FROM asked_today", ())
