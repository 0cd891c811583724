"""Finding people in a real database: every kind of key, changes, removals, caps, and hostile input in bounded time."""

import time
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.database.contract import Database, Statement, Work
from gateway.database.sqlite import open_sqlite
from gateway.matching import pair
from gateway.matching.index import MAX_COMPARED, MAX_NAME_PAIRS, MAX_POSTINGS, find, index_people, unindex
from gateway.matching.record import Candidate, NameTokens
from gateway.matching.score import Match, Thresholds
from gateway.wire.query import NameParts, Subject
from mappings.vocabulary import NHS_NUMBER_SYSTEM, MatchGrade

TODAY = date(2026, 3, 1)
NUMBER = "9990000018"


def person(given: str, family: str, born: str = "", postcode: str = "", number: str = "") -> Candidate:
    return Candidate(
        names=(((given,), family),),
        birth_dates=(born,) if born else (),
        postcodes=(postcode,) if postcode else (),
        nhs_numbers=(number,) if number else (),
    )


def question(given: str, family: str, **details: Any) -> Subject:
    return Subject(names=(NameParts(given=(given,), family=family),), **details)


REGISTER = [
    (1, person("Robert James", "O'Brien", "1985-03-09", "AB10 1XY", NUMBER)),
    (2, person("Aisha", "Khan", "2014-03-09", "AB10 1XY")),
    (3, person("Olena", "Kovalenko", "1990", "G2 3HY")),
    (4, person("Susan", "Smith-Jones", "", "G2 3HY")),
]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_sqlite(tmp_path / "node.db", schema="node")
    await opened.write(index_people(REGISTER))
    yield opened
    await opened.close()


async def search(database: Database, subject: Subject) -> Match:
    return await database.read(find(subject, today=TODAY))


def found(match: Match) -> int | None:
    return match.best.person_id if match.best else None


def counts() -> Work[tuple[int, int, int]]:
    keys = yield Statement("SELECT count(*) FROM match_key")
    cards = yield Statement("SELECT count(*) FROM person_card")
    classes = yield Statement("SELECT COALESCE(sum(people), 0) FROM name_frequency")
    return keys[0][0], cards[0][0], classes[0][0]


@pytest.mark.parametrize(
    ("subject", "person_id"),
    [
        (question("Bob", "Brien", identifiers=((NHS_NUMBER_SYSTEM, NUMBER),)), 1),
        (question("Bob", "obrian", birth_date="1985-03-09"), 1),
        (question("Bob", "O'Brien", birth_date="1985-09-03"), 1),
        (question("Bobby", "Obriem", birth_date="1985-09-03"), 1),
        (question("Rob", "O'Brien", birth_date="1975-03-09"), 1),
        (question("Robert", "Brown", birth_date="1985-03-11"), 1),
        (question("Robert", "Obryen", birth_date="1985-03-11"), 1),
        (question("O'Brien", "Robert", birth_date="1985"), 1),
        (question("Bob", "O'Brien", age=41), 1),
        (question("Robert", "Brown", birth_date="1985-03", postcode="ab101xy"), 1),
        (question("Bobby", "OBrien"), 1),
        (question("Ayesha", "Kahn", postcode="ab10 1xy"), 2),
        (question("Олена", "Коваленко", birth_date="1990-06-02"), 3),
        (question("Sue", "Jones", birth_date="1970-06-02"), 4),
        (question("Sue", "Smith", age=55), 4),
        (question("Robert", "Blayney", birth_date="1995-03-09"), 1),
        (question("Robert", "Blayney", birth_date="1985"), 1),
        (question("Robert", "Blayney", age=40), 1),
        (question("Oobert", "O'Brien", birth_date="1985"), 1),
        (question("Robert", "Blayney", postcode="AB10 1YX"), 1),
        (question("Nobody", "Here", birth_date="1985-06-07", postcode="M1 1AA"), None),
    ],
)
async def test_each_kind_of_key_finds_its_people(database: Database, subject: Subject, person_id: int | None) -> None:
    assert found(await search(database, subject)) == person_id


async def test_an_edit_takes_effect_at_once_and_leaves_nothing_behind(database: Database) -> None:
    before = await database.read(counts())
    await database.write(index_people([(2, person("Leila", "Malik", "2014-03-09", "AB10 1XY"))]))
    assert found(await search(database, question("Aisha", "Khan"))) is None
    assert found(await search(database, question("Leila", "Malik"))) == 2
    await database.write(index_people(REGISTER))
    assert await database.read(counts()) == before


