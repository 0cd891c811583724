"""Officers' decisions whether two records are one person: taken step by step, and each step taken back by the other.

    not one person  <- unmerge -  nothing decided  <- unmerge -  one person
                     - merge ->                     - merge ->

So each step restores exactly what was before its opposite. A decision is refused if it contradicts others, or if it
would connect what one person protects with what the other gives openly. It is on record before it acts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from consent_ledger.entries import Correction, CorrectionEntry
from consent_ledger.errors import LedgerError
from consent_ledger.ledger import Ledger
from gateway.clock import Clock
from gateway.database.contract import Database, Statement, Work
from gateway.errors import InputError
from gateway.node.grouping import Pair, connected, people
from gateway.node.linking import Decision, Linking, linking
from gateway.node.rows import chunks, select_in
from gateway.node.same_person import index_pending, regroup
from gateway.node.storage_fault import storage_fault

PROTECTED = (
    "these two may not be made one person: something that one of them protects would be connected with the other. "
    "Ask those who keep the two records; this attempt is on record"
)


class ProtectedError(InputError):
    """A merge would connect what one record protects with what the other gives openly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Who decides, and why: a code of the agency's own or a few words, for the ledger alone."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What was done, its ledger entries, and whether the two are one person now."""

    correction: Correction
    entries: tuple[int, ...]
    one_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RowShown:
    """One row of a person, as SOURCE:KEY, and the other rows that it is one with by a shared number."""

    name: str
    gone: bool
    by_number: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionShown:
    """One decision that concerns a person, with the two rows as SOURCE:KEY."""

    one: str
    other: str
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonShown:
    """The rows that are one person, and the decisions that make them so or keep others from them."""

    rows: tuple[RowShown, ...]
    decisions: tuple[DecisionShown, ...]


async def correct(
    pair: Pair, *, same: bool, officer: Officer, database: Database, ledger: Ledger, clock: Clock
) -> Corrected:
    """Take one step towards "one person" (`same`) or "not one person".

    Raises InputError for a decision that stands already or contradicts others, ProtectedError, StorageError.
    """

    async def on_record(correction: Correction) -> tuple[int, ...]:
        one, other = pair
        entry = CorrectionEntry(
            person_id=one, other_id=other, correction=correction, by=officer.by, reason=officer.reason
        )
        try:
            return tuple(appended.seq for appended in await ledger.log_correction(entry))
        except LedgerError as error:
            raise storage_fault(error) from error

    # (1) May it be?
    try:
        correction = await database.read(_step(pair, same=same))
    except ProtectedError:
        await on_record(Correction.REFUSED)
        raise
    # (2) Put it on record.
    entries = await on_record(correction)
    # (3) Do it, unless an import or another officer has made it impossible meanwhile.
    decided = Decision(pair, same, clock.now(), officer.by, entries[0], False)
    try:
        one_person = await database.write(_act(decided, correction))
    except InputError:
        await on_record(Correction.REFUSED)
        raise
    return Corrected(correction=correction, entries=entries, one_person=one_person)


def may_join(pair: Pair) -> Work[bool]:
    """Whether two people, by ids of their rows, are not one yet and a merge would make them so."""
    try:
        step = yield from _step(pair, same=True)
    except InputError:
        return False
    known = yield from linking(pair)
    person_of, _ = people(known.links)
    return step is Correction.SAME and person_of[pair[0]] != person_of[pair[1]]


def _step(pair: Pair, *, same: bool) -> Work[Correction]:
    """What a decision for `same` would be; raises InputError if it may not be."""
    known = yield from linking(pair, supposed=[pair] if same else ())
    stands = known.decisions.get(pair)
    if stands is not None:
        if stands.same is same:
            raise InputError(f"this has been decided: ledger entry {stands.ledger_seq}, by {stands.by}")
        return Correction.NOT_SAME_TAKEN_BACK if same else Correction.SAME_TAKEN_BACK
    # Decisions alone, without numbers: these give way.
    by_hand = connected(known.rows, known.links.joined)
    if same:
        parted = [each for each in known.links.parted if by_hand[each[0]] == by_hand[each[1]]]
        if parted:
            raise InputError(
                f"it contradicts other decisions: {(yield from _named(known, parted))}; take that back first"
            )
        if pair in people(known.links)[1]:
            raise ProtectedError(PROTECTED)
        return Correction.SAME
    if by_hand[pair[0]] == by_hand[pair[1]]:
        joined = [each for each in known.links.joined if by_hand[each[0]] == by_hand[pair[0]]]
        raise InputError(f"it contradicts other decisions: {(yield from _named(known, joined))}; take one back first")
    return Correction.NOT_SAME


