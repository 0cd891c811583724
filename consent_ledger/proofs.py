"""Proofs from the stored subtrees, of which a proof needs as many as the ledger's size has digits in binary.

A proof is first made with blanks, which tells what nodes it needs; then these are read in one statement, and it is made
in earnest.
"""

from collections.abc import Callable, Sequence
from functools import cache

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
    return (yield from _with_nodes(lambda node: (node(0, seq), merkle.inclusion_proof(seq, size, node))))


def _with_nodes(compute: Callable[[NodeReader], T]) -> Work[T]:
    wanted: dict[tuple[int, int], None] = {}

    def note(level: int, position: int) -> bytes:
        wanted[level, position] = None
        return _BLANK

    compute(note)
    nodes = (yield from _nodes(list(wanted))) if wanted else {}
    missing = wanted.keys() - nodes.keys()
    if missing:
        level, position = min(missing)
        raise LedgerCorrupt(f"subtree {position} of level {level} is missing")
    return compute(lambda level, position: nodes[level, position])


def _nodes(places: Sequence[tuple[int, int]]) -> Work[dict[tuple[int, int], bytes]]:
    """All of them in one statement; a leaf's hash stands with its entry."""
    leaves = [position for level, position in places if not level]
    subtrees = [place for place in places if place[0]]
    rows = yield (
        _statement(len(leaves), len(subtrees)),
        (*leaves, *(number for place in subtrees for number in place)),
    )
    return {(level, position): hashed for level, position, hashed in rows}


@cache
def _statement(leaves: int, subtrees: int) -> str:
    """Placeholders alone are put together; a ledger of some size has few such numbers, so the engine prepares few."""
    one_leaf = "SELECT 0, seq, leaf_hash FROM entry WHERE seq = ?"
    one_subtree = "SELECT level, position, hash FROM tree_node WHERE level = ? AND position = ?"
    return " UNION ALL ".join([one_leaf] * leaves + [one_subtree] * subtrees)
