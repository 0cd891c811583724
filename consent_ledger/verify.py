"""The whole ledger recomputed from its entries: hashes, tree, projections. What needs secrets is in verify_keys.py."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from consent_ledger.append import read_head
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.kinds import KindClass
from consent_ledger.merkle import TreeHasher, leaf_hash
from consent_ledger.read import chunk
from consent_ledger.record import LeafReader
from consent_ledger.storage import Row, Work

Agreements = dict[tuple[str, str], tuple[str, str, int] | None]  # (federation, sha256): (uri, version, seq) or not now


@dataclass(slots=True)
class Walk:
    """How far a verification has come: the tree so far, and how many consent entries it has.

    Whoever opens the entries adds to `agreements` what they say of each that was ever accepted, and to `destroyed` the
    ids of secrets that are no more; if nobody does, `agreements` is None.
    """

    tree: TreeHasher = field(default_factory=TreeHasher)
    leaves: LeafReader = field(default_factory=LeafReader)
    consents: int = 0
    agreements: Agreements | None = None
    destroyed: set[bytes] = field(default_factory=set)


def verify_chunk(walk: Walk) -> Work[list[Row]]:
    """Check the next rows: hash, form, place, subtrees, projection. Returns them; none are left if the head fits, too.

    Raises LedgerCorrupt naming what does not fit.
    """
    rows = yield from chunk(walk.tree.size)
    hashes: list[bytes] = []
    header_of = walk.leaves.header
    for expected, (seq, federation, key_id, leaf, hashed) in enumerate(rows, walk.tree.size):
        if seq != expected:
            raise LedgerCorrupt(f"entry {expected} is missing")
        if not isinstance(leaf, bytes) or leaf_hash(leaf) != hashed:  # in a damaged page a value may be of any type
            raise LedgerCorrupt(f"entry {seq} does not have its hash")
        try:
            header = header_of(leaf)
        except LedgerCorrupt as error:
            raise LedgerCorrupt(f"entry {seq}: {error}") from error
        if header.federation != federation:
            raise LedgerCorrupt(f"entry {seq} is filed under another federation")
        hashes.append(hashed)
        if header.kind_class is KindClass.CONSENT:
            walk.consents += 1
            yield from _verify_projected(seq, key_id)
    for level, first, nodes in walk.tree.extend(hashes):
        yield from _verify_level(level, first, nodes)
    if not rows:
        yield from _verify_head(walk)
        yield from _verify_nothing_more(walk.tree.size)
        if walk.agreements is not None:
            yield from _verify_agreements(walk.agreements, walk.destroyed)
    return rows


def _verify_projected(seq: int, key_id: bytes) -> Work[None]:
    rows = yield "SELECT 1 FROM consent_entry WHERE key_id = ? AND applied_seq = ?", (key_id, seq)
    if not rows:
        raise LedgerCorrupt(f"entry {seq} is not among its person's consents")


def _verify_level(level: int, first: int, expected: Sequence[bytes]) -> Work[None]:
    """The stored subtrees of one level, from position `first` on."""
    rows = yield (
        "SELECT position, hash FROM tree_node WHERE level = ? AND position BETWEEN ? AND ? ORDER BY position",
        (level, first, first + len(expected) - 1),
    )
    if rows != list(enumerate(expected, first)):
        stored: dict[int, bytes] = dict(rows)
        wrong = next(position for position, node in enumerate(expected, first) if stored.get(position) != node)
        raise LedgerCorrupt(f"subtree {wrong} of level {level} does not fit its entries")


def _verify_head(walk: Walk) -> Work[None]:
    """The head and the projection have exactly what the entries have."""
    head, _ = yield from read_head()
    if (head.size, head.peaks) != (walk.tree.size, walk.tree.peaks):
        raise LedgerCorrupt("the head does not fit the entries")
    ((projected,),) = yield "SELECT projected_size FROM ledger_head WHERE id = 1", ()
    ((consents,),) = yield "SELECT count(*) FROM consent_entry", ()
    if projected != walk.tree.size or consents != walk.consents:
        raise LedgerCorrupt("the consent projection does not fit the entries")


def _verify_nothing_more(size: int) -> Work[None]:
    """No rows but those of the entries 0 to `size` - 1; and nothing counted that is not there yet."""
    ((count, first, last),) = yield "SELECT count(*), min(seq), max(seq) FROM entry", ()
    if (count, first, last) != ((size, 0, size - 1) if size else (0, None, None)):
        raise LedgerCorrupt("there are rows that are none of the entries")
    ((nodes,),) = yield "SELECT count(*) FROM tree_node", ()
    if nodes != sum(size >> level for level in range(1, size.bit_length())):
        raise LedgerCorrupt("there are subtrees that are none of the entries'")
    ((next_seq,),) = yield "SELECT next_seq FROM exchange_head WHERE id = 1", ()
    if not 0 <= next_seq <= size:
        raise LedgerCorrupt("the counts between members are ahead of the entries")


def _verify_agreements(said: Agreements, destroyed: Collection[bytes]) -> Work[None]:
    """Accepted is what the entries say, and nothing else but what stands in one that nobody can read any more."""
    rows = yield "SELECT federation, sha256, uri, version, applied_seq FROM agreement_accepted", ()
    stored = {(federation, sha256): (uri, version, seq) for federation, sha256, uri, version, seq in rows}
    for agreement in sorted(stored.keys() | said.keys()):
        row = stored.get(agreement)
        if agreement in said:
            fits = row == said[agreement]
        else:
            keys = yield "SELECT key_id FROM entry WHERE seq = ?", (stored[agreement][2],)
            fits = bool(keys) and keys[0][0] in destroyed
        if not fits:
            raise LedgerCorrupt("the accepted agreements are not those of the entries")
