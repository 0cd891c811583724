"""What a practitioner says of their own work outlives every import, unless the source has newer news."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.node.overlays import MAX_CONTACT_POINTS, Absence, Reach, Said, confirm, leave, say_away, say_reach
from mappings.model import ContactPoint
from tests.unit.ingest.sources import TODAY, case, person, worker
from tests.unit.people.conftest import Register

ADA = (person("p1"), worker("w1"), case("c1", "p1", "w1", start="2026-01-05"))
DAY = date.fromisoformat(TODAY)
SAID = Said(by="a" * 32, at=1_795_348_800.0)
MOBILE = Reach(
    contact_points=(ContactPoint(system="phone", value="07700 900123", use="mobile"),), working_pattern="Mon"
)


async def at_work(register: Register) -> list[tuple[Any, ...]]:
    return await register.rows("SELECT end_date, last_confirmed FROM involvement WHERE key = 'c1'")


async def left(register: Register, *, key: int = 1) -> int:
    return await register.database.write(leave(1, [key], today=DAY, said=SAID))


async def test_who_leaves_is_gone_from_the_team_at_once_and_after_every_import(register: Register) -> None:
    await register.imports(*ADA)
    assert await left(register) == 1
    assert await register.workers() == []
    # The source changes the row, so that it is written anew; and it vanishes for a night.
    await register.imports(*ADA[:2], case("c1", "p1", "w1", start="2026-01-05", lead="yes"))
    assert await at_work(register) == [("2026-11-21", None)]
    await register.imports(*ADA[:2])
    await register.imports(*ADA)
    assert await at_work(register) == [("2026-11-21", None)]
    assert await left(register) == 0  # nothing is left to leave


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-23", "", None),  # began afresh after they had left
        ("2026-11-22", "", "2026-11-21"),
        ("2026-01-05", "2026-10-01", "2026-10-01"),  # had ended before
        ("2026-01-05", "2026-12-24", "2026-11-21"),
        ("2026-01-05", "2026", "2026-11-21"),  # this year may mean its last day
        ("2026-01-05", "2025", "2025"),
    ],
)
async def test_newer_news_of_the_source_wins(register: Register, start: str, end: str, expected: str | None) -> None:
    await register.imports(*ADA)
    await left(register)
    await register.imports(*ADA[:2], case("c1", "p1", "w1", start=start, end=end))
    assert (await at_work(register))[0][0] == expected


async def test_a_confirmation_stands_until_a_later_one(register: Register) -> None:
    await register.imports(*ADA)
    assert await register.database.write(confirm(1, [1], today=DAY, said=SAID)) == 1
    await register.imports(*ADA[:2], case("c1", "p1", "w1", lead="yes"))
    assert await at_work(register) == [(None, TODAY)]
    later = date(2027, 2, 1)
    await register.database.write(confirm(1, [1], today=later, said=SAID))
    assert await at_work(register) == [(None, "2027-02-01")]


async def test_one_speaks_for_oneself_alone(register: Register) -> None:
    await register.imports(*ADA, worker("w2"), case("c2", "p1", "w2"), person("p2", given="Zelda"))
    assert await left(register, key=2) == 1
    assert await register.workers() == ["Workerw1"]
    assert await register.database.write(leave(2, [1], today=DAY, said=SAID)) == 0
    assert await register.database.write(confirm(99, [1], today=DAY, said=SAID)) == 0


async def test_how_to_reach_somebody_is_as_they_say_themselves(register: Register) -> None:
    await register.imports(*ADA)
    await register.database.write(say_reach([1], MOBILE, said=SAID))
    for phone in ("01632 960002", "01632 960003"):
        await register.imports(person("p1"), replace_phone(phone), ADA[2])
        (member,) = (await register.team(1)).involvements
        assert member.practitioner is not None
        assert member.practitioner.contact_points == MOBILE.contact_points
        assert member.practitioner.working_pattern == "Mon"


def replace_phone(phone: str) -> Any:
    record = worker("w1")
    return replace(record, fields={**record.fields, "phone": phone})


async def away(register: Register) -> list[tuple[Any, ...]]:
    return await register.rows(
        "SELECT p.away_until, c.key FROM practitioner p LEFT JOIN practitioner c ON c.id = p.cover_id "
        "WHERE p.key = 'w1'"
    )


async def says(register: Register, absence: Absence | None) -> None:
    await register.database.write(say_away([1], absence, said=SAID))


async def test_who_stands_in_is_as_they_say_and_found_again_when_their_row_comes_back(register: Register) -> None:
    await register.imports(*ADA)
    await register.imports(worker("v1"), name="second")
    await says(register, Absence(until="2026-12-24", cover="second:v1"))
    assert await away(register) == [("2026-12-24", "v1")]
    report = await register.imports(person("p1"), replace_phone("01632 960002"), ADA[2])
    assert report.counts.waiting == 0
    assert await away(register) == [("2026-12-24", "v1")]
    await register.imports(name="second")
    assert await away(register) == [("2026-12-24", None)]
    await register.imports(worker("v1"), name="second")
    assert await away(register) == [("2026-12-24", "v1")]
    await says(register, None)
    assert await away(register) == [(None, None)]


async def test_a_later_absence_that_the_source_tells_of_replaces_what_was_said(register: Register) -> None:
    await register.imports(person("p1"), worker("w1", away="2026-11-30"), ADA[2])
    await says(register, None)  # back early
    await register.imports(person("p1"), worker("w1", away="2026-11-30", days="Mon"), ADA[2])
    assert await away(register) == [(None, None)]
    await says(register, Absence(until="2026-11-25"))  # away again, and once more said here
    await register.imports(person("p1"), worker("w1", away="2026-11-30", days="Tue"), ADA[2])
    assert await away(register) == [("2026-11-25", None)]
    await register.imports(person("p1"), worker("w1", away="2027-01-10"), ADA[2])
    assert await away(register) == [("2027-01-10", None)]
    await register.imports(person("p1"), worker("w1", away="2026-11-30"), ADA[2])
    assert await away(register) == [("2026-11-30", None)]


async def test_what_is_said_of_one_thing_leaves_the_other_to_the_source(register: Register) -> None:
    await register.imports(*ADA)
    await says(register, Absence(until="2026-12-24"))
    await register.imports(person("p1"), replace_phone("01632 960002"), ADA[2])
    (member,) = (await register.team(1)).involvements
    assert member.practitioner is not None
    assert [point.value for point in member.practitioner.contact_points] == ["01632 960002"]
    assert member.practitioner.away_until == "2026-12-24"


def test_contact_points_are_bounded() -> None:
    point = MOBILE.contact_points[0]
    for points, pattern in (
        ((point,) * (MAX_CONTACT_POINTS + 1), ""),
        ((replace(point, value=""),), ""),
        ((replace(point, value="0" * 201),), ""),
        ((), "x" * 501),
    ):
        with pytest.raises(ValueError, match="too"):
            Reach(contact_points=points, working_pattern=pattern)
