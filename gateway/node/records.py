"""The books of an import: which records a source holds, what each gave rise to, how far it was read, what went wrong.

All work here is for one transaction; gateway/node/ingest.py says in which order. A run that has been overtaken by
another of the same source may write nothing more (`_fence`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import count

from gateway.database.contract import Row, Statement, Work
from gateway.errors import InputError
from gateway.node.people import StoredSource, remove_unyielded, store_rows
from gateway.node.rows import (
    TABLES,
    MappedRow,
    chunks,
    last_id,
    lookup_records,
    resolve,
    select_in,
    update_in,
    waiting,
)
from gateway.node.same_person import index_pending

MAX_STORED_ISSUES = 1000  # of one run; all are counted
KEPT_RUNS = 20  # of one source, with their rejected records


@dataclass(frozen=True, slots=True)
class ImportIssue:
    """A record, or one field of it, that could not be used: where in the source, which field, why. Never a value."""

    where: str
    field: str
    reason: str
    whole_record: bool = True


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A record that is stored already."""

    id: int
    hash: bytes
    seen_run: int


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record that is new or has changed, with the rows that it yields."""

    kind: str
    key: str
    where: str
    hash: bytes
    known: KnownRecord | None
    rows: tuple[MappedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as it is on the books; times in epoch seconds, `finished_at` None while it runs.

    Counts are those of ingest.ImportCounts, and grow batch by batch.
    """

    id: int
    outcome: str
    started_at: float
    finished_at: float | None
    created: int
    changed: int
    unchanged: int
    removed: int
    rejected: int
    waiting: int
    held: int

    @property
    def read(self) -> int:
        """How many records it has met."""
        return self.created + self.changed + self.unchanged + self.rejected


@dataclass(slots=True)
class Batch:
    """What one transaction stores. `unchanged` and `doubtful` hold ids of known records.

    Doubtful are those that the source has deleted, or now gives in a form that cannot be used: they stay until the run
    ends, and are then removed unless they are too many.
    """

    new: list[NewRecord] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)
    issues: list[ImportIssue] = field(default_factory=list)
    read_to: str | None = None


def begin_run(name: str, federation: str, fingerprint: str, now: float) -> Work[tuple[StoredSource, str | None]]:
    """Start a run, overtaking any other of this source; returns the source and where an incremental run goes on.

    That is nowhere (None) on a first run and after a change of the mapping: everything has to be read again.
    """
    yield Statement(
        "INSERT INTO import_source (name, federation) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, federation)
    )
    rows = yield Statement("SELECT id, federation, read_to, fingerprint FROM import_source WHERE name = ?", (name,))
    ((source_id, stored_federation, read_to, stored_fingerprint),) = rows
    if stored_federation != federation:
        raise InputError(f"source {name}: belongs to another federation already")
    yield Statement(
        "UPDATE import_run SET outcome = 'interrupted', finished_at = ? WHERE source_id = ? AND outcome = 'running'",
        (now, source_id),
    )
    yield Statement(
        "INSERT INTO import_run (source_id, started_at, outcome) VALUES (?, ?, 'running')", (source_id, now)
    )
    ((run_id,),) = yield Statement("SELECT max(id) FROM import_run WHERE source_id = ?", (source_id,))
    yield Statement(
        "UPDATE import_source SET current_run = ?, fingerprint = ?, read_to = ? WHERE id = ?",
        (run_id, fingerprint, read_to if fingerprint == stored_fingerprint else None, source_id),
    )
    yield Statement(
        "DELETE FROM import_run WHERE source_id = ? AND id NOT IN "
        "(SELECT id FROM import_run WHERE source_id = ? ORDER BY id DESC LIMIT ?)",
        (source_id, source_id, KEPT_RUNS),
    )
    source = StoredSource(source_id, name, federation, run_id)
    return source, read_to if fingerprint == stored_fingerprint else None


