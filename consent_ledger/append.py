"""The one transaction that appends: entries, tree, projections, replay rows and the highest time, or none of them.

`append_all` runs under an exclusive write transaction, takes the next seq from the table, and so is correct with any
number of processes on one file. Its steps:

(1) read the head: size, peaks, highest time of an answer; a clock behind it answers nothing. Answers alone raise it,
    for none is given by a clock that the hub has not confirmed: what is recorded by a wrong one stops no later answer
(2) for each entry that guards a disclosure: the question is new, the person's consent head and the accepted agreement
    are those that the decision rests on, and the asker's budgets have room; each step of a case may be taken; nothing
    was recorded meanwhile of those whom an import is about. One that fails is left out, the others go on
(3) seal, hash and number the rest; complete the tree's subtrees
(4) write entries, subtrees, projections, counts, and the head
(5) drop replay rows that have expired for good
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consent_ledger.budget import BudgetSpent, Spend, Tally
from consent_ledger.case_table import CaseStep, Opening, open_cases, refusal, take
from consent_ledger.errors import ClockBehind, HeadMoved, LedgerCorrupt, LedgerError, ReplayedError
from consent_ledger.keystore import Key, Owner
from consent_ledger.kinds import KIND_CLASSES, EntryKind, KindClass
from consent_ledger.merkle import HASH_BYTES, TreeHasher, leaf_hash
from consent_ledger.record import LeafHeader, seal_leaf
from consent_ledger.storage import Value, Work

NO_CONSENTS = -1  # the consent head of a person of whom no consent entry exists
REPLAY_MARGIN_S = 600  # docs/wire.md: a question's id is kept until it expires and ten minutes more
CLOCK_TOLERANCE_S = 30  # docs/wire.md
PURGE_ROWS = 512  # per transaction; more than one adds

_SECONDS_PER_HOUR = 3600
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What must still hold when an answer is written. If a person was matched, `consent_head` is that of all `persons`,
    the ids under which they are known here.
    """

    issuer: str
    jti: str
    expires_at: int
    persons: tuple[int, ...]
    consent_head: int | None
    agreement_sha256: str | None
    spend: Spend | None = None
    answers: bool = True  # else no answer leaves, and a wrong clock neither stops it nor is remembered


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldConsents:
    """The consent head of all `persons` that entries appended together rest on: none is written once it has moved."""

    persons: tuple[int, ...]
    head: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedAgreement:
    """One exact agreement, accepted (or no longer) by this node's officer; `sha256` is hex."""

    uri: str
    version: str
    sha256: str
    accepted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry ready to be sealed: its padded body, and whose secret is to seal it."""

    kind: EntryKind
    body: bytes
    owner: Owner
    at: float
    guard: Guard | None = None
    agreement: AcceptedAgreement | None = None
    opening: Opening | None = None
    step: CaseStep | None = None
    held: HeldConsents | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry stands: its seq and leaf hash (hex), as `ledger_leaf` of an answer."""

    seq: int
    leaf_hash: str


