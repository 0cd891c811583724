"""Two records that an officer calls one person answer as one, until the officer takes it back."""

from pathlib import Path

from gateway.node.corrections import Officer, correct
from gateway.node.people import person_by_key
from gateway.node.results import MemberOutcome
from tests.federation import SOURCE, TestFederation, federation, result_of, someone

TWO = ("childrens-services", "housing")
OFFICER = Officer(by="officer-1", reason="confirmed by telephone")


async def decide(north: TestFederation, *, same: bool) -> None:
    node = north.nodes["housing"]
    ids = [await node.database.read(person_by_key(SOURCE, key)) for key in ("p1", "p2")]
    one, other = sorted(each for each in ids if each is not None)
    await correct(
        (one, other), same=same, officer=OFFICER, database=node.database, ledger=node.parts.ledger, clock=north.clock
    )


async def workers(north: TestFederation, name: str) -> set[str]:
    """Who the council sees at the housing agency, asking by one of the two names."""
    completed = await north.ask("childrens-services", name, born="1991-05-17", postcode="ZM4 7QT")
    result = result_of(completed, "housing")
    assert result.outcome in (MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE)
    return {row.professional or "" for row in result.rows}


async def test_merged_records_answer_as_one_person_and_unmerged_ones_as_two(tmp_path: Path) -> None:
    async with federation(tmp_path, TWO) as north:
        await north.add("housing", *someone("Kit", "Quillfeather", "1991-05-17", key="p1", worker="Robin Oakes"))
        await north.add("housing", *someone("Kit", "Oxenholme", "1991-05-17", key="p2", worker="Wendy Tench"))
        assert await workers(north, "Kit Quillfeather") == {"Robin Oakes"}
        assert await workers(north, "Kit Oxenholme") == {"Wendy Tench"}

        await decide(north, same=True)
        both = {"Robin Oakes", "Wendy Tench"}
        assert await workers(north, "Kit Quillfeather") == both
        assert await workers(north, "Kit Oxenholme") == both

        await decide(north, same=False)
        assert await workers(north, "Kit Quillfeather") == {"Robin Oakes"}
        assert await workers(north, "Kit Oxenholme") == {"Wendy Tench"}