async def test_unindexed_people_are_not_found_and_leave_nothing_behind(database: Database) -> None:
    await database.write(unindex([1, 2, 99]))
    assert found(await search(database, question("Robert", "O'Brien", birth_date="1985-03-09"))) is None
    await database.write(unindex([3, 4]))
    assert await database.read(counts()) == (0, 0, 0)


async def test_a_batch_of_any_size_is_indexed(database: Database) -> None:
    await database.write(index_people([]))
    many = [(person_id, person("Mary", f"Test{'abcdefghij'[person_id % 10]}")) for person_id in range(10, 1010)]
    await database.write(index_people(many))
    assert (await database.read(counts()))[1] == 4 + len(many)
    await database.write(unindex([person_id for person_id, _ in many]))
    assert (await database.read(counts()))[1] == 4


async def test_no_question_compares_more_than_the_cap(database: Database) -> None:
    """1,000 people of one name and year: bounded, and silent, because a rival may not have been compared."""
    await database.write(index_people([(n, person("John", "Smith", "1960", "M1 1AA")) for n in range(10, 1010)]))
    statements: list[tuple[str, int]] = []

    def watched(work: Work[Match]) -> Work[Match]:
        rows: Any = None
        while True:
            try:
                sql, params = work.send(rows)
            except StopIteration as finished:
                match: Match = finished.value
                return match
            rows = yield sql, params
            statements.append((sql, len(rows)))

    match = await database.read(watched(find(question("John", "Smith", birth_date="1960"), today=TODAY)))
    assert not match.disclosable
    assert sum(rows for sql, rows in statements if "card" in sql) <= MAX_COMPARED
    assert max(rows for _, rows in statements) <= 8 * MAX_POSTINGS


async def test_people_of_very_many_names_are_not_all_compared_and_leave_only_certainty(database: Database) -> None:
    letters = "bdfgklmnprstvwza"
    names = [(("Mary",), f"Sm{a}th Ov{a}ns Qu{a}ll T{a}nch") for a in letters]
    crowd = [
        (n, Candidate(names=tuple(names), birth_dates=("1985-06-15",), postcodes=("AB10 1XY",))) for n in range(20, 170)
    ]
    await database.write(index_people([(200, person("Robin", "Hart", "1985-06-15", "AB10 1XY")), *crowd]))
    asked = Subject(
        names=(
            NameParts(given=("Robin",), family="Hart"),
            NameParts(given=("Mary",), family="Smith"),
            NameParts(given=("Mary",), family="Quoll"),
        ),
        birth_date="1985-06-15",
    )
    compared = 0

    def counted(asked_names: Sequence[NameTokens], stored: Sequence[NameTokens]) -> pair.ComparedNames:
        nonlocal compared
        compared += len(asked_names) * len(stored)
        return compare_names(asked_names, stored)

    compare_names = pair.compare_names
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair, "compare_names", counted)
        match = await search(database, asked)
    assert 0 < compared <= MAX_NAME_PAIRS
    assert not match.disclosable


async def test_a_rival_whose_names_sound_otherwise_is_read_before_anybody_is_disclosed(database: Database) -> None:
    thomas = (20, person("Harvey", "Thomas", "1971-02-03", "LS3 4AB"))
    harley = (21, person("Harley", "Thompson", "1972-09-09", "LS3 4AB"))
    await database.write(index_people([thomas, harley]))
    asked = question("Harvey", "Thomson", postcode="LS3 4AB", age=54)
    bold = Thresholds(disclose_at=0.95)
    assert (await database.read(find(asked, today=TODAY, thresholds=bold))).others == 1
    await database.write(unindex([21]))
    assert (await database.read(find(asked, today=TODAY, thresholds=bold))).disclosable


@pytest.mark.parametrize(
    ("registered", "rival", "asked"),
    [
        (("Joan", "1990-05-05"), ("Jon", "1990-05-06"), ("Jon", "1990-05-05")),
        (("Peter", "1990-03-05"), ("Peter", "1990-05-08"), ("Peter", "1990-05-03")),
    ],
)
async def test_reading_goes_on_until_a_rival_can_no_longer_be_nearer(
    database: Database, registered: tuple[str, str], rival: tuple[str, str], asked: tuple[str, str]
) -> None:
    people = [(n, person(given, "Oxenholme", born)) for n, (given, born) in enumerate((registered, rival), start=20)]
    await database.write(index_people(people))
    match = await search(database, question(asked[0], "Oxenholme", birth_date=asked[1]))
    assert match.best is not None
    assert match.best.grade is not MatchGrade.CERTAIN


