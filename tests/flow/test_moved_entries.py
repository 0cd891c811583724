"""Whoever can write ledger.db, and no key, moves entries to another key: no objection, no disclosure is hidden so."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.errors import LedgerCorrupt
from gateway.node.doubts import doubts_of
from gateway.node.results import MemberOutcome
from tests.federation import TestFederation, federation, result_of, someone
from tests.flow.commands import Ran, in_process

ASKER, AGENCY = "childrens-services", "housing"
OBJECTION = ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception")
KATHERINE, OTHER = 1, 2  # ids of their rows


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Katherine was disclosed once, and has objected; of somebody else there is an entry, too."""
    async with federation(tmp_path, [ASKER, AGENCY]) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        assert await ask(running) is MemberOutcome.TEAMS
        await running.record(AGENCY, "p1", OBJECTION)
        await running.nodes[AGENCY].parts.ledger.record(OTHER, OBJECTION)
        assert await ask(running) is MemberOutcome.NOTHING_TO_DISCLOSE
        await running.nodes[AGENCY].checkpoints.visit()
        yield running


async def ask(north: TestFederation) -> MemberOutcome:
    return result_of(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17"), AGENCY).outcome


def key_of(north: TestFederation, person: int) -> bytes:
    with closing(sqlite3.connect(north.folder / AGENCY / "data" / "keys.db")) as keys:
        ((key_id,),) = keys.execute("SELECT key_id FROM person_key WHERE person_id = ?", (person,))
    assert isinstance(key_id, bytes)
    return key_id


def move(north: TestFederation, key_id: bytes, to: bytes) -> None:
    """All that stands under a key now stands under another."""
    with closing(sqlite3.connect(north.folder / AGENCY / "data" / "ledger.db")) as database, database:
        database.execute("DROP TRIGGER IF EXISTS entry_is_never_changed")
        for table in ("entry", "consent_entry"):
            database.execute(f"UPDATE {table} SET key_id = ? WHERE key_id = ?", (to, key_id))  # noqa: S608 - two names


async def test_an_objection_moved_to_another_key_discloses_nothing_and_is_damage_not_an_erasure(
    north: TestFederation,
) -> None:
    move(north, key_of(north, KATHERINE), os.urandom(16))
    assert await ask(north) is MemberOutcome.NOTHING_TO_DISCLOSE  # before anything has been verified
    node = north.nodes[AGENCY]
    with pytest.raises(LedgerCorrupt, match="stands under a key that is not in the key store"):
        await node.parts.ledger.verify()
    doubts = await doubts_of(node.parts.ledger, node.checkpoints, node.ledger_database)  # what report and export say
    assert "that nobody destroyed" in doubts.wrong
    await node.checkpoints.recompute()
    assert await ask(north) is MemberOutcome.UNREACHABLE


async def test_an_entry_moved_to_the_key_of_somebody_erased_is_damage(north: TestFederation) -> None:
    ledger = north.nodes[AGENCY].parts.ledger
    erased = key_of(north, OTHER)
    assert await ledger.erase(OTHER)
    await ledger.verify()
    move(north, key_of(north, KATHERINE), erased)
    assert await ask(north) is MemberOutcome.NOTHING_TO_DISCLOSE
    with pytest.raises(LedgerCorrupt, match="under a destroyed key, under which it was not"):
        await ledger.verify()


async def test_an_objection_taken_out_of_the_projection_discloses_nothing(north: TestFederation) -> None:
    with closing(sqlite3.connect(north.folder / AGENCY / "data" / "ledger.db")) as database, database:
        database.execute("DELETE FROM consent_entry WHERE key_id = ?", (key_of(north, KATHERINE),))
    assert await ask(north) is MemberOutcome.NOTHING_TO_DISCLOSE
    # An officer who has put a backup in place decides that it goes on with what it has.
    ledger = north.nodes[AGENCY].parts.ledger
    visit = await north.nodes[AGENCY].checkpoints.visit()
    await ledger.log_epoch(visit.stored.checkpoint.head, by="Priya Officer")
    assert await ask(north) is MemberOutcome.TEAMS
    with pytest.raises(LedgerCorrupt, match="is not among its person's consents"):
        await ledger.verify()


async def test_an_acceptance_that_was_taken_back_and_put_back_into_the_table_is_damage(north: TestFederation) -> None:
    await north.stop(AGENCY)
    file = north.folder / AGENCY / "node.toml"
    file.write_text(
        "".join(line for line in file.read_text().splitlines(keepends=True) if "agreements = [" not in line)
    )
    with closing(sqlite3.connect(north.folder / AGENCY / "data" / "ledger.db")) as database:
        row = database.execute("SELECT * FROM agreement_accepted").fetchone()
        await north.start(AGENCY)
        await north.nodes[AGENCY].parts.ledger.verify()
        assert database.execute("SELECT count(*) FROM agreement_accepted").fetchone() == (0,)
        with database:
            database.execute("INSERT INTO agreement_accepted VALUES (?, ?, ?, ?, ?)", row)
    with pytest.raises(LedgerCorrupt, match="the accepted agreements are not those of the entries"):
        await north.nodes[AGENCY].parts.ledger.verify()


async def test_a_key_store_that_lost_secrets_stops_the_node_until_an_officer_gives_them_up(
    north: TestFederation,
) -> None:
    with closing(sqlite3.connect(north.folder / AGENCY / "data" / "keys.db")) as keys, keys:
        keys.execute("DELETE FROM person_key")
    ledger = north.nodes[AGENCY].parts.ledger
    with pytest.raises(LedgerCorrupt, match="stands under a key that is not in the key store"):
        await ledger.verify()
    command = ("ledger", "lost-keys", "-c", str(north.folder / AGENCY / "node.toml"), "--by", "Wendy Smith")
    said = await run(*command, "--reason", "disk lost", "--yes")
    assert "stand under 2 secrets that keys.db does not have." in said.err
    assert "enter those again" in said.err
    assert "On record as entry" in said.out
    await ledger.verify()
    assert "every secret under which entries stand" in (await run(*command)).out


async def test_a_node_without_its_key_store_discloses_nothing_from_its_first_moment(north: TestFederation) -> None:
    """An objection that cannot be read would count for nothing; the whole ledger is verified only beside answering."""
    await north.stop(AGENCY)
    for file in (north.folder / AGENCY / "data").glob("keys.db*"):
        file.unlink()
    await north.start(AGENCY)
    await north.nodes[AGENCY].checkpoints.begin()  # as whoever serves a node does before it listens
    assert "keys that are not in the key store" in north.nodes[AGENCY].parts.standing.doubt
    assert await ask(north) is MemberOutcome.UNREACHABLE


async def run(*arguments: str) -> Ran:
    return await asyncio.to_thread(in_process, *arguments)
