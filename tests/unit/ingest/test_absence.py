"""Working hours, absence and cover: from the source into the team that an answer is made of."""

import sqlite3

import pytest

from gateway.database.migrate import migrations
from gateway.node.ingest import ImportCounts
from gateway.node.team import TeamMember
from tests.unit.ingest.sources import TOMBSTONES, ListConnector, Node, case, person, record, worker

ADA = (person("p1"), case("c1", "p1", "w1"))
AWAY = worker("w1", days="Mon, Wed", away="2026-12-04", cover="w2")


async def only_member(node: Node) -> TeamMember:
    (member,) = (await node.team(await node.finds())).involvements
    return member


def cover_of(member: TeamMember) -> str | None:
    return member.cover.name.family if member.cover else None


async def test_a_worker_who_is_away_has_hours_and_cover(node: Node) -> None:
    report = await node.imports(*ADA, AWAY, worker("w2"))
    assert report.counts == ImportCounts(created=4)
    member = await only_member(node)
    assert member.practitioner is not None
    assert (member.practitioner.working_pattern, member.practitioner.away_until) == ("Mon, Wed", "2026-12-04")
    assert cover_of(member) == "Workerw2"


@pytest.mark.parametrize(
    ("away", "covered"),
    [("2026-11-21", False), ("2026-11-22", True), ("2026-10", False), ("2026-11", True), ("", False)],
)
async def test_cover_lasts_as_long_as_the_absence(node: Node, away: str, covered: bool) -> None:
    await node.imports(*ADA, worker("w1", away=away, cover="w2"), worker("w2"))
    assert cover_of(await only_member(node)) == ("Workerw2" if covered else None)


async def test_two_who_cover_each_other_are_stored_in_one_go(node: Node) -> None:
    report = await node.imports(*ADA, AWAY, worker("w2", away="2026-12-24", cover="w1"))
    assert report.counts.waiting == 0
    assert cover_of(await only_member(node)) == "Workerw2"


async def test_cover_that_comes_in_a_later_run_is_waited_for(node: Node) -> None:
    report = await node.imports(connector=ListConnector((*ADA, AWAY), TOMBSTONES))
    assert report.counts.waiting == 1
    assert cover_of(await only_member(node)) is None
    report = await node.imports(connector=ListConnector((*ADA, AWAY, worker("w2")), TOMBSTONES))
    assert report.counts.waiting == 0
    assert cover_of(await only_member(node)) == "Workerw2"


async def test_a_worker_who_leaves_covers_nobody_and_takes_nobody_along(node: Node) -> None:
    await node.imports(*ADA, AWAY, worker("w2"))
    await node.imports(*ADA, AWAY)
    member = await only_member(node)
    assert member.practitioner is not None
    assert cover_of(member) is None


async def test_a_date_that_cannot_be_read_is_reported_and_costs_the_absence_alone(node: Node) -> None:
    report = await node.imports(*ADA, record("worker", "w1", family="Workerw1", given="Test", away="next Friday"))
    assert [(issue.field, issue.whole_record) for issue in report.issues] == [("away", False)]
    member = await only_member(node)
    assert member.practitioner is not None
    assert member.practitioner.away_until is None


def test_a_register_from_before_keeps_its_practitioners_and_nobody_is_away() -> None:
    before, after = _migrations_around("_away.sql")
    register = sqlite3.connect(":memory:")
    register.executescript(before)
    register.execute("INSERT INTO import_source (id, name, federation) VALUES (1, 'cases', 'test')")
    register.execute(
        "INSERT INTO practitioner (id, source_id, federation, key, hash, name, role, contact_points, working_pattern)"
        " VALUES (1, 1, 'test', 'w1', x'00', '{}', '', '[]', 'Mon')"
    )
    register.executescript(after)
    rows = register.execute("SELECT key, working_pattern, away_until, cover_key, cover_id FROM practitioner").fetchall()
    register.close()
    assert rows == [("w1", "Mon", None, None, None)]


def _migrations_around(name: str) -> tuple[str, str]:
    """Those before the migration of this name, and itself."""
    known = migrations("sqlite", "node")
    (at,) = [place for place, each in enumerate(known) if each.name.endswith(name)]
    return "\n".join(each.sql for each in known[:at]), known[at].sql
