"""An in-memory source that keeps the Connector contract, and what is needed to import it into a real database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from connectors.contract import Cursor, Manifest, Rejected, SourceError, SourceRecord
from gateway.database.sqlite import SqliteDatabase
from gateway.matching.index import find
from gateway.node.consents import ImportedConsent
from gateway.node.ingest import ImportCounts, ImportReport, ImportSource, run_import
from gateway.node.team import Team, team_of
from gateway.wire.query import NameParts, Subject
from mappings.spec import load

TODAY = "2026-11-22"
MAPPING = load(Path(__file__).parent / "people.toml")
SNAPSHOT = Manifest(incremental=False, deletions="snapshot")
TOMBSTONES = Manifest(incremental=True, deletions="tombstone")

Item = SourceRecord | Rejected | Cursor | SourceError


def record(kind: str, key: str, *, deleted: bool = False, **fields: Any) -> SourceRecord:
    """A record whose `id` is its key."""
    return SourceRecord(kind=kind, key=key, fields={"id": key, **fields}, where=f"{kind} {key}", deleted=deleted)


def person(key: str, **fields: Any) -> SourceRecord:
    """Ada Quillfeather, unless told otherwise."""
    given = {"family": "Quillfeather", "given": "Ada", "born": "2014-03-09", "postcode": "ZZ9 9ZZ"}
    return record("person", key, **given | fields)


def worker(key: str, **fields: Any) -> SourceRecord:
    """A worker whose family name is that of nobody else."""
    return record("worker", key, family=f"Worker{key}", given="Test", phone="01632 960001", **fields)


def case(key: str, person_key: str, worker_key: str, **fields: Any) -> SourceRecord:
    """A worker works with a person."""
    return record("case", key, person=person_key, worker=worker_key, **fields)


@dataclass
class ListConnector:
    """Yields what it is given, a cursor last; an error in the list is raised where it stands."""

    items: Sequence[Item]
    manifest: Manifest = SNAPSHOT
    started_from: list[Cursor | None] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    read: int = 0

    def records(self, since: Cursor | None) -> Iterator[SourceRecord | Rejected | Cursor]:
        """All items, or those after the cursor `since`, which is a number of items."""
        self.started_from.append(since)
        for number, item in enumerate(self.items[int(since.value) if since else 0 :], 1):
            self.read = number
            if isinstance(item, SourceError):
                raise item
            yield item
        yield Cursor(str(len(self.items)))

    def acknowledge(self, cursor: Cursor) -> None:
        """Remember it."""
        self.acknowledged.append(cursor.value)

    def estimate(self) -> int:
        """The number of items."""
        return len(self.items)

    def position(self) -> int:
        """Items yielded."""
        return self.read


class StoppedClock:
    """It is always noon of TODAY."""

    def now(self) -> float:
        """Seconds since 1970."""
        return 1_795_348_800.0


@dataclass
class Node:
    """A node's database, and the statements that its ledger was given."""

    database: SqliteDatabase
    recorded: list[ImportedConsent] = field(default_factory=list)
    progress: list[tuple[int, int | None]] = field(default_factory=list)

    async def imports(
        self,
        *items: Item,
        name: str = "cases",
        connector: ListConnector | None = None,
        share: float = 1.0,
        allow_removals: bool = False,
    ) -> ImportReport:
        """Run one import of these items."""

        async def record_consents(consents: Sequence[ImportedConsent]) -> None:
            self.recorded += consents

        def progress(position: int, total: int | None, counts: ImportCounts) -> None:
            self.progress.append((position, total))

        source = ImportSource(
            name=name,
            federation="test",
            connector=connector or ListConnector(items),
            mapping=MAPPING,
            max_removal_share=share,
        )
        return await run_import(
            source,
            database=self.database,
            record_consents=record_consents,
            clock=StoppedClock(),
            progress=progress,
            allow_removals=allow_removals,
        )

    async def finds(
        self, given: str = "Ada", family: str = "Quillfeather", born: str | None = "2014-03-09"
    ) -> int | None:
        """The person that a question with these details would disclose."""
        subject = Subject(
            names=(NameParts(given=(given,), family=family, text=""),),
            birth_date=born,
            age=None,
            postcode="ZZ9 9ZZ",
            identifiers=(),
        )
        match = await self.database.read(find(subject, today=date.fromisoformat(TODAY)))
        return match.best.person_id if match.best and match.disclosable else None

    async def team(self, person_id: int | None) -> Team:
        """Their team today."""
        assert person_id is not None
        return await self.database.read(team_of(person_id, today=TODAY))

    async def workers(self, **details: str) -> list[str]:
        """The workers' family names around the person whom these details find."""
        team = await self.team(await self.finds(**details))
        return [member.practitioner.name.family for member in team.involvements if member.practitioner]

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query finds in the database."""

        def work() -> Any:
            return (yield sql, ())

        return list(await self.database.read(work()))
