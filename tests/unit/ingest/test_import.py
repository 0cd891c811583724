"""Imports from end to end, into a real database: what is stored, counted, refused, removed and found afterwards."""

import asyncio
from typing import Any

import pytest

from connectors.contract import Cursor, Rejected, SourceError, SourceRecord
from gateway.errors import InputError
from gateway.node.ingest import BATCH_CHARS, BATCH_ITEMS, ImportCounts
from tests.unit.ingest.sources import TOMBSTONES, ListConnector, Node, case, person, record, worker


def crowd_name(number: int) -> str:
    """Names that sound unlike each other: nobody is withheld for having a common one."""
    return "BDFGKLMNPRSTVZ"[number % 14] + "aeio"[number % 4] + "mnrst"[number // 8] + "abley"


ADA = (person("p1"), worker("w1"), case("c1", "p1", "w1"))
CROWD = tuple(person(f"x{n}", family=crowd_name(n), born=f"19{50 + n}-05-17") for n in range(40))


async def test_an_imported_person_is_found_with_their_team(node: Node) -> None:
    report = await node.imports(*ADA)
    assert report.counts == ImportCounts(created=3)
    assert report.issues == ()
    (member,) = (await node.team(await node.finds())).involvements
    assert member.practitioner is not None
    assert member.organisation is not None
    assert member.practitioner.contact_points[0].value == "01632 960001"
    assert member.organisation.name == "Test agency"


async def test_importing_again_changes_nothing(node: Node) -> None:
    await node.imports(*ADA)
    before = await node.finds()
    assert (await node.imports(*ADA)).counts == ImportCounts(unchanged=3)
    assert await node.finds() == before


async def test_a_changed_person_is_found_as_they_are_now_and_no_longer_as_they_were(node: Node) -> None:
    await node.imports(*ADA)
    before = await node.finds()
    report = await node.imports(person("p1", family="Brambleton"), *ADA[1:])
    assert report.counts == ImportCounts(changed=1, unchanged=2)
    assert await node.finds() is None
    assert await node.finds(family="Brambleton") == before


async def test_a_deleted_person_leaves_nothing_but_their_number(node: Node) -> None:
    await node.imports(*ADA)
    report = await node.imports(*ADA[1:])
    assert report.counts == ImportCounts(unchanged=2, removed=1, waiting=0)
    assert await node.finds() is None
    assert await node.rows("SELECT * FROM person_card") == []
    assert await node.rows("SELECT * FROM match_key") == []
    assert await node.rows("SELECT names, birth_date, addresses, nhs_number FROM person") == [("[]", None, "[]", None)]


async def test_a_person_who_comes_back_is_known_to_the_ledger_by_the_same_id(node: Node) -> None:
    await node.imports(*ADA)
    before = await node.finds()
    await node.imports(*ADA[1:])
    await node.imports(*ADA)
    assert await node.finds() == before
    assert await node.workers() == ["Workerw1"]


@pytest.mark.parametrize("gone", ["c1", "w1"])
async def test_removed_involvements_and_workers_vanish_from_answers(node: Node, gone: str) -> None:
    await node.imports(*ADA)
    await node.imports(*(item for item in ADA if item.key != gone))
    assert await node.workers() == []


@pytest.mark.parametrize(
    ("end", "shown"),
    [("2026-11-21", False), ("2026-11-22", True), ("2026-10", False), ("2026-11", True), ("2025", False), ("", True)],
)
async def test_ended_involvements_are_not_read(node: Node, end: str, shown: bool) -> None:
    await node.imports(*ADA[:2], case("c1", "p1", "w1", end=end))
    assert await node.workers() == (["Workerw1"] if shown else [])


async def test_leads_come_first_then_the_newest(node: Node) -> None:
    cases = (
        case("c1", "p1", "w1", start="2020-01-01"),
        case("c2", "p1", "w2", start="2024-01-01"),
        case("c3", "p1", "w3", start="2010-01-01", lead="yes"),
    )
    await node.imports(person("p1"), worker("w1"), worker("w2"), worker("w3"), *cases)
    assert await node.workers() == ["Workerw3", "Workerw2", "Workerw1"]


async def test_a_team_has_its_contacts_and_visits_latest_first_and_no_vague_ones(node: Node) -> None:
    dates = {"v1": "2026-11-01", "v2": "2026-10-01", "v3": "2026-12-24", "v4": "2026-12-01", "v5": "2026-11"}
    visits = (
        record("visit", key, person="p1", worker="w1", date=date, planned="yes" if date > "2026-12" else "no")
        for key, date in dates.items()
    )
    await node.imports(*ADA, *visits)
    (member,) = (await node.team(await node.finds())).involvements
    assert [(event.date, event.planned) for event in member.contact_events] == [
        ("2026-12-24", True),
        ("2026-12-01", True),
        ("2026-11-01", False),
        ("2026-10-01", False),
    ]


async def test_references_to_what_comes_later_are_resolved(node: Node) -> None:
    report = await node.imports(*reversed(ADA))
    assert report.counts == ImportCounts(created=3)
    assert await node.workers() == ["Workerw1"]


async def test_references_across_runs_wait_and_are_resolved(node: Node) -> None:
    connector = ListConnector((case("c1", "p1", "w1"), worker("w1")), TOMBSTONES)
    report = await node.imports(connector=connector)
    assert report.counts.waiting == 1
    assert [(issue.where, issue.field) for issue in report.issues] == [("case c1", "person_key")]
    connector.items = (*connector.items, person("p1"))
    assert (await node.imports(connector=connector)).counts == ImportCounts(created=1)
    assert await node.workers() == ["Workerw1"]


async def test_a_reference_to_somebody_removed_waits(node: Node) -> None:
    await node.imports(*ADA)
    await node.imports(*ADA[1:])
    assert (await node.imports(*ADA[1:])).counts.waiting == 1


async def test_what_cannot_be_used_is_noted_without_its_values_and_the_run_goes_on(node: Node) -> None:
    report = await node.imports(
        person("p2", family="", given=""),
        Rejected(where="line 9", field="", reason="has 3 columns instead of 4"),
        person("p3", born="zephyrine"),
        person("p4", family="\udc80zephyrine"),
        person("k" * 300),
        *ADA,
    )
    assert report.counts == ImportCounts(created=4, rejected=4)
    stored = await node.rows("SELECT place, field, reason, whole_record FROM rejected_record ORDER BY id")
    assert [(place, whole) for place, _, _, whole in stored if whole] == [
        ("person p2", 1),
        ("line 9", 1),
        ("person p4", 1),
        (f"person {'k' * 193}", 1),
    ]
    assert [(place, field) for place, field, _, whole in stored if not whole] == [("person p3", "born")]
    assert "zephyrine" not in repr(stored)


async def test_a_record_that_can_no_longer_be_used_discloses_nothing(node: Node) -> None:
    await node.imports(*ADA)
    report = await node.imports(*ADA[:2], case("c1", "p1", "w1", end="zephyrine"))
    assert (report.counts.rejected, report.counts.removed) == (1, 1)
    assert await node.workers() == []


async def test_two_records_with_one_key_are_not_mistaken_for_one(node: Node) -> None:
    twice = (*ADA, case("c1", "p1", "w2"), worker("w2"))
    for unchanged in (0, 4):
        report = await node.imports(*twice)
        assert (report.counts.unchanged, report.counts.rejected) == (unchanged, 1)
        assert await node.workers() == ["Workerw1"]


async def test_one_wide_row_feeds_several_objects_and_shared_ones_stay_until_the_last_row_goes(node: Node) -> None:
    def row(key: str, who: str, by: str) -> SourceRecord:
        names: dict[str, Any] = {"family": f"Wide{who}", "given": "Ada", "worker_family": by, "worker_given": "Test"}
        return record("row", key, person=who, worker=by, **names)

    await node.imports(row("1", "p1", "w1"), row("2", "p2", "w1"), row("3", "p1", "w2"))
    await node.imports(row("1", "p1", "w1"))
    assert await node.rows("SELECT key FROM practitioner") == [("w1",)]
    assert await node.rows("SELECT key FROM person WHERE hash IS NOT NULL") == [("p1",)]
    assert await node.rows("SELECT key FROM involvement") == [("p1|w1",)]


async def test_a_mass_removal_is_held_until_it_is_confirmed(node: Node) -> None:
    await node.imports(*ADA, *CROWD)
    report = await node.imports(*ADA, share=0.2)
    assert report.counts == ImportCounts(unchanged=3, held=40)
    assert "--allow-removals" in report.advice
    assert await node.rows("SELECT outcome FROM import_run ORDER BY id DESC LIMIT 1") == [("held",)]
    assert await node.finds(family=crowd_name(7), born="1957-05-17") is not None
    report = await node.imports(*ADA, share=0.2, allow_removals=True)
    assert report.counts == ImportCounts(unchanged=3, removed=40)
    assert await node.finds(family=crowd_name(7), born="1957-05-17") is None


async def test_the_guard_watches_each_kind_of_record(node: Node) -> None:
    workers = tuple(worker(f"w{n}") for n in range(400))
    await node.imports(*CROWD, *workers)
    assert (await node.imports(*workers, share=0.2)).counts.held == 40


async def test_a_small_removal_needs_no_confirmation(node: Node) -> None:
    await node.imports(*ADA, *CROWD)
    assert (await node.imports(*ADA, *CROWD[:35], share=0.2)).counts.removed == 5


async def test_an_incremental_run_goes_on_where_the_last_ended_and_removes_only_what_was_deleted(node: Node) -> None:
    connector = ListConnector(ADA, TOMBSTONES)
    await node.imports(connector=connector)
    connector.items = (*ADA, record("case", "c1", deleted=True), case("c2", "p1", "w1"))
    report = await node.imports(connector=connector)
    assert connector.started_from == [None, Cursor("3")]
    assert connector.acknowledged == ["3", "5"]
    assert report.counts == ImportCounts(created=1, removed=1)
    assert await node.rows("SELECT key FROM involvement") == [("c2",)]


async def test_a_record_deleted_and_given_again_stays(node: Node) -> None:
    connector = ListConnector((*ADA, record("case", "c1", deleted=True), case("c1", "p1", "w1")), TOMBSTONES)
    await node.imports(connector=connector)
    assert await node.workers() == ["Workerw1"]


async def test_a_source_that_breaks_off_keeps_what_came_before_and_removes_nothing(node: Node) -> None:
    await node.imports(*ADA, *CROWD)
    with pytest.raises(InputError, match=r"source cases: cases\.csv line 2: cannot be read"):
        await node.imports(person("new", family="Brambleton"), SourceError("cases.csv line 2: cannot be read"))
    assert await node.finds() is not None
    assert await node.finds(family="Brambleton") is not None
    assert await node.rows("SELECT outcome, created FROM import_run ORDER BY id DESC LIMIT 1") == [("failed", 1)]


async def test_an_unknown_kind_of_record_stops_the_run(node: Node) -> None:
    with pytest.raises(InputError, match="'novelty'"):
        await node.imports(record("novelty", "n1"))


async def test_a_run_that_is_overtaken_stops(node: Node) -> None:
    class Overtaken(ListConnector):
        def acknowledge(self, cursor: Cursor) -> None:
            super().acknowledge(cursor)
            asyncio.run_coroutine_threadsafe(node.imports(*ADA), loop).result(10)

    loop = asyncio.get_running_loop()
    with pytest.raises(InputError, match="another import"):
        await node.imports(connector=Overtaken((person("p9", family="Brambleton"), Cursor("1"), *CROWD)))
    assert await node.finds() is not None


async def test_batches_are_bounded_and_progress_is_told_after_each(node: Node) -> None:
    people = [worker(f"w{n}") for n in range(BATCH_ITEMS + 1)]
    await node.imports(*people)
    assert node.progress == [(BATCH_ITEMS, BATCH_ITEMS + 1), (BATCH_ITEMS + 1, BATCH_ITEMS + 1)]


async def test_a_batch_of_wide_records_ends_early(node: Node) -> None:
    wide = BATCH_CHARS // 2
    await node.imports(*[record("worker", f"w{n}", family="Long", notes=["x" * wide]) for n in range(3)])
    assert node.progress == [(2, 3), (3, 3)]


async def test_sources_of_one_node_do_not_touch_each_other(node: Node) -> None:
    await node.imports(*ADA)
    await node.imports(person("p1", family="Brambleton", born="1990-05-17"), name="other")
    assert await node.workers() == ["Workerw1"]
    assert await node.workers(family="Brambleton", born="1990-05-17") == []


async def test_old_runs_are_forgotten(node: Node) -> None:
    for _ in range(23):
        await node.imports(Rejected(where="line 1", field="", reason="is ragged"))
    assert await node.rows("SELECT count(*) FROM import_run") == [(20,)]
    assert await node.rows("SELECT count(*) FROM rejected_record") == [(20,)]