def _act(decided: Decision, expected: Correction) -> Work[bool]:
    """Make a decision effective, if it may still be; returns whether the two are one person then."""
    if (yield from _step(decided.pair, same=decided.same)) is not expected:
        raise InputError("somebody else has decided about these two meanwhile")
    if expected in (Correction.SAME, Correction.NOT_SAME):
        yield Statement(
            "INSERT INTO person_decision (person_id, other_id, same, decided_at, decided_by, ledger_seq) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (*decided.pair, int(decided.same), decided.at, decided.by, decided.ledger_seq),
        )
    else:
        yield Statement("DELETE FROM person_decision WHERE person_id = ? AND other_id = ?", decided.pair)
    yield from regroup(decided.pair)
    yield from index_pending()
    ((people_left,),) = yield Statement(
        "SELECT count(DISTINCT same_person) FROM person WHERE id IN (?, ?)", decided.pair
    )
    return bool(people_left == 1)


def show(row_id: int) -> Work[PersonShown]:
    """Who is one person with this row, and why; keys and ids only."""
    ((person,),) = yield Statement("SELECT same_person FROM person WHERE id = ?", (row_id,))
    rows = yield Statement("SELECT id, hash IS NULL FROM person WHERE same_person = ? ORDER BY id", (person,))
    known = yield from linking([each for each, _ in rows])
    name = yield from names_of({row_id for pair in known.decisions for row_id in pair} | {each for each, _ in rows})
    own = {each for each, _ in rows}
    by_number = {each: ids for ids in known.links.shared for each in ids if own.issuperset(ids)}
    return PersonShown(
        rows=tuple(
            RowShown(
                name=name[each],
                gone=bool(gone),
                by_number=tuple(name[other] for other in by_number.get(each, ()) if other != each),
            )
            for each, gone in rows
        ),
        decisions=tuple(
            DecisionShown(one=name[pair[0]], other=name[pair[1]], decision=decision)
            for pair, decision in sorted(known.decisions.items())
            if not own.isdisjoint(pair)
        ),
    )


def without_effect(source: str) -> Work[list[tuple[str, str]]]:
    """Merges of this source's people that are suspended, as pairs of SOURCE:KEY."""
    rows = yield Statement(
        "SELECT DISTINCT d.person_id, d.other_id FROM person_decision d "
        "JOIN person p ON p.id IN (d.person_id, d.other_id) JOIN import_source s ON s.id = p.source_id "
        "WHERE d.suspended = 1 AND s.name = ? ORDER BY d.person_id, d.other_id",
        (source,),
    )
    name = yield from names_of({row_id for pair in rows for row_id in pair})
    return [(name[one], name[other]) for one, other in rows]


def _named(known: Linking, pairs: Sequence[Pair]) -> Work[str]:
    """Decisions in words."""
    name = yield from names_of({row_id for pair in pairs for row_id in pair})
    said = []
    for one, other in sorted(pairs):
        decision = known.decisions[one, other]
        are = "are" if decision.same else "are not"
        said.append(f"{name[one]} and {name[other]} {are} one person (ledger entry {decision.ledger_seq})")
    return ", ".join(said)


def names_of(row_ids: Collection[int]) -> Work[dict[int, str]]:
    """SOURCE:KEY of each row."""
    named: dict[int, str] = {}
    for part in chunks(sorted(row_ids)):
        rows = yield Statement(select_in(_SOURCE_AND_KEY, "p.id"), part)
        named.update((row_id, f"{source}:{key}") for row_id, source, key in rows)
    return named


_SOURCE_AND_KEY = "p.id, s.name, p.key FROM person p JOIN import_source s ON s.id = p.source_id"
