"""One question through real nodes and a real hub."""

from pathlib import Path

from gateway.node.ask import MemberOutcome
from tests.federation import federation, result_of, someone


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