async def test_who_was_found_where_not_all_were_read_is_not_disclosed(database: Database) -> None:
    """49 other Harleys of one year, and two of one name at one address whom the address finds."""
    crowd = [(n, person("Harley", f"B{a}dg{b}n", "1990-02-03")) for n, (a, b) in enumerate(
        [(a, b) for a in "aeiou" for b in "bcdfghjklmnpqrstvwxz"], start=100
    )]  # fmt: skip
    twins = [(n, person("Harvey", "Thompson", f"1990-0{n - 19}-11", "LS3 4AB")) for n in (20, 21)]
    await database.write(index_people([*crowd, *twins]))
    assert not (
        await search(database, question("Harley", "Thomson", birth_date="1990", postcode="LS3 4AB"))
    ).disclosable


async def test_a_misheard_initial_is_found_at_any_time_of_the_year(database: Database) -> None:
    await database.write(index_people([(20, person("Charlotte", "Quilfeather", "1990-06-15"))]))
    for today in (date(2026, 1, 15), date(2026, 12, 15)):
        age = today.year - 1990 - (today < date(today.year, 6, 15))
        found_then = await database.read(find(question("Xharlotte", "Quilfeather", age=age), today=today))
        assert found(found_then) == 20


async def test_a_slip_in_the_birth_date_is_forgiven_to_a_rare_name_only(database: Database) -> None:
    slip = {"birth_date": "1960-06-16"}
    await database.write(index_people([(10, person("John", "Smith", "1960-06-15", "M1 1AA"))]))
    assert (await search(database, question("John", "Smith", **slip))).disclosable
    namesakes = [(n, person("John", "Smith", f"19{n}-03-02", "M1 1AB")) for n in range(20, 90) if n != 60]
    await database.write(index_people(namesakes))
    common = await search(database, question("John", "Smith", **slip))
    assert found(common) == 10
    assert not common.disclosable
    await database.write(unindex([n for n, _ in namesakes]))
    assert (await search(database, question("John", "Smith", **slip))).disclosable


async def test_a_birth_date_says_less_where_all_are_of_one_year(database: Database) -> None:
    children = [(n, person("Mary", f"Test{'abcdefghij'[n % 10]}", f"2014-{n % 12 + 1:02}-17")) for n in range(20, 400)]
    await database.write(index_people(children))
    adult = await search(database, question("Robert", "O'Brien", birth_date="1985-03-09"))
    child = await search(database, question("Aisha", "Khan", birth_date="2014-03-09"))
    assert adult.best is not None
    assert child.best is not None
    assert child.best.bits.birth < adult.best.bits.birth - 1


async def test_more_people_of_one_birth_date_than_are_compared_leave_only_certainty(database: Database) -> None:
    """As where a system writes one date for everybody: a rival may be among those that were not read."""
    letters = "bdfgklmnprst"
    names = [f"{a}a{b}o{c}" for a in letters for b in letters for c in letters][: MAX_POSTINGS + 100]
    crowd = [(n, person("Mary", name, "1985-06-15")) for n, name in enumerate(names, start=11)]
    await database.write(index_people([(10, person("Robin", "Hart", "1985-06-15", "AB10 1XY")), *crowd]))
    alone = await search(database, question("Robin", "Hart", birth_date="1985-06-15"))
    assert found(alone) == 10
    assert not alone.disclosable
    certain = question("Robin", "Hart", birth_date="1985-06-15", postcode="AB10 1XY")
    assert (await search(database, certain)).disclosable


HOSTILE = [
    "",
    "a",
    "'",
    "'; DROP TABLE match_key; --",
    "%_%",
    "(((((((((((a+)+)+)+)+$",
    "\x00\x01\x1b[2J\r\n",
    "\u202e\u2066\u200f",
    "محمد عبد الرحمن",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 50,
    "\ud800",
    "Z" + "\u0301" * 5_000,
    "a" * 10_000,
    "a b c d e f g h " * 1_000,
    "-" * 10_000,
    "\ufdfa" * 10_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_text_in_any_field_finds_nobody_in_bounded_time(database: Database, text: str) -> None:
    subjects = [
        question(text, text, birth_date=text, postcode=text, identifiers=((NHS_NUMBER_SYSTEM, text),) * 20),
        Subject(names=(NameParts(text=text),) * 100, age=10**20, birth_date="2999-99-99"),
        Subject(names=(NameParts(given=(text,) * 1000, family=text),), birth_date="1985-03-09"),
        question(text, "O'Brien", age=40),
    ]
    started = time.perf_counter()
    for subject in subjects:
        assert not (await search(database, subject)).disclosable
    assert time.perf_counter() - started < 1.0  # about 4 ms; a runaway pattern would take minutes


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_text_can_be_indexed_and_removed(database: Database, text: str) -> None:
    before = await database.read(counts())
    await database.write(index_people([(9, person(text, text, text, text, text))]))
    await database.write(unindex([9]))
    assert await database.read(counts()) == before
