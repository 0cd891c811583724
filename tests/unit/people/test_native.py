"""What is typed into pages: rows of its own, which may point at other sources' rows and find them again."""

from typing import Any

import pytest

from gateway.database.contract import Work
from gateway.errors import InputError
from gateway.node.native import (
    NativeItem,
    native_source,
    references_to,
    relink,
    remove,
    store,
)
from gateway.node.rows import Ids
from mappings.model import HumanName, Involvement, Person, Practitioner
from tests.unit.ingest.sources import case, person, worker
from tests.unit.people.conftest import Register

ADA = (person("p1"), worker("w1"), case("c1", "p1", "w1"))
VOLUNTEER = Practitioner(key="v1", name=HumanName(given=("Vera",), family="Volunteer"))
TYPED = Person(key="t1", names=(HumanName(given=("Tess",), family="Typed"),), birth_date="2011-01-02")


async def typed(register: Register, *items: NativeItem) -> Ids:
    """Store what somebody typed into a page."""

    def work() -> Work[Ids]:
        source = yield from native_source("test")
        return (yield from store(source, *items))

    return await register.database.write(work())


async def taken_away(register: Register, kind: str, *keys: str) -> None:
    def work() -> Work[None]:
        source = yield from native_source("test")
        yield from remove(source, kind, keys)

    await register.database.write(work())


def works_with(person_key: str, practitioner_key: str = "v1", key: str = "i1") -> Involvement:
    return Involvement(key=key, person_key=person_key, practitioner_key=practitioner_key)


async def links(register: Register) -> list[tuple[Any, ...]]:
    return await register.rows("SELECT i.person_id, i.practitioner_id FROM involvement i WHERE i.key = 'i1'")


async def test_a_charity_without_a_case_system_is_found_and_answers_with_what_it_typed(register: Register) -> None:
    await typed(register, VOLUNTEER, TYPED, works_with("t1"))
    assert await register.workers(given="Tess", family="Typed", born="2011-01-02") == ["Volunteer"]
    await typed(register, VOLUNTEER, TYPED, works_with("t1"))  # typing it again makes nobody twice
    assert await register.rows("SELECT count(*) FROM person") == [(1,)]


async def test_a_volunteer_joins_the_team_of_a_client_whom_a_case_system_has(register: Register) -> None:
    await register.imports(*ADA)
    await typed(register, VOLUNTEER, works_with("cases:p1"))
    assert sorted(await register.workers()) == ["Volunteer", "Workerw1"]


async def test_a_colleague_of_a_case_system_adds_a_client_of_their_own(register: Register) -> None:
    await register.imports(*ADA)
    await typed(register, TYPED, works_with("t1", "cases:w1"))
    assert await register.workers(given="Tess", family="Typed", born="2011-01-02") == ["Workerw1"]


async def test_what_was_typed_survives_every_import_and_points_at_no_wrong_row(register: Register) -> None:
    await register.imports(*ADA)
    await typed(register, VOLUNTEER, works_with("cases:p1"), works_with("cases:p1", "cases:w1", "i2"))
    await register.imports(*ADA)
    assert sorted(await register.workers()) == ["Volunteer", "Workerw1", "Workerw1"]
    # The worker leaves, and the next one gets the id that became free.
    await register.imports(person("p1"), worker("w2"))
    assert await register.workers() == ["Volunteer"]
    await register.imports(*ADA)
    assert sorted(await register.workers()) == ["Volunteer", "Workerw1", "Workerw1"]


async def test_a_client_who_was_removed_and_came_back_meets_their_volunteer_again(register: Register) -> None:
    await register.imports(*ADA)
    await typed(register, VOLUNTEER, works_with("cases:p1"))
    await register.imports(worker("w1"))
    assert (await links(register))[0][0] is None
    await register.imports(*ADA)
    assert sorted(await register.workers()) == ["Volunteer", "Workerw1"]


async def test_a_reference_that_leads_nowhere_waits_and_harms_nothing(register: Register) -> None:
    for nowhere in ("cases:p1", "nosuch:p1", "p1", ":", "cases:", ":p1", "pages:t1"):
        await typed(register, VOLUNTEER, works_with(nowhere))
        assert (await links(register))[0][0] is None
    report = await register.imports(*ADA)
    assert report.counts.waiting == 0  # what was typed is no fault of the source's
    await typed(register, TYPED)
    assert (await links(register))[0][0] is not None  # pages:t1, who has come now


async def test_only_what_was_typed_can_be_taken_away_on_a_page(register: Register) -> None:
    await register.imports(*ADA)
    await typed(register, VOLUNTEER, TYPED, works_with("cases:p1"))
    await taken_away(register, "involvement", "i1", "c1", "nosuch")
    await taken_away(register, "person", "t1", "p1")
    assert await register.workers() == ["Workerw1"]
    assert await register.finds(given="Tess", family="Typed", born="2011-01-02") is None


async def test_rows_are_named_by_source_and_key(register: Register) -> None:
    await register.imports(*ADA)
    ids = await typed(register, VOLUNTEER)
    assert await register.database.read(references_to("person", [1, 99])) == {1: "cases:p1"}
    volunteer = ids["practitioner", "v1"]
    named = await register.database.read(references_to("practitioner", [volunteer]))
    assert named == {volunteer: "pages:v1"}


async def test_relinking_without_anything_typed_does_nothing(register: Register) -> None:
    await register.imports(*ADA)
    await register.database.write(relink())
    assert await register.workers() == ["Workerw1"]


async def test_one_register_serves_one_federation(register: Register) -> None:
    await typed(register, TYPED)
    with pytest.raises(InputError):
        await register.database.write(native_source("another"))
