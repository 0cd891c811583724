"""Reading the ledger: what an answer needs in its one read, and entries opened where a key exists."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from consent_ledger.append import NO_CONSENTS, read_head
from consent_ledger.consent import ConsentEntry, ConsentKind, from_body
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.keystore import Destroyed
from consent_ledger.merkle import leaf_hash
from consent_ledger.record import LeafHeader, open_leaf, read_leaf
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

    For a reader that sees the node's, the ledger's and the key store's tables at once. Raises LedgerCorrupt, also if
    the ledger has fewer than the key store knows of: whoever can write ledger.db can hide none.
    """
    found: list[Row] = []
    for person_id in person_ids:
        rows = yield (
            "SELECT consent_entry.applied_seq, entry.leaf, person_key.secret, person_key.consents,"
            " person_key.consent_head FROM person_key"
            " LEFT JOIN consent_entry ON consent_entry.key_id = person_key.key_id"
            " LEFT JOIN entry ON entry.seq = consent_entry.applied_seq"
            " WHERE person_key.person_id = ? ORDER BY consent_entry.applied_seq",
            (person_id,),
        )
        if rows:
            found += _all_known(rows)
    found.sort(key=itemgetter(0))
    return tuple(_consent(seq, leaf, secret) for seq, leaf, secret in found), found[-1][0] if found else NO_CONSENTS


def _all_known(rows: Sequence[Row]) -> list[Row]:
    """(seq, leaf, secret) of one id's consents, if those are there that the key store has counted."""
    *_, counted, head = rows[0]
    known = [row[0] for row in rows if row[0] is not None and 0 <= row[0] <= head]
    if len(known) < counted or (head != NO_CONSENTS and head not in known):
        raise LedgerCorrupt("a person's consents are fewer than the key store has counted")
    return [row[:3] for row in rows if row[0] is not None]


def _consent(seq: int, leaf: bytes | None, secret: bytes) -> ConsentEntry:
    if leaf is None:
        raise LedgerCorrupt(f"entry {seq} is missing")
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


def consent_keys() -> Work[list[Row]]:
    """The id of the key of each person of whom consents, withdrawals or objections are on record."""
    rows = yield "SELECT DISTINCT key_id FROM consent_entry", ()
    return rows


def clock_high() -> Work[float]:
    """The highest time that any answer was written at, in epoch seconds; raises LedgerCorrupt if there is no head."""
    _, high = yield from read_head()
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


def under_keys(key_ids: Iterable[bytes], *, hour: int) -> Work[dict[bytes, Destroyed]]:
    """What stands under keys that are about to be destroyed, in this hour."""
    ((size,),) = yield "SELECT size FROM ledger_head WHERE id = 1", ()
    found: dict[bytes, Destroyed] = {}
    for key_id in key_ids:
        ((entries,),) = yield "SELECT count(*) FROM entry WHERE key_id = ?", (key_id,)
        found[key_id] = Destroyed(entries=entries, size=size, hour=hour)
    return found


def under_all_keys(*, hour: int) -> Work[dict[bytes, Destroyed]]:
    """The same of every key that has entries."""
    ((size,),) = yield "SELECT size FROM ledger_head WHERE id = 1", ()
    rows = yield "SELECT key_id, count(*) FROM entry GROUP BY key_id", ()
    return {key_id: Destroyed(entries=entries, size=size, hour=hour) for key_id, entries in rows}


def consents_by_key() -> Work[list[tuple[bytes, int, int]]]:
    """Of each key: its id, how many consents the ledger has under it, and the newest."""
    rows = yield "SELECT key_id, count(*), max(applied_seq) FROM consent_entry GROUP BY key_id", ()
    return [(key_id, count, head) for key_id, count, head in rows]


def open_entry(seq: int, leaf: bytes, hashed: bytes, secret: bytes | None) -> Entry:
    """One entry, checked against its hash and opened if there is a secret; raises LedgerCorrupt."""
    if leaf_hash(leaf) != hashed:
        raise LedgerCorrupt(f"entry {seq} does not have its hash")
    try:
        body = open_leaf(leaf, secret) if secret is not None else None
        return Entry(seq=seq, leaf_hash=hashed.hex(), header=read_leaf(leaf).header, body=body)
    except LedgerCorrupt as error:
        raise LedgerCorrupt(f"entry {seq}: {error}") from error
