"""The size of a node's ledger, as hub and witnesses see it hourly, tells how many questions there were and no more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from consent_ledger import heads
from consent_ledger.checkpoint import parse
from consent_ledger.governance import RetentionEntry
from consent_ledger.note import read
from consent_ledger.padding import STEP
from consent_ledger.witness import newest_seen
from gateway.database.contract import Statement, Work
from gateway.fhir.audit_event import Auditor, audit_events
from gateway.node import cases, checkpoints
from gateway.node.cases import Ruling
from gateway.node.corrections import Officer
from gateway.node.question import BreakGlass
from gateway.node.witnesses import Answer
from mappings.vocabulary import BreakGlassReason, Finding, Purpose
from tests.federation import NAME, TestFederation, federation, someone

AGREEMENT = Path(__file__).parents[1] / "agreements" / "governance.toml"
ASKER, AGENCY = "childrens-services", "housing"
OFFICER = Officer(by="Olive Officer", reason="spoke to both")
BROKEN = {
    "purpose": Purpose.BREAK_GLASS,
    "break_glass": BreakGlass(reason=BreakGlassReason.RISK_TO_LIFE, words="she said so on the telephone"),
}


@asynccontextmanager
async def county(folder: Path) -> AsyncIterator[TestFederation]:
    await asyncio.to_thread(folder.mkdir)
    async with federation(folder, [ASKER, AGENCY], agreement=AGREEMENT) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await running.nodes[AGENCY].checkpoints.begin()
        yield running


async def size_seen(north: TestFederation) -> int:
    """What the hub holds of the agency's ledger after the checkpoint of this hour."""
    await north.nodes[AGENCY].checkpoints.visit()
    note = await north.hub.hub.database.read(newest_seen(AGENCY))
    assert note is not None
    return parse(read(note).text).head.size


async def ask(north: TestFederation, name: str, born: str) -> None:
    """A question that wants a review, and one that breaks the glass."""
    await north.ask(ASKER, name, born=born, purpose=Purpose.SAFEGUARDING)
    await north.ask(ASKER, name, born=born, **BROKEN)


async def hours(north: TestFederation, *, busy: bool, born: str = "1991-05-17") -> list[int]:
    """Sizes over four hours: nothing, two questions, what a busy officer does about them, nothing."""
    seen = [await size_seen(north)]
    await ask(north, "Katherine Bramley", born)
    seen.append(await size_seen(north))
    if busy:
        await work_off(north)
    seen.append(await size_seen(north))
    seen.append(await size_seen(north))
    return seen


async def work_off(north: TestFederation) -> None:
    """Acknowledge, decide and close all that is open: four entries."""
    node = north.nodes[AGENCY]
    for shown in await node.database.read(cases.open_cases(NAME, days=7)):
        case = shown.case.id
        await cases.acknowledge(case, by=OFFICER.by, ledger=node.parts.ledger)
        if str(case).startswith("review"):
            await cases.rule(case, Ruling.PERMIT, officer=OFFICER, ledger=node.parts.ledger)
        else:
            await cases.close(shown, Finding.JUSTIFIED, officer=OFFICER, ledger=node.parts.ledger)


async def test_the_hub_sees_the_same_of_an_officer_who_did_all_and_one_who_did_nothing(tmp_path: Path) -> None:
    sizes = []
    for number, (busy, born) in enumerate([(True, "1991-05-17"), (False, "1991-05-17"), (False, "1953-07-29")]):
        async with county(tmp_path / str(number)) as north:  # the last time, nobody known is asked about
            sizes.append(await hours(north, busy=busy, born=born))
            ledger = north.nodes[AGENCY].parts.ledger
            assert (await ledger.signed_head()).size == sizes[-1][-1]  # which is what a statement of counts shows
            kinds = [entry.body["kind"] async for entry in ledger.entries() if entry.body is not None]
            assert kinds.count("case") + kinds.count("finding") == (4 if busy else 0)
    assert sizes[0] == sizes[1] == sizes[2]
    first = sizes[0][0]
    assert sizes[0] == [first, first + 2 + STEP, first + 2 + 2 * STEP, first + 2 + 3 * STEP]


async def test_fillers_are_entries_like_others_and_nobody_reads_them(tmp_path: Path) -> None:
    async with county(tmp_path / "county") as north:
        await hours(north, busy=True)
        ledger = north.nodes[AGENCY].parts.ledger
        entries = [entry async for entry in ledger.entries()]
        said = {entry.seq: entry for entry in entries if entry.body is not None}
        fillers = [entry for entry in said.values() if entry.body is not None and entry.body["kind"] == "filler"]
        others = [entry for entry in said.values() if entry.body is not None and entry.body["kind"] == "case"]
        assert len(said) == len(entries)
        assert {entry.header for entry in fillers} == {entry.header for entry in others}
        leaves = await north.nodes[AGENCY].ledger_database.read(_leaf_sizes())
        assert {leaves[entry.seq] for entry in fillers} == {leaves[others[0].seq]}
        assert (await ledger.verify()).size == len(entries)
        assert await ledger.rebuild_cases() == []
        auditor = Auditor(me=AGENCY, federation=NAME, hub="hub", members={})
        for entry in fillers:
            assert entry.body is not None
            assert list(audit_events(entry.seq, entry.leaf_hash, entry.body, auditor)) == []
        (acknowledged, *_) = [entry.seq for entry in others]
        assert (await ledger.prove([acknowledged])).paths[acknowledged].hashes


async def test_a_witness_that_is_not_heard_is_offered_the_hours_one_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were a new head signed at each attempt, its size would tell to the minute when something was appended."""
    monkeypatch.setattr(checkpoints, "RETRY_S", 0.01)
    async with county(tmp_path / "county") as north:
        node = north.nodes[AGENCY]
        await north.hub.close()
        tries, enough = 0, asyncio.Event()
        compare = node.checkpoints.compare

        async def counted() -> list[Answer]:
            nonlocal tries
            tries += 1
            if tries > 1:
                await node.parts.ledger.note(RetentionEntry(periods={}))
            if tries == 5:
                enough.set()
            return await compare()

        monkeypatch.setattr(node.checkpoints, "compare", counted)
        keeping = asyncio.create_task(node.checkpoints.keep())
        async with asyncio.timeout(10):
            await enough.wait()
        keeping.cancel()
        assert len(await node.ledger_database.read(heads.page((0, 0), 10))) == 1
        await north.restart_hub()


def _leaf_sizes() -> Work[dict[int, int]]:
    rows = yield Statement("SELECT seq, length(leaf) FROM entry", ())
    return dict(rows)
