"""Who is probably registered twice: found in a node's own register, with nothing changed and nothing stored told."""

from datetime import date

import pytest

from gateway.node.duplicates import BATCH_PEOPLE, Duplicates, find_duplicates, written_names
from tests.unit.ingest.sources import person
from tests.unit.people.conftest import Register

P, Q = "cases:p1", "second:q1"
NUMBER = "999 000 0018"
POSTCODE = "ZM4 7QT"


async def duplicates(register: Register, limit: int = 10_000) -> Duplicates:
    return await find_duplicates(
        register.database, today=date(2026, 11, 22), limit=limit, progress=lambda _seen, _total: None
    )


async def pairs(register: Register) -> list[tuple[str, str]]:
    found = await duplicates(register)
    return [(found.keys[each.pair[0]], found.keys[each.pair[1]]) for each in found.pairs]


async def imports_two(register: Register, first: dict[str, str], second: dict[str, str]) -> None:
    await register.imports(person("p1", **{"postcode": POSTCODE} | first))
    await register.imports(person("q1", **{"postcode": POSTCODE} | second), name="second")


@pytest.mark.parametrize(
    "second",
    [
        {},
        {"given": "Adda"},
        {"family": "Quilfeather"},
        {"born": "2014-09-03"},
        {"given": "Quillfeather", "family": "Ada"},
        {"postcode": "ZM9 9AA"},
    ],
    ids=["the same", "slip", "spelling", "day and month", "order", "moved"],
)
async def test_the_same_person_written_otherwise_is_found(register: Register, second: dict[str, str]) -> None:
    await imports_two(register, {}, second)
    assert await pairs(register) == [(P, Q)]


@pytest.mark.parametrize(
    "second",
    [{"given": "Zebedee"}, {"born": "1984-03-09"}, {"family": "Oakes", "born": "2015-01-02", "postcode": "ZM9 9AA"}],
    ids=["twin", "mother", "stranger"],
)
async def test_relatives_and_strangers_are_not(register: Register, second: dict[str, str]) -> None:
    await imports_two(register, {}, second)
    assert await pairs(register) == []


async def test_a_former_address_or_number_of_one_that_the_other_has_counts(register: Register) -> None:
    await imports_two(register, {"postcode": "ZM1 1AA", "nhs": NUMBER}, {"born": "2014-03", "postcode": "ZM9 9AA"})
    await register.imports(person("s1", postcode="ZM9 9AA", nhs=NUMBER), name="third")
    assert await pairs(register) == [(P, Q)]
    (found,) = (await duplicates(register)).pairs
    assert dict(found.fields)["postcode"] == "exact"


async def test_those_who_are_one_or_decided_not_to_be_are_left_out(register: Register) -> None:
    await imports_two(register, {"nhs": NUMBER}, {"nhs": NUMBER})
    assert await pairs(register) == []
    await register.unmerge(P, Q)
    assert await pairs(register) == []
    await register.merge(P, Q)
    await imports_two(register, {}, {})
    assert await pairs(register) == [(P, Q)]


async def test_whoever_may_not_be_joined_to_a_third_is_left_out(register: Register) -> None:
    await imports_two(register, {}, {"given": "Zelda"})
    await register.imports(person("r1", postcode=POSTCODE), name="third")
    assert await pairs(register) == [(P, "third:r1")]
    await register.merge(P, Q)
    await register.unmerge(Q, "third:r1")
    assert await pairs(register) == []


@pytest.mark.parametrize("marks", [{"address_protected": "yes"}, {"nhs": NUMBER, "nhs_protected": "yes"}])
async def test_a_pair_across_something_protected_is_never_proposed(register: Register, marks: dict[str, str]) -> None:
    open_marks = {name: value for name, value in marks.items() if not name.endswith("_protected")}
    await imports_two(register, marks, open_marks)
    assert await pairs(register) == []
    unprotected = dict.fromkeys(open_marks, "")
    await imports_two(register, unprotected, {})
    assert await pairs(register) == [(P, Q)]


async def test_a_protected_name_is_not_compared_and_not_written(register: Register) -> None:
    await imports_two(register, {"name_protected": "yes"}, {"name_protected": "yes"})
    assert await pairs(register) == []
    assert await register.database.read(written_names([1, 2])) == {1: "", 2: ""}


async def test_it_changes_nothing(register: Register) -> None:
    await imports_two(register, {}, {})
    before = await register.state()
    await duplicates(register)
    assert await register.state() == before
    assert await register.corrections() == []


async def test_a_report_has_words_and_nothing_stored(register: Register) -> None:
    await imports_two(register, {}, {"given": "Addie"})
    (found,) = (await duplicates(register)).pairs
    assert {field for field, _ in found.fields} >= {"given", "family", "birth", "postcode"}
    assert not any(value in repr(found).lower() for value in ("ada", "quillfeather", "2014", "zm4"))


async def test_of_more_pairs_than_wanted_the_likeliest_are_kept_and_the_rest_counted(register: Register) -> None:
    people = range(2 * BATCH_PEOPLE + 10)
    names = [f"{chr(97 + number % 26)}{'bcdfglmnrst'[number // 26]}ora" for number in people]
    for source in ("cases", "second"):
        records = [
            person(f"p{number}", given=names[number], born=f"{1950 + number % 60}-03-{1 + number % 28:02}")
            for number in people
        ]
        await register.imports(*records, name=source)
    everybody = await duplicates(register)
    assert len(everybody.pairs) >= len(people) - 5
    found = await duplicates(register, limit=7)
    assert len(found.pairs) == 7
    assert found.more == len(everybody.pairs) - 7
    assert [each.score for each in found.pairs] == [each.score for each in everybody.pairs[:7]]


async def test_many_copies_of_one_person_do_not_make_every_pair_of_them(register: Register) -> None:
    await register.imports(*(person(f"p{number}", postcode=POSTCODE) for number in range(60)))
    others = [f"{chr(97 + number % 26)}or{'bcdfglmnrstvz'[number // 26]}y" for number in range(300)]
    await register.imports(*(person(name, given=name, family=f"{name}son") for name in others), name="second")
    found = await duplicates(register)
    assert 0 < len(found.pairs) <= 60 * 20
    assert len(found.pairs) < 60 * 59 / 2
