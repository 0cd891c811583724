"""Break-glass has a budget of its own: what routine has used up does not stop it, and it does not go on without end."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.node.ask import ask
from gateway.node.question import BreakGlass
from gateway.node.results import Completed, MemberOutcome, MemberResult
from mappings.vocabulary import BreakGlassReason, Purpose
from tests.federation import TestFederation, federation, result_of, someone
from tests.flow.test_nothing_to_disclose import told

AGREEMENT = Path(__file__).parents[1] / "agreements" / "governance.toml"
ASKER, AGENCY = "childrens-services", "housing"
TEAMS, NOTHING = MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE
BROKEN = BreakGlass(reason=BreakGlassReason.RISK_TO_LIFE, words="she said so on the telephone")
URGENT: dict[str, Any] = {"purpose": Purpose.BREAK_GLASS, "break_glass": BROKEN}
BORN = "1991-05-17"


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """A practitioner may ask four questions a day, and break the glass three times; a member five times."""
    budgets = (
        "[budgets]\nquestions_per_practitioner = 4\nvariants_per_person = 2\n"
        "break_glass_per_practitioner = 3\nbreak_glass_per_member = 5"
    )
    async with federation(tmp_path, [ASKER, AGENCY], agreement=AGREEMENT, options=budgets) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", BORN))
        yield running


async def said(north: TestFederation, name: str, who: str = "asker-1", **details: Any) -> MemberResult:
    question = north.question(ASKER, name, **({"born": BORN} | details))
    question = replace(question, practitioner=replace(question.practitioner, id=who))
    events = [event async for event in ask(question, node=north.nodes[ASKER].parts)]
    assert isinstance(events[-1], Completed)
    return result_of(events[-1], AGENCY)


async def test_an_emergency_gets_through_whatever_routine_has_used_up(north: TestFederation) -> None:
    names = ("Katherine Bramley", "Kate Bramley", "Kathryn Bramley", "Katherine Bramley", "Somebody Else")
    assert [(await said(north, name)).outcome for name in names] == [TEAMS, TEAMS, NOTHING, NOTHING, NOTHING]
    assert (await north.ledger(AGENCY))[-1]["withheld"] == "practitioner"
    assert (await said(north, "Katherine Bramley", **URGENT)).outcome is TEAMS
    assert (await said(north, "Kate Bramley", **URGENT)).outcome is TEAMS
    assert (await said(north, "Katharine Bramley", **URGENT)).outcome is NOTHING  # a third way to describe her
    assert (await north.ledger(AGENCY))[-1]["withheld"] == "break-glass-person"


async def test_emergencies_end_too_and_cost_routine_nothing(
    north: TestFederation, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = await said(north, "Nobody Knownhere", "asker-9", born="1970-01-01")
    caplog.set_level(logging.WARNING, logger="patchwork")
    outcomes = [(await said(north, "Katherine Bramley", **URGENT)).outcome for _ in range(4)]
    assert outcomes == [TEAMS] * 3 + [NOTHING]
    assert (await said(north, "Katherine Bramley", "asker-2", **URGENT)).outcome is TEAMS  # the member's fifth
    beyond = await said(north, "Katherine Bramley", "asker-3", **URGENT)
    assert told(beyond) == told(unknown)
    kinds = [record.event_fields["kind"] for record in caplog.records if record.getMessage() == "budget.spent"]  # type: ignore[attr-defined]
    assert kinds == ["break-glass-practitioner", "break-glass-member"]
    assert (await said(north, "Katherine Bramley")).outcome is TEAMS