def known_records(source: StoredSource, keys: Sequence[tuple[str, str]]) -> Work[dict[tuple[str, str], KnownRecord]]:
    """Those of these records, by (kind, key), that are stored."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for kind, key in keys:
        by_kind[kind].append(key)
    known: dict[tuple[str, str], KnownRecord] = {}
    for kind, of_kind in by_kind.items():
        for part in chunks(of_kind):
            rows = yield Statement(lookup_records(), (source.id, kind, *part))
            known.update(((kind, key), KnownRecord(*found)) for key, *found in rows)
    return known


def store_batch(source: StoredSource, batch: Batch) -> Work[None]:
    """Everything that one batch changes, with the place up to which the source has been read."""
    yield from _fence(source)
    # (1) the records themselves
    record_ids = yield from _store_records(source, batch.new)
    seen = source.run_id
    for part in chunks(batch.unchanged):
        yield Statement(update_in("source_record SET seen_run = ? WHERE TRUE", "id"), (seen, *part))
    yield Statement("UPDATE source_record SET seen_run = 0 WHERE id = ?", [(row_id,) for row_id in batch.doubtful])
    # (2) what they yield, and what they yielded before and do no longer
    ids = yield from store_rows(source, (row for record in batch.new for row in record.rows))
    before = yield from _yields([record.known.id for record in batch.new if record.known])
    now: set[Row] = {
        (record_id, row.kind, ids[row.kind, row.key])
        for record_id, record in zip(record_ids, batch.new, strict=True)
        for row in record.rows
    }
    yield Statement("DELETE FROM record_yield WHERE record_id = ? AND kind = ? AND row_id = ?", list(before - now))
    yield Statement("INSERT INTO record_yield (record_id, kind, row_id) VALUES (?, ?, ?)", sorted(now - before))
    yield from remove_unyielded((kind, row_id) for _, kind, row_id in before - now)
    # (3) people become findable
    yield from index_pending()
    # (4) what went wrong, and how far we are
    yield from _note_issues(source, batch.issues)
    yield from _count(source, batch)
    if batch.read_to is not None:
        yield Statement("UPDATE import_source SET read_to = ? WHERE id = ?", (batch.read_to, source.id))


def count_records(source: StoredSource, *, complete: bool) -> Work[dict[str, tuple[int, int]]]:
    """For each kind of record, how many are stored and how many of those are to be removed.

    `complete`: the run has read the whole source, so that what it did not meet was deleted there. The record of what
    the mapping itself holds (kind '') does not count.
    """
    rows = yield Statement(
        "SELECT kind, count(*), sum(seen_run = 0 OR (? AND seen_run <> ?)) FROM source_record "
        "WHERE source_id = ? AND kind <> '' GROUP BY kind",
        (int(complete), source.run_id, source.id),
    )
    return {kind: (stored, leaving) for kind, stored, leaving in rows}


def remove_records(source: StoredSource, *, complete: bool, limit: int) -> Work[int]:
    """Remove up to `limit` of the records that are to go, with what only they yielded; returns how many those were."""
    yield from _fence(source)
    rows = yield Statement(
        "SELECT id FROM source_record WHERE source_id = ? AND (seen_run = 0 OR (? AND seen_run <> ?)) "
        "ORDER BY id LIMIT ?",
        (source.id, int(complete), source.run_id, limit),
    )
    gone = yield from _yields([row_id for (row_id,) in rows])
    yield Statement("DELETE FROM source_record WHERE id = ?", list(rows))
    yield from remove_unyielded((kind, row_id) for _, kind, row_id in gone)
    yield from index_pending()
    return len(rows)


def resolve_references(source: StoredSource) -> Work[tuple[int, list[ImportIssue]]]:
    """Fill in references to what came later; returns how many still wait, and where the first of them are."""
    yield from _fence(source)
    still = 0
    issues: list[ImportIssue] = []
    for table in TABLES:
        for reference in table.references:
            yield Statement(resolve(table.kind, reference), (source.id,))
            rows = yield Statement(waiting(table.kind, reference), (table.kind, source.id, MAX_STORED_ISSUES))
            still += len(rows)
            issues += [
                ImportIssue(place, reference.key_column, f"refers to a {reference.kind} that is not there", False)
                for (place,) in rows
            ]
    yield from _note_issues(source, issues)
    return still, issues


def end_run(source: StoredSource, *, outcome: str, counts: dict[str, int], now: float) -> Work[None]:
    """Close the run with its counts."""
    yield Statement(
        "UPDATE import_run SET outcome = ?, finished_at = ?, created = ?, changed = ?, unchanged = ?, removed = ?, "
        "rejected = ?, waiting = ?, held = ? WHERE id = ?",
        (
            *(outcome, now, counts["created"], counts["changed"], counts["unchanged"], counts["removed"]),
            *(counts["rejected"], counts["waiting"], counts["held"], source.run_id),
        ),
    )


def last_runs(source: str, federation: str, *, limit: int = KEPT_RUNS) -> Work[list[Run]]:
    """A source's runs, the newest first."""
    rows = yield Statement(
        "SELECT r.id, r.outcome, r.started_at, r.finished_at, r.created, r.changed, r.unchanged, r.removed, r.rejected,"
        " r.waiting, r.held FROM import_run r JOIN import_source s ON s.id = r.source_id"
        " WHERE s.name = ? AND s.federation = ? ORDER BY r.id DESC LIMIT ?",
        (source, federation, limit),
    )
    names = [each.name for each in fields(Run)]
    return [Run(**dict(zip(names, row, strict=True))) for row in rows]


