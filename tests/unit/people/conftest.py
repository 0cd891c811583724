"""A node's register with a real ledger beside it, and officers who decide."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from consent_ledger.entries import Correction
from consent_ledger.ledger import Ledger
from gateway.database.sqlite import open_sqlite
from gateway.node.corrections import Corrected, Officer, PersonShown, correct, show
from gateway.node.linking import pair_of
from gateway.node.people import person_by_key
from tests.unit.ingest.sources import Node, StoppedClock

OFFICER = Officer(by="Wendy Smith", reason="confirmed by telephone")


@dataclass
class Register(Node):
    """A node whose officer decides about records, named by source and key."""

    ledger: Ledger | None = None

    async def merge(self, one: str, other: str) -> Corrected:
        """Say that they are one person."""
        return await self._correct(one, other, same=True)

    async def unmerge(self, one: str, other: str) -> Corrected:
        """Say that they are not."""
        return await self._correct(one, other, same=False)

    async def shown(self, record: str) -> PersonShown:
        """What `patchwork people show` is told."""
        return await self.database.read(show(await self.row_id(record)))

    async def row_id(self, record: str) -> int:
        """The row of SOURCE:KEY."""
        source, _, key = record.partition(":")
        found = await self.database.read(person_by_key(source, key))
        assert found is not None
        return found

    async def people(self) -> list[list[str]]:
        """Those who are there, each as the keys of their records."""
        of_person: dict[int, list[str]] = {}
        for person, key in await self.rows("SELECT same_person, key FROM person WHERE hash IS NOT NULL ORDER BY key"):
            of_person.setdefault(person, []).append(key)
        return sorted(of_person.values())

    async def state(self) -> list[tuple[Any, ...]]:
        """All that identity and findability consist of."""
        tables = (
            "SELECT id, same_person, indexed FROM person ORDER BY id",
            "SELECT person_id, other_id, same, suspended FROM person_decision ORDER BY person_id, other_id",
            "SELECT person_id, card, keys FROM person_card ORDER BY person_id",
            "SELECT key, person_id FROM match_key ORDER BY key, person_id",
        )
        return [tuple(await self.rows(table)) for table in tables]

    async def corrections(self) -> list[tuple[int, int, str]]:
        """What the ledger has of decisions: both ids and what became of it."""
        assert self.ledger is not None
        return [
            (entry.body["person_id"], entry.body["other_id"], entry.body["correction"])
            async for entry in self.ledger.entries()
            if entry.body is not None and entry.body["kind"] == "correction"
        ]

    async def _correct(self, one: str, other: str, *, same: bool) -> Corrected:
        assert self.ledger is not None
        return await correct(
            pair_of(await self.row_id(one), await self.row_id(other)),
            same=same,
            officer=OFFICER,
            database=self.database,
            ledger=self.ledger,
            clock=StoppedClock(),
        )


@pytest.fixture
async def register(tmp_path: Path) -> AsyncIterator[Register]:
    """An empty register."""
    keys = await open_sqlite(tmp_path / "keys.db", schema="keys")
    entries = await open_sqlite(tmp_path / "ledger.db", schema="ledger", attach={"keys": tmp_path / "keys.db"})
    database = await open_sqlite(tmp_path / "node.db", schema="node")
    async with Ledger(entries, keys, StoppedClock().now, "test") as ledger:
        yield Register(database, ledger=ledger)
    for each in (database, entries, keys):
        await each.close()


def twice(correction: Correction) -> list[tuple[int, int, str]]:
    """A decision about the first two rows, as it stands with each of them."""
    return [(1, 2, correction.value)] * 2
