"""Imports one source: the only place where connector and mapping meet the database.

(1) begin the run; a source whose mapping has changed is read from its start
(2) store the objects that no record carries, such as the agency itself
(3) batch by batch: read, look up what is known, map what is new or changed, store it in one transaction with the
    cursor, acknowledge the cursor
(4) fill in references to what came later, those of hand-made rows too; report those that lead nowhere
(5) remove what the source has deleted, or now gives in a form that cannot be used, unless it is too much
(6) have the ledger record what is new about consents
(7) close the run with its counts

A record that cannot be used is noted and the run goes on. Running again changes nothing that has not changed. What the
connector and the mapping do runs in one thread of this run's own, because both block.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Protocol

from connectors.contract import Connector, Cursor, FieldValue, Rejected, SourceError, SourceRecord
from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.errors import InputError, PatchworkError, logged
from gateway.events import emit
from gateway.node.changes import FIXED, Changes, fingerprint, fixed_batch
from gateway.node.consents import ImportedConsent, mark_recorded, unrecorded
from gateway.node.corrections import without_effect
from gateway.node.native import relink
from gateway.node.people import StoredSource
from gateway.node.records import (
    Batch,
    ImportIssue,
    begin_run,
    count_records,
    end_run,
    known_records,
    remove_records,
    resolve_references,
    store_batch,
)
from mappings.spec import MappingSpec, SpecError

# Yielded by a connector, so records of one transaction, and characters of their fields, with which a batch ends.
# They bound memory, what a crash repeats, and how long another process waits to write. A large batch changes a page of
# an index once for many people; below some thousands, writing the same pages again and again costs more than all else.
BATCH_ITEMS = 4000
BATCH_CHARS = 2_000_000
GUARDED_KIND = 20  # a kind of record of which there are so many is guarded on its own too
REPORTED_ISSUES = 100  # in a report; more stand in rejected_record

Item = SourceRecord | Rejected | Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSource:
    """One source, opened: where it comes from, what it means, and the share of it that one run may remove."""

    name: str
    federation: str
    connector: Connector
    mapping: MappingSpec
    max_removal_share: float = 0.2


@dataclass(slots=True, kw_only=True)
class ImportCounts:
    """Records of the source by what became of them; `waiting` counts references, `held` those that were not removed."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    waiting: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What a run did. `issues` are the first of them; `advice` says how to go on if removals were held, else empty.

    `suspended` are merges by hand that have no effect, as pairs of SOURCE:KEY (corrections.py).
    """

    counts: ImportCounts
    issues: tuple[ImportIssue, ...]
    advice: str
    suspended: tuple[tuple[str, str], ...]


class Progress(Protocol):
    """Told after each batch how far the run is, in the connector's unit; `total` is None when unknown."""

    def __call__(self, position: int, total: int | None, counts: ImportCounts) -> None:
        """Show it, quickly: the run waits."""
        ...


# Has the ledger record statements durably, once per `ImportedConsent.reference`.
RecordConsents = Callable[[Sequence[ImportedConsent]], Awaitable[None]]