def count_clients(federation: str) -> Work[int]:
    """How many people are on the register of a federation, from any source and from pages."""
    rows = yield Statement(
        "SELECT count(DISTINCT coalesce(same_person, id)) FROM person WHERE federation = ? AND hash IS NOT NULL",
        (federation,),
    )
    return int(rows[0][0])


def rejected_of(run_id: int) -> Work[list[ImportIssue]]:
    """What could not be used in one run, in the order of the source; at most MAX_STORED_ISSUES are kept."""
    rows = yield Statement(
        "SELECT place, field, reason, whole_record FROM rejected_record WHERE run_id = ? ORDER BY id LIMIT ?",
        (run_id, 2 * MAX_STORED_ISSUES),
    )
    return [ImportIssue(place, named, reason, bool(whole)) for place, named, reason, whole in rows]


def _count(source: StoredSource, batch: Batch) -> Work[None]:
    """Let others see how far the run is; end_run() writes the counts that hold."""
    created = sum(record.known is None for record in batch.new)
    rejected = len({issue.where for issue in batch.issues if issue.whole_record})
    yield Statement(
        "UPDATE import_run SET created = created + ?, changed = changed + ?, unchanged = unchanged + ?,"
        " rejected = rejected + ? WHERE id = ?",
        (created, len(batch.new) - created, len(batch.unchanged), rejected, source.run_id),
    )


def _store_records(source: StoredSource, records: Sequence[NewRecord]) -> Work[list[int]]:
    """Insert or replace source records; returns their ids in the same order."""
    ((last,),) = yield Statement(last_id("source_record"))
    fresh = count(last + 1)
    ids = [record.known.id if record.known else next(fresh) for record in records]
    yield Statement(
        "INSERT INTO source_record (id, source_id, kind, key, hash, place, seen_run) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (row_id, source.id, record.kind, record.key, record.hash, record.where, source.run_id)
            for row_id, record in zip(ids, records, strict=True)
            if record.known is None
        ],
    )
    yield Statement(
        "UPDATE source_record SET hash = ?, place = ?, seen_run = ? WHERE id = ?",
        [(record.hash, record.where, source.run_id, record.known.id) for record in records if record.known is not None],
    )
    return ids


def _fence(source: StoredSource) -> Work[None]:
    rows = yield Statement("SELECT current_run FROM import_source WHERE id = ?", (source.id,))
    if rows != [(source.run_id,)]:
        raise InputError(f"source {source.name}: another import of it has begun, this one stops")


def _yields(record_ids: list[int]) -> Work[set[Row]]:
    found: set[Row] = set()
    for part in chunks(record_ids):
        found.update((yield Statement(select_in("record_id, kind, row_id FROM record_yield", "record_id"), part)))
    return found


def _note_issues(source: StoredSource, issues: Sequence[ImportIssue]) -> Work[None]:
    if not issues:
        return
    ((stored,),) = yield Statement("SELECT count(*) FROM rejected_record WHERE run_id = ?", (source.run_id,))
    yield Statement(
        "INSERT INTO rejected_record (run_id, place, field, reason, whole_record) VALUES (?, ?, ?, ?, ?)",
        [
            (source.run_id, issue.where, issue.field, issue.reason, int(issue.whole_record))
            for issue in issues[: max(0, MAX_STORED_ISSUES - stored)]
        ],
    )
