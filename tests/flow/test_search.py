"""One question through real nodes and a real hub."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from gateway.cli.table import Progress
from gateway.node.results import MemberOutcome
from mappings.vocabulary import AuthMethod, Purpose
from tests.federation import TestFederation, federation, result_of, someone

EXAMPLE = Path(__file__).parents[2] / "config" / "agreements" / "children-and-families.toml"


async def test_four_agencies_that_know_a_person_say_who_works_with_them(tmp_path: Path) -> None:
    async with federation(tmp_path) as north:
        for member, given in (("community-trust", "Katherine"), ("police", "Kate"), ("housing", "Kathryn")):
            await north.add(member, *someone(given, "Bramley-Osei", "1991-05-17", worker=f"Wendy {member.title()}"))
        completed = await north.ask(
            "childrens-services", "Katherine Bramley-Osei", born="1991-05-17", postcode="ZM4 7QT"
        )
        assert {result.member.id for result in completed.results if result.outcome is MemberOutcome.TEAMS} == {
            "community-trust",
            "police",
            "housing",
        }
        assert result_of(completed, "food-bank").outcome is MemberOutcome.NOTHING_TO_DISCLOSE
        assert completed.coverage_agrees
        (row,) = result_of(completed, "housing").rows
        assert row.professional == "Wendy Housing"
        assert row.contact_points[0].value == "01632 960123"


async def shown(north: TestFederation, auth: AuthMethod, purpose: Purpose = Purpose.COORDINATION) -> str:
    """What the council's screen shows at the end, in one line."""
    question = north.question("childrens-services", "Katherine Bramley", born="1991-05-17", auth=auth, purpose=purpose)
    progress = Progress(question.subject)
    stream = north.stream("childrens-services", "Katherine Bramley", born="1991-05-17", auth=auth, purpose=purpose)
    async for event in stream:
        progress.take(event)
    screen = io.StringIO()
    Console(file=screen, width=300).print(progress)
    return screen.getvalue()


async def test_the_example_agreement_answers_a_question_from_the_command_line(tmp_path: Path) -> None:
    async with federation(tmp_path, ["childrens-services", "housing"], agreement=EXAMPLE) as north:
        await north.add("housing", *someone("Katherine", "Bramley", "1991-05-17", worker="Wendy Smith"))
        told = await shown(north, AuthMethod.OPERATING_SYSTEM)
        assert "Wendy Smith" in told
        assert "stronger sign-in" not in told


@pytest.mark.parametrize(("auth", "warned"), [(AuthMethod.OPERATING_SYSTEM, True), (AuthMethod.PASSWORD, False)])
async def test_an_asker_whose_sign_in_no_rule_accepts_is_told_so(
    tmp_path: Path, auth: AuthMethod, warned: bool
) -> None:
    strict = tmp_path / "agreement.toml"
    strict.write_text(EXAMPLE.read_text().replace('min_auth = "operating-system"', 'min_auth = "password"'))
    async with federation(tmp_path, ["childrens-services", "housing"], agreement=strict) as north:
        await north.add("housing", *someone("Katherine", "Bramley", "1991-05-17", worker="Wendy Smith"))
        told = await shown(north, auth)
        assert ("Wendy Smith" in told) is not warned
        assert ("wants a stronger sign-in than this command line" in told) is warned


async def test_members_that_the_agreement_does_not_let_us_ask_are_named(tmp_path: Path) -> None:
    async with federation(tmp_path, agreement=EXAMPLE) as north:
        names = {
            each: north.nodes[each].parts.membership.current().federation.members[each].name for each in north.nodes
        }
        left_out = {Purpose.COORDINATION: {"police"}, Purpose.SAFEGUARDING: {"housing", "food-bank"}}
        for purpose, members in left_out.items():
            told = await shown(north, AuthMethod.OPERATING_SYSTEM, purpose)
            (line,) = [line for line in told.splitlines() if line.startswith("Not asked")]
            assert {each for each, name in names.items() if name in line} == members
