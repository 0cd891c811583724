"""Two sources of one node may describe one person: what joins them, what does not, and what becomes of the pair."""

import pytest

from gateway.matching.record import Card
from tests.unit.ingest.sources import Node, case, person, worker

NHS_NUMBER = "999 000 0018"
OTHER_NUMBER = "999 000 0026"


async def imports_pair(node: Node, **other: str) -> None:
    """Ada by two sources, each with a worker of its own; `other` changes what the second says."""
    await node.imports(person("p1", nhs=NHS_NUMBER), worker("w1"), case("c1", "p1", "w1"))
    second = {"given": "Adaline", "nhs": NHS_NUMBER} | other
    await node.imports(person("q1", **second), worker("w2"), case("c2", "q1", "w2"), name="second")


async def groups(node: Node) -> int:
    return len(await node.rows("SELECT DISTINCT same_person FROM person WHERE hash IS NOT NULL"))


async def test_a_shared_nhs_number_makes_one_candidate_with_both_teams(node: Node) -> None:
    await imports_pair(node)
    assert await groups(node) == 1
    assert await node.workers() == ["Workerw1", "Workerw2"]
    assert await node.finds() == await node.finds(given="Adaline")
    assert (await node.team(await node.finds())).person_ids == (1, 2)
    assert await node.rows("SELECT person_id FROM person_card") == [(1,)]


@pytest.mark.parametrize(
    "other",
    [
        {"nhs": OTHER_NUMBER},
        {"nhs": ""},
        {"nhs_protected": "yes"},
        {"born": "2014-03-10"},
    ],
    ids=["another number", "no number", "protected", "contradicting birth date"],
)
async def test_nothing_less_joins_two_records(node: Node, other: dict[str, str]) -> None:
    await imports_pair(node, **other)
    assert await groups(node) == 2


async def test_a_number_that_fails_its_check_digit_joins_nobody(node: Node) -> None:
    await node.imports(person("p1", nhs="999 000 0019"))
    await node.imports(person("q1", nhs="999 000 0019"), name="second")
    assert await groups(node) == 2


@pytest.mark.parametrize("born", ["2014", "2014-03", ""])
async def test_a_vaguer_birth_date_does_not_contradict(node: Node, born: str) -> None:
    await imports_pair(node, born=born)
    assert await groups(node) == 1


async def test_names_and_address_alone_join_nobody_and_disclose_nobody(node: Node) -> None:
    await node.imports(person("p1"))
    await node.imports(person("q1"), name="second")
    assert await groups(node) == 2
    assert await node.finds() is None


async def test_a_corrected_number_parts_them(node: Node) -> None:
    await imports_pair(node)
    await node.imports(
        person("q1", given="Zebedee", nhs=OTHER_NUMBER), worker("w2"), case("c2", "q1", "w2"), name="second"
    )
    assert await groups(node) == 2
    assert await node.workers() == ["Workerw1"]
    assert await node.workers(given="Zebedee") == ["Workerw2"]


async def test_when_the_first_goes_the_second_stays_and_the_ledger_still_counts_both(node: Node) -> None:
    await imports_pair(node)
    await node.imports(worker("w1"))
    assert await node.rows("SELECT person_id FROM person_card") == [(2,)]
    team = await node.team(await node.finds(given="Adaline"))
    assert team.person_ids == (1, 2)
    assert len(team.involvements) == 1
    await node.imports(person("p1", nhs=NHS_NUMBER), worker("w1"), case("c1", "p1", "w1"))
    assert sorted(await node.workers()) == ["Workerw1", "Workerw2"]


async def test_a_bar_in_one_record_bars_the_person(node: Node) -> None:
    await imports_pair(node, restricted="yes")
    assert (await node.team(await node.finds())).restricted


async def test_what_one_source_protects_is_not_searched_through_the_other(node: Node) -> None:
    await imports_pair(node, given="Ada", name_protected="yes", address_protected="yes")
    assert await groups(node) == 1
    assert await node.finds() is None
    (card,) = await node.rows("SELECT card FROM person_card")
    assert b"quillfeather" not in card[0].lower()
    assert b"ZZ9" not in card[0]


async def test_protected_details_are_never_searched(node: Node) -> None:
    await node.imports(person("p1", name_protected="yes", address_protected="yes", nhs=NHS_NUMBER, nhs_protected="yes"))
    (card,) = await node.rows("SELECT card FROM person_card")
    for value in (b"quillfeather", b"ZZ9", b"9990000018"):
        assert value not in card[0].replace(b" ", b"")


@pytest.mark.parametrize(
    ("protected", "other"),
    [
        ({"family": "O'Neil"}, {"family": "ONeil"}),
        ({"family": "O\u2019Neil"}, {"family": "o'neil"}),
        ({"family": "Nu\u00f1ez"}, {"family": "Nunez"}),
        ({"given": "Mary-Jane"}, {"given": "Mary Jane"}),
        ({"given": "Dr Ada"}, {"given": "Ada"}),
        ({"given": "Ada", "family": "Quillfeather"}, {"given": "Quillfeather", "family": "Ada"}),
    ],
)
async def test_a_name_that_one_source_protects_is_not_searched_in_another_spelling(
    node: Node, protected: dict[str, str], other: dict[str, str]
) -> None:
    await node.imports(person("p1", nhs=NHS_NUMBER, name_protected="yes", **protected))
    await node.imports(person("q1", nhs=NHS_NUMBER, **other), name="second")
    assert await groups(node) == 1
    (card,) = await node.rows("SELECT card FROM person_card")
    assert Card.from_bytes(card[0]).names == ()


async def test_a_postcode_that_one_source_protects_is_not_searched_in_another_spelling(node: Node) -> None:
    await node.imports(person("p1", nhs=NHS_NUMBER, postcode="ZM4 0QT", address_protected="yes"))
    await node.imports(person("q1", nhs=NHS_NUMBER, postcode="zm4-0qt"), name="second")
    (card,) = await node.rows("SELECT card FROM person_card")
    assert Card.from_bytes(card[0]).postcodes == ()


async def test_what_nobody_protects_stays_searched_beside_what_somebody_does(node: Node) -> None:
    await imports_pair(node, given="Zelda", name_protected="yes", postcode="ZM4 7QT", address_protected="yes")
    (card,) = await node.rows("SELECT card FROM person_card")
    found = Card.from_bytes(card[0])
    assert found.names == ((("ada",), ("quillfeather",)),)
    assert b"ZM4" not in card[0]
