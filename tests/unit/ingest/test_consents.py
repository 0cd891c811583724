"""Consent statements of a source: recorded once, in order, and before the person concerned can be found."""

from collections.abc import Sequence

import pytest

from connectors.contract import SourceRecord
from gateway.errors import StorageError
from gateway.node.consents import ImportedConsent
from gateway.node.ingest import ImportSource, run_import
from mappings.model import ConsentStatement
from tests.unit.ingest.sources import MAPPING, ListConnector, Node, StoppedClock, case, person, record, worker

ADA = (person("p1"), worker("w1"), case("c1", "p1", "w1"))


def decision(key: str, permit: str, given: str = "2026-01-01", person_key: str = "p1") -> SourceRecord:
    return record("decision", key, person=person_key, permit=permit, given=given)


def said(consents: Sequence[ImportedConsent]) -> list[tuple[str, bool, bool]]:
    return [(consent.statement.key, consent.statement.permit, consent.withdrawn) for consent in consents]


async def test_a_statement_is_recorded_once(node: Node) -> None:
    for _ in range(2):
        await node.imports(*ADA, decision("d1", "yes"))
    (consent,) = node.recorded
    assert consent.person_id == await node.finds()
    assert consent.source == "cases"
    assert consent.statement == ConsentStatement(key="d1", person_key="p1", permit=True, given_on="2026-01-01")


async def test_statements_are_recorded_from_old_to_new_and_of_one_day_objections_last(node: Node) -> None:
    await node.imports(
        *ADA,
        decision("d1", "no", "2026-05-01"),
        decision("d2", "yes", "2026-05-01"),
        decision("d3", "yes", "2026-02-01"),
    )
    assert said(node.recorded) == [("d3", True, False), ("d2", True, False), ("d1", False, False)]


async def test_a_changed_statement_is_recorded_anew_under_another_reference(node: Node) -> None:
    for permit in ("yes", "no", "yes"):
        await node.imports(*ADA, decision("d1", permit))
    assert [consent.statement.permit for consent in node.recorded] == [True, False, True]
    assert len({consent.reference for consent in node.recorded}) == 3


async def test_a_permission_that_the_source_no_longer_has_is_withdrawn_before_new_ones_count(node: Node) -> None:
    await node.imports(*ADA, decision("d1", "yes"))
    await node.imports(*ADA, decision("d2", "yes"))
    await node.imports(*ADA, decision("d2", "yes"))
    assert said(node.recorded) == [("d1", True, False), ("d1", True, True), ("d2", True, False)]


async def test_an_objection_that_the_source_no_longer_has_stays(node: Node) -> None:
    await node.imports(*ADA, decision("d1", "no"))
    await node.imports(*ADA)
    assert said(node.recorded) == [("d1", False, False)]


async def test_a_statement_about_somebody_not_there_waits_for_them(node: Node) -> None:
    await node.imports(decision("d1", "no"))
    assert node.recorded == []
    await node.imports(decision("d1", "no"), *ADA)
    assert said(node.recorded) == [("d1", False, False)]


async def fails(consents: Sequence[ImportedConsent]) -> None:
    raise StorageError("ledger database ledger.db: the disk is full")


async def test_nobody_is_found_between_their_arrival_and_the_record_of_what_they_said_before(node: Node) -> None:
    await node.imports(decision("d1", "no"))
    items = (decision("d1", "no"), *ADA)
    source = ImportSource(name="cases", federation="test", connector=ListConnector(items), mapping=MAPPING)
    with pytest.raises(StorageError):
        await run_import(source, database=node.database, record_consents=fails, clock=StoppedClock())
    assert await node.finds() is None
    await node.imports(*items)
    assert await node.finds() == 1


async def test_nobody_is_found_while_the_ledger_cannot_record_their_statement(node: Node) -> None:
    await node.imports(*ADA)
    source = ImportSource(
        name="cases",
        federation="test",
        connector=ListConnector((*ADA, decision("d1", "no"))),
        mapping=MAPPING,
    )

    with pytest.raises(StorageError):
        await run_import(source, database=node.database, record_consents=fails, clock=StoppedClock())
    assert await node.finds() is None
    first = await node.rows("SELECT reference FROM consent")
    await node.imports(*ADA, decision("d1", "no"))
    assert [(consent.reference,) for consent in node.recorded] == first
    assert await node.workers() == ["Workerw1"]
