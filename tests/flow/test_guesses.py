"""An invented word beside a name makes nobody new, and whoever shares a name or a house is still told apart."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.node.ask import ask
from gateway.node.results import Completed, MemberOutcome
from gateway.wire.query import NameParts, Subject
from mappings.vocabulary import NHS_NUMBER_SYSTEM
from tests.federation import TestFederation, federation, result_of, someone

ASKER, AGENCY = "childrens-services", "housing"
TEAMS, NOTHING = MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE
BORN, POSTCODE, NUMBER = "1991-05-17", "ZM4 7QT", "9990000018"
INVENTED = [
    "Adan",
    "Bevo",
    "Cufi",
    "Dolga",
    "Efemi",
    "Gorun",
    "Hilva",
    "Ibrok",
    "Jelta",
    "Kopen",
    "Lumbo",
    "Mafet",
    "Nodri",
    "Oquel",
    "Pirbo",
    "Rugat",
    "Sivon",
]
DATES = [f"1991-{6 + number % 7:02}-{20 + number % 8:02}" for number in range(len(INVENTED))]
PLACES = [f"ZM{number} 2BB" for number in range(10, 10 + len(INVENTED))]


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three variants of one person a day, and so twelve of what several share."""
    budgets = "[budgets]\nvariants_per_person = 3"
    async with federation(tmp_path, [ASKER, AGENCY], options=budgets) as running:
        yield running


async def said(north: TestFederation, subject: Subject) -> MemberOutcome:
    question = replace(north.question(ASKER, "x y", born="1990"), subject=subject)
    events = [event async for event in ask(question, node=north.nodes[ASKER].parts)]
    assert isinstance(events[-1], Completed)
    return result_of(events[-1], AGENCY).outcome


def described(
    *names: str, born: str | None = None, postcode: str | None = None, number: str | None = None, age: int | None = None
) -> Subject:
    identifiers = ((NHS_NUMBER_SYSTEM, number),) if number else ()
    parts = tuple(NameParts(text=name) for name in names)
    return Subject(names=parts, birth_date=born, age=age, postcode=postcode, identifiers=identifiers)


# One thing guessed again and again, with something invented beside it each time.
GUESSES: dict[str, Callable[[str, str, str], Subject]] = {
    "a word before the name": lambda word, born, _: described(
        f"{word} Katherine Bramley", born=born, postcode=POSTCODE
    ),
    "a word after the given name": lambda word, born, _: described(f"Katherine {word} Bramley", born=born),
    "another name first": lambda word, born, _: described(f"{word} {word}son", "Katherine Bramley", born=born),
    "a double-barrelled name": lambda word, born, _: described(f"Katherine {word}-Bramley", born=born),
    "another family name at the address": lambda word, born, _: described(
        f"Katherine {word}", born=born, postcode=POSTCODE
    ),
    "a slip in each name at the address": lambda word, born, _: described(
        f"Kather{word[0].lower()}ine Bra{word[0].lower()}mley", born=born, postcode=POSTCODE
    ),
    "another given name, by number": lambda word, born, _: described(f"{word} Bramley", born=born, number=NUMBER),
    "where she lives": lambda _word, _born, place: described("Katherine Bramley", postcode=place),
}


async def test_guesses_end_whatever_is_invented_beside_them(north: TestFederation) -> None:
    await north.add(AGENCY, *someone("Katherine", "Bramley", BORN, postcode=POSTCODE, nhs=NUMBER))
    for how, guess in GUESSES.items():
        for word, born, place in zip(INVENTED, DATES, PLACES, strict=True):
            assert await said(north, guess(word, born, place)) is NOTHING, how
        right = guess("Sebru", BORN, POSTCODE)
        assert await said(north, right) is NOTHING, how
        assert (await north.ledger(AGENCY))[-1]["withheld"].startswith("typed-"), how
        north.clock.turn(86_400)
        await north.publish()
        await north.refresh()
        assert await said(north, right) is TEAMS, how  # so it was the budget that kept it
        north.clock.turn(86_400)
        await north.publish()
        await north.refresh()


async def test_a_family_is_asked_about_in_one_day(north: TestFederation) -> None:
    """Six brothers and sisters in one house, twins among them, with a second name in common; each in two ways."""
    children = [("Anna", 2008), ("Bruno", 2010), ("Clara", 2012), ("Daniel", 2012), ("Esme", 2015), ("Frank", 2018)]
    for place, (given, year) in enumerate(children):
        born = f"{year}-0{place + 1}-1{place}" if year != 2012 else "2012-03-12"
        await north.add(AGENCY, *someone(given, "Bramley", born, key=given, postcode=POSTCODE))
        assert await said(north, described(f"{given} Marie Bramley", born=born, postcode=POSTCODE)) is TEAMS, given
        assert await said(north, described(f"{given} Bramley", born=born, postcode=POSTCODE)) is TEAMS, given


async def test_namesakes_are_asked_about_in_one_day(north: TestFederation) -> None:
    """Three of one name and year, and eight who share a second name and a family name."""
    for number in range(3):
        born = f"1984-0{number + 2}-1{number}"
        await north.add(AGENCY, *someone("John", "Smith", born, key=f"john-{number}"))
        assert await said(north, described("John Smith", born=born)) is TEAMS
    for number, given in enumerate(("Manpreet", "Jaspreet", "Balbir", "Daljit", "Ekam", "Fateh", "Gagan", "Harjit")):
        born = f"1985-0{number + 1}-2{number}"
        await north.add(AGENCY, *someone(given, "Gill", born, key=given))
        assert await said(north, described(f"{given} Singh Gill", born=born)) is TEAMS, given


async def test_a_list_of_people_is_no_question(north: TestFederation) -> None:
    """Whoever describes more people at once than anybody has names is told nothing, of whomever it is."""
    await north.add(AGENCY, *someone("Katherine", "Bramley", BORN, postcode=POSTCODE))
    for known in ("Katherine Bramley", "Nobody Knownhere"):
        long = [NameParts(given=tuple(INVENTED[:2]), family=" ".join(INVENTED[at : at + 6])) for at in (0, 4, 8)]
        subject = replace(described(born=BORN, postcode=POSTCODE), names=(NameParts(text=known), *long))
        assert await said(north, subject) is NOTHING
        assert (await north.ledger(AGENCY))[-1]["withheld"] == "typed-person"
    assert await said(north, described("Katherine Bramley", born=BORN, postcode=POSTCODE)) is TEAMS
