"""Stores what mappings yield: people and all around them, with references, identity and findability kept right.

All work here is for one write transaction. Rows come hashed, so that what has not changed costs one look-up.
An object is stored once for each (source, kind, key), whichever and however many records yield it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from gateway.database.contract import Row, Statement, Value, Work
from gateway.node.overlays import reapply
from gateway.node.rows import (
    NHS_NUMBERS_AT,
    TABLES,
    Ids,
    MappedRow,
    Table,
    chunks,
    delete_unyielded,
    last_id,
    lookup,
    select_in,
)
from gateway.node.same_person import refresh, regroup


@dataclass(frozen=True, slots=True)
class Source:
    """One source as the database knows it."""

    id: int
    name: str
    federation: str


@dataclass(frozen=True, slots=True)
class StoredSource(Source):
    """A source with the run that alone may write for it."""

    run_id: int


def store_rows(source: Source, rows: Iterable[MappedRow]) -> Work[Ids]:
    """Insert or replace rows; of two with one key the later wins. Returns the id of each, by kind and key.

    People still have to be made findable (`same_person.index_pending`).
    """
    by_kind: dict[str, dict[str, MappedRow]] = defaultdict(dict)
    for row in rows:
        by_kind[row.kind][row.key] = row
    ids: Ids = {}
    for table in TABLES:
        if table.kind in by_kind:
            yield from _store_kind(source, table, by_kind[table.kind], ids)
    return ids


def remove_unyielded(rows: Iterable[tuple[str, int]]) -> Work[None]:
    """Remove those of these rows, as (kind, id), that no source record yields any more."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for kind, row_id in rows:
        by_kind[kind].append(row_id)
    for kind, row_ids in by_kind.items():
        if kind == "person":
            yield from _remove_people((yield from _unyielded(kind, row_ids)))
        elif kind == "consent":
            yield from _remove_consents((yield from _unyielded(kind, row_ids)))
        else:
            yield Statement(delete_unyielded(kind), [(row_id,) for row_id in row_ids])


def look_up(kind: str, source_id: int, keys: Sequence[str]) -> Work[dict[str, tuple[int, bytes | None]]]:
    """Id and hash of the rows that have these keys; a hash of None is a person who has been removed."""
    found: dict[str, tuple[int, bytes | None]] = {}
    for part in chunks(keys):
        rows = yield Statement(lookup(kind), (source_id, *part))
        found.update((key, (row_id, digest)) for key, row_id, digest in rows)
    return found


def _store_kind(source: Source, table: Table, rows: dict[str, MappedRow], ids: Ids) -> Work[None]:
    kind = table.kind
    known = yield from look_up(kind, source.id, list(rows))
    added = [row for key, row in rows.items() if key not in known]
    replaced = [row for key, row in rows.items() if key in known and known[key][1] != row.hash]
    ids.update(((kind, key), row_id) for key, (row_id, _) in known.items())
    if not (added or replaced):
        return
    # New rows are numbered here, as the engine would do it, so that nobody has to ask for their ids.
    ((last,),) = yield Statement(last_id(kind))
    ids.update(((kind, row.key), row_id) for row_id, row in enumerate(added, last + 1))
    yield from _find_references(source, added + replaced, ids)
    before = yield from _people_before(table, [ids[kind, row.key] for row in replaced])
    always = source.id, source.federation
    yield Statement(
        table.insert,
        [
            (row_id, *always, row.key, *_described(table, row, ids), *(row_id for _ in table.own_id))
            for row_id, row in enumerate(added, last + 1)
        ],
    )
    yield Statement(table.update, [(*_described(table, row, ids), ids[kind, row.key]) for row in replaced])
    yield from reapply(kind, source.id, [row.key for row in added + replaced])
    if kind == "person":
        # Whoever is new and has no number is themselves already.
        numbered = [row for row in added if any(row.values[NHS_NUMBERS_AT])]
        yield from regroup([ids[kind, row.key] for row in numbered + replaced], before)
    elif kind == "consent":
        # Nobody may find a person between the import of a consent statement and its entry in the ledger.
        people = (person for row in added + replaced for person in row.refers)
        yield from refresh(ids[person] for person in people if person in ids)


def _described(table: Table, row: MappedRow, ids: Ids) -> tuple[Value, ...]:
    """What a row says, from its hash on: values, and the ids of what they refer to."""
    return (row.hash, *row.values, *table.values_anew(), *[ids.get(at) if at else None for at in row.refers])


def _find_references(source: Source, changed: Sequence[MappedRow], ids: Ids) -> Work[None]:
    """Add to `ids` what the changed rows refer to, where it is there already."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for row in changed:
        for at in row.refers:
            if at and at not in ids:
                wanted[at[0]].add(at[1])
    for kind, keys in wanted.items():
        found = yield from look_up(kind, source.id, list(keys))
        ids.update(((kind, key), row_id) for key, (row_id, digest) in found.items() if digest is not None)


def _people_before(table: Table, ids: list[int]) -> Work[list[Row]]:
    """The NHS numbers of people who are about to change: who shared one may no longer do so."""
    before: list[Row] = []
    if table.kind == "person":
        for part in chunks(ids):
            before += yield Statement(select_in("nhs_number FROM person", "id"), part)
    return before


def _unyielded(kind: str, row_ids: list[int]) -> Work[list[int]]:
    still: set[int] = set()
    for part in chunks(row_ids):
        rows = yield Statement(select_in("row_id, kind FROM record_yield", "row_id"), part)
        still.update(row_id for row_id, of_kind in rows if of_kind == kind)
    return [row_id for row_id in row_ids if row_id not in still]


def _remove_people(ids: list[int]) -> Work[None]:
    """Empty the rows of people, and let what refers to them wait for their return."""
    each = [(person_id,) for person_id in ids]
    numbers: list[Row] = []
    for part in chunks(ids):
        numbers += yield Statement(select_in("nhs_number FROM person", "id"), part)
    yield Statement(
        "UPDATE person SET hash = NULL, names = '[]', birth_date = NULL, addresses = '[]', identifiers = '[]', "
        "nhs_number = NULL, protected_numbers = NULL, restricted = 0, indexed = 1 WHERE id = ?",
        each,
    )
    yield Statement("UPDATE involvement SET person_id = NULL WHERE person_id = ?", each)
    yield Statement("UPDATE contact_event SET person_id = NULL WHERE person_id = ?", each)
    yield Statement("UPDATE person_link SET person_id = NULL WHERE person_id = ?", each)
    yield Statement("UPDATE person_link SET other_id = NULL WHERE other_id = ?", each)
    yield from refresh(ids)
    yield from regroup(ids, numbers)


def _remove_consents(ids: list[int]) -> Work[None]:
    """A permission that the source no longer has is withdrawn in the ledger; an objection there stays."""
    yield Statement(
        "UPDATE consent SET withdrawn = 1, recorded = 0, reference = ?, hash = x'' "
        "WHERE id = ? AND recorded = 1 AND permit = 1 AND withdrawn = 0",
        [(uuid4().hex, consent_id) for consent_id in ids],
    )
    yield Statement("DELETE FROM consent WHERE id = ? AND withdrawn = 0", [(consent_id,) for consent_id in ids])


def person_by_key(source: str, key: str) -> Work[int | None]:
    """The id of the person whom `source` knows by this key; None if there is none."""
    rows = yield Statement(
        "SELECT p.id FROM person p JOIN import_source s ON s.id = p.source_id"
        " WHERE s.name = ? AND p.key = ? AND p.hash IS NOT NULL",
        (source, key),
    )
    return rows[0][0] if rows else None