async def run_import(
    source: ImportSource,
    *,
    database: Database,
    record_consents: RecordConsents,
    clock: Clock,
    progress: Progress | None = None,
    allow_removals: bool = False,
    confirmed: int = 0,
) -> ImportReport:
    """Read a source to its end. Raises InputError if it cannot be read on, with all before stored; StorageError.

    `confirmed`: so many removals have been held before, looked at, and may be made.
    """
    started = clock.now()
    # (1)
    stored, read_to = await database.write(
        begin_run(source.name, source.federation, fingerprint(source.mapping), started)
    )
    run = _Run(source=source, stored=stored, database=database, record_consents=record_consents)
    outcome = "failed"
    try:
        advice = await run.steps(read_to, progress, allow_removals=allow_removals, confirmed=confirmed)
        outcome = "held" if advice else "completed"
    except (SourceError, SpecError) as error:
        emit("import.refused", source=source.name, code=InputError.code)
        await run.settle_consents()
        raise InputError(f"source {source.name}: {error}") from error
    except PatchworkError as error:
        emit("import.refused", level=logging.INFO, source=source.name, **logged(error))
        raise
    finally:
        # (7)
        counts = asdict(run.counts)
        await database.write(end_run(stored, outcome=outcome, counts=counts, now=clock.now()))
    del counts["held"]
    emit("import.completed", source=source.name, ms=round((clock.now() - started) * 1000), **counts)
    return ImportReport(
        counts=run.counts,
        issues=tuple(run.issues[:REPORTED_ISSUES]),
        advice=advice,
        suspended=tuple(await database.read(without_effect(source.name))),
    )


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run: its steps, and what it has counted so far."""

    source: ImportSource
    stored: StoredSource
    database: Database
    record_consents: RecordConsents
    counts: ImportCounts = field(default_factory=ImportCounts)
    issues: list[ImportIssue] = field(default_factory=list)

    async def steps(
        self, read_to: str | None, progress: Progress | None, *, allow_removals: bool, confirmed: int
    ) -> str:
        """Steps (2) to (6); returns how to go on if removals were held."""
        manifest = self.source.connector.manifest
        since = Cursor(read_to) if manifest.incremental and read_to is not None else None
        # (2)
        known = await self.database.read(known_records(self.stored, [FIXED]))
        await self.database.write(store_batch(self.stored, fixed_batch(self.source.mapping, known)))
        # (3)
        await self._read(since, progress)
        # (4)
        await self.database.write(relink())  # first: what it fills in does not wait
        self.counts.waiting, waiting = await self.database.write(resolve_references(self.stored))
        self.issues += waiting
        # (5) Only a run that has read everything may conclude from what is missing.
        complete = since is None and manifest.deletions == "snapshot"
        advice = await self._remove(complete=complete, allow_removals=allow_removals, confirmed=confirmed)
        # (6)
        await self.settle_consents()
        return advice

    async def settle_consents(self) -> None:
        """Have the ledger record what it has not, then let the people concerned be found."""
        while consents := await self.database.read(unrecorded(self.stored.id)):
            await self.record_consents(consents)
            await self.database.write(mark_recorded(consents))

    async def _read(self, since: Cursor | None, progress: Progress | None) -> None:
        connector = self.source.connector
        changes = Changes(self.source.mapping, run_id=self.stored.run_id, later_wins=connector.manifest.incremental)
        async with _own_thread() as in_thread:
            total = await in_thread(connector.estimate)
            items: Iterator[Item] = await in_thread(connector.records, since)
            try:
                error: SourceError | None = None
                while error is None:
                    taken, error = await in_thread(_take, items)
                    if not taken:
                        break
                    keys = [(item.kind, item.key) for item in taken if isinstance(item, SourceRecord)]
                    known = await self.database.read(known_records(self.stored, keys))
                    batch = await in_thread(changes.of, taken, known)
                    await self.database.write(store_batch(self.stored, batch))
                    if batch.read_to is not None:
                        await in_thread(connector.acknowledge, Cursor(batch.read_to))
                    self._count(batch)
                    if progress is not None:
                        progress(connector.position(), total, self.counts)
                if error is not None:
                    raise error
            finally:
                await in_thread(_close, items)

    def _count(self, batch: Batch) -> None:
        created = sum(record.known is None for record in batch.new)
        self.counts.created += created
        self.counts.changed += len(batch.new) - created
        self.counts.unchanged += len(batch.unchanged)
        self.counts.rejected += len({issue.where for issue in batch.issues if issue.whole_record})
        self.issues += batch.issues[: max(0, REPORTED_ISSUES - len(self.issues))]

    async def _remove(self, *, complete: bool, allow_removals: bool, confirmed: int) -> str:
        """Step (5); returns how to go on if the guard holds the removals."""
        by_kind = await self.database.read(count_records(self.stored, complete=complete))
        stored = sum(count for count, _ in by_kind.values())
        leaving = sum(gone for _, gone in by_kind.values())
        guarded = [(stored, leaving), *(pair for pair in by_kind.values() if pair[0] >= GUARDED_KIND)]
        share = self.source.max_removal_share
        allowed = allow_removals or leaving <= confirmed
        if not allowed and any(gone > share * count for count, gone in guarded):
            self.counts.held = leaving
            return (
                f"{leaving} of {stored} records of source {self.source.name} would be removed, which is more than "
                "allowed in one run, so none was; if that is right, import again with --allow-removals"
            )
        while removed := await self.database.write(remove_records(self.stored, complete=complete, limit=BATCH_ITEMS)):
            self.counts.removed += removed
        return ""


@asynccontextmanager
async def _own_thread() -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """One thread for all calls of one run: database drivers refuse to be handed from thread to thread."""
    loop = asyncio.get_running_loop()
    executor = ThreadPoolExecutor(1, thread_name_prefix="import")

    def in_thread(function: Callable[..., Any], *arguments: object) -> Awaitable[Any]:
        return loop.run_in_executor(executor, partial(function, *arguments))

    try:
        yield in_thread
    finally:
        executor.shutdown(wait=False)


def _take(items: Iterator[Item]) -> tuple[list[Item], SourceError | None]:
    """The next batch, and the error that ended it: what came before it is good."""
    taken: list[Item] = []
    chars = 0
    try:
        for item in islice(items, BATCH_ITEMS):
            taken.append(item)
            if isinstance(item, SourceRecord):
                chars += _chars(item)
                if chars >= BATCH_CHARS:
                    break
    except SourceError as error:
        return taken, error
    return taken, None


def _chars(record: SourceRecord) -> int:
    """About how much a record holds."""
    chars = 0
    values: list[FieldValue] = [*record.fields.values()]
    for value in values:  # to which lists and parts add what they hold
        if isinstance(value, str):
            chars += len(value)
        elif value:
            values += value if isinstance(value, list) else value.values()
    return chars + len(values)


def _close(items: Iterator[Item]) -> None:
    """Release what a generator holds open, if the connector's iterator is one."""
    close = getattr(items, "close", None)
    if close is not None:
        close()
