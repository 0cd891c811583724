"""What speaks for and against rows of `person` being one person: read for some rows and all that are linked to them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gateway.database.contract import Row, Statement, Work
from gateway.node.grouping import Links, Pair, connected
from gateway.node.protected import Held, bars, held
from gateway.node.rows import chunks, select_in


@dataclass(frozen=True, slots=True)
class LinkedRow:
    """A row of `person`: whom it belongs to now, and what may link it. `gone`: removed from its source."""

    id: int
    person: int
    number: str | None
    born: str | None
    gone: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What an officer decided of two rows, the lower first; see the table's comment."""

    pair: Pair
    same: bool
    at: float
    by: str
    ledger_seq: int
    suspended: bool


@dataclass(frozen=True, slots=True)
class Linking:
    """Rows and decisions by which some rows are linked, and the same as links."""

    rows: dict[int, LinkedRow]
    decisions: dict[Pair, Decision]
    links: Links


def pair_of(one: int, other: int) -> Pair:
    """Two rows in the order in which decisions name them."""
    return (one, other) if one < other else (other, one)


def linking(row_ids: Collection[int], numbers: Iterable[str] = (), *, supposed: Collection[Pair] = ()) -> Work[Linking]:
    """All that links these rows, or rows with these NHS numbers, directly or through others.

    `supposed` pairs count as joined: what would be if somebody decided so.
    """
    # (1) rows, and those that their numbers and decisions lead to, until no more are found
    rows: dict[int, LinkedRow] = {}
    decisions: dict[Pair, Decision] = {}
    seen: set[str] = set()
    ids, wanted = set(row_ids), set(numbers)
    while ids or wanted:
        found = (yield from _rows_by("id", ids)) + (yield from _rows_by("nhs_number", wanted))
        fresh = [row for row in found if row.id not in rows]
        rows.update((row.id, row) for row in fresh)
        seen |= wanted
        decisions |= yield from _decisions([row.id for row in fresh])
        ids = {row_id for pair in decisions for row_id in pair} - rows.keys()
        wanted = {row.number for row in fresh if row.number} - seen
    # (2) what numbers and officers say
    protected: set[str] = set()
    for part in chunks(sorted(seen)):
        protected.update(number for (number,) in (yield Statement(select_in(_PROTECTED, "number"), part)))
    shared = _shared(rows, protected)
    joined = {*supposed, *(pair for pair, decision in decisions.items() if decision.same)}
    links = Links(
        rows=rows,
        shared=shared,
        joined=joined,
        parted=[pair for pair, decision in decisions.items() if not decision.same],
        barred=(yield from _barred(rows, shared, joined)) if joined else (),
    )
    return Linking(rows, decisions, links)


_PROTECTED = "number FROM protected_number"
_DECISION = "person_id, other_id, same, decided_at, decided_by, ledger_seq, suspended FROM person_decision"


def _rows_by(column: str, values: Iterable[int] | Iterable[str]) -> Work[list[LinkedRow]]:
    found: list[LinkedRow] = []
    for part in chunks(list(values)):
        rows = yield Statement(
            select_in("id, same_person, nhs_number, birth_date, hash IS NULL FROM person", column), part
        )
        found += [LinkedRow(row_id, person, number, born, bool(gone)) for row_id, person, number, born, gone in rows]
    return found


def _decisions(row_ids: Sequence[int]) -> Work[dict[Pair, Decision]]:
    rows: list[Row] = []
    for part in chunks(row_ids):
        rows += yield Statement(select_in(_DECISION, "person_id"), part)
        rows += yield Statement(select_in(_DECISION, "other_id"), part)
    return {
        (one, other): Decision((one, other), bool(same), at, by, seq, bool(suspended))
        for one, other, same, at, by, seq, suspended in rows
    }


def _shared(rows: dict[int, LinkedRow], protected: Collection[str]) -> list[list[int]]:
    """Rows that one number makes one: nobody protects it, and their birth dates do not contradict each other."""
    sharing: dict[str, list[int]] = defaultdict(list)
    for row in rows.values():
        if row.number and row.number not in protected:
            sharing[row.number].append(row.id)
    return [sorted(ids) for ids in sharing.values() if len(ids) > 1 and _agree([rows[row_id].born for row_id in ids])]


def _agree(birth_dates: list[str | None]) -> bool:
    """True if all known birth dates can be those of one person; a partial date fits every date that begins with it."""
    known = sorted((born for born in birth_dates if born), key=len)
    return all(longer.startswith(shorter) for shorter, longer in pairwise(known))


def _barred(rows: dict[int, LinkedRow], shared: list[list[int]], joined: Collection[Pair]) -> Work[list[Pair]]:
    """Pairs that joins by hand would connect although one of them protects what the other gives.

    Rows that share a number nobody protects are not barred: the number has linked them already.
    """
    person_of = connected(rows, [*shared, *joined])
    touched = {person_of[one] for one, _ in joined}
    details: dict[int, Held] = {}
    for part in chunks([row_id for row_id in rows if person_of[row_id] in touched]):
        found = yield Statement(select_in("id, names, addresses, identifiers FROM person", "id"), part)
        details.update((row_id, held(*row)) for row_id, *row in found)
    protecting = [row_id for row_id, each in details.items() if each.protected_names or each.protected]
    by_number = connected(rows, shared)
    return [
        pair_of(one, other)
        for one in protecting
        for other in details
        if person_of[one] == person_of[other] and by_number[one] != by_number[other]
        if bars(details[one], details[other])
    ]
