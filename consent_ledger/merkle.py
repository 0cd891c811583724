"""RFC 9162 (and 6962) Merkle trees over leaf hashes: roots, proofs, and their verification. Pure.

`TreeHasher` is what a growing log keeps: the roots of its largest full subtrees, one per bit of its size, from which
the tree's root follows. Full subtrees' roots never change; `node(level, index)` names the one over the leaves
[index * 2**level, (index + 1) * 2**level). Proofs are made from such nodes alone, so a log that stores them proves in
logarithmic time. Verification raises ProofInvalid; a consistency proof from an empty tree shows nothing and is refused.
"""

import hashlib
from collections.abc import Callable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]


class ProofInvalid(Exception):
    """A proof does not show what it should."""


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 9162, section 2.1.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, section 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class TreeHasher:
    """A tree of `size` leaves known by its full subtrees' roots, largest first (`peaks`)."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Raises ValueError unless there is one peak of 32 bytes per bit of `size`."""
        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in peaks):
            raise ValueError("peaks do not fit the size")
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash; returns the full subtrees that it completes as (level, index, hash), level 1 first."""
        completed: list[tuple[int, int, bytes]] = []
        index, level, hashed = self.size, 0, leaf
        while index & 1:
            hashed = node_hash(self.peaks.pop(), hashed)
            index >>= 1
            level += 1
            completed.append((level, index, hashed))
        self.peaks.append(hashed)
        self.size += 1
        return completed

    def extend(self, leaves: Sequence[bytes]) -> list[tuple[int, int, list[bytes]]]:
        """Add many leaf hashes; returns what append() would say of them, as (level, first index, hashes), by level."""
        completed: list[tuple[int, int, list[bytes]]] = []
        smallest: list[bytes] = []  # of the new peaks, smallest first
        index, level, hashes = self.size, 0, list(leaves)
        while hashes:
            if index & 1:  # the one before waits as a peak
                hashes = [self.peaks.pop(), *hashes]
            if len(hashes) & 1:
                smallest.append(hashes[-1])
            index, level = index >> 1, level + 1
            hashes = list(map(node_hash, hashes[:-1:2], hashes[1::2]))  # of an odd number the last waits
            if hashes:
                completed.append((level, index, hashes))
        self.peaks += reversed(smallest)
        self.size += len(leaves)
        return completed

    def root(self) -> bytes:
        """The tree's root hash."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    tree = TreeHasher()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def root_at(size: int, node: NodeReader) -> bytes:
    """The root that the tree had when it had `size` leaves."""
    return EMPTY_ROOT if size == 0 else _range_hash(0, size, node)


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """Audit path of leaf `index` in the tree of `size` leaves (RFC 9162, 2.1.3.1); raises ValueError."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of this size")
    return _path(index, 0, size, node)


def _path(index: int, start: int, end: int, node: NodeReader) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, node), _range_hash(middle, end, node)]
    return [*_path(index, middle, end, node), _range_hash(start, middle, node)]


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """Proof that the first `old` leaves of `new` are unchanged (RFC 9162, 2.1.4.1); raises ValueError."""
    if not 0 < old <= new:
        raise ValueError("sizes must be 0 < old <= new")
    return [] if old == new else _subproof(old, 0, new, True, node)


def _subproof(old: int, start: int, end: int, complete: bool, node: NodeReader) -> list[bytes]:
    if old == end:
        return [] if complete else [_range_hash(start, end, node)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, complete, node), _range_hash(middle, end, node)]
    return [*_subproof(old, middle, end, False, node), _range_hash(start, middle, node)]


def _range_hash(start: int, end: int, node: NodeReader) -> bytes:
    """Root over leaves [start, end), where start is a multiple of the range's largest full subtree."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(size)
    return node_hash(_range_hash(start, middle, node), _range_hash(middle, end, node))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162, section 2.1.3.2; raises ProofInvalid."""
    _check_lengths(leaf, root, *proof)
    if not 0 <= index < size:
        raise ProofInvalid("no such leaf in a tree of this size")
    fn, sn, computed = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise ProofInvalid("the proof is too long")
        if fn & 1 or fn == sn:
            computed = node_hash(sibling, computed)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            computed = node_hash(computed, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or computed != root:
        raise ProofInvalid("the proof does not lead from the leaf to the root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162, section 2.1.4.2; raises ProofInvalid."""
    if not 0 < old <= new:
        raise ProofInvalid("sizes must be 0 < old <= new")
    if old == new:
        if proof or old_root != new_root:
            raise ProofInvalid("trees of one size differ, or have a needless proof")
        return
    _check_lengths(old_root, new_root, *proof)
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not proof:
        raise ProofInvalid("the proof is empty")
    if _climb(old, new, path) != (old_root, new_root):
        raise ProofInvalid("the proof does not lead to both roots")


def _climb(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of both trees that a consistency path leads to."""
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if sn == 0:
            raise ProofInvalid("the proof is too long")
        if fn & 1 or fn == sn:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofInvalid("the proof is too short")
    return first, second


def _check_lengths(*hashes: bytes) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofInvalid(f"a hash does not have {HASH_BYTES} bytes")