def append_all(
    drafts: Sequence[Draft], keys: Mapping[Owner, Key], federation: str, now: float
) -> Work[list[Appended | LedgerError]]:
    """Append what may be appended; for each draft its place, or why it was left out."""
    # (1)
    tree, clock_high = yield from read_head()
    behind = now < clock_high - CLOCK_TOLERANCE_S

    results: list[Appended | LedgerError] = []
    entries: list[tuple[Value, ...]] = []
    nodes: list[tuple[Value, ...]] = []
    consents: list[tuple[Value, ...]] = []
    others = 0  # about no question: see padding.py
    moved: dict[HeldConsents, LedgerError | None] = {}  # for all that are appended together, as before the first
    tally = Tally()
    yield from tally.load(draft.guard.spend for draft in drafts if draft.guard and draft.guard.spend)
    for draft in drafts:
        key = keys[draft.owner]
        seq, hour = tree.size, int(draft.at) // _SECONDS_PER_HOUR
        # (2)
        refused: LedgerError | None = None
        if draft.guard is not None:
            refused = ClockBehind("the clock is behind the ledger") if behind and draft.guard.answers else None
            refused = refused or (yield from _check(draft.guard, keys, federation, consents, tally))
        elif draft.step is not None:
            refused = yield from refusal(draft.step, seq=seq)
        elif draft.held is not None:
            if draft.held not in moved:
                moved[draft.held] = yield from _moved(draft.held.persons, draft.held.head, keys, consents)
            refused = moved[draft.held]
        if refused is not None:
            results.append(refused)
            continue
        # (3)
        kind_class = KIND_CLASSES[draft.kind]
        leaf = seal_leaf(LeafHeader(kind_class, hour, federation), draft.body, key.secret)
        hashed = leaf_hash(leaf)
        nodes += tree.append(hashed)
        entries.append((seq, federation, key.id, leaf, hashed))
        others += kind_class is not KindClass.DISCLOSURE
        if kind_class is KindClass.CONSENT:
            consents.append((key.id, seq, federation))
        yield from _project(draft, key, federation, seq, hour)
        results.append(Appended(seq, hashed.hex()))
    # (4)
    yield "INSERT INTO entry (seq, federation, key_id, leaf, leaf_hash) VALUES (?, ?, ?, ?, ?)", entries
    yield "INSERT INTO tree_node (level, position, hash) VALUES (?, ?, ?)", nodes
    if consents:
        yield "INSERT INTO consent_entry (key_id, applied_seq, federation) VALUES (?, ?, ?)", consents
    answered = any(
        draft.guard is not None and draft.guard.answers and isinstance(result, Appended)
        for draft, result in zip(drafts, results, strict=True)
    )
    high = max(clock_high, now) if answered else clock_high
    yield (
        "UPDATE ledger_head SET size = ?, peaks = ?, clock_high = ?, projected_size = ?, unfilled = unfilled + ?"
        " WHERE id = 1",
        (tree.size, b"".join(tree.peaks), high, tree.size, others),
    )
    yield from tally.write(int(high) // _SECONDS_PER_DAY)
    # (5) by the highest time seen, so that a clock set back cannot reopen a question
    yield (
        "DELETE FROM replay WHERE (federation, issuer, jti) IN"
        " (SELECT federation, issuer, jti FROM replay WHERE keep_until < ? ORDER BY keep_until LIMIT ?)",
        (int(high), PURGE_ROWS),
    )
    return results


def read_head() -> Work[tuple[TreeHasher, float]]:
    """The tree as stored, and the highest time seen; raises LedgerCorrupt if its hashes do not fit its size."""
    rows = yield "SELECT size, peaks, clock_high FROM ledger_head WHERE id = 1", ()
    try:
        ((size, peaks, clock_high),) = rows
        tree = TreeHasher(size, [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)])
    except (ValueError, TypeError) as error:  # also of a damaged page: no row, or other types than the column's
        raise LedgerCorrupt("the head of the ledger does not fit its size") from error
    return tree, clock_high


def _check(
    guard: Guard, keys: Mapping[Owner, Key], federation: str, unwritten: Sequence[tuple[Value, ...]], tally: Tally
) -> Work[LedgerError | None]:
    """(2) The replay row comes last: a decision that must be made again keeps its question open."""
    if guard.spend is not None and (spent := tally.spent(guard.spend)):
        return BudgetSpent(spent)
    if guard.agreement_sha256 is not None:
        rows = yield (
            "SELECT 1 FROM agreement_accepted WHERE federation = ? AND sha256 = ?",
            (federation, guard.agreement_sha256),
        )
        if not rows:
            return HeadMoved("the agreement is no longer accepted")
    if guard.consent_head is not None:
        moved = yield from _moved(guard.persons, guard.consent_head, keys, unwritten)
        if moved is not None:
            return moved
    rows = yield (
        "INSERT INTO replay (federation, issuer, jti, keep_until) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        (federation, guard.issuer, guard.jti, guard.expires_at + REPLAY_MARGIN_S),
    )
    if not rows:
        return ReplayedError("this question has been answered before")
    if guard.spend is not None:
        tally.add(guard.spend)
    return None


def _moved(
    persons: Sequence[int], expected: int, keys: Mapping[Owner, Key], unwritten: Sequence[tuple[Value, ...]]
) -> Work[HeadMoved | None]:
    """Whether the consent head of all these persons is another than `expected`, with what this transaction adds."""
    head = NO_CONSENTS
    added = {row[0] for row in unwritten}
    for key_id in {keys[person].id for person in persons}:
        rows = yield "SELECT max(applied_seq) FROM consent_entry WHERE key_id = ?", (key_id,)
        head = max(head, NO_CONSENTS if rows[0][0] is None else rows[0][0])
        if key_id in added:
            return HeadMoved("the person's consents have changed")
    return None if head == expected else HeadMoved("the person's consents have changed")


def _project(draft: Draft, key: Key, federation: str, seq: int, hour: int) -> Work[None]:
    """What entry `seq` changes in the projections other than consents, which are written together."""
    if draft.agreement is not None:
        yield from _project_agreement(draft.agreement, federation, seq)
    if draft.opening is not None:
        yield from open_cases(draft.opening, key=key, federation=federation, seq=seq, hour=hour)
    if draft.step is not None:
        yield from take(draft.step, seq=seq)


def _project_agreement(agreement: AcceptedAgreement, federation: str, seq: int) -> Work[None]:
    yield "DELETE FROM agreement_accepted WHERE federation = ? AND sha256 = ?", (federation, agreement.sha256)
    if agreement.accepted:
        yield (
            "INSERT INTO agreement_accepted (federation, sha256, uri, version, applied_seq) VALUES (?, ?, ?, ?, ?)",
            (federation, agreement.sha256, agreement.uri, agreement.version, seq),
        )
