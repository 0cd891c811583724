"""Reading the ledger: what an answer needs in its one read, entries opened where a key exists, and verification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from consent_ledger.append import NO_CONSENTS, read_head
from consent_ledger.consent import ConsentEntry, ConsentKind, from_body
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.kinds import KindClass
from consent_ledger.merkle import TreeHasher, leaf_hash
from consent_ledger.record import HeaderReader, LeafHeader, open_leaf, read_leaf
from consent_ledger.storage import Row, Work

CHUNK_ROWS = 1000  # entries of one read: some 1 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as stored; `body` is None once its key has been destroyed."""

    seq: int
    leaf_hash: str
    header: LeafHeader
    body: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """A tree's size and root (hex)."""

    size: int
    root: str


def consents_of(person_ids: Sequence[int]) -> Work[tuple[tuple[ConsentEntry, ...], int]]:
    """A person's consent entries in ledger order, under all their ids, and their head (NO_CONSENTS if none).

    For a reader that sees the node's, the ledger's and the key store's tables at once. Raises LedgerCorrupt.
    """
    rows: list[Row] = []
    for person_id in person_ids:
        rows += yield (
            "SELECT consent_entry.applied_seq, entry.leaf, person_key.secret FROM person_key"
            " JOIN consent_entry ON consent_entry.key_id = person_key.key_id"
            " JOIN entry ON entry.seq = consent_entry.applied_seq"
            " WHERE person_key.person_id = ? ORDER BY consent_entry.applied_seq",
            (person_id,),
        )
    rows.sort(key=itemgetter(0))
    return tuple(_consent(seq, leaf, secret) for seq, leaf, secret in rows), rows[-1][0] if rows else NO_CONSENTS


def _consent(seq: int, leaf: bytes, secret: bytes) -> ConsentEntry:
    body = open_leaf(leaf, secret)
    try:
        return from_body(seq, ConsentKind(body["kind"]), body)
    except (KeyError, ValueError) as error:
        raise LedgerCorrupt(f"entry {seq} is not a consent") from error


def accepted_agreements(federation: str) -> Work[frozenset[str]]:
    """Hashes (hex) of the agreements that this node's officer accepts now."""
    rows = yield "SELECT sha256 FROM agreement_accepted WHERE federation = ?", (federation,)
    return frozenset(row[0] for row in rows)


def was_answered(federation: str, issuer: str, jti: str) -> Work[bool]:
    """Whether this question is on record; append.py decides it for good, in the transaction that appends."""
    rows = yield "SELECT 1 FROM replay WHERE federation = ? AND issuer = ? AND jti = ?", (federation, issuer, jti)
    return bool(rows)


def clock_high() -> Work[float]:
    """The highest time that any answer was written at, in epoch seconds."""
    rows = yield "SELECT clock_high FROM ledger_head WHERE id = 1", ()
    high: float = rows[0][0]
    return high


def tree_head() -> Work[TreeHead]:
    """Size and root as stored; raises LedgerCorrupt if they do not fit."""
    tree, _ = yield from read_head()
    return TreeHead(size=tree.size, root=tree.root().hex())


def chunk(since: int) -> Work[list[tuple[int, str, bytes, bytes, bytes]]]:
    """Up to CHUNK_ROWS rows (seq, federation, key id, leaf, leaf hash) from `since` on."""
    rows = yield (
        "SELECT seq, federation, key_id, leaf, leaf_hash FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?",
        (since, CHUNK_ROWS),
    )
    return rows


def chunk_of(key_id: bytes, since: int) -> Work[list[tuple[int, str, bytes, bytes, bytes]]]:
    """Up to CHUNK_ROWS rows under one key, from seq `since` on."""
    rows = yield (
        "SELECT seq, federation, key_id, leaf, leaf_hash FROM entry WHERE key_id = ? AND seq >= ? ORDER BY seq LIMIT ?",
        (key_id, since, CHUNK_ROWS),
    )
    return rows


def row_at(seq: int) -> Work[list[tuple[int, str, bytes, bytes, bytes]]]:
    """The row of one entry, or none."""
    rows = yield "SELECT seq, federation, key_id, leaf, leaf_hash FROM entry WHERE seq = ?", (seq,)
    return rows


def open_entry(seq: int, leaf: bytes, hashed: bytes, secret: bytes | None) -> Entry:
    """One entry, checked against its hash and opened if there is a secret; raises LedgerCorrupt."""
    if leaf_hash(leaf) != hashed:
        raise LedgerCorrupt(f"entry {seq} does not have its hash")
    try:
        body = open_leaf(leaf, secret) if secret is not None else None
        return Entry(seq=seq, leaf_hash=hashed.hex(), header=read_leaf(leaf).header, body=body)
    except LedgerCorrupt as error:
        raise LedgerCorrupt(f"entry {seq}: {error}") from error


@dataclass(slots=True)
class Walk:
    """How far a verification has come: the tree so far, and how many consent entries it has."""

    tree: TreeHasher = field(default_factory=TreeHasher)
    headers: HeaderReader = field(default_factory=HeaderReader)
    consents: int = 0


def verify_chunk(walk: Walk) -> Work[bool]:
    """Check the next rows: hash, form, place, subtrees, projection. False when none are left and the head fits too."""
    rows = yield from chunk(walk.tree.size)
    hashes: list[bytes] = []
    read = walk.headers.read
    for expected, (seq, federation, key_id, leaf, hashed) in enumerate(rows, walk.tree.size):
        if seq != expected:
            raise LedgerCorrupt(f"entry {expected} is missing")
        if leaf_hash(leaf) != hashed:
            raise LedgerCorrupt(f"entry {seq} does not have its hash")
        try:
            header = read(leaf)
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
    return bool(rows)


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
