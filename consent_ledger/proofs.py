"""Proofs from the stored subtrees, in a number of reads that grows with the logarithm of the ledger.

A proof is first made with blanks, which tells what nodes it needs; then these are read, and it is made in earnest.
"""

from collections.abc import Callable

from consent_ledger import merkle
from consent_ledger.append import read_head
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.merkle import HASH_BYTES, NodeReader
from consent_ledger.storage import T, Work

_BLANK = bytes(HASH_BYTES)


def root_at(size: int) -> Work[bytes | None]:
    """The root that the ledger had with its first `size` entries; None if it has fewer. Raises LedgerCorrupt."""
    tree, _ = yield from read_head()
    if size > tree.size:
        return None
    return (yield from _with_nodes(lambda node: merkle.root_at(size, node)))


def consistency(old: int, new: int) -> Work[list[bytes]]:
    """That the first `new` entries extend the first `old`; empty from nothing. Raises ValueError, LedgerCorrupt."""
    if old == 0:
        return []
    return (yield from _with_nodes(lambda node: merkle.consistency_proof(old, new, node)))


def inclusion(seq: int, size: int) -> Work[tuple[bytes, list[bytes]]]:
    """Leaf hash of an entry, and its path in the tree of the first `size`. Raises ValueError, LedgerCorrupt."""
    rows = yield "SELECT leaf_hash FROM entry WHERE seq = ?", (seq,)
    if not rows:
        raise ValueError("there is no such entry")
    return rows[0][0], (yield from _with_nodes(lambda node: merkle.inclusion_proof(seq, size, node)))


def _with_nodes(compute: Callable[[NodeReader], T]) -> Work[T]:
    nodes: dict[tuple[int, int], bytes] = {}

    def note(level: int, position: int) -> bytes:
        nodes[level, position] = _BLANK
        return _BLANK

    compute(note)
    for level, position in nodes:
        if level:
            rows = yield "SELECT hash FROM tree_node WHERE level = ? AND position = ?", (level, position)
        else:
            rows = yield "SELECT leaf_hash FROM entry WHERE seq = ?", (position,)
        if not rows:
            raise LedgerCorrupt(f"subtree {position} of level {level} is missing")
        nodes[level, position] = rows[0][0]
    return compute(lambda level, position: nodes[level, position])
